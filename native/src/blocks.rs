//! A block that was executed: its receipts and their root, and its entry in the log.
//!
//! `accel/blocks.py` says the same in Python. What is written is what `ledger/receipt.py` and
//! `ledger/block.py` say: fields in their order, those without anything to say left out.

use crate::beside::beside;
use crate::merkle::{leaf, root, Hash};
use crate::msgpack::Writer;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use sha2::{Digest, Sha256};

/// Up to so many pieces of work Python's lock is kept: to get it back may take longer.
const FEW: usize = 8;

/// How a field of bytes begins in a key, and one that is a number.
const BYTES_FIELD: u8 = 1;
const INT_FIELD: u8 = 3;

/// A tuple that another one holds.
type Inner<'a, 'py> = Borrowed<'a, 'py, PyTuple>;

/// What there is of a receipt.
enum Told<'a> {
    /// All of it.
    Encoded(&'a [u8]),
    /// Id of a transaction that was accepted, and how many of the ids made are its own.
    Accepted(&'a [u8], usize),
}

/// What was executed: what there is of its receipt, and how many of the changes are its own.
type Done<'a> = (Told<'a>, usize);

/// A block as Python has it, borrowed.
#[derive(Default)]
struct Given<'a> {
    done: Vec<Done<'a>>,
    /// Ids made, of one after the other.
    made: Vec<&'a str>,
    /// Keys and what is under them now, of one after the other.
    changes: Vec<(&'a [u8], Option<&'a [u8]>)>,
    ids: Vec<&'a [u8]>,
    raws: Vec<&'a [u8]>,
}

/// What the log keeps of a block, encoded.
#[pyclass(frozen)]
pub struct SealedBlock {
    transactions: Vec<u8>,
    receipts: Vec<u8>,
    /// Where each receipt begins, and where the last one ends.
    places: Vec<usize>,
    changes: Vec<u8>,
    /// Of what was accepted: at which place, and the id, one after the other.
    accepted: Vec<(usize, Vec<u8>)>,
    receipts_root: Hash,
    ids_root: Hash,
    /// Bytes of transactions, receipts, and keys and records of changes.
    size: usize,
}

fn encoded(given: &Given<'_>) -> SealedBlock {
    let size = given.raws.iter().map(|raw| raw.len() + 5).sum::<usize>();
    let mut transactions = Writer(Vec::with_capacity(size + 5));
    if !given.raws.is_empty() {
        transactions.text("transactions");
        transactions.array(given.raws.len());
        given.raws.iter().for_each(|raw| transactions.bytes(raw));
    }
    let count = given.done.len();
    let mut receipts = Writer(Vec::with_capacity(count * 160));
    let mut changes = Writer(Vec::with_capacity(count * 400));
    if count > 0 {
        receipts.text("receipts");
        receipts.array(count);
        changes.text("changes");
        changes.array(count);
    }
    let mut places = vec![receipts.0.len()];
    let mut leaves = Vec::with_capacity(count);
    let mut accepted = Vec::with_capacity(count);
    let (mut made, mut changed) = (given.made.iter(), given.changes.iter());
    for (at, (told, own)) in given.done.iter().enumerate() {
        let begin = changes.0.len();
        changes.array(*own);
        for (key, after) in changed.by_ref().take(*own) {
            changes.array(2);
            changes.bytes(key);
            match after {
                Some(after) => changes.bytes(after),
                None => changes.nothing(),
            }
        }
        let place = receipts.0.len();
        match told {
            Told::Encoded(receipt) => receipts.0.extend_from_slice(receipt),
            Told::Accepted(id, ids) => {
                accepted.push((at, id.to_vec()));
                let fields = 2 + u8::from(*ids > 0) + u8::from(*own > 0);
                receipts.0.push(0x80 | fields);
                receipts.text("outcome");
                receipts.text("accepted");
                receipts.text("transaction_id");
                receipts.bytes(id);
                if *ids > 0 {
                    receipts.text("ids");
                    receipts.array(*ids);
                    made.by_ref().take(*ids).for_each(|id| receipts.text(id));
                }
                if *own > 0 {
                    receipts.text("changes_hash");
                    receipts.bytes(&Sha256::digest(&changes.0[begin..]));
                }
            }
        }
        places.push(receipts.0.len());
        leaves.push(leaf(&receipts.0[place..]));
    }
    let sizes = [
        given.raws.iter().map(|raw| raw.len()).sum(),
        receipts.0.len() - places[0],
        given
            .changes
            .iter()
            .map(|(key, after)| key.len() + after.map_or(0, <[u8]>::len))
            .sum(),
    ];
    SealedBlock {
        size: sizes.iter().sum(),
        transactions: transactions.0,
        receipts: receipts.0,
        places,
        changes: changes.0,
        accepted,
        receipts_root: root(leaves),
        ids_root: root(given.ids.iter().map(|id| leaf(id)).collect()),
    }
}

/// The tuples of a tuple.
fn tuples<'a, 'py>(
    given: impl Iterator<Item = Borrowed<'a, 'py, PyAny>>,
) -> PyResult<Vec<Inner<'a, 'py>>>
where
    'py: 'a,
{
    given.map(|each| Ok(each.cast::<PyTuple>()?)).collect()
}

/// The byte strings of a tuple.
fn strings<'a>(given: &'a Bound<'_, PyTuple>) -> PyResult<Vec<&'a [u8]>> {
    let read = given.iter_borrowed().map(|each| Ok(each.extract()?));
    read.collect()
}

/// Receipts, roots and lists of a block: of what was executed, each either what was accepted (the
/// transaction's id, the ids that it made, its changes) or a receipt and its changes; then ids and
/// bytes of the block's transactions.
#[pyfunction]
fn seal_block<'py>(
    py: Python<'py>,
    done: &Bound<'py, PyTuple>,
    ids: &Bound<'py, PyTuple>,
    raws: &Bound<'py, PyTuple>,
) -> PyResult<SealedBlock> {
    let done = tuples(done.iter_borrowed())?;
    let mut given = Given {
        done: Vec::with_capacity(done.len()),
        ids: strings(ids)?,
        raws: strings(raws)?,
        ..Given::default()
    };
    let mut lists = Vec::with_capacity(done.len());
    for each in &done {
        let length = each.len();
        if !(2..=3).contains(&length) {
            return Err(PyTypeError::new_err(
                "what was executed is told in 2 or 3 parts",
            ));
        }
        lists.push((
            each.get_borrowed_item(length - 2)?,
            each.get_borrowed_item(length - 1)?.cast::<PyTuple>()?,
        ));
    }
    let mut pairs = Vec::with_capacity(done.len() * 2);
    for (each, (middle, changes)) in done.iter().zip(&lists) {
        let told = if each.len() == 2 {
            Told::Encoded(middle.extract()?)
        } else {
            Told::Accepted(
                each.get_borrowed_item(0)?.extract()?,
                middle.cast::<PyTuple>()?.len(),
            )
        };
        given.done.push((told, changes.len()));
        for pair in changes.iter_borrowed() {
            pairs.push(pair.cast::<PyTuple>()?);
        }
    }
    let made = lists.iter().zip(&done).filter(|(_, each)| each.len() == 3);
    let made = tuples(made.map(|((middle, _), _)| *middle))?;
    for ids in &made {
        for id in ids.iter_borrowed() {
            given.made.push(id.extract()?);
        }
    }
    for pair in &pairs {
        let after = pair.get_borrowed_item(1)?;
        let after = if after.is_none() {
            None
        } else {
            Some(after.extract()?)
        };
        given
            .changes
            .push((pair.get_borrowed_item(0)?.extract()?, after));
    }
    let work = || encoded(&given);
    Ok(if given.done.len() <= FEW {
        work()
    } else {
        beside(py, work)
    })
}

#[pymethods]
impl SealedBlock {
    /// Root over the receipts.
    #[getter]
    fn receipts_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.receipts_root)
    }

    /// Root over the ids of the transactions.
    #[getter]
    fn ids_root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.ids_root)
    }

    /// Bytes of transactions, receipts, and keys and records of changes, without their heads.
    #[getter]
    fn size(&self) -> usize {
        self.size
    }

    /// One receipt, encoded.
    fn receipt<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyBytes>> {
        let around = (self.places.get(place), self.places.get(place + 1));
        let (Some(&from), Some(&to)) = around else {
            return Err(PyIndexError::new_err("there is no such receipt"));
        };
        Ok(PyBytes::new(py, &self.receipts[from..to]))
    }

    /// Where receipts of what was accepted stand: key (`prefix`, then the id as a field) to `block`
    /// and the place as a field; `values/keys.py` says how fields are written.
    fn places<'py>(
        &self,
        py: Python<'py>,
        prefix: &[u8],
        block: &[u8],
    ) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        let (mut key, mut place) = (Vec::new(), Vec::new());
        for (at, id) in &self.accepted {
            key.clear();
            key.extend_from_slice(prefix);
            key.push(BYTES_FIELD);
            for byte in id {
                key.push(*byte);
                if *byte == 0 {
                    key.push(0xff);
                }
            }
            key.extend_from_slice(&[0, 1]);
            place.clear();
            place.extend_from_slice(block);
            place.push(INT_FIELD);
            place.extend_from_slice(&(*at as u64 | 1 << 63).to_be_bytes());
            found.set_item(PyBytes::new(py, &key), PyBytes::new(py, &place))?;
        }
        Ok(found)
    }

    /// The block's entry: what stands before its lists, they, and what stands after them.
    fn entry<'py>(
        &self,
        py: Python<'py>,
        head: &[u8],
        tail: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let lists: [&[u8]; 3] = [&self.transactions, &self.receipts, &self.changes];
        let parts = [head, lists[0], lists[1], lists[2], tail];
        let length = parts.iter().map(|part| part.len()).sum();
        PyBytes::new_with(py, length, |out| {
            beside(py, || {
                let mut place = 0;
                for part in parts {
                    out[place..place + part.len()].copy_from_slice(part);
                    place += part.len();
                }
            });
            Ok(())
        })
    }
}

/// Put function and class into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SealedBlock>()?;
    module.add_function(wrap_pyfunction!(seal_block, module)?)
}
