//! References that are used up: an exact map in little memory, of which a minute goes in one step.
//!
//! `accel/used.py` says the same in Python. What is noted of a minute stands in chunks of bytes of
//! its own; a table of places, in parts that grow one by one, finds it there. When a minute is
//! forgotten its chunks are freed, and what the table says of them means nothing any more: no chunk
//! has the number of another one. It is left out when its part of the table is made anew.

use crate::beside::beside;
use crate::uses::with_uses;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Up to so many references Python's lock is kept: to get it back may take longer.
const FEW: usize = 8;
/// Parts of the table; with millions of references one of them is made anew within a millisecond.
const PARTS: usize = 1024;
/// Places in a part that has any.
const PLACES_MIN: usize = 8;
/// A chunk of so many bytes is full.
const CHUNK_BYTES: usize = 1 << 20;
/// So many references are noted at a time; whoever asks waits no longer than that.
const AT_A_TIME: usize = 64;
/// Bytes before what was noted: lengths of key and id.
const HEAD: usize = 8;
const MINUTE_MS: i128 = 60_000;

/// Where a reference stands. Chunk 0 is none: the place is free.
#[derive(Clone, Copy, Default)]
struct Place {
    hash: u32,
    chunk: u32,
    at: u32,
}

/// What was noted of one minute, one after the other: two lengths, the key, the transaction's id.
struct Chunk {
    minute: i64,
    bytes: Vec<u8>,
}

impl Chunk {
    /// Key and id that stand at a place.
    fn read(&self, at: usize) -> (&[u8], &[u8]) {
        let length = |from: usize| {
            let bytes = &self.bytes[from..from + 4];
            u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
        };
        let (key, id) = (length(at), length(at + 4));
        let begin = at + HEAD;
        (
            &self.bytes[begin..begin + key],
            &self.bytes[begin + key..begin + key + id],
        )
    }

    /// Write a key and an id behind the others; where they stand.
    fn write(&mut self, key: &[u8], id: &[u8]) -> u32 {
        let at = self.bytes.len() as u32;
        self.bytes
            .extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.bytes
            .extend_from_slice(&(id.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(id);
        at
    }
}

type Chunks = HashMap<u32, Chunk>;

/// One part of the table: a place is looked for from its hash on, until one is free.
#[derive(Default)]
struct Part {
    places: Vec<Place>,
    /// How many are not free; some of them may mean nothing any more.
    taken: usize,
}

impl Part {
    /// The place that has the key, or the free one where the search ends.
    fn find<'a>(&self, chunks: &'a Chunks, hash: u32, key: &[u8]) -> (usize, Option<&'a Chunk>) {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            if place.chunk == 0 {
                return (at, None);
            }
            if place.hash == hash {
                if let Some(chunk) = chunks.get(&place.chunk) {
                    if chunk.read(place.at as usize).0 == key {
                        return (at, Some(chunk));
                    }
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Have room for one more: of what is there only what still means something is kept.
    fn make_room(&mut self, chunks: &Chunks) {
        if (self.taken + 1) * 4 <= self.places.len() * 3 {
            return;
        }
        let mut kept = std::mem::take(&mut self.places);
        kept.retain(|place| chunks.contains_key(&place.chunk));
        let size = (kept.len() * 2).next_power_of_two().max(PLACES_MIN);
        self.places = vec![Place::default(); size];
        self.taken = kept.len();
        for place in kept {
            let mut at = place.hash as usize & (size - 1);
            while self.places[at].chunk != 0 {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = place;
        }
    }
}

/// What is known of a minute.
#[derive(Default)]
struct Minute {
    /// Numbers of its chunks; the last one is being filled.
    chunks: Vec<u32>,
    count: usize,
}

/// All that is used up.
struct Table {
    parts: Vec<Part>,
    chunks: Chunks,
    minutes: HashMap<i64, Minute>,
    /// Number of the chunk made last.
    last_chunk: u32,
    count: usize,
}

impl Table {
    /// Note one reference; what was noted of it before means nothing any more.
    fn note(&mut self, minute: i64, hash: u64, key: &[u8], id: &[u8]) {
        let known = self.minutes.entry(minute).or_default();
        known.count += 1;
        self.count += 1;
        let open = known.chunks.last().copied();
        let number = match open.filter(|open| self.chunks[open].bytes.len() < CHUNK_BYTES) {
            Some(open) => open,
            None => {
                self.last_chunk += 1;
                let bytes = Vec::new();
                self.chunks.insert(self.last_chunk, Chunk { minute, bytes });
                known.chunks.push(self.last_chunk);
                self.last_chunk
            }
        };
        let part = &mut self.parts[part_of(hash)];
        part.make_room(&self.chunks);
        let (found, before) = part.find(&self.chunks, hash as u32, key);
        part.taken += usize::from(before.is_none());
        if let Some(chunk) = self.chunks.get_mut(&number) {
            part.places[found] = Place {
                hash: hash as u32,
                chunk: number,
                at: chunk.write(key, id),
            };
        }
    }

    /// Id of the transaction that used a reference, until its minute is over.
    fn used_by(&self, hash: u64, key: &[u8], now_ms: i64) -> Option<&[u8]> {
        let part = &self.parts[part_of(hash)];
        if part.places.is_empty() {
            return None;
        }
        let (at, chunk) = part.find(&self.chunks, hash as u32, key);
        let chunk = chunk.filter(|each| (i128::from(each.minute) + 1) * MINUTE_MS > now_ms.into());
        chunk.map(|each| each.read(part.places[at].at as usize).1)
    }

    /// Have the places where the search for some references begins fetched from memory, all at
    /// once: each is likely to be in no cache, and no search waits for another one's.
    fn touch(&self, hashes: &[u64]) {
        let mut seen = 0;
        for hash in hashes {
            let places = &self.parts[part_of(*hash)].places;
            if !places.is_empty() {
                seen ^= places[*hash as u32 as usize & (places.len() - 1)].chunk;
            }
        }
        black_box(seen);
    }

    /// Take out what was noted of some minutes.
    fn forget(&mut self, minutes: &[i64]) -> Vec<Chunk> {
        let mut gone = Vec::new();
        for known in minutes.iter().filter_map(|each| self.minutes.remove(each)) {
            self.count -= known.count;
            gone.extend(known.chunks.iter().filter_map(|at| self.chunks.remove(at)));
        }
        gone
    }
}

/// The part of the table for a hash: other bits than those by which a place is looked for in it.
fn part_of(hash: u64) -> usize {
    (hash >> 32) as usize % PARTS
}

/// Sender and reference as one key.
fn key_of(sender: &str, reference: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(sender.len() + 1 + reference.len());
    key.extend_from_slice(sender.as_bytes());
    key.push(b' ');
    key.extend_from_slice(reference.as_bytes());
    key
}

/// References that are used up, until their minutes are forgotten.
#[pyclass(frozen)]
pub struct UsedReferences {
    table: Mutex<Table>,
    /// Not the same in any two processes, so that nobody can choose references that collide.
    hashing: RandomState,
}

impl UsedReferences {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Places of the references that are used up, each with the id of the transaction.
    fn among(&self, references: &[(&str, &str)], now_ms: i64) -> Vec<(usize, Vec<u8>)> {
        let mut found = Vec::new();
        for (turn, some) in references.chunks(AT_A_TIME).enumerate() {
            let keys: Vec<_> = some.iter().map(|(who, what)| key_of(who, what)).collect();
            let hashes: Vec<_> = keys.iter().map(|key| self.hashing.hash_one(key)).collect();
            let table = self.table();
            table.touch(&hashes);
            for (at, (hash, key)) in hashes.iter().zip(&keys).enumerate() {
                if let Some(id) = table.used_by(*hash, key, now_ms) {
                    found.push((turn * AT_A_TIME + at, id.to_vec()));
                }
            }
        }
        found
    }
}

#[pymethods]
impl UsedReferences {
    #[new]
    fn new() -> Self {
        let table = Table {
            parts: (0..PARTS).map(|_| Part::default()).collect(),
            chunks: HashMap::new(),
            minutes: HashMap::new(),
            last_chunk: 0,
            count: 0,
        };
        Self {
            table: Mutex::new(table),
            hashing: RandomState::new(),
        }
    }

    #[getter]
    fn count(&self) -> usize {
        self.table().count
    }

    fn note(&self, py: Python<'_>, minute: i64, uses: &[u8]) -> PyResult<()> {
        with_uses(py, uses, |read| {
            for some in read.chunks(AT_A_TIME) {
                let mut table = self.table();
                for (sender, reference, id) in some {
                    let key = key_of(sender, reference);
                    table.note(minute, self.hashing.hash_one(&key), &key, id);
                }
            }
        })
    }

    fn used_by<'py>(
        &self,
        py: Python<'py>,
        sender: &str,
        reference: &str,
        now_ms: i64,
    ) -> Option<Bound<'py, PyBytes>> {
        let key = key_of(sender, reference);
        let hash = self.hashing.hash_one(&key);
        let table = self.table();
        let id = table.used_by(hash, &key, now_ms)?;
        Some(PyBytes::new(py, id))
    }

    fn used_among<'py>(
        &self,
        py: Python<'py>,
        references: Vec<(Bound<'py, PyString>, Bound<'py, PyString>)>,
        now_ms: i64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut read = Vec::with_capacity(references.len());
        for (sender, reference) in &references {
            read.push((sender.to_str()?, reference.to_str()?));
        }
        let work = || self.among(&read, now_ms);
        let found = if read.len() <= FEW {
            work()
        } else {
            py.detach(work)
        };
        let among = PyDict::new(py);
        for (place, id) in found {
            let (sender, reference) = &references[place];
            among.set_item((sender, reference), PyBytes::new(py, &id))?;
        }
        Ok(among)
    }

    fn forget(&self, py: Python<'_>, minutes: Vec<i64>) {
        if !minutes.is_empty() {
            beside(py, || {
                let gone = self.table().forget(&minutes);
                drop(gone); // after the table was let go of: this is much memory
            });
        }
    }
}

/// Put the class into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<UsedReferences>()
}
