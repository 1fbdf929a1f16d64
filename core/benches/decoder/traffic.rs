//! The octets that are measured: frames of one size, back to back.

use framescope_core::frame::Rsv;
use framescope_core::{FrameHeader, MaskingKey, Opcode, PayloadLength};

/// Octets of each buffer, about: they stay in the second-level cache, as fresh reads do.
const WIRE_LEN: usize = 1 << 20;

/// A client's frames, and what they carry.
pub struct Traffic {
    /// The payload of each frame, in octets.
    pub size: usize,
    /// How many frames.
    pub frames: usize,
    /// Header after payload, over and over.
    pub wire: Vec<u8>,
    /// All payloads, plain, one behind the other.
    pub plain: Vec<u8>,
}

impl Traffic {
    /// Binary frames.
    pub fn masked_binary(size: usize) -> Self {
        Self::new(size, Opcode::Binary, |at| (at.wrapping_mul(31) >> 3).to_le_bytes()[0])
    }

    /// Text frames of JSON: in every 32 octets one character of two.
    pub fn masked_text(size: usize) -> Self {
        let text = "{\"price\":12.50,\"name\":\"Müller\"}".as_bytes();
        assert!(size.is_multiple_of(text.len()), "no character is cut");
        Self::new(size, Opcode::Text, |at| text[at % text.len()])
    }

    fn new(size: usize, opcode: Opcode, octet: impl Fn(usize) -> u8) -> Self {
        let frames = WIRE_LEN.div_ceil(size + 14);
        let (mut wire, mut plain) = (Vec::new(), Vec::new());
        for (number, at) in (0_u32..).zip((0..frames).map(|frame| frame * size)) {
            // Mixed, for keys that count are a finding.
            let mixed = number.wrapping_mul(0x9E37_79B9);
            let mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85EB_CA6B);
            let key = MaskingKey(mixed.to_be_bytes());
            let header = FrameHeader {
                fin: true,
                rsv: Rsv::NONE,
                opcode,
                masking_key: Some(key),
                payload_len: PayloadLength::minimal(size as u64),
            };
            let payload: Vec<u8> = (0..size).map(|i| octet(at + i)).collect();
            header.encode(&mut wire);
            key.apply_into(0, &payload, &mut wire);
            plain.extend_from_slice(&payload);
        }
        Self { size, frames, wire, plain }
    }
}
