//! A result, from the scratch space to the output folder.
//!
//! Made to be tried again at any point: the folder is made or found, a result that is there already is found by its
//! marker, a session that is open is gone on with, and a file that has its content but not its marker gets it.

use std::fs::File;
use std::io;
use std::sync::Arc;

use fastio::{Client, ErrorClass, NodeId, WorkspaceId};
use fastio_pipeline::event::IdError;
use fastio_pipeline::plan::Step;
use fastio_pipeline::results::{result_name, result_name_beside};
use fastio_pipeline::run::{ResultFile, RunRequest};

use super::contest::{self, Owner};
use super::marker::Marker;
use super::place::{self, Place};
use super::send::{self, Content, Name, Target};
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
    /// The plan does not take a file of that size.
    #[error(
        "the result has {size} bytes, and the plan of the Fast.io organisation takes at most {bound}: make smaller results, or \
         change the plan"
    )]
    TooLarge {
        /// Of the result, in bytes.
        size: u64,
        /// What may be uploaded, in bytes.
        bound: u64,
    },
    /// The service took the bytes and did not make a file of them.
    #[error("Fast.io did not store the upload: {0}")]
    NotStored(String),
    /// The service gave the result an id that we cannot use.
    #[error("the result's {0}")]
    ResultId(#[from] IdError),
}

/// What is uploaded, and the room to do it in.
pub struct Output<'a> {
    /// The result of the step.
    pub file: File,
    /// Makes an empty file to read and write, for what has to be kept for a moment.
    pub spool: &'a (dyn Fn() -> io::Result<File> + Sync),
}

/// How often a name may turn out to be somebody else's: the result's own, and the one beside it.
const NAMES: u32 = 2;

/// Brings the result of a step into the output folder and marks it as ours.
///
/// If a run of a newer version of the source was faster, its result stays and is what is given back.
///
/// `progress` starts with the session that an earlier attempt reported, if there is one.
pub async fn upload(
    client: &Client,
    request: &RunRequest,
    step: &Step,
    output: Output<'_>,
    progress: &Progress<Option<Session>>,
) -> Result<ResultFile, UploadError> {
    let RemoteFile { workspace, node: source, .. } = RemoteFile::try_from(&request.source)?;
    let Output { file, spool } = output;
    let content = content(file).await?;
    let size = content.fingerprint.size;
    let run = Upload { client, workspace, source, request, step, content, progress };
    for _ in 0..NAMES {
        let sent = match run.resumed().await? {
            Some(sent) => sent,
            None => match run.find_or_send().await? {
                Found::Done { name, node, size } => return result_file(step, name, &node, size),
                Found::Unmarked(sent) => sent,
            },
        };
        if sent.name.fresh && !run.keeps_the_name(&sent, spool).await? {
            progress.update(|at| *at = None);
            continue;
        }
        run.mark(&sent.node).await?;
        return result_file(step, sent.name.text, &sent.node, size);
    }
    Err(UploadError::NameTaken(result_name(&request.source.name, step)))
}

/// A result in the output folder.
enum Found {
    /// With its marker: nothing is left to do.
    Done { name: String, node: NodeId, size: u64 },
    /// Without.
    Unmarked(Sent),
}

/// A result that is there and does not have its marker.
struct Sent {
    name: Name,
    node: NodeId,
}

struct Upload<'a> {
    client: &'a Client,
    workspace: WorkspaceId,
    source: NodeId,
    request: &'a RunRequest,
    step: &'a Step,
    content: Content,
    progress: &'a Progress<Option<Session>>,
}

impl Upload<'_> {
    async fn folder(&self) -> Result<NodeId, UploadError> {
        let source = &self.request.source;
        let path = self.request.plan.output.resolve(&source.folder, &source.name);
        folder::ensure(self.client, &self.workspace, &path).await
    }

    async fn find_or_send(&self) -> Result<Found, UploadError> {
        let Self { client, workspace, source, request, step, content, progress } = self;
        let folder = &self.folder().await?;
        let file = &request.source;
        let names = [result_name(&file.name, step), result_name_beside(&file.name, &file.id, step)];
        let marker = &Marker::of(request);
        let wanted = place::Wanted { workspace, folder, source, marker, content: &content.fingerprint };
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
            // What was found without a marker may have been uploaded in the same moment as somebody else's.
            Place::Unmarked { name, node } => {
                Found::Unmarked(Sent { name: Name { text: name, fresh: true }, node })
            }
            Place::Write { name } => {
                // Overtaken, but nothing newer is there yet: the session is as good as before.
                if let Some(session) = open.filter(|session| session.name == name.text)
                    && let Some(node) = send::resume(client, workspace, &session, content, progress).await?
                {
                    return Ok(Found::Unmarked(Sent { name, node }));
                }
                let target = Target { client, workspace, folder };
                let node = send::send(&target, &name, content, progress).await?;
                Found::Unmarked(Sent { name, node })
            }
        })
    }

    async fn resumed(&self) -> Result<Option<Sent>, UploadError> {
        let Self { client, workspace, source, request, content, progress, .. } = self;
        let Some(session) = progress.get() else { return Ok(None) };
        // The place was chosen when the session was opened. A run that was overtaken since then looks again.
        if !place::is_current(client, workspace, source, &Marker::of(request)).await? {
            return Ok(None);
        }
        let node = send::resume(client, workspace, &session, content, progress).await?;
        let name = Name { text: session.name, fresh: session.fresh };
        Ok(node.map(|node| Sent { name, node }))
    }

    /// Whether the name that was free is ours now, with our content. If it is not, whoever has it has their content.
    async fn keeps_the_name(
        &self,
        sent: &Sent,
        spool: &(dyn Fn() -> io::Result<File> + Sync),
    ) -> Result<bool, UploadError> {
        let Self { client, workspace, content, progress, .. } = self;
        let target = |folder| Target { client, workspace, folder };
        let name = &sent.name.text;
        Ok(match contest::owner(client, workspace, &sent.node, &content.fingerprint).await? {
            Owner::Us => true,
            Owner::UsBelow => {
                tracing::info!(
                    name,
                    "somebody uploaded onto our result in the same moment; it goes on top again"
                );
                send::send(&target(&self.folder().await?), &sent.name, content, progress).await?;
                true
            }
            Owner::Them(version) => {
                tracing::info!(name, "somebody was faster with this name; they get it back");
                let folder = self.folder().await?;
                contest::give_back(&target(&folder), name, &sent.node, &version, spool()?).await?;
                false
            }
            Owner::ThemAgain => false,
        })
    }

    async fn mark(&self, node: &NodeId) -> Result<(), UploadError> {
        let facts = Marker::of(self.request).facts();
        let marked = self.client.set_facts(&self.workspace, node, &facts).await;
        if marked.as_ref().is_err_and(|error| error.class() == ErrorClass::Gone) {
            // Somebody removed the file: the next attempt makes another one.
            self.progress.update(|at| *at = None);
        }
        Ok(marked?)
    }
}

async fn content(mut file: File) -> io::Result<Content> {
    let read = tokio::task::spawn_blocking(move || {
        let fingerprint = Fingerprint::of(&mut file)?;
        Ok(Content { file: Arc::new(file), fingerprint })
    });
    read.await.map_err(io::Error::other)?
}

pub(super) fn result_file(
    step: &Step,
    name: String,
    node: &NodeId,
    size: u64,
) -> Result<ResultFile, UploadError> {
    let id = node.as_str().parse()?;
    Ok(ResultFile { step: step.name.clone(), name, id, size })
}

#[cfg(test)]
pub(super) mod tests;
