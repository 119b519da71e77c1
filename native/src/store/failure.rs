//! What can go wrong in the store, in the few words that the Python side tells apart.

use std::panic::{catch_unwind, AssertUnwindSafe};

/// Why the store cannot do what is asked.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The disk refused: the system's error number, and words.
    Io(Option<i32>, String),
    /// The files are not what was written.
    Damaged(String),
    /// Another process has the folder.
    InUse,
    /// The store was closed.
    Closed,
}

impl From<std::io::Error> for Failure {
    fn from(problem: std::io::Error) -> Self {
        match problem.kind() {
            // A file that ends early or is missing was there once: this is no matter of the disk.
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::NotFound => {
                Self::Damaged(problem.to_string())
            }
            _ => Self::Io(problem.raw_os_error(), problem.to_string()),
        }
    }
}

impl From<lsm_tree::Error> for Failure {
    fn from(problem: lsm_tree::Error) -> Self {
        match problem {
            lsm_tree::Error::Io(problem) => problem.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Run something; a panic of the crate below, which expects its files to be sound, is damage.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Failure::Damaged(
            words.unwrap_or("it cannot be understood").to_owned(),
        ))
    })
}
