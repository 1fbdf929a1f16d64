//! Writes a whole payload from the capture into a file, on a thread of its own.

use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

use bytes::Bytes;
use framescope_core::frame::{FrameDecoder, FramePart};
use framescope_core::index::ReadPlan;
use framescope_core::present::octets;
use framescope_core::{ConnectionId, Direction, Index};

use super::contents::message_of_frame;
use super::{RowKey, Shared, Target, exchanges};
use crate::source::{CaptureFile, Source};

/// Octets read from the capture at once.
const WINDOW: u64 = 1 << 20;

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The whole message that this row stands for, or belongs to, inflated where it was compressed.
    Message(RowKey),
    /// The payload of the frame that begins here in its lane, unmasked.
    Frame {
        /// Of which connection.
        connection: ConnectionId,
        /// Which way it went.
        direction: Direction,
        /// Where it lies in its lane, its header counted in.
        octets: Range<u64>,
    },
    /// These octets.
    Kept(Bytes),
    /// What a row of a connection's exchanges holds, read once more: of an exchange the body that went this
    /// way.
    Content {
        /// Whose exchanges.
        connection: ConnectionId,
        /// The number of the row.
        row: usize,
        /// Which body.
        direction: Direction,
    },
}

/// A file that is being written.
#[derive(Debug)]
pub struct Saving {
    ended: Receiver<Result<String, String>>,
}

/// A payload that was found. It stays what it is, whatever is looked at or read again meanwhile.
pub struct Found {
    shared: Arc<Shared>,
    place: Place,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

impl Found {
    pub(super) fn new(shared: Arc<Shared>, payload: Payload) -> Result<Self, String> {
        let place = place(&shared.index.read(), payload);
        let place = place.ok_or("this payload is not in the index")?;
        Ok(Self { shared, place })
    }

    /// The capture that it is of.
    pub fn source(&self) -> &Source {
        &self.shared.source
    }

    /// Writes it, in the background.
    pub fn save(self, target: Target) -> Saving {
        let (end, ended) = std::sync::mpsc::channel();
        let save = move || {
            // Nobody listens any more where the window was closed meanwhile.
            let _ = end.send(save(&self.shared, self.place, &target));
            self.shared.wake.touch();
        };
        // Where no thread can be started, the channel is closed, which is told.
        let _ = std::thread::Builder::new().name("saving".to_owned()).spawn(save);
        Saving { ended }
    }
}

impl Saving {
    /// How it ended, in a line; `None` while it goes on.
    pub fn end(&self) -> Option<Result<String, String>> {
        match self.ended.try_recv() {
            Ok(end) => Some(end),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err("the file could not be written".to_owned()))
            }
        }
    }
}

/// Where the octets of a payload lie.
enum Place {
    /// In these frames of a lane, as they are but for their masks.
    Plain(ConnectionId, Direction, Range<u64>),
    /// In a compressed message.
    Compressed(ReadPlan),
    /// In memory.
    Kept(Bytes),
    /// In bodies of plain HTTP.
    Content(ConnectionId, usize, Direction),
}

fn place(index: &Index, payload: Payload) -> Option<Place> {
    let key = match payload {
        Payload::Message(key) => key,
        Payload::Frame { connection, direction, octets } => {
            return Some(Place::Plain(connection, direction, octets));
        }
        Payload::Kept(octets) => return Some(Place::Kept(octets)),
        Payload::Content { connection, row, direction } => {
            return Some(Place::Content(connection, row, direction));
        }
    };
    let row = match key {
        RowKey::Message(row) => row,
        RowKey::Frame(row) => message_of_frame(index, row)?,
    };
    let message = index.messages().get(row)?;
    let frame = |row: u32| index.frames().get(row as usize);
    let (first, last) = (frame(message.first_frame)?, frame(message.last_frame)?);
    if first.is_compressed() {
        return index.message_plan(row).map(Place::Compressed);
    }
    let end = last.offset().saturating_add(last.wire_len());
    Some(Place::Plain(first.connection(), first.direction(), first.offset()..end))
}

fn save(shared: &Shared, place: Place, target: &Target) -> Result<String, String> {
    let mut capture =
        shared.source.open_capture().map_err(|_| "the capture file cannot be opened")?;
    let path = target.path();
    let written = target.write(|file| {
        let mut file = Counted { file: BufWriter::new(file), octets: 0 };
        let left_out = match place {
            Place::Plain(connection, direction, range) => {
                write_frames(shared, &mut capture, (connection, direction, range), &mut file)?
            }
            Place::Compressed(plan) => {
                let read = plan.read_message(&mut capture, usize::MAX);
                let message = read.map_err(Trouble::Capture)?;
                file.write_all(&message.data)?;
                message.fault.map(|fault| fault.to_string())
            }
            Place::Kept(octets) => {
                file.write_all(&octets)?;
                None
            }
            Place::Content(connection, row, direction) => {
                let read = exchanges::read_content(shared, (connection, row, direction));
                let content = read.map_err(Trouble::Capture)?;
                file.write_all(&content.octets)?;
                (!content.is_whole())
                    .then(|| "of the rest too much would be kept in memory".to_owned())
            }
        };
        file.flush()?;
        Ok((file.octets, left_out))
    });
    let shown = path.display();
    match written {
        Ok((count, None)) => Ok(format!("{} written to {shown}", octets(count))),
        Ok((count, Some(fault))) => {
            Err(format!("only {} written to {shown}: {fault}", octets(count)))
        }
        Err(Trouble::File(error)) => Err(cannot(path, &error)),
        Err(Trouble::Capture(error)) => {
            Err(format!("{shown} is not written: the capture cannot be read: {error}"))
        }
    }
}

fn cannot(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

enum Trouble {
    Capture(io::Error),
    File(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Writes the unmasked payloads of these frames window by window; what was left out, in words.
fn write_frames(
    shared: &Shared,
    capture: &mut CaptureFile,
    (connection, direction, range): (ConnectionId, Direction, Range<u64>),
    file: &mut impl Write,
) -> Result<Option<String>, Trouble> {
    let mut decoder = FrameDecoder::new(range.start);
    let (mut at, mut is_wanted, mut clear) = (range.start, false, Vec::new());
    while at < range.end {
        let window = at..range.end.min(at.saturating_add(WINDOW));
        let plan = shared.index.read().octets_plan(connection, direction, window.clone());
        let Some(plan) = plan else { break };
        let read = plan.read(capture, usize::MAX).map_err(Trouble::Capture)?;
        let mut input = &read[..];
        while let Some(part) = decoder.next_part(&mut input) {
            match part {
                // A control frame between those of a message is none of its own.
                FramePart::Header { header, offset } => {
                    is_wanted = offset == range.start || !header.opcode.is_control();
                }
                FramePart::Payload { octets, position, masking_key } if is_wanted => {
                    clear.clear();
                    clear.extend_from_slice(octets);
                    if let Some(key) = masking_key {
                        key.apply(position, &mut clear);
                    }
                    file.write_all(&clear).map_err(Trouble::File)?;
                }
                FramePart::Payload { .. } | FramePart::End => {}
                FramePart::Lost => return Ok(Some("the frames end before it does".to_owned())),
            }
        }
        at = at.saturating_add(read.len() as u64);
        if (read.len() as u64) < window.end - window.start {
            return Ok(Some("the rest is missing from the capture".to_owned()));
        }
    }
    Ok((at < range.end).then(|| "the rest was not read".to_owned()))
}

/// A file, and how much went there.
struct Counted<W> {
    file: W,
    octets: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.file.write(octets)?;
        self.octets += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
