//! Octets of one lane that wait for the other.
//!
//! A client's octets behind an upgrade request mean nothing before the answer is there, and a response
//! means nothing before its request. Such octets wait here with their times, so that what a lane says
//! does not depend on how lanes interleave.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Inspector, Lane, Out};
use crate::{Direction, Timestamp};

/// The octets that wait, with the times they were read at.
#[derive(Debug, Default)]
pub(super) struct Early {
    pub(super) parts: VecDeque<(Timestamp, Bytes)>,
    len: usize,
}

impl Early {
    pub(super) fn pop(&mut self) -> Option<(Timestamp, Bytes)> {
        let (at, octets) = self.parts.pop_front()?;
        self.len = self.len.saturating_sub(octets.len());
        Some((at, octets))
    }

    pub(super) fn push_back(&mut self, at: Timestamp, octets: Bytes) {
        self.len = self.len.saturating_add(octets.len());
        self.parts.push_back((at, octets));
    }

    pub(super) fn push_front(&mut self, at: Timestamp, octets: Bytes) {
        self.len = self.len.saturating_add(octets.len());
        self.parts.push_front((at, octets));
    }
}

impl Inspector {
    /// Lets a lane take in what waits for it, as far as it can go. Where it says what the other lane
    /// waited for, the other one goes first: in that order octets of any split are taken in alike.
    pub(super) fn run(&mut self, direction: Direction, scratch: &mut Vec<u8>, out: Out<'_>) {
        let mut turns = vec![direction];
        while let Some(&direction) = turns.last() {
            if self.is_waiting(direction) {
                turns.pop();
                continue;
            }
            let Some((at, octets)) = self.early[direction.index()].pop() else {
                turns.pop();
                continue;
            };
            let other_waited = self.is_waiting(!direction);
            self.step(direction, at, &octets, scratch, out);
            if other_waited && !self.is_waiting(!direction) {
                turns.push(!direction);
            }
        }
    }

    /// Octets that still wait although what they wait for will never come.
    pub(super) fn release(&mut self, direction: Direction, scratch: &mut Vec<u8>, out: Out<'_>) {
        self.run(direction, scratch, out);
        while let Some((at, octets)) = self.early[direction.index()].pop() {
            match direction {
                // A response without a request: read it all the same.
                Direction::ServerToClient => {
                    self.step(direction, at, &octets, scratch, out);
                    self.run(direction, scratch, out);
                }
                Direction::ClientToServer => {
                    let offset = self.offset(direction);
                    let reason = "the upgrade request before these octets was never answered";
                    self.lose(direction, at, offset, reason.to_owned(), out);
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
            (Lane::Frames(_) | Lane::Lost, _) => false,
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
