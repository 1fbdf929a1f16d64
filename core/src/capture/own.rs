//! The fast path: streams that Framescope wrote itself, told by the comment on their SYN.
//!
//! What was written comes back record for record, so there is nothing to reassemble; sequence
//! numbers are looked at all the same, and tell what damage or an editing tool took away.

mod resume;

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::comment::{Comment, Missing};
use super::ids::Ids;
use super::packet::{Flow, Segment, flags};
use super::packets::Packet;
use crate::{ConnectionId, Direction, Finish, Leg, Record, Timestamp};
use resume::Owed;

/// Streams that ended are remembered until so many others have: for notes that come late.
const ENDED_KEPT: usize = 1024;

/// All streams of ours that are open, or ended not long ago.
#[derive(Debug, Default)]
pub(crate) struct OwnStreams {
    /// Each stream twice: as its client sends and as its server sends. Asked once a packet.
    lanes: HashMap<Key, Lane, foldhash::fast::RandomState>,
    ended: VecDeque<Key>,
    /// Streams on the upstream leg: they go when their connection's client leg does, for the proxy tells
    /// there of no end.
    upstream: HashMap<ConnectionId, Key>,
    /// Streams that begin in the middle, and of which only the opening was told so far.
    owed: HashMap<Key, Box<Owed>>,
}

/// What tells a stream's packets from all others: addresses as the sender has them, tag, leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    flow: Flow,
    tag: u32,
    leg: Leg,
}

#[derive(Debug, Clone, Copy)]
struct Lane {
    connection: ConnectionId,
    direction: Direction,
    /// The next sequence number; the server's is known from its SYN-ACK on.
    next: Option<u32>,
    is_finished: bool,
}

/// A packet of ours, as the reader hands it over.
#[derive(Debug)]
pub(crate) struct OwnPacket<'a> {
    /// The side of the proxy, which is its interface.
    pub(crate) leg: Leg,
    /// The packet.
    pub(crate) packet: &'a mut Packet,
    /// What it says.
    pub(crate) segment: &'a Segment,
    /// Its comments, ours alone.
    pub(crate) comments: Vec<Comment>,
}

impl OwnStreams {
    /// Takes in a packet, and gives `out` its records. Says whether it belongs to a stream of ours.
    pub(crate) fn receive(
        &mut self,
        packet: OwnPacket<'_>,
        ids: &mut Ids,
        mut out: impl FnMut(Record),
    ) -> bool {
        let OwnPacket { leg, packet, segment, comments } = packet;
        let at = packet.at;
        let key = Key { flow: segment.flow, tag: segment.tag, leg };
        let opening = comments.iter().find(|comment| comment.opens_stream());
        if segment.has(flags::SYN)
            && let Some(opening) = opening
        {
            self.open(key, segment.seq, at, opening, ids, out);
            return true;
        }
        if comments.iter().any(|comment| comment.resume.is_some()) {
            let ours = OwnPacket { leg, packet, segment, comments };
            self.resume(ours, key, ids, &mut out);
            return true;
        }
        if !self.owed.is_empty() && self.settle(key, packet, segment, &mut out) {
            return true;
        }
        let Some(lane) = self.lanes.get_mut(&key) else { return false };
        let (connection, direction) = (lane.connection, lane.direction);
        for comment in comments {
            if let Some(note) = comment.note {
                out(Record::Noted { connection, at, note });
            }
            if let Some(gap) = comment.gap {
                lane.advance(gap.len);
                let Missing { len, frames: position } = gap;
                out(Record::Gap { connection, at, leg, direction, len, position });
                // The packet itself still has the number before the gap.
                return true;
            }
        }
        if segment.has(flags::SYN) {
            lane.next.get_or_insert(segment.seq.wrapping_add(1));
            return true;
        }
        let Some(skip) = lane.take(segment, |len| {
            out(Record::Gap { connection, at, leg, direction, len, position: None });
        }) else {
            return true;
        };
        let Range { start, end } = segment.payload;
        let in_proxy = packet.in_proxy();
        let octets = packet.take(start.saturating_add(skip).min(end)..end);
        if !octets.is_empty() {
            out(Record::Octets { connection, at, leg, direction, octets, in_proxy });
        }
        if segment.cut > 0 {
            let len = segment.cut as u64;
            out(Record::Gap { connection, at, leg, direction, len, position: None });
        }
        if segment.has(flags::FIN) {
            out(Record::Finished { connection, at, leg, direction, how: Finish::Fin });
        }
        if segment.has(flags::RST) {
            out(Record::Finished { connection, at, leg, direction, how: Finish::Reset });
        }
        if segment.flags & (flags::FIN | flags::RST) != 0 {
            lane.is_finished = true;
            self.forget_old(key, segment.has(flags::RST));
        }
        true
    }

    /// How many lanes are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Begins the stream that the comment on its SYN tells of.
    fn open(
        &mut self,
        key: Key,
        seq: u32,
        at: Timestamp,
        opening: &Comment,
        ids: &mut Ids,
        mut out: impl FnMut(Record),
    ) {
        let connection = match &opening.open {
            Some(info) => {
                let connection = ids.claim(opening.id);
                out(Record::Opened { connection, at, info: info.clone() });
                connection
            }
            None => ids.resolve(opening.id),
        };
        let next = Some(seq.wrapping_add(1));
        let direction = Direction::ClientToServer;
        let lane = Lane { connection, direction, next, is_finished: false };
        self.lanes.insert(key, lane);
        let back = Lane { direction: !direction, next: None, ..lane };
        self.lanes.insert(key.reversed(), back);
        self.remember_upstream(key, connection);
    }

    fn remember_upstream(&mut self, key: Key, connection: ConnectionId) {
        if key.leg == Leg::Upstream {
            self.upstream.insert(connection, key);
        }
    }

    /// Puts a stream that has ended behind those that ended before, and forgets the oldest.
    fn forget_old(&mut self, key: Key, reset: bool) {
        let other_finished = self.lanes.get(&key.reversed()).is_some_and(|other| other.is_finished);
        if reset || other_finished {
            self.ended.push_back(key);
        }
        if self.ended.len() > ENDED_KEPT
            && let Some(key) = self.ended.pop_front()
            // The addresses may be those of a newer stream by now.
            && let Some(lane) = self.lanes.get(&key).copied().filter(|lane| lane.is_finished)
        {
            self.forget(key, lane.connection);
            if key.leg == Leg::Client
                && let Some(upstream) = self.upstream.remove(&lane.connection)
            {
                self.forget(upstream, lane.connection);
            }
        }
    }

    /// Forgets both lanes, unless they are those of another connection by now.
    fn forget(&mut self, key: Key, connection: ConnectionId) {
        for key in [key, key.reversed()] {
            if self.lanes.get(&key).is_some_and(|lane| lane.connection == connection) {
                self.lanes.remove(&key);
            }
        }
    }
}

impl Key {
    /// The key of a direction, where this is the client's.
    fn of(self, direction: Direction) -> Self {
        match direction {
            Direction::ClientToServer => self,
            Direction::ServerToClient => self.reversed(),
        }
    }

    fn reversed(self) -> Self {
        Self { flow: self.flow.reversed(), ..self }
    }
}

impl Lane {
    fn advance(&mut self, len: u64) {
        let wrapped = u32::try_from(len & 0xFFFF_FFFF).unwrap_or_default();
        self.next = self.next.map(|next| next.wrapping_add(wrapped));
    }

    /// Moves on past a segment. Says how many of its octets were seen before; `None` where nothing
    /// in it is new. Tells `gap` how many octets are missing before it.
    fn take(&mut self, segment: &Segment, gap: impl FnOnce(u64)) -> Option<usize> {
        let len = segment
            .payload
            .len()
            .saturating_add(segment.cut)
            .saturating_add(usize::from(segment.has(flags::FIN)));
        let end = segment.seq.wrapping_add(u32::try_from(len).unwrap_or_default());
        let expected = *self.next.get_or_insert(segment.seq);
        if expected == segment.seq {
            self.next = Some(end);
            return Some(0);
        }
        let ahead = segment.seq.wrapping_sub(expected);
        if ahead < 1 << 31 {
            // A packet without octets says nothing about octets that are missing before it yet,
            // but it names where its sender stands.
            gap(u64::from(ahead));
            self.next = Some(end);
            return Some(0);
        }
        let seen = usize::try_from(expected.wrapping_sub(segment.seq)).ok()?;
        if seen >= len {
            return None;
        }
        self.next = Some(end);
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionInfo;
    use crate::capture::packets::Packets;
    use crate::capture::{StreamEncoder, write_section_header};

    const AT: Timestamp = Timestamp::from_nanos(5);
    const UP: Direction = Direction::ClientToServer;

    /// Feeds the packets of these blocks, save those whose place in the file `drop` names.
    fn records(blocks: &[u8], drop: &[usize], streams: &mut OwnStreams) -> Vec<Record> {
        let mut file = Vec::new();
        write_section_header(&mut file);
        file.extend_from_slice(blocks);
        let (mut packets, mut ids, mut records) = (Packets::default(), Ids::default(), Vec::new());
        packets.push(file.into());
        let mut place = 0;
        while let Some(found) = packets.next() {
            let mut packet = found.unwrap();
            place += 1;
            if drop.contains(&place) {
                continue;
            }
            let segment = Segment::of_ours(packet.octets()).unwrap();
            let comments = Comment::read(packet.order, packet.options());
            let comments = comments.into_iter().map(Result::unwrap).collect();
            let leg = packet.interface.leg.unwrap();
            let packet = OwnPacket { leg, packet: &mut packet, segment: &segment, comments };
            streams.receive(packet, &mut ids, |record| records.push(record));
        }
        records
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

    #[test]
    fn a_packet_that_was_taken_away_becomes_a_gap() {
        let mut out = Vec::new();
        let mut encoder = StreamEncoder::open_at_sequence(
            ConnectionId(1),
            AT,
            &info(1),
            [u32::MAX - 5, 0],
            &mut out,
        );
        for octets in [&b"hello"[..], b"missing", b"there"] {
            encoder.octets(AT, Leg::Client, UP, octets, &mut out);
        }
        let found = records(&out, &[5], &mut OwnStreams::default());
        let connection = ConnectionId(1);
        let octets = |octets: &'static [u8]| Record::Octets {
            connection,
            at: AT,
            leg: Leg::Client,
            direction: UP,
            octets: octets.into(),
            in_proxy: None,
        };
        let gap = Record::Gap {
            connection,
            at: AT,
            leg: Leg::Client,
            direction: UP,
            len: 7,
            position: None,
        };
        assert_eq!(found[1..], [octets(b"hello"), gap, octets(b"there")]);
    }

    #[test]
    fn a_packet_that_is_there_twice_counts_once() {
        let mut out = Vec::new();
        let mut encoder = StreamEncoder::open(ConnectionId(1), AT, &info(1), &mut out);
        let start = out.len();
        encoder.octets(AT, Leg::Client, UP, b"once", &mut out);
        out.extend_from_within(start..);
        assert_eq!(records(&out, &[], &mut OwnStreams::default()).len(), 2);
    }

    #[test]
    fn streams_that_ended_are_forgotten_in_the_end() {
        let (mut out, mut streams) = (Vec::new(), OwnStreams::default());
        for id in 1..10_000u32 {
            let port = u16::try_from(id).unwrap();
            let mut encoder = StreamEncoder::open(ConnectionId(id), AT, &info(port), &mut out);
            encoder.octets(AT, Leg::Upstream, UP, b"as it was sent on", &mut out);
            encoder.finish(AT, Leg::Client, UP, Finish::Fin, &mut out);
            encoder.finish(AT, Leg::Client, !UP, Finish::Fin, &mut out);
        }
        assert_eq!(records(&out, &[], &mut streams).len(), 9_999 * 4);
        // Two lanes on each of the two legs.
        assert!(streams.len() <= 4 * ENDED_KEPT, "{} lanes", streams.len());
        assert!(streams.upstream.len() <= ENDED_KEPT);
    }
}
