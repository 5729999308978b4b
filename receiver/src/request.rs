//! One request, step by step. The order is the point: what costs nothing comes first, and nothing is parsed before its
//! signature is good.

use std::collections::BTreeSet;

use bytes::Bytes;
use fastio::signature::{SignatureError, Verifier};
use fastio_pipeline::event::{EventKind, FileEvent};
use fastio_pipeline::payload::{PayloadError, parse_guide};
use fastio_temporal::start::{StartError, Started};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request};
use hyper::body::Body;

use crate::answer::Answer;
use crate::body::BodyLimits;
use crate::deliver::{Delivery, Starter};
use crate::metrics::Metrics;
use crate::secret::Secrets;
use crate::wire::Framing;

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
    /// Where events go.
    pub delivery: Delivery<S>,
    /// What is counted.
    pub metrics: Metrics,
}

impl<S: Starter> Endpoint<S> {
    /// Answers a request.
    pub async fn answer<B: Body<Data = Bytes>>(&self, request: Request<B>, framing: Framing) -> Answer {
        self.delivered(request, framing).await.unwrap_or_else(|refusal| refusal)
    }

    async fn delivered<B: Body<Data = Bytes>>(
        &self,
        request: Request<B>,
        framing: Framing,
    ) -> Result<Answer, Answer> {
        let (head, body) = request.into_parts();
        if head.uri.path() != self.path {
            return Err(Answer::NotFound);
        }
        if head.method != Method::POST {
            return Err(Answer::MethodNotAllowed);
        }
        check_framing(framing, &head.headers)?;
        check_media_type(&head.headers)?;
        let verifier = self.secrets.verifier().ok_or(Answer::NoSecret)?;
        let signature = signature(&verifier, &head.headers).map_err(|error| self.not_signed(error))?;
        let received = self.body.read(body).await?;
        verifier.verify(Some(signature), &received.bytes).map_err(|error| self.not_signed(error))?;
        let event = parse_guide(&received.bytes).map_err(|error| unusable(&error))?;
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

    fn not_signed(&self, error: SignatureError) -> Answer {
        self.metrics.not_signed(error);
        // A scanner sends nothing that looks like a signature. A real one that does not fit is a secret that differs
        // on the two sides, and somebody will be looking for that.
        if error == SignatureError::Mismatch {
            tracing::warn!(%error, "delivery refused");
        } else {
            tracing::debug!(%error, "delivery refused");
        }
        Answer::NotSigned
    }
}

fn check_framing(framing: Framing, headers: &HeaderMap) -> Result<(), Answer> {
    match framing {
        Framing::Plain => Ok(()),
        // `Content-Length` alone is not ambiguous however it was sent.
        Framing::Unseen if !headers.contains_key(TRANSFER_ENCODING) => Ok(()),
        Framing::Unseen | Framing::Ambiguous => Err(Answer::AmbiguousFraming),
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Answer> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Answer::Encoded);
    }
    let media_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let essence = media_type.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") { Ok(()) } else { Err(Answer::NotJson) }
}

/// The one signature header. Two of them are no signature: which one counts would be a guess.
fn signature<'h>(verifier: &Verifier, headers: &'h HeaderMap) -> Result<&'h [u8], SignatureError> {
    let mut values = headers.get_all(verifier.scheme().header_name()).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(SignatureError::Missing),
        (Some(value), None) => Ok(value.as_bytes()),
        (Some(_), Some(_)) => Err(SignatureError::Malformed),
    }
}

fn unusable(error: &PayloadError) -> Answer {
    if let PayloadError::UnknownEvent(_) = error {
        return Answer::Filtered { because: error.to_string() };
    }
    tracing::warn!(problem = %error, "signed delivery that is not a usable event");
    Answer::Unusable { problem: error.to_string() }
}
