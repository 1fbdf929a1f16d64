//! The laws of the crate, as properties: see the crate's front page.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashMap;

use bytes::Bytes;
use framescope_core::diagnostics::Scope;
use framescope_core::frame::{LengthForm, Rsv};
use framescope_core::index::ExchangeRows;
use framescope_core::search::{Found, Pattern, Search, Syntax};
use framescope_core::session::Limits;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, Event, EventKind, Finish, FrameHeader, Index, Leg,
    MaskingKey, Opcode, PayloadLength, Record, Session, Timestamp, TransportEvent,
};
use proptest::prelude::*;

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

const ID: ConnectionId = ConnectionId(1);
const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

fn opened() -> Record {
    let info = ConnectionInfo {
        client: "127.0.0.1:50000".parse().unwrap(),
        server: "127.0.0.1:9870".parse().unwrap(),
        mode: None,
        upstream: None,
        tls: None,
    };
    Record::Opened { connection: ID, at: Timestamp::from_nanos(1), info: Box::new(info) }
}

/// Octets as a record; every octet of a lane has the same time, so that a split changes no time.
fn octets(direction: Direction, octets: &[u8]) -> Record {
    octets_at(Timestamp::from_nanos(10 + direction.index() as u64), direction, octets)
}

fn octets_at(at: Timestamp, direction: Direction, octets: &[u8]) -> Record {
    let octets = Bytes::copy_from_slice(octets);
    Record::Octets { connection: ID, at, leg: Leg::Client, direction, octets, in_proxy: None }
}

fn finished(direction: Direction) -> Record {
    let at = Timestamp::from_nanos(20);
    Record::Finished { connection: ID, at, leg: Leg::Client, direction, how: Finish::Fin }
}

fn cut(lane: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(lane.len() + 1)).collect();
    cuts.extend([0, lane.len()]);
    cuts.sort_unstable();
    cuts.windows(2).filter(|w| w[0] < w[1]).map(|w| lane[w[0]..w[1]].to_vec()).collect()
}

/// Limits that short lanes reach.
const SMALL: Limits = Limits {
    frame_payload: 8,
    message_data: 16,
    body_content: 16,
    inflate_budget: 64,
    head: 300,
    early: 40,
};

fn events(records: &[Record]) -> Vec<Event> {
    events_within(Limits { inflate_budget: 1 << 20, ..Limits::KEEP }, records)
}

fn events_within(limits: Limits, records: &[Record]) -> Vec<Event> {
    let mut session = Session::new(limits);
    let mut events = Vec::new();
    for record in records {
        session.receive(record);
        while let Some(event) = session.poll_event() {
            events.push(event);
        }
    }
    session.finish();
    events.extend(std::iter::from_fn(|| session.poll_event()));
    events
}

/// What one lane says, leaving out what both lanes, or all connections, say together.
fn lane_events(events: &[Event], wanted: Direction) -> Vec<EventKind> {
    let of = |kind: &EventKind| match kind {
        EventKind::HeadReceived { direction, .. }
        | EventKind::BodyCompleted { direction, .. }
        | EventKind::GapMet { direction, .. }
        | EventKind::LaneLost { direction, .. }
        | EventKind::LaneFound { direction, .. } => Some(*direction),
        EventKind::FrameDecoded(frame) => Some(frame.direction),
        EventKind::MessageCompleted(message) => Some(message.direction),
        EventKind::DiagnosticRaised(finding) => {
            (finding.rule.scope == Scope::Lane).then_some(finding.direction)
        }
        EventKind::ServerSentEvent(_) => Some(Direction::ServerToClient),
        _ => None,
    };
    events.iter().filter(|e| of(&e.kind) == Some(wanted)).map(|e| e.kind.clone()).collect()
}

/// One frame as some peer might write it: mostly in order, sometimes not.
fn any_frame(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![4 => 0u8..3, 3 => 8u8..11, 1 => 0u8..16];
    let rsv = prop_oneof![4 => Just(0u8), 2 => Just(0b100), 1 => 0u8..8];
    let payload = prop_oneof![
        4 => "[a-zé💻]{0,20}".prop_map(String::into_bytes),
        3 => prop::collection::vec(any::<u8>(), 0..200),
        1 => Just(vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
    ];
    let form = prop_oneof![6 => Just(None), 1 => Just(Some(LengthForm::SixtyFour))];
    let masked = prop_oneof![8 => Just(masked), 1 => any::<bool>()];
    (any::<bool>(), rsv, opcode, masked, any::<[u8; 4]>(), payload, form).prop_map(
        |(fin, rsv, opcode, masked, key, mut payload, form)| {
            let masking_key = masked.then_some(MaskingKey(key));
            let mut payload_len = PayloadLength::minimal(payload.len() as u64);
            payload_len.form = form.unwrap_or(payload_len.form);
            let (rsv, opcode) = (Rsv::from_bits(rsv), Opcode::from_bits(opcode));
            let header = FrameHeader { fin, rsv, opcode, masking_key, payload_len };
            let mut wire = Vec::new();
            header.encode(&mut wire);
            if let Some(key) = masking_key {
                key.apply(0, &mut payload);
            }
            wire.extend_from_slice(&payload);
            wire
        },
    )
}

/// Two lanes: a WebSocket's, plain HTTP's, or noise.
fn any_lanes() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let frames = |masked| prop::collection::vec(any_frame(masked), 0..12);
    let noise = |most| prop::collection::vec(any::<u8>(), 0..most);
    let websocket = (any::<bool>(), frames(true), frames(false), noise(6), noise(6)).prop_map(
        |(deflate, up, down, up_tail, down_tail)| {
            let extension = if deflate { DEFLATE } else { "" };
            let lane = |head: &str, frames: Vec<Vec<u8>>, tail: Vec<u8>| {
                [format!("{head}{extension}\r\n").into_bytes(), frames.concat(), tail].concat()
            };
            (lane(REQUEST, up, up_tail), lane(RESPONSE, down, down_tail))
        },
    );
    let http = (1usize..4, noise(40)).prop_map(|(count, body)| {
        let len = body.len();
        let request = format!("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n");
        let response = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{len:x}\r\n");
        let end: &[u8] = if body.is_empty() { b"\r\n" } else { b"\r\n0\r\n\r\n" };
        let up = [request.as_bytes(), &body].concat().repeat(count);
        let down = [response.as_bytes(), &body, end].concat().repeat(count);
        (up, down)
    });
    prop_oneof![6 => websocket, 2 => http, 1 => (noise(300), noise(300))]
}

/// Requests, pipelined, and answers of each framing; the last one may be a stream of events.
fn any_exchanges() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let word = || "[a-e0-4]{0,6}";
    let exchange = (word(), word(), 0..4_u8).prop_map(|(field, body, framing)| {
        let len = body.len();
        let up = format!("POST /{field} HTTP/1.1\r\nContent-Length: {len}\r\n\r\n{body}");
        let down = match framing {
            0 => format!("HTTP/1.1 204 No Content\r\nx-{field}: {body}\r\n\r\n"),
            1 => format!("HTTP/1.1 103 Hints\r\nx-{body}: 1\r\n\r\nHTTP/1.1 304 Same\r\n\r\n"),
            2 if len > 0 => format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{len:x}\r\n{body}\r\n0\r\n\r\n"
            ),
            _ => format!("HTTP/1.1 200 {field}\r\nContent-Length: {len}\r\n\r\n{body}"),
        };
        (up, down)
    });
    let events = prop::option::of(prop::collection::vec((word(), word()), 0..5));
    (prop::collection::vec(exchange, 0..5), events).prop_map(|(exchanges, events)| {
        let (mut up, mut down): (String, String) = exchanges.into_iter().unzip();
        if let Some(events) = events {
            up.push_str("GET /events HTTP/1.1\r\n\r\n");
            down.push_str("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            let blocks = events.iter().map(|(id, data)| format!("id: {id}\ndata: {data}\n\n"));
            down.extend(blocks);
        }
        (up.into_bytes(), down.into_bytes())
    })
}

/// An answer that comes in pieces and may be told to be a stream, as a read a piece.
#[derive(Debug)]
struct Stream {
    /// Its pieces are lines, not chunks.
    has_lines: bool,
    /// They are so long that few of them are held.
    is_long: bool,
    /// Each piece, and the milliseconds before it.
    pieces: Vec<(String, u64)>,
}

impl Stream {
    fn any() -> impl Strategy<Value = Self> {
        let pause = prop_oneof![6 => Just(1_u64), 4 => 150..700_u64];
        let pieces = prop::collection::vec(("[a-e0-4]{0,6}", pause), 0..14);
        (any::<bool>(), prop::bool::weighted(0.2), pieces)
            .prop_map(|(has_lines, is_long, pieces)| Self { has_lines, is_long, pieces })
    }

    /// The records of a connection's first exchange.
    fn records(&self) -> Vec<Record> {
        let kind = if self.has_lines { "application/jsonl" } else { "application/json" };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n");
        let mut reads = vec![
            (UP, "GET /stream HTTP/1.1\r\n\r\n".to_owned(), 0),
            (DOWN, format!("{head}Transfer-Encoding: chunked\r\n\r\n"), 0),
        ];
        let rest = " ".repeat(if self.is_long { 64 << 10 } else { 0 });
        reads.extend(self.pieces.iter().map(|(piece, pause)| {
            let piece = format!("{piece}{rest}\n");
            (DOWN, format!("{:x}\r\n{piece}\r\n", piece.len()), *pause)
        }));
        reads.push((DOWN, "0\r\n\r\n".to_owned(), 0));
        let mut now = 0;
        let record = |(direction, octets, pause): (Direction, String, u64)| {
            now += pause * 1_000_000;
            octets_at(Timestamp::from_nanos(now), direction, octets.as_bytes())
        };
        reads.into_iter().map(record).collect()
    }
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..12)
}

proptest! {
    #[test]
    fn any_split_of_the_octets_gives_the_same_events(
        (up, down) in any_lanes(), up_cuts in cuts(), down_cuts in cuts(),
    ) {
        let records = |up: Vec<Vec<u8>>, down: Vec<Vec<u8>>| {
            let mut records = vec![opened()];
            records.extend(up.iter().map(|part| octets(UP, part)));
            records.extend(down.iter().map(|part| octets(DOWN, part)));
            records.extend([finished(UP), finished(DOWN)]);
            records
        };
        let whole = records(cut(&up, &[]), cut(&down, &[]));
        let split = records(cut(&up, &up_cuts), cut(&down, &down_cuts));
        prop_assert_eq!(events(&split), events(&whole));
        prop_assert_eq!(events_within(SMALL, &split), events_within(SMALL, &whole));
    }

    #[test]
    fn any_split_of_reads_that_interleave_gives_the_same_events(
        (up, down) in any_lanes(), up_cuts in cuts(), down_cuts in cuts(), order: Vec<bool>, len in 1..40usize,
    ) {
        let (up, down) = (cut(&up, &up_cuts), cut(&down, &down_cuts));
        let (mut up, mut down) = (up.iter(), down.iter());
        let mut turns = Vec::new();
        for up_first in order {
            let turn = if up_first { up.next().map(|part| (UP, part)) } else { down.next().map(|part| (DOWN, part)) };
            turns.extend(turn);
        }
        turns.extend(down.map(|part| (DOWN, part)).chain(up.map(|part| (UP, part))));
        let records = |len: usize| {
            let parts = turns.iter().flat_map(|(direction, part)| {
                part.chunks(len).map(|part| octets(*direction, part))
            });
            let mut records = vec![opened()];
            records.extend(parts.chain([finished(UP), finished(DOWN)]));
            records
        };
        let (whole, split) = (records(usize::MAX), records(len));
        prop_assert_eq!(events(&split), events(&whole));
        prop_assert_eq!(events_within(SMALL, &split), events_within(SMALL, &whole));
    }

    #[test]
    fn what_a_lane_says_does_not_depend_on_how_lanes_interleave(
        (up, down) in any_lanes(), up_cuts in cuts(), down_cuts in cuts(), order: Vec<bool>,
    ) {
        let up: Vec<Record> = cut(&up, &up_cuts).iter().map(|part| octets(UP, part)).collect();
        let down: Vec<Record> = cut(&down, &down_cuts).iter().map(|part| octets(DOWN, part)).collect();
        let end = [finished(UP), finished(DOWN)];

        let mut one_after_the_other = vec![opened()];
        one_after_the_other.extend(up.iter().chain(&down).chain(&end).cloned());

        let mut mixed = vec![opened()];
        let (mut up, mut down) = (up.into_iter(), down.into_iter());
        for up_first in order {
            mixed.extend(if up_first { up.next() } else { down.next() });
        }
        mixed.extend(down.chain(up).chain(end));

        let (one, other) = (events(&one_after_the_other), events(&mixed));
        prop_assert_eq!(lane_events(&one, UP), lane_events(&other, UP));
        prop_assert_eq!(lane_events(&one, DOWN), lane_events(&other, DOWN));
    }

    #[test]
    fn any_split_of_the_octets_finds_the_same_rows(
        (up, down) in prop_oneof![any_lanes(), any_exchanges()],
        up_cuts in cuts(), down_cuts in cuts(), needle in "[a-e]|\\x80|[0-9]\\r|4",
    ) {
        let found = |up_cuts: &[_], down_cuts: &[_]| {
            let pattern = Pattern::new(&needle, Syntax::Regex, true).unwrap();
            let (mut search, mut found) = (Search::new(pattern), Found::default());
            search.receive(&opened(), &mut found);
            let parts = [(UP, cut(&up, up_cuts)), (DOWN, cut(&down, down_cuts))];
            let reads = parts.iter().flat_map(|(direction, parts)| {
                parts.iter().map(|part| octets(*direction, part))
            });
            for record in reads.chain([finished(UP), finished(DOWN)]) {
                search.receive(&record, &mut found);
            }
            found
        };
        prop_assert_eq!(found(&up_cuts, &down_cuts), found(&[], &[]));
    }

    #[test]
    fn a_search_marks_the_rows_of_exchanges_that_hold_it(
        (up, down) in any_exchanges(), up_cuts in cuts(), down_cuts in cuts(),
        stream in Stream::any(),
    ) {
        let mut records = vec![opened()];
        records.extend(stream.records());
        records.extend(cut(&up, &up_cuts).iter().map(|part| octets(UP, part)));
        records.extend(cut(&down, &down_cuts).iter().map(|part| octets(DOWN, part)));
        records.extend([finished(UP), finished(DOWN)]);
        let pattern = Pattern::parse("/[a-c]1|x-[ab]/").unwrap();
        let (mut search, mut found, mut index) =
            (Search::new(pattern.clone()), Found::default(), Index::new());
        for record in &records {
            search.receive(record, &mut found);
            index.receive(record, 0);
        }
        let (mut rows, mut expected) = (ExchangeRows::default(), std::collections::BTreeSet::new());
        let mut asked = Vec::new();
        for event in events(&records) {
            let Some(placed) = rows.place(&event.kind) else { continue };
            let holds = match &event.kind {
                EventKind::HeadReceived { head, direction, .. } => {
                    asked.extend((*direction == UP).then_some((head.offset, placed.row)));
                    pattern.is_in(&head.raw)
                }
                EventKind::TransportSeen(TransportEvent::PieceReceived(piece)) => {
                    pattern.is_in(&piece.content)
                }
                EventKind::BodyCompleted { content, .. } => pattern.is_in(content),
                EventKind::ServerSentEvent(event) => {
                    event.data.iter().chain(&event.id).any(|text| pattern.is_in(text.as_bytes()))
                }
                _ => false,
            };
            expected.extend(holds.then_some(placed.row));
        }
        let marked = found.exchanges().of(ID).map_or_else(Vec::new, |marks| marks.rows().collect());
        prop_assert_eq!(&marked, &Vec::from_iter(expected));
        prop_assert_eq!(found.exchanges().count(), marked.len());
        let connection = index.connection(ID).unwrap();
        let listed = connection.exchanges.iter().map(|one| (one.request.offset, one.row));
        prop_assert_eq!(listed.collect::<Vec<_>>(), asked);
        prop_assert_eq!(connection.rows.end(), rows.end());
    }

    #[test]
    fn a_search_marks_the_rows_whose_payloads_hold_it(
        (up, down) in any_lanes(), up_cuts in cuts(), down_cuts in cuts(),
    ) {
        let mut records = vec![opened()];
        records.extend(cut(&up, &up_cuts).iter().map(|part| octets(UP, part)));
        records.extend(cut(&down, &down_cuts).iter().map(|part| octets(DOWN, part)));
        let pattern = Pattern::parse("/(?-u)[a-g]|\\x80/").unwrap();
        let (mut search, mut found, mut index) =
            (Search::new(pattern.clone()), Found::default(), Index::new());
        for record in &records {
            search.receive(record, &mut found);
            index.receive(record, 0);
        }
        let (mut frames, mut messages) = (Vec::new(), HashMap::new());
        for event in events(&records) {
            match event.kind {
                EventKind::FrameDecoded(frame) => {
                    let row = index.frame_row(event.connection, frame.direction, frame.index);
                    prop_assert_eq!(row, Some(frames.len()));
                    frames.push(pattern.is_in(&frame.payload));
                }
                EventKind::MessageCompleted(message) => {
                    messages.insert(frames.len() - 1, pattern.is_in(&message.data));
                }
                _ => {}
            }
        }
        prop_assert_eq!(found.frames_seen(), frames.len());
        prop_assert_eq!(index.frames().len(), frames.len());
        let lane = |row: usize| index.frames().get(row).unwrap().direction();
        for row in 0..frames.len() {
            let before = (0..row).rev().find(|before| lane(*before) == lane(row));
            prop_assert_eq!(index.row_before(row, usize::MAX), before);
        }
        let marked: Vec<usize> = (0..frames.len()).filter(|row| frames[*row]).collect();
        prop_assert_eq!(found.frames().rows().collect::<Vec<_>>(), marked);
        let holds = |row: &usize| messages.get(row).copied().unwrap_or(frames[*row]);
        let mut marked: Vec<usize> =
            index.messages().iter().map(|row| row.last_frame as usize).filter(holds).collect();
        marked.sort_unstable();
        prop_assert_eq!(found.messages().rows().collect::<Vec<_>>(), marked);
    }

    #[test]
    fn any_octets_give_events_and_an_end(up: Vec<u8>, down: Vec<u8>, upgraded: bool) {
        let (head, answer) = if upgraded {
            (format!("{REQUEST}{DEFLATE}\r\n"), format!("{RESPONSE}{DEFLATE}\r\n"))
        } else {
            (String::new(), String::new())
        };
        let (up, down) = ([head.as_bytes(), &up].concat(), [answer.as_bytes(), &down].concat());
        let mut records = vec![opened()];
        records.extend(cut(&up, &[]).iter().map(|part| octets(UP, part)));
        records.extend(cut(&down, &[]).iter().map(|part| octets(DOWN, part)));
        records.extend([finished(DOWN), finished(UP)]);
        let seen = events(&records);
        prop_assert!(matches!(seen.first().map(|e| &e.kind), Some(EventKind::ConnectionOpened(_))));
        prop_assert!(matches!(seen.last().map(|e| &e.kind), Some(EventKind::ConnectionEnded(_))));
    }

    #[test]
    fn heads_and_frames_tile_their_lane(
        up in prop::collection::vec(any_frame(true), 0..12), cuts in cuts(), missing in 0usize..3,
    ) {
        let mut lane = [format!("{REQUEST}\r\n").into_bytes(), up.concat()].concat();
        lane.truncate(lane.len() - missing.min(up.concat().len()));
        let mut records = vec![opened()];
        records.extend(cut(&lane, &cuts).iter().map(|part| octets(UP, part)));
        records.push(octets(DOWN, format!("{RESPONSE}\r\n").as_bytes()));
        let mut next = 0;
        for kind in lane_events(&events(&records), UP) {
            match kind {
                EventKind::HeadReceived { head, .. } => {
                    prop_assert_eq!(head.offset, next);
                    prop_assert_eq!(&head.raw[..], &lane[..head.raw.len()]);
                    next += head.raw.len() as u64;
                }
                EventKind::FrameDecoded(frame) => {
                    prop_assert_eq!(frame.offset, next);
                    let start = usize::try_from(next).unwrap() + usize::from(frame.header.encoded_len());
                    let mut payload = lane[start..start + frame.payload.len()].to_vec();
                    if let Some(key) = frame.header.masking_key {
                        key.apply(0, &mut payload);
                    }
                    prop_assert_eq!(&frame.payload[..], &payload[..]);
                    next += frame.wire_len();
                }
                _ => {}
            }
        }
        // Only a frame that is not whole may be left over.
        let rest = &lane[usize::try_from(next).unwrap()..];
        let whole = FrameHeader::parse(rest)
            .is_some_and(|(header, len)| rest.len() as u64 >= len as u64 + header.payload_len.value);
        prop_assert!(!whole);
    }
}
