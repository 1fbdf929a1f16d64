//! Search: which frames, messages and HTTP exchanges hold a text, found while the capture is walked once.
//!
//! ```text
//!  Record ─► Search ─► Session ─► each payload, unmasked and inflated        ─► Pattern ─► Found
//!                              └► each head, body, event and piece of a body ─┘
//! ```
//!
//! Rows are numbered as [`crate::Index`] numbers them, since both follow the same events. Nothing is read
//! twice: a payload is looked at where it was just unmasked, and is kept only where it comes in parts.
//!
//! Of HTTP what crossed the client's side is looked through: heads as they were sent, but for interim
//! answers; bodies once they are whole, without the framing of chunks, as they are and without their content
//! coding; each field of a server-sent event; each chunk or line of a stream that goes on. Whether a view
//! masks a secret makes no difference to what is found.

mod exchange_marks;
mod exchanges;
mod found;
mod pattern;

use std::collections::HashSet;

pub use exchange_marks::{ExchangeMarks, ExchangeRow};
use exchanges::Exchanges;
use found::Hits;
pub use found::{Found, Marks};
pub use pattern::{Pattern, PatternError, Syntax};

use crate::connection::ConnectionMap;
use crate::session::{EventSink, Limits};
use crate::{
    ConnectionId, Direction, Event, EventKind, Frame, Leg, Message, Opcode, Record, Session,
};

/// Looks for a pattern in all payloads and HTTP exchanges of a capture, record by record.
#[derive(Debug)]
pub struct Search {
    session: Session,
    pattern: Pattern,
    /// Lanes with a message that has begun and not ended.
    begun: HashSet<(ConnectionId, Direction)>,
    /// Of connections that speak HTTP and no WebSocket yet.
    exchanges: ConnectionMap<Exchanges>,
    hits: Hits,
}

/// A search while a record of it is taken in.
struct Look<'a> {
    pattern: &'a Pattern,
    begun: &'a mut HashSet<(ConnectionId, Direction)>,
    exchanges: &'a mut ConnectionMap<Exchanges>,
    hits: &'a mut Hits,
    /// Whether the payload that was shown last holds the pattern; of the frame, then of its message.
    shown: Option<bool>,
}

impl Search {
    /// A search that has seen nothing yet.
    pub fn new(pattern: Pattern) -> Self {
        let (begun, exchanges) = (HashSet::new(), ConnectionMap::default());
        let (session, hits) = (Session::new(Limits::KEEP), Hits::default());
        Self { session, pattern, begun, exchanges, hits }
    }

    /// Looks through the next record of the capture; what it holds is kept until [`Search::tell`].
    ///
    /// Of a payload that comes in parts, of a compressed message and of an HTTP body, as many octets are
    /// looked through as [`Limits::KEEP`] keeps.
    pub fn look(&mut self, record: &Record) {
        let Self { session, pattern, begun, exchanges, hits } = self;
        session.receive_to(record, &mut Look { pattern, begun, exchanges, hits, shown: None });
    }

    /// Takes in the next record of the capture, and marks in `found` what it holds: [`Search::look`], then
    /// [`Search::tell`].
    pub fn receive(&mut self, record: &Record, found: &mut Found) {
        self.look(record);
        self.tell(found);
    }

    /// Marks in `found` what was found since the last time: always the same `found`, empty before the first
    /// time.
    pub fn tell(&mut self, found: &mut Found) {
        found.take(&mut self.hits);
    }
}

impl Look<'_> {
    /// Whether this payload holds the pattern, or the one that was shown did.
    fn holds(&self, kept: &[u8]) -> bool {
        self.shown.unwrap_or_else(|| self.pattern.is_in(kept))
    }

    /// Something that may be about an HTTP exchange: rare beside frames.
    #[cold]
    fn exchange(&mut self, connection: ConnectionId, kind: &EventKind) {
        let exchanges = match kind {
            EventKind::HeadReceived { leg: Leg::Client, .. } => {
                self.exchanges.entry(connection).or_default()
            }
            _ => match self.exchanges.get_mut(&connection) {
                Some(exchanges) => exchanges,
                None => return,
            },
        };
        exchanges.look(connection, kind, self.pattern, self.hits);
    }
}

impl EventSink for Look<'_> {
    #[inline]
    fn sees_payloads(&self) -> bool {
        true
    }

    #[inline]
    fn payload(&mut self, plain: &[u8]) {
        self.shown = Some(self.pattern.is_in(plain));
    }

    fn frame(&mut self, connection: ConnectionId, frame: Frame) {
        let opcode = frame.header.opcode;
        let holds = self.holds(&frame.payload);
        let row = self.hits.add_frame(holds);
        if self.shown.is_some() {
            // It is a message of its own, which comes next.
            return;
        }
        // A frame that is no part of a data message is a row of its own among the messages.
        let lane = (connection, frame.direction);
        let is_part = if opcode.begins_message() {
            self.begun.insert(lane);
            true
        } else {
            opcode == Opcode::Continuation && self.begun.contains(&lane)
        };
        if holds && !is_part {
            self.hits.add_message(row);
        }
    }

    fn message(&mut self, connection: ConnectionId, message: Message) {
        if self.holds(&message.data) {
            self.hits.add_message(self.hits.frames_seen().saturating_sub(1));
        }
        if self.shown.take().is_none() {
            self.begun.remove(&(connection, message.direction));
        }
    }

    fn event(&mut self, event: Event) {
        match event.kind {
            EventKind::FrameDecoded(frame) => self.frame(event.connection, frame),
            EventKind::MessageCompleted(message) => self.message(event.connection, message),
            EventKind::HandshakeCompleted(handshake) if handshake.upgraded => {
                self.exchanges.remove(&event.connection);
            }
            EventKind::ConnectionEnded(_) => {
                for direction in Direction::BOTH {
                    self.begun.remove(&(event.connection, direction));
                }
                self.exchanges.remove(&event.connection);
            }
            kind => self.exchange(event.connection, &kind),
        }
    }
}

#[cfg(test)]
mod tests;
