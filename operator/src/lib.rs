//! The operator: reconciles [`fastio_crds::FastioWebhook`] and [`fastio_crds::FilePipeline`].
//!
//! One folder per kind, and in it one file per step, with the same names in both:
//!
//! | step | does | needs clients |
//! |---|---|---|
//! | `observe` | fetches everything that the decision needs | yes |
//! | `validate` | spec and what was observed → a value that cannot be wrong | no |
//! | `delivery` | (webhooks) what was found → whether events are pushed, pulled or both | no |
//! | `build` | → every child object, in one struct | no |
//! | `apply` | server-side apply of the children, and removal of those that are not wanted any more | yes |
//! | `status` | conditions from what was applied and seen, and one write | the write |
//! | `cleanup` | what deletion needs; never blocked by an invalid spec | yes |
//!
//! `mod.rs` of each folder is the driver. [`runtime`] keeps the controllers alive whatever one object does, [`children`]
//! is what both kinds do with their child objects.

#![forbid(unsafe_code)]

pub mod children;
pub mod config;
pub mod connection;
pub mod context;
pub mod keys;
pub mod pipeline;
pub mod problem;
pub mod raw;
pub mod root_key;
pub mod run;
pub mod runtime;
pub mod secrets;
pub mod status;
pub mod temporal;
pub mod webhook;

#[cfg(test)]
mod fakes;

/// Field manager of every child object.
pub const CHILDREN_MANAGER: &str = "fastio-operator";

/// Field manager of the status of our own kinds.
pub const STATUS_MANAGER: &str = "fastio-operator-status";

/// Field manager of the finalizer of our own kinds.
pub const FINALIZER_MANAGER: &str = "fastio-operator-finalizer";

/// Holds an object until what it left outside of Kubernetes is put in order.
pub const FINALIZER: &str = "pipelines.fast.io/cleanup";
