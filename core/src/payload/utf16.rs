//! UTF-16 (RFC 2781), as programs on Windows and in Java send it in binary messages.

use super::fault::{Cut, CutLimit, Fault};
use super::view::Unpacked;
use super::{Fact, Format, Limits, View};
use crate::present::octets;

/// Units that are looked at where no byte order mark tells.
const LOOK_UNITS: usize = 256;

/// Which octet of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    const ALL: [Self; 2] = [Self::Little, Self::Big];

    const fn label(self) -> &'static str {
        match self {
            Self::Little => "little-endian",
            Self::Big => "big-endian",
        }
    }

    const fn mark(self) -> [u8; 2] {
        match self {
            Self::Little => [0xFF, 0xFE],
            Self::Big => [0xFE, 0xFF],
        }
    }

    const fn unit(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }
}

/// The order that a byte order mark tells.
fn marked(payload: &[u8]) -> Option<Order> {
    Order::ALL.into_iter().find(|order| payload.starts_with(&order.mark()))
}

/// The order in which octets without a mark read as text of which most is ASCII.
fn likely(payload: &[u8]) -> Option<Order> {
    Order::ALL.into_iter().find(|order| {
        let (units, _) = payload.as_chunks::<2>();
        let units = units.get(..LOOK_UNITS.min(units.len())).unwrap_or_default();
        let (mut ascii, mut broken) = (0_usize, 0_usize);
        for character in char::decode_utf16(units.iter().map(|unit| order.unit(*unit))) {
            match character {
                Ok('\t' | '\n' | '\r' | ' '..='~') => ascii = ascii.saturating_add(1),
                Ok(character) if !character.is_control() => {}
                _ => broken = broken.saturating_add(1),
            }
        }
        // A pair of surrogates may be cut at the end.
        let is_cut = units.len() == LOOK_UNITS;
        units.len() >= 4
            && broken <= usize::from(is_cut)
            && ascii.saturating_mul(4) >= units.len().saturating_mul(3)
    })
}

/// Why octets are UTF-16, and whether a mark says so. `is_cut` says that there are more of them.
pub(super) fn recognise(payload: &[u8], is_cut: bool) -> Option<(bool, String)> {
    if !is_cut && !payload.len().is_multiple_of(2) {
        return None;
    }
    let is_text = || {
        let unpacked = decode(payload, &Limits::GLANCE);
        unpacked.fault.is_none_or(|fault| is_cut && fault.is_early_end)
            && !unpacked.octets.is_empty()
            && !unpacked.octets.contains(&0)
    };
    if let Some(order) = marked(payload) {
        let reason = format!("begins with the byte order mark of UTF-16, {}", order.label());
        return is_text().then_some((true, reason));
    }
    let order = likely(payload)?;
    let reason = format!("is UTF-16, {}: nearly every second octet is 0", order.label());
    is_text().then_some((false, reason))
}

/// Reads it: what it says in UTF-8 is what is inside.
pub(super) fn read(payload: &[u8], limits: &Limits) -> View {
    let told = match (marked(payload), likely(payload)) {
        (Some(order), _) => format!("{}, told by its byte order mark", order.label()),
        (None, Some(order)) => format!("{}, told by its zeros", order.label()),
        (None, None) => "little-endian, assumed".to_owned(),
    };
    let facts =
        vec![Fact::new("size", octets(payload.len() as u64)), Fact::new("byte order", told)];
    View::of_inner(Format::Utf16, facts, decode(payload, limits), limits)
}

/// The same text in UTF-8, without its mark.
fn decode(payload: &[u8], limits: &Limits) -> Unpacked {
    let order = marked(payload).or_else(|| likely(payload)).unwrap_or(Order::Little);
    let start = if marked(payload).is_some() { 2 } else { 0 };
    let (units, odd) = payload.get(start..).unwrap_or_default().as_chunks::<2>();
    let (mut text, mut unpacked, mut at) = (String::new(), Unpacked::default(), start);
    for character in char::decode_utf16(units.iter().map(|unit| order.unit(*unit))) {
        let Ok(character) = character else {
            let is_last = at.saturating_add(2) >= payload.len();
            unpacked.fault = Some(if is_last {
                Fault::early_end(payload.len(), "a pair of surrogates")
            } else {
                Fault::wrong(at, "a surrogate stands alone")
            });
            break;
        };
        if text.len().saturating_add(character.len_utf8()) > limits.unpacked {
            unpacked.cut = Some(Cut { at, limit: CutLimit::Unpacked(limits.unpacked) });
            break;
        }
        text.push(character);
        at = at.saturating_add(character.len_utf16().saturating_mul(2));
    }
    if !odd.is_empty() && unpacked.fault.is_none() && unpacked.cut.is_none() {
        unpacked.fault = Some(Fault::early_end(payload.len(), "a unit of two octets"));
    }
    unpacked.octets = text.into_bytes();
    unpacked
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Confidence, Hints, detect, view};
    use super::*;

    fn encoded(text: &str, order: Order) -> Vec<u8> {
        let octets = |unit: u16| match order {
            Order::Little => unit.to_le_bytes(),
            Order::Big => unit.to_be_bytes(),
        };
        text.encode_utf16().flat_map(octets).collect()
    }

    #[test]
    fn text_in_either_order_is_told_and_read() {
        let text = "{\"who\":\"Größe 𐅑\"}";
        for order in Order::ALL {
            for (mark, confidence) in [("", Confidence::Likely), ("\u{feff}", Confidence::Certain)]
            {
                let payload = encoded(&format!("{mark}{text}"), order);
                let detection = detect(&payload, &Hints::default());
                assert_eq!((detection.format, detection.confidence), (Format::Utf16, confidence));
                let view = view(Format::Utf16, &payload, &Limits::VIEW);
                assert_eq!((&view.fault, view.cut), (&None, None));
                let Body::Inner(inner) = &view.body else { panic!("{view:?}") };
                assert_eq!(inner.octets, text.as_bytes());
                assert_eq!(inner.detection.format, Format::Json);
            }
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_octet() {
        let fault = |payload: &[u8]| view(Format::Utf16, payload, &Limits::VIEW).fault.unwrap();
        assert_eq!(
            fault(b"\xff\xfeA\0\x00\xd8B\0").to_string(),
            "octet 4: a surrogate stands alone"
        );
        assert_eq!(
            fault(b"A\0B").to_string(),
            "octet 3: the payload ends inside a unit of two octets"
        );
        let early = fault(b"A\0B\0\x00\xd8");
        assert!(early.is_early_end && early.at == 6, "{early}");
    }

    #[test]
    fn what_may_be_numbers_is_no_text() {
        // Sixteen-bit samples, zeros, octets in a row, and text that came as text.
        let samples: Vec<u8> = (0..200_u16).flat_map(|n| (n * 77).to_le_bytes()).collect();
        for payload in [&samples[..], &[0; 64], b"\xff\xfe", b"A\0", b"abcdefgh", b"A\0B\0C\0D"] {
            assert_eq!(recognise(payload, false), None, "{payload:?}");
        }
    }
}
