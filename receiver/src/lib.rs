//! The signed ingress of one `FastioWebhook`.
//!
//! [`server`] keeps connections within limits, [`request`] checks one request step by step, [`deliver`] starts the
//! workflow, [`answer`] says what the sender is told. A delivery is acknowledged only after Temporal has accepted it: the
//! receiver has no queue, so nothing can be lost in one.

#![forbid(unsafe_code)]

pub mod answer;
pub mod body;
pub mod deliver;
pub mod metrics;
pub mod request;
pub mod secret;
pub mod server;
pub mod wire;
