//! Writing what a capture says as JSON Lines, on a thread of its own.

mod listed;

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use framescope_core::ConnectionId;
use framescope_core::capture::CaptureItem;
use framescope_core::export::Only;
use parking_lot::Mutex;

pub use listed::ListedRows;

use super::{Shared, Target};
use crate::source::{JsonFeed, Tail};

/// What is exported.
#[derive(Debug, Clone)]
pub enum Extract {
    /// All of the capture.
    Everything,
    /// What one connection says.
    Connection(ConnectionId),
    /// The frames of these rows, and what is said of their connections.
    Listed(ListedRows),
}

/// How far an export has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportState {
    /// So much of the capture was gone through.
    Writing {
        /// From 0 to 99.
        percent: u64,
    },
    /// It is all written.
    Written {
        /// Lines of the file, the first of which names the schema.
        lines: u64,
    },
    /// Why it is not: one line.
    Failed(String),
}

/// An export that runs, or is done. Dropping it stops it, and what it wrote until then is deleted.
#[derive(Debug)]
pub struct Export {
    state: Arc<Mutex<ExportState>>,
    cancelled: Arc<AtomicBool>,
}

impl Export {
    pub(super) fn spawn(
        shared: &Arc<Shared>,
        target: Target,
        extract: Extract,
    ) -> Result<Self, String> {
        let export = Self {
            state: Arc::new(Mutex::new(ExportState::Writing { percent: 0 })),
            cancelled: Arc::default(),
        };
        let (state, cancelled) = (Arc::clone(&export.state), Arc::clone(&export.cancelled));
        let shared = Arc::clone(shared);
        let work = move || {
            let work = Work { shared: &shared, state: &state, cancelled: &cancelled };
            let outcome = match target.write(|file| work.write_all(extract, file)) {
                Ok(lines) => ExportState::Written { lines },
                Err(error) => ExportState::Failed(format!(
                    "cannot write {}: {error}",
                    target.path().display()
                )),
            };
            *state.lock() = outcome;
            shared.wake.touch();
        };
        std::thread::Builder::new()
            .name("export".to_owned())
            .spawn(work)
            .map_err(|error| format!("cannot export: {error}"))?;
        Ok(export)
    }

    /// How far it has come.
    pub fn state(&self) -> ExportState {
        self.state.lock().clone()
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

struct Work<'a> {
    shared: &'a Shared,
    state: &'a Mutex<ExportState>,
    cancelled: &'a AtomicBool,
}

/// Whose records are read.
enum Wanted {
    All,
    Connection(ConnectionId),
    Of(Only),
}

impl Wanted {
    fn has(&self, connection: ConnectionId) -> bool {
        match self {
            Self::All => true,
            Self::Connection(wanted) => *wanted == connection,
            Self::Of(only) => only.has(connection),
        }
    }
}

impl Work<'_> {
    fn write_all(&self, extract: Extract, file: File) -> io::Result<u64> {
        let source = &self.shared.source;
        let mut feed = JsonFeed::new(BufWriter::new(file))?;
        let wanted = match extract {
            Extract::Everything => Wanted::All,
            Extract::Connection(connection) => Wanted::Connection(connection),
            Extract::Listed(rows) => {
                let only = rows.frames(self.shared, self.cancelled)?;
                feed.narrow(only.clone());
                Wanted::Of(only)
            }
        };
        let mut tail = source.follow()?;
        let end = source.wait_beyond(0, std::time::Duration::ZERO);
        while tail.offset() < end && tail.read_more()? {
            self.poll(&mut tail, &mut feed, &wanted)?;
            let percent = tail.offset().saturating_mul(100) / end.max(1);
            *self.state.lock() = ExportState::Writing { percent: percent.min(99) };
            self.shared.wake.touch();
        }
        if source.is_file() {
            tail.finish();
            self.poll(&mut tail, &mut feed, &wanted)?;
        }
        feed.flush()?;
        Ok(feed.lines())
    }

    fn poll(
        &self,
        tail: &mut Tail,
        feed: &mut JsonFeed<BufWriter<File>>,
        wanted: &Wanted,
    ) -> io::Result<()> {
        while let Some(item) = tail.poll() {
            stop_if(self.cancelled)?;
            let is_wanted = match &item {
                CaptureItem::Record { record, .. } => wanted.has(record.connection()),
                CaptureItem::Fault(_) => true,
            };
            if is_wanted {
                feed.receive(item)?;
            }
        }
        Ok(())
    }
}

/// An error once nobody waits for the export any more.
fn stop_if(cancelled: &AtomicBool) -> io::Result<()> {
    if cancelled.load(Ordering::Acquire) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
}
