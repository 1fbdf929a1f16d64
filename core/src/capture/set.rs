//! A capture in several files: which file of which set one is, told in its section header.
//!
//! The header's comment reads `framescope {"set":{"id":…,"file":3,"offset":1048576}}`. A set is one
//! capture that was cut between blocks: its files read one after the other are the records of one.

use serde::{Deserialize, Serialize};

use super::block::{self, ByteOrder, OPT_COMMENT, Options, SECTION_HEADER};
use super::comment;

/// Octets at the start of a file that are enough for [`SetPlace::read`].
pub const SET_PLACE_LEN: usize = 512;

/// The place of a file in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPlace {
    /// The same for all files of a set, and for no others.
    pub id: u64,
    /// The file's number in the set, from 1.
    pub file: u32,
    /// Octets of all files of the set before this one.
    pub offset: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct InSet {
    set: SetPlace,
}

impl SetPlace {
    /// Appends what a file at this place starts with.
    pub fn write_section_header(&self, out: &mut Vec<u8>) {
        // Numbers with string keys: there is nothing in them that JSON cannot say.
        let line = serde_json::to_string(&InSet { set: *self }).unwrap_or_default();
        block::write_preamble(Some(&[comment::START, &line].concat()), out);
    }

    /// Reads it from the first octets of a file, [`SET_PLACE_LEN`] of them where there are so many;
    /// `None` where the file is a capture of its own, or none, or its header is not whole yet.
    pub fn read(start: &[u8]) -> Option<Self> {
        let order = ByteOrder::Little;
        if order.u32(start, 0)? != SECTION_HEADER || ByteOrder::of_magic(start.get(8..)?)? != order
        {
            return None;
        }
        let body = start.get(24..order.len(start, 4)?.checked_sub(4)?)?;
        Options::new(order, body)
            .filter(|(code, _)| *code == OPT_COMMENT)
            .filter_map(|(_, value)| value.strip_prefix(comment::START.as_bytes()))
            .find_map(|line| serde_json::from_slice::<InSet>(line).ok())
            .map(|found| found.set)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use bytes::Bytes;

    use super::*;
    use crate::capture::write_section_header;
    use crate::capture::{CaptureFault, CaptureItem, CaptureReader, StreamEncoder};
    use crate::session::Limits;
    use crate::{
        ConnectionId, ConnectionInfo, ConnectionNote, Direction, Event, EventKind, Finish, Leg,
        Opcode, Record, Session, Timestamp,
    };

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000_000_000 + nanos)
    }

    fn info() -> ConnectionInfo {
        let [client, server] = [40_000, 80].map(|port| SocketAddr::from(([10, 0, 0, 1], port)));
        ConnectionInfo { client, server, mode: None, upstream: None, tls: None }
    }

    /// The files of a set, cut before these of the steps of one connection.
    fn files(cuts: &[usize]) -> Vec<Vec<u8>> {
        let known = ConnectionNote {
            upstream_addr: Some("192.0.2.9:443".parse().unwrap()),
            ..ConnectionNote::default()
        };
        let mut files = Vec::new();
        let mut file = Vec::new();
        SetPlace { id: 9, file: 1, offset: 0 }.write_section_header(&mut file);
        let id = ConnectionId(7);
        let mut encoder = StreamEncoder::open(id, at(0), &info(), &mut file);
        encoder.remember(at(0), &info());
        for step in 1..10 {
            if cuts.contains(&step) {
                let offset = files.iter().map(Vec::len).sum::<usize>() + file.len();
                files.push(std::mem::take(&mut file));
                let number = u32::try_from(files.len() + 1).unwrap();
                SetPlace { id: 9, file: number, offset: offset as u64 }
                    .write_section_header(&mut file);
                encoder.resume(at(step as u64), &mut file);
            }
            let (out, at) = (&mut file, at(step as u64));
            match step {
                1 => encoder.octets(at, Leg::Client, UP, b"GET / HTTP/1.1\r\n\r\n", out),
                2 => encoder.note(at, &known, out),
                3 => encoder.octets(at, Leg::Upstream, UP, b"GET /", out),
                4 => encoder.octets(at, Leg::Client, DOWN, b"HTTP/1.1 101 \r\n\r\n", out),
                5 => encoder.gap(at, Leg::Client, DOWN, 1000, out),
                6 => encoder.octets(at, Leg::Client, DOWN, b"down", out),
                7 => encoder.finish(at, Leg::Client, DOWN, Finish::Fin, out),
                8 => encoder.octets(at, Leg::Client, UP, b"up", out),
                _ => encoder.finish(at, Leg::Client, UP, Finish::Fin, out),
            }
        }
        files.push(file);
        files
    }

    fn read(files: &[Vec<u8>]) -> Vec<Record> {
        let mut reader = CaptureReader::new();
        for file in files {
            reader.receive(Bytes::copy_from_slice(file));
        }
        reader.finish();
        std::iter::from_fn(|| reader.poll())
            .map(|item| match item {
                CaptureItem::Record { record, .. } => record,
                CaptureItem::Fault(fault) => panic!("{fault}"),
            })
            .collect()
    }

    #[test]
    fn a_set_reads_as_the_one_file_it_would_have_been_wherever_it_is_cut() {
        let whole = read(&files(&[]));
        assert_eq!(whole.len(), 10);
        for first in 1..10 {
            for second in first..10 {
                assert_eq!(read(&files(&[first, second])), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_later_file_alone_tells_what_it_is_about_and_how_much_came_before() {
        let files = files(&[8]);
        let told = read(&files[1..]);
        let connection = ConnectionId(7);
        let known = at(8);
        let gap = |leg, direction, len| Record::Gap {
            connection,
            at: known,
            leg,
            direction,
            len,
            position: None,
        };
        assert_eq!(told[0], Record::Opened { connection, at: at(0), info: Box::new(info()) });
        assert!(matches!(&told[1], Record::Noted { note, .. } if note.upstream_addr.is_some()));
        assert_eq!(told[2], gap(Leg::Client, UP, 18));
        assert_eq!(told[3], gap(Leg::Client, DOWN, 17 + 1000 + 4));
        let how = Finish::Fin;
        let ended =
            |at, direction| Record::Finished { connection, at, leg: Leg::Client, direction, how };
        assert_eq!(told[4], ended(known, DOWN));
        assert_eq!(told[5], gap(Leg::Upstream, UP, 5));
        let octets = Bytes::from_static(b"up");
        let (leg, direction) = (Leg::Client, UP);
        assert_eq!(
            told[6],
            Record::Octets { connection, at: known, leg, direction, octets, in_proxy: None }
        );
        assert_eq!(told[7..], [ended(at(9), UP)]);
    }

    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";
    const ANSWER: &[u8] = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n";

    /// Opening handshakes, and what may come before on the same connection.
    const OPENINGS: [&[(Direction, &[u8])]; 5] = [
        &[(UP, REQUEST), (DOWN, ANSWER)],
        &[(UP, REQUEST), (DOWN, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), (DOWN, ANSWER)],
        // Bodies of each kind, cut anywhere.
        &[
            (UP, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab"),
            (UP, b"c"),
            (DOWN, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"),
            (UP, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (DOWN, b"c\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
            (UP, REQUEST),
            (DOWN, ANSWER),
        ],
        // With a body that means nothing.
        &[
            (UP, b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc"),
            (DOWN, ANSWER),
        ],
        // Refused at first.
        &[
            (UP, REQUEST),
            (DOWN, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"),
            (UP, REQUEST),
            (DOWN, ANSWER),
        ],
    ];

    /// Reads of an open WebSocket.
    const READS: [(Direction, &[u8]); 7] = [
        (UP, b"\x81\x85\0\0\0\0hel"),
        (UP, b"lo\x01\x82\0\0\0\0He\x89"),
        (DOWN, b"\x82\x7e\x00\x80"),
        (UP, b"\x80\0\0\0\0\x80\x81\0\0\0\0y\x81\x81\0\0\0\0!"),
        (DOWN, &[7; 128]),
        (DOWN, b"\x82\x01z"),
        (UP, b"\x88\x80\0\0\0\0"),
    ];

    /// The files of a set that is cut before this of the reads.
    fn websocket(cut: usize, sent_before: u64, opening: &[(Direction, &[u8])]) -> [Vec<u8>; 2] {
        let mut first = Vec::new();
        SetPlace { id: 9, file: 1, offset: 0 }.write_section_header(&mut first);
        let mut encoder = StreamEncoder::open(ConnectionId(7), at(0), &info(), &mut first);
        encoder.remember(at(0), &info());
        for (number, (direction, octets)) in opening.iter().enumerate() {
            encoder.octets(at(10 + number as u64), Leg::Client, *direction, octets, &mut first);
        }
        if sent_before > 0 {
            // A frame that a capture could not hold all of.
            let mut octets = vec![0x82, 0x7f];
            octets.extend_from_slice(&(sent_before - 10).to_be_bytes());
            encoder.octets(at(30), Leg::Client, DOWN, &octets, &mut first);
            let chunk = vec![0; 1 << 20];
            let mut rest = sent_before - 10;
            while rest > 0 {
                let len = rest.min(chunk.len() as u64);
                encoder.passed(at(31), DOWN, &chunk[..usize::try_from(len).unwrap()]);
                rest -= len;
            }
            encoder.gap(at(31), Leg::Client, DOWN, sent_before - 10, &mut first);
        }
        let mut second = Vec::new();
        let mut out = &mut first;
        for (number, (direction, octets)) in READS.iter().enumerate() {
            let at = at(100 + number as u64);
            if number == cut {
                let offset = out.len() as u64;
                out = &mut second;
                SetPlace { id: 9, file: 2, offset }.write_section_header(out);
                encoder.resume(at, out);
            }
            encoder.octets(at, Leg::Client, *direction, octets, out);
        }
        for direction in Direction::BOTH {
            encoder.finish(at(200), Leg::Client, direction, Finish::Fin, out);
        }
        [first, second]
    }

    fn events(records: &[Record]) -> Vec<Event> {
        let mut session = Session::new(Limits::KEEP);
        for record in records {
            session.receive(record);
        }
        session.finish();
        std::iter::from_fn(|| session.poll_event()).collect()
    }

    fn frames(events: &[Event]) -> Vec<(Direction, u64, Opcode, u64)> {
        let frames = events.iter().filter_map(|event| match &event.kind {
            EventKind::FrameDecoded(frame) => Some(frame),
            _ => None,
        });
        frames
            .map(|f| (f.direction, f.offset, f.header.opcode, f.header.payload_len.value))
            .collect()
    }

    fn codes(events: &[Event]) -> Vec<&'static str> {
        let codes = events.iter().filter_map(|event| match &event.kind {
            EventKind::DiagnosticRaised(finding) => Some(finding.rule.code),
            _ => None,
        });
        codes.collect()
    }

    #[test]
    fn a_websocket_goes_on_in_a_later_file_with_the_first_frame_that_begins_there() {
        let openings = OPENINGS.map(|opening| (0, opening));
        for (sent_before, opening) in openings.into_iter().chain([(5 << 30, OPENINGS[0])]) {
            let far = if sent_before > 0 { 0..1 } else { 0..READS.len() };
            for cut in far {
                let files = websocket(cut, sent_before, opening);
                let whole = events(&read(&files));
                let alone = events(&read(&files[1..]));
                let behind_cut = |direction| {
                    let before = opening.iter().chain(&READS[..cut]);
                    let before = before.filter(|(of, _)| *of == direction);
                    let sent = before.map(|(_, octets)| octets.len()).sum::<usize>();
                    sent as u64 + if direction == DOWN { sent_before } else { 0 }
                };
                let begun_there: Vec<_> = frames(&whole)
                    .into_iter()
                    .filter(|(direction, offset, ..)| *offset >= behind_cut(*direction))
                    .collect();
                assert!(!begun_there.is_empty());
                assert_eq!(frames(&alone), begun_there, "cut before read {cut}");
                let lost = |event: &Event| matches!(event.kind, EventKind::LaneLost { .. });
                assert!(!alone.iter().any(lost), "{alone:?}");
                // What the one file says against the peers, the set says too.
                let known = codes(&whole);
                assert!(
                    codes(&alone).iter().all(|code| known.contains(code)),
                    "{:?}",
                    codes(&alone)
                );
                let handshakes = |events: &[Event]| {
                    let is_handshake =
                        |event: &&Event| matches!(event.kind, EventKind::HandshakeCompleted(_));
                    events.iter().filter(is_handshake).map(|event| event.at).collect::<Vec<_>>()
                };
                let opened_at = handshakes(&whole).last().copied();
                assert_eq!(handshakes(&alone), Vec::from_iter(opened_at));
                assert!(opened_at.is_some());
            }
        }
    }

    #[test]
    fn a_websocket_in_two_files_is_one() {
        let one = events(&read(&websocket(READS.len(), 0, OPENINGS[0])[..1]));
        for cut in 0..READS.len() {
            assert_eq!(
                events(&read(&websocket(cut, 0, OPENINGS[0]))),
                one,
                "cut before read {cut}"
            );
        }
    }

    #[test]
    fn frames_behind_octets_that_were_not_recorded_are_followed_where_it_is_known_how_they_go_on() {
        let mut file = Vec::new();
        write_section_header(&mut file);
        let mut encoder = StreamEncoder::open(ConnectionId(7), at(0), &info(), &mut file);
        encoder.remember(at(0), &info());
        encoder.octets(at(10), Leg::Client, UP, REQUEST, &mut file);
        encoder.octets(at(20), Leg::Client, DOWN, ANSWER, &mut file);
        encoder.octets(at(30), Leg::Client, DOWN, b"\x81\x05he", &mut file);
        encoder.passed(at(31), DOWN, b"llo\x02\x01a\x80");
        encoder.gap(at(40), Leg::Client, DOWN, 7, &mut file);
        encoder.octets(at(40), Leg::Client, DOWN, b"\x01b\x81\x01c", &mut file);
        let events = events(&read(&[file]));
        let told: Vec<_> = frames(&events).into_iter().map(|(_, offset, ..)| offset).collect();
        assert_eq!(told, [ANSWER.len() as u64 + 4 + 7 + 2]);
        let messages: Vec<_> = events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::MessageCompleted(message) => Some((message.index, &message.data[..])),
                _ => None,
            })
            .collect();
        assert_eq!(messages, [(0, &b"c"[..])]);
        let against_frames =
            codes(&events).into_iter().filter(|code| !code.starts_with("HANDSHAKE_"));
        assert_eq!(against_frames.collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn files_that_are_missing_in_between_are_told_with_what_was_in_them() {
        let files = files(&[4, 7]);
        let mut reader = CaptureReader::new();
        reader.receive(files[0].clone().into());
        assert!(std::iter::from_fn(|| reader.poll()).count() > 0);
        let offset = (files[0].len() + files[1].len()) as u64;
        reader.jump(offset);
        reader.receive(files[2].clone().into());
        reader.finish();
        let items: Vec<_> = std::iter::from_fn(|| reader.poll()).collect();
        let missing =
            CaptureFault::Skipped { offset: files[0].len() as u64, len: files[1].len() as u64 };
        assert_eq!(items[0], CaptureItem::Fault(missing));
        let CaptureItem::Record { record, block_offset } = &items[1] else { panic!("{items:?}") };
        assert!(matches!(record, Record::Gap { direction: DOWN, len: 1021, .. }), "{record:?}");
        assert!(*block_offset >= offset);
    }

    #[test]
    fn the_place_is_read_from_the_start_of_a_file_and_from_no_other() {
        let place = SetPlace { id: u64::MAX, file: u32::MAX, offset: u64::MAX };
        let mut file = Vec::new();
        place.write_section_header(&mut file);
        file.resize(SET_PLACE_LEN, 0);
        assert_eq!(SetPlace::read(&file), Some(place));
        assert_eq!(SetPlace::read(&file[..100]), None, "not whole yet");
        let mut single = Vec::new();
        write_section_header(&mut single);
        assert_eq!(SetPlace::read(&single), None);
        assert_eq!(SetPlace::read(b""), None);
    }
}
