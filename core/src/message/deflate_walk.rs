//! How far back DEFLATE data refers (RFC 1951 §3.2): block headers, codes and match distances are
//! read, and nothing is inflated.
//!
//! An inflater with a large window reads what a smaller one could not, and so hides that a sender
//! broke what it promised in the handshake (RFC 7692 §7.1). The distances of its matches tell.

mod bits;
mod code;

use std::sync::LazyLock;

use bits::Bits;
use code::Code;

/// A match that refers to octets before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// How many octets back: 1–32,768.
    pub distance: u32,
    /// How many octets of the message came out before it.
    pub after: u64,
}

/// What the matches of one message refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// The first of those that refer farthest back.
    pub farthest: Option<Match>,
    /// The first that refers to before the message.
    pub before_message: Option<Match>,
}

impl Reach {
    /// Walks through the payload of one compressed message, or through its first octets. Where they
    /// are no DEFLATE data, what was seen before counts.
    pub fn of(deflated: &[u8]) -> Self {
        Walk::through(deflated).reach
    }
}

/// What the data is made of; see [`super::Microscope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// By their two bits: stored, with the fixed codes, with codes of their own.
    pub(super) blocks: [u64; 3],
    pub(super) stored: u64,
    pub(super) matches: u64,
    pub(super) matched: u64,
    pub(super) longest: u64,
    pub(super) from_before: u64,
}

/// What is seen on the way through the payload of one compressed message.
pub(super) struct Walk<'a> {
    bits: Bits<'a>,
    pub(super) produced: u64,
    pub(super) reach: Reach,
    pub(super) tally: Tally,
}

impl<'a> Walk<'a> {
    /// To the end of the data, or to where it is broken.
    pub(super) fn through(deflated: &'a [u8]) -> Self {
        let (reach, tally) = (Reach::default(), Tally::default());
        let mut walk = Self { bits: Bits::new(deflated), produced: 0, reach, tally };
        while let Some(is_last) = walk.block() {
            // Behind a last block a new stream begins at the next octet (RFC 7692 §7.2.3.4).
            if is_last {
                walk.bits.align();
            }
        }
        walk
    }
}

/// Where a DEFLATE stream lies that begins with the first of some octets and ends among them, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamPlace {
    /// Of its last block's header, whose first bit is BFINAL.
    last_block: usize,
    end: usize,
}

impl StreamPlace {
    /// `None` where the octets end before the stream, or are no DEFLATE data.
    pub(super) fn of(deflated: &[u8]) -> Option<Self> {
        let (reach, tally) = (Reach::default(), Tally::default());
        let mut walk = Walk { bits: Bits::new(deflated), produced: 0, reach, tally };
        let left = |walk: &Walk<'_>| {
            walk.bits.octets.len().checked_mul(8)?.checked_add(walk.bits.count as usize)
        };
        let all = left(&walk)?;
        loop {
            let last_block = all.checked_sub(left(&walk)?)?;
            if walk.block()? {
                return Some(Self { last_block, end: all.checked_sub(left(&walk)?)? });
            }
        }
    }

    /// How many octets it lies in.
    pub(super) fn len(self) -> usize {
        self.end.div_ceil(8)
    }

    /// The stream as if it did not end, with these octets of it: its last block is none, and a stored
    /// block without octets behind it ends with an octet (RFC 7692 §7.2.1).
    pub(super) fn unended(self, octets: &[u8]) -> Vec<u8> {
        let bit = |at: usize| {
            let at = u32::try_from(at % 8).unwrap_or_default();
            1_u8.checked_shl(at).unwrap_or_default()
        };
        let mut unended = octets.to_vec();
        if let Some(octet) = unended.get_mut(self.last_block / 8) {
            *octet &= !bit(self.last_block);
        }
        let used = self.end % 8;
        if used > 0
            && let Some(octet) = unended.last_mut()
        {
            *octet &= bit(used).wrapping_sub(1);
        }
        // The block's header has three bits.
        if used == 0 || used > 5 {
            unended.push(0);
        }
        unended.extend_from_slice(&[0x00, 0x00, 0xFF, 0xFF]);
        unended
    }
}

impl Walk<'_> {
    /// One block, and whether BFINAL says that it is its stream's last; `None` where the data ends or is
    /// broken.
    fn block(&mut self) -> Option<bool> {
        let is_last = self.bits.take(1)? == 1;
        let kind = self.bits.take(2)?;
        match kind {
            0 => self.stored()?,
            1 => {
                let (literals, distances) = FIXED.as_ref()?;
                self.compressed(literals, distances)?;
            }
            2 => {
                let (literals, distances) = self.dynamic()?;
                self.compressed(&literals, &distances)?;
            }
            _ => return None,
        }
        if let Some(count) = self.tally.blocks.get_mut(usize::try_from(kind).ok()?) {
            *count = count.saturating_add(1);
        }
        Some(is_last)
    }

    fn stored(&mut self) -> Option<()> {
        self.bits.align();
        let len = self.bits.take(16)?;
        if self.bits.take(16)? != len ^ 0xFFFF {
            return None;
        }
        self.bits.skip_octets(usize::try_from(len).ok()?)?;
        self.produced = self.produced.saturating_add(u64::from(len));
        self.tally.stored = self.tally.stored.saturating_add(u64::from(len));
        Some(())
    }

    /// RFC 1951 §3.2.5: literals, and matches with a length and a distance.
    fn compressed(&mut self, literals: &Code, distances: &Code) -> Option<()> {
        const BASE: [u16; 29] = [
            3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99,
            115, 131, 163, 195, 227, 258,
        ];
        const EXTRA: [u8; 29] =
            [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
        loop {
            let symbol = literals.next(&mut self.bits)?;
            let place = match symbol {
                0..=255 => {
                    self.produced = self.produced.saturating_add(1);
                    continue;
                }
                256 => return Some(()),
                _ => usize::from(symbol.wrapping_sub(257)),
            };
            let extra = self.bits.take(u32::from(*EXTRA.get(place)?))?;
            let len = u64::from(*BASE.get(place)?).saturating_add(u64::from(extra));
            let distance = self.distance(distances)?;
            let found = Match { distance, after: self.produced };
            if self.reach.farthest.is_none_or(|farthest| farthest.distance < distance) {
                self.reach.farthest = Some(found);
            }
            let before = u64::from(distance).saturating_sub(self.produced).min(len);
            if before > 0 {
                self.reach.before_message.get_or_insert(found);
                self.tally.from_before = self.tally.from_before.saturating_add(before);
            }
            self.tally.matches = self.tally.matches.saturating_add(1);
            self.tally.matched = self.tally.matched.saturating_add(len);
            self.tally.longest = self.tally.longest.max(len);
            self.produced = self.produced.saturating_add(len);
        }
    }

    /// Symbols 0–3 are distances 1–4; then each pair has one more extra bit.
    fn distance(&mut self, distances: &Code) -> Option<u32> {
        let symbol = u32::from(distances.next(&mut self.bits)?);
        if symbol < 4 {
            return Some(symbol.wrapping_add(1));
        }
        if symbol > 29 {
            return None;
        }
        let extra_bits = (symbol >> 1).wrapping_sub(1);
        let extra = self.bits.take(extra_bits)?;
        Some((((2 | (symbol & 1)) << extra_bits) | extra).wrapping_add(1))
    }

    /// RFC 1951 §3.2.7: the codes' lengths, themselves coded.
    fn dynamic(&mut self) -> Option<(Box<Code>, Box<Code>)> {
        const ORDER: [usize; 19] =
            [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let literal_count = usize::try_from(self.bits.take(5)?.wrapping_add(257)).ok()?;
        let distance_count = usize::try_from(self.bits.take(5)?.wrapping_add(1)).ok()?;
        let length_count = usize::try_from(self.bits.take(4)?.wrapping_add(4)).ok()?;
        let mut lengths = [0_u8; 19];
        for place in ORDER.iter().take(length_count) {
            *lengths.get_mut(*place)? = u8::try_from(self.bits.take(3)?).ok()?;
        }
        let code = Code::new(&lengths)?;
        let (mut lengths, mut count) = ([0_u8; 320], 0_usize);
        let all = literal_count.saturating_add(distance_count);
        while count < all {
            let symbol = code.next(&mut self.bits)?;
            let (length, times) = match symbol {
                0..=15 => (u8::try_from(symbol).ok()?, 1),
                16 => (*lengths.get(count.checked_sub(1)?)?, self.bits.take(2)?.wrapping_add(3)),
                17 => (0, self.bits.take(3)?.wrapping_add(3)),
                _ => (0, self.bits.take(7)?.wrapping_add(11)),
            };
            let end = count.saturating_add(usize::try_from(times).ok()?);
            if end > all {
                return None;
            }
            lengths.get_mut(count..end)?.fill(length);
            count = end;
        }
        let (literals, distances) = lengths.get(..all)?.split_at_checked(literal_count)?;
        Some((Code::new(literals)?, Code::new(distances)?))
    }
}

/// The codes of RFC 1951 §3.2.6, for literals and for distances.
static FIXED: LazyLock<Option<(Box<Code>, Box<Code>)>> = LazyLock::new(|| {
    let mut lengths = [8_u8; 288];
    lengths.get_mut(144..256)?.fill(9);
    lengths.get_mut(256..280)?.fill(7);
    Some((Code::new(&lengths)?, Code::new(&[5; 30])?))
});

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    fn seen(distance: u32, after: u64) -> Match {
        Match { distance, after }
    }

    #[test]
    fn the_examples_of_rfc_7692_section_7_2_3() {
        let none = Reach::default();
        assert_eq!(Reach::of(&hex!("f248cdc9c90700")), none);
        let second = Some(seen(5, 1));
        assert_eq!(
            Reach::of(&hex!("f200110000")),
            Reach { farthest: second, before_message: second },
            "the second Hello refers to the first"
        );
        assert_eq!(Reach::of(&hex!("000500faff48656c6c6f00")), none);
        assert_eq!(Reach::of(&hex!("f348cdc9c9070000")), none);
        // Two streams in one message: a match in the second refers to the first.
        let both = [&hex!("f348cdc9c90700")[..], &hex!("f200110000")].concat();
        assert_eq!(Reach::of(&both), Reach { farthest: Some(seen(5, 6)), before_message: None });
    }

    fn deflate(compress: &mut Compress, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() * 2 + 256);
        compress.compress_vec(data, &mut out, FlushCompress::Sync).unwrap();
        out
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    }

    #[test]
    fn a_window_is_seen_in_the_distances() {
        let data = [&noise(3_000)[..], &noise(3_000)].concat();
        let mut wide = Compress::new(Compression::best(), false);
        let reach = Reach::of(&deflate(&mut wide, &data));
        assert_eq!(reach, Reach { farthest: Some(seen(3_000, 3_001)), before_message: None });
        let mut narrow = Compress::new_with_window_bits(Compression::best(), false, 10);
        let reach = Reach::of(&deflate(&mut narrow, &data));
        assert!(reach.farthest.is_none_or(|farthest| farthest.distance <= 1 << 10), "{reach:?}");
    }

    #[test]
    fn takeover_is_seen_in_the_second_message() {
        let mut sender = Compress::new(Compression::default(), false);
        assert_eq!(Reach::of(&deflate(&mut sender, &noise(100))).before_message, None);
        let again = deflate(&mut sender, &noise(100));
        assert_eq!(Reach::of(&again).before_message, Some(seen(100, 1)));
    }

    proptest! {
        #[test]
        fn every_octet_is_walked(
            data in prop::collection::vec(0u8..6, 0..4_000), level in 0u32..10, noisy: bool,
        ) {
            // A literal behind the data refers to nothing: that the walk comes to it shows in `after`.
            let mut data = data;
            if noisy {
                data.extend_from_slice(&noise(2_000));
            }
            data.extend_from_slice(b"a needle in the hay; a needle in the hay");
            let mut sender = Compress::new(Compression::new(level), false);
            let deflated = deflate(&mut sender, &data);
            let walk = Walk::through(&deflated);
            prop_assert_eq!(walk.produced, data.len() as u64);
            prop_assert!(walk.bits.octets.is_empty());
            prop_assert_eq!(walk.reach.before_message, None);
        }

        #[test]
        fn what_inflates_refers_to_nothing_before_it(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut out = Vec::with_capacity(1 << 20);
            let whole = Decompress::new(false)
                .decompress_vec(&octets, &mut out, FlushDecompress::Sync)
                .is_ok();
            let reach = Reach::of(&octets);
            if whole && out.len() < 1 << 20 && !octets.is_empty() {
                // The inflater stops behind a last block; the walk goes on.
                let within = reach.before_message.is_none_or(|m| m.after >= out.len() as u64);
                prop_assert!(within, "{reach:?} in {} octets", out.len());
            }
        }
    }
}
