//! Going on behind octets that are missing.

use super::FrameLane;
use crate::frame::FrameDecoder;
use crate::frame::FramePosition;

impl FrameLane {
    /// Goes on behind `missing` octets at this position: with the next frame whose first octet comes.
    ///
    /// Frames are numbered on; what is between is not told, nor is a message that was begun before.
    /// Compressed messages that may refer to what is missing have lost their context.
    pub fn resume(&mut self, missing: u64, position: &FramePosition) {
        let offset = self.decoder.offset().saturating_add(missing);
        let mut lane = Self::new(self.direction, offset, self.checks.extensions(), self.limits);
        lane.next_index = self.next_index;
        lane.close = self.close;
        lane.decoder = FrameDecoder::resume(offset, position);
        lane.assembler.resume_behind(&self.assembler, position.within_message);
        lane.skips_frame = !position.header.is_empty();
        *self = lane;
    }
}
