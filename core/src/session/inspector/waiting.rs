//! Octets of one lane that wait for the other.
//!
//! A client's octets behind an upgrade request mean nothing before the answer is there, and a response
//! means nothing before its request. Such octets wait here with their times, so that what a lane says
//! does not depend on how lanes interleave.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Inspector, Lane, Out};
use crate::session::Shared;
use crate::{Direction, Timestamp};

/// The octets that wait.
#[derive(Debug, Default)]
pub(super) struct Early {
    parts: VecDeque<Part>,
    len: usize,
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
        let parts = self.parts.iter().filter(|part| part.at < moment && part.order < order);
        let first = parts.clone().next()?.at;
        let len = parts.fold(0_u64, |len, part| len.saturating_add(part.octets.len() as u64));
        Some((first, len))
    }

    pub(super) fn push_back(&mut self, part: Part) {
        self.len = self.len.saturating_add(part.octets.len());
        self.parts.push_back(part);
    }

    pub(super) fn push_front(&mut self, part: Part) {
        self.len = self.len.saturating_add(part.octets.len());
        self.parts.push_front(part);
    }

    fn pop(&mut self) -> Option<Part> {
        let part = self.parts.pop_front()?;
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
            (Lane::Http(lane), Direction::ServerToClient) => {
                lane.is_before_head() && self.requests.is_empty()
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
