//! Prefix codes (RFC 1951 §3.2.2): made from the lengths of their codes, and read symbol by symbol.

use super::bits::Bits;

/// The longest code (RFC 1951 §3.2.7).
const MOST_BITS: usize = 15;

/// Codes up to this length are found in one step.
const FAST_BITS: u32 = 9;

/// A prefix code (RFC 1951 §3.2.2).
pub(super) struct Code {
    /// By the next [`FAST_BITS`] bits: the symbol, and above nine bits the code's length; 0 where the
    /// code is longer.
    fast: [u16; 1 << FAST_BITS],
    /// How many codes have each length.
    counts: [u16; MOST_BITS + 1],
    /// Symbols by length, then in order.
    symbols: [u16; 288],
}

impl Code {
    /// `None` where there are more codes of a length than can be.
    pub(super) fn new(lengths: &[u8]) -> Option<Box<Self>> {
        let mut code =
            Box::new(Self { fast: [0; 1 << FAST_BITS], counts: [0; 16], symbols: [0; 288] });
        for length in lengths {
            let count = code.counts.get_mut(usize::from(*length))?;
            *count = count.saturating_add(1);
        }
        *code.counts.first_mut()? = 0;
        let (mut left, mut firsts, mut places) = (1_i32, [0_u32; 16], [0_usize; 16]);
        let (mut first, mut place) = (0_u32, 0_usize);
        for length in 1..=MOST_BITS {
            let count = *code.counts.get(length)?;
            left = (left << 1).checked_sub(i32::from(count))?;
            if left < 0 {
                return None;
            }
            first = first.checked_shl(1)?;
            (*firsts.get_mut(length)?, *places.get_mut(length)?) = (first, place);
            first = first.checked_add(u32::from(count))?;
            place = place.checked_add(usize::from(count))?;
        }
        for (symbol, length) in (0_u16..).zip(lengths) {
            let length = usize::from(*length);
            if length == 0 {
                continue;
            }
            let (next, place) = (firsts.get_mut(length)?, places.get_mut(length)?);
            *code.symbols.get_mut(*place)? = symbol;
            let bits = u32::try_from(length).ok()?;
            if bits <= FAST_BITS {
                // Codes come with their high bit first.
                let start = next.reverse_bits().checked_shr(32_u32.checked_sub(bits)?)?;
                let entry = symbol | u16::try_from(bits).ok()? << 9;
                let mut at = usize::try_from(start).ok()?;
                while let Some(fast) = code.fast.get_mut(at) {
                    *fast = entry;
                    at = at.checked_add(1 << bits)?;
                }
            }
            (*next, *place) = (next.checked_add(1)?, place.checked_add(1)?);
        }
        Some(code)
    }

    /// The next symbol; `None` where the data ends or has a code that nothing was given.
    #[inline]
    pub(super) fn next(&self, bits: &mut Bits<'_>) -> Option<u16> {
        bits.fill();
        let entry = *self.fast.get(usize::try_from(bits.held & ((1 << FAST_BITS) - 1)).ok()?)?;
        let length = u32::from(entry >> 9);
        if length > 0 && length <= bits.count {
            bits.drop(length);
            return Some(entry & 0x1FF);
        }
        self.next_long(bits)
    }

    /// Bit by bit.
    fn next_long(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut place) = (0_u32, 0_u32, 0_u32);
        for count in self.counts.iter().skip(1) {
            let count = u32::from(*count);
            code |= bits.take(1)?;
            if let Some(within) = code.checked_sub(first).filter(|within| *within < count) {
                let place = usize::try_from(place.wrapping_add(within)).ok()?;
                return self.symbols.get(place).copied();
            }
            place = place.wrapping_add(count);
            first = first.wrapping_add(count) << 1;
            code <<= 1;
        }
        None
    }
}
