//! WAMP version 2: arrays that begin with a type number, in JSON, MessagePack or CBOR.
//!
//! ```text
//!  [48, 7814135, {}, "com.myapp.add2", [23, 7]]     CALL
//!  [50, 7814135, {}, [30]]                          RESULT
//! ```
//!
//! `wamp.2.json.batched` ends each message with the octet 18; the other batched forms put a length of
//! four octets before each.

mod kind;

use std::collections::HashMap;

use memchr::memchr;

use super::conversation::Dissector;
use super::dissection::{Packets, cut};
use super::document::{Document, Item};
use super::json_rpc::params_text;
use super::pending::{Pending, id_key};
use super::{
    FieldForm, MAX_PENDING, MessageFacts, Opening, Packet, Problem, ProblemCode, Role, Subprotocol,
};
use crate::payload::Span;
use crate::present::counted;
use kind::{Kind, Sender};

/// One connection's WAMP.
#[derive(Debug)]
pub(super) struct Wamp {
    serializer: Serializer,
    is_batched: bool,
    pending: Pending<Asked>,
    /// Topics by subscription, procedures by registration.
    names: HashMap<(bool, Box<str>), Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Serializer {
    Json,
    MessagePack,
    Cbor,
}

/// What waits for an answer: who asked, the type of the request, its id.
type Asked = (bool, u64, Box<str>);

const JSON_END: u8 = 0x18;

impl Wamp {
    /// Takes the serializer from the sub-protocol; without one, text is JSON and binary MessagePack.
    pub(super) fn new(opening: &Opening<'_>) -> Self {
        let token = opening.agreed.or(opening.offered.first().copied()).unwrap_or_default();
        let serializer = match token.to_ascii_lowercase() {
            token if token.contains("cbor") => Serializer::Cbor,
            token if token.contains("json") => Serializer::Json,
            _ => Serializer::MessagePack,
        };
        Self {
            serializer,
            is_batched: token.ends_with(".batched"),
            pending: Pending::default(),
            names: HashMap::new(),
        }
    }

    /// The next message of a batch: its octets, and how many it takes with what surrounds it.
    fn next_of_batch(&self, rest: &[u8], is_text: bool) -> Option<(Span, usize)> {
        if !self.is_batched {
            return Some((Span::at(0, rest.len()), rest.len()));
        }
        if is_text {
            let len = memchr(JSON_END, rest).unwrap_or(rest.len());
            return Some((Span::at(0, len), len.saturating_add(1)));
        }
        let len = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
        let span = Span::at(4, usize::try_from(len).ok()?);
        (span.end <= rest.len()).then_some((span, span.end))
    }
}

impl Dissector for Wamp {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let is_text = message.is_text();
        if is_text != (self.serializer == Serializer::Json)
            && self.serializer != Serializer::MessagePack
        {
            let detail =
                "the serializer that was agreed on goes in the other kind of message".to_owned();
            let problem = Problem { code: ProblemCode::WrongOpcode, at: None, detail };
            out.push(Packet::unreadable(Subprotocol::Wamp, problem));
        }
        let mut at = 0;
        while at < message.data.len() {
            let rest = message.data.get(at..).unwrap_or_default();
            let Some((span, len)) = self.next_of_batch(rest, is_text) else {
                let problem = Problem {
                    code: ProblemCode::Truncated,
                    at: Some(at),
                    detail: "the batch ends inside of a message".to_owned(),
                };
                out.push(Packet::unreadable(Subprotocol::Wamp, problem));
                return;
            };
            let octets = span.of(rest);
            let base = Some(at.saturating_add(span.start));
            let is_whole = message.is_whole();
            let document = match (is_text, self.serializer) {
                (true, _) => Document::json(octets, base, is_whole),
                (false, Serializer::Cbor) => Document::cbor(octets, base, is_whole),
                (false, _) => Document::message_pack(octets, base, is_whole),
            };
            out.push(self.one(&document, message));
            at = at.saturating_add(len.max(1));
        }
    }
}

impl Wamp {
    fn one(&mut self, document: &Document, message: &MessageFacts<'_>) -> Packet {
        let items: Vec<_> = match document.root() {
            Some(root) if root.is_array() => root.children().take(16).collect(),
            _ => Vec::new(),
        };
        let (Some(code), Some(root)) = (items.first().copied(), document.root()) else {
            let problem = document.problem().unwrap_or_else(|| Problem {
                code: ProblemCode::InvalidValue,
                at: Some(0),
                detail: "a message is an array that begins with its type".to_owned(),
            });
            return Packet::unreadable(Subprotocol::Wamp, problem);
        };
        let Some(kind) = code.integer().and_then(Kind::of) else {
            let mut packet = Packet::new(Subprotocol::Wamp, "unknown", Role::Unknown);
            let detail = format!("there is no message type {}", code.preview());
            packet.problem(ProblemCode::UnknownKind, code.offset(), detail);
            return packet;
        };
        let mut packet = Packet::new(Subprotocol::Wamp, kind.name, kind.role());
        packet.problems.extend(document.problem());
        packet.field("type", FieldForm::Meaning, kind.name, code.span());
        let is_due = match kind.sender {
            Sender::Both => true,
            Sender::Client => message.is_from_client(),
            Sender::Router => !message.is_from_client(),
        };
        if !is_due {
            let detail =
                format!("{} is not for the {} to send", kind.name, message.direction.sender());
            packet.problem(ProblemCode::WrongDirection, code.offset(), detail);
        }
        let parts = Parts { kind, items: &items };
        for (name, item) in parts.iter() {
            item.add_to(&mut packet, name);
        }
        if root.len().saturating_sub(1) < kind.required() {
            let missing = kind.parts.get(root.len().saturating_sub(1)).copied().unwrap_or_default();
            document.missing(&mut packet, &format!("{} must have: {missing}", kind.name));
        }
        if root.len().saturating_sub(1) > kind.parts.len().saturating_add(1) {
            let detail = format!(
                "{} has {} too many",
                kind.name,
                counted(
                    root.len().saturating_sub(kind.parts.len()).saturating_sub(1) as u64,
                    "part",
                    "parts",
                )
            );
            packet.problem(ProblemCode::TrailingOctets, root.offset(), detail);
        }
        self.summarise(&parts, message, &mut packet);
        packet
    }

    fn summarise(
        &mut self,
        parts: &Parts<'_, '_>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        let request = parts.get("request").and_then(Item::id);
        for name in ["realm", "session", "topic", "procedure", "error", "reason", "authmethod"] {
            if let Some(item) = parts.get(name) {
                packet.say(&item.plain());
            }
        }
        let name = self.name_of(parts, packet);
        if let Some(arguments) = parts.get("arguments").filter(|found| found.is_array()) {
            packet.also(&counted(arguments.len() as u64, "arg", "args"));
        }
        if let Some(arguments) = parts.get("keyword arguments").filter(|found| found.len() > 0) {
            packet.also(&params_text(arguments));
        }
        packet.id.clone_from(&request);
        if let Some(id) = &request {
            packet.also(&format!("request {id}"));
        }
        let what = ["topic", "procedure", "realm"].iter().find_map(|name| parts.get(name));
        let what = what.map(Item::plain).or(name).unwrap_or_default();
        self.matched(parts, request.as_deref().unwrap_or_default(), &what, message, packet);
    }

    /// The topic of a subscription, the procedure of a registration.
    fn name_of(&self, parts: &Parts<'_, '_>, packet: &mut Packet) -> Option<String> {
        let mut found = None;
        for (is_topic, part) in [(true, "subscription"), (false, "registration")] {
            let id = parts.get(part).and_then(Item::id);
            let Some(id) = id.filter(|_| !parts.kind.name.ends_with("ED")) else { continue };
            if let Some(name) = self.names.get(&(is_topic, id_key(&id))) {
                packet.say(name);
                found = Some(name.to_string());
                packet.field(
                    if is_topic { "topic" } else { "procedure" },
                    FieldForm::Meaning,
                    name,
                    None,
                );
            } else {
                packet.say(&format!("{part} {id}"));
                let detail = format!("no {part} has the id {id}");
                packet.problem(ProblemCode::UnknownId, None, detail);
            }
        }
        found
    }

    fn matched(
        &mut self,
        parts: &Parts<'_, '_>,
        request: &str,
        what: &str,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        let kind = parts.kind;
        let by_client = message.is_from_client();
        let is_wanted = match kind.name {
            "PUBLISH" => {
                let options = parts.get("options");
                options.and_then(|options| options.get("acknowledge")).is_some_and(Item::is_true)
            }
            _ => kind.role() == Role::Request,
        };
        if is_wanted {
            packet.role = Role::Request;
            if self.pending.ask((by_client, kind.code, id_key(request)), message, what) {
                let detail = format!("request {request} still waits for its answer");
                packet.problem(ProblemCode::RepeatedId, None, detail);
            }
            return;
        }
        let asked = match kind.name {
            "ERROR" => parts.get("request type").and_then(Item::integer),
            "ABORT" if !by_client => Some(kind::HELLO),
            _ => kind.answers,
        };
        let Some(asked) = asked else { return };
        let key = (!by_client, asked, id_key(request));
        let is_progress =
            [parts.get("details"), parts.get("options")].into_iter().flatten().any(|dict| {
                dict.get("progress").is_some_and(Item::is_true)
                    && matches!(kind.name, "RESULT" | "YIELD")
            });
        let answer = if is_progress {
            self.pending.answer_in_part(&key, message)
        } else {
            self.pending.answer(&key, message)
        };
        if is_progress {
            packet.role = Role::StreamItem;
            packet.also("more to come");
        }
        match &answer {
            Some(answer) if kind.name != "WELCOME" => {
                if !answer.what.is_empty() {
                    packet.say(&format!("to {}", answer.what));
                }
                self.remember(parts, &answer.what);
            }
            Some(_) => {}
            None if kind.name == "ABORT" => {}
            None => {
                let detail = format!("no request {request} waits for it");
                packet.problem(ProblemCode::UnknownId, None, detail);
            }
        }
        packet.answering(answer);
    }

    fn remember(&mut self, parts: &Parts<'_, '_>, name: &str) {
        for (is_topic, kind, part) in
            [(true, "SUBSCRIBED", "subscription"), (false, "REGISTERED", "registration")]
        {
            let id = parts.get(part).and_then(Item::id).filter(|_| parts.kind.name == kind);
            if let Some(id) = id
                && self.names.len() < MAX_PENDING
            {
                self.names.insert((is_topic, id_key(&id)), cut(name, 200).into());
            }
        }
    }
}

/// The parts of a message by what its type calls them.
struct Parts<'i, 'd> {
    kind: &'static Kind,
    /// The type counted in.
    items: &'i [Item<'d>],
}

impl<'d> Parts<'_, 'd> {
    fn iter(&self) -> impl Iterator<Item = (&'static str, Item<'d>)> {
        self.kind.parts.iter().copied().zip(self.items.iter().skip(1).copied())
    }

    fn get(&self, name: &str) -> Option<Item<'d>> {
        self.iter().find(|(of, _)| *of == name).map(|(_, item)| item)
    }
}

#[cfg(test)]
mod tests;
