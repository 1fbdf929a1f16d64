//! A part of a capture to be told: some of its frames, and the connections that they are of.

use std::collections::HashMap;

use crate::search::Marks;
use crate::{ConnectionId, Direction, Event, EventKind};

/// Which events are told: those of the frames that were added, and what is said of their connections
/// besides frames, bodies and transports.
#[derive(Debug, Clone, Default)]
pub struct Only {
    /// The ordinals of the frames, one bit each, by lane.
    lanes: HashMap<(ConnectionId, Direction), Marks>,
    frames: u64,
}

impl Only {
    /// Adds the frame with this ordinal in its lane, from 0; once.
    pub fn add(&mut self, connection: ConnectionId, direction: Direction, ordinal: u64) {
        let Ok(ordinal) = usize::try_from(ordinal) else { return };
        self.lanes.entry((connection, direction)).or_default().mark(ordinal);
        self.frames = self.frames.saturating_add(1);
    }

    /// How many frames were added.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether a frame of this connection was added.
    pub fn has(&self, connection: ConnectionId) -> bool {
        Direction::BOTH.iter().any(|direction| self.lanes.contains_key(&(connection, *direction)))
    }

    /// Whether this event is told.
    pub fn admits(&self, event: &Event) -> bool {
        let has = |direction, ordinal: u64| {
            let lane = self.lanes.get(&(event.connection, direction));
            lane.is_some_and(|lane| {
                usize::try_from(ordinal).is_ok_and(|ordinal| lane.is_marked(ordinal))
            })
        };
        match &event.kind {
            EventKind::FrameDecoded(frame) => has(frame.direction, frame.index),
            EventKind::MessageCompleted(message) => has(message.direction, message.last_frame),
            EventKind::PingAnswered(trip) => {
                has(trip.direction, trip.ping) || has(!trip.direction, trip.pong)
            }
            EventKind::DiagnosticRaised(finding) => match finding.place.frame {
                Some(frame) => has(finding.direction, frame),
                None => self.has(event.connection),
            },
            EventKind::BodyCompleted { .. }
            | EventKind::ServerSentEvent(_)
            | EventKind::TransportSeen(_) => false,
            _ => self.has(event.connection),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Direction::{ClientToServer, ServerToClient};
    use crate::export::jsonl::samples::{finding, frame, message, stamp};
    use crate::session::pings::RoundTrip;

    #[test]
    fn what_is_said_of_a_frame_that_was_not_added_is_not_told() {
        let mut only = Only::default();
        only.add(ConnectionId(1), ServerToClient, 7);
        only.add(ConnectionId(1), ClientToServer, 0);
        assert_eq!(
            (only.frames(), only.has(ConnectionId(1)), only.has(ConnectionId(2))),
            (2, true, false)
        );
        let of_frame = |direction, index| frame(direction, index, "81 00");
        let said = |direction, index| message(&of_frame(direction, index), b"");
        let trip = |ping, pong| {
            let (asked_at, took) = (stamp(1), Duration::ZERO);
            EventKind::PingAnswered(RoundTrip {
                direction: ClientToServer,
                ping,
                pong,
                asked_at,
                took,
            })
        };
        let found = |frame| {
            let mut finding = finding();
            finding.place.frame = frame;
            EventKind::DiagnosticRaised(finding)
        };
        let rows = [
            (1, EventKind::FrameDecoded(of_frame(ServerToClient, 7)), true),
            (1, EventKind::FrameDecoded(of_frame(ServerToClient, 6)), false),
            (1, EventKind::FrameDecoded(of_frame(ClientToServer, 7)), false),
            (2, EventKind::FrameDecoded(of_frame(ServerToClient, 7)), false),
            (1, EventKind::MessageCompleted(said(ServerToClient, 7)), true),
            (1, EventKind::MessageCompleted(said(ServerToClient, 8)), false),
            (1, trip(3, 7), true),
            (1, trip(0, 9), true),
            (1, trip(7, 3), false),
            (1, found(Some(0)), true),
            (1, found(Some(1)), false),
            (1, found(None), true),
            (2, found(None), false),
            (1, EventKind::GapMet { direction: ClientToServer, len: 3 }, true),
            (2, EventKind::GapMet { direction: ClientToServer, len: 3 }, false),
        ];
        for (connection, kind, expected) in rows {
            let event = Event { connection: ConnectionId(connection), at: stamp(3), kind };
            assert_eq!(only.admits(&event), expected, "{event:?}");
        }
    }
}
