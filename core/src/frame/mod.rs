//! Frames, RFC 6455 §5: one small file a concept.

pub mod close;
pub mod decoder;
pub mod explain;
pub mod header;
pub mod length;
pub mod mask;
pub mod opcode;
pub mod position;
pub mod seek;

use bytes::Bytes;

pub use close::{CloseBody, CloseCode};
pub use decoder::{FrameDecoder, FramePart, WholeFrame};
pub use header::{FrameHeader, Rsv};
pub use length::{LengthForm, PayloadLength};
pub use mask::MaskingKey;
pub use opcode::Opcode;
pub use position::{FramePosition, FrameTracker};
pub use seek::FrameSeeker;

use crate::{Direction, Timestamp};

/// One whole frame as it crossed the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Which way it went.
    pub direction: Direction,
    /// Its ordinal among the frames of its direction on this connection, from 0.
    pub index: u64,
    /// Where its first octet lies in its lane, counted from the connection's first octet in this
    /// direction; the opening handshake is counted in.
    pub offset: u64,
    /// Every bit of the header.
    pub header: FrameHeader,
    /// When the first octet of the header was read.
    pub first_octet_at: Timestamp,
    /// When the last octet of the payload was read.
    pub last_octet_at: Timestamp,
    /// The payload, unmasked, not inflated, kept up to [`crate::session::Limits::frame_payload`];
    /// `header.payload_len.value` tells how long it was on the wire.
    pub payload: Bytes,
}

impl Frame {
    /// Octets of header and payload together.
    pub fn wire_len(&self) -> u64 {
        u64::from(self.header.encoded_len()).saturating_add(self.header.payload_len.value)
    }

    /// Whether `payload` holds every octet of it.
    pub fn is_payload_whole(&self) -> bool {
        self.payload.len() as u64 == self.header.payload_len.value
    }
}
