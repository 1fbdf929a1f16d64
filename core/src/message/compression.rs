//! What permessage-deflate (RFC 7692) made of messages: of one, of a lane, of a connection; and under
//! the microscope, how.

use std::fmt;

use super::deflate_walk::{Reach, Walk};
use super::{Message, MessageFault};
use crate::present::thousands;

/// What compression saved, of one message or of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CompressionFacts {
    /// Messages that were sent compressed and could be inflated.
    pub messages: u64,
    /// Their payload octets on the wire.
    pub wire_len: u64,
    /// Their octets, inflated.
    pub data_len: u64,
}

impl CompressionFacts {
    /// Of one message; `None` where it was not compressed, or could not be inflated to its end.
    #[inline]
    pub fn of(message: &Message) -> Option<Self> {
        let is_inflated = matches!(message.fault, None | Some(MessageFault::NotUtf8 { .. }));
        (message.compressed && is_inflated).then_some(Self {
            messages: 1,
            wire_len: message.wire_len,
            data_len: message.data_len,
        })
    }

    /// Takes further messages in.
    pub const fn add(&mut self, more: Self) {
        self.messages = self.messages.saturating_add(more.messages);
        self.wire_len = self.wire_len.saturating_add(more.wire_len);
        self.data_len = self.data_len.saturating_add(more.data_len);
    }

    /// Both together.
    #[must_use]
    pub const fn with(mut self, more: Self) -> Self {
        self.add(more);
        self
    }

    /// Octets that compression kept off the wire; below zero where it made more of them.
    pub const fn saved(self) -> i128 {
        (self.data_len as i128).wrapping_sub(self.wire_len as i128)
    }

    /// How many octets one octet on the wire became, in hundredths; `None` before the first octet.
    pub const fn ratio_percent(self) -> Option<u64> {
        self.data_len.saturating_mul(100).checked_div(self.wire_len)
    }
}

impl fmt::Display for CompressionFacts {
    /// `1,204 octets became 312 on the wire: 3.85 : 1, 892 saved`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (data, wire) = (thousands(self.data_len), thousands(self.wire_len));
        write!(f, "{data} octets became {wire} on the wire")?;
        if let Some(percent) = self.ratio_percent() {
            write!(f, ": {}.{:02} : 1", thousands(percent / 100), percent % 100)?;
        }
        let saved = thousands(u64::try_from(self.saved().unsigned_abs()).unwrap_or(u64::MAX));
        let what = if self.saved() < 0 { "more than without" } else { "saved" };
        write!(f, ", {saved} {what}")
    }
}

/// One compressed message looked at closely: what its DEFLATE data is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Microscope {
    /// Payload octets on the wire.
    pub wire_len: u64,
    /// Octets that come out of them.
    pub data_len: u64,
    /// Blocks that hold octets as they are (RFC 1951 §3.2.4), those that a flush adds counted in, but
    /// for the one of which the sender strips the end (RFC 7692 §7.2.1).
    pub stored_blocks: u64,
    /// Blocks with the codes that the RFC fixes (§3.2.6).
    pub fixed_blocks: u64,
    /// Blocks with codes of their own (§3.2.7).
    pub dynamic_blocks: u64,
    /// Octets in stored blocks.
    pub stored: u64,
    /// Octets that were sent each with a code of its own.
    pub literals: u64,
    /// Copies of what came before.
    pub matches: u64,
    /// Octets that came from copies.
    pub matched: u64,
    /// Octets of the longest copy: 3–258.
    pub longest: u64,
    /// Octets copied out of earlier messages: what context takeover is good for.
    pub from_before: u64,
    /// How far back the copies refer.
    pub reach: Reach,
}

/// Whether a message makes use of the messages before it (RFC 7692 §7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// Agreed on, and proven: octets of this message were copied from earlier ones.
    Used,
    /// Agreed on, but this message does without.
    Unused,
    /// Not agreed on: the window is forgotten after each message.
    Forgotten,
    /// Not agreed on, and used all the same: nobody who goes by the agreement can inflate it.
    Broken,
}

impl Microscope {
    /// Of the payload of one compressed message, unmasked, its frames put together, as it was on the
    /// wire. Where that is no DEFLATE data, what comes before is counted.
    pub fn of(deflated: &[u8]) -> Self {
        let walk = Walk::through(deflated);
        let [stored_blocks, fixed_blocks, dynamic_blocks] = walk.tally.blocks;
        let sent = walk.produced.saturating_sub(walk.tally.matched);
        Self {
            wire_len: deflated.len() as u64,
            data_len: walk.produced,
            stored_blocks,
            fixed_blocks,
            dynamic_blocks,
            stored: walk.tally.stored,
            literals: sent.saturating_sub(walk.tally.stored),
            matches: walk.tally.matches,
            matched: walk.tally.matched,
            longest: walk.tally.longest,
            from_before: walk.tally.from_before,
            reach: walk.reach,
        }
    }

    /// What the message proves, where the handshake says whether its sender forgets its window.
    pub const fn takeover(&self, no_context_takeover: bool) -> Takeover {
        match (no_context_takeover, self.reach.before_message.is_some()) {
            (false, true) => Takeover::Used,
            (false, false) => Takeover::Unused,
            (true, false) => Takeover::Forgotten,
            (true, true) => Takeover::Broken,
        }
    }

    /// Base-2 logarithm of the smallest window that could inflate the message: 8–15.
    pub fn window_bits(&self) -> u32 {
        let farthest = self.reach.farthest.map_or(1, |farthest| farthest.distance);
        farthest.next_power_of_two().trailing_zeros().clamp(8, 15)
    }
}

impl Takeover {
    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Used => "in use: octets were copied from earlier messages",
            Self::Unused => "agreed on, not used by this message",
            Self::Forgotten => "none: the window is forgotten after each message",
            Self::Broken => "used, although none was agreed on",
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    fn deflate(sender: &mut Compress, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() * 2 + 256);
        sender.compress_vec(data, &mut out, FlushCompress::Sync).unwrap();
        out.truncate(out.len() - 4);
        out
    }

    #[test]
    fn the_examples_of_rfc_7692_section_7_2_3() {
        let first = Microscope::of(&hex!("f248cdc9c90700"));
        assert_eq!(
            (first.data_len, first.literals, first.matches, first.fixed_blocks),
            (5, 5, 0, 1)
        );
        assert_eq!(first.takeover(false), Takeover::Unused);
        assert_eq!(first.takeover(true), Takeover::Forgotten);
        let again = Microscope::of(&hex!("f200110000"));
        assert_eq!(
            (again.data_len, again.literals, again.matched, again.from_before),
            (5, 1, 4, 4)
        );
        assert_eq!(again.takeover(false), Takeover::Used);
        assert_eq!(again.takeover(true), Takeover::Broken);
        let stored = Microscope::of(&hex!("000500faff48656c6c6f00"));
        assert_eq!((stored.stored_blocks, stored.stored, stored.literals), (1, 5, 0));
    }

    #[test]
    fn what_was_copied_from_before_is_counted_to_the_octet() {
        let mut sender = Compress::new(Compression::best(), false);
        deflate(&mut sender, b"0123456789abcdefghij");
        let wire = deflate(&mut sender, b"0123456789abcdefghij, and 0123456789abcdefghij");
        let seen = Microscope::of(&wire);
        assert_eq!(seen.data_len, 46);
        assert!((19..=20).contains(&seen.from_before), "{seen:?}");
        assert_eq!(seen.window_bits(), 8);
    }

    #[test]
    fn facts_add_up_and_read_well() {
        let mut facts = CompressionFacts { messages: 1, wire_len: 312, data_len: 1_204 };
        assert_eq!(facts.to_string(), "1,204 octets became 312 on the wire: 3.85 : 1, 892 saved");
        facts.add(CompressionFacts { messages: 1, wire_len: 1_000, data_len: 0 });
        assert_eq!((facts.messages, facts.saved(), facts.ratio_percent()), (2, -108, Some(91)));
        assert!(facts.to_string().ends_with("0.91 : 1, 108 more than without"), "{facts}");
        assert_eq!(CompressionFacts::default().ratio_percent(), None);
    }

    proptest! {
        #[test]
        fn every_octet_is_a_literal_stored_or_matched(
            texts in prop::collection::vec(prop::collection::vec(0u8..5, 1..2_000), 1..4),
            level in 0u32..10,
        ) {
            let mut sender = Compress::new(Compression::new(level), false);
            let mut before = 0_u64;
            for text in &texts {
                let seen = Microscope::of(&deflate(&mut sender, text));
                prop_assert_eq!(seen.data_len, text.len() as u64);
                prop_assert_eq!(seen.literals + seen.stored + seen.matched, seen.data_len);
                prop_assert!(seen.from_before <= seen.matched);
                prop_assert!(before > 0 || seen.from_before == 0);
                prop_assert_eq!(seen.from_before > 0, seen.takeover(false) == Takeover::Used);
                before += text.len() as u64;
            }
        }
    }
}
