//! A result, from the scratch space to the output folder.
//!
//! Made to be tried again at any point: the folder is made or found, a result that is there already is found by its
//! marker, a session that is open is gone on with, and a file that has its content but not its marker gets it.

use std::fs::File;
use std::io;
use std::sync::Arc;

use fastio::{Client, NodeId};
use fastio_pipeline::event::IdError;
use fastio_pipeline::plan::Step;
use fastio_pipeline::results::{result_name, result_name_beside};
use fastio_pipeline::run::{ResultFile, RunRequest};

use super::marker::Marker;
use super::place::{self, Place};
use super::send::{self, Content, Target};
use super::session::{Fingerprint, Session};
use super::{BadId, Progress, RemoteFile, folder};

/// Why a result is not in the output folder (yet).
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Fast.io does not take it.
    #[error(transparent)]
    Fastio(#[from] fastio::Error),
    /// The run names something that Fast.io cannot have.
    #[error(transparent)]
    Id(#[from] BadId),
    /// The result cannot be read.
    #[error("scratch space: {0}")]
    Scratch(#[from] io::Error),
    /// A file has the name of a folder on the way to the output folder.
    #[error("{0:?} in the path of the output folder is not a folder; rename it or change spec.output.folder")]
    FolderBlocked(String),
    /// Both names that the result may have are those of somebody else's files.
    #[error(
        "{0:?} and the name beside it are taken by files that this pipeline did not make; move them away"
    )]
    NameTaken(String),
    /// The service took the bytes and did not make a file of them.
    #[error("Fast.io did not store the upload: {0}")]
    NotStored(String),
    /// The service gave the result an id that we cannot use.
    #[error("the result's {0}")]
    ResultId(#[from] IdError),
}

/// Brings the result of a step into the output folder and marks it as ours.
///
/// If a run of a newer version of the source was faster, its result stays and is what is given back.
///
/// `progress` starts with the session that an earlier attempt reported, if there is one.
pub async fn upload(
    client: &Client,
    request: &RunRequest,
    step: &Step,
    file: File,
    progress: &Progress<Option<Session>>,
) -> Result<ResultFile, UploadError> {
    let workspace = RemoteFile::try_from(&request.source)?.workspace;
    let content = content(file).await?;
    let (name, node) = match resumed(client, request, &content, progress).await? {
        Some(sent) => sent,
        None => match find_or_send(client, request, step, &content, progress).await? {
            Found::Done { name, node, size } => return result_file(step, name, &node, size),
            Found::Unmarked(name, node) => (name, node),
        },
    };
    client.set_facts(&workspace, &node, &Marker::of(request).facts()).await?;
    result_file(step, name, &node, content.fingerprint.size)
}

/// A result in the output folder, by name and id.
enum Found {
    /// With its marker: nothing is left to do.
    Done { name: String, node: NodeId, size: u64 },
    /// Without.
    Unmarked(String, NodeId),
}

async fn find_or_send(
    client: &Client,
    request: &RunRequest,
    step: &Step,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<Found, UploadError> {
    let source = &request.source;
    let RemoteFile { workspace, node, .. } = &RemoteFile::try_from(source)?;
    let path = request.plan.output.resolve(&source.folder, &source.name);
    let folder = &folder::ensure(client, workspace, &path).await?;
    let names = [result_name(&source.name, step), result_name_beside(&source.name, &source.id, step)];
    let marker = &Marker::of(request);
    let wanted = place::Wanted { workspace, folder, source: node, marker, content: &content.fingerprint };
    let place = place::choose(client, &wanted, names).await?;
    let open = progress.get();
    Ok(match place {
        Place::Done { name, node } => Found::Done { name, node, size: content.fingerprint.size },
        Place::Superseded { name, node, size } => {
            if let Some(session) = open {
                send::give_up(client, &session).await;
                progress.update(|at| *at = None);
            }
            tracing::info!(workflow = %request.workflow_id, name, "a newer version of the source has its result here");
            Found::Done { name, node, size }
        }
        Place::Unmarked { name, node } => Found::Unmarked(name, node),
        Place::Write { name } => {
            // Overtaken, but nothing newer is there yet: the session is as good as before.
            if let Some(session) = open.filter(|session| session.name == name)
                && let Some(node) = send::resume(client, &session, content, progress).await?
            {
                return Ok(Found::Unmarked(name, node));
            }
            let target = Target { client, workspace, folder };
            let node = send::send(&target, &name, content, progress).await?;
            Found::Unmarked(name, node)
        }
    })
}

async fn resumed(
    client: &Client,
    request: &RunRequest,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<Option<(String, NodeId)>, UploadError> {
    let Some(session) = progress.get() else { return Ok(None) };
    // The place was chosen when the session was opened. A run that was overtaken since then looks again.
    let RemoteFile { workspace, node, .. } = &RemoteFile::try_from(&request.source)?;
    if !place::is_current(client, workspace, node, &Marker::of(request)).await? {
        return Ok(None);
    }
    let node = send::resume(client, &session, content, progress).await?;
    Ok(node.map(|node| (session.name, node)))
}

async fn content(mut file: File) -> io::Result<Content> {
    let read = tokio::task::spawn_blocking(move || {
        let fingerprint = Fingerprint::of(&mut file)?;
        Ok(Content { file: Arc::new(file), fingerprint })
    });
    read.await.map_err(io::Error::other)?
}

fn result_file(step: &Step, name: String, node: &NodeId, size: u64) -> Result<ResultFile, UploadError> {
    let id = node.as_str().parse()?;
    Ok(ResultFile { step: step.name.clone(), name, id, size })
}

#[cfg(test)]
mod tests;
