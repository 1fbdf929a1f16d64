//! One row: an exchange, an event of a stream, or a piece of one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use framescope_core::http::ServerSentEvent;
use framescope_core::transport::{BodyPiece, PieceUnit};
use framescope_core::{Direction, Head, Opcode, Timestamp};

use crate::store::packets::Packets;
use crate::store::preview::{self, Preview};

/// One row: an exchange where it was asked for, or an event of its answer.
#[derive(Debug, Clone)]
pub enum Row {
    /// A request, and what came of it.
    Exchange(Box<Exchange>),
    /// A block of an event stream.
    Event(Box<StreamEvent>),
    /// A chunk or line of another stream.
    Piece(Box<StreamPiece>),
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// When the request's head was whole.
    pub requested_at: Timestamp,
    /// The request.
    pub request: Arc<Head>,
    /// When the answer's head was whole.
    pub answered_at: Option<Timestamp>,
    /// The answer.
    pub response: Option<Arc<Head>>,
    /// When the answer's last octet was read.
    pub ended_at: Option<Timestamp>,
    /// Contents of request and answer once they are whole, by [`Direction::index`].
    pub bodies: [Option<Content>; 2],
    /// What request and answer say where they carry a session, by [`Direction::index`].
    pub packets: [Packets; 2],
    /// Events of the answer.
    pub events: u64,
    /// Chunks or lines of the answer, where it is a stream.
    pub pieces: u64,
}

/// What a body holds.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// As much of it as is kept, any content coding still on it.
    pub octets: Bytes,
    /// How long it is.
    pub len: u64,
}

impl Content {
    /// Whether all of it is kept. An octet of text that is not UTF-8 takes three once it is U+FFFD.
    pub fn is_whole(&self) -> bool {
        self.octets.len() as u64 >= self.len
    }

    /// What an event holds; without data it holds nothing.
    pub fn of_event(event: &ServerSentEvent) -> Option<Self> {
        let octets = Bytes::copy_from_slice(event.data.as_deref()?.as_bytes());
        Some(Self { octets, len: event.data_len })
    }

    /// What a piece holds. What ends a line is no part of it, nor missing from it.
    pub fn of_piece(piece: &BodyPiece) -> Self {
        let octets = piece.content.clone();
        let kept = octets.len() as u64;
        let ends = if piece.unit == PieceUnit::Line { "\r\n".len() as u64 } else { 0 };
        let is_whole = piece.len.saturating_sub(kept) <= ends;
        Self { octets, len: if is_whole { kept } else { piece.len } }
    }
}

/// One event of a stream.
#[derive(Debug, Clone)]
pub struct StreamEvent {
    /// When it was whole.
    pub at: Timestamp,
    /// What it says.
    pub event: ServerSentEvent,
    /// Number of the row of its exchange.
    pub exchange: usize,
}

/// One chunk or line of a stream.
#[derive(Debug, Clone)]
pub struct StreamPiece {
    /// When it was whole.
    pub at: Timestamp,
    /// What it holds.
    pub piece: BodyPiece,
    /// Number of the row of its exchange.
    pub exchange: usize,
}

impl Row {
    /// When it came: a request, an event or a piece.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Exchange(exchange) => exchange.requested_at,
            Self::Event(event) => event.at,
            Self::Piece(piece) => piece.at,
        }
    }

    /// What it holds: of an exchange the body that went this way, once it is whole.
    pub fn content(&self, direction: Direction) -> Option<Content> {
        match self {
            Self::Exchange(exchange) => exchange.bodies[direction.index()].clone(),
            Self::Event(event) => Content::of_event(&event.event),
            Self::Piece(piece) => Some(Content::of_piece(&piece.piece)),
        }
    }

    /// How long that is.
    pub fn content_len(&self, direction: Direction) -> Option<u64> {
        match self {
            Self::Exchange(exchange) => Some(exchange.bodies[direction.index()].as_ref()?.len),
            Self::Event(event) => Some(event.event.data_len),
            Self::Piece(piece) => Some(piece.piece.len),
        }
    }

    pub(super) fn kept_octets(&self) -> usize {
        match self {
            Self::Exchange(exchange) => {
                let bodies = exchange.bodies.iter().flatten().map(|body| body.octets.len());
                bodies.chain(exchange.packets.iter().map(Packets::octets)).sum()
            }
            Self::Event(event) => event.event.data.as_ref().map_or(0, String::len),
            Self::Piece(piece) => piece.piece.content.len(),
        }
    }

    pub(super) fn drop_octets(&mut self) {
        match self {
            Self::Exchange(exchange) => {
                exchange.bodies.iter_mut().flatten().for_each(|body| body.octets = Bytes::new());
                exchange.packets = [Packets::default(), Packets::default()];
            }
            Self::Event(event) => {
                if let Some(data) = &mut event.event.data {
                    *data = String::new();
                }
            }
            Self::Piece(piece) => piece.piece.content = Bytes::new(),
        }
    }
}

impl Exchange {
    /// From the request's head to the answer's.
    pub fn waited(&self) -> Option<Duration> {
        Some(self.answered_at?.since(self.requested_at))
    }

    /// One line of the answer's body.
    pub fn preview(&self) -> Option<Preview> {
        let body = self.bodies[Direction::ServerToClient.index()].as_ref()?;
        let octets = body.octets.get(..preview::MAX_OCTETS).unwrap_or(&body.octets);
        let cut = (octets.len() as u64) < body.len;
        (!octets.is_empty()).then(|| Preview::of(Opcode::Binary, octets, cut))
    }
}
