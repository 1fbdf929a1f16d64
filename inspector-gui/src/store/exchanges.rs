//! The HTTP exchanges of one connection, with their bodies and the events of streams, while somebody
//! looks at it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use framescope_core::capture::CaptureItem;
use framescope_core::http::ServerSentEvent;
use framescope_core::index::{ExchangePart, ExchangeRows, Placed};
use framescope_core::session::{Inspector, Limits, Shared as Common};
use framescope_core::transport::{BodyPiece, Carried, PieceUnit, TransportEvent};
use framescope_core::{ConnectionId, Direction, Event, EventKind, Head, Opcode, Record, Timestamp};
use parking_lot::{RwLock, RwLockReadGuard};

use super::Shared;
use super::follower::{self, Follow};
use super::packets::{PacketReader, Packets};
use super::preview::Preview;

/// Of a body, or of the data of an event, as much is kept as a search looks through.
const LIMITS: Limits = Limits { frame_payload: 0, message_data: 0, ..Limits::KEEP };
/// Of a body that is written to a file, so much is kept.
const WHOLE: Limits = Limits { body_content: MAX_OCTETS, ..LIMITS };
/// Rows that are kept; beyond, the oldest go.
pub(crate) const MAX_ROWS: usize = 50_000;
/// Octets of bodies and events that are kept; beyond, those of the oldest rows go.
const MAX_OCTETS: usize = 64 << 20;

/// One row: an exchange where it was asked for, or an event of its answer.
#[derive(Debug, Clone)]
pub enum Row {
    /// A request, and what came of it.
    Exchange(Box<Exchange>),
    /// A block of an event stream.
    Event(Box<StreamEvent>),
    /// A chunk or line of another stream.
    Piece(Box<StreamPiece>),
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// When the request's head was whole.
    pub requested_at: Timestamp,
    /// The request.
    pub request: Arc<Head>,
    /// When the answer's head was whole.
    pub answered_at: Option<Timestamp>,
    /// The answer.
    pub response: Option<Arc<Head>>,
    /// When the answer's last octet was read.
    pub ended_at: Option<Timestamp>,
    /// Contents of request and answer once they are whole, by [`Direction::index`].
    pub bodies: [Option<Content>; 2],
    /// What request and answer say where they carry a session, by [`Direction::index`].
    pub packets: [Packets; 2],
    /// Events of the answer.
    pub events: u64,
    /// Chunks or lines of the answer, where it is a stream.
    pub pieces: u64,
}

/// What a body holds.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// As much of it as is kept, any content coding still on it.
    pub octets: Bytes,
    /// How long it is.
    pub len: u64,
}

impl Content {
    /// Whether all of it is kept. An octet of text that is not UTF-8 takes three once it is U+FFFD.
    pub fn is_whole(&self) -> bool {
        self.octets.len() as u64 >= self.len
    }

    /// What an event holds; without data it holds nothing.
    pub fn of_event(event: &ServerSentEvent) -> Option<Self> {
        let octets = Bytes::copy_from_slice(event.data.as_deref()?.as_bytes());
        Some(Self { octets, len: event.data_len })
    }

    /// What a piece holds. What ends a line is no part of it, nor missing from it.
    pub fn of_piece(piece: &BodyPiece) -> Self {
        let octets = piece.content.clone();
        let kept = octets.len() as u64;
        let ends = if piece.unit == PieceUnit::Line { "\r\n".len() as u64 } else { 0 };
        let is_whole = piece.len.saturating_sub(kept) <= ends;
        Self { octets, len: if is_whole { kept } else { piece.len } }
    }
}

/// One event of a stream.
#[derive(Debug, Clone)]
pub struct StreamEvent {
    /// When it was whole.
    pub at: Timestamp,
    /// What it says.
    pub event: ServerSentEvent,
    /// Number of the row of its exchange.
    pub exchange: usize,
}

/// One chunk or line of a stream.
#[derive(Debug, Clone)]
pub struct StreamPiece {
    /// When it was whole.
    pub at: Timestamp,
    /// What it holds.
    pub piece: BodyPiece,
    /// Number of the row of its exchange.
    pub exchange: usize,
}

impl Row {
    /// When it came: a request, an event or a piece.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Exchange(exchange) => exchange.requested_at,
            Self::Event(event) => event.at,
            Self::Piece(piece) => piece.at,
        }
    }

    /// What it holds: of an exchange the body that went this way, once it is whole.
    pub fn content(&self, direction: Direction) -> Option<Content> {
        match self {
            Self::Exchange(exchange) => exchange.bodies[direction.index()].clone(),
            Self::Event(event) => Content::of_event(&event.event),
            Self::Piece(piece) => Some(Content::of_piece(&piece.piece)),
        }
    }

    /// How long that is.
    pub fn content_len(&self, direction: Direction) -> Option<u64> {
        match self {
            Self::Exchange(exchange) => Some(exchange.bodies[direction.index()].as_ref()?.len),
            Self::Event(event) => Some(event.event.data_len),
            Self::Piece(piece) => Some(piece.piece.len),
        }
    }

    fn kept_octets(&self) -> usize {
        match self {
            Self::Exchange(exchange) => {
                let bodies = exchange.bodies.iter().flatten().map(|body| body.octets.len());
                bodies.chain(exchange.packets.iter().map(Packets::octets)).sum()
            }
            Self::Event(event) => event.event.data.as_ref().map_or(0, String::len),
            Self::Piece(piece) => piece.piece.content.len(),
        }
    }

    fn drop_octets(&mut self) {
        match self {
            Self::Exchange(exchange) => {
                exchange.bodies.iter_mut().flatten().for_each(|body| body.octets = Bytes::new());
                exchange.packets = [Packets::default(), Packets::default()];
            }
            Self::Event(event) => {
                if let Some(data) = &mut event.event.data {
                    *data = String::new();
                }
            }
            Self::Piece(piece) => piece.piece.content = Bytes::new(),
        }
    }
}

impl Exchange {
    /// From the request's head to the answer's.
    pub fn waited(&self) -> Option<Duration> {
        Some(self.answered_at?.since(self.requested_at))
    }

    /// One line of the answer's body.
    pub fn preview(&self) -> Option<Preview> {
        let body = self.bodies[Direction::ServerToClient.index()].as_ref()?;
        let octets = body.octets.get(..super::preview::MAX_OCTETS).unwrap_or(&body.octets);
        let cut = (octets.len() as u64) < body.len;
        (!octets.is_empty()).then(|| Preview::of(Opcode::Binary, octets, cut))
    }
}

/// The rows of one connection.
#[derive(Debug, Default)]
pub struct Rows {
    kept: VecDeque<Row>,
    /// How many went before the first.
    gone: usize,
    octets: usize,
    /// The row whose octets are the next to go.
    emptied: usize,
    numbers: ExchangeRows,
}

impl Rows {
    /// One more than the number of the last row.
    pub fn end(&self) -> usize {
        self.gone + self.kept.len()
    }

    /// The number of the first row that is still kept.
    pub fn start(&self) -> usize {
        self.gone
    }

    /// The row with this number, from 0.
    pub fn get(&self, number: usize) -> Option<&Row> {
        self.kept.get(number.checked_sub(self.gone)?)
    }

    fn exchange(&mut self, number: usize) -> Option<&mut Exchange> {
        match self.kept.get_mut(number.checked_sub(self.gone)?)? {
            Row::Exchange(exchange) => Some(exchange),
            Row::Event(_) | Row::Piece(_) => None,
        }
    }

    fn push(&mut self, row: Row) {
        self.octets += row.kept_octets();
        self.kept.push_back(row);
        if self.kept.len() > MAX_ROWS
            && let Some(oldest) = self.kept.pop_front()
        {
            self.gone += 1;
            self.octets -= oldest.kept_octets();
        }
        self.bound();
    }

    fn bound(&mut self) {
        self.emptied = self.emptied.max(self.gone);
        while self.octets > MAX_OCTETS
            && let Some(row) = self.kept.get_mut(self.emptied - self.gone)
        {
            self.octets -= row.kept_octets();
            row.drop_octets();
            self.emptied += 1;
        }
    }

    /// What a body says.
    fn take_packets(&mut self, carried: &Carried, packets: Packets) {
        let of_request = |row: &&mut Row| match row {
            Row::Exchange(exchange) => exchange.request.offset == carried.request.offset,
            Row::Event(_) | Row::Piece(_) => false,
        };
        let Some(Row::Exchange(exchange)) = self.kept.iter_mut().rev().find(of_request) else {
            return;
        };
        let said = &mut exchange.packets[carried.direction.index()];
        self.octets = self.octets - said.octets() + packets.octets();
        *said = packets;
        self.bound();
    }

    fn take(&mut self, event: Event) {
        let Some(placed) = self.numbers.place(&event.kind) else { return };
        let (at, Placed { row, exchange, part }) = (event.at, placed);
        match (event.kind, part) {
            (EventKind::HeadReceived { head, .. }, ExchangePart::Request { is_whole }) => {
                self.push(Row::Exchange(Box::new(Exchange {
                    requested_at: at,
                    request: head,
                    answered_at: None,
                    response: None,
                    ended_at: None,
                    bodies: [is_whole.then(Content::default), None],
                    packets: [Packets::default(), Packets::default()],
                    events: 0,
                    pieces: 0,
                })));
            }
            (EventKind::HeadReceived { head, .. }, ExchangePart::Response { is_whole }) => {
                let Some(of) = self.exchange(row) else { return };
                (of.answered_at, of.response) = (Some(at), Some(head));
                if is_whole {
                    of.ended_at = Some(at);
                    of.bodies[Direction::ServerToClient.index()] = Some(Content::default());
                }
            }
            (
                EventKind::BodyCompleted { content_len, content, .. },
                ExchangePart::Body(direction),
            ) => {
                let Some(of) = self.exchange(row) else { return };
                let len = content.len();
                let body = Content { octets: content, len: content_len };
                of.bodies[direction.index()] = Some(body);
                if direction == Direction::ServerToClient {
                    of.ended_at = Some(at);
                }
                self.octets += len;
                self.bound();
            }
            (EventKind::ServerSentEvent(event), _) => {
                if let Some(of) = self.exchange(exchange) {
                    of.events += 1;
                }
                let event = StreamEvent { at, event: *event, exchange };
                self.push(Row::Event(Box::new(event)));
            }
            (EventKind::TransportSeen(TransportEvent::PieceReceived(piece)), _) => {
                if let Some(of) = self.exchange(exchange) {
                    of.pieces += 1;
                }
                let piece = StreamPiece { at, piece: *piece, exchange };
                self.push(Row::Piece(Box::new(piece)));
            }
            _ => {}
        }
    }
}

/// What one row holds, found among the events of its connection; of all other rows nothing is kept.
#[derive(Debug)]
struct Wanted {
    row: usize,
    direction: Direction,
    numbers: ExchangeRows,
    found: Option<Content>,
}

impl Wanted {
    fn new(row: usize, direction: Direction) -> Self {
        Self { row, direction, numbers: ExchangeRows::default(), found: None }
    }

    fn take(&mut self, event: Event) {
        let Some(Placed { row, part, .. }) = self.numbers.place(&event.kind) else { return };
        if row != self.row || self.found.is_some() {
            return;
        }
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        self.found = match (event.kind, part) {
            (_, ExchangePart::Request { is_whole }) => {
                (is_whole && self.direction == up).then(Content::default)
            }
            (_, ExchangePart::Response { is_whole }) => {
                (is_whole && self.direction == down).then(Content::default)
            }
            (
                EventKind::BodyCompleted { content_len, content, .. },
                ExchangePart::Body(direction),
            ) => (direction == self.direction)
                .then_some(Content { octets: content, len: content_len }),
            (EventKind::ServerSentEvent(event), _) => Content::of_event(&event),
            (EventKind::TransportSeen(TransportEvent::PieceReceived(piece)), _) => {
                Some(Content::of_piece(&piece))
            }
            _ => None,
        };
    }

    /// What was found, once it was. An error where none of its octets are there, so that no file is
    /// replaced by nothing.
    fn found(&mut self) -> io::Result<Option<Content>> {
        match self.found.take() {
            Some(content) if content.octets.is_empty() && !content.is_whole() => {
                Err(io::Error::other("none of its octets are kept"))
            }
            found => Ok(found),
        }
    }
}

/// Reads the capture once more, as far as it is written, for what a row holds, see [`Row::content`]: 64 MiB
/// of it at most.
pub(super) fn read_content(
    shared: &Shared,
    (connection, row, direction): (ConnectionId, usize, Direction),
) -> io::Result<Content> {
    let source = &shared.source;
    let mut tail = source.follow()?;
    let end = source.wait_beyond(0, Duration::ZERO);
    let (mut inspector, mut common) = (Inspector::new(connection, WHOLE), Common::default());
    let mut wanted = Wanted::new(row, direction);
    let mut goes_on = true;
    while goes_on {
        goes_on = tail.offset() < end && tail.read_more()?;
        if !goes_on && source.is_file() {
            tail.finish();
        }
        while let Some(item) = tail.poll() {
            let CaptureItem::Record { record, .. } = item else { continue };
            if record.connection() != connection {
                continue;
            }
            inspector.receive(&record, &mut common, &mut |event| wanted.take(event));
            if let Some(content) = wanted.found()? {
                return Ok(content);
            }
        }
    }
    Err(io::Error::other("its end is not in the capture"))
}

/// The exchanges of a connection, read for as long as this is kept.
pub struct Exchanges {
    connection: ConnectionId,
    rows: Arc<RwLock<Rows>>,
    cancelled: Arc<AtomicBool>,
}

impl Exchanges {
    pub(super) fn spawn(shared: Arc<Shared>, connection: ConnectionId) -> Self {
        let new = Self { connection, rows: Arc::default(), cancelled: Arc::default() };
        let (rows, cancelled) = (Arc::clone(&new.rows), Arc::clone(&new.cancelled));
        let work = move || {
            let fresh = || {
                let inspector = Inspector::new(connection, LIMITS);
                (inspector, Common::default(), PacketReader::default())
            };
            let (mut inspector, mut common, mut packets) = fresh();
            // The follower of the index tells what is wrong with the capture; once is enough.
            let _ = follower::follow(&shared, |step| {
                match step {
                    Follow::Records(records) => {
                        let ours = |record: &Record| record.connection() == connection;
                        for (record, _) in records.drain(..).filter(|(record, _)| ours(record)) {
                            let mut rows = rows.write();
                            let mut sink = |event: Event| {
                                packets.receive(&event, &mut |carried, said| {
                                    rows.take_packets(carried, said);
                                });
                                rows.take(event);
                            };
                            inspector.receive(&record, &mut common, &mut sink);
                        }
                    }
                    Follow::Restart => {
                        (inspector, common, packets) = fresh();
                        *rows.write() = Rows::default();
                    }
                    Follow::CaughtUp | Follow::Fault(_) | Follow::Finished => {}
                }
                shared.wake.touch();
                !cancelled.load(Ordering::Acquire)
            });
        };
        // Without it the table stays empty, and the handshake tab tells the rest.
        let _ = std::thread::Builder::new().name("exchanges".to_owned()).spawn(work);
        new
    }

    /// Whose they are.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The rows, for as long as it takes to copy what is drawn.
    pub fn rows(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read()
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use framescope_core::Leg;

    use super::*;

    fn head(text: &'static str) -> Arc<Head> {
        let raw = Bytes::from_static(text.as_bytes());
        let head = if text.starts_with("HTTP") {
            Head::parse_response(raw, 0)
        } else {
            Head::parse_request(raw, 0)
        };
        Arc::new(head.expect("a head"))
    }

    fn event(millis: u64, kind: EventKind) -> Event {
        let at = Timestamp::from_nanos(millis * 1_000_000);
        Event { connection: ConnectionId(1), at, kind }
    }

    fn seen(direction: Direction, text: &'static str) -> EventKind {
        EventKind::HeadReceived { leg: Leg::Client, direction, head: head(text) }
    }

    #[test]
    fn answers_find_their_requests_and_events_their_answer() {
        let mut rows = Rows::default();
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        let body = |direction, content: &'static [u8]| EventKind::BodyCompleted {
            direction,
            wire_len: content.len() as u64,
            content_len: content.len() as u64,
            content: Bytes::from_static(content),
        };
        let kinds = [
            seen(up, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"),
            body(up, b"hi"),
            seen(down, "HTTP/1.1 100 Continue\r\n\r\n"),
            seen(down, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
            body(down, b"ok!"),
            seen(up, "DELETE /b HTTP/1.1\r\nHost: x\r\n\r\n"),
            seen(down, "HTTP/1.1 204 No Content\r\n\r\n"),
            seen(up, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"),
            seen(down, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"),
            EventKind::ServerSentEvent(Box::new(ServerSentEvent {
                data: Some("x".to_owned()),
                ..ServerSentEvent::default()
            })),
            EventKind::TransportSeen(TransportEvent::PieceReceived(Box::new(BodyPiece {
                index: 0,
                unit: PieceUnit::Line,
                session: None,
                offset: 0,
                len: 5,
                content: Bytes::from_static(b"{}"),
            }))),
        ];
        for (at, kind) in (0..).zip(kinds) {
            rows.take(event(at, kind));
        }
        assert_eq!(rows.end(), 5);
        let Some(Row::Exchange(first)) = rows.get(0) else { panic!("an exchange") };
        let bodies = first.bodies.clone().map(|body| body.expect("it is whole").octets);
        assert_eq!(bodies, [Bytes::from_static(b"hi"), Bytes::from_static(b"ok!")]);
        assert_eq!(first.response.as_ref().and_then(|head| head.status()), Some(200));
        assert_eq!(first.waited(), Some(Duration::from_millis(3)));
        assert_eq!(first.preview().expect("a body").text, "ok!");
        let Some(Row::Exchange(last)) = rows.get(2) else { panic!("an exchange") };
        assert_eq!((last.events, last.pieces, last.ended_at), (1, 1, None));
        let Some(Row::Event(event)) = rows.get(3) else { panic!("an event") };
        assert_eq!(event.exchange, 2);
        let Some(Row::Piece(piece)) = rows.get(4) else { panic!("a piece") };
        assert_eq!((piece.exchange, piece.piece.len), (2, 5));
    }

    #[test]
    fn what_is_wanted_is_found_however_much_there_is_beside_it() {
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        // Two of them are more than the table keeps.
        let large = Bytes::from(vec![0; MAX_OCTETS / 2 + 1]);
        let kinds = || {
            let body = |direction, content: &Bytes, content_len| EventKind::BodyCompleted {
                direction,
                wire_len: content_len,
                content_len,
                content: content.clone(),
            };
            let len = large.len() as u64;
            [
                seen(up, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"),
                body(up, &large, len),
                seen(down, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
                body(down, &large, len),
                seen(up, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"),
                seen(down, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
                body(down, &Bytes::new(), 9),
            ]
        };
        let found = |row, direction| {
            let mut wanted = Wanted::new(row, direction);
            for (at, kind) in (0..).zip(kinds()) {
                wanted.take(event(at, kind));
            }
            wanted.found().map(|found| found.map(|content| (content.octets.len(), content.len)))
        };
        let whole = Some((large.len(), large.len() as u64));
        for (row, direction, expected) in
            [(0, up, whole), (0, down, whole), (1, up, Some((0, 0))), (2, down, None)]
        {
            assert_eq!(found(row, direction).expect("it can be read"), expected, "{row}");
        }
        let error = found(1, down).expect_err("none of its nine octets are there");
        assert_eq!(error.to_string(), "none of its octets are kept");
    }

    #[test]
    fn what_ends_a_line_is_not_missing_from_it() {
        let piece = |unit, content: &'static [u8], len| {
            let piece = BodyPiece {
                index: 0,
                unit,
                offset: 603,
                len,
                content: Bytes::from_static(content),
                session: None,
            };
            Content::of_piece(&piece).len
        };
        assert_eq!(piece(PieceUnit::Line, b"{}", 3), 2);
        assert_eq!(piece(PieceUnit::Line, b"{}", 4), 2);
        assert_eq!(piece(PieceUnit::Line, b"{}", 50), 50, "cut");
        assert_eq!(piece(PieceUnit::Chunk, b"{}", 3), 3);
    }

    #[test]
    fn rows_are_bounded_and_keep_their_numbers() {
        let mut rows = Rows::default();
        let request = seen(Direction::ClientToServer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        for at in 0..MAX_ROWS as u64 + 10 {
            rows.take(event(at, request.clone()));
        }
        assert_eq!((rows.start(), rows.end()), (10, MAX_ROWS + 10));
        assert!(rows.get(9).is_none());
        assert_eq!(rows.get(10).map(Row::at), Some(Timestamp::from_nanos(10_000_000)));
    }
}
