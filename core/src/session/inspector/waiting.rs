//! Octets of one lane that wait for the other.
//!
//! A client's octets behind an upgrade request mean nothing before the answer is there, and a response
//! means nothing before its request. Such octets wait here with their times, so that what a lane says
//! does not depend on how lanes interleave.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{Inspector, Lane, Out};
use crate::session::Shared;
use crate::{Direction, Timestamp};

/// Reads of a lane that wait each for itself. A part takes more room than a few octets do, so later reads
/// are put together and count as one.
const MOST_PARTS: usize = 8 << 10;

/// The octets that wait.
#[derive(Debug, Default)]
pub(super) struct Early {
    parts: VecDeque<Part>,
    /// Behind the parts; there are parts where there is a tail.
    tail: Option<Tail>,
    /// Octets of them all.
    len: usize,
}

/// Reads behind [`MOST_PARTS`] others, with order and time of the first.
#[derive(Debug)]
struct Tail {
    order: u64,
    at: Timestamp,
    octets: BytesMut,
}

#[derive(Debug)]
pub(super) struct Part {
    /// Grows with each record of the connection, whatever its lane.
    pub(super) order: u64,
    /// When they were read.
    pub(super) at: Timestamp,
    pub(super) octets: Bytes,
}

impl Early {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// When the first of the octets was read that were read before `moment` and by an earlier read than
    /// `order`, and how many they are.
    pub(super) fn before(&self, moment: Timestamp, order: u64) -> Option<(Timestamp, u64)> {
        let parts = self.parts.iter().map(|part| (part.at, part.order, part.octets.len()));
        let tail = self.tail.iter().map(|tail| (tail.at, tail.order, tail.octets.len()));
        let early = parts.chain(tail).filter(|(at, read, _)| *at < moment && *read < order);
        let (first, ..) = early.clone().next()?;
        Some((first, early.fold(0_u64, |sum, (.., len)| sum.saturating_add(len as u64))))
    }

    pub(super) fn push_back(&mut self, part: Part) {
        self.len = self.len.saturating_add(part.octets.len());
        match &mut self.tail {
            Some(tail) => tail.octets.extend_from_slice(&part.octets),
            None => self.parts.push_back(part),
        }
    }

    /// Keeps a copy of what still waits of the read `order`: a slice would keep alive all the octets that
    /// were read with it.
    pub(super) fn hold(&mut self, order: u64) {
        let is_full = self.parts.len() > MOST_PARTS;
        let Some(last) = self.parts.back_mut().filter(|last| last.order == order) else { return };
        if is_full {
            let Part { order, at, .. } = *last;
            self.tail = Some(Tail { order, at, octets: BytesMut::from(&last.octets[..]) });
            self.parts.pop_back();
        } else {
            last.octets = Bytes::copy_from_slice(&last.octets);
        }
    }

    pub(super) fn push_front(&mut self, part: Part) {
        self.len = self.len.saturating_add(part.octets.len());
        self.parts.push_front(part);
    }

    fn pop(&mut self) -> Option<Part> {
        let part = self.parts.pop_front()?;
        if self.parts.is_empty()
            && let Some(Tail { order, at, octets }) = self.tail.take()
        {
            self.parts.push_back(Part { order, at, octets: octets.freeze() });
        }
        self.len = self.len.saturating_sub(part.octets.len());
        Some(part)
    }
}

impl Inspector {
    /// Lets both lanes take in what waits for them, as far as they can go. What was read first goes
    /// first, whatever its lane: in that order octets of any split are taken in alike.
    pub(super) fn run(&mut self, shared: &mut Shared, out: Out<'_>) {
        while let Some((direction, part)) = self.next_part() {
            self.step(direction, part, shared, out);
        }
        if self.upgraded {
            // Frames never wait: an open WebSocket is to hold no room for what might have.
            self.early.iter_mut().filter(|early| early.is_empty()).for_each(|early| {
                *early = Early::default();
            });
        }
    }

    fn next_part(&mut self) -> Option<(Direction, Part)> {
        let first = |direction: &Direction| {
            let part = self.early[direction.index()].parts.front()?;
            (!self.is_waiting(*direction)).then_some(part.order)
        };
        let able = Direction::BOTH.into_iter().filter(|direction| first(direction).is_some());
        let direction = able.min_by_key(first)?;
        Some((direction, self.early[direction.index()].pop()?))
    }

    /// Octets that still wait although what they wait for will never come.
    pub(super) fn release(&mut self, direction: Direction, shared: &mut Shared, out: Out<'_>) {
        self.run(shared, out);
        while let Some(part) = self.early[direction.index()].pop() {
            match direction {
                // A response without a request: read it all the same.
                Direction::ServerToClient => {
                    self.step(direction, part, shared, out);
                    self.run(shared, out);
                }
                Direction::ClientToServer => {
                    let offset = self.offset(direction);
                    let reason = "the upgrade request before these octets was never answered";
                    self.lose(direction, part.at, offset, reason.to_owned(), out);
                }
            }
        }
    }

    /// Whether octets of this lane have to wait for the other lane.
    fn is_waiting(&self, direction: Direction) -> bool {
        match (self.lane(direction), direction) {
            (Lane::Http(lane), Direction::ClientToServer) => lane.is_waiting(),
            // A client that is not followed any more, or only as a WebSocket, brings no request.
            (Lane::Http(lane), Direction::ServerToClient) => {
                lane.is_before_head()
                    && self.requests.is_empty()
                    && matches!(self.lane(!direction), Lane::Http(_))
            }
            (Lane::Frames(_) | Lane::Seeking(_) | Lane::Lost, _) => false,
        }
    }

    /// Gives a lane up that waits with more octets than may. What waits behind a head that came in the
    /// same read counts like what came after it, so that any split of the octets is taken alike.
    pub(super) fn check_early(&mut self, direction: Direction, at: Timestamp, out: Out<'_>) {
        let limit = self.limits.early;
        if !self.is_waiting(direction) || self.early[direction.index()].len <= limit {
            return;
        }
        let offset = self.offset(direction);
        let reason = match direction {
            Direction::ClientToServer => {
                format!("more than {limit} octets behind an upgrade request without an answer")
            }
            Direction::ServerToClient => format!("more than {limit} octets without a request"),
        };
        self.lose(direction, at, offset, reason, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_that_wait_keep_no_others_alive_and_any_number_of_reads_takes_little_room() {
        let mut early = Early::default();
        let read = Bytes::from(vec![7; 1 << 18]);
        for order in 0..30_000 {
            let at = Timestamp::from_nanos(order);
            let start = usize::try_from(order).unwrap();
            early.push_back(Part { order, at, octets: read.slice(start..=start) });
            early.hold(order);
        }
        assert!(read.is_unique());
        assert_eq!((early.parts.len(), early.len), (MOST_PARTS, 30_000));
        let after = Timestamp::from_nanos(u64::MAX);
        assert_eq!(early.before(after, u64::MAX), Some((Timestamp::default(), 30_000)));

        // Between them others are taken out, and more come.
        let mut all = Vec::new();
        for _ in 0..MOST_PARTS {
            all.push(early.pop().unwrap());
        }
        early.push_back(Part { order: 30_000, at: after, octets: Bytes::from_static(b"!") });
        all.extend(std::iter::from_fn(|| early.pop()));
        assert!(all.is_sorted_by_key(|part| part.order));
        let octets: Vec<u8> = all.iter().flat_map(|part| part.octets.to_vec()).collect();
        assert_eq!(octets, [&vec![7; 30_000][..], b"!"].concat());
        assert!(early.is_empty() && early.len == 0);
    }
}
