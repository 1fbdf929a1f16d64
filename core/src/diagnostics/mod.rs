//! Findings: what a peer did against, or at the edge of, a standard.

mod evidence;
pub mod example;
pub mod rules;

use serde::Serialize;

pub(crate) use evidence::shown;
pub use example::Example;
pub use rules::{Confidence, Rule, Scope};

use crate::{Direction, Timestamp};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Allowed, or against a SHOULD; likely to hurt.
    Warning,
    /// Against a MUST.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where in a connection a finding lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// Lane offset of the first octet it is about.
    pub offset: u64,
    /// How many octets it is about; 0 where it is about a point.
    pub len: u64,
    /// Ordinal of the frame in its direction, where it is about a frame.
    pub frame: Option<u64>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule that fired: stable code, severity, title, RFC section, advice.
    pub rule: &'static Rule,
    /// The lane it was seen on.
    pub direction: Direction,
    /// When the octet that proves it was read.
    pub at: Timestamp,
    /// Where it lies.
    pub place: Place,
    /// One line that says what was seen: the values, not the rule.
    pub evidence: String,
}
