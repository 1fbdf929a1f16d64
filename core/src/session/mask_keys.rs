//! Masking keys that can be foretold, RFC 6455 §5.3 and §10.3.
//!
//! "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong
//! source of entropy". One key says nothing, for any may come up by chance. So each weakness has to
//! show in as many keys as make a false alarm rarer than once in 2^60 frames.

use std::fmt;

use crate::MaskingKey;

/// What keys have in common that random ones have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Two keys running are 0: payloads travel as they are.
    Zero,
    /// Three keys running are the same.
    Repeated,
    /// Four keys running have the same distance, read with the high or the low octet first.
    Counting {
        /// That distance.
        step: u32,
    },
    /// Bits that never changed in the first 64 keys.
    StuckBits {
        /// The bits that did not.
        bits: u32,
    },
}

/// Watches the masking keys of one lane, in order; each costs a few instructions.
#[derive(Debug, Clone, Default)]
pub struct MaskKeys {
    last: u32,
    /// From the key before, read with the high octet first.
    step: u32,
    /// From the key before, read with the low octet first.
    turned_step: u32,
    /// How many keys running had the distance of the one before.
    steady: u16,
    /// Keys so far, up to [`ENOUGH`].
    seen: u16,
    /// Bits in which some key differed from the one before.
    changing: u32,
    is_told: bool,
}

/// Keys after which each bit of a random one has changed.
const ENOUGH: u16 = 64;

impl MaskKeys {
    /// Takes in the next key: whether [`MaskKeys::weakness`] is to be asked.
    #[inline]
    pub fn saw(&mut self, key: MaskingKey) -> bool {
        let key = u32::from_be_bytes(key.0);
        let step = key.wrapping_sub(self.last);
        let turned_step = key.swap_bytes().wrapping_sub(self.last.swap_bytes());
        let is_steady = step == self.step || turned_step == self.turned_step;
        self.steady = if is_steady { self.steady.saturating_add(1) } else { 0 };
        let both_are_zero = (key | self.last) == 0;
        if self.seen < ENOUGH {
            self.first(key);
        }
        (self.last, self.step, self.turned_step) = (key, step, turned_step);
        (is_steady || both_are_zero || self.seen == ENOUGH) && !self.is_told
    }

    /// Counts one of the first keys.
    fn first(&mut self, key: u32) {
        if self.seen == 0 {
            // There is no key before the first.
            self.steady = 0;
        } else {
            self.changing |= key ^ self.last;
        }
        self.seen = self.seen.saturating_add(1);
    }

    /// What the keys so far prove, once: the lane is then known.
    pub fn weakness(&mut self) -> Option<Weakness> {
        if self.is_told {
            return None;
        }
        let (is_zero, is_same) = (self.last == 0, self.step == 0);
        let weakness = if self.seen > 1 && is_zero && is_same {
            Weakness::Zero
        } else if self.seen > 2 && is_same && self.steady >= 1 {
            Weakness::Repeated
        } else if self.seen > 3 && !is_same && self.steady >= 2 {
            let (step, turned) = (self.step, self.turned_step);
            // Of both readings, the one in which it counts in the smaller steps.
            let size = |step: u32| step.min(step.wrapping_neg());
            Weakness::Counting { step: if size(step) <= size(turned) { step } else { turned } }
        } else if self.seen == ENOUGH && self.changing != u32::MAX {
            Weakness::StuckBits { bits: !self.changing }
        } else {
            if self.seen == ENOUGH {
                self.seen = ENOUGH.saturating_add(1);
            }
            return None;
        };
        self.is_told = true;
        Some(weakness)
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("this key and the one before are 00000000"),
            Self::Repeated => f.write_str("this key and the two before are the same"),
            Self::Counting { step } => {
                let (sign, size) =
                    if step >> 31 == 0 { ('+', *step) } else { ('-', step.wrapping_neg()) };
                write!(f, "this key follows the three before it in steps of {sign}{size}")
            }
            Self::StuckBits { bits } => {
                write!(f, "the bits {bits:08x} were the same in all of the first {ENOUGH} keys")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is told of these keys, and at which of them.
    fn told(keys: impl IntoIterator<Item = u32>) -> Option<(usize, Weakness)> {
        let mut watch = MaskKeys::default();
        let mut told = None;
        for (at, key) in keys.into_iter().enumerate() {
            if watch.saw(MaskingKey(key.to_be_bytes()))
                && let Some(weakness) = watch.weakness()
            {
                assert_eq!(told, None, "told once");
                told = Some((at, weakness));
            }
        }
        told
    }

    #[test]
    fn weak_keys_are_told_when_they_are_proven() {
        type Row = (&'static [u32], Option<(usize, Weakness)>);
        let rows: [Row; 10] = [
            (&[0], None),
            (&[0, 9, 0], None),
            (&[7, 0, 0, 0], Some((2, Weakness::Zero))),
            (&[5, 5], None),
            (&[5, 5, 9, 9], None),
            (&[5, 5, 5, 5], Some((2, Weakness::Repeated))),
            (&[10, 11, 12], None),
            (&[10, 11, 12, 13], Some((3, Weakness::Counting { step: 1 }))),
            (
                &[0x0a00_0000, 0x0900_0000, 0x0800_0000, 0x0700_0000],
                Some((3, Weakness::Counting { step: u32::MAX })),
            ),
            (&[1, 2, 4, 8, 16], None),
        ];
        for (keys, expected) in rows {
            assert_eq!(told(keys.iter().copied()), expected, "{keys:x?}");
        }
    }

    /// A generator that changes all bits: what a good source gives.
    fn mixed(seed: u32) -> impl Iterator<Item = u32> {
        (1u64..).map(move |n| {
            let mut z = (u64::from(seed) << 32 | n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            ((z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 32) as u32
        })
    }

    #[test]
    fn fifteen_random_bits_in_each_half_are_too_few() {
        let keys = mixed(1).map(|key| key & 0x7fff_7fff).take(100);
        assert_eq!(told(keys), Some((63, Weakness::StuckBits { bits: 0x8000_8000 })));
    }

    proptest! {
        #[test]
        fn good_keys_are_never_weak(seed: u32) {
            prop_assert_eq!(told(mixed(seed).take(2_000)), None);
        }
    }
}
