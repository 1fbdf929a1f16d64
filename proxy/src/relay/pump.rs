//! The pump: both lanes of one connection in one future, until both have ended.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use framescope_core::connection::Stall;
use framescope_core::{ConnectionNote, Direction, Finish, Leg};

use super::lane::{End, Lane, Step};
use super::stall::Stalled;
use super::{Socket, watch};
use crate::http::{Answer, Downward, Exchange, Upward};
use crate::recorder::Tape;

/// Steps of each lane in one poll; then other connections of the thread have their turn.
const ROUNDS: usize = 16;

/// Octets through all connections since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Received from either side.
    pub octets_in: AtomicU64,
    /// Of those, passed on to the other side; an edited head counts as what it was before.
    pub octets_out: AtomicU64,
}

impl Counters {
    /// Adds octets that were read.
    pub fn read(&self, len: usize) {
        self.octets_in.fetch_add(len as u64, Ordering::Relaxed);
    }

    /// Adds octets that were passed on.
    pub fn passed(&self, len: usize) {
        self.octets_out.fetch_add(len as u64, Ordering::Relaxed);
    }
}

/// How a connection came to its end.
#[derive(Debug)]
pub enum Ending {
    /// Both sides have said all they had to say.
    Closed,
    /// This sender reset the connection: the other side is to be reset too.
    Reset(Direction),
    /// The upstream's answer was refused: the client is to hear this one.
    Refused(Answer),
}

/// Two sides and what lies between them.
#[derive(Debug)]
pub struct Pump<C, U> {
    client: C,
    upstream: U,
    /// Until both sides are bare octets: a WebSocket at rest is to hold nothing of its handshake.
    exchange: Option<Box<Exchange>>,
    tape: Tape,
    counters: Arc<Counters>,
    up: Lane,
    down: Lane,
    refused: Option<Box<Answer>>,
}

/// What the client said before there was an upstream; it is recorded already.
#[derive(Debug)]
pub struct Early<'a> {
    /// What the exchange made of the first head.
    pub first: Upward<'a>,
    /// The octets behind it.
    pub rest: &'a [u8],
}

impl<C: Socket, U: Socket> Pump<C, U> {
    /// What came `early` goes to the upstream first.
    pub fn new(
        (client, upstream): (C, U),
        exchange: Exchange,
        tape: Tape,
        counters: Arc<Counters>,
        early: Early<'_>,
    ) -> Self {
        let mut pump = Self {
            client,
            upstream,
            exchange: Some(Box::new(exchange)),
            tape,
            counters,
            up: Lane::default(),
            down: Lane::default(),
            refused: None,
        };
        let Self { exchange, tape, counters, up, .. } = &mut pump;
        let mut send = |octets: &[u8], sent_len| {
            counters.passed(sent_len);
            up.put(octets);
        };
        tape.relay();
        pass_part(tape, early.first, &mut send);
        match exchange.as_deref_mut() {
            Some(exchange) => pass_up(exchange, tape, early.rest, send),
            None => send(early.rest, early.rest.len()),
        }
        pump
    }

    /// Relays until the end, and says how it came.
    pub async fn run(&mut self) -> Ending {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Makes the coming drop of the side that `sender` sent to a reset.
    pub fn reset_receiver(&self, sender: Direction) {
        match sender {
            Direction::ClientToServer => self.upstream.reset_on_drop(),
            Direction::ServerToClient => self.client.reset_on_drop(),
        }
    }

    /// The client and its tape, when there is nothing more to relay; the upstream is let go.
    pub fn into_client(self) -> (C, Tape, Arc<Counters>) {
        (self.client, self.tape, self.counters)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        for _ in 0..ROUNDS {
            let step = self.step_up(cx);
            let up = match self.settle(Direction::ClientToServer, step) {
                Ok(went) => went,
                Err(ending) => return Poll::Ready(ending),
            };
            let step = self.step_down(cx);
            // However the upstream went on behind an answer that is refused.
            if let Some(answer) = self.refused.take() {
                return Poll::Ready(Ending::Refused(*answer));
            }
            let down = match self.settle(Direction::ServerToClient, step) {
                Ok(went) => went,
                Err(ending) => return Poll::Ready(ending),
            };
            if self.up.is_over() && self.down.is_over() {
                return Poll::Ready(self.ending());
            }
            if !up && !down {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn step_up(&mut self, cx: &mut Context<'_>) -> Step {
        let Self { client, upstream, exchange, tape, counters, up, .. } = self;
        let takes_requests = exchange.as_ref().is_none_or(|exchange| exchange.takes_requests());
        let may_read = takes_requests && tape.poll_room(cx).is_ready();
        up.step(client, upstream, cx, may_read, |octets, outlet| {
            counters.read(octets.len());
            let mut send = |octets: &[u8], sent_len| {
                counters.passed(sent_len);
                outlet.send(octets)
            };
            let Some(followed) = exchange.as_deref_mut() else {
                return pass_bare(tape, Direction::ClientToServer, octets, |octets| {
                    send(octets, octets.len())
                });
            };
            tape.octets(Leg::Client, Direction::ClientToServer, octets);
            pass_up(followed, tape, octets, |octets, sent_len| {
                send(octets, sent_len);
            });
        })
    }

    fn step_down(&mut self, cx: &mut Context<'_>) -> Step {
        let Self { client, upstream, exchange, tape, counters, up, down, refused } = self;
        let may_read = tape.poll_room(cx).is_ready();
        down.step(upstream, client, cx, may_read, |octets, outlet| {
            counters.read(octets.len());
            let send = |octets: &[u8]| {
                counters.passed(octets.len());
                outlet.send(octets)
            };
            let Some(followed) = exchange.as_deref_mut() else {
                return pass_bare(tape, Direction::ServerToClient, octets, send);
            };
            *refused = pass_down(followed, tape, octets, send).map(Box::new);
            let released = followed.take_released();
            counters.passed(released.len());
            up.put(&released);
            if followed.is_bare() {
                *exchange = None;
            }
        })
    }

    /// Draws the consequences of a step: whether it went anywhere, or that this is the end.
    fn settle(&mut self, direction: Direction, step: Step) -> Result<bool, Ending> {
        match step {
            Step::Went => {
                watch::moved();
                Ok(true)
            }
            Step::Waits | Step::Over => Ok(false),
            Step::Stalled(stalled) => {
                self.note_stall(direction, stalled);
                Ok(true)
            }
            // The system tells of a reset once. Where a write has met it, a read meets the mere end.
            Step::SenderEnded(_) if self.opposite(direction).is_lost() => {
                Err(self.give_up(direction))
            }
            Step::SenderEnded(end) => {
                self.sender_ended(direction, end);
                Ok(true)
            }
            Step::ReadFailed(error) => {
                if !is_reset(&error) {
                    let (leg, side) = match direction {
                        Direction::ClientToServer => (Leg::Client, "client"),
                        Direction::ServerToClient => (Leg::Upstream, "upstream"),
                    };
                    let line = format!("reading from the {side} failed: {error}");
                    self.tape.fail("relay", Some(leg), line);
                }
                self.tape.finish(Leg::Client, direction, Finish::Reset);
                Err(Ending::Reset(direction))
            }
            // The receiver is gone, but what it said before may still be on its way: the other lane
            // reads on until it meets the end, for as long as anybody takes what it reads.
            Step::WriteFailed(error) => {
                tracing::debug!("writing {direction} failed: {error}");
                match direction {
                    Direction::ClientToServer => self.down.leave_alone(),
                    Direction::ServerToClient => self.up.leave_alone(),
                }
                Ok(true)
            }
            Step::GaveUp => Err(self.give_up(direction)),
        }
    }

    /// Who sends this direction is gone, and who receives it takes nothing: it may wait for its own
    /// octets to be read, which nobody does any more.
    fn give_up(&mut self, direction: Direction) -> Ending {
        self.tape.finish(Leg::Client, direction, Finish::Reset);
        Ending::Reset(direction)
    }

    /// Who receives this direction does not read, or reads again.
    fn note_stall(&mut self, direction: Direction, stalled: Stalled) {
        let Stalled { took, waiting, is_over } = stalled;
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let stall = Some(Stall { direction, nanos, waiting: waiting as u64, is_over });
        self.tape.note(&ConnectionNote { stall, ..ConnectionNote::default() });
    }

    fn opposite(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::ClientToServer => &self.down,
            Direction::ServerToClient => &self.up,
        }
    }

    fn sender_ended(&mut self, direction: Direction, end: End) {
        match (direction, self.exchange.as_deref_mut()) {
            (Direction::ClientToServer, Some(exchange)) => {
                let held = exchange.client_ended();
                self.counters.passed(held.len());
                self.up.put(&held);
            }
            (Direction::ServerToClient, Some(exchange)) => {
                let held = exchange.upstream_ended();
                self.counters.passed(held.len());
                self.tape.octets(Leg::Client, direction, &held);
                self.down.put(&held);
            }
            (_, None) => {}
        }
        if end == End::Cut {
            let without_close_notify = Some(direction);
            self.tape.note(&ConnectionNote { without_close_notify, ..ConnectionNote::default() });
        }
        self.tape.finish(Leg::Client, direction, Finish::Fin);
    }

    /// Both lanes are over.
    fn ending(&mut self) -> Ending {
        // Who cannot be written to any more has reset the connection.
        let reset = if self.up.is_lost() {
            Direction::ServerToClient
        } else if self.down.is_lost() {
            Direction::ClientToServer
        } else {
            return Ending::Closed;
        };
        self.tape.finish(Leg::Client, reset, Finish::Reset);
        Ending::Reset(reset)
    }
}

/// What the client said, on its way up: as the upstream is to get it, and of how many octets that the
/// client sent. It is recorded already.
fn pass_up(
    exchange: &mut Exchange,
    tape: &mut Tape,
    mut octets: &[u8],
    mut send: impl FnMut(&[u8], usize),
) {
    while !octets.is_empty() {
        pass_part(tape, exchange.upward(&mut octets), &mut send);
    }
}

fn pass_part(tape: &mut Tape, part: Upward<'_>, send: &mut impl FnMut(&[u8], usize)) {
    match part {
        Upward::Same(same) => send(same, same.len()),
        Upward::Held => {}
        Upward::Head { octets, sent_len, alterations, is_upgrade } => {
            tape.alter(alterations);
            if is_upgrade {
                tape.octets(Leg::Upstream, Direction::ClientToServer, &octets);
            }
            send(&octets, sent_len);
        }
        Upward::Unread { octets, reason } => {
            tape.fail("head", Some(Leg::Client), reason);
            send(&octets, octets.len());
        }
    }
}

/// What came where nothing is a head any more. `send` says whether all of it went at once.
fn pass_bare(
    tape: &mut Tape,
    direction: Direction,
    octets: &[u8],
    mut send: impl FnMut(&[u8]) -> bool,
) {
    let passage = tape.octets_read(direction, octets);
    if send(octets)
        && let Some(passage) = passage
    {
        tape.passed(passage);
    }
}

/// What the upstream said, on its way down: recorded as the client gets it.
fn pass_down(
    exchange: &mut Exchange,
    tape: &mut Tape,
    mut octets: &[u8],
    mut send: impl FnMut(&[u8]) -> bool,
) -> Option<Answer> {
    let direction = Direction::ServerToClient;
    while !octets.is_empty() {
        match exchange.downward(&mut octets) {
            Downward::Held => {}
            Downward::Same(same) => pass_bare(tape, direction, same, &mut send),
            // Parts of it have waited for the rest.
            Downward::Checked(held) => {
                tape.octets(Leg::Client, direction, &held);
                send(&held);
            }
            Downward::Refused { octets, answer, reason } => {
                tape.octets(Leg::Upstream, direction, &octets);
                tape.fail("upgrade", Some(Leg::Upstream), reason);
                return Some(answer);
            }
        }
    }
    None
}

/// Whether the peer tore the connection down, as peers do: a fact of the wire, no failure of ours.
fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe)
}
