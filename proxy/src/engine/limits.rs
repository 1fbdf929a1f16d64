//! What the system allows a process: each proxied connection needs two open files.

/// Takes as many open files as this user may have; the usual first limit of 1,024 is 500 connections.
#[cfg(unix)]
pub(super) fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!("the limit of open files stays as it is: {error}");
        }
    }
}

/// Only Unix has such a limit.
#[cfg(not(unix))]
pub(super) fn raise_open_files() {}
