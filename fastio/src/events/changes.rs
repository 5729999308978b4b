//! The change feed of an organisation.

use jiff::Timestamp;
use serde::Deserialize;

use crate::envelope::fields;
use crate::envelope::rows::Rows;
use crate::error::{Error, Refusal};
use crate::{ChangeCursor, Client, EventId, NodeId, OrgId, Result};

const OPERATION: &str = "events.changes";

/// Most changes that one page brings.
pub const MAX_CHANGES: u32 = 1_000;

/// A change of a file or folder somewhere in an organisation. It has ids and no names: ask for details.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The event's id.
    #[serde(rename = "event_id")]
    pub id: EventId,
    /// What happened, for example `workspace_storage_file_added`. Renames arrive as `…_updated`.
    #[serde(rename = "event", deserialize_with = "fields::text")]
    pub name: String,
    /// Where it happened: the id of a workspace or share.
    #[serde(default, rename = "profile_id", deserialize_with = "fields::or_empty_text")]
    pub profile: String,
    /// `workspace` or `share`.
    #[serde(default, deserialize_with = "fields::or_empty_text")]
    pub profile_type: String,
    /// What it happened to.
    #[serde(default, rename = "object_id", deserialize_with = "fields::lenient_id")]
    pub object: Option<NodeId>,
    /// When it happened.
    #[serde(default, deserialize_with = "fields::opt_time")]
    pub created: Option<Timestamp>,
}

/// One page of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct ChangePage {
    /// What changed. The same event may come again, here or on a later page: the last one counts.
    pub changes: Vec<Change>,
    /// Rows that could not be read and are not among the changes: worth a warning.
    pub skipped: usize,
    /// Where to go on.
    pub cursor: ChangeCursor,
    /// There is more now. With a cursor that has not moved it means: wait for about ten seconds.
    pub has_more: bool,
}

/// A page as replies carry it.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    changes: Rows<Change>,
    cursor: ChangeCursor,
    #[serde(default, deserialize_with = "fields::flag")]
    has_more: bool,
}

impl From<Wire> for ChangePage {
    fn from(Wire { changes, cursor, has_more }: Wire) -> Self {
        Self { changes: changes.read, skipped: changes.skipped, cursor, has_more }
    }
}

/// What the feed answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Changes {
    /// What came after the cursor.
    Page(ChangePage),
    /// The service does not take this cursor (any more): ask for a new one without a cursor, then list everything once,
    /// because changes in between are not told.
    CursorExpired,
}

impl Client {
    /// What changed in an organisation since a cursor: `GET /org/{org}/events/changes/`, at most `limit` changes (1 to
    /// [`MAX_CHANGES`]).
    ///
    /// Without a cursor the page is empty and brings the cursor of now. Purges and commits that land late are not in the
    /// feed, so list everything now and then. 503 is an error of class [`Retry`](crate::ErrorClass::Retry): use the
    /// same cursor again.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let client = simulated.client()?;
    /// use fastio::{ChangeCursor, Changes, NodeId};
    ///
    /// let org = &client.orgs().await?[0].id;
    /// let Changes::Page(start) = client.org_changes(org, None, 250).await? else {
    ///     return Err("without a cursor there is always a page".into());
    /// };
    /// // List everything here, once. Then follow; the cursor may be stored in between.
    /// let stored = serde_json::to_string(&start.cursor)?;
    ///
    /// client.create_folder(&simulated.workspace, &NodeId::root(), "raw").await?;
    ///
    /// let cursor: ChangeCursor = serde_json::from_str(&stored)?;
    /// match client.org_changes(org, Some(&cursor), 250).await? {
    ///     Changes::Page(page) => {
    ///         assert_eq!(page.changes[0].name, "workspace_storage_folder_created");
    ///         assert!(!page.has_more);
    ///     }
    ///     Changes::CursorExpired => println!("start again without a cursor, and list everything"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn org_changes(
        &self,
        org: &OrgId,
        cursor: Option<&ChangeCursor>,
        limit: u32,
    ) -> Result<Changes> {
        if !(1..=MAX_CHANGES).contains(&limit) {
            return Err(Error::argument(OPERATION, "limit", format!("is {limit}: give 1 to {MAX_CHANGES}")));
        }
        let page = self
            .get(OPERATION, &["org", org.as_str(), "events", "changes"])
            .maybe_query("cursor", cursor.map(ChangeCursor::as_str))
            .query("limit", &limit.to_string())
            .send()
            .await;
        match page {
            Ok(page) => Ok(Changes::Page(page)),
            Err(error) if cursor.is_some() && error.refusal().is_some_and(is_about_the_cursor) => {
                Ok(Changes::CursorExpired)
            }
            Err(error) => Err(error),
        }
    }
}

/// 406 is the service's word for bad input, and the cursor is the only input here that can turn bad: 187907 expired,
/// 158008 malformed or of somebody else, and whatever comes next. Only a reply that blames another field is not about
/// it (207321: the limit).
fn is_about_the_cursor(refusal: &Refusal) -> bool {
    refusal.status == 406
        && refusal.code != Some(207_321)
        && (refusal.fields.is_empty() || refusal.fields.iter().any(|field| field.name == "cursor"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ErrorClass;
    use crate::client::stub::{Stub, json, reply};

    fn org() -> OrgId {
        "1111111111111111111".parse().unwrap()
    }

    fn cursor(text: &str) -> ChangeCursor {
        serde_json::from_value(text.into()).unwrap()
    }

    #[tokio::test]
    async fn it_starts_with_the_cursor_of_now() {
        let stub = Stub::start([
            json(
                r#"{"result":true,"changes":[],"cursor":"ab+c/d==","has_more":false,
                    "profiles":{"version":"v1","items":[]}}"#,
            ),
            json(
                r#"{"result":true,"changes":[
                    {"event_id":"evt-1","event":"workspace_storage_file_added","profile_id":1234567890123456789,
                     "profile_type":"workspace","object_id":"2abc","created":"2026-10-05 12:00:00 UTC"},
                    {"event_id":2,"event":"share_storage_file_deleted","profile_id":null,"object_id":[]}],
                    "cursor":"next","has_more":true}"#,
            ),
        ])
        .await;
        let client = stub.client();
        let Changes::Page(start) = client.org_changes(&org(), None, 250).await.unwrap() else { panic!() };
        assert_eq!((start.changes.len(), start.has_more), (0, false));
        let Changes::Page(page) = client.org_changes(&org(), Some(&start.cursor), 1000).await.unwrap() else {
            panic!()
        };
        assert_eq!((page.cursor.as_str(), page.has_more), ("next", true));
        let first = &page.changes[0];
        assert_eq!(first.id, "evt-1".parse().unwrap());
        assert_eq!(
            (first.profile.as_str(), first.profile_type.as_str()),
            ("1234567890123456789", "workspace")
        );
        assert_eq!(first.object, Some("2abc".parse().unwrap()));
        assert_eq!(first.created, Some("2026-10-05T12:00:00Z".parse().unwrap()));
        assert_eq!((page.changes[1].profile.as_str(), &page.changes[1].object), ("", &None));

        let path = "GET /current/org/1111111111111111111/events/changes/";
        let lines: Vec<_> = stub.requests().iter().map(crate::client::stub::Asked::line).collect();
        assert_eq!(
            lines,
            [format!("{path}?limit=250"), format!("{path}?cursor=ab%2Bc%2Fd%3D%3D&limit=1000")]
        );
    }

    #[tokio::test]
    async fn an_odd_row_does_not_stand_for_its_page() {
        let stub = Stub::start([
            json(
                r#"{"result":true,"changes":[{"event_id":"evt-1","event":null},7,
                    {"event_id":"evt-2","event":"workspace_storage_file_added"}],"cursor":"next"}"#,
            ),
            json(r#"{"result":true,"changes":null,"cursor":"next"}"#),
            json(r#"{"result":true,"changes":7,"cursor":"next"}"#),
        ])
        .await;
        let client = stub.client();
        for read in [(1, 2), (0, 0)] {
            let Changes::Page(page) = client.org_changes(&org(), None, 250).await.unwrap() else { panic!() };
            assert_eq!((page.changes.len(), page.skipped), read);
        }
        let error = client.org_changes(&org(), None, 250).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Broken);
    }

    #[tokio::test]
    async fn every_406_about_the_cursor_is_an_answer() {
        let bodies = [
            r#"{"result":false,"error":{"code":187907,"text":"The cursor has expired.","params":{"reason":"cursor_expired"}}}"#,
            r#"{"result":false,"error":{"code":158008,"text":"Invalid cursor.","resource":"GET Org [param] Events Changes"}}"#,
            r#"{"result":false,"error":{"code":1605,"params":[{"name":"cursor","kind":"invalid"}]}}"#,
            r#"{"result":"no","error":{"code":"1605","text":"?"}}"#,
        ];
        let stub = Stub::start(bodies.map(|body| reply(406, &[], body))).await;
        let client = stub.client();
        for _ in bodies {
            let answer = client.org_changes(&org(), Some(&cursor("abc")), 250).await.unwrap();
            assert_eq!(answer, Changes::CursorExpired);
        }
    }

    #[tokio::test]
    async fn other_refusals_stay_errors() {
        let limit =
            r#"{"result":false,"error":{"code":207321,"params":[{"name":"limit","kind":"invalid"}]}}"#;
        let other = r#"{"result":false,"error":{"code":1605,"params":[{"name":"org","kind":"invalid"}]}}"#;
        let expired = r#"{"result":false,"error":{"code":187907}}"#;
        let unavailable = r#"{"result":false,"error":{"code":1,"text":"changes_unavailable"}}"#;
        let stub = Stub::start([
            reply(406, &[], limit),
            reply(406, &[], other),
            reply(406, &[], expired),
            reply(503, &[("retry-after", "9")], unavailable),
            reply(403, &[], r#"{"result":false,"error":{"code":135626}}"#),
            json(r#"{"result":true,"changes":[]}"#),
        ])
        .await;
        let client = stub.client();
        let old = cursor("abc");
        for sent in [Some(&old), Some(&old), None] {
            assert_eq!(client.org_changes(&org(), sent, 1).await.unwrap_err().class(), ErrorClass::Invalid);
        }
        let down = client.org_changes(&org(), Some(&old), 1).await.unwrap_err();
        assert!(
            matches!(down.class(), ErrorClass::Retry { after: Some(pause) } if pause > Duration::from_secs(7))
        );
        let forbidden = client.org_changes(&org(), Some(&old), 1).await.unwrap_err();
        assert!(matches!(forbidden.class(), ErrorClass::NeedsHuman(_)));
        // Without a cursor nobody could go on.
        assert_eq!(client.org_changes(&org(), Some(&old), 1).await.unwrap_err().class(), ErrorClass::Broken);
        for limit in [0, 1001] {
            assert_eq!(
                client.org_changes(&org(), None, limit).await.unwrap_err().class(),
                ErrorClass::Invalid
            );
        }
        assert_eq!(stub.requests().len(), 6);
    }
}
