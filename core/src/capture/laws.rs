//! Laws of the capture: what is written is read; any split gives the same; nothing panics.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::StreamEncoder;
use super::packet::{Flow, MAX_PAYLOAD_LEN, PacketHead};
use super::{CaptureFault, CaptureItem, CaptureReader, CaptureWriter, write_section_header};
use crate::connection::{Alteration, ConnectionInfo, ConnectionNote, TlsInfo};
use crate::frame::FramePosition;
use crate::{ConnectionId, Direction, Finish, Leg, Record, Timestamp};

/// All items of a capture that comes in these pieces.
fn read(pieces: impl IntoIterator<Item = Bytes>) -> Vec<CaptureItem> {
    let mut reader = CaptureReader::new();
    let mut items = Vec::new();
    for piece in pieces {
        reader.receive(piece);
        items.extend(std::iter::from_fn(|| reader.poll()));
    }
    reader.finish();
    items.extend(std::iter::from_fn(|| reader.poll()));
    items
}

fn records(items: &[CaptureItem]) -> Vec<Record> {
    items
        .iter()
        .map(|item| match item {
            CaptureItem::Record { record, .. } => record.clone(),
            CaptureItem::Fault(fault) => panic!("{fault}"),
        })
        .collect()
}

fn write(records: &[Record]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new()).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    writer.into_inner().unwrap()
}

fn split(octets: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (octets.len() + 1)).collect();
    cuts.extend([0, octets.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| Bytes::copy_from_slice(&octets[pair[0]..pair[1]])).collect()
}

fn address() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<u32>(), any::<u16>()).prop_map(|(ip, port)| (ip.to_be_bytes(), port).into()),
        (any::<u128>(), any::<u16>()).prop_map(|(ip, port)| (ip.to_be_bytes(), port).into()),
        // Few, so that they meet.
        (0..3u16).prop_map(|port| ([127, 0, 0, 1], port).into()),
    ]
}

fn info() -> impl Strategy<Value = ConnectionInfo> {
    let tls = (any::<String>(), any::<bool>()).prop_map(|(sni, unverified)| TlsInfo {
        sni: Some(sni),
        unverified,
        ..TlsInfo::default()
    });
    (address(), address(), proptest::option::of(any::<String>()), proptest::option::of(tls))
        .prop_map(|(client, server, upstream, tls)| ConnectionInfo {
            client,
            server,
            mode: Some("reverse".into()),
            upstream,
            tls,
        })
}

fn note() -> impl Strategy<Value = ConnectionNote> {
    let addr = || proptest::option::of(address());
    let alteration =
        (any::<String>(), prop_oneof![9 => Just(0usize), 1 => Just(1)]).prop_map(|(from, big)| {
            Alteration {
                direction: Direction::ClientToServer,
                what: "host".into(),
                from,
                to: "é\n".repeat(big * 15_000),
            }
        });
    (addr(), addr(), any::<Option<u64>>(), vec(alteration, 0..2)).prop_map(
        |(upstream_addr, upstream_local_addr, dial_nanos, alterations)| ConnectionNote {
            upstream_addr,
            upstream_local_addr,
            dial_nanos,
            alterations,
            ..ConnectionNote::default()
        },
    )
}

/// Sequence numbers that meet, about the place where they wrap.
fn near() -> impl Strategy<Value = u32> {
    prop_oneof![20 => (0..30u32).prop_map(|at| at.wrapping_sub(10)), 1 => any::<u32>()]
}

/// How frames go on behind some gaps.
fn position(len: u64) -> Option<Box<FramePosition>> {
    let header = vec![0x81; usize::try_from(len % 5).unwrap()];
    let position = FramePosition {
        rest: if header.is_empty() { len / 2 } else { 0 },
        header,
        within_message: len.is_multiple_of(2),
        closed: len.is_multiple_of(7),
    };
    len.is_multiple_of(3).then(|| Box::new(position))
}

/// A record of the connection with this number; never an `Opened`.
fn later(connection: ConnectionId) -> impl Strategy<Value = Record> {
    let at = any::<u64>().prop_map(Timestamp::from_nanos);
    let leg = prop_oneof![3 => Just(Leg::Client), 1 => Just(Leg::Upstream)];
    let direction = prop_oneof![Just(Direction::ClientToServer), Just(Direction::ServerToClient)];
    let octets = prop_oneof![
        60 => vec(any::<u8>(), 1..40),
        1 => any::<u8>().prop_map(|octet| vec![octet; MAX_PAYLOAD_LEN]),
    ];
    let gap = prop_oneof![1..1000u64, any::<u64>(), Just(1 << 32)];
    (0..12, at, leg, direction, octets, gap, note()).prop_map(
        move |(kind, at, leg, direction, octets, len, note)| match kind {
            0 => Record::Noted { connection, at, note: Box::new(note) },
            1 => Record::Gap { connection, at, leg, direction, len, position: position(len) },
            2 => Record::Finished { connection, at, leg, direction, how: Finish::Fin },
            3 => Record::Finished { connection, at, leg, direction, how: Finish::Reset },
            _ => Record::Octets {
                connection,
                at,
                leg,
                direction,
                octets: octets.into(),
                in_proxy: len.is_multiple_of(2).then(|| Duration::from_nanos(len & 0xFFFF_FFFF)),
            },
        },
    )
}

/// Any conversation of a few connections, mixed.
fn conversation() -> impl Strategy<Value = Vec<Record>> {
    let ids = [1, 2, 0x1_0003, u32::MAX].map(ConnectionId);
    let openings = vec((info(), any::<u64>()), 1..=ids.len());
    let others = vec((0..ids.len()).prop_flat_map(move |which| later(ids[which])), 0..40);
    (openings, others).prop_map(move |(openings, others)| {
        let opened = openings.len();
        openings
            .into_iter()
            .zip(ids)
            .map(|((info, at), connection)| {
                let at = Timestamp::from_nanos(at);
                Record::Opened { connection, at, info: Box::new(info) }
            })
            .chain(
                others
                    .into_iter()
                    .filter(move |record| ids[..opened].contains(&record.connection())),
            )
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(written in conversation()) {
        prop_assert_eq!(records(&read([write(&written).into()])), written);
    }

    #[test]
    fn any_split_of_the_file_gives_the_same_items(
        written in conversation(),
        cuts in vec(any::<usize>(), 0..20),
        damage in vec((any::<usize>(), any::<u8>()), 0..3),
    ) {
        let mut file = write(&written);
        for (place, octet) in damage {
            let len = file.len();
            file[place % len] = octet;
        }
        let whole = read([Bytes::copy_from_slice(&file)]);
        prop_assert_eq!(read(split(&file, &cuts)), whole);
    }

    #[test]
    fn a_cut_file_gives_all_that_is_whole(written in conversation(), cut in any::<usize>()) {
        let file = write(&written);
        let cut = cut % file.len();
        let mut items = read([Bytes::copy_from_slice(&file[..cut])]);
        if matches!(items.last(), Some(CaptureItem::Fault(CaptureFault::CutTail { .. }))) {
            items.pop();
        }
        if cut > 0 {
            let found = records(&items);
            prop_assert_eq!(&written[..found.len()], &found[..]);
        }
    }

    #[test]
    fn any_octets_give_items_and_no_panic(
        start in 0usize..4,
        octets in vec(prop_oneof![any::<u8>(), Just(0), 1..7u8], 0..600),
    ) {
        let mut ours = Vec::new();
        write_section_header(&mut ours);
        let pcap = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0";
        let start: &[u8] = match start {
            0 => &[],
            1 => &ours,
            2 => pcap,
            _ => &ours[..28],
        };
        let file = Bytes::from([start, &octets].concat());
        let items = read([file.clone()]);
        prop_assert!(items.len() <= file.len() / 4 + 2);
    }

    #[test]
    fn any_segments_give_items_however_the_file_is_split(
        segments in vec(
            (any::<bool>(), near(), near(), any::<u8>(), vec(any::<u8>(), 0..8), 0..3u16),
            0..60,
        ),
        cuts in vec(any::<usize>(), 0..8),
    ) {
        let mut file = Vec::new();
        write_section_header(&mut file);
        // Without our name on the interface the packets are anyone's.
        let name = file.windows(10).position(|part| part == b"framescope").unwrap();
        file[name] = b'F';
        let payload_len: usize = segments.iter().map(|(.., payload, _)| payload.len()).sum();
        for (up, seq, ack, flags, payload, port) in segments {
            let flow = Flow::new(([10, 0, 0, 1], port).into(), ([10, 0, 0, 2], 80).into());
            let flow = if up { flow } else { flow.reversed() };
            let (leg, at) = (Leg::Client, Timestamp::from_nanos(1));
            let head = PacketHead { leg, at, flow, tag: 0, seq, ack, flags: flags & 0x1F, nudge: false };
            head.write(&payload, &[], &mut file);
        }
        let whole = read([Bytes::copy_from_slice(&file)]);
        prop_assert_eq!(&read(split(&file, &cuts)), &whole);
        let octets: usize = records(&whole)
            .iter()
            .map(|record| if let Record::Octets { octets, .. } = record { octets.len() } else { 0 })
            .sum();
        prop_assert!(octets <= payload_len);
    }

    #[test]
    fn sequence_numbers_wrap_unseen(
        initial in prop_oneof![Just(u32::MAX - 3), Just(0), any::<u32>()],
        pieces in vec((any::<bool>(), vec(any::<u8>(), 1..9)), 1..20),
        gap in prop_oneof![Just(0u64), Just(5 << 30), Just(3 << 30), 1..9u64],
    ) {
        let (connection, at, leg) = (ConnectionId(1), Timestamp::from_nanos(1), Leg::Client);
        let client = "10.0.0.1:5".parse().unwrap();
        let info = ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None };
        let mut file = Vec::new();
        write_section_header(&mut file);
        let mut encoder = StreamEncoder::open_at_sequence(connection, at, &info, [initial, !initial], &mut file);
        let mut written = Vec::new();
        for (up, octets) in pieces {
            let direction = if up { Direction::ClientToServer } else { Direction::ServerToClient };
            encoder.octets(at, leg, direction, &octets, &mut file);
            written.push(Record::Octets { connection, at, leg, direction, octets: octets.into(), in_proxy: None });
            if gap > 0 {
                encoder.gap(at, leg, direction, gap, &mut file);
                written.push(Record::Gap { connection, at, leg, direction, len: gap, position: None });
            }
        }
        prop_assert_eq!(&records(&read([file.into()]))[1..], written);
    }
}

#[test]
fn octets_in_one_piece_are_not_copied() {
    let (connection, at) = (ConnectionId(1), Timestamp::from_nanos(1));
    let client = "10.0.0.1:5".parse().unwrap();
    let info =
        Box::new(ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None });
    let octets = Bytes::from_static(b"hello");
    let (leg, direction) = (Leg::Client, Direction::ServerToClient);
    let file = Bytes::from(write(&[
        Record::Opened { connection, at, info },
        Record::Octets { connection, at, leg, direction, octets, in_proxy: None },
    ]));
    let items = read([file.clone()]);
    let CaptureItem::Record { record: Record::Octets { octets, .. }, block_offset } = &items[1]
    else {
        panic!("{items:?}")
    };
    let start = octets.as_ptr().addr() - file.as_ptr().addr();
    assert_eq!(start as u64, block_offset + 28 + 40);
}

#[test]
fn captures_put_together_keep_their_connections_apart() {
    let at = Timestamp::from_nanos(1);
    let client = "10.0.0.1:5".parse().unwrap();
    let info =
        Box::new(ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None });
    let opened = |id| Record::Opened { connection: ConnectionId(id), at, info: info.clone() };
    let octets = |id, leg| Record::Octets {
        connection: ConnectionId(id),
        at,
        leg,
        direction: Direction::ClientToServer,
        octets: Bytes::from_static(b"x"),
        in_proxy: None,
    };
    let one = write(&[opened(1), octets(1, Leg::Client), octets(1, Leg::Upstream)]);
    let items = read([Bytes::from([one.clone(), one].concat())]);
    assert_eq!(
        records(&items),
        [
            opened(1),
            octets(1, Leg::Client),
            octets(1, Leg::Upstream),
            opened(2),
            octets(2, Leg::Client),
            octets(2, Leg::Upstream)
        ]
    );
}

#[test]
fn connections_between_the_same_addresses_are_told_apart() {
    let at = Timestamp::from_nanos(1);
    let client = "10.0.0.1:5".parse().unwrap();
    let info =
        Box::new(ConnectionInfo { client, server: client, mode: None, upstream: None, tls: None });
    let mut written: Vec<Record> = (1..=50)
        .map(|id| Record::Opened { connection: ConnectionId(id), at, info: info.clone() })
        .collect();
    for round in 0..4u8 {
        written.extend((1..=50).map(|id| Record::Octets {
            connection: ConnectionId(id),
            at,
            leg: if round % 2 == 0 { Leg::Client } else { Leg::Upstream },
            direction: Direction::ClientToServer,
            octets: vec![round].into(),
            in_proxy: Some(Duration::from_micros(u64::from(round))),
        }));
    }
    let found = records(&read([write(&written).into()]));
    assert_eq!(found, written);
    let counted = found.iter().fold(HashMap::new(), |mut counts: HashMap<_, u32>, record| {
        *counts.entry(record.connection()).or_default() += 1;
        counts
    });
    assert!(counted.values().all(|&count| count == 5));
}
