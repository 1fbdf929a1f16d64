//! Octets written by people: hex digits with whatever stands between them in dumps and sources.

/// Where a text stops being hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexError {
    /// What is wrong.
    pub problem: String,
    /// The line it is in, whole.
    pub line: String,
    /// Column in that line, from 1.
    pub column: usize,
    /// Line, from 1.
    pub line_number: usize,
}

impl HexError {
    /// The line and a caret under the column, cut around it where the line is long.
    pub fn excerpt(&self) -> String {
        let start = self.column.saturating_sub(EXCERPT_COLUMNS / 2);
        let shown: String = self.line.chars().skip(start).take(EXCERPT_COLUMNS).collect();
        let caret = self.column.saturating_sub(start).saturating_sub(1);
        format!("{}\n{}^", crate::view::escape::whole(&shown), " ".repeat(caret))
    }
}

const EXCERPT_COLUMNS: usize = 72;

/// Reads hex digits; white space, `:`, `,`, `-`, `_`, `|`, `0x` and `\x` between octets are skipped.
pub fn parse(text: &str) -> Result<Vec<u8>, HexError> {
    let mut octets = Vec::with_capacity(text.len() / 2);
    let mut high: Option<(u8, usize)> = None;
    let mut skip_x = false;
    for (place, character) in text.char_indices() {
        if skip_x {
            skip_x = false;
            continue;
        }
        let next = text.get(place + character.len_utf8()..).unwrap_or_default();
        if matches!(character, '0' | '\\') && high.is_none() && next.starts_with(['x', 'X']) {
            skip_x = true;
        } else if let Some(digit) = character.to_digit(16).and_then(|d| u8::try_from(d).ok()) {
            high = match high {
                Some((high, _)) => {
                    octets.push(high << 4 | digit);
                    None
                }
                None => Some((digit, place)),
            };
        } else if character.is_whitespace() || matches!(character, ':' | ',' | '-' | '_' | '|') {
            if let Some((_, place)) = high {
                return Err(error(text, place, "a hex digit stands alone".to_owned()));
            }
        } else {
            let shown = crate::view::escape::text(&character.to_string(), 12);
            return Err(error(text, place, format!("'{shown}' is not a hex digit")));
        }
    }
    match high {
        Some((_, place)) => Err(error(text, place, "the last hex digit stands alone".to_owned())),
        None => Ok(octets),
    }
}

fn error(text: &str, place: usize, problem: String) -> HexError {
    let before = text.get(..place).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
    HexError {
        problem,
        line: line.to_owned(),
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        line_number: before.matches('\n').count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_read_whatever_stands_between_them() {
        for text in [
            "810548",
            "81 05 48",
            "81:05:48",
            "81-05-48",
            "0x81, 0x05, 0x48",
            "0x810548",
            "\\x81\\x05\\x48",
            "81 05\n48\n",
            "  8105 | 48",
        ] {
            assert_eq!(parse(text).as_deref(), Ok(&[0x81, 0x05, 0x48][..]), "{text:?}");
        }
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(parse("0X00"), Ok(vec![0]));
    }

    #[test]
    fn what_is_not_hex_is_told_with_its_place() {
        let rows = [
            ("81 0g", "'g' is not a hex digit", 1, 5),
            ("81 0", "the last hex digit stands alone", 1, 4),
            ("81 0 5", "a hex digit stands alone", 1, 4),
            ("81\nzz", "'z' is not a hex digit", 2, 1),
            ("ü", "'ü' is not a hex digit", 1, 1),
            ("81\u{1b}", "'␛' is not a hex digit", 1, 3),
        ];
        for (text, problem, line, column) in rows {
            let error = parse(text).unwrap_err();
            assert_eq!((&*error.problem, error.line_number, error.column), (problem, line, column));
        }
    }

    #[test]
    fn the_caret_stands_under_the_column() {
        assert_eq!(parse("81 0g").unwrap_err().excerpt(), "81 0g\n    ^");
        let long = format!("{}zz", "00 ".repeat(100));
        let excerpt = parse(&long).unwrap_err().excerpt();
        let (line, caret) = excerpt.split_once('\n').unwrap();
        assert_eq!(line.chars().nth(caret.chars().count() - 1), Some('z'));
    }
}
