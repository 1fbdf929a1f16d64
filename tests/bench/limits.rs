//! What the system allows a process, which is what thousands of connections run into first.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Open files that a process needs beside its connections.
const SPARE_FILES: u64 = 60;

/// Takes as many open files as this user may have; children inherit it.
pub fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it stays as it is, fewer connections are held.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Of `wanted` connections, those that a proxy can hold: each takes two of its open files.
pub fn connections(wanted: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = files.saturating_sub(SPARE_FILES) / 2;
    wanted.min(usize::try_from(most).unwrap_or(usize::MAX))
}
