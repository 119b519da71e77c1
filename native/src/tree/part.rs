//! Parts of a tree that belong to no version: grown alone, checked alone, then planted as one.
//!
//! A part keeps its nodes itself. Planting copies them, without hashing: so a part may be planted
//! twice, or never, and is freed like any other object.

use super::batch::build;
use super::changes::Change;
use super::forest::{join, Kind, Made, Ptr, Sink};
use super::hash::Hash;

/// One of the parts into which a tree is divided by the first bits of its key hashes.
pub struct Part {
    leaves: Vec<(Hash, Hash)>,
    internals: Vec<(Hash, Ptr, Ptr)>,
    top: Made,
}

impl Part {
    /// The part over leaves in the order of their keys, whose first `bits` agree.
    pub fn grow(leaves: &[Change], bits: usize) -> Self {
        let mut part = Self {
            leaves: Vec::with_capacity(leaves.len()),
            internals: Vec::new(),
            top: Made::EMPTY,
        };
        part.top = build(&mut part, leaves, None, bits);
        part.internals.shrink_to_fit();
        part
    }

    /// Its root.
    pub fn root(&self) -> Hash {
        self.top.hash
    }

    /// How many records it holds.
    pub fn size(&self) -> usize {
        self.leaves.len()
    }

    /// Copy its nodes.
    fn copy(&self, sink: &mut impl Sink) -> Made {
        let leaves = self.leaves.iter();
        let leaves: Vec<_> = leaves
            .map(|(key, record)| sink.put_leaf(key, record))
            .collect();
        let mut internals: Vec<Ptr> = Vec::with_capacity(self.internals.len());
        let copied = |internals: &[Ptr], ptr: Ptr| match ptr.kind() {
            Kind::Empty => Ptr::EMPTY,
            Kind::Leaf(place) => leaves[place as usize],
            Kind::Internal(place) => internals[place as usize],
        };
        for (hash, left, right) in &self.internals {
            let (left, right) = (copied(&internals, *left), copied(&internals, *right));
            internals.push(sink.put_internal(hash, left, right));
        }
        Made {
            ptr: copied(&internals, self.top.ptr),
            hash: self.top.hash,
        }
    }
}

impl Sink for Part {
    fn put_leaf(&mut self, key: &Hash, record: &Hash) -> Ptr {
        self.leaves.push((*key, *record));
        Ptr::to_leaf(number(self.leaves.len()))
    }

    fn put_internal(&mut self, hash: &Hash, left: Ptr, right: Ptr) -> Ptr {
        self.internals.push((*hash, left, right));
        Ptr::to_internal(number(self.internals.len()))
    }
}

/// The number of the last of so many nodes.
fn number(count: usize) -> u32 {
    u32::try_from(count - 1).expect("a part is smaller than a tree")
}

/// Make one tree of all its parts, in the order of their bits; their number is a power of two.
pub fn plant<'a>(sink: &mut impl Sink, parts: impl Iterator<Item = &'a Part>) -> Made {
    let mut nodes: Vec<Made> = parts.map(|part| part.copy(sink)).collect();
    while nodes.len() > 1 {
        let pairs = nodes.chunks_exact(2);
        nodes = pairs.map(|pair| join(sink, pair[0], pair[1])).collect();
    }
    nodes.pop().unwrap_or(Made::EMPTY)
}
