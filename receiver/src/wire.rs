//! A connection as HTTP does not see it: time limits while nothing moves, and the bytes of a request's head.
//!
//! hyper has one time limit for a head, which also covers the wait for its first byte, and none for a peer that does not
//! read. And it forgives what a proxy in front may have understood differently, so the bytes of the head are kept for
//! [`crate::framing`].

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
    timed_out: bool,
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

impl Heads {
    fn lock(&self) -> MutexGuard<'_, Head> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins: the bytes of its head, and what arrived with them; empty if all of it came before its
    /// predecessor was answered.
    #[must_use]
    pub fn begin(&self) -> Vec<u8> {
        let mut head = self.lock();
        head.phase = Phase::Answering;
        std::mem::take(&mut head.bytes)
    }

    /// The request is answered; the next bytes are the next head.
    pub fn end(&self) {
        self.lock().phase = Phase::Idle;
    }

    /// Whether the connection ended because a head took too long.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.lock().timed_out
    }
}

impl<S> Wire<S> {
    /// Wraps a stream.
    pub fn new(stream: S, limits: WireLimits, heads: Heads) -> Self {
        Self { stream, limits, heads, head_deadline: None, write_deadline: None }
    }

    /// Notes bytes that arrived: whether a head is under way decides about the deadline.
    fn arrived(&mut self, bytes: &[u8]) {
        let mut head = self.heads.lock();
        // Some clients end a body with a line end that is not part of it (RFC 9112 section 2.2).
        let bytes = match head.phase {
            Phase::Answering => return,
            Phase::Arriving => bytes,
            Phase::Idle => {
                let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
                bytes.get(begin.unwrap_or(bytes.len())..).unwrap_or_default()
            }
        };
        if bytes.is_empty() {
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
        self.heads.lock().timed_out = true;
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
