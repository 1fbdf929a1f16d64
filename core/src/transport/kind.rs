//! The transports, by how they bring what is new to the client.

use std::fmt;

/// How a client is told what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportKind {
    /// Short exchanges, one a period: the client asks whether there is something.
    Polling,
    /// The server holds the answer until there is something, or for so long; then the client asks again.
    LongPolling,
    /// An answer whose body goes on, a message a chunk or line.
    HttpStreaming,
    /// `text/event-stream` (HTML Standard §9.2).
    ServerSentEvents,
    /// A WebSocket (RFC 6455) that a session moved to, or was opened with.
    WebSocket,
    /// What the client says in a session whose other requests wait for the server.
    Sending,
}

impl TransportKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Polling,
        Self::LongPolling,
        Self::HttpStreaming,
        Self::ServerSentEvents,
        Self::WebSocket,
        Self::Sending,
    ];

    /// The spelling of the JSON exports: `long-polling`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::LongPolling => "long-polling",
            Self::HttpStreaming => "http-streaming",
            Self::ServerSentEvents => "server-sent-events",
            Self::WebSocket => "websocket",
            Self::Sending => "sending",
        }
    }

    /// As people write it: `long polling`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::LongPolling => "long polling",
            Self::HttpStreaming => "HTTP streaming",
            Self::ServerSentEvents => "server-sent events",
            Self::WebSocket => "WebSocket",
            Self::Sending => "sending",
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// What a claim rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The timing of several exchanges, or of the parts of one: very likely, but another program could
    /// behave so for another reason.
    Timing,
    /// The peers say so: a media type, a parameter with a matching hold, a path of a known protocol.
    Protocol,
}

impl Evidence {
    /// The spelling of the JSON exports: `timing` or `protocol`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timing => "timing",
            Self::Protocol => "protocol",
        }
    }
}
