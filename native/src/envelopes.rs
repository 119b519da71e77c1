//! Transactions as they travel: structure, hashes and signatures of many at once.
//!
//! An envelope is `[1, body, [[1, key, signature], …]]` in MessagePack. It has one encoding, so that
//! reading is comparing: whatever is written in any other way is not opened, and the caller's slow
//! path says what is wrong with it (`ledger/transaction.py`, docs/reference/formats.md).

use crate::beside::beside;
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use sha2::{Digest, Sha256};

use crate::signatures::{item, judge};

import_exception!(tallystick.accel.errors, NotOpened);

/// Largest transaction, in bytes.
const BYTES_MAX: usize = 65_536;
/// Most signatures on a transaction.
const SIGNATURES_MAX: usize = 32;
/// Array of three, format 1.
const HEAD: [u8; 2] = [0x93, 0x01];
/// Array of three, suite 1, 32 bytes follow: the key.
const KEY_HEAD: [u8; 4] = [0x93, 0x01, 0xc4, 32];
/// 64 bytes follow: the signature.
const SIGNATURE_HEAD: [u8; 2] = [0xc4, 64];
/// One signature with its key, encoded.
const SIGNED_BYTES: usize = 102;

/// Where the parts of one envelope are.
#[derive(Clone, Copy)]
struct Envelope<'a> {
    body: &'a [u8],
    /// `SIGNED_BYTES` for each signature.
    signed: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Read an envelope; `None` unless it is the one encoding of a whole one.
    fn read(raw: &'a [u8]) -> Option<Self> {
        if raw.len() > BYTES_MAX {
            return None;
        }
        let (length, rest) = body_length(raw.strip_prefix(&HEAD)?)?;
        let (body, rest) = rest.split_at_checked(length)?;
        let (count, signed) = count_of(rest)?;
        if signed.len() != count * SIGNED_BYTES {
            return None;
        }
        let envelope = Self { body, signed };
        let mut last: &[u8] = &[];
        for each in signed.chunks_exact(SIGNED_BYTES) {
            let key = &each[4..36];
            if each[..4] != KEY_HEAD || each[36..38] != SIGNATURE_HEAD || key <= last {
                return None;
            }
            last = key;
        }
        Some(envelope)
    }

    /// Key and signature of each, in order.
    fn signatures(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.signed
            .chunks_exact(SIGNED_BYTES)
            .map(|each| (&each[4..36], &each[38..]))
    }
}

/// Length of a byte string, written in the shortest way, and what follows.
fn body_length(raw: &[u8]) -> Option<(usize, &[u8])> {
    match *raw {
        [0xc4, length, ref rest @ ..] => Some((length.into(), rest)),
        [0xc5, high, low, ref rest @ ..] if high > 0 => {
            Some((u16::from_be_bytes([high, low]).into(), rest))
        }
        _ => None,
    }
}

/// Length of an array of 1 to 32, written in the shortest way, and what follows.
fn count_of(raw: &[u8]) -> Option<(usize, &[u8])> {
    match *raw {
        [head @ 0x91..=0x9f, ref rest @ ..] => Some((usize::from(head & 0x0f), rest)),
        [0xdc, 0, count, ref rest @ ..] if (16..=SIGNATURES_MAX).contains(&count.into()) => {
            Some((count.into(), rest))
        }
        _ => None,
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// What is inside one envelope.
#[pyclass(frozen, get_all, module = "tallystick_native")]
struct Opened {
    /// The encoded body.
    body: Py<PyBytes>,
    /// SHA-256 of domain and body.
    id: Py<PyBytes>,
    /// Public keys that signed, sorted.
    keys: Py<PyTuple>,
}

impl Opened {
    fn new(py: Python<'_>, envelope: Envelope<'_>, id: &[u8; 32]) -> PyResult<Self> {
        let keys = envelope.signatures().map(|(key, _)| PyBytes::new(py, key));
        Ok(Self {
            body: PyBytes::new(py, envelope.body).unbind(),
            id: PyBytes::new(py, id).unbind(),
            keys: PyTuple::new(py, keys.collect::<Vec<_>>())?.unbind(),
        })
    }
}

/// Many transactions, read and hashed; their signatures are checked when that is asked for.
#[pyclass(frozen, module = "tallystick_native")]
struct OpenedBatch {
    raws: Vec<Py<PyBytes>>,
    domain: Vec<u8>,
    /// SHA-256 of each raw, whatever it is.
    #[pyo3(get)]
    digests: Py<PyList>,
    /// What is inside each; None for what is no envelope.
    #[pyo3(get)]
    opened: Py<PyList>,
}

#[pymethods]
impl OpenedBatch {
    /// Check all signatures of some places; -1 when they are good, else the first bad one's position.
    fn verify(&self, py: Python<'_>, places: Vec<isize>) -> PyResult<Vec<isize>> {
        let mut envelopes = Vec::with_capacity(places.len());
        for place in places {
            let raw = usize::try_from(place).ok().and_then(|at| self.raws.get(at));
            let envelope = raw.and_then(|raw| Envelope::read(raw.bind(py).as_bytes()));
            envelopes.push(envelope.ok_or_else(|| NotOpened::new_err(place))?);
        }
        Ok(beside(py, || first_bad(&self.domain, &envelopes)))
    }
}

/// For each envelope -1, or the position of its first signature that is bad.
fn first_bad(domain: &[u8], envelopes: &[Envelope<'_>]) -> Vec<isize> {
    let mut items = Vec::with_capacity(envelopes.len());
    for envelope in envelopes {
        let signed = [domain, envelope.body].concat();
        let made = envelope.signatures();
        items.extend(made.filter_map(|(key, signature)| item(key, &signed, signature)));
    }
    let mut verdicts = judge(&items).into_iter();
    let mut position_of = |envelope: &Envelope<'_>| {
        let mut first = -1;
        for (position, _) in (0..).zip(envelope.signatures()) {
            if !verdicts.next().unwrap_or(false) && first < 0 {
                first = position;
            }
        }
        first
    };
    envelopes.iter().map(&mut position_of).collect()
}

/// Read and hash many transactions; `domain` stands before a body when it is signed.
#[pyfunction]
fn open_batch(
    py: Python<'_>,
    raws: Vec<Bound<'_, PyBytes>>,
    domain: &[u8],
) -> PyResult<OpenedBatch> {
    let slices: Vec<&[u8]> = raws.iter().map(|raw| raw.as_bytes()).collect();
    let read: Vec<_> = beside(py, || {
        let hashed = slices.iter().map(|raw| {
            let envelope = Envelope::read(raw);
            let id = envelope.map(|found| sha256(&[domain, found.body]));
            (sha256(&[raw]), envelope.zip(id))
        });
        hashed.collect()
    });
    let digests = read.iter().map(|(digest, _)| PyBytes::new(py, digest));
    let digests = PyList::new(py, digests.collect::<Vec<_>>())?;
    let opened = PyList::empty(py);
    for (_, found) in &read {
        match found {
            Some((envelope, id)) => opened.append(Opened::new(py, *envelope, id)?)?,
            None => opened.append(py.None())?,
        }
    }
    Ok(OpenedBatch {
        raws: raws.into_iter().map(Bound::unbind).collect(),
        domain: domain.to_vec(),
        digests: digests.unbind(),
        opened: opened.unbind(),
    })
}

/// Put the functions and classes of this file into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Opened>()?;
    module.add_class::<OpenedBatch>()?;
    module.add_function(wrap_pyfunction!(open_batch, module)?)
}
