//! Dissections: what one message says in the words of its sub-protocol.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{Choice, Problem, ProblemCode, Subprotocol};
use crate::Direction;
use crate::payload::Span;
use crate::present::counted;

/// Packets told of one message; those beyond it are counted.
pub const MAX_PACKETS: usize = 64;
/// Fields told of one packet; those beyond it are left out, and said so.
pub const MAX_FIELDS: usize = 256;
/// Octets kept of a text from the wire, in a field, a kind or a summary.
pub const MAX_TEXT: usize = 512;

/// What one message completed.
///
/// Most sub-protocols put one packet into a message. SignalR, SockJS, JSON-RPC and MQTT may put in
/// several; MQTT and STOMP may also spread one over several messages, the first of which then complete
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissection {
    /// The sub-protocol that the connection is taken to speak, and why.
    pub choice: Arc<Choice>,
    /// In their order, the first [`MAX_PACKETS`] of them.
    pub packets: Vec<Packet>,
    /// Packets that are not in `packets`.
    pub more_packets: u64,
}

/// One packet of a sub-protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The layer it belongs to: the connection's sub-protocol, or one that it carries (STOMP in SockJS).
    pub protocol: Subprotocol,
    /// Its type, as the sub-protocol calls it: `EVENT`, `PUBLISH`, `phx_join`.
    pub kind: Cow<'static, str>,
    /// What it is for.
    pub role: Role,
    /// One line for a table, the kind first. It may hold text of the peer, cut but not escaped.
    pub summary: String,
    /// What matches it with others: an acknowledgement's number, a request's id.
    pub id: Option<String>,
    /// The earlier message that this one answers.
    pub answers: Option<Answer>,
    /// Its parts, in their order.
    pub fields: Vec<Field>,
    /// What is wrong with it by the sub-protocol's own grammar.
    pub problems: Vec<Problem>,
}

/// What a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opens, names, closes: the conversation itself.
    Control,
    /// Only shows that the peer is there: a ping, a heartbeat.
    KeepAlive,
    /// Wants an answer.
    Request,
    /// Is one, and the last one to its request.
    Response,
    /// One of several answers to a request.
    StreamItem,
    /// Says something and wants no answer.
    Event,
    /// It could not be read.
    Unknown,
}

impl Role {
    /// `control`, `keep-alive` and so on: the spelling of the JSON exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::KeepAlive => "keep-alive",
            Self::Request => "request",
            Self::Response => "response",
            Self::StreamItem => "stream-item",
            Self::Event => "event",
            Self::Unknown => "unknown",
        }
    }
}

/// A data message of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageRef {
    /// Which way it went.
    pub direction: Direction,
    /// Its ordinal among the data messages of its direction, from 0: [`crate::Message::index`].
    pub index: u64,
    /// HTTP carried it before the session moved to the WebSocket, or goes on carrying it: `index` then
    /// counts the packets that bodies of the session carried in that direction.
    pub over_http: bool,
}

/// Which earlier message a packet answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The message that asked.
    pub to: MessageRef,
    /// What it asked, in a few words: `EVENT "message"`, `Page.navigate`.
    pub what: Box<str>,
    /// From the last octet that asked to the last octet that answers, as the capture saw them.
    pub latency: Duration,
}

/// One part of a packet: a row of the structured view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// How many fields it lies in.
    pub depth: u8,
    /// As the sub-protocol calls it.
    pub name: Cow<'static, str>,
    /// What it says, at most [`MAX_TEXT`] octets of it.
    pub value: String,
    /// What `value` is.
    pub form: FieldForm,
    /// Its octets in the message; none where they lie in another one, or behind an encoding.
    pub span: Option<Span>,
}

/// What the value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldForm {
    /// A text of the peer.
    Text,
    /// A number, in decimal.
    Number,
    /// `true` or `false`.
    Flag,
    /// Words of Framescope that tell what the octets mean.
    Meaning,
    /// A value with parts of its own, in JSON or its diagnostic notation.
    Structure,
    /// Octets without further meaning to the sub-protocol; the value says how many.
    Octets,
    /// A heading over the fields below it.
    Group,
}

impl FieldForm {
    /// `text`, `number` and so on: the spelling of the JSON exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
            Self::Meaning => "meaning",
            Self::Structure => "structure",
            Self::Octets => "octets",
            Self::Group => "group",
        }
    }
}

impl Dissection {
    /// One line for a table: the packets' summaries.
    pub fn summary(&self) -> String {
        let mut line = String::new();
        for packet in self.packets.iter().take(4) {
            if !line.is_empty() {
                line.push_str(" · ");
            }
            line.push_str(&packet.summary);
        }
        let more = (self.packets.len().saturating_sub(4) as u64).saturating_add(self.more_packets);
        if more > 0 {
            let more = counted(more, "more packet", "more packets");
            line.push_str(" · and ");
            line.push_str(&more);
        }
        line
    }

    /// What is wrong with any of the packets.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.packets.iter().flat_map(|packet| &packet.problems)
    }
}

impl Packet {
    pub(super) fn new(
        protocol: Subprotocol,
        kind: impl Into<Cow<'static, str>>,
        role: Role,
    ) -> Self {
        let mut kind = kind.into();
        if kind.len() > MAX_TEXT {
            kind = Cow::Owned(cut(&kind, MAX_TEXT));
        }
        Self {
            protocol,
            summary: kind.to_string(),
            kind,
            role,
            id: None,
            answers: None,
            fields: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A packet that cannot be read, for one reason.
    pub(super) fn unreadable(protocol: Subprotocol, problem: Problem) -> Self {
        let mut packet = Self::new(protocol, "unreadable", Role::Unknown);
        packet.say(&problem.detail);
        packet.problems.push(problem);
        packet
    }

    /// Adds words to the summary.
    pub(super) fn say(&mut self, words: &str) -> &mut Self {
        if !words.is_empty() {
            self.summary.push(' ');
            self.summary.push_str(&cut(words, MAX_TEXT));
        }
        self
    }

    /// Adds words to the summary behind a comma.
    pub(super) fn also(&mut self, words: &str) -> &mut Self {
        self.summary.push(',');
        self.say(words)
    }

    pub(super) fn problem(
        &mut self,
        code: ProblemCode,
        at: Option<usize>,
        detail: impl Into<String>,
    ) -> &mut Self {
        if self.problems.len() < MAX_FIELDS {
            self.problems.push(Problem { code, at, detail: detail.into() });
        }
        self
    }

    /// Adds a field at the top.
    pub(super) fn field(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        form: FieldForm,
        value: &str,
        span: Option<Span>,
    ) -> &mut Self {
        self.field_at(0, name, form, value, span)
    }

    /// Adds a field in the last one of a smaller depth.
    pub(super) fn field_at(
        &mut self,
        depth: u8,
        name: impl Into<Cow<'static, str>>,
        form: FieldForm,
        value: &str,
        span: Option<Span>,
    ) -> &mut Self {
        match self.fields.len() {
            MAX_FIELDS => {
                let (name, value) = ("…".into(), "further fields are left out".to_owned());
                self.fields.push(Field {
                    depth: 0,
                    name,
                    value,
                    form: FieldForm::Meaning,
                    span: None,
                });
            }
            count if count < MAX_FIELDS => {
                let mut name = name.into();
                if name.len() > MAX_TEXT {
                    name = Cow::Owned(cut(&name, MAX_TEXT));
                }
                let value = cut(value, MAX_TEXT);
                self.fields.push(Field { depth, name, value, form, span });
            }
            _ => {}
        }
        self
    }

    /// Adds octets that the sub-protocol carries.
    pub(super) fn octets(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        len: usize,
        span: Option<Span>,
    ) -> &mut Self {
        self.field(name, FieldForm::Octets, &crate::present::octets(len as u64), span)
    }

    /// Says what this packet answers, or that nothing that was seen asked for it.
    pub(super) fn matched(
        &mut self,
        answer: Option<Answer>,
        at: Option<usize>,
        otherwise: impl FnOnce() -> String,
    ) {
        match &answer {
            Some(answer) if answer.what.is_empty() => {}
            Some(answer) => {
                self.say(&format!("to {}", answer.what));
            }
            None => {
                self.problem(ProblemCode::UnknownId, at, otherwise());
            }
        }
        self.answers = answer;
    }

    /// Says what this packet answers, where that is known.
    pub(super) fn answering(&mut self, answer: Option<Answer>) -> &mut Self {
        self.answers = answer;
        self
    }
}

/// What a dissector says of one message.
#[derive(Debug, Default)]
pub(super) struct Packets {
    kept: Vec<Packet>,
    more: u64,
}

impl Packets {
    pub(super) fn push(&mut self, packet: Packet) {
        if self.kept.len() < MAX_PACKETS {
            self.kept.push(packet);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Takes in what a layer above says. Its octets lie behind an encoding, so that no span holds.
    pub(super) fn push_layer(&mut self, dissection: Dissection) {
        for mut packet in dissection.packets {
            packet.fields.iter_mut().for_each(|field| field.span = None);
            packet.problems.iter_mut().for_each(|problem| problem.at = None);
            self.push(packet);
        }
        self.more = self.more.saturating_add(dissection.more_packets);
    }

    /// Takes in what stands at this octet of a larger whole, or in an encoding.
    pub(super) fn push_at(&mut self, dissection: Dissection, at: Option<usize>) {
        let Some(at) = at else { return self.push_layer(dissection) };
        for mut packet in dissection.packets {
            for span in packet.fields.iter_mut().filter_map(|field| field.span.as_mut()) {
                *span = Span::new(span.start.saturating_add(at), span.end.saturating_add(at));
            }
            for place in packet.problems.iter_mut().filter_map(|problem| problem.at.as_mut()) {
                *place = place.saturating_add(at);
            }
            self.push(packet);
        }
        self.more = self.more.saturating_add(dissection.more_packets);
    }

    pub(super) fn append(&mut self, others: Self) {
        others.kept.into_iter().for_each(|packet| self.push(packet));
        self.more = self.more.saturating_add(others.more);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn finish(self, choice: Arc<Choice>) -> Dissection {
        Dissection { choice, packets: self.kept, more_packets: self.more }
    }
}

/// At most `octets` of a text, with an ellipsis where something was cut.
pub(super) fn cut(text: &str, octets: usize) -> String {
    if text.len() <= octets {
        return text.to_owned();
    }
    let mut end = octets;
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// A text in quotes, for a summary.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", cut(text, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: &'static str) -> Packet {
        Packet::new(Subprotocol::Mqtt, kind, Role::Event)
    }

    #[test]
    fn the_summary_names_the_first_packets_and_counts_the_rest() {
        let mut packets = Packets::default();
        for _ in 0..MAX_PACKETS + 2 {
            packets.push(packet("PINGREQ"));
        }
        let dissection =
            packets.finish(Arc::new(Choice { protocol: Subprotocol::Mqtt, reason: String::new() }));
        assert_eq!(dissection.packets.len(), MAX_PACKETS);
        assert_eq!(
            dissection.summary(),
            "PINGREQ · PINGREQ · PINGREQ · PINGREQ · and 62 more packets"
        );
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("héllo", 2), "h…");
        assert_eq!(cut("héllo", 3), "hé…");
        assert_eq!(cut("hello", 5), "hello");
    }

    #[test]
    fn fields_are_bounded_and_the_cut_is_told() {
        let mut packet = packet("PUBLISH");
        for _ in 0..MAX_FIELDS + 9 {
            packet.field("a", FieldForm::Text, &"x".repeat(MAX_TEXT + 1), None);
        }
        assert_eq!(packet.fields.len(), MAX_FIELDS + 1);
        assert_eq!(packet.fields.last().unwrap().value, "further fields are left out");
        assert!(packet.fields[0].value.len() <= MAX_TEXT + '…'.len_utf8());
    }
}
