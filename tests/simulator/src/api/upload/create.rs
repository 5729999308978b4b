//! `POST /upload/`: a whole file of up to 4 MiB, or a new session for chunks or a stream.

use axum::{
    Extension,
    extract::{FromRequest as _, Multipart, Request, State},
    response::{IntoResponse as _, Response},
};
use rusqlite::Connection;
use serde_json::Value;

use super::{FILE_MAX, SINGLE_CALL_MAX, assemble, checksum, multipart};
use crate::{
    api::{path::Place, storage},
    app::App,
    envelope::{ApiError, Reply, code},
    ids::{NodeId, UploadId, VersionId},
    params::{Form, Params, is_type},
    routes::{Called, Caller},
    store::{
        accounts::{self, ProfileKind, Workspace},
        blobs::{Blob, Writer},
        checksum::{Algorithm, Checksum},
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
    let instance = match app.store.read(|rows| instance(rows, fields)) {
        Ok(instance) => instance,
        Err(error) => return error.into_response(),
    };
    let mut response = match begin(app, caller, instance.as_ref(), fields, bytes).await {
        Ok(reply) => reply.into_response(),
        Err(error) => error.into_response(),
    };
    if let Some(instance) = instance {
        response.extensions_mut().insert(Called(instance.id));
    }
    response
}

/// The workspace or share that `instance_id` names. Without one the bytes get no place.
fn instance(rows: &Connection, fields: &Params) -> Result<Option<Workspace>, ApiError> {
    let Some(id) = fields.optional("instance_id") else { return Ok(None) };
    named(rows, id, fields).map(Some)
}

/// A workspace or share; `profile_type` must agree with it when it is given.
pub(super) fn named(rows: &Connection, id: &str, fields: &Params) -> Result<Workspace, ApiError> {
    let kind = fields.one_of("profile_type", &["workspace", "share"])?;
    let kind = kind.map(ProfileKind::of);
    accounts::find_profile(rows, id)?
        .filter(|found| kind.is_none_or(|kind| kind == found.kind))
        .ok_or_else(|| ApiError::not_found(kind.unwrap_or(ProfileKind::Workspace).as_str()))
}

async fn begin(
    app: &App,
    caller: &Caller,
    instance: Option<&Workspace>,
    fields: &Params,
    bytes: Option<Writer>,
) -> Result<Reply, ApiError> {
    app.faults.admit("upload.create", instance.map(|instance| instance.id.as_str())).await?;
    let mut session = app.store.read(|rows| validate(rows, caller, instance, fields))?;
    let declared = checksum::read(fields)?;
    let Some(bytes) = bytes else {
        match declared {
            Some(Checksum { algorithm: Algorithm::Crc32c, hex }) => session.file_crc32c = Some(hex),
            other => session.file_hash = other,
        }
        app.store.write(|rows| uploads::put(rows, &session))?;
        return Ok(Reply::new().with("id", &session.id));
    };
    let Some(size) = session.size else {
        return Err(ApiError::invalid("stream", "has its bytes in a call of its own", "bool"));
    };
    if bytes.size() != size {
        let message = format!("says {size} bytes, the file has {}", bytes.size());
        return Err(ApiError::input(code::UPLOAD_SIZE, "size", "invalid", &message, "int"));
    }
    let blob = bytes.finish().await?;
    checksum::check(declared.as_ref(), &blob, &app.store.blobs).await?;
    let node = store(app, &mut session, blob).await?;
    Ok(Reply::new()
        .with("id", &session.id)
        .with("new_file_id", node.map_or(Value::Null, |id| id.to_string().into())))
}

/// Takes the bytes of a whole file into a new session. With `--inline-file-id` the file is there at once.
pub(super) async fn store(app: &App, session: &mut Session, blob: Blob) -> Result<Option<NodeId>, ApiError> {
    session.status = Status::Assembling;
    let chunk = Chunk { position: 1, blob: blob.name, size: blob.size, crc32c: blob.crc32c };
    app.store.write(|rows| {
        uploads::put(rows, session)?;
        uploads::put_chunk(rows, &session.id, &chunk)
    })?;
    if app.settings.inline_file_id {
        assemble::run(app, &session.id).await;
        Ok(app.store.read(|rows| uploads::find(rows, &session.id))?.and_then(|session| session.node))
    } else {
        assemble::spawn(app.clone(), session.id.clone());
        Ok(None)
    }
}

fn validate(
    rows: &Connection,
    caller: &Caller,
    instance: Option<&Workspace>,
    fields: &Params,
) -> Result<Session, ApiError> {
    let action = fields.one_of("action", &["create", "update"])?;
    let action = action.ok_or_else(|| ApiError::missing("action", "string"))?;
    let stream = fields.flag("stream")?;
    if !stream {
        fields.required_number("size", 0..=FILE_MAX)?;
    } else if fields.optional("size").is_some() {
        return Err(ApiError::invalid("size", "is not for streams", "int"));
    }
    let mut session = new(caller);
    session.size = fields.number("size", 0..=FILE_MAX)?;
    session.stream = stream;
    session.max_size = fields.number("max_size", 1..=FILE_MAX)?;
    session.workspace = instance.map(|instance| instance.id.clone());
    match (action, instance) {
        ("update", Some(instance)) => update(rows, instance, fields, &mut session)?,
        ("update", None) => return Err(ApiError::missing("instance_id", "profile id")),
        _ => {
            if fields.optional("if_version_id").is_some() {
                return Err(ApiError::invalid("if_version_id", "is for action=update", "version id"));
            }
            let name = fields.required("name")?;
            storage::check_name(name)?;
            name.clone_into(&mut session.name);
            if let Some(instance) = instance {
                session.folder = folder(rows, instance, fields)?;
            }
        }
    }
    Ok(session)
}

/// `folder_id`, or the root.
pub(super) fn folder(rows: &Connection, instance: &Workspace, fields: &Params) -> Result<String, ApiError> {
    let place = Place::parse(fields.optional("folder_id").unwrap_or("root"), "folder_id")?;
    storage::folder(rows, instance, &place, "folder_id")
}

fn update(
    rows: &Connection,
    instance: &Workspace,
    fields: &Params,
    session: &mut Session,
) -> Result<(), ApiError> {
    let file = fields.required("file_id")?;
    let file = NodeId::parse(file).map_err(|_| ApiError::malformed_id("file_id"))?;
    let node = storage::live(rows, instance, &file)?;
    if node.kind != Kind::File {
        return Err(ApiError::invalid("file_id", "must be a file", "file id"));
    }
    let version = fields.optional("if_version_id").map(VersionId::parse).transpose();
    session.if_version = version.map_err(|_| ApiError::malformed_id("if_version_id"))?;
    session.folder = node.parent;
    session.name = node.name;
    session.target = Some(node.id);
    Ok(())
}

/// An empty session.
pub(super) fn new(caller: &Caller) -> Session {
    let now = Instant::now();
    Session {
        id: UploadId::random(),
        user: caller.user.clone(),
        workspace: None,
        folder: "root".to_owned(),
        name: String::new(),
        size: None,
        target: None,
        if_version: None,
        stream: false,
        max_size: None,
        source_url: None,
        status: Status::Ready,
        message: None,
        node: None,
        file_crc32c: None,
        computed_crc32c: None,
        file_hash: None,
        created: now,
        updated: now,
    }
}
