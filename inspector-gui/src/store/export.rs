//! Writing what a capture says as JSON Lines, on a thread of its own.

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use framescope_core::ConnectionId;
use framescope_core::capture::CaptureItem;
use parking_lot::Mutex;

use super::{Shared, Target, Wake};
use crate::source::{JsonFeed, Source};

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
        /// Records of the capture that it tells of.
        records: u64,
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
        shared: &Shared,
        target: Target,
        connection: Option<ConnectionId>,
    ) -> Result<Self, String> {
        let export = Self {
            state: Arc::new(Mutex::new(ExportState::Writing { percent: 0 })),
            cancelled: Arc::default(),
        };
        let (state, cancelled) = (Arc::clone(&export.state), Arc::clone(&export.cancelled));
        let (source, wake) = (Arc::clone(&shared.source), shared.wake.clone());
        let work = move || {
            let work = Work { source, wake, connection, state: &state, cancelled: &cancelled };
            let outcome = match target.write(|file| work.write_all(file)) {
                Ok(records) => ExportState::Written { records },
                Err(error) => ExportState::Failed(format!(
                    "cannot write {}: {error}",
                    target.path().display()
                )),
            };
            *state.lock() = outcome;
            work.wake.touch();
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
    source: Arc<Source>,
    wake: Wake,
    connection: Option<ConnectionId>,
    state: &'a Mutex<ExportState>,
    cancelled: &'a AtomicBool,
}

impl Work<'_> {
    fn write_all(&self, file: File) -> io::Result<u64> {
        let mut tail = self.source.follow()?;
        let end = self.source.wait_beyond(0, std::time::Duration::ZERO);
        let mut feed = JsonFeed::new(BufWriter::new(file))?;
        let mut records = 0;
        while tail.offset() < end && tail.read_more()? {
            self.poll(&mut tail, &mut feed, &mut records)?;
            let percent = tail.offset().saturating_mul(100) / end.max(1);
            *self.state.lock() = ExportState::Writing { percent: percent.min(99) };
            self.wake.touch();
        }
        if self.source.is_file() {
            tail.finish();
            self.poll(&mut tail, &mut feed, &mut records)?;
        }
        feed.flush()?;
        Ok(records)
    }

    fn poll(
        &self,
        tail: &mut crate::source::Tail,
        feed: &mut JsonFeed<BufWriter<File>>,
        records: &mut u64,
    ) -> io::Result<()> {
        while let Some(item) = tail.poll() {
            if self.cancelled.load(Ordering::Acquire) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let is_wanted = match &item {
                CaptureItem::Record { record, .. } => {
                    self.connection.is_none_or(|wanted| wanted == record.connection())
                }
                CaptureItem::Fault(_) => true,
            };
            if is_wanted {
                *records += u64::from(matches!(item, CaptureItem::Record { .. }));
                feed.receive(item)?;
            }
        }
        Ok(())
    }
}
