//! What is looked for: a text, a regular expression or octets.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

/// How what was typed is to be read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// A text; between slashes, a regular expression.
    #[default]
    Text,
    /// A regular expression in the syntax of the `regex` crate.
    Regex,
    /// Octets in hex, two digits each, white space and a `0x` before them passed over; `??` is any
    /// octet.
    Octets,
}

/// A text, a regular expression or octets, as they were typed.
#[derive(Debug, Clone)]
pub struct Pattern {
    typed: String,
    regex: Regex,
}

/// Why nothing can be looked for: one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression, or too large a one.
    #[error("not a regular expression: {0}")]
    Expression(String),
    /// Not two hex digits, or `??`, for each octet.
    #[error("not octets in hex: {0}; write two digits for each, as in de ad be ef")]
    Octets(String),
}

impl Pattern {
    /// `/expression/` is a regular expression (syntax of the `regex` crate), anything else a text. Case
    /// does not matter.
    ///
    /// # Errors
    /// [`PatternError`] where the expression cannot be read, or is too large.
    pub fn parse(typed: &str) -> Result<Self, PatternError> {
        Self::new(typed, Syntax::Text, false)
    }

    /// What was typed, read as `syntax` says; `matches_case` where capitals and small letters differ.
    ///
    /// # Errors
    /// [`PatternError`] where it cannot be read so.
    pub fn new(typed: &str, syntax: Syntax, matches_case: bool) -> Result<Self, PatternError> {
        let between_slashes = || typed.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let source = match syntax {
            Syntax::Text => between_slashes().map_or_else(|| regex::escape(typed), str::to_owned),
            Syntax::Regex => typed.to_owned(),
            Syntax::Octets => expression_of_octets(typed)?,
        };
        let is_insensitive = !matches_case && syntax != Syntax::Octets;
        let regex = RegexBuilder::new(&source).case_insensitive(is_insensitive).build();
        let regex = regex.map_err(|error| {
            let lines = error.to_string();
            let last = lines.lines().last().unwrap_or("it cannot be read");
            PatternError::Expression(last.trim_start_matches("error: ").to_owned())
        })?;
        Ok(Self { typed: typed.to_owned(), regex })
    }

    /// As it was typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Whether it is anywhere in `octets`, which need not be text.
    #[inline]
    pub fn is_in(&self, octets: &[u8]) -> bool {
        self.regex.is_match(octets)
    }

    /// Where it is in `octets`, from the first place on; places without an octet are left out.
    pub fn places<'a>(&'a self, octets: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        self.regex.find_iter(octets).map(|found| found.range()).filter(|range| !range.is_empty())
    }
}

/// `de ad ??` becomes `(?s-u)\xde\xad.`.
fn expression_of_octets(typed: &str) -> Result<String, PatternError> {
    let parts = typed.split_ascii_whitespace();
    let digits: String = parts.map(|part| part.strip_prefix("0x").unwrap_or(part)).collect();
    let mut expression = String::from("(?s-u)");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let pair = rest.char_indices().nth(2).map_or(rest, |(at, _)| rest.split_at(at).0);
        rest = rest.strip_prefix(pair).unwrap_or_default();
        match pair.as_bytes() {
            b"??" => expression.push('.'),
            [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                expression.push_str("\\x");
                expression.push_str(pair);
            }
            _ => return Err(PatternError::Octets(crate::diagnostics::shown(pair))),
        }
    }
    Ok(expression)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_literally_and_slashes_make_a_regular_expression() {
        let rows = [
            ("a.c", "xA.Cx", true),
            ("a.c", "abc", false),
            ("/a.c/", "xABCx", true),
            ("/sell|buy/", "{\"side\":\"BUY\"}", true),
            ("/", "a/b", true),
            ("müller", "Herr MÜLLER", true),
        ];
        for (typed, text, expected) in rows {
            let pattern = Pattern::parse(typed).expect(typed);
            assert_eq!(pattern.is_in(text.as_bytes()), expected, "{typed} in {text}");
            assert_eq!(pattern.typed(), typed);
        }
    }

    #[test]
    fn syntax_and_case_are_as_asked_for() {
        let rows = [
            ("Buy", Syntax::Text, true, "buy", false),
            ("Buy", Syntax::Text, true, "Buy", true),
            ("b.y", Syntax::Regex, false, "BUY", true),
            ("b.y", Syntax::Regex, true, "BUY", false),
            ("/a/", Syntax::Regex, true, "a", false),
            ("61 62", Syntax::Octets, false, "xabx", true),
            ("0x6162", Syntax::Octets, false, "xabx", true),
            ("61??63", Syntax::Octets, false, "a\nc", true),
            ("6162", Syntax::Octets, false, "AB", false),
        ];
        for (typed, syntax, case, text, expected) in rows {
            let pattern = Pattern::new(typed, syntax, case).expect(typed);
            assert_eq!(pattern.is_in(text.as_bytes()), expected, "{typed} in {text}");
        }
    }

    #[test]
    fn octets_that_are_no_text_are_looked_through() {
        let pattern = Pattern::parse("/(?-u)\\xff\\x00/").expect("octets");
        assert!(pattern.is_in(&[1, 0xFF, 0, 2]));
        assert!(!pattern.is_in(&[0, 0xFF, 1]));
        let pattern = Pattern::new("ff 00", Syntax::Octets, false).expect("octets");
        assert!(pattern.is_in(&[1, 0xFF, 0, 2]));
        assert!(!pattern.is_in("ÿ\0".as_bytes()));
    }

    #[test]
    fn places_are_told_in_order_and_none_is_empty() {
        let places = |typed: &str, text: &str| {
            let pattern = Pattern::parse(typed).expect(typed);
            pattern.places(text.as_bytes()).collect::<Vec<_>>()
        };
        assert_eq!(places("an", "Banana"), [1..3, 3..5]);
        assert_eq!(places("/x*/", "axxb"), vec![1..3]);
        assert!(places("nowhere", "Banana").is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_told_in_one_line() {
        let rows = [
            ("/a(b/", Syntax::Text, "not a regular expression: unclosed group"),
            ("a(b", Syntax::Regex, "not a regular expression: unclosed group"),
            (
                "6",
                Syntax::Octets,
                "not octets in hex: 6; write two digits for each, as in de ad be ef",
            ),
            (
                "61 gü",
                Syntax::Octets,
                "not octets in hex: gü; write two digits for each, as in de ad be ef",
            ),
            (
                "a\u{e9}b",
                Syntax::Octets,
                "not octets in hex: aé; write two digits for each, as in de ad be ef",
            ),
        ];
        for (typed, syntax, line) in rows {
            let error = Pattern::new(typed, syntax, false).expect_err(typed);
            assert_eq!(error.to_string(), line);
        }
    }
}
