//! The recorder: takes what the wire says, in octets of the capture, and writes it to the file.
//!
//! ```text
//!  Tape (one a connection) ─ encodes ─► Queue: the batch ═ buffers ═► thread ─ one write ─► OutFile ─► FILE.pcapng
//!                                           ▲                          └─► Tail ─► Live: who follows in this process
//!                                           └──────────────── Pool ◄─────────┘
//! ```
//!
//! A tape encodes pcapng blocks straight into the batch; the lock is held for that copy alone. The
//! thread takes the buffers and writes them with one system call: a short tick after the first octet,
//! or at once when enough wait. It sleeps while nothing happens. Nothing is copied again: large writes
//! go to the disk from where the octets lie, and who follows reads them there.

mod batch;
mod buffer;
mod live;
mod memory;
mod out_file;
mod pages;
mod queue;
mod tail;
mod tape;
#[cfg(test)]
pub(crate) mod testing;
mod thread;

use std::sync::Arc;
use std::thread::JoinHandle;

pub use live::Live;
pub use out_file::OutFile;
pub use queue::{Queue, Room};
pub use tape::Tape;
pub use thread::Sink;

use crate::clock::Clock;
use crate::engine::WhenSlow;

/// A running recorder. [`Recorder::finish`] ends it with everything written.
#[derive(Debug)]
pub struct Recorder {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Writes the section's header and starts the thread.
    pub fn start(sink: impl Sink, clock: Clock, when_slow: WhenSlow) -> std::io::Result<Self> {
        Self::with_room(sink, clock, when_slow, Room::of(when_slow))
    }

    /// As [`Recorder::start`], with bounds of the caller's choice.
    pub fn with_room(
        mut sink: impl Sink,
        clock: Clock,
        when_slow: WhenSlow,
        room: Room,
    ) -> std::io::Result<Self> {
        let header = sink.header();
        sink.write_all(&header)?;
        let files = (sink.goes_on_elsewhere(), sink.file_size());
        let queue = Arc::new(Queue::new(clock, when_slow, room, files, header.len() as u64));
        let thread = std::thread::Builder::new().name("framescope-recorder".into()).spawn({
            let queue = Arc::clone(&queue);
            move || thread::run(&queue, sink)
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Where tapes put their octets, and where the figures are.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Writes what waits, then ends the thread. Tapes that go on afterwards record nothing.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the recorder failed; the capture may lack its last records");
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}
