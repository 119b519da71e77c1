//! The nodes of all versions: an internal node has 44 bytes, a leaf 68.
//!
//! A node bears the number of the version in which it was made. A leaf's own hash is not kept: it
//! is made anew when it is asked for, which is cheaper than the memory.

use std::sync::atomic::Ordering::Relaxed;

use super::hash::{hash_internal, hash_leaf, Hash, EMPTY_ROOT};
use super::slab::{load_hash, store_hash, Cell, Places, Slab};

/// Marks a leaf.
const LEAF: u32 = 1 << 31;
/// Where a node is: its place, and whether it is a leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ptr(u32);

/// What a `Ptr` leads to.
pub enum Kind {
    /// Nothing.
    Empty,
    /// A leaf, and its place.
    Leaf(u32),
    /// An internal node, and its place.
    Internal(u32),
}

impl Default for Ptr {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Ptr {
    /// Leads to nothing.
    pub const EMPTY: Self = Self(u32::MAX);

    /// The leaf at a place.
    pub fn to_leaf(place: u32) -> Self {
        Self(place | LEAF)
    }

    /// The internal node at a place.
    pub fn to_internal(place: u32) -> Self {
        Self(place)
    }

    /// What it leads to.
    pub fn kind(self) -> Kind {
        match self {
            Self::EMPTY => Kind::Empty,
            Self(place) if place & LEAF != 0 => Kind::Leaf(place & !LEAF),
            Self(place) => Kind::Internal(place),
        }
    }
}

/// A subtree that was just made, and its hash.
#[derive(Clone, Copy)]
pub struct Made {
    /// Its top node.
    pub ptr: Ptr,
    /// The hash of that.
    pub hash: Hash,
}

impl Made {
    /// A subtree without a leaf.
    pub const EMPTY: Self = Self {
        ptr: Ptr::EMPTY,
        hash: EMPTY_ROOT,
    };
}

/// Where new nodes go.
pub trait Sink {
    /// Keep a leaf.
    fn put_leaf(&mut self, key: &Hash, record: &Hash) -> Ptr;
    /// Keep an internal node.
    fn put_internal(&mut self, hash: &Hash, left: Ptr, right: Ptr) -> Ptr;
}

/// Make the node over two children; a lone leaf is pulled up, nothing stays nothing.
pub fn join(sink: &mut impl Sink, left: Made, right: Made) -> Made {
    match (left.ptr.kind(), right.ptr.kind()) {
        (Kind::Empty, Kind::Empty | Kind::Leaf(_)) => return right,
        (Kind::Leaf(_), Kind::Empty) => return left,
        _ => {}
    }
    let hash = hash_internal(&left.hash, &right.hash);
    Made {
        ptr: sink.put_internal(&hash, left.ptr, right.ptr),
        hash,
    }
}

/// Words of an internal node: hash, left, right, version.
const LEFT: usize = 8;
const RIGHT: usize = 9;
const BORN: usize = 10;
/// Words of a leaf: key hash, record hash, version.
const RECORD: usize = 8;
const LEAF_BORN: usize = 16;

/// All nodes.
pub struct Forest {
    internals: Slab<11>,
    leaves: Slab<17>,
}

impl Forest {
    /// No node yet.
    pub fn new() -> Self {
        Self {
            internals: Slab::new(),
            leaves: Slab::new(),
        }
    }

    /// The children of an internal node.
    pub fn children(&self, place: u32) -> (Ptr, Ptr) {
        let cell = self.internals.at(place);
        (
            Ptr(cell[LEFT].load(Relaxed)),
            Ptr(cell[RIGHT].load(Relaxed)),
        )
    }

    /// The key hash of a leaf.
    pub fn key(&self, place: u32) -> Hash {
        load_hash(self.leaves.at(place), 0)
    }

    /// Key hash and record hash of a leaf.
    pub fn leaf(&self, place: u32) -> (Hash, Hash) {
        let cell = self.leaves.at(place);
        (load_hash(cell, 0), load_hash(cell, RECORD))
    }

    /// The hash of any node.
    pub fn hash(&self, ptr: Ptr) -> Hash {
        match ptr.kind() {
            Kind::Empty => EMPTY_ROOT,
            Kind::Leaf(place) => {
                let (key, record) = self.leaf(place);
                hash_leaf(&key, &record)
            }
            Kind::Internal(place) => load_hash(self.internals.at(place), 0),
        }
    }

    /// The version in which a node was made; 0 for nothing.
    pub fn born(&self, ptr: Ptr) -> u32 {
        match ptr.kind() {
            Kind::Empty => 0,
            Kind::Leaf(place) => self.leaves.at(place)[LEAF_BORN].load(Relaxed),
            Kind::Internal(place) => self.internals.at(place)[BORN].load(Relaxed),
        }
    }

    /// Any word of a node, so that the rest of it is near when it is asked for.
    pub fn glance(&self, ptr: Ptr) -> u32 {
        match ptr.kind() {
            Kind::Empty => 0,
            Kind::Leaf(place) => self.leaves.at(place)[0].load(Relaxed),
            Kind::Internal(place) => self.internals.at(place)[0].load(Relaxed),
        }
    }

    /// Bytes that all places take, used or idle.
    pub fn bytes(&self) -> usize {
        self.internals.bytes() + self.leaves.bytes()
    }
}

/// What one writer needs to make nodes of one version.
pub struct Writer<'a> {
    forest: &'a Forest,
    born: u32,
    room: Room,
}

/// Places to come for both kinds of nodes.
#[derive(Default)]
pub struct Room {
    internals: Places,
    leaves: Places,
}

impl Room {
    /// Give back the place of a node that nobody needs any more.
    pub fn give(&mut self, ptr: Ptr) {
        match ptr.kind() {
            Kind::Empty => {}
            Kind::Leaf(place) => self.leaves.give(place),
            Kind::Internal(place) => self.internals.give(place),
        }
    }

    /// Bytes of nodes whose places are free.
    pub fn idle_bytes(&self) -> usize {
        self.internals.idle() * size_of::<Cell<11>>() + self.leaves.idle() * size_of::<Cell<17>>()
    }

    /// Bytes that the lists of free places take.
    pub fn bytes(&self) -> usize {
        self.internals.bytes() + self.leaves.bytes()
    }

    /// Half of it, for another writer.
    pub fn halve(&mut self) -> Self {
        Self {
            internals: self.internals.halve(),
            leaves: self.leaves.halve(),
        }
    }

    /// Take over what another writer has left.
    pub fn absorb(&mut self, other: Self) {
        self.internals.absorb(other.internals);
        self.leaves.absorb(other.leaves);
    }
}

impl<'a> Writer<'a> {
    /// A writer of a version.
    pub fn new(forest: &'a Forest, born: u32, room: Room) -> Self {
        Self { forest, born, room }
    }

    /// All nodes.
    pub fn forest(&self) -> &'a Forest {
        self.forest
    }

    /// Another writer of the same version, for another thread.
    pub fn branch(&mut self) -> Self {
        Self::new(self.forest, self.born, self.room.halve())
    }

    /// The room that is left.
    pub fn into_room(self) -> Room {
        self.room
    }

    /// Take over the room of another writer.
    pub fn absorb(&mut self, other: Self) {
        self.room.absorb(other.room);
    }
}

impl Sink for Writer<'_> {
    fn put_leaf(&mut self, key: &Hash, record: &Hash) -> Ptr {
        let place = self.room.leaves.take(&self.forest.leaves);
        let cell = self.forest.leaves.at(place);
        store_hash(cell, 0, key);
        store_hash(cell, RECORD, record);
        cell[LEAF_BORN].store(self.born, Relaxed);
        Ptr::to_leaf(place)
    }

    fn put_internal(&mut self, hash: &Hash, left: Ptr, right: Ptr) -> Ptr {
        let place = self.room.internals.take(&self.forest.internals);
        let cell = self.forest.internals.at(place);
        store_hash(cell, 0, hash);
        cell[LEFT].store(left.0, Relaxed);
        cell[RIGHT].store(right.0, Relaxed);
        cell[BORN].store(self.born, Relaxed);
        Ptr::to_internal(place)
    }
}
