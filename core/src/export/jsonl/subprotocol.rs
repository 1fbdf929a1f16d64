//! What a message says in the words of its sub-protocol, on the line of the frame that ends it.

use serde::Serialize;

use crate::payload::Span;
use crate::subprotocol::{Answer, Dissection, Field, Packet, Problem};

#[derive(Debug, Serialize)]
pub(super) struct SubprotocolOf<'a> {
    name: &'static str,
    reason: &'a str,
    summary: String,
    packets: Vec<PacketOf<'a>>,
    more_packets: u64,
}

#[derive(Debug, Serialize)]
struct PacketOf<'a> {
    protocol: &'static str,
    kind: &'a str,
    role: &'static str,
    summary: &'a str,
    id: Option<&'a str>,
    answers: Option<AnswerOf<'a>>,
    fields: Vec<FieldOf<'a>>,
    problems: Vec<ProblemOf<'a>>,
}

#[derive(Debug, Serialize)]
struct AnswerOf<'a> {
    direction: &'static str,
    message: u64,
    over_http: bool,
    what: &'a str,
    latency_nanos: u64,
}

#[derive(Debug, Serialize)]
struct FieldOf<'a> {
    depth: u8,
    name: &'a str,
    form: &'static str,
    value: &'a str,
    offset: Option<usize>,
    len: Option<usize>,
}

#[derive(Debug, Serialize)]
struct ProblemOf<'a> {
    code: &'static str,
    detail: &'a str,
    offset: Option<usize>,
}

impl<'a> SubprotocolOf<'a> {
    pub(super) fn of(dissection: &'a Dissection) -> Self {
        Self {
            name: dissection.choice.protocol.name(),
            reason: &dissection.choice.reason,
            summary: dissection.summary(),
            packets: dissection.packets.iter().map(PacketOf::of).collect(),
            more_packets: dissection.more_packets,
        }
    }
}

impl<'a> PacketOf<'a> {
    fn of(packet: &'a Packet) -> Self {
        Self {
            protocol: packet.protocol.name(),
            kind: &packet.kind,
            role: packet.role.name(),
            summary: &packet.summary,
            id: packet.id.as_deref(),
            answers: packet.answers.as_ref().map(AnswerOf::of),
            fields: packet.fields.iter().map(FieldOf::of).collect(),
            problems: packet.problems.iter().map(ProblemOf::of).collect(),
        }
    }
}

impl<'a> AnswerOf<'a> {
    fn of(answer: &'a Answer) -> Self {
        Self {
            direction: answer.to.direction.name(),
            message: answer.to.index,
            over_http: answer.to.over_http,
            what: &answer.what,
            latency_nanos: u64::try_from(answer.latency.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

impl<'a> FieldOf<'a> {
    fn of(field: &'a Field) -> Self {
        Self {
            depth: field.depth,
            name: &field.name,
            form: field.form.name(),
            value: &field.value,
            offset: field.span.map(|span| span.start),
            len: field.span.map(Span::len),
        }
    }
}

impl<'a> ProblemOf<'a> {
    fn of(problem: &'a Problem) -> Self {
        Self { code: problem.code.name(), detail: &problem.detail, offset: problem.at }
    }
}
