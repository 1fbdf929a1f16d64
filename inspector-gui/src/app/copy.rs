//! What is copied of the selected row: the message, or the URL of its connection.

use egui::{Context, OutputCommand};
use framescope_core::index::ConnectionSummary;
use framescope_core::present::Secrets;
use framescope_core::{ConnectionId, Head, Opcode};

use crate::App;
use crate::app::Tab;
use crate::detail::Selected;
use crate::store::{RowKey, Selection};
use crate::widgets::format;

/// What is told where a credential was left out.
pub(super) const MASKED: &str = "copied with credentials masked";

/// How often something was copied in this pass.
pub(super) fn copies(ctx: &Context) -> usize {
    let is_copy = |command: &&OutputCommand| {
        matches!(command, OutputCommand::CopyText(_) | OutputCommand::CopyImage(_))
    };
    ctx.output(|output| output.commands.iter().filter(is_copy).count())
}

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
        let is_listed = self.view.tab == Tab::Messages && !self.view.exchanges.are_shown();
        let selection = self.selection().filter(|_| is_listed);
        self.to_copy = selection.map(|selection| (selection, how));
        self.notice = None;
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
            let (octets, whole, _) = content(selected, selection);
            self.notice = copied_part(octets.len() as u64, whole);
        }
    }

    /// Copies the URL that the client of a connection asked for, its credentials masked unless the
    /// handshake tab shows them.
    pub(crate) fn copy_url_of(&mut self, ctx: &Context, connection: ConnectionId) {
        let copied = {
            let index = self.store.index();
            index.connection(connection).and_then(|connection| {
                let request = connection.exchanges.last().map(|exchange| &*exchange.request);
                let target = connection.target()?;
                let is_shown = self.handshake.shows_target(connection);
                let secrets = if is_shown { Secrets::Shown } else { Secrets::Masked };
                let told = secrets.target(target);
                Some((url_of_request(connection, request, &told), told != target))
            })
        };
        if let Some((url, is_masked)) = copied {
            ctx.copy_text(url);
            self.notice = is_masked.then(|| MASKED.to_owned());
        }
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

/// The octets of a row that were read, how many it has in all, and what they are.
fn content(selected: &Selected, selection: Selection) -> (&[u8], u64, Opcode) {
    if let (Some(message), RowKey::Message(_)) = (&selected.message, selection.key) {
        return (&message.content.data, message.data_len, message.opcode);
    }
    let header = &selected.frame.header;
    (&selected.frame.payload, header.payload_len.value, header.opcode)
}

/// What is told where less was copied than there is.
pub(super) fn copied_part(copied: u64, whole: u64) -> Option<String> {
    let [part, all] = [copied, whole].map(format::octets);
    (copied < whole).then(|| format!("copied the first {part} of {all}"))
}

fn copied(selected: &Selected, selection: Selection, how: As) -> String {
    let (octets, _, opcode) = content(selected, selection);
    match (how, std::str::from_utf8(octets)) {
        (As::Text, Ok(text)) => text.to_owned(),
        (As::Text, Err(_)) if opcode == Opcode::Text => {
            String::from_utf8_lossy(octets).into_owned()
        }
        _ => format::hex(octets),
    }
}

/// `wss://example.org/chat?room=1`: the URL of a request with this target, as its client asked for it. Of
/// CONNECT it is the authority alone; where the target is no path, such as `*`, it is that of the server.
pub(super) fn url_of_request(
    connection: &ConnectionSummary,
    request: Option<&Head>,
    target: &str,
) -> String {
    if is_url(target) || request.and_then(Head::method) == Some("CONNECT") {
        return target.to_owned();
    }
    let path = if target.starts_with('/') { target } else { "" };
    format!("{}{path}", server_of_request(connection, request))
}

/// `wss://example.org`: whom a request asked.
pub(super) fn server_of_request(connection: &ConnectionSummary, request: Option<&Head>) -> String {
    let scheme = match (connection.is_websocket(), connection.info.tls.is_some()) {
        (true, true) => "wss",
        (true, false) => "ws",
        (false, true) => "https",
        (false, false) => "http",
    };
    let authority = match request.and_then(|request| request.value("Host")) {
        Some(host) => host.trim().to_owned(),
        None => connection.info.server.to_string(),
    };
    format!("{scheme}://{authority}")
}

/// Whether a target is more than an authority or `*` (RFC 9112 §3.2).
pub(super) fn is_path_or_url(target: &str) -> bool {
    target.starts_with('/') || is_url(target)
}

fn is_url(target: &str) -> bool {
    let is = |scheme: &&str| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    ["http://", "https://", "ws://", "wss://"].iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake_tab::handshakes;

    #[test]
    fn a_url_has_the_host_that_was_asked_for_unless_the_target_has_one() {
        let connection = handshakes::accepted();
        let head = |method: &str, host: &str| {
            let head = format!("{method} / HTTP/1.1\r\n{host}\r\n");
            Head::parse_request(head.into(), 0).expect("a head")
        };
        let server = connection.info.server;
        let scheme = if connection.info.tls.is_some() { "wss" } else { "ws" };
        let rows = [
            (
                "GET",
                "Host: a.example:81\r\n",
                "/x?u=http://b/",
                format!("{scheme}://a.example:81/x?u=http://b/"),
            ),
            ("GET", "Host: a.example\r\n", "https://b/x", "https://b/x".to_owned()),
            ("GET", "Host: a.example\r\n", "HTTPS://b/x", "HTTPS://b/x".to_owned()),
            ("GET", "", "/x", format!("{scheme}://{server}/x")),
            ("OPTIONS", "Host: a.example\r\n", "*", format!("{scheme}://a.example")),
            ("CONNECT", "Host: a.example\r\n", "b:1", "b:1".to_owned()),
        ];
        for (method, host, target, url) in rows {
            assert_eq!(url_of_request(&connection, Some(&head(method, host)), target), url);
        }
    }

    #[test]
    fn what_is_copied_in_part_is_told() {
        let told = copied_part(16 << 20, 20_000_000);
        let line = "copied the first 16,777,216 octets of 20,000,000 octets";
        assert_eq!(told.as_deref(), Some(line));
        assert_eq!(copied_part(3, 3), None);
    }
}
