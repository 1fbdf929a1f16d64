//! What kind of connection it is: a WebSocket, or one of the ways that came before.

use framescope_core::index::ConnectionSummary;

/// How a connection brings what is new to the client, as far as its octets tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket (RFC 6455).
    WebSocket,
    /// `text/event-stream`.
    ServerSentEvents,
    /// Requests and answers, and nothing that says more of them.
    Http,
    /// No head was seen: it failed, or only just began.
    Unknown,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::WebSocket, Self::ServerSentEvents, Self::Http, Self::Unknown];

    /// What a connection is; of several exchanges the one that tells most.
    pub fn of(summary: &ConnectionSummary) -> Self {
        if summary.is_websocket() {
            Self::WebSocket
        } else if summary.exchanges.iter().any(|exchange| exchange.events > 0) {
            Self::ServerSentEvents
        } else if summary.exchanges.is_empty() {
            Self::Unknown
        } else {
            Self::Http
        }
    }

    /// Several of them, as the menu says it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSockets",
            Self::ServerSentEvents => "Server-sent events",
            Self::Http => "HTTP exchanges",
            Self::Unknown => "Without any request",
        }
    }
}
