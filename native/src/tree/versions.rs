//! Which versions there are, which come from which, and what may be freed.
//!
//! Each version knows its parent, and the nodes of the parent that it no longer holds: its orphans.
//! A node lives from the version in which it was made to wherever it is an orphan. So, when a
//! version is dropped that
//!
//! * has no children: what was made after its parent is nobody else's;
//! * has one child: of the child's orphans, what was made after the parent was only here; the rest
//!   becomes an orphan between parent and child, who are neighbours now;
//! * has more children: it stays, unseen, until they have become fewer.
//!
//! The work of a drop is proportional to what is freed or handed on; no node is read that stays.

use std::collections::HashMap;

use super::batch::Orphan;
use super::forest::{Forest, Kind, Ptr, Room};

/// The version without records: every line of versions begins with it.
pub const EMPTY_VERSION: u32 = 0;

/// One version among the others.
#[derive(Default)]
struct Line {
    root: Ptr,
    parent: u32,
    children: Vec<u32>,
    is_dropped: bool,
    orphans: Vec<Orphan>,
}

/// All versions that still hold nodes, as the one writer knows them.
pub struct Lines {
    lines: HashMap<u32, Line>,
    last: u32,
}

impl Lines {
    /// The empty version alone.
    pub fn new() -> Self {
        Self {
            lines: HashMap::from([(EMPTY_VERSION, Line::default())]),
            last: EMPTY_VERSION,
        }
    }

    /// The number that the next version will have.
    pub fn next(&self) -> u32 {
        self.last
            .checked_add(1)
            .expect("there are numbers for four billion versions")
    }

    /// Add the next version; its number.
    pub fn add(&mut self, parent: u32, root: Ptr, mut orphans: Vec<Orphan>) -> u32 {
        self.last = self.next();
        orphans.shrink_to_fit();
        let line = Line {
            root,
            parent,
            orphans,
            ..Line::default()
        };
        self.lines.insert(self.last, line);
        let number = self.last;
        self.line(parent).children.push(number);
        number
    }

    /// Forget a version, and give back the places of what no other one holds.
    pub fn drop(&mut self, version: u32, forest: &Forest, room: &mut Room) {
        self.line(version).is_dropped = true;
        let mut version = version;
        while self.line(version).is_dropped {
            let children = &self.line(version).children;
            match (children.first().copied(), children.len()) {
                (None, _) => version = self.drop_last(version, forest, room),
                (Some(child), 1) => return self.drop_between(version, child, room),
                _ => return,
            }
        }
    }

    /// Forget a version without children; its parent.
    fn drop_last(&mut self, version: u32, forest: &Forest, room: &mut Room) -> u32 {
        let line = self.lines.remove(&version).unwrap_or_default();
        let mut waiting = vec![line.root];
        while let Some(node) = waiting.pop() {
            if forest.born(node) > line.parent {
                if let Kind::Internal(place) = node.kind() {
                    waiting.extend(<[Ptr; 2]>::from(forest.children(place)));
                }
                room.give(node);
            }
        }
        self.line(line.parent)
            .children
            .retain(|&child| child != version);
        line.parent
    }

    /// Forget a version with one child, which becomes that of its parent.
    fn drop_between(&mut self, version: u32, child: u32, room: &mut Room) {
        let mut line = self.lines.remove(&version).unwrap_or_default();
        let below = self.line(child);
        below.parent = line.parent;
        for (node, born) in std::mem::take(&mut below.orphans) {
            if born > line.parent {
                room.give(node);
            } else {
                line.orphans.push((node, born));
            }
        }
        line.orphans.shrink_to(2 * line.orphans.len());
        self.line(child).orphans = line.orphans;
        for each in &mut self.line(line.parent).children {
            if *each == version {
                *each = child;
            }
        }
    }

    /// Bytes that the lists of orphans take.
    pub fn bytes(&self) -> usize {
        let capacities = self.lines.values().map(|line| line.orphans.capacity());
        capacities.sum::<usize>() * size_of::<Orphan>()
    }

    fn line(&mut self, version: u32) -> &mut Line {
        self.lines
            .get_mut(&version)
            .expect("parents and children are there")
    }
}
