//! A closer look at one message: all that it says, and what it answers or is answered by.

use std::sync::Arc;
use std::time::Duration;

use framescope_core::Index;
use framescope_core::subprotocol::Dissection;

use super::kept::{Kept, Place, Reading};
use super::walk::{Seen, Walk};
use super::{Desk, RowKey};
use crate::store::contents::message_of_frame;
use crate::store::follower::{self, Follow};
use crate::store::{Shared, preview};

/// Messages behind the one that is looked for which are read along, as they are likely to be next.
const AHEAD: usize = 64;
/// Octets of a request that are told in a link.
const MAX_WHAT: usize = 80;

/// What is to be looked at.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) selected: Option<RowKey>,
    pub(super) revision: u64,
    /// Grows with every change.
    pub(super) turn: u64,
    pub(super) stop: bool,
}

/// What one message says.
#[derive(Debug, Clone)]
pub struct Said {
    /// The row it was asked for with.
    pub key: RowKey,
    /// Where the message stands.
    pub place: Place,
    /// How its connection is read.
    pub reading: Reading,
    /// All it says; none where no sub-protocol is known, or nobody knew yet when it came.
    pub dissection: Option<Arc<Dissection>>,
    /// The message it answers.
    pub asked: Option<Link>,
    /// The first message that answers it, and how many do.
    pub answered: Option<(Link, u32)>,
}

/// Another message of the same conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its row among all messages; none where it is not in the index.
    pub row: Option<usize>,
    /// Its summary.
    pub text: String,
    /// Time between the two.
    pub latency: Duration,
}

impl Said {
    /// Whether more is known by now.
    pub(super) fn is_outdated(&self, kept: &Kept) -> bool {
        let count = kept.answered(self.place).map(|answered| answered.count);
        let choice = kept.reading(self.place.connection).choice;
        count != self.answered.as_ref().map(|(_, count)| *count)
            || choice.is_some() != self.reading.choice.is_some()
    }
}

/// Waits for a selection, and looks at it.
pub(super) fn look_closely(shared: &Shared, desk: &Desk) {
    let mut done = 0;
    loop {
        let (selected, turn) = {
            let mut wanted = desk.wanted.lock();
            while !wanted.stop && wanted.turn == done {
                desk.changed.wait(&mut wanted);
            }
            if wanted.stop {
                return;
            }
            (wanted.selected, wanted.turn)
        };
        done = turn;
        let said = selected.and_then(|key| {
            let place = place_of(&shared.index.read(), key)?;
            let reading = desk.kept.read().reading(place.connection);
            let kept = desk.kept.read().dissection(place);
            let dissection = match (kept, &reading.choice) {
                (None, Some(_)) => read_again(shared, desk, place, turn),
                (kept, _) => kept,
            };
            Some(tell(shared, desk, key, place, reading, dissection))
        });
        let is_wanted = desk.wanted.lock().turn == turn;
        if is_wanted {
            *desk.said.lock() = said.map(Arc::new);
            shared.wake.touch();
        }
    }
}

/// Where the data message of a row stands.
fn place_of(index: &Index, key: RowKey) -> Option<Place> {
    let message = match key {
        RowKey::Message(row) => row,
        RowKey::Frame(row) => message_of_frame(index, row)?,
    };
    let first = index.messages().get(message)?.first_frame as usize;
    let frame = index.frames().get(first).filter(|frame| frame.opcode().begins_message())?;
    let (connection, direction) = (frame.connection(), frame.direction());
    Some(Place { connection, direction, offset: frame.offset() })
}

/// The message row that begins at a place.
fn row_at(index: &Index, place: Place) -> Option<usize> {
    let is_it = |frame: &framescope_core::index::FrameRow| {
        frame.offset() == place.offset
            && frame.connection() == place.connection
            && frame.direction() == place.direction
    };
    message_of_frame(index, index.frames().rows().iter().position(is_it)?)
}

fn tell(
    shared: &Shared,
    desk: &Desk,
    key: RowKey,
    place: Place,
    reading: Reading,
    dissection: Option<Arc<Dissection>>,
) -> Said {
    let answers = dissection.iter().flat_map(|said| &said.packets).find_map(|p| p.answers.as_ref());
    let (asked, answered) = {
        let kept = desk.kept.read();
        let link = |to: Option<Place>, what: &str, latency: Duration| {
            let line = to.and_then(|to| kept.line(to)).map(|line| line.text.to_owned());
            let text = line.unwrap_or_else(|| preview::one_line(what, MAX_WHAT));
            (to, Link { row: None, text, latency })
        };
        let asked = answers.map(|answer| {
            link(kept.place_of(place.connection, answer.to), &answer.what, answer.latency)
        });
        let answered = kept.answered(place).map(|answered| {
            let first = kept.place_of(place.connection, answered.first);
            (link(first, "", answered.latency), answered.count)
        });
        (asked, answered)
    };
    // The two locks are never held together here: the window takes them the other way round.
    let located = |(to, link): (Option<Place>, Link)| Link {
        row: to.and_then(|to| row_at(&shared.index.read(), to)),
        ..link
    };
    let asked = asked.map(located);
    let answered = answered.map(|(link, count)| (located(link), count));
    Said { key, place, reading, dissection, asked, answered }
}

/// Reads the conversation from its start up to this message, unless something else is wanted meanwhile.
fn read_again(shared: &Shared, desk: &Desk, place: Place, turn: u64) -> Option<Arc<Dissection>> {
    let by_user = desk.kept.read().by_user(place.connection);
    let (mut walk, mut seen) = (Walk::default(), Vec::new());
    let (mut found, mut ahead) = (None, 0);
    // The follower of the index tells what is wrong with the capture; once is enough.
    let _ = follower::follow(shared, |step| {
        let Follow::Records(records) = step else {
            return !matches!(step, Follow::CaughtUp | Follow::Finished | Follow::Restart);
        };
        for (record, _) in records.drain(..) {
            if record.connection() != place.connection {
                continue;
            }
            walk.receive(&record, |_| Some(by_user), &mut seen);
            for seen in seen.drain(..) {
                let Seen::Message(at, Some(said)) = seen else { continue };
                if at == place {
                    found = Some(Arc::new(said));
                } else if found.is_some() {
                    ahead += 1;
                    desk.kept.write().keep(at, Arc::new(said));
                }
            }
        }
        ahead < AHEAD && desk.wanted.lock().turn == turn && !shared.stopped()
    });
    if let Some(found) = &found {
        desk.kept.write().keep(place, Arc::clone(found));
    }
    found
}
