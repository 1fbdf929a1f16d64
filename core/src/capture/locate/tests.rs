//! Any range of any lane is what the reader said it is.

use std::collections::HashMap;
use std::io::{Cursor, SeekFrom};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::capture::packet::{Flow, PacketHead, flags};
use crate::capture::{CaptureItem, CaptureReader, SetPlace};
use crate::capture::{StreamEncoder, write_section_header};
use crate::{ConnectionInfo, Finish, Leg, Record, Timestamp};

const AT: Timestamp = Timestamp::from_nanos(1);
type Tables = HashMap<(ConnectionId, Direction), LaneTable>;
type Lanes = HashMap<(ConnectionId, Direction), Vec<u8>>;

/// Reads a capture into tables, and its lanes as they should be; gaps are filled with `?`.
fn index(file: &[u8]) -> (Tables, Lanes) {
    let (mut reader, mut tables, mut lanes) = (CaptureReader::new(), Tables::new(), Lanes::new());
    reader.receive(Bytes::copy_from_slice(file));
    reader.finish();
    while let Some(item) = reader.poll() {
        let CaptureItem::Record { record, block_offset } = item else { panic!("{item:?}") };
        match record {
            Record::Octets { connection, direction, octets, leg: Leg::Client, .. } => {
                let lane = lanes.entry((connection, direction)).or_default();
                let lane_offset = lane.len() as u64;
                let table = tables.entry((connection, direction)).or_default();
                table.add(lane_offset, block_offset, octets.len());
                lane.extend_from_slice(&octets);
            }
            Record::Gap { connection, direction, len, leg: Leg::Client, .. } => {
                let lane = lanes.entry((connection, direction)).or_default();
                lane.resize(lane.len() + usize::try_from(len).unwrap(), b'?');
            }
            _ => {}
        }
    }
    (tables, lanes)
}

fn info(port: u16) -> ConnectionInfo {
    let client = ([10, 0, 0, 1], port).into();
    ConnectionInfo {
        client,
        server: ([10, 0, 0, 2], 80).into(),
        mode: None,
        upstream: None,
        tls: None,
    }
}

/// Ours: two connections (between the same addresses, if `port` says so), messages of all sizes.
fn ours(port: u16, chunks: &[(u32, bool, bool, usize)]) -> Vec<u8> {
    let mut file = Vec::new();
    write_section_header(&mut file);
    let mut encoders = [(1, 1), (2, port)]
        .map(|(id, port)| StreamEncoder::open(ConnectionId(id), AT, &info(port), &mut file));
    for (turn, &(which, up, is_upstream, len)) in chunks.iter().enumerate() {
        let direction = if up { Direction::ClientToServer } else { Direction::ServerToClient };
        let octets: Vec<u8> =
            (0..len).map(|at| u8::try_from((at + turn * 7) % 251).unwrap()).collect();
        let leg = if is_upstream { Leg::Upstream } else { Leg::Client };
        encoders[which as usize % 2].octets(AT, leg, direction, &octets, &mut file);
    }
    file
}

/// Anyone's: segments on an interface without our name, in any order.
fn foreign(data: &[u8], pieces: &[(usize, usize)]) -> Vec<u8> {
    let mut file = Vec::new();
    write_section_header(&mut file);
    // Rename the interface, so that nothing tells that the packets are ours.
    let at = file.windows(10).position(|part| part == b"framescope").unwrap();
    file[at] = b'F';
    let flow = Flow::between("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    let mut head = PacketHead {
        leg: Leg::Client,
        at: AT,
        flow,
        tag: 0,
        seq: u32::MAX - 5,
        ack: 1,
        flags: flags::SYN,
        nudge: false,
    };
    head.write(&[], &[], &mut file);
    for (turn, &(start, end)) in pieces.iter().enumerate() {
        head.flags = flags::ACK;
        head.seq = (u32::MAX - 4).wrapping_add(u32::try_from(start).unwrap());
        head.tag = u32::try_from(turn).unwrap() & 0xFFFF;
        head.write(&data[start..end], &[], &mut file);
        let other = PacketHead { flow: flow.reversed(), seq: 1, ack: 0, flags: 0, ..head };
        other.write(b"other lane", &[], &mut file);
    }
    file
}

fn check(file: &[u8], ranges: &[(u64, u64)]) {
    let (tables, lanes) = index(file);
    let mut cursor = Cursor::new(file);
    for ((connection, direction), lane) in &lanes {
        let len = lane.len() as u64;
        for (start, size) in ranges {
            let start = start % len;
            let end = (start + size).min(len);
            let table = &tables[&(*connection, *direction)];
            let plan = table.plan(*connection, *direction, start..start + size);
            assert_eq!(plan.range(), start..end);
            let local = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
            let wanted = &lane[local];
            let read = plan.clone().read(&mut cursor, usize::MAX);
            assert_eq!(read.unwrap(), wanted, "{connection} {direction} {start}..{end}");
            let some = wanted.len() / 2;
            assert_eq!(plan.read(&mut cursor, some).unwrap(), wanted[..some]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_range_of_a_capture_of_ours_is_found(
        same_addresses in any::<bool>(),
        chunks in vec(
            (any::<u32>(), any::<bool>(), any::<bool>(), prop_oneof![8 => 1..200usize, 1 => 1..140_000usize]),
            1..60,
        ),
        ranges in vec((any::<u64>(), prop_oneof![0..300u64, 0..200_000u64]), 1..6),
    ) {
        check(&ours(if same_addresses { 1 } else { 2 }, &chunks), &ranges);
    }

    #[test]
    fn any_range_of_anyones_capture_is_found(
        data in vec(any::<u8>(), 1..400),
        pieces in vec((any::<usize>(), any::<usize>()), 0..40),
        swaps in vec((any::<usize>(), any::<usize>()), 0..20),
        ranges in vec((any::<u64>(), 0..300u64), 1..6),
    ) {
        let len = data.len();
        let mut pieces: Vec<(usize, usize)> = pieces
            .into_iter()
            .map(|(a, b)| ((a % len).min(b % len), (a % len).max(b % len) + 1))
            .collect();
        pieces.extend((0..len).step_by(16).map(|start| (start, (start + 16).min(len))));
        let count = pieces.len();
        for (a, b) in swaps {
            pieces.swap(a % count, b % count);
        }
        check(&foreign(&data, &pieces), &ranges);
    }
}

#[test]
fn a_million_small_records_take_few_entries() {
    let mut table = LaneTable::new();
    for turn in 0..1_000_000u64 {
        table.add(turn * 10, 1000 + turn * 80, 10);
    }
    // One for each 64 KiB of 80 MB.
    assert!(table.len() < 1250, "{}", table.len());
    let plan = table.plan(ConnectionId(1), Direction::ClientToServer, 5_000_000..5_000_010);
    assert_eq!(plan.entries.len(), 1);
}

#[test]
fn messages_far_apart_in_the_file_are_reached_without_reading_between() {
    struct Counted(Cursor<Vec<u8>>, usize);
    impl Read for Counted {
        fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
            let len = self.0.read(octets)?;
            self.1 += len;
            Ok(len)
        }
    }
    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }
    let mut chunks = vec![(0, true, false, 10)];
    chunks.extend(vec![(1, true, false, 60_000); 200]);
    chunks.push((0, true, false, 10));
    let file = ours(2, &chunks);
    let (tables, lanes) = index(&file);
    let len = file.len();
    let mut file = Counted(Cursor::new(file), 0);
    let lane = (ConnectionId(1), Direction::ClientToServer);
    let plan = tables[&lane].plan(ConnectionId(1), Direction::ClientToServer, 5..15);
    let lane = &lanes[&lane];
    assert_eq!(plan.read(&mut file, 100).unwrap(), lane[5..15]);
    assert!(file.1 <= 3 * (128 << 10) && len > 10_000_000, "{} of {len}", file.1);
}

#[test]
fn octets_in_a_gap_and_in_a_changed_file_are_an_error() {
    let mut file = Vec::new();
    write_section_header(&mut file);
    let up = Direction::ClientToServer;
    let mut encoder = StreamEncoder::open(ConnectionId(1), AT, &info(1), &mut file);
    encoder.octets(AT, Leg::Client, up, b"before", &mut file);
    encoder.gap(AT, Leg::Client, up, 4, &mut file);
    encoder.octets(AT, Leg::Client, up, b"behind", &mut file);
    let (tables, _) = index(&file);
    let table = &tables[&(ConnectionId(1), up)];
    let read = |range, file: &[u8]| {
        table.plan(ConnectionId(1), up, range).read(&mut Cursor::new(file), 99)
    };
    assert_eq!(read(0..6, &file).unwrap(), b"before"[..]);
    assert_eq!(read(10..16, &file).unwrap(), b"behind"[..]);
    assert_eq!(read(12..99, &file).unwrap(), b"hind"[..]);
    let gap = read(4..12, &file).unwrap_err();
    assert_eq!(gap.kind(), io::ErrorKind::InvalidData);
    assert_eq!(
        gap.to_string(),
        "the capture does not hold octet 6 client-to-server of connection #1"
    );
    assert_eq!(read(0..6, &vec![0; file.len()]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(read(0..6, &[]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(read(0..0, &file).unwrap(), b""[..]);
    let nowhere = LaneTable::new().plan(ConnectionId(9), up, 0..6);
    assert_eq!(nowhere.read(&mut Cursor::new(&file), 99).unwrap(), b""[..]);
}

/// A set whose files before this offset were deleted.
struct FromHereOn(Cursor<Vec<u8>>, u64);

impl Read for FromHereOn {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for FromHereOn {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(offset) if offset < self.1 => Err(io::ErrorKind::NotFound.into()),
            _ => self.0.seek(to),
        }
    }
}

#[test]
fn the_files_of_a_set_are_read_although_the_first_was_deleted() {
    let (id, up, down) = (ConnectionId(1), Direction::ClientToServer, Direction::ServerToClient);
    // Behind a short file, and behind one that is longer than an entry reaches.
    for gone in [20, 140_000] {
        let mut set = Vec::new();
        SetPlace { id: 9, file: 1, offset: 0 }.write_section_header(&mut set);
        let mut encoder = StreamEncoder::open(id, AT, &info(1), &mut set);
        encoder.remember(AT, &info(1));
        let other = &mut StreamEncoder::open(ConnectionId(2), AT, &info(2), &mut set);
        other.remember(AT, &info(2));
        for direction in Direction::BOTH {
            encoder.octets(AT, Leg::Client, direction, &vec![b'-'; gone], &mut set);
        }
        let offset = set.len() as u64;
        SetPlace { id: 9, file: 2, offset }.write_section_header(&mut set);
        for encoder in [other, &mut encoder] {
            encoder.resume(AT, &mut set);
            encoder.octets(AT, Leg::Client, up, b"there", &mut set);
            encoder.octets(AT, Leg::Upstream, up, &vec![b'-'; 4_000], &mut set);
            encoder.octets(AT, Leg::Client, down, b"here too", &mut set);
        }
        let (tables, _) = index(&set);
        let mut file = FromHereOn(Cursor::new(set), offset);
        let gone = gone as u64;
        let mut read = |direction, range: Range<u64>| {
            tables[&(id, direction)].plan(id, direction, range).read(&mut file, 99)
        };
        assert_eq!(read(up, gone..gone + 5).unwrap(), b"there"[..]);
        assert_eq!(read(down, gone + 5..gone + 8).unwrap(), b"too"[..]);
        for range in [0..4, gone - 1..gone + 1] {
            assert_eq!(read(up, range).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }
}

#[test]
fn octets_behind_a_fin_are_found() {
    let (connection, up) = (ConnectionId(1), Direction::ClientToServer);
    let mut file = Vec::new();
    write_section_header(&mut file);
    let mut encoder = StreamEncoder::open(connection, AT, &info(1), &mut file);
    encoder.octets(AT, Leg::Client, up, b"before", &mut file);
    encoder.finish(AT, Leg::Client, !up, Finish::Fin, &mut file);
    encoder.finish(AT, Leg::Client, up, Finish::Fin, &mut file);
    encoder.octets(AT, Leg::Client, up, b"behind", &mut file);
    encoder.octets(AT, Leg::Client, up, b"it", &mut file);
    check(&file, &[(0, 14), (6, 8), (5, 2), (12, 2)]);
}

#[test]
fn a_later_section_with_other_interfaces_is_read_by_its_own() {
    let chunks = [(0, true, false, 100), (0, true, false, 50)];
    let one = ours(2, &chunks);
    // The first section has one interface of another link type.
    let mut other = Vec::new();
    write_section_header(&mut other);
    other.truncate(other.len() - 56);
    let at = other.windows(10).position(|part| part == b"framescope").unwrap();
    other[at - 12] = 1;
    check(&[other, one.clone(), one].concat(), &[(0, 100), (20, 200)]);
}
