//! Putting into a folder what is there already: an upload without a place, bytes that are known by
//! their hash, a link to a share.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::Value;

use super::{check_name, existing, finish, folder, reply};
use crate::{
    api::path::Place,
    app::App,
    envelope::{ApiError, Reply},
    ids::UploadId,
    params::{Form, Params},
    routes::Caller,
    store::{
        accounts::{self, Workspace},
        blobs::Blob,
        events::EventName,
        placing::{self, Arrival, Obstacle},
        tree, uploads, versions,
    },
};

/// `from` is `{"type":"upload","upload":{"id":"…"}}` or
/// `{"type":"hash","hash":{"hash":"…","hash_type":"sha256"}}`.
pub(super) async fn file(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    place: Place,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let from = source(&form)?;
    form.optional("name").map_or(Ok(()), check_name)?;
    app.store.write(|rows| {
        let parent = folder(rows, &workspace, &place, "node")?;
        let (blob, upload, known_as) = match &from {
            Source::Upload(id) => uploaded(rows, &caller, id)?,
            Source::Hash(sha256) => {
                let version = versions::with_hash(rows, &workspace.id, sha256)?
                    .ok_or_else(|| ApiError::not_found("content"))?;
                (version.blob(), version.upload, None)
            }
        };
        let name = form.optional("name").or(known_as.as_deref());
        let name = name.ok_or_else(|| ApiError::missing("name", "string"))?;
        let arrival = Arrival { blob: &blob, user: &caller.user, upload: &upload };
        let id = placing::add(rows, &workspace, &parent, name, arrival)?.map_err(refusal)?;
        app.faults.scan(rows, &workspace, &id)?;
        Ok(reply(&existing(rows, &workspace, &id)?))
    })
}

enum Source {
    Upload(UploadId),
    Hash(String),
}

fn source(form: &Params) -> Result<Source, ApiError> {
    let wrong = || ApiError::invalid("from", "must be a JSON object with an upload or a hash", "json");
    let from: Value = serde_json::from_str(form.required("from")?).map_err(|_| wrong())?;
    let text = |pointer: &str| from.pointer(pointer).and_then(Value::as_str);
    match text("/type") {
        Some("upload") => {
            let id = text("/upload/id").ok_or_else(wrong)?;
            UploadId::parse(id).map(Source::Upload).map_err(|_| ApiError::malformed_id("from"))
        }
        Some("hash") if matches!(text("/hash/hash_type"), None | Some("sha256")) => {
            text("/hash/hash").map(|hash| Source::Hash(hash.to_ascii_lowercase())).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// The bytes of a session that is finished, wherever else they went, and the name that it was opened with.
fn uploaded(
    rows: &Connection,
    caller: &Caller,
    id: &UploadId,
) -> Result<(Blob, UploadId, Option<String>), ApiError> {
    let session = uploads::find(rows, id)?.filter(|session| session.user == caller.user);
    let session = session.ok_or_else(|| ApiError::not_found("upload session"))?;
    let blob = match uploads::assembled(rows, id)? {
        Some(blob) => Some(blob),
        None => versions::of_upload(rows, id)?.map(|version| version.blob()),
    };
    let blob =
        blob.ok_or_else(|| ApiError::conflict("upload_not_complete", "The upload session has no bytes yet"))?;
    Ok((blob, session.id, Some(session.name)))
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn refusal(obstacle: Obstacle) -> ApiError {
    ApiError::conflict("not_added", format!("It cannot be added: {obstacle}"))
}

/// `type` is always `share`: there is nothing else that a link can lead to.
pub(super) async fn link(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    place: Place,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    form.required("type")?;
    form.one_of("type", &["share"])?;
    let share = form.required("share")?;
    app.store.write(|rows| {
        let parent = folder(rows, &workspace, &place, "node")?;
        let share = accounts::find_share(rows, share)?.ok_or_else(|| ApiError::not_found("share"))?;
        let id = tree::insert_link(rows, &workspace.id, &parent, &share, &caller.user)?;
        finish(rows, &workspace, &caller, &id, EventName::LinkAdded)
    })
}
