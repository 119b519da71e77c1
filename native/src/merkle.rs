//! The root over a list: the simple Merkle tree of RFC 6962, as CometBFT uses it.

use crate::beside::beside;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// Up to so many bytes Python's lock is kept: to get it back may take longer than the work.
const FEW_BYTES: usize = 16 << 10;

/// Root over hashes of leaves, in order.
pub fn root(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        let pairs = level.chunks(2).map(|pair| match pair {
            [left, right] => inner(left, right),
            odd => odd[0], // an odd last one moves up, as RFC 6962 splits
        });
        level = pairs.collect();
    }
    level.pop().unwrap_or_else(|| Sha256::digest(b"").into())
}

/// Hash of a leaf.
pub fn leaf(data: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(data);
    hash.finalize().into()
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// Root over leaves, in order; SHA-256 of nothing if there are none.
#[pyfunction]
fn merkle_root<'py>(leaves: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = leaves.py();
    let mut data = Vec::new();
    let mut ends = Vec::new();
    for leaf in leaves.try_iter()? {
        let leaf = leaf?;
        data.push(0);
        data.extend_from_slice(leaf.cast::<PyBytes>()?.as_bytes());
        ends.push(data.len());
    }
    let work = || {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let hashes = starts
            .zip(&ends)
            .map(|(from, &to)| Sha256::digest(&data[from..to]).into());
        root(hashes.collect())
    };
    let found = if data.len() <= FEW_BYTES {
        work()
    } else {
        beside(py, work)
    };
    Ok(PyBytes::new(py, &found))
}

/// Put the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(merkle_root, module)?)
}
