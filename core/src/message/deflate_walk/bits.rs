//! Bits out of octets, as DEFLATE packs them (RFC 1951 §3.1.1).

/// Bits out of octets, the low bit of each first.
pub(super) struct Bits<'a> {
    /// Those of which no bit is held.
    pub(super) octets: &'a [u8],
    /// The next bits, the first of them lowest.
    pub(super) held: u64,
    /// How many are held.
    pub(super) count: u32,
}

impl<'a> Bits<'a> {
    /// None held.
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, held: 0, count: 0 }
    }

    /// Holds at least 48 bits, where there are so many left.
    #[inline]
    pub(super) fn fill(&mut self) {
        while self.count <= 48
            && let Some((octet, rest)) = self.octets.split_first()
        {
            self.held |= u64::from(*octet) << self.count;
            self.count = self.count.wrapping_add(8);
            self.octets = rest;
        }
    }

    /// The next `count` bits, at most 16; `None` where there are fewer.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        self.fill();
        if count > self.count {
            return None;
        }
        let value = self.held & ((1 << count) - 1);
        self.drop(count);
        u32::try_from(value).ok()
    }

    /// Lets go of `count` bits that are held.
    #[inline]
    pub(super) fn drop(&mut self, count: u32) {
        self.held >>= count;
        self.count = self.count.wrapping_sub(count);
    }

    /// To the next octet.
    pub(super) fn align(&mut self) {
        self.drop(self.count % 8);
    }

    /// Passes over whole octets; `None` where there are fewer.
    pub(super) fn skip_octets(&mut self, mut len: usize) -> Option<()> {
        while len > 0 && self.count >= 8 {
            self.drop(8);
            len = len.saturating_sub(1);
        }
        self.octets = self.octets.get(len..)?;
        Some(())
    }
}
