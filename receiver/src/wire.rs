//! A connection as HTTP does not see it: time limits while nothing moves, and the bytes of a request's head.
//!
//! hyper has one time limit for a head, which also covers the wait for its first byte, and none for a peer that does not
//! read. And where a request has both `Content-Length` and `Transfer-Encoding`, hyper silently drops the first, so only
//! the raw head shows what a proxy in front may have understood differently (RFC 9112 sections 6.3 and 11.2).

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Most bytes of a head. hyper answers 431 to a longer one.
pub const MAX_HEAD: usize = 16 * 1024;

/// Time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub struct WireLimits {
    /// From the first byte of a head to its end.
    pub head: Duration,
    /// How long the peer may refuse to take bytes.
    pub write: Duration,
}

/// A stream with limits. Its [`Heads`] must be told where requests begin and end.
pub struct Wire<S> {
    stream: S,
    limits: WireLimits,
    heads: Heads,
    head_deadline: Option<Pin<Box<Sleep>>>,
    write_deadline: Option<Pin<Box<Sleep>>>,
}

/// The heads that arrive on a connection.
#[derive(Debug, Clone, Default)]
pub struct Heads(Arc<Mutex<Head>>);

#[derive(Debug, Default)]
struct Head {
    phase: Phase,
    bytes: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Between requests.
    #[default]
    Idle,
    /// Some bytes of a head have arrived.
    Arriving,
    /// A request is being answered; what arrives is its body, or early.
    Answering,
}

/// What the raw head says about where the message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// At most one of the two ways, written as the RFC demands.
    Plain,
    /// Two ways at once, one of them twice, or line ends that implementations read differently.
    Ambiguous,
    /// The head was not seen from its start, because the request was sent before its predecessor was answered.
    Unseen,
}

impl Heads {
    fn lock(&self) -> MutexGuard<'_, Head> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins, as hyper parsed it.
    #[must_use]
    pub fn begin<B>(&self, request: &http::Request<B>) -> Framing {
        let mut head = self.lock();
        head.phase = Phase::Answering;
        let framing = framing(&head.bytes, request);
        // Returns the memory of an unusually long head.
        head.bytes = Vec::new();
        framing
    }

    /// The request is answered; the next bytes are the next head.
    pub fn end(&self) {
        self.lock().phase = Phase::Idle;
    }
}

fn framing<B>(bytes: &[u8], request: &http::Request<B>) -> Framing {
    let mut lines = bytes.split_inclusive(|&b| b == b'\n');
    let target = request.uri();
    let start = format!("{} {target} {:?}", request.method(), request.version());
    if lines.next().and_then(|line| line.strip_suffix(b"\r\n")) != Some(start.as_bytes()) {
        return Framing::Unseen;
    }
    let mut sized = 0;
    for line in lines {
        let Some(line) = line.strip_suffix(b"\r\n") else { return Framing::Ambiguous };
        if line.is_empty() {
            return if sized > 1 { Framing::Ambiguous } else { Framing::Plain };
        }
        let name = line.split(|&b| b == b':').next().unwrap_or_default();
        if name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding") {
            sized += 1;
        }
    }
    Framing::Unseen
}

impl<S> Wire<S> {
    /// Wraps a stream.
    pub fn new(stream: S, limits: WireLimits, heads: Heads) -> Self {
        Self { stream, limits, heads, head_deadline: None, write_deadline: None }
    }

    /// Notes bytes that arrived: whether a head is under way decides about the deadline.
    fn arrived(&mut self, bytes: &[u8]) {
        let mut head = self.heads.lock();
        if bytes.is_empty() || head.phase == Phase::Answering {
            return;
        }
        if head.phase == Phase::Idle {
            head.phase = Phase::Arriving;
            self.head_deadline = Some(Box::pin(sleep(self.limits.head)));
        }
        if head.bytes.len() < MAX_HEAD {
            head.bytes.extend_from_slice(bytes);
        }
    }

    fn poll_head_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.heads.lock().phase != Phase::Arriving {
            self.head_deadline = None;
        }
        let Some(deadline) = &mut self.head_deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the head of the request did not arrive in time"))
    }

    /// Passes on the outcome of a write, unless the peer has taken nothing for too long.
    fn watched<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write_deadline = None;
            return outcome;
        }
        let limit = self.limits.write;
        let deadline = self.write_deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Pending => this.poll_head_deadline(cx).map(Err),
            Poll::Ready(result) => {
                this.arrived(buf.filled().get(before..).unwrap_or_default());
                Poll::Ready(result)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.watched(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.watched(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        this.watched(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.watched(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Framing {
        let request = http::Request::post("/hook").body(()).unwrap();
        framing(head.as_bytes(), &request)
    }

    #[test]
    fn a_head_with_two_ends_is_ambiguous() {
        for (head, expected) in [
            ("POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", Framing::Plain),
            ("POST /hook HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::Plain),
            ("POST /hook HTTP/1.1\r\nHost: a\r\n\r\n", Framing::Plain),
            (
                "POST /hook HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                Framing::Ambiguous,
            ),
            (
                "POST /hook HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n",
                Framing::Ambiguous,
            ),
            ("POST /hook HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Framing::Ambiguous),
            ("POST /hook HTTP/1.1\r\nHost: a\nContent-Length: 3\r\n\r\nabc", Framing::Ambiguous),
            ("GET /other HTTP/1.1\r\n\r\n", Framing::Unseen),
            ("POST /hook HTTP/1.1\r\nHost: a\r\n", Framing::Unseen),
            ("", Framing::Unseen),
        ] {
            assert_eq!(of(head), expected, "{head:?}");
        }
    }
}
