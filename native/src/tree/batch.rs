//! A sorted batch of changes on its way into a tree.
//!
//! It goes down from the root and parts at every node, so that a node above several changes is made
//! and hashed once. What the new version no longer holds of the old one is noted: it is freed when
//! no version needs it.

use std::borrow::Cow;
use std::hint::black_box;
use std::panic::resume_unwind;
use std::thread;

use super::changes::Change;
use super::forest::{join, Forest, Kind, Made, Ptr, Sink, Writer};
use super::hash::{hash_leaf, turns_right, Hash};

/// From so many changes on a batch is shared out to threads.
const MANY: usize = 1 << 16;

/// So many neighbouring changes are looked up together, ahead of being made.
const GROUP: usize = 16;

/// A node that the new version no longer holds, and the version in which it was made.
pub type Orphan = (Ptr, u32);

/// What a batch does to a tree.
pub struct Batch<'a> {
    writer: Writer<'a>,
    orphans: Vec<Orphan>,
    added: i64,
}

/// A subtree after the changes; `hash` is `None` where nothing changed.
struct Updated {
    ptr: Ptr,
    hash: Option<Hash>,
}

impl Updated {
    /// Nothing changed.
    fn same(ptr: Ptr) -> Self {
        Self { ptr, hash: None }
    }
}

impl From<Made> for Updated {
    fn from(made: Made) -> Self {
        Self {
            ptr: made.ptr,
            hash: Some(made.hash),
        }
    }
}

impl<'a> Batch<'a> {
    /// Nothing has changed yet.
    pub fn new(writer: Writer<'a>) -> Self {
        Self {
            writer,
            orphans: Vec::new(),
            added: 0,
        }
    }

    /// The tree after the changes, in the order of their keys, on at most so many threads.
    pub fn apply(&mut self, root: Ptr, changes: &[Change], threads: usize) -> Made {
        let is_large = changes.len() >= MANY;
        let levels = if is_large { threads.max(1).ilog2() } else { 0 };
        let updated = self.update(root, changes, 0, levels);
        self.whole(&updated)
    }

    /// What is no longer held, how many records came less those that went, and the writer.
    pub fn finish(self) -> (Vec<Orphan>, i64, Writer<'a>) {
        (self.orphans, self.added, self.writer)
    }

    /// What changes make of the subtree `node` at a depth; its halves on two threads if `levels`.
    fn update(&mut self, node: Ptr, changes: &[Change], depth: usize, levels: u32) -> Updated {
        if changes.is_empty() {
            return Updated::same(node);
        }
        let Kind::Internal(place) = node.kind() else {
            return self.replace(node, changes, depth, levels);
        };
        let forest = self.writer.forest();
        let (left, right) = forest.children(place);
        let (before, after) = changes.split_at(split(changes, depth));
        if changes.len() > GROUP {
            fetch_ways(forest, left, before, depth + 1);
            fetch_ways(forest, right, after, depth + 1);
        }
        let (new_left, new_right) = self.both(
            levels,
            |batch, below| batch.update(left, before, depth + 1, below),
            |batch, below| batch.update(right, after, depth + 1, below),
        );
        if new_left.ptr == left && new_right.ptr == right {
            return Updated::same(node);
        }
        self.orphan(node);
        let (left, right) = (self.whole(&new_left), self.whole(&new_right));
        join(&mut self.writer, left, right).into()
    }

    /// What changes make of a subtree that has at most one leaf.
    fn replace(&mut self, old: Ptr, changes: &[Change], depth: usize, levels: u32) -> Updated {
        let leaf = match old.kind() {
            Kind::Leaf(place) => Some(self.writer.forest().leaf(place)),
            _ => None,
        };
        let leaves = merged(leaf, changes);
        self.added += count(leaves.len()) - count(leaf.iter().len());
        let reused = leaf.filter(|leaf| holds(&leaves, leaf));
        let reused = reused.map(|(key, _)| (old, key));
        let made = self.build(&leaves, reused, depth, levels);
        if made.ptr == old {
            return Updated::same(old);
        }
        if reused.is_none() {
            self.orphan(old);
        }
        made.into()
    }

    /// Like the function `build`; the halves on two threads if there are `levels`.
    fn build(
        &mut self,
        leaves: &[Change],
        reused: Option<(Ptr, Hash)>,
        depth: usize,
        levels: u32,
    ) -> Made {
        if levels == 0 || leaves.len() < 2 {
            return build(&mut self.writer, leaves, reused, depth);
        }
        let (before, after) = leaves.split_at(split(leaves, depth));
        let (left, right) = self.both(
            levels,
            |batch, below| batch.build(before, reused, depth + 1, below),
            |batch, below| batch.build(after, reused, depth + 1, below),
        );
        join(&mut self.writer, left, right)
    }

    /// Do two things; beside each other if there are `levels`, of which one less is left to them.
    fn both<T: Send>(
        &mut self,
        levels: u32,
        left: impl FnOnce(&mut Self, u32) -> T + Send,
        right: impl FnOnce(&mut Self, u32) -> T,
    ) -> (T, T) {
        let Some(below) = levels.checked_sub(1) else {
            return (left(self, 0), right(self, 0));
        };
        let mut beside = Self::new(self.writer.branch());
        let results = thread::scope(|scope| {
            let running = scope.spawn(|| left(&mut beside, below));
            let right = right(self, below);
            match running.join() {
                Ok(left) => (left, right),
                Err(problem) => resume_unwind(problem),
            }
        });
        let (orphans, added, writer) = beside.finish();
        self.orphans.extend(orphans);
        self.added += added;
        self.writer.absorb(writer);
        results
    }

    /// Note a node that the new version does not hold.
    fn orphan(&mut self, node: Ptr) {
        if node != Ptr::EMPTY {
            self.orphans.push((node, self.writer.forest().born(node)));
        }
    }

    /// A subtree with its hash.
    fn whole(&self, updated: &Updated) -> Made {
        let ptr = updated.ptr;
        let hash = updated
            .hash
            .unwrap_or_else(|| self.writer.forest().hash(ptr));
        Made { ptr, hash }
    }
}

/// The subtree over leaves in the order of their keys, which share the bits above `depth`.
///
/// One of them may be there already; it is not made again.
pub fn build(
    sink: &mut impl Sink,
    leaves: &[Change],
    reused: Option<(Ptr, Hash)>,
    depth: usize,
) -> Made {
    match leaves {
        [] => Made::EMPTY,
        [leaf] => {
            let record = leaf.record.unwrap_or_default();
            let ptr = match reused {
                Some((ptr, key)) if key == leaf.key => ptr,
                _ => sink.put_leaf(&leaf.key, &record),
            };
            let hash = hash_leaf(&leaf.key, &record);
            Made { ptr, hash }
        }
        _ => {
            let (before, after) = leaves.split_at(split(leaves, depth));
            let left = build(sink, before, reused, depth + 1);
            let right = build(sink, after, reused, depth + 1);
            join(sink, left, right)
        }
    }
}

/// A length as the number of records that come or go.
fn count(length: usize) -> i64 {
    i64::try_from(length).expect("what fits into memory has such a length")
}

/// Fetch from memory what a few changes will read, if they are few enough: all their ways down at
/// once, so that they wait together and not one after the other.
fn fetch_ways(forest: &Forest, top: Ptr, changes: &[Change], depth: usize) {
    let mut nodes = [Ptr::EMPTY; GROUP];
    let Some(nodes) = nodes.get_mut(..changes.len()) else {
        return;
    };
    nodes.fill(top);
    let mut depth = depth;
    let mut is_done = false;
    let mut seen = 0;
    while !is_done {
        is_done = true;
        for (node, change) in nodes.iter_mut().zip(changes) {
            if let Kind::Internal(place) = node.kind() {
                let (left, right) = forest.children(place);
                let (near, far) = if turns_right(&change.key, depth) {
                    (right, left)
                } else {
                    (left, right)
                };
                seen ^= forest.glance(far);
                *node = near;
                is_done = false;
            }
        }
        depth += 1;
    }
    for node in nodes {
        seen ^= forest.glance(*node);
    }
    black_box(seen);
}

/// How many of the sorted changes, which share the bits above `depth`, turn left there.
fn split(changes: &[Change], depth: usize) -> usize {
    changes.partition_point(|change| !turns_right(&change.key, depth))
}

/// Whether a leaf is among sorted leaves as it is.
fn holds(leaves: &[Change], (key, record): &(Hash, Hash)) -> bool {
    let found = leaves.binary_search_by(|each| each.key.cmp(key));
    found.is_ok_and(|at| leaves[at].record == Some(*record))
}

/// The leaves that sorted changes make of one leaf or none, sorted.
fn merged(leaf: Option<(Hash, Hash)>, changes: &[Change]) -> Cow<'_, [Change]> {
    let old = leaf.map(|(key, record)| Change {
        key,
        record: Some(record),
    });
    let Some(old) = old else {
        if changes.iter().all(|change| change.record.is_some()) {
            return Cow::Borrowed(changes);
        }
        let stays = |change: &&Change| change.record.is_some();
        return Cow::Owned(changes.iter().filter(stays).copied().collect());
    };
    let place = changes.binary_search_by(|change| change.key.cmp(&old.key));
    let (Ok(at) | Err(at)) = place;
    let kept = place.is_err().then_some(old);
    let all = changes[..at]
        .iter()
        .copied()
        .chain(kept)
        .chain(changes[at..].iter().copied());
    Cow::Owned(all.filter(|change| change.record.is_some()).collect())
}
