//! Connections within limits, and their orderly end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::Answer;
use crate::deliver::Starter;
use crate::places::{Place, Places};
use crate::request::Endpoint;
use crate::wire::{Heads, MAX_HEAD, Wire, WireLimits};

/// How long a peer may take to read an answer that came before the end of its request, and how much of the rest of that
/// request is thrown away meanwhile. Closing at once would reset the connection and destroy the answer on its way.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 1024 * 1024;

/// Limits of a server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most open connections. A new one takes the place of one that has carried no signed delivery.
    pub connections: usize,
    /// Longest wait for a request on an open connection.
    pub idle: Duration,
    /// Limits while a head arrives and an answer leaves.
    pub wire: WireLimits,
    /// How long new connections are still taken once the process is told to stop: until every node has heard that it is
    /// no endpoint of its Service any more.
    pub lame_duck: Duration,
    /// Longest time from the signal to the end, whatever is still under way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            idle: Duration::from_secs(30),
            wire: WireLimits { head: Duration::from_secs(5), write: Duration::from_secs(10) },
            lame_duck: Duration::from_secs(5),
            drain: Duration::from_secs(20),
        }
    }
}

/// Serves until `stop` is cancelled and every request is answered.
///
/// From then on each answer asks its sender to use another connection, and new connections are taken for a moment
/// more. Then the port closes, idle connections close, and what is under way gets the rest of the time.
pub async fn serve<S: Starter>(
    listener: TcpListener,
    endpoint: Arc<Endpoint<S>>,
    limits: Limits,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let closing = CancellationToken::new();
    let places = Places::new(limits.connections);
    let server = Arc::new(Server { endpoint, limits, stop: stop.clone(), closing: closing.clone() });

    // Accepted, and waiting for a place: the stop must not find it in a future that is dropped.
    let mut waiting = None;
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok(accepted) => {
                    let (_, peer) = waiting.insert(accepted);
                    let place = places.take(peer.ip()).await;
                    if let Some((stream, _)) = waiting.take() {
                        connections.spawn(Arc::clone(&server).serve_connection(stream, place));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Out of file descriptors, most likely: trying again at once would only burn the CPU.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        () = async { stop.cancelled().await; tokio::time::sleep(limits.lame_duck).await } => {}
        () = accepting => {}
    }
    let deadline = Instant::now() + limits.drain.saturating_sub(limits.lame_duck);
    let last = last_connections(listener);
    // Idle connections give their places to the last ones.
    closing.cancel();
    for (stream, peer) in waiting.into_iter().chain(last) {
        let Ok(place) = tokio::time::timeout_at(deadline, places.take(peer.ip())).await else { break };
        connections.spawn(Arc::clone(&server).serve_connection(stream, place));
    }
    connections.close();
    if tokio::time::timeout_at(deadline, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "stopping with requests under way");
    }
}

/// Closes a port, with what the kernel has accepted by then: it would be reset.
fn last_connections(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    // Ends with the first that would block.
    std::iter::from_fn(|| listener.accept().ok())
        .filter_map(|(stream, peer)| {
            stream.set_nonblocking(true).ok()?;
            Some((TcpStream::from_std(stream).ok()?, peer))
        })
        .collect()
}

/// What all connections share.
struct Server<S> {
    endpoint: Arc<Endpoint<S>>,
    limits: Limits,
    /// Answers carry `Connection: close`.
    stop: CancellationToken,
    /// Connections end after the request that is under way.
    closing: CancellationToken,
}

impl<S: Starter> Server<S> {
    async fn serve_connection(self: Arc<Self>, stream: TcpStream, place: Place) {
        let metrics = &self.endpoint.metrics;
        metrics.connections.inc();
        tokio::select! {
            outcome = self.exchange(stream, &place) => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "connection ended early");
                }
            }
            () = place.evicted() => {
                metrics.evicted.inc();
            }
        }
        metrics.connections.dec();
    }

    async fn exchange(&self, stream: TcpStream, place: &Place) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let heads = Heads::default();
        let wire = Wire::new(stream, self.limits.wire, heads.clone());
        let service = service_fn(|request: http::Request<Incoming>| {
            let heads = heads.clone();
            // `poll_without_shutdown` asks for a future that may move.
            Box::pin(async move {
                let begun = Instant::now();
                let raw_head = heads.begin().into();
                let answer = self.endpoint.answer(request, raw_head, place).await;
                self.endpoint.metrics.answered(&answer, begun.elapsed());
                heads.end();
                Ok::<_, Infallible>(answer.response(self.stop.is_cancelled()))
            })
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Covers the wait for the first byte too, so this is the idle limit; a head has its own in the wire.
            .header_read_timeout(self.limits.idle)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(wire), service);
        let served = {
            let mut closing = pin!(self.closing.cancelled());
            let mut told = false;
            loop {
                tokio::select! {
                    // The connection first: a request that is here already is answered before an idle one is closed.
                    biased;
                    served = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break served,
                    () = &mut closing, if !told => {
                        told = true;
                        std::pin::Pin::new(&mut connection).graceful_shutdown();
                    }
                }
            }
        };
        let mut wire = connection.into_parts().io.into_inner();
        if let Err(error) = &served
            && let Some(answer) = fault(error, &heads)
        {
            if answer == Answer::HeadTimeout {
                wire.write_all(answer.raw().as_bytes()).await?;
            }
            self.endpoint.refused(answer, place);
        }
        linger(wire).await?;
        served.map_err(io::Error::other)
    }
}

/// What is wrong on the sender's side if hyper gave up. A connection that just ends is no fault.
fn fault(error: &hyper::Error, heads: &Heads) -> Option<Answer> {
    if heads.timed_out() {
        Some(Answer::HeadTimeout)
    } else if error.is_parse_too_large() {
        Some(Answer::HeadTooLarge)
    } else if error.is_parse() {
        Some(Answer::NotHttp)
    } else {
        None
    }
}

/// Ends our side, then waits for the peer to end its own, so that it can read the answer.
async fn linger(mut wire: Wire<TcpStream>) -> io::Result<()> {
    wire.shutdown().await?;
    let (mut rest, mut nowhere) = (wire.take(LINGER_BYTES), tokio::io::sink());
    let drained = tokio::io::copy(&mut rest, &mut nowhere);
    // A peer that takes longer has had its time.
    let _ = tokio::time::timeout(LINGER, drained).await;
    Ok(())
}
