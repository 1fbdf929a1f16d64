//! Phoenix channels: joins, pushes, replies and broadcasts by topic.
//!
//! ```text
//!  version 1  {"topic":"room:1","event":"phx_join","payload":{},"ref":"1","join_ref":"1"}
//!  version 2  ["1","1","room:1","phx_join",{}]      join_ref, ref, topic, event, payload
//!  version 2, binary: a kind octet, a length octet each for the texts, the texts, the payload
//!    0 push       to the server  join_ref ref topic event
//!    0 push       to the client  join_ref topic event
//!    1 reply                     join_ref ref topic status
//!    2 broadcast                 topic event
//! ```

use std::borrow::Cow;

use super::conversation::Dissector;
use super::dissection::{Packets, cut};
use super::document::{Document, Item};
use super::pending::{Pending, id_key};
use super::{FieldForm, MessageFacts, Packet, ProblemCode, Role, Subprotocol};
use crate::payload::Span;
use crate::present::octets;

/// One connection's channels.
#[derive(Debug, Default)]
pub(super) struct Phoenix {
    /// By topic and `ref`.
    pending: Pending<(Box<str>, Box<str>)>,
}

/// The parts of a message, from whichever serializer.
#[derive(Debug, Default)]
struct Parts<'a> {
    join_ref: Option<Cow<'a, str>>,
    reference: Option<Cow<'a, str>>,
    topic: Cow<'a, str>,
    event: Cow<'a, str>,
    /// Of a reply.
    status: Option<Cow<'a, str>>,
    /// The payload in a few words.
    payload: String,
}

impl Dissector for Phoenix {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        if !message.is_text() {
            out.push(self.binary(message));
            return;
        }
        out.push(match Document::of_message(Subprotocol::Phoenix, message) {
            Ok(document) => self.text(&document, message),
            Err(packet) => *packet,
        });
    }
}

impl Phoenix {
    fn text(&mut self, document: &Document, message: &MessageFacts<'_>) -> Packet {
        const NAMES: [&str; 5] = ["join_ref", "ref", "topic", "event", "payload"];
        let root = document.root();
        let [join_ref, reference, topic, event, payload] = match root {
            Some(root) if root.is_array() => {
                let mut items = root.children();
                NAMES.map(|_| items.next())
            }
            Some(root) => NAMES.map(|name| root.get(name)),
            None => [None; 5],
        };
        let text = |item: Option<Item<'_>>| {
            item.filter(|item| !item.is_null()).map(|item| Cow::from(item.plain()))
        };
        let reply = payload.filter(|_| event.and_then(Item::text) == Some("phx_reply"));
        let parts = Parts {
            join_ref: text(join_ref),
            reference: text(reference),
            topic: text(topic).unwrap_or_default(),
            event: text(event).unwrap_or_default(),
            status: text(reply.and_then(|reply| reply.get("status"))),
            payload: match (reply, payload) {
                (Some(reply), _) => reply.get("response").map(Item::preview).unwrap_or_default(),
                (None, Some(payload)) => payload.preview(),
                (None, None) => String::new(),
            },
        };
        let mut packet = self.packet(&parts, message);
        packet.problems.extend(document.problem());
        for (name, item) in NAMES.iter().zip([join_ref, reference, topic, event, payload]) {
            match item {
                Some(item) => item.add_to(&mut packet, name),
                None if matches!(*name, "topic" | "event" | "payload") => {
                    document.missing(&mut packet, &format!("a message must have a {name}"));
                }
                None => {}
            }
        }
        if let Some(root) = root.filter(|root| root.is_array() && root.len() > NAMES.len()) {
            let detail = format!("a message has five items, not {}", root.len());
            packet.problem(ProblemCode::InvalidValue, root.offset(), detail);
        }
        packet
    }

    fn binary(&mut self, message: &MessageFacts<'_>) -> Packet {
        let data = message.data;
        let kind = data.first().copied();
        let names: &[&'static str] = match (kind, message.is_from_client()) {
            (Some(0), true) => &["join_ref", "ref", "topic", "event"],
            (Some(0), false) => &["join_ref", "topic", "event"],
            (Some(1), false) => &["join_ref", "ref", "topic", "status"],
            (Some(2), false) => &["topic", "event"],
            _ => {
                let mut packet = Packet::new(Subprotocol::Phoenix, "unknown", Role::Unknown);
                let detail = "a binary message is a push (0), a reply (1) or a broadcast (2)";
                packet.problem(ProblemCode::UnknownKind, Some(0), detail);
                return packet;
            }
        };
        let mut parts = Parts::default();
        let mut fields = Vec::new();
        let mut at = names.len().saturating_add(1);
        for (place, name) in names.iter().enumerate() {
            let len = data.get(place.saturating_add(1)).copied().map(usize::from);
            let span = len.map(|len| Span::at(at, len)).filter(|span| span.end <= data.len());
            let Some(span) = span else {
                let mut packet = self.packet(&parts, message);
                packet.problem(
                    ProblemCode::Truncated,
                    Some(data.len()),
                    "the message ends in its head",
                );
                return packet;
            };
            at = span.end;
            let text = String::from_utf8_lossy(span.of(data));
            fields.push((*name, text.clone().into_owned(), span));
            match *name {
                "join_ref" => parts.join_ref = Some(text).filter(|text| !text.is_empty()),
                "ref" => parts.reference = Some(text).filter(|text| !text.is_empty()),
                "topic" => parts.topic = text,
                "status" => parts.status = Some(text),
                _ => parts.event = text,
            }
        }
        if parts.status.is_some() {
            parts.event = "phx_reply".into();
        }
        let len = (data.len().saturating_sub(at) as u64).saturating_add(message.missing());
        parts.payload = octets(len);
        let mut packet = self.packet(&parts, message);
        for (name, value, span) in fields {
            packet.field(name, FieldForm::Text, &value, Some(span));
        }
        packet.octets("payload", data.len().saturating_sub(at), Some(Span::new(at, data.len())));
        packet
    }

    fn packet(&mut self, parts: &Parts<'_>, message: &MessageFacts<'_>) -> Packet {
        let Parts { reference, topic, event, status, payload, .. } = parts;
        let kind = if event.is_empty() { "unknown" } else { event };
        let is_reply = event == "phx_reply";
        let role = match (is_reply, message.is_from_client()) {
            (true, _) => Role::Response,
            (false, true) if event == "heartbeat" => Role::KeepAlive,
            (false, true) if reference.is_some() => Role::Request,
            _ if event.starts_with("phx_") => Role::Control,
            _ => Role::Event,
        };
        let mut packet = Packet::new(Subprotocol::Phoenix, kind.to_owned(), role);
        packet.id = reference.as_deref().map(str::to_owned);
        packet.say(&cut(topic, 100));
        if let Some(status) = status {
            packet.say(&cut(status, 40));
        }
        if let Some(reference) = reference {
            packet.also(&format!("ref {}", cut(reference, 40)));
            let key = (id_key(topic), id_key(reference));
            if is_reply {
                let answer = self.pending.answer(&key, message);
                packet.matched(answer, None, || {
                    format!("no push to {} has the ref {}", cut(topic, 60), cut(reference, 40))
                });
            } else if message.is_from_client() && self.pending.ask(key, message, event) {
                let detail = format!("ref {} still waits for its reply", cut(reference, 40));
                packet.problem(ProblemCode::RepeatedId, None, detail);
            }
        }
        if is_reply && message.is_from_client() {
            let detail = "phx_reply is not for the client to send";
            packet.problem(ProblemCode::WrongDirection, None, detail);
        }
        if !matches!(payload.as_str(), "" | "{}") {
            packet.also(payload);
        }
        packet
    }
}

/// Whether a text is a message of version 1 or 2 to or from Phoenix.
pub(super) fn recognise(root: Item<'_>) -> Option<&'static str> {
    let event = if root.is_array() && root.len() == 5 {
        root.children().nth(3)?.text()?
    } else {
        root.get("topic").and(root.get("payload")).and(root.get("ref"))?;
        root.text_of("event")?
    };
    let is_known = event == "heartbeat"
        || ["phx_join", "phx_reply", "phx_leave", "phx_close", "phx_error"].contains(&event);
    is_known.then_some("the messages have a topic and an event such as phx_join")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, answers, field, octets_of, one, problems};

    fn talk() -> Talk {
        Talk::new(Subprotocol::Phoenix)
    }

    #[test]
    fn a_channel_of_version_2() {
        let mut talk = talk();
        let join = r#"["1","1","room:lobby","phx_join",{"token":"x"}]"#;
        let said = talk.up(join);
        assert_eq!(said.summary(), "phx_join room:lobby, ref 1, {\"token\":\"x\"}");
        assert_eq!(octets_of(one(&said), "topic", join.as_bytes()), b"\"room:lobby\"");
        let said =
            talk.down(r#"["1","1","room:lobby","phx_reply",{"status":"ok","response":{"a":1}}]"#);
        assert_eq!(said.summary(), "phx_reply room:lobby ok, ref 1 to phx_join, {\"a\":1}");
        assert_eq!(answers(one(&said)), (0, "phx_join", 1));
        let said = talk.down(r#"[null,null,"room:lobby","new_msg",{"body":"hi"}]"#);
        assert_eq!(said.summary(), "new_msg room:lobby, {\"body\":\"hi\"}");
        assert_eq!(
            talk.up(r#"[null,"2","phoenix","heartbeat",{}]"#).summary(),
            "heartbeat phoenix, ref 2"
        );
        assert!(
            talk.down(r#"[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]"#)
                .problems()
                .next()
                .is_none()
        );
    }

    #[test]
    fn version_1_is_an_object() {
        let said = talk()
            .up(r#"{"topic":"room:1","event":"phx_join","payload":{},"ref":"1","join_ref":"1"}"#);
        assert_eq!(said.summary(), "phx_join room:1, ref 1");
        assert_eq!(field(one(&said), "join_ref"), "1");
    }

    #[test]
    fn binary_messages_have_their_texts_before_their_payload() {
        let mut talk = talk();
        let push = b"\x00\x01\x01\x06\x0611room:1uploadDATA";
        let said = talk.up_octets(push);
        assert_eq!(said.summary(), "upload room:1, ref 1, 4 octets");
        assert_eq!(octets_of(one(&said), "payload", push), b"DATA");
        let said = talk.down_octets(b"\x01\x01\x01\x06\x0211room:1okxy");
        assert_eq!(said.summary(), "phx_reply room:1 ok, ref 1 to upload, 2 octets");
        assert_eq!(
            talk.down_octets(b"\x02\x06\x04room:1tickxyz").summary(),
            "tick room:1, 3 octets"
        );
        assert_eq!(
            problems(&talk.up_octets(b"\x00\x09")),
            ["truncated: octet 2: the message ends in its head"]
        );
        assert_eq!(problems(&talk.up_octets(b"\x07")).len(), 1);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let rows = [
            ("{}", "missing-field: octet 0: a message must have a topic"),
            (
                r#"["1","1","t","e",{},7]"#,
                "invalid-value: octet 0: a message has five items, not 6",
            ),
            (r#"["1","9","t","phx_reply",{}]"#, "unknown-id: no push to t has the ref 9"),
            (
                r#"["1","9","t","phx_reply",{}]"#,
                "wrong-direction: phx_reply is not for the client to send",
            ),
        ];
        for (text, problem) in rows {
            let said = talk().up(text);
            assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
        }
    }
}
