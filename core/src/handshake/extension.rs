//! `Sec-WebSocket-Extensions`, RFC 6455 §9.1.
//!
//! ```text
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" ( token / quoted-string ) ]
//! ```

use std::fmt;

use crate::http::is_token;

/// One extension with its parameters, as offered or answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Extension {
    /// Such as `permessage-deflate`.
    pub name: String,
    /// In order; a value loses its quotes.
    pub params: Vec<(String, Option<String>)>,
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (name, value) in &self.params {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

impl Extension {
    /// Reads the value of one `Sec-WebSocket-Extensions` field: comma-separated extensions, each with
    /// semicolon-separated parameters, tokens or quoted strings. `Err` says where the grammar breaks.
    pub fn parse_list(value: &str) -> Result<Vec<Self>, String> {
        let (extensions, fault) = Self::read_list(value);
        fault.map_or(Ok(extensions), Err)
    }

    /// As [`Extension::parse_list`], and where the grammar breaks, what could be read before:
    /// the extension it breaks in with the parameters before the break, none behind it.
    pub fn read_list(value: &str) -> (Vec<Self>, Option<String>) {
        let mut reader = Reader { value, at: 0 };
        let mut extensions = Vec::new();
        let fault = reader.list(&mut extensions).err();
        (extensions, fault)
    }
}

/// Walks over one field value. Octet positions lie on character boundaries, for only ASCII is taken.
struct Reader<'a> {
    value: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn list(&mut self, extensions: &mut Vec<Extension>) -> Result<(), String> {
        loop {
            // "A recipient MUST parse and ignore a reasonable number of empty list elements"
            // (RFC 9110 §5.6.1.2).
            while self.skip(b',') {}
            if self.rest().is_empty() {
                return if extensions.is_empty() { self.fault("an extension") } else { Ok(()) };
            }
            let name = self.token("an extension's name")?;
            extensions.push(Extension { name, params: Vec::new() });
            let Some(extension) = extensions.last_mut() else { return Ok(()) };
            while self.skip(b';') {
                let name = self.token("a parameter's name")?;
                let value = if self.skip(b'=') { Some(self.param_value()?) } else { None };
                extension.params.push((name, value));
            }
            if !self.rest().is_empty() && self.peek() != Some(b',') {
                return self.fault("a comma or a semicolon");
            }
        }
    }

    /// "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST
    /// conform to the 'token' ABNF" (RFC 6455 §9.1).
    fn param_value(&mut self) -> Result<String, String> {
        if self.peek() != Some(b'"') {
            return self.token("a parameter's value");
        }
        let start = self.at;
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    if value.is_empty() || !value.bytes().all(is_token) {
                        return Err(format!("the quoted value at octet {start} is not a token"));
                    }
                    self.at = start.saturating_add(at).saturating_add(1);
                    self.skip_white_space();
                    return Ok(value);
                }
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                _ => value.push(character),
            }
        }
        Err(format!("the quoted value at octet {start} does not end"))
    }

    fn token(&mut self, wanted: &str) -> Result<String, String> {
        self.skip_white_space();
        let rest = self.rest();
        let len = rest.bytes().position(|octet| !is_token(octet)).unwrap_or(rest.len());
        let Some(token) = rest.get(..len).filter(|token| !token.is_empty()).map(str::to_owned)
        else {
            return self.fault(wanted);
        };
        self.at = self.at.saturating_add(len);
        self.skip_white_space();
        Ok(token)
    }

    /// Takes `octet` and the white space around it.
    fn skip(&mut self, octet: u8) -> bool {
        self.skip_white_space();
        let is_there = self.peek() == Some(octet);
        if is_there {
            self.at = self.at.saturating_add(1);
            self.skip_white_space();
        }
        is_there
    }

    /// Line ends are white space too: they stand in folded values.
    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at = self.at.saturating_add(1);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.value.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.value.get(self.at..).unwrap_or_default()
    }

    fn fault<T>(&self, wanted: &str) -> Result<T, String> {
        let seen = match self.rest().chars().next() {
            Some(character) => format!("{character:?}"),
            None => "the end".to_owned(),
        };
        Err(format!("{seen} at octet {} where {wanted} should stand", self.at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(value: &str) -> (Vec<String>, Option<String>) {
        let (extensions, fault) = Extension::read_list(value);
        (extensions.iter().map(ToString::to_string).collect(), fault)
    }

    #[test]
    fn lists_that_keep_the_grammar_are_read() {
        let rows: [(&str, &[&str]); 9] = [
            ("foo", &["foo"]),
            ("foo, bar; baz=2", &["foo", "bar; baz=2"]),
            ("bar; baz=2, foo", &["bar; baz=2", "foo"]),
            ("deflate-stream", &["deflate-stream"]),
            (
                "mux; max-channels=4; flow-control, deflate-stream",
                &["mux; max-channels=4; flow-control", "deflate-stream"],
            ),
            ("private-extension", &["private-extension"]),
            (" ,, a ;b = \"c\" ,\t", &["a; b=c"]),
            ("a;b=\"\\c\\d\"", &["a; b=cd"]),
            (
                "permessage-deflate;client_max_window_bits;server_max_window_bits=\"10\"",
                &["permessage-deflate; client_max_window_bits; server_max_window_bits=10"],
            ),
        ];
        for (value, expected) in rows {
            let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(told(value), (expected, None), "{value}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_told_with_its_place() {
        let rows: [(&str, &[&str], &str); 12] = [
            ("", &[], "the end at octet 0 where an extension should stand"),
            (" , ,", &[], "the end at octet 4 where an extension should stand"),
            ("a;", &["a"], "the end at octet 2 where a parameter's name should stand"),
            ("a; ;b", &["a"], "';' at octet 3 where a parameter's name should stand"),
            ("a; b=", &["a"], "the end at octet 5 where a parameter's value should stand"),
            (
                "a; b=1; c=\u{fc}",
                &["a; b=1"],
                "'\u{fc}' at octet 10 where a parameter's value should stand",
            ),
            ("a b", &["a"], "'b' at octet 2 where a comma or a semicolon should stand"),
            ("a=b", &["a"], "'=' at octet 1 where a comma or a semicolon should stand"),
            (
                "a, \u{1f980}",
                &["a"],
                "'\u{1f980}' at octet 3 where an extension's name should stand",
            ),
            ("a; b=\"c d\"", &["a"], "the quoted value at octet 5 is not a token"),
            ("a; b=\"\"", &["a"], "the quoted value at octet 5 is not a token"),
            ("a; b=\"c\\\"", &["a"], "the quoted value at octet 5 does not end"),
        ];
        for (value, before, fault) in rows {
            let before: Vec<_> = before.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(told(value), (before, Some(fault.to_owned())), "{value}");
            assert_eq!(Extension::parse_list(value), Err(fault.to_owned()));
        }
    }

    fn token() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,8}"
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_as_it_was(
            list in prop::collection::vec(
                (token(), prop::collection::vec((token(), prop::option::of(token())), 0..4)), 1..4),
        ) {
            let list: Vec<Extension> =
                list.into_iter().map(|(name, params)| Extension { name, params }).collect();
            let text: Vec<String> = list.iter().map(ToString::to_string).collect();
            prop_assert_eq!(Extension::parse_list(&text.join(", ")), Ok(list));
        }

        #[test]
        fn any_text_is_a_list_or_a_reason(value in "[a;=,\" \\\\\u{fc}\t]{0,24}|.*") {
            let (extensions, fault) = Extension::read_list(&value);
            prop_assert!(fault.is_some() || !extensions.is_empty());
        }
    }
}
