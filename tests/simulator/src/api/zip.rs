//! A folder as one ZIP archive, written while it is sent.

use std::io::{BufWriter, Read as _, Write};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, result::ZipResult, write::SimpleFileOptions};

use super::{path::Place, storage};
use crate::{
    app::App,
    envelope::{ApiError, Reply, code},
    ids::NodeId,
    params::Query,
    routes::{Caller, Routes},
    store::{
        Blobs,
        accounts::Workspace,
        events::{self, EventName},
        nodes::{Kind, Node},
        tree,
        versions::Version,
    },
    tokens,
};

const BUFFER: usize = 64 * 1024;
/// Pieces that wait for a slow reader.
const WAITING: usize = 4;
/// Sizes from here on need the larger form of the archive's entries (ZIP64).
const LARGE: i64 = 0xFFFF_FFFF;

pub(super) fn routes(routes: Routes) -> Routes {
    storage::PREFIXES.into_iter().fold(routes, |routes, (prefix, scope)| {
        routes
            .get(&format!("{prefix}/{{node}}/requestzip/"), "download.requestzip", scope, request)
            .get_by_token(&format!("{prefix}/{{node}}/zip/"), "download.zip", scope, zip)
    })
}

/// A token that is bound to the folder.
async fn request(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    place: Place,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let id = folder(rows, &workspace, &place)?;
        record(rows, &workspace, &caller, &id)?;
        let bound = NodeId::parse(&id).map_err(|_| ApiError::malformed_id("node"))?;
        Ok(Reply::new().with("token", app.tokens.issue(&workspace.id, &bound, None, tokens::LIFETIME)))
    })
}

/// With a token the event was written when that was asked for.
async fn zip(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    caller: Option<Extension<Caller>>,
    place: Place,
    Query(query): Query,
) -> Result<Response, ApiError> {
    let (id, entries) = app.store.read(|rows| {
        let id = folder(rows, &workspace, &place)?;
        let mut entries = Vec::new();
        collect(rows, &workspace, &id, "", &mut entries)?;
        Ok::<_, ApiError>((id, entries))
    })?;
    if let Some(token) = query.optional("token") {
        let claims = app.tokens.verify(token).map_err(|error| ApiError::unauthorized(&error.to_string()))?;
        if claims.node.as_str() != id || claims.workspace != workspace.id {
            let text = "The download token is for another folder";
            return Err(ApiError::new(StatusCode::FORBIDDEN, code::ACCESS_DENIED, text));
        }
    } else if let Some(Extension(caller)) = caller {
        app.store.write(|rows| record(rows, &workspace, &caller, &id))?;
    }
    let (sender, receiver) = mpsc::channel(WAITING);
    let blobs = app.store.blobs.clone();
    tokio::task::spawn_blocking(move || {
        let sink = Sink(sender.clone());
        if let Err(error) = write(&blobs, &entries, sink) {
            // The archive is cut short, and so is the body: its reader sees that it is not whole. A reader
            // that is gone does not see anything.
            drop(sender.blocking_send(Err(std::io::Error::other(error))));
        }
    });
    let pieces = futures::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    Ok(response)
}

fn folder(rows: &Connection, workspace: &Workspace, place: &Place) -> Result<String, ApiError> {
    storage::folder(rows, workspace, place, "node")
}

fn record(rows: &Connection, workspace: &Workspace, caller: &Caller, id: &str) -> Result<(), ApiError> {
    events::record(rows, workspace, &caller.user, EventName::ZipDownloaded, id)?;
    Ok(())
}

/// A folder, or a file with its bytes.
struct Entry {
    path: String,
    content: Option<Version>,
}

fn collect(
    rows: &Connection,
    workspace: &Workspace,
    folder: &str,
    above: &str,
    entries: &mut Vec<Entry>,
) -> rusqlite::Result<()> {
    for node in tree::live_children(rows, &workspace.id, folder)? {
        let Node { id, kind, name, content, .. } = node;
        let path = format!("{above}{name}");
        match kind {
            Kind::File => entries.push(Entry { path, content }),
            Kind::Folder => {
                entries.push(Entry { path: path.clone(), content: None });
                collect(rows, workspace, id.as_str(), &format!("{path}/"), entries)?;
            }
            Kind::Link => {}
        }
    }
    Ok(())
}

/// Blocks: runs on a thread of its own.
fn write(blobs: &Blobs, entries: &[Entry], sink: Sink) -> ZipResult<()> {
    let mut archive = ZipWriter::new_stream(BufWriter::with_capacity(BUFFER, sink));
    let mut buffer = vec![0; BUFFER];
    for entry in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let Some(content) = &entry.content else {
            archive.add_directory(entry.path.as_str(), options)?;
            continue;
        };
        archive.start_file(entry.path.as_str(), options.large_file(content.size >= LARGE))?;
        let mut file = blobs.read_blocking(&content.blob)?;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            archive.write_all(buffer.get(..count).unwrap_or_default())?;
        }
    }
    archive.finish()?.into_inner().flush()?;
    Ok(())
}

/// Hands what is written to the body of the answer.
struct Sink(mpsc::Sender<std::io::Result<Bytes>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(piece)).map_err(|_| std::io::Error::other("the reader is gone"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
