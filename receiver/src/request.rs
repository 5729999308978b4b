//! One request, step by step. The order is the point: what costs nothing comes first, and nothing is parsed before its
//! signature is good.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastio::signature::{Claim, SignatureError, Verifier};
use fastio_pipeline::event::{EventKind, FileEvent};
use fastio_pipeline::payload::{self, PayloadError};
use fastio_pipeline::unusable::UnusableDelivery;
use fastio_temporal::start::{StartError, Started};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use hyper::body::Body;
use jiff::Timestamp;

use crate::abuse::Abuse;
use crate::answer::{Answer, Outcome};
use crate::body::BodyLimits;
use crate::deliver::{Content, Delivery, Starter};
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
    pub async fn answer<B>(&self, request: Request<B>, raw_head: Bytes, place: &Place) -> Answer
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
        raw_head: Bytes,
        place: &Place,
        limited: bool,
    ) -> Result<Answer, Answer>
    where
        B: Body<Data = Bytes>,
    {
        let (head, body) = request.into_parts();
        let (verifier, claim) = self.claimed(&head, &raw_head, limited)?;
        // Both have said what they had to say, and a body may take its time.
        drop((head, raw_head));
        let received = self.body.read(body, limited).await?;
        verifier.check(&claim, &received.bytes).map_err(|error| self.not_signed(error, limited))?;
        place.prove();
        let event = match payload::parse(&received.bytes) {
            Ok(event) => event,
            Err(error) => return Ok(self.no_event(&received.bytes, &error).await),
        };
        // The bytes are not needed any more, and Temporal may take its time.
        drop(received);
        if !self.events.contains(&event.kind) {
            let because = format!("the webhook is not subscribed to {} events", event.kind);
            return Ok(Answer::Filtered { because });
        }
        Ok(self.start(&event).await)
    }

    /// What a head claims, and who can check it.
    fn claimed(
        &self,
        head: &Parts,
        raw_head: &[u8],
        limited: bool,
    ) -> Result<(Arc<Verifier>, Claim), Answer> {
        if head.uri.path() != self.path || head.uri.query().is_some() {
            return Err(Answer::NotFound);
        }
        if head.method != Method::POST {
            return Err(Answer::MethodNotAllowed);
        }
        framing::check(raw_head, head).map_err(Answer::AmbiguousFraming)?;
        check_media_type(&head.headers)?;
        let verifier = self.secrets.verifier().ok_or(Answer::NoSecret)?;
        let claim = verifier
            .claim(&head.headers, Timestamp::now())
            .map_err(|error| self.not_signed(error, limited))?;
        Ok((verifier, claim))
    }

    /// Answers what is signed and is no event. What the sender means by it is not known, so Temporal keeps it.
    async fn no_event(&self, body: &[u8], error: &PayloadError) -> Answer {
        let problem = error.to_string();
        if error.is_about_something_else() {
            tracing::info!(problem, "signed delivery that starts nothing");
            return Answer::UnknownEvent { because: problem };
        }
        let unusable = UnusableDelivery::new(body, problem);
        match self.delivery.deliver(Content::Unusable(&unusable)).await {
            Ok(_) => {
                let UnusableDelivery { problem, sha256, .. } = unusable;
                tracing::warn!(
                    problem,
                    sha256,
                    "signed delivery that is not a usable event, kept in Temporal"
                );
                Answer::Unusable { problem }
            }
            Err(StartError::Unavailable(why)) => {
                tracing::debug!(problem = unusable.problem, why, "delivery not kept now");
                Answer::Unavailable
            }
            Err(StartError::Refused(why)) => {
                let UnusableDelivery { problem, sha256, .. } = unusable;
                tracing::error!(
                    problem,
                    sha256,
                    why,
                    "signed delivery that is not a usable event, and cannot be kept"
                );
                Answer::Unusable { problem }
            }
        }
    }

    async fn start(&self, event: &FileEvent) -> Answer {
        match self.delivery.deliver(Content::Event(event)).await {
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

#[cfg(test)]
mod tests;
