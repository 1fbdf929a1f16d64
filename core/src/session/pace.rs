//! How fast the frames of one lane come: floods of tiny ones.

use std::time::Duration;

use crate::Timestamp;

/// Frames within [`SPAN`] that make a flood, where they are tiny.
const FLOOD: u64 = 1_000;

/// Octets of a frame on the wire, header included, below which frames are tiny on the average.
const TINY: u64 = 32;

const SPAN: Duration = Duration::from_secs(1);

/// Counts by the second: told the time of each read, never of each frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    since: Option<Timestamp>,
    frames: u64,
    offset: u64,
    last: Timestamp,
    is_told: bool,
}

/// A second full of tiny frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flood {
    /// How many frames.
    pub frames: u64,
    /// Octets of them on the wire.
    pub octets: u64,
    /// From the first read to the last.
    pub took: Duration,
    /// Lane offset of the first.
    pub offset: u64,
}

impl Pace {
    /// Octets are read `at`, when `frames` frames and `offset` octets of the lane were seen: the flood
    /// that came before, the first time there is one.
    #[inline]
    pub fn tick(&mut self, at: Timestamp, frames: u64, offset: u64) -> Option<Flood> {
        let flood = match self.since {
            Some(since) if at.since(since) < SPAN => {
                self.last = at;
                return None;
            }
            Some(_) => self.finish(frames, offset),
            None => None,
        };
        (self.since, self.last) = (Some(at), at);
        (self.frames, self.offset) = (frames, offset);
        flood
    }

    /// No more octets come.
    pub fn finish(&mut self, frames: u64, offset: u64) -> Option<Flood> {
        let since = self.since.filter(|_| !self.is_told)?;
        let (came, octets) =
            (frames.saturating_sub(self.frames), offset.saturating_sub(self.offset));
        if came < FLOOD || octets > came.saturating_mul(TINY) {
            return None;
        }
        self.is_told = true;
        let took = self.last.since(since);
        Some(Flood { frames: came, octets, took, offset: self.offset })
    }
}
