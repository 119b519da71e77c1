//! Places for nodes, numbered, that never move: any thread reads while one writes others.
//!
//! A place is a few words of 32 bits. The words are atomic, so that reading beside a writer is
//! defined without `unsafe`; on today's processors a relaxed load is a plain one. What orders them
//! is the table of versions: a node is written before the version that leads to it is published,
//! and its place is given away again only when nobody holds such a version.
//!
//! Places come in chunks, each an eighth of what is there, so that little lies idle.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::OnceLock;

use super::hash::Hash;

/// Words of a place.
pub type Cell<const W: usize> = [AtomicU32; W];

/// Two to this power: how far numbers are moved, so that the first chunk is not tiny.
const FIRST_BITS: u32 = 8;
/// Chunks for each doubling, as a power of two.
const SPLIT_BITS: u32 = 3;
/// Places that one writer takes at once.
const STRIDE: u32 = 32;
/// Numbers are below this: a bit is left for the kind of a node.
const PLACES_MAX: u32 = (1 << 31) - (1 << (FIRST_BITS + 1));

/// All places of one kind.
pub struct Slab<const W: usize> {
    chunks: Box<[OnceLock<Box<[Cell<W>]>>]>,
    taken: AtomicU32,
}

impl<const W: usize> Slab<W> {
    /// No place yet.
    pub fn new() -> Self {
        let count = (32 - FIRST_BITS) << SPLIT_BITS;
        Self {
            chunks: (0..count).map(|_| OnceLock::new()).collect(),
            taken: AtomicU32::new(0),
        }
    }

    /// The words of a place that was taken.
    pub fn at(&self, number: u32) -> &Cell<W> {
        let (chunk, offset, size) = locate(number);
        let places = self.chunks[chunk].get_or_init(|| {
            let empty = |_| std::array::from_fn(|_| AtomicU32::new(0));
            (0..size).map(empty).collect()
        });
        &places[offset]
    }

    /// How many places there are, taken or idle.
    pub fn places(&self) -> usize {
        let chunks = self.chunks.iter().filter_map(OnceLock::get);
        chunks.map(|places| places.len()).sum()
    }

    /// Bytes that the places take.
    pub fn bytes(&self) -> usize {
        self.places() * size_of::<Cell<W>>()
    }

    /// The next places that nobody had yet.
    fn stride(&self) -> (u32, u32) {
        let from = self.taken.fetch_add(STRIDE, Relaxed);
        assert!(from < PLACES_MAX, "the tree is full");
        (from, from + STRIDE)
    }
}

/// Chunk of a place, where it is in there, and how many places the chunk has.
fn locate(number: u32) -> (usize, usize, usize) {
    let moved = number + (1 << FIRST_BITS);
    let power = 31 - moved.leading_zeros();
    let shift = power - SPLIT_BITS;
    let chunk = ((power - FIRST_BITS) << SPLIT_BITS) + ((moved >> shift) & ((1 << SPLIT_BITS) - 1));
    let offset = moved & ((1 << shift) - 1);
    (chunk as usize, offset as usize, 1 << shift)
}

/// A hash that begins at a word.
pub fn load_hash<const W: usize>(cell: &Cell<W>, at: usize) -> Hash {
    let mut hash = [0; 32];
    for (four, word) in hash.chunks_exact_mut(4).zip(&cell[at..at + 8]) {
        four.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
    }
    hash
}

/// Write a hash from a word on.
pub fn store_hash<const W: usize>(cell: &Cell<W>, at: usize, hash: &Hash) {
    for (four, word) in hash.chunks_exact(4).zip(&cell[at..at + 8]) {
        word.store(
            u32::from_ne_bytes([four[0], four[1], four[2], four[3]]),
            Relaxed,
        );
    }
}

/// One writer's places to come: those given back first.
#[derive(Default)]
pub struct Places {
    free: Vec<u32>,
    next: u32,
    end: u32,
}

impl Places {
    /// A place for a new node.
    pub fn take<const W: usize>(&mut self, slab: &Slab<W>) -> u32 {
        if let Some(number) = self.free.pop() {
            return number;
        }
        if self.next == self.end {
            (self.next, self.end) = slab.stride();
        }
        self.next += 1;
        self.next - 1
    }

    /// Give a place back.
    pub fn give(&mut self, number: u32) {
        self.free.push(number);
    }

    /// How many are free and were used before.
    pub fn idle(&self) -> usize {
        self.free.len() + (self.end - self.next) as usize
    }

    /// Bytes that the list of free ones takes.
    pub fn bytes(&self) -> usize {
        self.free.capacity() * size_of::<u32>()
    }

    /// Half of the free ones, for another writer.
    pub fn halve(&mut self) -> Self {
        Self {
            free: self.free.split_off(self.free.len() / 2),
            ..Self::default()
        }
    }

    /// Take over what another writer has left.
    pub fn absorb(&mut self, other: Self) {
        self.free.extend(other.next..other.end);
        self.free.extend(other.free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_place() {
        let mut expected = (0, 0);
        for number in 0..100_000 {
            let (chunk, offset, size) = locate(number);
            assert_eq!((chunk, offset), expected);
            assert!(offset < size);
            expected = if offset + 1 == size {
                (chunk + 1, 0)
            } else {
                (chunk, offset + 1)
            };
        }
        let (chunk, offset, size) = locate(PLACES_MAX);
        assert!(chunk < ((32 - FIRST_BITS) << SPLIT_BITS) as usize && offset < size);
    }

    #[test]
    fn little_lies_idle() {
        let slab = Slab::<11>::new();
        let mut places = Places::default();
        for count in 1..200_000_usize {
            slab.at(places.take(&slab));
            assert!(slab.places() <= count + count / 8 + 32);
        }
    }
}
