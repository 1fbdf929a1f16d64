//! One frame explained: the drawing, each field in words, the masking column by column, what it says.

use std::fmt::Write as _;

use framescope_core::frame::CloseBody;
use framescope_core::message::Inflater;
use framescope_core::present::octets;
use framescope_core::{Opcode, Severity};

use crate::view::anatomy::{Anatomy, Field};
use crate::view::{Palette, Role, diagram, escape};

/// Octets in one row of the masking.
const COLUMNS_A_ROW: usize = 16;
/// Rows of the masking that are shown.
const ROWS_SHOWN: usize = 4;
/// Columns of payload text that are shown.
const TEXT_COLUMNS: usize = 2000;
/// Octets that are looked at to tell text from other payloads.
const TEXT_PROBE: usize = 4096;
/// Why a compressed payload is not shown.
const NOT_INFLATED: &str = "needs the messages before it, or is not DEFLATE data";
/// Octets that a compressed payload may inflate to.
const INFLATE_BUDGET: u64 = 1 << 20;

/// Explains the frame; every line ends with a newline.
pub fn explain(anatomy: &Anatomy<'_>, palette: Palette) -> String {
    let mut out = diagram::draw(anatomy, palette);
    out.push('\n');
    fields(&mut out, anatomy, palette);
    masking(&mut out, anatomy, palette);
    content(&mut out, anatomy, palette);
    for rule in anatomy.broken_rules() {
        let sign = severity_sign(rule.severity);
        let role = severity_role(rule.severity);
        let _ = writeln!(
            out,
            "\n {} {}  {} {}\n   {}\n   {}",
            palette.paint(role, sign),
            palette.paint(role, rule.code),
            rule.title,
            palette.paint(Role::Weak, format_args!("({})", rule.section)),
            rule.meaning,
            rule.advice,
        );
    }
    out
}

/// A line that says what the frame is: `a masked text frame of 5 octets`.
pub fn title(anatomy: &Anatomy<'_>) -> String {
    let Some(header) = anatomy.header else {
        return "the start of a frame: its header is cut".to_owned();
    };
    let masked = if header.masking_key.is_some() { "masked" } else { "unmasked" };
    let article = if header.masking_key.is_some() { "a" } else { "an" };
    let part = match (header.fin, header.opcode) {
        (true, Opcode::Continuation) => ", the last of its message",
        (false, Opcode::Text | Opcode::Binary) => ", the first of its message",
        (false, _) => ", not the last of its message",
        (true, _) => "",
    };
    let payload = match header.payload_len.value {
        0 => "without payload".to_owned(),
        len => format!("with {} of payload", octets(len)),
    };
    format!("{article} {masked} {} frame {payload}{part}", header.opcode)
}

/// `✗`, `▲` or `·`: severities are told apart without colour.
pub const fn severity_sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "✗",
        Severity::Warning => "▲",
        Severity::Note => "·",
    }
}

/// The colour of a severity.
pub const fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Note => Role::Note,
    }
}

/// The table of fields: bits, name, value, meaning, section.
fn fields(out: &mut String, anatomy: &Anatomy<'_>, palette: Palette) {
    let width = |text: fn(&Field) -> usize| anatomy.fields.iter().map(text).max().unwrap_or(0);
    let name_width = width(|field| field.name.len());
    let value_width = width(|field| field.value.chars().count());
    let meaning_width = width(|field| field.meaning.chars().count());
    let bits_width = width(|field| bits_text(field).chars().count());
    for field in &anatomy.fields {
        let bits = bits_text(field);
        let _ = writeln!(
            out,
            " {}  {}  {}  {:<meaning_width$}  {}",
            palette.paint(Role::Weak, format_args!("{bits:>bits_width$}")),
            palette.paint(field.role, format_args!("{:<name_width$}", field.name)),
            palette.paint(field.role, format_args!("{:<value_width$}", field.value)),
            field.meaning,
            palette.paint(Role::Weak, field.section),
        );
    }
}

fn bits_text(field: &Field) -> String {
    let last = field.first_bit.saturating_add(field.bits).saturating_sub(1);
    match field.bits {
        1 => field.first_bit.to_string(),
        _ => format!("{}–{last}", field.first_bit),
    }
}

/// Masked octet ⊕ key octet = plain octet, in columns.
fn masking(out: &mut String, anatomy: &Anatomy<'_>, palette: Palette) {
    let Some(key) = anatomy.key() else { return };
    let rows =
        anatomy.wire_payload.chunks(COLUMNS_A_ROW).zip(anatomy.payload.chunks(COLUMNS_A_ROW));
    for ((wire, plain), row) in rows.take(ROWS_SHOWN).zip(0u64..) {
        let first = row * COLUMNS_A_ROW as u64;
        let keys: Vec<u8> = (first..).take(wire.len()).map(|at| key.octet_at(at)).collect();
        out.push('\n');
        for (label, octets, role) in [
            ("masked", wire, Role::Mask),
            ("⊕ key", &keys, Role::Key),
            ("= plain", plain, Role::Payload),
        ] {
            let label = palette.paint(Role::Weak, label);
            let _ = writeln!(out, " {label:>8}  {}", palette.paint(role, hex(octets)));
        }
        let characters: Vec<String> = plain.iter().map(|octet| character(*octet)).collect();
        let _ = writeln!(out, " {:>8}  {}", "", characters.join(" ").trim_end());
    }
    let shown = ROWS_SHOWN * COLUMNS_A_ROW;
    if anatomy.wire_payload.len() > shown {
        let further = (anatomy.wire_payload.len() - shown) as u64;
        let told = format!("… {} unmasked likewise", octets(further));
        let _ = writeln!(out, "\n {:>8}  {}", "", palette.paint(Role::Weak, told));
    }
}

/// What the payload says.
fn content(out: &mut String, anatomy: &Anatomy<'_>, palette: Palette) {
    let Some(header) = anatomy.header else { return };
    let mut say = |label: &str, role: Role, text: &str| {
        let label = palette.paint(Role::Weak, label);
        let _ = writeln!(out, "\n {label:>8}  {}", palette.paint(role, text));
    };
    let is_compressed = header.rsv.rsv1() && header.opcode.begins_message();
    match header.opcode {
        _ if anatomy.payload.is_empty() => {}
        Opcode::Close => say("close", Role::Payload, &close_text(&anatomy.payload, TEXT_COLUMNS)),
        _ if is_compressed => match inflate(&anatomy.payload) {
            Some(plain) => say("inflated", Role::Payload, &readable(&plain, TEXT_COLUMNS)),
            None => say("inflated", Role::Weak, NOT_INFLATED),
        },
        Opcode::Binary => {}
        _ => say("text", Role::Payload, &readable(&anatomy.payload, TEXT_COLUMNS)),
    }
}

/// A Close body in words: `1000 Normal Closure, "bye"`.
pub fn close_text(payload: &[u8], columns: usize) -> String {
    match CloseBody::parse(payload) {
        CloseBody::Empty => "no status code".to_owned(),
        CloseBody::OneOctet(octet) => format!("one octet, {octet:02x}, which is no status code"),
        CloseBody::Status { code, reason } => {
            let mut out = format!("{code} {}", code.name());
            if !reason.is_empty() {
                out.push_str(" \"");
                let room = columns.saturating_sub(escape::columns(&out) + 1);
                escape::push_text(&mut out, reason, room);
                out.push('"');
            }
            out
        }
    }
}

/// Octets as text where they are UTF-8 text, else in hex.
pub fn readable(octets: &[u8], columns: usize) -> String {
    let mut out = String::new();
    if is_text(octets) {
        escape::push_text(&mut out, octets, columns);
    } else {
        escape::push_hex(&mut out, octets, columns);
    }
    out
}

/// UTF-8 (perhaps cut at the end) without control characters but those of text.
fn is_text(octets: &[u8]) -> bool {
    let start = octets.get(..TEXT_PROBE).unwrap_or(octets);
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x1b'))
}

/// Inflates a message that needs nothing of those before it; `None` where that fails.
fn inflate(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut inflater = Inflater::new(true);
    let mut plain = Vec::new();
    let mut budget = INFLATE_BUDGET;
    inflater.push(compressed, &mut budget, &mut |part| plain.extend_from_slice(part)).ok()?;
    inflater.finish_message().ok()?;
    Some(plain)
}

fn hex(octets: &[u8]) -> String {
    let mut out = String::new();
    escape::push_hex(&mut out, octets, usize::MAX);
    out
}

/// A character in a column of two.
fn character(octet: u8) -> String {
    match octet {
        b' ' => "␠ ".to_owned(),
        0x21..=0x7e => format!("{} ", char::from(octet)),
        _ => "· ".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(wire: &[u8]) -> String {
        explain(&Anatomy::of(wire).0, Palette::Plain)
    }

    #[test]
    fn a_masked_text_of_rfc_6455_section_5_7() {
        let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        insta::assert_snapshot!(explained(&wire));
    }

    #[test]
    fn a_compressed_message_of_rfc_7692_section_7_2_3_1_is_inflated() {
        let wire = [0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        insta::assert_snapshot!(explained(&wire));
    }

    #[test]
    fn a_close_with_a_code_that_must_not_be_sent() {
        insta::assert_snapshot!(explained(&[0x88, 0x05, 0x03, 0xee, b'b', b'y', b'e']));
    }

    #[test]
    fn a_frame_that_breaks_four_rules_says_so() {
        insta::assert_snapshot!(explained(&[0x7f, 0x7e, 0x00, 0x01, 0x41]));
    }

    #[test]
    fn titles_say_what_a_frame_is() {
        let rows: [(&[u8], &str); 6] = [
            (
                &[0x81, 0x85, 0, 0, 0, 0, 1, 2, 3, 4, 5],
                "a masked text frame with 5 octets of payload",
            ),
            (&[0x89, 0x00], "an unmasked ping frame without payload"),
            (
                &[0x01, 0x01, 0x41],
                "an unmasked text frame with 1 octet of payload, the first of its message",
            ),
            (
                &[0x80, 0x01, 0x41],
                "an unmasked continuation frame with 1 octet of payload, the last of its message",
            ),
            (
                &[0x00, 0x01, 0x41],
                "an unmasked continuation frame with 1 octet of payload, not the last of its message",
            ),
            (&[0x81], "the start of a frame: its header is cut"),
        ];
        for (wire, expected) in rows {
            assert_eq!(title(&Anatomy::of(wire).0), expected);
        }
    }

    #[test]
    fn payloads_that_are_no_text_are_shown_in_hex() {
        let rows: [(&[u8], &str); 5] = [
            (b"Hello", "Hello"),
            (b"\x00\x01", "00 01"),
            (b"\xff\xfe", "ff fe"),
            ("cut here: \u{fc}".as_bytes().split_last().unwrap().1, "cut here: ‹C3›"),
            (b"\x1b[31m", "␛[31m"),
        ];
        for (octets, expected) in rows {
            assert_eq!(readable(octets, 80), expected);
        }
    }
}
