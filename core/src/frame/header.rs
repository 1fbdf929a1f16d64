//! Frame header, RFC 6455 §5.2.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |F|R|R|R| opcode|M| payload_len |   extended payload length     |
//! |I|S|S|S|  (4)  |A|     (7)     |      16 bits, or 64 bits      |
//! |N|V|V|V|       |S|             |                               |
//! | |1|2|3|       |K|             |                               |
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |                masking_key, 32 bits, if MASK is 1             |
//! +---------------------------------------------------------------+
//! ```

use crate::frame::{LengthForm, MaskingKey, Opcode, PayloadLength};

/// The longest header: 2 octets, 8 of length, 4 of masking key.
pub const MAX_HEADER_LEN: usize = 14;

/// The three reserved bits, as the low three bits of an octet: RSV1 is 0b100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rsv(u8);

impl Rsv {
    /// No reserved bit is set.
    pub const NONE: Self = Self(0);

    /// From the three bits, RSV1 the most significant.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b111)
    }

    /// The three bits, RSV1 the most significant: 0–7.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// RSV1, which permessage-deflate uses to mark a compressed message (RFC 7692 §6).
    pub const fn rsv1(self) -> bool {
        self.0 & 0b100 != 0
    }

    /// RSV2.
    pub const fn rsv2(self) -> bool {
        self.0 & 0b010 != 0
    }

    /// RSV3.
    pub const fn rsv3(self) -> bool {
        self.0 & 0b001 != 0
    }
}

/// Every bit of a frame header; field order is bit order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameHeader {
    /// This frame ends its message.
    pub fin: bool,
    /// The three reserved bits.
    pub rsv: Rsv,
    /// What the frame is.
    pub opcode: Opcode,
    /// `Some` where the MASK bit is 1.
    pub masking_key: Option<MaskingKey>,
    /// How long the payload is, and how that was written.
    pub payload_len: PayloadLength,
}

impl FrameHeader {
    /// Reads a header from the start of `octets`: the header and its length in octets (2–14), or
    /// `None` where octets are missing. Total: every octet string is a header or the start of one.
    #[inline]
    pub fn parse(octets: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], rest) = octets.split_first_chunk::<2>()?;
        let (payload_len, rest, extended) = match second & 0x7F {
            126 => {
                let (length, rest) = rest.split_first_chunk::<2>()?;
                let value = u64::from(u16::from_be_bytes(*length));
                (PayloadLength { value, form: LengthForm::Sixteen }, rest, 2)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                let value = u64::from_be_bytes(*length);
                (PayloadLength { value, form: LengthForm::SixtyFour }, rest, 8)
            }
            short => (PayloadLength { value: u64::from(short), form: LengthForm::Seven }, rest, 0),
        };
        let (masking_key, key) = if second & 0x80 == 0 {
            (None, 0)
        } else {
            (Some(MaskingKey(*rest.first_chunk::<4>()?)), 4)
        };
        let header = Self {
            fin: first & 0x80 != 0,
            rsv: Rsv::from_bits(first >> 4),
            opcode: Opcode::from_bits(first),
            masking_key,
            payload_len,
        };
        Some((header, 2 + extended + key))
    }

    /// Octets the header takes on the wire: 2–14.
    pub const fn encoded_len(&self) -> u8 {
        let key = if self.masking_key.is_some() { 4 } else { 0 };
        2 + self.payload_len.form.extended_octets() + key
    }

    /// Appends the header as it stands on the wire. A value that does not fit its form is cut to it.
    #[expect(clippy::cast_possible_truncation, reason = "the form says how many bits there are")]
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fin = if self.fin { 0x80 } else { 0 };
        let mask = if self.masking_key.is_some() { 0x80 } else { 0 };
        out.push(fin | (self.rsv.bits() << 4) | self.opcode.bits());
        let value = self.payload_len.value;
        match self.payload_len.form {
            LengthForm::Seven => out.push(mask | (value as u8 & 0x7F)),
            LengthForm::Sixteen => {
                out.push(mask | 0x7E);
                out.extend_from_slice(&(value as u16).to_be_bytes());
            }
            LengthForm::SixtyFour => {
                out.push(mask | 0x7F);
                out.extend_from_slice(&value.to_be_bytes());
            }
        }
        if let Some(key) = self.masking_key {
            out.extend_from_slice(&key.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    fn header(octets: &[u8]) -> FrameHeader {
        let (header, len) = FrameHeader::parse(octets).expect("a whole header");
        assert_eq!(len, octets.len());
        header
    }

    #[test]
    fn the_examples_of_rfc_6455_section_5_7() {
        let plain = |fin, opcode, len| FrameHeader {
            fin,
            rsv: Rsv::NONE,
            opcode,
            masking_key: None,
            payload_len: PayloadLength::minimal(len),
        };
        let key = Some(MaskingKey(hex!("37fa213d")));
        let rows = [
            (&hex!("81 05")[..], plain(true, Opcode::Text, 5)),
            (
                &hex!("81 85 37fa213d"),
                FrameHeader { masking_key: key, ..plain(true, Opcode::Text, 5) },
            ),
            (&hex!("01 03"), plain(false, Opcode::Text, 3)),
            (&hex!("80 02"), plain(true, Opcode::Continuation, 2)),
            (&hex!("89 05"), plain(true, Opcode::Ping, 5)),
            (
                &hex!("8a 85 37fa213d"),
                FrameHeader { masking_key: key, ..plain(true, Opcode::Pong, 5) },
            ),
            (&hex!("82 7e 0100"), plain(true, Opcode::Binary, 256)),
            (&hex!("82 7f 0000000000010000"), plain(true, Opcode::Binary, 65_536)),
        ];
        for (octets, expected) in rows {
            assert_eq!(header(octets), expected, "{octets:02x?}");
            let mut encoded = Vec::new();
            expected.encode(&mut encoded);
            assert_eq!(encoded, octets);
        }
    }

    #[test]
    fn reserved_bits_and_lengths_that_are_not_minimal_are_kept() {
        let odd = header(&hex!("f1 fe 0005 00000000"));
        assert_eq!(odd.rsv.bits(), 0b111);
        assert!(odd.rsv.rsv1() && odd.rsv.rsv2() && odd.rsv.rsv3());
        assert_eq!(odd.payload_len, PayloadLength { value: 5, form: LengthForm::Sixteen });
        assert!(!odd.payload_len.is_minimal());
        let huge = header(&hex!("82 7f ffffffffffffffff"));
        assert!(huge.payload_len.is_forbidden());
    }

    proptest! {
        #[test]
        fn what_is_parsed_encodes_to_the_same_octets(octets in prop::collection::vec(any::<u8>(), 0..20)) {
            match FrameHeader::parse(&octets) {
                Some((header, len)) => {
                    let mut encoded = Vec::new();
                    header.encode(&mut encoded);
                    prop_assert_eq!(&encoded, &octets[..len]);
                    prop_assert!(FrameHeader::parse(&octets[..len - 1]).is_none());
                }
                None => prop_assert!(octets.len() < MAX_HEADER_LEN),
            }
        }
    }
}
