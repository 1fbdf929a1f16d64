//! How a connection ends: one direction, then the other, or both at once; and what that tells.

use std::time::Duration;

use super::{Inspector, Lane, LaneOut, Out};
use crate::diagnostics::{Place, Rule, rules};
use crate::session::frame_lane::SeenClose;
use crate::session::http_lane::HttpPart;
use crate::session::{EndedBy, Ending, EventKind, Shared};
use crate::{CloseCode, Direction, Finish, Timestamp};

/// How long TCP may stay open once both sides have sent Close: beyond it somebody forgot it.
const LINGER: Duration = Duration::from_secs(10);

/// Idle timeouts that servers, proxies, load balancers and address translators are shipped with, in
/// seconds.
const USUAL_TIMEOUTS: [u64; 21] =
    [5, 10, 15, 20, 30, 40, 45, 50, 55, 60, 75, 90, 100, 120, 180, 240, 300, 350, 600, 900, 3_600];

/// What a timer is late at most, besides a hundredth of what it was set to.
const TIMER_SLACK: Duration = Duration::from_millis(500);

/// How long the side that is still open must have said nothing before its end counts as the end of the
/// talk, and not as the answer to the other side's: octets that were on their way come sooner.
const PAUSE: Duration = Duration::from_secs(1);

/// The end of one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    at: Timestamp,
    how: Finish,
    /// Since octets were last read, of either direction.
    silence: Duration,
}

impl Inspector {
    /// One direction ended.
    pub(super) fn finished(
        &mut self,
        direction: Direction,
        how: Finish,
        at: Timestamp,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        if self.ends[direction.index()].is_some() {
            return;
        }
        let silence = self.behaviour.last_octet_at.map(|last| at.since(last)).unwrap_or_default();
        self.ends[direction.index()] = Some(End { at, how, silence });
        self.first_finish.get_or_insert((direction, how));
        self.tell(at, EventKind::DirectionFinished { direction, how }, out);
        let over = how == Finish::Reset || self.ends[(!direction).index()].is_some();
        if !over {
            if self.early[direction.index()].is_empty() {
                self.finish_lane(direction, at, shared, out);
            }
            return;
        }
        // Client first: a response may still wait for its request.
        for direction in Direction::BOTH {
            self.release(direction, shared, out);
            self.finish_lane(direction, at, shared, out);
        }
        self.cut_exchanges(at, shared, out);
        self.end(at, shared, out);
    }

    fn finish_lane(
        &mut self,
        direction: Direction,
        at: Timestamp,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        if std::mem::replace(&mut self.is_lane_finished[direction.index()], true) {
            return;
        }
        match &mut self.lanes[direction.index()] {
            Lane::Frames(lane) => {
                let (connection, behaviour) = (self.id, &mut self.behaviour);
                let transports = &mut shared.transports;
                let mut out = LaneOut { connection, direction, behaviour, transports, sink: out };
                lane.finish(at, &mut out);
                if !out.behaviour.is_ended_by_proxy {
                    lane.check_cut(at, &mut out);
                }
            }
            Lane::Http(lane) => {
                let part = lane.finish();
                // A server cannot finish an answer that its client no longer waits for, nor can a peer
                // that the proxy has left.
                let is_left = self.behaviour.is_ended_by_proxy
                    || direction == Direction::ServerToClient
                        && self.first_finish.is_some_and(|(by, _)| by == Direction::ClientToServer);
                match part {
                    Some(HttpPart::Lost { rule, .. })
                        if is_left && rule.code == rules::HTTP_MESSAGE_CUT.code => {}
                    Some(part) => self.http_part(direction, at, part, shared, out),
                    None => {}
                }
            }
            Lane::Seeking(_) | Lane::Lost => {}
        }
    }

    fn end(&mut self, at: Timestamp, shared: &mut Shared, out: Out<'_>) {
        self.has_ended = true;
        let Some((by, how)) = self.first_finish else { return };
        let closes = Direction::BOTH.map(|direction| match self.lane(direction) {
            Lane::Frames(lane) => lane.close(),
            Lane::Http(_) | Lane::Seeking(_) | Lane::Lost => None,
        });
        let first = match closes {
            [Some(client), Some(server)] if server.at < client.at => {
                Some(Direction::ServerToClient)
            }
            [Some(_), _] => Some(Direction::ClientToServer),
            [None, Some(_)] => Some(Direction::ServerToClient),
            [None, None] => None,
        };
        let code = |close: SeenClose| close.code.map(|code| code.0);
        let of = |direction: Direction| closes[direction.index()];
        let close = first.and_then(|first| Some((first, code(of(first)?))));
        let answer = first.and_then(|first| Some(code(of(!first)?)));
        // It may be among octets that are missing, or that nobody understood.
        let unseen = Direction::BOTH.map(|direction| {
            let is_lost = match self.lane(direction) {
                Lane::Frames(lane) => lane.is_lost(),
                Lane::Seeking(_) | Lane::Lost => true,
                Lane::Http(_) => false,
            };
            let has_closed = self.behaviour.has_closed(direction);
            self.upgraded && of(direction).is_none() && (is_lost || has_closed)
        });
        let is_own = self.behaviour.is_ended_by_proxy;
        let ended_by = if is_own { EndedBy::Framescope } else { EndedBy::Peer(by) };
        let ending = Ending { by: ended_by, how, close, upgraded: self.upgraded, answer, unseen };
        if !is_own {
            self.check_ending(by, closes, ending, at, shared, out);
        }
        self.tell(at, EventKind::ConnectionEnded(ending), out);
    }

    /// What the ending says of the peers: `by` ended first.
    fn check_ending(
        &mut self,
        by: Direction,
        closes: [Option<SeenClose>; 2],
        ending: Ending,
        at: Timestamp,
        shared: &mut Shared,
        out: Out<'_>,
    ) {
        let close = ending.close;
        let first = close.map(|(first, _)| first);

        let knows_all = ending.unseen == [false; 2];
        match first {
            _ if !self.upgraded || !knows_all => {}
            Some(first) => self.ended_with_close(first, closes, by, at, out),
            None => self.ended_without_close(by, at, out),
        }
        let has_failed = match close {
            Some((_, code)) => code.is_some_and(|code| CloseCode(code).tells_failure()),
            None => knows_all,
        };
        if self.upgraded && has_failed {
            // Taken out, for it is asked for once.
            if let Some(visitor) = self.behaviour.visitor.take() {
                self.failed(&visitor, at, shared, out);
            }
        }
    }

    /// No Close came; `first` ended before the other side did.
    fn ended_without_close(&self, first: Direction, at: Timestamp, out: Out<'_>) {
        let (by, End { how, silence, .. }) = match (self.end_of(first), self.end_of(!first)) {
            // The side that was still open went on, and ended in a silence of its own.
            (Some(early), Some(late))
                if late.at.since(early.at) > late.silence && late.silence >= PAUSE =>
            {
                (!first, late)
            }
            (Some(early), _) => (first, early),
            (None, _) => return,
        };
        let word = if how == Finish::Fin { "FIN" } else { "RST" };
        let secs = silence.as_secs_f64();
        let (rule, evidence): (&'static Rule, _) = match usual_timeout(silence) {
            Some(timeout) => (
                &rules::CONNECTION_IDLE_CUT,
                format!(
                    "silent for {secs:.2} s, then {word} by the {} without Close: as an idle timeout \
                     of {timeout} s on the path does it",
                    by.sender()
                ),
            ),
            None => (
                &rules::CONNECTION_WITHOUT_CLOSE,
                format!(
                    "{word} by the {} without a Close frame either way, after {secs:.2} s of silence: \
                     both sides see 1006",
                    by.sender()
                ),
            ),
        };
        let place = Place { offset: self.offset(by), len: 0, frame: None };
        self.raise(rule, by, at, place, evidence, out);
    }

    /// One side sent Close, or both did, and what each lane said was followed to its end.
    fn ended_with_close(
        &self,
        first: Direction,
        closes: [Option<SeenClose>; 2],
        by: Direction,
        at: Timestamp,
        out: Out<'_>,
    ) {
        let (Some(close), second) = (closes[first.index()], closes[(!first).index()]) else {
            return;
        };
        let (opener, other) = (first.sender(), (!first).sender());
        let Some(End { at: ended_at, .. }) = self.end_of(by) else { return };
        let (rule, direction, evidence): (&'static Rule, _, _) = match second {
            // It ended before there was a Close to answer.
            None if by == !first && ended_at < close.at => {
                let early = close.at.since(ended_at).as_secs_f64();
                let evidence = format!(
                    "the {other} ended its direction without Close, {early:.3} s before the {opener}'s"
                );
                (&rules::CONNECTION_WITHOUT_CLOSE, !first, evidence)
            }
            // "If an endpoint receives a Close frame and did not previously send a Close frame, the
            // endpoint MUST send a Close frame in response" (RFC 6455 §5.5.1).
            None if by == !first => {
                let waited = ended_at.since(close.at).as_secs_f64();
                let evidence = format!(
                    "the {other} ended the connection {waited:.3} s after the {opener}'s Close, \
                     without one of its own"
                );
                (&rules::CLOSE_NOT_ANSWERED, !first, evidence)
            }
            None => {
                let waited = ended_at.since(close.at).as_secs_f64();
                let evidence = format!(
                    "the {opener} ended the connection {waited:.3} s after its Close, before one of \
                     the {other} came"
                );
                (&rules::CLOSE_NOT_AWAITED, first, evidence)
            }
            Some(answer) => return self.check_lingering(answer.at.max(close.at), at, out),
        };
        let place = Place { offset: self.offset(direction), len: 0, frame: None };
        self.raise(rule, direction, at, place, evidence, out);
    }

    /// "After both sending and receiving a Close message, an endpoint […] MUST close the underlying TCP
    /// connection. The server MUST close the underlying TCP connection immediately; the client SHOULD
    /// wait for the server to close the connection but MAY close the connection at any time"
    /// (RFC 6455 §5.5.1).
    fn check_lingering(&self, closed_at: Timestamp, at: Timestamp, out: Out<'_>) {
        let ended_at = |direction| self.end_of(direction).map_or(at, |end| end.at);
        let server_ended_at = ended_at(Direction::ServerToClient);
        let due = [
            (Direction::ServerToClient, closed_at, ""),
            (Direction::ClientToServer, closed_at.max(server_ended_at), " and the server's end"),
        ];
        for (direction, due_at, behind) in due {
            let waited = ended_at(direction).since(due_at);
            if waited >= LINGER {
                let (sender, waited) = (direction.sender(), waited.as_secs_f64());
                let evidence = format!(
                    "the {sender} kept TCP open {waited:.1} s after both Close frames{behind}"
                );
                let place = Place { offset: self.offset(direction), len: 0, frame: None };
                self.raise(&rules::CLOSE_LINGERED, direction, at, place, evidence, out);
            }
        }
    }

    fn end_of(&self, direction: Direction) -> Option<End> {
        self.ends[direction.index()]
    }
}

/// The timeout, in seconds, that a silence of this length is the mark of, if there is one: a timer
/// never goes off before its time, and seldom much later.
fn usual_timeout(silence: Duration) -> Option<u64> {
    USUAL_TIMEOUTS.into_iter().find(|secs| {
        let set = Duration::from_secs(*secs);
        let late = silence.saturating_sub(set);
        silence >= set.saturating_sub(Duration::from_millis(20))
            && late <= TIMER_SLACK.max(set / 100)
    })
}
