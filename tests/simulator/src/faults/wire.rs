//! Faults of the bytes of a call: slow, cut off, reset.

use std::{num::NonZeroU64, time::Duration};

use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};

use super::{Faults, Kind, kind::Direction};
use crate::{app::App, connection::Line};

/// Time for what was written to reach the other side before a connection ends.
const GRACE: Duration = Duration::from_millis(30);
/// A slow body moves so often in a second.
const PIECES_PER_SECOND: u64 = 20;

/// How a body ends too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    after: u64,
    reset: bool,
}

/// Whose bytes they are.
#[derive(Clone)]
struct Owner {
    app: App,
    operation: &'static str,
    workspace: Option<String>,
}

impl Faults {
    /// Bytes per second that a body may have now.
    fn bandwidth(&self, operation: &str, workspace: Option<&str>) -> Option<NonZeroU64> {
        self.take(Some(operation), workspace, |kind| match kind {
            Kind::Bandwidth { bytes_per_second } => Some(*bytes_per_second),
            _ => None,
        })
    }

    fn cut(&self, operation: &str, workspace: Option<&str>, direction: Direction) -> Option<Cut> {
        self.take(Some(operation), workspace, |kind| match kind {
            Kind::Reset { after_bytes, during } if *during == direction => {
                Some(Cut { after: *after_bytes, reset: true })
            }
            Kind::Truncate { after_bytes } if direction == Direction::Response => {
                Some(Cut { after: *after_bytes, reset: false })
            }
            _ => None,
        })
    }

    /// Whether the bytes of such a call can be slow: they are looked at piece by piece, so that a
    /// cap that is set or removed in the middle counts at once.
    fn may_be_slow(&self, operation: &str) -> bool {
        operation == "download.read"
            || self.with(|set| {
                set.faults.values().any(|entry| {
                    matches!(entry.fault.kind, Kind::Bandwidth { .. })
                        && entry
                            .fault
                            .when
                            .operation
                            .as_deref()
                            .is_none_or(|own| own == super::ANY || own == operation)
                })
            })
    }
}

/// Spoils the body that a call brings.
pub(crate) fn incoming(
    app: &App,
    operation: &'static str,
    workspace: Option<&str>,
    request: Request,
) -> Request {
    let cut = app.faults.cut(operation, workspace, Direction::Request);
    if cut.is_none() && !app.faults.may_be_slow(operation) {
        return request;
    }
    let line = Line::of(&request);
    let owner = Owner { app: app.clone(), operation, workspace: workspace.map(str::to_owned) };
    request.map(|body| spoil(body, owner, cut, line))
}

/// Spoils the body of an answer.
pub(crate) fn outgoing(
    app: &App,
    operation: &'static str,
    workspace: Option<&str>,
    line: Option<Line>,
    mut response: Response,
) -> Response {
    let cut = app.faults.cut(operation, workspace, Direction::Response);
    if cut.is_none() && !app.faults.may_be_slow(operation) {
        return response;
    }
    if !response.headers().contains_key(header::CONTENT_LENGTH)
        && let Some(length) = response.body().size_hint().exact()
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let owner = Owner { app: app.clone(), operation, workspace: workspace.map(str::to_owned) };
    response.map(|body| spoil(body, owner, cut, line))
}

fn spoil(body: Body, owner: Owner, cut: Option<Cut>, line: Option<Line>) -> Body {
    let slow = slowed(body.into_data_stream(), owner);
    match cut {
        None => Body::from_stream(slow),
        Some(cut) => Body::from_stream(cut_off(slow, cut, line)),
    }
}

type Piece = Result<Bytes, axum::Error>;

/// Slows a body down to the cap that is set at each moment.
fn slowed(body: BodyDataStream, owner: Owner) -> impl Stream<Item = Piece> + Send + Unpin {
    let pieces = stream::unfold((body, Bytes::new(), owner), async |(mut body, mut left, owner)| {
        while left.is_empty() {
            match body.next().await? {
                Ok(next) => left = next,
                Err(error) => return Some((Err(error), (body, left, owner))),
            }
        }
        let piece = match owner.app.faults.bandwidth(owner.operation, owner.workspace.as_deref()) {
            None => std::mem::take(&mut left),
            Some(cap) => {
                let most = usize::try_from(cap.get() / PIECES_PER_SECOND).unwrap_or(usize::MAX).max(1);
                let piece = left.split_to(most.min(left.len()));
                tokio::time::sleep(time_for(piece.len(), cap)).await;
                piece
            }
        };
        Some((Ok(piece), (body, left, owner)))
    });
    Box::pin(pieces)
}

fn time_for(bytes: usize, per_second: NonZeroU64) -> Duration {
    let micros = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000) / per_second;
    Duration::from_micros(micros)
}

/// Ends a body with an error, which ends its connection.
fn cut_off(
    body: impl Stream<Item = Piece> + Send + Unpin,
    cut: Cut,
    line: Option<Line>,
) -> impl Stream<Item = Piece> + Send {
    stream::unfold((body, cut, line), async |(mut body, mut cut, line)| {
        if cut.after > 0 {
            let mut piece = match body.next().await? {
                Ok(piece) => piece,
                Err(error) => return Some((Err(error), (body, cut, line))),
            };
            piece.truncate(usize::try_from(cut.after).unwrap_or(usize::MAX));
            cut.after -= u64::try_from(piece.len()).unwrap_or(cut.after);
            return Some((Ok(piece), (body, cut, line)));
        }
        tokio::time::sleep(GRACE).await;
        if let (true, Some(line)) = (cut.reset, &line) {
            line.reset();
        }
        let error = axum::Error::new(std::io::Error::other("cut off by a fault"));
        Some((Err(error), (body, cut, line)))
    })
}
