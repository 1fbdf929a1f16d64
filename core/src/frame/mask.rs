//! Masking, RFC 6455 §5.3: octet i of the payload XOR octet i mod 4 of the key.

use std::fmt;

/// The four octets that a client masks a frame's payload with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskingKey(pub [u8; 4]);

impl MaskingKey {
    /// The key octet for payload position `position`.
    pub const fn octet_at(self, position: u64) -> u8 {
        let [first, second, third, fourth] = self.0;
        match position & 3 {
            0 => first,
            1 => second,
            2 => third,
            _ => fourth,
        }
    }

    /// The key as it must be applied to octets that start at payload position `position`.
    #[must_use]
    pub const fn rotated(self, position: u64) -> Self {
        let [a, b, c, d] = self.0;
        match position & 3 {
            0 => self,
            1 => Self([b, c, d, a]),
            2 => Self([c, d, a, b]),
            _ => Self([d, a, b, c]),
        }
    }

    /// Masks or unmasks (the same operation) octets that start at payload position `position`.
    ///
    /// Any split of a payload gives the same result: pass each part with its own position.
    #[inline]
    pub fn apply(self, position: u64, octets: &mut [u8]) {
        let key = self.rotated(position);
        let wide = key.wide();
        let (blocks, rest) = octets.as_chunks_mut::<BLOCK>();
        for block in blocks {
            let (words, _) = block.as_chunks_mut::<8>();
            for word in words {
                *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
            }
        }
        let (words, rest) = rest.as_chunks_mut::<8>();
        for word in words {
            *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
        }
        for (octet, key) in rest.iter_mut().zip(wide.to_ne_bytes()) {
            *octet ^= key;
        }
    }

    /// Writes `octets`, masked or unmasked from payload position `position`, into the front of
    /// `room`, which grows where it is too short and is else overwritten: for room that is used again
    /// and again. One pass, where [`MaskingKey::apply_into`] needs two.
    #[inline]
    pub fn apply_to<'a>(self, position: u64, octets: &[u8], room: &'a mut Vec<u8>) -> &'a [u8] {
        if room.len() < octets.len() {
            room.resize(octets.len(), 0);
        }
        let Some(plain) = room.get_mut(..octets.len()) else { return &[] };
        let wide = self.rotated(position).wide();
        let (from_blocks, from_rest) = octets.as_chunks::<BLOCK>();
        let (to_blocks, to_rest) = plain.as_chunks_mut::<BLOCK>();
        for (from, to) in from_blocks.iter().zip(to_blocks) {
            copy_words(from, to, wide);
        }
        copy_words(from_rest, to_rest, wide);
        plain
    }

    /// Appends `octets`, masked or unmasked from payload position `position`, to `out`.
    pub fn apply_into(self, position: u64, octets: &[u8], out: &mut Vec<u8>) {
        // In pieces that are still in the first-level cache when they are gone over again; a
        // multiple of four octets, so that each begins with the same octet of the key.
        const PIECE: usize = 4 << 10;
        let key = self.rotated(position);
        out.reserve(octets.len());
        for piece in octets.chunks(PIECE) {
            let start = out.len();
            out.extend_from_slice(piece);
            if let Some(fresh) = out.get_mut(start..) {
                key.apply(0, fresh);
            }
        }
    }

    /// Whether a payload, unmasked from its first octet, is ASCII: without writing it anywhere.
    #[inline]
    pub fn yields_ascii(self, octets: &[u8]) -> bool {
        const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
        let wide = self.wide();
        let (blocks, rest) = octets.as_chunks::<BLOCK>();
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            let seen = words.iter().fold(0, |seen, word| seen | (u64::from_ne_bytes(*word) ^ wide));
            if seen & HIGH_BITS != 0 {
                return false;
            }
        }
        let (words, rest) = rest.as_chunks::<8>();
        let seen = words.iter().fold(0, |seen, word| seen | (u64::from_ne_bytes(*word) ^ wide));
        let last =
            rest.iter().zip(wide.to_ne_bytes()).fold(0, |seen, (octet, key)| seen | (octet ^ key));
        seen & HIGH_BITS == 0 && last.is_ascii()
    }

    /// The key twice over, as a word in memory order.
    #[inline]
    const fn wide(self) -> u64 {
        let [a, b, c, d] = self.0;
        u64::from_ne_bytes([a, b, c, d, a, b, c, d])
    }
}

/// Octets taken at once: as many as the compiler keeps in vector registers.
const BLOCK: usize = 64;

/// Writes `from`, masked with `wide`, to `to`, which is as long.
#[inline]
fn copy_words(from: &[u8], to: &mut [u8], wide: u64) {
    let (from_words, from_rest) = from.as_chunks::<8>();
    let (to_words, to_rest) = to.as_chunks_mut::<8>();
    for (from, to) in from_words.iter().zip(to_words) {
        *to = (u64::from_ne_bytes(*from) ^ wide).to_ne_bytes();
    }
    for ((from, to), key) in from_rest.iter().zip(to_rest).zip(wide.to_ne_bytes()) {
        *to = from ^ key;
    }
}

impl fmt::Display for MaskingKey {
    /// Eight lower-case hex digits, such as `37fa213d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rfcs_hello_unmasks() {
        let mut payload = hex!("7f9f4d5158");
        MaskingKey(hex!("37fa213d")).apply(0, &mut payload);
        assert_eq!(&payload, b"Hello");
    }

    #[test]
    fn prints_as_eight_hex_digits() {
        assert_eq!(MaskingKey(hex!("0a00ff01")).to_string(), "0a00ff01");
    }

    proptest! {
        #[test]
        fn any_split_unmasks_alike_and_twice_is_nothing(
            key: [u8; 4], start in 0u64..9, cut in 0usize..80, room: Vec<u8>,
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let key = MaskingKey(key);
            let by_octet: Vec<u8> = payload.iter().zip(start..)
                .map(|(octet, at)| octet ^ key.octet_at(at)).collect();
            let mut whole = payload.clone();
            key.apply(start, &mut whole);
            prop_assert_eq!(&whole, &by_octet);

            let cut = cut.min(payload.len());
            let mut parts = Vec::new();
            key.apply_into(start, &payload[..cut], &mut parts);
            key.apply_into(start + cut as u64, &payload[cut..], &mut parts);
            prop_assert_eq!(&parts, &by_octet);

            let mut plain = payload.clone();
            key.apply(0, &mut plain);
            prop_assert_eq!(key.yields_ascii(&payload), plain.is_ascii());
            let text: Vec<u8> = payload.iter().map(|octet| octet & 0x7F).collect();
            let mut masked = text.clone();
            key.apply(0, &mut masked);
            prop_assert!(key.yields_ascii(&masked));

            let mut room = room;
            prop_assert_eq!(key.apply_to(start, &payload, &mut room), &by_octet);
            prop_assert_eq!(key.apply_to(start + cut as u64, &payload[cut..], &mut room), &by_octet[cut..]);

            key.apply(start, &mut whole);
            prop_assert_eq!(whole, payload);
        }
    }
}
