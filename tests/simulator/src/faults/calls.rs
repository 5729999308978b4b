//! Faults of calls as a whole: slow, refused, forgotten, in an older form.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::{ExpiresForm, Faults, Kind, kind::INJECTED};
use crate::{
    envelope::{ApiError, Form},
    limits,
    time::Instant,
};

impl Faults {
    /// What has to happen before a call is handled: waits, then lets it through or fails it.
    pub(crate) async fn admit(&self, operation: &str, workspace: Option<&str>) -> Result<(), ApiError> {
        let delay = self.take(Some(operation), workspace, |kind| match kind {
            Kind::Latency { milliseconds } => Some(Duration::from_millis(*milliseconds)),
            _ => None,
        });
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        self.take(Some(operation), workspace, failure).map_or(Ok(()), Err)
    }

    /// The envelope of an answer.
    pub(crate) fn envelope(&self, operation: &str, workspace: Option<&str>) -> Form {
        let found = self.take(Some(operation), workspace, |kind| match kind {
            Kind::Envelope { yes_no, nested } => Some(Form { yes_no: *yes_no, nested: *nested }),
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// Whether the upload session that is called is lost.
    pub(crate) fn loses_session(&self, operation: &str, workspace: Option<&str>) -> bool {
        let lost = |kind: &Kind| matches!(kind, Kind::LoseSession {}).then_some(());
        self.take(Some(operation), workspace, lost).is_some()
    }

    /// Whether the change feed has something that it does not show yet.
    pub(crate) fn stalls_feed(&self, org: &str) -> bool {
        let stalled = |kind: &Kind| matches!(kind, Kind::StallFeed {}).then_some(());
        self.take(Some("events.changes"), Some(org), stalled).is_some()
    }

    /// Why an upload cannot be assembled.
    pub(crate) fn fails_assembly(&self, workspace: &str) -> Option<String> {
        self.take(None, Some(workspace), |kind| match kind {
            Kind::FailAssembly { message } => Some(message.clone().unwrap_or_else(|| INJECTED.to_owned())),
            _ => None,
        })
    }

    /// How long a download token is valid, when not as usual.
    pub(crate) fn token_lifetime(&self, workspace: &str) -> Option<Duration> {
        self.take(Some("download.requestread"), Some(workspace), |kind| match kind {
            Kind::ExpireToken { after_seconds } => Some(Duration::from_secs(*after_seconds)),
            _ => None,
        })
    }
}

fn failure(kind: &Kind) -> Option<ApiError> {
    let Kind::Fail { status, code, reason, retry_after, limit_expires, limit_form } = kind else {
        return None;
    };
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut error = ApiError::new(status, code.unwrap_or_default(), INJECTED);
    if let Some(reason) = reason {
        error = error.params(json!({ "reason": reason }));
    }
    if let Some(seconds) = retry_after {
        error = error.header(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    if let Some(seconds) = limit_expires {
        error = used_up(error, *seconds, *limit_form);
    }
    Some(error)
}

/// The headers of a limit that is used up.
fn used_up(error: ApiError, seconds: u32, form: ExpiresForm) -> ApiError {
    let expires = Instant::now().plus(Duration::from_secs(seconds.into()));
    error
        .header(HeaderName::from_static("x-ve-limit-avail"), HeaderValue::from(0))
        .header(HeaderName::from_static("x-ve-limit-max"), HeaderValue::from(100))
        .header(HeaderName::from_static("x-ve-limit-expires"), limits::expires_value(expires, form))
}
