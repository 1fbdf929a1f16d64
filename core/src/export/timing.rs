//! When each frame came, beside those before it, and in how many reads.

use std::collections::VecDeque;
use std::time::Duration;

use crate::connection::ConnectionMap;
use crate::{Direction, Event, EventKind, Frame, Leg, Record, Timestamp};

/// Reads that are remembered of a direction before it is known to be a WebSocket.
const EARLY_READS: usize = 64;

/// Reads that are remembered of a frame; of one that took more, only that.
const MAX_READS: usize = 65_536;

/// The time of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameTiming {
    /// From the first octet of the frame before it in its direction to its own; `None` for the first.
    pub since_lane: Option<Duration>,
    /// From the first octet of the frame told before it on its connection, of either direction, to its own.
    pub since_connection: Option<Duration>,
    /// In how many reads its octets came, where that is known.
    pub reads: Option<u64>,
    /// The ordinal, from 0, of the read of its direction that held its last octet, handshake included:
    /// frames with the same one came in the same read.
    pub last_read: Option<u64>,
    /// How long its last octet was in the proxy, see [`Record::Octets`].
    pub in_proxy: Option<Duration>,
}

/// Remembers as much of records and frames as the timing of the next frame needs.
#[derive(Debug, Default)]
pub struct FrameTimings {
    connections: ConnectionMap<Box<Connection>>,
}

#[derive(Debug, Default)]
struct Connection {
    /// By [`Direction::index`].
    lanes: [Lane; 2],
    last_frame_at: Option<Timestamp>,
    is_websocket: bool,
}

#[derive(Debug, Default)]
struct Lane {
    /// Octets so far, gaps included.
    len: u64,
    /// Reads so far.
    count: u64,
    /// The last reads: the lane offset behind each, and how long its octets were in the proxy.
    ends: VecDeque<(u64, Option<Duration>)>,
    last_frame_at: Option<Timestamp>,
}

impl FrameTimings {
    /// Takes in a record, before the events that it gives.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Opened { connection, .. } => {
                self.connections.insert(*connection, Box::default());
            }
            Record::Octets {
                connection, leg: Leg::Client, direction, octets, in_proxy, ..
            } => {
                let Some(open) = self.connections.get_mut(connection) else { return };
                let most = if open.is_websocket { MAX_READS } else { EARLY_READS };
                open.lane(*direction).read(octets.len() as u64, *in_proxy, most);
            }
            Record::Gap { connection, leg: Leg::Client, direction, len, .. } => {
                let Some(open) = self.connections.get_mut(connection) else { return };
                let lane = open.lane(*direction);
                lane.len = lane.len.saturating_add(*len);
                lane.ends.clear();
            }
            _ => {}
        }
    }

    /// Takes in the next event; the timing of a frame.
    pub fn receive(&mut self, event: &Event) -> Option<FrameTiming> {
        let open = self.connections.get_mut(&event.connection)?;
        match &event.kind {
            EventKind::HandshakeCompleted(handshake) if handshake.upgraded => {
                open.is_websocket = true;
                None
            }
            EventKind::FrameDecoded(frame) => Some(open.frame(frame)),
            EventKind::ConnectionEnded(_) => {
                self.connections.remove(&event.connection);
                None
            }
            _ => None,
        }
    }
}

impl Connection {
    fn lane(&mut self, direction: Direction) -> &mut Lane {
        let [up, down] = &mut self.lanes;
        match direction {
            Direction::ClientToServer => up,
            Direction::ServerToClient => down,
        }
    }

    fn frame(&mut self, frame: &Frame) -> FrameTiming {
        let at = frame.first_octet_at;
        let since_connection = self.last_frame_at.replace(at).map(|last| at.since(last));
        let lane = self.lane(frame.direction);
        let since_lane = lane.last_frame_at.replace(at).map(|last| at.since(last));
        let (reads, last_read) = lane.reads(frame.offset, frame.wire_len());
        let in_proxy = lane.in_proxy(frame.offset.saturating_add(frame.wire_len()));
        FrameTiming { since_lane, since_connection, reads, last_read, in_proxy }
    }
}

impl Lane {
    fn read(&mut self, len: u64, in_proxy: Option<Duration>, most: usize) {
        self.len = self.len.saturating_add(len);
        self.count = self.count.saturating_add(1);
        if self.ends.len() >= most {
            self.ends.pop_front();
        }
        self.ends.push_back((self.len, in_proxy));
    }

    /// How long the octet before the lane offset `end` was in the proxy.
    fn in_proxy(&self, end: u64) -> Option<Duration> {
        let last = self.ends.partition_point(|(read, _)| *read < end);
        self.ends.get(last)?.1
    }

    /// In how many reads these octets came, and the ordinal of the last of them.
    fn reads(&mut self, offset: u64, len: u64) -> (Option<u64>, Option<u64>) {
        let end = offset.saturating_add(len);
        // Reads that end before the frame are needed no more, but for the one that shows where it began.
        while let (Some(first), Some(second)) = (self.ends.front(), self.ends.get(1))
            && first.0 <= offset
            && second.0 <= offset
        {
            self.ends.pop_front();
        }
        let before = self.count.saturating_sub(self.ends.len() as u64);
        let first = self.ends.partition_point(|(read, _)| *read <= offset);
        let last = self.ends.partition_point(|(read, _)| *read < end);
        if last >= self.ends.len() {
            return (None, None);
        }
        let knows_first = first > 0 || before == 0;
        let reads = (last.saturating_sub(first) as u64).saturating_add(1);
        (knows_first.then_some(reads), Some(before.saturating_add(last as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_counted_for_each_frame() {
        let mut lane = Lane::default();
        // Reads of 10 octets each; frames at 0–4, 4–8, 8–32, 32–40.
        (0..4).for_each(|_| lane.read(10, None, 100));
        let of = |lane: &mut Lane, offset, len| lane.reads(offset, len);
        assert_eq!(of(&mut lane, 0, 4), (Some(1), Some(0)));
        assert_eq!(of(&mut lane, 4, 4), (Some(1), Some(0)));
        assert_eq!(of(&mut lane, 8, 24), (Some(4), Some(3)));
        assert_eq!(of(&mut lane, 32, 8), (Some(1), Some(3)));
        assert_eq!(lane.ends, [(30, None), (40, None)]);
        assert_eq!(of(&mut lane, 40, 2), (None, None), "not read yet");
    }

    #[test]
    fn a_frame_was_in_the_proxy_as_long_as_its_last_octet() {
        let mut lane = Lane::default();
        let micros = |micros| Some(Duration::from_micros(micros));
        for time in [micros(7), None, micros(9)] {
            lane.read(10, time, 100);
        }
        let told = [1, 10, 11, 20, 21, 30, 31].map(|end| lane.in_proxy(end));
        assert_eq!(told, [micros(7), micros(7), None, None, micros(9), micros(9), None]);
    }

    #[test]
    fn what_was_forgotten_is_not_counted() {
        let mut lane = Lane::default();
        (0..6).for_each(|_| lane.read(10, None, 3));
        assert_eq!(lane.reads(0, 55), (None, Some(5)));
        assert_eq!(lane.reads(55, 5), (Some(1), Some(5)));
    }
}
