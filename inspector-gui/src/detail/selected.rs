//! What the detail pane shows: one frame, and the message it is part of.

use std::time::Duration;

use framescope_core::diagnostics::Diagnostic;
use framescope_core::index::{FrameContent, MessageContent};
use framescope_core::message::{CompressionFacts, Microscope, Takeover};
use framescope_core::subprotocol::Override;
use framescope_core::{ConnectionId, Direction, Opcode, Timestamp};

/// The selected frame, read from the capture.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Whether a frame or a message was chosen in the list.
    pub kind: SelectedKind,
    /// The number that the list shows for it, from 1.
    pub number: u64,
    /// The connection it belongs to.
    pub connection: ConnectionId,
    /// Which way it went.
    pub direction: Direction,
    /// Where the frame's first octet lies in its lane.
    pub offset: u64,
    /// Octets before it are missing from the capture.
    pub behind_gap: bool,
    /// When the frame's first octet was read.
    pub first_octet_at: Timestamp,
    /// When the frame's last octet was read.
    pub last_octet_at: Timestamp,
    /// When frames before it came.
    pub times: FrameTimes,
    /// Header, octets on the wire, unmasked payload; of a message, those of [`Selected::fragment`].
    pub frame: FrameContent,
    /// Which of the message's frames [`Selected::frame`] is; `None` where it is the only one.
    pub fragment: Option<Fragment>,
    /// The message, where the frame is part of a whole data message.
    pub message: Option<SelectedMessage>,
    /// Findings about this frame or message.
    pub findings: Vec<Diagnostic>,
}

/// What a row of the list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SelectedKind {
    /// A row of the frames view.
    Frame,
    /// A row of the messages view.
    Message,
}

/// One frame among those of a fragmented message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// From 0.
    pub index: u64,
    /// How many frames carry the message.
    pub count: u64,
}

/// The whole message that a frame is part of.
#[derive(Debug, Clone)]
pub struct SelectedMessage {
    /// Its data, inflated, and what is wrong with it.
    pub content: MessageContent,
    /// [`Opcode::Text`] or [`Opcode::Binary`].
    pub opcode: Opcode,
    /// How many frames carried it; control frames between them are not counted.
    pub frames: u64,
    /// It was sent compressed.
    pub compressed: bool,
    /// Payload octets of all its frames, compressed as they were.
    pub wire_len: u64,
    /// Octets of the whole message, inflated.
    pub data_len: u64,
    /// How it was compressed; `None` where it was not, or that could not be read.
    pub compression: Option<SelectedCompression>,
}

/// How the message was compressed, and what compression saved on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectedCompression {
    /// What its DEFLATE data is made of.
    pub seen: Microscope,
    /// Whether it makes use of the messages before it.
    pub takeover: Takeover,
    /// All messages of its direction so far.
    pub direction: CompressionFacts,
    /// All messages of its connection so far.
    pub connection: CompressionFacts,
}

/// When the frame came, beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameTimes {
    /// When the first octet of the frame before it in the same direction was read; `None` where there
    /// was none, or it is too far back.
    pub before_same_way: Option<Timestamp>,
    /// When that of the latest frame before it in the other direction was read.
    pub before_other_way: Option<Timestamp>,
    /// From when its last octet was read to when the other side had taken all that was read with it;
    /// `None` where that was not recorded.
    pub in_proxy: Option<Duration>,
}

/// What the user asks for from within the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetailAction {
    /// Read the connection's messages otherwise.
    ReadAs(Override),
    /// Show the message of this row.
    ShowMessage(usize),
    /// Show the frame before this one in the same message.
    PreviousFragment,
    /// Show the frame after this one in the same message.
    NextFragment,
    /// Choose what Protobuf payloads are.
    ChooseMessageType,
    /// Close the pane.
    Close,
}
