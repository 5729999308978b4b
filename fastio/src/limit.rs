//! Rate limits: one limiter for each key in a process, led by what the replies say.
//!
//! No general numbers are published, and other processes may use the same key. So nothing is configured and nobody is
//! asked: the headers of every reply tell what all users of the key have left together. A limiter
//!
//! - makes no call before the moment that a 429 names, or that ends a period which is used up;
//! - slows down in the last quarter of a period: what is left of the calls is spread over what is left of the time,
//!   less the share that others seem to take (how much more the count fell than by our own calls).
//!
//! Endpoints with numbers of their own are counted on their own.

mod headers;
mod limiter;
mod registry;
mod window;

pub(crate) use headers::{UNTOLD_PAUSE, retry_at};
pub(crate) use limiter::Limiter;
pub(crate) use registry::limiter_of;
