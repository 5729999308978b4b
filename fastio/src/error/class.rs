//! From an error to what the caller should do about it.

use std::time::{Duration, SystemTime};

use super::{ErrorKind, HumanReason, Refusal};
use crate::limit::UNTOLD_PAUSE;

/// What to do about a failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// Make the same call again, with growing pauses.
    Retry {
        /// The pause that the service asked for.
        after: Option<Duration>,
    },
    /// Rate limited: make the same call again, not before this moment.
    WaitUntil(SystemTime),
    /// Trying again is of no use before somebody has changed something: the key, the plan, a permission.
    NeedsHuman(HumanReason),
    /// The thing that was asked for does not exist (any more).
    Gone,
    /// The thing was changed by somebody else in the meantime, or a name is taken.
    Conflict,
    /// The call breaks a rule; the same call will always fail.
    Invalid,
    /// The reply does not have the shape that the service documents: a wrong base URL, a proxy in between, or an
    /// API that has changed. Worth a few more tries, with patience, and a look.
    Broken,
}

pub(super) fn of(kind: &ErrorKind) -> ErrorClass {
    match kind {
        ErrorKind::Key(_) => ErrorClass::NeedsHuman(HumanReason::KeyUnusable),
        ErrorKind::Argument { .. } => ErrorClass::Invalid,
        ErrorKind::Held { until } => ErrorClass::WaitUntil(*until),
        ErrorKind::Transport { error, .. } if error.is_builder() => ErrorClass::Invalid,
        ErrorKind::Transport { .. } => ErrorClass::Retry { after: None },
        ErrorKind::Refused(refusal) => of_refusal(refusal),
        ErrorKind::Broken { .. } => ErrorClass::Broken,
    }
}

pub(super) fn of_refusal(refusal: &Refusal) -> ErrorClass {
    if refusal.is_unknown_route() {
        return ErrorClass::Broken;
    }
    if refusal.is_token_refused() {
        return ErrorClass::Retry { after: None };
    }
    // Specific codes first (agent guide v1.41 and tests of the official CLI), then the status, then the classes.
    match refusal.code {
        Some(146_256) => return retry(refusal),
        Some(133_123 | 146_950) => return ErrorClass::Gone,
        _ => {}
    }
    match refusal.status {
        401..=403 => ErrorClass::NeedsHuman(HumanReason::of(refusal)),
        404 | 410 => ErrorClass::Gone,
        409 | 412 | 423 => ErrorClass::Conflict,
        429 => limited(refusal),
        408 | 425 | 500 | 502..=504 | 507 => retry(refusal),
        400..=499 => ErrorClass::Invalid,
        // A failure that came with a success status: only the code can tell.
        200..=299 => by_code(refusal),
        _ => ErrorClass::Broken,
    }
}

/// The 16xx numbers are classes of errors (agent guide v1.41).
fn by_code(refusal: &Refusal) -> ErrorClass {
    match refusal.code {
        Some(1605) => ErrorClass::Invalid,
        Some(1609) => ErrorClass::Gone,
        Some(1660 | 10_779) => ErrorClass::Conflict,
        Some(1671) => limited(refusal),
        // Nobody knows what it means: it must not be the end of a file.
        _ => HumanReason::specific(refusal).map_or(ErrorClass::Broken, ErrorClass::NeedsHuman),
    }
}

fn limited(refusal: &Refusal) -> ErrorClass {
    ErrorClass::WaitUntil(refusal.retry_at.unwrap_or_else(|| SystemTime::now() + UNTOLD_PAUSE))
}

fn retry(refusal: &Refusal) -> ErrorClass {
    let after = refusal.retry_at.map(|at| at.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO));
    ErrorClass::Retry { after }
}
