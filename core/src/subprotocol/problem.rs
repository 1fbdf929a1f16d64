//! Problems: what is wrong with a message by its sub-protocol's own grammar.

use std::fmt;

/// One thing that a sub-protocol does not allow, or that does not fit what came before.
///
/// A peer's fault is data: the dissector goes on with what can still be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub code: ProblemCode,
    /// Message offset of the octet that shows it, where one does.
    pub at: Option<usize>,
    /// One line that says what was seen, and the clause that it breaks where that has a number.
    pub detail: String,
}

/// The kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// Text where binary is due, or the other way round.
    WrongOpcode,
    /// The octets break the grammar.
    Malformed,
    /// The octets end inside of something.
    Truncated,
    /// A packet type that the sub-protocol does not have.
    UnknownKind,
    /// Something required is not there.
    MissingField,
    /// Something is there with a value or a type that it must not have.
    InvalidValue,
    /// The other peer sends such packets.
    WrongDirection,
    /// Not at this point of the conversation.
    OutOfOrder,
    /// An answer to nothing that was seen to be asked.
    UnknownId,
    /// An id that still waits for its answer is used again.
    RepeatedId,
    /// Octets behind the end.
    TrailingOctets,
    /// It is not known where packets begin, since octets are missing.
    OutOfStep,
    /// More than Framescope keeps: see the limits of [`crate::subprotocol`].
    OverLimit,
}

impl ProblemCode {
    /// `wrong-opcode`, `malformed` and so on: the spelling of the JSON exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongOpcode => "wrong-opcode",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::UnknownKind => "unknown-kind",
            Self::MissingField => "missing-field",
            Self::InvalidValue => "invalid-value",
            Self::WrongDirection => "wrong-direction",
            Self::OutOfOrder => "out-of-order",
            Self::UnknownId => "unknown-id",
            Self::RepeatedId => "repeated-id",
            Self::TrailingOctets => "trailing-octets",
            Self::OutOfStep => "out-of-step",
            Self::OverLimit => "over-limit",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "octet {at}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}
