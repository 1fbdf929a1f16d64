//! The batch of capture octets that waits to be written: bounded, shared by all connections.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use framescope_core::Timestamp;
use framescope_core::capture::Unrecorded;
use framescope_core::capture::in_proxy_value;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::batch::{Batch, Thread, Waiters};
use super::buffer::{Buffer, FULL};
use super::memory::Memory;
use super::tail::Tail;
use crate::clock::Clock;
use crate::engine::WhenSlow;

/// How much may wait, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Octets that may wait before the wire has to (or a gap begins).
    pub limit: usize,
    /// Octets that are written at once rather than at the next tick.
    pub threshold: usize,
    /// How long the first octet of a batch waits for company.
    pub tick: Duration,
}

impl Room {
    /// 1 MiB and 2 ms. Where the wire waits, 16 MiB may: memory that goes round within the processor's
    /// cache costs half of what more would. Where a gap would begin instead, 64 MiB.
    pub fn of(when_slow: WhenSlow) -> Self {
        let limit = match when_slow {
            WhenSlow::Block => 16 << 20,
            WhenSlow::Gap => 64 << 20,
        };
        Self { limit, threshold: FULL, tick: Duration::from_millis(2) }
    }
}

/// The batch, and everything the wire and the recorder's thread tell each other.
#[derive(Debug)]
pub struct Queue {
    pub(super) clock: Clock,
    when_slow: WhenSlow,
    /// Whether the capture may go on in another file.
    pub(super) goes_on_elsewhere: bool,
    pub(super) room: Room,
    pub(super) batch: Mutex<Batch>,
    pub(super) wake: Condvar,
    /// Octets in the batch and in the thread's hands: read without the lock.
    waiting: AtomicUsize,
    failing: AtomicBool,
    gap_octets: AtomicU64,
    written: AtomicU64,
    follow: Mutex<Tail>,
    grown: Condvar,
}

impl Queue {
    pub(super) fn new(
        clock: Clock,
        when_slow: WhenSlow,
        room: Room,
        (goes_on_elsewhere, file_size): (bool, Option<u64>),
        written: u64,
    ) -> Self {
        Self {
            clock,
            when_slow,
            goes_on_elsewhere,
            room,
            batch: Mutex::new(Batch::new(written, file_size)),
            wake: Condvar::new(),
            waiting: AtomicUsize::new(0),
            failing: AtomicBool::new(false),
            gap_octets: AtomicU64::new(0),
            written: AtomicU64::new(written),
            follow: Mutex::new(Tail::default()),
            grown: Condvar::new(),
        }
    }

    /// Whether tapes are to keep what a reader must know behind octets that are missing, or in another
    /// file: where either is to be expected.
    pub(super) fn remembers(&self) -> bool {
        self.goes_on_elsewhere || self.when_slow == WhenSlow::Gap
    }

    /// Ready when a connection may read on: always, unless the wire is to wait for the recorder. While
    /// the file cannot be written the wire does not wait: what passes then becomes a gap.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.wire_waits() {
            return Poll::Ready(());
        }
        let mut batch = self.batch.lock();
        // Looked at again under the lock, under which the thread makes room and wakes.
        if batch.closed || !self.wire_waits() {
            return Poll::Ready(());
        }
        batch.waiters.add(cx.waker());
        Poll::Pending
    }

    fn wire_waits(&self) -> bool {
        self.when_slow == WhenSlow::Block
            && self.waiting() >= self.room.limit
            && !self.failing.load(Ordering::Relaxed)
    }

    /// Whether octets may be recorded now. After a loss there must be room for more than a few, else a
    /// slow disk would turn the capture into gaps with crumbs between them.
    pub(super) fn takes_octets(&self, after_loss: bool) -> bool {
        let limit = match (self.when_slow, after_loss) {
            (WhenSlow::Block, _) => usize::MAX,
            (WhenSlow::Gap, false) => self.room.limit,
            (WhenSlow::Gap, true) => self.room.limit / 2,
        };
        !self.failing.load(Ordering::Relaxed) && self.waiting() < limit
    }

    /// Whether there is room for what is no octets: that a connection was opened, what became known of
    /// it. While the wire waits for the recorder there always is.
    fn takes_facts(&self) -> bool {
        let is_bounded = self.when_slow == WhenSlow::Gap || self.failing.load(Ordering::Relaxed);
        !is_bounded || self.waiting() < self.room.limit + self.room.limit / 4
    }

    /// Lets `encode` append blocks about what happened `at`, just now or a moment ago: they are stamped
    /// so, unless others were quicker and have later stamps, for stamps in the file never run
    /// backwards, whichever connection they come from. It is told which file they will be in.
    ///
    /// Where there is no room, `encode` is not called, unless the capture is `owed` what it says:
    /// the end of a connection that it knows. Also says where the blocks end, for
    /// [`Queue::tell_in_proxy`].
    pub(super) fn append<T>(
        &self,
        at: Timestamp,
        owed: bool,
        encode: impl FnOnce(Timestamp, u32, &mut Memory) -> T,
    ) -> Option<(T, u64)> {
        let mut batch = self.batch.lock();
        let has_room = self.takes_facts();
        if !owed && !has_room {
            return None;
        }
        let at = at.max(batch.newest);
        batch.newest = at;
        let lost =
            if has_room { std::mem::take(&mut batch.unrecorded) } else { Unrecorded::default() };
        let (result, len) = batch.append(at, |file, out| {
            if lost != Unrecorded::default() {
                lost.write(at, out);
            }
            encode(at, file, out)
        });
        self.waiting.fetch_add(len, Ordering::Relaxed);
        // What comes after the end is not kept: nothing of it can be amended.
        let end = if batch.closed { u64::MAX } else { batch.position() };
        let wake = match batch.thread {
            Thread::Parked => len > 0,
            Thread::Ticking => batch.len() >= self.room.threshold,
            Thread::Busy => false,
        };
        if wake {
            batch.thread = Thread::Busy;
            drop(batch);
            self.wake.notify_one();
        }
        Some((result, end))
    }

    /// Tells how long octets were in the proxy that are recorded already, at the places that were kept
    /// free for it so far before `end`. In vain for what is being written.
    pub(super) fn tell_in_proxy(&self, end: u64, before_end: [Option<usize>; 2], time: Duration) {
        let value = in_proxy_value(time);
        let mut batch = self.batch.lock();
        for before in before_end.into_iter().flatten() {
            batch.amend(end.saturating_sub(before as u64), value);
        }
    }

    /// A connection has ended that the capture has nothing of, not even its opening; `octets` were said
    /// on it. The capture is told how many there were, once there is room.
    pub(super) fn lose_connection(&self, octets: u64) {
        let lost = &mut self.batch.lock().unrecorded;
        lost.connections = lost.connections.saturating_add(1);
        lost.octets = lost.octets.saturating_add(octets);
    }

    /// Counts octets that crossed the wire unrecorded.
    pub(super) fn count_gap(&self, len: u64) {
        self.gap_octets.fetch_add(len, Ordering::Relaxed);
    }

    /// From the thread: these octets are in the file.
    pub(super) fn publish(&self, mut batch: MutexGuard<'_, Batch>, buffer: Buffer) {
        batch.writing_since = None;
        let before = self.waiting.fetch_sub(buffer.len(), Ordering::Relaxed);
        // All at once and for a while, rather than for a read each: waking costs a call of the system.
        let has_room = before.saturating_sub(buffer.len()) <= self.room.limit / 2;
        let waiters =
            if has_room { std::mem::take(&mut batch.waiters) } else { Waiters::default() };
        drop(batch);
        waiters.wake();
        self.grow(buffer.len(), || buffer.share());
    }

    /// From the thread: the capture has `len` octets more. `share` gives them with the memory that they
    /// hold.
    pub(super) fn grow(&self, len: usize, share: impl FnOnce() -> (Bytes, usize)) {
        if len == 0 {
            return;
        }
        let mut tail = self.follow.lock();
        if tail.is_wanted() {
            let (octets, held) = share();
            tail.push(self.written(), octets, held);
        }
        self.written.fetch_add(len as u64, Ordering::Release);
        drop(tail);
        self.grown.notify_all();
    }

    /// For followers of the capture: what is kept in memory of it.
    pub(super) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.follow.lock()
    }

    /// From the thread: the file cannot be written (`failing`), or is in other trouble.
    pub(super) fn set_trouble(&self, batch: &mut Batch, failing: bool, trouble: Option<String>) {
        batch.trouble = trouble;
        self.failing.store(failing, Ordering::Relaxed);
        if failing {
            // The wire does not wait for a broken disk.
            std::mem::take(&mut batch.waiters).wake();
        }
    }

    /// Takes no more; the thread writes what waits and ends.
    pub(super) fn close(&self) {
        let mut batch = self.batch.lock();
        let lost = std::mem::take(&mut batch.unrecorded);
        if lost != Unrecorded::default() {
            let now = self.clock.now();
            let ((), len) = batch.append(now, |_, out| lost.write(now, out));
            self.waiting.fetch_add(len, Ordering::Relaxed);
        }
        batch.closed = true;
        let waiters = std::mem::take(&mut batch.waiters);
        drop(batch);
        waiters.wake();
        self.wake.notify_one();
    }

    /// Octets of the capture that are in the file.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Waits until more than `offset` octets are in the file or `timeout` has passed.
    pub fn wait_beyond(&self, offset: u64, timeout: Duration) -> u64 {
        let deadline = Instant::now().checked_add(timeout);
        let mut follow = self.follow.lock();
        while self.written() <= offset {
            match deadline {
                None => self.grown.wait(&mut follow),
                Some(deadline) if self.grown.wait_until(&mut follow, deadline).timed_out() => break,
                Some(_) => {}
            }
        }
        self.written()
    }

    /// Octets that wait to be written.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Octets that crossed the wire unrecorded.
    pub fn gap_octets(&self) -> u64 {
        self.gap_octets.load(Ordering::Relaxed)
    }

    /// Age of the oldest octet that waits.
    pub fn lag(&self) -> Duration {
        let batch = self.batch.lock();
        let oldest = batch.writing_since.or(batch.since());
        oldest.map(|since| self.clock.now().since(since)).unwrap_or_default()
    }

    /// Why the capture cannot be written, or will not be found: one line, while that is so.
    pub fn trouble(&self) -> Option<String> {
        self.batch.lock().trouble.clone()
    }
}
