//! What crossed the wire, counted from a capture.

use std::io::{self, Read};

use bytes::Bytes;
use framescope_core::capture::{CaptureItem, CaptureReader};
use framescope_core::{Direction, Index};

/// Octets and requests of one capture, both directions together unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Connections of the clients.
    pub connections: u64,
    /// Requests, opening handshakes among them.
    pub requests: u64,
    /// Octets of request and response heads.
    pub head_octets: u64,
    /// Octets of bodies and of frames.
    pub body_octets: u64,
}

impl Tally {
    /// Counts a whole capture.
    ///
    /// # Errors
    /// What reading gives.
    pub fn of(mut capture: impl Read) -> io::Result<Self> {
        let mut reader = CaptureReader::new();
        let mut index = Index::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = capture.read(&mut chunk)?;
            if count == 0 {
                reader.finish();
            } else {
                let octets = chunk.get(..count).unwrap_or_default();
                reader.receive(Bytes::copy_from_slice(octets));
            }
            while let Some(item) = reader.poll() {
                if let CaptureItem::Record { record, block_offset } = item {
                    index.receive(&record, block_offset);
                }
            }
            if count == 0 {
                break;
            }
        }
        index.finish();
        let mut tally = Self::default();
        for connection in index.connections() {
            let heads = connection.exchanges.iter().map(|exchange| {
                let response = exchange.response.as_ref().map_or(0, |head| head.raw.len());
                (exchange.request.raw.len() + response) as u64
            });
            let heads: u64 = heads.sum();
            let all: u64 = Direction::BOTH.iter().map(|way| connection.octets[way.index()]).sum();
            tally.connections += 1;
            tally.requests += connection.exchanges.len() as u64;
            tally.head_octets += heads;
            tally.body_octets += all.saturating_sub(heads);
        }
        Ok(tally)
    }
}
