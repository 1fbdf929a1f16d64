//! What a search has found: one bit a row.

use super::exchange_marks::{ExchangeMarks, ExchangeRow};

/// Rows that are marked, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    words: Vec<u64>,
    count: usize,
}

impl Marks {
    /// Marks a row; twice is once.
    pub fn mark(&mut self, row: usize) {
        let at = row / 64;
        if self.words.len() <= at {
            self.words.resize(at.saturating_add(1), 0);
        }
        let Some(word) = self.words.get_mut(at) else { return };
        let bit = 1 << (row % 64);
        self.count = self.count.saturating_add(usize::from(*word & bit == 0));
        *word |= bit;
    }

    /// Whether a row is marked.
    pub fn is_marked(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
    }

    /// How many rows are marked.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first marked row at or behind `row`.
    pub fn next_from(&self, row: usize) -> Option<usize> {
        let first = row / 64;
        let behind = u64::MAX << (row % 64);
        let words = self.words.iter().enumerate().skip(first);
        words.map(|(at, word)| (at, if at == first { word & behind } else { *word })).find_map(
            |(at, word)| {
                let bit = usize::try_from(word.trailing_zeros()).ok()?;
                (word != 0).then(|| at.saturating_mul(64).saturating_add(bit))
            },
        )
    }

    /// The last marked row before `row`.
    pub fn last_before(&self, row: usize) -> Option<usize> {
        let last = row / 64;
        let before = !(u64::MAX << (row % 64));
        let words = self.words.iter().enumerate().take(last.saturating_add(1)).rev();
        words.map(|(at, word)| (at, if at == last { word & before } else { *word })).find_map(
            |(at, word)| {
                let bit = usize::try_from(word.checked_ilog2()?).ok()?;
                Some(at.saturating_mul(64).saturating_add(bit))
            },
        )
    }

    /// How many rows before `row` are marked.
    pub fn count_before(&self, row: usize) -> usize {
        let whole = self.words.iter().take(row / 64).map(|word| word.count_ones()).sum::<u32>();
        let part = self.words.get(row / 64).map_or(0, |word| word & !(u64::MAX << (row % 64)));
        usize::try_from(whole.saturating_add(part.count_ones())).unwrap_or(usize::MAX)
    }

    /// The marked rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let bits = (0..64).filter(move |bit| word & (1_u64 << bit) != 0);
            bits.map(move |bit| at.saturating_mul(64).saturating_add(bit))
        })
    }
}

/// What a search has found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    frames: Marks,
    messages: Marks,
    exchanges: ExchangeMarks,
    frames_seen: usize,
}

/// What the latest records hold, until it is told.
#[derive(Debug, Default)]
pub(super) struct Hits {
    frames: Vec<usize>,
    messages: Vec<usize>,
    exchanges: Vec<ExchangeRow>,
    frames_seen: usize,
}

impl Hits {
    /// How many frames were looked at since the start.
    pub(super) fn frames_seen(&self) -> usize {
        self.frames_seen
    }

    /// The next frame was looked at: its row.
    pub(super) fn add_frame(&mut self, holds: bool) -> usize {
        let row = self.frames_seen;
        self.frames_seen = row.saturating_add(1);
        if holds {
            self.frames.push(row);
        }
        row
    }

    /// The message whose last frame has this row holds the pattern.
    pub(super) fn add_message(&mut self, row: usize) {
        self.messages.push(row);
    }

    /// This row of an exchange holds the pattern.
    pub(super) fn add_exchange(&mut self, at: ExchangeRow) {
        self.exchanges.push(at);
    }
}

impl Found {
    /// Frame rows whose own payload holds the pattern.
    pub fn frames(&self) -> &Marks {
        &self.frames
    }

    /// The *last frame's* row of each message that holds the pattern; of a control frame, and of a frame
    /// that belongs to no message, its own row.
    pub fn messages(&self) -> &Marks {
        &self.messages
    }

    /// Rows of HTTP exchanges, of events and of pieces of answers that hold the pattern.
    pub fn exchanges(&self) -> &ExchangeMarks {
        &self.exchanges
    }

    /// How many frames were looked at.
    pub fn frames_seen(&self) -> usize {
        self.frames_seen
    }

    /// Takes in what was found since the last time.
    pub(super) fn take(&mut self, hits: &mut Hits) {
        let Self { frames, messages, exchanges, frames_seen } = self;
        hits.frames.drain(..).for_each(|row| frames.mark(row));
        hits.messages.drain(..).for_each(|row| messages.mark(row));
        hits.exchanges.drain(..).for_each(|row| exchanges.mark(row));
        *frames_seen = hits.frames_seen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_hold_at_word_borders() {
        let mut marks = Marks::default();
        for row in [0, 63, 64, 64, 1_000_000] {
            marks.mark(row);
        }
        let marked: Vec<usize> = (0..=1_000_001).filter(|row| marks.is_marked(*row)).collect();
        assert_eq!(marked, [0, 63, 64, 1_000_000]);
        assert_eq!(marks.rows().collect::<Vec<_>>(), marked);
        assert_eq!(marks.count(), 4);
        let next = [0, 1, 64, 65, 1_000_000, 1_000_001].map(|row| marks.next_from(row));
        assert_eq!(next, [Some(0), Some(63), Some(64), Some(1_000_000), Some(1_000_000), None]);
        let last = [0, 1, 63, 64, 65, 999_999, 2_000_000].map(|row| marks.last_before(row));
        let expected = [None, Some(0), Some(0), Some(63), Some(64), Some(64), Some(1_000_000)];
        assert_eq!(last, expected);
        let before = [0, 1, 63, 64, 65, 2_000_000].map(|row| marks.count_before(row));
        assert_eq!(before, [0, 1, 1, 2, 3, 4]);
    }
}
