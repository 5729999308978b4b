//! Waiting until there is something to read.

use std::time::Duration;

use fastio::{ActivityMark, WorkspaceId};
use tokio::time::{Instant, sleep_until};

use super::{Feed, Follow};

/// Least time that the service can be asked to wait for.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// Least time from one poll to the next: what happens meanwhile comes in one answer.
const GAP: Duration = Duration::from_secs(1);

/// Pause after a poll that failed. It ends with a nudge: without polls, what happens is read as often as a safety net does.
const BLIND: Duration = Duration::from_secs(20);

/// What wakes the one who reads.
pub(super) enum Nudge {
    /// Nothing but the clock.
    Clock,
    /// The service's long poll.
    Poll {
        /// What happened up to it is known to have happened.
        mark: Option<ActivityMark>,
        /// When the next one may begin.
        earliest: Instant,
    },
}

impl Nudge {
    pub(super) fn new(follow: Follow) -> Self {
        match follow {
            Follow::None | Follow::Net => Self::Clock,
            Follow::Live => Self::Poll { mark: None, earliest: Instant::now() },
        }
    }
}

impl Feed {
    /// Waits until `until`, or until something happens in the workspace: then it is true.
    ///
    /// The first call answers at once, with true: what happened before its mark can be read by then.
    pub(super) async fn nudged(&self, nudge: &mut Nudge, profile: &WorkspaceId, until: Instant) -> bool {
        let Nudge::Poll { mark, earliest } = nudge else {
            sleep_until(until).await;
            return false;
        };
        loop {
            sleep_until(until.min(*earliest)).await;
            let left = until.saturating_duration_since(Instant::now());
            if mark.is_some() && left < LEAST_WAIT {
                sleep_until(until).await;
                return false;
            }
            let first = mark.is_none();
            *earliest = Instant::now() + GAP;
            match self.client.poll_activity(profile, mark.as_ref(), left).await {
                Ok(activity) => {
                    let touches = activity.touches_storage();
                    *mark = Some(activity.last);
                    if first || touches {
                        return true;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "no word about activity");
                    let blind = Instant::now() + BLIND;
                    sleep_until(blind.min(until)).await;
                    return blind <= until;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fastio::NodeId;

    use super::*;
    use crate::world::world;

    #[tokio::test]
    async fn a_busy_workspace_is_not_polled_without_pause() {
        let world = world(Vec::new()).await;
        let feed = world.feed(Follow::Live);
        let (mut nudge, workspace) = (Nudge::new(Follow::Live), world.fastio.workspace.clone());
        let until = Instant::now() + Duration::from_secs(10);
        assert!(feed.nudged(&mut nudge, &workspace, until).await, "the first call answers at once");
        let first = Instant::now();
        world.fastio.folder(&NodeId::root(), "photos").await;
        assert!(feed.nudged(&mut nudge, &workspace, until).await);
        let pause = first.elapsed();
        assert!((Duration::from_millis(800)..Duration::from_secs(5)).contains(&pause), "{pause:?}");
    }
}
