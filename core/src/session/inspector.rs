//! One connection: what its two lanes say, and what they mean together.
//!
//! A lane sometimes has to wait for the other one: a client's octets behind an upgrade request mean
//! nothing before the answer is there, and a response means nothing before its request. Such octets
//! wait here with their times, so that what a lane says does not depend on how lanes interleave.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::diagnostics::{Place, Rule, rules};
use crate::http::{BodyFraming, HeadReader};

use crate::session::frame_checks::Extensions;
use crate::session::frame_lane::FrameLane;
use crate::session::http_lane::{HttpLane, HttpPart};
use crate::session::lane_event::LaneEvent;
use crate::session::{Ending, Event, EventKind, Limits};
use crate::{
    ConnectionId, Diagnostic, Direction, Finish, Head, Leg, OpeningHandshake, Record, Timestamp,
};

/// Understands one connection.
#[derive(Debug)]
pub struct Inspector {
    id: ConnectionId,
    limits: Limits,
    /// By [`Direction::index`].
    lanes: [Lane; 2],
    /// Octets that wait for the other lane, with the times they were read at.
    early: [Early; 2],
    /// Requests whose response has not come yet.
    requests: VecDeque<Arc<Head>>,
    /// Octets of their heads.
    requests_len: usize,
    /// Heads on the upstream leg, where they differ from the client leg's.
    upstream_heads: [HeadReader; 2],
    forwarded_request: Option<Arc<Head>>,
    upgraded: bool,
    finished: [Option<Finish>; 2],
    first_finish: Option<(Direction, Finish)>,
    /// Lanes that have said what they leave unfinished.
    is_lane_finished: [bool; 2],
    has_ended: bool,
}

#[derive(Debug)]
enum Lane {
    Http(HttpLane),
    Frames(Box<FrameLane>),
    /// Octets are counted by nobody any more; they are in the capture.
    Lost,
}

#[derive(Debug, Default)]
struct Early {
    parts: VecDeque<(Timestamp, Bytes)>,
    len: usize,
}

type Out<'a> = &'a mut dyn FnMut(Event);

impl Inspector {
    /// A connection of which nothing is known yet.
    pub fn new(id: ConnectionId, limits: Limits) -> Self {
        Self {
            id,
            limits,
            lanes: [Lane::Http(HttpLane::new(limits.head)), Lane::Http(HttpLane::new(limits.head))],
            early: [Early::default(), Early::default()],
            requests: VecDeque::new(),
            requests_len: 0,
            upstream_heads: [HeadReader::default(), HeadReader::default()],
            forwarded_request: None,
            upgraded: false,
            finished: [None, None],
            first_finish: None,
            is_lane_finished: [false; 2],
            has_ended: false,
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

    /// What compressed messages to come in this lane can refer to.
    pub fn inflate_history(&mut self, direction: Direction) -> Option<&[u8]> {
        match self.lane_mut(direction) {
            Lane::Frames(lane) => lane.inflate_history(),
            Lane::Http(_) | Lane::Lost => None,
        }
    }

    /// Where this lane stands in between two messages: the lane offset of the next frame.
    pub fn offset_between_messages(&self, direction: Direction) -> Option<u64> {
        match self.lane(direction) {
            Lane::Frames(lane) => lane.offset_between_messages(),
            Lane::Http(_) | Lane::Lost => None,
        }
    }

    /// Takes in one record of this connection. `scratch` is working room that connections share.
    pub fn receive(&mut self, record: &Record, scratch: &mut Vec<u8>, out: Out<'_>) {
        if self.has_ended {
            return;
        }
        match record {
            Record::Opened { at, info, .. } => {
                self.tell(*at, EventKind::ConnectionOpened(Arc::new((**info).clone())), out);
            }
            Record::Noted { at, note, .. } => {
                self.tell(*at, EventKind::ConnectionNoted(Arc::new((**note).clone())), out);
            }
            Record::Octets { at, leg: Leg::Client, direction, octets, .. } => {
                self.octets(*direction, *at, octets, scratch, out);
            }
            Record::Octets { at, leg: Leg::Upstream, direction, octets, .. } => {
                self.upstream_octets(*direction, *at, octets, out);
            }
            Record::Gap { at, leg: Leg::Client, direction, len, .. } => {
                self.gap(*direction, *at, *len, out);
            }
            Record::Finished { at, leg: Leg::Client, direction, how, .. } => {
                self.finished(*direction, *how, *at, scratch, out);
            }
            Record::Gap { leg: Leg::Upstream, .. }
            | Record::Finished { leg: Leg::Upstream, .. } => {}
        }
    }

    /// No more records come, although the connection has not ended.
    pub fn finish(&mut self, out: Out<'_>) {
        let mut scratch = Vec::new();
        for direction in Direction::BOTH {
            if self.finished[direction.index()].is_none() {
                self.release(direction, &mut scratch, out);
            }
        }
    }

    fn octets(
        &mut self,
        direction: Direction,
        at: Timestamp,
        octets: &Bytes,
        scratch: &mut Vec<u8>,
        out: Out<'_>,
    ) {
        let id = self.id;
        let early_is_empty = self.early[direction.index()].parts.is_empty();
        match &mut self.lanes[direction.index()] {
            Lane::Frames(lane) if early_is_empty => {
                lane.receive(at, octets, scratch, &mut |event| {
                    tell_lane(id, direction, event, out);
                });
            }
            Lane::Lost => {}
            Lane::Http(_) | Lane::Frames(_) => {
                self.early[direction.index()].push_back(at, octets.clone());
                self.run(direction, scratch, out);
                self.check_early(direction, at, out);
            }
        }
    }

    /// Lets a lane take in what waits for it, as far as it can go. Where it says what the other lane
    /// waited for, the other one goes first: in that order octets of any split are taken in alike.
    fn run(&mut self, direction: Direction, scratch: &mut Vec<u8>, out: Out<'_>) {
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

    /// Takes in one part of HTTP, or all of these octets where they are frames.
    fn step(
        &mut self,
        direction: Direction,
        at: Timestamp,
        octets: &Bytes,
        scratch: &mut Vec<u8>,
        out: Out<'_>,
    ) {
        let id = self.id;
        match &mut self.lanes[direction.index()] {
            Lane::Frames(lane) => {
                lane.receive(at, octets, scratch, &mut |event| {
                    tell_lane(id, direction, event, out);
                });
            }
            Lane::Http(lane) => {
                let mut input = &octets[..];
                let part = lane.next_part(&mut input);
                if !input.is_empty() {
                    self.early[direction.index()].push_front(at, octets.slice_ref(input));
                }
                if let Some(part) = part {
                    self.http_part(direction, at, part, out);
                }
            }
            Lane::Lost => {}
        }
    }

    fn http_part(&mut self, direction: Direction, at: Timestamp, part: HttpPart, out: Out<'_>) {
        match (part, direction) {
            (HttpPart::Head { raw, offset }, Direction::ClientToServer) => {
                match Head::parse_request(raw, offset) {
                    Ok(head) => self.request(Arc::new(head), at, out),
                    Err(fault) => self.lose_head(direction, at, offset, &fault.to_string(), out),
                }
            }
            (HttpPart::Head { raw, offset }, Direction::ServerToClient) => {
                match Head::parse_response(raw, offset) {
                    Ok(head) => self.response(&Arc::new(head), at, out),
                    Err(fault) => self.lose_head(direction, at, offset, &fault.to_string(), out),
                }
            }
            (HttpPart::BodyEnd { wire_len, content_len }, _) => {
                self.tell(at, EventKind::BodyCompleted { direction, wire_len, content_len }, out);
                if let Lane::Http(lane) = self.lane_mut(direction) {
                    lane.expect_head();
                }
            }
            (HttpPart::Lost { offset, reason }, _) => {
                self.lose_head(direction, at, offset, &reason, out);
            }
        }
    }

    fn request(&mut self, head: Arc<Head>, at: Timestamp, out: Out<'_>) {
        let direction = Direction::ClientToServer;
        let limit = self.limits.early;
        let len = self.requests_len.saturating_add(head.raw.len());
        if len > limit && !self.requests.is_empty() {
            let reason = format!("more than {limit} octets of requests without an answer");
            return self.lose(direction, at, head.offset, reason, out);
        }
        self.requests.push_back(head.clone());
        self.requests_len = len;
        if !head.asks_for_websocket()
            && let Lane::Http(lane) = self.lane_mut(direction)
        {
            follow_with(lane, BodyFraming::of_request(&head));
        }
        self.tell(at, EventKind::HeadReceived { leg: Leg::Client, direction, head }, out);
    }

    fn response(&mut self, head: &Arc<Head>, at: Timestamp, out: Out<'_>) {
        let direction = Direction::ServerToClient;
        let status = head.status().unwrap_or_default();
        self.tell(
            at,
            EventKind::HeadReceived { leg: Leg::Client, direction, head: head.clone() },
            out,
        );
        if (100..200).contains(&status) && status != 101 {
            if let Lane::Http(lane) = self.lane_mut(direction) {
                lane.expect_head();
            }
            return;
        }
        let request = self.requests.pop_front();
        let answered_len = request.as_ref().map_or(0, |request| request.raw.len());
        self.requests_len = self.requests_len.saturating_sub(answered_len);
        let asked = request.as_ref().is_some_and(|request| request.asks_for_websocket());
        if let (true, Some(request)) = (asked, &request) {
            self.handshake(request.clone(), head.clone(), at, out);
        }
        if self.upgraded {
            return;
        }
        let method = request.as_ref().and_then(|request| request.method());
        let tunnel = method == Some("CONNECT") && (200..300).contains(&status);
        if status == 101 || tunnel {
            let what = if tunnel { "a CONNECT tunnel" } else { "another protocol than WebSocket" };
            for direction in Direction::BOTH {
                let offset = self.offset(direction);
                self.lose(direction, at, offset, format!("{what} from here on"), out);
            }
            return;
        }
        if let Lane::Http(lane) = self.lane_mut(direction) {
            follow_with(lane, BodyFraming::of_response(head, method));
        }
        if asked && let (Some(request), Lane::Http(lane)) = (&request, self.lane_mut(!direction)) {
            follow_with(lane, BodyFraming::of_request(request));
        }
    }

    fn handshake(&mut self, request: Arc<Head>, response: Arc<Head>, at: Timestamp, out: Out<'_>) {
        // A 101 that forgot to name the protocol is a fault worth following; one that names another
        // protocol is not a WebSocket.
        let switched = response.status() == Some(101)
            && (response.has_token("Upgrade", "websocket") || response.field("Upgrade").is_none());
        let forwarded = self.forwarded_request.take();
        let handshake = OpeningHandshake::check(request, response, forwarded);
        if switched {
            self.upgraded = true;
            self.switch_to_frames(&handshake);
        }
        let findings = handshake.findings();
        self.tell(at, EventKind::HandshakeCompleted(Arc::new(handshake)), out);
        for finding in findings {
            let place = Place { offset: finding.offset, len: finding.len, frame: None };
            self.raise(finding.rule, finding.direction, at, place, finding.evidence, out);
        }
    }

    fn switch_to_frames(&mut self, handshake: &OpeningHandshake) {
        let unknown = handshake
            .extensions
            .chosen
            .iter()
            .any(|e| !e.name.eq_ignore_ascii_case("permessage-deflate"));
        for direction in Direction::BOTH {
            let deflate = handshake.deflate.map(|params| match direction {
                Direction::ClientToServer => params.client_no_context_takeover,
                Direction::ServerToClient => params.server_no_context_takeover,
            });
            let extensions = Extensions { deflate, unknown };
            let lane = FrameLane::new(direction, self.offset(direction), extensions, self.limits);
            self.lanes[direction.index()] = Lane::Frames(Box::new(lane));
        }
    }

    /// Heads of the upstream leg; what follows them there is not followed.
    fn upstream_octets(
        &mut self,
        direction: Direction,
        at: Timestamp,
        octets: &Bytes,
        out: Out<'_>,
    ) {
        if self.upgraded {
            return;
        }
        let mut input = &octets[..];
        let reader = &mut self.upstream_heads[direction.index()];
        while let Ok(Some(raw)) = reader.take(&mut input, self.limits.head) {
            *reader = HeadReader::default();
            let parsed = match direction {
                Direction::ClientToServer => Head::parse_request(raw, 0),
                Direction::ServerToClient => Head::parse_response(raw, 0),
            };
            // What is no head is a body's octets; a head may follow them.
            let Ok(head) = parsed.map(Arc::new) else { continue };
            if direction == Direction::ClientToServer {
                self.forwarded_request = Some(head.clone());
            }
            out(Event {
                connection: self.id,
                at,
                kind: EventKind::HeadReceived { leg: Leg::Upstream, direction, head },
            });
        }
    }

    fn gap(&mut self, direction: Direction, at: Timestamp, len: u64, out: Out<'_>) {
        self.tell(at, EventKind::GapMet { direction, len }, out);
        let offset = self.offset(direction);
        let reason = format!("{len} octets are missing from the capture");
        self.lose(direction, at, offset, reason, out);
    }

    fn finished(
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
            if self.early[direction.index()].parts.is_empty() {
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
        let id = self.id;
        match &mut self.lanes[direction.index()] {
            Lane::Frames(lane) => {
                lane.finish(at, &mut |event| tell_lane(id, direction, event, out));
            }
            Lane::Http(lane) => {
                if let Some(part) = lane.finish() {
                    self.http_part(direction, at, part, out);
                }
            }
            Lane::Lost => {}
        }
    }

    /// Octets that still wait although what they wait for will never come.
    fn release(&mut self, direction: Direction, scratch: &mut Vec<u8>, out: Out<'_>) {
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
    fn check_early(&mut self, direction: Direction, at: Timestamp, out: Out<'_>) {
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

    fn lose_head(
        &mut self,
        direction: Direction,
        at: Timestamp,
        offset: u64,
        reason: &str,
        out: Out<'_>,
    ) {
        let place = Place { offset, len: 0, frame: None };
        self.raise(&rules::HANDSHAKE_HEAD_INVALID, direction, at, place, reason.to_owned(), out);
        self.lose(direction, at, offset, reason.to_owned(), out);
    }

    fn lose(
        &mut self,
        direction: Direction,
        at: Timestamp,
        offset: u64,
        reason: String,
        out: Out<'_>,
    ) {
        let before = std::mem::replace(&mut self.lanes[direction.index()], Lane::Lost);
        self.early[direction.index()] = Early::default();
        if !matches!(before, Lane::Lost) {
            self.tell(at, EventKind::LaneLost { direction, offset, reason }, out);
        }
    }

    fn offset(&self, direction: Direction) -> u64 {
        match self.lane(direction) {
            Lane::Http(lane) => lane.offset(),
            Lane::Frames(lane) => lane.offset(),
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

impl Early {
    fn pop(&mut self) -> Option<(Timestamp, Bytes)> {
        let (at, octets) = self.parts.pop_front()?;
        self.len = self.len.saturating_sub(octets.len());
        Some((at, octets))
    }

    fn push_back(&mut self, at: Timestamp, octets: Bytes) {
        self.len = self.len.saturating_add(octets.len());
        self.parts.push_back((at, octets));
    }

    fn push_front(&mut self, at: Timestamp, octets: Bytes) {
        self.len = self.len.saturating_add(octets.len());
        self.parts.push_front((at, octets));
    }
}

/// Sets a lane on what follows a head with this body.
fn follow_with(lane: &mut HttpLane, framing: BodyFraming) {
    if framing == BodyFraming::Empty {
        lane.expect_head();
    } else {
        lane.expect_body(framing);
    }
}

#[inline]
fn tell_lane(connection: ConnectionId, direction: Direction, event: LaneEvent, out: Out<'_>) {
    let (at, kind) = match event {
        LaneEvent::Frame(frame) => (frame.last_octet_at, EventKind::FrameDecoded(frame)),
        LaneEvent::Message(message) => {
            (message.last_octet_at, EventKind::MessageCompleted(message))
        }
        LaneEvent::Finding { rule, at, place, evidence } => {
            (at, EventKind::DiagnosticRaised(Diagnostic { rule, direction, at, place, evidence }))
        }
        LaneEvent::Lost { offset, at, reason } => {
            (at, EventKind::LaneLost { direction, offset, reason })
        }
    };
    out(Event { connection, at, kind });
}
