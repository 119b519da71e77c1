//! The chain over used references: each hashed with the hash of those before it.

use crate::beside::beside;
use crate::msgpack::Writer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sha2::{Digest, Sha256};

/// Up to so many references Python's lock is kept: to get it back may take longer.
const FEW: usize = 8;

/// A used reference as Python has it: sender, reference, transaction id.
type Use<'py> = (
    Bound<'py, PyString>,
    Bound<'py, PyString>,
    Bound<'py, PyBytes>,
);

/// The hash that a list of used references has after these: each hashed with the one before it.
#[pyfunction]
fn chained<'py>(
    py: Python<'py>,
    running: &[u8],
    uses: Vec<Use<'py>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut read = Vec::with_capacity(uses.len());
    for (sender, reference, id) in &uses {
        read.push((sender.to_str()?, reference.to_str()?, id.as_bytes()));
    }
    let work = || {
        let mut running = running.to_vec();
        let mut scratch = Writer::default();
        for (sender, reference, id) in &read {
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
    };
    let found = if read.len() <= FEW {
        work()
    } else {
        beside(py, work)
    };
    Ok(PyBytes::new(py, &found))
}

/// Put the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(chained, module)?)
}
