//! What goes on beside: memtables become tables, tables are merged. Two threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use lsm_tree::compaction::{CompactionStrategy, Leveled};
use lsm_tree::{AbstractTree, Memtable, Tree};

use super::failure::{guarded, Failure};
use super::pins::Pins;

/// Tables in level 0 that are merged together.
const LEVEL0_TABLES: u8 = 12;
/// Size of a table: small ones are merged in short turns.
const TABLE_BYTES: u64 = 32 * 1024 * 1024;

#[derive(Default)]
struct Orders {
    flush: bool,
    merge: bool,
    stop: bool,
    failed: Option<Failure>,
}

/// Orders for the two threads, and what became of them.
#[derive(Default)]
pub struct Work {
    orders: Mutex<Orders>,
    bell: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
    exchanged: Mutex<Vec<Arc<Memtable>>>,
}

impl Work {
    /// Begin to work on a tree.
    pub fn begin(self: &Arc<Self>, tree: &Tree, pins: &Arc<Pins>) -> Result<(), Failure> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, turn) in [("flush", flush_turn as Turn), ("merge", merge_turn as Turn)] {
            let (work, tree, pins) = (self.clone(), tree.clone(), pins.clone());
            let thread = Builder::new().name(format!("store-{name}"));
            threads.push(thread.spawn(move || work.keep_going(turn, &tree, &pins))?);
        }
        Ok(())
    }

    /// Ask for full memtables to be flushed.
    pub fn ask_flush(&self) {
        self.orders().flush = true;
        self.bell.notify_all();
    }

    /// Ask for a look whether tables should be merged.
    pub fn ask_merge(&self) {
        self.orders().merge = true;
        self.bell.notify_all();
    }

    /// Hold a memtable that was exchanged, until nobody else does.
    ///
    /// To free one takes tens of milliseconds, and the tree, which forgets it when it is in a file,
    /// would do so under the lock that readers and writers need.
    pub fn hold(&self, memtable: Arc<Memtable>) {
        self.exchanged().push(memtable);
    }

    /// Free the memtables that nobody else holds any more.
    fn let_go(&self) {
        let is_ours = |held: &mut Arc<Memtable>| Arc::strong_count(held) == 1;
        let gone: Vec<_> = self.exchanged().extract_if(.., is_ours).collect();
        drop(gone); // with no lock
    }

    fn exchanged(&self) -> MutexGuard<'_, Vec<Arc<Memtable>>> {
        self.exchanged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait until there is room, as `has_room` tells; say what went wrong meanwhile.
    pub fn wait_until(&self, has_room: impl Fn() -> bool) -> Result<(), Failure> {
        let mut orders = self.orders();
        loop {
            if let Some(failure) = &orders.failed {
                return Err(failure.clone());
            }
            if has_room() {
                return Ok(());
            }
            orders.flush = true;
            self.bell.notify_all();
            orders = self
                .bell
                .wait(orders)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stop both threads and wait for them.
    pub fn stop(&self) {
        self.orders().stop = true;
        self.bell.notify_all();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A thread that panicked has said so, or the store was damaged: nothing to add.
            let _ = thread.join();
        }
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_going(&self, turn: Turn, tree: &Tree, pins: &Pins) {
        loop {
            match guarded(|| turn(self, tree, pins)) {
                Ok(true) => self.let_go(),
                Ok(false) => return,
                Err(failure) => {
                    self.orders().failed.get_or_insert(failure);
                    self.bell.notify_all();
                    return;
                }
            }
        }
    }

    /// Wait for an order and take it; false when it is time to stop.
    fn taken(&self, order: impl Fn(&mut Orders) -> &mut bool) -> bool {
        let mut orders = self.orders();
        loop {
            if orders.stop {
                return false;
            }
            if std::mem::take(order(&mut orders)) {
                return true;
            }
            orders = self
                .bell
                .wait(orders)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

type Turn = fn(&Work, &Tree, &Pins) -> Result<bool, Failure>;

fn flush_turn(work: &Work, tree: &Tree, pins: &Pins) -> Result<bool, Failure> {
    if !work.taken(|orders| &mut orders.flush) {
        return Ok(false);
    }
    flush(tree, pins)?;
    work.ask_merge();
    Ok(true)
}

/// Make one table, or a few, of all full memtables.
pub fn flush(tree: &Tree, pins: &Pins) -> Result<(), Failure> {
    let one_at_a_time = tree.get_flush_lock();
    tree.flush(&one_at_a_time, pins.oldest())?;
    Ok(())
}

fn merge_turn(work: &Work, tree: &Tree, pins: &Pins) -> Result<bool, Failure> {
    if !work.taken(|orders| &mut orders.merge) {
        return Ok(false);
    }
    let strategy: Arc<dyn CompactionStrategy> = Arc::new(
        Leveled::default()
            .with_l0_threshold(LEVEL0_TABLES)
            .with_table_target_size(TABLE_BYTES),
    );
    loop {
        let before = tree.current_version().id();
        tree.compact(strategy.clone(), pins.oldest())?;
        if tree.current_version().id() == before || work.orders().stop {
            return Ok(true);
        }
    }
}
