//! What a recorder keeps of a connection, to say it again: at the start of another file of the set, and
//! behind octets that it could not record.

mod opening;

use self::opening::{Opening, Upgraded};
use super::{Finish, Leg};
use crate::frame::FramePosition;
use crate::{ConnectionInfo, ConnectionNote, Direction, Timestamp};

/// One connection's past.
#[derive(Debug)]
pub(super) struct Past {
    pub since: Timestamp,
    pub info: ConnectionInfo,
    pub note: ConnectionNote,
    pub client: Sent,
    pub upstream: Sent,
    /// When octets were last recorded on the client leg.
    pub last_at: Timestamp,
    opening: Opening,
}

/// What one leg has seen, by [`Direction::index`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub octets: [u64; 2],
    pub finished: [Option<Finish>; 2],
}

impl Past {
    pub fn new(since: Timestamp, info: &ConnectionInfo) -> Self {
        let (info, note) = (info.clone(), ConnectionNote::default());
        let (client, upstream) = (Sent::default(), Sent::default());
        let opening = Opening::new();
        Self { since, info, note, client, upstream, last_at: since, opening }
    }

    pub fn sent(&mut self, leg: Leg) -> &mut Sent {
        match leg {
            Leg::Client => &mut self.client,
            Leg::Upstream => &mut self.upstream,
        }
    }

    /// Octets passed on the client leg, whether they were recorded or not.
    pub fn passed(&mut self, at: Timestamp, direction: Direction, octets: &[u8]) {
        self.opening.passed(at, direction, octets);
    }

    /// The WebSocket, once it is open.
    pub fn upgraded(&self) -> Option<&Upgraded> {
        match &self.opening {
            Opening::Upgraded(upgraded) => Some(upgraded),
            Opening::Reading(_) | Opening::Never => None,
        }
    }

    /// How a direction of the client leg goes on, where that is known.
    pub fn position(&self, direction: Direction) -> Option<FramePosition> {
        self.upgraded()?.positions().into_iter().nth(direction.index())?
    }
}
