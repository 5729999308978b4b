//! From the pages of a workspace's inventory to events that never happened, one for each file.

use std::time::Duration;

use fastio::{ErrorClass, Node, NodePage, PageCursor};
use fastio_pipeline::event::{EventKind, FileEvent};

use super::Feed;
use crate::intake::Undecided;
use crate::resolve::changed;

/// Pause between pages, so that a listing leaves most of the key's rate limit to others.
pub(super) const BETWEEN_PAGES: Duration = Duration::from_millis(500);

impl Feed {
    /// A page of everything that is there. `start_over` is called before the error if the service does not take the
    /// position any more.
    pub(super) async fn page_of_inventory(
        &self,
        page: Option<&PageCursor>,
        start_over: impl FnOnce(),
    ) -> Result<NodePage, Undecided> {
        let listed = self.client.inventory_page(&self.workspace, page).await;
        if let Err(error) = &listed
            && page.is_some()
            && error.class() == ErrorClass::Invalid
        {
            tracing::warn!(%error, "a listing of the workspace starts over");
            start_over();
        }
        let listed = listed?;
        self.left_out(listed.skipped, "listing");
        Ok(listed)
    }

    /// What to decide about a listed file. The id is made of file and version: a listing that is repeated says the same.
    pub(super) fn listed(&self, why: &str, kind: EventKind, node: &Node) -> Option<FileEvent> {
        let version = node.version.as_ref().map_or("unversioned", |version| version.as_str());
        let (id, file) = (format!("{why}.{}.{version}", node.id).parse(), node.id.as_str().parse());
        let (Ok(id), Ok(file)) = (id, file) else {
            tracing::warn!(file = %node.id, "a file with an id that cannot be one");
            return None;
        };
        Some(FileEvent {
            id,
            kind,
            workspace: self.intake.workspace.clone(),
            file,
            file_name: Some(node.name.clone()),
            occurred_at: changed(node).map(|at| at.to_string()),
            actor: None,
        })
    }
}
