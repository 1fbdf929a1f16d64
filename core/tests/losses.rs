//! What a lane says when it cannot go on, whatever split its octets come in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use framescope_core::session::Limits;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, Event, EventKind, Finish, Leg, Record, Session,
    Timestamp,
};

const ID: ConnectionId = ConnectionId(1);
const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;
const AT: Timestamp = Timestamp::from_nanos(1);
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Octets on a leg.
type Said<'a> = (Leg, Direction, &'a str);

fn opened() -> Record {
    let client = "127.0.0.1:50000".parse().unwrap();
    let info = ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None };
    Record::Opened { connection: ID, at: AT, info: Box::new(info) }
}

/// The events of a conversation that the client ends by a reset, each read at most `len` octets.
fn events(said: &[Said<'_>], len: usize, early: usize) -> Vec<EventKind> {
    let mut records = vec![opened()];
    for (leg, direction, octets) in said {
        records.extend(octets.as_bytes().chunks(len).map(|octets| Record::Octets {
            connection: ID,
            at: AT,
            leg: *leg,
            direction: *direction,
            octets: Bytes::copy_from_slice(octets),
            in_proxy: None,
        }));
    }
    let (leg, how) = (Leg::Client, Finish::Reset);
    records.push(Record::Finished { connection: ID, at: AT, leg, direction: UP, how });
    let mut session = Session::new(Limits { early, ..Limits::KEEP });
    let mut events: Vec<Event> = Vec::new();
    for record in &records {
        session.receive_into(record, &mut |event| events.push(event));
    }
    events.into_iter().map(|event| event.kind).collect()
}

/// Why lanes were lost, the same for every split.
fn losses(said: &[Said<'_>], early: usize) -> Vec<(Direction, u64, String)> {
    let whole = events(said, usize::MAX, early);
    for len in [1, 2, 7, 40] {
        assert_eq!(events(said, len, early), whole, "reads of {len} octets");
    }
    whole
        .into_iter()
        .filter_map(|kind| match kind {
            EventKind::LaneLost { direction, offset, reason } => Some((direction, offset, reason)),
            _ => None,
        })
        .collect()
}

#[test]
fn octets_behind_a_request_that_is_never_answered_are_told_of_once() {
    let said = [(Leg::Client, UP, UPGRADE), (Leg::Client, UP, "one\r\ntwo\r\n")];
    let reason = "the upgrade request before these octets was never answered".to_owned();
    assert_eq!(losses(&said, 1000), [(UP, UPGRADE.len() as u64, reason)]);
}

#[test]
fn octets_in_the_same_read_as_the_request_count_as_waiting() {
    let both = format!("{UPGRADE}0123456789");
    let said = [(Leg::Client, UP, both.as_str())];
    let reason = "more than 9 octets behind an upgrade request without an answer".to_owned();
    assert_eq!(losses(&said, 9), [(UP, UPGRADE.len() as u64, reason)]);
}

/// A server that answers before it was asked, and a client whose last read holds the end of its request
/// and a frame: what the server said was read first.
#[test]
fn octets_that_waited_are_taken_in_before_those_of_the_read_that_ended_the_waiting() {
    let (begin, end) = UPGRADE.split_at(20);
    let end = format!("{end}\u{1}\0");
    let answer = "HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n\u{2}\0";
    let said =
        [(Leg::Client, UP, begin), (Leg::Client, DOWN, answer), (Leg::Client, UP, end.as_str())];
    assert_eq!(losses(&said, 1000), []);
    let events = events(&said, usize::MAX, 1000);
    let frames = events.iter().filter_map(|kind| match kind {
        EventKind::FrameDecoded(frame) => Some(frame.direction),
        _ => None,
    });
    assert_eq!(frames.collect::<Vec<_>>(), [DOWN, UP]);
}

/// The octets behind the request are lost; those behind them begin nobody knows where.
#[test]
fn a_lane_that_was_lost_before_the_answer_stays_lost_and_the_other_is_followed() {
    let answer = "HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n\u{2}\0";
    let said = [
        (Leg::Client, UP, UPGRADE),
        (Leg::Client, UP, "0123456789"),
        (Leg::Client, DOWN, answer),
        (Leg::Client, UP, "\u{1}\0\u{1}\0"),
    ];
    let lost: Vec<_> = losses(&said, 9).into_iter().map(|(direction, ..)| direction).collect();
    assert_eq!(lost, [UP]);
    let frames = events(&said, usize::MAX, 9).into_iter().filter_map(|kind| match kind {
        EventKind::FrameDecoded(frame) => Some((frame.direction, frame.offset)),
        _ => None,
    });
    let behind_head = answer.len() as u64 - 2;
    assert_eq!(frames.collect::<Vec<_>>(), [(DOWN, behind_head)]);
}

#[test]
fn requests_without_an_answer_are_kept_up_to_a_limit() {
    let many = GET.repeat(20);
    let answer = "HTTP/1.1 204 No Content\r\n\r\n".repeat(3);
    let said = [(Leg::Client, UP, many.as_str()), (Leg::Client, DOWN, answer.as_str())];
    let limit = 5 * GET.len();
    let reason = format!("more than {limit} octets of requests without an answer");
    assert_eq!(losses(&said, limit), [(UP, limit as u64, reason)]);

    let heads = |kind: &&EventKind| matches!(kind, EventKind::HeadReceived { .. });
    assert_eq!(events(&said, usize::MAX, limit).iter().filter(heads).count(), 5 + 3);
}

#[test]
fn answered_requests_do_not_count_against_the_limit() {
    let said = [(Leg::Client, UP, GET), (Leg::Client, DOWN, "HTTP/1.1 204 \r\n\r\n")];
    assert_eq!(losses(&said.repeat(20), 2 * GET.len()), []);
}

#[test]
fn a_lane_is_lost_once() {
    let said = [
        (Leg::Client, UP, GET),
        (Leg::Client, UP, "no head\r\n\r\n"),
        (Leg::Client, DOWN, "HTTP/1.1 101 \r\nUpgrade: h2c\r\n\r\n"),
    ];
    let lost: Vec<_> = losses(&said, 1000).into_iter().map(|(direction, ..)| direction).collect();
    assert_eq!(lost, [UP, DOWN]);
}

#[test]
fn a_head_behind_octets_that_are_none_on_the_upstream_leg_is_seen_in_any_split() {
    let body = format!("a body\r\n\r\n{UPGRADE}");
    let said = [(Leg::Upstream, UP, body.as_str())];
    assert_eq!(losses(&said, 1000), []);
    let seen = events(&said, usize::MAX, 1000);
    assert!(seen.iter().any(|kind| matches!(
        kind,
        EventKind::HeadReceived { leg: Leg::Upstream, direction: UP, .. }
    )));
}

#[test]
fn a_body_is_lost_at_the_octet_that_breaks_its_framing() {
    let post = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let both = format!("{post}3\r\nabcdef");
    let reason =
        "a chunk's data does not end with CRLF: octet 0x64 at octet 6 of the body".to_owned();
    let at = (post.len() + 6) as u64;
    assert_eq!(losses(&[(Leg::Client, UP, both.as_str())], 1000), [(UP, at, reason)]);
}
