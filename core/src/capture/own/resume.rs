//! Streams that go on from an earlier file, or that were not recorded from their beginning.

use super::{Key, Lane, OwnPacket, OwnStreams};
use crate::capture::comment::{Again, Comment, Resume};
use crate::capture::ids::Ids;
use crate::capture::packet::Segment;
use crate::capture::packets::Packet;
use crate::frame::FramePosition;
use crate::{ConnectionId, Direction, Finish, Record, Timestamp};

/// What is to be told of a connection once its opening handshake is.
#[derive(Debug)]
pub(super) struct Owed {
    connection: ConnectionId,
    /// When the server's head was whole, which is still to come.
    answered_at: Option<Timestamp>,
    /// When the last of what is missing was read.
    at: Timestamp,
    stands: [(Direction, Stand); 2],
}

/// Where a direction stands that goes on in another file.
#[derive(Debug)]
struct Stand {
    /// Its next sequence number.
    next: Option<u32>,
    /// Octets sent before, that are not told.
    sent: u64,
    /// How it ended, where it has.
    how: Option<Finish>,
    /// How its frames go on.
    frames: Option<FramePosition>,
}

impl Stand {
    /// So many octets were told after all.
    fn take(&mut self, len: usize) {
        self.sent = self.sent.saturating_sub(len as u64);
    }
}

impl OwnStreams {
    /// Goes on with a stream where another file of the set begins: in a reader that knows it, or in one
    /// that has not seen the files before.
    pub(super) fn resume(
        &mut self,
        OwnPacket { leg, packet, segment, comments }: OwnPacket<'_>,
        key: Key,
        ids: &mut Ids,
        out: &mut impl FnMut(Record),
    ) {
        let Some(comment) = comments.into_iter().find(|comment| comment.resume.is_some()) else {
            return;
        };
        let Comment { id, open, note, resume, .. } = comment;
        let Some(Resume { since, sent, finished, again }) = resume else { return };
        let at = packet.at;
        let known = ids.resolve(id);
        let is_known = self.lanes.get(&key).is_some_and(|lane| lane.connection == known);
        let [up_next, down_next] = match &again {
            Some(again) => again.next.map(Some),
            None => [Some(segment.seq), segment.ack],
        };
        let [up_sent, down_sent] = sent;
        let [up_finished, down_finished] = finished;
        let (heads, last, frames) = match again {
            Some(Again { at, last, frames, .. }) => (Some(at), last, frames),
            None => (None, at, [None, None]),
        };
        let [up_frames, down_frames] = frames;
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        let mut stands = [
            (up, Stand { next: up_next, sent: up_sent, how: up_finished, frames: up_frames }),
            (
                down,
                Stand { next: down_next, sent: down_sent, how: down_finished, frames: down_frames },
            ),
        ];
        if is_known {
            self.remember_upstream(key, known);
            for (direction, stand) in stands {
                self.go_on(key, direction, at, stand, out);
            }
            return;
        }
        let connection = match open {
            Some(info) => {
                let connection = ids.claim(id);
                out(Record::Opened { connection, at: since, info });
                connection
            }
            None => known,
        };
        if let Some(note) = note {
            out(Record::Noted { connection, at, note });
        }
        self.remember_upstream(key, connection);
        for (key, direction) in [(key, up), (key.reversed(), down)] {
            let fresh = Lane { connection, direction, next: None, is_finished: false };
            self.lanes.insert(key, fresh);
        }
        let Some([asked_at, answered_at]) = heads else {
            for (direction, stand) in stands {
                self.begin_within(key, direction, at, stand, out);
            }
            return;
        };
        let octets = packet.take(segment.payload.clone());
        stands[0].1.take(octets.len());
        if !octets.is_empty() {
            out(Record::Octets {
                connection,
                at: asked_at,
                leg,
                direction: up,
                octets,
                in_proxy: None,
            });
        }
        let owed = Owed { connection, answered_at: Some(answered_at), at: last, stands };
        self.owed.insert(key, Box::new(owed));
    }

    /// What is still owed to the reader of a connection whose opening handshake was repeated: takes the
    /// server's head, or settles the rest before any other packet. Says whether that was all there is
    /// in the packet.
    pub(super) fn settle(
        &mut self,
        key: Key,
        packet: &mut Packet,
        segment: &Segment,
        out: &mut impl FnMut(Record),
    ) -> bool {
        let leg = key.leg;
        for key in [key, key.reversed()] {
            let Some(mut owed) = self.owed.remove(&key) else { continue };
            let connection = owed.connection;
            let direction = Direction::ServerToClient;
            let is_answer = segment.flow == key.reversed().flow && !segment.payload.is_empty();
            if let Some(at) = owed.answered_at.take().filter(|_| is_answer) {
                let octets = packet.take(segment.payload.clone());
                owed.stands[1].1.take(octets.len());
                out(Record::Octets { connection, at, leg, direction, octets, in_proxy: None });
                self.owed.insert(key, owed);
                return true;
            }
            for (direction, stand) in owed.stands {
                self.begin_within(key, direction, owed.at, stand, out);
            }
        }
        false
    }

    /// A stream that is known goes on: what is missing in between, where files were deleted.
    fn go_on(
        &mut self,
        key: Key,
        direction: Direction,
        at: Timestamp,
        Stand { next, how, frames, .. }: Stand,
        out: &mut impl FnMut(Record),
    ) {
        let Some(lane) = self.lanes.get_mut(&key.of(direction)) else { return };
        let (connection, leg) = (lane.connection, key.leg);
        let ahead = lane.next.zip(next).map_or(0, |(known, next)| next.wrapping_sub(known));
        let missing = if ahead < 1 << 31 { u64::from(ahead) } else { 0 };
        // A FIN has a number of its own.
        let fin = u64::from(how == Some(Finish::Fin) && !lane.is_finished);
        if missing > 0 || fin > 0 {
            lane.next = next.or(lane.next);
        }
        let len = missing.saturating_sub(fin);
        if len > 0 {
            let position = frames.map(Box::new);
            out(Record::Gap { connection, at, leg, direction, len, position });
        }
        if let Some(how) = how
            && !std::mem::replace(&mut lane.is_finished, true)
        {
            out(Record::Finished { connection, at, leg, direction, how });
        }
    }

    /// A stream begins in the middle: what was sent before is missing.
    fn begin_within(
        &mut self,
        key: Key,
        direction: Direction,
        at: Timestamp,
        Stand { next, sent: len, how, frames }: Stand,
        out: &mut impl FnMut(Record),
    ) {
        let Some(lane) = self.lanes.get_mut(&key.of(direction)) else { return };
        let (connection, leg) = (lane.connection, key.leg);
        lane.next = next;
        if len > 0 {
            let position = frames.map(Box::new);
            out(Record::Gap { connection, at, leg, direction, len, position });
        }
        if let Some(how) = how {
            lane.is_finished = true;
            out(Record::Finished { connection, at, leg, direction, how });
        }
    }
}
