//! Changes of a batch, gathered in any order and put into that of their keys.

use super::hash::Hash;

/// What becomes of one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Key hash.
    pub key: Hash,
    /// Record hash; `None` for a record that goes.
    pub record: Option<Hash>,
}

/// From so many changes on they are kept apart by their keys' first byte: each part is then sorted
/// within the processor's cache, and no second copy of the whole is needed.
const MANY: usize = 1 << 16;

/// Changes as they come.
#[derive(Default)]
pub struct Gathered {
    few: Vec<Change>,
    many: Vec<Vec<Change>>,
}

impl Gathered {
    /// Take one more.
    pub fn push(&mut self, change: Change) {
        if self.few.len() == MANY {
            self.many.resize_with(256, Vec::new);
            for change in std::mem::take(&mut self.few) {
                self.many[usize::from(change.key[0])].push(change);
            }
        }
        if self.many.is_empty() {
            self.few.push(change);
        } else {
            self.many[usize::from(change.key[0])].push(change);
        }
    }

    /// How many there are, those that come twice counted twice.
    pub fn len(&self) -> usize {
        self.few.len() + self.many.iter().map(Vec::len).sum::<usize>()
    }

    /// All of them in the order of their keys; of two for one key the last that came.
    pub fn sorted(self) -> Vec<Change> {
        if self.many.is_empty() {
            return sorted(self.few);
        }
        let mut all = Vec::with_capacity(self.len());
        for part in self.many {
            all.extend(sorted(part));
        }
        all
    }
}

/// The first eight bytes of a key as a number.
fn prefix(key: &Hash) -> u64 {
    key[..8]
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Changes in the order of their keys; of two for one key the last.
fn sorted(changes: Vec<Change>) -> Vec<Change> {
    if changes.is_sorted_by(|one, next| one.key < next.key) {
        return changes;
    }
    let mut order: Vec<(u64, usize)> = changes
        .iter()
        .enumerate()
        .map(|(at, change)| (prefix(&change.key), at))
        .collect();
    order.sort_unstable_by(|a, b| {
        let by_key = || changes[a.1].key.cmp(&changes[b.1].key);
        a.0.cmp(&b.0).then_with(by_key).then(a.1.cmp(&b.1))
    });
    let mut result: Vec<Change> = Vec::with_capacity(changes.len());
    for (_, at) in order {
        match result.last_mut() {
            Some(last) if last.key == changes[at].key => *last = changes[at],
            _ => result.push(changes[at]),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::hash::sha256;
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn few_and_many_come_out_in_order_and_the_last_counts() {
        for count in [0, 1, 2, 50, MANY, MANY + 1, 2 * MANY] {
            let mut gathered = Gathered::default();
            let mut expected = BTreeMap::new();
            for at in 0..count {
                let mut key = sha256(&(at % (count / 2 + 1)).to_be_bytes());
                if at % 3 == 0 {
                    key[..8].fill(7);
                }
                let record = (at % 5 != 0).then(|| sha256(&at.to_be_bytes()));
                gathered.push(Change { key, record });
                expected.insert(key, record);
            }
            assert_eq!(gathered.len(), count);
            let found = gathered.sorted();
            assert!(found
                .iter()
                .map(|each| (each.key, each.record))
                .eq(expected));
        }
    }
}
