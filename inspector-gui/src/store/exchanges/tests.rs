//! Rows out of events.

use std::time::Duration;

use bytes::Bytes;
use framescope_core::http::ServerSentEvent;
use framescope_core::transport::{BodyPiece, PieceUnit};
use framescope_core::{Head, Leg, Timestamp};

use super::whole::Wanted;
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
