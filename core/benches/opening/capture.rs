//! The capture that is opened: a million frames of 64 octets, two a packet, on one connection.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use framescope_core::capture::CaptureWriter;
use framescope_core::frame::Rsv;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, FrameHeader, Leg, MaskingKey, Opcode, PayloadLength,
    Record, Timestamp,
};

/// Frames in the capture.
pub const FRAMES: usize = 1_000_000;
/// Octets of payload in each.
pub const PAYLOAD_LEN: usize = 64;
/// Frames in each packet.
const PER_PACKET: usize = 2;

/// What some of the frames say, and what none does.
pub const NEEDLES: [&str; 2] = ["\"sym\":\"rare\"", "/bid\":12[0-9]{4},|elsewhere/"];
/// One frame in so many says the first of them.
pub const NEEDLE_EVERY: usize = 10_007;

const REQUEST: &[u8] = b"GET /quotes HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Writes the capture: `connections` take turns, each packet goes the other way than the one before it
/// on its connection.
pub fn write(out: impl Write, connections: u32) -> io::Result<()> {
    let mut writer = CaptureWriter::new(out)?;
    for connection in (1..=connections).map(ConnectionId) {
        let port = u16::try_from(10_000 + connection.0 % 50_000).expect("below 65,536");
        let client = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
        let info = ConnectionInfo { client, server, mode: None, upstream: None, tls: None };
        writer.write(&Record::Opened { connection, at: at(0), info: Box::new(info) })?;
        for (direction, head) in Direction::BOTH.into_iter().zip([REQUEST, RESPONSE]) {
            writer.write(&octets(connection, 0, direction, Bytes::from_static(head)))?;
        }
    }
    for packet in 0..FRAMES / PER_PACKET {
        let turn = u32::try_from(packet).expect("few packets");
        let connection = ConnectionId(1 + turn % connections);
        let up = (turn / connections).is_multiple_of(2);
        let direction = if up { Direction::ClientToServer } else { Direction::ServerToClient };
        let mut wire = Vec::with_capacity(PER_PACKET * (PAYLOAD_LEN + 6));
        for frame in packet * PER_PACKET..(packet + 1) * PER_PACKET {
            append_frame(frame, direction, &mut wire);
        }
        writer.write(&octets(connection, packet as u64, direction, wire.into()))?;
    }
    writer.into_inner()?.flush()
}

fn append_frame(number: usize, direction: Direction, wire: &mut Vec<u8>) {
    let symbol = if number.is_multiple_of(NEEDLE_EVERY) { "RARE" } else { "ACME" };
    let mut payload = format!("{{\"sym\":\"{symbol}\",\"bid\":{},\"n\":{number}", number % 9973);
    while payload.len() < PAYLOAD_LEN - 1 {
        payload.push(' ');
    }
    payload.push('}');
    let key = scattered(u32::try_from(number).expect("few frames"));
    let masking_key = (direction == Direction::ClientToServer).then_some(key);
    let header = FrameHeader {
        fin: true,
        rsv: Rsv::NONE,
        opcode: Opcode::Text,
        masking_key,
        payload_len: PayloadLength::minimal(payload.len() as u64),
    };
    header.encode(wire);
    match masking_key {
        Some(key) => key.apply_into(0, payload.as_bytes(), wire),
        None => wire.extend_from_slice(payload.as_bytes()),
    }
}

/// Mixed, for keys that count are a finding.
fn scattered(number: u32) -> MaskingKey {
    let mixed = number.wrapping_mul(0x9E37_79B9);
    let mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85EB_CA6B);
    MaskingKey((mixed ^ (mixed >> 13)).to_be_bytes())
}

fn octets(connection: ConnectionId, tick: u64, direction: Direction, octets: Bytes) -> Record {
    Record::Octets { connection, at: at(tick), leg: Leg::Client, direction, octets, in_proxy: None }
}

fn at(tick: u64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + tick * 10_000)
}
