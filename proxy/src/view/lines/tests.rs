//! Conversations as the terminal shows them.

use bytes::Bytes;
use framescope_core::capture::CaptureItem;
use framescope_core::connection::{Alteration, ConnectionNote, Failure};
use framescope_core::export::Depth;
use framescope_core::payload::{Format as PayloadFormat, Lens};
use framescope_core::present::Secrets;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, Finish, Leg, MaskingKey, Record, Timestamp,
};
use jiff::tz::TimeZone;

use super::Layout;
use crate::view::{Feed, Format, Palette};

const CLIENT: Direction = Direction::ClientToServer;
const SERVER: Direction = Direction::ServerToClient;

/// A connection being recorded; each record is a millisecond after the one before.
struct Conversation {
    records: Vec<Record>,
    at: Timestamp,
}

impl Conversation {
    fn new() -> Self {
        let at = Timestamp::from_nanos(1_700_000_000_000_000_000);
        let info = ConnectionInfo {
            client: "127.0.0.1:50412".parse().unwrap(),
            server: "127.0.0.1:9870".parse().unwrap(),
            mode: Some("reverse".into()),
            upstream: Some("ws://example.org/".into()),
            tls: None,
        };
        let opened = Record::Opened { connection: ConnectionId(1), at, info: Box::new(info) };
        Self { records: vec![opened], at }
    }

    fn tick(&mut self) -> Timestamp {
        self.at = self.at.plus(std::time::Duration::from_millis(1));
        self.at
    }

    fn says(mut self, direction: Direction, octets: &[u8]) -> Self {
        let (connection, at) = (ConnectionId(1), self.tick());
        let octets = Bytes::copy_from_slice(octets);
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

    fn notes(mut self, note: ConnectionNote) -> Self {
        let (connection, at) = (ConnectionId(1), self.tick());
        self.records.push(Record::Noted { connection, at, note: Box::new(note) });
        self
    }

    fn ends(mut self, direction: Direction, how: Finish) -> Self {
        let (connection, at) = (ConnectionId(1), self.tick());
        self.records.push(Record::Finished { connection, at, leg: Leg::Client, direction, how });
        self
    }

    /// The opening handshake of RFC 6455 §1.3.
    fn upgraded(self) -> Self {
        self.says(CLIENT, REQUEST.as_bytes()).says(
            SERVER,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
              Sec-WebSocket-Protocol: chat\r\n\
              Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        )
    }

    fn shown(self, columns: usize) -> String {
        self.read(columns, Depth::default(), 40)
    }

    /// As it is shown where messages are read as deeply as `depth` says.
    fn read(self, columns: usize, depth: Depth, payload_lines: usize) -> String {
        let fields = depth.microscope;
        let layout = Layout { columns, zone: TimeZone::UTC, payload_lines, fields };
        let mut out = Vec::new();
        let format = Format::Text(layout);
        let mut feed =
            Feed::with(format, Palette::Plain, Secrets::Masked, depth, &mut out).unwrap();
        for record in self.records {
            feed.receive(CaptureItem::Record { record, block_offset: 0 }).unwrap();
        }
        drop(feed);
        String::from_utf8(out).unwrap()
    }
}

const REQUEST: &str = "GET /chat?token=s3cret HTTP/1.1\r\nHost: example.org\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\nOrigin: http://example.org\r\n\r\n";

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = MaskingKey([0x37, 0xfa, 0x21, 0x3d]);
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap()];
    frame.extend_from_slice(&key.0);
    key.apply_into(0, payload, &mut frame);
    frame
}

#[test]
fn a_whole_conversation() {
    let shown = Conversation::new()
        .upgraded()
        .says(CLIENT, &masked(0x81, b"Hello"))
        .says(SERVER, b"\x01\x03Hel")
        .says(SERVER, b"\x89\x02hi")
        .says(CLIENT, &masked(0x8a, b"hi"))
        .says(SERVER, b"\x80\x02lo")
        .says(SERVER, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00")
        .says(SERVER, b"\x82\x04\x00\x01\xfe\xff")
        .says(CLIENT, &masked(0x88, b"\x03\xe8bye"))
        .says(SERVER, b"\x88\x02\x03\xe8")
        .ends(SERVER, Finish::Fin)
        .ends(CLIENT, Finish::Fin)
        .shown(120);
    insta::assert_snapshot!(shown);
}

#[test]
fn broken_peers_get_their_findings_and_cannot_hijack_the_terminal() {
    let shown = Conversation::new()
        .upgraded()
        .says(CLIENT, b"\x81\x05Hello")
        .says(SERVER, b"\x81\x0e\x1b[31mred\x1b]0;x\x07")
        .says(SERVER, b"\x81\x04a\x0a\xe2\x80")
        .says(SERVER, b"\xc1\x02\xff\xff")
        .says(SERVER, b"\x83\x00\x88\x02\x03\xed")
        .ends(SERVER, Finish::Reset)
        .shown(120);
    assert!(!shown.contains('\u{1b}'), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn plain_http_alterations_and_failures() {
    let alteration = Alteration {
        direction: CLIENT,
        what: "Host".into(),
        from: "127.0.0.1:9870".into(),
        to: "example.org".into(),
    };
    let failure = Failure {
        stage: "dial".into(),
        message: "192.0.2.7:80 refused the connection; is the server running?".into(),
        leg: Some(Leg::Upstream),
        at: None,
    };
    let shown = Conversation::new()
        .says(CLIENT, b"GET /page?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        .notes(ConnectionNote { alterations: vec![alteration], ..ConnectionNote::default() })
        .says(SERVER, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
        .says(CLIENT, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .notes(ConnectionNote { failure: Some(failure), ..ConnectionNote::default() })
        .ends(CLIENT, Finish::Fin)
        .ends(SERVER, Finish::Fin)
        .shown(120);
    insta::assert_snapshot!(shown);
}

#[test]
fn the_info_of_sockjs_stands_below_its_exchange() {
    let body = br#"{"websocket":true,"origins":["*:*"],"cookie_needed":true,"entropy":7}"#;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let shown = Conversation::new()
        .says(CLIENT, b"GET /echo/info?t=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        .says(SERVER, &[head.as_bytes(), body].concat())
        .read(120, all(), 40);
    let lines: Vec<&str> = shown.lines().skip(2).map(|line| line[12..].trim_start()).collect();
    assert!(lines[0].starts_with("#1 ⇄ GET /echo/info?t=1 → 200 OK"), "{shown}");
    assert_eq!(lines[1], "#1 · ↓ SockJS info WebSocket is on, a cookie is needed", "{shown}");
    assert!(lines.contains(&"│   cookie_needed: true"), "{shown}");
}

#[test]
fn payloads_are_cut_to_the_terminal() {
    let long = format!("{{\"text\":\"{}\"}}", "長い".repeat(20));
    let shown = Conversation::new().upgraded().says(CLIENT, &masked(0x81, &long.as_bytes()[..120]));
    for columns in [80, 100, 132] {
        let shown = Conversation { records: shown.records.clone(), at: shown.at }.shown(columns);
        let line = shown.lines().find(|line| line.contains("↑ text")).unwrap();
        let width = crate::view::escape::columns(line);
        assert!(width <= columns && width + 2 >= columns, "{width} of {columns}: {line}");
        assert!(line.ends_with('…'));
    }
}

#[test]
fn half_a_close_is_told_where_the_other_half_goes_on() {
    let shown = Conversation::new()
        .upgraded()
        .ends(CLIENT, Finish::Fin)
        .says(SERVER, b"\x81\x02ok")
        .ends(SERVER, Finish::Fin)
        .shown(120);
    let lines: Vec<&str> = shown.lines().collect();
    let fin = lines.iter().position(|l| l.contains("FIN: the client has said all")).unwrap();
    let text = lines.iter().position(|l| l.contains("↓ text")).unwrap();
    assert_eq!(fin + 1, text, "{shown}");
}

/// Everything there is to say, with payloads as they seem to be.
fn all() -> Depth {
    Depth { payload: Some(Lens::default()), microscope: true, ..Depth::default() }
}

#[test]
fn below_a_message_stands_what_is_in_it() {
    let shown = Conversation::new()
        .upgraded()
        .says(CLIENT, &masked(0x81, br#"{"id":9007199254740993,"tags":["a","b"]}"#))
        .says(SERVER, b"\x82\x0c\x82\xa2id\xcd\x04\xd2\xa1b\xc4\x01\xff")
        .says(SERVER, b"\x82\x09\x08\x96\x01\x12\x04test")
        .says(SERVER, b"\x81\x29data:application/json;base64,eyJhIjpbMV19")
        .says(SERVER, b"\x82\x14\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xff\xfe\x1b[")
        .says(SERVER, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00")
        .says(SERVER, b"\xc1\x05\xf2\x00\x11\x00\x00")
        .says(SERVER, b"\x81\x2c{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subtract\"}")
        .says(SERVER, b"\x89\x02hi")
        .ends(SERVER, Finish::Fin)
        .ends(CLIENT, Finish::Fin)
        .read(120, all(), 40);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_payload_is_shown_as_the_format_asked_for() {
    let shown = |format, payload: &'static [u8]| {
        let payload_lens = Some(Lens { format: Some(format), ..Lens::default() });
        let depth = Depth { payload: payload_lens, ..Depth::default() };
        let shown = Conversation::new().upgraded().says(CLIENT, &masked(0x81, payload));
        let shown = shown.read(80, depth, 3);
        shown.lines().skip(4).collect::<Vec<_>>().join("\n")
    };
    let rows: Vec<String> = PayloadFormat::ALL
        .into_iter()
        .map(|format| shown(format, b"[1,2,[3,4]]\n\x1b[31m"))
        .collect();
    assert!(!rows.concat().contains('\u{1b}'));
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn what_stands_below_is_within_the_columns_and_the_lines() {
    let long = "长ab\u{202e}".repeat(12);
    let payload = format!("{{\"{long}\":[{}]}}", ["1"; 9].join(","));
    for columns in [80, 90, 120] {
        for lens in [None, Some(PayloadFormat::Text), Some(PayloadFormat::Octets)] {
            let lens = Lens { format: lens, ..Lens::default() };
            let depth = Depth { payload: Some(lens), ..Depth::default() };
            let conversation = Conversation::new().upgraded();
            let frame = masked(0x81, &payload.as_bytes()[..125.min(payload.len())]);
            let shown = conversation.says(CLIENT, &frame).read(columns, depth, 2);
            let below: Vec<&str> =
                shown.lines().filter(|l| l.trim_start().starts_with('│')).collect();
            assert!((4..=6).contains(&below.len()), "{shown}");
            for line in below {
                assert!(crate::view::escape::columns(line) <= columns, "{columns}: {line}");
                assert!(!line.contains('\u{202e}'));
            }
        }
    }
}
