//! Tracking: which connection speaks what, from events.

use super::carried::CarriedConversations;
use super::latency::{Latencies, LatencySummary};
use super::{Choice, Conversation, Dissection, MessageFacts, Opening, Subprotocol, choose};
use crate::connection::ConnectionMap;
use crate::transport::SessionId;
use crate::{ConnectionId, Event, EventKind, Message, OpeningHandshake, TransportEvent};

/// Messages of a connection that are looked at to tell its sub-protocol, at most.
pub const FIRST_MESSAGES: u32 = 16;

/// What a user says the sub-protocol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Override {
    /// Nothing: it is told from the handshake and the messages.
    #[default]
    Auto,
    /// None is spoken.
    Off,
    /// This one, on every connection.
    Always(Subprotocol),
}

/// The conversations of all connections of a session.
#[derive(Debug, Default)]
pub struct Tracker {
    by_user: Override,
    connections: ConnectionMap<Tracked>,
    carried: CarriedConversations,
    latencies: ConnectionMap<Box<Latencies>>,
}

#[derive(Debug)]
enum Tracked {
    /// Not told yet.
    Open {
        handshake: Box<OpeningHandshake>,
        /// Messages that were looked at in vain.
        looked_at: u32,
    },
    Chosen(Conversation),
    /// It goes on with the conversation of a session that HTTP carried before.
    Moved(SessionId),
}

impl Tracker {
    /// Tracks every connection as the user says.
    pub fn new(by_user: Override) -> Self {
        Self { by_user, ..Self::default() }
    }

    /// Takes in the next event of a session; says what a message means where it completes one, and its
    /// sub-protocol is known.
    pub fn receive(&mut self, event: &Event) -> Option<Dissection> {
        match &event.kind {
            EventKind::HandshakeCompleted(handshake) if handshake.upgraded => {
                self.open(event.connection, handshake);
                None
            }
            EventKind::MessageCompleted(message) => {
                let said = self.message(event.connection, message)?;
                self.latencies.entry(event.connection).or_default().add(&said);
                Some(said)
            }
            EventKind::TransportSeen(seen) => self.transport(event, seen),
            // What they said is part of what comes next.
            EventKind::GapMet { .. } | EventKind::ConnectionEnded(_) => {
                self.connections.remove(&event.connection);
                self.latencies.remove(&event.connection);
                None
            }
            _ => None,
        }
    }

    /// What a connection is taken to speak, and why; none while nothing tells.
    pub fn choice(&self, connection: ConnectionId) -> Option<&Choice> {
        match self.connections.get(&connection)? {
            Tracked::Open { .. } => None,
            Tracked::Chosen(conversation) => Some(conversation.choice()),
            Tracked::Moved(session) => self.carried.choice(*session),
        }
    }

    /// Requests in the messages of a WebSocket that has not ended, and how long their answers took; none
    /// where nothing asked for an answer.
    pub fn latency(&self, connection: ConnectionId) -> Option<LatencySummary> {
        self.latencies.get(&connection)?.summary()
    }

    fn open(&mut self, connection: ConnectionId, handshake: &OpeningHandshake) {
        let tracked = match self.by_user {
            Override::Off => return,
            Override::Always(protocol) => {
                let choice = Choice { protocol, reason: "as asked for".to_owned() };
                Tracked::Chosen(Conversation::new(choice, &Opening::of(handshake)))
            }
            Override::Auto => Tracked::undecided(handshake),
        };
        self.connections.insert(connection, tracked);
    }

    /// What bodies of plain HTTP carry, and sessions that go on over a WebSocket.
    fn transport(&mut self, event: &Event, seen: &TransportEvent) -> Option<Dissection> {
        match seen {
            TransportEvent::SessionChanged { session, .. } => {
                self.carried.open(session, self.by_user);
                let moves = session.websocket() == Some(event.connection);
                let carried = self.carried.choice(session.id).map(|choice| choice.protocol);
                let is_asked_for = match self.by_user {
                    Override::Auto => carried.is_some(),
                    Override::Off => false,
                    Override::Always(protocol) => carried == Some(protocol),
                };
                if moves && is_asked_for {
                    self.connections.insert(event.connection, Tracked::Moved(session.id));
                }
                None
            }
            TransportEvent::PacketsCarried(carried) => self.carried.body(carried, event.at),
            TransportEvent::PieceReceived(piece) => self.carried.line(piece, event.at),
            TransportEvent::ExchangeEnded(_) | TransportEvent::SeriesTold(_) => None,
        }
    }

    fn message(&mut self, connection: ConnectionId, message: &Message) -> Option<Dissection> {
        let tracked = self.connections.get_mut(&connection)?;
        let facts = MessageFacts::from(message);
        tracked.look_at(&facts);
        match tracked {
            Tracked::Chosen(conversation) => Some(conversation.receive(&facts)),
            Tracked::Moved(session) => self.carried.message(*session, message),
            Tracked::Open { looked_at, .. } => {
                if *looked_at >= FIRST_MESSAGES {
                    self.connections.remove(&connection);
                }
                None
            }
        }
    }
}

impl Tracked {
    fn undecided(handshake: &OpeningHandshake) -> Self {
        let opening = Opening::of(handshake);
        match choose(&opening, &[]) {
            Some(choice) => Self::Chosen(Conversation::new(choice, &opening)),
            None => Self::Open { handshake: Box::new(handshake.clone()), looked_at: 0 },
        }
    }

    fn look_at(&mut self, message: &MessageFacts<'_>) {
        let Self::Open { handshake, looked_at } = self else { return };
        *looked_at = looked_at.saturating_add(1);
        let opening = Opening::of(handshake);
        if let Some(choice) = choose(&opening, &[*message]) {
            *self = Self::Chosen(Conversation::new(choice, &opening));
        }
    }
}
