//! A flat list of values over the text they were read from. Nothing here recurses, so depth is
//! bounded by memory only.

use std::ops::Range;

/// A whole JSON text: its values in the order they stand in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    nodes: Vec<Node>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where its name stands, quotes included, where it is a member of an object.
    pub key: Option<Range<usize>>,
    /// Where it stands, brackets or quotes included.
    pub span: Range<usize>,
    /// The container it stands in.
    pub parent: Option<usize>,
    /// Its place in that container, from 0.
    pub position: usize,
    /// How many containers it stands in.
    pub depth: usize,
    /// How many values it holds itself.
    pub members: usize,
    /// The first node after it that does not stand in it.
    pub end: usize,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 8259")]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

impl Kind {
    /// Whether it holds other values.
    pub const fn is_container(self) -> bool {
        matches!(self, Self::Object | Self::Array)
    }
}

/// Where the text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON at octet {at}: expected {expected}")]
pub struct SyntaxError {
    /// Offset in octets.
    pub at: usize,
    /// What would have been right there.
    pub expected: &'static str,
}

impl Document {
    /// Reads one value with white space around it.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self::parse_up_to(text, usize::MAX)?.unwrap_or_default())
    }

    /// As [`Document::parse`], but `None` where there are more than `limit` values.
    pub fn parse_up_to(text: &str, limit: usize) -> Result<Option<Self>, SyntaxError> {
        Parser { text: text.as_bytes(), at: 0, nodes: Vec::new(), limit }.document()
    }

    /// The values in the order they stand in; the first holds all others.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where a value is, as a path such as `$.args[0]["first name"]` (RFC 9535).
    pub fn path(&self, text: &str, node: usize) -> String {
        let mut steps = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next.and_then(|at| self.nodes.get(at)) {
            match (&node.key, node.parent) {
                (Some(key), _) => steps.push(step(text.get(key.clone()).unwrap_or_default())),
                (None, Some(_)) => steps.push(format!("[{}]", node.position)),
                (None, None) => {}
            }
            next = node.parent;
        }
        steps.push("$".to_owned());
        steps.reverse();
        steps.concat()
    }
}

fn step(quoted: &str) -> String {
    let name = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain && !name.is_empty() { format!(".{name}") } else { format!("[{quoted}]") }
}

/// What a quoted string says, its escapes resolved; a lone surrogate becomes U+FFFD.
pub fn unescaped(quoted: &str) -> String {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or_default();
        let mut len = 2;
        match escape {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = |from: usize| {
                    let digits = rest.get(from..from + 4)?;
                    u32::from_str_radix(digits, 16).ok()
                };
                let first = unit(at + 2).unwrap_or(0xFFFD);
                len = 6;
                let second = rest.get(at + 6..at + 8).filter(|next| *next == "\\u");
                let second = second.and_then(|_| unit(at + 8));
                let point = match (first, second) {
                    (0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) => {
                        len = 12;
                        0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00)
                    }
                    _ => first,
                };
                out.push(char::from_u32(point).unwrap_or('\u{FFFD}'));
            }
            other => out.push(char::from(other)),
        }
        rest = rest.get(at + len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    limit: usize,
}

impl Parser<'_> {
    fn document(mut self) -> Result<Option<Document>, SyntaxError> {
        let mut open: Vec<usize> = Vec::new();
        loop {
            // Here a value is due, or in a container that was just opened, its end.
            self.skip_space();
            let parent = open.last().copied();
            let first = parent.is_none_or(|parent| self.nodes[parent].members == 0);
            if let Some(parent) = parent.filter(|_| first)
                && self.take(closing(self.nodes[parent].kind))
            {
                self.close(&mut open);
            } else {
                let key = match parent.map(|parent| self.nodes[parent].kind) {
                    Some(Kind::Object) => Some(self.name()?),
                    _ => None,
                };
                self.value(key, &mut open)?;
                if self.nodes.len() > self.limit {
                    return Ok(None);
                }
                if self.nodes.last().is_some_and(|node| node.span.end == node.span.start) {
                    continue;
                }
            }
            // A value is whole: a comma, or the end of what it stands in, as often as there is one.
            loop {
                self.skip_space();
                let Some(parent) = open.last().copied() else {
                    return if self.at == self.text.len() {
                        Ok(Some(Document { nodes: self.nodes }))
                    } else {
                        Err(self.expected("the end"))
                    };
                };
                if self.take(b',') {
                    break;
                }
                let kind = self.nodes[parent].kind;
                if !self.take(closing(kind)) {
                    let expected = if kind == Kind::Object { "`,` or `}`" } else { "`,` or `]`" };
                    return Err(self.expected(expected));
                }
                self.close(&mut open);
            }
        }
    }

    fn name(&mut self) -> Result<Range<usize>, SyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a name in quotes"));
        }
        let key = self.string()?;
        self.skip_space();
        if self.take(b':') { Ok(key) } else { Err(self.expected("`:`")) }
    }

    /// Takes one value in; of a container only its start, which then has an empty span.
    fn value(
        &mut self,
        key: Option<Range<usize>>,
        open: &mut Vec<usize>,
    ) -> Result<(), SyntaxError> {
        self.skip_space();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => {
                self.string()?;
                Kind::String
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.word("true", Kind::True)?,
            Some(b'f') => self.word("false", Kind::False)?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(self.expected("a value")),
        };
        let parent = open.last().copied();
        let mut position = 0;
        if let Some(parent) = parent {
            position = self.nodes[parent].members;
            self.nodes[parent].members += 1;
        }
        let at = self.nodes.len();
        self.nodes.push(Node {
            kind,
            key,
            span: start..self.at,
            parent,
            position,
            depth: open.len(),
            members: 0,
            end: at + 1,
        });
        if kind.is_container() {
            self.at += 1;
            open.push(at);
        }
        Ok(())
    }

    fn close(&mut self, open: &mut Vec<usize>) {
        if let Some(at) = open.pop() {
            let end = self.nodes.len();
            let node = &mut self.nodes[at];
            node.span.end = self.at;
            node.end = end;
        }
    }

    fn string(&mut self) -> Result<Range<usize>, SyntaxError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(start..self.at);
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                            self.at += 1;
                        }
                        Some(b'u') => {
                            self.at += 1;
                            for _ in 0..4 {
                                if !self.peek().is_some_and(|octet| octet.is_ascii_hexdigit()) {
                                    return Err(self.expected("four hex digits"));
                                }
                                self.at += 1;
                            }
                        }
                        _ => return Err(self.expected("an escape that JSON knows")),
                    }
                }
                Some(0..0x20) => return Err(self.expected("no bare control character")),
                Some(_) => self.at += 1,
                None => return Err(self.expected("a closing quote")),
            }
        }
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while self.peek().is_some_and(|octet| octet.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.expected("a digit")) }
    }

    fn word(&mut self, word: &'static str, kind: Kind) -> Result<Kind, SyntaxError> {
        if self.text[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(kind)
        } else {
            Err(self.expected(word))
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        if found {
            self.at += 1;
        }
        found
    }

    fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError { at: self.at, expected }
    }
}

const fn closing(kind: Kind) -> u8 {
    if matches!(kind, Kind::Object) { b'}' } else { b']' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_order_their_names_and_every_digit() {
        let text = r#" {"b":12345678901234567890.10, "a":[true,null,"x\"y"], "b":{}} "#;
        let document = Document::parse(text).expect("JSON");
        let seen: Vec<_> = document
            .nodes()
            .iter()
            .map(|node| {
                let key = node.key.clone().map(|key| &text[key]);
                (node.depth, node.kind, key, &text[node.span.clone()], node.members, node.end)
            })
            .collect();
        assert_eq!(
            seen,
            [
                (0, Kind::Object, None, text.trim(), 3, 7),
                (1, Kind::Number, Some("\"b\""), "12345678901234567890.10", 0, 2),
                (1, Kind::Array, Some("\"a\""), r#"[true,null,"x\"y"]"#, 3, 6),
                (2, Kind::True, None, "true", 0, 4),
                (2, Kind::Null, None, "null", 0, 5),
                (2, Kind::String, None, r#""x\"y""#, 0, 6),
                (1, Kind::Object, Some("\"b\""), "{}", 0, 7),
            ]
        );
    }

    #[test]
    fn what_is_no_json_says_where_and_what_was_due() {
        let rows = [
            ("", 0, "a value"),
            ("{", 1, "a name in quotes"),
            ("[1", 2, "`,` or `]`"),
            ("[1,]", 3, "a value"),
            ("{\"a\"}", 4, "`:`"),
            ("{\"a\":1,}", 7, "a name in quotes"),
            ("tru", 0, "true"),
            ("01", 1, "the end"),
            ("-", 1, "a digit"),
            ("1.e5", 2, "a digit"),
            ("\"a\nb\"", 2, "no bare control character"),
            ("\"\\x\"", 2, "an escape that JSON knows"),
            ("\"abc", 4, "a closing quote"),
            ("{} {}", 3, "the end"),
            ("42[\"a\"]", 2, "the end"),
        ];
        for (text, at, expected) in rows {
            assert_eq!(Document::parse(text), Err(SyntaxError { at, expected }), "{text}");
        }
    }

    #[test]
    fn a_million_brackets_deep_is_read_without_recursion() {
        let depth = 1_000_000;
        let text = "[".repeat(depth) + &"]".repeat(depth);
        let document = Document::parse(&text).expect("JSON");
        assert_eq!(document.nodes().len(), depth);
        assert_eq!(document.nodes()[depth - 1].depth, depth - 1);
        assert_eq!(Document::parse(&"[".repeat(depth)).expect_err("open").at, depth);
    }

    #[test]
    fn more_values_than_the_limit_are_not_kept() {
        assert!(Document::parse_up_to("[1,2,3]", 4).expect("JSON").is_some());
        assert!(Document::parse_up_to("[1,2,3]", 3).expect("JSON so far").is_none());
        assert!(Document::parse_up_to("[1,x]", 3).is_err());
    }

    #[test]
    fn a_path_leads_to_each_value() {
        let text = r#"{"args":[{"first name":1,"side":"buy"}],"":0}"#;
        let document = Document::parse(text).expect("JSON");
        let paths: Vec<_> = (0..document.nodes().len()).map(|at| document.path(text, at)).collect();
        assert_eq!(
            paths,
            [
                "$",
                "$.args",
                "$.args[0]",
                r#"$.args[0]["first name"]"#,
                "$.args[0].side",
                r#"$[""]"#
            ]
        );
    }

    #[test]
    fn escapes_are_resolved_and_lone_surrogates_replaced() {
        let rows = [
            (r#""a\n\"\\\/\u00e9""#, "a\n\"\\/é"),
            (r#""\ud83d\ude00!""#, "😀!"),
            (r#""\ud83d!""#, "\u{FFFD}!"),
            (r#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
            ("\"\"", ""),
        ];
        for (quoted, text) in rows {
            assert_eq!(unescaped(quoted), text, "{quoted}");
        }
    }
}
