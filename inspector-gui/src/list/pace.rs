//! How a list goes on that follows its end: no faster than its previews are read.

use std::ops::Range;

/// In seconds: a list that has stood for so long goes on without previews.
const MOST_WAIT: f64 = 0.5;

/// Where a list that follows its end stands, and where it goes next.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    shown: usize,
    next: usize,
    seen: usize,
    since: f64,
}

impl Pace {
    /// How many of `len` rows are to be listed at `time` in seconds, where `in_view` are visible.
    /// All of them, unless more come from one picture to the next than there is time to read.
    pub fn rows(
        &mut self,
        len: usize,
        in_view: usize,
        time: f64,
        are_read: impl Fn(Range<usize>) -> bool,
    ) -> usize {
        let grew = len > std::mem::replace(&mut self.seen, len);
        let jumps = len.saturating_sub(self.shown) > in_view / 2;
        let waits = self.shown > 0 && self.shown <= len && time - self.since < MOST_WAIT;
        if !(grew && jumps && waits) {
            (self.shown, self.next, self.since) = (len, len, time);
        } else if self.next <= self.shown {
            self.next = len;
        } else if are_read(self.next_rows(in_view)) {
            (self.shown, self.next, self.since) = (self.next, len, time);
        }
        self.shown
    }

    /// The rows that are visible next, to be read meanwhile.
    pub fn next_rows(&self, in_view: usize) -> Range<usize> {
        let start = self.next.saturating_sub(in_view).max(self.shown);
        start.min(self.next)..self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_slowly_is_listed_at_once() {
        let mut pace = Pace::default();
        for (len, time) in [(100, 0.0), (101, 0.1), (110, 0.2), (110, 0.3)] {
            assert_eq!(pace.rows(len, 40, time, |_| false), len);
        }
    }

    #[test]
    fn what_comes_fast_is_listed_once_it_is_read() {
        let mut pace = Pace::default();
        assert_eq!(pace.rows(1000, 40, 0.0, |_| false), 1000);
        assert_eq!(pace.rows(2000, 40, 0.03, |_| false), 1000);
        assert_eq!(pace.next_rows(40), 1960..2000);
        assert_eq!(pace.rows(3000, 40, 0.06, |_| false), 1000);
        assert_eq!(pace.next_rows(40), 1960..2000, "what is being read is waited for");
        assert_eq!(pace.rows(4000, 40, 0.09, |rows| rows == (1960..2000)), 2000);
        assert_eq!(pace.next_rows(40), 3960..4000);
        assert_eq!(pace.rows(5000, 40, 0.9, |_| false), 5000, "nothing waits for ever");
        assert_eq!(pace.rows(5000, 40, 0.93, |_| false), 5000);
        assert_eq!(pace.rows(10, 40, 0.96, |_| false), 10, "another filter");
    }
}
