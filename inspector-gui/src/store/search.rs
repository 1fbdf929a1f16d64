//! Searching payloads: a thread walks the capture again, payloads kept, and marks the rows it finds.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use framescope_core::session::Limits;
use framescope_core::{ConnectionId, Direction, Event, EventKind, Opcode, Session};
use parking_lot::RwLock;
use regex::bytes::{Regex, RegexBuilder};

use super::Shared;
use super::follower::{self, Follow};

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A search that runs, or has caught up and waits for more. Dropping it ends it.
pub struct Search {
    number: u64,
    pattern: String,
    found: Arc<RwLock<Found>>,
    cancelled: Arc<AtomicBool>,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchState {
    /// Frames looked at.
    pub frames: usize,
    /// Messages that hold the text.
    pub messages_found: u64,
    /// Frames that hold the text.
    pub frames_found: u64,
    /// Octets of the capture walked through.
    pub read: u64,
    /// It has come to the end once; from then on it finds things as they come.
    pub caught_up: bool,
}

/// Marks of what was found, one bit a frame row.
#[derive(Debug, Default)]
struct Found {
    /// Frames whose own payload holds the text.
    frames: Vec<u64>,
    /// Last frames of messages that hold the text.
    messages: Vec<u64>,
    /// Directions with a message that has begun and not ended.
    begun: HashSet<(ConnectionId, Direction)>,
    state: SearchState,
}

impl Search {
    pub(super) fn spawn(shared: Arc<Shared>, pattern: &str) -> Result<Self, String> {
        let regex = compile(pattern)?;
        let search = Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            pattern: pattern.to_owned(),
            found: Arc::default(),
            cancelled: Arc::default(),
        };
        let (found, cancelled) = (Arc::clone(&search.found), Arc::clone(&search.cancelled));
        std::thread::Builder::new()
            .name("search".to_owned())
            .spawn(move || {
                let mut session = Session::new(Limits::KEEP);
                // The follower of the index tells what is wrong with the capture; once is enough.
                let _ = follower::follow(&shared, |step| {
                    match step {
                        Follow::Records(records) => {
                            for (record, block_offset) in records.drain(..) {
                                if cancelled.load(Ordering::Acquire) {
                                    return false;
                                }
                                session.receive(&record);
                                let mut found = found.write();
                                found.state.read = block_offset;
                                while let Some(event) = session.poll_event() {
                                    found.take(&event, &regex);
                                }
                            }
                        }
                        Follow::CaughtUp => found.write().state.caught_up = true,
                        Follow::Fault(_) | Follow::Finished => {}
                        Follow::Restart => {
                            session = Session::new(Limits::KEEP);
                            *found.write() = Found::default();
                        }
                    }
                    shared.wake.touch();
                    !cancelled.load(Ordering::Acquire)
                });
            })
            .map_err(|error| format!("cannot search: {error}"))?;
        Ok(search)
    }

    /// Its number, different for each search.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What is looked for, as typed.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// How far it has come.
    pub fn state(&self) -> SearchState {
        self.found.read().state
    }

    /// Runs `use_marks` with a test for frame rows and one for the last frame rows of messages.
    pub fn with_marks<R>(
        &self,
        use_marks: impl FnOnce(&dyn Fn(usize) -> bool, &dyn Fn(usize) -> bool) -> R,
    ) -> R {
        let found = self.found.read();
        use_marks(&|row| is_marked(&found.frames, row), &|row| is_marked(&found.messages, row))
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

impl Found {
    /// Frames are counted as the index counts them: one row a frame, in the order of the events. A
    /// message follows its last frame.
    fn take(&mut self, event: &Event, regex: &Regex) {
        match &event.kind {
            EventKind::FrameDecoded(frame) => {
                let row = self.state.frames;
                self.state.frames += 1;
                let lane = (event.connection, frame.direction);
                let opcode = frame.header.opcode;
                // A frame that is no part of a data message is a row of its own.
                let is_part = if opcode.begins_message() {
                    self.begun.insert(lane);
                    true
                } else {
                    opcode == Opcode::Continuation && self.begun.contains(&lane)
                };
                if regex.is_match(&frame.payload) {
                    mark(&mut self.frames, row);
                    self.state.frames_found += 1;
                    if !is_part {
                        mark(&mut self.messages, row);
                        self.state.messages_found += 1;
                    }
                }
            }
            EventKind::MessageCompleted(message) => {
                self.begun.remove(&(event.connection, message.direction));
                if regex.is_match(&message.data) {
                    mark(&mut self.messages, self.state.frames.saturating_sub(1));
                    self.state.messages_found += 1;
                }
            }
            _ => {}
        }
    }
}

/// `/pattern/` is a regular expression, anything else a text; case does not matter.
fn compile(pattern: &str) -> Result<Regex, String> {
    let expression = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let source = expression.map_or_else(|| regex::escape(pattern), str::to_owned);
    RegexBuilder::new(&source).case_insensitive(true).build().map_err(|error| {
        let line = error.to_string();
        let last = line.lines().last().unwrap_or("it cannot be read");
        format!("not a regular expression: {}", last.trim_start_matches("error: "))
    })
}

fn mark(bits: &mut Vec<u64>, row: usize) {
    if bits.len() <= row / 64 {
        bits.resize(row / 64 + 1, 0);
    }
    bits[row / 64] |= 1 << (row % 64);
}

fn is_marked(bits: &[u64], row: usize) -> bool {
    bits.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_literally_and_slashes_make_a_regular_expression() {
        let rows = [
            ("a.c", "xA.Cx", true),
            ("a.c", "abc", false),
            ("/a.c/", "xABCx", true),
            ("/sell|buy/", "{\"side\":\"BUY\"}", true),
            ("/", "a/b", true),
        ];
        for (pattern, text, expected) in rows {
            let regex = compile(pattern).expect(pattern);
            assert_eq!(regex.is_match(text.as_bytes()), expected, "{pattern} in {text}");
        }
    }

    #[test]
    fn a_broken_expression_is_told_in_one_line() {
        let line = compile("/a(b/").expect_err("unclosed");
        assert!(line.contains("unclosed group") && !line.contains('\n'), "{line}");
    }

    #[test]
    fn marks_hold_at_word_borders() {
        let mut bits = Vec::new();
        for row in [0, 63, 64, 1_000_000] {
            mark(&mut bits, row);
        }
        let marked: Vec<usize> = (0..=1_000_001).filter(|row| is_marked(&bits, *row)).collect();
        assert_eq!(marked, [0, 63, 64, 1_000_000]);
    }
}
