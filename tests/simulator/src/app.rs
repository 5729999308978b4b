//! What every handler shares.

use std::{ops::Deref, sync::Arc};

use crate::{
    Settings,
    api::upload::ChunkSlots,
    calls::Calls,
    faults::Faults,
    limits::RateLimits,
    store::{OpenError, Store},
    tokens::Tokens,
};

/// A handle on the one simulator of a process.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

/// The parts behind the handle.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) limits: RateLimits,
    pub(crate) chunk_slots: ChunkSlots,
}

impl App {
    pub(crate) fn open(settings: Settings) -> Result<Self, OpenError> {
        let store = Store::open(&settings.data)?;
        let tokens = Tokens::new(store.secret("download tokens")?);
        Ok(Self(Arc::new(Inner {
            limits: RateLimits::new(settings.rate_limit, settings.limit_expires),
            settings,
            store,
            tokens,
            faults: Faults::default(),
            calls: Calls::default(),
            chunk_slots: ChunkSlots::default(),
        })))
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
