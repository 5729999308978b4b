//! Files in which the virus scan finds something as soon as they are there.

use rusqlite::{Connection, Result};

use super::{Faults, Kind};
use crate::{
    ids::NodeId,
    store::{
        accounts::Workspace,
        nodes,
        scans::{self, Scan},
    },
};

impl Faults {
    /// Looks at a file that has just arrived, in the transaction in which it did: nobody sees it clean.
    pub(crate) fn scan(&self, rows: &Connection, workspace: &Workspace, file: &NodeId) -> Result<()> {
        let Some(node) = nodes::find(rows, &workspace.id, file)? else { return Ok(()) };
        let Some(content) = &node.content else { return Ok(()) };
        let found = self.take(None, Some(workspace.id.as_str()), |kind| match kind {
            Kind::InfectFiles { name, status, reason }
                if name.as_ref().is_none_or(|own| *own == node.name) =>
            {
                Some(Scan { status: status.clone(), reason: Some(reason.clone()) })
            }
            _ => None,
        });
        found.map_or(Ok(()), |found| scans::put(rows, &content.blob, &found))
    }
}
