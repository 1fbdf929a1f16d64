//! One connection's records as blocks of a capture.

mod resume;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};

use super::append::Append;
use super::block;
use super::comment::{Missing, Remark};
use super::packet::{Flow, MAX_PAYLOAD_LEN, PacketHead, flags};
use super::past::Past;
use crate::frame::FramePosition;
use crate::{ConnectionId, ConnectionInfo, ConnectionNote, Direction, Finish, Leg, Timestamp};

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

    /// Octets crossed the wire: each packet of them has these `options`.
    pub(super) fn octets_with(
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
    pub(super) fn gap_before(
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
