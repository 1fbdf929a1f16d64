//! What is told of exchanges and of the series they make.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{
    BodyPiece, Evidence, SessionChange, SessionId, SessionProtocol, TransportKind, TransportSession,
};
use crate::{Direction, Head, Timestamp};

/// The number of a series within one capture, from 1, in the order in which they were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

impl std::fmt::Display for SeriesId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "≋{}", self.0)
    }
}

/// Something understood about how a client is told what is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportEvent {
    /// An exchange is over. Follows the end of its answer's body, or comes where its connection ended.
    ExchangeEnded(Box<ExchangeFacts>),
    /// What a series of exchanges is became certain, or changed.
    SeriesTold(Arc<Series>),
    /// One chunk or line of a body that goes on is whole. Those before the stream was known as one come
    /// together once it is, each with its own time; of these only the last 32.
    PieceReceived(Box<BodyPiece>),
    /// A session of Engine.IO or SockJS began, found a new connection, or moved.
    SessionChanged {
        /// The session as it is now.
        session: Arc<TransportSession>,
        /// What is new about it.
        change: SessionChange,
    },
    /// A body that carries packets of a session is whole. Follows its end.
    PacketsCarried(Box<Carried>),
}

/// A body of an Engine.IO or SockJS session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The session, where it is known.
    pub session: Option<SessionId>,
    /// What the packets are of.
    pub protocol: SessionProtocol,
    /// Which way they went.
    pub direction: Direction,
    /// The request whose body, or whose answer's body, it is.
    pub request: Arc<Head>,
    /// `Content-Encoding` of the body, where it has one.
    pub coding: Option<String>,
    /// The body's content as far as [`crate::session::Limits::body_content`] keeps it, content coding
    /// left on.
    pub content: Bytes,
    /// Octets of the whole content.
    pub content_len: u64,
}

/// One request and its answer, over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeFacts {
    /// Its ordinal among the requests of its connection, from 0; requests for a WebSocket count too.
    pub ordinal: u64,
    /// The request.
    pub request: Arc<Head>,
    /// The answer, where there is one; interim ones (1xx) are none.
    pub response: Option<Arc<Head>>,
    /// When the request's head was whole.
    pub requested_at: Timestamp,
    /// When the whole request, its body included, had come; `None` where it never did.
    pub sent_at: Option<Timestamp>,
    /// When the answer's head was whole.
    pub answered_at: Option<Timestamp>,
    /// When the first octet of the answer's content was read.
    pub content_at: Option<Timestamp>,
    /// When its last octet was read, or its connection ended.
    pub ended_at: Timestamp,
    /// Its connection ended, or could not be followed, before the answer was whole.
    pub is_cut: bool,
    /// Octets of the request's content.
    pub request_len: u64,
    /// Octets of the answer's content.
    pub response_len: u64,
    /// Chunks or lines of the answer, where they are told apart.
    pub pieces: u64,
    /// What it is part of; `None` where that is nothing but a request and its answer.
    pub kind: Option<TransportKind>,
    /// The series it belongs to, as that is now, where one is told.
    pub series: Option<Arc<Series>>,
    /// The session it belongs to.
    pub session: Option<SessionId>,
}

impl ExchangeFacts {
    /// How long the server held the answer: from the whole request to the first octet of the answer's
    /// content, or to its whole head where there is none. `None` without an answer.
    pub fn held(&self) -> Option<Duration> {
        let answered = self.content_at.or(self.answered_at)?;
        Some(answered.since(self.sent_at.unwrap_or(self.requested_at)))
    }

    /// How long the answer went on once it had begun.
    pub fn lasted(&self) -> Option<Duration> {
        Some(self.ended_at.since(self.answered_at?))
    }

    /// Whether the answer said that there is nothing: no content.
    pub fn is_empty(&self) -> bool {
        self.response.is_some() && self.response_len == 0
    }

    /// Octets of both heads.
    pub fn head_len(&self) -> u64 {
        let response = self.response.as_ref().map_or(0, |head| head.raw.len());
        (self.request.raw.len() as u64).saturating_add(response as u64)
    }
}

/// Exchanges of one client with one URL, one after the other, that are one transport together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its number.
    pub id: SeriesId,
    /// What it is.
    pub kind: TransportKind,
    /// What that rests on.
    pub evidence: Evidence,
    /// Why, in words: `held for 24.98 s, asked again 2 ms after the answer, 2 times`.
    pub reason: String,
    /// Who asks.
    pub client: IpAddr,
    /// `Host` of the requests.
    pub host: String,
    /// Their method.
    pub method: String,
    /// Their path; the query is left out.
    pub path: String,
    /// The session that they carry, where it is known.
    pub session: Option<SessionId>,
    /// When the first request came, which may be before anything was told.
    pub began_at: Timestamp,
    /// When the last exchange that is over ended; the beginning before the first did.
    pub last_at: Timestamp,
    /// What it came to so far.
    pub totals: Totals,
    /// The time from one request to the next: the median of the last ones, where it is polling.
    pub period: Option<Duration>,
}

/// What the exchanges of a series that are over came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many.
    pub exchanges: u64,
    /// How many of them brought no content.
    pub empty: u64,
    /// Octets of all heads: what was spent on asking.
    pub head_octets: u64,
    /// Octets of the requests' content.
    pub request_octets: u64,
    /// Octets of the answers' content.
    pub response_octets: u64,
    /// Chunks or lines, where they are told apart.
    pub pieces: u64,
    /// The shortest time that an answer was held; zero before the first.
    pub held_shortest: Duration,
    /// The longest.
    pub held_longest: Duration,
    /// All of it together.
    pub held_total: Duration,
    /// How many answers came, whose hold is counted.
    pub answers: u64,
}

impl Totals {
    pub(super) fn add(&mut self, facts: &ExchangeFacts) {
        self.exchanges = self.exchanges.saturating_add(1);
        self.empty = self.empty.saturating_add(u64::from(facts.is_empty()));
        self.head_octets = self.head_octets.saturating_add(facts.head_len());
        self.pieces = self.pieces.saturating_add(facts.pieces);
        self.request_octets = self.request_octets.saturating_add(facts.request_len);
        self.response_octets = self.response_octets.saturating_add(facts.response_len);
        if let Some(held) = facts.held() {
            let is_first = self.answers == 0;
            self.held_shortest = if is_first { held } else { self.held_shortest.min(held) };
            self.held_longest = self.held_longest.max(held);
            self.held_total = self.held_total.saturating_add(held);
            self.answers = self.answers.saturating_add(1);
        }
    }

    /// The mean time that an answer was held; `None` before the first.
    pub fn held_mean(&self) -> Option<Duration> {
        let nanos = self.held_total.as_nanos().checked_div(u128::from(self.answers))?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}
