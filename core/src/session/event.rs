//! Events: what the session says when it has understood something.

use std::sync::Arc;

use bytes::Bytes;

use crate::http::ServerSentEvent;
use crate::message::MessageFault;
use crate::session::pings::RoundTrip;
use crate::{
    CloseCode, ConnectionId, ConnectionInfo, ConnectionNote, Diagnostic, Direction, Finish, Frame,
    FrameHeader, Head, Leg, Message, OpeningHandshake, Timestamp, TransportEvent,
};

/// Something understood about one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The connection it is about.
    pub connection: ConnectionId,
    /// When the octet that completed it was read.
    pub at: Timestamp,
    /// What it is.
    pub kind: EventKind,
}

/// Whoever takes in what a session says, such as a closure that takes [`Event`]s.
///
/// Frames and messages come by calls of their own: there are many, and whoever only counts or notes
/// them then need not have an event made of each.
pub trait EventSink {
    /// Whether payloads are to be shown by [`EventSink::payload`] where they lie in one piece, and not
    /// be kept on their frame and message.
    #[inline]
    fn sees_payloads(&self) -> bool {
        false
    }

    /// The payload, unmasked, of the frame that is told next, which is an uncompressed message of its
    /// own. Of all other frames payloads are kept as far as the limits say.
    #[inline]
    fn payload(&mut self, plain: &[u8]) {
        let _ = plain;
    }

    /// An unfragmented message about which there is nothing to say, as nearly all are: in place of its
    /// frame and of itself, where no payload is kept.
    #[inline]
    fn unfragmented(&mut self, connection: ConnectionId, seen: &Unfragmented) {
        self.frame(connection, seen.frame());
        self.message(connection, seen.message());
    }

    /// A frame is whole: [`EventKind::FrameDecoded`].
    fn frame(&mut self, connection: ConnectionId, frame: Frame);

    /// A data message is whole: [`EventKind::MessageCompleted`]. Follows its last frame.
    fn message(&mut self, connection: ConnectionId, message: Message);

    /// Whether [`EventSink::history`] is to be called behind the compressed message that was told last in
    /// this direction.
    #[inline]
    fn wants_history(&self, direction: Direction) -> bool {
        let _ = direction;
        false
    }

    /// What compressed messages behind lane offset `offset`, where one has ended, can refer to. Not
    /// called where that is not known.
    fn history(&mut self, direction: Direction, offset: u64, history: &[u8]) {
        let _ = (direction, offset, history);
    }

    /// Anything rarer.
    fn event(&mut self, event: Event);
}

impl<F: FnMut(Event) + ?Sized> EventSink for F {
    #[inline]
    fn frame(&mut self, connection: ConnectionId, frame: Frame) {
        self(Event { connection, at: frame.last_octet_at, kind: EventKind::FrameDecoded(frame) });
    }

    #[inline]
    fn message(&mut self, connection: ConnectionId, message: Message) {
        let at = message.last_octet_at;
        self(Event { connection, at, kind: EventKind::MessageCompleted(message) });
    }

    #[inline]
    fn event(&mut self, event: Event) {
        self(event);
    }
}

/// A frame that is a message of its own (RFC 6455 §5.4), uncompressed, and breaks no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfragmented {
    /// Its direction.
    pub direction: Direction,
    /// Ordinal of the frame in its direction.
    pub frame_index: u64,
    /// Ordinal of the message in its direction.
    pub message_index: u64,
    /// Lane offset of the first octet of its header.
    pub offset: u64,
    /// Every bit of its header.
    pub header: FrameHeader,
    /// When all of it was read, at once.
    pub at: Timestamp,
}

impl Unfragmented {
    /// The frame, without its payload.
    #[inline]
    pub fn frame(&self) -> Frame {
        Frame {
            direction: self.direction,
            index: self.frame_index,
            offset: self.offset,
            header: self.header,
            first_octet_at: self.at,
            last_octet_at: self.at,
            payload: Bytes::new(),
        }
    }

    /// The message, without its data.
    #[inline]
    pub fn message(&self) -> Message {
        Message {
            direction: self.direction,
            index: self.message_index,
            opcode: self.header.opcode,
            first_frame: self.frame_index,
            last_frame: self.frame_index,
            frames: 1,
            compressed: false,
            wire_len: self.header.payload_len.value,
            data_len: self.header.payload_len.value,
            data: Bytes::new(),
            fault: None,
            first_octet_at: self.at,
            last_octet_at: self.at,
        }
    }
}

/// What was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A connection was accepted.
    ConnectionOpened(Arc<ConnectionInfo>),
    /// Something became known about it: upstream, TLS, timings, alterations, a failure.
    ConnectionNoted(Arc<ConnectionNote>),
    /// A request or response head is whole. Heads of the upstream leg come with `Leg::Upstream`.
    HeadReceived {
        /// The side it was seen on.
        leg: Leg,
        /// A request goes client to server, a response server to client.
        direction: Direction,
        /// The octets, and what they say.
        head: Arc<Head>,
    },
    /// Body octets of a plain HTTP message ended.
    BodyCompleted {
        /// Whose body.
        direction: Direction,
        /// Octets on the wire, chunk framing included.
        wire_len: u64,
        /// Octets of content, chunk framing taken off.
        content_len: u64,
        /// The content as far as [`crate::session::Limits::body_content`] keeps it. Any content
        /// coding is still on it.
        content: Bytes,
    },
    /// A block of a `text/event-stream` is whole: an event for the page, a setting or a comment.
    ServerSentEvent(Box<ServerSentEvent>),
    /// Something about how the client is told what is new: polling, streaming, a session that moves from
    /// one transport to another.
    TransportSeen(TransportEvent),
    /// A request to open a WebSocket was answered, with 101 or otherwise.
    HandshakeCompleted(Arc<OpeningHandshake>),
    /// A frame is whole.
    FrameDecoded(Frame),
    /// A data message is whole. Follows its last frame.
    MessageCompleted(Message),
    /// A Pong answered a Ping. Follows the Pong.
    PingAnswered(RoundTrip),
    /// A finding.
    DiagnosticRaised(Diagnostic),
    /// Octets are missing from the capture. The lane is lost, which is told next, unless it is known how
    /// its frames go on. Where they are frames of a WebSocket, frames are looked for behind them.
    GapMet {
        /// The lane they are missing from.
        direction: Direction,
        /// How many; 0 where nobody knows: the connection was open before the capture began.
        len: u64,
    },
    /// From this lane offset on, octets are counted but not understood.
    LaneLost {
        /// Which lane.
        direction: Direction,
        /// From where.
        offset: u64,
        /// One line that says why.
        reason: String,
    },
    /// Frames were found again in a lane that was lost: those that follow. That they are frames is as
    /// good as certain.
    LaneFound {
        /// Which lane.
        direction: Direction,
        /// Where the first of them begins.
        offset: u64,
        /// Octets before them that are in the capture and were not understood.
        passed_over: u64,
    },
    /// One direction ended.
    DirectionFinished {
        /// The direction whose sender closed.
        direction: Direction,
        /// FIN or RST.
        how: Finish,
    },
    /// Both directions ended, or one was reset: nothing more will come.
    ConnectionEnded(Ending),
}

/// Who closed a connection first on the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The sender of this direction.
    Peer(Direction),
    /// The proxy, which was stopped or failed while a peer had not ended: the ends of open directions
    /// are its own.
    Framescope,
}

impl EndedBy {
    /// `client`, `server` or `Framescope`.
    pub const fn sender(self) -> &'static str {
        match self {
            Self::Peer(direction) => direction.sender(),
            Self::Framescope => "Framescope",
        }
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Who closed first on the transport.
    pub by: EndedBy,
    /// FIN or RST.
    pub how: Finish,
    /// The first Close frame that was seen: who sent it, and its code (`None` for an empty body).
    pub close: Option<(Direction, Option<u16>)>,
    /// A WebSocket was open.
    pub upgraded: bool,
    /// The code of the other side's Close (`None` for an empty body), where that came too.
    pub answer: Option<Option<u16>>,
    /// Of which directions, by [`Direction::index`], a Close may have come unseen: octets of them are
    /// missing from the capture.
    pub unseen: [bool; 2],
}

impl Ending {
    /// The close code that the program on this side is told: the client reads what the server sent.
    ///
    /// It is 1005 for a Close without a code and 1006 where none came (RFC 6455 §7.1.5): neither is
    /// ever on the wire. `None` where nobody knows whether one came.
    pub fn reported_to(&self, side: Direction) -> Option<u16> {
        let seen = match self.close {
            Some((by, code)) if by != side => Some(code),
            _ => self.answer,
        };
        match seen {
            Some(Some(code)) => Some(code),
            Some(None) => Some(CloseCode::NO_STATUS_RCVD.0),
            None if self.unseen[(!side).index()] => None,
            None => Some(CloseCode::ABNORMAL_CLOSURE.0),
        }
    }

    /// Who sent the first Close; `None` where there was none that is known of, and where one of the other
    /// side may have come before it.
    pub fn closed_by(&self) -> Option<Direction> {
        self.close.map(|(by, _)| by).filter(|by| !self.unseen[(!*by).index()])
    }
}

/// Shown in a list for a message that cannot be read: one line.
impl std::fmt::Display for MessageFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotUtf8 { at } => write!(f, "not UTF-8 at message octet {at}"),
            Self::InflateFailed { after } => write!(f, "cannot be inflated beyond octet {after}"),
            Self::OverBudget { budget } => write!(f, "inflates beyond {budget} octets"),
            Self::ContextLost => {
                f.write_str("the compression context of this direction was lost before")
            }
        }
    }
}
