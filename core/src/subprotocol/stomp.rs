//! STOMP 1.0, 1.1 and 1.2: frames of a command, headers and a body, in text or binary messages.
//!
//! ```text
//!  SEND␊
//!  destination:/queue/a␊
//!  content-type:text/plain␊
//!  ␊
//!  hello␀
//! ```

mod frame;

use std::collections::HashMap;

use super::conversation::Dissector;
use super::dissection::{Answer, Packets, cut, quoted};
use super::pending::{Pending, id_key};
use super::{
    FieldForm, MAX_HELD, MAX_PENDING, MessageFacts, Packet, ProblemCode, Role, Subprotocol,
};
use crate::present::{counted, octets};
use frame::{Frame, Read};

/// One connection's STOMP.
#[derive(Debug, Default)]
pub(super) struct Stomp {
    version: Version,
    is_connected: bool,
    /// By [`crate::Direction::index`]: the beginning of a frame that goes on in the next message.
    held: [Vec<u8>; 2],
    pending: Pending<Asked>,
    /// Destinations by subscription.
    subscriptions: HashMap<Box<str>, Box<str>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    #[default]
    V10,
    V11,
    V12,
}

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    /// CONNECT, for CONNECTED.
    Connect,
    /// A frame with a `receipt`, for RECEIPT.
    Receipt(Box<str>),
    /// MESSAGE with an `ack` or `message-id`, for ACK or NACK.
    Acknowledgement(Box<str>),
}

/// Who sends a command, and the headers that it must have in each version.
struct Command {
    name: &'static str,
    is_of_client: bool,
    may_have_body: bool,
    required: [&'static [&'static str]; 3],
}

const fn command(
    name: &'static str,
    is_of_client: bool,
    may_have_body: bool,
    required: [&'static [&'static str]; 3],
) -> Command {
    Command { name, is_of_client, may_have_body, required }
}

const COMMANDS: [Command; 15] = [
    command("CONNECT", true, false, [&[], &[], &[]]),
    command("STOMP", true, false, [&[], &["accept-version", "host"], &["accept-version", "host"]]),
    command("SEND", true, true, [&["destination"]; 3]),
    command(
        "SUBSCRIBE",
        true,
        false,
        [&["destination"], &["destination", "id"], &["destination", "id"]],
    ),
    command("UNSUBSCRIBE", true, false, [&[], &["id"], &["id"]]),
    command("BEGIN", true, false, [&["transaction"]; 3]),
    command("COMMIT", true, false, [&["transaction"]; 3]),
    command("ABORT", true, false, [&["transaction"]; 3]),
    command("ACK", true, false, [&["message-id"], &["message-id", "subscription"], &["id"]]),
    command("NACK", true, false, [&[], &["message-id", "subscription"], &["id"]]),
    command("DISCONNECT", true, false, [&[], &[], &[]]),
    command("CONNECTED", false, false, [&[], &["version"], &["version"]]),
    command(
        "MESSAGE",
        false,
        true,
        [
            &["destination", "message-id"],
            &["destination", "message-id", "subscription"],
            &["destination", "message-id", "subscription"],
        ],
    ),
    command("RECEIPT", false, false, [&["receipt-id"]; 3]),
    command("ERROR", false, true, [&[], &[], &[]]),
];

/// Whether a text is a frame that opens a STOMP conversation.
pub(super) fn recognise(text: &str) -> Option<&'static str> {
    let (line, rest) = text.trim_start_matches(['\r', '\n']).split_once('\n')?;
    let opens = matches!(line.trim_end_matches('\r'), "CONNECT" | "STOMP" | "CONNECTED");
    let has_headers = rest.starts_with(['\n', '\r']) || rest.lines().next()?.contains(':');
    (opens && has_headers).then_some("the first frame is a STOMP CONNECT")
}

impl Dissector for Stomp {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let mut held = std::mem::take(self.held_of(message));
        if !held.is_empty() && begins_anew(message.data) {
            let mut packet = Packet::new(Subprotocol::Stomp, "unfinished", Role::Unknown);
            packet.say(&format!("a frame of {} was never ended", octets(held.len() as u64)));
            packet.problem(ProblemCode::Truncated, None, "a frame ends in a NUL octet");
            out.push(packet);
            held.clear();
        }
        let carried = held.len();
        let data = if carried == 0 {
            message.data
        } else {
            held.extend_from_slice(message.data);
            &held
        };
        let mut at = 0;
        loop {
            match Frame::read(data, at, carried, self.version >= Version::V12) {
                Read::Nothing => break,
                Read::HeartBeat { end } => {
                    out.push(Packet::new(Subprotocol::Stomp, "heart-beat", Role::KeepAlive));
                    at = end;
                }
                Read::Frame { frame, end } => {
                    at = end;
                    out.push(self.frame(&frame, message));
                }
                Read::Unfinished { frame, start } => {
                    let rest = data.get(start..).unwrap_or_default().to_vec();
                    out.push(unfinished(&frame, rest.len(), message));
                    if rest.len() <= MAX_HELD && message.is_whole() {
                        *self.held_of(message) = rest;
                    }
                    break;
                }
            }
        }
    }
}

/// Whether octets begin with a command, as those of a frame that goes on hardly do.
fn begins_anew(data: &[u8]) -> bool {
    COMMANDS.iter().any(|command| {
        let rest = data.strip_prefix(command.name.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r\n"))
    })
}

fn unfinished(frame: &Frame, so_far: usize, message: &MessageFacts<'_>) -> Packet {
    let mut packet = Packet::new(Subprotocol::Stomp, frame.command.clone(), Role::Unknown);
    packet.say(&cut(frame.header("destination").unwrap_or_default(), 100));
    if message.is_whole() {
        packet.also(&format!("{} so far, goes on in the next message", octets(so_far as u64)));
    } else {
        packet.also(&format!("only {} were kept", octets(so_far as u64)));
    }
    if so_far > MAX_HELD {
        let detail = format!("only {} of an unfinished frame are kept", octets(MAX_HELD as u64));
        packet.problem(ProblemCode::OverLimit, None, detail);
    }
    packet
}

impl Stomp {
    fn held_of(&mut self, message: &MessageFacts<'_>) -> &mut Vec<u8> {
        let [up, down] = &mut self.held;
        if message.is_from_client() { up } else { down }
    }

    fn frame(&mut self, frame: &Frame, message: &MessageFacts<'_>) -> Packet {
        let role = if frame.header("receipt").is_some() { Role::Request } else { Role::Event };
        let mut packet = Packet::new(Subprotocol::Stomp, frame.command.clone(), role);
        packet.problems.clone_from(&frame.problems);
        self.check(frame, message, &mut packet);
        match frame.command.as_str() {
            "CONNECT" | "STOMP" => self.connect(frame, message, &mut packet),
            "CONNECTED" => self.connected(frame, message, &mut packet),
            "SUBSCRIBE" => self.subscribe(frame, &mut packet),
            "UNSUBSCRIBE" => self.unsubscribe(frame, &mut packet),
            "MESSAGE" => self.message(frame, message, &mut packet),
            "SEND" => {
                packet.say(frame.header("destination").unwrap_or_default());
                say_body(frame, &mut packet);
            }
            "ACK" | "NACK" => self.acknowledge(frame, message, &mut packet),
            "BEGIN" | "COMMIT" | "ABORT" => {
                packet.say(frame.header("transaction").unwrap_or_default());
            }
            "RECEIPT" => self.receipt(frame, message, &mut packet),
            "ERROR" => self.error(frame, message, &mut packet),
            "DISCONNECT" => packet.role = Role::Control,
            _ => packet.role = Role::Unknown,
        }
        if message.is_from_client()
            && let Some(receipt) = frame.header("receipt")
        {
            packet.also(&format!("receipt {}", cut(receipt, 60)));
            packet.id.get_or_insert_with(|| receipt.to_owned());
            if self.pending.ask(Asked::Receipt(id_key(receipt)), message, &packet.summary) {
                let detail = format!("receipt {} is asked for again", quoted(receipt));
                packet.problem(ProblemCode::RepeatedId, None, detail);
            }
        }
        frame.add_fields(&mut packet);
        packet
    }

    /// The command, who sends it, when, and what it must have.
    fn check(&self, frame: &Frame, message: &MessageFacts<'_>, packet: &mut Packet) {
        let Some(command) = COMMANDS.iter().find(|known| known.name == frame.command) else {
            let detail = format!("there is no command {}", quoted(&frame.command));
            packet.problem(ProblemCode::UnknownKind, frame.at, detail);
            return;
        };
        if command.is_of_client != message.is_from_client() {
            let detail = format!("{} is not for the {} to send", command.name, sender(message));
            packet.problem(ProblemCode::WrongDirection, frame.at, detail);
        }
        let opens = matches!(command.name, "CONNECT" | "STOMP" | "CONNECTED" | "ERROR");
        if !opens && !self.is_connected {
            let detail = format!("{} before CONNECTED", command.name);
            packet.problem(ProblemCode::OutOfOrder, frame.at, detail);
        }
        let required = match self.version {
            Version::V10 => command.required[0],
            Version::V11 => command.required[1],
            Version::V12 => command.required[2],
        };
        for header in required {
            if frame.header(header).is_none() {
                let detail = format!("{} must have the header {header}", command.name);
                packet.problem(ProblemCode::MissingField, frame.at, detail);
            }
        }
        if !command.may_have_body && frame.body_len > 0 {
            let detail = format!("{} must not have a body", command.name);
            packet.problem(ProblemCode::TrailingOctets, frame.body.map(|span| span.start), detail);
        }
    }

    fn connect(&mut self, frame: &Frame, message: &MessageFacts<'_>, packet: &mut Packet) {
        packet.role = Role::Request;
        if let Some(versions) = frame.header("accept-version") {
            packet.say(&format!("versions {}", cut(versions, 40)));
        }
        if let Some(host) = frame.header("host") {
            packet.say(&format!("host {}", cut(host, 60)));
        }
        if let Some(login) = frame.header("login") {
            packet.say(&format!("as {}", cut(login, 40)));
        }
        self.pending.ask(Asked::Connect, message, &packet.kind);
    }

    fn connected(&mut self, frame: &Frame, message: &MessageFacts<'_>, packet: &mut Packet) {
        packet.role = Role::Response;
        let version = frame.header("version");
        self.is_connected = true;
        self.version = match version {
            None | Some("1.0") => Version::V10,
            Some("1.1") => Version::V11,
            Some(_) => Version::V12,
        };
        packet.say(&format!("version {}", cut(version.unwrap_or("1.0"), 10)));
        if let Some(server) = frame.header("server") {
            packet.say(&format!("by {}", cut(server, 40)));
        }
        if let Some(beat) = frame.header("heart-beat") {
            packet.also(&format!("heart-beat {}", cut(beat, 30)));
        }
        let answer = self.pending.answer(&Asked::Connect, message);
        answered(packet, answer, "CONNECTED without CONNECT");
    }

    fn subscribe(&mut self, frame: &Frame, packet: &mut Packet) {
        let destination = frame.header("destination").unwrap_or_default();
        packet.say(destination);
        let id = frame.header("id").unwrap_or(destination);
        packet.id = Some(id.to_owned());
        packet.also(&format!("id {}", cut(id, 60)));
        if let Some(ack) = frame.header("ack") {
            packet.also(&format!("ack {}", cut(ack, 30)));
        }
        if self.subscriptions.len() < MAX_PENDING {
            self.subscriptions.insert(id_key(id), cut(destination, 200).into());
        }
    }

    fn unsubscribe(&mut self, frame: &Frame, packet: &mut Packet) {
        let Some(id) = frame.header("id").or(frame.header("destination")) else { return };
        packet.id = Some(id.to_owned());
        packet.say(&format!("id {}", cut(id, 60)));
        if let Some(destination) = self.subscriptions.remove(&id_key(id)) {
            packet.say(&format!("({destination})"));
        } else {
            let detail = format!("{} was not subscribed to", quoted(id));
            packet.problem(ProblemCode::UnknownId, frame.at, detail);
        }
    }

    fn message(&mut self, frame: &Frame, message: &MessageFacts<'_>, packet: &mut Packet) {
        packet.say(frame.header("destination").unwrap_or_default());
        if let Some(subscription) = frame.header("subscription") {
            packet.also(&format!("subscription {}", cut(subscription, 60)));
            if !self.subscriptions.contains_key(&id_key(subscription)) {
                let detail = format!("no subscription has the id {}", quoted(subscription));
                packet.problem(ProblemCode::UnknownId, frame.at, detail);
            }
        }
        let id = frame.header("message-id");
        packet.id = id.map(str::to_owned);
        say_body(frame, packet);
        let by_ack = frame.header("ack").filter(|_| self.version == Version::V12);
        if let Some(id) = by_ack.or(id) {
            self.pending.ask(Asked::Acknowledgement(id_key(id)), message, &packet.summary);
        }
    }

    fn acknowledge(&mut self, frame: &Frame, message: &MessageFacts<'_>, packet: &mut Packet) {
        packet.role = Role::Response;
        let header = if self.version == Version::V12 { "id" } else { "message-id" };
        let Some(id) = frame.header(header) else { return };
        packet.id = Some(id.to_owned());
        packet.say(&cut(id, 80));
        let answer = self.pending.answer(&Asked::Acknowledgement(id_key(id)), message);
        answered(packet, answer, "no message with this id waits for it");
    }

    fn receipt(&mut self, frame: &Frame, message: &MessageFacts<'_>, packet: &mut Packet) {
        packet.role = Role::Response;
        let Some(id) = frame.header("receipt-id") else { return };
        packet.id = Some(id.to_owned());
        packet.say(&cut(id, 80));
        let answer = self.pending.answer(&Asked::Receipt(id_key(id)), message);
        answered(packet, answer, "no frame asked for this receipt");
    }

    fn error(&mut self, frame: &Frame, message: &MessageFacts<'_>, packet: &mut Packet) {
        packet.role = Role::Control;
        if let Some(text) = frame.header("message") {
            packet.say(&quoted(text));
        }
        if let Some(id) = frame.header("receipt-id") {
            packet.role = Role::Response;
            packet.id = Some(id.to_owned());
            packet.answering(self.pending.answer(&Asked::Receipt(id_key(id)), message));
        } else if !self.is_connected {
            packet.answering(self.pending.answer(&Asked::Connect, message));
        }
    }
}

fn sender(message: &MessageFacts<'_>) -> &'static str {
    message.direction.sender()
}

/// Notes what a packet answers, or that it answers nothing.
fn answered(packet: &mut Packet, answer: Option<Answer>, otherwise: &str) {
    if answer.is_none() {
        packet.problem(ProblemCode::UnknownId, None, otherwise);
    }
    packet.answering(answer);
}

fn say_body(frame: &Frame, packet: &mut Packet) {
    packet.also(&counted(frame.body_len as u64, "octet", "octets"));
    if let Some(kind) = frame.header("content-type") {
        packet.say(&format!("of {}", cut(kind, 60)));
    }
}

impl Frame {
    fn add_fields(&self, packet: &mut Packet) {
        let is_as_sent = !self.command.contains(char::REPLACEMENT_CHARACTER);
        let at = self.at.filter(|_| is_as_sent);
        let command = at.map(|at| crate::payload::Span::at(at, self.command.len()));
        packet.field("command", FieldForm::Text, &self.command, command);
        for header in &self.headers {
            packet.field(header.name.clone(), FieldForm::Text, &header.value, header.span);
        }
        if self.body_len > 0 {
            packet.octets("body", self.body_len, self.body);
        }
    }
}

#[cfg(test)]
mod tests;
