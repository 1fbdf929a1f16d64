//! Memory that capture octets are written into: used again and again, and laid out as the file is.
//!
//! Memory that was never used before costs many times more to write to than memory that was, so that
//! buffers go round: from the pool to the batch, to the thread that writes, to whoever follows the
//! capture, and back once nobody looks at them any more.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use framescope_core::Timestamp;
use framescope_core::capture::Append;
use parking_lot::Mutex;

use super::memory::{Memory, Size};

/// What the file system keeps together, and what it can write from where it lies in memory.
pub(super) const PAGE: usize = 4096;
/// A buffer that holds so many octets is full.
pub(super) const FULL: usize = 1 << 20;
/// So is a small one that holds so many: more of them come than it was meant for.
const FULL_SMALL: usize = 256 << 10;
/// Unused buffers beyond so many, of each size, are given back.
const IDLE: usize = 16;
/// Fewer octets than these are copied for whoever follows, so that they hold no whole buffer.
const LEAST_LENT: usize = 64 << 10;

/// The buffers that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
}

/// By size.
#[derive(Debug, Default)]
struct Idle {
    small: Vec<Memory>,
    huge: Vec<Memory>,
}

impl Idle {
    fn of(&mut self, size: Size) -> &mut Vec<Memory> {
        match size {
            Size::Small => &mut self.small,
            Size::Huge => &mut self.huge,
        }
    }
}

impl Pool {
    /// A buffer for what will begin at `offset` of its file.
    pub fn lend(self: &Arc<Self>, size: Size, file: u32, offset: u64) -> Buffer {
        let idle = self.idle.lock().of(size).pop();
        let mut octets = idle.unwrap_or_else(|| Memory::new(size));
        let padding = (octets.to_page(PAGE) + in_page(offset)) % PAGE;
        octets.append([0; PAGE].get(..padding).unwrap_or_default());
        let pool = Arc::clone(self);
        Buffer { octets, padding, file, offset, since: None, ends_file: false, pool }
    }

    fn take_back(&self, mut octets: Memory) {
        // One that had to grow is not the same size as the others.
        if let Some(size) = octets.size() {
            octets.truncate(0);
            let mut idle = self.idle.lock();
            let idle = idle.of(size);
            if idle.len() < IDLE {
                idle.push(octets);
            }
        }
    }

    /// Gives back all memory that is not in use.
    pub fn shrink(&self) {
        let idle = mem::take(&mut *self.idle.lock());
        drop(idle);
    }
}

/// Octets of one file of the capture, in memory whose address lies within a page as they will lie
/// within a page of the file: from there it can be written without a copy.
#[derive(Debug)]
pub(super) struct Buffer {
    octets: Memory,
    /// What stands before the first octet.
    padding: usize,
    /// Counts the files of the capture.
    pub file: u32,
    /// Where in its file the first octet will be.
    pub offset: u64,
    /// When the first octet came.
    pub since: Option<Timestamp>,
    /// Whether what comes next goes into another file.
    pub ends_file: bool,
    pool: Arc<Pool>,
}

impl Buffer {
    /// What blocks are appended to.
    pub fn out(&mut self) -> &mut Memory {
        &mut self.octets
    }

    /// Whether what comes next is to go into another.
    pub fn is_full(&self) -> bool {
        let is_small = self.octets.size() == Some(Size::Small);
        self.len() >= if is_small { FULL_SMALL } else { FULL }
    }

    /// The size of memory that does for what comes next, if it comes as fast as this did.
    pub fn next_size(&self) -> Size {
        if self.len() < FULL_SMALL { Size::Small } else { Size::Huge }
    }

    /// Octets in it.
    pub fn len(&self) -> usize {
        self.octets.len() - self.padding
    }

    /// Where in the file its end will be.
    pub fn end(&self) -> u64 {
        self.offset + self.len() as u64
    }

    /// Writes `fresh` over its octets from the one numbered `at` on, where they are all here.
    pub fn amend(&mut self, at: usize, fresh: [u8; 4]) {
        let old = self.octets.get_mut(self.padding + at..).and_then(<[u8]>::first_chunk_mut);
        if let Some(old) = old {
            *old = fresh;
        }
    }

    /// Keeps no more than the first `len` octets.
    pub fn truncate(&mut self, len: usize) {
        self.octets.truncate(self.padding + len);
    }

    /// Ends it where a page of the file ends, if one does: the rest begins the buffer that follows.
    pub fn split_at_page(&mut self) -> Self {
        let cut = match self.len().checked_sub(in_page(self.end())) {
            None | Some(0) => self.len(),
            Some(cut) => cut,
        };
        let mut next = self.pool.lend(Size::Huge, self.file, self.offset + cut as u64);
        if let Some(rest) = self.as_ref().get(cut..).filter(|rest| !rest.is_empty()) {
            next.octets.append(rest);
            next.since = self.since;
        }
        self.truncate(cut);
        next
    }

    /// Its octets for whoever follows the capture, and how much memory they hold, which comes back when
    /// they are dropped.
    pub fn share(self) -> (Bytes, usize) {
        if self.len() < LEAST_LENT {
            return (Bytes::copy_from_slice(self.as_ref()), self.len());
        }
        let held = self.octets.resident();
        (Bytes::from_owner(self), held)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.octets.get(self.padding..).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.take_back(mem::take(&mut self.octets));
    }
}

/// How far behind the start of a page this offset lies.
fn in_page(offset: u64) -> usize {
    usize::try_from(offset % PAGE as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_in_page(buffer: &Buffer) -> usize {
        buffer.as_ref().as_ptr().addr() % PAGE
    }

    #[test]
    fn octets_lie_in_memory_as_in_the_file_and_the_memory_goes_round() {
        let pool = Arc::new(Pool::default());
        let mut addresses = Vec::new();
        for offset in [0, 1, 4095, 4096, 70_000, 5] {
            let mut buffer = pool.lend(Size::Huge, 0, offset);
            buffer.out().append(&vec![7; 100_000]);
            assert_eq!(place_in_page(&buffer), in_page(offset), "{offset}");
            assert_eq!((buffer.len(), buffer.end()), (100_000, offset + 100_000));
            let (shared, held) = buffer.share();
            assert_eq!(held, 2 << 20);
            assert_eq!(shared, vec![7; 100_000]);
            addresses.push(shared.as_ptr().addr() / PAGE);
        }
        let first = addresses[0];
        assert!(addresses.iter().all(|address| address.abs_diff(first) <= 1), "{addresses:?}");
        assert_eq!(pool.idle.lock().huge.len(), 1);
        pool.shrink();
        assert_eq!(pool.idle.lock().huge.len(), 0);
    }

    #[test]
    fn a_full_buffer_ends_with_a_page_and_the_next_goes_on_there() {
        let pool = Arc::new(Pool::default());
        for (offset, len, kept) in [
            (0, 10_000, 8192),
            (100, 8092, 8092),
            (100, 8093, 8092),
            (4000, 50, 50),
            (0, 4096, 4096),
        ] {
            let mut buffer = pool.lend(Size::Huge, 3, offset);
            let octets: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
            buffer.out().append(&octets);
            let next = buffer.split_at_page();
            assert_eq!(buffer.len(), kept, "{offset} {len}");
            assert_eq!([buffer.as_ref(), next.as_ref()].concat(), octets);
            assert_eq!((next.file, next.offset), (3, buffer.end()));
            assert_eq!(place_in_page(&next), in_page(next.offset));
        }
    }

    #[test]
    fn memory_that_had_to_grow_is_not_kept() {
        let pool = Arc::new(Pool::default());
        let mut buffer = pool.lend(Size::Huge, 0, 0);
        buffer.out().append(&vec![0; (2 << 20) + 1]);
        drop(buffer);
        assert_eq!(pool.idle.lock().huge.len(), 0);
    }
}
