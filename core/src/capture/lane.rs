//! One direction of a foreign TCP stream: from segments in any order to octets in theirs.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::{ConnectionId, Direction, Finish, Leg, Record, Timestamp};

/// Octets that one lane may hold.
pub(crate) const LANE_HELD_MAX: usize = 16 << 20;
/// Segments that one lane may hold.
const LANE_SEGMENTS_MAX: usize = 16 << 10;
/// Segments further ahead than any window reaches are somebody else's.
const WINDOW_MAX: u32 = 1 << 30;

/// A reset no further ahead than this may lie in the receiver's window, which a capture does not tell.
const RESET_WINDOW: i64 = 1 << 20;

/// Takes records, each with the place of the block its first octet is in.
pub(crate) trait Sink: FnMut(Record, u64) {}
impl<F: FnMut(Record, u64)> Sink for F {}

/// Where one lane's records go.
pub(crate) struct LaneOut<'a, S> {
    /// The lane's connection.
    pub(crate) connection: ConnectionId,
    /// The lane's direction.
    pub(crate) direction: Direction,
    /// Who takes them.
    pub(crate) out: &'a mut S,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// The sequence number of the next octet; unknown until something tells it.
    next: Option<u32>,
    /// The highest acknowledgment number of the other side.
    acknowledged: Option<u32>,
    /// Segments that came too early, in the order of their octets.
    held: VecDeque<Held>,
    held_len: usize,
    fin: Option<Fin>,
    is_finished: bool,
    /// When anything was last given out.
    last_at: Timestamp,
    /// The block it was in.
    last_block: u64,
    /// It was open before the capture began, and has said nothing since.
    is_midway: bool,
}

/// A FIN that was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fin {
    /// Its sequence number: that after the last octet.
    pub(crate) seq: u32,
    /// When.
    pub(crate) at: Timestamp,
    /// Where its block starts.
    pub(crate) block_offset: u64,
}

/// Octets and where they are in lane and file.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// Sequence number of the first.
    pub(crate) seq: u32,
    /// The octets.
    pub(crate) octets: Bytes,
    /// Octets after them that the capture cut off.
    pub(crate) cut: u32,
    /// When.
    pub(crate) at: Timestamp,
    /// Where their block starts.
    pub(crate) block_offset: u64,
}

/// How long a lane waits for what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until the other side acknowledges what lies behind it.
    UntilAcknowledged,
    /// Not at all.
    None,
}

impl Lane {
    /// Nothing of it is known; it may be `midway`, open before the capture began.
    pub(crate) fn new(is_midway: bool) -> Self {
        Self { is_midway, ..Self::default() }
    }

    /// Whether what it says now is the first of a lane that was open before the capture began. True once.
    pub(crate) fn speaks_first(&mut self) -> bool {
        std::mem::take(&mut self.is_midway)
    }

    /// Octets that wait for what is missing before them.
    pub(crate) fn held_len(&self) -> usize {
        self.held_len
    }

    /// Whether its FIN, and all before it, was given out.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Says which octet is next, where that is not known yet.
    pub(crate) fn start_at(&mut self, seq: u32) {
        self.next.get_or_insert(seq);
    }

    /// The other side awaits this octet next.
    pub(crate) fn acknowledge(&mut self, ack: u32) {
        self.start_at(ack);
        if self.acknowledged.is_none_or(|before| is_after(ack, before)) {
            self.acknowledged = Some(ack);
        }
    }

    /// The sender's FIN was seen.
    pub(crate) fn end_at(&mut self, fin: Fin) {
        self.fin.get_or_insert(fin);
    }

    /// Whether the receiver may have believed a reset with this sequence number: "If the RST bit is set
    /// and the sequence number is outside the current receive window, silently drop the segment"
    /// (RFC 9293 §3.10.7.4).
    ///
    /// Its window begins between what it acknowledged and what the capture saw come.
    pub(crate) fn takes_reset(&self, seq: u32) -> bool {
        let Some(next) = self.next else { return true };
        let distance = |seq: u32| i64::from(seq.wrapping_sub(next).cast_signed());
        let acknowledged = self.acknowledged.map_or(0, distance);
        let seen = [self.held.back().map(Held::end), self.fin.map(|fin| fin.seq.wrapping_add(1))];
        let latest = seen.into_iter().flatten().map(distance).fold(acknowledged.max(0), i64::max);
        (acknowledged.min(0)..=latest.saturating_add(RESET_WINDOW)).contains(&distance(seq))
    }

    /// Gives out a segment that is next, holds one that is early, drops what was seen before.
    pub(crate) fn take(&mut self, segment: Held, out: &mut LaneOut<'_, impl Sink>) {
        if segment.octets.is_empty() && segment.cut == 0 {
            return;
        }
        let Some(next) = self.next else { return };
        let ahead = segment.seq.wrapping_sub(next);
        if self.held.is_empty() && (ahead == 0 || ahead > 1 << 31) {
            self.give(segment, out);
        } else if ahead <= WINDOW_MAX || ahead > 1 << 31 {
            self.hold(segment, next);
        }
    }

    /// Keeps a copy: a slice would keep alive all the octets that came with it.
    fn hold(&mut self, mut segment: Held, next: u32) {
        let distance = |seq: u32| i64::from(seq.wrapping_sub(next).cast_signed());
        let end = |held: &Held| distance(held.end());
        let place = self.held.partition_point(|held| distance(held.seq) <= distance(segment.seq));
        let before = place.checked_sub(1).and_then(|before| self.held.get(before));
        if before.is_some_and(|before| end(before) >= end(&segment)) {
            return;
        }
        segment.octets = Bytes::copy_from_slice(&segment.octets);
        self.held_len = self.held_len.saturating_add(segment.octets.len());
        self.held.insert(place, segment);
    }

    /// Gives out everything that is next, and what is missing where it is not waited for.
    pub(crate) fn give_out(&mut self, patience: Patience, out: &mut LaneOut<'_, impl Sink>) {
        while let (Some(next), Some(first)) = (self.next, self.held.front()) {
            let ahead = first.seq.wrapping_sub(next);
            if ahead != 0 && ahead < 1 << 31 {
                let too_much = self.held_len > LANE_HELD_MAX || self.held.len() > LANE_SEGMENTS_MAX;
                let arrived = self.acknowledged.is_some_and(|ack| is_after(ack, first.seq));
                if patience == Patience::UntilAcknowledged && !too_much && !arrived {
                    break;
                }
                let (at, place) = (first.at, first.block_offset);
                self.gap(ahead, at, place, out);
            }
            if let Some(held) = self.held.pop_front() {
                self.held_len = self.held_len.saturating_sub(held.octets.len());
                self.give(held, out);
            }
        }
        self.end(patience, out);
    }

    /// What comes after the last octets there are: missing ones, the FIN.
    fn end(&mut self, patience: Patience, out: &mut LaneOut<'_, impl Sink>) {
        let Some(next) = self.next else { return };
        if !self.held.is_empty() || self.is_finished {
            return;
        }
        let acknowledged = self.acknowledged.filter(|&ack| is_after(ack, next));
        let Some(fin) = self.fin else {
            // The last of what was acknowledged may be a FIN that the capture missed.
            if patience == Patience::None
                && let Some(len) = acknowledged.map(|ack| ack.wrapping_sub(next))
                && (2..WINDOW_MAX).contains(&len)
            {
                self.gap(len, self.last_at, self.last_block, out);
            }
            return;
        };
        if is_after(fin.seq, next) {
            let arrived = acknowledged.is_some_and(|ack| is_after(ack, fin.seq));
            if patience == Patience::UntilAcknowledged && !arrived {
                return;
            }
            self.gap(fin.seq.wrapping_sub(next), fin.at, fin.block_offset, out);
        }
        self.is_finished = true;
        let LaneOut { connection, direction, .. } = *out;
        let (at, leg, how) = (self.stamp(fin.at, fin.block_offset), Leg::Client, Finish::Fin);
        (out.out)(Record::Finished { connection, at, leg, direction, how }, fin.block_offset);
    }

    /// Gives out what is new in a segment that begins at, or before, the next octet.
    fn give(&mut self, segment: Held, out: &mut LaneOut<'_, impl Sink>) {
        let Some(next) = self.next else { return };
        let Held { seq, mut octets, cut, at, block_offset } = segment;
        let seen = usize::try_from(next.wrapping_sub(seq)).unwrap_or(usize::MAX);
        let seen_of_cut = u32::try_from(seen.saturating_sub(octets.len())).unwrap_or(u32::MAX);
        octets.advance(seen.min(octets.len()));
        if !octets.is_empty() {
            self.next = Some(next.wrapping_add(u32::try_from(octets.len()).unwrap_or_default()));
            let LaneOut { connection, direction, .. } = *out;
            let (at, leg) = (self.stamp(at, block_offset), Leg::Client);
            (out.out)(
                Record::Octets { connection, at, leg, direction, octets, in_proxy: None },
                block_offset,
            );
        }
        let cut = cut.saturating_sub(seen_of_cut);
        if cut > 0 {
            self.gap(cut, at, block_offset, out);
        }
    }

    /// The stamp of what is given out now: within a lane time never runs backwards.
    fn stamp(&mut self, at: Timestamp, block_offset: u64) -> Timestamp {
        self.last_at = self.last_at.max(at);
        self.last_block = block_offset;
        self.last_at
    }

    fn gap(
        &mut self,
        len: u32,
        at: Timestamp,
        block_offset: u64,
        out: &mut LaneOut<'_, impl Sink>,
    ) {
        let Some(next) = self.next else { return };
        self.next = Some(next.wrapping_add(len));
        let LaneOut { connection, direction, .. } = *out;
        let (at, leg, len) = (self.stamp(at, block_offset), Leg::Client, u64::from(len));
        (out.out)(
            Record::Gap { connection, at, leg, direction, len, position: None },
            block_offset,
        );
    }
}

impl Held {
    /// The sequence number after it.
    fn end(&self) -> u32 {
        let len = u32::try_from(self.octets.len()).unwrap_or_default();
        self.seq.wrapping_add(len).wrapping_add(self.cut)
    }
}

/// Whether `a` comes after `b` in the number space that wraps.
pub(crate) fn is_after(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 1 << 31
}
