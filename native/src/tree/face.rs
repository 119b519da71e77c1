//! The tree as Python sees it. `tallystick/accel/native_tree.py` gives it the face of `StateTree`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::available_parallelism;

use crate::beside::beside;
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::batch::Batch;
use super::changes::{Change, Gathered};
use super::forest::{Forest, Made, Room, Writer};
use super::hash::{sha256, Hash};
use super::input::{changes_from, changes_from_records, hash_from, number_from};
use super::part::{plant, Part};
use super::read::{get, held, parts, prove, Path, Proof};
use super::versions::{Lines, EMPTY_VERSION};

import_exception!(tallystick.accel.errors, UnknownVersion);
import_exception!(tallystick.accel.errors, WrongPart);

/// Into no more than two to this power parts is a tree divided.
const BITS_MAX: i64 = 16;
/// From so many bits on the parts are looked up without Python's lock.
const MANY_BITS: usize = 8;
/// Up to so many changes are made, or keys looked up, with the lock kept: to get it back may take
/// longer than the work.
const FEW: usize = 32;

/// A version that is there: whoever holds it keeps its nodes where they are.
struct Version {
    number: u32,
    root: Made,
    size: u64,
}

/// Which versions can be asked for, and which were dropped and not yet freed.
struct Table {
    live: HashMap<u32, Arc<Version>>,
    dying: Vec<Arc<Version>>,
}

/// What the one writer needs.
struct Desk {
    lines: Lines,
    room: Room,
}

/// One path of a proof: key hash, record hash, siblings from the leaf up with "it stands left".
type PathParts<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Vec<(bool, Bound<'py, PyBytes>)>,
);

/// The versions of a state tree.
#[pyclass(frozen, module = "tallystick_native")]
struct StateTree {
    forest: Forest,
    table: Mutex<Table>,
    desk: Mutex<Desk>,
    threads: usize,
}

/// A part of a tree, grown from its records.
#[pyclass(frozen, module = "tallystick_native")]
struct Grown {
    part: Part,
}

#[pymethods]
impl Grown {
    /// Root of the part.
    #[getter]
    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.part.root())
    }

    /// How many records it holds.
    #[getter]
    fn size(&self) -> usize {
        self.part.size()
    }
}

#[pymethods]
impl StateTree {
    #[new]
    fn new() -> Self {
        let empty = Version {
            number: EMPTY_VERSION,
            root: Made::EMPTY,
            size: 0,
        };
        Self {
            forest: Forest::new(),
            table: Mutex::new(Table {
                live: HashMap::from([(EMPTY_VERSION, Arc::new(empty))]),
                dying: Vec::new(),
            }),
            desk: Mutex::new(Desk {
                lines: Lines::new(),
                room: Room::default(),
            }),
            threads: available_parallelism().map_or(1, usize::from),
        }
    }

    /// Make a new version from (key hash, record hash or None); its number.
    fn apply(&self, base: &Bound<'_, PyAny>, changes: &Bound<'_, PyAny>) -> PyResult<u32> {
        let base_version = self.pin(base)?;
        let changes = changes_from(changes)?;
        Ok(self.change(base.py(), &base_version, changes))
    }

    /// Make a new version from (key, record or None); its number.
    fn apply_records(&self, base: &Bound<'_, PyAny>, records: &Bound<'_, PyAny>) -> PyResult<u32> {
        let base_version = self.pin(base)?;
        let changes = changes_from_records(records)?;
        Ok(self.change(base.py(), &base_version, changes))
    }

    /// Forget a version; the next writer frees what no other version shares.
    fn drop(&self, version: &Bound<'_, PyAny>) -> PyResult<()> {
        let number = self.pin(version)?.number;
        if number != EMPTY_VERSION {
            let mut table = self.table();
            let dropped = table.live.remove(&number);
            table.dying.extend(dropped);
        }
        Ok(())
    }

    /// Root hash of a version.
    fn root<'py>(&self, version: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(version.py(), &self.pin(version)?.root.hash))
    }

    /// How many records a version holds.
    fn size(&self, version: &Bound<'_, PyAny>) -> PyResult<u64> {
        Ok(self.pin(version)?.size)
    }

    /// Record hash under a key hash, or None.
    fn get<'py>(
        &self,
        version: &Bound<'py, PyAny>,
        key_hash: &Bound<'py, PyBytes>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let key = hash_from(key_hash)?;
        let pinned = self.pin(version)?;
        let found = get(&self.forest, pinned.root.ptr, &key);
        Ok(found.map(|record| PyBytes::new(version.py(), &record)))
    }

    /// Those of many keys that are there, in their order; without the lock unless they are few.
    fn holding<'py>(
        &self,
        version: &Bound<'py, PyAny>,
        keys: Vec<Bound<'py, PyBytes>>,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let pinned = self.pin(version)?;
        let asked: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
        let look = || {
            let hashes: Vec<Hash> = asked.iter().copied().map(sha256).collect();
            held(&self.forest, pinned.root.ptr, &hashes)
        };
        let found = if asked.len() <= FEW {
            look()
        } else {
            version.py().detach(look)
        };
        let pairs = keys.into_iter().zip(found);
        Ok(pairs.filter(|pair| pair.1).map(|pair| pair.0).collect())
    }

    /// Whether a key hash is there, and its path; or the paths of its neighbours.
    fn prove<'py>(
        &self,
        version: &Bound<'py, PyAny>,
        key_hash: &Bound<'py, PyBytes>,
    ) -> PyResult<(bool, Option<PathParts<'py>>, Option<PathParts<'py>>)> {
        let py = version.py();
        let key = hash_from(key_hash)?;
        let pinned = self.pin(version)?;
        Ok(match prove(&self.forest, pinned.root.ptr, &key) {
            Proof::Existence(path) => (true, Some(path_parts(py, path)), None),
            Proof::NonExistence(left, right) => {
                let [left, right] = [left, right].map(|path| path.map(|path| path_parts(py, path)));
                (false, left, right)
            }
        })
    }

    /// Roots of the 2^bits parts of a version.
    fn parts<'py>(
        &self,
        version: &Bound<'py, PyAny>,
        bits: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let py = version.py();
        let pinned = self.pin(version)?;
        let bits = bits_from(bits)?;
        let look = || parts(&self.forest, pinned.root.ptr, bits);
        let roots = if bits < MANY_BITS {
            look()
        } else {
            py.detach(look)
        };
        Ok(roots.iter().map(|root| PyBytes::new(py, root)).collect())
    }

    /// Build one of 2^bits parts from (key hash, record hash), in order.
    #[staticmethod]
    fn grow(
        bits: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        pairs: &Bound<'_, PyAny>,
    ) -> PyResult<Grown> {
        let bits = bits_from(bits)?;
        let place = number_from(index)?;
        let mut leaves: Vec<Change> = Vec::new();
        for pair in pairs.try_iter()? {
            let (key, record): (Bound<'_, PyBytes>, Bound<'_, PyBytes>) = pair?.extract()?;
            let (key, record) = (hash_from(&key)?, Some(hash_from(&record)?));
            if leaves.last().is_some_and(|last| key <= last.key) {
                let reason = format!("a record of part {index} is out of order or comes twice");
                return Err(WrongPart::new_err(reason));
            }
            leaves.push(Change { key, record });
        }
        let ends = [leaves.first(), leaves.last()];
        if ends
            .into_iter()
            .flatten()
            .any(|leaf| Some(part_of(&leaf.key, bits)) != place)
        {
            let reason = format!(
                "a record does not belong to part {index} of {}",
                1_u32 << bits
            );
            return Err(WrongPart::new_err(reason));
        }
        Ok(Grown {
            part: pairs.py().detach(|| Part::grow(&leaves, bits)),
        })
    }

    /// Make a version of all its parts; its number.
    fn plant(&self, py: Python<'_>, grown: Vec<Py<Grown>>) -> PyResult<u32> {
        let count = grown.len();
        if !count.is_power_of_two() || count > 1 << BITS_MAX {
            return Err(not_divided(count));
        }
        Ok(py.detach(|| {
            let parts = || grown.iter().map(|each| &each.get().part);
            let size = parts().map(|part| part.size() as u64).sum();
            let mut desk = self.desk();
            let mut writer = Writer::new(
                &self.forest,
                desk.lines.next(),
                std::mem::take(&mut desk.room),
            );
            let root = plant(&mut writer, parts());
            desk.room = writer.into_room();
            let number = desk.lines.add(EMPTY_VERSION, root.ptr, Vec::new());
            self.publish(Version { number, root, size })
        }))
    }

    /// Bytes that nodes and lists take, used or idle; bytes of nodes that are idle.
    fn memory(&self, py: Python<'_>) -> (usize, usize) {
        py.detach(|| {
            let desk = self.desk();
            let idle = desk.room.idle_bytes();
            (
                self.forest.bytes() + desk.lines.bytes() + desk.room.bytes(),
                idle,
            )
        })
    }
}

impl StateTree {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().expect("no thread failed over the table")
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("no writer failed")
    }

    /// A version that stays as long as it is held.
    fn pin(&self, version: &Bound<'_, PyAny>) -> PyResult<Arc<Version>> {
        let number: Option<u32> = version.extract().ok();
        let found = number.and_then(|number| self.table().live.get(&number).cloned());
        found.ok_or_else(|| UnknownVersion::new_err(version.clone().unbind()))
    }

    /// Let a new version be asked for; its number.
    fn publish(&self, version: Version) -> u32 {
        let number = version.number;
        self.table().live.insert(number, Arc::new(version));
        number
    }

    /// Make a version from changes, without Python's lock unless they are few.
    fn change(&self, py: Python<'_>, base: &Version, changes: Gathered) -> u32 {
        let is_small = changes.len() <= FEW && self.table().dying.is_empty();
        if is_small {
            if let Ok(mut desk) = self.desk.try_lock() {
                return self.write(&mut desk, base, changes);
            }
        }
        beside(py, || {
            let mut desk = self.desk();
            self.sweep(&mut desk);
            self.write(&mut desk, base, changes)
        })
    }

    fn write(&self, desk: &mut Desk, base: &Version, changes: Gathered) -> u32 {
        let room = std::mem::take(&mut desk.room);
        let mut batch = Batch::new(Writer::new(&self.forest, desk.lines.next(), room));
        let root = batch.apply(base.root.ptr, &changes.sorted(), self.threads);
        let (orphans, added, writer) = batch.finish();
        desk.room = writer.into_room();
        let number = desk.lines.add(base.number, root.ptr, orphans);
        let size = base.size.checked_add_signed(added);
        self.publish(Version {
            number,
            root,
            size: size.expect("no more records go than are there"),
        })
    }

    /// Free what was dropped and is not being read.
    fn sweep(&self, desk: &mut Desk) {
        let mut table = self.table();
        let dying = std::mem::take(&mut table.dying);
        let mut gone = Vec::new();
        for version in dying {
            match Arc::try_unwrap(version) {
                Ok(version) => gone.push(version.number),
                Err(version) => table.dying.push(version),
            }
        }
        drop(table);
        for number in gone {
            desk.lines.drop(number, &self.forest, &mut desk.room);
        }
    }
}

/// The part that a key hash belongs to.
fn part_of(key: &Hash, bits: usize) -> i64 {
    let first = i64::from(key[0]) << 8 | i64::from(key[1]);
    first >> (BITS_MAX - bits as i64)
}

/// A number of bits by which a tree can be divided.
fn bits_from(bits: &Bound<'_, PyAny>) -> PyResult<usize> {
    let found = number_from(bits)?.filter(|number| *number <= BITS_MAX);
    let found = found.and_then(|number| usize::try_from(number).ok());
    found.ok_or_else(|| not_divided(0))
}

fn not_divided(count: usize) -> PyErr {
    WrongPart::new_err(format!("a tree is not divided into {count} parts"))
}

fn path_parts(py: Python<'_>, path: Path) -> PathParts<'_> {
    let bytes = |hash: &Hash| PyBytes::new(py, hash);
    let siblings = path
        .siblings
        .iter()
        .map(|(is_left, hash)| (*is_left, bytes(hash)));
    (bytes(&path.leaf.0), bytes(&path.leaf.1), siblings.collect())
}

/// Put the tree into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Grown>()?;
    module.add_class::<StateTree>()
}
