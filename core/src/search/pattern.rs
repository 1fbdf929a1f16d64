//! What is looked for: a text, or a regular expression between slashes.

use regex::bytes::{Regex, RegexBuilder};

/// A text or a regular expression, as it was typed. Case does not matter.
#[derive(Debug, Clone)]
pub struct Pattern {
    typed: String,
    regex: Regex,
}

/// What is between the slashes is no regular expression: why, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a regular expression: {0}")]
pub struct PatternError(String);

impl Pattern {
    /// `/expression/` is a regular expression (syntax of the `regex` crate), anything else a text.
    ///
    /// # Errors
    /// [`PatternError`] where the expression cannot be read, or is too large.
    pub fn parse(typed: &str) -> Result<Self, PatternError> {
        let expression = typed.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let source = expression.map_or_else(|| regex::escape(typed), str::to_owned);
        let regex = RegexBuilder::new(&source).case_insensitive(true).build().map_err(|error| {
            let lines = error.to_string();
            let last = lines.lines().last().unwrap_or("it cannot be read");
            PatternError(last.trim_start_matches("error: ").to_owned())
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
    fn octets_that_are_no_text_are_looked_through() {
        let pattern = Pattern::parse("/(?-u)\\xff\\x00/").expect("octets");
        assert!(pattern.is_in(&[1, 0xFF, 0, 2]));
        assert!(!pattern.is_in(&[0, 0xFF, 1]));
    }

    #[test]
    fn a_broken_expression_is_told_in_one_line() {
        let line = Pattern::parse("/a(b/").expect_err("unclosed").to_string();
        assert_eq!(line, "not a regular expression: unclosed group");
    }
}
