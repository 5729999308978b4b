//! One request, step by step. The order is the point: what costs nothing comes first, and nothing is parsed before its
//! signature is good.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastio::signature::SignatureError;
use fastio_pipeline::event::{EventKind, FileEvent};
use fastio_pipeline::payload::{self, PayloadError};
use fastio_temporal::start::{StartError, Started};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method, Request};
use hyper::body::Body;
use jiff::Timestamp;

use crate::abuse::Abuse;
use crate::answer::{Answer, Outcome};
use crate::body::{BodyLimits, SMALL};
use crate::deliver::{Delivery, Starter};
use crate::framing;
use crate::metrics::Metrics;
use crate::places::Place;
use crate::secret::Secrets;

/// The endpoint of one webhook.
pub struct Endpoint<S> {
    /// The only path there is.
    pub path: String,
    /// Kinds of event that the webhook is subscribed to.
    pub events: BTreeSet<EventKind>,
    /// Limits on bodies.
    pub body: BodyLimits,
    /// Who may deliver.
    pub secrets: Secrets,
    /// Who has failed too often.
    pub abuse: Abuse,
    /// Where events go.
    pub delivery: Delivery<S>,
    /// What is counted.
    pub metrics: Metrics,
}

impl<S: Starter> Endpoint<S> {
    /// Answers a request that came by `place`, with the raw bytes of its head.
    pub async fn answer<B>(&self, request: Request<B>, raw_head: &[u8], place: &Place) -> Answer
    where
        B: Body<Data = Bytes>,
    {
        let limited = self.abuse.is_limited(place.source(), Instant::now());
        let answer =
            self.delivered(request, raw_head, place, limited).await.unwrap_or_else(|refusal| refusal);
        self.refused_if_fault(answer, place, limited)
    }

    /// Counts an answer that hyper gave, or that came of the connection.
    pub fn refused(&self, answer: Answer, place: &Place) {
        let limited = self.abuse.is_limited(place.source(), Instant::now());
        self.metrics.answered(&self.refused_if_fault(answer, place, limited), Duration::ZERO);
    }

    fn refused_if_fault(&self, answer: Answer, place: &Place, limited: bool) -> Answer {
        if !matches!(answer.outcome(), Outcome::Fault(_)) {
            return answer;
        }
        if self.abuse.failed(place.source(), Instant::now()) {
            self.metrics.limited.inc();
        }
        if limited { Answer::Limited } else { answer }
    }

    async fn delivered<B>(
        &self,
        request: Request<B>,
        raw_head: &[u8],
        place: &Place,
        limited: bool,
    ) -> Result<Answer, Answer>
    where
        B: Body<Data = Bytes>,
    {
        let (head, body) = request.into_parts();
        if head.uri.path() != self.path || head.uri.query().is_some() {
            return Err(Answer::NotFound);
        }
        if head.method != Method::POST {
            return Err(Answer::MethodNotAllowed);
        }
        framing::check(raw_head, &head).map_err(Answer::AmbiguousFraming)?;
        check_media_type(&head.headers)?;
        let verifier = self.secrets.verifier().ok_or(Answer::NoSecret)?;
        let not_signed = |error| self.not_signed(error, limited);
        let claim = verifier.claim(&head.headers, Timestamp::now()).map_err(not_signed)?;
        let received = self.body.read(body, if limited { SMALL } else { usize::MAX }).await?;
        verifier.check(&claim, &received.bytes).map_err(not_signed)?;
        place.prove();
        let event = payload::parse(&received.bytes).map_err(|error| unusable(&error))?;
        // The bytes are not needed any more, and Temporal may take its time.
        drop(received);
        if !self.events.contains(&event.kind) {
            let because = format!("the webhook is not subscribed to {} events", event.kind);
            return Ok(Answer::Filtered { because });
        }
        Ok(self.start(&event).await)
    }

    async fn start(&self, event: &FileEvent) -> Answer {
        match self.delivery.deliver(event).await {
            Ok(Started::New { .. }) => {
                tracing::info!(event = %event.id, kind = %event.kind, file = %event.file, "event accepted");
                Answer::Accepted
            }
            Ok(Started::Duplicate { .. }) => {
                tracing::debug!(event = %event.id, "event known already");
                Answer::Duplicate
            }
            Err(StartError::Unavailable(problem)) => {
                tracing::debug!(event = %event.id, problem, "event not accepted now");
                Answer::Unavailable
            }
            Err(StartError::Refused(problem)) => {
                tracing::error!(event = %event.id, problem, "Temporal will never take this event");
                Answer::Refused { problem }
            }
        }
    }

    fn not_signed(&self, error: SignatureError, limited: bool) -> Answer {
        self.metrics.not_signed(error);
        // A scanner sends nothing that looks like a signature. A real one that does not fit is a secret or a clock that
        // differs on the two sides, and somebody will be looking for that.
        if matches!(error, SignatureError::Mismatch | SignatureError::Stale) && !limited {
            tracing::warn!(%error, "delivery refused");
        } else {
            tracing::debug!(%error, "delivery refused");
        }
        Answer::NotSigned
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Answer> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Answer::Encoded);
    }
    let mut media_types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(media_type), None) = (media_types.next(), media_types.next()) else {
        return Err(Answer::NotJson);
    };
    let essence = media_type.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") { Ok(()) } else { Err(Answer::NotJson) }
}

fn unusable(error: &PayloadError) -> Answer {
    if let PayloadError::UnknownEvent(_) = error {
        tracing::info!(problem = %error, "signed delivery that starts nothing");
        return Answer::UnknownEvent { because: error.to_string() };
    }
    tracing::warn!(problem = %error, "signed delivery that is not a usable event");
    Answer::Unusable { problem: error.to_string() }
}
