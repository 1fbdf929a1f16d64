//! Finding the opening handshake of a WebSocket, behind whatever its connection carried before.
//!
//! ```text
//!   ↑  Head ─► Body ─► Head …                 ↓  Head ─► Body ─► Head …
//!       └► Body ─► Undecided                      │
//!          (asked for a WebSocket)                └ 101 ─► Upgraded
//!            └ answered otherwise ─► Head
//! ```

use std::collections::VecDeque;

use bytes::Bytes;

use crate::frame::{FramePosition, FrameTracker};
use crate::http::{AnswerTo, BodyDecoder, BodyFraming, BodyPart, HeadReader};
use crate::{Direction, Head, Timestamp};

/// Octets of a head up to which it is kept: what one packet holds with room to spare.
const MAX_HEAD_LEN: usize = 32 << 10;
/// Requests without an answer up to which they are counted.
const MAX_AWAITED: usize = 256;

/// How far a connection has come to an open WebSocket.
#[derive(Debug)]
pub(super) enum Opening {
    Reading(Box<Reading>),
    Upgraded(Box<Upgraded>),
    /// It will never be found: what is said is not HTTP, or heads are too long to be kept.
    Never,
}

/// An open WebSocket; by [`Direction::index`].
#[derive(Debug)]
pub(in crate::capture) struct Upgraded {
    /// The heads of the opening handshake.
    pub heads: [Bytes; 2],
    /// When they were whole.
    pub at: [Timestamp; 2],
    lanes: [FrameTracker; 2],
}

/// Requests and answers, none of which has opened a WebSocket.
#[derive(Debug, Default)]
pub(super) struct Reading {
    up: Lane,
    down: Lane,
    awaited: VecDeque<Request>,
    /// What the client says behind a request for a WebSocket: frames, if the server agrees.
    hope: FrameTracker,
}

#[derive(Debug)]
enum Lane {
    Head(HeadReader),
    Body(BodyDecoder),
    /// Behind a request for a WebSocket and its body; `said` once octets came.
    Undecided {
        said: bool,
    },
}

impl Default for Lane {
    fn default() -> Self {
        Self::Head(HeadReader::default())
    }
}

impl Lane {
    fn behind_head(framing: BodyFraming) -> Self {
        match framing {
            BodyFraming::Empty => Self::default(),
            framing => Self::Body(BodyDecoder::new(framing)),
        }
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Request {
    asks: AnswerTo,
    /// The head of a request for a WebSocket, and when it was whole.
    upgrade: Option<(Bytes, Timestamp)>,
}

/// Nobody can tell how it goes on.
struct Lost;

impl Opening {
    /// Before the first octet of a connection.
    pub fn new() -> Self {
        Self::Reading(Box::default())
    }

    /// Octets passed.
    pub fn passed(&mut self, at: Timestamp, direction: Direction, octets: &[u8]) {
        match self {
            Self::Upgraded(upgraded) => {
                let [up, down] = &mut upgraded.lanes;
                let lane = if direction == Direction::ClientToServer { up } else { down };
                lane.advance(octets);
            }
            Self::Reading(reading) => {
                let read = match direction {
                    Direction::ClientToServer => reading.upward(at, octets).map(|()| None),
                    Direction::ServerToClient => reading.downward(at, octets),
                };
                match read {
                    Ok(None) => {}
                    Ok(Some(upgraded)) => *self = Self::Upgraded(Box::new(upgraded)),
                    Err(Lost) => *self = Self::Never,
                }
            }
            Self::Never => {}
        }
    }
}

impl Upgraded {
    /// How both directions go on.
    pub fn positions(&self) -> [Option<FramePosition>; 2] {
        self.lanes.each_ref().map(FrameTracker::position)
    }
}

impl Reading {
    fn upward(&mut self, at: Timestamp, octets: &[u8]) -> Result<(), Lost> {
        let mut rest = octets;
        while !rest.is_empty() {
            match &mut self.up {
                Lane::Head(reader) => {
                    if let Some(raw) = reader.take(&mut rest, MAX_HEAD_LEN).map_err(|_| Lost)? {
                        self.asked(at, raw)?;
                    }
                }
                Lane::Body(decoder) => {
                    if walk(decoder, &mut rest)? {
                        self.up = self.behind_request();
                    }
                }
                Lane::Undecided { said } => {
                    *said = true;
                    self.hope.advance(rest);
                    break;
                }
            }
        }
        Ok(())
    }

    fn asked(&mut self, at: Timestamp, raw: Bytes) -> Result<(), Lost> {
        let head = Head::parse_request(raw.clone(), 0).map_err(|_| Lost)?;
        if self.awaited.len() >= MAX_AWAITED {
            return Err(Lost);
        }
        let upgrade = head.asks_for_websocket().then_some((raw, at));
        let framing = BodyFraming::of_request(&head);
        self.awaited.push_back(Request { asks: AnswerTo::request(&head), upgrade });
        self.up = match framing {
            BodyFraming::Empty => self.behind_request(),
            framing => Lane::behind_head(framing),
        };
        Ok(())
    }

    /// What follows the last request, which is whole. Frames begin behind its body (RFC 9110 §7.8).
    fn behind_request(&self) -> Lane {
        match self.awaited.back() {
            Some(Request { upgrade: Some(_), .. }) => Lane::Undecided { said: false },
            _ => Lane::default(),
        }
    }

    /// The WebSocket that these octets open.
    fn downward(&mut self, at: Timestamp, octets: &[u8]) -> Result<Option<Upgraded>, Lost> {
        let mut rest = octets;
        while !rest.is_empty() {
            match &mut self.down {
                Lane::Head(reader) => {
                    if let Some(raw) = reader.take(&mut rest, MAX_HEAD_LEN).map_err(|_| Lost)?
                        && let Some(mut upgraded) = self.answered(at, raw)?
                    {
                        let [_, down] = &mut upgraded.lanes;
                        down.advance(rest);
                        return Ok(Some(upgraded));
                    }
                }
                Lane::Body(decoder) => {
                    if walk(decoder, &mut rest)? {
                        self.down = Lane::default();
                    }
                }
                Lane::Undecided { .. } => return Err(Lost),
            }
        }
        Ok(None)
    }

    fn answered(&mut self, at: Timestamp, raw: Bytes) -> Result<Option<Upgraded>, Lost> {
        let answer = Head::parse_response(raw.clone(), 0).map_err(|_| Lost)?;
        if matches!(answer.status(), Some(100 | 102..=199)) {
            // An interim answer: the one that counts is yet to come.
            return Ok(None);
        }
        let request = self.awaited.pop_front().ok_or(Lost)?;
        let asks_for_websocket = request.upgrade.is_some();
        if let Some((asked, asked_at)) = request.upgrade
            && answer.switches_to_websocket()
        {
            // Answered before the request was whole.
            if matches!(self.up, Lane::Body(_)) {
                return Err(Lost);
            }
            let lanes = [std::mem::take(&mut self.hope), FrameTracker::default()];
            return Ok(Some(Upgraded { heads: [asked, raw], at: [asked_at, at], lanes }));
        }
        let is_tunnel =
            request.asks == AnswerTo::Connect && matches!(answer.status(), Some(200..=299));
        if answer.status() == Some(101) || is_tunnel {
            return Err(Lost);
        }
        if asks_for_websocket {
            // What was said in hope is for the server to understand.
            match self.up {
                Lane::Undecided { said: true } => return Err(Lost),
                Lane::Undecided { said: false } => self.up = Lane::default(),
                Lane::Head(_) | Lane::Body(_) => {}
            }
        }
        self.down = Lane::behind_head(BodyFraming::of_response(&answer, request.asks.method()));
        Ok(None)
    }
}

/// Walks over a body: whether it ends in `octets`.
fn walk(decoder: &mut BodyDecoder, octets: &mut &[u8]) -> Result<bool, Lost> {
    loop {
        match decoder.next_part(octets) {
            Some(BodyPart::Content(_)) => {}
            Some(BodyPart::End) => return Ok(true),
            Some(BodyPart::Invalid(_)) => return Err(Lost),
            None => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 3\r\n\r\nabc";
    const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    const REFUSAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn frames_begin_behind_the_body_of_the_request() {
        let (up, down, at) =
            (Direction::ClientToServer, Direction::ServerToClient, Timestamp::default());
        let mut opening = Opening::new();
        for (direction, octets) in [
            (up, REQUEST),
            (down, REFUSAL),
            (up, REQUEST),
            (down, ANSWER),
            // Two octets of five behind a header.
            (up, b"\x82\x85abcd12"),
        ] {
            opening.passed(at, direction, octets);
        }
        let Opening::Upgraded(upgraded) = opening else { panic!("no WebSocket") };
        let rests = upgraded.positions().map(|position| position.map(|position| position.rest));
        assert_eq!(rests, [Some(3), Some(0)]);
    }
}
