//! Conversations: an input read as the records of a few connections.

use std::net::SocketAddr;

use arbitrary::Unstructured;
use bytes::Bytes;
use framescope_core::capture::{CaptureItem, CaptureReader, CaptureWriter};
use framescope_core::frame::FramePosition;
use framescope_core::session::Limits;
use framescope_core::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, Event, Finish, Leg, Record, Session,
    Timestamp,
};

use crate::wire;

/// Limits that short inputs reach.
const SMALL: Limits = Limits {
    frame_payload: 8,
    message_data: 16,
    body_content: 16,
    inflate_budget: 64,
    head: 400,
    early: 40,
};

/// Records of up to four connections.
///
/// As an input: an octet of [`flags`], then one operation after the other. An operation is an octet
/// (its low four bits what, then [`DOWN`], the high two bits the connection) and what belongs to it.
#[derive(Debug)]
pub struct Script {
    /// How much a session keeps.
    pub limits: Limits,
    /// What happens; each connection is opened before anything else is said of it.
    pub records: Vec<Record>,
}

/// What the first octet of an input chooses.
pub mod flags {
    /// Limits that short inputs reach.
    pub const SMALL: u8 = 1;
    /// The first connection begins with an opening handshake.
    pub const OPEN: u8 = 2;
    /// … that agrees on permessage-deflate …
    pub const DEFLATE: u8 = 4;
    /// … without context takeover.
    pub const NO_TAKEOVER: u8 = 8;
}

/// The operation is about the server's octets.
pub const DOWN: u8 = 16;
/// Octets, after an octet that says how many.
pub const OCTETS: u8 = 0;
const LONG_OCTETS: u8 = 9;
const UPSTREAM: u8 = 10;
const GAP: u8 = 11;
/// FIN.
pub const FIN: u8 = 12;
const RESET: u8 = 13;
const NOTE: u8 = 14;
const LATER: u8 = 15;

impl Script {
    /// Reads an input; every input is a script.
    pub fn read(input: &[u8]) -> Self {
        let mut input = Unstructured::new(input);
        let mut reader = Reader { records: Vec::new(), opened: 0, finished: 0, at: 1 };
        let flags: u8 = input.arbitrary().unwrap_or_default();
        reader.begin(flags);
        while !input.is_empty() && reader.operation(&mut input).is_ok() {}
        let limits = if flags & flags::SMALL == 0 { Limits::COUNT } else { SMALL };
        Self { limits, records: reader.records }
    }

    /// The same with every record's octets cut into pieces of at most `len`.
    pub fn cut(&self, len: usize) -> Vec<Record> {
        let mut cut = Vec::new();
        for record in &self.records {
            let Record::Octets { connection, at, leg, direction, octets, in_proxy } =
                record.clone()
            else {
                cut.push(record.clone());
                continue;
            };
            cut.extend(octets.chunks(len).map(|piece| Record::Octets {
                connection,
                at,
                leg,
                direction,
                octets: octets.slice_ref(piece),
                in_proxy,
            }));
        }
        cut
    }

    /// The records as a capture.
    pub fn capture(&self) -> Vec<u8> {
        let mut writer = CaptureWriter::new(Vec::new()).expect("a vector takes everything");
        for record in &self.records {
            writer.write(record).expect("every connection was opened");
        }
        writer.into_inner().expect("a vector takes everything")
    }
}

struct Reader {
    records: Vec<Record>,
    /// One bit a connection.
    opened: u8,
    /// One bit a lane: nothing follows a FIN there.
    finished: u8,
    at: u64,
}

impl Reader {
    fn begin(&mut self, flags: u8) {
        use Direction::{ClientToServer, ServerToClient};
        if flags & flags::OPEN == 0 {
            return;
        }
        let connection = self.connection(0);
        let extension = match (flags & flags::DEFLATE, flags & flags::NO_TAKEOVER) {
            (0, _) => String::new(),
            (_, 0) => format!("Sec-WebSocket-Extensions: {}\r\n", wire::EXTENSIONS[0]),
            (_, _) => format!("Sec-WebSocket-Extensions: {}\r\n", wire::EXTENSIONS[2]),
        };
        for (direction, head) in [(ClientToServer, wire::REQUEST), (ServerToClient, wire::RESPONSE)]
        {
            let octets = Bytes::from(format!("{head}{extension}\r\n"));
            self.octets(connection, Leg::Client, direction, octets);
        }
    }

    /// The connection of this number, opened if it is not yet.
    fn connection(&mut self, number: u8) -> ConnectionId {
        let connection = ConnectionId(u32::from(number) + 1);
        if self.opened & (1 << number) == 0 {
            self.opened |= 1 << number;
            let (at, info) = (Timestamp::from_nanos(self.at), Box::new(info()));
            self.records.push(Record::Opened { connection, at, info });
        }
        connection
    }

    fn octets(&mut self, connection: ConnectionId, leg: Leg, direction: Direction, octets: Bytes) {
        if !octets.is_empty() {
            let at = Timestamp::from_nanos(self.at);
            self.records.push(Record::Octets {
                connection,
                at,
                leg,
                direction,
                octets,
                in_proxy: None,
            });
        }
    }

    fn operation(&mut self, input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let operation: u8 = input.arbitrary()?;
        let direction = match operation & DOWN {
            0 => Direction::ClientToServer,
            _ => Direction::ServerToClient,
        };
        let connection = self.connection(operation >> 6);
        let (at, leg) = (Timestamp::from_nanos(self.at), Leg::Client);
        let lane = 1 << (usize::from(operation >> 6) * 2 + direction.index());
        match operation & 15 {
            GAP => {
                let len: u8 = input.arbitrary()?;
                let len = if len == u8::MAX { u64::MAX } else { u64::from(len) };
                let position = (len % 2 == 1 && len < 255).then(|| {
                    let header = vec![0x81; (len >> 1) as usize % 3];
                    let rest = if header.is_empty() { len >> 4 } else { 0 };
                    let (within_message, closed) = (len & 4 > 0, len & 8 > 0);
                    Box::new(FramePosition { rest, header, within_message, closed })
                });
                self.records.push(Record::Gap { connection, at, leg, direction, len, position });
            }
            FIN | RESET => {
                self.finished |= lane;
                let how = if operation & 15 == FIN { Finish::Fin } else { Finish::Reset };
                self.records.push(Record::Finished { connection, at, leg, direction, how });
            }
            NOTE => {
                let upstream_addr = Some(SocketAddr::from(([10, 0, 0, 3], input.arbitrary()?)));
                let note = Box::new(ConnectionNote { upstream_addr, ..ConnectionNote::default() });
                self.records.push(Record::Noted { connection, at, note });
            }
            LATER => self.at += u64::from(input.arbitrary::<u8>()?),
            kind => {
                let len = match kind {
                    LONG_OCTETS => usize::from(input.arbitrary::<u16>()?),
                    _ => usize::from(input.arbitrary::<u8>()?),
                };
                let octets = Bytes::copy_from_slice(input.bytes(len.min(input.len()))?);
                let leg = if kind == UPSTREAM { Leg::Upstream } else { Leg::Client };
                if leg == Leg::Upstream || self.finished & lane == 0 {
                    self.octets(connection, leg, direction, octets);
                }
            }
        }
        Ok(())
    }
}

fn info() -> ConnectionInfo {
    ConnectionInfo {
        client: ([10, 0, 0, 1], 40_000).into(),
        server: ([10, 0, 0, 2], 80).into(),
        mode: Some("reverse".to_owned()),
        upstream: Some("ws://10.0.0.3".to_owned()),
        tls: None,
    }
}

/// All events of these records.
pub fn events(limits: Limits, records: &[Record]) -> Vec<Event> {
    let mut session = Session::new(limits);
    let mut events = Vec::new();
    for record in records {
        session.receive_into(record, &mut |event| events.push(event));
    }
    session.finish();
    events.extend(std::iter::from_fn(|| session.poll_event()));
    events
}

/// All items of a capture that comes in these pieces.
pub fn items(pieces: impl IntoIterator<Item = Bytes>) -> Vec<CaptureItem> {
    let mut items = Vec::new();
    each_item(pieces, |item| items.push(item));
    items
}

/// Gives each item of a capture to `out`, and keeps none.
pub fn each_item(pieces: impl IntoIterator<Item = Bytes>, mut out: impl FnMut(CaptureItem)) {
    let mut reader = CaptureReader::new();
    for piece in pieces {
        reader.receive(piece);
        while let Some(item) = reader.poll() {
            out(item);
        }
    }
    reader.finish();
    while let Some(item) = reader.poll() {
        out(item);
    }
}

/// Inputs for [`Script::read`]: opening handshakes, plain HTTP, every kind of frame, every end.
pub fn inputs() -> Vec<Vec<u8>> {
    let octets = |operation: u8, octets: &[u8]| {
        let mut input = Vec::new();
        for part in octets.chunks(200) {
            input.extend([operation, u8::try_from(part.len()).unwrap_or_default()]);
            input.extend_from_slice(part);
        }
        input
    };
    let ends = [FIN, FIN | DOWN];
    let mut inputs = Vec::new();
    for flags in [0, flags::DEFLATE, flags::DEFLATE | flags::NO_TAKEOVER] {
        for small in [0, flags::SMALL] {
            let mut input = vec![flags | flags::OPEN | small];
            for (up, down) in wire::frames(true).iter().zip(&wire::frames(false)) {
                input.extend(octets(OCTETS, up));
                input.extend(octets(OCTETS | DOWN, down));
            }
            input.extend([LATER, 9, NOTE, 0, 80]);
            input.extend(ends);
            inputs.push(input);
        }
    }
    for head in wire::heads() {
        let mut input = vec![0];
        input.extend(octets(OCTETS, format!("{}\r\n", wire::REQUEST).as_bytes()));
        input.extend(octets(UPSTREAM, format!("{}\r\n", wire::REQUEST).as_bytes()));
        input.extend(octets(OCTETS | DOWN, head.as_bytes()));
        input.extend(octets(OCTETS | 1 << 6, head.as_bytes()));
        input.extend([GAP | 1 << 6, 3, RESET]);
        inputs.push(input);
    }
    inputs
}
