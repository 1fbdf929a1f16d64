//! Socket.IO, protocol revisions 4 and 5, in Engine.IO messages.
//!
//! ```text
//!  4 2 /chat, 7 ["message",{"text":"hi"}]
//!  │ │   │    │  └ arguments; the first one names the event
//!  │ │   │    └ number of the acknowledgement that is asked for, or given
//!  │ │   └ namespace, where it is not /
//!  │ └ type: 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR, 5 BINARY_EVENT, 6 BINARY_ACK
//!  └ an Engine.IO message
//! ```
//!
//! Types 5 and 6 tell how many binary messages follow them (`51-["upload",{"_placeholder":true,"num":0}]`).
//! Rooms are kept by the server and do not cross the wire; an event that asks for one, as most
//! applications have it, is told as such.

use super::conversation::Dissector;
use super::dissection::{Answer, Packets, cut, quoted};
use super::document::{Document, Item};
use super::engine_io::EngineIo;
use super::pending::{Pending, id_key};
use super::{FieldForm, MessageFacts, Opening, Packet, ProblemCode, Role, Subprotocol};
use crate::payload::Span;
use crate::present::{counted, octets};

/// One connection's Socket.IO.
#[derive(Debug)]
pub(super) struct SocketIo {
    transport: EngineIo,
    pending: Pending<Asked>,
    /// By [`crate::Direction::index`]: the packet whose attachments are to come.
    joining: [Option<Joining>; 2],
}

/// What waits for an answer: who asked, in which namespace, and the number of the acknowledgement;
/// none for CONNECT.
type Asked = (bool, Box<str>, Option<u64>);

/// A packet whose attachments are to come.
#[derive(Debug)]
struct Joining {
    /// Its summary without what is said of attachments.
    summary: String,
    /// Ordinal of its message.
    message: u64,
    role: Role,
    answers: Option<Answer>,
    expected: u64,
    received: u64,
    octets: u64,
}

impl SocketIo {
    pub(super) fn new(opening: &Opening<'_>) -> Self {
        Self {
            transport: EngineIo::new(opening),
            pending: Pending::default(),
            joining: [None, None],
        }
    }

    fn joining_of(&mut self, message: &MessageFacts<'_>) -> &mut Option<Joining> {
        let [up, down] = &mut self.joining;
        if message.is_from_client() { up } else { down }
    }
}

impl Dissector for SocketIo {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        match self.transport.read(message) {
            Err(packet) => out.push(*packet),
            Ok(carried) if carried.is_binary => out.push(self.attachment(carried.span, message)),
            Ok(carried) => {
                if let Some(joining) = self.joining_of(message).take() {
                    out.push(joining.cut_short());
                }
                out.push(self.packet(carried.span, message));
            }
        }
    }
}

/// The head of a packet, before its JSON.
struct Head<'a> {
    kind: u8,
    attachments: Option<u64>,
    namespace: &'a str,
    namespace_span: Option<Span>,
    id: Option<u64>,
    id_span: Option<Span>,
    /// Where the JSON begins.
    end: usize,
}

impl<'a> Head<'a> {
    /// Reads the octets of `text` from `start` on.
    fn read(text: &'a str, start: usize) -> Option<Self> {
        let kind = *text.as_bytes().get(start)?;
        let mut at = start.saturating_add(1);
        let digits = |at: usize| {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            rest.iter().take_while(|octet| octet.is_ascii_digit()).count()
        };
        let mut attachments = None;
        if matches!(kind, b'5' | b'6') {
            let end = at.saturating_add(digits(at));
            if text.as_bytes().get(end) == Some(&b'-') {
                attachments = text.get(at..end).and_then(|digits| digits.parse().ok());
                at = end.saturating_add(1);
            }
        }
        let (mut namespace, mut namespace_span) = ("/", None);
        if text.as_bytes().get(at) == Some(&b'/') {
            let rest = text.get(at..)?;
            let len = rest.find(',').unwrap_or(rest.len());
            namespace = rest.get(..len)?;
            namespace_span = Some(Span::at(at, len));
            at = at.saturating_add(len).saturating_add(usize::from(len < rest.len()));
        }
        let end = at.saturating_add(digits(at));
        let id = text.get(at..end).and_then(|digits| digits.parse().ok());
        let id_span = id.map(|_| Span::new(at, end));
        Some(Self { kind, attachments, namespace, namespace_span, id, id_span, end })
    }
}

const TYPES: [&str; 7] =
    ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"];

impl SocketIo {
    fn packet(&mut self, span: Span, message: &MessageFacts<'_>) -> Packet {
        let text = message.text();
        let Some(head) = Head::read(text, span.start) else {
            let mut packet = Packet::new(Subprotocol::SocketIo, "empty", Role::Unknown);
            packet.problem(
                ProblemCode::Truncated,
                Some(span.start),
                "a packet begins with its type",
            );
            return packet;
        };
        let name = char::from(head.kind).to_digit(10).and_then(|kind| TYPES.get(kind as usize));
        let Some(name) = name else {
            let mut packet = Packet::new(Subprotocol::SocketIo, "unknown", Role::Unknown);
            let detail =
                format!("there is no packet type {}", quoted(&char::from(head.kind).to_string()));
            packet.problem(ProblemCode::UnknownKind, Some(span.start), detail);
            return packet;
        };
        let name = match *name {
            "CONNECT_ERROR" if self.transport.is_revision_3() => "ERROR",
            name => name,
        };
        let mut packet = Packet::new(Subprotocol::SocketIo, name, Role::Control);
        packet.field("packet type", FieldForm::Meaning, name, Some(Span::at(span.start, 1)));
        packet.field("namespace", FieldForm::Text, head.namespace, head.namespace_span);
        if let Some(id) = head.id {
            packet.id = Some(id.to_string());
            packet.field("acknowledgement", FieldForm::Number, &id.to_string(), head.id_span);
        }
        let json = message.data.get(head.end..).unwrap_or_default();
        let document =
            (!json.is_empty()).then(|| Document::json(json, Some(head.end), message.is_whole()));
        packet.problems.extend(document.as_ref().and_then(Document::problem));
        packet.say(&cut(head.namespace, 80));
        let root = document.as_ref().and_then(Document::root);
        match head.kind {
            b'0' => self.connect(&head, root, message, &mut packet),
            b'1' => {}
            b'2' | b'5' => self.event(&head, document.as_ref(), message, &mut packet),
            b'3' | b'6' => self.acknowledgement(&head, root, message, &mut packet),
            _ => self.connect_error(&head, root, message, &mut packet),
        }
        if matches!(head.kind, b'5' | b'6') {
            self.await_attachments(&head, message, &mut packet);
        }
        packet
    }

    /// Revision 5: the client asks for a namespace, and the server confirms with a sid. Revision 4: the
    /// server says so for `/` unasked.
    fn connect(
        &mut self,
        head: &Head<'_>,
        root: Option<Item<'_>>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        // Revision 4 puts a query behind the namespace that is asked for.
        let namespace = head.namespace.split('?').next().unwrap_or_default();
        let key = (true, id_key(namespace), None);
        if message.is_from_client() {
            packet.role = Role::Request;
            self.pending.ask(key, message, &packet.summary);
        } else {
            packet.role = Role::Response;
            packet.answering(self.pending.answer(&key, message));
        }
        if let Some(root) = root {
            if let Some(sid) = root.text_of("sid") {
                packet.say(&format!("session {}", quoted(sid)));
            } else if message.is_from_client() {
                packet.say("with data");
            }
            root.add_members(packet, 0);
        }
    }

    fn connect_error(
        &mut self,
        head: &Head<'_>,
        root: Option<Item<'_>>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        packet.role = Role::Response;
        packet.answering(self.pending.answer(&(true, id_key(head.namespace), None), message));
        let Some(root) = root else { return };
        if let Some(text) = root.text().or_else(|| root.text_of("message")) {
            packet.say(&quoted(text));
        }
        root.add_members(packet, 0);
    }

    fn event(
        &mut self,
        head: &Head<'_>,
        document: Option<&Document>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        packet.role = if head.id.is_some() { Role::Request } else { Role::Event };
        let Some(root) = document.and_then(Document::root).filter(|root| root.is_array()) else {
            let detail = "an event is an array of its name and its arguments";
            packet.problem(ProblemCode::InvalidValue, Some(head.end), detail);
            return;
        };
        let mut items = root.children();
        match items.next() {
            Some(name) if name.text().is_some() || name.number().is_some() => {
                packet.say(&quoted(&name.plain()));
                name.add_to(packet, "event");
            }
            _ => {
                let detail = "the first item of an event is its name";
                packet.problem(ProblemCode::InvalidValue, Some(head.end), detail);
            }
        }
        let count = root.len().saturating_sub(1);
        packet.say(&counted(count as u64, "arg", "args"));
        let name = root.children().next().and_then(Item::text).unwrap_or_default();
        for (place, argument) in items.enumerate().take(super::MAX_FIELDS) {
            argument.add_to(packet, &format!("argument {place}"));
        }
        if let Some(room) = room(name, root) {
            packet.also(&format!("room {}", quoted(room)));
            packet.field("room", FieldForm::Meaning, room, None);
        }
        if let Some(id) = head.id {
            packet.also(&format!("ack {id}"));
            let key = (message.is_from_client(), id_key(head.namespace), Some(id));
            if self.pending.ask(key, message, &packet.summary) {
                let detail = format!("acknowledgement {id} is asked for again");
                packet.problem(
                    ProblemCode::RepeatedId,
                    head.id_span.map(|span| span.start),
                    detail,
                );
            }
        }
    }

    fn acknowledgement(
        &mut self,
        head: &Head<'_>,
        root: Option<Item<'_>>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        packet.role = Role::Response;
        let Some(id) = head.id else {
            let detail = "an acknowledgement must tell its number";
            packet.problem(ProblemCode::MissingField, Some(head.end), detail);
            return;
        };
        packet.say(&id.to_string());
        let key = (!message.is_from_client(), id_key(head.namespace), Some(id));
        let answer = self.pending.answer(&key, message);
        if answer.is_none() {
            let detail = format!("nothing asked for acknowledgement {id}");
            packet.problem(ProblemCode::UnknownId, head.id_span.map(|span| span.start), detail);
        }
        packet.answering(answer);
        let Some(root) = root else { return };
        packet.also(&counted(root.len() as u64, "arg", "args"));
        for (place, argument) in root.children().enumerate().take(super::MAX_FIELDS) {
            argument.add_to(packet, &format!("argument {place}"));
        }
    }

    fn await_attachments(
        &mut self,
        head: &Head<'_>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        let Some(expected) = head.attachments else {
            let detail = format!("{} must tell how many attachments follow", packet.kind);
            packet.problem(ProblemCode::MissingField, Some(head.end), detail);
            return;
        };
        packet.field("attachments", FieldForm::Number, &expected.to_string(), None);
        if expected == 0 {
            return;
        }
        let joining = Joining {
            summary: packet.summary.clone(),
            message: message.index,
            role: packet.role,
            answers: packet.answers.clone(),
            expected,
            received: 0,
            octets: 0,
        };
        packet.also(&format!("{} to come", counted(expected, "attachment", "attachments")));
        *self.joining_of(message) = Some(joining);
    }

    fn attachment(&mut self, span: Span, message: &MessageFacts<'_>) -> Packet {
        let mut packet = Packet::new(Subprotocol::SocketIo, "attachment", Role::Event);
        let len = (span.len() as u64).saturating_add(message.missing());
        let Some(joining) = self.joining_of(message) else {
            packet.say(&octets(len));
            packet.problem(ProblemCode::OutOfOrder, Some(0), "no packet waits for an attachment");
            packet.octets("data", span.len(), Some(span));
            return packet;
        };
        joining.received = joining.received.saturating_add(1);
        joining.octets = joining.octets.saturating_add(len);
        let (received, expected) = (joining.received, joining.expected);
        packet.say(&format!("{received} of {expected}, {}", octets(len)));
        packet.octets("data", span.len(), Some(span));
        let began = joining.message.to_string();
        packet.field("belongs to message", FieldForm::Number, &began, None);
        packet.field("packet", FieldForm::Meaning, &joining.summary, None);
        if received == expected {
            packet.also(&format!("completes {}", joining.summary));
            packet.role = joining.role;
            packet.answers = joining.answers.take();
            packet.field(
                "octets of all attachments",
                FieldForm::Number,
                &joining.octets.to_string(),
                None,
            );
            *self.joining_of(message) = None;
        }
        packet
    }
}

impl Joining {
    /// A text packet came before all attachments did.
    fn cut_short(self) -> Packet {
        let mut packet = Packet::new(Subprotocol::SocketIo, "unfinished", Role::Unknown);
        let missing = self.expected.saturating_sub(self.received);
        packet.say(&self.summary);
        let detail = format!(
            "{} of the packet in message {} did not come",
            counted(missing, "attachment", "attachments"),
            self.message
        );
        packet.problem(ProblemCode::OutOfOrder, None, detail);
        packet
    }
}

/// The room that an event asks to join or to leave, as most applications name such events.
fn room<'d>(event: &str, arguments: Item<'d>) -> Option<&'d str> {
    let event = event.to_ascii_lowercase();
    let asks = ["join", "leave", "subscribe", "unsubscribe", "enter"];
    if !asks.iter().any(|word| event.starts_with(word)) {
        return None;
    }
    let argument = arguments.children().nth(1)?;
    argument
        .text()
        .or_else(|| ["room", "roomId", "channel"].iter().find_map(|name| argument.text_of(name)))
}

#[cfg(test)]
mod tests;
