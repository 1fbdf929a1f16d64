//! Going on behind octets that are missing.

use super::FrameLane;
use crate::frame::FrameDecoder;
use crate::frame::FramePosition;

impl FrameLane {
    /// How the frames go on behind `missing` octets, where that is certain: they lie within the payload
    /// of a frame whose header came.
    pub fn position_behind(&self, missing: u64) -> Option<FramePosition> {
        let rest = self.decoder.rest().checked_sub(missing).filter(|_| missing > 0)?;
        let within_message = self.current.as_ref().is_none_or(|current| {
            let in_message = !self.assembler.is_between_messages();
            if current.header.opcode.is_control() { in_message } else { !current.header.fin }
        });
        Some(FramePosition { rest, within_message, ..FramePosition::default() })
    }

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
