//! The state tree: a persistent sparse Merkle tree from key hashes to record hashes.
//!
//! `tallystick/accel/tree.py` is the meaning. Here versions share nodes that never move (`slab`,
//! `forest`), so that any thread reads a version while one writes the next. A version is pinned
//! while it is read; what is dropped meanwhile is freed by the next writer.

mod batch;
mod changes;
mod face;
mod forest;
mod hash;
mod input;
mod part;
mod read;
mod slab;
mod versions;

pub use face::register;
