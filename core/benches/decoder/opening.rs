//! Opening a capture: pcapng in memory to records, and to everything a viewer lists.

use std::hint::black_box;

use bytes::Bytes;
use framescope_core::capture::{CaptureItem, CaptureReader, CaptureWriter};
use framescope_core::{Direction, Index, Record};

use crate::contenders::{Contender, contender, records};
use crate::traffic::Traffic;

/// Octets of the file handed to the reader at once.
const PIECE: usize = 256 << 10;

/// A capture of the traffic, two frames a packet.
fn capture(traffic: &Traffic) -> Bytes {
    let frame_len = traffic.wire.len() / traffic.frames;
    let (opening, frames) = records(traffic, 2 * frame_len);
    let mut writer = CaptureWriter::new(Vec::new()).expect("memory does not fail");
    for record in opening.iter().chain(&frames) {
        writer.write(record).expect("memory does not fail");
    }
    writer.into_inner().expect("memory does not fail").into()
}

fn read(capture: &Bytes, mut found: impl FnMut(Record, u64)) {
    let mut reader = CaptureReader::new();
    for at in (0..capture.len()).step_by(PIECE) {
        reader.receive(capture.slice(at..capture.len().min(at + PIECE)));
        while let Some(item) = reader.poll() {
            match item {
                CaptureItem::Record { record, block_offset } => found(record, block_offset),
                CaptureItem::Fault(fault) => unreachable!("{fault}"),
            }
        }
    }
}

/// Records alone.
pub struct OpenRecords {
    capture: Bytes,
    frame_len: usize,
}

contender!(OpenRecords, "framescope CaptureReader", tells_payloads: false);

impl OpenRecords {
    pub fn new(traffic: &Traffic) -> Self {
        let frame_len = traffic.wire.len() / traffic.frames;
        Self { capture: capture(traffic), frame_len }
    }

    fn read(&mut self, _see: impl FnMut(&[u8])) -> usize {
        let mut frames = 0;
        read(&self.capture, |record, _| {
            if let Record::Octets { direction: Direction::ClientToServer, octets, .. } =
                black_box(&record)
                && octets.len() % self.frame_len == 0
            {
                frames += octets.len() / self.frame_len;
            }
        });
        frames
    }
}

/// Records, and the index of all they say.
pub struct OpenIndex(Bytes);

contender!(OpenIndex, "framescope CaptureReader and Index", tells_payloads: false);

impl OpenIndex {
    pub fn new(traffic: &Traffic) -> Self {
        Self(capture(traffic))
    }

    fn read(&mut self, _see: impl FnMut(&[u8])) -> usize {
        let mut index = Index::new();
        read(&self.0, |record, block_offset| index.receive(&record, block_offset));
        black_box(index.frames().len())
    }
}
