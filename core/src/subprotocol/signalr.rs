//! `SignalR` hub protocol: invocations, completions and streams, in JSON or MessagePack.
//!
//! ```text
//!  handshake    {"protocol":"json","version":1}␞          {}␞
//!  JSON         {"type":1,"target":"Send","arguments":["hi"],"invocationId":"0"}␞
//!  MessagePack  length in 7-bit groups, then [1, {}, "0", "Send", ["hi"], []]
//! ```
//!
//! ␞ is the octet 1E, the record separator. The handshake is JSON whatever follows it.

mod record;

use memchr::memchr;

use super::conversation::Dissector;
use super::dissection::{Packets, cut, quoted};
use super::document::{Document, Item};
use super::pending::{Pending, id_key};
use super::{FieldForm, MessageFacts, Packet, Problem, ProblemCode, Role, Subprotocol};
use crate::payload::Span;
use record::{Record, Type};

const SEPARATOR: u8 = 0x1E;

/// One connection's `SignalR`.
#[derive(Debug, Default)]
pub(super) struct SignalR {
    /// Whether each peer has said its part of the handshake, by [`crate::Direction::index`].
    has_shaken: [bool; 2],
    pending: Pending<Asked>,
}

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Handshake,
    /// By who asked, and its invocation id.
    Invocation(bool, Box<str>),
}

impl Dissector for SignalR {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let mut at = 0;
        // The answer to the handshake and the first invocations may share a message.
        while at < message.data.len() {
            let rest = message.data.get(at..).unwrap_or_default();
            let is_json = message.is_text() || !self.has_shaken_of(message);
            let (record, len) = match if is_json { json_record(rest) } else { packed_record(rest) }
            {
                Ok(found) => found,
                Err(_) if !message.is_whole() => {
                    let mut packet = Packet::new(Subprotocol::SignalR, "cut", Role::Unknown);
                    packet.say("a record of which only the beginning was kept");
                    out.push(packet);
                    return;
                }
                Err((code, detail)) => {
                    let problem = Problem { code, at: Some(at), detail: detail.to_owned() };
                    out.push(Packet::unreadable(Subprotocol::SignalR, problem));
                    return;
                }
            };
            let begin = at.saturating_add(record.start);
            let octets = record.of(rest);
            let document = if is_json {
                Document::json(octets, Some(begin), true)
            } else {
                Document::message_pack(octets, Some(begin), true)
            };
            out.push(self.record(&document, begin, message));
            at = at.saturating_add(len.max(1));
        }
    }
}

/// Where a record lies, and how many octets it takes with what surrounds it.
type Found = Result<(Span, usize), (ProblemCode, &'static str)>;

fn json_record(rest: &[u8]) -> Found {
    match memchr(SEPARATOR, rest) {
        Some(len) => Ok((Span::at(0, len), len.saturating_add(1))),
        None => Err((ProblemCode::Truncated, "a record ends in the octet 1E")),
    }
}

/// A length in groups of seven bits, lowest first, at most five of them, and so many octets.
fn packed_record(rest: &[u8]) -> Found {
    let mut len = 0_u64;
    for (place, octet) in (0_u32..).zip(rest.iter().take(5)) {
        len |= u64::from(octet & 0x7F) << (7_u32.saturating_mul(place));
        if octet & 0x80 == 0 {
            let span = Span::at(
                (place as usize).saturating_add(1),
                usize::try_from(len).unwrap_or(usize::MAX),
            );
            return if span.end <= rest.len() {
                Ok((span, span.end))
            } else {
                Err((ProblemCode::Truncated, "the message ends inside of a record"))
            };
        }
    }
    Err((ProblemCode::Malformed, "the length of a record has at most five octets"))
}

impl SignalR {
    fn has_shaken_of(&mut self, message: &MessageFacts<'_>) -> bool {
        let [up, down] = &self.has_shaken;
        if message.is_from_client() { *up } else { *down }
    }

    fn record(&mut self, document: &Document, at: usize, message: &MessageFacts<'_>) -> Packet {
        let root = document.root();
        let is_handshake = !self.has_shaken_of(message)
            && root.is_some_and(|root| root.is_object() && root.get("type").is_none());
        let mut packet = match (is_handshake, Record::read(root)) {
            (true, _) => self.handshake(document, message),
            (false, Some(record)) => self.hub_message(&record, message),
            (false, None) => {
                let mut packet = Packet::new(Subprotocol::SignalR, "unknown", Role::Unknown);
                packet.problem(ProblemCode::MissingField, Some(at), "a message must have a type");
                packet
            }
        };
        packet.problems.extend(document.problem());
        if let Some(root) = root.filter(|root| root.is_object()) {
            root.add_members(&mut packet, 0);
        }
        packet
    }

    fn handshake(&mut self, document: &Document, message: &MessageFacts<'_>) -> Packet {
        let [up, down] = &mut self.has_shaken;
        *(if message.is_from_client() { up } else { down }) = true;
        let root = document.root();
        let get = |name| root.and_then(|root: Item<'_>| root.get(name));
        if message.is_from_client() {
            let mut packet = Packet::new(Subprotocol::SignalR, "handshake", Role::Request);
            match get("protocol") {
                Some(protocol) => {
                    packet.say(&protocol.plain());
                }
                None => document.missing(&mut packet, "the handshake must name a protocol"),
            }
            if let Some(version) = get("version") {
                packet.say(&format!("version {}", version.preview()));
            }
            self.pending.ask(Asked::Handshake, message, &packet.summary);
            return packet;
        }
        let mut packet = Packet::new(Subprotocol::SignalR, "handshake answer", Role::Response);
        match get("error") {
            Some(error) => packet.say(&format!("error {}", quoted(&error.plain()))),
            None => packet.say("accepted"),
        };
        packet.answering(self.pending.answer(&Asked::Handshake, message));
        packet
    }

    fn hub_message(&mut self, record: &Record<'_>, message: &MessageFacts<'_>) -> Packet {
        let Some(kind) = record.kind else {
            let mut packet = Packet::new(Subprotocol::SignalR, "unknown", Role::Unknown);
            let shown = record.type_item.preview();
            packet.say(&format!("type {shown}"));
            let detail = format!("there is no message type {shown}");
            packet.problem(ProblemCode::UnknownKind, record.type_item.offset(), detail);
            return packet;
        };
        let mut packet =
            Packet::new(Subprotocol::SignalR, kind.name(), kind.role(record.id.is_some()));
        if !self.has_shaken_of(message) {
            let detail = format!("{} before the handshake", kind.name());
            packet.problem(ProblemCode::OutOfOrder, record.type_item.offset(), detail);
        }
        packet.id = record.id.map(Item::plain);
        for (name, item) in &record.parts {
            item.add_to(&mut packet, name);
        }
        match kind {
            Type::Invocation | Type::StreamInvocation => {
                self.invoke(record, kind, message, &mut packet);
            }
            Type::StreamItem => self.answer(record, true, message, &mut packet),
            Type::Completion => self.answer(record, false, message, &mut packet),
            Type::CancelInvocation => {
                packet.say(&packet.id.clone().unwrap_or_default());
            }
            Type::Close => {
                if let Some(error) = record.error {
                    packet.say(&format!("error {}", quoted(&error.plain())));
                }
            }
            Type::Ack | Type::Sequence => {
                packet.say(&record.sequence.map(Item::preview).unwrap_or_default());
            }
            Type::Ping => {}
        }
        packet
    }

    fn invoke(
        &mut self,
        record: &Record<'_>,
        kind: Type,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        let target = record.target.map(Item::plain);
        match &target {
            Some(target) => packet.say(&cut(target, 100)),
            None => packet.problem(
                ProblemCode::MissingField,
                record.type_item.offset(),
                "an invocation must have a target",
            ),
        };
        if let Some(arguments) = record.arguments {
            let count = arguments.len() as u64;
            packet.say(&crate::present::counted(count, "arg", "args"));
            for (place, argument) in arguments.children().enumerate().take(super::MAX_FIELDS) {
                argument.add_at(packet, 1, &place.to_string());
            }
        }
        let Some(id) = packet.id.clone() else {
            if kind == Type::StreamInvocation {
                let detail = "a stream invocation must have an invocationId";
                packet.problem(ProblemCode::MissingField, record.type_item.offset(), detail);
            }
            return;
        };
        packet.also(&format!("id {}", cut(&id, 60)));
        let key = Asked::Invocation(message.is_from_client(), id_key(&id));
        if self.pending.ask(key, message, &target.unwrap_or_default()) {
            let detail = format!("invocation {} still waits for its completion", cut(&id, 60));
            packet.problem(ProblemCode::RepeatedId, record.type_item.offset(), detail);
        }
    }

    fn answer(
        &mut self,
        record: &Record<'_>,
        goes_on: bool,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        let Some(id) = packet.id.clone() else {
            let detail = format!("{} must have an invocationId", packet.kind);
            packet.problem(ProblemCode::MissingField, record.type_item.offset(), detail);
            return;
        };
        packet.say(&cut(&id, 60));
        let key = Asked::Invocation(!message.is_from_client(), id_key(&id));
        let answer = if goes_on {
            self.pending.answer_in_part(&key, message)
        } else {
            self.pending.answer(&key, message)
        };
        match &answer {
            Some(answer) => packet.say(&format!("to {}", answer.what)),
            // Items and the completion of a stream that the client uploads bear ids of their own.
            None if message.is_from_client() => packet,
            None => {
                let detail = format!("no invocation has the id {}", cut(&id, 60));
                packet.problem(ProblemCode::UnknownId, record.type_item.offset(), detail)
            }
        };
        packet.answering(answer);
        match (record.error, record.result) {
            (Some(error), _) => packet.also(&format!("error {}", quoted(&error.plain()))),
            (None, Some(result)) => packet.also(&result.preview()),
            (None, None) => packet,
        };
        if let Some(outcome) = record.outcome {
            packet.field("result kind", FieldForm::Meaning, outcome, None);
        }
    }
}

/// Whether a text is the handshake of a client.
pub(super) fn recognise(text: &str) -> Option<&'static str> {
    let (record, _) = text.split_once('\u{1e}')?;
    let document = Document::json(record.as_bytes(), Some(0), true);
    let root = document.root()?;
    let names = root.text_of("protocol").is_some() && root.get("version").is_some();
    names.then_some("the first record is a SignalR handshake")
}

#[cfg(test)]
mod tests;
