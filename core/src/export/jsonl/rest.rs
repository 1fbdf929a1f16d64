//! Lines of what is neither a frame nor a handshake.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde::Serialize;

use super::subprotocol::SubprotocolOf;
use super::value::{Base64, nanos};

use crate::connection::{Alteration, Failure, Stall, TlsInfo};
use crate::http::ServerSentEvent;
use crate::present::Secrets;
use crate::session::pings::RoundTrip;
use crate::session::{EndedBy, Ending};
use crate::subprotocol::LatencySummary;
use crate::{CloseCode, ConnectionInfo, ConnectionNote, Diagnostic, Direction, Finish, Leg};

#[derive(Debug, Serialize)]
pub(super) struct Opened<'a> {
    client: SocketAddr,
    server: SocketAddr,
    mode: Option<&'a str>,
    upstream: Option<&'a str>,
    tls: Option<&'a TlsInfo>,
}

impl<'a> Opened<'a> {
    pub(super) fn of(info: &'a ConnectionInfo) -> Self {
        Self {
            client: info.client,
            server: info.server,
            mode: info.mode.as_deref(),
            upstream: info.upstream.as_deref(),
            tls: info.tls.as_ref(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Noted<'a> {
    upstream_addr: Option<SocketAddr>,
    upstream_local_addr: Option<SocketAddr>,
    upstream_tls: Option<&'a TlsInfo>,
    client_tls_nanos: Option<u64>,
    dial_nanos: Option<u64>,
    upstream_tls_nanos: Option<u64>,
    without_close_notify: Option<&'static str>,
    stall: Option<StallOf>,
    alterations: Vec<Alteration>,
    failure: Option<FailureOf<'a>>,
}

impl<'a> Noted<'a> {
    pub(super) fn of(note: &'a ConnectionNote, secrets: Secrets) -> Self {
        Self {
            upstream_addr: note.upstream_addr,
            upstream_local_addr: note.upstream_local_addr,
            upstream_tls: note.upstream_tls.as_ref(),
            client_tls_nanos: note.client_tls_nanos,
            dial_nanos: note.dial_nanos,
            upstream_tls_nanos: note.upstream_tls_nanos,
            without_close_notify: note.without_close_notify.map(Direction::name),
            stall: note.stall.map(StallOf::of),
            alterations: note.alterations.iter().map(|a| secrets.alteration(a)).collect(),
            failure: note.failure.as_ref().map(FailureOf::of),
        }
    }
}

/// A [`Stall`] with all of its fields, which the capture's comments leave out where they say nothing.
#[derive(Debug, Serialize)]
struct StallOf {
    direction: &'static str,
    nanos: u64,
    waiting: u64,
    is_over: bool,
}

impl StallOf {
    fn of(stall: Stall) -> Self {
        let Stall { direction, nanos, waiting, is_over } = stall;
        Self { direction: direction.name(), nanos, waiting, is_over }
    }
}

/// What the proxy could not do.
#[derive(Debug, Serialize)]
struct FailureOf<'a> {
    stage: &'a str,
    message: &'a str,
    leg: Option<Leg>,
}

impl<'a> FailureOf<'a> {
    fn of(failure: &'a Failure) -> Self {
        Self { stage: &failure.stage, message: &failure.message, leg: failure.leg }
    }
}

/// A plain HTTP body.
#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    pub direction: &'static str,
    pub wire_len: u64,
    pub content_len: u64,
    pub content_base64: Base64<'a>,
    pub subprotocol: Option<SubprotocolOf<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct ServerSentEventLine<'a> {
    index: u64,
    offset: u64,
    len: u64,
    event: Option<&'a str>,
    id: Option<&'a str>,
    retry: Option<u64>,
    comment: Option<&'a str>,
    data: Option<&'a str>,
    data_len: u64,
}

impl<'a> ServerSentEventLine<'a> {
    pub(super) fn of(event: &'a ServerSentEvent) -> Self {
        Self {
            index: event.index,
            offset: event.offset,
            len: event.len,
            event: event.event.as_deref(),
            id: event.id.as_deref(),
            retry: event.retry,
            comment: event.comment.as_deref(),
            data: event.data.as_deref(),
            data_len: event.data_len,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Finding<'a> {
    direction: &'static str,
    code: &'static str,
    severity: &'static str,
    title: &'static str,
    section: &'static str,
    advice: &'static str,
    evidence: Cow<'a, str>,
    offset: u64,
    len: u64,
    frame: Option<u64>,
}

impl<'a> Finding<'a> {
    pub(super) fn of(diagnostic: &'a Diagnostic, secrets: Secrets) -> Self {
        let (rule, place) = (diagnostic.rule, diagnostic.place);
        Self {
            direction: diagnostic.direction.name(),
            code: rule.code,
            severity: rule.severity.name(),
            title: rule.title,
            section: rule.section,
            advice: rule.advice,
            evidence: secrets.words(&*diagnostic.evidence),
            offset: place.offset,
            len: place.len,
            frame: place.frame,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Gap {
    pub direction: &'static str,
    pub len: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct LaneLost<'a> {
    pub direction: &'static str,
    pub offset: u64,
    pub reason: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct LaneFound {
    pub direction: &'static str,
    pub offset: u64,
    pub passed_over: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Finished {
    pub direction: &'static str,
    pub how: Finish,
}

#[derive(Debug, Serialize)]
pub(super) struct PingAnswered {
    direction: &'static str,
    ping: u64,
    pong: u64,
    round_trip_nanos: u64,
}

impl PingAnswered {
    pub(super) fn of(trip: RoundTrip) -> Self {
        Self {
            direction: trip.direction.name(),
            ping: trip.ping,
            pong: trip.pong,
            round_trip_nanos: nanos(trip.took),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Ended {
    /// Null where the proxy was stopped.
    by: Option<&'static str>,
    how: Finish,
    close: Option<EndingClose>,
    /// The code that the client's program is told; null where no WebSocket was open, or nobody knows.
    client_is_told: Option<u16>,
    /// The code that the server's program is told.
    server_is_told: Option<u16>,
    requests: Option<RequestsOf>,
}

/// Requests in the messages of a sub-protocol.
#[derive(Debug, Serialize)]
struct RequestsOf {
    count: u64,
    answered: u64,
    unanswered: u64,
    median_nanos: Option<u64>,
    longest_nanos: Option<u64>,
}

impl RequestsOf {
    fn of(latency: LatencySummary) -> Self {
        Self {
            count: latency.requests,
            answered: latency.answered,
            unanswered: latency.unanswered(),
            median_nanos: latency.median.map(nanos),
            longest_nanos: latency.longest.map(nanos),
        }
    }
}

/// The first Close frame of the connection.
#[derive(Debug, Serialize)]
struct EndingClose {
    /// Null where one of the other side may have come before it, unseen.
    by: Option<&'static str>,
    code: Option<u16>,
    name: Option<&'static str>,
}

impl Ended {
    pub(super) fn of(ending: Ending, latency: Option<LatencySummary>) -> Self {
        let close = |(_, code): (Direction, Option<u16>)| EndingClose {
            by: ending.closed_by().map(Direction::sender),
            code,
            name: code.map(|code| CloseCode(code).name()),
        };
        let told = |side| if ending.upgraded { ending.reported_to(side) } else { None };
        Self {
            by: match ending.by {
                EndedBy::Peer(by) => Some(by.sender()),
                EndedBy::Framescope => None,
            },
            how: ending.how,
            close: ending.close.map(close),
            client_is_told: told(Direction::ClientToServer),
            server_is_told: told(Direction::ServerToClient),
            requests: latency.map(RequestsOf::of),
        }
    }
}
