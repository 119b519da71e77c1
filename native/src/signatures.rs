//! Ed25519 signatures under ZIP-215 rules, one by one and in batches.
//!
//! The rules are those of crate `ed25519-zebra`: any encoding of a point is accepted, `s` is below
//! the group order, the equation is checked times the cofactor. Under them a batch is good exactly
//! when each of its signatures is, but for a chance of 2⁻¹²⁸ that the random factors decide.

use crate::beside::beside;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature, VerificationKey, VerificationKeyBytes};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rand::rngs::{StdRng, SysRng};
use rand::SeedableRng;

/// How many signatures are checked by one equation.
const BATCH: usize = 1_024;
/// Into parts of so many a failed batch is split.
const PART: usize = 32;
/// From so many on an equation for all is quicker than one for each.
const FEW: usize = 2;

const KEY_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;

/// A key, a message and a signature, ready to be checked; `None` when a length is wrong.
pub fn item(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<Item> {
    let key: [u8; KEY_BYTES] = public_key.try_into().ok()?;
    let signature: [u8; SIGNATURE_BYTES] = signature.try_into().ok()?;
    Some(Item::from((
        VerificationKeyBytes::from(key),
        Signature::from_bytes(&signature),
        message,
    )))
}

/// One verdict for each item, in order.
pub fn judge(items: &[Item]) -> Vec<bool> {
    let mut verdicts = Vec::with_capacity(items.len());
    for batch in items.chunks(BATCH) {
        if are_all_good(batch) {
            verdicts.resize(verdicts.len() + batch.len(), true);
            continue;
        }
        // Parts and then singles: if all are bad, little more than twice the work of one by one.
        for part in batch.chunks(PART) {
            if are_all_good(part) {
                verdicts.resize(verdicts.len() + part.len(), true);
            } else {
                verdicts.extend(part.iter().map(is_good));
            }
        }
    }
    verdicts
}

fn is_good(item: &Item) -> bool {
    item.clone().verify_single().is_ok()
}

/// Check some at once. "No" means that at least one is bad, or that no chance was to be had.
fn are_all_good(items: &[Item]) -> bool {
    if items.len() < FEW {
        return items.iter().all(is_good);
    }
    // Factors that a forger cannot foresee; without them the caller goes on one by one.
    let Ok(random) = StdRng::try_from_rng(&mut SysRng) else {
        return false;
    };
    let mut verifier = Verifier::new();
    for item in items {
        verifier.queue(item.clone());
    }
    verifier.verify(random).is_ok()
}

/// Read a point as ZIP-215 does.
fn point(encoded: &[u8]) -> Option<EdwardsPoint> {
    CompressedEdwardsY::from_slice(encoded).ok()?.decompress()
}

/// Tell whether one signature is good; wrong lengths are just not good.
#[pyfunction]
fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = <[u8; SIGNATURE_BYTES]>::try_from(signature) else {
        return false;
    };
    VerificationKey::try_from(public_key)
        .and_then(|key| key.verify(&Signature::from_bytes(&signature), message))
        .is_ok()
}

type Triple<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// Check many (public key, message, signature); one verdict for each, in order.
#[pyfunction]
fn verify_batch(py: Python<'_>, items: Vec<Triple<'_>>) -> Vec<bool> {
    let triples: Vec<[&[u8]; 3]> = items
        .iter()
        .map(|(key, message, signature)| [key.as_bytes(), message.as_bytes(), signature.as_bytes()])
        .collect();
    beside(py, || {
        let made: Vec<Option<Item>> = triples
            .iter()
            .map(|[key, message, signature]| item(key, message, signature))
            .collect();
        let whole: Vec<Item> = made.iter().flatten().cloned().collect();
        let mut verdicts = judge(&whole).into_iter();
        made.iter()
            .map(|each| each.is_some() && verdicts.next().unwrap_or(false))
            .collect()
    })
}

/// Tell a key whose point has order 1, 2, 4 or 8, in any of its encodings.
#[pyfunction]
fn is_small_order(public_key: &[u8]) -> bool {
    point(public_key).is_some_and(|found| found.is_small_order())
}

/// Tell whether ZIP-215 can decode these bytes to a point of the curve.
#[pyfunction]
fn is_valid_point(public_key: &[u8]) -> bool {
    point(public_key).is_some()
}

/// Put the functions of this file into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(verify_batch, module)?)?;
    module.add_function(wrap_pyfunction!(is_small_order, module)?)?;
    module.add_function(wrap_pyfunction!(is_valid_point, module)?)
}
