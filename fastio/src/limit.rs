//! Rate limits: one limiter for each key in a process, led by what the replies say.
//!
//! No general numbers are published, and other processes may use the same key. So nothing is configured and nobody is
//! asked: the headers of every reply tell of one period what all users of the key have left in it together.
//!
//! - **Classes.** Calls by token, the event search and all the rest are counted apart ([`limiter`]). A 429 stops its class
//!   until the moment that it names; a 429 of the rest stops all three.
//! - **Periods.** A [`window`] is one period of a limit: its number of calls, what is left of them, its end, and the
//!   operations whose replies have told of it. It holds those operations and no others, so that an endpoint with tighter
//!   numbers of its own slows no other one down. Which period a reply is about is read from its number of calls and from
//!   how far its end is away ([`window::Window::tells_of`] and what follows there).
//! - **Counting.** What is left is what a reply says, less our calls under way that the service may not have counted yet:
//!   those of the last two seconds ([`lane`]). Each call of ours takes one more off.
//! - **Pausing.** Nothing left: the next call is at the end of the period. In the last quarter of its calls, what is left of
//!   them is spread over what is left of the time, less the share that others seem to take (how much more the count fell than
//!   by our own calls).
//! - **Guessing.** The first call after the end of a period begins the next one by a guess: the same number and length, and
//!   of the calls our share. A guess that no reply has confirmed by its own end is forgotten: that limit is gone, or is not
//!   what the replies tell about any more.
//!
//! So a pause ends, without any reply, with a moment that a reply has told (spread over a second after a 429, so that processes
//! do not return together), or at most one length of a period after it began.

mod headers;
mod lane;
mod limiter;
mod registry;
mod window;

pub(crate) use headers::{UNTOLD_PAUSE, retry_at};
pub(crate) use limiter::{Limiter, Permit};
pub(crate) use registry::limiter_of;
