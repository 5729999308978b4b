//! Looking up many files in few calls.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

use fastio::{ErrorClass, MAX_BULK_NODES, NodeId};
use fastio_pipeline::event::FileId;

use super::{Found, ResolveError, Resolver, Unusable};

/// Most files that one is compared with.
const COMPARED: usize = 3;

/// What became of the lookup of one file among many. The error is about this file alone.
pub type Looked = Result<Found, Unusable>;

impl Resolver {
    /// What the files are now, in their order.
    ///
    /// A file that cannot be looked up does not hold up the others; the error of the whole is about the service, the key or
    /// the network.
    pub async fn find_many(&self, files: &[FileId]) -> Result<Vec<Looked>, ResolveError> {
        // What cannot be an id of the service is no file of it.
        let ids: Vec<Option<NodeId>> = files.iter().map(|file| file.as_str().parse().ok()).collect();
        let mut seen = HashSet::new();
        let unique: Vec<NodeId> = ids.iter().flatten().filter(|id| seen.insert(*id)).cloned().collect();
        let mut found = HashMap::with_capacity(unique.len());
        for some in unique.chunks(MAX_BULK_NODES) {
            self.look_up(some, &mut found).await?;
        }
        let answer = |id: &Option<NodeId>| {
            id.as_ref().and_then(|id| found.get(id)).cloned().unwrap_or(Ok(Found::Unknown))
        };
        Ok(ids.iter().map(answer).collect())
    }

    async fn look_up(&self, ids: &[NodeId], found: &mut HashMap<NodeId, Looked>) -> Result<(), ResolveError> {
        match self.client.nodes(&self.workspace, ids).await {
            Ok((nodes, errors)) => {
                for node in nodes {
                    let id = node.id.clone();
                    match self.describe(node).await {
                        // One of its folders. It is looked at alone below.
                        Err(ResolveError::Fastio(error)) if is_a_stumble(&error) => {}
                        looked => drop(found.insert(id.clone(), of_one(&id, looked)?)),
                    }
                }
                for error in errors.into_iter().filter(fastio::NodeError::is_gone) {
                    found.insert(error.id, Ok(Found::Unknown));
                }
            }
            // One of the ids is one that the service refuses, or stumbles over: it must not stand for all.
            Err(error) if error.class() == ErrorClass::Invalid || is_a_stumble(&error) => {}
            Err(error) => return Err(error.into()),
        }
        // A list says little about why a file cannot be read, and nothing about a file that it leaves out.
        for id in ids {
            if !found.contains_key(id) {
                let looked = match self.find_node(id).await {
                    Err(ResolveError::Fastio(error))
                        if is_a_stumble(&error) && self.are_others_readable(id, ids).await =>
                    {
                        Ok(Err(Unusable { file: id.to_string(), problem: error.to_string() }))
                    }
                    looked => of_one(id, looked),
                };
                found.insert(id.clone(), looked?);
            }
        }
        Ok(())
    }

    /// Whether the service describes any other file now: one of the batch, or else one of the inventory. If it does, it is the
    /// file that it cannot describe; if not, it is out of order, and no file is to be given up for that.
    async fn are_others_readable(&self, but: &NodeId, batch: &[NodeId]) -> bool {
        let known = self.readable.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let near = known.into_iter().chain(batch.iter().cloned()).collect();
        if self.is_one_readable(but, near).await {
            return true;
        }
        match self.client.inventory_page(&self.workspace, None).await {
            Ok(page) => self.is_one_readable(but, page.nodes.into_iter().map(|node| node.id).collect()).await,
            Err(error) => {
                tracing::debug!(%error, "no other file to compare with");
                false
            }
        }
    }

    async fn is_one_readable(&self, but: &NodeId, others: Vec<NodeId>) -> bool {
        for other in others.into_iter().filter(|other| other != but).take(COMPARED) {
            if self.client.node(&self.workspace, &other).await.is_ok() {
                *self.readable.lock().unwrap_or_else(PoisonError::into_inner) = Some(other);
                return true;
            }
        }
        false
    }
}

/// Answers that are about one file or about the whole service: nobody can tell from one of them.
fn is_a_stumble(error: &fastio::Error) -> bool {
    error.class() == ErrorClass::Broken || error.status().is_some_and(|status| status >= 500)
}

/// Tells a problem of one file from one that all files have.
fn of_one(id: &NodeId, looked: Result<Found, ResolveError>) -> Result<Looked, ResolveError> {
    match looked {
        Ok(found) => Ok(Ok(found)),
        Err(ResolveError::Unusable(problem)) => Ok(Err(problem)),
        // 403: one file can be restricted while the key is good for the others.
        Err(ResolveError::Fastio(error))
            if matches!(error.class(), ErrorClass::Invalid | ErrorClass::Conflict)
                || error.status() == Some(403) =>
        {
            Ok(Err(Unusable { file: id.to_string(), problem: error.to_string() }))
        }
        Err(error) => Err(error),
    }
}
