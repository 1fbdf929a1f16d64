//! The recorder's thread: swaps the batch, writes it with one call, tells who follows.

use std::io::{self, IoSlice, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::batch::Thread;
use super::buffer::Buffer;
use super::pages::Pages;
use super::queue::Queue;

/// How long to wait before a write that failed is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// When nothing was recorded for so long, memory is given back.
const QUIET: Duration = Duration::from_secs(1);

/// A part of a buffer that is written before it is full, and by itself.
const LARGE: usize = 256 << 10;

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

    /// Whether more waits to be written than should.
    fn fall_behind(&mut self, _is_behind: bool) {}

    /// A file that holds so many octets is to be followed by another.
    fn file_size(&self) -> Option<u64> {
        None
    }

    /// When the capture is to go on in another file although nothing more came.
    fn full_at(&self) -> Option<Instant> {
        None
    }

    /// Goes on in another file, which begins at `offset` of the capture: what is in it already; `None`
    /// where it goes on as it is.
    fn turn_over(&mut self, _offset: u64) -> Option<Vec<u8>> {
        None
    }
}

/// Runs until the queue is closed and written.
pub(super) fn run(queue: &Queue, mut sink: impl Sink) {
    let mut taken = Vec::new();
    let mut pages = Pages::default();
    while take(queue, &sink, &mut taken) {
        sink.fall_behind(queue.waiting() > queue.room.limit / 2);
        // The last alone can end its file: all before it are one piece of the same file.
        if !write(queue, &mut sink, &taken) {
            let lost = taken.iter().map(Buffer::len).sum::<usize>();
            tracing::error!(octets = lost, "the capture's last octets could not be written");
            return;
        }
        look_for_file(queue, &sink);
        let ended = taken.last().filter(|last| last.ends_file).map(|last| (last.file, last.end()));
        for buffer in taken.drain(..) {
            pages.wrote(&sink, buffer.len());
            queue.publish(queue.batch.lock(), buffer);
        }
        if let Some((file, end)) = ended {
            let header = sink.turn_over(queue.written());
            let mut batch = queue.batch.lock();
            batch.end_files_at(sink.file_size());
            let begun = header.as_ref().map_or(end, |header| header.len() as u64);
            batch.began_file(file.wrapping_add(1), begun);
            drop(batch);
            if let Some(header) = header {
                pages = Pages::default();
                let len = header.len();
                queue.grow(len, || (Bytes::from(header), len));
            }
        }
    }
}

/// Waits for octets and takes what is to be written next; `false` when the queue is closed and empty.
fn take(queue: &Queue, sink: &impl Sink, taken: &mut Vec<Buffer>) -> bool {
    let mut batch = queue.batch.lock();
    let is_due = || sink.full_at().is_some_and(|at| Instant::now() >= at);
    let mut quiet_at = Instant::now().checked_add(QUIET);
    while batch.len() == 0 {
        if batch.closed {
            return false;
        }
        if is_due() {
            break;
        }
        batch.thread = Thread::Parked;
        match [sink.full_at(), quiet_at].into_iter().flatten().min() {
            None => queue.wake.wait(&mut batch),
            Some(at) => drop(queue.wake.wait_until(&mut batch, at)),
        }
        if quiet_at.is_some_and(|at| Instant::now() >= at) {
            batch.pool().shrink();
            quiet_at = None;
        }
    }
    if (1..queue.room.threshold).contains(&batch.len()) && !batch.closed {
        batch.thread = Thread::Ticking;
        queue.wake.wait_for(&mut batch, queue.room.tick);
    }
    batch.thread = Thread::Busy;
    let turns = !batch.closed && is_due();
    if turns {
        batch.end_file();
    }
    batch.end_files_at(sink.file_size());
    batch.writing_since = batch.since();
    let all = batch.closed;
    batch.take(all, taken, LARGE);
    true
}

/// Tells, once, that nobody will find what is written; and once that it is found again.
fn look_for_file(queue: &Queue, sink: &impl Sink) {
    let deleted = sink.is_unreachable();
    let mut batch = queue.batch.lock();
    if deleted == batch.trouble.is_some() {
        return;
    }
    let trouble = "the capture file was deleted; what is recorded from here on is lost at the end";
    queue.set_trouble(&mut batch, false, deleted.then(|| trouble.to_owned()));
    if deleted {
        tracing::warn!("{trouble}");
    }
}

/// Writes all of `buffers`, however long the disk refuses; gives up only once the queue is closed.
///
/// What was refused is tried again from where it stopped, so that the file's blocks stay whole.
fn write(queue: &Queue, sink: &mut impl Sink, buffers: &[Buffer]) -> bool {
    let mut parts: Vec<IoSlice<'_>> =
        buffers.iter().map(|buffer| IoSlice::new(buffer.as_ref())).collect();
    let mut rest = &mut parts[..];
    IoSlice::advance_slices(&mut rest, 0);
    let mut failing = false;
    while !rest.is_empty() {
        let error = match sink.write_vectored(rest) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(len) => {
                IoSlice::advance_slices(&mut rest, len);
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
