//! The signed ingress of one `FastioWebhook`.
//!
//! [`server`] keeps connections within limits, [`request`] checks one request step by step, [`deliver`] starts the
//! workflow, [`answer`] says what the sender is told. A delivery is acknowledged only after Temporal has accepted it: the
//! receiver has no queue, so nothing can be lost in one.
//!
//! What anybody may send without a secret is bounded: [`wire`] and [`framing`] look at heads, [`body`] at bodies, [`places`] at
//! connections and [`abuse`] at addresses that fail again and again.

#![forbid(unsafe_code)]

pub mod abuse;
pub mod answer;
pub mod body;
pub mod deliver;
pub mod descriptors;
pub mod framing;
mod known;
pub mod limits;
pub mod metrics;
pub mod places;
pub mod request;
pub mod secret;
pub mod server;
pub mod signing;
pub mod source;
pub mod wire;
