//! What waits to be written: buffers that are full, and the one that is being filled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use framescope_core::Timestamp;
use framescope_core::capture::Unrecorded;

use super::buffer::{Buffer, FULL, Pool};

/// So many buffers are written with one call.
const AT_ONCE: usize = 4;

/// The octets that wait, and everything else that the queue's lock guards.
#[derive(Debug)]
pub(super) struct Batch {
    full: VecDeque<Buffer>,
    open: Buffer,
    /// Octets in all of them.
    len: usize,
    /// Where that ends which was appended last.
    pub end: Place,
    /// The latest stamp of all that was appended.
    pub newest: Timestamp,
    /// When the first of the octets in the thread's hands came.
    pub writing_since: Option<Timestamp>,
    pub thread: Thread,
    pub closed: bool,
    /// Why the capture cannot be written or read, while that is so.
    pub trouble: Option<String>,
    /// Connections that the capture is yet to be told of.
    pub unrecorded: Unrecorded,
    /// Tasks that wait for room.
    pub waiters: Vec<Waker>,
    /// A file that holds so many octets is followed by another.
    file_size: Option<u64>,
    pool: Arc<Pool>,
}

/// A place in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Counts the files of the capture.
    pub file: u32,
    /// Octets from the start of that file.
    pub offset: u64,
}

impl Place {
    /// Where nothing is: before any file.
    const NOWHERE: Self = Self { file: u32::MAX, offset: 0 };
}

/// What the recorder's thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thread {
    /// Waits for a first octet.
    Parked,
    /// Waits for the tick to pass, or for the threshold.
    Ticking,
    /// Will look at the batch by itself.
    Busy,
}

impl Batch {
    /// Nothing, behind the `offset` octets that the first file holds.
    pub fn new(offset: u64, file_size: Option<u64>) -> Self {
        let pool = Arc::new(Pool::default());
        Self {
            full: VecDeque::new(),
            open: pool.lend(0, offset),
            len: 0,
            end: Place::NOWHERE,
            newest: Timestamp::default(),
            writing_since: None,
            thread: Thread::Busy,
            closed: false,
            trouble: None,
            unrecorded: Unrecorded::default(),
            waiters: Vec::new(),
            file_size,
            pool,
        }
    }

    /// Octets that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// When the first of them came.
    pub fn since(&self) -> Option<Timestamp> {
        self.full.front().unwrap_or(&self.open).since
    }

    /// Where unused buffers lie.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Lets `encode` append blocks at the time `now`; it is told which file they will be in. Also says
    /// how many octets it appended.
    pub fn append<T>(
        &mut self,
        now: Timestamp,
        encode: impl FnOnce(u32, &mut Vec<u8>) -> T,
    ) -> (T, usize) {
        let before = self.open.len();
        let result = encode(self.open.file, self.open.out());
        if self.closed {
            self.open.truncate(before);
            self.end = Place::NOWHERE;
            return (result, 0);
        }
        self.end = Place { file: self.open.file, offset: self.open.end() };
        self.open.since.get_or_insert(now);
        let len = self.open.len() - before;
        self.len += len;
        if self.file_size.is_some_and(|size| self.open.end() >= size) {
            self.end_file();
        } else if self.open.len() >= FULL {
            let next = self.open.split_at_page();
            self.put_open_away(next);
        }
        (result, len)
    }

    /// Writes `octets` over those at `place`, unless the thread has them in its hands already.
    pub fn amend(&mut self, place: Place, octets: [u8; 4]) {
        let Place { file, offset } = place;
        for buffer in self.full.iter_mut().chain([&mut self.open]).rev() {
            if buffer.file == file && buffer.offset <= offset {
                return buffer.amend(offset, octets);
            }
        }
    }

    /// Takes what is to be written next. Buffers that are full go alone, and so does a large part of
    /// the open one, up to where a page ends: as long as octets come fast, whole pages are written.
    /// `all` of it is taken where what comes next is not to be waited for.
    pub fn take(&mut self, all: bool, taken: &mut Vec<Buffer>, large: usize) {
        while taken.len() < AT_ONCE
            && let Some(buffer) = self.full.pop_front()
        {
            let ends_file = buffer.ends_file;
            self.len -= buffer.len();
            taken.push(buffer);
            if ends_file {
                return;
            }
        }
        if !self.full.is_empty() {
            return;
        }
        if all || (taken.is_empty() && self.open.len() < large) {
            let next = self.pool.lend(self.open.file, self.open.end());
            self.put_open_away(next);
        } else if taken.is_empty() {
            let next = self.open.split_at_page();
            self.put_open_away(next);
        } else {
            return;
        }
        if let Some(buffer) = self.full.pop_front() {
            self.len -= buffer.len();
            taken.push(buffer);
        }
    }

    /// What comes from here on goes into another file.
    pub fn end_file(&mut self) {
        self.open.ends_file = true;
        // The header of that file is not known yet: see `began_file`.
        let next = self.pool.lend(self.open.file.wrapping_add(1), 0);
        self.put_open_away(next);
    }

    /// From the thread: this file begins with a header of so many octets; or it could not be made, and
    /// what was meant for it goes on in the one before.
    pub fn began_file(&mut self, file: u32, offset: u64) {
        for buffer in self.full.iter_mut().chain([&mut self.open]) {
            if buffer.file == file {
                buffer.offset += offset;
            }
        }
    }

    /// From the thread: whether files end at their size. Where the next one could not be made, this
    /// one goes on.
    pub fn end_files_at(&mut self, size: Option<u64>) {
        self.file_size = size;
    }

    fn put_open_away(&mut self, next: Buffer) {
        self.full.push_back(std::mem::replace(&mut self.open, next));
    }
}
