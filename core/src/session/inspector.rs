//! One connection: what its two lanes say, and what they mean together.

mod behaviour;
mod ending;
mod exchange;
mod transport;
mod waiting;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use behaviour::Behaviour;
use ending::End;
use exchange::FramesToCome;
use waiting::{Early, Part};

use crate::diagnostics::{Place, Rule};
use crate::frame::FramePosition;
use crate::http::HeadReader;
use crate::session::frame_lane::FrameLane;
use crate::session::http_lane::HttpLane;
use crate::session::lane_event::{LaneEvent, LaneSink};
use crate::session::seeking::{Found, Seeking};
use crate::session::{Event, EventKind, EventSink, Limits, Shared, Unfragmented};
use crate::transport::{Exchanges, Transports};
use crate::{
    ConnectionId, Diagnostic, Direction, Finish, Frame, Head, Leg, Message, Record, Timestamp,
};

/// Understands one connection.
#[derive(Debug)]
pub struct Inspector {
    id: ConnectionId,
    limits: Limits,
    /// By [`Direction::index`].
    lanes: [Lane; 2],
    /// Octets that wait for the other lane.
    early: [Early; 2],
    /// How many parts were ever put there.
    early_parts: u64,
    /// Requests whose response has not come yet, and when each was whole.
    requests: VecDeque<(Arc<Head>, Timestamp)>,
    /// Octets of their heads.
    requests_len: usize,
    /// Heads on the upstream leg, where they differ from the client leg's.
    upstream_heads: [HeadReader; 2],
    forwarded_request: Option<Arc<Head>>,
    upgraded: bool,
    /// What follows the body of the request that opened the WebSocket, while that body comes.
    frames_behind_body: Option<Box<FramesToCome>>,
    /// How each ended, by [`Direction::index`].
    ends: [Option<End>; 2],
    first_finish: Option<(Direction, Finish)>,
    /// Lanes that have said what they leave unfinished.
    is_lane_finished: [bool; 2],
    has_ended: bool,
    behaviour: Behaviour,
    /// Plain HTTP exchanges; none once it is a WebSocket.
    exchanges: Option<Box<Exchanges>>,
}

#[derive(Debug)]
enum Lane {
    Http(HttpLane),
    Frames(Box<FrameLane>),
    /// Octets of it are missing, and nobody knows how it goes on.
    Seeking(Box<Seeking>),
    /// Octets are counted by nobody any more; they are in the capture.
    Lost,
}

type Out<'a> = &'a mut dyn FnMut(Event);

/// Behind so many octets of a lane nothing is followed: no peer sends them, and their count would not fit.
const FARTHEST: u64 = 1 << 63;

impl Inspector {
    /// A connection of which nothing is known yet.
    pub fn new(id: ConnectionId, limits: Limits) -> Self {
        Self {
            id,
            limits,
            lanes: [Lane::Http(HttpLane::new(limits.head)), Lane::Http(HttpLane::new(limits.head))],
            early: [Early::default(), Early::default()],
            early_parts: 0,
            requests: VecDeque::new(),
            requests_len: 0,
            upstream_heads: [HeadReader::default(), HeadReader::default()],
            forwarded_request: None,
            upgraded: false,
            frames_behind_body: None,
            ends: [None, None],
            first_finish: None,
            is_lane_finished: [false; 2],
            has_ended: false,
            behaviour: Behaviour::new(id),
            exchanges: None,
        }
    }

    /// Which connection this is.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Whether [`EventKind::ConnectionEnded`] was told.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Takes in one record of this connection. `shared` is what connections share.
    #[inline]
    pub fn receive(&mut self, record: &Record, shared: &mut Shared, sink: &mut impl EventSink) {
        // The usual case, and the one that has to be fast: whoever takes the events in is known here.
        if let Record::Octets { at, leg: Leg::Client, direction, octets, .. } = record
            && let Lane::Frames(lane) = &mut self.lanes[direction.index()]
            && self.early[direction.index()].is_empty()
            && !self.has_ended
        {
            self.behaviour.tick(*at, sink);
            self.behaviour.last_octet_at = Some(*at);
            let Shared { scratch, transports, .. } = shared;
            let (connection, direction) = (self.id, *direction);
            let behaviour = &mut self.behaviour;
            let mut out = LaneOut { connection, direction, behaviour, transports, sink };
            return lane.receive(*at, octets, scratch, &mut out);
        }
        self.receive_any(record, shared, &mut |event| sink.event(event));
    }

    fn receive_any(&mut self, record: &Record, shared: &mut Shared, out: Out<'_>) {
        if self.has_ended {
            return;
        }
        match record {
            Record::Opened { at, info, .. } => {
                (self.behaviour.client, self.behaviour.opened_at) = (info.client.ip(), *at);
                self.tell(*at, EventKind::ConnectionOpened(Arc::new((**info).clone())), out);
            }
            Record::Noted { at, note, .. } => {
                self.tell(*at, EventKind::ConnectionNoted(Arc::new((**note).clone())), out);
                self.behaviour.saw_note(note, *at, out);
            }
            Record::Octets { at, leg: Leg::Client, direction, octets, .. } => {
                self.behaviour.tick(*at, out);
                self.behaviour.last_octet_at = Some(*at);
                self.octets(*direction, *at, octets, shared, out);
            }
            Record::Octets { at, leg: Leg::Upstream, direction, octets, .. } => {
                self.upstream_octets(*direction, *at, octets, out);
            }
            Record::Gap { at, leg: Leg::Client, direction, len, position, .. } => {
                self.gap(*direction, *at, *len, position.as_deref(), out);
            }
            Record::Finished { at, leg: Leg::Client, direction, how, .. } => {
                self.behaviour.tick(*at, out);
                self.finished(*direction, *how, *at, shared, out);
            }
            Record::Gap { leg: Leg::Upstream, .. }
            | Record::Finished { leg: Leg::Upstream, .. } => {}
        }
    }

    /// No more records come, although the connection has not ended.
    pub fn finish(&mut self, shared: &mut Shared, out: Out<'_>) {
        for direction in Direction::BOTH {
            if self.ends[direction.index()].is_none() {
                self.release(direction, shared, out);
            }
        }
    }

    fn octets(
        &mut self,
        direction: Direction,
        at: Timestamp,
        octets: &Bytes,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        if !matches!(self.lane(direction), Lane::Lost) {
            self.early_parts = self.early_parts.saturating_add(1);
            let part = Part { order: self.early_parts, at, octets: octets.clone() };
            self.early[direction.index()].push_back(part);
            self.run(shared, out);
            self.early[direction.index()].hold(self.early_parts);
            self.check_early(direction, at, out);
        }
    }

    /// Takes in one part of HTTP, or all of these octets where they are frames.
    fn step(
        &mut self,
        direction: Direction,
        Part { order, at, octets }: Part,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        match &mut self.lanes[direction.index()] {
            Lane::Frames(lane) => {
                let Shared { scratch, transports, .. } = shared;
                let (connection, behaviour) = (self.id, &mut self.behaviour);
                let mut out = LaneOut { connection, direction, behaviour, transports, sink: out };
                lane.receive(at, &octets, scratch, &mut out);
            }
            Lane::Seeking(seeking) => {
                if let Some(found) = seeking.receive(at, &octets) {
                    self.find(direction, found, shared, out);
                } else if seeking.is_vain() {
                    self.lanes[direction.index()] = Lane::Lost;
                }
            }
            Lane::Http(lane) => {
                self.behaviour.reading = order;
                let mut input = &octets[..];
                let part = lane.next_part(&mut input);
                let rest = octets.slice_ref(input);
                if part.is_none() && rest.len() == octets.len() && !rest.is_empty() {
                    let offset = lane.offset();
                    let reason = "nobody can tell what follows the head before".to_owned();
                    self.lose(direction, at, offset, reason, out);
                } else if !rest.is_empty() {
                    self.early[direction.index()].push_front(Part { order, at, octets: rest });
                    if let Some(part) = part {
                        self.http_part(direction, at, part, shared, out);
                    }
                } else if let Some(part) = part {
                    self.http_part(direction, at, part, shared, out);
                    // A body that is whole already says so when it is asked again.
                    if matches!(self.lane(direction), Lane::Http(lane) if lane.is_in_body()) {
                        self.early[direction.index()].push_front(Part { order, at, octets: rest });
                    }
                }
            }
            Lane::Lost => {}
        }
    }

    /// Octets are missing. Where it is known how the frames go on behind them, they are followed from
    /// there; else they are looked for.
    fn gap(
        &mut self,
        direction: Direction,
        at: Timestamp,
        len: u64,
        position: Option<&FramePosition>,
        out: Out<'_>,
    ) {
        self.tell(at, EventKind::GapMet { direction, len }, out);
        let offset = self.offset(direction);
        let is_near = offset.saturating_add(len) < FARTHEST;
        match &mut self.lanes[direction.index()] {
            Lane::Frames(lane) if is_near => {
                let certain = position.cloned().or_else(|| lane.position_behind(len));
                if let Some(position) = certain {
                    lane.resume(len, &position);
                    return self.behaviour.saw_gap(direction, at, position.closed);
                }
            }
            Lane::Http(lane) if is_near && lane.is_in_body() => {
                if let (Some(position), Direction::ClientToServer) = (position, direction)
                    && self.frames_behind_gap(len, position)
                {
                    return self.behaviour.saw_gap(direction, at, position.closed);
                }
            }
            Lane::Seeking(seeking) if is_near => {
                seeking.miss(len);
                if let Some(position) = position {
                    self.resume(direction, at, position, out);
                }
                return;
            }
            _ => {}
        }
        let reason = match len {
            0 => "it was open before the capture began".to_owned(),
            _ => format!("{len} octets are missing from the capture"),
        };
        let (limits, is_silent) = (self.limits, self.early[direction.index()].is_empty());
        let seeking = match self.lose(direction, at, offset, reason, out) {
            _ if !is_near => return,
            Lane::Frames(lane) if lane.close().is_none() => Seeking::new(lane, len),
            // It may be a WebSocket whose opening handshake is missing.
            Lane::Http(lane) if is_silent && lane.offset() == 0 && lane.is_before_head() => {
                Seeking::unknown(direction, len, limits)
            }
            _ => return,
        };
        self.lanes[direction.index()] = Lane::Seeking(Box::new(seeking));
    }

    /// Frames were found in a lane that was lost.
    fn find(&mut self, direction: Direction, found: Found, shared: &mut Shared, out: Out<'_>) {
        let lane = &mut self.lanes[direction.index()];
        let Lane::Seeking(seeking) = std::mem::replace(lane, Lane::Lost) else { return };
        self.tell_found(direction, found, out);
        let Shared { scratch, transports, .. } = shared;
        let (connection, behaviour) = (self.id, &mut self.behaviour);
        let mut out = LaneOut { connection, direction, behaviour, transports, sink: out };
        let lane = seeking.follow(found, scratch, &mut out);
        self.lanes[direction.index()] = Lane::Frames(lane);
    }

    /// The capture says how the frames go on of a lane that was lost.
    fn resume(
        &mut self,
        direction: Direction,
        at: Timestamp,
        position: &FramePosition,
        out: Out<'_>,
    ) {
        let lane = &mut self.lanes[direction.index()];
        let Lane::Seeking(seeking) = std::mem::replace(lane, Lane::Lost) else { return };
        let (found, lane) = seeking.resume(at, position);
        self.tell_found(direction, found, out);
        self.lanes[direction.index()] = Lane::Frames(lane);
        self.behaviour.saw_gap(direction, at, position.closed);
    }

    fn tell_found(&mut self, direction: Direction, found: Found, out: Out<'_>) {
        let Found { offset, at, passed_over } = found;
        self.upgraded = true;
        self.tell(at, EventKind::LaneFound { direction, offset, passed_over }, out);
    }

    fn lose_http(
        &mut self,
        rule: &'static Rule,
        direction: Direction,
        at: Timestamp,
        offset: u64,
        reason: String,
        out: Out<'_>,
    ) {
        let place = Place { offset, len: 0, frame: None };
        self.raise(rule, direction, at, place, reason.clone(), out);
        self.lose(direction, at, offset, reason, out);
    }

    /// Loses a lane: what it was.
    fn lose(
        &mut self,
        direction: Direction,
        at: Timestamp,
        offset: u64,
        reason: String,
        out: Out<'_>,
    ) -> Lane {
        let before = std::mem::replace(&mut self.lanes[direction.index()], Lane::Lost);
        self.early[direction.index()] = Early::default();
        self.behaviour.saw_loss();
        // What is cut by the end of the connection is told with that.
        if let (Some(exchanges), [None, None]) = (&mut self.exchanges, self.ends) {
            exchanges.lose();
        }
        if !matches!(before, Lane::Lost | Lane::Seeking(_)) {
            self.tell(at, EventKind::LaneLost { direction, offset, reason }, out);
        }
        before
    }

    fn offset(&self, direction: Direction) -> u64 {
        match self.lane(direction) {
            Lane::Http(lane) => lane.offset(),
            Lane::Frames(lane) => lane.offset(),
            Lane::Seeking(seeking) => seeking.offset(),
            Lane::Lost => 0,
        }
    }

    fn lane(&self, direction: Direction) -> &Lane {
        &self.lanes[direction.index()]
    }

    fn lane_mut(&mut self, direction: Direction) -> &mut Lane {
        &mut self.lanes[direction.index()]
    }

    fn tell(&self, at: Timestamp, kind: EventKind, out: Out<'_>) {
        out(Event { connection: self.id, at, kind });
    }

    fn raise(
        &self,
        rule: &'static Rule,
        direction: Direction,
        at: Timestamp,
        place: Place,
        evidence: String,
        out: Out<'_>,
    ) {
        let diagnostic = Diagnostic { rule, direction, at, place, evidence };
        self.tell(at, EventKind::DiagnosticRaised(diagnostic), out);
    }
}

/// Adds the connection to what one of its lanes says.
struct LaneOut<'a, S: ?Sized> {
    connection: ConnectionId,
    direction: Direction,
    behaviour: &'a mut Behaviour,
    transports: &'a mut Transports,
    sink: &'a mut S,
}

impl<S: EventSink + ?Sized> LaneSink for LaneOut<'_, S> {
    #[inline]
    fn sees_payloads(&self) -> bool {
        self.sink.sees_payloads()
    }

    #[inline]
    fn payload(&mut self, plain: &[u8]) {
        self.sink.payload(plain);
    }

    #[inline]
    fn unfragmented(&mut self, seen: &Unfragmented) {
        self.sink.unfragmented(self.connection, seen);
    }

    #[inline]
    fn frame(&mut self, frame: Frame) {
        self.sink.frame(self.connection, frame);
    }

    fn control(&mut self, frame: Frame) {
        self.sink.frame(self.connection, frame.clone());
        self.behaviour.saw_control(&frame, self.sink);
    }

    #[inline]
    fn message(&mut self, message: Message) {
        if self.behaviour.moving.is_none() {
            return self.sink.message(self.connection, message);
        }
        let seen = message.clone();
        self.sink.message(self.connection, message);
        self.saw_move(&seen);
    }

    #[inline]
    fn wants_history(&self) -> bool {
        self.sink.wants_history(self.direction)
    }

    fn history(&mut self, offset: u64, history: &[u8]) {
        self.sink.history(self.direction, offset, history);
    }

    fn event(&mut self, event: LaneEvent) {
        let Self { connection, direction, .. } = *self;
        match &event {
            LaneEvent::Finding { rule, place, .. } => {
                self.behaviour.saw_finding(direction, rule, *place);
            }
            LaneEvent::Lost { .. } => self.behaviour.saw_loss(),
        }
        let (at, kind) = match event {
            LaneEvent::Finding { rule, at, place, evidence } => {
                let diagnostic = Diagnostic { rule, direction, at, place, evidence };
                (at, EventKind::DiagnosticRaised(diagnostic))
            }
            LaneEvent::Lost { offset, at, reason } => {
                (at, EventKind::LaneLost { direction, offset, reason })
            }
        };
        self.sink.event(Event { connection, at, kind });
    }
}
