//! The native body of `tallystick.accel`: what Python does badly, in batches of bytes.
//!
//! `src/tallystick/accel` holds the same in Python, and that is the meaning: every function here
//! gives the same result, bit by bit, and `make test-native` compares them. Only `tallystick.accel`
//! and `tallystick.store` import this module. Work on a batch is done without Python's lock.

use pyo3::prelude::*;

mod beside;
mod blocks;
mod envelopes;
mod known;
mod merkle;
mod msgpack;
mod shown;
mod signatures;
mod store;
mod tree;
mod used;
mod uses;

/// Put everything of the crate into the module; each file registers its own.
#[pymodule]
fn tallystick_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    beside::register(module)?;
    blocks::register(module)?;
    envelopes::register(module)?;
    known::register(module)?;
    merkle::register(module)?;
    shown::register(module)?;
    signatures::register(module)?;
    store::register(module)?;
    tree::register(module)?;
    used::register(module)?;
    uses::register(module)
}
