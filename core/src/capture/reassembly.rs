//! TCP streams of other tools' captures: from segments to records (RFC 9293 §3.4, §3.10).
//!
//! A lane's octets are given out in order, each once. What comes too early is held until what is
//! missing comes; it is given up, and becomes a gap, when the receiver acknowledges what lies behind
//! it (so it got there and the capture missed it), when too much is held, or at the end.

use std::collections::{BTreeSet, HashMap, VecDeque};

use bytes::Bytes;

use super::ids::Ids;
use super::lane::{Fin, Held, Lane, LaneOut, Patience, Sink};
use super::packet::{Flow, Segment, flags};
use crate::frame::FrameDecoder;
use crate::{ConnectionId, ConnectionInfo, Direction, Finish, FrameHeader, Leg, Record, Timestamp};

/// Octets that all lanes may hold together.
const HELD_MAX: usize = 128 << 20;
/// Streams that ended are remembered until so many others have: for segments that come late.
const ENDED_KEPT: usize = 4096;
/// Streams that may be open at once; beyond that, the one that was opened first is let go.
const STREAMS_MAX: usize = 1 << 18;

/// All streams that are open, or ended not long ago.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    /// Where each flow's stream is, for both directions.
    flows: HashMap<Flow, (ConnectionId, Direction)>,
    streams: HashMap<ConnectionId, Stream>,
    /// Those of `streams`; numbers are given in order, so the lowest was opened first.
    opened: BTreeSet<ConnectionId>,
    ended: VecDeque<ConnectionId>,
    held_len: usize,
}

#[derive(Debug)]
struct Stream {
    /// As the client's packets have it.
    flow: Flow,
    /// The sequence number of the client's SYN, if it was seen.
    initial: Option<u32>,
    up: Lane,
    down: Lane,
    is_reset: bool,
}

/// A segment, as the reader hands it over.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    /// Where its block starts.
    pub(crate) block_offset: u64,
    /// When.
    pub(crate) at: Timestamp,
    /// What it says.
    pub(crate) segment: &'a Segment,
    /// Its octets.
    pub(crate) payload: Bytes,
}

impl Reassembly {
    /// Takes in a segment, and gives `out` what is now known.
    pub(crate) fn receive(&mut self, arrival: Arrival<'_>, ids: &mut Ids, out: &mut impl Sink) {
        let segment = arrival.segment;
        let mut known = self.flows.get(&segment.flow).copied();
        if segment.has(flags::SYN)
            && !segment.has(flags::ACK)
            && let Some((id, _)) = known
            && self.streams.get(&id).is_some_and(|stream| stream.initial != Some(segment.seq))
        {
            // The same addresses again: the stream before is over, however it ended.
            self.let_go(id, out);
            known = None;
        }
        let Some((connection, direction)) = known.or_else(|| self.open(&arrival, ids, out)) else {
            return;
        };
        let Some(stream) = self.streams.get_mut(&connection) else { return };
        let mut lane_out = LaneOut { connection, direction, out };
        let held_before = stream.held_len();
        stream.receive(arrival, &mut lane_out);
        let held_by_others = self.held_len.saturating_sub(held_before);
        self.held_len = held_by_others.saturating_add(stream.held_len());
        if self.held_len > HELD_MAX {
            stream.give_up_all(connection, out);
            // Nothing of this stream is held any longer.
            self.held_len = held_by_others;
        }
        if segment.flags & (flags::FIN | flags::RST) != 0 && stream.has_ended() {
            self.ended.push_back(connection);
            if self.ended.len() > ENDED_KEPT
                && let Some(oldest) = self.ended.pop_front()
            {
                self.let_go(oldest, out);
            }
        }
    }

    /// Gives out what is still held: no more segments will come.
    pub(crate) fn finish(&mut self, out: &mut impl Sink) {
        let mut left: Vec<_> = self.streams.keys().copied().collect();
        left.sort_unstable();
        for connection in left {
            self.let_go(connection, out);
        }
    }

    /// Begins a stream with a SYN, a SYN-ACK, or the first octets of one that was open before.
    fn open(
        &mut self,
        arrival: &Arrival<'_>,
        ids: &mut Ids,
        out: &mut impl Sink,
    ) -> Option<(ConnectionId, Direction)> {
        let segment = arrival.segment;
        let payload = &arrival.payload;
        let sender_is_client = match (segment.has(flags::SYN), segment.has(flags::ACK)) {
            (true, acknowledges) => !acknowledges,
            (false, _) if payload.is_empty() && segment.cut == 0 => return None,
            (false, _) => is_client(payload, &segment.flow),
        };
        let (flow, direction) = if sender_is_client {
            (segment.flow, Direction::ClientToServer)
        } else {
            (segment.flow.reversed(), Direction::ServerToClient)
        };
        while self.opened.len() >= STREAMS_MAX
            && let Some(oldest) = self.opened.pop_first()
        {
            self.let_go(oldest, out);
        }
        let connection = ids.next();
        let initial = (segment.has(flags::SYN) && sender_is_client).then_some(segment.seq);
        let [up, down] = [(); 2].map(|()| Lane::new(!segment.has(flags::SYN)));
        let stream = Stream { flow, initial, up, down, is_reset: false };
        self.streams.insert(connection, stream);
        self.opened.insert(connection);
        self.flows.insert(flow.reversed(), (connection, Direction::ServerToClient));
        self.flows.insert(flow, (connection, Direction::ClientToServer));
        let info = Box::new(ConnectionInfo {
            client: flow.from(),
            server: flow.to(),
            mode: Some("capture".to_owned()),
            upstream: None,
            tls: None,
        });
        out(Record::Opened { connection, at: arrival.at, info }, arrival.block_offset);
        Some((connection, direction))
    }

    /// Gives out what a stream still holds, and forgets it.
    fn let_go(&mut self, connection: ConnectionId, out: &mut impl Sink) {
        let Some(mut stream) = self.streams.remove(&connection) else { return };
        self.opened.remove(&connection);
        self.held_len = self.held_len.saturating_sub(stream.held_len());
        stream.give_up_all(connection, out);
        for flow in [stream.flow, stream.flow.reversed()] {
            if self.flows.get(&flow).is_some_and(|(id, _)| *id == connection) {
                self.flows.remove(&flow);
            }
        }
    }
}

/// Without a SYN the sender of a request is the client, or of masked frames (RFC 6455 §5.3), else the side
/// with the higher port.
fn is_client(payload: &[u8], flow: &Flow) -> bool {
    if begins_request(payload) {
        return true;
    }
    if begins_response(payload) {
        return false;
    }
    are_frames_masked(payload).unwrap_or(flow.from().port() >= flow.to().port())
}

/// Whether frames are masked that take up exactly these octets; `None` where none do, or some are and some
/// are not.
fn are_frames_masked(mut payload: &[u8]) -> Option<bool> {
    let mut decoder = FrameDecoder::new(0);
    let mut are_masked = None;
    while !payload.is_empty() {
        let FrameHeader { rsv, opcode, masking_key, .. } = decoder.next_whole(&mut payload)?.header;
        let is_usual = !opcode.is_reserved() && !rsv.rsv2() && !rsv.rsv3();
        let is_masked = masking_key.is_some();
        if !is_usual || *are_masked.get_or_insert(is_masked) != is_masked {
            return None;
        }
    }
    are_masked
}

fn begins_request(payload: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"DELETE ",
        b"OPTIONS ",
        b"PATCH ",
        b"CONNECT ",
        b"TRACE ",
    ];
    METHODS.iter().any(|method| begins_with(payload, method))
}

fn begins_response(payload: &[u8]) -> bool {
    begins_with(payload, b"HTTP/")
}

/// Whether these words are there, as far as there is anything.
fn begins_with(payload: &[u8], words: &[u8]) -> bool {
    !payload.is_empty() && (payload.starts_with(words) || words.starts_with(payload))
}

impl Stream {
    fn held_len(&self) -> usize {
        self.up.held_len().saturating_add(self.down.held_len())
    }

    fn has_ended(&self) -> bool {
        self.is_reset || (self.up.is_finished() && self.down.is_finished())
    }

    fn receive(&mut self, arrival: Arrival<'_>, out: &mut LaneOut<'_, impl Sink>) {
        let Arrival { segment, payload, at, block_offset } = arrival;
        let (lane, other) = match out.direction {
            Direction::ClientToServer => (&mut self.up, &mut self.down),
            Direction::ServerToClient => (&mut self.down, &mut self.up),
        };
        if segment.has(flags::RST) && !lane.takes_reset(segment.seq) {
            return;
        }
        if let Some(ack) = segment.ack {
            other.acknowledge(ack);
            let mut other_out = LaneOut {
                connection: out.connection,
                direction: !out.direction,
                out: &mut *out.out,
            };
            other.give_out(Patience::UntilAcknowledged, &mut other_out);
        }
        let mut seq = segment.seq;
        if segment.has(flags::SYN) {
            seq = seq.wrapping_add(1);
        }
        let cut = u32::try_from(segment.cut).unwrap_or(u32::MAX);
        if segment.has(flags::FIN) {
            let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            let seq = seq.wrapping_add(len).wrapping_add(cut);
            lane.end_at(Fin { seq, at, block_offset });
        }
        if !payload.is_empty()
            && lane.speaks_first()
            && !(begins_request(&payload) || begins_response(&payload))
        {
            // It begins somewhere in the middle; nobody knows what came before.
            let (connection, direction, leg) = (out.connection, out.direction, Leg::Client);
            let gap = Record::Gap { connection, at, leg, direction, len: 0, position: None };
            (out.out)(gap, block_offset);
        }
        lane.start_at(seq);
        lane.take(Held { seq, octets: payload, cut, at, block_offset }, out);
        lane.give_out(Patience::UntilAcknowledged, out);
        if segment.has(flags::RST) && !self.is_reset {
            self.is_reset = true;
            self.give_up_all(out.connection, out.out);
            let (connection, direction) = (out.connection, out.direction);
            let leg = Leg::Client;
            let how = Finish::Reset;
            (out.out)(Record::Finished { connection, at, leg, direction, how }, block_offset);
        }
    }

    /// Waits for nothing any longer, on both lanes.
    fn give_up_all(&mut self, connection: ConnectionId, out: &mut impl Sink) {
        for direction in Direction::BOTH {
            let lane = match direction {
                Direction::ClientToServer => &mut self.up,
                Direction::ServerToClient => &mut self.down,
            };
            let mut lane_out = LaneOut { connection, direction, out: &mut *out };
            lane.give_out(Patience::None, &mut lane_out);
        }
    }
}

#[cfg(test)]
mod tests;
