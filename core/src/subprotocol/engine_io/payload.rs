//! Engine.IO polling payloads: packets, one behind the other in one HTTP body.
//!
//! ```text
//!  revision 4   4hello 1E 4you 1E bAQIDBA==         apart by RECORD SEPARATOR; b: base64
//!  revision 3   6:4hello4:4you10:b4AQIDBA==         the length in UTF-16 units
//!  revision 3   00 06 FF 4hello 01 05 FF 04 …       binary: text or binary, length in digits, FF
//! ```

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Opcode;
use crate::payload::Span;

/// One packet of a payload, as it would stand in a WebSocket message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::subprotocol) struct PolledPacket<'a> {
    /// [`Opcode::Text`] or [`Opcode::Binary`].
    pub(in crate::subprotocol) opcode: Opcode,
    pub(in crate::subprotocol) data: Cow<'a, [u8]>,
    /// Its octets in the payload.
    pub(in crate::subprotocol) span: Span,
    /// What is wrong with how it is packed; `data` is then what was there.
    pub(in crate::subprotocol) fault: Option<&'static str>,
}

/// Takes the packets of a payload apart, one after the other.
#[derive(Debug)]
pub(in crate::subprotocol) struct PolledPackets<'a> {
    payload: &'a [u8],
    at: usize,
    is_revision_3: bool,
}

impl<'a> PolledPackets<'a> {
    pub(in crate::subprotocol) fn new(payload: &'a [u8], is_revision_3: bool) -> Self {
        Self { payload, at: 0, is_revision_3 }
    }

    fn rest(&self) -> &'a [u8] {
        self.payload.get(self.at..).unwrap_or_default()
    }

    /// Everything that is left, for it cannot be taken apart.
    fn broken(&mut self, fault: &'static str) -> PolledPacket<'a> {
        let (data, span) = (self.rest(), Span::new(self.at, self.payload.len()));
        self.at = self.payload.len();
        PolledPacket { opcode: Opcode::Text, data: Cow::Borrowed(data), span, fault: Some(fault) }
    }

    fn revision_4(&mut self) -> PolledPacket<'a> {
        let rest = self.rest();
        let len = memchr::memchr(0x1E, rest).unwrap_or(rest.len());
        let text = rest.get(..len).unwrap_or_default();
        let span = Span::at(self.at, len);
        self.at = self.at.saturating_add(len).saturating_add(1);
        match text.strip_prefix(b"b") {
            Some(encoded) => from_base64(encoded, span, &[]),
            None => {
                PolledPacket { opcode: Opcode::Text, data: Cow::Borrowed(text), span, fault: None }
            }
        }
    }

    fn revision_3(&mut self) -> PolledPacket<'a> {
        let rest = self.rest();
        let Some(colon) = memchr::memchr(b':', rest.get(..rest.len().min(12)).unwrap_or_default())
        else {
            return self.broken("a packet of revision 3 begins with its length and a colon");
        };
        let units = rest.get(..colon).and_then(number);
        let start = colon.saturating_add(1);
        let text = rest.get(start..).unwrap_or_default();
        let Some(len) = units.and_then(|units| len_of_units(text, units)) else {
            return self.broken("a packet is shorter than its length says");
        };
        let span = Span::at(self.at.saturating_add(start), len);
        let data = text.get(..len).unwrap_or_default();
        self.at = self.at.saturating_add(start).saturating_add(len);
        match data.strip_prefix(b"b4") {
            Some(encoded) => from_base64(encoded, span, &[4]),
            None => {
                PolledPacket { opcode: Opcode::Text, data: Cow::Borrowed(data), span, fault: None }
            }
        }
    }

    fn revision_3_binary(&mut self, is_binary: bool) -> PolledPacket<'a> {
        let rest = self.rest();
        let digits = rest.get(1..rest.len().min(14)).unwrap_or_default();
        let Some(end) = memchr::memchr(0xFF, digits) else {
            return self.broken("the length of a binary packet ends with the octet FF");
        };
        let len = digits.get(..end).and_then(|digits| {
            digits.iter().try_fold(0_usize, |sum, digit| {
                let digit = (*digit < 10).then_some(usize::from(*digit))?;
                sum.checked_mul(10)?.checked_add(digit)
            })
        });
        let start = end.saturating_add(2);
        let data = len.and_then(|len| rest.get(start..start.checked_add(len)?));
        let Some(data) = data else {
            return self.broken("a packet is shorter than its length says");
        };
        let span = Span::at(self.at.saturating_add(start), data.len());
        self.at = self.at.saturating_add(start).saturating_add(data.len());
        let opcode = if is_binary { Opcode::Binary } else { Opcode::Text };
        PolledPacket { opcode, data: Cow::Borrowed(data), span, fault: None }
    }
}

impl<'a> Iterator for PolledPackets<'a> {
    type Item = PolledPacket<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.rest().first()?;
        Some(match (self.is_revision_3, first) {
            (false, _) => self.revision_4(),
            (true, 0 | 1) => {
                let is_binary = *first == 1;
                self.revision_3_binary(is_binary)
            }
            (true, _) => self.revision_3(),
        })
    }
}

/// What is encoded, with what stands before it in a WebSocket message.
fn from_base64<'a>(encoded: &'a [u8], span: Span, before: &[u8]) -> PolledPacket<'a> {
    let Ok(data) = STANDARD.decode(encoded) else {
        let fault = Some("what stands behind b is no base64");
        return PolledPacket { opcode: Opcode::Text, data: Cow::Borrowed(encoded), span, fault };
    };
    let data = if before.is_empty() { data } else { [before, &data].concat() };
    PolledPacket { opcode: Opcode::Binary, data: Cow::Owned(data), span, fault: None }
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?
        .parse()
        .ok()
}

/// Octets of so many UTF-16 units; `None` where there are fewer, or they are not UTF-8.
fn len_of_units(text: &[u8], units: usize) -> Option<usize> {
    let most = units.saturating_mul(3).min(text.len());
    let text = text.get(..most)?;
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(text.get(..error.valid_up_to())?).ok()?,
    };
    let (mut left, mut len) = (units, 0_usize);
    for character in text.chars() {
        if left == 0 {
            break;
        }
        left = left.checked_sub(character.len_utf16())?;
        len = len.saturating_add(character.len_utf8());
    }
    (left == 0).then_some(len)
}

/// The name of the session that a polling payload opens: the `sid` of its first packet.
pub(crate) fn engine_io_session(payload: &[u8], revision: Option<&str>) -> Option<String> {
    let is_revision_3 = matches!(revision, Some("1" | "2" | "3"));
    let first = PolledPackets::new(payload, is_revision_3).next()?;
    let document = first.data.strip_prefix(b"0")?;
    let document: serde_json::Value = serde_json::from_slice(document).ok()?;
    let sid = document.get("sid")?.as_str()?;
    (!sid.is_empty()).then(|| sid.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(payload: &[u8], is_revision_3: bool) -> Vec<(Opcode, Vec<u8>, usize, bool)> {
        PolledPackets::new(payload, is_revision_3)
            .map(|p| (p.opcode, p.data.into_owned(), p.span.start, p.fault.is_none()))
            .collect()
    }

    const TEXT: Opcode = Opcode::Text;
    const BINARY: Opcode = Opcode::Binary;

    #[test]
    fn packets_of_revision_4_stand_between_separators() {
        let rows: [(&[u8], Vec<_>); 4] = [
            (b"", vec![]),
            (b"4hello", vec![(TEXT, b"4hello".to_vec(), 0, true)]),
            (
                b"4a\x1ebAQIDBA==\x1e6",
                vec![
                    (TEXT, b"4a".to_vec(), 0, true),
                    (BINARY, vec![1, 2, 3, 4], 3, true),
                    (TEXT, b"6".to_vec(), 13, true),
                ],
            ),
            (b"b*", vec![(TEXT, b"*".to_vec(), 0, false)]),
        ];
        for (payload, expected) in rows {
            assert_eq!(packets(payload, false), expected);
        }
    }

    #[test]
    fn packets_of_revision_3_tell_their_length() {
        let expected = vec![
            (TEXT, "4h\u{e9}\u{1f642}".as_bytes().to_vec(), 2, true),
            (TEXT, b"2".to_vec(), 12, true),
            (BINARY, vec![4, 1, 2, 3, 4], 16, true),
        ];
        assert_eq!(packets("5:4h\u{e9}\u{1f642}1:210:b4AQIDBA==".as_bytes(), true), expected);
        let binary = b"\x00\x06\xff4hello\x01\x01\x00\xff\x04012345678";
        let expected = vec![
            (TEXT, b"4hello".to_vec(), 3, true),
            (BINARY, b"\x04012345678".to_vec(), 13, true),
        ];
        assert_eq!(packets(binary, true), expected);
    }

    #[test]
    fn what_cannot_be_taken_apart_is_told_whole() {
        for payload in ["9:4a", "x", "4hello", "99999999999999999999:4", "1:4:", "3:4\u{1f642}a"] {
            let seen = packets(payload.as_bytes(), true);
            assert!(!seen.last().unwrap().3, "{payload}");
        }
        for payload in [&b"\x00\x06"[..], b"\x00\x06\xff4he", b"\x01\x0b\xff4"] {
            assert_eq!(packets(payload, true), [(TEXT, payload.to_vec(), 0, false)]);
        }
    }

    #[test]
    fn the_open_packet_names_the_session() {
        let open = r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"]}"#;
        assert_eq!(engine_io_session(open.as_bytes(), Some("4")).unwrap(), "lv_VI97HAXpY6yYWAAAC");
        let both = format!("{}:{open}2:40", open.len());
        assert_eq!(engine_io_session(both.as_bytes(), Some("3")).unwrap(), "lv_VI97HAXpY6yYWAAAC");
        assert_eq!(engine_io_session(b"4hello", Some("4")), None);
        assert_eq!(engine_io_session(b"0{}", Some("4")), None);
    }
}
