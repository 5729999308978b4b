//! Reading the change feed of the organisation.

use fastio::{ChangeCursor, Changes, OrgId, WorkspaceId};

use super::Feed;
use super::rows::{Row, events};
use super::state::Awaiting;
use crate::intake::Undecided;
use crate::occasion::Occasion;

/// What came of a page.
#[derive(Debug)]
pub(super) enum Paged<P> {
    /// It was read and decided.
    Page {
        /// Where to go on.
        next: P,
        /// What could not be decided yet.
        pending: Vec<Awaiting>,
        /// It had events about files.
        found: bool,
        /// What to do then.
        then: Then,
    },
    /// The service does not take this position, or this key, any more.
    Lost(String),
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Read the next page.
    More,
    /// This was the last one.
    Rest,
    /// There is more, but it cannot be read yet.
    Stalled,
}

impl<P> Paged<P> {
    pub(super) fn map<Q>(self, change: impl FnOnce(P) -> Q) -> Paged<Q> {
        match self {
            Self::Page { next, pending, found, then } => {
                Paged::Page { next: change(next), pending, found, then }
            }
            Self::Lost(reason) => Paged::Lost(reason),
        }
    }
}

impl Feed {
    /// Reads and decides one page of changes.
    pub(super) async fn page_of_changes(
        &self,
        profile: &WorkspaceId,
        org: &OrgId,
        cursor: &ChangeCursor,
    ) -> Result<Paged<ChangeCursor>, Undecided> {
        let page = match self.client.org_changes(org, Some(cursor), self.page).await {
            Ok(Changes::Page(page)) => page,
            Ok(Changes::CursorExpired) => {
                return Ok(Paged::Lost("the position in the change feed has expired".to_owned()));
            }
            Err(error) if error.is_closed_to_key() => return Ok(Paged::Lost(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        self.left_out(page.skipped, "change feed");
        let rows: Vec<Row> =
            page.changes.into_iter().filter_map(|change| Row::of_change(change, profile)).collect();
        self.metrics.feed.read(rows.len());
        let events = events(rows, &self.intake.workspace);
        let found = !events.is_empty();
        let pending = self.settle_new(&Occasion::Feed, events).await?;
        let then = then(page.has_more, page.cursor != *cursor);
        Ok(Paged::Page { next: page.cursor, pending, found, then })
    }
}

fn then(has_more: bool, moved: bool) -> Then {
    match (has_more, moved) {
        (false, _) => Then::Rest,
        (true, true) => Then::More,
        (true, false) => Then::Stalled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_behind_a_position_that_does_not_move_has_to_be_waited_for() {
        assert_eq!(then(true, true), Then::More);
        assert_eq!(then(true, false), Then::Stalled);
        assert_eq!((then(false, true), then(false, false)), (Then::Rest, Then::Rest));
    }
}
