//! The recorder's thread: swaps the batch, writes it with one call, tells who follows.

use std::fs::File;
use std::io::{self, Write};
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use rustix::fs::Advice;

use super::pages::Pages;
use super::queue::{Queue, Thread};

/// How long to wait before a write that failed is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// Buffers beyond this are given back once they are no longer needed.
const KEEP: usize = 4 << 20;

/// Where a capture is written to.
pub trait Sink: Write + Send + 'static {
    /// Whether nobody will find what is written: the file was deleted.
    fn is_unreachable(&self) -> bool {
        false
    }

    /// Gives back the memory that holds these octets of the file, as far as they are on the disk.
    fn give_back(&self, offset: u64, len: u64) {
        let _ = (offset, len);
    }

    /// What the first file starts with.
    fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        framescope_core::capture::write_section_header(&mut header);
        header
    }

    /// Whether the capture may ever go on in another file.
    fn goes_on_elsewhere(&self) -> bool {
        false
    }

    /// Whether it is to go on in another file once `coming` more octets are written.
    fn is_full(&self, _coming: usize) -> bool {
        false
    }

    /// When it is to go on in another file although nothing more came.
    fn full_at(&self) -> Option<Instant> {
        None
    }

    /// Goes on in another file, which begins at `offset` of the capture: how many octets are in it
    /// already; none where it goes on as it is.
    fn turn_over(&mut self, _offset: u64) -> u64 {
        0
    }
}

impl Sink for File {
    #[cfg(unix)]
    fn is_unreachable(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        self.metadata().is_ok_and(|file| file.nlink() == 0)
    }

    #[cfg(target_os = "linux")]
    fn give_back(&self, offset: u64, len: u64) {
        // Advice: where it is not taken, nothing but speed is lost.
        let _ = rustix::fs::fadvise(self, offset, NonZeroU64::new(len), Advice::DontNeed);
    }
}

/// Runs until the queue is closed and written.
pub(super) fn run(queue: &Queue, mut sink: impl Sink) {
    let mut taken = Vec::with_capacity(queue.room.threshold.saturating_mul(2));
    let mut pages = Pages::default();
    while let Some(turn) = take(queue, &sink, &mut taken) {
        if !write(queue, &mut sink, &taken) {
            let lost = taken.len();
            tracing::error!(octets = lost, "the capture's last octets could not be written");
            return;
        }
        let mut batch = queue.batch.lock();
        let deleted = sink.is_unreachable();
        if deleted != batch.trouble.is_some() {
            let trouble =
                "the capture file was deleted; what is recorded from here on is lost at the end";
            queue.set_trouble(&mut batch, false, deleted.then(|| trouble.to_owned()));
            if deleted {
                tracing::warn!("{trouble}");
            }
        }
        queue.publish(batch, taken.len());
        pages.wrote(&sink, taken.len());
        recycle(&mut taken);
        if turn {
            let begun = sink.turn_over(queue.written());
            if begun > 0 {
                pages = Pages::default();
                queue.grow(begun);
            }
        }
    }
}

/// Waits for octets and takes them all; `None` when the queue is closed and empty. Says whether what
/// comes after them goes into another file: from the moment they are taken, tapes know.
fn take(queue: &Queue, sink: &impl Sink, taken: &mut Vec<u8>) -> Option<bool> {
    let mut batch = queue.batch.lock();
    while batch.octets.is_empty() {
        if batch.closed {
            return None;
        }
        batch.thread = Thread::Parked;
        match sink.full_at() {
            None => queue.wake.wait(&mut batch),
            Some(at) => {
                let late = queue.wake.wait_until(&mut batch, at).timed_out();
                if late && batch.octets.is_empty() {
                    break;
                }
            }
        }
    }
    if (1..queue.room.threshold).contains(&batch.octets.len()) && !batch.closed {
        batch.thread = Thread::Ticking;
        queue.wake.wait_for(&mut batch, queue.room.tick);
    }
    batch.thread = Thread::Busy;
    std::mem::swap(&mut batch.octets, taken);
    batch.writing_since = batch.since.take();
    let turn = !batch.closed && sink.is_full(taken.len());
    batch.file = batch.file.wrapping_add(u32::from(turn));
    Some(turn)
}

/// Writes all of `octets`, however long the disk refuses; gives up only once the queue is closed.
///
/// What was refused is tried again from where it stopped, so that the file's blocks stay whole.
fn write(queue: &Queue, sink: &mut impl Sink, octets: &[u8]) -> bool {
    let mut rest = octets;
    let mut failing = false;
    while !rest.is_empty() {
        let error = match sink.write(rest) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(len) => {
                rest = rest.get(len..).unwrap_or_default();
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        let mut batch = queue.batch.lock();
        if !failing {
            failing = true;
            let line =
                format!("the capture cannot be written: {error}; traffic goes on unrecorded");
            queue.set_trouble(&mut batch, true, Some(line.clone()));
            // Said once it is so: whoever reads it may count on it.
            tracing::error!("{line}");
        }
        if batch.closed {
            return false;
        }
        queue.wake.wait_for(&mut batch, RETRY);
    }
    if failing {
        queue.set_trouble(&mut queue.batch.lock(), false, None);
        tracing::warn!("the capture can be written again; what passed meanwhile is a marked gap");
    }
    true
}

/// Empties a buffer for its next turn; what a burst made it grow to is given back.
fn recycle(buffer: &mut Vec<u8>) {
    let used = buffer.len();
    buffer.clear();
    if buffer.capacity() > KEEP && used < buffer.capacity() / 4 {
        buffer.shrink_to(KEEP);
    }
}
