//! The lines by type, and what each begins with; field order here is field order in the output.

use serde::Serialize;

use super::SCHEMA_VERSION;
use super::frame::{FrameLine, LoneMessage};
use super::handshake::{HandshakeLine, HeadLine};
use super::rest::{
    Body, Ended, Finding, Finished, Gap, LaneFound, LaneLost, Noted, Opened, PingAnswered,
    ServerSentEventLine,
};
use super::subprotocol::SubprotocolOf;
use super::transport::{ExchangeLine, PacketsLine, PieceLine, SeriesLine, SessionLine};
use super::value::{Base64, Nanos, Stamp};
use crate::export::Paired;
use crate::present::Secrets;
use crate::{ConnectionId, EventKind, Timestamp, TransportEvent};

/// One line. Every line of one type has the same fields in the same order; what is not there is null.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Schema { name: &'static str, version: u32 },
    ConnectionOpened(Of<'a, Opened<'a>>),
    ConnectionNoted(Of<'a, Noted<'a>>),
    Head(Of<'a, HeadLine<'a>>),
    Body(Of<'a, Body<'a>>),
    ServerSentEvent(Of<'a, ServerSentEventLine<'a>>),
    Exchange(Of<'a, Box<ExchangeLine<'a>>>),
    Transport(Of<'a, Box<SeriesLine<'a>>>),
    BodyPiece(Of<'a, PieceLine<'a>>),
    TransportSession(Of<'a, Box<SessionLine<'a>>>),
    Packets(Of<'a, PacketsLine<'a>>),
    Handshake(Of<'a, Box<HandshakeLine<'a>>>),
    Frame(Box<FrameLine<'a>>),
    Message(Of<'a, Box<LoneMessage<'a>>>),
    PingAnswered(Of<'a, PingAnswered>),
    Finding(Of<'a, Finding<'a>>),
    Gap(Of<'a, Gap>),
    LaneLost(Of<'a, LaneLost<'a>>),
    LaneFound(Of<'a, LaneFound>),
    DirectionFinished(Of<'a, Finished>),
    ConnectionEnded(Of<'a, Ended>),
    CaptureFault { offset: u64, reason: &'a str },
}

/// What every line about a connection begins with.
#[derive(Debug, Serialize)]
pub(super) struct Of<'a, T> {
    connection: ConnectionId,
    key: Option<&'a str>,
    at: Stamp,
    at_ns: Nanos,
    #[serde(flatten)]
    what: T,
}

impl<'a> Line<'a> {
    pub(super) const fn schema() -> Self {
        Self::Schema { name: "framescope-jsonl", version: SCHEMA_VERSION }
    }

    pub(super) fn of(paired: &'a Paired, key: Option<&'a str>, secrets: Secrets) -> Self {
        let event = &paired.event;
        let of = Prefix { connection: event.connection, key, at: event.at };
        match &event.kind {
            EventKind::ConnectionOpened(info) => Self::ConnectionOpened(of.with(Opened::of(info))),
            EventKind::ConnectionNoted(note) => {
                Self::ConnectionNoted(of.with(Noted::of(note, secrets)))
            }
            EventKind::HeadReceived { leg, direction, head } => {
                Self::Head(of.with(HeadLine::of(*leg, *direction, head, secrets)))
            }
            EventKind::BodyCompleted { direction, wire_len, content_len, content } => {
                Self::Body(of.with(Body {
                    direction: direction.name(),
                    wire_len: *wire_len,
                    content_len: *content_len,
                    content_base64: Base64(content),
                    subprotocol: paired.reading.dissection.as_deref().map(SubprotocolOf::of),
                }))
            }
            EventKind::ServerSentEvent(sent) => {
                Self::ServerSentEvent(of.with(ServerSentEventLine::of(sent)))
            }
            EventKind::TransportSeen(seen) => match seen {
                TransportEvent::ExchangeEnded(facts) => {
                    Self::Exchange(of.with(Box::new(ExchangeLine::of(facts, secrets))))
                }
                TransportEvent::SeriesTold(series) => {
                    Self::Transport(of.with(Box::new(SeriesLine::of(series, secrets))))
                }
                TransportEvent::PieceReceived(piece) => {
                    let dissection = paired.reading.dissection.as_deref();
                    Self::BodyPiece(of.with(PieceLine::of(piece, dissection)))
                }
                TransportEvent::SessionChanged { session, change } => {
                    let line = SessionLine::of(session, *change, secrets);
                    Self::TransportSession(of.with(Box::new(line)))
                }
                TransportEvent::PacketsCarried(carried) => {
                    let dissection = paired.reading.dissection.as_deref();
                    Self::Packets(of.with(PacketsLine::of(carried, dissection)))
                }
            },
            EventKind::HandshakeCompleted(handshake) => {
                Self::Handshake(of.with(Box::new(HandshakeLine::of(handshake, secrets))))
            }
            EventKind::FrameDecoded(frame) => {
                Self::Frame(Box::new(FrameLine::of(event.connection, key, frame, paired)))
            }
            EventKind::MessageCompleted(message) => {
                Self::Message(of.with(Box::new(LoneMessage::of(message, &paired.reading))))
            }
            EventKind::PingAnswered(trip) => Self::PingAnswered(of.with(PingAnswered::of(*trip))),
            EventKind::DiagnosticRaised(diagnostic) => {
                Self::Finding(of.with(Finding::of(diagnostic, secrets)))
            }
            EventKind::GapMet { direction, len } => {
                Self::Gap(of.with(Gap { direction: direction.name(), len: *len }))
            }
            EventKind::LaneLost { direction, offset, reason } => {
                Self::LaneLost(of.with(LaneLost {
                    direction: direction.name(),
                    offset: *offset,
                    reason,
                }))
            }
            EventKind::LaneFound { direction, offset, passed_over } => {
                let (offset, passed_over) = (*offset, *passed_over);
                Self::LaneFound(of.with(LaneFound {
                    direction: direction.name(),
                    offset,
                    passed_over,
                }))
            }
            EventKind::DirectionFinished { direction, how } => Self::DirectionFinished(
                of.with(Finished { direction: direction.name(), how: *how }),
            ),
            EventKind::ConnectionEnded(ending) => {
                Self::ConnectionEnded(of.with(Ended::of(*ending, paired.reading.latency)))
            }
        }
    }
}

/// The beginning of a line whose rest is not known yet.
struct Prefix<'a> {
    connection: ConnectionId,
    key: Option<&'a str>,
    at: Timestamp,
}

impl<'a> Prefix<'a> {
    fn with<T>(self, what: T) -> Of<'a, T> {
        let (at, at_ns) = (Stamp(self.at), Nanos(self.at));
        Of { connection: self.connection, key: self.key, at, at_ns, what }
    }
}
