//! The domain that receiver, intake, worker and operator agree on.
//!
//! What an event is ([`event`]), which pipelines want it ([`matching`]), what a run will do ([`plan`]), how that
//! is authenticated ([`seal`]), what everything is called ([`names`], [`results`]), what a run reports
//! ([`run`], [`decision`]) and what is kept of a delivery that is none ([`unusable`]). No Kubernetes, no HTTP, no Temporal: all of it is pure and tested in milliseconds.

#![forbid(unsafe_code)]

pub mod decision;
pub mod event;
pub mod matching;
pub mod names;
pub mod payload;
pub mod plan;
pub mod results;
pub mod run;
pub mod seal;
pub mod template;
pub mod unusable;
