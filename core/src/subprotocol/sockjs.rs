//! `SockJS` framing 0.3.3: one letter and JSON from the server, a JSON array of strings from the client.
//!
//! ```text
//!  o                  open
//!  h                  heartbeat
//!  a["one","two"]     messages
//!  c[3000,"Go away!"] close
//! ```
//!
//! What the strings carry may be a sub-protocol of its own, most often STOMP.

use std::sync::Arc;

use super::conversation::Dissector;
use super::dissection::{Packets, quoted};
use super::document::{Document, Item};
use super::{
    Choice, Conversation, Dissection, FIRST_MESSAGES, FieldForm, MessageFacts, Opening, Packet,
    ProblemCode, Role, Subprotocol, choose,
};
use crate::Opcode;
use crate::payload::Span;
use crate::present::counted;

/// One connection's `SockJS`.
#[derive(Debug, Default)]
pub(super) struct SockJs {
    is_open: bool,
    /// Strings that were looked at for a sub-protocol in vain.
    looked_at: u32,
    inner: Option<Conversation>,
}

impl Dissector for SockJs {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        if !message.is_text() {
            let mut packet = Packet::new(Subprotocol::SockJs, "unknown", Role::Unknown);
            packet.problem(ProblemCode::WrongOpcode, None, "SockJS goes in text messages");
            out.push(packet);
        } else if message.is_from_client() {
            self.messages(message, 0, out);
        } else {
            self.of_server(message, out);
        }
    }
}

impl SockJs {
    fn of_server(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let frame = |kind, role| {
            let mut packet = Packet::new(Subprotocol::SockJs, kind, role);
            let span = message.data.first().map(|_| Span::at(0, 1));
            packet.field("frame type", FieldForm::Meaning, kind, span);
            packet
        };
        let kind = message.data.first().copied();
        if kind != Some(b'o') && !self.is_open {
            self.is_open = true;
            let mut packet = frame("unopened", Role::Unknown);
            packet.problem(ProblemCode::OutOfOrder, Some(0), "the first frame of the server is o");
            out.push(packet);
        }
        match kind {
            Some(b'o') => {
                self.is_open = true;
                let mut packet = frame("open", Role::Control);
                check_end(&mut packet, message);
                out.push(packet);
            }
            Some(b'h') => {
                let mut packet = frame("heartbeat", Role::KeepAlive);
                check_end(&mut packet, message);
                out.push(packet);
            }
            Some(b'a' | b'm') => self.messages(message, 1, out),
            Some(b'c') => {
                let mut packet = frame("close", Role::Control);
                let json = message.data.get(1..).unwrap_or_default();
                let document = Document::json(json, Some(1), message.is_whole());
                packet.problems.extend(document.problem());
                let items: Vec<_> = document.root().into_iter().flat_map(Item::children).collect();
                for (item, name) in items.iter().zip(["code", "reason"]) {
                    item.add_to(&mut packet, name);
                    match item.text() {
                        Some(reason) => packet.say(&quoted(reason)),
                        None => packet.say(&item.preview()),
                    };
                }
                out.push(packet);
            }
            _ => {
                let mut packet = frame("unknown", Role::Unknown);
                let detail = "a frame of the server begins with o, h, a, m or c";
                packet.problem(ProblemCode::UnknownKind, Some(0), detail);
                out.push(packet);
            }
        }
    }

    /// Strings in JSON that begins at message offset `at`.
    fn messages(&mut self, message: &MessageFacts<'_>, at: usize, out: &mut Packets) {
        let json = message.data.get(at..).unwrap_or_default();
        let document = Document::json(json, Some(at), message.is_whole());
        let mut packet = Packet::new(Subprotocol::SockJs, "messages", Role::Event);
        packet.problems.extend(document.problem());
        let mut texts = Vec::new();
        let root = document.root();
        let items: Vec<_> = match root {
            Some(root) if root.is_array() => root.children().collect(),
            Some(root) => vec![root],
            None => Vec::new(),
        };
        for (place, item) in items.iter().enumerate() {
            item.add_to(&mut packet, &place.to_string());
            if item.text().is_some() {
                texts.push(*item);
            } else {
                let detail = format!("what is carried are strings, not {}", item.what());
                packet.problem(ProblemCode::InvalidValue, item.offset(), detail);
            }
        }
        let mut above = Packets::default();
        for text in &texts {
            self.carried(*text, message, &mut above);
        }
        match texts.as_slice() {
            [text] if above.is_empty() => packet.say(&quoted(text.text().unwrap_or_default())),
            _ => packet.say(&counted(texts.len() as u64, "string", "strings")),
        };
        out.push(packet);
        out.append(above);
    }

    fn carried(&mut self, item: Item<'_>, message: &MessageFacts<'_>, out: &mut Packets) {
        let Some((text, missing)) = item.text_and_missing() else { return };
        let mut facts = message.carrying(text.as_bytes(), Opcode::Text);
        facts.data_len = facts.data_len.saturating_add(missing);
        if self.inner.is_none() && self.looked_at < FIRST_MESSAGES {
            self.looked_at = self.looked_at.saturating_add(1);
            let opening = Opening::default();
            let choice = choose(&opening, &[facts]);
            self.inner = choice
                .filter(|choice| choice.protocol != Subprotocol::SockJs)
                .map(|choice| Conversation::new(choice, &opening));
        }
        if let Some(inner) = &mut self.inner {
            out.push_layer(inner.receive(&facts));
        }
    }
}

fn check_end(packet: &mut Packet, message: &MessageFacts<'_>) {
    if message.data.get(1..).unwrap_or_default().iter().any(|octet| !octet.is_ascii_whitespace()) {
        packet.problem(ProblemCode::TrailingOctets, Some(1), "such a frame is one letter");
    }
}

/// What the answer to `GET …/info` says, which clients of `SockJS` ask for before they connect; `None`
/// where it is none.
///
/// `{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":1442968769}`
pub fn read_info(target: &str, body: &[u8]) -> Option<Dissection> {
    let path = target.split('?').next().unwrap_or_default();
    path.ends_with("/info").then_some(())?;
    let document = Document::json(body, Some(0), true);
    let root = document.root()?;
    let websocket = root.get("websocket").filter(|_| root.get("entropy").is_some())?;
    let mut packet = Packet::new(Subprotocol::SockJs, "info", Role::Response);
    packet.problems.extend(document.problem());
    packet.say(if websocket.is_true() { "WebSocket is on" } else { "WebSocket is off" });
    if root.get("cookie_needed").is_some_and(Item::is_true) {
        packet.also("a cookie is needed");
    }
    root.add_members(&mut packet, 0);
    let mut packets = Packets::default();
    packets.push(packet);
    let reason = "the target ends in /info, and the answer tells websocket and entropy".to_owned();
    Some(packets.finish(Arc::new(Choice { protocol: Subprotocol::SockJs, reason })))
}

/// Whether a target is that of a `SockJS` session over WebSocket: `…/SERVER/SESSION/websocket`.
pub(super) fn is_target(path: &str) -> bool {
    target(path).is_some_and(|(_, _, transport)| transport == "websocket")
}

/// Base, session and transport of a `SockJS` path: `BASE/SERVER/SESSION/TRANSPORT`, the server three
/// digits.
pub(crate) fn target(path: &str) -> Option<(&str, &str, &str)> {
    const TRANSPORTS: [&str; 8] = [
        "websocket",
        "xhr",
        "xhr_streaming",
        "xhr_send",
        "eventsource",
        "htmlfile",
        "jsonp",
        "jsonp_send",
    ];
    let (path, transport) = path.rsplit_once('/')?;
    let (path, session) = path.rsplit_once('/')?;
    let (base, server) = path.rsplit_once('/')?;
    let is_server = server.len() == 3 && server.bytes().all(|octet| octet.is_ascii_digit());
    let is_ours = TRANSPORTS.contains(&transport) && session.len() >= 4 && is_server;
    is_ours.then_some((base, session, transport))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, answers, field, one, problems};

    fn talk() -> Talk {
        let mut talk = Talk::new(Subprotocol::SockJs);
        assert_eq!(talk.down("o").summary(), "open");
        talk
    }

    #[test]
    fn frames_of_both_peers() {
        let mut talk = talk();
        assert_eq!(talk.down("h").summary(), "heartbeat");
        assert_eq!(talk.up(r#"["hello"]"#).summary(), "messages \"hello\"");
        let said = talk.down(r#"a["one","two"]"#);
        assert_eq!(said.summary(), "messages 2 strings");
        assert_eq!(field(one(&said), "1"), "two");
        assert_eq!(talk.down(r#"c[3000,"Go away!"]"#).summary(), "close 3000 \"Go away!\"");
    }

    #[test]
    fn stomp_inside_is_read() {
        let mut talk = talk();
        let said = talk.up(r#"["CONNECT\naccept-version:1.2\nhost:a\n\n\u0000"]"#);
        assert_eq!(said.summary(), "messages 1 string · CONNECT versions 1.2 host a");
        let said = talk.down(r#"a["CONNECTED\nversion:1.2\n\n\u0000"]"#);
        assert_eq!(answers(&said.packets[1]), (0, "CONNECT", 1));
        assert_eq!(said.packets[1].protocol, Subprotocol::Stomp);
        assert!(said.packets[1].fields.iter().all(|field| field.span.is_none()));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let down = |text| problems(&talk().down(text));
        assert_eq!(
            down("x"),
            ["unknown-kind: octet 0: a frame of the server begins with o, h, a, m or c"]
        );
        assert_eq!(down("hx"), ["trailing-octets: octet 1: such a frame is one letter"]);
        assert_eq!(
            down("a[1]"),
            ["invalid-value: octet 2: what is carried are strings, not a number"]
        );
        assert_eq!(down("a[").len(), 1);
        let first = Talk::new(Subprotocol::SockJs).down("h");
        assert_eq!(problems(&first), ["out-of-order: octet 0: the first frame of the server is o"]);
    }

    #[test]
    fn the_info_of_the_server() {
        let answer = br#"{"websocket":true,"origins":["*:*"],"cookie_needed":true,"entropy":7}"#;
        let info = read_info("/echo/info?t=1700000000", answer).unwrap();
        assert_eq!(info.summary(), "info WebSocket is on, a cookie is needed");
        assert_eq!(field(one(&info), "entropy"), "7");
        let off = read_info("/info", br#"{"websocket":false,"entropy":7}"#).unwrap();
        assert_eq!(off.summary(), "info WebSocket is off");
        assert_eq!(read_info("/echo", answer), None);
        assert_eq!(read_info("/info", br#"{"version":7}"#), None);
        assert_eq!(read_info("/info", b"<html>"), None);
    }

    #[test]
    fn targets_of_sessions() {
        assert!(is_target("/echo/123/abcd1234/websocket"));
        assert!(!is_target("/echo/websocket"));
        assert!(!is_target("/echo/abc/abcd1234/websocket"));
    }
}
