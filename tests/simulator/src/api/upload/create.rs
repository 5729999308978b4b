//! `POST /upload/`: a whole file of up to 4 MiB, or a new session for chunks.

use axum::{
    Extension,
    extract::{FromRequest as _, Multipart, Request, State},
    response::{IntoResponse as _, Response},
};
use rusqlite::Connection;
use serde_json::Value;

use super::{FILE_MAX, SINGLE_CALL_MAX, assemble, chunk::Checksum, multipart};
use crate::{
    api::{path::Place, storage},
    app::App,
    envelope::{ApiError, Reply, code},
    ids::{NodeId, UploadId},
    params::{Form, Params, is_type},
    routes::{Called, Caller},
    store::{
        accounts::{self, Workspace},
        blobs::Writer,
        nodes::Kind,
        uploads::{self, Chunk, Session, Status},
    },
    time::Instant,
};

pub(super) async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    if !is_type(request.headers(), "multipart/form-data") {
        return match Form::from_request(request, &app).await {
            Ok(Form(fields)) => upload(&app, &caller, &fields, None).await,
            Err(error) => error.into_response(),
        };
    }
    let mut body = match Multipart::from_request(request, &app).await {
        Ok(body) => body,
        Err(error) => return ApiError::invalid("body", &error.body_text(), "multipart").into_response(),
    };
    match multipart::read(&app.store.blobs, &mut body, SINGLE_CALL_MAX).await {
        Ok(parts) => upload(&app, &caller, &parts.fields, parts.chunk).await,
        Err(error) => {
            multipart::drain(&mut body).await;
            error.into_response()
        }
    }
}

async fn upload(app: &App, caller: &Caller, fields: &Params, bytes: Option<Writer>) -> Response {
    let workspace = match app.store.read(|rows| workspace(rows, fields)) {
        Ok(workspace) => workspace,
        Err(error) => return error.into_response(),
    };
    let mut response = match begin(app, caller, &workspace, fields, bytes).await {
        Ok(reply) => reply.into_response(),
        Err(error) => error.into_response(),
    };
    response.extensions_mut().insert(Called(workspace.id));
    response
}

fn workspace(rows: &Connection, fields: &Params) -> Result<Workspace, ApiError> {
    fields.one_of("profile_type", &["workspace"])?;
    accounts::find_workspace(rows, fields.required("instance_id")?)?
        .ok_or_else(|| ApiError::not_found("workspace"))
}

async fn begin(
    app: &App,
    caller: &Caller,
    workspace: &Workspace,
    fields: &Params,
    bytes: Option<Writer>,
) -> Result<Reply, ApiError> {
    app.faults.admit("upload.create", Some(workspace.id.as_str())).await?;
    fields.refuse(&["stream", "if_version_id"])?;
    let mut session = app.store.read(|rows| validate(rows, caller, workspace, fields))?;
    let Some(bytes) = bytes else {
        app.store.write(|rows| uploads::put(rows, &session))?;
        return Ok(Reply::new().with("id", &session.id));
    };
    if bytes.size() != session.size {
        let message = format!("says {} bytes, the file has {}", session.size, bytes.size());
        return Err(ApiError::input(code::UPLOAD_SIZE, "size", "invalid", &message, "int"));
    }
    let checksum = Checksum::read(fields)?;
    let blob = bytes.finish().await?;
    if let Err(error) = checksum.map_or(Ok(()), |checksum| checksum.check(&blob)) {
        app.store.blobs.remove(&blob.name).await?;
        return Err(error);
    }
    session.status = Status::Assembling;
    let chunk = Chunk { position: 1, blob: blob.name, size: blob.size, crc32c: blob.crc32c };
    app.store.write(|rows| {
        uploads::put(rows, &session)?;
        uploads::put_chunk(rows, &session.id, &chunk)
    })?;
    let node = if app.settings.inline_file_id {
        assemble::run(app, &session.id).await;
        app.store.read(|rows| uploads::find(rows, &session.id))?.and_then(|session| session.node)
    } else {
        assemble::spawn(app.clone(), session.id.clone());
        None
    };
    Ok(Reply::new()
        .with("id", &session.id)
        .with("new_file_id", node.map_or(Value::Null, |id| id.to_string().into())))
}

fn validate(
    rows: &Connection,
    caller: &Caller,
    workspace: &Workspace,
    fields: &Params,
) -> Result<Session, ApiError> {
    let size = fields.required_number("size", 0..=FILE_MAX)?;
    let action = fields.one_of("action", &["create", "update"])?;
    let action = action.ok_or_else(|| ApiError::missing("action", "string"))?;
    let (folder, name, target) = if action == "update" {
        let file = fields.required("file_id")?;
        let file = NodeId::parse(file).map_err(|_| ApiError::malformed_id("file_id"))?;
        let node = storage::live(rows, workspace, &file)?;
        if node.kind != Kind::File {
            return Err(ApiError::invalid("file_id", "must be a file", "file id"));
        }
        (node.parent, node.name, Some(node.id))
    } else {
        let name = fields.required("name")?;
        storage::check_name(name)?;
        let place = Place::parse(fields.required("folder_id")?, "folder_id")?;
        (storage::folder(rows, workspace, &place, "folder_id")?, name.to_owned(), None)
    };
    let now = Instant::now();
    Ok(Session {
        id: UploadId::random(),
        user: caller.user.clone(),
        workspace: workspace.id.clone(),
        folder,
        name,
        size,
        target,
        status: Status::Ready,
        message: None,
        node: None,
        file_crc32c: None,
        computed_crc32c: None,
        created: now,
        updated: now,
    })
}
