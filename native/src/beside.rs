//! Work beside Python: without its lock and, where threads were started for it, off its core.
//!
//! Python's threads share one lock, so one core is all that they use; moved about they only take
//! what they know from one core's cache to the other's. A node keeps them on one core, and has what
//! needs no Python done by the threads started here, on the others.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;

/// Threads that do the work; none until somebody starts them.
static POOL: OnceLock<ThreadPool> = OnceLock::new();

/// One thread more, for what the block that is being executed waits for.
static AHEAD_OF_ALL: OnceLock<ThreadPool> = OnceLock::new();

/// Do something without Python's lock, and wait for it.
pub fn beside<T: Send, F: FnOnce() -> T + Send>(py: Python<'_>, work: F) -> T {
    py.detach(|| on(&POOL, work))
}

/// Do something short that whoever executes waits for, not behind the checks of signatures.
///
/// Those take 10 to 20 ms a request, and everything else in the node follows upon execution.
pub fn at_once<T: Send, F: FnOnce() -> T + Send>(py: Python<'_>, work: F) -> T {
    py.detach(|| on(&AHEAD_OF_ALL, work))
}

/// Do something on threads started for it, or here where there are none.
fn on<T: Send>(threads: &OnceLock<ThreadPool>, work: impl FnOnce() -> T + Send) -> T {
    match threads.get() {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Start so many threads for work beside Python, and one for `at_once`; False when there are some
/// already.
///
/// They may run wherever the caller may at this moment.
#[pyfunction]
fn start_workers(count: usize) -> PyResult<bool> {
    let pool = started(count.max(1), |number| format!("native-{number}"))?;
    let first = started(1, |_| "native-first".to_owned())?;
    Ok(POOL.set(pool).is_ok() && AHEAD_OF_ALL.set(first).is_ok())
}

/// So many threads with names.
fn started(count: usize, name: fn(usize) -> String) -> PyResult<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(name)
        .build()
        .map_err(|problem| PyOSError::new_err(problem.to_string()))
}

/// Put the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(start_workers, module)?)
}
