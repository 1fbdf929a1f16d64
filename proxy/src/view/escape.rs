//! Text from a peer, made harmless for a terminal and cut to a width.
//!
//! Nothing a peer sends may move the cursor, change colours, reorder what is read or hide itself:
//! C0 controls are shown as control pictures (`␛`, `␊`), C1 controls, bidirectional overrides and
//! invisible characters as `‹U+202E›`, octets that are not UTF-8 as `‹C3›`.

use std::fmt::Write as _;

use framescope_core::present::characters::{control_picture, is_deceptive};
use unicode_width::UnicodeWidthChar;

/// What stands where text was cut.
pub const CUT: char = '…';

/// Appends `octets` as harmless text of at most `columns` columns; says whether all of it is there.
///
/// Reads no more of `octets` than it shows.
pub fn push_text(out: &mut String, octets: &[u8], columns: usize) -> bool {
    let mut line = Line { out, columns, used: 0, last_fit: None, chars: 0 };
    // No character takes more than four octets, and none that shows takes fewer columns than one,
    // but marks that combine take none: read a generous prefix.
    let prefix = octets.get(..columns.saturating_mul(8).saturating_add(8)).unwrap_or(octets);
    for chunk in prefix.utf8_chunks() {
        for character in chunk.valid().chars() {
            if !line.push(character) {
                return false;
            }
        }
        for octet in chunk.invalid() {
            if !line.push_str(&format!("‹{octet:02X}›")) {
                return false;
            }
        }
    }
    if prefix.len() < octets.len() {
        line.cut();
        return false;
    }
    true
}

/// `text` as harmless text of at most `columns` columns.
pub fn text(text: &str, columns: usize) -> String {
    let mut out = String::new();
    push_text(&mut out, text.as_bytes(), columns);
    out
}

/// `text` as harmless text, whole.
pub fn whole(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_harmless(&mut out, character);
    }
    out
}

/// `octets` as harmless text in lines of at most `columns` columns, at most `most` of them, and whether
/// that is all. There is one line at least, be it empty.
pub fn wrapped(octets: &[u8], columns: usize, most: usize) -> (Vec<String>, bool) {
    let mut lines = vec![String::new()];
    let (mut used, mut chars) = (0_usize, 0_usize);
    // Marks that combine take no column, but room all the same.
    let chars_max = columns.saturating_mul(4);
    for chunk in octets.utf8_chunks() {
        let mut shown = String::new();
        let invalid = chunk.invalid().iter().map(|octet| format!("‹{octet:02X}›"));
        let valid = chunk.valid().chars().map(|character| {
            shown.clear();
            push_harmless(&mut shown, character);
            shown.clone()
        });
        for piece in valid.chain(invalid) {
            let width = self::columns(&piece);
            if used.saturating_add(width) > columns || chars >= chars_max {
                if lines.len() >= most {
                    return (lines, false);
                }
                lines.push(String::new());
                (used, chars) = (0, 0);
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(&piece);
            }
            used = used.saturating_add(width);
            chars = chars.saturating_add(1);
        }
    }
    (lines, true)
}

/// Appends `octets` as pairs of hex digits in at most `columns` columns; says whether all are there.
pub fn push_hex(out: &mut String, octets: &[u8], columns: usize) -> bool {
    let fits = |count: usize| count.saturating_mul(3).saturating_sub(1) <= columns;
    let whole = fits(octets.len());
    let shown = if whole { octets.len() } else { columns.saturating_sub(1) / 3 };
    for (position, octet) in octets.iter().take(shown).enumerate() {
        let gap = if position == 0 { "" } else { " " };
        let _ = write!(out, "{gap}{octet:02x}");
    }
    if !whole {
        out.push(CUT);
    }
    whole
}

/// How many columns `text` takes; it must be harmless already.
pub fn columns(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

struct Line<'a> {
    out: &'a mut String,
    columns: usize,
    used: usize,
    /// How long `out` was when there was still room for [`CUT`].
    last_fit: Option<usize>,
    chars: usize,
}

impl Line<'_> {
    fn push(&mut self, character: char) -> bool {
        if is_deceptive(character) {
            let mut shown = String::new();
            push_harmless(&mut shown, character);
            self.push_str(&shown)
        } else {
            self.put(character.width().unwrap_or(0), |out| out.push(character))
        }
    }

    fn push_str(&mut self, shown: &str) -> bool {
        self.put(columns(shown), |out| out.push_str(shown))
    }

    fn put(&mut self, width: usize, write: impl FnOnce(&mut String)) -> bool {
        if self.used < self.columns {
            self.last_fit = Some(self.out.len());
        }
        self.chars = self.chars.saturating_add(1);
        let is_mark_flood = self.chars > self.columns.saturating_mul(4);
        if self.used.saturating_add(width) > self.columns || is_mark_flood {
            self.cut();
            return false;
        }
        write(self.out);
        self.used = self.used.saturating_add(width);
        true
    }

    fn cut(&mut self) {
        if let Some(len) = self.last_fit {
            self.out.truncate(len);
            self.out.push(CUT);
        }
    }
}

fn push_harmless(out: &mut String, character: char) {
    if let Some(picture) = control_picture(character) {
        out.push(picture);
    } else if is_deceptive(character) {
        let _ = write!(out, "‹U+{:04X}›", u32::from(character));
    } else {
        out.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(octets: &[u8], columns: usize) -> String {
        let mut out = String::new();
        push_text(&mut out, octets, columns);
        out
    }

    #[test]
    fn what_could_hijack_a_terminal_is_shown_instead() {
        let rows: [(&[u8], &str); 9] = [
            (b"plain {\"a\":1}", "plain {\"a\":1}"),
            (b"\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
            (b"a\r\nb\tc\0", "a␍␊b␉c␀"),
            (b"\x7f", "␡"),
            ("\u{9b}31m".as_bytes(), "‹U+009B›31m"),
            ("abc\u{202e}cba".as_bytes(), "abc‹U+202E›cba"),
            ("\u{2066}x\u{2069}\u{feff}".as_bytes(), "‹U+2066›x‹U+2069›‹U+FEFF›"),
            (b"caf\xc3", "caf‹C3›"),
            ("größe 中".as_bytes(), "größe 中"),
        ];
        for (sent, expected) in rows {
            assert_eq!(shown(sent, 200), expected);
            assert!(!shown(sent, 200).chars().any(char::is_control));
        }
    }

    #[test]
    fn text_is_cut_by_columns_and_not_by_octets() {
        let rows = [
            ("Hello", 5, "Hello"),
            ("Hello", 4, "Hel…"),
            ("中文字", 6, "中文字"),
            ("中文字", 5, "中文…"),
            ("中文字", 4, "中…"),
            ("ab\u{1b}", 3, "ab␛"),
            ("a\u{202e}b", 8, "a…"),
            ("", 0, ""),
        ];
        for (sent, columns, expected) in rows {
            assert_eq!(text(sent, columns), expected, "{sent:?} in {columns}");
        }
    }

    #[test]
    fn a_flood_of_combining_marks_is_cut() {
        let flood = format!("e{}", "\u{301}".repeat(100_000));
        assert!(text(&flood, 10).chars().count() <= 41);
    }

    #[test]
    fn text_is_wrapped_by_columns_and_bounded_in_lines() {
        let lines = |text: &str, columns, most| wrapped(text.as_bytes(), columns, most);
        assert_eq!(lines("", 4, 1), (vec![String::new()], true));
        assert_eq!(lines("Hello", 2, 9), (vec!["He".into(), "ll".into(), "o".into()], true));
        assert_eq!(lines("Hello", 2, 2), (vec!["He".into(), "ll".into()], false));
        assert_eq!(lines("中文\u{1b}[0m", 3, 9).0, ["中", "文␛", "[0m"]);
        assert_eq!(wrapped(b"a\xffb", 4, 9).0, ["a", "‹FF›", "b"]);
        let flood = format!("e{}", "\u{301}".repeat(100_000));
        let (lines, is_whole) = lines(&flood, 10, 3);
        assert!(!is_whole && lines.len() == 3);
        assert!(lines.iter().all(|line| line.chars().count() <= 40));
    }

    #[test]
    fn hex_is_cut_between_octets() {
        let rows = [(11, "00 01 02 03"), (10, "00 01 02…"), (3, "…"), (4, "00…")];
        for (columns, expected) in rows {
            let mut out = String::new();
            push_hex(&mut out, &[0, 1, 2, 3], columns);
            assert_eq!(out, expected, "{columns}");
        }
    }
}
