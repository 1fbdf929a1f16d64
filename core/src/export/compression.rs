//! What permessage-deflate made of each message, seen from the events of a session.

use crate::connection::ConnectionMap;
use crate::message::{CompressionFacts, Microscope, Takeover};
use crate::{Direction, Event, EventKind, Frame, Message, OpeningHandshake};

/// Octets of one compressed message that are looked at closely.
const MOST_DEFLATED: usize = 16 << 20;

/// Octets of room that a lane keeps from one message to the next.
const MOST_KEPT: usize = 64 << 10;

/// One compressed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compressed {
    /// Its octets on the wire and inflated.
    pub facts: CompressionFacts,
    /// What its DEFLATE data is made of; `None` where its frames were not kept whole.
    pub seen: Option<(Microscope, Takeover)>,
    /// What compression made of its direction so far, this message counted in.
    pub so_far: CompressionFacts,
}

/// The compressed messages of all connections.
#[derive(Debug, Default)]
pub(super) struct Compressions {
    microscope: bool,
    connections: ConnectionMap<[Lane; 2]>,
}

/// One direction of a connection that agreed on permessage-deflate.
#[derive(Debug, Default)]
struct Lane {
    no_context_takeover: bool,
    /// The compressed message that is under way, as on the wire.
    deflated: Vec<u8>,
    /// All of it so far is in `deflated`.
    is_whole: bool,
    so_far: CompressionFacts,
}

impl Compressions {
    pub(super) fn new(microscope: bool) -> Self {
        Self { microscope, connections: ConnectionMap::default() }
    }

    pub(super) fn receive(&mut self, event: &Event) -> Option<Compressed> {
        match &event.kind {
            EventKind::HandshakeCompleted(handshake) => {
                if let Some(lanes) = Lane::agreed_on(handshake) {
                    self.connections.insert(event.connection, lanes);
                }
                None
            }
            EventKind::FrameDecoded(frame) if self.microscope => {
                let lanes = self.connections.get_mut(&event.connection)?;
                lanes[frame.direction.index()].frame(frame);
                None
            }
            EventKind::MessageCompleted(message) => {
                let lanes = self.connections.get_mut(&event.connection)?;
                lanes[message.direction.index()].message(message)
            }
            EventKind::ConnectionEnded(_) => {
                self.connections.remove(&event.connection);
                None
            }
            _ => None,
        }
    }
}

impl Lane {
    fn agreed_on(handshake: &OpeningHandshake) -> Option<[Self; 2]> {
        let params = handshake.deflate.filter(|_| handshake.upgraded)?;
        let mut lanes = <[Self; 2]>::default();
        for (direction, no_context_takeover) in [
            (Direction::ClientToServer, params.client_no_context_takeover),
            (Direction::ServerToClient, params.server_no_context_takeover),
        ] {
            lanes[direction.index()].no_context_takeover = no_context_takeover;
        }
        Some(lanes)
    }

    fn frame(&mut self, frame: &Frame) {
        let header = &frame.header;
        if header.opcode.is_control() {
            return;
        }
        if header.opcode.begins_message() {
            self.deflated.clear();
            self.is_whole = header.rsv.rsv1();
        }
        let len = self.deflated.len().saturating_add(frame.payload.len());
        self.is_whole &= frame.is_payload_whole() && len <= MOST_DEFLATED;
        if self.is_whole {
            self.deflated.extend_from_slice(&frame.payload);
        }
    }

    fn message(&mut self, message: &Message) -> Option<Compressed> {
        let is_whole = std::mem::take(&mut self.is_whole);
        let facts = CompressionFacts::of(message)?;
        self.so_far.add(facts);
        let seen = is_whole.then(|| {
            let microscope = Microscope::of(&self.deflated);
            (microscope, microscope.takeover(self.no_context_takeover))
        });
        if self.deflated.capacity() > MOST_KEPT {
            self.deflated = Vec::new();
        }
        Some(Compressed { facts, seen, so_far: self.so_far })
    }
}
