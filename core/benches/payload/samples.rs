//! Payloads as applications send them, and some that make telling hard.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// What it is, whether it comes in a text message, the octets.
pub(crate) type Sample = (&'static str, bool, Vec<u8>);

pub(crate) fn all() -> Vec<Sample> {
    let json =
        br#"{"type":"quote","symbol":"ABJ","price":181.25,"size":[100,250],"at":1700000000123}"#;
    let long = format!("[{}]", vec![String::from_utf8_lossy(json); 800].join(","));
    let text = "The quick brown fox jumps over the lazy dog, again and again. ";
    let base64 = "eyJ0eXBlIjoicXVvdGUiLCJzeW1ib2wiOiJBQkoiLCJwcmljZSI6MTgxLjI1fQ==";
    let letters =
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg".repeat(900);
    let pack =
        b"\x83\xa4type\xa5quote\xa6symbol\xa3ABJ\xa5price\xcb\x40\x66\xa8\x00\x00\x00\x00\x00";
    let packed_long: Vec<u8> = [&[0xdc, 0x03, 0x20][..], &pack.repeat(800)].concat();
    let cbor =
        b"\xa3\x64type\x65quote\x66symbol\x63ABJ\x65price\xfb\x40\x66\xa8\x00\x00\x00\x00\x00";
    let fields = b"\x0a\x05quote\x12\x03ABJ\x19\x00\x00\x00\x00\x00\xa8\x66\x40\x20\x96\x01";
    vec![
        ("JSON object", true, json.to_vec()),
        ("JSON, long", true, long.clone().into_bytes()),
        ("JSON cut short", true, long.as_bytes().get(..60_000).unwrap_or_default().to_vec()),
        ("text", true, text.as_bytes().to_vec()),
        ("text, long", true, text.repeat(1_000).into_bytes()),
        ("open brackets", true, b"[".repeat(64 << 10)),
        ("base64 of JSON", true, base64.as_bytes().to_vec()),
        ("letters of base64, long", true, letters.into_bytes()),
        ("MessagePack map", false, pack.to_vec()),
        ("MessagePack, long", false, packed_long),
        ("CBOR map", false, cbor.to_vec()),
        ("Protobuf", false, fields.to_vec()),
        ("Protobuf, long", false, fields.repeat(2_000)),
        (
            "gzip of JSON, long",
            false,
            packed(GzEncoder::new(Vec::new(), Compression::default()), long.as_bytes()),
        ),
        (
            "zlib of JSON, long",
            false,
            packed(ZlibEncoder::new(Vec::new(), Compression::default()), long.as_bytes()),
        ),
        ("noise", false, noise(200)),
        ("noise, long", false, noise(64 << 10)),
        ("zeros, long", false, vec![0; 64 << 10]),
        ("small numbers, long", false, (0..64 << 10).map(|n: u32| (n % 100) as u8).collect()),
    ]
}

/// Something that packs when it is done.
trait Packer: std::io::Write {
    fn done(self) -> Vec<u8>;
}

impl Packer for GzEncoder<Vec<u8>> {
    fn done(self) -> Vec<u8> {
        self.finish().expect("memory")
    }
}

impl Packer for ZlibEncoder<Vec<u8>> {
    fn done(self) -> Vec<u8> {
        self.finish().expect("memory")
    }
}

fn packed(mut packer: impl Packer, octets: &[u8]) -> Vec<u8> {
    packer.write_all(octets).expect("memory");
    packer.done()
}

/// Octets of a xorshift generator with a fixed seed.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}
