//! Entry for fuzzing and property tests: whatever a service sends must end in a value or in an [`Error`](crate::Error).

use std::time::SystemTime;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;

use crate::client::{Reply, head_of};
use crate::webhooks::{guide, subscriptions};
use crate::{download, events, limit, metadata, paging, storage, upload};

/// Reads bytes as a reply in every way that a reply is read. Returns for any bytes.
///
/// The bytes are a status (three digits) on the first line, header lines `name: value`, an empty line, and the body.
/// Whatever has another form is the body of a reply with status 200. A status above 599 stands for the same, less 500,
/// to a call with a download token.
pub fn envelope(bytes: &[u8]) {
    let made = Made::of(bytes);
    let now = SystemTime::now();
    let retry_at = limit::retry_at(made.status, &made.headers, now);
    assert!(retry_at.is_none_or(|at| at >= now), "a moment in the past");
    let reply = made.reply();
    let shown: Vec<String> =
        every_reading(&reply).iter().filter_map(|(_, read)| read.as_ref().err().map(show)).collect();
    // The same reply is refused in one way at most; more messages are about what the fields mean.
    assert!(shown.iter().all(|text| text.len() < 256 * 1024), "a message without bounds");
}

/// A reply that was made of bytes.
pub(crate) struct Made<'b> {
    pub(crate) status: StatusCode,
    pub(crate) by_token: bool,
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'b [u8],
}

impl<'b> Made<'b> {
    pub(crate) fn of(bytes: &'b [u8]) -> Self {
        Self::with_head(bytes).unwrap_or(Self {
            status: StatusCode::OK,
            by_token: false,
            headers: HeaderMap::new(),
            body: bytes,
        })
    }

    fn with_head(bytes: &'b [u8]) -> Option<Self> {
        let (number, mut rest) = line(bytes)?;
        let number: u16 = std::str::from_utf8(number).ok()?.trim().parse().ok()?;
        let by_token = number > 599;
        let status = StatusCode::from_u16(if by_token { number - 500 } else { number }).ok()?;
        let mut headers = HeaderMap::new();
        loop {
            let (next, after) = line(rest)?;
            rest = after;
            if next.is_empty() {
                return Some(Self { status, by_token, headers, body: rest });
            }
            let colon = next.iter().position(|byte| *byte == b':')?;
            let (name, value) = next.split_at_checked(colon)?;
            let name = HeaderName::from_bytes(name).ok()?;
            headers.append(name, HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?);
        }
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::made_of(head_of(self.status, &self.headers, self.by_token), self.body)
    }
}

/// The bytes up to a line feed, and what comes after it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..)?))
}

/// Every reading by what it reads.
fn every_reading(reply: &Reply) -> Vec<(&'static str, crate::Result<()>)> {
    /// The fields themselves.
    fn fields<T: DeserializeOwned>(reply: &Reply) -> crate::Result<()> {
        reply.read::<T>(reply.fields()?).map(drop)
    }
    /// One thing below its name.
    fn named<T: DeserializeOwned>(reply: &Reply, name: &str) -> crate::Result<()> {
        let thing = reply.fields()?.remove(name).unwrap_or_default();
        serde_json::from_value::<T>(thing).map(drop).map_err(|error| reply.broken(error.to_string()))
    }
    /// A page of a list that is read by offset.
    fn rows<T: DeserializeOwned>(reply: &Reply, name: &str) -> crate::Result<()> {
        paging::read_rows::<T>(reply, name).map(drop)
    }
    vec![
        ("success", reply.fields().map(drop)),
        ("anything", reply.any_fields().map(drop)),
        ("user", named::<crate::UserId>(reply, "id")),
        ("scopes", fields::<crate::Scopes>(reply)),
        ("organisations", rows::<crate::Org>(reply, "orgs")),
        ("workspaces", rows::<crate::Workspace>(reply, "workspaces")),
        ("workspace", named::<crate::Workspace>(reply, "workspace")),
        ("nodes", storage::read_nodes(reply, None).map(drop)),
        ("node", named::<crate::Node>(reply, "node")),
        ("nodes in bulk", storage::read_bulk(reply, &[]).map(drop)),
        ("found nodes", storage::read_found(reply, 100).map(drop)),
        ("versions", named::<Vec<crate::Version>>(reply, "versions")),
        ("download token", download::read_token(reply).map(drop)),
        ("started upload", fields::<crate::UploadStarted>(reply)),
        ("limits of uploads", fields::<crate::UploadLimits>(reply)),
        ("chunks", upload::read_chunks(reply).map(drop)),
        ("upload session", upload::read_status(reply).map(drop)),
        ("comments", rows::<crate::Comment>(reply, "comments")),
        ("comment", named::<crate::Comment>(reply, "comment")),
        ("facts", metadata::read_facts(reply).map(drop)),
        ("events", events::read_page(reply, None, 100).map(drop)),
        ("changes", fields::<crate::ChangePage>(reply)),
        ("activity", events::read_activity(reply, None).map(drop)),
        ("webhooks", fields::<guide::All>(reply)),
        ("webhook", fields::<guide::One>(reply)),
        ("subscriptions", subscriptions::read_all(reply).map(drop)),
        ("subscription", subscriptions::read_one(reply).map(drop)),
        ("made subscription", subscriptions::read_created(reply).map(drop)),
        ("rotated secret", subscriptions::read_secret(reply).map(drop)),
    ]
}

/// Everything that is done with an error.
fn show(error: &crate::Error) -> String {
    format!("{error} {error:?} {:?} {:?}", error.class(), error.retry_after())
}

#[cfg(test)]
mod tests;
