//! Random access: from (connection, direction, range in the lane) to octets in the file.
//!
//! ```text
//!  lane    0────────┬───────────────┬───────────────────►     octets of one direction
//!                 entry           entry                       at most one for each 64 KiB of file
//!  file ···▓▓···▓···▓▓····▓▓···· 9 GB ····▓▓▓···▓▓▓···►       its packets among those of others
//! ```

use std::io::{self, Read, Seek};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::walk::{Entry, REACH, Wanted, Window};
use crate::{ConnectionId, Direction};

/// Where in the capture the octets of one lane lie: a sparse table, at most 24 octets for each 64 KiB
/// of capture in which the lane has any.
///
/// Lanes whose records lie farther apart than that, as do those of thousands of connections that take
/// turns, have an entry a record.
#[derive(Debug, Default)]
pub struct LaneTable {
    entries: Vec<Entry>,
    /// The lane offset after the last octet.
    end: u64,
    /// Where the block of the last octets starts.
    last_block: u64,
}

/// Where in the capture one range of one lane lies: self-contained, cheap to clone.
#[derive(Debug, Clone)]
pub struct LanePlan {
    connection: ConnectionId,
    direction: Direction,
    range: Range<u64>,
    entries: Arc<[Entry]>,
    /// The lane offset up to which the last entry goes.
    end: u64,
}

impl LaneTable {
    /// A table of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one [`Record::Octets`](crate::Record::Octets) of [`Leg::Client`](crate::Leg::Client)
    /// of this lane: `len` octets that start at `lane_offset` (all octets and gaps before them counted)
    /// and in the block at `block_offset`, as [`CaptureItem::Record`](super::CaptureItem::Record) has
    /// it. Call it for each, in order.
    pub fn add(&mut self, lane_offset: u64, block_offset: u64, len: usize) {
        let is_near = self.entries.last().is_some_and(|entry| {
            lane_offset == self.end
                && block_offset >= self.last_block
                && block_offset.saturating_sub(entry.block_offset) < REACH
        });
        if !is_near {
            let len = u32::try_from(len).unwrap_or(u32::MAX);
            self.entries.push(Entry { lane_offset, block_offset, len });
        }
        self.end = lane_offset.saturating_add(len as u64);
        self.last_block = block_offset;
    }

    /// How to read `range` (lane offsets); what lies beyond the octets added so far is left out.
    /// `connection` and `direction` say of which lane, to whoever fails to read it.
    pub fn plan(
        &self,
        connection: ConnectionId,
        direction: Direction,
        range: Range<u64>,
    ) -> LanePlan {
        let (entries, end) = (&self.entries, self.end);
        let range = range.start.min(end)..range.end.min(end).max(range.start.min(end));
        let first = entries.partition_point(|entry| entry.lane_offset <= range.start);
        let last = entries.partition_point(|entry| entry.lane_offset < range.end);
        let end = entries.get(last).map_or(end, |entry| entry.lane_offset);
        let entries = entries.get(first.saturating_sub(1)..last).unwrap_or_default().into();
        LanePlan { connection, direction, range, entries, end }
    }

    /// How many entries it has, for figures.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl LanePlan {
    /// The lane offsets that [`LanePlan::read`] reads.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Reads the first `limit` octets of the range, or all of it where it is shorter.
    ///
    /// A set whose first files were deleted says [`io::ErrorKind::NotFound`] where they were; what is
    /// in the files behind them is read all the same.
    ///
    /// # Errors
    ///
    /// What `file` says; [`io::ErrorKind::InvalidData`] where the capture does not hold the octets
    /// (it was changed since the table was made, or they lie in a gap).
    pub fn read<R: Read + Seek>(&self, file: &mut R, limit: usize) -> io::Result<Bytes> {
        let len = self.range.end.saturating_sub(self.range.start).min(limit as u64);
        let end = self.range.start.saturating_add(len);
        let wanted = self.look_up(file, self.range.start..end)?;
        wanted.finish().map_err(|missing| {
            let Self { connection, direction, .. } = self;
            let message = format!(
                "the capture does not hold octet {missing} {direction} of connection {connection}"
            );
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    /// How long the last octet of the range was in the proxy, see [`Record::Octets`].
    ///
    /// [`Record::Octets`]: crate::Record::Octets
    ///
    /// # Errors
    ///
    /// What `file` says.
    pub fn read_in_proxy<R: Read + Seek>(&self, file: &mut R) -> io::Result<Option<Duration>> {
        let last = self.range.end.saturating_sub(1).max(self.range.start);
        Ok(self.look_up(file, last..self.range.end)?.in_proxy())
    }

    /// Walks to `range`, which lies within the plan's.
    fn look_up<R: Read + Seek>(&self, file: &mut R, range: Range<u64>) -> io::Result<Wanted> {
        let Range { start, end } = range;
        let mut wanted = Wanted::new(start, end)?;
        if wanted.len() == 0 {
            return Ok(wanted);
        }
        let mut window = Window::new(file, wanted.len());
        let layout = window.layout(None)?;
        let ends = self.entries.iter().skip(1).map(|entry| entry.lane_offset).chain([self.end]);
        for (entry, entry_end) in self.entries.iter().zip(ends) {
            let part = entry.lane_offset.max(start)..entry_end.min(end);
            if part.is_empty() {
                continue;
            }
            match entry.fill(&layout, &part, &mut window, &mut wanted) {
                Ok(true) => {}
                Ok(false) => {
                    // Another section, or an interface described later, lies before the entry.
                    let layout = window.layout(Some(entry.block_offset))?;
                    entry.fill(&layout, &part, &mut window, &mut wanted)?;
                }
                Err(deleted) if deleted.kind() == io::ErrorKind::NotFound => {
                    let lane = (self.connection, self.direction);
                    entry.fill_resumed(lane, &layout, &part, &mut window, &mut wanted)?;
                    if !wanted.is_filled(&part) {
                        return Err(deleted);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests;
