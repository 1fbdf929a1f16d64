//! Sub-protocols: what each message says in the words that its programs speak.
//!
//! One thread walks along the capture and keeps a line a message; another looks closely at the message
//! that is selected. A connection that a user wants to be read otherwise has a walk of its own.
//! Conversations have to be read from their start, so nothing here starts at the rows that are seen.

mod kept;
mod look;
mod recent;
mod texts;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use framescope_core::subprotocol::Override;
use framescope_core::{ConnectionId, Record};
use parking_lot::{Condvar, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use kept::{Answered, Kept, Line, Place, Reading};
pub use look::{Link, Said};
use walk::{Seen, Walk};

use super::follower::{self, Follow};
use super::{RowKey, Shared};

/// Messages taken in while the lines are held at a time.
const BITE: usize = 256;
/// The walk that reads every connection nobody has said anything of.
const MAIN: u64 = 0;

/// What messages say.
pub struct Dissections {
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    looker: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Desk {
    kept: RwLock<Kept>,
    walks: AtomicU64,
    wanted: Mutex<look::Wanted>,
    changed: Condvar,
    said: Mutex<Option<Arc<Said>>>,
}

impl Dissections {
    pub(super) fn spawn(shared: Arc<Shared>) -> Self {
        let desk = Arc::<Desk>::default();
        spawn_walk(Arc::clone(&shared), Arc::clone(&desk), MAIN, None);
        let looker = {
            let (shared, desk) = (Arc::clone(&shared), Arc::clone(&desk));
            std::thread::Builder::new()
                .name("dissection".to_owned())
                .spawn(move || look::look_closely(&shared, &desk))
                .expect("a thread can be started")
        };
        Self { shared, desk, looker: Some(looker) }
    }

    /// A line a message, for as long as it takes to copy what is drawn.
    pub fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.desk.kept.read()
    }

    /// Has a connection read otherwise from now on.
    pub fn read_as(&self, connection: ConnectionId, by_user: Override) {
        let walk = self.desk.walks.fetch_add(1, Ordering::Relaxed) + 1;
        self.desk.kept.write().read_as(connection, by_user, walk);
        *self.desk.said.lock() = None;
        let (shared, desk) = (Arc::clone(&self.shared), Arc::clone(&self.desk));
        spawn_walk(shared, desk, walk, Some(connection));
    }

    /// Says which row is selected from now on.
    pub fn look_at(&self, selected: Option<RowKey>) {
        let revision = self.desk.kept.read().revision();
        let said = self.desk.said.lock().clone();
        let mut wanted = self.desk.wanted.lock();
        // An answer may come long after its request was looked at.
        let is_old = said.is_some_and(|said| {
            Some(said.key) == selected && said.is_outdated(&self.desk.kept.read())
        });
        if wanted.selected != selected || wanted.revision != revision || is_old {
            (wanted.selected, wanted.revision) = (selected, revision);
            wanted.turn += 1;
            self.desk.changed.notify_one();
        }
    }

    /// What the row that was looked at last says; it may be another than is selected by now.
    pub fn said(&self) -> Option<Arc<Said>> {
        self.desk.said.lock().clone()
    }

    pub(super) fn stop(&mut self) {
        self.desk.wanted.lock().stop = true;
        self.desk.changed.notify_one();
        if let Some(looker) = self.looker.take() {
            // It ends after the record at hand; a panic in it was printed when it happened.
            let _ = looker.join();
        }
    }
}

/// Walks along the capture: all of it, or `only` one connection.
fn spawn_walk(shared: Arc<Shared>, desk: Arc<Desk>, number: u64, only: Option<ConnectionId>) {
    let work = move || {
        let mut walk = Walk::default();
        let mut seen = Vec::new();
        // The follower of the index tells what is wrong with the capture; once is enough.
        let _ = follower::follow(&shared, |step| {
            match step {
                Follow::Records(records) => {
                    for (record, _) in records.drain(..) {
                        if only.is_some_and(|only| record.connection() != only) {
                            continue;
                        }
                        if shared.stopped() {
                            return false;
                        }
                        take(&desk, number, &mut walk, &record, &mut seen);
                    }
                    if !flush(&desk, number, only, &mut walk, &mut seen) {
                        return false;
                    }
                }
                // The walk that starts again with the file reads what users said anew.
                Follow::Finished | Follow::Restart if only.is_some() => return false,
                Follow::Restart => {
                    walk = Walk::default();
                    desk.kept.write().restart();
                }
                Follow::CaughtUp | Follow::Fault(_) | Follow::Finished => {}
            }
            shared.wake.touch();
            true
        });
    };
    // Without it, tables show payloads as they are.
    let _ = std::thread::Builder::new().name("sub-protocols".to_owned()).spawn(work);
}

fn take(desk: &Desk, number: u64, walk: &mut Walk, record: &Record, seen: &mut Vec<Seen>) {
    let by_user = |connection| {
        let kept = desk.kept.read();
        kept.is_read_by(connection, number).then(|| kept.by_user(connection))
    };
    walk.receive(record, by_user, seen);
    if seen.len() >= BITE {
        flush(desk, number, Some(record.connection()), walk, seen);
    }
}

/// Keeps what was seen; whether this walk is still wanted, where it is for one connection only.
fn flush(
    desk: &Desk,
    number: u64,
    only: Option<ConnectionId>,
    walk: &mut Walk,
    seen: &mut Vec<Seen>,
) -> bool {
    let mut waiting = seen.drain(..).peekable();
    while waiting.peek().is_some() {
        let mut kept = desk.kept.write();
        for seen in waiting.by_ref().take(BITE) {
            let connection = seen.connection();
            if !kept.is_read_by(connection, number) {
                walk.forget(connection);
                continue;
            }
            match seen {
                Seen::Chosen(connection, choice) => kept.chosen(connection, &choice),
                Seen::Message(place, said) => {
                    kept.message(place, said.as_ref());
                    if let Some(said) = said {
                        kept.keep(place, Arc::new(said));
                    }
                }
                Seen::ReadTo(connection, direction, offset) => {
                    kept.read_to(connection, direction, offset);
                }
                Seen::Silent(connection) => kept.silence(connection),
                Seen::Ended(connection) => kept.ended(connection),
            }
        }
        // Whoever waits to draw goes first.
        RwLockWriteGuard::unlock_fair(kept);
    }
    number == MAIN || only.is_none_or(|only| desk.kept.read().is_read_by(only, number))
}
