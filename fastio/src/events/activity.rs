//! The long poll that says what kind of thing changed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::client::Reply;
use crate::{ActivityMark, Client, Result, WorkspaceId};

/// Longest wait that the service takes for [`Client::poll_activity`].
pub const MAX_ACTIVITY_WAIT: Duration = Duration::from_secs(95);

/// What happened since a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// Kinds of things with their ids: `storage:2abc…`, `preview:…`, `comments:…`; sometimes the kind alone. Empty when the
    /// wait ended with nothing new.
    pub keys: BTreeSet<String>,
    /// Up to where this reaches: give it to the next poll.
    pub last: ActivityMark,
}

impl Activity {
    /// Files or folders changed.
    #[must_use]
    pub fn touches_storage(&self) -> bool {
        self.keys.iter().any(|key| key.split(':').next() == Some("storage"))
    }
}

impl Client {
    /// Waits until something changes in a workspace: `GET /activity/poll/{ws}/`.
    ///
    /// The service holds the answer for `wait` (whole seconds, at most [`MAX_ACTIVITY_WAIT`]); the call's own time
    /// limit is 30 s longer. Without a mark it answers at once with the one to start from. It tells what kind of thing
    /// changed, not what happened: follow with [`Client::org_changes`] or [`Client::search_events`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// use fastio::{MAX_ACTIVITY_WAIT, NodeId};
    ///
    /// let start = client.poll_activity(ws, None, MAX_ACTIVITY_WAIT).await?; // at once: where to start from
    /// client.create_folder(ws, &NodeId::root(), "raw").await?;
    /// let activity = client.poll_activity(ws, Some(&start.last), MAX_ACTIVITY_WAIT).await?;
    /// assert!(activity.touches_storage()); // look at the feed now; then poll from `activity.last`
    /// # Ok(())
    /// # }
    /// ```
    pub async fn poll_activity(
        &self,
        ws: &WorkspaceId,
        since: Option<&ActivityMark>,
        wait: Duration,
    ) -> Result<Activity> {
        let wait = Duration::from_secs(wait.min(MAX_ACTIVITY_WAIT).as_secs());
        let reply = self
            .get("activity.poll", &["activity", "poll", ws.as_str()])
            .query("wait", &wait.as_secs().to_string())
            .maybe_query("lastactivity", since.map(ActivityMark::as_str))
            .extra_time(wait)
            .reply()
            .await?;
        read_activity(&reply, since)
    }
}

pub(crate) fn read_activity(reply: &Reply, since: Option<&ActivityMark>) -> Result<Activity> {
    let fields = reply.fields()?;
    let keys = keys(fields.get("activity"))
        .ok_or_else(|| reply.broken("\"activity\" is neither a list nor a map of keys"))?;
    // When nothing happened, the old mark is as good as a new one.
    let last = ActivityMark::read(fields.get("lastactivity"))
        .or_else(|| since.filter(|_| keys.is_empty()).cloned())
        .ok_or_else(|| reply.broken("there is no \"lastactivity\" to go on from"))?;
    Ok(Activity { keys, last })
}

/// A list of keys, or a map with the keys as its names. Nothing new may come as any empty thing.
fn keys(activity: Option<&Value>) -> Option<BTreeSet<String>> {
    match activity {
        None | Some(Value::Null | Value::Bool(false)) => Some(BTreeSet::new()),
        Some(Value::Array(list)) => list.iter().map(|key| key.as_str().map(str::to_owned)).collect(),
        Some(Value::Object(map)) => Some(map.keys().cloned().collect()),
        Some(Value::String(key)) if key.is_empty() => Some(BTreeSet::new()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;
    use crate::client::stub::{Stub, json};

    fn ws() -> WorkspaceId {
        "1234567890123456789".parse().unwrap()
    }

    #[tokio::test]
    async fn it_starts_from_now_and_goes_on_from_the_mark() {
        let stub = Stub::start([
            json(r#"{"result":true,"activity":[],"lastactivity":"2026-10-05 12:00:00.123456 UTC"}"#),
            json(r#"{"result":true,"activity":["storage:2abc","preview:2abc"],"lastactivity":"2026-10-05 12:00:09.5 UTC"}"#),
            json(r#"{"result":true,"response":{"activity":{"comments:2abc":1,"storage":1},"lastactivity":1791201600}}"#),
            json(r#"{"result":true,"activity":null}"#),
        ])
        .await;
        let client = stub.client();
        let start = client.poll_activity(&ws(), None, Duration::ZERO).await.unwrap();
        assert!(start.keys.is_empty() && !start.touches_storage());
        let next = client.poll_activity(&ws(), Some(&start.last), Duration::from_mins(10)).await.unwrap();
        assert!(next.touches_storage());
        assert_eq!(next.keys.len(), 2);
        let map = client.poll_activity(&ws(), Some(&next.last), Duration::from_millis(2900)).await.unwrap();
        assert!(map.touches_storage() && map.keys.contains("comments:2abc"));
        assert_eq!(map.last.as_str(), "1791201600");
        let nothing = client.poll_activity(&ws(), Some(&map.last), Duration::ZERO).await.unwrap();
        assert_eq!((nothing.keys.len(), &nothing.last), (0, &map.last));

        let lines: Vec<_> = stub.requests().iter().map(crate::client::stub::Asked::line).collect();
        let path = "GET /current/activity/poll/1234567890123456789/";
        assert_eq!(
            lines,
            [
                format!("{path}?wait=0"),
                format!("{path}?wait=95&lastactivity=2026-10-05+12%3A00%3A00.123456+UTC"),
                format!("{path}?wait=2&lastactivity=2026-10-05+12%3A00%3A09.5+UTC"),
                format!("{path}?wait=0&lastactivity=1791201600"),
            ]
        );
    }

    #[test]
    fn a_kind_is_not_a_prefix() {
        let of = |key: &str| Activity {
            keys: BTreeSet::from([key.to_owned()]),
            last: serde_json::from_value("x".into()).unwrap(),
        };
        assert!(of("storage:2abc").touches_storage() && of("storage").touches_storage());
        assert!(!of("storage_quota:1").touches_storage() && !of("uploads:5abc").touches_storage());
    }

    #[tokio::test]
    async fn what_cannot_be_gone_on_from_is_broken() {
        let stub = Stub::start([
            json(r#"{"result":true,"activity":[]}"#),
            json(r#"{"result":true,"activity":7,"lastactivity":"x"}"#),
            json(r#"{"result":true,"activity":[7],"lastactivity":"x"}"#),
            json(r#"{"result":true,"activity":["storage:2a"]}"#),
        ])
        .await;
        let client = stub.client();
        let mark = serde_json::from_value("x".into()).unwrap();
        for since in [None, None, None, Some(&mark)] {
            let error = client.poll_activity(&ws(), since, Duration::ZERO).await.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Broken, "{error}");
        }
    }
}
