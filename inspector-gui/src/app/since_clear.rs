//! What came since the view was cleared: which connections it was on, and how much.

use std::collections::HashMap;

use framescope_core::{ConnectionId, Index};

/// Frames that are counted in one picture.
const BUDGET: usize = 200_000;

/// Frames since the view was cleared, by connection and by [`framescope_core::Direction::index`].
#[derive(Debug, Clone, Default)]
pub(crate) struct SinceClear {
    from: usize,
    counted: usize,
    frames: HashMap<ConnectionId, [u64; 2]>,
}

impl SinceClear {
    /// Counts on to `until`, where the frames before `from` are cleared; whether any is left.
    pub(crate) fn update(&mut self, index: &Index, from: usize, until: usize) -> bool {
        if self.from != from || until < self.counted {
            *self = Self { from, counted: from, ..Self::default() };
        }
        let stop = until.min(self.counted.saturating_add(BUDGET));
        while self.counted < stop {
            if let Some(frame) = index.frames().get(self.counted) {
                let frames = self.frames.entry(frame.connection()).or_default();
                frames[frame.direction().index()] += 1;
            }
            self.counted += 1;
        }
        self.counted < until
    }

    /// Whether a connection has frames that are not cleared.
    pub(crate) fn has(&self, connection: ConnectionId) -> bool {
        self.frames.contains_key(&connection)
    }

    /// Frames of a connection that are not cleared.
    pub(crate) fn frames(&self, connection: ConnectionId) -> [u64; 2] {
        self.frames.get(&connection).copied().unwrap_or_default()
    }
}
