//! One payload, read as one format.

use bytes::Bytes;

use super::fault::{Cut, CutLimit, Fault};
use super::notation::{Notation, ellipsed};
use super::tree::{Tree, Value};
use super::{
    Detection, Format, Hints, Limits, Span, base64, bson, cbor, detect, image, json, jwt, msgpack,
    packed, protobuf, text, utf16,
};
use crate::present::{counted, octets, thousands};

/// What a payload says in a format.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The format it was read as.
    pub format: Format,
    /// What is to be said of the whole, in the order in which it should stand.
    pub facts: Vec<Fact>,
    /// What it holds.
    pub body: Body,
    /// The first thing wrong with it; `body` has what came before.
    pub fault: Option<Fault>,
    /// What was left out to stay within the limits.
    pub cut: Option<Cut>,
}

/// What a payload holds, by the kind of display that it asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Octets: rows are made by [`super::hex::row`].
    Octets,
    /// Lines of text, as places in the payload.
    Lines(Vec<Span>),
    /// A tree, folded and unfolded, or laid out by [`Notation`].
    Tree(Tree),
    /// A picture: the facts tell its size, whoever can decode it may draw it.
    Image(image::ImageKind),
    /// A payload of its own, in a wrapping.
    Inner(Box<Inner>),
}

/// What came out of a wrapping: of a compression, of base64.
#[derive(Debug, Clone, PartialEq)]
pub struct Inner {
    /// The octets that came out.
    pub octets: Bytes,
    /// What they are taken for. Another choice is one call of [`view`] with [`Inner::octets`] away.
    pub detection: Detection,
    /// What they say.
    pub view: View,
}

/// One thing to be said of a payload as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// A word or two: `size`.
    pub label: &'static str,
    /// What it is: `640 × 480 pixels`.
    pub text: String,
    /// The octets that say so.
    pub span: Option<Span>,
}

/// Octets of a fact's text.
const MOST: usize = 200;

impl Fact {
    /// A fact about the whole. Some of its text may be a peer's, which can be of any length: the
    /// beginning is kept.
    pub fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: ellipsed(text.into(), MOST), span: None }
    }

    /// The same, told by the octets of `span`.
    #[must_use]
    pub const fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }
}

/// Reads `payload` as `format`. Any octets have a view: where they are not of the format, it says where
/// they cease to be, and shows what came before.
pub fn view(format: Format, payload: &[u8], limits: &Limits) -> View {
    match format {
        Format::Octets => {
            let facts = vec![Fact::new("size", octets(payload.len() as u64))];
            View { format, facts, body: Body::Octets, fault: None, cut: None }
        }
        Format::Text => {
            let text::Lines { lines, fault, cut, facts } = text::read(payload, limits);
            View { format, facts, body: Body::Lines(lines), fault, cut }
        }
        Format::Json => View::of_tree(format, json::read(payload, limits)),
        Format::JsonSequence => View::of_tree(format, json::read_sequence(payload, limits)),
        Format::MessagePack => View::of_tree(format, msgpack::read(payload, limits)),
        Format::Cbor => View::of_tree(format, cbor::read(payload, limits)),
        Format::Bson => View::of_tree(format, bson::read(payload, limits)),
        Format::Protobuf => View::of_tree(format, protobuf::read(payload, limits)),
        Format::Gzip | Format::Zlib | Format::Brotli | Format::Zstd => {
            packed::read(format, payload, limits)
        }
        Format::Image => image::read(payload),
        Format::Base64 => base64::read(payload, limits),
        Format::Jwt => jwt::read(payload, limits),
        Format::Utf16 => utf16::read(payload, limits),
    }
}

impl View {
    pub(super) fn of_tree(format: Format, tree: Tree) -> Self {
        let (fault, cut) = (tree.fault.clone(), tree.cut);
        let mut facts = Vec::new();
        if let Some(root) = tree.root() {
            let (one, many) = match &root.value {
                Value::Map(_) => ("member", "members"),
                Value::Array(_) => ("element", "elements"),
                Value::Sequence => ("value", "values"),
                _ => ("part", "parts"),
            };
            let held = match root.children {
                0 => String::new(),
                count => format!(" of {}", counted(count as u64, one, many)),
            };
            facts.push(Fact::new("value", format!("{}{held}", root.kind)).at(root.span));
            facts.push(Fact::new("nodes", thousands(tree.nodes().len() as u64)));
        }
        Self { format, facts, body: Body::Tree(tree), fault, cut }
    }

    /// What came out of a wrapping, read in its turn.
    pub(super) fn of_inner(
        format: Format,
        facts: Vec<Fact>,
        unpacked: Unpacked,
        limits: &Limits,
    ) -> Self {
        let Unpacked { octets, fault, mut cut } = unpacked;
        let Some(nesting) = limits.nesting.checked_sub(1) else {
            cut = cut.or(Some(Cut { at: 0, limit: CutLimit::Nesting(limits.nesting) }));
            return Self { format, facts, body: Body::Octets, fault, cut };
        };
        let unpacked = limits.unpacked.saturating_sub(octets.len());
        let inner_limits = Limits { unpacked, nesting, ..*limits };
        let is_cut = fault.is_some() || cut.is_some();
        let hints = Hints { is_cut, nesting, ..Hints::default() };
        let detection = detect(&octets, &hints);
        let view = view(detection.format, &octets, &inner_limits);
        let inner = Inner { octets: octets.into(), detection, view };
        Self { format, facts, body: Body::Inner(Box::new(inner)), fault, cut }
    }

    /// The payload on one line of at most about `most` octets, for a row of a table. `payload` is what
    /// the view was made of.
    pub fn summary(&self, payload: &[u8], most: usize) -> String {
        match &self.body {
            Body::Tree(tree) => Notation::new(tree, payload).compact(most),
            Body::Lines(_) | Body::Octets if self.format != Format::Octets => {
                let beginning = payload.get(..most.min(payload.len())).unwrap_or_default();
                let mut line = String::from_utf8_lossy(beginning).into_owned();
                if beginning.len() < payload.len() {
                    line.push('…');
                }
                line
            }
            Body::Inner(inner) => {
                let inside = inner.view.summary(&inner.octets, most);
                format!("{} of {}: {inside}", self.format, inner.detection.format)
            }
            _ => {
                let facts: Vec<_> = self.facts.iter().map(|fact| fact.text.as_str()).collect();
                ellipsed(facts.join(", "), most)
            }
        }
    }

    /// The payload as text to read or to copy; `payload` is what the view was made of. Octets and
    /// pictures become a hex dump.
    pub fn text(&self, payload: &[u8]) -> String {
        match &self.body {
            Body::Tree(tree) => Notation::new(tree, payload).pretty(),
            Body::Lines(_) => String::from_utf8_lossy(payload).into_owned(),
            Body::Inner(inner) => inner.view.text(&inner.octets),
            Body::Octets | Body::Image(_) => super::hex::dump(payload),
        }
    }

    /// The innermost view, and the octets it was made of where those are not the payload's own.
    pub fn innermost(&self) -> (&Self, Option<&Bytes>) {
        let (mut view, mut octets) = (self, None);
        while let Body::Inner(inner) = &view.body {
            (view, octets) = (&inner.view, Some(&inner.octets));
        }
        (view, octets)
    }
}

/// What an unpacker gives.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    pub(super) octets: Vec<u8>,
    pub(super) fault: Option<Fault>,
    pub(super) cut: Option<Cut>,
}
