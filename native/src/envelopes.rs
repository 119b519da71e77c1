//! Transactions as they travel: structure, hashes and signatures of many at once.
//!
//! An envelope is `[1, body, [[1, key, signature], …]]` in MessagePack. It has one encoding, so that
//! reading is comparing: whatever is written in any other way is not opened, and the caller's slow
//! path says what is wrong with it (`ledger/transaction.py`, docs/reference/formats.md).

use crate::beside::beside;
use pyo3::exceptions::PyIndexError;
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

use crate::known::Known;
use crate::merkle::Hash;
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

/// An envelope, and the digest of all its bytes.
type Digested<'a> = (Envelope<'a>, &'a Hash);

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

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// What is inside one envelope: the encoded body, the transaction's id, the keys that signed.
type Inside<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyTuple>,
);

/// Many transactions, read and hashed; their signatures are checked when that is asked for.
#[pyclass(frozen, module = "tallystick_native")]
pub struct OpenedBatch {
    raws: Vec<Py<PyBytes>>,
    domain: Vec<u8>,
    /// SHA-256 of each raw, whatever it is.
    digests: Vec<Hash>,
    /// SHA-256 of domain and body of each; `None` for what is no envelope.
    ids: Vec<Option<Hash>>,
}

impl OpenedBatch {
    /// What is inside at a place.
    fn inside<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Option<Inside<'py>>> {
        let Some(id) = &self.ids[at] else {
            return Ok(None);
        };
        let Some(envelope) = Envelope::read(self.raws[at].bind(py).as_bytes()) else {
            return Ok(None);
        };
        let keys: Vec<_> = envelope
            .signatures()
            .map(|(key, _)| PyBytes::new(py, key))
            .collect();
        Ok(Some((
            PyBytes::new(py, envelope.body),
            PyBytes::new(py, id),
            PyTuple::new(py, keys)?,
        )))
    }

    /// The envelopes of some places, each with the digest of all its bytes.
    fn some<'a>(&'a self, py: Python<'a>, places: &[isize]) -> PyResult<Vec<Digested<'a>>> {
        let mut found = Vec::with_capacity(places.len());
        for &place in places {
            let at = usize::try_from(place).ok();
            let raw = at.and_then(|at| self.raws.get(at).zip(self.digests.get(at)));
            let read = raw
                .and_then(|(raw, digest)| Some((Envelope::read(raw.bind(py).as_bytes())?, digest)));
            found.push(read.ok_or_else(|| NotOpened::new_err(place))?);
        }
        Ok(found)
    }

    /// The same as `verify`, but what is known to be good is not checked, and what is found good is
    /// known afterwards. Then how many were known, and how many signatures were checked.
    pub fn check(
        &self,
        py: Python<'_>,
        places: &[isize],
        known: &Mutex<Known>,
    ) -> PyResult<(Vec<isize>, usize, usize)> {
        let asked = self.some(py, places)?;
        Ok(beside(py, || {
            let mut firsts = vec![-1; asked.len()];
            let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
            let new: Vec<usize> = {
                let known = lock();
                let all = 0..asked.len();
                all.filter(|&at| !known.has(asked[at].1)).collect()
            };
            let envelopes: Vec<_> = new.iter().map(|&at| asked[at].0).collect();
            for (&at, first) in new.iter().zip(first_bad(&self.domain, &envelopes)) {
                firsts[at] = first;
            }
            let good = new.iter().filter(|&&at| firsts[at] < 0);
            lock().note(good.map(|&at| *asked[at].1));
            let signatures = envelopes.iter().map(|each| each.signatures().count()).sum();
            (firsts, asked.len() - new.len(), signatures)
        }))
    }
}

#[pymethods]
impl OpenedBatch {
    /// SHA-256 of each, whatever it is.
    #[getter]
    fn digests<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let all = self.digests.iter();
        all.map(|digest| PyBytes::new(py, digest)).collect()
    }

    /// What is inside each; None for what is no envelope.
    #[getter]
    fn opened(slf: Py<Self>) -> Opened {
        Opened { batch: slf }
    }

    /// Check all signatures of some places; -1 when they are good, else the first bad one's position.
    fn verify(&self, py: Python<'_>, places: Vec<isize>) -> PyResult<Vec<isize>> {
        let asked = self.some(py, &places)?;
        Ok(beside(py, || {
            let envelopes: Vec<_> = asked.iter().map(|(envelope, _)| *envelope).collect();
            first_bad(&self.domain, &envelopes)
        }))
    }
}

/// What is inside each transaction of a batch: made when it is asked for, and let go of by then.
#[pyclass(frozen, module = "tallystick_native")]
struct Opened {
    batch: Py<OpenedBatch>,
}

#[pymethods]
impl Opened {
    fn __len__(&self) -> usize {
        self.batch.get().raws.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, place: isize) -> PyResult<Option<Inside<'py>>> {
        let count = self.__len__();
        let at = if place < 0 {
            count.checked_add_signed(place)
        } else {
            usize::try_from(place).ok()
        };
        match at.filter(|&at| at < count) {
            Some(at) => self.batch.get().inside(py, at),
            None => Err(PyIndexError::new_err("there is no such place")),
        }
    }

    fn __iter__(&self, py: Python<'_>) -> OpenedOneByOne {
        OpenedOneByOne {
            batch: self.batch.clone_ref(py),
            next: 0,
        }
    }
}

/// The same, one after the other.
#[pyclass(module = "tallystick_native")]
struct OpenedOneByOne {
    batch: Py<OpenedBatch>,
    next: usize,
}

#[pymethods]
impl OpenedOneByOne {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Option<Inside<'py>>>> {
        let batch = self.batch.get();
        let at = self.next;
        if at == batch.raws.len() {
            return Ok(None);
        }
        self.next += 1;
        batch.inside(py, at).map(Some)
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
            (sha256(&[raw]), id)
        });
        hashed.collect()
    });
    let (digests, ids) = read.into_iter().unzip();
    Ok(OpenedBatch {
        raws: raws.into_iter().map(Bound::unbind).collect(),
        domain: domain.to_vec(),
        digests,
        ids,
    })
}

/// Put the functions and classes of this file into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Opened>()?;
    module.add_class::<OpenedOneByOne>()?;
    module.add_class::<OpenedBatch>()?;
    module.add_function(wrap_pyfunction!(open_batch, module)?)
}
