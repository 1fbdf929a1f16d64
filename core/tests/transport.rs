//! Transports: what is told of polling, long polling, streams and sessions, and what is not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use bytes::Bytes;
use framescope_core::session::Limits;
use framescope_core::subprotocol::Tracker;
use framescope_core::transport::{Evidence, MAX_URLS, SessionChange, TransportKind};
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, Event, EventKind, Finish, Index, Leg, Record, Session,
    Timestamp, TransportEvent,
};

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// What a client does, on any number of connections; time goes on only where it is said.
#[derive(Default)]
struct Wire {
    records: Vec<Record>,
    now: u64,
}

impl Wire {
    fn at(&self) -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000_000_000 + self.now * 1_000_000)
    }

    fn wait(mut self, millis: u64) -> Self {
        self.now += millis;
        self
    }

    fn opens(mut self, connection: u32) -> Self {
        let info = ConnectionInfo {
            client: format!("192.0.2.1:{}", 50_000 + connection % 10_000).parse().unwrap(),
            server: "127.0.0.1:9870".parse().unwrap(),
            mode: None,
            upstream: None,
            tls: None,
        };
        let (connection, at) = (ConnectionId(connection), self.at());
        self.records.push(Record::Opened { connection, at, info: Box::new(info) });
        self
    }

    fn says(mut self, connection: u32, direction: Direction, octets: impl AsRef<[u8]>) -> Self {
        let (connection, at) = (ConnectionId(connection), self.at());
        let octets = Bytes::copy_from_slice(octets.as_ref());
        self.records.push(Record::Octets {
            connection,
            at,
            leg: Leg::Client,
            direction,
            octets,
            in_proxy: None,
        });
        self
    }

    fn asks(self, connection: u32, line: &str) -> Self {
        self.says(connection, UP, format!("{line} HTTP/1.1\r\nHost: a.example\r\n\r\n"))
    }

    fn posts(self, connection: u32, target: &str, body: &str) -> Self {
        let len = body.len();
        let head = format!("POST {target} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {len}");
        self.says(connection, UP, format!("{head}\r\n\r\n{body}"))
    }

    fn answers(self, connection: u32, fields: &str, body: &str) -> Self {
        let len = body.len();
        self.says(
            connection,
            DOWN,
            format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {len}\r\n\r\n{body}"),
        )
    }

    fn chunk(self, connection: u32, chunk: &str) -> Self {
        self.says(connection, DOWN, format!("{:x}\r\n{chunk}\r\n", chunk.len()))
    }

    fn ends(mut self, connection: u32) -> Self {
        let (connection, at) = (ConnectionId(connection), self.at());
        for direction in Direction::BOTH {
            let how = Finish::Fin;
            let (leg, how) = (Leg::Client, how);
            self.records.push(Record::Finished { connection, at, leg, direction, how });
        }
        self
    }

    fn events(&self, limits: Limits) -> Vec<Event> {
        let mut session = Session::new(limits);
        self.records.iter().for_each(|record| session.receive(record));
        session.finish();
        std::iter::from_fn(|| session.poll_event()).collect()
    }

    fn index(&self) -> Index {
        let mut index = Index::new();
        self.records.iter().for_each(|record| index.receive(record, 0));
        index
    }

    /// Each thing told of transports, in a line.
    fn told(&self) -> Vec<String> {
        let mut tracker = Tracker::default();
        let mut told = Vec::new();
        for event in self.events(Limits::KEEP) {
            let said = tracker.receive(&event).map(|said| said.summary());
            let EventKind::TransportSeen(seen) = &event.kind else {
                told.extend(said);
                continue;
            };
            told.push(match seen {
                TransportEvent::ExchangeEnded(facts) => {
                    let held = facts.held().unwrap_or_default().as_millis();
                    let kind = facts.kind.map_or("-", TransportKind::name);
                    let cut = if facts.is_cut { " cut" } else { "" };
                    format!("{} {kind} held {held} pieces {}{cut}", facts.ordinal, facts.pieces)
                }
                TransportEvent::SeriesTold(series) => {
                    format!("{} {} by {}", series.id, series.kind, series.evidence.name())
                }
                TransportEvent::PieceReceived(piece) => {
                    let text = String::from_utf8_lossy(&piece.content);
                    format!("{} {} {text:?}", piece.unit.name(), piece.index)
                }
                TransportEvent::SessionChanged { session, change } => match change {
                    SessionChange::Joined(member) => {
                        format!("{} joined {} {}", session.id, member.connection, member.kind)
                    }
                    change => format!("{} {}", session.id, change.name()),
                },
                TransportEvent::PacketsCarried(carried) => {
                    format!("{} {}", carried.direction.arrow(), said.unwrap_or_default())
                }
            });
        }
        told
    }

    fn kinds(&self) -> Vec<(TransportKind, Evidence)> {
        self.index().series().iter().map(|series| (series.kind, series.evidence)).collect()
    }
}

#[test]
fn polling_is_told_at_its_fourth_request_whatever_connections_carry_it() {
    let mut wire = Wire::default();
    for n in 0..6 {
        wire = wire.opens(n).asks(n, &format!("GET /news?t={}", 7 * n % 5)).wait(3);
        wire = wire.answers(n, "", "[]").ends(n).wait(997);
    }
    let mut expected = vec!["0 - held 3 pieces 0"; 3];
    expected.push("≋1 polling by timing");
    expected.extend(["0 polling held 3 pieces 0"; 3]);
    assert_eq!(wire.told(), expected);
    let index = wire.index();
    let series = &index.series()[0];
    assert_eq!(series.reason, "4 requests, one every 1.00 s, each over within 3.00 ms");
    assert_eq!((series.path.as_str(), series.totals.exchanges), ("/news", 6));
    assert_eq!(series.period, Some(Duration::from_secs(1)));
    let over = index.connections()[5].exchanges[0].over.unwrap();
    assert_eq!((over.kind, over.series), (Some(TransportKind::Polling), Some(series.id)));
}

#[test]
fn long_polling_is_held_and_asked_again() {
    let mut wire = Wire::default().opens(1);
    for held in [25_000, 25_010, 400, 7_000] {
        wire = wire.asks(1, "GET /news").wait(held).answers(1, "", "[1]").wait(2);
    }
    assert_eq!(
        wire.told(),
        [
            "0 - held 25000 pieces 0",
            "1 - held 25010 pieces 0",
            "≋1 long polling by timing",
            "2 long-polling held 400 pieces 0",
            "3 long-polling held 7000 pieces 0",
        ]
    );
    let stated = Wire::default().opens(1).asks(1, "GET /news?after=7&wait=25").wait(24_990);
    let stated = stated.answers(1, "", "").asks(1, "GET /news?after=7&wait=25");
    assert_eq!(stated.kinds(), [(TransportKind::LongPolling, Evidence::Protocol)]);
    let totals = stated.index().series()[0].totals;
    assert_eq!((totals.exchanges, totals.empty, totals.held_longest.as_millis()), (1, 1, 24_990));
}

#[test]
fn two_clients_behind_one_address_are_told_apart() {
    let mut wire = Wire::default().opens(1).opens(2);
    for _ in 0..4 {
        wire = wire.asks(1, "GET /news").wait(100).answers(1, "", "[]").wait(300);
        wire = wire.asks(1, "GET /news").wait(100).asks(2, "GET /news").wait(100);
        wire = wire.answers(2, "", "[]").answers(1, "", "[]").wait(400);
    }
    assert!(wire.index().series().iter().all(|series| series.kind == TransportKind::Polling));
}

#[test]
fn ordinary_pages_are_no_transport() {
    let mut page = Wire::default().opens(1).opens(2).asks(1, "GET /").wait(20);
    page = page.says(
        1,
        DOWN,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n",
    );
    for _ in 0..5 {
        page = page.chunk(1, "<p>").wait(200);
    }
    page = page.says(1, DOWN, "0\r\n\r\n");
    for n in 0..8 {
        let connection = 1 + n % 2;
        page = page.asks(connection, &format!("GET /pictures?id={}", 100 - n)).wait(30);
        page = page.answers(connection, "Content-Type: image/png\r\n", "xxx");
    }
    // Looked at again and again by a person, and a slow answer that is asked for twice.
    for millis in [900, 4_000, 1_500, 12_000, 700] {
        page = page.wait(millis).asks(1, "GET /style.css").wait(2).answers(1, "", "*{}");
    }
    for _ in 0..2 {
        page = page.asks(1, "GET /report").wait(4_000).answers(1, "", "slow").wait(10);
    }
    // A download that comes slowly.
    page = page.asks(1, "GET /big").says(
        1,
        DOWN,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for _ in 0..100 {
        page = page.chunk(1, "0123456789").wait(90);
    }
    page = page.says(1, DOWN, "0\r\n\r\n").ends(1).ends(2);
    assert_eq!(page.kinds(), []);
    assert!(page.told().iter().all(|line| line.contains(" - held ")), "{:?}", page.told());
}

#[test]
fn a_stream_tells_its_pieces_once_it_is_one() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
    let wire = Wire::default().opens(1).asks(1, "GET /a").says(1, DOWN, format!("{head}\r\n"));
    let wire = wire.chunk(1, "one").wait(500).chunk(1, "two").wait(500).chunk(1, "three");
    let wire = wire.wait(500).chunk(1, "four").wait(500).chunk(1, "five").wait(9).ends(1);
    assert_eq!(
        wire.told(),
        [
            "≋1 HTTP streaming by timing",
            "chunk 0 \"one\"",
            "chunk 1 \"two\"",
            "chunk 2 \"three\"",
            "chunk 3 \"four\"",
            "chunk 4 \"five\"",
            "0 http-streaming held 0 pieces 5 cut",
        ]
    );
    let lines = "Content-Type: application/x-ndjson\r\n";
    let wire =
        Wire::default().opens(1).asks(1, "GET /b").says(1, DOWN, format!("{head}{lines}\r\n"));
    let wire =
        wire.wait(2_000).chunk(1, "{\"a\":1}\n{\"b\"").chunk(1, ":2}\n").says(1, DOWN, "0\r\n\r\n");
    assert_eq!(
        wire.told(),
        [
            "≋1 HTTP streaming by protocol",
            "line 0 \"{\\\"a\\\":1}\"",
            "line 1 \"{\\\"b\\\":2}\"",
            "0 http-streaming held 2000 pieces 2",
        ]
    );
    assert_eq!(wire.index().connections()[0].exchanges[0].pieces, 2);
}

#[test]
fn every_line_of_a_stream_is_told_however_the_reads_split_them() {
    let head =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/jsonl\r\n";
    let lines: String = (0..100).flat_map(|number| [number.to_string(), "\n".to_owned()]).collect();
    let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
    for len in [chunk.len(), 40, 7, 1] {
        let wire = Wire::default().opens(1).asks(1, "GET /a").says(1, DOWN, format!("{head}\r\n"));
        let reads = chunk.as_bytes().chunks(len);
        let wire = reads.fold(wire.wait(2_000), |wire, read| wire.says(1, DOWN, read));
        let told = wire.told().iter().filter(|line| line.starts_with("line ")).count();
        assert_eq!(told, 100, "in reads of {len}");
        assert_eq!(wire.index().connections()[0].rows.end(), 101, "in reads of {len}");
    }
}

#[test]
fn server_sent_events_say_what_they_are() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let wire = Wire::default().opens(1).asks(1, "GET /e").wait(5).says(1, DOWN, head);
    let wire = wire.says(1, DOWN, "data: 1\n\n").wait(60_000).ends(1);
    let told = ["≋1 server-sent events by protocol", "0 server-sent-events held 5 pieces 0"];
    assert_eq!(wire.told(), told);
}

const OPEN: &str = r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}"#;

/// Socket.IO by polling on two connections, then over a WebSocket on a third.
fn socket_io() -> Wire {
    let query = "EIO=4&transport=polling";
    let sid = "sid=lv_VI97HAXpY6yYWAAAC";
    let text = "Content-Type: text/plain\r\n";
    let wire = Wire::default().opens(1).asks(1, &format!("GET /socket.io/?{query}&t=a"));
    let wire = wire.wait(4).answers(1, text, OPEN).wait(2);
    let wire = wire
        .posts(1, &format!("/socket.io/?{query}&t=b&{sid}"), "40")
        .wait(1)
        .answers(1, text, "ok");
    let wire = wire.opens(2).asks(2, &format!("GET /socket.io/?{query}&t=c&{sid}")).wait(3);
    let wire = wire.answers(2, text, "40{\"sid\":\"x\"}\u{1e}421[\"ask\"]\u{1e}bAQID");
    let wire = wire.asks(2, &format!("GET /socket.io/?{query}&t=d&{sid}"));
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    let target = format!("/socket.io/?EIO=4&transport=websocket&{sid}");
    let wire = wire.opens(3).says(
        3,
        UP,
        format!(
            "GET {target} HTTP/1.1\r\nHost: a.example\r\n{upgrade}Sec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ),
    );
    let wire = wire.wait(1).says(
        3,
        DOWN,
        format!(
            "HTTP/1.1 101 Switching Protocols\r\n{upgrade}\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        ),
    );
    let masked = |text: &str| {
        [&[0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0], text.as_bytes()].concat()
    };
    let plain = |text: &str| [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    wire.says(3, UP, masked("2probe"))
        .wait(1)
        .says(3, DOWN, plain("3probe"))
        .answers(2, text, "6")
        .says(3, UP, masked("5"))
        .wait(1)
        .says(3, UP, masked("431[\"done\"]"))
        .says(3, UP, masked("427[\"more\"]"))
        .wait(2)
        .says(3, DOWN, plain("437[]"))
}

#[test]
fn a_session_of_engine_io_is_followed_from_polling_to_its_websocket() {
    let wire = socket_io();
    assert_eq!(
        wire.told(),
        [
            "§1 began",
            "≋1 long polling by protocol",
            "↓ open session \"lv_VI97HAXpY6yYWAAAC\", ping every 25 s, timeout 20 s",
            "0 long-polling held 4 pieces 0",
            "↑ CONNECT /",
            "§1 joined #1 sending",
            "≋2 sending by protocol",
            "↓ ",
            "1 sending held 1 pieces 0",
            "§1 joined #2 long polling",
            "↓ CONNECT / session \"x\" · EVENT / \"ask\" 0 args, ack 1 · attachment 3 octets",
            "0 long-polling held 3 pieces 0",
            "§1 joined #3 WebSocket",
            "ping \"probe\"",
            "pong \"probe\"",
            "§1 probed",
            "↓ noop",
            "1 long-polling held 2 pieces 0",
            "upgrade the session goes on over this WebSocket",
            "§1 upgraded",
            "ACK / 1, 1 arg",
            "EVENT / \"more\" 0 args, ack 7",
            "ACK / 7, 0 args",
        ]
    );
    // The index keeps no payloads, and knows the same.
    let index = wire.index();
    let session = &index.transport_sessions()[0];
    assert_eq!(index.transport_session(session.id), Some(session));
    for connection in index.connections() {
        assert_eq!(connection.sessions, [session.id], "{}", connection.id);
    }
    assert_eq!(
        (session.sid.as_str(), session.path.as_str()),
        ("lv_VI97HAXpY6yYWAAAC", "/socket.io/")
    );
    let members: Vec<_> =
        session.members.iter().map(|m| (m.connection.0, m.kind, m.exchanges)).collect();
    let expected = [
        (1, TransportKind::LongPolling, 1),
        (1, TransportKind::Sending, 1),
        (2, TransportKind::LongPolling, 2),
        (3, TransportKind::WebSocket, 1),
    ];
    assert_eq!(members[..], expected);
    // Each series of a session begins with a request of its own.
    for (series, member) in index.series().iter().zip(&session.members) {
        assert_eq!((series.kind, series.began_at), (member.kind, member.first_at));
    }
    assert!(index.series()[1].began_at > session.began_at);
    assert!(session.is_whole);
    assert_eq!(session.kind(), Some(TransportKind::WebSocket));
    let took = session.upgraded_at.unwrap().since(session.began_at);
    assert_eq!(took.as_millis(), 12);
}

#[test]
fn an_acknowledgement_over_the_websocket_finds_what_polling_asked() {
    let mut tracker = Tracker::default();
    let mut answers = Vec::new();
    for event in socket_io().events(Limits::KEEP) {
        for packet in tracker.receive(&event).into_iter().flat_map(|said| said.packets) {
            let of = |answer: framescope_core::subprotocol::Answer| {
                (
                    answer.to.direction,
                    answer.to.index,
                    answer.to.over_http,
                    answer.latency.as_millis(),
                )
            };
            answers.extend(packet.answers.map(of));
        }
    }
    // CONNECT and the pong; the acknowledgement of the third packet that the server polled out; one within the WebSocket.
    assert_eq!(
        answers,
        [(UP, 0, true, 4), (UP, 0, false, 1), (DOWN, 2, true, 3), (UP, 3, false, 2)]
    );
}

#[test]
fn sockjs_sessions_are_known_by_their_paths() {
    let path = "/echo/123/abcd1234";
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let wire = Wire::default().opens(1).opens(2).posts(1, &format!("{path}/xhr_streaming"), "");
    let prelude = format!("{}\n", "h".repeat(2048));
    let wire = wire.says(1, DOWN, head).chunk(1, &prelude).chunk(1, "o\n").wait(5);
    let wire = wire.posts(2, &format!("{path}/xhr_send"), "[\"hi\"]").says(
        2,
        DOWN,
        "HTTP/1.1 204 No Content\r\n\r\n",
    );
    let wire = wire.wait(5).chunk(1, "a[\"hi\"]\n");
    let told: Vec<String> = wire.told().into_iter().filter(|line| line.len() < 500).collect();
    assert_eq!(
        told,
        [
            "§1 began",
            "≋1 HTTP streaming by protocol",
            "line 1 \"o\"",
            "↑ messages \"hi\"",
            "§1 joined #2 sending",
            "≋2 sending by protocol",
            "0 sending held 0 pieces 0",
            "line 2 \"a[\\\"hi\\\"]\"",
        ]
    );
    let methods: Vec<String> = wire.index().series().iter().map(|s| s.method.clone()).collect();
    assert_eq!(methods, ["POST", "POST"]);
}

#[test]
fn any_split_of_the_octets_tells_the_same() {
    let wire = socket_io();
    let whole = wire.events(Limits::COUNT);
    for step in [1, 7, 64] {
        let mut split = Wire::default();
        for record in &wire.records {
            let Record::Octets { connection, at, leg, direction, octets, .. } = record else {
                split.records.push(record.clone());
                continue;
            };
            for part in octets.chunks(step) {
                split.records.push(Record::Octets {
                    connection: *connection,
                    at: *at,
                    leg: *leg,
                    direction: *direction,
                    octets: Bytes::copy_from_slice(part),
                    in_proxy: None,
                });
            }
        }
        assert_eq!(split.events(Limits::COUNT), whole, "{step}");
    }
}

#[test]
fn a_flood_of_urls_is_forgotten_and_what_is_asked_again_is_not() {
    let mut wire = Wire::default().opens(1);
    for n in 0..MAX_URLS * 2 {
        if n % 100 == 0 {
            wire = wire.asks(1, "GET /news").answers(1, "", "[]");
        }
        wire = wire.asks(1, &format!("GET /{n}")).answers(1, "", "").wait(10);
    }
    let index = wire.index();
    let paths: Vec<&str> = index.series().iter().map(|series| series.path.as_str()).collect();
    assert_eq!(paths, ["/news"]);
}
