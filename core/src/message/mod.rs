//! Messages, RFC 6455 §5.4 and RFC 7692: what frames carry, put together.

pub mod assembler;
pub mod compression;
pub mod deflate_walk;
pub mod inflate;
pub mod utf8;

use bytes::Bytes;

pub use assembler::MessageAssembler;
pub use compression::{CompressionFacts, Microscope, Takeover};
pub use inflate::Inflater;
pub use utf8::Utf8Validator;

use crate::{Direction, Opcode, Timestamp};

/// One whole data message (text or binary), inflated where it was compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which way it went.
    pub direction: Direction,
    /// Its ordinal among the data messages of its direction, from 0.
    pub index: u64,
    /// [`Opcode::Text`] or [`Opcode::Binary`].
    pub opcode: Opcode,
    /// Ordinal in its direction of the frame that began it.
    pub first_frame: u64,
    /// Ordinal in its direction of the frame that ended it.
    pub last_frame: u64,
    /// How many frames carried it; control frames between them are not counted.
    pub frames: u64,
    /// It was sent compressed (RSV1 on its first frame, permessage-deflate agreed on).
    pub compressed: bool,
    /// Payload octets on the wire, compressed as they were.
    pub wire_len: u64,
    /// Octets of the whole message, inflated; where inflating stopped, those that came out.
    pub data_len: u64,
    /// The message, inflated, kept up to [`crate::session::Limits::message_data`].
    pub data: Bytes,
    /// What is wrong with it, if anything.
    pub fault: Option<MessageFault>,
    /// When the first octet of its first frame was read.
    pub first_octet_at: Timestamp,
    /// When its last octet was read.
    pub last_octet_at: Timestamp,
}

impl Message {
    /// Whether `data` holds all of it.
    pub fn is_whole(&self) -> bool {
        self.fault.is_none() && self.data.len() as u64 == self.data_len
    }
}

/// Why a message cannot be read as what it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageFault {
    /// A text message with an octet that is not UTF-8.
    NotUtf8 {
        /// Message offset of the first octet that cannot be part of UTF-8 text.
        at: u64,
    },
    /// The compressed octets are not DEFLATE data.
    InflateFailed {
        /// Octets that came out before.
        after: u64,
    },
    /// It inflates beyond [`crate::session::Limits::inflate_budget`].
    OverBudget {
        /// The budget, in octets.
        budget: u64,
    },
    /// An earlier message of this lane could not be inflated, so this one cannot either.
    ContextLost,
}
