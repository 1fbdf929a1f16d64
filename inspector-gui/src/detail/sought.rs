//! What is looked for, and where a payload holds it.

use std::ops::Range;
use std::sync::Arc;

use framescope_core::search::Pattern;

/// Places marked in one payload; what comes behind them is not marked.
const MOST: usize = 2_000;

/// What a search looks for.
#[derive(Debug, Clone)]
pub struct Sought {
    number: u64,
    pattern: Arc<Pattern>,
}

impl Sought {
    /// `number` tells one search from another.
    pub fn new(number: u64, pattern: Arc<Pattern>) -> Self {
        Self { number, pattern }
    }

    /// What it is.
    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Where in `octets` it is, in order, as far as it is marked.
    pub(crate) fn places(&self, octets: &[u8]) -> Vec<Range<usize>> {
        self.pattern.places(octets).take(MOST).collect()
    }
}

impl PartialEq for Sought {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
