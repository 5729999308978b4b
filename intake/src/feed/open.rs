//! Finding out what can be read, and where to begin.

use fastio::{Changes, OrgId, Workspace};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rows::FILE_EVENTS;
use super::search::{OVERLAP, Search};
use super::state::{Lost, Memory, Opened, Source};
use super::{Feed, Follow};
use crate::intake::Undecided;

/// What opening answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    /// What is read from now on.
    pub opened: Opened,
    /// Seconds from one listing to the next; `None` if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relist_every: Option<u64>,
    /// Nothing that happened in between was missed, or listings are to find it anyway.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seamless: bool,
    /// Reading of the event log that finds what was missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<Search>,
}

impl Opening {
    /// Takes it into the memory. What was known of another workspace is forgotten; what happened in this one since it was
    /// last read is found by a listing, unless nothing was missed.
    pub fn remember(self, memory: &mut Memory) {
        if memory.workspace.as_ref() != Some(&self.opened.workspace) {
            *memory = Memory { workspace: Some(self.opened.workspace.clone()), ..Memory::default() };
        }
        memory.relist_every = self.relist_every;
        match memory.relisting.watermark {
            None => memory.relisting.watermark = Some(self.opened.since),
            Some(_) => {
                memory.relist_now = self.relist_every.is_some() && (memory.relist_now || !self.seamless);
            }
        }
        let following = &mut memory.following;
        match &self.opened.source {
            // Somebody else tells what happens from now on.
            Source::Off => {
                following.lost = None;
                (following.accesses, following.catching_up, following.last_read) = (None, None, None);
            }
            // Perhaps there is more to read later.
            Source::Relist { .. } => {}
            Source::Changes { .. } | Source::Search(_) => following.lost = None,
        }
        // One that is not done yet began earlier.
        let unfinished = following.catching_up.take().map(|search| search.again());
        following.catching_up = unfinished.or(self.catch_up);
        following.opened = Some(self.opened);
    }
}

/// Where reading begins.
struct Begin {
    source: Source,
    seamless: bool,
    catch_up: Option<Search>,
}

impl Begin {
    fn new(source: Source) -> Self {
        Self { source, seamless: false, catch_up: None }
    }

    fn seamless(source: Source) -> Self {
        Self { seamless: true, ..Self::new(source) }
    }
}

impl Feed {
    /// Opens the best source that this key may read: where reading stopped if the service still takes that position, else at
    /// what happens from now on.
    pub(super) async fn open(&self, lost: Option<&Lost>) -> Result<Opening, Undecided> {
        let workspace = self.client.workspace(&self.workspace).await?;
        // Before the source is: what happens in between is seen twice, not never.
        let since = Timestamp::now();
        let lost = lost.filter(|lost| {
            lost.opened.workspace == self.workspace
                && lost.opened.profile == workspace.id
                && lost.opened.source != Source::Off
        });
        let begin = match self.follow {
            Follow::None => Begin::new(Source::Off),
            Follow::Net | Follow::Live => self.source(&workspace, since, lost).await?,
        };
        match &begin.source {
            Source::Relist { reason } => {
                tracing::warn!(
                    reason,
                    "neither the change feed nor the event log may be read with this key; only listings, {:?} apart, \
                     find what happens",
                    self.relist_every
                );
            }
            source => tracing::info!(by = source.as_str(), seamless = begin.seamless, "the feed is open"),
        }
        let relist_every = (self.follow != Follow::None).then_some(self.relist_every.as_secs());
        let Begin { source, seamless, catch_up } = begin;
        let opened = Opened { workspace: self.workspace.clone(), profile: workspace.id, since, source };
        Ok(Opening { opened, relist_every, seamless, catch_up })
    }

    async fn source(
        &self,
        workspace: &Workspace,
        now: Timestamp,
        lost: Option<&Lost>,
    ) -> Result<Begin, Undecided> {
        let changes_closed = match self.client.organisation_of(workspace).await? {
            None => "the key sees no organisation that the workspace is in".to_owned(),
            Some(org) => match self.changes(org, lost).await? {
                Ok(begin) => return Ok(begin),
                Err(reason) => reason,
            },
        };
        tracing::info!(reason = changes_closed, "the change feed cannot be read, trying the event log");
        self.search_slot().await;
        let watermark = now.checked_sub(OVERLAP).unwrap_or(now);
        let earlier = lost.and_then(Lost::search);
        let search = earlier.clone().unwrap_or_else(|| Search::new(watermark, []));
        match self.client.search_events(&search.query(&workspace.id, &FILE_EVENTS), None).await {
            Ok(page) => Ok(if let (Some(earlier), Some(lost)) = (earlier, lost) {
                let seamless = matches!(lost.opened.source, Source::Search(_)) && !lost.listed;
                Begin { seamless, ..Begin::new(Source::Search(earlier)) }
            } else {
                // What is there now was there before the feed.
                let seen = page.events.into_iter().map(|event| (event.id, event.created));
                Begin::new(Source::Search(Search::new(watermark, seen)))
            }),
            Err(error) if error.is_closed_to_key() => Ok(Begin {
                // Listings go on as before.
                seamless: lost.is_some_and(|lost| lost.listed),
                ..Begin::new(Source::Relist { reason: format!("{changes_closed}; {error}") })
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the change feed can be read from, or else why not.
    async fn changes(&self, org: OrgId, lost: Option<&Lost>) -> Result<Result<Begin, String>, Undecided> {
        let position = lost.and_then(|lost| match &lost.opened.source {
            Source::Changes { org: before, cursor } if *before == org => Some(cursor.clone()),
            _ => None,
        });
        if let Some(cursor) = position {
            match self.client.org_changes(&org, Some(&cursor), 1).await {
                Ok(Changes::Page(_)) => return Ok(Ok(Begin::seamless(Source::Changes { org, cursor }))),
                Ok(Changes::CursorExpired) => {}
                Err(error) if error.is_closed_to_key() => return Ok(Err(error.to_string())),
                Err(error) => return Err(error.into()),
            }
        }
        match self.client.org_changes(&org, None, 1).await {
            Ok(Changes::Page(page)) => Ok(Ok(Begin {
                catch_up: lost.and_then(Lost::search),
                ..Begin::new(Source::Changes { org, cursor: page.cursor })
            })),
            Ok(Changes::CursorExpired) => Ok(Err("the change feed refuses to begin".to_owned())),
            Err(error) if error.is_closed_to_key() => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(workspace: &str, source: Source, second: i64) -> Opening {
        let relist_every = (source != Source::Off).then_some(3600);
        let opened = Opened {
            workspace: workspace.parse().unwrap(),
            profile: "123".parse().unwrap(),
            since: Timestamp::from_second(second).unwrap(),
            source,
        };
        Opening { opened, relist_every, seamless: false, catch_up: None }
    }

    fn listings() -> Source {
        Source::Relist { reason: "no".to_owned() }
    }

    #[test]
    fn what_happened_before_the_first_opening_is_not_looked_for() {
        let mut memory = Memory::default();
        opening("studio", listings(), 100).remember(&mut memory);
        assert_eq!(memory.relisting.watermark, Some(Timestamp::from_second(100).unwrap()));
        assert!(!memory.relist_now && memory.relist_every == Some(3600));
    }

    #[test]
    fn what_happened_between_two_openings_is() {
        let mut memory = Memory::default();
        opening("studio", Source::Off, 100).remember(&mut memory);
        assert_eq!((memory.relist_now, memory.relist_every), (false, None));
        opening("studio", listings(), 200).remember(&mut memory);
        assert_eq!(memory.relisting.watermark, Some(Timestamp::from_second(100).unwrap()));
        assert!(memory.relist_now);
    }

    #[test]
    fn what_was_missed_is_read_from_the_earliest_position_that_was_lost() {
        let from = |second| Some(Search::new(Timestamp::from_second(second).unwrap(), []));
        let mut memory = Memory::default();
        for (found, catching_up) in [(None, None), (from(100), from(100)), (from(200), from(100))] {
            Opening { catch_up: found, ..opening("studio", listings(), 300) }.remember(&mut memory);
            assert_eq!(memory.following.catching_up, catching_up);
        }
    }

    #[test]
    fn another_workspace_is_another_feed() {
        let mut memory = Memory::default();
        opening("studio", listings(), 100).remember(&mut memory);
        memory.relist_now = true;
        opening("archive", listings(), 200).remember(&mut memory);
        assert_eq!(memory.relisting.watermark, Some(Timestamp::from_second(200).unwrap()));
        assert!(!memory.relist_now);
    }
}
