//! The lines of a head, and how each ends.

use std::ops::Range;

/// One line of a head.
pub(super) struct Line {
    /// Its octets, line end included.
    pub(super) whole: Range<usize>,
    /// Its octets, line end left out.
    pub(super) text: Range<usize>,
}

impl Line {
    /// It ends with LF alone.
    pub(super) fn is_bare(&self) -> bool {
        self.whole.end.saturating_sub(self.text.end) == 1
    }
}

/// Cuts a head into lines.
pub(super) struct Lines<'a> {
    pub(super) raw: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(raw: &'a [u8]) -> Self {
        Self { raw, at: 0 }
    }

    pub(super) fn octets(&self, span: &Range<usize>) -> &'a [u8] {
        self.raw.get(span.clone()).unwrap_or_default()
    }

    /// The next line; an empty one without a line end where nothing is left.
    pub(super) fn next(&mut self) -> Line {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let start = self.at;
        let Some(line_feed) = memchr::memchr(b'\n', rest) else {
            self.at = self.raw.len();
            return Line { whole: start..self.at, text: start..self.at };
        };
        let before = rest.get(..line_feed).unwrap_or_default();
        let text_len = before.strip_suffix(b"\r").unwrap_or(before).len();
        self.at = start.saturating_add(line_feed).saturating_add(1);
        Line { whole: start..self.at, text: start..start.saturating_add(text_len) }
    }

    /// The first line that is not empty.
    pub(super) fn start_line(&mut self) -> Line {
        loop {
            let line = self.next();
            if !line.text.is_empty() || line.whole.is_empty() {
                return line;
            }
        }
    }
}
