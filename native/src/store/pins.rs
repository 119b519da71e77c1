//! Which states somebody may still look at: sequence numbers, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsm_tree::SeqNo;

/// The newest whole state, and the ones that are looked at. A reader at `n` sees what is below `n`.
#[derive(Default)]
pub struct Pins {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    visible: SeqNo,
    pinned: BTreeMap<SeqNo, usize>,
}

impl Pins {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on readers see everything below this number.
    pub fn publish(&self, visible: SeqNo) {
        let mut inner = self.lock();
        inner.visible = inner.visible.max(visible);
    }

    /// Hold the newest state.
    pub fn pin(self: &Arc<Self>) -> Pin {
        let mut inner = self.lock();
        let at = inner.visible;
        *inner.pinned.entry(at).or_default() += 1;
        Pin {
            at,
            pins: self.clone(),
        }
    }

    /// What is older than this nobody looks at, and nobody will.
    pub fn oldest(&self) -> SeqNo {
        let inner = self.lock();
        inner.pinned.keys().next().copied().unwrap_or(inner.visible)
    }
}

/// A state that is kept as long as this is there.
pub struct Pin {
    at: SeqNo,
    pins: Arc<Pins>,
}

impl Pin {
    /// What is below this number is seen.
    pub fn at(&self) -> SeqNo {
        self.at
    }
}

impl Clone for Pin {
    fn clone(&self) -> Self {
        *self.pins.lock().pinned.entry(self.at).or_default() += 1;
        Self {
            at: self.at,
            pins: self.pins.clone(),
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut inner = self.pins.lock();
        if let Some(count) = inner.pinned.get_mut(&self.at) {
            *count -= 1;
            if *count == 0 {
                inner.pinned.remove(&self.at);
            }
        }
    }
}
