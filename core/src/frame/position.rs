//! Where a lane stands among its frames: what a reader must know who has not seen what came before.

use serde::{Deserialize, Serialize};

use crate::Opcode;
use crate::frame::{FrameDecoder, FrameHeader, FramePart};

/// How a lane of an open WebSocket goes on behind octets that a capture does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FramePosition {
    /// Octets to come that belong to a frame whose header is among those that are missing.
    #[serde(default)]
    pub rest: u64,
    /// The first octets of a header that the missing octets end in: 0–13.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header: Vec<u8>,
    /// A message was begun and not ended (RFC 6455 §5.4): continuations belong to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within_message: bool,
    /// A Close frame was sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// Follows one lane from header to header, and nothing else of it.
#[derive(Debug, Clone)]
pub struct FrameTracker {
    decoder: FrameDecoder,
    within_message: bool,
    closed: bool,
    is_lost: bool,
}

impl Default for FrameTracker {
    fn default() -> Self {
        let decoder = FrameDecoder::new(0);
        Self { decoder, within_message: false, closed: false, is_lost: false }
    }
}

impl FrameTracker {
    /// Takes in the next octets of the lane. A frame that lies whole in them costs the reading of its
    /// header, payload that goes on costs nothing.
    pub fn advance(&mut self, mut octets: &[u8]) {
        loop {
            while let Some(frame) = self.decoder.next_whole(&mut octets) {
                self.saw(&frame.header);
            }
            match self.decoder.next_part(&mut octets) {
                None => return,
                Some(FramePart::Header { header, .. }) => self.saw(&header),
                Some(FramePart::Lost) => self.is_lost = true,
                Some(FramePart::Payload { .. } | FramePart::End) => {}
            }
        }
    }

    /// How the lane goes on from here; `None` where nobody can follow it any further.
    pub fn position(&self) -> Option<FramePosition> {
        let Self { decoder, within_message, closed, is_lost } = self;
        (!is_lost).then(|| FramePosition {
            rest: decoder.rest(),
            header: decoder.partial_header().to_vec(),
            within_message: *within_message,
            closed: *closed,
        })
    }

    fn saw(&mut self, header: &FrameHeader) {
        match header.opcode {
            Opcode::Text | Opcode::Binary => self.within_message = !header.fin,
            Opcode::Continuation if header.fin => self.within_message = false,
            Opcode::Close => self.closed = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    #[test]
    fn every_octet_of_a_conversation_has_its_position() {
        let octets = hex!("01 82 37fa213d 0000  89 00  80 01 21  88 00");
        let cut = |header: &[u8], within_message| FramePosition {
            header: header.to_vec(),
            within_message,
            ..FramePosition::default()
        };
        let in_message = |rest| FramePosition { rest, within_message: true, ..Default::default() };
        let expected = [
            cut(&[], false),
            cut(&hex!("01"), false),
            cut(&hex!("0182"), false),
            cut(&hex!("018237"), false),
            cut(&hex!("018237fa"), false),
            cut(&hex!("018237fa21"), false),
            in_message(2),
            in_message(1),
            in_message(0),
            cut(&hex!("89"), true),
            in_message(0),
            cut(&hex!("80"), true),
            FramePosition { rest: 1, ..FramePosition::default() },
            FramePosition::default(),
            cut(&hex!("88"), false),
            FramePosition { closed: true, ..FramePosition::default() },
        ];
        let mut single = FrameTracker::default();
        for (at, expected) in expected.iter().enumerate() {
            let mut whole = FrameTracker::default();
            whole.advance(&octets[..at]);
            assert_eq!(whole.position().as_ref(), Some(expected), "{at}");
            assert_eq!(single.position().as_ref(), Some(expected), "{at}");
            single.advance(octets.get(at..=at).unwrap_or_default());
        }
    }

    #[test]
    fn a_length_that_nobody_can_follow_has_no_position() {
        let mut tracker = FrameTracker::default();
        tracker.advance(&hex!("82 7f ffffffffffffffff 00"));
        assert_eq!(tracker.position(), None);
    }
}
