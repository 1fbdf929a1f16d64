//! Pings and the Pongs that answer them, RFC 6455 §5.5.2 and §5.5.3: matched by payload, both ways.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::diagnostics::Place;
use crate::{Direction, Frame, Timestamp};

/// How long a Pong may take before its Ping counts as unanswered.
pub const PONG_DUE: Duration = Duration::from_secs(10);

/// Pings of one direction that are remembered until they are answered.
const MOST_OPEN: usize = 64;

/// A Ping and its Pong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// Who asked: the Ping's direction.
    pub direction: Direction,
    /// The Ping's ordinal in its direction.
    pub ping: u64,
    /// The Pong's ordinal in the other direction.
    pub pong: u64,
    /// When the last octet of the Ping was read.
    pub asked_at: Timestamp,
    /// From the last octet of the Ping to the last of the Pong, where they were recorded.
    pub took: Duration,
}

/// A Ping that waits for its Pong.
#[derive(Debug, Clone)]
pub struct OpenPing {
    /// When its last octet was read.
    pub at: Timestamp,
    /// Where it lies.
    pub place: Place,
    payload: Bytes,
    /// It was told as overdue, or never will be.
    is_overdue: bool,
}

/// The Pings of one connection that wait.
#[derive(Debug, Default)]
pub struct Pings {
    /// By [`Direction::index`] of the Ping.
    open: [VecDeque<OpenPing>; 2],
    /// When the first of them will be overdue that is not yet.
    due_at: Option<Timestamp>,
}

impl Pings {
    /// A Ping went by.
    pub fn asked(&mut self, ping: &Frame) {
        let waiting = &mut self.open[ping.direction.index()];
        if waiting.len() >= MOST_OPEN {
            waiting.pop_front();
        }
        let place = Place { offset: ping.offset, len: ping.wire_len(), frame: Some(ping.index) };
        let (at, payload) = (ping.last_octet_at, ping.payload.clone());
        waiting.push_back(OpenPing { at, place, payload, is_overdue: false });
        self.due_at.get_or_insert(at.plus(PONG_DUE));
    }

    /// A Pong went by: the round trip, where a Ping that went by before it has its payload. Pings
    /// before that one are answered with it: an endpoint "MAY elect to send a Pong frame for only the
    /// most recently processed Ping frame" (§5.5.3).
    pub fn answered(&mut self, answer: &Frame) -> Option<RoundTrip> {
        let direction = !answer.direction;
        let waiting = &mut self.open[direction.index()];
        let is_its =
            |ping: &OpenPing| ping.at <= answer.last_octet_at && ping.payload == answer.payload;
        let place = waiting.iter().position(is_its)?;
        let ping = waiting.drain(..=place).next_back()?;
        if self.open.iter().all(VecDeque::is_empty) {
            self.due_at = None;
        }
        Some(RoundTrip {
            direction,
            ping: ping.place.frame?,
            pong: answer.index,
            asked_at: ping.at,
            took: answer.last_octet_at.since(ping.at),
        })
    }

    /// Whether [`Pings::take_overdue`] may have something to tell: one comparison.
    #[inline]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due_at.is_some_and(|due| now >= due)
    }

    /// The Pings that are overdue at `now`, each once, by direction and in order.
    pub fn take_overdue(&mut self, now: Timestamp) -> Vec<(Direction, OpenPing)> {
        let mut overdue = Vec::new();
        let mut due_at: Option<Timestamp> = None;
        for direction in Direction::BOTH {
            for ping in self.open[direction.index()].iter_mut().filter(|ping| !ping.is_overdue) {
                let due = ping.at.plus(PONG_DUE);
                if now >= due {
                    ping.is_overdue = true;
                    overdue.push((direction, ping.clone()));
                } else {
                    due_at = Some(due_at.map_or(due, |earlier| earlier.min(due)));
                }
            }
        }
        self.due_at = due_at;
        overdue
    }

    /// Pings that wait may stay unanswered, for the connection is closing; a Pong that comes all the
    /// same is theirs.
    pub fn excuse(&mut self) {
        self.open.iter_mut().flatten().for_each(|ping| ping.is_overdue = true);
        self.due_at = None;
    }

    /// No Pong can be matched any more to the Pings that wait.
    pub fn give_up(&mut self) {
        self.open.iter_mut().for_each(VecDeque::clear);
        self.due_at = None;
    }
}
