//! Conversations: the messages of one connection, both ways, in the words of its sub-protocol.

use std::fmt;
use std::sync::Arc;

use super::dissection::{MessageRef, Packets};
use super::{Choice, Dissection, Opening, Subprotocol};
use crate::{Direction, Message, Opcode, Timestamp};

/// Octets kept of a packet that goes on in the next message; what is beyond is passed over.
pub const MAX_HELD: usize = 1 << 20;

/// One whole data message, as a dissector takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageFacts<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// Its ordinal among the data messages of its direction, from 0.
    pub index: u64,
    /// [`Opcode::Text`] or [`Opcode::Binary`].
    pub opcode: Opcode,
    /// The message, inflated, as far as it was kept.
    pub data: &'a [u8],
    /// Octets of the whole message.
    pub data_len: u64,
    /// When its last octet was read.
    pub at: Timestamp,
}

impl<'a> From<&'a Message> for MessageFacts<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            direction: message.direction,
            index: message.index,
            opcode: message.opcode,
            data: &message.data,
            data_len: message.data_len,
            at: message.last_octet_at,
        }
    }
}

impl<'a> MessageFacts<'a> {
    /// Whether `data` holds all of it.
    pub fn is_whole(&self) -> bool {
        self.missing() == 0
    }

    /// Octets that were not kept.
    pub fn missing(&self) -> u64 {
        self.data_len.saturating_sub(self.data.len() as u64)
    }

    /// How later messages name this one.
    pub fn reference(&self) -> MessageRef {
        MessageRef { direction: self.direction, index: self.index, over_http: false }
    }

    pub(super) fn is_from_client(&self) -> bool {
        self.direction == Direction::ClientToServer
    }

    pub(super) fn is_text(&self) -> bool {
        self.opcode == Opcode::Text
    }

    /// The message as text; the valid beginning of one that is not UTF-8, or was cut in a character.
    pub(super) fn text(&self) -> &'a str {
        match std::str::from_utf8(self.data) {
            Ok(text) => text,
            Err(error) => {
                let valid = self.data.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        }
    }

    /// The same message carrying other octets: a layer above.
    pub(super) fn carrying<'b>(&self, data: &'b [u8], opcode: Opcode) -> MessageFacts<'b> {
        let &Self { direction, index, at, .. } = self;
        MessageFacts { direction, index, opcode, data, data_len: data.len() as u64, at }
    }
}

/// Understands one sub-protocol on one connection.
pub(super) trait Dissector: fmt::Debug + Send + Sync {
    /// Takes in the next message of either direction.
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets);
}

/// All messages of one connection.
#[derive(Debug)]
pub struct Conversation {
    choice: Arc<Choice>,
    dissector: Box<dyn Dissector>,
}

impl Conversation {
    /// A conversation of which nothing was seen yet but how it was opened.
    pub fn new(choice: Choice, opening: &Opening<'_>) -> Self {
        let dissector: Box<dyn Dissector> = match choice.protocol {
            Subprotocol::Stomp => Box::new(super::stomp::Stomp::default()),
            Subprotocol::JsonRpc => Box::new(super::json_rpc::JsonRpc::default()),
            Subprotocol::DevTools => Box::new(super::devtools::DevTools::default()),
            Subprotocol::ApiGateway => Box::new(super::api_gateway::ApiGateway),
            Subprotocol::GraphqlTransportWs | Subprotocol::GraphqlWs => {
                Box::new(super::graphql::Graphql::new(choice.protocol))
            }
            Subprotocol::Phoenix => Box::new(super::phoenix::Phoenix::default()),
            Subprotocol::ActionCable => Box::new(super::action_cable::ActionCable::default()),
            Subprotocol::SockJs => Box::new(super::sockjs::SockJs::default()),
            Subprotocol::SignalR => Box::new(super::signalr::SignalR::default()),
            Subprotocol::EngineIo => Box::new(super::engine_io::EngineIo::new(opening)),
            Subprotocol::SocketIo => Box::new(super::socket_io::SocketIo::new(opening)),
            Subprotocol::Mqtt => Box::new(super::mqtt::Mqtt::default()),
            Subprotocol::Wamp => Box::new(super::wamp::Wamp::new(opening)),
        };
        Self { choice: Arc::new(choice), dissector }
    }

    /// What it is read as, and why.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Takes in the next message of either direction and says what it means.
    pub fn receive(&mut self, message: &MessageFacts<'_>) -> Dissection {
        let mut packets = Packets::default();
        self.dissector.receive(message, &mut packets);
        packets.finish(Arc::clone(&self.choice))
    }
}
