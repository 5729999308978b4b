//! How events come in: what a spec wants, and what follows from what the service offers. Pure.

use fastio_crds::{self as crds, FastioWebhookSpec, FastioWebhookStatus, SecretKeyReference, Signature};
use secrecy::SecretSlice;
use url::Url;

use super::remote::Found;

/// What a spec wants.
#[derive(Debug)]
pub(super) enum Delivery {
    /// Fast.io calls the receiver.
    Push(Ingress),
    /// The intake follows the feed. Also `Auto` without an endpoint.
    Pull,
    /// Push, with the feed as a safety net.
    Both(Ingress),
    /// The feed in any case, and push where the service has webhooks.
    Auto(Ingress),
}

/// The way from Fast.io to the receiver.
#[derive(Debug)]
pub(super) struct Ingress {
    /// What Fast.io calls.
    pub(super) url: Url,
    /// Receiver pods.
    pub(super) receivers: i32,
    /// How deliveries are signed.
    pub(super) signature: Signature,
    /// Where the webhook comes from.
    pub(super) origin: Origin,
}

/// Where the webhook at Fast.io comes from, and with it the signing secret.
#[derive(Debug)]
pub(super) enum Origin {
    /// The operator registers it, with a derived secret.
    Registered,
    /// Somebody made it by hand; the secret is theirs.
    ByHand {
        /// The Secret.
        secret: SecretKeyReference,
        /// The secrets themselves, today's and the one before it, to notice that they have changed.
        values: Vec<SecretSlice<u8>>,
    },
}

/// Whether a webhook may have to be registered for this spec.
pub(super) fn may_register(spec: &FastioWebhookSpec) -> bool {
    spec.delivery != crds::Delivery::Pull
        && spec.endpoint.is_some()
        && spec.receiver.signature.secret_ref.is_none()
}

/// The Secret of a webhook that was made by hand, if the spec wants one.
pub(super) fn by_hand(spec: &FastioWebhookSpec) -> Option<&SecretKeyReference> {
    spec.endpoint.as_ref().filter(|_| spec.delivery != crds::Delivery::Pull)?;
    spec.receiver.signature.secret_ref.as_ref()
}

/// Whether the feed may have to be followed for this spec.
pub(super) fn may_follow(spec: &FastioWebhookSpec) -> bool {
    spec.delivery != crds::Delivery::Push
}

/// Whether a webhook was registered, or may have been: this is recorded before the first attempt.
pub(super) fn was_attempted(status: Option<&FastioWebhookStatus>) -> bool {
    status.is_some_and(|it| it.webhook_id.is_some() || it.signing_key_fingerprint.is_some())
}

/// What the status tells of before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// A webhook was registered, or may have been.
    pub(super) attempted: bool,
    /// A webhook is registered.
    registered: bool,
    /// How the feed was followed.
    follow: Option<Follow>,
}

impl Past {
    pub(super) fn of(status: Option<&FastioWebhookStatus>) -> Self {
        Self {
            attempted: was_attempted(status),
            registered: status.is_some_and(|status| status.webhook_id.is_some()),
            follow: match status.and_then(|status| status.delivery.as_deref()) {
                Some("Pull") => Some(Follow::Live),
                Some("Both") => Some(Follow::Net),
                Some("Push") => Some(Follow::None),
                _ => None,
            },
        }
    }
}

/// How events come in now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Route<'a> {
    /// Fast.io calls the receiver, and nothing else is done.
    Push(&'a Ingress),
    /// Fast.io calls the receiver, and the feed shows what never arrived.
    Both(&'a Ingress),
    /// The feed alone. There is no receiver.
    Pull(Why<'a>),
    /// The feed alone, because the service says that it has no webhooks, or none for this key. One was registered, or may have
    /// been, so the receiver stays: an answer that is wrong for a while must not take down what works.
    Kept(&'a Ingress, Why<'a>),
    /// The feed alone, until it is known whether the service has webhooks. A receiver is neither made nor removed.
    Undecided,
}

/// Why nothing is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why<'a> {
    /// The spec wants it so.
    Wanted,
    /// The service has no webhooks.
    Unsupported,
    /// The API key may not register them; what Fast.io says about it.
    Forbidden(&'a str),
}

/// How the intake follows the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// Not at all.
    None,
    /// Now and then, for what was not pushed.
    Net,
    /// As closely as it can.
    Live,
}

/// `found`: what Fast.io said about webhooks, `None` if it could not be asked.
pub(super) fn decide<'a>(delivery: &'a Delivery, found: Option<&'a Found>, past: Past) -> Route<'a> {
    let ingress = match delivery {
        Delivery::Pull => return Route::Pull(Why::Wanted),
        // The feed goes on until there is something in its place.
        Delivery::Push(ingress)
            if matches!(past.follow, Some(Follow::Live | Follow::Net))
                && !past.registered
                && matches!(ingress.origin, Origin::Registered) =>
        {
            return Route::Both(ingress);
        }
        Delivery::Push(ingress) => return Route::Push(ingress),
        Delivery::Both(ingress) => return Route::Both(ingress),
        Delivery::Auto(ingress) => ingress,
    };
    // Whoever made a webhook by hand knows that there are some.
    if matches!(ingress.origin, Origin::ByHand { .. }) {
        return Route::Both(ingress);
    }
    let pull = |why| if past.attempted { Route::Kept(ingress, why) } else { Route::Pull(why) };
    match found {
        Some(Found::Unsupported) => pull(Why::Unsupported),
        Some(Found::Forbidden { why, .. }) => pull(Why::Forbidden(why)),
        Some(Found::Marked(_)) => Route::Both(ingress),
        // As it was before, for an outage is no reason for a change.
        None if past.attempted && past.follow != Some(Follow::Live) => Route::Both(ingress),
        None => Route::Undecided,
    }
}

impl<'a> Route<'a> {
    /// `Push`, `Pull` or `Both`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Push(_) => "Push",
            Self::Both(_) => "Both",
            Self::Pull(_) | Self::Kept(..) | Self::Undecided => "Pull",
        }
    }

    /// What the receiver is made for, if one is.
    pub(super) fn ingress(self) -> Option<&'a Ingress> {
        match self {
            Self::Push(ingress) | Self::Both(ingress) | Self::Kept(ingress, _) => Some(ingress),
            Self::Pull(_) | Self::Undecided => None,
        }
    }

    /// What is registered at Fast.io, if something is.
    pub(super) fn registers(self) -> Option<&'a Ingress> {
        match self {
            Self::Push(ingress) | Self::Both(ingress) => {
                Some(ingress).filter(|ingress| matches!(ingress.origin, Origin::Registered))
            }
            // The key may be allowed to by now.
            Self::Kept(ingress, Why::Forbidden(_)) => Some(ingress),
            Self::Pull(_) | Self::Kept(..) | Self::Undecided => None,
        }
    }

    /// Whether it works also without the webhook that it registers.
    pub(super) fn does_without(self) -> bool {
        matches!(self, Self::Kept(..))
    }

    /// Whether a webhook that the operator registered has to go.
    pub(super) fn deregisters(self) -> bool {
        match self {
            Self::Pull(_) => true,
            Self::Push(ingress) | Self::Both(ingress) => matches!(ingress.origin, Origin::ByHand { .. }),
            Self::Kept(..) | Self::Undecided => false,
        }
    }

    /// Whether a receiver has to go.
    pub(super) fn drops_receiver(self) -> bool {
        matches!(self, Self::Pull(_))
    }

    /// Whether the Secret with the operator's signing secret has to go.
    pub(super) fn drops_signing_secret(self) -> bool {
        self.deregisters()
    }

    /// How the intake follows the feed.
    pub(super) fn follow(self) -> Follow {
        match self {
            Self::Push(_) => Follow::None,
            Self::Both(_) => Follow::Net,
            Self::Pull(_) | Self::Kept(..) | Self::Undecided => Follow::Live,
        }
    }
}

impl Follow {
    /// The intake's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Net => "net",
            Self::Live => "live",
        }
    }
}

#[cfg(test)]
mod tests;
