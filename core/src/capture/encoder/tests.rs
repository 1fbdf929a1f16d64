//! The conversation that one connection becomes.

use super::*;
use crate::capture::write_section_header;

const AT: Timestamp = Timestamp::from_nanos(1);

fn info() -> ConnectionInfo {
    let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let (client, server) = ((client, 40_000).into(), (server, 80).into());
    ConnectionInfo { client, server, mode: None, upstream: None, tls: None }
}

/// Interface, addresses, sequence and acknowledgment numbers, flags and length of each packet.
fn packets(out: &[u8]) -> Vec<String> {
    use crate::capture::packet::Segment;
    use crate::capture::packets::Packets;
    let mut file = Vec::new();
    write_section_header(&mut file);
    file.extend_from_slice(out);
    let mut packets = Packets::default();
    packets.push(file.into());
    std::iter::from_fn(|| packets.next())
        .map(|packet| {
            let packet = packet.unwrap();
            let segment = Segment::of_ours(packet.octets()).unwrap();
            let letters: String = [
                (flags::SYN, 'S'),
                (flags::FIN, 'F'),
                (flags::RST, 'R'),
                (flags::PSH, 'P'),
                (flags::ACK, 'A'),
            ]
            .into_iter()
            .filter_map(|(flag, letter)| segment.has(flag).then_some(letter))
            .collect();
            format!(
                "{} {} {letters} {:x} {:x} +{}",
                packet.interface_number,
                segment.flow.from(),
                segment.seq,
                segment.ack.unwrap_or(0),
                segment.payload.len()
            )
        })
        .collect()
}

#[test]
fn a_connection_is_this_conversation() {
    use Direction::{ClientToServer, ServerToClient};
    let mut out = Vec::new();
    let initial = [0xFFFF_FFFD, 0x10];
    let mut encoder =
        StreamEncoder::open_at_sequence(ConnectionId(1), AT, &info(), initial, &mut out);
    encoder.octets(AT, Leg::Client, ClientToServer, b"hello", &mut out);
    encoder.note(AT, &ConnectionNote::default(), &mut out);
    encoder.gap(AT, Leg::Client, ServerToClient, 0x1_0000_0100, &mut out);
    encoder.octets(AT, Leg::Client, ServerToClient, b"yes", &mut out);
    encoder.finish(AT, Leg::Client, ClientToServer, Finish::Fin, &mut out);
    encoder.finish(AT, Leg::Client, ServerToClient, Finish::Reset, &mut out);
    assert_eq!(
        packets(&out),
        [
            "0 10.0.0.1:40000 S fffffffd 0 +0",
            "0 10.0.0.2:80 SA 10 fffffffe +0",
            "0 10.0.0.1:40000 A fffffffe 11 +0",
            "0 10.0.0.1:40000 PA fffffffe 11 +5",
            "0 10.0.0.1:40000 A 3 11 +0",
            "0 10.0.0.2:80 A 11 3 +0",
            "0 10.0.0.2:80 PA 111 3 +3",
            "0 10.0.0.1:40000 FA 3 114 +0",
            "0 10.0.0.2:80 RA 114 4 +0",
        ]
    );
}

#[test]
fn the_upstream_leg_opens_with_its_first_octets_between_the_noted_addresses() {
    let upstream_addr = Some("192.0.2.9:443".parse().unwrap());
    let upstream_local_addr = Some("10.0.0.2:5555".parse().unwrap());
    let known = ConnectionNote { upstream_addr, upstream_local_addr, ..ConnectionNote::default() };
    for (id, note, from, to) in [
        (7, known, "10.0.0.2:5555", "192.0.2.9:443"),
        (7, ConnectionNote::default(), "0.0.0.0:7", "0.0.0.0:0"),
        (0x2_0007, ConnectionNote::default(), "0.0.0.2:7", "0.0.0.0:0"),
    ] {
        let mut out = Vec::new();
        let mut encoder = StreamEncoder::open(ConnectionId(id), AT, &info(), &mut out);
        encoder.note(AT, &note, &mut out);
        out.clear();
        for direction in Direction::BOTH {
            encoder.octets(AT, Leg::Upstream, direction, b"x", &mut out);
        }
        let found = packets(&out);
        let senders: Vec<_> =
            found.iter().map(|line| line.rsplitn(4, ' ').last().unwrap()).collect();
        let [up, down] = [from, to].map(|address| format!("1 {address}"));
        let starts = |line: &str, start: &str| line.starts_with(start);
        assert_eq!(senders.len(), 5);
        assert!(
            senders
                .iter()
                .zip([&up, &down, &up, &up, &down])
                .all(|(line, start)| starts(line, start))
        );
    }
}

#[test]
fn octets_beyond_one_packet_go_on_in_the_next() {
    let mut out = Vec::new();
    let mut encoder = StreamEncoder::open(ConnectionId(0), AT, &info(), &mut out);
    out.clear();
    encoder.octets(AT, Leg::Client, Direction::ClientToServer, &vec![1; 65_495 * 2 + 1], &mut out);
    assert_eq!(
        packets(&out),
        [
            "0 10.0.0.1:40000 PA 1 0 +65495",
            "0 10.0.0.1:40000 PA ffd8 0 +65495",
            "0 10.0.0.1:40000 PA 1ffaf 0 +1",
        ]
    );
}

#[test]
fn an_idle_connection_costs_little() {
    assert!(size_of::<StreamEncoder>() <= 128, "{}", size_of::<StreamEncoder>());
}
