//! Connection summaries: one entry of the connections list.

use std::sync::Arc;
use std::time::Duration;

use super::exchange_rows::ExchangeRows;
use super::timing::RoundTrips;
use crate::handshake::{DeflateParams, read_extensions};
use crate::message::CompressionFacts;
use crate::session::Ending;
use crate::transport::{ExchangeFacts, SeriesId, SessionId, TransportKind};
use crate::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, EventKind, Frame, Head, Leg, Opcode,
    OpeningHandshake, Severity, Timestamp, TransportEvent,
};

/// Octets of one direction that are not in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gaps {
    /// How many times some are missing.
    pub count: u32,
    /// Octets that are missing.
    pub missing: u64,
    /// Octets behind them that are there and were not understood, until frames were found again.
    pub passed_over: u64,
}

/// What the connections list shows of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionSummary {
    /// Its number.
    pub id: ConnectionId,
    /// When it was accepted.
    pub opened_at: Timestamp,
    /// When anything was last seen of it.
    pub last_at: Timestamp,
    /// What is known of it from the start.
    pub info: Arc<ConnectionInfo>,
    /// What became known later, in order.
    pub notes: Vec<Arc<ConnectionNote>>,
    /// Where it stands.
    pub state: State,
    /// Its HTTP exchanges, in order; the last of a WebSocket is its opening handshake.
    pub exchanges: Vec<Exchange>,
    /// The opening handshake, once answered.
    pub handshake: Option<Arc<OpeningHandshake>>,
    /// permessage-deflate as agreed on: as the handshake has it, or the answer alone where the request is
    /// missing.
    pub deflate: Option<DeflateParams>,
    /// Frames, by [`crate::Direction::index`].
    pub frames: [u64; 2],
    /// Data messages, by [`crate::Direction::index`].
    pub messages: [u64; 2],
    /// What compression made of its messages, by [`crate::Direction::index`].
    pub compression: [CompressionFacts; 2],
    /// Plaintext octets on the client leg, by [`crate::Direction::index`].
    pub octets: [u64; 2],
    /// How many findings, by [`Severity`]: notes, warnings, errors.
    pub findings: [u32; 3],
    /// How it ended, if it did.
    pub ending: Option<Ending>,
    /// Why a direction could not be followed to its end, by [`Direction::index`].
    pub lost: [Option<String>; 2],
    /// What is missing of the client leg, by [`Direction::index`].
    pub gaps: [Gaps; 2],
    /// How many reads gave the octets of the client leg, by [`Direction::index`].
    pub reads: [u64; 2],
    /// When the first octet of the first frame was read, by [`Direction::index`].
    pub first_frame_at: [Option<Timestamp>; 2],
    /// When the latest head was whole on the upstream leg, by [`Direction::index`].
    pub upstream_head_at: [Option<Timestamp>; 2],
    /// Pings and their Pongs, by [`Direction::index`] of the Ping.
    pub round_trips: [RoundTrips; 2],
    /// Sessions of Engine.IO and SockJS that it carries, in the order in which they came, the first
    /// thousand: see [`crate::Index::transport_session`].
    pub sessions: Vec<SessionId>,
    /// How its exchanges are numbered.
    pub rows: ExchangeRows,
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The number of its row, from 0, among those of its connection: see [`ExchangeRows`].
    pub row: usize,
    /// When the request head was whole.
    pub requested_at: Timestamp,
    /// The request.
    pub request: Arc<Head>,
    /// When the response head was whole.
    pub answered_at: Option<Timestamp>,
    /// The response, once there.
    pub response: Option<Arc<Head>>,
    /// Octets of content of request and response, once whole, by [`crate::Direction::index`].
    pub content_len: [Option<u64>; 2],
    /// Blocks of the response where it is a stream of events.
    pub events: u64,
    /// Chunks or lines of the response where it is a stream that goes on.
    pub pieces: u64,
    /// What became known at its end; none while it goes on.
    pub over: Option<ExchangeOver>,
}

/// What an exchange was, once it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeOver {
    /// When the last octet of the answer was read, or the connection ended.
    pub ended_at: Timestamp,
    /// The connection ended before the answer was whole.
    pub is_cut: bool,
    /// How long the server held the answer; see [`ExchangeFacts::held`].
    pub held: Option<Duration>,
    /// How long the answer went on once its head was whole.
    pub lasted: Option<Duration>,
    /// What it was part of; none where that is nothing but a request and its answer.
    pub kind: Option<TransportKind>,
    /// The series it belongs to: see [`crate::Index::series`].
    pub series: Option<SeriesId>,
    /// The session it belongs to: see [`crate::Index::transport_sessions`].
    pub session: Option<SessionId>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was understood yet.
    Connecting,
    /// Plain HTTP.
    Http,
    /// An open WebSocket.
    Open,
    /// A Close frame was seen.
    Closing,
    /// Ended.
    Ended,
}

/// Exchanges listed of one connection; a long-polling client makes new ones for ever.
const MAX_EXCHANGES: usize = 10_000;
/// Sessions listed of one connection; one from a gateway carries those of many clients.
const MAX_SESSIONS: usize = 1_000;

impl ConnectionSummary {
    pub(super) fn new(id: ConnectionId, opened_at: Timestamp, info: Arc<ConnectionInfo>) -> Self {
        Self {
            id,
            opened_at,
            last_at: opened_at,
            info,
            notes: Vec::new(),
            state: State::Connecting,
            exchanges: Vec::new(),
            handshake: None,
            deflate: None,
            frames: [0; 2],
            messages: [0; 2],
            compression: [CompressionFacts::default(); 2],
            octets: [0; 2],
            findings: [0; 3],
            ending: None,
            lost: [None, None],
            gaps: Default::default(),
            reads: [0; 2],
            first_frame_at: [None; 2],
            upstream_head_at: [None; 2],
            round_trips: [RoundTrips::default(); 2],
            sessions: Vec::new(),
            rows: ExchangeRows::default(),
        }
    }

    pub(super) fn apply(&mut self, at: Timestamp, kind: EventKind) {
        let placed = self.rows.place(&kind);
        match kind {
            EventKind::ConnectionNoted(note) => self.notes.push(note),
            EventKind::PingAnswered(trip) => self.round_trips[trip.direction.index()].add(trip),
            EventKind::HeadReceived { leg: Leg::Upstream, direction, .. } => {
                self.upstream_head_at[direction.index()] = Some(at);
            }
            EventKind::HeadReceived { leg: Leg::Client, direction, head } => {
                if direction == Direction::ServerToClient && head.switches_to_websocket() {
                    self.deflate = DeflateParams::agreed(&[], &read_extensions(&head).0).params;
                }
                self.add_head(at, direction, head, placed.map(|placed| placed.row));
            }
            EventKind::BodyCompleted { direction, content_len, .. } => {
                if let Some(exchange) = self.speaking(direction) {
                    exchange.content_len[direction.index()] = Some(content_len);
                }
            }
            EventKind::ServerSentEvent(_) => {
                if let Some(exchange) = self.speaking(Direction::ServerToClient) {
                    exchange.events = exchange.events.saturating_add(1);
                }
            }
            EventKind::TransportSeen(TransportEvent::ExchangeEnded(facts)) => {
                self.end_exchange(&facts);
            }
            EventKind::TransportSeen(TransportEvent::PieceReceived(_)) => {
                if let Some(exchange) = self.speaking(Direction::ServerToClient) {
                    exchange.pieces = exchange.pieces.saturating_add(1);
                }
            }
            EventKind::TransportSeen(TransportEvent::SessionChanged { session, .. }) => {
                let is_known = self.sessions.iter().rev().any(|known| *known == session.id);
                if !is_known && self.sessions.len() < MAX_SESSIONS {
                    self.sessions.push(session.id);
                }
            }
            EventKind::HandshakeCompleted(handshake) => {
                if handshake.upgraded {
                    self.state = State::Open;
                }
                self.deflate = handshake.deflate;
                self.handshake = Some(handshake);
            }
            EventKind::LaneLost { direction, reason, .. } => {
                self.lost[direction.index()].get_or_insert(reason);
            }
            EventKind::GapMet { direction, len } => {
                let gaps = &mut self.gaps[direction.index()];
                gaps.count = gaps.count.saturating_add(1);
                gaps.missing = gaps.missing.saturating_add(len);
            }
            EventKind::LaneFound { direction, passed_over, .. } => {
                let gaps = &mut self.gaps[direction.index()];
                gaps.passed_over = gaps.passed_over.saturating_add(passed_over);
                self.lost[direction.index()] = None;
                if matches!(self.state, State::Connecting | State::Http) {
                    self.state = State::Open;
                }
            }
            EventKind::ConnectionEnded(ending) => {
                self.state = State::Ended;
                self.ending = Some(ending);
            }
            EventKind::ConnectionOpened(_)
            | EventKind::TransportSeen(_)
            | EventKind::FrameDecoded(_)
            | EventKind::MessageCompleted(_)
            | EventKind::DiagnosticRaised(_)
            | EventKind::DirectionFinished { .. } => {}
        }
    }

    /// The exchange whose body comes in this direction: that of the last head, for answers come in the
    /// order of their requests (RFC 9112 §9.3.2), and no body begins before the one before it ended.
    fn speaking(&mut self, direction: Direction) -> Option<&mut Exchange> {
        self.exchanges
            .iter_mut()
            .rev()
            .find(|exchange| direction == Direction::ClientToServer || exchange.response.is_some())
    }

    /// A frame that says nothing about the connection, begun `at`.
    #[inline]
    pub(super) fn count_data_frame(&mut self, direction: Direction, at: Timestamp) {
        let seen = &mut self.frames[direction.index()];
        if *seen == 0 {
            self.first_frame_at[direction.index()] = Some(at);
        }
        *seen = seen.saturating_add(1);
    }

    pub(super) fn count_frame(&mut self, frame: &Frame) {
        self.count_data_frame(frame.direction, frame.first_octet_at);
        if frame.header.opcode == Opcode::Close && self.state != State::Ended {
            self.state = State::Closing;
        }
    }

    pub(super) fn count_finding(&mut self, severity: Severity) {
        let [notes, warnings, errors] = &mut self.findings;
        let seen = match severity {
            Severity::Note => notes,
            Severity::Warning => warnings,
            Severity::Error => errors,
        };
        *seen = seen.saturating_add(1);
    }

    fn add_head(
        &mut self,
        at: Timestamp,
        direction: Direction,
        head: Arc<Head>,
        row: Option<usize>,
    ) {
        if self.state == State::Connecting {
            self.state = State::Http;
        }
        match direction {
            Direction::ClientToServer => {
                if self.exchanges.len() >= MAX_EXCHANGES {
                    self.exchanges.remove(0);
                }
                self.exchanges.push(Exchange {
                    row: row.unwrap_or_default(),
                    requested_at: at,
                    request: head,
                    answered_at: None,
                    response: None,
                    content_len: [None, None],
                    events: 0,
                    pieces: 0,
                    over: None,
                });
            }
            Direction::ServerToClient => {
                // An interim response (1xx) is not the answer; 101 is the last of its kind.
                let interim = head.status().is_some_and(|s| (100..200).contains(&s) && s != 101);
                let open = self.exchanges.iter_mut().find(|exchange| exchange.response.is_none());
                if let (false, Some(exchange)) = (interim, open) {
                    exchange.answered_at = Some(at);
                    exchange.response = Some(head);
                }
            }
        }
    }

    fn end_exchange(&mut self, facts: &ExchangeFacts) {
        let is_it = |exchange: &&mut Exchange| Arc::ptr_eq(&exchange.request, &facts.request);
        let Some(exchange) = self.exchanges.iter_mut().rev().find(is_it) else { return };
        exchange.pieces = facts.pieces;
        exchange.over = Some(ExchangeOver {
            ended_at: facts.ended_at,
            is_cut: facts.is_cut,
            held: facts.held(),
            lasted: facts.lasted(),
            kind: facts.kind,
            series: facts.series.as_ref().map(|series| series.id),
            session: facts.session,
        });
    }

    /// The latest request's target, such as `/chat?room=1`.
    pub fn target(&self) -> Option<&str> {
        self.exchanges.last().and_then(|exchange| exchange.request.target())
    }

    /// Whether it became a WebSocket: its opening handshake says so, or that is missing and there are frames.
    pub fn is_websocket(&self) -> bool {
        let is_upgraded = self.handshake.as_ref().is_some_and(|handshake| handshake.upgraded);
        is_upgraded || self.frames != [0; 2]
    }

    /// Whether what it began with is missing from the capture: nobody knows how it was opened.
    pub fn lacks_beginning(&self) -> bool {
        self.exchanges.is_empty() && self.gaps.iter().any(|gaps| gaps.count > 0)
    }

    /// Whether permessage-deflate is agreed on.
    pub fn is_deflate_agreed(&self) -> bool {
        self.deflate.is_some()
    }

    /// The worst finding's severity.
    pub fn worst(&self) -> Option<Severity> {
        let [notes, warnings, errors] = self.findings;
        match (errors, warnings, notes) {
            (1.., _, _) => Some(Severity::Error),
            (0, 1.., _) => Some(Severity::Warning),
            (0, 0, 1..) => Some(Severity::Note),
            (0, 0, 0) => None,
        }
    }
}
