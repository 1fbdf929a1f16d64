//! The octets that prove a finding, read from the capture when it is looked at.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use framescope_core::diagnostics::Place;
use framescope_core::{ConnectionId, Direction};

use super::{OnDemand, Shared};

/// Octets told before those that a finding is about.
const BEFORE: u64 = 16;
/// Octets told from the first that a finding is about.
const MOST: u64 = 240;

/// Octets of one lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Which way they went.
    pub direction: Direction,
    /// Which ones, counted from the first of the lane.
    pub range: Range<u64>,
}

/// Octets, or one line that says why they are missing.
pub type Evidence = Result<Bytes, String>;

impl Stretch {
    /// Those that a finding is about, and some before them that belong to the same frame; `frame` is
    /// where that begins.
    pub fn around(
        connection: ConnectionId,
        direction: Direction,
        place: Place,
        frame: u64,
    ) -> Self {
        let start = place.offset.saturating_sub(BEFORE).max(frame).min(place.offset);
        let end = place.offset.saturating_add(place.len.clamp(1, MOST));
        Self { connection, direction, range: start..end }
    }
}

pub(super) fn spawn(shared: Arc<Shared>) -> OnDemand<Stretch, Evidence> {
    let (mut capture, wake) = (None, shared.wake.clone());
    OnDemand::spawn("evidence", wake, move |stretch: &Stretch| {
        if capture.is_none() {
            capture = shared.source.open_capture().ok();
        }
        let capture = capture.as_mut().ok_or("the capture file cannot be opened")?;
        let Stretch { connection, direction, range } = stretch.clone();
        let plan = shared.index.read().octets_plan(connection, direction, range);
        let plan = plan.ok_or("these octets are not in the index")?;
        plan.read(capture, usize::MAX).map_err(|error| error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_begins_in_its_frame_and_is_not_long() {
        let range = |offset, len, frame| {
            let place = Place { offset, len, frame: Some(0) };
            Stretch::around(ConnectionId(1), Direction::ClientToServer, place, frame).range
        };
        assert_eq!(range(100, 6, 100), 100..106);
        assert_eq!(range(100, 0, 90), 90..101);
        assert_eq!(range(100, 1, 0), 84..101);
        assert_eq!(range(100, 1 << 40, 100), 100..340);
    }
}
