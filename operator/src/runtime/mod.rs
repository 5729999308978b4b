//! What keeps the controllers alive, whatever one object or one watch does.
//!
//! The runtime of kube 5 does none of this by itself: a panic of one reconcile ends the whole controller, one object that
//! cannot be parsed blocks the list, all watches share one backoff, and a failing object is tried again at a fixed pace.

pub mod backoff;
pub mod driver;
pub mod events;
pub mod finalizer;
pub mod metrics;
pub mod watch;

pub use driver::{Next, Reconciler};
