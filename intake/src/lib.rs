//! The intake of one `FastioWebhook`: decides what each event means.
//!
//! A `FileEvent` workflow ([`workflow`]) runs one activity ([`activity`]) until it has an answer. That looks up what the
//! file is now ([`resolve`]), which pipelines there are now ([`view`]), decides ([`decide`], pure) and starts the runs
//! ([`start`]).
//!
//! What is not delivered is fetched: see [`feed`]. What is delivered and is no event is kept: see [`unusable`].

#![forbid(unsafe_code)]

pub mod activity;
pub mod decide;
pub mod feed;
pub mod intake;
pub mod metrics;
pub mod occasion;
pub mod resolve;
#[cfg(test)]
mod simulated;
pub mod start;
pub mod tell;
pub mod unusable;
pub mod view;
pub mod workflow;
#[cfg(test)]
mod world;
