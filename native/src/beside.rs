//! Work beside Python: without its lock and, where threads were started for it, off its core.
//!
//! Python's threads share one lock, so one core is all that they use; moved about they only take
//! what they know from one core's cache to the other's. A node keeps them on one core, and has what
//! needs no Python done by the threads started here, on the others. What is short, and what the
//! thread that executes waits for, is done where it stands: on the other cores it would wait, too,
//! for the check of signatures that runs there.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;

/// Threads that do the work; none until somebody starts them.
static POOL: OnceLock<ThreadPool> = OnceLock::new();

/// Do something without Python's lock, and wait for it.
pub fn beside<T: Send, F: FnOnce() -> T + Send>(py: Python<'_>, work: F) -> T {
    py.detach(|| match POOL.get() {
        Some(pool) => pool.install(work),
        None => work(),
    })
}

/// Start so many threads for work beside Python; False when there are some already.
///
/// They may run wherever the caller may at this moment.
#[pyfunction]
fn start_workers(count: usize) -> PyResult<bool> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(count.max(1))
        .thread_name(|number| format!("native-{number}"))
        .build()
        .map_err(|problem| PyOSError::new_err(problem.to_string()))?;
    Ok(POOL.set(pool).is_ok())
}

/// Put the function into the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(start_workers, module)?)
}
