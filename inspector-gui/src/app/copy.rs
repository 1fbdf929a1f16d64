//! What is copied of the selected row: the message, or the URL of its connection.

use std::fmt::Write as _;

use egui::Context;
use framescope_core::index::ConnectionSummary;
use framescope_core::{ConnectionId, Opcode};

use crate::App;
use crate::app::Tab;
use crate::detail::Selected;
use crate::store::{RowKey, Selection};
use crate::widgets::format;

/// How a message is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// As text where it is text, else as octets in hex.
    Text,
    /// As octets in hex.
    Hex,
}

impl App {
    /// Copies the selected message, or frame, as soon as it is read.
    pub(crate) fn copy_selected(&mut self, ctx: &Context, how: As) {
        let selection = self.selection().filter(|_| !self.view.exchanges.are_shown());
        self.to_copy = selection.map(|selection| (selection, how));
        self.copy_what_was_read(ctx);
    }

    /// Copies what was waited for, once it is there.
    pub(crate) fn copy_what_was_read(&mut self, ctx: &Context) {
        let Some((selection, how)) = self.to_copy else { return };
        if self.selection() != Some(selection) {
            self.to_copy = None;
            return;
        }
        let loaded = self.store.contents().loaded();
        let Some(loaded) = loaded.filter(|loaded| loaded.selection == selection) else { return };
        self.to_copy = None;
        if let Ok(selected) = &loaded.content {
            ctx.copy_text(copied(selected, selection, how));
        }
    }

    /// The URL that the client of a connection asked for.
    pub(crate) fn url_of(&self, connection: ConnectionId) -> Option<String> {
        let index = self.store.index();
        url(index.connection(connection)?)
    }

    /// The connection of the selected row, or the chosen one.
    pub(crate) fn pointed_at(&self) -> Option<ConnectionId> {
        let row = self.selection().filter(|_| self.view.tab == Tab::Messages);
        let of_row = row.and_then(|selection| {
            let index = self.store.index();
            let frame = match selection.key {
                RowKey::Message(row) => index.messages().get(row)?.first_frame as usize,
                RowKey::Frame(row) => row,
            };
            Some(index.frames().get(frame)?.connection())
        });
        of_row.or(self.view.connection)
    }
}

fn copied(selected: &Selected, selection: Selection, how: As) -> String {
    let opcode = selected.frame.header.opcode;
    let (octets, opcode) = match (&selected.message, selection.key) {
        (Some(message), RowKey::Message(_)) => (&message.content.data, message.opcode),
        _ => (&selected.frame.payload, opcode),
    };
    match (how, std::str::from_utf8(octets)) {
        (As::Text, Ok(text)) => text.to_owned(),
        (As::Text, Err(_)) if opcode == Opcode::Text => {
            String::from_utf8_lossy(octets).into_owned()
        }
        _ => format::hex(octets),
    }
}

/// `wss://example.org/chat?room=1`, as the client asked for it.
fn url(connection: &ConnectionSummary) -> Option<String> {
    let target = connection.target()?;
    if target.contains("://") {
        return Some(target.to_owned());
    }
    let scheme = match (connection.is_websocket(), connection.info.tls.is_some()) {
        (true, true) => "wss",
        (true, false) => "ws",
        (false, true) => "https",
        (false, false) => "http",
    };
    let mut url = format!("{scheme}://");
    let request = connection.exchanges.last().map(|exchange| &exchange.request);
    match request.and_then(|request| request.value("Host")) {
        Some(host) => url.push_str(host.trim()),
        // Writing to a string does not fail.
        None => {
            let _ = write!(url, "{}", connection.info.server);
        }
    }
    url.push_str(target);
    Some(url)
}
