//! Where reading a payload stopped, and why.

use std::fmt;

use crate::present;

/// The octets are not what the format asks for, from here on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("octet {at}: {what}")]
pub struct Fault {
    /// The first octet that cannot be right; the payload's length where it ends too early.
    pub at: usize,
    /// What is wrong, in words: `a name must be followed by a colon`.
    pub what: String,
    /// The octets so far are right, but end too early. They may be the beginning of something whole.
    pub is_early_end: bool,
}

impl Fault {
    /// Something wrong at an octet.
    pub fn wrong(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), is_early_end: false }
    }

    /// The payload ends at octet `at`, inside of something.
    pub fn early_end(at: usize, inside: impl fmt::Display) -> Self {
        Self { at, what: format!("the payload ends inside {inside}"), is_early_end: true }
    }
}

/// Something is left out to stay within [`super::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The first octet that was not read.
    pub at: usize,
    /// Which limit it was.
    pub limit: CutLimit,
}

/// A limit that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutLimit {
    /// [`super::Limits::nodes`].
    Nodes(usize),
    /// [`super::Limits::depth`].
    Depth(usize),
    /// [`super::Limits::unpacked`].
    Unpacked(usize),
    /// [`super::Limits::nesting`].
    Nesting(usize),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize| present::thousands(number as u64);
        match self.limit {
            CutLimit::Nodes(limit) => write!(f, "only the first {} nodes are shown", count(limit)),
            CutLimit::Depth(limit) => {
                write!(f, "what is nested deeper than {} levels is not shown", count(limit))
            }
            CutLimit::Unpacked(limit) => {
                write!(f, "only the first {} are unpacked", present::octets(limit as u64))
            }
            CutLimit::Nesting(limit) => {
                write!(f, "payloads nested more than {} deep are not opened", count(limit))
            }
        }?;
        write!(f, "; the rest begins at octet {}", count(self.at))
    }
}

/// Why a reader does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The octets are wrong.
    Fault(Fault),
    /// A limit is met.
    Cut(Cut),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
