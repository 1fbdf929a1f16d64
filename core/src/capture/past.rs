//! What a recorder keeps of a connection, to say it again: at the start of another file of the set, and
//! behind octets that it could not record.

use bytes::Bytes;

use super::{Finish, Leg};
use crate::frame::{FramePosition, FrameTracker};
use crate::http::HeadReader;
use crate::{ConnectionInfo, ConnectionNote, Direction, Head, Timestamp};

/// Octets of a head up to which it is kept: what one packet holds with room to spare.
const MAX_HEAD_LEN: usize = 32 << 10;

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

/// How far the opening handshake has come, where it is the first thing on the connection.
#[derive(Debug)]
enum Opening {
    Reading(Box<Reading>),
    Upgraded(Box<Upgraded>),
    /// Plain HTTP, or heads too long to be kept.
    Other,
}

#[derive(Debug, Default)]
struct Reading {
    heads: [HeadReader; 2],
    request: Option<(Bytes, Timestamp)>,
    /// What the client says behind its request: frames, if the server agrees.
    up: FrameTracker,
}

/// An open WebSocket; by [`Direction::index`].
#[derive(Debug)]
pub(super) struct Upgraded {
    /// The heads of the opening handshake.
    pub heads: [Bytes; 2],
    /// When they were whole.
    pub at: [Timestamp; 2],
    lanes: [FrameTracker; 2],
}

impl Past {
    pub fn new(since: Timestamp, info: &ConnectionInfo) -> Self {
        let (info, note) = (info.clone(), ConnectionNote::default());
        let (client, upstream) = (Sent::default(), Sent::default());
        let opening = Opening::Reading(Box::default());
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
        match (&mut self.opening, direction) {
            (Opening::Upgraded(upgraded), Direction::ClientToServer) => {
                upgraded.lanes[0].advance(octets);
            }
            (Opening::Upgraded(upgraded), Direction::ServerToClient) => {
                upgraded.lanes[1].advance(octets);
            }
            (Opening::Reading(reading), _) => match reading.take(at, direction, octets) {
                None => {}
                Some(opening) => self.opening = opening,
            },
            (Opening::Other, _) => {}
        }
    }

    /// The WebSocket, once it is open.
    pub fn upgraded(&self) -> Option<&Upgraded> {
        match &self.opening {
            Opening::Upgraded(upgraded) => Some(upgraded),
            Opening::Reading(_) | Opening::Other => None,
        }
    }

    /// How a direction of the client leg goes on, where that is known.
    pub fn position(&self, direction: Direction) -> Option<FramePosition> {
        self.upgraded()?.positions().into_iter().nth(direction.index())?
    }
}

impl Upgraded {
    /// How both directions go on.
    pub fn positions(&self) -> [Option<FramePosition>; 2] {
        self.lanes.each_ref().map(FrameTracker::position)
    }
}

impl Reading {
    /// What becomes of the opening, where these octets decide it.
    fn take(&mut self, at: Timestamp, direction: Direction, octets: &[u8]) -> Option<Opening> {
        let mut rest = octets;
        let [request_reader, response_reader] = &mut self.heads;
        match (direction, &self.request) {
            (Direction::ClientToServer, None) => {
                let Ok(head) = request_reader.take(&mut rest, MAX_HEAD_LEN) else {
                    return Some(Opening::Other);
                };
                let raw = head?;
                let asks = Head::parse_request(raw.clone(), 0)
                    .is_ok_and(|request| request.asks_for_websocket());
                if !asks {
                    return Some(Opening::Other);
                }
                self.request = Some((raw, at));
                self.up.advance(rest);
                None
            }
            (Direction::ClientToServer, Some(_)) => {
                self.up.advance(rest);
                None
            }
            // An answer to nothing.
            (Direction::ServerToClient, None) => Some(Opening::Other),
            (Direction::ServerToClient, Some((request, asked_at))) => {
                let raw = loop {
                    let Ok(head) = response_reader.take(&mut rest, MAX_HEAD_LEN) else {
                        return Some(Opening::Other);
                    };
                    let raw = head?;
                    match Head::parse_response(raw.clone(), 0) {
                        Ok(response) if response.switches_to_websocket() => break raw,
                        // An interim answer: the one that counts is yet to come.
                        Ok(response) if matches!(response.status(), Some(100 | 102..=199)) => {}
                        _ => return Some(Opening::Other),
                    }
                };
                let mut lanes = [std::mem::take(&mut self.up), FrameTracker::default()];
                lanes[1].advance(rest);
                let (heads, at) = ([request.clone(), raw], [*asked_at, at]);
                Some(Opening::Upgraded(Box::new(Upgraded { heads, at, lanes })))
            }
        }
    }
}
