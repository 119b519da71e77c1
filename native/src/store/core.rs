//! The store itself: one tree for state, side and height, so that a batch is one thing.
//!
//! Nothing is journalled: the block log is the journal. Batches sit in memtables until those are
//! flushed, whole and in order, so that after any crash the store is at some earlier height. A
//! memtable is only ever exchanged between two batches.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use lsm_tree::config::{CompressionPolicy, PinningPolicy};
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, Guard, InternalValue, Memtable,
    SequenceNumberCounter, Slice, Tree, ValueType,
};

use super::failure::Failure;
use super::folder::{lock, sound_list, Shadow};
use super::pins::{Pin, Pins};
use super::work::{flush, Work};

/// Keys of the state begin with this byte.
pub const STATE: u8 = b's';
/// Keys of the side namespace begin with this byte.
pub const SIDE: u8 = b'x';
const HEIGHT: &[u8] = b"h";
const FILLING: &[u8] = b"r";

/// Size at which a memtable is full and flushed, as the crate below counts it. Small: while a large
/// one is flushed, what waits for that core, or for the disk, waits for long.
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;
/// Full memtables at which a writer waits.
const MEMTABLES_MAX: usize = 12;
/// Size of the cache of blocks, indexes and filters.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// A change: namespace, key, and the value or None to delete.
pub type Row<'a> = (u8, &'a [u8], Option<&'a [u8]>);
/// A key with its namespace, and its value.
pub type Pair = (Slice, Slice);
type Rows = Box<dyn DoubleEndedIterator<Item = lsm_tree::IterGuardImpl> + Send + 'static>;
type Going = Arc<Mutex<Option<(Rows, Pin)>>>;

/// A store that is open.
pub struct Core {
    tree: RwLock<Option<Tree>>,
    numbers: SequenceNumberCounter,
    pins: Arc<Pins>,
    work: Arc<Work>,
    /// The memtable that is written to: whoever has it is the writer. To ask the tree for it may
    /// mean to wait for a list of tables that is being made durable.
    writer: Mutex<Arc<Memtable>>,
    scans: Mutex<HashMap<u64, Going>>,
    scan_count: AtomicU64,
    is_read_only: bool,
    held: Mutex<(Option<File>, Option<Shadow>)>,
}

impl Core {
    /// Open the store of a folder.
    pub fn open(path: &str, is_read_only: bool) -> Result<Arc<Self>, Failure> {
        let folder = Path::new(path);
        let (held, shadow) = match is_read_only {
            true => (None, Some(Shadow::of(folder)?)),
            false => (Some(lock(folder)?), None),
        };
        let place = shadow.as_ref().map_or(folder, Shadow::path).to_owned();
        sound_list(&place)?;
        let numbers = SequenceNumberCounter::default();
        let AnyTree::Standard(tree) =
            Config::new(&place, numbers.clone(), SequenceNumberCounter::default())
                .use_cache(Arc::new(Cache::with_capacity_bytes(CACHE_BYTES)))
                // Whole filters and indexes would be read and checked anew for every key.
                .filter_block_partitioning_policy(PinningPolicy::all(true))
                .index_block_partitioning_policy(PinningPolicy::all(true))
                .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
                .open()?
        else {
            return Err(Failure::Damaged("it holds something else".to_owned()));
        };
        let first = tree.get_highest_seqno().unwrap_or(0) + 1;
        numbers.fetch_max(first);
        let core = Arc::new(Self {
            tree: RwLock::new(Some(tree.clone())),
            numbers,
            pins: Arc::default(),
            work: Arc::default(),
            writer: Mutex::new(tree.active_memtable()),
            scans: Mutex::default(),
            scan_count: AtomicU64::new(0),
            is_read_only,
            held: Mutex::new((held, shadow)),
        });
        core.pins.publish(first);
        if tree.get(FILLING, first)?.is_some() {
            if is_read_only {
                return Err(Failure::Damaged(
                    "it was being filled from a snapshot".to_owned(),
                ));
            }
            core.empty(&tree)?;
            *core.writing()? = tree.active_memtable();
        }
        if !is_read_only {
            core.work.begin(&tree, &core.pins)?;
            core.work.ask_merge();
        }
        Ok(core)
    }

    // --- writing

    /// Write a batch; with a height, it is the state after that block.
    pub fn apply(&self, height: Option<u64>, rows: &mut [Row<'_>]) -> Result<(), Failure> {
        rows.sort_unstable(); // neighbours are near in memory, too: half the time
        let tree = self.tree()?;
        let mut memtable = self.writing()?;
        self.work.wait_until(|| true)?;
        let number = self.numbers.next();
        let mut key = Vec::with_capacity(256);
        for (space, name, value) in rows.iter() {
            key.clear();
            key.push(*space);
            key.extend_from_slice(name);
            memtable.insert(match value {
                Some(value) => item(&key, value, number),
                None => InternalValue::new_tombstone(&key[..], number),
            });
        }
        if let Some(height) = height {
            memtable.insert(item(HEIGHT, &height.to_be_bytes(), number));
        }
        self.pins.publish(number + 1);
        if memtable.size() >= MEMTABLE_BYTES {
            self.exchange(&tree, &mut memtable);
            self.work.ask_flush();
            let has_room = || tree.sealed_memtable_count() < MEMTABLES_MAX;
            self.work.wait_until(has_room)?;
        }
        Ok(())
    }

    /// Empty the store and mark it: what is flushed from now on does not count, mark and all.
    pub fn begin_filling(&self) -> Result<(), Failure> {
        let tree = self.tree()?;
        let mut memtable = self.writing()?;
        self.empty(&tree)?;
        *memtable = tree.active_memtable();
        let number = self.numbers.next();
        memtable.insert(item(FILLING, b"", number));
        self.pins.publish(number + 1);
        Ok(())
    }

    /// Let what was filled count, at a height.
    pub fn end_filling(&self, height: u64) -> Result<(), Failure> {
        {
            let memtable = self.writing()?;
            let number = self.numbers.next();
            memtable.insert(InternalValue::new_tombstone(FILLING, number));
            memtable.insert(item(HEIGHT, &height.to_be_bytes(), number));
            self.pins.publish(number + 1);
        }
        self.checkpoint()
    }

    /// Make all that was applied durable.
    pub fn checkpoint(&self) -> Result<(), Failure> {
        let tree = self.tree()?;
        self.seal(&tree)?;
        flush(&tree, &self.pins)?;
        self.work.ask_merge();
        self.work.wait_until(|| true)
    }

    /// Begin to make durable what was applied.
    pub fn checkpoint_soon(&self) -> Result<(), Failure> {
        let tree = self.tree()?;
        self.seal(&tree)?;
        self.work.ask_flush();
        self.work.wait_until(|| true)
    }

    /// Make everything durable, end what reads, stop the threads, let go of the folder.
    pub fn close(&self) -> Result<(), Failure> {
        let Some(tree) = self
            .tree
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        else {
            return Ok(());
        };
        for going in std::mem::take(&mut *self.scans()).into_values() {
            *going.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.work.stop();
        let flushed = match self.is_read_only {
            true => Ok(()),
            false => self.seal(&tree).and_then(|()| flush(&tree, &self.pins)),
        };
        drop(tree);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = (None, None);
        flushed
    }

    /// Exchange the memtable, between two batches; from now on readers look at newer files, too.
    fn seal(&self, tree: &Tree) -> Result<(), Failure> {
        let mut memtable = self.writing()?;
        self.exchange(tree, &mut memtable);
        self.pins.publish(self.numbers.get());
        Ok(())
    }

    /// Begin a new memtable; the one before it waits to be flushed.
    fn exchange(&self, tree: &Tree, memtable: &mut Arc<Memtable>) {
        if let Some(full) = tree.rotate_memtable() {
            self.work.hold(full);
        }
        *memtable = tree.active_memtable();
    }

    fn empty(&self, tree: &Tree) -> Result<(), Failure> {
        tree.clear()?;
        self.pins.publish(self.numbers.get());
        Ok(())
    }

    fn writing(&self) -> Result<MutexGuard<'_, Arc<Memtable>>, Failure> {
        if self.is_read_only {
            return Err(Failure::Io(Some(30), "it is only read".to_owned())); // EROFS
        }
        Ok(self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    // --- reading

    /// Hold the newest state.
    pub fn pin(&self) -> Result<Pin, Failure> {
        self.tree()?;
        Ok(self.pins.pin())
    }

    /// Height of the newest state; 0 of an empty one.
    pub fn height(&self) -> Result<u64, Failure> {
        self.height_at(&self.pins.pin())
    }

    /// Height of a state.
    pub fn height_at(&self, pin: &Pin) -> Result<u64, Failure> {
        let Some(found) = self.tree()?.get(HEIGHT, pin.at())? else {
            return Ok(0);
        };
        let bytes = found.as_ref().try_into();
        bytes
            .map(u64::from_be_bytes)
            .map_err(|_| Failure::Damaged("its height".to_owned()))
    }

    /// Value of a key.
    pub fn get(&self, pin: &Pin, space: u8, key: &[u8]) -> Result<Option<Slice>, Failure> {
        Ok(self.tree()?.get(keyed(space, key), pin.at())?)
    }

    /// Values of keys of the state.
    pub fn get_many(&self, pin: &Pin, keys: &[&[u8]]) -> Result<Vec<Option<Slice>>, Failure> {
        let tree = self.tree()?;
        let found = keys.iter().map(|key| tree.get(keyed(STATE, key), pin.at()));
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Begin a scan; its number.
    pub fn scan(&self, pin: &Pin, space: u8, prefix: &[u8], start: &[u8]) -> Result<u64, Failure> {
        let tree = self.tree()?;
        let first = keyed(space, prefix.max(start));
        let number = self.scan_count.fetch_add(1, Ordering::Relaxed);
        if let Some(end) = after(keyed(space, prefix)).filter(|end| *end > first) {
            let rows = tree.range(first..end, pin.at(), None);
            self.scans()
                .insert(number, Arc::new(Mutex::new(Some((rows, pin.clone())))));
        } else {
            self.scans().insert(
                number,
                Arc::new(Mutex::new(Some((Box::new(none()), pin.clone())))),
            );
        }
        Ok(number)
    }

    /// The next pairs of a scan.
    pub fn advance(&self, number: u64, count: usize) -> Result<Vec<Pair>, Failure> {
        let going = self.scans().get(&number).cloned().ok_or(Failure::Closed)?;
        let mut going = going.lock().unwrap_or_else(PoisonError::into_inner);
        let (rows, _) = going.as_mut().ok_or(Failure::Closed)?;
        Ok(rows
            .by_ref()
            .take(count)
            .map(Guard::into_inner)
            .collect::<Result<_, _>>()?)
    }

    /// Let go of a scan.
    pub fn end_scan(&self, number: u64) {
        let going = self.scans().remove(&number);
        drop(going); // not while the others wait: files may be closed and removed here
    }

    /// Tables of each level, and bytes of memtables.
    pub fn shape(&self) -> Result<(Vec<usize>, u64), Failure> {
        let tree = self.tree()?;
        let tables = (0..7)
            .filter_map(|level| tree.level_table_count(level))
            .collect();
        Ok((tables, tree.version_memtable_size_sum()))
    }

    fn tree(&self) -> Result<Tree, Failure> {
        let tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        tree.clone().ok_or(Failure::Closed)
    }

    fn scans(&self) -> MutexGuard<'_, HashMap<u64, Going>> {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.work.stop();
    }
}

fn none() -> std::iter::Empty<lsm_tree::IterGuardImpl> {
    std::iter::empty()
}

fn item(key: &[u8], value: &[u8], number: u64) -> InternalValue {
    InternalValue::from_components(key, value, number, ValueType::Value)
}

fn keyed(space: u8, key: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(key.len() + 1);
    whole.push(space);
    whole.extend_from_slice(key);
    whole
}

/// The first key after all that begin with a prefix.
fn after(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return Some(prefix);
        }
    }
    None
}
