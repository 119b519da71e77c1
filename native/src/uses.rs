//! Lists of used references, encoded, and the chain over them: each hashed with those before it.

use crate::msgpack::{Reader, Writer};
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sha2::{Digest, Sha256};

import_exception!(tallystick.accel.errors, NotUses);

/// Up to so many bytes of references Python's lock is kept: to get it back may take longer.
const FEW_BYTES: usize = 800;

/// A used reference: sender, reference, transaction id.
pub type Use<'a> = (&'a str, &'a str, &'a [u8]);

/// The references of a list; `None` when it is none.
fn read(encoded: &[u8]) -> Option<Vec<Use<'_>>> {
    let mut reader = Reader(encoded);
    let count = reader.array()?;
    let mut found = Vec::with_capacity(count.min(encoded.len()));
    for _ in 0..count {
        if reader.array()? != 3 {
            return None;
        }
        found.push((reader.text()?, reader.text()?, reader.bytes()?));
    }
    reader.0.is_empty().then_some(found)
}

/// Do something with the references of a list, without Python's lock when they are many.
pub fn with_uses<T: Send>(
    py: Python<'_>,
    encoded: &[u8],
    work: impl FnOnce(&[Use<'_>]) -> T + Send,
) -> PyResult<T> {
    let all = || read(encoded).map(|uses| work(&uses));
    let done = if encoded.len() <= FEW_BYTES {
        all()
    } else {
        py.detach(all)
    };
    done.ok_or_else(|| NotUses::new_err(()))
}

/// The hash that a list of used references has after these: each hashed with the one before it.
#[pyfunction]
fn chained<'py>(py: Python<'py>, running: &[u8], uses: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let found = with_uses(py, uses, |read| {
        let mut running = running.to_vec();
        let mut scratch = Writer::default();
        for (sender, reference, id) in read {
            scratch.0.clear();
            scratch.0.extend_from_slice(&running);
            scratch.array(3);
            scratch.text(sender);
            scratch.text(reference);
            scratch.bytes(id);
            running.clear();
            running.extend_from_slice(&Sha256::digest(&scratch.0));
        }
        running
    })?;
    Ok(PyBytes::new(py, &found))
}

/// Put the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(chained, module)?)
}
