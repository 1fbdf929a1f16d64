//! Lines of plain HTTP exchanges and what they are together.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use super::subprotocol::SubprotocolOf;
use super::value::{Base64, Nanos, Stamp, nanos};
use crate::ConnectionId;
use crate::Direction;
use crate::present::Secrets;
use crate::present::secrets::MASK;
use crate::subprotocol::Dissection;
use crate::transport::{
    BodyPiece, Carried, ExchangeFacts, Series, SessionChange, SessionMember, TransportKind,
    TransportSession,
};

/// A request and its answer, over.
#[derive(Debug, Serialize)]
pub(super) struct ExchangeLine<'a> {
    ordinal: u64,
    method: &'a str,
    target: Cow<'a, str>,
    status: Option<u16>,
    requested_at: Stamp,
    requested_ns: Nanos,
    held_nanos: Option<u64>,
    lasted_nanos: Option<u64>,
    request_content_len: u64,
    response_content_len: u64,
    head_len: u64,
    pieces: u64,
    cut: bool,
    transport: Option<&'static str>,
    series: Option<u32>,
    session: Option<u32>,
}

impl<'a> ExchangeLine<'a> {
    pub(super) fn of(facts: &'a ExchangeFacts, secrets: Secrets) -> Self {
        Self {
            ordinal: facts.ordinal,
            method: facts.request.method().unwrap_or_default(),
            target: secrets.target(facts.request.target().unwrap_or_default()),
            status: facts.response.as_ref().and_then(|response| response.status()),
            requested_at: Stamp(facts.requested_at),
            requested_ns: Nanos(facts.requested_at),
            held_nanos: facts.held().map(nanos),
            lasted_nanos: facts.lasted().map(nanos),
            request_content_len: facts.request_len,
            response_content_len: facts.response_len,
            head_len: facts.head_len(),
            pieces: facts.pieces,
            cut: facts.is_cut,
            transport: facts.kind.map(TransportKind::name),
            series: facts.series.as_ref().map(|series| series.id.0),
            session: facts.session.map(|session| session.0),
        }
    }
}

/// What a series of exchanges is.
#[derive(Debug, Serialize)]
pub(super) struct SeriesLine<'a> {
    series: u32,
    transport: &'static str,
    evidence: &'static str,
    reason: Cow<'a, str>,
    client: IpAddr,
    host: &'a str,
    method: &'a str,
    path: &'a str,
    session: Option<u32>,
    began_at: Stamp,
    began_ns: Nanos,
    period_nanos: Option<u64>,
    exchanges: u64,
    empty: u64,
    held_longest_nanos: u64,
    held_mean_nanos: Option<u64>,
    head_octets: u64,
    request_content_octets: u64,
    response_content_octets: u64,
}

impl<'a> SeriesLine<'a> {
    pub(super) fn of(series: &'a Series, secrets: Secrets) -> Self {
        let totals = &series.totals;
        Self {
            series: series.id.0,
            transport: series.kind.name(),
            evidence: series.evidence.name(),
            reason: secrets.words(&*series.reason),
            client: series.client,
            host: &series.host,
            method: &series.method,
            path: &series.path,
            session: series.session.map(|session| session.0),
            began_at: Stamp(series.began_at),
            began_ns: Nanos(series.began_at),
            period_nanos: series.period.map(nanos),
            exchanges: totals.exchanges,
            empty: totals.empty,
            held_longest_nanos: nanos(totals.held_longest),
            held_mean_nanos: totals.held_mean().map(nanos),
            head_octets: totals.head_octets,
            request_content_octets: totals.request_octets,
            response_content_octets: totals.response_octets,
        }
    }
}

/// One chunk or line of a body that goes on.
#[derive(Debug, Serialize)]
pub(super) struct PieceLine<'a> {
    index: u64,
    unit: &'static str,
    offset: u64,
    len: u64,
    text: Option<&'a str>,
    content_base64: Option<Base64<'a>>,
    session: Option<u32>,
    subprotocol: Option<SubprotocolOf<'a>>,
}

impl<'a> PieceLine<'a> {
    pub(super) fn of(piece: &'a BodyPiece, dissection: Option<&'a Dissection>) -> Self {
        let text = std::str::from_utf8(&piece.content).ok();
        Self {
            index: piece.index,
            unit: piece.unit.name(),
            offset: piece.offset,
            len: piece.len,
            text,
            content_base64: text.is_none().then_some(Base64(&piece.content)),
            session: piece.session.map(|session| session.0),
            subprotocol: dissection.map(SubprotocolOf::of),
        }
    }
}

/// A session, and what is new about it.
#[derive(Debug, Serialize)]
pub(super) struct SessionLine<'a> {
    session: u32,
    change: &'static str,
    protocol: &'static str,
    revision: Option<&'a str>,
    sid: &'a str,
    host: &'a str,
    path: &'a str,
    client: IpAddr,
    began_at: Stamp,
    began_ns: Nanos,
    whole: bool,
    probed_at: Option<Stamp>,
    upgraded_at: Option<Stamp>,
    members: Vec<MemberOf>,
    more_members: u64,
}

#[derive(Debug, Serialize)]
struct MemberOf {
    connection: ConnectionId,
    transport: &'static str,
    first_at: Stamp,
    exchanges: u64,
}

impl MemberOf {
    fn of(member: &SessionMember) -> Self {
        Self {
            connection: member.connection,
            transport: member.kind.name(),
            first_at: Stamp(member.first_at),
            exchanges: member.exchanges,
        }
    }
}

impl<'a> SessionLine<'a> {
    pub(super) fn of(
        session: &'a TransportSession,
        change: SessionChange,
        secrets: Secrets,
    ) -> Self {
        let [_, probed_at] = session.probed_at;
        Self {
            session: session.id.0,
            change: change.name(),
            protocol: session.protocol.name(),
            revision: session.revision.as_deref(),
            sid: if secrets == Secrets::Shown { &session.sid } else { MASK },
            host: &session.host,
            path: &session.path,
            client: session.client,
            began_at: Stamp(session.began_at),
            began_ns: Nanos(session.began_at),
            whole: session.is_whole,
            probed_at: probed_at.map(Stamp),
            upgraded_at: session.upgraded_at.map(Stamp),
            members: session.members.iter().map(MemberOf::of).collect(),
            more_members: session.more_members,
        }
    }
}

/// A body that carries packets of a session.
#[derive(Debug, Serialize)]
pub(super) struct PacketsLine<'a> {
    direction: &'static str,
    session: Option<u32>,
    protocol: &'static str,
    content_len: u64,
    subprotocol: Option<SubprotocolOf<'a>>,
}

impl<'a> PacketsLine<'a> {
    pub(super) fn of(carried: &'a Carried, dissection: Option<&'a Dissection>) -> Self {
        Self {
            direction: Direction::name(carried.direction),
            session: carried.session.map(|session| session.0),
            protocol: carried.protocol.name(),
            content_len: carried.content_len,
            subprotocol: dissection.map(SubprotocolOf::of),
        }
    }
}
