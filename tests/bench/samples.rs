//! Resident memory of a rival, sampled while something is done to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::rivals::Rival;

/// Between two samples.
const EVERY: Duration = Duration::from_millis(50);

/// Resident memory at some moments.
#[derive(Debug, Default)]
pub struct Samples {
    /// Since the start, and octets.
    taken: Vec<(Duration, u64)>,
}

impl Samples {
    /// Does `work` and samples `rival` meanwhile.
    pub fn during<T>(rival: &Rival, work: impl FnOnce() -> T) -> (T, Self) {
        let done = AtomicBool::new(false);
        let mut samples = Self::default();
        let outcome = std::thread::scope(|scope| {
            let observer = scope.spawn(|| {
                let start = Instant::now();
                while !done.load(Ordering::Acquire) {
                    samples.taken.push((start.elapsed(), rival.resident().unwrap_or_default()));
                    std::thread::park_timeout(EVERY);
                }
            });
            let outcome = work();
            done.store(true, Ordering::Release);
            observer.thread().unpark();
            outcome
        });
        (outcome, samples)
    }

    /// The most there was, in octets.
    pub fn peak(&self) -> u64 {
        self.taken.iter().map(|(_, octets)| *octets).max().unwrap_or_default()
    }

    /// The most there was in each quarter of the time, in octets.
    pub fn quarters(&self) -> [u64; 4] {
        [0, 1, 2, 3].map(|quarter| self.peak_of_quarter(quarter))
    }

    fn peak_of_quarter(&self, quarter: u32) -> u64 {
        let whole = self.taken.last().map(|(at, _)| *at).unwrap_or_default();
        let (from, until) = (whole * quarter / 4, whole * (quarter + 1) / 4);
        let inside = self.taken.iter().filter(|(at, _)| (from..=until).contains(at));
        inside.map(|(_, octets)| *octets).max().unwrap_or_default()
    }
}
