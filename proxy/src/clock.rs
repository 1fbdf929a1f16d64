//! The clock: monotonic time laid over one wall-clock anchor; nothing else reads the wall clock.

use std::time::{Instant, SystemTime};

use framescope_core::Timestamp;

/// The wall clock's time: for certificates and file names. The wire takes its stamps from a [`Clock`].
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    let wall = SystemTime::now();
    // A wall clock before 1970 is wrong, but no reason not to inspect anything.
    let nanos = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Stamps that never run backwards, even when the wall clock is set meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Timestamp,
    started: Instant,
}

impl Clock {
    /// Anchors to the wall clock, once.
    pub fn start() -> Self {
        Self { anchor: now(), started: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.anchor.plus(self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_never_run_backwards() {
        let clock = Clock::start();
        let stamps: Vec<_> = (0..1000).map(|_| clock.now()).collect();
        assert!(stamps.is_sorted());
        assert!(stamps[0] > Timestamp::from_nanos(1_600_000_000_000_000_000), "it is past 2020");
    }

    #[test]
    fn a_wall_clock_that_was_set_since_moves_no_stamp() {
        // The wall clock is years away from where it was at the anchor, either way.
        for year in [1980, 2200] {
            let anchor = Timestamp::from_nanos((year - 1970) * 365 * 86_400 * 1_000_000_000);
            let clock = Clock { anchor, started: Instant::now() };
            let stamps: Vec<_> = (0..100).map(|_| clock.now()).collect();
            let passed = clock.started.elapsed();
            assert!(stamps.is_sorted() && stamps[0] >= anchor, "{year}");
            assert!(stamps[99] <= anchor.plus(passed), "{year}");
        }
    }
}
