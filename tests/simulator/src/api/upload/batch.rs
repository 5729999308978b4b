//! Many small files in one call. Each has its own result; the call as a whole is refused only when it
//! is not well formed.

use std::collections::HashMap;

use axum::{
    Extension,
    extract::{FromRequest as _, Multipart, Request, State},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    SINGLE_CALL_MAX, checksum, create,
    multipart::{self, File},
};
use crate::{
    api::{path::UploadPath, storage},
    app::App,
    envelope::{ApiError, Reply},
    ids::{NodeId, UploadId},
    params::Params,
    routes::{Called, Caller},
    store::{accounts::Workspace, batches, checksum::Checksum, uploads::Session},
};

const FILES_MAX: usize = 200;
const BODY_MAX: i64 = 100 * 1024 * 1024;
const CREATOR_MAX: usize = 150;
const PATH_MAX: usize = 8192;

/// An entry of `manifest`.
#[derive(Debug, Deserialize)]
struct Entry {
    index: usize,
    filename: String,
    relative_path: Option<String>,
    hash_algo: Option<String>,
    hash: Option<String>,
}

pub(super) async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let mut body = match Multipart::from_request(request, &app).await {
        Ok(body) => body,
        Err(error) => return ApiError::invalid("body", &error.body_text(), "multipart").into_response(),
    };
    let read = multipart::read_files(&app.store.blobs, &mut body, SINGLE_CALL_MAX, BODY_MAX).await;
    let (fields, files) = match read {
        Ok(read) => read,
        Err(error) => {
            multipart::drain(&mut body).await;
            return error.into_response();
        }
    };
    let named =
        fields.required("instance_id").and_then(|id| app.store.read(|rows| create::named(rows, id, &fields)));
    let workspace = match named {
        Ok(workspace) => workspace,
        Err(error) => return error.into_response(),
    };
    let batch = Batch { app: &app, caller: &caller, workspace: &workspace };
    let mut response = match batch.run(&fields, files).await {
        Ok(reply) => reply.into_response(),
        Err(error) => error.into_response(),
    };
    response.extensions_mut().insert(Called(workspace.id.clone()));
    response
}

struct Batch<'a> {
    app: &'a App,
    caller: &'a Caller,
    workspace: &'a Workspace,
}

impl Batch<'_> {
    async fn run(&self, fields: &Params, mut files: HashMap<String, File>) -> Result<Reply, ApiError> {
        self.app.faults.admit("upload.batch", Some(self.workspace.id.as_str())).await?;
        let manifest = manifest(fields)?;
        check_creator(fields)?;
        let folder = self.app.store.read(|rows| create::folder(rows, self.workspace, fields))?;
        let mut results = Vec::new();
        let mut succeeded = 0;
        for entry in &manifest {
            let file = files.remove(&format!("file_{}", entry.index));
            let outcome = self.entry(entry, &folder, file).await;
            succeeded += usize::from(outcome.is_ok());
            results.push(result(entry, outcome));
        }
        let id = UploadId::random();
        let answer = json!({
            "batch_id": id,
            "count_total": results.len(),
            "count_succeeded": succeeded,
            "count_errored": results.len() - succeeded,
            "results": results,
        });
        self.app.store.write(|rows| batches::put(rows, &id, &self.caller.user, &answer))?;
        Ok(reply(&answer))
    }

    async fn entry(
        &self,
        entry: &Entry,
        folder: &str,
        file: Option<File>,
    ) -> Result<(UploadId, Option<NodeId>), ApiError> {
        storage::check_name(&entry.filename)?;
        let bytes = match file {
            Some(File::Whole(bytes)) => bytes,
            Some(File::TooLarge) => {
                return Err(ApiError::invalid("file", "must have at most 4194304 bytes", "file"));
            }
            None => return Err(ApiError::missing(&format!("file_{}", entry.index), "file")),
        };
        let declared = declared(entry)?;
        let folder = self.folder(folder, entry.relative_path.as_deref())?;
        let blob = bytes.finish().await?;
        checksum::check(declared.as_ref(), &blob, &self.app.store.blobs).await?;
        let mut session = Session {
            workspace: Some(self.workspace.id.clone()),
            folder,
            name: entry.filename.clone(),
            size: Some(blob.size),
            ..create::new(self.caller)
        };
        let node = create::store(self.app, &mut session, blob).await?;
        Ok((session.id, node))
    }

    /// The folder at a path below another one, with what is missing of it.
    fn folder(&self, parent: &str, path: Option<&str>) -> Result<String, ApiError> {
        let Some(path) = path else { return Ok(parent.to_owned()) };
        let well_formed = path.len() <= PATH_MAX && path.ends_with('/') && !path.starts_with('/');
        if !well_formed || path.split('/').any(|segment| segment == "..") {
            let message = "must be folders, each with a / behind it, and no ..";
            return Err(ApiError::invalid("relative_path", message, "string"));
        }
        self.app.store.write(|rows| {
            let mut parent = parent.to_owned();
            for name in path.split('/').filter(|name| !name.is_empty()) {
                parent =
                    storage::ensure_folder(rows, self.workspace, self.caller, &parent, name)?.to_string();
            }
            Ok(parent)
        })
    }
}

fn manifest(fields: &Params) -> Result<Vec<Entry>, ApiError> {
    let manifest: Vec<Entry> = serde_json::from_str(fields.required("manifest")?).map_err(|error| {
        ApiError::invalid("manifest", &format!("must be a JSON list of entries: {error}"), "json")
    })?;
    if !(1..=FILES_MAX).contains(&manifest.len()) {
        return Err(ApiError::invalid("manifest", "must have from 1 to 200 entries", "json"));
    }
    let mut indexes: Vec<usize> = manifest.iter().map(|entry| entry.index).collect();
    indexes.sort_unstable();
    if indexes.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(ApiError::invalid("manifest", "has an index twice", "json"));
    }
    Ok(manifest)
}

fn check_creator(fields: &Params) -> Result<(), ApiError> {
    let Some(creator) = fields.optional("creator") else { return Ok(()) };
    let plain = creator.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain && creator.len() <= CREATOR_MAX {
        return Ok(());
    }
    Err(ApiError::invalid("creator", "must be up to 150 letters, digits and hyphens", "string"))
}

fn declared(entry: &Entry) -> Result<Option<Checksum>, ApiError> {
    let mut fields = Params::default();
    for (name, value) in [("hash_algo", &entry.hash_algo), ("hash", &entry.hash)] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    checksum::read(&fields)
}

fn result(entry: &Entry, outcome: Result<(UploadId, Option<NodeId>), ApiError>) -> Value {
    let (upload, node, error) = match outcome {
        Ok((upload, node)) => (Some(upload), node, None),
        Err(error) => (None, None, Some(error)),
    };
    json!({
        "index": entry.index,
        "filename": entry.filename,
        "status": if error.is_none() { "ok" } else { "error" },
        "upload_id": upload,
        "node_id": node,
        "error_code": error.as_ref().map(ApiError::code),
        "error_message": error.as_ref().map(ApiError::text),
    })
}

/// The answer of then: it is not brought up to date.
pub(super) async fn details(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
) -> Result<Reply, ApiError> {
    let answer = app.store.read(|rows| batches::find(rows, &id, &caller.user))?;
    answer.as_ref().map(reply).ok_or_else(|| ApiError::not_found("batch"))
}

fn reply(answer: &Value) -> Reply {
    let keys = answer.as_object().into_iter().flatten();
    keys.fold(Reply::new(), |reply, (key, value)| reply.with(key, value))
}
