//! What one lane says; the inspector adds the connection.

use crate::diagnostics::{Place, Rule};
use crate::{Frame, Message, Timestamp};

/// Something understood about one lane.
#[derive(Debug)]
pub enum LaneEvent {
    /// A frame is whole.
    Frame(Frame),
    /// A message is whole.
    Message(Message),
    /// A rule fired.
    Finding {
        /// Which.
        rule: &'static Rule,
        /// When the octet that proves it was read.
        at: Timestamp,
        /// Where in the lane.
        place: Place,
        /// What was seen.
        evidence: String,
    },
    /// From `offset` on the lane cannot be followed.
    Lost {
        /// Lane offset.
        offset: u64,
        /// When that became certain.
        at: Timestamp,
        /// One line that says why.
        reason: String,
    },
}
