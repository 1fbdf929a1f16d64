//! What is found in HTTP exchanges, whatever the shape in which they come.

use bytes::Bytes;
use hex_literal::hex;

use super::*;
use crate::{ConnectionInfo, Finish, Timestamp};

const ID: ConnectionId = ConnectionId(1);
const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// `{"hello":"world","n":[1,2,3]}`
const GZIP: [u8; 60] = hex!(
    "1f8b080800f1536502ff68656c6c6f2e6a736f6e00 ab56ca48cdc9c957b2522acf2fca4951d251ca53b28a36d4"
    "31d2318ead0500 2e347c6a 1d000000"
);

/// A connection on which this was said, in reads of at most `len` octets; times grow by a second.
fn records(said: &[(Direction, &[u8])], len: usize) -> Vec<Record> {
    let info = ConnectionInfo {
        client: "127.0.0.1:50000".parse().unwrap(),
        server: "127.0.0.1:9870".parse().unwrap(),
        mode: None,
        upstream: None,
        tls: None,
    };
    let at = |secs: u64| Timestamp::from_nanos(secs * 1_000_000_000);
    let opened = Record::Opened { connection: ID, at: at(0), info: Box::new(info) };
    let parts = (1..).zip(said).flat_map(|(secs, (direction, octets))| {
        octets.chunks(len).map(move |part| Record::Octets {
            connection: ID,
            at: at(secs),
            leg: Leg::Client,
            direction: *direction,
            octets: Bytes::copy_from_slice(part),
            in_proxy: None,
        })
    });
    [opened].into_iter().chain(parts).collect()
}

fn ends() -> impl Iterator<Item = Record> {
    let at = Timestamp::from_nanos(u64::MAX);
    let finished = move |direction| Record::Finished {
        connection: ID,
        at,
        leg: Leg::Client,
        direction,
        how: Finish::Fin,
    };
    Direction::BOTH.into_iter().map(finished)
}

fn found(records: impl IntoIterator<Item = Record>, typed: &str) -> Found {
    let (mut search, mut found) = (Search::new(Pattern::parse(typed).unwrap()), Found::default());
    for record in records {
        search.receive(&record, &mut found);
    }
    found
}

/// The marked rows, the same for reads of any length.
fn rows(said: &[(Direction, &[u8])], typed: &str) -> Vec<usize> {
    let rows = |len| {
        let found = found(records(said, len), typed);
        assert_eq!((found.frames().count(), found.messages().count()), (0, 0));
        found.exchanges().of(ID).map_or_else(Vec::new, |marks| marks.rows().collect())
    };
    let whole = rows(usize::MAX);
    for len in [1, 7, 64] {
        assert_eq!(rows(len), whole, "{typed} in reads of {len} octets");
    }
    whole
}

#[test]
fn a_head_is_searched_in_both_directions_however_it_is_read() {
    let said: [(Direction, &[u8]); 4] = [
        (UP, b"GET /rooms?page=2 HTTP/1.1\r\nHost: a.example\r\nCookie: session=s3cret\r\n\r\n"),
        (DOWN, b"HTTP/1.1 204 No Content\r\nX-Trace-Id: 7f3a\r\n\r\n"),
        (UP, b"DELETE /rooms/7 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        (DOWN, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    ];
    let table: [(&str, &[usize]); 8] = [
        ("/rooms", &[0, 1]),
        ("PAGE=2", &[0]),
        ("session=s3cret", &[0]),
        ("x-trace-id: 7f3a", &[0]),
        ("/HTTP\\/1.1 [24]04/", &[0, 1]),
        ("/DELETE .*\\r\\nHost/", &[1]),
        ("Not Found", &[1]),
        ("nowhere", &[]),
    ];
    for (typed, expected) in table {
        assert_eq!(rows(&said, typed), expected, "{typed}");
    }
}

#[test]
fn bodies_are_searched_without_the_framing_of_chunks_and_without_their_coding() {
    let chunked: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nhop\r\n6\r\nper is\r\n0\r\n\r\n";
    let said: [(Direction, &[u8]); 5] = [
        (UP, b"POST /a HTTP/1.1\r\nContent-Length: 11\r\n\r\nname=Grace!"),
        (DOWN, chunked),
        (UP, b"GET /b HTTP/1.1\r\n\r\n"),
        (DOWN, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 60\r\n\r\n"),
        (DOWN, &GZIP),
    ];
    let table: [(&str, &[usize]); 5] = [
        ("hopper is", &[0]),
        ("per", &[0]),
        ("\"hello\":\"world\"", &[1]),
        ("/\\x1f\\x8b|hello\\.json/", &[1]),
        ("Grace", &[0]),
    ];
    for (typed, expected) in table {
        assert_eq!(rows(&said, typed), expected, "{typed}");
    }
    let octets = Pattern::new("1f 8b 08", Syntax::Octets, false).unwrap();
    let (mut search, mut found) = (Search::new(octets), Found::default());
    for record in records(&said, 9) {
        search.receive(&record, &mut found);
    }
    assert_eq!(found.exchanges().next_from((ID, 0)), Some((ID, 1)));
}

#[test]
fn a_body_counts_once_it_is_whole_and_as_far_as_it_is_kept() {
    let mut body = vec![b'.'; Limits::KEEP.body_content];
    body.extend_from_slice(b"behind");
    body[..5].copy_from_slice(b"early");
    let request: (Direction, &[u8]) = (UP, b"GET / HTTP/1.1\r\n\r\n");
    let said = [request, (DOWN, b"HTTP/1.0 200 OK\r\n\r\n"), (DOWN, &body)];
    let of = |records: Vec<Record>, typed| found(records, typed).exchanges().count();
    let whole = || records(&said, 1 << 16).into_iter().chain(ends()).collect();
    assert_eq!((of(whole(), "early"), of(whole(), "behind")), (1, 0));
    assert_eq!(of(records(&said, 1 << 16), "early"), 0, "it may go on");
}

#[test]
fn each_event_and_each_line_of_a_stream_is_a_row() {
    let said: [(Direction, &[u8]); 6] = [
        (UP, b"GET /events HTTP/1.1\r\n\r\n"),
        (DOWN, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"),
        (DOWN, b"event: joined\nid: 77\ndata: {\"who\":\"ada\"}\n\n"),
        (DOWN, b": keep-alive\nretry: 2500\n\n"),
        (DOWN, b"data: hello\ndata: world\n\n"),
        (DOWN, b"data: not ended"),
    ];
    let table: [(&str, &[usize]); 8] = [
        ("joined", &[1]),
        ("77", &[1]),
        ("ada", &[1]),
        ("keep-alive", &[2]),
        ("2500", &[2]),
        ("/hello\\nworld/", &[3]),
        ("text/event-stream", &[0]),
        ("not ended", &[]),
    ];
    for (typed, expected) in table {
        assert_eq!(rows(&said, typed), expected, "{typed}");
    }
    let lines = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n".as_bytes();
    let said: [(Direction, &[u8]); 6] = [
        (UP, b"GET /feed HTTP/1.1\r\n\r\n"),
        (DOWN, lines),
        (DOWN, b"{\"n\":1}\n"),
        (DOWN, b"{\"n\":2}\n"),
        (DOWN, b"{\"n\":3}\n"),
        (DOWN, b"{\"n\":4}\n"),
    ];
    assert_eq!(rows(&said, "\"n\":3"), [3]);
    let over = records(&said, 5).into_iter().chain(ends());
    let found = found(over, "\"n\":3");
    let rows: Vec<_> = found.exchanges().of(ID).unwrap().rows().collect();
    assert_eq!(rows, [0, 3], "the body that is over, and its line");
}

#[test]
fn the_opening_handshake_is_a_row_and_what_follows_it_are_frames() {
    let said: [(Direction, &[u8]); 3] = [
        (
            UP,
            b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ),
        (
            DOWN,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        ),
        (DOWN, &hex!("81 05 48656c6c6f")),
    ];
    for (typed, exchanges, messages) in
        [("s3pPLMBiTxaQ9kYGzzhZRbK", 1, 0), ("a.example", 1, 0), ("hello", 0, 1), ("e", 1, 1)]
    {
        for len in [1, 50, usize::MAX] {
            let found = found(records(&said, len), typed);
            let counts = (found.exchanges().count(), found.messages().count());
            assert_eq!(counts, (exchanges, messages), "{typed} in reads of {len}");
        }
    }
}
