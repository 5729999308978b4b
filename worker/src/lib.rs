//! Runs `FilePipeline` workflows.
//!
//! One binary, two roles in the two containers of a worker pod: `transfer` holds the Fast.io key and moves bytes,
//! `steps` touches the content of files and holds no key. [`workflow`] decides, [`activities`] translate, and the
//! engines in [`transfer`], [`steps`] and [`scratch`] do the work and know nothing of Temporal.

#![forbid(unsafe_code)]

pub mod activities;
pub mod failure;
pub mod metrics;
pub mod plan_key;
pub mod role;
pub mod scratch;
pub mod steps;
pub mod transfer;
pub mod workflow;

#[cfg(test)]
mod world;
