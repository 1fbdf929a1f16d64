//! Conversations as the terminal shows them.

use bytes::Bytes;
use framescope_core::capture::CaptureItem;
use framescope_core::connection::{Alteration, ConnectionNote, Failure};
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
        self.records.push(Record::Octets { connection, at, leg: Leg::Client, direction, octets });
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
        let layout = Layout { columns, zone: TimeZone::UTC };
        let mut out = Vec::new();
        let format = Format::Text(layout);
        let mut feed = Feed::new(format, Palette::Plain, Secrets::Masked, &mut out).unwrap();
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
