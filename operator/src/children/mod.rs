//! Child objects: what both kinds label, own and apply alike, and pods that pass PodSecurity `restricted`.

pub mod apply;
pub mod fastio_files;
pub mod labels;
pub mod mounts;
pub mod owner;
pub mod pods;
pub mod prune;
pub mod rollout;

pub use labels::SELECTOR;
