//! Ids in paths.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use crate::{
    envelope::ApiError,
    ids::{CommentId, NodeId, UploadId, WebhookId},
};

async fn segment<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<String, ApiError> {
    let path = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::invalid("path", "is not valid UTF-8", "string"))?;
    Ok(path.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).unwrap_or_default())
}

macro_rules! path_id {
    ($name:ident, $id:ty, $param:literal) => {
        pub(crate) struct $name(pub(crate) $id);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
                let text = segment(parts, state, $param).await?;
                <$id>::parse(&text).map(Self).map_err(|_| ApiError::malformed_id($param))
            }
        }
    };
}

path_id!(NodePath, NodeId, "node");
path_id!(UploadPath, UploadId, "upload");
path_id!(CommentPath, CommentId, "comment");
path_id!(WebhookPath, WebhookId, "webhook");

/// `{node}` where a path may name a place that is not a node.
pub(crate) enum Place {
    Root,
    Trash,
    Node(NodeId),
}

impl Place {
    pub(crate) fn parse(text: &str, param: &str) -> Result<Self, ApiError> {
        match text {
            "root" => Ok(Self::Root),
            "trash" => Ok(Self::Trash),
            text => NodeId::parse(text).map(Self::Node).map_err(|_| ApiError::malformed_id(param)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Self::parse(&segment(parts, state, "node").await?, "node")
    }
}

/// `{node}` where a path may name several, separated by commas.
pub(crate) struct NodeList(pub(crate) Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for NodeList {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = segment(parts, state, "node").await?;
        Ok(Self(text.split(',').map(str::to_owned).collect()))
    }
}

/// `{event}`.
pub(crate) struct EventPath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for EventPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        segment(parts, state, "event").await.map(Self)
    }
}

/// `{entity}`: the profile that an activity poll watches.
pub(crate) struct EntityPath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for EntityPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        segment(parts, state, "entity").await.map(Self)
    }
}
