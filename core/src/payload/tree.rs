//! The one tree that every structured format becomes.
//!
//! A tree is a list of [`Node`]s in the order in which they are met, each with its depth and the number
//! of nodes below it: a list on a screen shows a row a node, and folding one skips `below` rows.
//! Nothing here recurses, whatever a peer sends.

use std::borrow::Cow;

use super::builder::shortened;
use super::fault::{Cut, Fault};
use super::notation::{Dialect, ellipsed, leaf_text};
use super::{Number, Span};

/// What a structured payload says, as far as it could be read and the limits allow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) dialect: Dialect,
    /// The first thing wrong with the octets: the tree is what came before.
    pub fault: Option<Fault>,
    /// What was left out to stay within the limits.
    pub cut: Option<Cut>,
}

/// One value and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// How many containers it is in.
    pub depth: usize,
    /// How many nodes follow that lie in it, its children's children counted in.
    pub below: usize,
    /// How many of them are its own children.
    pub children: usize,
    /// What it is called in its parent.
    pub key: Key,
    /// The octets of the key; empty where the place alone is the key.
    pub key_span: Span,
    /// What it is.
    pub value: Value,
    /// What its format calls its type: `fixstr`, `float 16`, `ObjectId`.
    pub kind: &'static str,
    /// Its octets, those of its header and of its children counted in, those of its key not.
    pub span: Span,
    /// Whether it was read to its end.
    pub is_whole: bool,
    /// What else is to be said: a point in time, a loss in other readers, the name of a tag.
    pub note: Option<Box<str>>,
    /// What its octets could mean as well, where the format does not tell.
    pub readings: Vec<Reading>,
}

/// How a node is called in its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// It has no parent.
    Root,
    /// Its ordinal in an array, from 0.
    Index(u64),
    /// A text.
    Name(Box<str>),
    /// A key that is no text, in the format's notation: `7`, `h'01'`, `true`.
    Scalar(Box<str>),
    /// A field's number, and its name where a schema tells it.
    Field {
        /// As it stands on the wire.
        number: u32,
        /// From the schema.
        name: Option<Box<str>>,
    },
    /// A part with a role: the `key` and the `value` of an entry, the `content` of a tag.
    Part(&'static str),
}

/// A value, exact.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, said.
    Null,
    /// Nothing, not even null.
    Undefined,
    /// True or false.
    Bool(bool),
    /// A number, with every digit it has.
    Number(Number),
    /// Text.
    Text(Text),
    /// Octets without further meaning.
    Octets(Span),
    /// Octets to which a number gives a meaning: an extension of MessagePack, a binary of BSON.
    Extension {
        /// The number.
        kind: i16,
        /// The octets.
        content: Span,
    },
    /// Something else without parts, in the format's own notation: `ObjectId("…")`, `simple(16)`.
    Literal(Box<str>),
    /// Values in order.
    Array(Container),
    /// Values with keys.
    Map(Container),
    /// Text or octets that come in chunks, each a child.
    Chunks(Container),
    /// One key that is itself an array or a map, and its value: two children.
    Entry,
    /// A tagged value, which is its one child.
    Tag(u64),
    /// Several payloads in one.
    Sequence,
}

/// How a container says how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// It says so at its beginning.
    Counted(u64),
    /// It says where it ends, or its end is marked.
    UntilEnd,
    /// It says no length, where it could have: CBOR's indefinite length.
    Indefinite,
}

impl Container {
    /// How many parts it says that it holds.
    pub const fn count(self) -> Option<u64> {
        match self {
            Self::Counted(count) => Some(count),
            Self::UntilEnd | Self::Indefinite => None,
        }
    }
}

/// A text, its escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its first octets, all of them where the limits allow.
    pub text: Box<str>,
    /// Whether `text` is all of it.
    pub is_whole: bool,
    /// Where it lies, quotes and header not counted in; with its escapes, where the format has any.
    pub content: Span,
}

/// Another way to read the same octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The type it would be: `sint64`, `double`, `string`.
    pub kind: &'static str,
    /// What it would say.
    pub text: Box<str>,
}

impl Value {
    /// Whether children belong to it.
    pub const fn is_container(&self) -> bool {
        matches!(
            self,
            Self::Array(_)
                | Self::Map(_)
                | Self::Chunks(_)
                | Self::Entry
                | Self::Tag(_)
                | Self::Sequence
        )
    }

    /// How an array, a map or chunks say how much they hold.
    pub const fn container(&self) -> Option<Container> {
        match self {
            Self::Array(container) | Self::Map(container) | Self::Chunks(container) => {
                Some(*container)
            }
            _ => None,
        }
    }
}

impl Tree {
    /// All nodes; the root first, each before its children.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The root, unless nothing could be read.
    pub fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// The places in [`Tree::nodes`] of the children of the node at `parent`.
    pub fn children(&self, parent: usize) -> Children<'_> {
        let below = self.nodes.get(parent).map_or(0, |node| node.below);
        let next = parent.saturating_add(1);
        Children { tree: self, next, end: next.saturating_add(below) }
    }

    /// The child of the node at `parent` that has this name.
    pub fn child(&self, parent: usize, name: &str) -> Option<usize> {
        self.children(parent).find(|child| {
            self.nodes.get(*child).is_some_and(|node| match &node.key {
                Key::Name(text) | Key::Field { name: Some(text), .. } => **text == *name,
                _ => false,
            })
        })
    }

    /// The innermost node that the octet at `offset` belongs to, by its value or its key.
    pub fn node_at(&self, offset: usize) -> Option<usize> {
        let mut found = None;
        let (mut next, mut end) = (0, self.nodes.len());
        while next < end {
            let node = self.nodes.get(next)?;
            let after = next.saturating_add(1).saturating_add(node.below);
            if node.key_span.contains(offset) {
                return Some(next);
            }
            if node.span.contains(offset) {
                found = Some(next);
                (next, end) = (next.saturating_add(1), after);
            } else {
                next = after;
            }
        }
        found
    }

    /// What the text or the octets at `place` hold, whole and without quotes, escapes and headers: to
    /// copy, or to read as a payload of its own. `payload` is what the tree was read from.
    pub fn content<'a>(&'a self, place: usize, payload: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match &self.nodes.get(place)?.value {
            Value::Text(text) if text.is_whole => Some(Cow::Borrowed(text.text.as_bytes())),
            Value::Text(text) if self.dialect == Dialect::Json => {
                let text = super::json::unescaped(text.content.of(payload));
                Some(Cow::Owned(text.into_bytes()))
            }
            Value::Text(Text { content, .. })
            | Value::Octets(content)
            | Value::Extension { content, .. } => Some(Cow::Borrowed(content.of(payload))),
            _ => None,
        }
    }

    /// The keys from the root to the node at `place`: `$.items[3].name`.
    pub fn path(&self, place: usize) -> String {
        let mut steps = Vec::new();
        let mut place = place;
        while let Some(node) = self.nodes.get(place) {
            steps.push(&node.key);
            let Some(depth) = node.depth.checked_sub(1) else { break };
            let before = self.nodes.get(..place).unwrap_or_default();
            let Some(parent) = before.iter().rposition(|node| node.depth == depth) else { break };
            place = parent;
        }
        let mut path = String::new();
        for key in steps.into_iter().rev() {
            key.add_to_path(&mut path);
        }
        path
    }

    /// The paths of all nodes, in their order, at most about `most` octets of each; see [`Tree::path`].
    pub fn paths(&self, most: usize) -> impl Iterator<Item = String> {
        // How long the path is up to each node that the next one may lie in.
        let (mut path, mut ends) = (String::new(), Vec::new());
        self.nodes.iter().map(move |node| {
            ends.truncate(node.depth);
            path.truncate(ends.last().copied().unwrap_or(0));
            node.key.add_to_path(&mut path);
            ends.push(path.len());
            let shown = shortened(&path, most);
            format!("{shown}{}", if shown.len() < path.len() { "…" } else { "" })
        })
    }

    /// A value without parts as its format writes it, at most about `most` octets of it; `None` for
    /// one with parts. `payload` is what the tree was read from.
    pub fn leaf(&self, node: &Node, payload: &[u8], most: usize) -> Option<String> {
        if node.value.is_container() {
            return None;
        }
        let text = if self.dialect == Dialect::Json {
            let token = node.span.of(payload);
            let token = token.get(..most.saturating_add(1).min(token.len())).unwrap_or_default();
            String::from_utf8_lossy(token).into_owned()
        } else {
            leaf_text(&node.value, payload, most)
        };
        Some(ellipsed(text, most))
    }

    /// Whether the payload was read to its end without fault.
    pub const fn is_whole(&self) -> bool {
        self.fault.is_none() && self.cut.is_none()
    }

    /// Whether the node at `place` has a brother after it.
    pub(super) fn has_next(&self, place: usize) -> bool {
        let Some(node) = self.nodes.get(place) else { return false };
        let after = place.saturating_add(1).saturating_add(node.below);
        self.nodes.get(after).is_some_and(|next| next.depth == node.depth)
    }
}

impl Key {
    fn add_to_path(&self, path: &mut String) {
        let step = match self {
            Self::Root => "$".to_owned(),
            Self::Index(index) => format!("[{index}]"),
            Self::Name(name) | Self::Field { name: Some(name), .. } if is_identifier(name) => {
                format!(".{name}")
            }
            Self::Name(name) | Self::Field { name: Some(name), .. } => format!("[{name:?}]"),
            Self::Scalar(key) => format!("[{key}]"),
            Self::Field { number, name: None } => format!(".{number}"),
            Self::Part(role) => format!(".{role}()"),
        };
        path.push_str(&step);
    }
}

fn is_identifier(name: &str) -> bool {
    name.chars().enumerate().all(|(place, character)| {
        character == '_' || character.is_alphabetic() || (place > 0 && character.is_alphanumeric())
    }) && !name.is_empty()
}

/// The places of a node's children, see [`Tree::children`].
#[derive(Debug, Clone)]
pub struct Children<'a> {
    tree: &'a Tree,
    next: usize,
    end: usize,
}

impl Iterator for Children<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let place = self.next;
        let node = self.tree.nodes.get(place).filter(|_| place < self.end)?;
        self.next = place.saturating_add(1).saturating_add(node.below);
        Some(place)
    }
}
