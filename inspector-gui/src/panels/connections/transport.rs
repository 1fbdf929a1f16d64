//! What kind of connection it is: a WebSocket, or one of the ways that came before.

use egui::containers::menu::MenuButton;
use egui::{Align, Button, Layout, Rect, RichText, Ui, UiBuilder};
use framescope_core::index::ConnectionSummary;
use framescope_core::transport::TransportKind;

use crate::fonts::{self, icon};
use crate::theme;

/// How a connection brings what is new to the client, as far as its octets tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket (RFC 6455).
    WebSocket,
    /// `text/event-stream`.
    ServerSentEvents,
    /// An answer that goes on, a message a chunk or line.
    HttpStreaming,
    /// Answers that are held until there is something.
    LongPolling,
    /// Short exchanges, one a period.
    Polling,
    /// What a client says in a session whose other requests wait for the server.
    Sending,
    /// Requests and answers, and nothing that says more of them.
    Http,
    /// No head was seen: it failed, or only just began.
    Unknown,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WebSocket,
        Self::ServerSentEvents,
        Self::HttpStreaming,
        Self::LongPolling,
        Self::Polling,
        Self::Sending,
        Self::Http,
        Self::Unknown,
    ];

    /// What a connection is; of several exchanges the one that tells most.
    pub fn of(summary: &ConnectionSummary) -> Self {
        if summary.is_websocket() {
            Self::WebSocket
        } else if summary.exchanges.iter().any(|exchange| exchange.events > 0) {
            Self::ServerSentEvents
        } else if summary.exchanges.iter().any(|exchange| exchange.pieces > 0) {
            Self::HttpStreaming
        } else if summary.exchanges.is_empty() {
            Self::Unknown
        } else {
            // What it became last: a client may poll at first and be held later.
            let mut kinds =
                summary.exchanges.iter().rev().filter_map(|exchange| exchange.over?.kind);
            kinds.next().map_or(Self::Http, Self::of_kind)
        }
    }

    fn of_kind(kind: TransportKind) -> Self {
        match kind {
            TransportKind::Polling => Self::Polling,
            TransportKind::LongPolling => Self::LongPolling,
            TransportKind::HttpStreaming => Self::HttpStreaming,
            TransportKind::ServerSentEvents => Self::ServerSentEvents,
            TransportKind::WebSocket => Self::WebSocket,
            TransportKind::Sending => Self::Sending,
        }
    }

    /// What one of them is called; none where its requests say all there is.
    pub fn title(self) -> Option<&'static str> {
        match self {
            Self::ServerSentEvents => Some("server-sent events"),
            Self::HttpStreaming => Some("HTTP streaming"),
            Self::LongPolling => Some("long polling"),
            Self::Polling => Some("polling"),
            Self::Sending => Some("sending"),
            Self::WebSocket | Self::Http | Self::Unknown => None,
        }
    }

    /// Several of them, as the menu says it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSockets",
            Self::ServerSentEvents => "Server-sent events",
            Self::HttpStreaming => "HTTP streams",
            Self::LongPolling => "Long polling",
            Self::Polling => "Polling",
            Self::Sending => "Sending of a session",
            Self::Http => "HTTP exchanges",
            Self::Unknown => "Without any request",
        }
    }
}

/// Which kind of connections is listed.
pub(super) fn transport_ui(ui: &mut Ui, room: Rect, chosen: &mut Option<Transport>) {
    let layout = Layout::right_to_left(Align::Center);
    let builder = UiBuilder::new().max_rect(room).layout(layout);
    ui.scope_builder(builder, |ui| {
        let palette = theme::palette(ui);
        let name = chosen.map_or("all kinds", Transport::plural);
        let color = if chosen.is_some() { palette.accent } else { palette.weak };
        let caret = RichText::new(icon::CARET_DOWN).font(fonts::icons(9.0));
        let name = RichText::new(name).size(11.5).color(color);
        let button = Button::new((name, caret.color(color))).frame(false).truncate();
        let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
            ui.set_min_width(150.0);
            if ui.selectable_label(chosen.is_none(), "All kinds").clicked() {
                *chosen = None;
            }
            for kind in Transport::ALL {
                if ui.selectable_label(*chosen == Some(kind), kind.plural()).clicked() {
                    *chosen = Some(kind);
                }
            }
        });
        response.on_hover_text("List only connections of one kind");
    });
}
