//! Each rule about frames and messages: octets that fire it, and a near miss that does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use framescope_core::message::MessageFault;
use framescope_core::session::{EndedBy, Limits};
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, EventKind, Finish, Leg, Record, Session, Timestamp,
};
use hex_literal::hex;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;
const ID: ConnectionId = ConnectionId(1);

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// An open WebSocket that records can be fed to.
struct Conversation {
    session: Session,
    kinds: Vec<EventKind>,
}

impl Conversation {
    /// A connection that nothing was said on yet.
    fn new() -> Self {
        Self::within(Limits { inflate_budget: 100_000, ..Limits::KEEP })
    }

    fn within(limits: Limits) -> Self {
        let info = ConnectionInfo {
            client: "127.0.0.1:50000".parse().unwrap(),
            server: "127.0.0.1:80".parse().unwrap(),
            mode: None,
            upstream: None,
            tls: None,
        };
        let at = Timestamp::from_nanos(1);
        let mut new = Self { session: Session::new(limits), kinds: Vec::new() };
        new.take(&Record::Opened { connection: ID, at, info: Box::new(info) });
        new
    }

    fn open(extensions: &str) -> Self {
        Self::new().opened(extensions)
    }

    fn opened(mut self, extensions: &str) -> Self {
        self.say(UP, format!("{REQUEST}{extensions}\r\n").as_bytes());
        self.say(DOWN, format!("{RESPONSE}{extensions}\r\n").as_bytes());
        self
    }

    fn say(&mut self, direction: Direction, octets: &[u8]) {
        let octets = Bytes::copy_from_slice(octets);
        let at = Timestamp::from_nanos(2);
        self.take(&Record::Octets {
            connection: ID,
            at,
            leg: Leg::Client,
            direction,
            octets,
            in_proxy: None,
        });
    }

    fn finish(&mut self, direction: Direction, how: Finish) {
        let at = Timestamp::from_nanos(3);
        self.take(&Record::Finished { connection: ID, at, leg: Leg::Client, direction, how });
    }

    fn take(&mut self, record: &Record) {
        self.session.receive(record);
        while let Some(event) = self.session.poll_event() {
            self.kinds.push(event.kind);
        }
    }

    fn codes(&self) -> Vec<&'static str> {
        let code = |kind: &EventKind| match kind {
            EventKind::DiagnosticRaised(finding) => Some(finding.rule.code),
            _ => None,
        };
        self.kinds.iter().filter_map(code).collect()
    }
}

/// A rule's code, extensions, direction, octets that fire it, and a near miss.
type Row = (&'static str, &'static str, Direction, &'static [u8], &'static [u8]);

fn codes_of(extensions: &str, direction: Direction, octets: &[u8]) -> Vec<&'static str> {
    let mut conversation = Conversation::open(extensions);
    assert_eq!(conversation.codes(), [""; 0], "the handshake is clean");
    conversation.say(direction, octets);
    conversation.codes()
}

#[test]
fn what_the_examples_of_the_catalogue_do_not_show() {
    let rows: &[Row] = &[
        ("FRAME_RSV_WITHOUT_EXTENSION", DEFLATE, DOWN, &hex!("a1 01 41"), &hex!("81 01 41")),
        ("FRAME_OPCODE_RESERVED", "", DOWN, &hex!("8b 00"), &hex!("89 00")),
        ("CLOSE_CODE_FORBIDDEN", "", DOWN, &hex!("88 02 03ed"), &hex!("88 02 03e8")),
        ("TEXT_NOT_UTF8", "", DOWN, &hex!("81 01 ff"), &hex!("82 01 ff")),
        ("DEFLATE_INFLATE_FAILED", DEFLATE, DOWN, &hex!("c1 01 ff"), &hex!("c1 07 f248cdc9c90700")),
    ];
    for (code, extensions, direction, fires, near_miss) in rows {
        assert_eq!(codes_of(extensions, *direction, fires), [*code], "{fires:02x?}");
        assert_eq!(codes_of(extensions, *direction, near_miss), [""; 0], "{near_miss:02x?}");
    }
}

#[test]
fn a_control_frame_may_have_125_octets_and_not_126() {
    let ping = |len: u8| [&[0x89, 126, 0, len][..], &vec![0; usize::from(len)]].concat();
    assert_eq!(codes_of("", DOWN, &ping(126)), ["CONTROL_TOO_LONG"]);
    assert_eq!(codes_of("", DOWN, &[&[0x89, 125][..], &[0; 125]].concat()), [""; 0]);
}

#[test]
fn a_fault_in_compressed_text_is_told_once_and_later_messages_say_why() {
    let mut conversation = Conversation::open(DEFLATE);
    conversation.say(DOWN, &hex!("c1 01 ff  c1 05 f200110000  81 02 6f6b"));
    assert_eq!(conversation.codes(), ["DEFLATE_INFLATE_FAILED"]);
    let messages: Vec<_> = conversation
        .kinds
        .iter()
        .filter_map(|kind| match kind {
            EventKind::MessageCompleted(message) => Some((message.fault, &message.data[..])),
            _ => None,
        })
        .collect();
    assert_eq!(
        messages,
        [
            (Some(MessageFault::InflateFailed { after: 0 }), &b""[..]),
            (Some(MessageFault::ContextLost), b""),
            (None, b"ok"),
        ]
    );
}

#[test]
fn a_bomb_is_stopped_at_the_budget() {
    let mut compress = flate2::Compress::new(flate2::Compression::best(), false);
    let mut deflated = Vec::with_capacity(1 << 16);
    compress.compress_vec(&vec![0; 1 << 20], &mut deflated, flate2::FlushCompress::Sync).unwrap();
    deflated.truncate(deflated.len() - 4);
    let len = u16::try_from(deflated.len()).unwrap().to_be_bytes();
    let frame = [&[0xc2, 126][..], &len, &deflated].concat();
    assert_eq!(codes_of(DEFLATE, DOWN, &frame), ["DEFLATE_BUDGET_EXCEEDED"]);
}

#[test]
fn a_text_that_is_none_is_told_with_its_octet_across_fragments() {
    let start = format!("{RESPONSE}\r\n").len() as u64;
    // Octets behind the handshake, where in them the first that is no text lies, and in which frame.
    let rows: [(&[u8], u64, u64); 5] = [
        (&hex!("81 03 6162ff"), 4, 0),
        (&hex!("01 02 6162 80 02 63ff"), 7, 1),
        (&hex!("01 02 61c3 89 00 00 00 80 01 28"), 3, 0),
        (&hex!("01 01 61 00 01 f0 00 01 9f 80 01 92"), 5, 1),
        (&hex!("8a 00 01 00 00 00 80 02 ff61"), 8, 3),
    ];
    for (octets, offset, frame) in rows {
        for cut in 0..octets.len() {
            let mut conversation = Conversation::open("");
            conversation.say(DOWN, &octets[..cut]);
            conversation.say(DOWN, &octets[cut..]);
            let places: Vec<_> = conversation
                .kinds
                .iter()
                .filter_map(|kind| match kind {
                    EventKind::DiagnosticRaised(finding)
                        if finding.rule.code == "TEXT_NOT_UTF8" =>
                    {
                        Some((finding.place.offset - start, finding.place.len, finding.place.frame))
                    }
                    _ => None,
                })
                .collect();
            assert_eq!(places, [(offset, 1, Some(frame))], "{octets:02x?}");
        }
    }
}

#[test]
fn a_flood_of_one_fault_is_listed_up_to_a_hundred_times() {
    let codes = codes_of("", UP, &hex!("82 00").repeat(5_000));
    assert_eq!(codes.len(), 100);
}

#[test]
fn endings_in_a_frame_without_close_and_clean() {
    let mut cut = Conversation::open("");
    cut.say(DOWN, &hex!("82 05 0102"));
    cut.finish(DOWN, Finish::Fin);
    cut.finish(UP, Finish::Fin);
    assert_eq!(cut.codes(), ["CONNECTION_CUT_IN_FRAME", "CONNECTION_WITHOUT_CLOSE"]);

    let mut silent = Conversation::open("");
    silent.finish(UP, Finish::Reset);
    assert_eq!(silent.codes(), ["CONNECTION_WITHOUT_CLOSE"]);

    let mut clean = Conversation::open("");
    clean.say(UP, &hex!("88 82 00000000 03e8"));
    clean.say(DOWN, &hex!("88 02 03e8"));
    clean.finish(DOWN, Finish::Fin);
    clean.finish(UP, Finish::Fin);
    assert_eq!(clean.codes(), [""; 0]);
    let Some(EventKind::ConnectionEnded(ending)) = clean.kinds.last() else { panic!("an ending") };
    assert_eq!((ending.by, ending.close), (EndedBy::Peer(DOWN), Some((UP, Some(1000)))));
}

#[test]
fn frames_glued_to_the_request_are_read_once_the_answer_is_there() {
    let mut early = Conversation::new();
    early.say(
        UP,
        [format!("{REQUEST}\r\n").as_bytes(), &hex!("81 81 00000000 41")].concat().as_slice(),
    );
    assert!(!early.kinds.iter().any(|kind| matches!(kind, EventKind::FrameDecoded(_))));
    early.say(DOWN, [format!("{RESPONSE}\r\n").as_bytes(), &hex!("81 01 42")].concat().as_slice());
    let data: Vec<&[u8]> = early
        .kinds
        .iter()
        .filter_map(|kind| match kind {
            EventKind::MessageCompleted(message) => Some(&message.data[..]),
            _ => None,
        })
        .collect();
    assert_eq!(data, [b"A", b"B"]);
}

#[test]
fn an_http_connection_keeps_its_exchanges_apart_until_it_upgrades() {
    let mut session = Conversation::new();
    session.say(UP, b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz");
    session.say(DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
    session
        .say(DOWN, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
    session.say(UP, format!("{REQUEST}\r\n").as_bytes());
    session.say(DOWN, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\n!");
    session.say(UP, format!("{REQUEST}\r\n").as_bytes());
    session.say(DOWN, format!("{RESPONSE}\r\n").as_bytes());
    session.say(UP, &hex!("81 81 00000000 41"));
    let told: Vec<String> = session
        .kinds
        .iter()
        .filter_map(|kind| match kind {
            EventKind::HeadReceived { head, .. } => Some(
                head.target().map_or_else(|| head.status().unwrap().to_string(), str::to_owned),
            ),
            EventKind::BodyCompleted { content_len, .. } => Some(format!("body {content_len}")),
            EventKind::HandshakeCompleted(handshake) => {
                Some(format!("upgraded {}", handshake.upgraded))
            }
            EventKind::FrameDecoded(frame) => Some(format!("frame {}", frame.header.opcode)),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            "/a",
            "/b",
            "body 3",
            "200",
            "100",
            "401",
            "body 2",
            "/",
            "403",
            "upgraded false",
            "body 1",
            "/",
            "101",
            "upgraded true",
            "frame text"
        ]
    );
}

#[test]
fn a_101_that_names_no_protocol_is_followed_and_one_that_names_another_is_not() {
    let answer = |upgrade: &str| {
        let mut conversation = Conversation::new();
        conversation.say(UP, format!("{REQUEST}\r\n").as_bytes());
        let head = RESPONSE.replace("Upgrade: websocket\r\n", upgrade);
        conversation.say(DOWN, format!("{head}\r\n").as_bytes());
        conversation.say(DOWN, &hex!("81 01 42"));
        let frames = conversation.kinds.iter();
        let frames = frames.filter(|kind| matches!(kind, EventKind::FrameDecoded(_))).count();
        let lost = conversation.kinds.iter();
        (frames, lost.filter(|kind| matches!(kind, EventKind::LaneLost { .. })).count())
    };
    assert_eq!(answer("Upgrade: websocket\r\n"), (1, 0));
    assert_eq!(answer(""), (1, 0));
    assert_eq!(answer("Upgrade: h2c\r\n"), (0, 2));
}

#[test]
fn a_stream_of_events_tells_each_as_it_comes_in_any_pieces() {
    let told = |step: usize| {
        let mut conversation = Conversation::new();
        conversation.say(UP, b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
        let body = b"f\r\nretry: 2000\n\nid\r\n15\r\n: 1\ndata: hello\n\ndata\r\n4\r\n: y\n\r\n1\r\n\n\r\n0\r\n\r\n";
        for part in [&head[..], body].concat().chunks(step) {
            conversation.say(DOWN, part);
        }
        let mut told = Vec::new();
        for kind in conversation.kinds {
            match kind {
                EventKind::ServerSentEvent(sent) => {
                    told.push(format!("{:?} {:?} {:?}", sent.id, sent.retry, sent.data));
                }
                EventKind::BodyCompleted { content, wire_len, .. } => {
                    told.push(format!("{} of {wire_len}", content.len()));
                }
                _ => {}
            }
        }
        told
    };
    assert_eq!(
        told(1000),
        [
            "None Some(2000) None",
            r#"Some("1") None Some("hello")"#,
            r#"None None Some("y")"#,
            "41 of 67"
        ]
    );
    assert_eq!(told(1), told(1000));
    assert_eq!(told(7), told(1000));
}

#[test]
fn octets_that_wait_for_the_answer_do_not_keep_what_was_read_with_them() {
    let mut session = Conversation::new();
    session.say(UP, format!("{REQUEST}\r\n").as_bytes());
    let read = Bytes::from(vec![0x81; 1 << 18]);
    session.take(&Record::Octets {
        connection: ID,
        at: Timestamp::from_nanos(2),
        leg: Leg::Client,
        direction: UP,
        octets: read.slice(..1),
        in_proxy: None,
    });
    assert!(read.is_unique());
}

#[test]
fn frames_begin_behind_the_body_of_the_request_for_the_websocket() {
    const REFUSAL: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let plain = format!("{REQUEST}\r\n");
    let frame = hex!("81 81 00000000 41");
    let bodies =
        [("Content-Length: 3", "abc"), ("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n")];
    for (field, body) in bodies {
        // Whether it is refused first, and how much of the body comes before the answer; the frame too
        // may come before it.
        let whole = body.len();
        for (is_refused, early) in
            [(false, whole), (false, 2), (true, whole), (true, 2), (false, whole + frame.len())]
        {
            let mut session = Conversation::new();
            let sent = [body.as_bytes(), &frame].concat();
            let (before, behind) = sent.split_at(early);
            session.say(UP, &[format!("{REQUEST}{field}\r\n\r\n").as_bytes(), before].concat());
            if is_refused {
                session.say(DOWN, REFUSAL.as_bytes());
                let (rest, frame) = behind.split_at(whole - early);
                session.say(UP, &[rest, plain.as_bytes()].concat());
                session.say(DOWN, format!("{RESPONSE}\r\n").as_bytes());
                session.say(UP, frame);
            } else {
                session.say(DOWN, format!("{RESPONSE}\r\n").as_bytes());
                session.say(UP, behind);
            }
            let told: Vec<String> = session
                .kinds
                .iter()
                .filter_map(|kind| match kind {
                    EventKind::BodyCompleted { direction: UP, content, .. } => {
                        Some(String::from_utf8(content.to_vec()).unwrap())
                    }
                    EventKind::MessageCompleted(message) => Some(format!("{:?}", message.data)),
                    EventKind::LaneLost { reason, .. } => Some(reason.clone()),
                    _ => None,
                })
                .collect();
            assert_eq!(told, ["abc", "b\"A\""], "{field}, {is_refused}, {early}");
        }
    }
}

#[test]
fn a_reason_that_is_cut_by_a_limit_is_judged_as_far_as_it_is_kept() {
    let codes = |reason: &[u8], frame_payload: usize| {
        let limits = Limits { frame_payload, ..Limits::KEEP };
        let mut conversation = Conversation::within(limits).opened("");
        let len = u16::try_from(reason.len() + 2).unwrap().to_be_bytes();
        conversation.say(DOWN, &[&hex!("88 7e")[..], &len, &hex!("03e8"), reason].concat());
        conversation.codes()
    };
    for kept in [1_000, 1_001, 4_096, 1 << 20] {
        assert_eq!(codes("é".repeat(4_000).as_bytes(), kept), ["CONTROL_TOO_LONG"], "{kept}");
        let wrong = [&b"\xff"[..], &[b'a'; 8_000]].concat();
        assert_eq!(codes(&wrong, kept), ["CONTROL_TOO_LONG", "CLOSE_REASON_NOT_UTF8"], "{kept}");
    }
    let cut = [&[b'a'; 8_000][..], b"\xc3"].concat();
    assert_eq!(codes(&cut, 1 << 20), ["CONTROL_TOO_LONG", "CLOSE_REASON_NOT_UTF8"]);
}
