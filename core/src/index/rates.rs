//! Rates and sizes over time: what a connection said, in a bounded number of steps.

use std::time::Duration;

use super::FrameRow;
use crate::{Direction, Timestamp};

/// Steps kept at most; where more are due, two become one.
pub const MOST_STEPS: usize = 240;
/// The first width of a step, in nanoseconds.
const FIRST_WIDTH: u64 = 1_000_000;

/// What went one way within one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Frames whose first octet was read within it.
    pub frames: u64,
    /// Their octets, headers counted in.
    pub octets: u64,
}

impl Flow {
    fn add(&mut self, more: Self) {
        self.frames = self.frames.saturating_add(more.frames);
        self.octets = self.octets.saturating_add(more.octets);
    }

    /// Octets of a frame, on average; `None` where there is none.
    pub const fn mean_size(self) -> Option<u64> {
        self.octets.checked_div(self.frames)
    }
}

/// The frames of one connection over time. All steps are equally wide; the width doubles whenever the
/// connection outgrows [`MOST_STEPS`] of them, so that it costs the same however long it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    from: Timestamp,
    width: u64,
    /// By step, then by [`Direction::index`].
    steps: Vec<[Flow; 2]>,
}

impl Rates {
    /// Nothing yet, beginning at `from`.
    pub fn new(from: Timestamp) -> Self {
        Self { from, width: FIRST_WIDTH, steps: Vec::new() }
    }

    /// Takes in a frame of the connection. One that began before `from` counts in the first step.
    pub fn add(&mut self, frame: &FrameRow) {
        let flow = Flow { frames: 1, octets: frame.wire_len() };
        self.count(frame.first_octet_at(), frame.direction(), flow);
    }

    fn count(&mut self, at: Timestamp, direction: Direction, flow: Flow) {
        let nanos = at.as_nanos().saturating_sub(self.from.as_nanos());
        let step = loop {
            let step = nanos.checked_div(self.width).unwrap_or(0);
            match usize::try_from(step) {
                Ok(step) if step < MOST_STEPS => break step,
                _ => self.widen(),
            }
        };
        if self.steps.len() <= step {
            self.steps.resize(step.saturating_add(1), [Flow::default(); 2]);
        }
        if let Some(flows) = self.steps.get_mut(step) {
            flows[direction.index()].add(flow);
        }
    }

    /// Two steps become one.
    fn widen(&mut self) {
        self.width = self.width.saturating_mul(2);
        let together = self.steps.chunks(2).map(|pair| {
            pair.iter().fold([Flow::default(); 2], |mut sum, step| {
                for way in Direction::BOTH {
                    sum[way.index()].add(step[way.index()]);
                }
                sum
            })
        });
        self.steps = together.collect();
    }

    /// When the first step begins.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// How long a step lasts.
    pub fn width(&self) -> Duration {
        Duration::from_nanos(self.width)
    }

    /// The steps up to the last in which anything came, each by [`Direction::index`].
    pub fn steps(&self) -> &[[Flow; 2]] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_came_is_in_the_step_of_its_time(
            came in prop::collection::vec((0u64..1 << 45, any::<bool>(), 2u64..1 << 20), 1..60),
        ) {
            let start = 1_700_000_000_000_000_000;
            let mut rates = Rates::new(Timestamp::from_nanos(start));
            for (after, up, octets) in &came {
                let direction =
                    if *up { Direction::ClientToServer } else { Direction::ServerToClient };
                let flow = Flow { frames: 1, octets: *octets };
                rates.count(Timestamp::from_nanos(start + after), direction, flow);
            }
            prop_assert!(rates.steps().len() <= MOST_STEPS);
            let width = u64::try_from(rates.width().as_nanos()).unwrap();
            for (step, flows) in rates.steps().iter().enumerate() {
                let within = came.iter().filter(|(after, ..)| after / width == step as u64);
                let frames: u64 = flows.iter().map(|flow| flow.frames).sum();
                prop_assert_eq!(frames, within.clone().count() as u64);
                let octets: u64 = flows.iter().map(|flow| flow.octets).sum();
                prop_assert_eq!(octets, within.map(|(_, _, octets)| octets).sum::<u64>());
            }
            let frames: u64 = rates.steps().iter().flatten().map(|flow| flow.frames).sum();
            prop_assert_eq!(frames, came.len() as u64);
        }
    }

    #[test]
    fn time_before_the_start_and_no_frame_are_no_harm() {
        let mut rates = Rates::new(Timestamp::from_nanos(50));
        let flow = Flow { frames: 1, octets: 7 };
        rates.count(Timestamp::from_nanos(10), Direction::ClientToServer, flow);
        assert_eq!(rates.steps(), [[flow, Flow::default()]]);
        assert_eq!((flow.mean_size(), Flow::default().mean_size()), (Some(7), None));
    }
}
