//! How a connection ends: one direction, then the other, or both at once.

use super::{Inspector, Lane, LaneOut, Out};
use crate::diagnostics::{Place, rules};
use crate::session::{Ending, EventKind};
use crate::{Direction, Finish, Timestamp};

impl Inspector {
    /// One direction ended.
    pub(super) fn finished(
        &mut self,
        direction: Direction,
        how: Finish,
        at: Timestamp,
        scratch: &mut Vec<u8>,
        out: Out<'_>,
    ) {
        if self.finished[direction.index()].is_some() {
            return;
        }
        self.finished[direction.index()] = Some(how);
        self.first_finish.get_or_insert((direction, how));
        self.tell(at, EventKind::DirectionFinished { direction, how }, out);
        let over = how == Finish::Reset || self.finished[(!direction).index()].is_some();
        if !over {
            if self.early[direction.index()].is_empty() {
                self.finish_lane(direction, at, out);
            }
            return;
        }
        // Client first: a response may still wait for its request.
        for direction in Direction::BOTH {
            self.release(direction, scratch, out);
            self.finish_lane(direction, at, out);
        }
        self.end(at, out);
    }

    fn finish_lane(&mut self, direction: Direction, at: Timestamp, out: Out<'_>) {
        if std::mem::replace(&mut self.is_lane_finished[direction.index()], true) {
            return;
        }
        match &mut self.lanes[direction.index()] {
            Lane::Frames(lane) => {
                lane.finish(at, &mut LaneOut { connection: self.id, direction, sink: out });
            }
            Lane::Http(lane) => {
                if let Some(part) = lane.finish() {
                    self.http_part(direction, at, part, out);
                }
            }
            Lane::Lost => {}
        }
    }

    fn end(&mut self, at: Timestamp, out: Out<'_>) {
        self.has_ended = true;
        let Some((by, how)) = self.first_finish else { return };
        let closes = Direction::BOTH.map(|direction| match self.lane(direction) {
            Lane::Frames(lane) => lane.close().map(|close| (close.at, direction, close.code)),
            Lane::Http(_) | Lane::Lost => None,
        });
        let close = match closes {
            [Some(client), Some(server)] if server.0 < client.0 => Some(server),
            [client, server] => client.or(server),
        };
        let followed = Direction::BOTH.iter().any(|d| matches!(self.lane(*d), Lane::Frames(_)));
        if self.upgraded && followed && close.is_none() {
            let word = if how == Finish::Fin { "FIN" } else { "RST" };
            let evidence =
                format!("{word} by the {} without a Close frame either way", by.sender());
            let place = Place { offset: self.offset(by), len: 0, frame: None };
            self.raise(&rules::CONNECTION_WITHOUT_CLOSE, by, at, place, evidence, out);
        }
        let close = close.map(|(_, direction, code)| (direction, code.map(|code| code.0)));
        self.tell(at, EventKind::ConnectionEnded(Ending { by, how, close }), out);
    }
}
