//! A file that is replaced while somebody reads it.

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use tokio::io::AsyncReadExt as _;

use super::Kind;
use crate::{
    app::App,
    envelope::ApiError,
    ids::{NodeId, UploadId},
    store::{
        accounts::Workspace,
        blobs::Blob,
        events::{self, EventName},
        nodes,
        versions::{self, Version},
    },
};

const BUFFER: usize = 64 * 1024;

/// A replacement that happens while the bytes are on their way.
pub(crate) struct Later {
    app: App,
    workspace: Workspace,
    node: NodeId,
    content: Option<String>,
    after: u64,
}

/// Replaces a file that is about to be read, or says that this comes later.
pub(crate) async fn on_read(
    app: &App,
    workspace: &Workspace,
    node: &NodeId,
) -> Result<Option<Later>, ApiError> {
    let wanted = app.faults.take(Some("download.read"), Some(workspace.id.as_str()), |kind| match kind {
        Kind::ReplaceFile { after_bytes, content } => Some((*after_bytes, content.clone())),
        _ => None,
    });
    let Some((after, content)) = wanted else { return Ok(None) };
    let later = Later {
        app: app.clone(),
        workspace: workspace.clone(),
        node: node.clone(),
        content,
        after: after.unwrap_or(0),
    };
    if after.is_some() {
        return Ok(Some(later));
    }
    later.replace().await?;
    Ok(None)
}

/// Lets a body through and replaces its file on the way.
pub(crate) fn during(
    body: BodyDataStream,
    later: Option<Later>,
) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send {
    stream::unfold((body, later, 0_u64), async |(mut body, mut later, sent)| {
        let piece = body.next().await?;
        let length = piece.as_ref().map_or(0, Bytes::len);
        let sent = sent + u64::try_from(length).unwrap_or(0);
        if let Some(due) = later.take_if(|later| sent >= later.after)
            && let Err(error) = due.replace().await
        {
            tracing::error!(%error, "a file could not be replaced");
        }
        Some((piece, (body, later, sent)))
    })
}

impl Later {
    /// A new version, by the user who made the file, with its event.
    async fn replace(&self) -> Result<(), ApiError> {
        let Some(node) = self.app.store.read(|rows| nodes::find(rows, &self.workspace.id, &self.node))?
        else {
            return Ok(());
        };
        let Some(old) = &node.content else { return Ok(()) };
        let blob = self.content(old).await?;
        self.app.store.write(|rows| {
            versions::add(rows, &node.id, &blob, &node.creator, &UploadId::random())?;
            match nodes::find(rows, &self.workspace.id, &node.id)? {
                Some(node) => {
                    events::record_node(rows, &self.workspace, &node.creator, EventName::FileUpdated, &node)
                }
                None => Ok(()),
            }
        })?;
        Ok(())
    }

    async fn content(&self, old: &Version) -> Result<Blob, ApiError> {
        let blobs = &self.app.store.blobs;
        let mut writer = blobs.create().await?;
        if let Some(content) = &self.content {
            writer.write(content.as_bytes()).await?;
        } else {
            let mut file = old.open(blobs).await?;
            let mut buffer = vec![0; BUFFER];
            loop {
                let count = file.read(&mut buffer).await?;
                if count == 0 {
                    break;
                }
                writer.write(buffer.get(..count).unwrap_or_default()).await?;
            }
            writer.write(b"\n").await?;
        }
        Ok(writer.finish().await?)
    }
}
