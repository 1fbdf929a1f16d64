//! Where something lies in a payload.

use std::fmt;

/// A run of octets, `start` counted in and `end` not, both from the payload's first octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The first octet.
    pub start: usize,
    /// The octet behind the last one.
    pub end: usize,
}

impl Span {
    /// From `start` up to `end`; nothing where `end` comes before.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The `len` octets from `start`.
    pub const fn at(start: usize, len: usize) -> Self {
        Self { start, end: start.saturating_add(len) }
    }

    /// How many octets.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether the octet at `offset` is one of them.
    pub const fn contains(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }

    /// These octets of `payload`, as far as it has them.
    pub fn of(self, payload: &[u8]) -> &[u8] {
        let end = self.end.min(payload.len());
        payload.get(self.start.min(end)..end).unwrap_or_default()
    }
}

impl fmt::Display for Span {
    /// `12..16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
