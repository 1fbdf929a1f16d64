//! What waits to be written: buffers that are full, and the one that is being filled.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use framescope_core::Timestamp;
use framescope_core::capture::Unrecorded;

use super::buffer::{Buffer, Pool};
use super::memory::{Memory, Size};

/// So many buffers are written with one call.
const AT_ONCE: usize = 4;

/// The octets that wait, and everything else that the queue's lock guards.
#[derive(Debug)]
pub(super) struct Batch {
    full: VecDeque<Buffer>,
    open: Buffer,
    /// Octets in all of them.
    len: usize,
    /// Octets that the thread has taken so far.
    taken: u64,
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
    pub waiters: Waiters,
    /// A file that holds so many octets is followed by another.
    file_size: Option<u64>,
    pool: Arc<Pool>,
}

/// Tasks that are to be woken, each once however often it asks.
#[derive(Debug, Default)]
pub(super) struct Waiters(HashMap<usize, Waker>);

impl Waiters {
    /// Wakes this one too.
    pub fn add(&mut self, waker: &Waker) {
        // A waker of tokio's points to its task, and keeps it where it is.
        self.0.entry(waker.data().addr()).or_insert_with(|| waker.clone());
    }

    pub fn wake(self) {
        self.0.into_values().for_each(Waker::wake);
    }
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
            open: pool.lend(Size::Small, 0, offset),
            len: 0,
            taken: 0,
            newest: Timestamp::default(),
            writing_since: None,
            thread: Thread::Busy,
            closed: false,
            trouble: None,
            unrecorded: Unrecorded::default(),
            waiters: Waiters::default(),
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
        encode: impl FnOnce(u32, &mut Memory) -> T,
    ) -> (T, usize) {
        let before = self.open.len();
        let result = encode(self.open.file, self.open.out());
        if self.closed {
            self.open.truncate(before);
            return (result, 0);
        }
        self.open.since.get_or_insert(now);
        let len = self.open.len() - before;
        self.len += len;
        if self.file_size.is_some_and(|size| self.open.end() >= size) {
            self.end_file();
        } else if self.open.is_full() {
            let next = self.open.split_at_page();
            self.put_open_away(next);
        }
        (result, len)
    }

    /// How many octets were ever appended: what is appended next begins there.
    pub fn position(&self) -> u64 {
        self.taken + self.len as u64
    }

    /// Writes `fresh` over the octets at `position`, unless the thread has them in its hands already.
    pub fn amend(&mut self, position: u64, fresh: [u8; 4]) {
        let behind = position.checked_sub(self.taken).map(usize::try_from);
        let Some(Ok(mut behind)) = behind else { return };
        for buffer in self.full.iter_mut().chain([&mut self.open]) {
            match behind.checked_sub(buffer.len()) {
                Some(further) => behind = further,
                None => return buffer.amend(behind, fresh),
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
            self.count_taken(buffer.len());
            taken.push(buffer);
            if ends_file {
                return;
            }
        }
        if !self.full.is_empty() {
            return;
        }
        if all || (taken.is_empty() && self.open.len() < large) {
            let size = self.open.next_size();
            let next = self.pool.lend(size, self.open.file, self.open.end());
            self.put_open_away(next);
        } else if taken.is_empty() {
            let next = self.open.split_at_page();
            self.put_open_away(next);
        } else {
            return;
        }
        if let Some(buffer) = self.full.pop_front() {
            self.count_taken(buffer.len());
            taken.push(buffer);
        }
    }

    /// What comes from here on goes into another file.
    pub fn end_file(&mut self) {
        self.open.ends_file = true;
        // The header of that file is not known yet: see `began_file`.
        let next = self.pool.lend(self.open.next_size(), self.open.file.wrapping_add(1), 0);
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

    fn count_taken(&mut self, len: usize) {
        self.len -= len;
        self.taken += len as u64;
    }

    fn put_open_away(&mut self, next: Buffer) {
        self.full.push_back(std::mem::replace(&mut self.open, next));
    }
}
