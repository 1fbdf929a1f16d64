//! The writer: records in, blocks out.

mod resume;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use super::append::Append;
use super::block;
use super::comment::{Missing, Remark};
use super::packet::{Flow, MAX_PAYLOAD_LEN, PacketHead, flags};
use super::past::Past;
use crate::frame::FramePosition;
use crate::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, Finish, Leg, Record, Timestamp,
};

/// Appends what every capture starts with: the section header and the two interfaces.
pub fn write_section_header(out: &mut Vec<u8>) {
    block::write_preamble(None, out);
}

/// Encodes one connection's records as blocks of a capture, ready to be written to the file.
///
/// Each call appends whole blocks to `out`; blocks of different connections may be mixed in any
/// order, those of one connection must stay in theirs.
#[derive(Debug)]
pub struct StreamEncoder {
    id: ConnectionId,
    client: Stream,
    upstream: Stream,
    upstream_is_open: bool,
    nudge: bool,
    past: Option<Box<Past>>,
}

/// One leg's synthetic TCP connection.
#[derive(Debug, Clone, Copy)]
struct Stream {
    /// As the opener's packets have it.
    flow: Flow,
    /// The next sequence number, by [`Direction::index`].
    next: [u32; 2],
}

impl StreamEncoder {
    /// Starts a connection: its SYN, SYN-ACK and ACK.
    pub fn open(
        id: ConnectionId,
        at: Timestamp,
        info: &ConnectionInfo,
        out: &mut impl Append,
    ) -> Self {
        Self::open_at_sequence(id, at, info, initial_sequence(id), out)
    }

    /// A connection of which nothing is written yet, for want of room: [`StreamEncoder::resume`] tells
    /// of it later, as of one that began in the middle.
    pub fn untold(id: ConnectionId, since: Timestamp, info: &ConnectionInfo) -> Self {
        let mut encoder = Self::new(id, info, initial_sequence(id));
        encoder.remember(since, info);
        encoder
    }

    /// Like [`StreamEncoder::open`], from these initial sequence numbers on.
    pub(crate) fn open_at_sequence(
        id: ConnectionId,
        at: Timestamp,
        info: &ConnectionInfo,
        initial: [u32; 2],
        out: &mut impl Append,
    ) -> Self {
        let mut encoder = Self::new(id, info, initial);
        let open = Remark { id: id.0, open: Some(info), ..Remark::default() };
        encoder.shake_hands(at, Leg::Client, &open, out);
        encoder
    }

    fn new(id: ConnectionId, info: &ConnectionInfo, initial: [u32; 2]) -> Self {
        let client = Stream { flow: Flow::between(info.client, info.server), next: initial };
        let flow = Flow::between(nowhere(id), SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        let upstream = Stream { flow, next: initial };
        Self { id, client, upstream, upstream_is_open: false, nudge: false, past: None }
    }

    /// Keeps from here on what [`StreamEncoder::resume`] needs: to be called when the connection was
    /// opened, where the capture may go on in another file.
    pub fn remember(&mut self, since: Timestamp, info: &ConnectionInfo) {
        self.past = Some(Box::new(Past::new(since, info)));
    }

    /// Keeps nothing any more for [`StreamEncoder::resume`].
    pub fn forget(&mut self) {
        self.past = None;
    }

    /// The connection it encodes.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Something became known. The upstream's addresses must be noted before anything of
    /// [`Leg::Upstream`] is encoded; after that they are kept as a note alone.
    pub fn note(&mut self, at: Timestamp, note: &ConnectionNote, out: &mut impl Append) {
        if !self.upstream_is_open
            && let Some(addr) = note.upstream_addr
        {
            let local = note.upstream_local_addr.unwrap_or_else(|| nowhere(self.id));
            self.upstream.flow = Flow::between(local, addr);
        }
        if let Some(past) = &mut self.past {
            past.note.learn(note);
        }
        let remark = Remark { id: self.id.0, note: Some(note), ..Remark::default() };
        self.remark(at, Leg::Client, Direction::ClientToServer, &remark, out);
    }

    /// Octets crossed the wire. They are copied once, into `out`; those that one packet cannot hold
    /// go on in further ones.
    pub fn octets(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        octets: &[u8],
        out: &mut impl Append,
    ) {
        self.octets_with(at, leg, direction, octets, &[], out);
    }

    /// The same for octets that are yet to be passed on. How long they were in the proxy, see
    /// [`Record::Octets`], is told later by writing [`in_proxy_value`] over the four octets at each place
    /// that is returned: how far before the end of `out` it is, for the first two packets.
    pub fn octets_timed(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        octets: &[u8],
        out: &mut impl Append,
    ) -> [Option<usize>; 2] {
        let options = block::in_proxy_options(None);
        let (first, rest) = octets.split_at(octets.len().min(MAX_PAYLOAD_LEN));
        let (second, rest) = rest.split_at(rest.len().min(MAX_PAYLOAD_LEN));
        let mut ends = [None; 2];
        for (part, end) in [first, second].into_iter().zip(&mut ends) {
            if !part.is_empty() {
                self.octets_with(at, leg, direction, part, &options, out);
                *end = Some(out.end());
            }
        }
        if !rest.is_empty() {
            self.octets(at, leg, direction, rest, out);
        }
        ends.map(|end| {
            end.map(|end| out.end().saturating_sub(end).saturating_add(block::IN_PROXY_FROM_END))
        })
    }

    fn octets_with(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        octets: &[u8],
        options: &[u8],
        out: &mut impl Append,
    ) {
        self.ensure_open(at, leg, out);
        for payload in octets.chunks(MAX_PAYLOAD_LEN) {
            let head = self.head(at, leg, direction, flags::PSH | flags::ACK);
            head.write(payload, options, out);
            self.advance(leg, direction, payload.len() as u64);
        }
        self.count(leg, direction, octets.len() as u64);
        if leg == Leg::Client {
            self.passed(at, direction, octets);
        }
    }

    /// Octets crossed the wire on the client leg that are not recorded: [`StreamEncoder::gap`] will tell
    /// of them, and how the frames go on behind them where that is kept.
    pub fn passed(&mut self, at: Timestamp, direction: Direction, octets: &[u8]) {
        if let Some(past) = &mut self.past {
            past.last_at = at;
            past.passed(at, direction, octets);
        }
    }

    /// `len` octets crossed the wire that are not recorded.
    pub fn gap(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        len: u64,
        out: &mut impl Append,
    ) {
        let position = match (&self.past, leg) {
            (Some(past), Leg::Client) => past.position(direction).map(Box::new),
            _ => None,
        };
        self.gap_before(at, leg, direction, len, position, out);
    }

    /// `len` octets are not recorded, behind which the frames go on as `frames` says.
    fn gap_before(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        len: u64,
        frames: Option<Box<FramePosition>>,
        out: &mut impl Append,
    ) {
        self.ensure_open(at, leg, out);
        let gap = Some(Missing { len, frames });
        let remark = Remark { id: self.id.0, gap, ..Remark::default() };
        self.remark(at, leg, direction, &remark, out);
        self.advance(leg, direction, len);
        self.count(leg, direction, len);
    }

    /// The sender of `direction` closed.
    pub fn finish(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        how: Finish,
        out: &mut impl Append,
    ) {
        self.ensure_open(at, leg, out);
        let (flag, len) = match how {
            Finish::Fin => (flags::FIN, 1),
            Finish::Reset => (flags::RST, 0),
        };
        self.head(at, leg, direction, flag | flags::ACK).write(&[], &[], out);
        self.advance(leg, direction, len);
        if let Some(past) = &mut self.past {
            let [up, down] = &mut past.sent(leg).finished;
            *(if direction == Direction::ClientToServer { up } else { down }) = Some(how);
        }
    }

    fn count(&mut self, leg: Leg, direction: Direction, len: u64) {
        if let Some(past) = &mut self.past {
            let [up, down] = &mut past.sent(leg).octets;
            let sent = if direction == Direction::ClientToServer { up } else { down };
            *sent = sent.saturating_add(len);
        }
    }

    fn ensure_open(&mut self, at: Timestamp, leg: Leg, out: &mut impl Append) {
        if leg == Leg::Upstream && !self.upstream_is_open {
            self.upstream_is_open = true;
            let open = Remark { id: self.id.0, leg: Some(leg), ..Remark::default() };
            self.shake_hands(at, leg, &open, out);
        }
    }

    /// SYN with the comment, SYN-ACK, ACK.
    fn shake_hands(&mut self, at: Timestamp, leg: Leg, open: &Remark<'_>, out: &mut impl Append) {
        use Direction::{ClientToServer, ServerToClient};
        let syn = PacketHead { ack: 0, ..self.head(at, leg, ClientToServer, flags::SYN) };
        syn.write(&[], &open.options(), out);
        self.advance(leg, ClientToServer, 1);
        self.head(at, leg, ServerToClient, flags::SYN | flags::ACK).write(&[], &[], out);
        self.advance(leg, ServerToClient, 1);
        self.head(at, leg, ClientToServer, flags::ACK).write(&[], &[], out);
    }

    /// A packet without octets that carries a comment.
    fn remark(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        remark: &Remark<'_>,
        out: &mut impl Append,
    ) {
        self.nudge = !self.nudge;
        let head = PacketHead { nudge: self.nudge, ..self.head(at, leg, direction, flags::ACK) };
        head.write(&[], &remark.options(), out);
    }

    fn head(&self, at: Timestamp, leg: Leg, direction: Direction, flags: u8) -> PacketHead {
        let stream = match leg {
            Leg::Client => &self.client,
            Leg::Upstream => &self.upstream,
        };
        let [up, down] = stream.next;
        let (flow, seq, ack) = match direction {
            Direction::ClientToServer => (stream.flow, up, down),
            Direction::ServerToClient => (stream.flow.reversed(), down, up),
        };
        let tag = stream.flow.tag(self.id);
        PacketHead { leg, at, flow, tag, seq, ack, flags, nudge: false }
    }

    /// Moves the next sequence number on; it wraps at 2^32.
    fn advance(&mut self, leg: Leg, direction: Direction, len: u64) {
        let stream = match leg {
            Leg::Client => &mut self.client,
            Leg::Upstream => &mut self.upstream,
        };
        let [up, down] = &mut stream.next;
        let next = match direction {
            Direction::ClientToServer => up,
            Direction::ServerToClient => down,
        };
        let wrapped = u32::try_from(len & 0xFFFF_FFFF).unwrap_or_default();
        *next = next.wrapping_add(wrapped);
    }
}

/// Spread over the number space, so that a port used again is a new stream to every dissector.
fn initial_sequence(id: ConnectionId) -> [u32; 2] {
    let client = id.0.wrapping_mul(0x9E37_79B9);
    [client, !client]
}

/// Stands for the proxy's address on the upstream leg where it is not known: `0.0.0.0`, and the
/// connection's number as port (and above, beyond 65,535).
fn nowhere(id: ConnectionId) -> SocketAddr {
    let port = u16::try_from(id.0 & 0xFFFF).unwrap_or_default();
    SocketAddr::from((Ipv4Addr::from_bits(id.0 >> 16), port))
}

/// Writes a capture, record by record; buffered.
#[derive(Debug)]
pub struct CaptureWriter<W: Write> {
    out: W,
    buffer: Vec<u8>,
    encoders: HashMap<ConnectionId, StreamEncoder>,
}

impl<W: Write> CaptureWriter<W> {
    const BUFFER_LEN: usize = 256 << 10;

    /// Starts a capture on `out` with its section header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, buffer: Vec::new(), encoders: HashMap::new() };
        write_section_header(&mut writer.buffer);
        writer.flush()?;
        Ok(writer)
    }

    /// Writes one record.
    ///
    /// # Errors
    ///
    /// What `out` says; [`io::ErrorKind::InvalidInput`] for a connection that was not opened.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let out = &mut self.buffer;
        if let Record::Opened { connection, at, info } = record {
            self.encoders.insert(*connection, StreamEncoder::open(*connection, *at, info, out));
            return Ok(());
        }
        let encoder = self.encoders.get_mut(&record.connection()).ok_or_else(|| {
            let message = format!("connection {} was not opened", record.connection());
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        match record {
            Record::Opened { .. } => {}
            Record::Noted { at, note, .. } => encoder.note(*at, note, out),
            Record::Octets { at, leg, direction, octets, in_proxy, .. } => {
                let options = in_proxy.map(|time| block::in_proxy_options(Some(time)));
                let options = options.as_ref().map_or(&[][..], |options| options);
                encoder.octets_with(*at, *leg, *direction, octets, options, out);
            }
            Record::Gap { at, leg, direction, len, position, .. } => {
                encoder.gap_before(*at, *leg, *direction, *len, position.clone(), out);
            }
            Record::Finished { at, leg, direction, how, .. } => {
                encoder.finish(*at, *leg, *direction, *how, out);
            }
        }
        if self.buffer.len() >= Self::BUFFER_LEN { self.hand_over() } else { Ok(()) }
    }

    /// Hands everything written so far to `out`, and flushes that.
    pub fn flush(&mut self) -> io::Result<()> {
        self.hand_over()?;
        self.out.flush()
    }

    /// Flushes, and gives `out` back.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.out)
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let known =
            ConnectionNote { upstream_addr, upstream_local_addr, ..ConnectionNote::default() };
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
        encoder.octets(
            AT,
            Leg::Client,
            Direction::ClientToServer,
            &vec![1; 65_495 * 2 + 1],
            &mut out,
        );
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

    #[test]
    fn a_record_of_a_connection_that_was_not_opened_is_an_error() {
        let mut writer = CaptureWriter::new(Vec::new()).unwrap();
        let (connection, leg, direction) =
            (ConnectionId(3), Leg::Client, Direction::ClientToServer);
        let record = Record::Gap { connection, at: AT, leg, direction, len: 1, position: None };
        assert_eq!(writer.write(&record).unwrap_err().to_string(), "connection #3 was not opened");
    }
}
