//! Transactions whose signatures were found good: the newest of them, by the digest of all their
//! bytes.
//!
//! `accel/known.py` says the same in Python.

use crate::envelopes::OpenedBatch;
use pyo3::prelude::*;
use std::collections::HashSet;
use std::mem::take;
use std::sync::Mutex;

use crate::merkle::Hash;

/// Two generations of digests; the older one goes when the other is full.
pub struct Known {
    half: usize,
    good: HashSet<Hash>,
    older: HashSet<Hash>,
}

impl Known {
    /// Whether a digest was noted lately.
    pub fn has(&self, digest: &Hash) -> bool {
        self.good.contains(digest) || self.older.contains(digest)
    }

    /// Note digests, half of what may be kept at a time.
    pub fn note(&mut self, digests: impl Iterator<Item = Hash>) {
        let digests: Vec<Hash> = digests.collect();
        for part in digests.chunks(self.half) {
            if self.good.len() + part.len() > self.half {
                self.older = take(&mut self.good);
            }
            self.good.extend(part);
        }
    }
}

/// Good signatures, remembered.
#[pyclass(frozen)]
struct KnownGood {
    known: Mutex<Known>,
}

#[pymethods]
impl KnownGood {
    /// Of so many the newer half is remembered for certain.
    #[new]
    fn new(kept: usize) -> Self {
        Self {
            known: Mutex::new(Known {
                half: (kept / 2).max(1),
                good: HashSet::new(),
                older: HashSet::new(),
            }),
        }
    }

    /// Check some places of a batch but those that are known to be good: what `verify` says of each,
    /// how many were known, and how many signatures were checked.
    fn check(
        &self,
        py: Python<'_>,
        batch: &Bound<'_, OpenedBatch>,
        places: Vec<isize>,
    ) -> PyResult<(Vec<isize>, usize, usize)> {
        batch.get().check(py, &places, &self.known)
    }
}

/// Put the class into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<KnownGood>()
}
