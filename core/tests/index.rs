//! The index over a real capture: every row reads back what the session saw live.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use framescope_core::capture::{CaptureItem, CaptureReader, CaptureWriter};
use framescope_core::frame::Rsv;
use framescope_core::index::{FrameRow, State};
use framescope_core::message::MessageFault;
use framescope_core::message::{CompressionFacts, Takeover};
use framescope_core::session::Limits;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, EventKind, Finish, FrameHeader, Index, Leg,
    MaskingKey, Opcode, PayloadLength, Record, Session, Severity, Timestamp,
};
use proptest::prelude::*;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// A capture in the making.
struct Tape {
    writer: CaptureWriter<Vec<u8>>,
    at: u64,
}

impl Tape {
    fn new() -> Self {
        Self { writer: CaptureWriter::new(Vec::new()).unwrap(), at: 1_700_000_000_000_000_000 }
    }

    fn tick(&mut self) -> Timestamp {
        self.at += 1000;
        Timestamp::from_nanos(self.at)
    }

    fn connect(&mut self, id: u32) -> ConnectionId {
        let connection = ConnectionId(id);
        let info = ConnectionInfo {
            client: format!("127.0.0.1:{}", 40_000 + id).parse().unwrap(),
            server: "127.0.0.1:9870".parse().unwrap(),
            mode: Some("reverse".into()),
            upstream: None,
            tls: None,
        };
        let at = self.tick();
        self.writer.write(&Record::Opened { connection, at, info: Box::new(info) }).unwrap();
        connection
    }

    fn open(&mut self, id: u32, extensions: &str) -> ConnectionId {
        let connection = self.connect(id);
        let request = format!(
            "GET /{id} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}\r\n"
        );
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{extensions}\r\n"
        );
        self.say(connection, UP, request.as_bytes());
        self.say(connection, DOWN, response.as_bytes());
        connection
    }

    fn say(&mut self, connection: ConnectionId, direction: Direction, octets: &[u8]) {
        self.pass(connection, direction, octets, None);
    }

    fn pass(
        &mut self,
        connection: ConnectionId,
        direction: Direction,
        octets: &[u8],
        in_proxy: Option<Duration>,
    ) {
        let (at, octets) = (self.tick(), Bytes::copy_from_slice(octets));
        let leg = Leg::Client;
        self.writer
            .write(&Record::Octets { connection, at, leg, direction, octets, in_proxy })
            .unwrap();
    }

    fn finish(&mut self, connection: ConnectionId, direction: Direction) {
        let (at, leg, how) = (self.tick(), Leg::Client, Finish::Fin);
        self.writer.write(&Record::Finished { connection, at, leg, direction, how }).unwrap();
    }
}

fn frame(fin: bool, rsv: u8, opcode: Opcode, key: Option<MaskingKey>, payload: &[u8]) -> Vec<u8> {
    let payload_len = PayloadLength::minimal(payload.len() as u64);
    let rsv = Rsv::from_bits(rsv);
    let mut wire = Vec::new();
    FrameHeader { fin, rsv, opcode, masking_key: key, payload_len }.encode(&mut wire);
    match key {
        Some(key) => key.apply_into(0, payload, &mut wire),
        None => wire.extend_from_slice(payload),
    }
    wire
}

/// Indexes the capture, and checks every row against what a session says of the same records.
fn check(tape: Tape) -> (Index, Vec<u8>) {
    let capture = tape.writer.into_inner().unwrap();
    let (mut index, mut session) = (Index::new(), Session::new(Limits::KEEP));
    let mut reader = CaptureReader::new();
    reader.receive(Bytes::from(capture.clone()));
    reader.finish();
    let (mut frames, mut messages) = (Vec::new(), Vec::new());
    while let Some(item) = reader.poll() {
        let CaptureItem::Record { record, block_offset } = item else { panic!("a whole capture") };
        index.receive(&record, block_offset);
        session.receive(&record);
        while let Some(event) = session.poll_event() {
            match event.kind {
                EventKind::FrameDecoded(frame) => frames.push((event.connection, frame)),
                EventKind::MessageCompleted(message) => messages.push((event.connection, message)),
                _ => {}
            }
        }
    }
    let mut file = Cursor::new(&capture);
    assert_eq!(index.frames().len(), frames.len());
    for (row, (connection, frame)) in frames.iter().enumerate() {
        let seen = index.frames().get(row).unwrap();
        assert_eq!((seen.connection(), seen.direction()), (*connection, frame.direction));
        assert_eq!((seen.header(), seen.offset()), (frame.header, frame.offset));
        assert_eq!(index.frame_row(*connection, frame.direction, frame.index), Some(row));
        if row % 37 == 0 || frames.len() < 1000 {
            let content = index.frame_plan(row).unwrap().read_frame(&mut file, 1 << 20).unwrap();
            assert_eq!(content.header, frame.header);
            assert_eq!(content.payload, frame.payload);
            assert_eq!(content.wire.len() as u64, frame.wire_len());
        }
    }
    let mut told = messages.iter();
    for (row, message) in index.messages().iter().enumerate() {
        let first = index.frames().get(message.first_frame as usize).unwrap();
        if !first.opcode().begins_message() {
            continue;
        }
        let (_, expected) = told.next().unwrap();
        assert_eq!(message.data_len, expected.data_len);
        if row % 131 == 0 || messages.len() < 1000 {
            let plan = index.message_plan(row).unwrap();
            let content = plan.read_message(&mut file, 1 << 20).unwrap();
            assert_eq!(content.data, expected.data, "message row {row}");
            assert_eq!((content.fault, content.cut), (expected.fault, false));
        }
    }
    assert!(told.next().is_none());
    (index, capture)
}

#[test]
fn fragments_controls_and_two_connections_read_back() {
    let mut tape = Tape::new();
    let (a, b) = (tape.open(1, ""), tape.open(2, ""));
    let key = Some(MaskingKey([1, 2, 3, 4]));
    tape.say(a, UP, &frame(false, 0, Opcode::Text, key, b"one "));
    tape.say(b, UP, &frame(true, 0, Opcode::Binary, key, &vec![9; 70_000]));
    tape.say(a, UP, &frame(true, 0, Opcode::Ping, key, b"alive"));
    let last = frame(true, 0, Opcode::Continuation, key, b"message");
    tape.say(a, UP, &last[..3]);
    tape.say(b, DOWN, &frame(true, 0, Opcode::Text, None, "é".as_bytes()));
    tape.say(a, UP, &last[3..]);
    tape.say(a, DOWN, &frame(true, 0, Opcode::Close, None, &[3, 232]));
    tape.finish(a, DOWN);
    tape.finish(a, UP);
    let (index, capture) = check(tape);

    let rows: Vec<_> = index
        .messages()
        .iter()
        .map(|row| {
            let first = index.frames().get(row.first_frame as usize).unwrap();
            (first.connection().0, first.opcode(), row.data_len, row.last_frame - row.first_frame)
        })
        .collect();
    assert_eq!(
        rows,
        [
            (2, Opcode::Binary, 70_000, 0),
            (1, Opcode::Ping, 5, 0),
            (2, Opcode::Text, 2, 0),
            (1, Opcode::Text, 11, 4),
            (1, Opcode::Close, 2, 0),
        ]
    );
    let ping = index.message_plan(1).unwrap();
    assert_eq!(ping.read_message(&mut Cursor::new(&capture), 100).unwrap().data, "alive");
    let cut = index.message_plan(0).unwrap().read_message(&mut Cursor::new(&capture), 10).unwrap();
    assert_eq!((&cut.data[..], cut.cut), (&[9; 10][..], true));

    let summary = index.connection(a).unwrap();
    assert_eq!((summary.target(), summary.state), (Some("/1"), State::Ended));
    assert_eq!((summary.frames, summary.messages), ([3, 1], [1, 0]));
    assert_eq!(summary.ending.unwrap().close, Some((DOWN, Some(1000))));
    assert_eq!(index.connection(b).unwrap().state, State::Open);
}

#[test]
fn a_late_message_of_a_compressed_lane_opens_from_a_checkpoint() {
    let mut tape = Tape::new();
    let id = tape.open(1, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let mut compress = Compress::new(Compression::fast(), false);
    let mut sent = CompressionFacts { messages: 9000, ..CompressionFacts::default() };
    for round in 0..9000u32 {
        let text =
            format!("{{\"symbol\":\"ACME\",\"round\":{round},\"price\":{}}}", round * 7 % 1000);
        let mut deflated = Vec::with_capacity(256);
        compress.compress_vec(text.as_bytes(), &mut deflated, FlushCompress::Sync).unwrap();
        deflated.truncate(deflated.len() - 4);
        sent.wire_len += deflated.len() as u64;
        sent.data_len += text.len() as u64;
        tape.say(id, DOWN, &frame(true, 0b100, Opcode::Text, None, &deflated));
    }
    let (index, capture) = check(tape);
    assert_eq!(index.connection(id).unwrap().compression, [CompressionFacts::default(), sent]);
    let seen = |row| {
        let plan = index.message_plan(row).unwrap();
        plan.read_compression(&mut Cursor::new(&capture), 1 << 20).unwrap().unwrap()
    };
    let (late, takeover) = seen(8999);
    assert_eq!((late.data_len, takeover), (index.messages()[8999].data_len, Takeover::Used));
    assert!(late.from_before > 20, "{late:?}");
    assert_eq!(seen(0).1, Takeover::Unused);
    let plan = index.message_plan(8999).unwrap();
    let last = plan.read_message(&mut Cursor::new(&capture), 1 << 20).unwrap();
    assert!(last.data.starts_with(b"{\"symbol\":\"ACME\",\"round\":8999,"));
}

/// A capture of which it is counted how many octets are read.
struct Counting<'a>(Cursor<&'a [u8]>, usize);

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.0.read(buffer)?;
        self.1 += len;
        Ok(len)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_late_message_opens_from_a_checkpoint_although_no_record_ends_between_messages() {
    const MESSAGES: usize = 6000;
    let mut tape = Tape::new();
    let id = tape.open(1, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    // A stored block, and the octet of a flush behind it.
    let deflated = [&[0x00, 0x00, 0x08, 0xff, 0xf7][..], &[b'x'; 2048], &[0x00]].concat();
    let wire = frame(true, 0b100, Opcode::Text, None, &deflated);
    let (begin, rest) = wire.split_at(1);
    tape.say(id, DOWN, begin);
    let record = [rest, begin].concat();
    for _ in 0..MESSAGES {
        tape.say(id, DOWN, &record);
    }
    let capture = tape.writer.into_inner().unwrap();
    let mut index = Index::new();
    let mut reader = CaptureReader::new();
    reader.receive(Bytes::from(capture.clone()));
    while let Some(CaptureItem::Record { record, block_offset }) = reader.poll() {
        index.receive(&record, block_offset);
    }
    assert_eq!(index.messages().len(), MESSAGES);
    let mut counting = Counting(Cursor::new(&capture), 0);
    let plan = index.message_plan(MESSAGES - 1).unwrap();
    let content = plan.read_message(&mut counting, 1 << 20).unwrap();
    assert_eq!((content.data.len(), content.fault), (2048, None));
    assert!(counting.1 < capture.len() / 2, "{} of {}", counting.1, capture.len());
}

/// A body of the request for the WebSocket, and a request that is missing.
#[test]
fn compressed_messages_read_back_wherever_frames_begin_and_whatever_is_missing_before() {
    const EXTENSIONS: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    for with_body in [true, false] {
        let mut tape = Tape::new();
        let connection = tape.connect(1);
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{EXTENSIONS}\r\n"
        );
        if with_body {
            let request = format!(
                "GET / HTTP/1.1\r\nUpgrade: websocket\r\n{EXTENSIONS}Content-Length: 3\r\n\r\nabc"
            );
            tape.say(connection, UP, request.as_bytes());
        } else {
            let (at, leg) = (tape.tick(), Leg::Client);
            let gap = Record::Gap { connection, at, leg, direction: UP, len: 300, position: None };
            tape.writer.write(&gap).unwrap();
        }
        tape.say(connection, DOWN, answer.as_bytes());
        let direction = if with_body { UP } else { DOWN };
        let key = with_body.then_some(MaskingKey([1, 2, 3, 4]));
        for payload in [&b"\xf2\x48\xcd\xc9\xc9\x07\0"[..], b"\xf2\0\x11\0\0"] {
            tape.say(connection, direction, &frame(true, 4, Opcode::Text, key, payload));
        }
        let (index, _) = check(tape);
        assert_eq!(index.messages().iter().filter(|row| row.data_len == 5).count(), 2);
    }
}

#[test]
fn without_takeover_each_message_opens_by_itself() {
    let mut tape = Tape::new();
    let offer = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
    let id = tape.open(1, &format!("Sec-WebSocket-Extensions: {offer}\r\n"));
    for round in 0..20u32 {
        let mut compress = Compress::new(Compression::fast(), false);
        let mut deflated = Vec::with_capacity(256);
        let text = format!("round {round} round {round}");
        compress.compress_vec(text.as_bytes(), &mut deflated, FlushCompress::Sync).unwrap();
        deflated.truncate(deflated.len() - 4);
        tape.say(id, DOWN, &frame(true, 0b100, Opcode::Text, None, &deflated));
    }
    let (index, capture) = check(tape);
    let plan = index.message_plan(19).unwrap();
    let (seen, takeover) =
        plan.read_compression(&mut Cursor::new(&capture), 1 << 20).unwrap().unwrap();
    assert_eq!((seen.data_len, takeover), (17, Takeover::Forgotten));
    assert_eq!((seen.matches, seen.reach.farthest.unwrap().distance), (1, 9));
}

#[test]
fn without_takeover_a_message_that_was_given_up_leaves_nothing_behind() {
    let mut tape = Tape::new();
    let offer = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
    let id = tape.open(1, &format!("Sec-WebSocket-Extensions: {offer}\r\n"));
    // RFC 7692 §7.2.3.1: "Hello", of which the first three octets leave a block open.
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    tape.say(id, DOWN, &frame(false, 0b100, Opcode::Text, None, &hello[..3]));
    tape.say(id, DOWN, &frame(true, 0b100, Opcode::Text, None, &hello));
    let (index, capture) = check(tape);
    let plan = index.message_plan(0).unwrap();
    assert_eq!(plan.read_message(&mut Cursor::new(&capture), 100).unwrap().data, "Hello");
}

#[test]
fn behind_a_message_that_leaves_a_block_open_the_context_is_lost_to_who_reads_it_too() {
    let mut tape = Tape::new();
    let id = tape.open(1, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    // RFC 7692 §7.2.3.1: "Hello", once cut within its fourth letter.
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for payload in [&hello[..], &hello[..4], &hello, &hello] {
        tape.say(id, DOWN, &frame(true, 0b100, Opcode::Text, None, payload));
    }
    let (index, capture) = check(tape);
    let read = |row| {
        let content = index.message_plan(row).unwrap();
        let content = content.read_message(&mut Cursor::new(&capture), 100).unwrap();
        (String::from_utf8(content.data.to_vec()).unwrap(), content.fault)
    };
    assert_eq!(read(0), ("Hello".to_owned(), None));
    assert_eq!(read(1), ("Hel".to_owned(), Some(MessageFault::InflateFailed { after: 3 })));
    for row in 2..4 {
        assert_eq!(read(row), (String::new(), Some(MessageFault::ContextLost)));
    }
    let findings: Vec<_> = index.findings().iter().map(|(_, finding)| finding.rule.code).collect();
    assert_eq!(findings, ["DEFLATE_INFLATE_FAILED"]);
}

#[test]
fn what_a_body_has_belongs_to_the_exchange_of_the_last_head() {
    let mut tape = Tape::new();
    let one = tape.connect(1);
    let exchanges = [
        ("GET /empty HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            "POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nyes",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nheard",
        ),
        (
            "GET /news HTTP/1.1\r\nHost: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\ndata: b\n\n",
        ),
    ];
    for (request, response) in exchanges {
        tape.say(one, UP, request.as_bytes());
        tape.say(one, DOWN, response.as_bytes());
    }
    let (index, _) = check(tape);
    let seen = index.connections()[0].exchanges.iter();
    let seen: Vec<_> = seen
        .map(|exchange| (exchange.content_len.map(Option::unwrap_or_default), exchange.events))
        .collect();
    assert_eq!(seen, [([0, 0], 0), ([3, 5], 0), ([0, 0], 2)]);
}

#[test]
fn a_frame_was_in_the_proxy_as_long_as_the_read_of_its_last_octet() {
    let mut tape = Tape::new();
    let one = tape.open(1, "");
    let hello = frame(true, 0, Opcode::Text, None, b"Hello");
    let (begin, rest) = hello.split_at(4);
    let micros = |micros| Some(Duration::from_micros(micros));
    tape.pass(one, DOWN, &[&hello, begin].concat(), micros(7));
    tape.pass(one, DOWN, rest, micros(90));
    tape.say(one, DOWN, &hello);
    let (index, capture) = check(tape);
    let mut capture = Cursor::new(&capture);
    let told =
        [0, 1, 2].map(|row| index.frame_plan(row).unwrap().read_in_proxy(&mut capture).unwrap());
    assert_eq!(told, [micros(7), micros(90), None]);
}

#[test]
fn faults_and_findings_mark_their_rows() {
    let mut tape = Tape::new();
    let id = tape.open(1, "");
    tape.say(id, DOWN, &frame(true, 0, Opcode::Text, None, b"fine"));
    tape.say(id, DOWN, &frame(true, 0, Opcode::Text, None, b"bad \xff"));
    tape.say(id, UP, &frame(true, 0, Opcode::Text, None, b"unmasked"));
    let (index, capture) = check(tape);
    let marks: Vec<_> = index.frames().rows().iter().map(FrameRow::severity).collect();
    assert_eq!(marks, [None, Some(Severity::Error), Some(Severity::Error)]);
    assert_eq!(index.connection(id).unwrap().findings, [0, 0, 2]);
    let bad = index.message_plan(1).unwrap().read_message(&mut Cursor::new(&capture), 99).unwrap();
    assert_eq!(bad.fault, Some(MessageFault::NotUtf8 { at: 4 }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_a_damaged_capture_read_or_say_why_not(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        const LIMIT: usize = 8;
        let mut tape = Tape::new();
        let id = tape.open(1, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        let key = Some(MaskingKey([1, 2, 3, 4]));
        tape.say(id, UP, &frame(true, 0, Opcode::Text, key, b"hello, world"));
        tape.say(id, DOWN, &frame(false, 0b100, Opcode::Text, None, b"\xf2\x48\xcd"));
        tape.say(id, DOWN, &frame(true, 0, Opcode::Continuation, None, b"\xc9\xc9\x07\x00"));
        tape.say(id, DOWN, &frame(true, 0b100, Opcode::Text, None, b"\xf2\x00\x11\x00\x00"));
        tape.finish(id, UP);
        tape.finish(id, DOWN);
        let mut capture = tape.writer.into_inner().unwrap();
        for (place, octet) in damage {
            let place = place.index(capture.len());
            capture[place] = octet;
        }
        let mut index = Index::new();
        let mut reader = CaptureReader::new();
        reader.receive(Bytes::from(capture.clone()));
        reader.finish();
        while let Some(item) = reader.poll() {
            if let CaptureItem::Record { record, block_offset } = item {
                index.receive(&record, block_offset);
            }
        }
        index.finish();
        // The file may be cut after it was indexed.
        capture.truncate(cut.index(capture.len()).max(capture.len() / 2));
        let mut file = Cursor::new(capture);
        for row in 0..index.frames().len() {
            if let Ok(content) = index.frame_plan(row).unwrap().read_frame(&mut file, LIMIT) {
                prop_assert!(content.payload.len() <= LIMIT);
            }
        }
        for row in 0..index.messages().len() {
            if let Ok(content) = index.message_plan(row).unwrap().read_message(&mut file, LIMIT) {
                prop_assert!(content.data.len() <= LIMIT);
            }
        }
    }
}
