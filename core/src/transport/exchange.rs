//! The exchanges of one connection: requests that wait for answers, and answers that go on.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::stream::StreamWatch;
use super::target::{Stated, Target};
use super::transports::{Asked, Seat, SessionKey, Transports};
use super::{
    BodyPiece, Carried, Evidence, ExchangeFacts, SessionProtocol, TransportEvent, TransportKind,
};
use crate::subprotocol::engine_io_session;
use crate::{ConnectionId, Direction, Head, Timestamp};

/// Octets of the answer that opens an Engine.IO session that are read for its name.
const OPENING: usize = 4 << 10;

/// Requests of one connection that are followed at a time; a client that pipelines more is not.
const MAX_OPEN: usize = 1_024;

/// What an exchange has to say, with its time.
type Tell<'a> = &'a mut dyn FnMut(Timestamp, TransportEvent);

/// Follows one connection's exchanges.
#[derive(Debug)]
pub(crate) struct Exchanges {
    connection: ConnectionId,
    client: IpAddr,
    next: u64,
    open: VecDeque<Open>,
    /// There were too many, or a lane was lost: what answers what is not known any more.
    is_lost: bool,
}

#[derive(Debug)]
struct Open {
    facts: ExchangeFacts,
    stated: Option<Stated>,
    seat: Seat,
    stream: Option<StreamWatch>,
}

impl Exchanges {
    /// Of a connection on which nothing was asked yet.
    pub(crate) fn new(connection: ConnectionId, client: IpAddr) -> Self {
        Self { connection, client, next: 0, open: VecDeque::new(), is_lost: false }
    }

    /// A request's head is whole, and all of it where it has no body.
    pub(crate) fn requested(
        &mut self,
        request: &Arc<Head>,
        at: Timestamp,
        has_body: bool,
        transports: &mut Transports,
        tell: Tell<'_>,
    ) {
        let ordinal = self.next;
        self.next = self.next.saturating_add(1);
        if self.is_lost || self.open.len() >= MAX_OPEN {
            self.lose();
            return;
        }
        let stated = Stated::of(&Target::of(request));
        let is_plain = stated.is_none() && !request.asks_for_websocket();
        let mut seat = Seat::None;
        if is_plain {
            let (found, told) = transports.begin(self.asked(request, at));
            seat = found;
            if let Some(series) = told {
                tell(at, TransportEvent::SeriesTold(series));
            }
        }
        self.open.push_back(Open {
            facts: ExchangeFacts {
                ordinal,
                request: Arc::clone(request),
                response: None,
                requested_at: at,
                sent_at: (!has_body).then_some(at),
                answered_at: None,
                content_at: None,
                ended_at: at,
                is_cut: false,
                request_len: 0,
                response_len: 0,
                pieces: 0,
                kind: None,
                series: None,
                session: None,
            },
            stated,
            seat,
            stream: None,
        });
    }

    /// The body of the latest request is whole.
    pub(crate) fn request_ended(
        &mut self,
        at: Timestamp,
        content_len: u64,
        content: &Bytes,
        transports: &Transports,
        tell: Tell<'_>,
    ) {
        let Some(open) = self.open.back_mut() else { return };
        let direction = Direction::ClientToServer;
        open.facts.sent_at = Some(at);
        open.facts.request_len = content_len;
        if let (Some(stated), 1..) = (&open.stated, content_len) {
            let session = transports.session_of(stated, &open.facts.request);
            tell(at, open.carried(stated.protocol, direction, session, content, content_len));
        }
    }

    /// Octets of the answer to come that have to be kept whatever the limits are.
    pub(crate) fn wanted_content(&self) -> usize {
        match self.open.front().and_then(|open| open.stated.as_ref()) {
            Some(stated) if stated.sid.is_none() => OPENING,
            _ => 0,
        }
    }

    /// Whether the messages of the answer to come are lines, whatever its media type is.
    pub(crate) fn has_lines(&self) -> bool {
        let stated = self.open.front().and_then(|open| open.stated.as_ref());
        stated.is_some_and(Stated::has_lines)
    }

    /// The answer's head to the first request that waits is whole; interim ones do not count.
    pub(crate) fn answered(
        &mut self,
        response: &Arc<Head>,
        at: Timestamp,
        is_event_stream: bool,
        transports: &mut Transports,
        tell: Tell<'_>,
    ) {
        let (connection, client) = (self.connection, self.client);
        let Some(open) = self.open.front_mut() else { return };
        open.facts.response = Some(Arc::clone(response));
        open.facts.answered_at = Some(at);
        let is_good = response.status().is_some_and(|status| (200..300).contains(&status));
        let mut stream = StreamWatch::new(response, at);
        if let (Some(stated), true) = (&open.stated, is_good)
            && let Some(kind) = kind_of(stated, &open.facts.request)
        {
            if kind == TransportKind::HttpStreaming {
                stream.state();
            }
            if let Some(sid) = &stated.sid {
                let (request, requested_at) = (&open.facts.request, open.facts.requested_at);
                let asked = Asked { connection, client, request, at: requested_at };
                let told = &mut |event| tell(at, event);
                open.seat = transports.join(asked, stated, sid, kind, told);
            }
        } else if is_event_stream {
            let reason = "Content-Type: text/event-stream".to_owned();
            let (kind, evidence) = (TransportKind::ServerSentEvents, Evidence::Protocol);
            if let Some(series) = transports.tell(&open.seat, kind, evidence, reason) {
                tell(at, TransportEvent::SeriesTold(series));
            }
        }
        open.stream = (!is_event_stream).then_some(stream);
    }

    /// The first octet of the answer's content was read.
    pub(crate) fn content_began(&mut self, at: Timestamp) {
        if let Some(open) = self.open.front_mut() {
            open.facts.content_at = Some(at);
        }
    }

    /// Chunks or lines of the answer are whole.
    pub(crate) fn pieces(
        &mut self,
        at: Timestamp,
        pieces: Vec<BodyPiece>,
        transports: &mut Transports,
        tell: Tell<'_>,
    ) {
        let Some(open) = self.open.front_mut() else { return };
        let Some(stream) = &mut open.stream else { return };
        for piece in pieces {
            if let Some((evidence, reason)) = stream.saw(at, piece) {
                let kind = TransportKind::HttpStreaming;
                if let Some(series) = transports.tell(&open.seat, kind, evidence, reason) {
                    tell(at, TransportEvent::SeriesTold(series));
                }
            }
        }
        open.facts.pieces = stream.pieces();
        let session = transports.session_at(&open.seat);
        for (at, piece) in stream.take_held() {
            let piece = BodyPiece { session, ..piece };
            tell(at, TransportEvent::PieceReceived(Box::new(piece)));
        }
    }

    /// The answer to the first request that waits is whole. An empty body is whole with its head.
    pub(crate) fn answer_ended(
        &mut self,
        at: Timestamp,
        content_len: u64,
        content: &Bytes,
        transports: &mut Transports,
        tell: Tell<'_>,
    ) {
        let Some(mut open) = self.open.pop_front() else { return };
        let direction = Direction::ServerToClient;
        open.facts.response_len = content_len;
        let is_good =
            open.facts.response.as_ref().and_then(|response| response.status()) == Some(200);
        if let Some(stated) = open.stated.take() {
            if let (None, true, Some(kind)) =
                (&stated.sid, is_good, kind_of(&stated, &open.facts.request))
                && open.coding().is_none()
                && let Some(sid) = engine_io_session(content, stated.revision.as_deref())
            {
                let asked = self.asked(&open.facts.request, open.facts.requested_at);
                open.seat =
                    transports.join(asked, &stated, &sid, kind, &mut |event| tell(at, event));
            }
            let session = transports.session_at(&open.seat);
            if is_good && content_len > 0 {
                tell(at, open.carried(stated.protocol, direction, session, content, content_len));
            }
        }
        open.end(at, transports, tell);
    }

    /// The first request that waits opened a WebSocket: what it carries has to be watched for the move of
    /// the session with this key, where there is one.
    pub(crate) fn upgraded(
        &mut self,
        at: Timestamp,
        transports: &mut Transports,
        tell: Tell<'_>,
    ) -> Option<Arc<SessionKey>> {
        let open = self.open.pop_front()?;
        let stated = open.stated?;
        let sid = stated.sid.as_deref()?;
        let asked = self.asked(&open.facts.request, at);
        let key = transports.join_websocket(asked, &stated, sid, &mut |event| tell(at, event));
        (stated.protocol == SessionProtocol::EngineIo).then_some(key)
    }

    /// The connection ended: what waits will not be answered, and what goes on is cut.
    pub(crate) fn cut(&mut self, at: Timestamp, transports: &mut Transports, tell: Tell<'_>) {
        while let Some(mut open) = self.open.pop_front() {
            open.facts.is_cut = true;
            open.end(at, transports, tell);
        }
    }

    /// What answers what is not known any more.
    pub(crate) fn lose(&mut self) {
        self.is_lost = true;
        self.open.clear();
    }

    fn asked<'a>(&self, request: &'a Head, at: Timestamp) -> Asked<'a> {
        Asked { connection: self.connection, client: self.client, request, at }
    }
}

impl Open {
    fn end(mut self, at: Timestamp, transports: &mut Transports, tell: Tell<'_>) {
        self.facts.ended_at = at;
        if self.facts.request.asks_for_websocket() {
            return;
        }
        if let Some(series) = transports.end(&self.seat, &mut self.facts) {
            tell(at, TransportEvent::SeriesTold(series));
        }
        if self.stream.as_ref().is_some_and(StreamWatch::is_told) {
            self.facts.kind = Some(TransportKind::HttpStreaming);
        }
        tell(at, TransportEvent::ExchangeEnded(Box::new(self.facts)));
    }

    fn coding(&self) -> Option<String> {
        let response = self.facts.response.as_ref()?;
        response.value("Content-Encoding").map(std::borrow::Cow::into_owned)
    }

    fn carried(
        &self,
        protocol: SessionProtocol,
        direction: Direction,
        session: Option<super::SessionId>,
        content: &Bytes,
        content_len: u64,
    ) -> TransportEvent {
        let coding = match direction {
            Direction::ClientToServer => {
                self.facts.request.value("Content-Encoding").map(Into::into)
            }
            Direction::ServerToClient => self.coding(),
        };
        TransportEvent::PacketsCarried(Box::new(Carried {
            session,
            protocol,
            direction,
            request: Arc::clone(&self.facts.request),
            coding,
            content: content.clone(),
            content_len,
        }))
    }
}

/// What an exchange of a known protocol is.
fn kind_of(stated: &Stated, request: &Head) -> Option<TransportKind> {
    let is_post = request.method() == Some("POST");
    Some(match (stated.protocol, &*stated.transport) {
        (SessionProtocol::EngineIo, "polling") if is_post => TransportKind::Sending,
        (SessionProtocol::EngineIo, "polling") | (SessionProtocol::SockJs, "xhr" | "jsonp") => {
            TransportKind::LongPolling
        }
        (SessionProtocol::SockJs, "xhr_streaming" | "htmlfile") => TransportKind::HttpStreaming,
        (SessionProtocol::SockJs, "eventsource") => TransportKind::ServerSentEvents,
        (SessionProtocol::SockJs, "xhr_send" | "jsonp_send") => TransportKind::Sending,
        _ => return None,
    })
}
