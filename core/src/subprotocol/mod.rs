//! Sub-protocols: what messages say to the programs that talk, one layer above RFC 6455.
//!
//! | word | is |
//! |---|---|
//! | [`Subprotocol`] | a protocol that is spoken in WebSocket messages: Socket.IO, MQTT, … |
//! | [`Opening`] | what an opening handshake tells of it |
//! | [`Choice`] | which one it is, and the reason; [`choose`] makes it, a user may override it |
//! | [`Conversation`] | all messages of one connection, both ways, in their order |
//! | [`Dissection`] | what one message says: [`Packet`]s with summary, fields, problems |
//! | [`Answer`] | which earlier message a packet answers, and how long that took |
//! | [`Problem`] | what breaks the sub-protocol's own grammar |
//! | [`Tracker`] | conversations of all connections, fed with events |
//!
//! ```text
//!  Event ─► Tracker ─► choose ─► Conversation ─► one dissector ─► Dissection
//! ```
//!
//! Octets come from peers, so nothing here trusts them: a message that breaks the grammar becomes a
//! [`Problem`], and whatever is kept from one message to the next is bounded ([`MAX_PENDING`] requests,
//! [`MAX_HELD`] octets of an unfinished packet).
//!
//! Each dissector is a module of its own. They read JSON, MessagePack and CBOR with [`crate::payload`];
//! the framing of each protocol is read here, since kept parsers give no octet spans, and stop at the
//! first fault, where an inspector has to go on.

mod carried;
mod choice;
mod conversation;
mod dissection;
mod document;
mod latency;
mod pending;
mod problem;
#[cfg(test)]
mod testing;
mod track;

mod action_cable;
mod api_gateway;
mod devtools;
mod engine_io;
mod graphql;
mod json_rpc;
mod mqtt;
mod phoenix;
mod signalr;
mod socket_io;
mod sockjs;
mod stomp;
mod wamp;

pub use choice::{Choice, Opening, choose};
pub use conversation::{Conversation, MAX_HELD, MessageFacts};
pub use dissection::{
    Answer, Dissection, Field, FieldForm, MAX_FIELDS, MAX_PACKETS, MAX_TEXT, MessageRef, Packet,
    Role,
};
pub(crate) use engine_io::engine_io_session;
pub use latency::LatencySummary;
pub use pending::MAX_PENDING;
pub use problem::{Problem, ProblemCode};
pub use sockjs::read_info as read_sockjs_info;
pub(crate) use sockjs::target as sockjs_target;
pub use track::{FIRST_MESSAGES, Override, Tracker};

/// A protocol that is spoken in WebSocket messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subprotocol {
    /// Engine.IO, protocol revisions 3 and 4.
    EngineIo,
    /// Socket.IO, protocol revisions 4 (library version 2) and 5 (library versions 3 and 4), in Engine.IO.
    SocketIo,
    /// STOMP 1.0, 1.1 and 1.2.
    Stomp,
    /// `SockJS` framing, and what it carries.
    SockJs,
    /// MQTT 3.1, 3.1.1 and 5.0.
    Mqtt,
    /// WAMP version 2, in JSON, MessagePack or CBOR.
    Wamp,
    /// `SignalR` hub protocol, in JSON or MessagePack.
    SignalR,
    /// GraphQL over WebSocket, sub-protocol `graphql-transport-ws`.
    GraphqlTransportWs,
    /// GraphQL over WebSocket in its older form, sub-protocol `graphql-ws`.
    GraphqlWs,
    /// Phoenix channels, serializer versions 1 and 2.
    Phoenix,
    /// Action Cable of Ruby on Rails.
    ActionCable,
    /// JSON-RPC 2.0.
    JsonRpc,
    /// The Chrome DevTools Protocol.
    DevTools,
    /// JSON objects routed by their `action`, as AWS API Gateway does by default.
    ApiGateway,
}

impl Subprotocol {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::EngineIo,
        Self::SocketIo,
        Self::Stomp,
        Self::SockJs,
        Self::Mqtt,
        Self::Wamp,
        Self::SignalR,
        Self::GraphqlTransportWs,
        Self::GraphqlWs,
        Self::Phoenix,
        Self::ActionCable,
        Self::JsonRpc,
        Self::DevTools,
        Self::ApiGateway,
    ];

    /// The spelling of the command line and of the JSON exports: `socket.io`, `json-rpc`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EngineIo => "engine.io",
            Self::SocketIo => "socket.io",
            Self::Stomp => "stomp",
            Self::SockJs => "sockjs",
            Self::Mqtt => "mqtt",
            Self::Wamp => "wamp",
            Self::SignalR => "signalr",
            Self::GraphqlTransportWs => "graphql-transport-ws",
            Self::GraphqlWs => "graphql-ws",
            Self::Phoenix => "phoenix",
            Self::ActionCable => "action-cable",
            Self::JsonRpc => "json-rpc",
            Self::DevTools => "devtools",
            Self::ApiGateway => "api-gateway",
        }
    }

    /// As its makers write it: `Socket.IO`, `JSON-RPC 2.0`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::EngineIo => "Engine.IO",
            Self::SocketIo => "Socket.IO",
            Self::Stomp => "STOMP",
            Self::SockJs => "SockJS",
            Self::Mqtt => "MQTT",
            Self::Wamp => "WAMP",
            Self::SignalR => "SignalR",
            Self::GraphqlTransportWs => "GraphQL (graphql-transport-ws)",
            Self::GraphqlWs => "GraphQL (graphql-ws)",
            Self::Phoenix => "Phoenix channels",
            Self::ActionCable => "Action Cable",
            Self::JsonRpc => "JSON-RPC 2.0",
            Self::DevTools => "Chrome DevTools Protocol",
            Self::ApiGateway => "API Gateway routes",
        }
    }

    /// The one with this [`Subprotocol::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subprotocol| subprotocol.name() == name)
    }
}

impl std::fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.title())
    }
}
