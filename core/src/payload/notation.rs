//! A tree as text: on one line, or laid out on many.
//!
//! JSON stays as it was written, token by token, so no digit and no escape is lost. The other formats
//! read in the diagnostic notation of CBOR (RFC 8949 §8), which is JSON and what JSON lacks: `h'01ff'`
//! are octets, `1(…)` is a tag, `[_ …]` says no length. Fields without a schema are called by number.

use std::fmt::Write as _;

use super::builder::shortened;
use super::hex::digits;
use super::tree::{Container, Key, Node, Tree, Value};

/// How the nodes of a tree are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// As it stands in the payload.
    Json,
    /// RFC 8949 §8.
    #[default]
    Diagnostic,
    /// Names without quotes, as in Protobuf's text format.
    Fields,
}

/// A tree laid out in lines, each made when it is asked for.
#[derive(Debug)]
pub struct Notation<'a> {
    tree: &'a Tree,
    payload: &'a [u8],
    tokens: Vec<Token>,
    lines: Vec<Line>,
}

/// One line of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// How many steps it is moved in.
    pub indent: usize,
    /// The place in [`Tree::nodes`] of the node that it begins with, or that it ends.
    pub node: usize,
    first_token: usize,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    node: usize,
    part: Part,
    after: After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Leaf,
    Open,
    Close,
    /// Here reading stopped.
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Comma,
    Colon,
    Break,
}

/// Whether all is to stand on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Lines,
    Compact,
}

impl<'a> Notation<'a> {
    /// Lays out `tree`, which was read from `payload`.
    pub fn new(tree: &'a Tree, payload: &'a [u8]) -> Self {
        let mut notation = Self { tree, payload, tokens: Vec::new(), lines: Vec::new() };
        notation.tokenize();
        notation.break_lines();
        notation
    }

    /// The lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The text of the line at `place`, without its indent, at most about `most` octets of it.
    pub fn line(&self, place: usize, most: usize) -> String {
        let mut out = String::new();
        let Some(line) = self.lines.get(place) else { return out };
        let next = place.checked_add(1).and_then(|next| self.lines.get(next));
        let end = next.map_or(self.tokens.len(), |next| next.first_token);
        for token in self.tokens.get(line.first_token..end).unwrap_or_default() {
            self.write(*token, &mut out, most, Layout::Lines);
            out.push_str(match token.after {
                After::Colon => ": ",
                After::Comma if self.tree.dialect != Dialect::Fields => ",",
                After::Nothing | After::Break | After::Comma => "",
            });
            if out.len() > most {
                break;
            }
        }
        out.truncate(out.trim_end().len());
        ellipsed(out, most)
    }

    /// All lines, each ended by a line feed, two spaces a step.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        for (place, line) in self.lines.iter().enumerate() {
            out.extend(std::iter::repeat_n("  ", line.indent));
            out.push_str(&self.line(place, usize::MAX));
            out.push('\n');
        }
        out
    }

    /// All of it on one line, at most about `most` octets.
    pub fn compact(&self, most: usize) -> String {
        let mut out = String::new();
        let is_json = self.tree.dialect == Dialect::Json;
        for token in &self.tokens {
            self.write(*token, &mut out, most, Layout::Compact);
            match token.after {
                After::Nothing => {}
                After::Break => out.push(' '),
                After::Comma if is_json => out.push(','),
                After::Comma if self.tree.dialect == Dialect::Fields => out.push(' '),
                After::Comma => out.push_str(", "),
                After::Colon => out.push_str(": "),
            }
            if out.len() > most {
                break;
            }
        }
        ellipsed(out, most)
    }

    fn tokenize(&mut self) {
        let nodes = self.tree.nodes();
        // The places of the containers around the node.
        let mut open: Vec<usize> = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            while let Some(parent) = open.pop_if(|parent| self.ends_before(*parent, place)) {
                self.push(parent, Part::Close, open.last().copied());
            }
            if node.value.is_container() && (node.children > 0 || !node.is_whole) {
                self.push(place, Part::Open, None);
                open.push(place);
            } else {
                self.push(place, Part::Leaf, open.last().copied());
            }
        }
        if !self.tree.is_whole() {
            while let Some(parent) = open.pop_if(|parent| self.is_whole(*parent)) {
                self.push(parent, Part::Close, open.last().copied());
            }
            if let (Some(last), true) = (self.tokens.last_mut(), !open.is_empty())
                && last.part != Part::Open
            {
                last.after = After::Comma;
            }
            self.push(nodes.len().saturating_sub(1), Part::Missing, None);
        }
        while let Some(parent) = open.pop() {
            self.push(parent, Part::Close, None);
        }
    }

    fn is_whole(&self, place: usize) -> bool {
        self.tree.nodes().get(place).is_some_and(|node| node.is_whole)
    }

    /// Whether nothing of the node at `parent` stands at `place` any more.
    fn ends_before(&self, parent: usize, place: usize) -> bool {
        let below = self.tree.nodes().get(parent).map_or(0, |node| node.below);
        parent.saturating_add(below) < place
    }

    /// Adds a token; `parent` is the container of what ends with it.
    fn push(&mut self, node: usize, part: Part, parent: Option<usize>) {
        let value_at = |place: usize| self.tree.nodes().get(place).map(|node| &node.value);
        if value_at(node) == Some(&Value::Sequence) && part != Part::Missing {
            return;
        }
        let after = match parent {
            Some(parent) if self.tree.has_next(node) => match value_at(parent) {
                Some(Value::Entry) => After::Colon,
                Some(Value::Sequence) => After::Break,
                _ => After::Comma,
            },
            _ => After::Nothing,
        };
        self.tokens.push(Token { node, part, after });
    }

    fn break_lines(&mut self) {
        let mut indent = 0_usize;
        let mut before: Option<Token> = None;
        for (first_token, token) in self.tokens.iter().enumerate() {
            // A tag stands before its value, an entry has no brackets: they take no lines.
            let is_inline = |token: Token| {
                let node = self.tree.nodes().get(token.node);
                token.part != Part::Missing
                    && node.is_some_and(|node| matches!(node.value, Value::Tag(_) | Value::Entry))
            };
            let opens = |token: Token| token.part == Part::Open && !is_inline(token);
            let closes = |token: Token| token.part == Part::Close && !is_inline(token);
            if closes(*token) {
                indent = indent.saturating_sub(1);
            }
            let is_new = match before {
                None => true,
                Some(before) if opens(before) || closes(*token) => true,
                Some(before) => {
                    before.part != Part::Open
                        && before.after != After::Colon
                        && !(token.part == Part::Close && is_inline(*token))
                }
            };
            if is_new {
                self.lines.push(Line { indent, node: token.node, first_token });
            }
            if opens(*token) {
                indent = indent.saturating_add(1);
            }
            before = Some(*token);
        }
    }

    fn write(&self, token: Token, out: &mut String, most: usize, layout: Layout) {
        if token.part == Part::Missing {
            out.push('…');
        }
        let Some(node) = self.tree.nodes().get(token.node) else { return };
        match token.part {
            Part::Missing => {}
            Part::Close => out.push_str(brackets(node).1),
            Part::Leaf | Part::Open => {
                self.write_key(node, out, token.part, layout);
                match &node.value {
                    Value::Tag(tag) => {
                        let _ = write!(out, "{tag}(");
                    }
                    value if value.is_container() => {
                        let (open, close) = brackets(node);
                        out.push_str(open);
                        if value.container() == Some(Container::Indefinite) {
                            out.push_str("_ ");
                        }
                        if token.part == Part::Leaf {
                            out.push_str(close);
                        }
                    }
                    _ => self.write_leaf(node, out, most),
                }
            }
        }
    }

    fn write_key(&self, node: &Node, out: &mut String, part: Part, layout: Layout) {
        match &node.key {
            Key::Root | Key::Index(_) | Key::Part(_) => return,
            Key::Name(_) if self.tree.dialect == Dialect::Json => {
                out.push_str(&String::from_utf8_lossy(node.key_span.of(self.payload)));
            }
            Key::Name(name) => quote(name, out),
            Key::Scalar(key) => out.push_str(key),
            Key::Field { name: Some(name), .. } => out.push_str(name),
            Key::Field { number, name: None } => {
                let _ = write!(out, "{number}");
            }
        }
        out.push_str(match self.tree.dialect {
            Dialect::Json if layout == Layout::Compact => ":",
            Dialect::Fields if part == Part::Open => " ",
            _ => ": ",
        });
    }

    fn write_leaf(&self, node: &Node, out: &mut String, most: usize) {
        if self.tree.dialect == Dialect::Json {
            let token = node.span.of(self.payload);
            let token = token.get(..most.min(token.len())).unwrap_or_default();
            out.push_str(&String::from_utf8_lossy(token));
            return;
        }
        out.push_str(&leaf_text(&node.value, self.payload, most));
    }
}

/// A value without parts, at most about `most` octets of it, in diagnostic notation.
pub(super) fn leaf_text(value: &Value, payload: &[u8], most: usize) -> String {
    let mut out = String::new();
    match value {
        Value::Null => out.push_str("null"),
        Value::Undefined => out.push_str("undefined"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Text(text) if text.is_whole => quote(shortened(&text.text, most), &mut out),
        Value::Text(text) => {
            let text = text.content.of(payload);
            let text = text.get(..most.min(text.len())).unwrap_or_default();
            quote(&String::from_utf8_lossy(text), &mut out);
        }
        Value::Octets(content) => out.push_str(&octets_text(content.of(payload), most)),
        Value::Extension { kind, content } => {
            let octets = octets_text(content.of(payload), most);
            out = format!("ext({kind}, {octets})");
        }
        Value::Literal(literal) => out.push_str(shortened(literal, most)),
        // Those have parts, or none of them.
        _ => {}
    }
    out
}

/// `h'01ff'`, at most about `most` octets.
pub(super) fn octets_text(octets: &[u8], most: usize) -> String {
    let shown = octets.get(..most.min(octets.len())).unwrap_or_default();
    format!("h'{}'", digits(shown))
}

/// What encloses the children of a container.
fn brackets(node: &Node) -> (&'static str, &'static str) {
    match &node.value {
        Value::Array(_) => ("[", "]"),
        Value::Map(_) => ("{", "}"),
        Value::Chunks(_) => ("(", ")"),
        Value::Tag(_) => ("", ")"),
        _ => ("", ""),
    }
}

/// A text in quotes, as JSON has them.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// The first `most` octets of a text, or a little less, and that there are more.
pub(super) fn ellipsed(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
    text
}
