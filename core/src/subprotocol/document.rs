//! Documents: a structured payload as a dissector asks for its parts.

use super::dissection::{Packet, cut};
use super::{FieldForm, MessageFacts, Problem, ProblemCode, Subprotocol};
use crate::payload::tree::{Key, Node, Tree, Value};
use crate::payload::{Limits, Number, Span};

/// Reading stops here; what is asked for is near the beginning of all but the largest messages.
const LIMITS: Limits =
    Limits { nodes: 50_000, depth: 64, text: 64 << 10, texts: 1 << 20, unpacked: 0, nesting: 0 };

/// Octets of a value in a summary.
const PREVIEW: usize = 80;

/// A payload that was read.
#[derive(Debug)]
pub(super) struct Document {
    tree: Tree,
    /// Where the payload begins in the message; none where it lies behind an encoding.
    base: Option<usize>,
    /// Whether all octets of the payload were there to be read.
    is_whole: bool,
}

/// One value of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'d> {
    document: &'d Document,
    place: usize,
    node: &'d Node,
}

impl Document {
    /// Reads JSON that begins at message offset `base`; `is_whole` says whether no octet was cut off.
    pub(super) fn json(octets: &[u8], base: Option<usize>, is_whole: bool) -> Self {
        Self { tree: crate::payload::json::read(octets, &LIMITS), base, is_whole }
    }

    /// The same for MessagePack.
    pub(super) fn message_pack(octets: &[u8], base: Option<usize>, is_whole: bool) -> Self {
        Self { tree: crate::payload::msgpack::read(octets, &LIMITS), base, is_whole }
    }

    /// The same for CBOR.
    pub(super) fn cbor(octets: &[u8], base: Option<usize>, is_whole: bool) -> Self {
        Self { tree: crate::payload::cbor::read(octets, &LIMITS), base, is_whole }
    }

    /// Reads a message that is one JSON text; a packet that says why where it is none.
    pub(super) fn of_message(
        protocol: Subprotocol,
        message: &MessageFacts<'_>,
    ) -> Result<Self, Box<Packet>> {
        if !message.is_text() {
            let detail = format!("{protocol} goes in text messages");
            let problem = Problem { code: ProblemCode::WrongOpcode, at: None, detail };
            return Err(Box::new(Packet::unreadable(protocol, problem)));
        }
        let document = Self::json(message.data, Some(0), message.is_whole());
        match document.problem() {
            Some(problem) if document.root().is_none_or(|root| !root.is_container()) => {
                Err(Box::new(Packet::unreadable(protocol, problem)))
            }
            _ => Ok(document),
        }
    }

    /// The outermost value, as far as it could be read.
    pub(super) fn root(&self) -> Option<Item<'_>> {
        Some(Item { document: self, place: 0, node: self.tree.root()? })
    }

    /// What is wrong with the octets; nothing where they were only cut off or are more than is read.
    pub(super) fn problem(&self) -> Option<Problem> {
        let fault = self.tree.fault.as_ref()?;
        if fault.is_early_end && !self.is_whole {
            return None;
        }
        let code = if fault.is_early_end { ProblemCode::Truncated } else { ProblemCode::Malformed };
        let at = self.base.map(|base| base.saturating_add(fault.at));
        Some(Problem { code, at, detail: fault.what.clone() })
    }

    /// Whether what is not found is not there.
    pub(super) fn is_read_to_the_end(&self) -> bool {
        self.is_whole && self.tree.is_whole()
    }

    /// Adds to `packet` that something is not there, unless it may be in what was not read.
    pub(super) fn missing(&self, packet: &mut Packet, what: &str) {
        if self.is_read_to_the_end() {
            packet.problem(ProblemCode::MissingField, self.base, what);
        }
    }
}

impl<'d> Item<'d> {
    fn at(self, place: usize) -> Option<Self> {
        let node = self.document.tree.nodes().get(place)?;
        Some(Self { place, node, ..self })
    }

    /// The member of this name.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        self.document.tree.child(self.place, name).and_then(|place| self.at(place))
    }

    /// The member of this name, where it is a text.
    pub(super) fn text_of(self, name: &str) -> Option<&'d str> {
        self.get(name)?.text()
    }

    /// Members of an object or items of an array, in their order.
    pub(super) fn children(self) -> impl Iterator<Item = Self> + use<'d> {
        self.document.tree.children(self.place).filter_map(move |place| self.at(place))
    }

    /// Its name in its object.
    pub(super) fn name(self) -> &'d str {
        match &self.node.key {
            Key::Name(name) | Key::Scalar(name) => name,
            _ => "",
        }
    }

    /// How many members or items.
    pub(super) fn len(self) -> usize {
        self.node.children
    }

    pub(super) fn is_object(self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    pub(super) fn is_array(self) -> bool {
        matches!(self.node.value, Value::Array(_))
    }

    pub(super) fn is_container(self) -> bool {
        self.node.value.is_container()
    }

    pub(super) fn is_null(self) -> bool {
        matches!(self.node.value, Value::Null | Value::Undefined)
    }

    /// A text, escapes resolved; its beginning where it is long.
    pub(super) fn text(self) -> Option<&'d str> {
        match &self.node.value {
            Value::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// A text, and how many octets of it were not kept, its escapes counted in.
    pub(super) fn text_and_missing(self) -> Option<(&'d str, u64)> {
        match &self.node.value {
            Value::Text(text) if text.is_whole => Some((&text.text, 0)),
            Value::Text(text) => {
                let missing = text.content.len().saturating_sub(text.text.len());
                Some((&text.text, missing.max(1) as u64))
            }
            _ => None,
        }
    }

    pub(super) fn is_true(self) -> bool {
        matches!(self.node.value, Value::Bool(true))
    }

    pub(super) fn number(self) -> Option<&'d Number> {
        match &self.node.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub(super) fn integer(self) -> Option<u64> {
        match self.number()? {
            Number::Integer(value) => u64::try_from(*value).ok(),
            number => number.to_string().parse().ok(),
        }
    }

    /// A text in quotes or a number: what matches requests and answers.
    pub(super) fn id(self) -> Option<String> {
        match &self.node.value {
            Value::Text(text) => Some(format!("\"{}\"", text.text)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Its octets in the message.
    pub(super) fn span(self) -> Option<Span> {
        let base = self.document.base?;
        Some(Span::at(base.saturating_add(self.node.span.start), self.node.span.len()))
    }

    /// Where it begins in the message.
    pub(super) fn offset(self) -> Option<usize> {
        self.span().map(|span| span.start)
    }

    /// `a string`, `an object`: what it is, in a sentence about what it should be.
    pub(super) fn what(self) -> &'static str {
        match self.node.value {
            Value::Null | Value::Undefined => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::Array(_) => "an array",
            Value::Map(_) => "an object",
            _ => "something else",
        }
    }

    /// Its value in JSON or what comes near to it, on one line, cut.
    pub(super) fn preview(self) -> String {
        self.written(PREVIEW)
    }

    /// A text as it is, anything else as [`Item::preview`].
    pub(super) fn plain(self) -> String {
        self.text().map_or_else(|| self.preview(), |text| cut(text, PREVIEW))
    }

    /// On one line, of about `most` octets.
    pub(super) fn written(self, most: usize) -> String {
        let nodes = self.document.tree.nodes();
        let end = self.place.saturating_add(self.node.below);
        let mut out = String::new();
        // What closes each container that is open, and how many children are to come.
        let mut open: Vec<(char, usize)> = Vec::new();
        for node in nodes.get(self.place..=end).unwrap_or_default() {
            if out.len() > most {
                return format!("{}…", cut(&out, most).trim_end_matches('…'));
            }
            if !open.is_empty() && !out.ends_with(['[', '{']) {
                out.push(',');
            }
            if let (Key::Name(name) | Key::Scalar(name), false) = (&node.key, open.is_empty()) {
                out.extend(["\"", &cut(name, most), "\":"]);
            }
            match &node.value {
                Value::Array(_) | Value::Sequence | Value::Chunks(_) | Value::Entry => {
                    out.push('[');
                    open.push((']', node.children));
                }
                Value::Map(_) => {
                    out.push('{');
                    open.push(('}', node.children));
                }
                Value::Tag(tag) => {
                    out.push_str(&tag.to_string());
                    out.push('[');
                    open.push((']', node.children));
                }
                leaf => {
                    out.push_str(&leaf_text(leaf, most));
                    if let Some((_, left)) = open.last_mut() {
                        *left = left.saturating_sub(1);
                    }
                }
            }
            while let Some((closes, 0)) = open.last() {
                out.push(*closes);
                open.pop();
                if let Some((_, left)) = open.last_mut() {
                    *left = left.saturating_sub(1);
                }
            }
        }
        cut(&out, most)
    }

    /// Adds this value as a field, and its members or items below it where it has any.
    pub(super) fn add_to(self, packet: &mut Packet, name: &str) {
        self.add_at(packet, 0, name);
    }

    /// Adds this value as a field at a depth.
    pub(super) fn add_at(self, packet: &mut Packet, depth: u8, name: &str) {
        let form = match self.node.value {
            Value::Text(_) => FieldForm::Text,
            Value::Number(_) => FieldForm::Number,
            Value::Bool(_) => FieldForm::Flag,
            _ => FieldForm::Structure,
        };
        let value = match self.text() {
            Some(text) => text.to_owned(),
            None => self.written(super::MAX_TEXT),
        };
        packet.field_at(depth, name.to_owned(), form, &value, self.span());
    }

    /// Adds each member as a field.
    pub(super) fn add_members(self, packet: &mut Packet, depth: u8) {
        for (place, child) in self.children().enumerate().take(super::MAX_FIELDS) {
            match child.name() {
                "" => child.add_at(packet, depth, &place.to_string()),
                name => child.add_at(packet, depth, name),
            }
        }
    }
}

fn leaf_text(value: &Value, most: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Undefined => "undefined".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("\"{}\"", cut(&text.text, most)),
        Value::Octets(span) => format!("({})", crate::present::octets(span.len() as u64)),
        Value::Literal(literal) => literal.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::{Role, Subprotocol};

    const TEXT: &str =
        r#"xx{"id":7,"a":[1,"b",{"c":null},[]],"é":true,"big":12345678901234567890}"#;

    fn document() -> Document {
        Document::json(&TEXT.as_bytes()[2..], Some(2), true)
    }

    #[test]
    fn parts_are_had_by_name_with_their_place_in_the_message() {
        let document = document();
        let root = document.root().unwrap();
        assert_eq!(root.get("id").unwrap().integer(), Some(7));
        assert_eq!(root.get("big").unwrap().id().as_deref(), Some("12345678901234567890"));
        assert!(root.get("é").unwrap().is_true());
        let list = root.get("a").unwrap();
        assert_eq!(list.span().unwrap().of(TEXT.as_bytes()), br#"[1,"b",{"c":null},[]]"#);
        assert_eq!(list.children().count(), 4);
        assert_eq!(list.preview(), r#"[1,"b",{"c":null},[]]"#);
        assert_eq!(list.written(8), r#"[1,"b",{…"#);
    }

    #[test]
    fn what_was_cut_off_is_not_called_wrong() {
        let cut = Document::json(br#"{"id":7,"a":["#, Some(0), false);
        assert!(cut.problem().is_none());
        assert_eq!(cut.root().unwrap().get("id").unwrap().integer(), Some(7));
        let mut packet = Packet::new(Subprotocol::JsonRpc, "request", Role::Request);
        cut.missing(&mut packet, "a method");
        assert!(packet.problems.is_empty());
        let ended = Document::json(br#"{"id":7,"a":["#, Some(9), true);
        assert_eq!(ended.problem().unwrap().code, ProblemCode::Truncated);
        let broken = Document::json(br#"{"id":7,]"#, Some(9), true);
        assert_eq!(broken.problem().unwrap().code, ProblemCode::Malformed);
    }
}
