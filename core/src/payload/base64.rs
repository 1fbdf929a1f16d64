//! Text that is octets: base64 and base64url, RFC 4648 §4 and §5, and `data:` URLs, RFC 2397.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::fault::{Cut, CutLimit, Fault};
use super::view::Unpacked;
use super::{Fact, Format, Limits, Span, View};
use crate::present::octets;

/// What stands before the encoded octets of a `data:` URL.
const MARK: &[u8] = b";base64,";

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Decodes, and reads what came out.
pub(super) fn read(payload: &[u8], limits: &Limits) -> View {
    let encoded = encoded(payload);
    let mut facts = vec![Fact::new("encoded", octets(encoded.len() as u64)).at(encoded)];
    if encoded.start > 0 && payload.starts_with(b"data:") {
        let media = Span::new(5, encoded.start.saturating_sub(MARK.len()));
        let text = String::from_utf8_lossy(media.of(payload)).into_owned();
        facts.push(Fact::new("media type", text).at(media));
    }
    let unpacked = decode(payload, limits);
    facts.push(Fact::new("decoded", octets(unpacked.octets.len() as u64)));
    View::of_inner(Format::Base64, facts, unpacked, limits)
}

/// The octets that are base64, without what stands around them.
fn encoded(payload: &[u8]) -> Span {
    let mut start = 0;
    if payload.starts_with(b"data:")
        && let Some(mark) = memchr::memmem::find(payload, MARK)
    {
        start = mark.saturating_add(MARK.len());
    }
    let rest = payload.get(start..).unwrap_or_default();
    let trimmed = rest.trim_ascii_start();
    let start = start.saturating_add(rest.len().saturating_sub(trimmed.len()));
    Span::at(start, trimmed.trim_ascii_end().len())
}

/// The octets that the text stands for. White space within it is passed over, as mail has it.
pub(super) fn decode(payload: &[u8], limits: &Limits) -> Unpacked {
    let encoded = encoded(payload);
    let mut unpacked = Unpacked::default();
    // Four characters are three octets.
    let most = limits.unpacked.saturating_div(3).saturating_mul(4);
    let mut characters = Vec::with_capacity(encoded.len().min(most));
    let mut is_url_safe = false;
    let mut padding = 0_usize;
    for (place, octet) in encoded.of(payload).iter().enumerate() {
        let at = encoded.start.saturating_add(place);
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'-' | b'_' if padding == 0 => {
                is_url_safe |= matches!(octet, b'-' | b'_');
                if characters.len() >= most {
                    unpacked.cut = Some(Cut { at, limit: CutLimit::Unpacked(limits.unpacked) });
                    break;
                }
                characters.push(*octet);
            }
            b'=' if padding < 2 => padding = padding.saturating_add(1),
            _ if octet.is_ascii_whitespace() => {}
            _ => {
                let what = format!("{} is not base64", octet.escape_ascii());
                unpacked.fault = Some(Fault::wrong(at, what));
                break;
            }
        }
    }
    // One character alone holds six bits, which are no octet.
    if characters.len() % 4 == 1 {
        characters.pop();
        if unpacked.fault.is_none() && unpacked.cut.is_none() {
            unpacked.fault = Some(Fault::early_end(encoded.end, "a group of four characters"));
        }
    }
    let alphabet = if is_url_safe { &URL_SAFE } else { &STANDARD };
    if let Ok(octets) = GeneralPurpose::new(alphabet, LENIENT).decode(&characters) {
        unpacked.octets = octets;
    } else {
        let fault = Fault::wrong(encoded.start, "base64 and base64url are mixed");
        unpacked.fault = unpacked.fault.or(Some(fault));
    }
    unpacked
}

/// Whether a text may be base64 at all: a cheap look before it is decoded.
pub(super) fn is_candidate(payload: &[u8]) -> bool {
    if payload.starts_with(b"data:") {
        return memchr::memmem::find(payload, MARK).is_some();
    }
    let encoded = encoded(payload);
    encoded.len() >= 8
        && encoded.of(payload).iter().all(|octet| {
            octet.is_ascii_alphanumeric()
                || matches!(octet, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        let unpacked = decode(text.as_bytes(), &Limits::VIEW);
        assert_eq!(unpacked.fault, None, "{text}");
        unpacked.octets
    }

    #[test]
    fn the_vectors_of_rfc_4648_section_10() {
        let rows = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (len, text) in rows.into_iter().enumerate() {
            assert_eq!(decoded(text), &b"foobar"[..len]);
            assert_eq!(decoded(text.trim_end_matches('=')), &b"foobar"[..len]);
        }
        assert_eq!(decoded("-_8"), [0xfb, 0xff]);
        assert_eq!(decoded("+/8="), [0xfb, 0xff]);
        assert_eq!(decoded(" Zm9v\r\n YmFy \n"), b"foobar");
        assert_eq!(decoded("data:text/plain;base64,Zm9v"), b"foo");
    }

    #[test]
    fn what_is_not_base64_is_told_with_its_octet() {
        let rows = [
            ("Zm9v!mFy", "octet 4: ! is not base64", "foo"),
            ("Zg==Zg==", "octet 4: Z is not base64", "f"),
            ("Zm9vY", "octet 5: the payload ends inside a group of four characters", "foo"),
            ("-/8=", "octet 0: base64 and base64url are mixed", ""),
        ];
        for (text, fault, before) in rows {
            let unpacked = decode(text.as_bytes(), &Limits::VIEW);
            assert_eq!(unpacked.fault.unwrap().to_string(), fault);
            assert_eq!(unpacked.octets, before.as_bytes());
        }
    }

    #[test]
    fn what_comes_out_is_bounded() {
        let limits = Limits { unpacked: 3, ..Limits::VIEW };
        let unpacked = decode(b"Zm9vYmFy", &limits);
        assert_eq!((unpacked.octets.as_slice(), unpacked.cut.unwrap().at), (&b"foo"[..], 4));
    }
}
