//! What a connection's heads mean together: requests and their answers, the opening handshake.

use std::sync::Arc;

use bytes::Bytes;

use super::{Inspector, Lane, Out};
use crate::diagnostics::{Place, rules};
use crate::frame::FramePosition;
use crate::handshake::{DeflateParams, Extension, PERMESSAGE_DEFLATE, read_extensions};
use crate::http::{BodyFraming, HeadReader, check};
use crate::session::crowd::{Handshake, Visitor};
use crate::session::frame_checks::Extensions;
use crate::session::frame_lane::FrameLane;
use crate::session::http_lane::{HttpLane, HttpPart, Reading};
use crate::session::message_watch::Promise;
use crate::session::seeking::Seeking;
use crate::session::{Event, EventKind, Limits, Shared};
use crate::transport::media_type;
use crate::{Direction, Head, Leg, OpeningHandshake, Timestamp};

/// The frames of a client whose request for the WebSocket is not whole yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct FramesToCome {
    extensions: Extensions,
    limits: Limits,
}

impl Inspector {
    /// Takes in what an HTTP lane found.
    pub(super) fn http_part(
        &mut self,
        direction: Direction,
        at: Timestamp,
        part: HttpPart,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        match (part, direction) {
            (HttpPart::Head { raw, offset }, Direction::ClientToServer) => {
                match Head::parse_request(raw, offset) {
                    Ok(head) => self.request(&Arc::new(head), at, shared, out),
                    Err(fault) => {
                        let rule = &rules::HTTP_HEAD_INVALID;
                        self.lose_http(rule, direction, at, offset, fault.to_string(), out);
                    }
                }
            }
            (HttpPart::Head { raw, offset }, Direction::ServerToClient) => {
                match Head::parse_response(raw, offset) {
                    Ok(head) => self.response(&Arc::new(head), at, shared, out),
                    Err(fault) => {
                        let rule = &rules::HTTP_HEAD_INVALID;
                        self.lose_http(rule, direction, at, offset, fault.to_string(), out);
                    }
                }
            }
            (HttpPart::Content { begins, events, pieces }, _) => {
                for event in events {
                    self.tell(at, EventKind::ServerSentEvent(Box::new(event)), out);
                }
                self.saw_content(direction, at, begins, pieces, shared, out);
            }
            (HttpPart::BodyEnd { wire_len, content_len, content: kept, piece }, _) => {
                let pieces = piece.into_iter().collect();
                self.saw_content(direction, at, false, pieces, shared, out);
                let content = kept.slice(..kept.len().min(self.limits.body_content));
                let ended = EventKind::BodyCompleted { direction, wire_len, content_len, content };
                self.tell(at, ended, out);
                self.body_ended(direction, at, content_len, &kept, shared, out);
                self.behind_body(direction);
            }
            (HttpPart::Lost { offset, rule, reason }, _) => {
                self.lose_http(rule, direction, at, offset, reason, out);
            }
        }
    }

    fn request(&mut self, head: &Arc<Head>, at: Timestamp, shared: &mut Shared, out: Out<'_>) {
        let direction = Direction::ClientToServer;
        let (limit, keep) = (self.limits.early, self.limits.body_content);
        let len = self.requests_len.saturating_add(head.raw.len());
        if len > limit && !self.requests.is_empty() {
            let reason = format!("more than {limit} octets of requests without an answer");
            self.lose(direction, at, head.offset, reason, out);
            return;
        }
        self.requests.push_back((head.clone(), at));
        self.requests_len = len;
        let framing = BodyFraming::of_request(head);
        let is_followed = !head.asks_for_websocket() || framing != BodyFraming::Empty;
        if is_followed && let Lane::Http(lane) = self.lane_mut(direction) {
            follow_with(lane, framing, keep, Reading::Whole);
        }
        let told = EventKind::HeadReceived { leg: Leg::Client, direction, head: head.clone() };
        self.tell(at, told, out);
        if !head.asks_for_websocket() {
            self.check_head(direction, head, at, out);
        }
        self.saw_request(head, at, framing != BodyFraming::Empty, shared, out);
    }

    fn response(&mut self, head: &Arc<Head>, at: Timestamp, shared: &mut Shared, out: Out<'_>) {
        let direction = Direction::ServerToClient;
        let status = head.status().unwrap_or_default();
        self.tell(
            at,
            EventKind::HeadReceived { leg: Leg::Client, direction, head: head.clone() },
            out,
        );
        if (100..200).contains(&status) && status != 101 {
            self.check_head(direction, head, at, out);
            if let Lane::Http(lane) = self.lane_mut(direction) {
                lane.expect_head();
            }
            return;
        }
        let (request, asked_at) = self.requests.pop_front().unzip();
        let answered_len = request.as_ref().map_or(0, |request| request.raw.len());
        self.requests_len = self.requests_len.saturating_sub(answered_len);
        let asked = request.as_ref().is_some_and(|request| request.asks_for_websocket());
        if let (true, Some(request), Some(asked_at)) = (asked, &request, asked_at) {
            self.handshake(request.clone(), head.clone(), [asked_at, at], shared, out);
        } else {
            self.check_head(direction, head, at, out);
        }
        if request.is_none() && head.switches_to_websocket() {
            self.join(head);
        }
        if self.upgraded && !matches!(self.lane(direction), Lane::Http(_)) {
            self.saw_upgrade(at, shared, out);
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
        let (keep, framing) = (self.limits.body_content, BodyFraming::of_response(head, method));
        let reading = self.reading(head, framing);
        let kept = keep.max(self.wanted_content());
        if let Lane::Http(lane) = self.lane_mut(direction) {
            follow_with(lane, framing, kept, reading);
        }
        if asked
            && let Lane::Http(lane) = self.lane_mut(!direction)
            && lane.is_waiting()
        {
            lane.expect_head();
        }
        self.saw_answer(head, at, framing == BodyFraming::Empty, shared, out);
    }

    /// A WebSocket was opened by a request that is missing: its answer tells what was agreed on.
    fn join(&mut self, answer: &Head) {
        self.upgraded = true;
        let (chosen, _) = read_extensions(answer);
        let params = DeflateParams::agreed(&[], &chosen).params;
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        self.begin_frames(down, extensions(down, params, &chosen), self.limits);
        // Where nothing of the client is there, nobody knows where its frames begin.
        if matches!(self.lane(up), Lane::Http(_)) {
            self.lanes[up.index()] = Lane::Seeking(Box::new(Seeking::unknown(up, 0, self.limits)));
        }
        let agreed = extensions(up, params, &chosen);
        match self.lane_mut(up) {
            Lane::Seeking(seeking) => seeking.agree(agreed),
            Lane::Frames(lane) => lane.agree(agreed),
            Lane::Http(_) | Lane::Lost => {}
        }
    }

    /// A body ended: what its lane goes on with. "A client cannot begin using an upgraded protocol on the
    /// connection until it has completely sent the request message" (RFC 9110 §7.8), its body included.
    fn behind_body(&mut self, direction: Direction) {
        if let Some(frames) =
            self.frames_behind_body.take_if(|_| direction == Direction::ClientToServer)
        {
            let FramesToCome { extensions, limits } = *frames;
            return self.begin_frames(direction, extensions, limits);
        }
        // While the body came no other request did: it is the last, unless it was answered.
        let is_undecided = direction == Direction::ClientToServer
            && self.requests.back().is_some_and(|(request, _)| request.asks_for_websocket());
        if !is_undecided && let Lane::Http(lane) = self.lane_mut(direction) {
            lane.expect_head();
        }
    }

    /// Goes on with frames behind `len` missing octets in which the request for the WebSocket ended, where
    /// it is known how they go on. Says whether it does.
    pub(super) fn frames_behind_gap(&mut self, len: u64, position: &FramePosition) -> bool {
        let Some(frames) = self.frames_behind_body.take() else { return false };
        let (direction, FramesToCome { extensions, limits }) = (Direction::ClientToServer, *frames);
        let mut lane = FrameLane::new(direction, self.offset(direction), extensions, limits);
        lane.resume(len, position);
        self.lanes[direction.index()] = Lane::Frames(Box::new(lane));
        true
    }

    fn begin_frames(&mut self, direction: Direction, extensions: Extensions, limits: Limits) {
        let lane = FrameLane::new(direction, self.offset(direction), extensions, limits);
        self.lanes[direction.index()] = Lane::Frames(Box::new(lane));
    }

    /// What a head says against HTTP, where no handshake tells it.
    fn check_head(&self, direction: Direction, head: &Head, at: Timestamp, out: Out<'_>) {
        for check::HeadFinding { rule, span, evidence } in check::findings(head) {
            self.raise(rule, direction, at, head.place(&span), evidence, out);
        }
    }

    fn handshake(
        &mut self,
        request: Arc<Head>,
        response: Arc<Head>,
        [asked_at, at]: [Timestamp; 2],
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        let switched = response.switches_to_websocket();
        let forwarded = self.forwarded_request.take();
        let handshake = OpeningHandshake::check(request, response, forwarded);
        if switched {
            self.upgraded = true;
            self.switch_to_frames(&handshake);
        }
        let findings = handshake.findings();
        let seen = Handshake { connection: self.id, asked_at, answered_at: at };
        let reused = handshake
            .accept
            .derivation
            .as_ref()
            .and_then(|derivation| shared.crowd.saw_key(derivation.nonce?, seen));
        let key = handshake.request.field("Sec-WebSocket-Key").map(|field| field.span.clone());
        let key = handshake.request.place(&key.unwrap_or_default());
        let visitor = Visitor::new(self.behaviour.client, &handshake.request);
        self.tell(at, EventKind::HandshakeCompleted(Arc::new(handshake)), out);
        for finding in findings {
            let place = Place { offset: finding.offset, len: finding.len, frame: None };
            self.raise(finding.rule, finding.direction, at, place, finding.evidence, out);
        }
        if let Some(first) = reused {
            let evidence = format!("connection {first} had the same key");
            let rule = &rules::HANDSHAKE_KEY_REUSED;
            self.raise(rule, Direction::ClientToServer, at, key, evidence, out);
        }
        if self.upgraded {
            self.check_early_data(at, out);
            self.behaviour.visitor = Some(Box::new(visitor));
        } else {
            self.failed(&visitor, at, shared, out);
        }
    }

    /// A WebSocket was refused, or ended badly.
    pub(super) fn failed(
        &self,
        visitor: &Visitor,
        at: Timestamp,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        let opened_at = self.behaviour.opened_at;
        let Some(evidence) = shared.crowd.saw_failure(visitor, opened_at, at) else { return };
        let direction = Direction::ClientToServer;
        self.raise(&rules::RECONNECT_STORM, direction, at, Place::default(), evidence, out);
    }

    fn switch_to_frames(&mut self, handshake: &OpeningHandshake) {
        for direction in Direction::BOTH {
            // Octets are missing before its first frame: nobody knows where that begins.
            if matches!(self.lane(direction), Lane::Lost) {
                continue;
            }
            let extensions = extensions(direction, handshake.deflate, &handshake.extensions.chosen);
            let limits = self.limits_of(&handshake.request);
            // Answered before the request was whole.
            let is_in_request = direction == Direction::ClientToServer
                && matches!(self.lane(direction), Lane::Http(lane) if lane.is_in_body());
            if is_in_request {
                self.frames_behind_body = Some(Box::new(FramesToCome { extensions, limits }));
            } else {
                self.begin_frames(direction, extensions, limits);
            }
        }
    }

    /// Heads of the upstream leg; what follows them there is not followed.
    pub(super) fn upstream_octets(
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
}

/// What was agreed on for a direction: by the parameters of permessage-deflate, and all that was `chosen`.
fn extensions(
    direction: Direction,
    params: Option<DeflateParams>,
    chosen: &[Extension],
) -> Extensions {
    let unknown = chosen.iter().any(|chosen| !chosen.name.eq_ignore_ascii_case(PERMESSAGE_DEFLATE));
    let deflate = params.map(|params| match direction {
        Direction::ClientToServer => Promise {
            no_context_takeover: params.client_no_context_takeover,
            max_window_bits: params.client_max_window_bits,
        },
        Direction::ServerToClient => Promise {
            no_context_takeover: params.server_no_context_takeover,
            max_window_bits: params.server_max_window_bits,
        },
    });
    Extensions { deflate, unknown }
}

/// Sets a lane on what follows a head with this body.
fn follow_with(lane: &mut HttpLane, framing: BodyFraming, keep: usize, reading: Reading) {
    if framing == BodyFraming::Empty {
        lane.expect_head();
    } else {
        lane.expect_body(framing, keep, reading);
    }
}

/// Whether the body is a stream of events that can be read as it stands.
pub(super) fn is_event_stream(head: &Head) -> bool {
    media_type(head) == "text/event-stream"
        && head.status() == Some(200)
        && head.field("Content-Encoding").is_none()
}
