//! A lane whose frames are looked for behind octets that are missing.

use std::collections::VecDeque;

use crate::frame::{FramePosition, FrameSeeker};
use crate::session::Limits;
use crate::session::frame_checks::Extensions;
use crate::session::frame_lane::FrameLane;
use crate::session::lane_event::LaneSink;
use crate::{Direction, Timestamp};

/// Octets that are kept of a lane meanwhile: they are told once frames are found among them.
const KEPT: usize = 64 << 10;
/// Reads whose times are kept: of more, times become coarser.
const MAX_READS: usize = 1_024;
/// A WebSocket's lane is given up when nothing was found in so many octets.
const MOST: u64 = 64 << 20;
/// So is one that may be anything's.
const MOST_OF_UNKNOWN: u64 = 1 << 20;

/// The lane as it was before, and what came since.
///
/// What is found, and when it was read, does not depend on how reads were cut, but for floods of tiny ones
/// and for where a lane is given up.
#[derive(Debug)]
pub struct Seeking {
    lane: Box<FrameLane>,
    seeker: FrameSeeker,
    /// The lane offset of the end of each read, and when it was.
    reads: VecDeque<(u64, Timestamp)>,
    /// Octets that were looked at, and how many are at most.
    looked_at: u64,
    most: u64,
}

/// Where frames were found.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The lane offset of the first of them.
    pub offset: u64,
    /// When its first octet was read.
    pub at: Timestamp,
    /// Octets before it that came and were not understood.
    pub passed_over: u64,
}

impl Seeking {
    /// Behind `missing` octets of this lane.
    pub fn new(lane: Box<FrameLane>, missing: u64) -> Self {
        let start = lane.offset().saturating_add(missing);
        let seeker = Self::seeker(&lane, start);
        Self { lane, seeker, reads: VecDeque::new(), looked_at: 0, most: MOST }
    }

    /// Behind `missing` octets at the start of a connection, which may be a WebSocket.
    pub fn unknown(direction: Direction, missing: u64, limits: Limits) -> Self {
        // Nobody knows what was agreed on either.
        let extensions = Extensions { unknown: true, ..Extensions::default() };
        let lane = FrameLane::new(direction, 0, extensions, limits);
        Self { most: MOST_OF_UNKNOWN, ..Self::new(Box::new(lane), missing) }
    }

    /// What was agreed on becomes known.
    pub fn agree(&mut self, extensions: Extensions) {
        self.lane.agree(extensions);
    }

    fn seeker(lane: &FrameLane, start: u64) -> FrameSeeker {
        let masked = lane.direction() == Direction::ClientToServer;
        FrameSeeker::new(start, masked, lane.may_set_rsv1(), KEPT)
    }

    /// Still more octets are missing: it begins anew.
    pub fn miss(&mut self, missing: u64) {
        self.seeker = Self::seeker(&self.lane, self.seeker.end().saturating_add(missing));
        self.reads.clear();
    }

    /// Takes in octets that were read `at`; says where frames were found.
    pub fn receive(&mut self, at: Timestamp, octets: &[u8]) -> Option<Found> {
        self.looked_at = self.looked_at.saturating_add(octets.len() as u64);
        let found = self.seeker.receive(octets);
        self.reads.push_back((self.seeker.end(), at));
        let kept_from = self.seeker.start();
        while self.reads.front().is_some_and(|(end, _)| *end <= kept_from) {
            self.reads.pop_front();
        }
        if self.reads.len() >= MAX_READS {
            // The later of two stands for both.
            let mut is_later = true;
            self.reads.retain(|_| {
                is_later = !is_later;
                is_later
            });
        }
        let offset = found?;
        let read = self.reads.iter().find(|(end, _)| *end > offset);
        let behind = self.seeker.end().saturating_sub(offset);
        let passed_over = self.looked_at.saturating_sub(behind);
        Some(Found { offset, at: read.map_or(at, |(_, at)| *at), passed_over })
    }

    /// The lane offset of the next octet.
    pub fn offset(&self) -> u64 {
        self.seeker.end()
    }

    /// Nothing was found for too long.
    pub fn is_vain(&self) -> bool {
        self.looked_at >= self.most
    }

    /// The lane as it goes on at this position, which became known `at`; and where the first frame begins.
    pub fn resume(self, at: Timestamp, position: &FramePosition) -> (Found, Box<FrameLane>) {
        let Self { mut lane, seeker, looked_at, .. } = self;
        let end = seeker.end();
        lane.resume(end.saturating_sub(lane.offset()), position);
        let offset = end.saturating_add(position.rest);
        (Found { offset, at, passed_over: looked_at }, lane)
    }

    /// The lane as it goes on where frames were found, and what came since.
    pub fn follow(
        self,
        found: Found,
        scratch: &mut Vec<u8>,
        out: &mut impl LaneSink,
    ) -> Box<FrameLane> {
        let Self { mut lane, seeker, reads, .. } = self;
        let missing = found.offset.saturating_sub(lane.offset());
        // Nobody knows what was begun before.
        let position = FramePosition { within_message: true, ..FramePosition::default() };
        lane.resume(missing, &position);
        let mut rest = seeker.kept_from(found.offset);
        for (end, at) in reads {
            let len = usize::try_from(end.saturating_sub(lane.offset())).unwrap_or(usize::MAX);
            let (read, further) = rest.split_at(len.min(rest.len()));
            if !read.is_empty() {
                lane.receive(at, read, scratch, out);
            }
            rest = further;
        }
        lane
    }
}
