//! What one lane says; the inspector adds the connection.

use crate::diagnostics::{Place, Rule};
use crate::session::Unfragmented;
use crate::{Frame, Message, Timestamp};

/// Whoever takes in what one lane says. Frames and messages come by calls of their own: there are
/// many, and each is then made where it goes.
pub trait LaneSink {
    /// As [`crate::session::EventSink::sees_payloads`].
    fn sees_payloads(&self) -> bool;

    /// As [`crate::session::EventSink::payload`].
    fn payload(&mut self, plain: &[u8]);

    /// As [`crate::session::EventSink::unfragmented`].
    fn unfragmented(&mut self, seen: &Unfragmented);

    /// A frame is whole.
    fn frame(&mut self, frame: Frame);

    /// A Close, Ping or Pong is whole; its payload is kept whatever the limits are.
    fn control(&mut self, frame: Frame);

    /// A message is whole. Follows its last frame.
    fn message(&mut self, message: Message);

    /// As [`crate::session::EventSink::wants_history`].
    fn wants_history(&self) -> bool;

    /// As [`crate::session::EventSink::history`].
    fn history(&mut self, offset: u64, history: &[u8]);

    /// Anything rarer.
    fn event(&mut self, event: LaneEvent);
}

/// Something understood about one lane, besides its frames and messages.
#[derive(Debug)]
pub enum LaneEvent {
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
