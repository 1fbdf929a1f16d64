//! A tape: what one connection says, as blocks of the capture.

use std::sync::Arc;
use std::task::{Context, Poll};

use framescope_core::capture::StreamEncoder;
use framescope_core::connection::{Alteration, Failure};
use framescope_core::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, Finish, Leg, Timestamp,
};

use super::Queue;
use super::memory::Memory;

/// Octets that are recorded and not passed on yet.
#[derive(Debug, Clone, Copy)]
pub struct Passage {
    /// When they were read.
    at: Timestamp,
    /// Where in the queue they end, and how far before that there is room for how long they took.
    end: u64,
    before_end: [Option<usize>; 2],
}

/// Records one connection. Dropping it ends what is open.
#[derive(Debug)]
pub struct Tape {
    queue: Arc<Queue>,
    encoder: StreamEncoder,
    lanes: Lanes,
    /// The file of the capture that holds the newest of this connection.
    file: u32,
    /// Whether the capture says how this connection came to its end.
    explained: bool,
    /// Whether octets are relayed until both sides have ended: an end of one of them explains nothing.
    relays: bool,
    /// What there was no room for.
    untold: Option<Box<Untold>>,
}

/// By leg, then by [`Direction::index`].
type Lanes = [[Lane; 2]; 2];

/// One direction on one leg.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    /// Octets that passed unrecorded since the last that were recorded.
    missed: u64,
    finished: bool,
}

/// What the capture is yet to be told of a connection besides its octets.
#[derive(Debug, Default)]
struct Untold {
    /// The capture has nothing of it, not even its opening.
    opening: bool,
    note: ConnectionNote,
    /// How directions ended of a connection whose opening is not told; at most one a lane.
    ends: Vec<(Leg, Direction, Finish)>,
}

impl Tape {
    /// Begins a connection that was accepted `at`. Where there is no room to say so, that is made up
    /// for as soon as there is.
    pub fn open(
        queue: &Arc<Queue>,
        id: ConnectionId,
        at: Timestamp,
        info: &ConnectionInfo,
    ) -> Self {
        let opened =
            queue.append(at, false, |_, file, out| (StreamEncoder::open(id, at, info, out), file));
        let queue = Arc::clone(queue);
        let (lanes, explained) = (Lanes::default(), false);
        let Some(((mut encoder, file), _)) = opened else {
            let encoder = StreamEncoder::untold(id, at, info);
            let untold = Some(Box::new(Untold { opening: true, ..Untold::default() }));
            return Self { queue, encoder, lanes, file: 0, explained, relays: false, untold };
        };
        if queue.remembers() {
            encoder.remember(at, info);
        }
        Self { queue, encoder, lanes, file, explained, relays: false, untold: None }
    }

    /// Appends what `encode` says, behind what there was no room for before; where that will be in
    /// another file than what was said last, it begins with what a reader of that file must know.
    ///
    /// Says whether there was room. For what the capture is `owed` there always is, unless it has
    /// nothing of this connection.
    fn append<T>(
        &mut self,
        at: Timestamp,
        owed: bool,
        encode: impl FnOnce(Timestamp, &mut StreamEncoder, &mut Lanes, &mut Memory) -> T,
    ) -> Option<(T, u64)> {
        let Self { queue, encoder, lanes, file: newest, untold, .. } = self;
        let is_opened = untold.as_ref().is_none_or(|untold| !untold.opening);
        queue.append(at, owed && is_opened, |at, file, out| {
            if *newest != file || !is_opened {
                *newest = file;
                encoder.resume(at, out);
            }
            if let Some(untold) = untold.take() {
                untold.tell(at, encoder, lanes, out);
                if !queue.remembers() {
                    encoder.forget();
                }
            }
            encode(at, encoder, lanes, out)
        })
    }

    /// The time that records are stamped with.
    pub fn now(&self) -> Timestamp {
        self.queue.clock.now()
    }

    /// Ready when octets may be read: see [`Queue::poll_room`].
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.queue.poll_room(cx)
    }

    /// Records octets, or counts them where there is no room.
    pub fn octets(&mut self, leg: Leg, direction: Direction, octets: &[u8]) {
        self.record(self.now(), leg, direction, octets, |encoder, at, out| {
            encoder.octets(at, leg, direction, octets, out);
        });
    }

    /// Records octets of the client leg that were read just now and are to be passed on next, and says
    /// what [`Tape::passed`] is to be told once they are.
    pub fn octets_read(&mut self, direction: Direction, octets: &[u8]) -> Option<Passage> {
        let (at, leg) = (self.now(), Leg::Client);
        let recorded = self.record(at, leg, direction, octets, |encoder, at, out| {
            encoder.octets_timed(at, leg, direction, octets, out)
        });
        recorded.map(|(before_end, end)| Passage { at, end, before_end })
    }

    /// The other side's socket has just taken all of what was read.
    pub fn passed(&mut self, passage: Passage) {
        let Passage { at, end, before_end } = passage;
        self.queue.tell_in_proxy(end, before_end, self.now().since(at));
    }

    /// Records octets as `encode` says, or counts them where there is no room.
    fn record<T>(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        octets: &[u8],
        encode: impl FnOnce(&mut StreamEncoder, Timestamp, &mut Memory) -> T,
    ) -> Option<(T, u64)> {
        if octets.is_empty() {
            return None;
        }
        let missed = self.lanes[leg as usize][direction.index()].missed;
        if self.queue.takes_octets(missed > 0) {
            let recorded = self.append(at, true, |at, encoder, lanes, out| {
                let lane = &mut lanes[leg as usize][direction.index()];
                lane.tell_missed(at, leg, direction, encoder, out);
                encode(encoder, at, out)
            });
            if recorded.is_some() {
                return recorded;
            }
        }
        let lane = &mut self.lanes[leg as usize][direction.index()];
        lane.missed = lane.missed.saturating_add(octets.len() as u64);
        self.queue.count_gap(octets.len() as u64);
        if leg == Leg::Client {
            self.encoder.passed(self.queue.clock.now(), direction, octets);
        }
        None
    }

    /// Records what became known, or keeps it until there is room: of alterations nothing is kept, for
    /// the heads that they were made in are not recorded then either.
    pub fn note(&mut self, note: &ConnectionNote) {
        let told =
            self.append(self.now(), false, |at, encoder, _, out| encoder.note(at, note, out));
        if told.is_none() {
            let kept = &mut self.untold.get_or_insert_default().note;
            kept.learn(note);
            kept.without_close_notify = kept.without_close_notify.or(note.without_close_notify);
            if kept.failure.is_none() {
                kept.failure.clone_from(&note.failure);
            }
        }
    }

    /// From here on octets are relayed until both sides have ended.
    pub fn relay(&mut self) {
        self.relays = true;
    }

    /// Records that the proxy could not do its work.
    pub fn fail(&mut self, stage: &str, leg: Option<Leg>, message: impl Into<String>) {
        self.explained = true;
        let at = Some(self.now());
        let failure = Failure { stage: stage.into(), message: message.into(), leg, at };
        self.note(&ConnectionNote { failure: Some(failure), ..ConnectionNote::default() });
    }

    /// Records what was changed on the way.
    pub fn alter(&mut self, alterations: Vec<Alteration>) {
        if !alterations.is_empty() {
            self.note(&ConnectionNote { alterations, ..ConnectionNote::default() });
        }
    }

    /// Records that a direction ended; the second time says nothing. A reset ends both, even where its
    /// sender had ended before.
    pub fn finish(&mut self, leg: Leg, direction: Direction, how: Finish) {
        let lanes = &mut self.lanes[leg as usize];
        let other_goes_on = !lanes[(!direction).index()].finished;
        if lanes[direction.index()].finished && !(how == Finish::Reset && other_goes_on) {
            return;
        }
        lanes[direction.index()].finished = true;
        let goes_on = self.relays && other_goes_on && how == Finish::Fin;
        self.explained |= !goes_on;
        if how == Finish::Reset {
            lanes[(!direction).index()].finished = true;
        }
        let is_told = self.append(self.now(), true, |at, encoder, lanes, out| {
            for ended in Direction::BOTH {
                if ended == direction || how == Finish::Reset {
                    let lane = &mut lanes[leg as usize][ended.index()];
                    lane.tell_missed(at, leg, ended, encoder, out);
                }
            }
            encoder.finish(at, leg, direction, how, out);
        });
        if is_told.is_none() {
            self.untold.get_or_insert_default().ends.push((leg, direction, how));
        }
    }
}

impl Lane {
    /// Records what passed unrecorded, if anything did.
    fn tell_missed(
        &mut self,
        at: Timestamp,
        leg: Leg,
        direction: Direction,
        encoder: &mut StreamEncoder,
        out: &mut Memory,
    ) {
        let missed = std::mem::take(&mut self.missed);
        if missed > 0 {
            encoder.gap(at, leg, direction, missed, out);
        }
    }
}

impl Untold {
    /// Makes up for it. Of a connection that begins here in the middle all gaps are told at once: a
    /// reader is not to take what comes next for its beginning.
    fn tell(self, at: Timestamp, encoder: &mut StreamEncoder, lanes: &mut Lanes, out: &mut Memory) {
        if self.note != ConnectionNote::default() {
            encoder.note(at, &self.note, out);
        }
        if self.opening {
            for (leg, lanes) in [Leg::Client, Leg::Upstream].into_iter().zip(lanes) {
                for direction in Direction::BOTH {
                    lanes[direction.index()].tell_missed(at, leg, direction, encoder, out);
                }
            }
        }
        for (leg, direction, how) in self.ends {
            encoder.finish(at, leg, direction, how, out);
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail("relay", None, "Framescope failed on this connection; please report it");
        } else if !self.explained {
            self.fail("relay", None, "Framescope was stopped while this connection was open");
        }
        // What nobody has ended the proxy closes, as a server does.
        for direction in [Direction::ServerToClient, Direction::ClientToServer] {
            self.finish(Leg::Client, direction, Finish::Fin);
        }
        if self.untold.as_ref().is_some_and(|untold| untold.opening) {
            let [client, _] = &self.lanes;
            let octets = client.iter().map(|lane| lane.missed).fold(0, u64::saturating_add);
            self.queue.lose_connection(octets);
        }
    }
}

#[cfg(test)]
mod tests;
