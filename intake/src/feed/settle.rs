//! Deciding many events at once, in the same way as one that was delivered.

use std::time::Duration;

use fastio_pipeline::event::{FileEvent, FileId};
use fastio_temporal::failure::Class;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::Feed;
use super::state::Awaiting;
use crate::intake::{GRACE, Undecided};
use crate::occasion::Occasion;
use crate::resolve::{Looked, ResolveError};
use crate::tell;

/// Decisions at a time. Beyond that Temporal would only queue the starts.
const AT_ONCE: usize = 8;

/// Pauses before files of a list that cannot be decided are tried again.
const AGAIN: [Duration; 3] = if cfg!(test) {
    [Duration::from_millis(10); 3]
} else {
    [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(30)]
};

impl Feed {
    /// Decides events that were just read, and gives those back that have to be tried again.
    pub(super) async fn settle_new(
        &self,
        occasion: &Occasion,
        events: Vec<FileEvent>,
    ) -> Result<Vec<Awaiting>, Undecided> {
        self.settle(events.into_iter().map(|event| Awaiting::new(occasion, event)).collect()).await
    }

    /// Decides events, and gives those back that have to be tried again: a file may not be there yet, or the service may not
    /// be able to describe it now.
    ///
    /// An error is about all of them: nothing may be forgotten then. Those that were decided before it can be decided again.
    pub(super) async fn settle(&self, batch: Vec<Awaiting>) -> Result<Vec<Awaiting>, Undecided> {
        let mut unseen = Vec::with_capacity(batch.len());
        for awaiting in batch {
            let occasion = &awaiting.occasion;
            match self.intake.decide_unseen(occasion, &awaiting.event).await? {
                Some(decision) => {
                    let age = age(occasion, &awaiting.event);
                    tell::decided(&self.metrics, occasion, &awaiting.event, &decision, age);
                }
                None => unseen.push(awaiting),
            }
        }
        let files: Vec<FileId> = unseen.iter().map(|awaiting| awaiting.event.file.clone()).collect();
        let looked = self.intake.files.find_many(&files).await?;
        let decisions = unseen.into_iter().zip(looked).map(|(awaiting, looked)| async move {
            let again = self.settle_one(&awaiting, looked).await?;
            let tried = Some(Timestamp::now());
            Ok::<_, Undecided>(again.then_some(Awaiting { tried, ..awaiting }))
        });
        let left: Vec<Option<Awaiting>> = stream::iter(decisions).buffered(AT_ONCE).try_collect().await?;
        Ok(left.into_iter().flatten().collect())
    }

    /// Decides files of a list, which does not come back to them. Those that cannot be decided now are tried again for a moment
    /// before it moves on. Those that are left then it gives back: following goes on with them.
    pub(super) async fn settle_listed(
        &self,
        occasion: &Occasion,
        files: Vec<FileEvent>,
    ) -> Result<Vec<Awaiting>, Undecided> {
        let mut left = self.settle_new(occasion, files).await?;
        for pause in AGAIN {
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            left = self.settle(left).await?;
        }
        Ok(left)
    }

    /// Whether the event has to be tried again.
    async fn settle_one(&self, awaiting: &Awaiting, looked: Looked) -> Result<bool, Undecided> {
        let Awaiting { event, occasion, .. } = awaiting;
        let here = awaiting.waited(Timestamp::now());
        // A file of a list was there a moment ago: there is nothing to wait for. Nor is there for one whose event is old,
        // however late it was read.
        let waited = age(occasion, event).map_or(here, |age| age.max(here));
        let waited = if occasion.is_a_listing() { GRACE } else { waited };
        let decided = match looked {
            Ok(found) => self.intake.decide_found(occasion, event, waited, found).await,
            Err(unusable) => Err(ResolveError::from(unusable).into()),
        };
        match decided {
            Ok(decision) => {
                tell::decided(&self.metrics, occasion, event, &decision, age(occasion, event));
                Ok(false)
            }
            Err(problem) if problem.is_about_one_file() => {
                tell::undecided(&self.metrics, occasion, event, &problem);
                let given_up = awaiting.is_over(Timestamp::now()) || problem.class() == Class::Terminal;
                if given_up {
                    let source = occasion.as_str();
                    self.metrics.feed.given_up();
                    tracing::error!(source, event = %event.id, file = %event.file, %problem, "given up");
                }
                Ok(!given_up)
            }
            Err(problem) => Err(problem),
        }
    }
}

/// How long ago the event was, by the service's clock; that of a file in a list says nothing.
fn age(occasion: &Occasion, event: &FileEvent) -> Option<Duration> {
    let at: Timestamp = event.occurred_at.as_ref()?.parse().ok()?;
    let age = Timestamp::now().duration_since(at);
    (!occasion.is_a_listing()).then(|| age.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use fastio_pipeline::event::EventKind;
    use jiff::SignedDuration;

    use super::*;
    use crate::decide::tests::candidate;
    use crate::feed::Follow;
    use crate::world::world;

    #[tokio::test]
    async fn an_old_event_waits_for_no_file_however_late_it_was_read() {
        let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
        let feed = world.feed(Follow::Net);
        for (age, waits) in [(GRACE, false), (Duration::ZERO, true)] {
            let at = Timestamp::now().checked_sub(SignedDuration::try_from(age).unwrap()).unwrap();
            let event = FileEvent {
                occurred_at: Some(at.to_string()),
                ..world.event(EventKind::Upload, "2zzzzzzzzzzzzzzzzzzzzzzzzzzz7")
            };
            let left = feed.settle_new(&Occasion::Feed, vec![event]).await.unwrap();
            assert_eq!(!left.is_empty(), waits, "{age:?}");
        }
    }
}
