//! Reading one version: a record's hash, the way to it, its neighbours, the roots of parts.

use super::forest::{Forest, Kind, Ptr};
use super::hash::{turns_right, Hash};

/// So many keys are looked up together.
const TOGETHER: usize = 16;

/// Key hash and record hash.
pub type Leaf = (Hash, Hash);

/// The other child of a node that was passed on the way down.
struct Turn {
    is_left: bool,
    node: Ptr,
}

/// The way from a leaf up to the root.
pub struct Path {
    /// The leaf.
    pub leaf: Leaf,
    /// From the leaf up, each sibling: whether it stands left, and its hash.
    pub siblings: Vec<(bool, Hash)>,
}

/// What is told of a key hash.
pub enum Proof {
    /// It is there.
    Existence(Path),
    /// It is not; its neighbours are.
    NonExistence(Option<Path>, Option<Path>),
}

/// Follow a key down: the turns passed, and the leaf at the end or nothing.
fn descend(forest: &Forest, root: Ptr, key: &Hash) -> (Vec<Turn>, Option<Leaf>) {
    let mut turns = Vec::new();
    let mut node = root;
    loop {
        match node.kind() {
            Kind::Empty => return (turns, None),
            Kind::Leaf(place) => return (turns, Some(forest.leaf(place))),
            Kind::Internal(place) => {
                let (left, right) = forest.children(place);
                let is_left = turns_right(key, turns.len());
                let (near, far) = if is_left {
                    (right, left)
                } else {
                    (left, right)
                };
                turns.push(Turn { is_left, node: far });
                node = near;
            }
        }
    }
}

/// Record hash under a key hash.
pub fn get(forest: &Forest, root: Ptr, key: &Hash) -> Option<Hash> {
    let mut node = root;
    let mut depth = 0;
    while let Kind::Internal(place) = node.kind() {
        let (left, right) = forest.children(place);
        node = if turns_right(key, depth) { right } else { left };
        depth += 1;
    }
    match node.kind() {
        Kind::Leaf(place) => {
            let (found, record) = forest.leaf(place);
            (found == *key).then_some(record)
        }
        _ => None,
    }
}

/// Which of these key hashes are there.
pub fn held(forest: &Forest, root: Ptr, keys: &[Hash]) -> Vec<bool> {
    let groups = keys.chunks(TOGETHER);
    groups
        .flat_map(|group| held_in_group(forest, root, group))
        .collect()
}

/// The same of a few keys, which go down side by side: what each step reads from memory is waited
/// for together.
fn held_in_group(forest: &Forest, root: Ptr, keys: &[Hash]) -> Vec<bool> {
    let mut nodes = vec![root; keys.len()];
    let mut is_done = false;
    let mut depth = 0;
    while !is_done {
        is_done = true;
        for (node, key) in nodes.iter_mut().zip(keys) {
            if let Kind::Internal(place) = node.kind() {
                let (left, right) = forest.children(place);
                *node = if turns_right(key, depth) { right } else { left };
                is_done = false;
            }
        }
        depth += 1;
    }
    let ends = nodes.into_iter().zip(keys);
    ends.map(|(end, key)| matches!(end.kind(), Kind::Leaf(place) if forest.key(place) == *key))
        .collect()
}

/// Prove that a key hash is there, or that it is not.
pub fn prove(forest: &Forest, root: Ptr, key: &Hash) -> Proof {
    match descend(forest, root, key) {
        (turns, Some(leaf)) if leaf.0 == *key => Proof::Existence(path(forest, &turns, leaf)),
        (turns, end) => {
            let neighbour = |is_left| {
                let leaf = neighbour(forest, &turns, end, key, is_left)?;
                Some(path(forest, &descend(forest, root, &leaf.0).0, leaf))
            };
            Proof::NonExistence(neighbour(true), neighbour(false))
        }
    }
}

/// The path of a leaf to which the turns lead.
fn path(forest: &Forest, turns: &[Turn], leaf: Leaf) -> Path {
    let up = turns.iter().rev();
    Path {
        leaf,
        siblings: up
            .map(|turn| (turn.is_left, forest.hash(turn.node)))
            .collect(),
    }
}

/// The nearest leaf on one side of a key that is not there.
fn neighbour(
    forest: &Forest,
    turns: &[Turn],
    end: Option<Leaf>,
    key: &Hash,
    is_left: bool,
) -> Option<Leaf> {
    if let Some(leaf) = end.filter(|leaf| (leaf.0 < *key) == is_left) {
        return Some(leaf);
    }
    let beside = |turn: &&Turn| turn.is_left == is_left && turn.node != Ptr::EMPTY;
    let nearest = turns.iter().rev().find(beside)?;
    edge(forest, nearest.node, !is_left)
}

/// The outermost leaf of a subtree, on its left or right side.
fn edge(forest: &Forest, top: Ptr, is_left: bool) -> Option<Leaf> {
    let mut node = top;
    loop {
        match node.kind() {
            Kind::Empty => return None,
            Kind::Leaf(place) => return Some(forest.leaf(place)),
            Kind::Internal(place) => {
                let (left, right) = forest.children(place);
                let (near, far) = if is_left {
                    (left, right)
                } else {
                    (right, left)
                };
                node = if near == Ptr::EMPTY { far } else { near };
            }
        }
    }
}

/// Roots of the `2^bits` parts of a tree, in the order of their bits.
pub fn parts(forest: &Forest, root: Ptr, bits: usize) -> Vec<Hash> {
    let mut nodes = vec![root];
    for depth in 0..bits {
        let halves = nodes.iter().flat_map(|&node| halves(forest, node, depth));
        nodes = halves.collect();
    }
    nodes.into_iter().map(|node| forest.hash(node)).collect()
}

/// The two halves of a part; a lone leaf goes where its key belongs.
fn halves(forest: &Forest, node: Ptr, depth: usize) -> [Ptr; 2] {
    match node.kind() {
        Kind::Internal(place) => forest.children(place).into(),
        Kind::Leaf(place) if turns_right(&forest.key(place), depth) => [Ptr::EMPTY, node],
        _ => [node, Ptr::EMPTY],
    }
}
