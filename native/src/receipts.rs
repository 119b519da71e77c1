//! Receipts of what was accepted, and the chain over used references: encoded and hashed at once.
//!
//! Both are MessagePack as `values/codec.py` writes it: each number in its shortest form, fields in
//! their order, those without anything to say left out (`ledger/receipt.py`, `ledger/execute.py`).

use crate::beside::beside;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use sha2::{Digest, Sha256};

/// A SHA-256.
type Hash = [u8; 32];

/// Up to so many pieces of work Python's lock is kept: to get it back may take longer.
const FEW: usize = 8;

/// What is written, piece by piece.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    /// The head of something of so many parts: of one byte if `least` offers it, else of the first
    /// of `wider` whose 1, 2 or 4 bytes of length are enough. A work budget ends far below four.
    fn head(&mut self, length: usize, least: Option<(u8, usize)>, wider: [Option<u8>; 3]) {
        if let Some((first, most)) = least {
            if length <= most {
                self.0.push(first | length.to_be_bytes()[7]);
                return;
            }
        }
        let [.., fourth, third, second, last] = length.to_be_bytes();
        match wider {
            [Some(one), _, _] if length < 1 << 8 => self.0.extend([one, last]),
            [_, Some(two), _] if length < 1 << 16 => self.0.extend([two, second, last]),
            [_, _, four] => {
                self.0.extend(four);
                self.0.extend([fourth, third, second, last]);
            }
        }
    }

    fn array(&mut self, length: usize) {
        self.head(length, Some((0x90, 15)), [None, Some(0xdc), Some(0xdd)]);
    }

    fn text(&mut self, text: &str) {
        self.head(
            text.len(),
            Some((0xa0, 31)),
            [Some(0xd9), Some(0xda), Some(0xdb)],
        );
        self.0.extend_from_slice(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.head(bytes.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)]);
        self.0.extend_from_slice(bytes);
    }

    fn nothing(&mut self) {
        self.0.push(0xc0);
    }
}

/// What was accepted: its id, the ids that it made, and what it changed.
type Accepted<'a> = (&'a [u8], Vec<&'a str>, Vec<(&'a [u8], Option<&'a [u8]>)>);

/// The receipt of one; `scratch` is written over.
fn receipt(accepted: &Accepted<'_>, scratch: &mut Writer) -> Vec<u8> {
    let (id, ids, changes) = accepted;
    let fields = 2 + u8::from(!ids.is_empty()) + u8::from(!changes.is_empty());
    let mut made = Writer(Vec::with_capacity(128));
    made.0.push(0x80 | fields);
    made.text("outcome");
    made.text("accepted");
    made.text("transaction_id");
    made.bytes(id);
    if !ids.is_empty() {
        made.text("ids");
        made.array(ids.len());
        ids.iter().for_each(|each| made.text(each));
    }
    if !changes.is_empty() {
        made.text("changes_hash");
        made.bytes(&hash_of_changes(changes, scratch));
    }
    made.0
}

/// SHA-256 of the array of `[key, after]`.
fn hash_of_changes(changes: &[(&[u8], Option<&[u8]>)], scratch: &mut Writer) -> Hash {
    scratch.0.clear();
    scratch.array(changes.len());
    for (key, after) in changes {
        scratch.array(2);
        scratch.bytes(key);
        match after {
            Some(after) => scratch.bytes(after),
            None => scratch.nothing(),
        }
    }
    Sha256::digest(&scratch.0).into()
}

/// One change as Python has it.
type Change<'py> = (Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);
/// What was accepted, as Python has it.
type Given<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyTuple>,
    Bound<'py, PyTuple>,
);

/// Encoded receipts of what was accepted: of each its id, the ids that it made, and its changes.
#[pyfunction]
fn accepted_receipts<'py>(
    py: Python<'py>,
    done: Vec<Given<'py>>,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let mut held: Vec<(Vec<Bound<'py, PyString>>, Vec<Change<'py>>)> = Vec::new();
    for (_, ids, changes) in &done {
        let ids = ids.iter().map(|each| Ok(each.cast_into()?));
        let changes = changes.iter().map(|each| each.extract());
        held.push((
            ids.collect::<PyResult<_>>()?,
            changes.collect::<PyResult<_>>()?,
        ));
    }
    let mut read: Vec<Accepted<'_>> = Vec::with_capacity(done.len());
    for ((id, ..), (ids, changes)) in done.iter().zip(&held) {
        let ids = ids.iter().map(|each| each.to_str());
        let changes = changes.iter().map(|(key, after)| {
            let after = after.as_ref().map(|bytes| bytes.as_bytes());
            (key.as_bytes(), after)
        });
        read.push((
            id.as_bytes(),
            ids.collect::<PyResult<_>>()?,
            changes.collect(),
        ));
    }
    let work = || {
        let mut scratch = Writer::default();
        let made = read.iter().map(|each| receipt(each, &mut scratch));
        made.collect::<Vec<_>>()
    };
    let made = if read.len() <= FEW {
        work()
    } else {
        beside(py, work)
    };
    Ok(made.iter().map(|each| PyBytes::new(py, each)).collect())
}

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

/// Put the functions into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(accepted_receipts, module)?)?;
    module.add_function(wrap_pyfunction!(chained, module)?)
}
