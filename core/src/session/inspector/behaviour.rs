//! What both lanes tell together while they are open: Pings, and why a peer closes.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use super::{Inspector, Out};
use crate::connection::Stall;
use crate::diagnostics::{Diagnostic, Place, Rule, rules, shown};
use crate::frame::CloseBody;
use crate::session::crowd::Visitor;
use crate::session::pings::{PONG_DUE, Pings};
use crate::session::{Event, EventKind, EventSink};
use crate::transport::SessionKey;
use crate::{ConnectionId, ConnectionNote, Direction, Frame, Opcode, Severity, Timestamp};

/// Pongs that nobody asked for are listed up to so many in a direction.
const MOST_UNSOLICITED: u32 = 100;

/// Remembers what the other lane may have to do with.
#[derive(Debug)]
pub(super) struct Behaviour {
    id: ConnectionId,
    pub(super) client: IpAddr,
    pub(super) opened_at: Timestamp,
    /// When octets were last read, of either direction.
    pub(super) last_octet_at: Option<Timestamp>,
    /// The read whose octets HTTP is taken from: see [`super::waiting::Part`].
    pub(super) reading: u64,
    /// Who asked for what, where a WebSocket was asked for.
    pub(super) visitor: Option<Box<Visitor>>,
    /// The session that may move to this WebSocket.
    pub(super) moving: Option<Arc<SessionKey>>,
    pings: Pings,
    /// By [`Direction::index`].
    unsolicited: [u32; 2],
    has_closed: [bool; 2],
    /// The proxy was stopped: how the connection ends says nothing of its peers.
    pub(super) is_ended_by_proxy: bool,
    /// Frames are missing, so that nothing can be said of what did not come.
    is_incomplete: bool,
    /// The last broken MUST of each direction, and the frame that broke it.
    last_error: [Option<(&'static Rule, Option<u64>)>; 2],
}

impl Behaviour {
    pub(super) fn new(id: ConnectionId) -> Self {
        Self {
            id,
            client: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            opened_at: Timestamp::default(),
            last_octet_at: None,
            reading: 0,
            visitor: None,
            moving: None,
            pings: Pings::default(),
            unsolicited: [0; 2],
            has_closed: [false; 2],
            is_ended_by_proxy: false,
            is_incomplete: false,
            last_error: [None; 2],
        }
    }

    /// Octets are about to be read, or a direction ends.
    #[inline]
    pub(super) fn tick<S: EventSink + ?Sized>(&mut self, at: Timestamp, out: &mut S) {
        if self.pings.is_due(at) {
            self.tell_overdue(at, out);
        }
    }

    /// A control frame went by, and was told.
    pub(super) fn saw_control<S: EventSink + ?Sized>(&mut self, frame: &Frame, out: &mut S) {
        let direction = frame.direction;
        match frame.header.opcode {
            // "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it
            // already received a Close frame" (RFC 6455 §5.5.2).
            Opcode::Ping if !self.is_incomplete => {
                self.pings.asked(frame);
                if self.is_closing() {
                    self.pings.excuse();
                }
            }
            Opcode::Pong => match self.pings.answered(frame) {
                Some(trip) => self.tell(frame.last_octet_at, EventKind::PingAnswered(trip), out),
                None if !self.is_incomplete => self.unsolicited(frame, out),
                None => {}
            },
            Opcode::Close => {
                // What answers a Close repeats its code.
                if self.has_closed == [false; 2] {
                    self.closed(frame, out);
                }
                self.has_closed[direction.index()] = true;
                self.pings.excuse();
            }
            _ => {}
        }
    }

    /// A finding was told of this direction.
    pub(super) fn saw_finding(&mut self, direction: Direction, rule: &'static Rule, place: Place) {
        if rule.severity == Severity::Error {
            self.last_error[direction.index()] = Some((rule, place.frame));
        }
    }

    /// Octets of a direction are missing, the last of which was read `at`; a Close was perhaps among
    /// them, or before.
    pub(super) fn saw_gap(&mut self, direction: Direction, at: Timestamp, closed: bool) {
        self.saw_loss();
        self.last_octet_at = self.last_octet_at.max(Some(at));
        self.has_closed[direction.index()] |= closed;
    }

    /// Whether a Close was sent in this direction, seen or not.
    pub(super) fn has_closed(&self, direction: Direction) -> bool {
        self.has_closed[direction.index()]
    }

    /// Whether a Close was sent in either direction, seen or not.
    pub(super) fn is_closing(&self) -> bool {
        self.has_closed.contains(&true)
    }

    /// Octets of a direction are not followed any further.
    pub(super) fn saw_loss(&mut self) {
        self.is_incomplete = true;
        self.pings.give_up();
    }

    /// Something became known that octets do not say.
    pub(super) fn saw_note<S: EventSink + ?Sized>(
        &mut self,
        note: &ConnectionNote,
        at: Timestamp,
        out: &mut S,
    ) {
        if let Some(stall) = note.stall.filter(|stall| !stall.is_over) {
            let Stall { direction, nanos, waiting, .. } = stall;
            let secs = Duration::from_nanos(nanos).as_secs_f64();
            let receiver = (!direction).sender();
            let evidence = format!(
                "the {receiver} has read nothing for {secs:.1} s; {waiting} octets wait for it"
            );
            let place = Place::default();
            self.raise(&rules::CONSUMER_SLOW, direction, at, place, evidence, out);
        }
        let Some(failure) = &note.failure else { return };
        self.is_ended_by_proxy |= failure.ends_connection();
        let direction = match failure.stage.as_str() {
            "client-tls" => Direction::ClientToServer,
            "upstream-tls" => Direction::ServerToClient,
            _ => return,
        };
        let evidence = shown(&failure.message);
        self.raise(&rules::CONNECTION_TLS_FAILED, direction, at, Place::default(), evidence, out);
    }

    fn tell_overdue<S: EventSink + ?Sized>(&mut self, at: Timestamp, out: &mut S) {
        for (direction, ping) in self.pings.take_overdue(at) {
            let frame = ping.place.frame.unwrap_or_default();
            let evidence = format!(
                "the {}'s Ping, frame {frame}, has no Pong after {} s",
                direction.sender(),
                PONG_DUE.as_secs()
            );
            self.raise(&rules::PING_UNANSWERED, direction, at, ping.place, evidence, out);
        }
    }

    fn unsolicited<S: EventSink + ?Sized>(&mut self, pong: &Frame, out: &mut S) {
        let times = &mut self.unsolicited[pong.direction.index()];
        *times = times.saturating_add(1);
        let more = match *times {
            MOST_UNSOLICITED => "; more of these are not listed",
            0..MOST_UNSOLICITED => "",
            _ => return,
        };
        let evidence = format!(
            "a Pong of {} octets that no Ping of the {} asked for{more}",
            pong.header.payload_len.value,
            (!pong.direction).sender()
        );
        let (at, place) = (pong.last_octet_at, place_of(pong));
        self.raise(&rules::PONG_UNSOLICITED, pong.direction, at, place, evidence, out);
    }

    /// The first Close: where it tells a fault, what that may have been.
    fn closed<S: EventSink + ?Sized>(&self, close: &Frame, out: &mut S) {
        let CloseBody::Status { code, reason } = CloseBody::parse(&close.payload) else { return };
        if !matches!(code.0, 1002 | 1003 | 1007..=1011 | 1014) {
            return;
        }
        let mut evidence = format!("{code} ({})", code.name());
        if !reason.is_empty() {
            evidence = format!("{evidence}: {}", shown(&String::from_utf8_lossy(reason)));
        }
        let sender = close.direction.sender();
        if let Some((rule, frame)) = self.last_error[(!close.direction).index()] {
            let frame = frame.map(|frame| format!(" in frame {frame}")).unwrap_or_default();
            evidence = format!(
                "{evidence}; before it the {} had {}{frame}",
                (!close.direction).sender(),
                rule.code
            );
        }
        let evidence = format!("the {sender} closed with {evidence}");
        let (at, place) = (close.last_octet_at, place_of(close));
        self.raise(&rules::CLOSE_FOR_FAULT, close.direction, at, place, evidence, out);
    }

    fn raise<S: EventSink + ?Sized>(
        &self,
        rule: &'static Rule,
        direction: Direction,
        at: Timestamp,
        place: Place,
        evidence: String,
        out: &mut S,
    ) {
        let finding = Diagnostic { rule, direction, at, place, evidence };
        self.tell(at, EventKind::DiagnosticRaised(finding), out);
    }

    fn tell<S: EventSink + ?Sized>(&self, at: Timestamp, kind: EventKind, out: &mut S) {
        out.event(Event { connection: self.id, at, kind });
    }
}

fn place_of(frame: &Frame) -> Place {
    Place { offset: frame.offset, len: frame.wire_len(), frame: Some(frame.index) }
}

impl Inspector {
    /// Octets of the client that came before the answer to its handshake: "the client MUST wait for a
    /// response from the server before sending any further data" (RFC 6455 §4.1).
    pub(super) fn check_early_data(&self, answered_at: Timestamp, out: Out<'_>) {
        let direction = Direction::ClientToServer;
        let Some((first_at, len)) =
            self.early[direction.index()].before(answered_at, self.behaviour.reading)
        else {
            return;
        };
        let wait = answered_at.since(first_at);
        let evidence =
            format!("{len} octets, the first {:.1} ms before the answer", wait.as_secs_f64() * 1e3);
        let place = Place { offset: self.offset(direction), len, frame: None };
        let rule = &rules::HANDSHAKE_DATA_BEFORE_ANSWER;
        self.raise(rule, direction, answered_at, place, evidence, out);
    }
}
