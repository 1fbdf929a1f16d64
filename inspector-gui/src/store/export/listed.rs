//! Rows of a table, and the frames that they stand for.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use framescope_core::export::Only;
use framescope_core::index::FrameRow;
use framescope_core::search::Marks;
use framescope_core::{ConnectionId, Direction, Index};

use super::{Shared, stop_if};
use crate::list::ViewRows;
use crate::settings::Listing;

/// Rows that are looked at while the index is held.
const BITE: usize = 50_000;

/// The rows of a table, as they are at a moment.
#[derive(Debug, Clone)]
pub struct ListedRows {
    /// What a row stands for.
    pub listing: Listing,
    /// Which rows.
    pub rows: ViewRows,
    /// The reading of the capture that their numbers are of.
    pub reading: u64,
}

impl ListedRows {
    /// The frames of these rows: a message's are all of its own, and none of those between them.
    pub(super) fn frames(self, shared: &Shared, cancelled: &AtomicBool) -> io::Result<Only> {
        let Self { listing, rows, reading } = self;
        let mut ends = Ends::default();
        let bites = |len: usize| (0..len).step_by(BITE).map(move |at| at..len.min(at + BITE));
        let index = || {
            stop_if(cancelled)?;
            let index = shared.index.read();
            // The numbers are of the index that was there when the rows were listed.
            let is_it = shared.reading.load(Ordering::Acquire) == reading;
            is_it.then_some(index).ok_or_else(|| {
                io::Error::other("the capture has grown and is read again: export once more")
            })
        };
        for bite in bites(rows.len()) {
            ends.take(&*index()?, listing, &rows, bite);
        }
        drop(rows);
        let mut frames = Frames::default();
        for bite in bites(ends.until) {
            let index = index()?;
            for row in bite {
                let Some(frame) = index.frames().get(row) else { continue };
                if frame.is_behind_gap() {
                    frames.go_on_at(frame, index.frame_ordinal(row));
                }
                frames.take(frame, ends.firsts.is_marked(row), ends.lasts.is_marked(row));
            }
        }
        Ok(frames.only)
    }
}

/// Where the wanted messages begin and end, as rows of frames.
#[derive(Debug, Default)]
struct Ends {
    firsts: Marks,
    lasts: Marks,
    /// Behind the last of them.
    until: usize,
}

impl Ends {
    fn take(&mut self, index: &Index, listing: Listing, rows: &ViewRows, positions: Range<usize>) {
        for row in positions.filter_map(|position| rows.row(position)) {
            let (first, last) = match listing {
                Listing::Frames => (row, row),
                Listing::Messages => match index.messages().get(row) {
                    Some(message) => (message.first_frame as usize, message.last_frame as usize),
                    None => continue,
                },
            };
            self.firsts.mark(first);
            self.lasts.mark(last);
            self.until = self.until.max(last + 1);
        }
    }
}

/// Goes through the frames in order.
#[derive(Debug, Default)]
struct Frames {
    /// The ordinal of the next frame of each lane, and whether a wanted message goes on in it.
    lanes: HashMap<(ConnectionId, Direction), (u64, bool)>,
    only: Only,
}

impl Frames {
    /// The next frame of this one's lane has this ordinal: one before it may have no row.
    fn go_on_at(&mut self, frame: &FrameRow, ordinal: Option<u64>) {
        let (next, _) = self.lanes.entry((frame.connection(), frame.direction())).or_default();
        *next = ordinal.unwrap_or(*next);
    }

    fn take(&mut self, frame: &FrameRow, begins: bool, ends: bool) {
        let (connection, direction) = (frame.connection(), frame.direction());
        let (next, goes_on) = self.lanes.entry((connection, direction)).or_default();
        let ordinal = *next;
        *next += 1;
        let is_wanted = if frame.opcode().is_control() {
            begins
        } else {
            let is_wanted = *goes_on || begins;
            *goes_on = is_wanted && !ends;
            is_wanted
        };
        if is_wanted {
            self.only.add(connection, direction, ordinal);
        }
    }
}
