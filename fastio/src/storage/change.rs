//! Making folders, moving, renaming, deleting.

use super::{Node, One, check_name, storage};
use crate::{Client, NodeId, Result, WorkspaceId};

impl Client {
    /// Makes a folder: `POST /workspace/{ws}/storage/{parent}/createfolder/`. The service does not document what it
    /// does about a name that is taken: look with [`Client::find_child`] first, and at the name of the answer.
    pub async fn create_folder(&self, ws: &WorkspaceId, parent: &NodeId, name: &str) -> Result<Node> {
        const OPERATION: &str = "storage.createfolder";
        check_name(OPERATION, name)?;
        self.change(OPERATION, ws, parent, "createfolder", ("name", name)).await
    }

    /// Moves a node into another folder of its workspace: `POST /workspace/{ws}/storage/{node}/move/`.
    ///
    /// A file of the same name there is replaced or goes to the trash (the guides contradict each other), a folder makes
    /// the moved node get another name: look at the name of the answer.
    pub async fn move_node(&self, ws: &WorkspaceId, id: &NodeId, parent: &NodeId) -> Result<Node> {
        self.change("storage.move", ws, id, "move", ("parent", parent.as_str())).await
    }

    /// Renames a node: `POST /workspace/{ws}/storage/{node}/update/`. A name that is taken may be an error of class
    /// [`Conflict`](crate::ErrorClass::Conflict).
    pub async fn rename_node(&self, ws: &WorkspaceId, id: &NodeId, name: &str) -> Result<Node> {
        const OPERATION: &str = "storage.update";
        check_name(OPERATION, name)?;
        self.change(OPERATION, ws, id, "update", ("name", name)).await
    }

    /// Moves a node into the trash: `DELETE /workspace/{ws}/storage/{node}/delete/`.
    pub async fn delete_node(&self, ws: &WorkspaceId, id: &NodeId) -> Result<()> {
        self.delete("storage.delete", &storage(ws, &[id.as_str(), "delete"])).done().await
    }

    async fn change(
        &self,
        operation: &'static str,
        ws: &WorkspaceId,
        id: &NodeId,
        action: &str,
        (field, value): (&'static str, &str),
    ) -> Result<Node> {
        let call = self.post(operation, &storage(ws, &[id.as_str(), action]));
        let reply: One = call.form(vec![(field, value.to_owned())]).send().await?;
        Ok(reply.node)
    }
}
