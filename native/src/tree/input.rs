//! What Python hands in: pairs of hashes, or of keys and records that are hashed here.

use crate::beside::beside;
use pyo3::exceptions::PyOverflowError;
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::changes::{Change, Gathered};
use super::hash::{sha256, Hash};

import_exception!(tallystick.accel.errors, WrongLength);

/// Bytes of keys and records that are hashed at once, without Python's lock.
const BUFFER_BYTES: usize = 4 << 20;
/// Up to so many bytes the lock is kept: to get it back may take longer than the work.
const FEW_BYTES: usize = 16 << 10;

/// A pair of bytes, or of bytes and None.
type Pair<'py> = (Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);

/// A hash that Python hands in.
pub fn hash_from(given: &Bound<'_, PyBytes>) -> PyResult<Hash> {
    let hash = given.as_bytes().try_into();
    hash.map_err(|_| WrongLength::new_err(given.clone().unbind()))
}

/// A whole number that Python hands in; nothing when it is larger than any that counts here.
pub fn number_from(given: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    match given.extract() {
        Ok(number) => Ok(Some(number)),
        Err(problem) if problem.is_instance_of::<PyOverflowError>(given.py()) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Changes from pairs (key hash, record hash or None).
pub fn changes_from(pairs: &Bound<'_, PyAny>) -> PyResult<Gathered> {
    let mut gathered = Gathered::default();
    for pair in pairs.try_iter()? {
        let (key, record): Pair<'_> = pair?.extract()?;
        gathered.push(Change {
            key: hash_from(&key)?,
            record: record.as_ref().map(hash_from).transpose()?,
        });
    }
    Ok(gathered)
}

/// Keys and records on their way to be hashed.
#[derive(Default)]
struct Buffer {
    data: Vec<u8>,
    lengths: Vec<(usize, Option<usize>)>,
}

impl Buffer {
    fn push(&mut self, key: &[u8], record: Option<&[u8]>) {
        self.data.extend_from_slice(key);
        self.data.extend_from_slice(record.unwrap_or_default());
        self.lengths.push((key.len(), record.map(<[u8]>::len)));
    }

    fn hash_into(&mut self, gathered: &mut Gathered) {
        let mut rest = self.data.as_slice();
        let mut next = |length| {
            let (data, after) = rest.split_at(length);
            rest = after;
            sha256(data)
        };
        for (key, record) in self.lengths.drain(..) {
            let key = next(key);
            let record = record.map(&mut next);
            gathered.push(Change { key, record });
        }
        self.data.clear();
    }
}

/// Changes from pairs (key, record or None).
pub fn changes_from_records(pairs: &Bound<'_, PyAny>) -> PyResult<Gathered> {
    let py = pairs.py();
    let mut gathered = Gathered::default();
    let mut buffer = Buffer::default();
    for pair in pairs.try_iter()? {
        let (key, record): Pair<'_> = pair?.extract()?;
        buffer.push(
            key.as_bytes(),
            record.as_ref().map(|record| record.as_bytes()),
        );
        if buffer.data.len() >= BUFFER_BYTES {
            beside(py, || buffer.hash_into(&mut gathered));
        }
    }
    if buffer.data.len() <= FEW_BYTES {
        buffer.hash_into(&mut gathered);
    } else {
        beside(py, || buffer.hash_into(&mut gathered));
    }
    Ok(gathered)
}
