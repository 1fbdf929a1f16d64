//! Payloads that are compressed a second time, inside of the message: gzip, zlib, Brotli, Zstandard.
//!
//! What comes out is bounded by [`Limits::unpacked`], all wrappings of a payload together; the libraries
//! take windows of at most 16 MiB besides.

mod brotli;
mod gzip;
mod zlib;
mod zstd;

pub(super) use zlib::is_header as is_zlib_header;
pub(super) use zstd::MAGIC as ZSTD_MAGIC;

use super::fault::{Cut, CutLimit, Fault};
use super::view::Unpacked;
use super::{Fact, Format, Limits, View};
use crate::present::octets;

/// Unpacks, and reads what came out.
pub(super) fn read(format: Format, payload: &[u8], limits: &Limits) -> View {
    let mut facts = Vec::new();
    let unpacked = unpack(format, payload, limits, &mut facts);
    let (before, after) = (payload.len() as u64, unpacked.octets.len() as u64);
    facts.push(Fact::new("packed", octets(before)));
    facts.push(Fact::new("unpacked", octets(after)));
    if let Some(ratio) = ratio(before, after) {
        facts.push(Fact::new("ratio", ratio));
    }
    View::of_inner(format, facts, unpacked, limits)
}

/// What comes out, and what the wrapping says of it.
pub(super) fn unpack(
    format: Format,
    payload: &[u8],
    limits: &Limits,
    facts: &mut Vec<Fact>,
) -> Unpacked {
    let mut sink = Sink { out: Vec::new(), most: limits.unpacked };
    let outcome = match format {
        Format::Gzip => gzip::unpack(payload, &mut sink, facts),
        Format::Zlib => zlib::unpack(payload, &mut sink, facts),
        Format::Brotli => brotli::unpack(payload, &mut sink, facts),
        _ => zstd::unpack(payload, &mut sink, facts),
    };
    let mut unpacked = Unpacked { octets: sink.out, ..Unpacked::default() };
    match outcome {
        Ok(()) => {}
        Err(Ended::Fault(fault)) => unpacked.fault = Some(fault),
        Err(Ended::Full { at }) => {
            unpacked.cut = Some(Cut { at, limit: CutLimit::Unpacked(limits.unpacked) });
        }
    }
    unpacked
}

/// Takes one content coding of HTTP off (RFC 9110 §8.4.1): `gzip`, `deflate`, `br` or `zstd`. `None` where
/// it is another one or a list, the octets do not fit it, or more than `most` octets come out.
pub(crate) fn unpack_coding(coding: &str, content: &[u8], most: usize) -> Option<Vec<u8>> {
    let unpacked = take_off(coding, content, most)?;
    (unpacked.fault.is_none() && unpacked.cut.is_none()).then_some(unpacked.octets)
}

/// The same for the beginning of a content, or one that is damaged: what comes out of it, the first `most`
/// octets. `None` where the coding is another one or a list.
pub(crate) fn unpack_beginning(coding: &str, content: &[u8], most: usize) -> Option<Vec<u8>> {
    take_off(coding, content, most).map(|unpacked| unpacked.octets)
}

fn take_off(coding: &str, content: &[u8], most: usize) -> Option<Unpacked> {
    let format = match coding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Format::Gzip,
        "deflate" => Format::Zlib,
        "br" => Format::Brotli,
        "zstd" => Format::Zstd,
        _ => return None,
    };
    let limits = Limits { unpacked: most, ..Limits::VIEW };
    Some(unpack(format, content, &limits, &mut Vec::new()))
}

/// `12.4 : 1`, how many octets became one.
fn ratio(packed: u64, unpacked: u64) -> Option<String> {
    let tenths = unpacked.saturating_mul(10).checked_div(packed)?;
    Some(format!("{}.{} : 1", crate::present::thousands(tenths / 10), tenths % 10))
}

/// Why unpacking ended before the end.
#[derive(Debug)]
enum Ended {
    Fault(Fault),
    /// As much came out as may; `at` is where reading stood.
    Full {
        at: usize,
    },
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Takes what comes out, as much as may.
struct Sink {
    out: Vec<u8>,
    most: usize,
}

impl Sink {
    /// Whether all of `fresh` had room.
    fn push(&mut self, fresh: &[u8]) -> bool {
        let room = self.most.saturating_sub(self.out.len());
        self.out.extend_from_slice(fresh.get(..room.min(fresh.len())).unwrap_or_default());
        fresh.len() <= room
    }
}

/// Octets that come out at once.
const STEP: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    const DATA: &str = r#"{"hello":"world","n":[1,2,3]}"#;
    // As Python's gzip and zlib, Node's brotli and the zstd tool pack it; the last two twenty times.
    const GZIP: [u8; 60] = hex!(
        "1f8b080800f1536502ff68656c6c6f2e6a736f6e00 ab56ca48cdc9c957b2522acf2fca4951d251ca53b28a36d4"
        "31d2318ead0500 2e347c6a 1d000000"
    );
    const ZLIB: [u8; 37] =
        hex!("78da ab56ca48cdc9c957b2522acf2fca4951d251ca53b28a36d431d2318ead0500 8b4308b5");
    const BROTLI: [u8; 33] =
        hex!("0b0e80 7b2268656c6c6f223a22776f726c64222c226e223a5b312c322c335d7d 03");
    const BROTLI_20: [u8; 44] = hex!(
        "1b4302f81d076eac3c1fc158a7d6a016d972db9b2c3a5d1d2333d32727d984c1ec808564dc2f31e19882fa00"
    );
    const ZSTD: [u8; 38] =
        hex!("28b52ffd 00 58 e90000 7b2268656c6c6f223a22776f726c64222c226e223a5b312c322c335d7d");
    const ZSTD_20: [u8; 51] = hex!(
        "28b52ffd 64 4401 2d0100e87b2268656c6c6f223a22776f726c64222c226e223a5b312c322c335d7d0100"
        "91009572 026fc4df43"
    );
    const ALL: [(Format, &[u8], usize); 6] = [
        (Format::Gzip, &GZIP, 1),
        (Format::Zlib, &ZLIB, 1),
        (Format::Brotli, &BROTLI, 1),
        (Format::Brotli, &BROTLI_20, 20),
        (Format::Zstd, &ZSTD, 1),
        (Format::Zstd, &ZSTD_20, 20),
    ];

    fn unpacked(format: Format, payload: &[u8], limits: &Limits) -> (Unpacked, Vec<String>) {
        let mut facts = Vec::new();
        let unpacked = unpack(format, payload, limits, &mut facts);
        let facts = facts.iter().map(|fact| format!("{}: {}", fact.label, fact.text)).collect();
        (unpacked, facts)
    }

    #[test]
    fn what_other_programs_packed_is_unpacked() {
        for (format, payload, times) in ALL {
            let (unpacked, _) = unpacked(format, payload, &Limits::VIEW);
            assert_eq!((unpacked.fault, unpacked.cut), (None, None), "{format}");
            assert_eq!(unpacked.octets, DATA.repeat(times).into_bytes(), "{format}");
        }
    }

    #[test]
    fn headers_are_told() {
        let rows: [(Format, &[u8], &[&str]); 4] = [
            (Format::Gzip, &GZIP, &["modified: 2023-11-14T22:13:20Z", "file name: hello.json"]),
            (Format::Zlib, &ZLIB, &["window: 32,768 octets", "level: best"]),
            (Format::Zstd, &ZSTD, &["window: 2,097,152 octets"]),
            (Format::Zstd, &ZSTD_20, &["size told: 580 octets"]),
        ];
        for (format, payload, told) in rows {
            assert_eq!(unpacked(format, payload, &Limits::VIEW).1, told);
        }
    }

    #[test]
    fn what_comes_out_is_bounded() {
        let limits = Limits { unpacked: 10, ..Limits::VIEW };
        for (format, payload, _) in ALL {
            let (unpacked, _) = unpacked(format, payload, &limits);
            assert_eq!(unpacked.octets, &DATA.as_bytes()[..10], "{format}");
            assert_eq!(unpacked.cut.unwrap().limit, CutLimit::Unpacked(10), "{format}");
        }
    }

    #[test]
    fn whatever_is_cut_short_is_said_to_end_early_and_is_read_so_far() {
        for (format, payload, _) in ALL {
            for len in 0..payload.len() {
                let (unpacked, _) = unpacked(format, &payload[..len], &Limits::VIEW);
                let fault = unpacked.fault.unwrap();
                // Two octets are needed to see a zlib header at all.
                let is_header = format == Format::Zlib && len < 2;
                assert!(fault.is_early_end || is_header, "{format} up to {len}: {fault}");
            }
            let longer = [payload, b"!"].concat();
            let (unpacked, _) = unpacked(format, &longer, &Limits::VIEW);
            let fault = unpacked.fault.unwrap();
            assert!(fault.at >= payload.len(), "{format}: {fault}");
            assert!(unpacked.octets.starts_with(DATA.as_bytes()));
        }
    }

    #[test]
    fn checks_are_checked() {
        let mut wrong = GZIP;
        wrong[52] ^= 1;
        let fault = unpacked(Format::Gzip, &wrong, &Limits::VIEW).0.fault.unwrap();
        assert_eq!(
            fault.to_string(),
            "octet 52: the check says 6a7c342f, the octets have 6a7c342e"
        );
        let mut wrong = ZLIB;
        wrong[36] ^= 1;
        assert!(unpacked(Format::Zlib, &wrong, &Limits::VIEW).0.fault.is_some());
        let mut wrong = ZSTD_20;
        wrong[50] ^= 1;
        let fault = unpacked(Format::Zstd, &wrong, &Limits::VIEW).0.fault.unwrap();
        assert!(fault.what.starts_with("the checksum says"), "{fault}");
    }

    #[test]
    fn members_and_frames_one_after_the_other() {
        let skipped = hex!("502a4d18 02000000 ffff");
        let two: [(Format, Vec<u8>); 2] = [
            (Format::Gzip, [GZIP, GZIP].concat()),
            (Format::Zstd, [&skipped[..], &ZSTD, &skipped, &ZSTD].concat()),
        ];
        for (format, payload) in two {
            let (unpacked, _) = unpacked(format, &payload, &Limits::VIEW);
            assert_eq!(unpacked.fault, None);
            assert_eq!(unpacked.octets, DATA.repeat(2).into_bytes());
        }
    }

    #[test]
    fn a_coding_is_taken_off_whole_or_as_far_as_it_goes() {
        let whole = |coding, most| unpack_coding(coding, &GZIP, most);
        assert_eq!(whole(" X-GZIP ", 100), Some(DATA.into()));
        assert_eq!(
            (whole("gzip", 10), whole("br", 100), whole("gzip, br", 100)),
            (None, None, None)
        );
        let beginning = |content, most| unpack_beginning("gzip", content, most).unwrap();
        assert_eq!(beginning(&GZIP, 10), &DATA.as_bytes()[..10]);
        assert!(DATA.as_bytes().starts_with(&beginning(&GZIP[..40], 100)));
        assert_eq!(unpack_beginning("identity", &GZIP, 100), None);
    }

    #[test]
    fn a_view_goes_on_inside() {
        let view = read(Format::Gzip, &GZIP, &Limits::VIEW);
        let expected = "{\n  \"hello\": \"world\",\n  \"n\": [\n    1,\n    2,\n    3\n  ]\n}\n";
        assert_eq!(view.text(&GZIP), expected);
        assert_eq!(view.summary(&GZIP, 100), format!("gzip of JSON: {DATA}"));
        assert_eq!(view.innermost().0.format, Format::Json);
        assert_eq!(view.innermost().1.unwrap(), DATA.as_bytes());
        let shallow = read(Format::Gzip, &GZIP, &Limits { nesting: 0, ..Limits::VIEW });
        assert_eq!(shallow.cut.unwrap().limit, CutLimit::Nesting(0));
    }

    #[test]
    fn a_window_that_is_too_large_is_refused() {
        let wide = hex!("28b52ffd 00 f8 e90000");
        let fault = unpacked(Format::Zstd, &wide, &Limits::VIEW).0.fault.unwrap();
        assert!(!fault.is_early_end && fault.at == 0, "{fault}");
    }
}
