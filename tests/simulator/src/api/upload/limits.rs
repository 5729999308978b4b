//! What an upload may be. Numbers of the Business plan.

use axum::{Extension, extract::State};
use serde_json::json;

use super::{CHUNK_MAX, CHUNKS_MAX, FILE_MAX, SESSIONS_MAX, SESSIONS_SIZE_MAX};
use crate::{
    api::storage,
    app::App,
    envelope::{ApiError, Reply},
    ids::NodeId,
    params::Query,
    routes::Caller,
    store::{accounts, checksum::Algorithm},
};

/// The limits are the same everywhere, but a place that is named must be there.
pub(super) async fn limits(
    State(app): State<App>,
    Extension(_): Extension<Caller>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let action = query.one_of("action", &["create", "update"])?;
    app.store.read(|rows| {
        let instance = match query.optional("instance_id") {
            None if action.is_some() => return Err(ApiError::missing("instance_id", "profile id")),
            None => None,
            Some(id) => Some(
                accounts::find_profile(rows, id)?.ok_or_else(|| ApiError::not_found("workspace or share"))?,
            ),
        };
        if let (Some("update"), Some(instance)) = (action, &instance) {
            let file = NodeId::parse(query.required("file_id")?);
            storage::live(rows, instance, &file.map_err(|_| ApiError::malformed_id("file_id"))?)?;
        }
        Ok(())
    })?;
    Ok(Reply::new()
        .with("chunk_size", CHUNK_MAX)
        .with("size", FILE_MAX)
        .with("chunks", CHUNKS_MAX)
        .with("sessions", SESSIONS_MAX)
        .with("sessions_size_max", SESSIONS_SIZE_MAX))
}

/// Extensions that are not taken. There are none here.
pub(super) async fn extensions() -> Reply {
    Reply::new().with("extensions", json!([]))
}

pub(super) async fn algos() -> Reply {
    Reply::new().with("algos", Algorithm::NAMES)
}
