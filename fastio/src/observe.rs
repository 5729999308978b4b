//! What a client tells about its calls, for whoever counts them.

use std::fmt;
use std::time::Duration;

/// Is told of every attempt of a client's calls, the quick repetitions inside a call included. It is told between the parts
/// of a call, so it must neither block nor take long.
pub trait Observe: fmt::Debug + Send + Sync {
    /// An attempt ended. `operation` is that of [`Error::operation`](crate::Error::operation), one of a closed set; `took` is
    /// the time from the request to the head of the reply, without the wait for the rate limit and without the body.
    fn attempted(&self, operation: &'static str, outcome: Outcome, took: Duration);

    /// A call waited so long for its turn in the rate limit of its key, whether it came or not.
    fn waited(&self, operation: &'static str, time: Duration);
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The head of a reply, with this HTTP status. Of the body nothing is known yet.
    Status(u16),
    /// No head of a reply: connect, TLS, timeout, reset.
    Transport,
    /// No request: the rate limit asks for a longer wait than a call may take
    /// ([`ErrorKind::Held`](crate::ErrorKind::Held)). It took no time.
    Held,
}
