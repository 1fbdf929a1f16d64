//! The traffic that is listed: text messages of 64 octets on one connection, from the server.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use bytes::Bytes;
use framescope_core::capture::CaptureWriter;
use framescope_core::frame::Rsv;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, FrameHeader, Leg, Opcode, PayloadLength, Record,
    Timestamp,
};

const CONNECTION: ConnectionId = ConnectionId(1);
const PAYLOAD_LEN: usize = 64;
/// Octets of one record, as a busy connection is read.
const CHUNK: usize = 16 << 10;

const REQUEST: &str = "GET /ticker HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A capture that grows.
pub struct Traffic {
    writer: CaptureWriter<File>,
    frames: usize,
    now: u64,
}

impl Traffic {
    /// A fresh capture with one open WebSocket.
    pub fn new(path: &Path) -> Self {
        let file = File::create(path).expect("a file to write");
        let writer = CaptureWriter::new(file).expect("a section header");
        let mut traffic = Self { writer, frames: 0, now: 1_700_000_000_000_000_000 };
        let at = traffic.tick();
        let [client, server] =
            [40_000, 80].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let info = ConnectionInfo { client, server, mode: None, upstream: None, tls: None };
        traffic.write(&Record::Opened { connection: CONNECTION, at, info: Box::new(info) });
        traffic.octets(Direction::ClientToServer, REQUEST.as_bytes().to_vec());
        traffic.octets(Direction::ServerToClient, RESPONSE.as_bytes().to_vec());
        traffic
    }

    /// So many messages more, and all of them in the file.
    pub fn say(&mut self, count: usize) {
        let mut wire = Vec::with_capacity(CHUNK + PAYLOAD_LEN);
        for _ in 0..count {
            self.append_frame(&mut wire);
            if wire.len() >= CHUNK {
                self.octets(Direction::ServerToClient, std::mem::take(&mut wire));
            }
        }
        if !wire.is_empty() {
            self.octets(Direction::ServerToClient, wire);
        }
        self.writer.flush().expect("flushed");
    }

    fn append_frame(&mut self, wire: &mut Vec<u8>) {
        let number = self.frames;
        self.frames += 1;
        let mut payload =
            format!("{{\"sym\":\"ACME\",\"bid\":{},\"n\":{},", number % 9973, number % 1000);
        while payload.len() < PAYLOAD_LEN - 1 {
            payload.push(' ');
        }
        payload.push('}');
        let header = FrameHeader {
            fin: true,
            rsv: Rsv::NONE,
            opcode: Opcode::Text,
            masking_key: None,
            payload_len: PayloadLength::minimal(payload.len() as u64),
        };
        header.encode(wire);
        wire.extend_from_slice(payload.as_bytes());
    }

    fn octets(&mut self, direction: Direction, octets: Vec<u8>) {
        let (at, octets) = (self.tick(), Bytes::from(octets));
        let (connection, leg) = (CONNECTION, Leg::Client);
        self.write(&Record::Octets { connection, at, leg, direction, octets, in_proxy: None });
    }

    fn write(&mut self, record: &Record) {
        self.writer.write(record).expect("the record is written");
    }

    fn tick(&mut self) -> Timestamp {
        self.now += 2_000_000;
        Timestamp::from_nanos(self.now)
    }
}
