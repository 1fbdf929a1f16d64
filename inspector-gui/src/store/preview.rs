//! Previews: the one line a list shows of a payload, never more than a row can hold.

use framescope_core::Opcode;
use framescope_core::frame::CloseBody;

use crate::widgets::format;

/// Characters of a preview at most.
pub const MAX_CHARS: usize = 512;
/// Octets of a payload that are read for one.
pub const MAX_OCTETS: usize = 1024;
/// Octets of a binary payload that are shown.
const MAX_HEX: usize = 48;

/// One line of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// At most [`MAX_CHARS`] characters, no control characters among them.
    pub text: String,
    /// It is octets in hex, not text.
    pub hex: bool,
    /// It says what is wrong, not what was sent.
    pub fault: bool,
}

impl Preview {
    /// Of a payload: text where it is text, else hex.
    pub fn of(opcode: Opcode, data: &[u8], cut: bool) -> Self {
        if opcode == Opcode::Close {
            return Self { text: close_line(data), hex: false, fault: false };
        }
        let text = text_of(data, cut);
        match text {
            Some(text) if opcode == Opcode::Text || is_readable(text) => {
                Self { text: one_line(text, MAX_CHARS), hex: false, fault: false }
            }
            _ if opcode == Opcode::Text => Self {
                text: one_line(&String::from_utf8_lossy(data), MAX_CHARS),
                hex: false,
                fault: false,
            },
            _ => Self { text: hex_line(data), hex: true, fault: false },
        }
    }

    /// Why there is nothing to show.
    pub fn fault(line: &str) -> Self {
        Self { text: one_line(line, MAX_CHARS), hex: false, fault: true }
    }
}

/// The octets as text; where they were cut, a character cut in two is left out.
fn text_of(data: &[u8], cut: bool) -> Option<&str> {
    match std::str::from_utf8(data) {
        Ok(text) => Some(text),
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&data[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

fn is_readable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// Text on one line: control characters become their pictures, and marks that would turn or hide
/// what follows become a sign of their own.
pub(super) fn one_line(text: &str, most: usize) -> String {
    text.chars().take(most).map(format::visible).collect()
}

fn hex_line(data: &[u8]) -> String {
    let mut line = format::hex(data.get(..MAX_HEX).unwrap_or(data));
    if data.len() > MAX_HEX {
        line.push_str(" …");
    }
    line
}

fn close_line(data: &[u8]) -> String {
    match CloseBody::parse(data) {
        CloseBody::Empty => "no code".to_owned(),
        CloseBody::OneOctet(octet) => format!("one octet: {octet:02x}"),
        CloseBody::Status { code, reason } => {
            let reason = one_line(&String::from_utf8_lossy(reason), MAX_CHARS);
            format!("{code} {} {reason}", code.name()).trim_end().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shows_on_one_line_with_control_characters_as_pictures() {
        let rows = [
            (&b"hello"[..], "hello"),
            (b"a\nb\tc\0", "a↵b⇥c␀"),
            ("left\u{202e}thgir".as_bytes(), "left◌thgir"),
        ];
        for (data, line) in rows {
            assert_eq!(Preview::of(Opcode::Text, data, false).text, line);
        }
    }

    #[test]
    fn a_character_cut_in_two_is_left_out() {
        let octets = "gr\u{fc}n".as_bytes();
        assert_eq!(Preview::of(Opcode::Text, &octets[..3], true).text, "gr");
    }

    #[test]
    fn binary_shows_as_hex_unless_it_is_readable() {
        assert_eq!(Preview::of(Opcode::Binary, &[0xde, 0xad, 0x00], false).text, "de ad 00");
        assert_eq!(Preview::of(Opcode::Ping, b"keep-alive", false).text, "keep-alive");
    }

    #[test]
    fn close_shows_code_meaning_and_reason() {
        assert_eq!(
            Preview::of(Opcode::Close, b"\x03\xe8bye", false).text,
            "1000 Normal Closure bye"
        );
        assert_eq!(Preview::of(Opcode::Close, b"", false).text, "no code");
    }

    #[test]
    fn no_preview_is_longer_than_its_limit() {
        let long = "\u{e9}".repeat(4 * MAX_CHARS);
        assert_eq!(
            Preview::of(Opcode::Text, long.as_bytes(), false).text.chars().count(),
            MAX_CHARS
        );
        assert!(Preview::of(Opcode::Binary, &[0; 5000], false).text.len() <= MAX_HEX * 3 + 4);
    }
}
