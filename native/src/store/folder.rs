//! The store's folder: who has it, whether its list of files is sound, and how to only read it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_128;

use super::failure::Failure;

/// Name of the file that names the list of tables: its number, its checksum, a byte for its kind.
const CURRENT: &str = "current";
const CURRENT_BYTES: usize = 25;
const TABLES: &str = "tables";
const LOCK: &str = "LOCK";

/// How often a list is read again that its writer has replaced meanwhile.
const TRIES: usize = 100;

static SHADOWS: AtomicU64 = AtomicU64::new(0);

/// Hold a folder until the file is closed or the process ends.
pub fn lock(folder: &Path) -> Result<File, Failure> {
    fs::create_dir_all(folder)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::InUse),
        Err(TryLockError::Error(problem)) => Err(problem.into()),
    }
}

/// The list of tables that counts, None in a folder without one. The crate below does not check it.
pub fn sound_list(folder: &Path) -> Result<Option<String>, Failure> {
    let path = folder.join(CURRENT);
    if !path.try_exists()? {
        let has_tables = folder.join(TABLES).try_exists()?
            && fs::read_dir(folder.join(TABLES))?.next().is_some();
        return match has_tables {
            true => Err(Failure::Damaged(format!("the file {CURRENT} is missing"))),
            false => Ok(None),
        };
    }
    let named = fs::read(&path)?;
    let damaged = || Failure::Damaged(format!("the list of tables that {CURRENT} names"));
    if named.len() != CURRENT_BYTES || named[CURRENT_BYTES - 1] != 0 {
        return Err(damaged());
    }
    let number = u64::from_le_bytes(named[..8].try_into().map_err(|_| damaged())?);
    let checksum = u128::from_le_bytes(named[8..24].try_into().map_err(|_| damaged())?);
    let name = format!("v{number}");
    let list = fs::read(folder.join(&name))?;
    if xxh3_128(&list) != checksum {
        return Err(damaged());
    }
    Ok(Some(name))
}

/// A folder of links to a store's files: opening it may tidy up there, and nothing here.
pub struct Shadow {
    path: PathBuf,
}

impl Shadow {
    /// Links to all files of a store as they are now; its writer may be at work beside us.
    pub fn of(folder: &Path) -> Result<Self, Failure> {
        let current = folder.join(CURRENT);
        let mut before = fs::read(&current).ok();
        let mut made = Self::links(folder);
        for _ in 0..TRIES {
            let now = fs::read(&current).ok();
            if now == before {
                break;
            }
            before = now;
            made = Self::links(folder);
        }
        made
    }

    fn links(folder: &Path) -> Result<Self, Failure> {
        let Some(list) = sound_list(folder)? else {
            return Err(Failure::Damaged("there is none".to_owned()));
        };
        let number = SHADOWS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tallystick-store-{}-{number}", std::process::id());
        let shadow = Self {
            path: std::env::temp_dir().join(name),
        };
        fs::create_dir_all(shadow.path.join(TABLES))?;
        for name in [CURRENT, &list] {
            fs::copy(folder.join(name), shadow.path.join(name))?;
        }
        for entry in fs::read_dir(folder.join(TABLES))? {
            let entry = entry?;
            // A table that is gone belonged to no list any more, or the list says that it is missing.
            let Ok(table) = fs::canonicalize(entry.path()) else {
                continue;
            };
            std::os::unix::fs::symlink(table, shadow.path.join(TABLES).join(entry.file_name()))?;
        }
        Ok(shadow)
    }

    /// Where the links are.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        // What stays behind are links in the system's folder for temporary files.
        let _ = fs::remove_dir_all(&self.path);
    }
}
