//! Searching payloads and HTTP exchanges: a thread walks the capture again and marks the rows it finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use framescope_core::search::{ExchangeMarks, Found, Marks, Pattern, Syntax};
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use serde::{Deserialize, Serialize};

use super::Shared;
use super::follower::{self, Follow};

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// How the search field is read, and what the tables make of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchOptions {
    /// Text, regular expression, or octets in hex.
    pub syntax: Syntax,
    /// Capitals and small letters differ.
    pub matches_case: bool,
    /// Rows that do not match are hidden.
    pub hides_others: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { syntax: Syntax::Text, matches_case: false, hides_others: true }
    }
}

/// A search that runs, or has caught up and waits for more. Dropping it ends it.
pub struct Search {
    number: u64,
    pattern: Arc<Pattern>,
    progress: Arc<Progress>,
    cancelled: Arc<AtomicBool>,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchState {
    /// Frames looked at.
    pub frames: usize,
    /// Messages that hold what is looked for.
    pub messages_found: usize,
    /// Frames that hold what is looked for.
    pub frames_found: usize,
    /// Rows of HTTP exchanges that hold what is looked for.
    pub exchanges_found: usize,
    /// Connections that they are on.
    pub connections_found: usize,
    /// Octets of the capture walked through.
    pub read: u64,
    /// It has come to the end once; from then on it finds things as they come.
    pub caught_up: bool,
}

/// What the thread has found. The marks are held while what a record holds is marked; the figures, which are
/// told in each picture, for no time at all.
#[derive(Debug, Default)]
struct Progress {
    found: RwLock<Found>,
    state: Mutex<SearchState>,
}

impl Progress {
    fn tell(&self, found: &Found, read: u64) {
        let mut state = self.state.lock();
        *state = SearchState {
            frames: found.frames_seen(),
            messages_found: found.messages().count(),
            frames_found: found.frames().count(),
            exchanges_found: found.exchanges().count(),
            connections_found: found.exchanges().connections(),
            read,
            caught_up: state.caught_up,
        };
    }
}

impl Search {
    pub(super) fn spawn(
        shared: Arc<Shared>,
        typed: &str,
        options: SearchOptions,
    ) -> Result<Self, String> {
        let pattern = Pattern::new(typed, options.syntax, options.matches_case)
            .map_err(|error| error.to_string())?;
        let search = Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            pattern: Arc::new(pattern),
            progress: Arc::default(),
            cancelled: Arc::default(),
        };
        let (progress, cancelled) = (Arc::clone(&search.progress), Arc::clone(&search.cancelled));
        let pattern = Pattern::clone(&search.pattern);
        std::thread::Builder::new()
            .name("search".to_owned())
            .spawn(move || walk(&shared, &pattern, &progress, &cancelled))
            .map_err(|error| format!("cannot search: {error}"))?;
        Ok(search)
    }

    /// Its number, different for each search.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What is looked for.
    pub fn pattern(&self) -> &Arc<Pattern> {
        &self.pattern
    }

    /// How far it has come.
    pub fn state(&self) -> SearchState {
        *self.progress.state.lock()
    }

    /// Runs `use_marks` with the marked frame rows, and the last frame rows of marked messages.
    pub fn with_marks<R>(&self, use_marks: impl FnOnce(&Marks, &Marks) -> R) -> R {
        let found = self.progress.found.read();
        use_marks(found.frames(), found.messages())
    }

    /// Runs `use_marks` with the marked rows of HTTP exchanges.
    pub fn with_exchanges<R>(&self, use_marks: impl FnOnce(&ExchangeMarks) -> R) -> R {
        use_marks(self.progress.found.read().exchanges())
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

fn walk(shared: &Shared, pattern: &Pattern, progress: &Progress, cancelled: &AtomicBool) {
    let start = || framescope_core::search::Search::new(pattern.clone());
    let mut search = start();
    // The follower of the index tells what is wrong with the capture; once is enough.
    let _ = follower::follow(shared, |step| {
        match step {
            Follow::Records(records) => {
                for (record, block_offset) in records.drain(..) {
                    if cancelled.load(Ordering::Acquire) {
                        return false;
                    }
                    search.look(&record);
                    let mut found = progress.found.write();
                    search.tell(&mut found);
                    progress.tell(&found, block_offset);
                    // Whoever waits to draw goes first.
                    RwLockWriteGuard::unlock_fair(found);
                }
            }
            Follow::CaughtUp => progress.state.lock().caught_up = true,
            Follow::Fault(_) | Follow::Finished => {}
            Follow::Restart => {
                search = start();
                *progress.found.write() = Found::default();
                *progress.state.lock() = SearchState::default();
            }
        }
        shared.wake.touch();
        !cancelled.load(Ordering::Acquire)
    });
}
