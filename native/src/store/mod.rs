//! The state store on disk, over the crate `lsm-tree`: written and read without Python's lock.
//!
//! `src/tallystick/store/lsm.py` is the face of it and says what holds. Here are the two classes
//! that it uses: the store, and a scan on its way. A block's changes are handed over as they are,
//! two dicts; their bytes are borrowed while the lock is given back.

use std::sync::Arc;

use crate::beside::beside;
use pyo3::exceptions::{PyBlockingIOError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

mod core;
mod failure;
mod folder;
mod pins;
mod work;

use self::core::{Core, Pair, Row, SIDE, STATE};
use self::failure::{guarded, Failure};
use self::pins::Pin;

/// Put the classes of the store into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LsmStore>()?;
    module.add_class::<LsmReader>()?;
    module.add_class::<LsmScan>()
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Io(Some(number), words) => PyOSError::new_err((number, words)),
            Failure::Io(None, words) => PyOSError::new_err(words),
            Failure::Damaged(words) => PyValueError::new_err(words),
            Failure::InUse => PyBlockingIOError::new_err("another process has it"),
            Failure::Closed => PyRuntimeError::new_err("closed"),
        }
    }
}

/// Keys and values of a batch, kept alive while their bytes are borrowed.
type Held<'py> = Vec<(u8, Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>)>;

fn hold<'py>(held: &mut Held<'py>, space: u8, changes: &Bound<'py, PyDict>) -> PyResult<()> {
    for (key, value) in changes.iter() {
        let value = if value.is_none() {
            None
        } else {
            Some(value.cast_into::<PyBytes>()?)
        };
        held.push((space, key.cast_into::<PyBytes>()?, value));
    }
    Ok(())
}

fn rows<'a>(held: &'a Held<'_>) -> Vec<Row<'a>> {
    held.iter()
        .map(|(space, key, value)| {
            let value = value.as_ref().map(|value| value.as_bytes());
            (*space, key.as_bytes(), value)
        })
        .collect()
}

/// The newest state, and the way to the next one.
#[pyclass(frozen)]
pub struct LsmStore {
    core: Arc<Core>,
}

#[pymethods]
impl LsmStore {
    /// Open the store in a folder; what a filling left that was cut short is removed.
    #[new]
    fn new(py: Python<'_>, path: &str, read_only: bool) -> PyResult<Self> {
        Ok(Self {
            core: py.detach(|| guarded(|| Core::open(path, read_only)))?,
        })
    }

    /// Height of the last batch applied.
    fn height(&self) -> PyResult<u64> {
        Ok(guarded(|| self.core.height())?)
    }

    /// Write a batch and the height after it, all or nothing.
    fn apply(
        &self,
        py: Python<'_>,
        height: u64,
        changes: &Bound<'_, PyDict>,
        side: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let mut held = Vec::with_capacity(changes.len() + side.len());
        hold(&mut held, STATE, changes)?;
        hold(&mut held, SIDE, side)?;
        let mut rows = rows(&held);
        Ok(beside(py, || {
            guarded(|| self.core.apply(Some(height), &mut rows))
        })?)
    }

    /// Empty the store, and mark it as being filled.
    fn begin_filling(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| guarded(|| self.core.begin_filling()))?)
    }

    /// Write a batch of a filling.
    fn fill(
        &self,
        py: Python<'_>,
        changes: &Bound<'_, PyDict>,
        side: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let mut held = Vec::with_capacity(changes.len() + side.len());
        hold(&mut held, STATE, changes)?;
        hold(&mut held, SIDE, side)?;
        let mut rows = rows(&held);
        Ok(py.detach(|| guarded(|| self.core.apply(None, &mut rows)))?)
    }

    /// Let what was filled count, at a height, durably.
    fn end_filling(&self, py: Python<'_>, height: u64) -> PyResult<()> {
        Ok(py.detach(|| guarded(|| self.core.end_filling(height)))?)
    }

    /// Make all that was applied durable.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| guarded(|| self.core.checkpoint()))?)
    }

    /// Begin to make durable what was applied.
    fn checkpoint_soon(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| guarded(|| self.core.checkpoint_soon()))?)
    }

    /// Value of a key. The lock is kept: giving it back costs more than a read mostly does.
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &[u8],
        is_side: bool,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let found = guarded(|| self.core.get(&self.core.pin()?, space(is_side), key))?;
        Ok(found.map(|value| PyBytes::new(py, &value)))
    }

    /// Values of keys of the state, read without the lock.
    fn get_many<'py>(
        &self,
        py: Python<'py>,
        keys: Vec<Bound<'py, PyBytes>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let asked: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
        let found = py.detach(|| guarded(|| self.core.get_many(&self.core.pin()?, &asked)))?;
        let values = found
            .iter()
            .map(|value| value.as_ref().map(|value| PyBytes::new(py, value)));
        PyList::new(py, values.collect::<Vec<_>>())
    }

    /// A reader of the present height.
    fn reader(&self) -> PyResult<LsmReader> {
        let pin = guarded(|| self.core.pin())?;
        Ok(LsmReader {
            core: self.core.clone(),
            pin,
        })
    }

    /// What is going on inside: tables of each level, bytes of memtables.
    fn shape(&self) -> PyResult<(Vec<usize>, u64)> {
        Ok(guarded(|| self.core.shape())?)
    }

    /// Make everything durable and let go of the files.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| guarded(|| self.core.close()))?)
    }
}

/// The state of one height; what it shows stays as long as it is there.
#[pyclass(frozen)]
pub struct LsmReader {
    core: Arc<Core>,
    pin: Pin,
}

#[pymethods]
impl LsmReader {
    /// Height of this state.
    fn height(&self) -> PyResult<u64> {
        Ok(guarded(|| self.core.height_at(&self.pin))?)
    }

    /// Value of a key. The lock is kept: giving it back costs more than a read mostly does.
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &[u8],
        is_side: bool,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let found = guarded(|| self.core.get(&self.pin, space(is_side), key))?;
        Ok(found.map(|value| PyBytes::new(py, &value)))
    }

    /// Pairs with a prefix, from `start` on. Without the lock: to begin may mean to wait for a list
    /// of tables that is being made durable.
    fn scan(
        &self,
        py: Python<'_>,
        prefix: &[u8],
        start: &[u8],
        is_side: bool,
    ) -> PyResult<LsmScan> {
        let space = space(is_side);
        let number = py.detach(|| guarded(|| self.core.scan(&self.pin, space, prefix, start)))?;
        Ok(LsmScan {
            core: self.core.clone(),
            number,
        })
    }
}

/// A scan on its way; it shows the state of the height at which it was asked for.
#[pyclass(frozen)]
pub struct LsmScan {
    core: Arc<Core>,
    number: u64,
}

impl Drop for LsmScan {
    fn drop(&mut self) {
        self.core.end_scan(self.number);
    }
}

#[pymethods]
impl LsmScan {
    /// The next pairs, `count` at most; fewer only at the end.
    fn take<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyList>> {
        let pairs = self.pairs(py, count)?;
        let made = pairs.iter().map(|(key, value)| {
            let pair = [PyBytes::new(py, &key[1..]), PyBytes::new(py, value)];
            PyTuple::new(py, pair)
        });
        PyList::new(py, made.collect::<PyResult<Vec<_>>>()?)
    }
}

impl LsmScan {
    fn pairs(&self, py: Python<'_>, count: usize) -> PyResult<Vec<Pair>> {
        Ok(py.detach(|| guarded(|| self.core.advance(self.number, count)))?)
    }
}

fn space(is_side: bool) -> u8 {
    if is_side {
        SIDE
    } else {
        STATE
    }
}
