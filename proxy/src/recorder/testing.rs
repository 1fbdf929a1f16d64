//! For tests: a recorder whose disk does what the test says.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use framescope_core::capture::{CaptureItem, CaptureReader};
use framescope_core::{ConnectionId, ConnectionInfo, Record};
use parking_lot::{Condvar, Mutex};

use super::queue::Room;
use super::{Queue, Recorder, Sink, Tape};
use crate::clock::Clock;
use crate::engine::WhenSlow;

/// A disk that keeps what it is given in memory, and may be made to hold still or to refuse.
#[derive(Debug, Clone)]
pub struct Valve(Arc<(Mutex<Disk>, Condvar)>);

#[derive(Debug)]
struct Disk {
    state: State,
    octets: Vec<u8>,
    calls: usize,
    refused: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    /// With this error.
    Refusing(io::ErrorKind),
}

impl Valve {
    fn new(state: State) -> Self {
        let disk = Disk { state, octets: Vec::new(), calls: 0, refused: 0 };
        Self(Arc::new((Mutex::new(disk), Condvar::new())))
    }

    /// Takes everything.
    pub fn open_at_once() -> Self {
        Self::new(State::Open)
    }

    /// Takes the section's header; then every write waits for [`Valve::open`].
    pub fn closed() -> Self {
        Self::new(State::Closed)
    }

    /// Takes the section's header; then half of one write, and nothing more before [`Valve::open`].
    pub fn refusing(why: io::ErrorKind) -> Self {
        Self::new(State::Refusing(why))
    }

    /// From here on everything is taken.
    pub fn open(&self) {
        self.0.0.lock().state = State::Open;
        self.0.1.notify_all();
    }

    /// Waits until a write behind the header has begun.
    pub fn await_call(&self) {
        self.await_that(|disk| disk.calls >= 2);
    }

    /// Waits until a write has been refused.
    pub fn await_refusal(&self) {
        self.await_that(|disk| disk.refused > 0);
    }

    fn await_that(&self, holds: impl Fn(&Disk) -> bool) {
        let mut disk = self.0.0.lock();
        while !holds(&disk) {
            self.0.1.wait(&mut disk);
        }
    }

    /// Writes so far.
    pub fn calls(&self) -> usize {
        self.0.0.lock().calls
    }

    /// What was written.
    pub fn written(&self) -> Vec<u8> {
        self.0.0.lock().octets.clone()
    }
}

impl Write for Valve {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let (disk, changed) = &*self.0;
        let mut disk = disk.lock();
        disk.calls += 1;
        changed.notify_all();
        let is_header = disk.octets.is_empty();
        let mut len = octets.len();
        if !is_header {
            while disk.state == State::Closed {
                changed.wait(&mut disk);
            }
            if let State::Refusing(why) = disk.state {
                if disk.calls > 2 {
                    disk.refused += 1;
                    changed.notify_all();
                    return Err(why.into());
                }
                len /= 2;
            }
        }
        disk.octets.extend_from_slice(&octets[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Valve {}

/// A recorder on a [`Valve`].
#[derive(Debug)]
pub struct Recording {
    recorder: Recorder,
    valve: Valve,
}

impl Recording {
    /// On a disk that takes everything.
    pub fn start(when_slow: WhenSlow) -> Self {
        Self::with(Valve::open_at_once(), when_slow, 1 << 20)
    }

    /// On this disk; `limit` octets may wait.
    pub fn with(valve: Valve, when_slow: WhenSlow, limit: usize) -> Self {
        let room = Room { limit, threshold: 64 << 10, tick: Duration::from_millis(1) };
        let recorder = Recorder::with_room(valve.clone(), Clock::start(), when_slow, room).unwrap();
        Self { recorder, valve }
    }

    /// What it shares with the wire.
    pub fn queue(&self) -> &Arc<Queue> {
        self.recorder.queue()
    }

    /// A new connection.
    pub fn tape(&self, id: u32) -> Tape {
        Tape::open(self.queue(), ConnectionId(id), self.queue().clock.now(), &info())
    }

    /// Waits until nothing waits to be written.
    pub fn await_written(&self) {
        while self.queue().waiting() > 0 {
            self.queue().wait_beyond(self.queue().written(), Duration::from_millis(10));
        }
    }

    /// Ends the recorder: what it has written.
    pub fn finish(self) -> Vec<Record> {
        records(&self.end())
    }

    /// Ends the recorder: the capture.
    pub fn end(self) -> Vec<u8> {
        self.recorder.finish();
        self.valve.written()
    }
}

/// Of every connection in tests.
pub fn info() -> ConnectionInfo {
    ConnectionInfo {
        client: SocketAddr::from(([127, 0, 0, 1], 50_000)),
        server: SocketAddr::from(([127, 0, 0, 1], 9001)),
        mode: None,
        upstream: None,
        tls: None,
    }
}

/// The records of a capture; a fault in it fails the test.
pub fn records(capture: &[u8]) -> Vec<Record> {
    let record = |item| match item {
        CaptureItem::Record { record, .. } => record,
        CaptureItem::Fault(fault) => panic!("a fault in the capture: {fault}"),
    };
    items(capture).into_iter().map(record).collect()
}

/// All that a capture holds.
pub fn items(capture: &[u8]) -> Vec<CaptureItem> {
    let mut reader = CaptureReader::new();
    reader.receive(Bytes::copy_from_slice(capture));
    reader.finish();
    std::iter::from_fn(|| reader.poll()).collect()
}
