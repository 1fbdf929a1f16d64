//! Octets that are missing from a capture: what comes behind them is followed again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Cursor;
use std::ops::Range;

use bytes::Bytes;
use framescope_core::capture::{CaptureItem, CaptureReader, CaptureWriter};
use framescope_core::frame::{FramePosition, Rsv};
use framescope_core::index::State;
use framescope_core::message::MessageFault;
use framescope_core::session::Limits;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, EventKind, Finish, Frame, FrameHeader, Index, Leg,
    MaskingKey, Opcode, PayloadLength, Record, Session, Timestamp,
};
use hex_literal::hex;

const ID: ConnectionId = ConnectionId(1);
const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

fn octets(direction: Direction, millis: u64, octets: &[u8]) -> Record {
    Record::Octets {
        connection: ID,
        at: at(millis),
        leg: Leg::Client,
        direction,
        octets: Bytes::copy_from_slice(octets),
        in_proxy: None,
    }
}

/// One frame as a peer sends it.
fn frame(direction: Direction, opcode: Opcode, payload: &[u8], number: u8) -> Vec<u8> {
    let spread = number.wrapping_mul(37);
    let key = [spread ^ 0xA5, spread.wrapping_add(99), !spread, spread.rotate_left(3) ^ 0x5A];
    let masking_key = (direction == UP).then_some(MaskingKey(key));
    let payload_len = PayloadLength::minimal(payload.len() as u64);
    let (fin, rsv) = (true, Rsv::NONE);
    let mut out = Vec::new();
    FrameHeader { fin, rsv, opcode, masking_key, payload_len }.encode(&mut out);
    match masking_key {
        Some(key) => key.apply_into(0, payload, &mut out),
        None => out.extend_from_slice(payload),
    }
    out
}

/// Frames of one direction, each read by itself.
fn said(direction: Direction) -> Vec<Vec<u8>> {
    (0..40_u8)
        .map(|number| {
            let text =
                format!("{{\"number\":{number},\"text\":\"{}\"}}", "ab".repeat(number.into()));
            let opcode = if number % 9 == 4 { Opcode::Binary } else { Opcode::Text };
            frame(direction, opcode, &text.as_bytes()[..text.len().min(125)], number)
        })
        .collect()
}

/// A client that opened a connection, and both heads; `extensions` is a header field or nothing.
fn opened(extensions: &str) -> Vec<Record> {
    let client = "127.0.0.1:50000".parse().unwrap();
    let info = ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None };
    let [request, answer] = [REQUEST, ANSWER]
        .map(|head| format!("{}\r\n{extensions}\r\n", head.trim_end_matches("\r\n")));
    vec![
        Record::Opened { connection: ID, at: at(0), info: Box::new(info) },
        octets(UP, 1, request.as_bytes()),
        octets(DOWN, 2, answer.as_bytes()),
    ]
}

fn gap(direction: Direction, millis: u64, len: u64) -> Record {
    let (connection, at, leg) = (ID, at(millis), Leg::Client);
    Record::Gap { connection, at, leg, direction, len, position: None }
}

/// A conversation in which `missing` octets of what `direction` says behind its head are a gap; one
/// frame a millisecond, in reads of at most `step` octets.
fn with_gap(direction: Direction, missing: Range<usize>, step: usize) -> Vec<Record> {
    let mut records = opened("");
    let mut position = 0;
    for (number, frame) in said(direction).iter().enumerate() {
        let millis = 10 + number as u64;
        let ends = position..position + frame.len();
        let before = &frame[..missing.start.clamp(ends.start, ends.end) - ends.start];
        let behind = &frame[missing.end.clamp(ends.start, ends.end) - ends.start..];
        records.extend(before.chunks(step).map(|read| octets(direction, millis, read)));
        if missing.contains(&position) || ends.contains(&missing.start) {
            let len = frame.len() - before.len() - behind.len();
            records.push(gap(direction, millis, len as u64));
        }
        records.extend(behind.chunks(step).map(|read| octets(direction, millis, read)));
        position = ends.end;
    }
    records
}

/// Their payloads, unmasked.
fn frames_of(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let payload = |frame: &Vec<u8>| {
        let (header, len) = FrameHeader::parse(frame).unwrap();
        let mut payload = frame[len..].to_vec();
        header.masking_key.unwrap_or(MaskingKey([0; 4])).apply(0, &mut payload);
        payload
    };
    frames.iter().map(payload).collect()
}

fn events(records: &[Record]) -> Vec<EventKind> {
    let mut session = Session::new(Limits::KEEP);
    let mut events = Vec::new();
    for record in records {
        session.receive_into(record, &mut |event| events.push(event.kind));
    }
    events
}

fn frames(events: &[EventKind]) -> Vec<&Frame> {
    let frames = events.iter().filter_map(|event| match event {
        EventKind::FrameDecoded(frame) => Some(frame),
        _ => None,
    });
    frames.collect()
}

#[test]
fn frames_behind_a_gap_are_told_as_if_nothing_were_missing_but_for_their_numbers() {
    for direction in Direction::BOTH {
        let all = said(direction).concat().len();
        let whole = events(&with_gap(direction, all..all, usize::MAX));
        let whole = frames(&whole);
        assert_eq!(whole.len(), 40);
        for missing in (300..900).map(|start| start..start + 611) {
            let told = events(&with_gap(direction, missing.clone(), usize::MAX));
            let head = if direction == UP { REQUEST.len() } else { ANSWER.len() } as u64;
            let [start, end] = [missing.start, missing.end].map(|at| at as u64 + head);
            let found = told.iter().find_map(|event| match event {
                EventKind::LaneFound { offset, passed_over, .. } => Some((*offset, *passed_over)),
                _ => None,
            });
            let (offset, passed_over) = found.unwrap();
            assert_eq!(passed_over, offset - end);
            let expected: Vec<_> = whole
                .iter()
                .filter(|frame| frame.offset + frame.wire_len() <= start || frame.offset >= offset)
                .map(|frame| (frame.offset, &frame.payload, frame.last_octet_at))
                .collect();
            let seen: Vec<_> = frames(&told)
                .iter()
                .map(|frame| (frame.offset, &frame.payload, frame.last_octet_at))
                .collect();
            assert_eq!(seen, expected, "{direction} {missing:?}");
            let passed = whole.iter().filter(|frame| (end..offset).contains(&frame.offset)).count();
            assert!(passed <= 1, "{direction} {missing:?}: {passed}");
            let found = |event: &&EventKind| matches!(event, EventKind::DiagnosticRaised(_));
            assert_eq!(told.iter().find(found), None);
        }
    }
}

#[test]
fn what_is_told_behind_a_gap_does_not_depend_on_the_reads() {
    for direction in Direction::BOTH {
        let told = |step| events(&with_gap(direction, 400..1_000, step));
        let whole = told(usize::MAX);
        for step in [1, 3, 20] {
            assert_eq!(told(step), whole);
        }
    }
}

#[test]
fn where_only_payload_is_missing_the_next_frame_is_known() {
    for direction in Direction::BOTH {
        let long = frame(direction, Opcode::Binary, &[7; 5_000], 1);
        let next = frame(direction, Opcode::Text, b"next", 2);
        let all = said(direction).concat().len();
        let mut records = with_gap(direction, all..all, usize::MAX);
        let start = frames(&events(&records)).len();
        records.push(octets(direction, 100, &long[..1_000]));
        records.push(gap(direction, 101, 3_000));
        records.push(octets(direction, 102, &[&long[4_000..], &next].concat()));
        let told = events(&records);
        let lost = |event: &EventKind| matches!(event, EventKind::LaneLost { .. });
        assert!(!told.iter().any(lost));
        let frames = frames(&told);
        assert_eq!(frames.len(), start + 1);
        assert_eq!(frames[start].payload, &b"next"[..]);
    }
}

#[test]
fn the_index_tells_of_gaps_and_whether_they_were_got_over() {
    let summary = |missing| {
        let mut index = Index::new();
        for record in with_gap(DOWN, missing, usize::MAX) {
            index.receive(&record, 0);
        }
        index.connections()[0].clone()
    };
    let got_over = summary(400..1_000);
    assert_eq!(got_over.lost, [None, None]);
    let gaps = got_over.gaps[DOWN.index()];
    assert_eq!(gaps.missing, 600);
    assert!(gaps.count > 0 && gaps.passed_over > 0, "{gaps:?}");
    let mut index = Index::new();
    for record in with_gap(DOWN, 400..1_000, usize::MAX) {
        index.receive(&record, 0);
    }
    let offsets = index.frames().rows().windows(2).map(|rows| {
        let is_next = rows[0].offset() + rows[0].wire_len() == rows[1].offset();
        (rows[1].is_behind_gap(), is_next)
    });
    let marked: Vec<_> = offsets.filter(|(is_marked, is_next)| is_marked == is_next).collect();
    assert_eq!(marked, [], "a row is marked where it does not begin where the one before ends");
    assert_eq!(index.frames().rows().iter().filter(|row| row.is_behind_gap()).count(), 1);
    let all = said(DOWN).concat().len();
    let until_the_end = summary(all - 300..all - 150);
    assert!(until_the_end.lost[DOWN.index()].is_some());
}

/// The capture says of the second gap how the frames go on, while they are looked for behind the first.
#[test]
fn a_known_position_ends_the_search() {
    let mut records = opened("");
    records.push(gap(DOWN, 3, 50));
    records.push(octets(DOWN, 4, b"in the middle"));
    let mut known = gap(DOWN, 5, 20);
    if let Record::Gap { position, .. } = &mut known {
        *position = Some(Box::new(FramePosition { rest: 3, ..FramePosition::default() }));
    }
    records.push(known);
    records.push(octets(DOWN, 6, &hex!("6f6c64  81 01 41")));
    let told = events(&records);
    let frames = frames(&told);
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].payload, &b"A"[..]);
    let found = told.iter().find_map(|event| match event {
        EventKind::LaneFound { offset, passed_over, .. } => Some((*offset, *passed_over)),
        _ => None,
    });
    assert_eq!(found, Some((frames[0].offset, 13)));
}

/// Only a forged capture says that so many octets are missing.
#[test]
fn a_lane_that_nobody_could_count_is_lost_for_good() {
    for known in [None, Some(Box::<FramePosition>::default())] {
        let mut records = opened("");
        records.push(gap(DOWN, 3, 50));
        records.push(gap(DOWN, 4, u64::MAX));
        let mut third = gap(DOWN, 5, 20);
        if let Record::Gap { position, .. } = &mut third {
            *position = known;
        }
        records.push(third);
        records.push(octets(DOWN, 6, &said(DOWN).concat()));
        let told = events(&records);
        assert_eq!(frames(&told), Vec::<&Frame>::new());
        let lost = told.iter().filter(|event| matches!(event, EventKind::LaneLost { .. })).count();
        assert_eq!(lost, 1);
    }
}

/// A server that speaks before it was asked: what it said waits, and a gap behind that is no beginning.
#[test]
fn a_gap_behind_octets_that_wait_is_not_searched() {
    let mut records = vec![opened("").remove(0)];
    records.push(octets(DOWN, 3, b"HTTP/1.1 101 Switching"));
    records.push(gap(DOWN, 4, 100));
    records.push(octets(DOWN, 5, &said(DOWN).concat()));
    let told = events(&records);
    assert_eq!(frames(&told), Vec::<&Frame>::new());
    assert!(told.iter().any(|event| matches!(event, EventKind::LaneLost { .. })));
}

/// Each octet of what is passed over is a read of its own, and so are those of the frames: there are more
/// than times are kept of.
#[test]
fn a_flood_of_tiny_reads_behind_a_gap_costs_times_and_no_frames() {
    let mut records = opened("");
    records.push(gap(UP, 3, 50));
    let noise = (0..5_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7F);
    let lane: Vec<u8> = noise.chain(said(UP).concat()).collect();
    records.extend((4..).zip(&lane).map(|(millis, octet)| octets(UP, millis, &[*octet])));
    let told = events(&records);
    let texts = frames(&told);
    let expected = frames_of(&said(UP));
    assert!(texts.len() >= 39);
    for (frame, payload) in texts.iter().rev().zip(expected.iter().rev()) {
        assert_eq!(frame.payload, payload);
    }
}

/// The capture says that a message was begun among what is missing; a whole one tells that it was ended.
#[test]
fn a_message_that_was_perhaps_begun_in_a_gap_is_over_with_the_next() {
    let told = |step| {
        let mut records = opened("");
        let position = FramePosition { within_message: true, ..FramePosition::default() };
        let mut gap = gap(DOWN, 3, 50);
        if let Record::Gap { position: known, .. } = &mut gap {
            *known = Some(Box::new(position));
        }
        records.push(gap);
        let frames = hex!("80 01 41  81 01 42  80 01 43");
        records.extend(frames.chunks(step).map(|read| octets(DOWN, 4, read)));
        events(&records)
    };
    let whole = told(usize::MAX);
    let codes = whole.iter().filter_map(|event| match event {
        EventKind::DiagnosticRaised(finding) => Some((finding.rule.code, finding.place.frame)),
        _ => None,
    });
    assert_eq!(codes.collect::<Vec<_>>(), [("CONTINUATION_WITHOUT_MESSAGE", Some(2))]);
    for step in [1, 2, 4] {
        assert_eq!(told(step), whole);
    }
}

/// Captured from the middle on: no heads, and nobody knows how much came before.
fn midway(lanes: [&[u8]; 2]) -> Vec<Record> {
    let mut records = vec![opened("").remove(0)];
    for (direction, lane) in Direction::BOTH.into_iter().zip(lanes) {
        records.push(gap(direction, 3, 0));
        records.extend((4..).zip(lane.chunks(100)).map(|(at, read)| octets(direction, at, read)));
    }
    records
}

#[test]
fn a_connection_that_was_open_before_the_capture_is_a_websocket_where_frames_are_found() {
    let lanes = Direction::BOTH.map(|direction| {
        let mut frames = said(direction);
        // Something was agreed on that nobody knows of.
        frames[30][0] |= 0x40;
        frames
    });
    let wires = lanes.each_ref().map(|frames| frames.concat());
    let records = midway([&wires[0][7..], &wires[1][7..]]);
    let told = events(&records);
    let (mut expected, mut seen) = (frames_of(&lanes[0][2..]), Vec::new());
    expected.extend(frames_of(&lanes[1][2..]));
    // The first of each direction is cut, the second may be needed to tell where the others begin.
    for direction in Direction::BOTH {
        let of_it = frames(&told).into_iter().filter(|frame| frame.direction == direction);
        let payloads: Vec<_> = of_it.map(|frame| frame.payload.to_vec()).collect();
        assert!((38..=39).contains(&payloads.len()), "{direction}: {}", payloads.len());
        seen.extend(payloads[payloads.len() - 38..].to_vec());
    }
    assert_eq!(seen, expected);
    assert!(!told.iter().any(|event| matches!(event, EventKind::DiagnosticRaised(_))));

    let mut index = Index::new();
    for record in &records {
        index.receive(record, 0);
    }
    assert_eq!(index.connections()[0].state, State::Open);
}

#[test]
fn what_is_no_websocket_stays_unknown() {
    let text = "all work and no play makes a lane without frames; ".repeat(100);
    let told = events(&midway([text.as_bytes(), text.as_bytes()]));
    assert_eq!(frames(&told), Vec::<&Frame>::new());
    let lost = told.iter().filter(|event| matches!(event, EventKind::LaneLost { .. })).count();
    assert_eq!(lost, 2);
}

/// What a compressed message refers to is among the octets that are missing: its own are shown, and read
/// back from the file alike.
#[test]
fn a_compressed_message_behind_a_gap_stays_compressed() {
    let mut records = opened("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let hello = hex!("c1 07 f248cdc9c90700");
    let long = frame(DOWN, Opcode::Binary, &[7; 500], 1);
    records.push(octets(DOWN, 3, &[&hello[..], &long[..300]].concat()));
    records.push(gap(DOWN, 4, 100));
    records.push(octets(DOWN, 5, &[&long[400..], &hello].concat()));
    let messages: Vec<_> = events(&records)
        .into_iter()
        .filter_map(|event| match event {
            EventKind::MessageCompleted(message) => Some(message),
            _ => None,
        })
        .collect();
    assert_eq!(messages[0].data, &b"Hello"[..]);
    assert_eq!(messages[1].fault, Some(MessageFault::ContextLost));

    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for record in &records {
        writer.write(record).unwrap();
    }
    let file = writer.into_inner().unwrap();
    let (mut reader, mut index) = (CaptureReader::new(), Index::new());
    reader.receive(file.clone().into());
    while let Some(CaptureItem::Record { record, block_offset }) = reader.poll() {
        index.receive(&record, block_offset);
    }
    for (row, message) in messages.iter().enumerate() {
        let plan = index.message_plan(row).unwrap();
        let content = plan.read_message(&mut Cursor::new(&file), 1 << 20).unwrap();
        assert_eq!((&content.data, content.fault), (&message.data, message.fault));
    }
}

/// What is said of the ending: findings, the first Close, and what the client's and the server's programs
/// are told.
fn ending(records: &[Record]) -> (Vec<&'static str>, Option<Direction>, [Option<u16>; 2]) {
    let told = events(records);
    let findings = told.iter().filter_map(|event| match event {
        EventKind::DiagnosticRaised(finding) => Some(finding.rule.code),
        _ => None,
    });
    let Some(EventKind::ConnectionEnded(ending)) = told.last() else { panic!("an ending") };
    (findings.collect(), ending.closed_by(), [UP, DOWN].map(|side| ending.reported_to(side)))
}

fn finished(direction: Direction, millis: u64) -> Record {
    let (connection, at, leg, how) = (ID, at(millis), Leg::Client, Finish::Fin);
    Record::Finished { connection, at, leg, direction, how }
}

#[test]
fn of_a_close_that_may_be_missing_nothing_is_said() {
    let closed = FramePosition { closed: true, ..FramePosition::default() };
    let ends = [finished(DOWN, 9), finished(UP, 10)];
    // The client's Close is known to be among what is missing; or may be.
    for (position, behind) in [(Some(Box::new(closed)), ""), (None, "in the middle")] {
        let mut records = opened("");
        let mut missing = gap(UP, 3, 50);
        if let Record::Gap { position: known, .. } = &mut missing {
            *known = position;
        }
        records.extend([missing, octets(UP, 4, behind.as_bytes())]);
        let silent = [&records[..], &ends].concat();
        assert_eq!(ending(&silent), (vec![], None, [Some(1006), None]), "{behind}");
        records.push(octets(DOWN, 5, &hex!("88 02 03e8")));
        records.extend(ends.clone());
        assert_eq!(ending(&records), (vec![], None, [Some(1000), None]), "{behind}");
    }
    let mut whole = opened("");
    whole.push(octets(DOWN, 5, &hex!("88 02 03e8")));
    whole.extend(ends);
    assert_eq!(ending(&whole), (vec!["CLOSE_NOT_AWAITED"], Some(DOWN), [Some(1000), Some(1006)]));
}

/// Where a capture, or a file of a set, begins between the two heads.
#[test]
fn the_answer_to_a_request_that_is_missing_opens_a_websocket_all_the_same() {
    let answer =
        ANSWER.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    let hello = hex!("c1 07 f2 48 cd c9 c9 07 00");
    let client: Vec<_> = said(UP).concat();
    let answered = octets(DOWN, 2, answer.as_bytes());
    for start in [vec![gap(UP, 1, 300)], vec![octets(UP, 1, &client)], Vec::new()] {
        let speaks = vec![octets(DOWN, 3, &hello), octets(UP, 4, &client), octets(DOWN, 5, &hello)];
        let records = [midway([b"", b""])[..1].to_vec(), start, vec![answered.clone()], speaks];
        let mut records = records.concat();
        records.extend([finished(UP, 6), finished(DOWN, 7)]);
        let events = events(&records);
        let messages = events.iter().filter_map(|event| match event {
            EventKind::MessageCompleted(message) if message.direction == DOWN => {
                Some(&message.data[..])
            }
            _ => None,
        });
        assert_eq!(messages.collect::<Vec<_>>(), [b"Hello"; 2]);
    }
    // What the client compressed with what came before stays compressed, and is no text.
    let compressed = |text: &[u8]| {
        let mut frame = frame(UP, Opcode::Text, text, 1);
        frame[0] |= 0x40;
        frame
    };
    let squeezed =
        [&[0xF2, 0x48][..], &[0xAA, 0x56, 0xCA], &[0xCE, 0xCF], &[0xF2, 0]].map(compressed);
    let squeezed = octets(UP, 4, &squeezed.concat());
    let records = [midway([b"", b""])[..1].to_vec(), vec![gap(UP, 1, 300), answered, squeezed]];
    for event in events(&records.concat()) {
        match event {
            EventKind::MessageCompleted(message) => {
                assert_eq!(message.fault, Some(MessageFault::ContextLost));
            }
            EventKind::DiagnosticRaised(finding) => panic!("{}", finding.evidence),
            _ => {}
        }
    }
    // Nor is anything waited for behind an answer that opens nothing.
    let refused = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
    let mut records = midway([b"", b""])[..1].to_vec();
    records.extend([gap(UP, 1, 300), octets(UP, 2, &client), octets(DOWN, 3, refused)]);
    assert!(events(&records).iter().any(|event| matches!(event, EventKind::BodyCompleted { .. })));
}

#[test]
fn a_frame_of_which_octets_are_missing_has_a_number_and_no_row() {
    let lens: Vec<usize> = said(DOWN).iter().map(Vec::len).collect();
    let start: usize = lens[..7].iter().sum();
    // A part of the eighth frame's payload.
    let missing = start + 5..start + 9;
    let records = with_gap(DOWN, missing, usize::MAX);
    let (mut index, mut session) = (Index::new(), Session::new(Limits::COUNT));
    let mut told = Vec::new();
    for (record, at) in records.iter().zip(0..) {
        index.receive(record, at);
        session.receive_into(record, &mut |event| {
            if let EventKind::FrameDecoded(frame) = event.kind {
                told.push((frame.index, frame.offset));
            }
        });
    }
    let indices: Vec<u64> = told.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, (0..7).chain(8..40).collect::<Vec<_>>());
    for (row, (ordinal, offset)) in told.iter().enumerate() {
        assert_eq!(index.frame_row(ID, DOWN, *ordinal), Some(row));
        assert_eq!(index.frame_ordinal(row), Some(*ordinal));
        assert_eq!(index.frames().get(row).unwrap().offset(), *offset);
    }
    assert_eq!(index.frame_row(ID, DOWN, 7), None);
}
