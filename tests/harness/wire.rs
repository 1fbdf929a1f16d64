//! Octets of handshakes and frames, and hashes of octets.

use framescope_core::frame::Rsv;
use framescope_core::{FrameHeader, MaskingKey, Opcode, PayloadLength};
use sha2::{Digest, Sha256};

/// The key of RFC 6455 §1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What answers it.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Masks a frame without changing its payload.
pub const NO_MASK: MaskingKey = MaskingKey([0; 4]);

/// An opening request for `target`, with further header lines, each ended by CRLF.
pub fn request(target: &str, host: &str, further: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{further}\r\n"
    )
}

/// The 101 that answers [`request`], with further header lines, each ended by CRLF.
pub fn response(further: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n{further}\r\n"
    )
}

/// One frame; masked with `key` where there is one.
pub fn frame(fin: bool, opcode: Opcode, key: Option<MaskingKey>, payload: &[u8]) -> Vec<u8> {
    let payload_len = PayloadLength::minimal(payload.len() as u64);
    let header = FrameHeader { fin, rsv: Rsv::NONE, opcode, masking_key: key, payload_len };
    let mut wire = Vec::with_capacity(payload.len() + 14);
    header.encode(&mut wire);
    match key {
        Some(key) => key.apply_into(0, payload, &mut wire),
        None => wire.extend_from_slice(payload),
    }
    wire
}

/// SHA-256, in hex.
pub fn sha256(octets: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(octets).iter().fold(String::new(), |mut hex, octet| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{octet:02x}");
        hex
    })
}

/// Octets that look like anything: the same for the same seed.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut octets = Vec::with_capacity(len + 8);
    while octets.len() < len {
        octets.extend_from_slice(&random.next().to_le_bytes());
    }
    octets.truncate(len);
    octets
}

/// Numbers that look like anything: the same for the same seed (xorshift64*, Vigna 2016).
#[derive(Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// What this seed gives.
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// The next octet.
    pub fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// From 0 to `end`, which is not among them and not 0.
    pub fn below(&mut self, end: usize) -> usize {
        // The high bits are the better ones.
        usize::try_from((self.next() >> 16) % end as u64).expect("less than a usize")
    }

    /// From 0 to `most`, both among them; short lengths are likelier.
    pub fn length(&mut self, most: usize) -> usize {
        let most = most >> self.below(12);
        self.below(most + 1)
    }
}
