//! Following a capture: a file that still grows, a whole file, a pipe; records and faults come out.

use std::fs::File;
use std::io::{self, Read, StdinLock};
use std::path::Path;

use bytes::{Bytes, BytesMut};
use framescope_core::capture::{CaptureItem, CaptureReader};

use crate::set::CaptureFile;

/// Octets read at once.
const CHUNK: usize = 256 << 10;
/// A chunk with less room than this is replaced by a fresh one.
const LEAST_ROOM: usize = 16 << 10;

/// Reads a capture from its start, as far as it is there.
///
/// ```text
/// loop:  follower.read_more()? ─► while let Some(item) = follower.poll()
///        nothing more? ─► engine.wait_beyond(follower.offset(), …), or follower.finish() at the end
/// ```
#[derive(Debug)]
pub struct Follower<R = CaptureFile> {
    input: R,
    reader: CaptureReader,
    chunk: BytesMut,
    offset: u64,
}

/// Where a capture is read from.
pub trait Input: Read {
    /// Where in the capture the octet is that is read next; `None` where that follows from how many
    /// were read before.
    fn position(&self) -> Option<u64> {
        None
    }

    /// What comes next, where it lies in memory already; reading goes on behind it.
    fn at_hand(&mut self) -> Option<Bytes> {
        None
    }
}

impl Input for File {}
impl Input for StdinLock<'_> {}
impl Input for &[u8] {}

impl Input for CaptureFile {
    fn position(&self) -> Option<u64> {
        Some(self.position())
    }
}

impl Follower<CaptureFile> {
    /// Follows the capture at `path` from its start: a file, or a set ([`CaptureFile::open`]).
    pub fn open(path: &Path) -> io::Result<Self> {
        CaptureFile::open(path).map(Self::new)
    }
}

impl<R: Input> Follower<R> {
    /// Follows what `input` gives; an end of file is no end, more may come.
    pub fn new(input: R) -> Self {
        let offset = input.position().unwrap_or(0);
        let mut reader = CaptureReader::new();
        reader.jump(offset);
        Self { input, reader, chunk: BytesMut::new(), offset }
    }

    /// What is followed.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// Where in the capture reading has come to: what [`Engine::wait_beyond`] takes.
    ///
    /// [`Engine::wait_beyond`]: crate::Engine::wait_beyond
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads on; says whether anything was there. What it means is to be had from
    /// [`Follower::poll`]; poll until `None` between two reads, so that no more than one chunk waits.
    pub fn read_more(&mut self) -> io::Result<bool> {
        if let Some(octets) = self.input.at_hand() {
            self.receive(octets);
            return Ok(true);
        }
        if self.chunk.len() < LEAST_ROOM {
            // The same memory again where no record is held any more: fresh memory costs far more.
            self.chunk.clear();
            if !self.chunk.try_reclaim(CHUNK) {
                self.chunk = BytesMut::with_capacity(CHUNK);
            }
            self.chunk.resize(CHUNK, 0);
        }
        loop {
            match self.input.read(&mut self.chunk) {
                Ok(0) => return Ok(false),
                Ok(len) => {
                    let octets = self.chunk.split_to(len).freeze();
                    self.receive(octets);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn receive(&mut self, octets: Bytes) {
        let len = octets.len() as u64;
        let expected = self.offset.saturating_add(len);
        self.offset = self.input.position().unwrap_or(expected);
        if self.offset != expected {
            self.reader.jump(self.offset.saturating_sub(len));
        }
        self.reader.receive(octets);
    }

    /// The next record or fault of what was read.
    pub fn poll(&mut self) -> Option<CaptureItem> {
        self.reader.poll()
    }

    /// Whether what was read ends with a whole block; see [`CaptureReader::is_between_blocks`].
    pub fn is_between_blocks(&self) -> bool {
        self.reader.is_between_blocks()
    }

    /// Says that the capture ends here; then poll once more.
    pub fn finish(&mut self) {
        self.reader.finish();
    }
}
