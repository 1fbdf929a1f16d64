//! Reading: what whole messages say, as deeply as somebody asks for.

use super::answers::Answers;
use super::compression::{Compressed, Compressions};
use crate::connection::ConnectionMap;
use crate::payload::{Hints, Lens, Limits, Seen};
use crate::subprotocol::{Dissection, LatencySummary, Override, Tracker};
use crate::{ConnectionId, Event, EventKind, Message, Opcode};

/// Nodes of a payload's tree that an export or a terminal takes.
const NODES: usize = 10_000;

/// How deeply messages are read.
#[derive(Debug, Clone, Default)]
pub struct Depth {
    /// Which sub-protocol connections speak, where somebody says so.
    pub subprotocol: Override,
    /// How payloads are read; `None` reads none.
    pub payload: Option<Lens>,
    /// Whether compressed messages are looked at under the microscope.
    pub microscope: bool,
}

impl From<Override> for Depth {
    fn from(subprotocol: Override) -> Self {
        Self { subprotocol, ..Self::default() }
    }
}

/// What one message says, or one body of plain HTTP.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// In the words of the connection's sub-protocol, where it speaks one; of the body of an HTTP answer
    /// that belongs to a sub-protocol, too.
    pub dissection: Option<Box<Dissection>>,
    /// Its payload, where that is asked for.
    pub payload: Option<Box<Seen>>,
    /// What permessage-deflate made of it, where it was compressed and could be inflated.
    pub compression: Option<Box<Compressed>>,
    /// At the end of a connection: requests in its messages, and how long their answers took.
    pub latency: Option<LatencySummary>,
}

/// Reads the messages of all connections of a session, from its events.
#[derive(Debug, Default)]
pub struct MessageReader {
    tracker: Tracker,
    lens: Option<Lens>,
    /// Subprotocols that were agreed on: their names may tell a format.
    agreed: ConnectionMap<String>,
    compressions: Compressions,
    /// Bodies of plain HTTP, unless no sub-protocol is read.
    answers: Option<Answers>,
}

impl MessageReader {
    /// A reader of messages that were not seen yet.
    pub fn new(depth: Depth) -> Self {
        Self {
            tracker: Tracker::new(depth.subprotocol),
            lens: depth.payload,
            agreed: ConnectionMap::default(),
            compressions: Compressions::new(depth.microscope),
            answers: (depth.subprotocol != Override::Off).then(Answers::default),
        }
    }

    /// Takes in the next event of a session; says what a message means where it completes one.
    pub fn receive(&mut self, event: &Event) -> Reading {
        let has_ended = matches!(event.kind, EventKind::ConnectionEnded(_));
        let latency = self.tracker.latency(event.connection).filter(|_| has_ended);
        let dissection = self
            .tracker
            .receive(event)
            .or_else(|| self.answers.as_mut()?.receive(event))
            .map(Box::new);
        let compression = self.compressions.receive(event).map(Box::new);
        let payload = self.payload(event).map(Box::new);
        Reading { dissection, payload, compression, latency }
    }

    fn payload(&mut self, event: &Event) -> Option<Seen> {
        let lens = self.lens.as_ref()?;
        match &event.kind {
            EventKind::HandshakeCompleted(handshake) => {
                if let Some(agreed) = handshake.subprotocol.chosen.first() {
                    self.agreed.insert(event.connection, agreed.clone());
                }
                None
            }
            EventKind::ConnectionEnded(_) => {
                self.agreed.remove(&event.connection);
                None
            }
            EventKind::MessageCompleted(message) => {
                Some(see(lens, message, self.agreed_by(event.connection)))
            }
            _ => None,
        }
    }

    fn agreed_by(&self, connection: ConnectionId) -> Option<&str> {
        self.agreed.get(&connection).map(String::as_str)
    }
}

fn see(lens: &Lens, message: &Message, agreed: Option<&str>) -> Seen {
    let names: &[&str] = match &agreed {
        Some(agreed) => std::slice::from_ref(agreed),
        None => &[],
    };
    let is_cut = (message.data.len() as u64) < message.data_len;
    let is_text = Some(message.opcode == Opcode::Text);
    let hints = Hints { is_text, names, is_cut, ..Hints::default() };
    lens.see(&message.data, &hints, &Limits { nodes: NODES, ..Limits::VIEW })
}
