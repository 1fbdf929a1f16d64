//! What a payload seems to be, and why one thinks so.

use super::fault::Fault;
use super::image::ImageKind;
use super::tree::{Tree, Value};
use super::{Format, Limits, base64, bson, cbor, json, jwt, msgpack, packed, protobuf, utf16};
use crate::present::octets;

/// The format that a payload seems to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// The format.
    pub format: Format,
    /// Why, in words that go on after "because it": `begins with { and is JSON to its end`.
    pub reason: String,
    /// How much the reason proves.
    pub confidence: Confidence,
}

/// How much a reason proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Other formats could look like this too.
    Possible,
    /// Octets of another format would hardly look like this.
    Likely,
    /// It can hardly be anything else.
    Certain,
}

/// What is known of a payload besides its octets.
#[derive(Debug, Clone, Copy)]
pub struct Hints<'a> {
    /// It came in a text message (`Some(true)`) or in a binary one.
    pub is_text: Option<bool>,
    /// Names that may tell a format: a subprotocol such as `wamp.2.msgpack`, a media type.
    pub names: &'a [&'a str],
    /// The octets are the beginning of a longer payload.
    pub is_cut: bool,
    /// How many wrappings are looked into, at most.
    pub nesting: usize,
}

impl Default for Hints<'_> {
    fn default() -> Self {
        Self { is_text: None, names: &[], is_cut: false, nesting: Limits::GLANCE.nesting }
    }
}

/// How many octets are looked at. What begins right is taken for right to its end.
const LOOK: usize = 16 << 10;

impl Detection {
    fn new(format: Format, confidence: Confidence, reason: impl Into<String>) -> Self {
        Self { format, reason: reason.into(), confidence }
    }
}

/// The format that a payload most likely has. There always is one: octets are octets.
pub fn detect(payload: &[u8], hints: &Hints<'_>) -> Detection {
    // What tells itself need not be tried as anything else, unless a hint may speak for that.
    if hints.names.is_empty() && !payload.is_empty() {
        let look = Look::new(payload, hints);
        let mut all = Vec::new();
        look.magic(&mut all);
        look.text(&mut all);
        let is_certain = |found: &Detection| found.confidence == Confidence::Certain;
        if let Some(place) = all.iter().position(is_certain) {
            return all.swap_remove(place);
        }
    }
    candidates(payload, hints).into_iter().next().unwrap_or_else(octets_at_least)
}

/// All formats that a payload may have, the likeliest first. The last one is [`Format::Octets`].
pub fn candidates(payload: &[u8], hints: &Hints<'_>) -> Vec<Detection> {
    let look = Look::new(payload, hints);
    let mut all = Vec::new();
    if payload.is_empty() {
        all.push(Detection::new(Format::Text, Confidence::Certain, "is empty"));
    } else {
        look.magic(&mut all);
        look.text(&mut all);
        look.binary(&mut all);
    }
    look.named(&mut all);
    // Stable: among equals the order above decides.
    all.sort_by_key(|detection| std::cmp::Reverse(detection.confidence));
    all.push(octets_at_least());
    all
}

fn octets_at_least() -> Detection {
    Detection::new(Format::Octets, Confidence::Possible, "is octets, whatever else it may be")
}

/// The beginning of a payload, looked at.
struct Look<'a> {
    octets: &'a [u8],
    /// There is more than is looked at.
    is_cut: bool,
    hints: &'a Hints<'a>,
}

impl<'a> Look<'a> {
    fn new(payload: &'a [u8], hints: &'a Hints<'a>) -> Self {
        let octets = payload.get(..LOOK.min(payload.len())).unwrap_or_default();
        Self { octets, is_cut: hints.is_cut || octets.len() < payload.len(), hints }
    }

    /// Formats that tell themselves by their first octets.
    fn magic(&self, all: &mut Vec<Detection>) {
        if let Some((_, reason)) = ImageKind::of(self.octets) {
            all.push(Detection::new(Format::Image, Confidence::Certain, reason));
        }
        if self.octets.starts_with(&[0x1F, 0x8B, 8]) {
            let reason = "begins with 1f 8b 08, the magic of gzip";
            all.push(Detection::new(Format::Gzip, Confidence::Certain, reason));
        }
        if self.octets.starts_with(packed::ZSTD_MAGIC) {
            let reason = "begins with 28 b5 2f fd, the magic of Zstandard";
            all.push(Detection::new(Format::Zstd, Confidence::Certain, reason));
        }
        if packed::is_zlib_header(self.octets) && self.unpacks(Format::Zlib).is_some() {
            let reason = "begins with a zlib header, and unpacks";
            all.push(Detection::new(Format::Zlib, Confidence::Certain, reason));
        }
        if self.hints.is_text != Some(true)
            && self.hints.nesting > 0
            && let Some((is_marked, reason)) = utf16::recognise(self.octets, self.is_cut)
        {
            let confidence = if is_marked { Confidence::Certain } else { Confidence::Likely };
            all.push(Detection::new(Format::Utf16, confidence, reason));
        }
        if self.octets.starts_with(b"\xd9\xd9\xf7") {
            let reason = "begins with d9 d9 f7, the tag of self-described CBOR";
            all.push(Detection::new(Format::Cbor, Confidence::Certain, reason));
        }
    }

    /// Formats that are text.
    fn text(&self, all: &mut Vec<Detection>) {
        let is_utf8 = match simdutf8::compat::from_utf8(self.octets) {
            Ok(_) => true,
            Err(error) => self.is_cut && error.error_len().is_none() && error.valid_up_to() > 0,
        };
        if !is_utf8 {
            if self.hints.is_text == Some(true) {
                let reason = "came in a text message, though it is not UTF-8";
                all.push(Detection::new(Format::Text, Confidence::Likely, reason));
            }
            return;
        }
        self.json(all);
        if jwt::is_candidate(self.octets) {
            let reason =
                "is a JSON Web Token: three parts of base64url, the first names an algorithm";
            all.push(Detection::new(Format::Jwt, Confidence::Certain, reason));
        }
        self.base64(all);
        // STOMP ends its frames with NUL, SignalR its records with RS.
        let said = self.octets.strip_suffix(b"\0").unwrap_or(self.octets);
        // All of them, without a way out on the way: that is done many octets at a time.
        let is_readable = said.iter().fold(true, |is_so, octet| {
            is_so & matches!(*octet, b'\t' | b'\n' | b'\r' | json::SEPARATOR | b' '..=b'~' | 0x80..)
        });
        let (confidence, reason) = match (is_readable, self.hints.is_text) {
            (_, Some(true)) => (Confidence::Likely, "came in a text message, and is UTF-8"),
            (true, _) => (Confidence::Likely, "is UTF-8 without control characters"),
            (false, _) => (Confidence::Possible, "is UTF-8, with control characters"),
        };
        all.push(Detection::new(Format::Text, confidence, reason));
    }

    fn json(&self, all: &mut Vec<Detection>) {
        let is_first = |octet: &&u8| !json::is_white(**octet) && **octet != json::SEPARATOR;
        let Some(first) = self.octets.iter().find(is_first).copied() else { return };
        let begins = format!("begins with {}", char::from(first));
        let tree = json::read(self.octets, &Limits::GLANCE);
        let is_one = self.is_right_so_far(&tree);
        match first {
            b'{' | b'[' if is_one => {
                let reason = format!("{begins} and is JSON {}", Self::how_far(&tree));
                all.push(Detection::new(Format::Json, Confidence::Certain, reason));
            }
            b'{' | b'[' => {
                let sequence = json::read_sequence(self.octets, &Limits::GLANCE);
                let count = sequence.root().map_or(0, |root| root.children);
                if self.is_right_so_far(&sequence) && count > 0 {
                    let reason = format!("is JSON texts in a row {}", Self::how_far(&sequence));
                    all.push(Detection::new(Format::JsonSequence, Confidence::Certain, reason));
                } else if let Some(Fault { at, what, .. }) = &tree.fault
                    && tree.nodes().len() > 1
                {
                    let reason = format!("{begins} as JSON does, but at octet {at} {what}");
                    all.push(Detection::new(Format::Json, Confidence::Possible, reason));
                }
            }
            b'"' if is_one => {
                let reason = "is a JSON string";
                all.push(Detection::new(Format::Json, Confidence::Likely, reason));
            }
            _ if is_one => {
                let kind = tree.root().map_or("value", |root| root.kind);
                let reason = format!("is a JSON {kind}");
                all.push(Detection::new(Format::Json, Confidence::Possible, reason));
            }
            _ => {}
        }
    }

    fn base64(&self, all: &mut Vec<Detection>) {
        let Some(nesting) = self.hints.nesting.checked_sub(1) else { return };
        if !base64::is_candidate(self.octets) {
            return;
        }
        let unpacked = base64::decode(self.octets, &Limits::GLANCE);
        if unpacked.octets.is_empty() || (unpacked.fault.is_some() && !self.is_cut) {
            return;
        }
        let is_cut = self.is_cut || unpacked.cut.is_some();
        let hints = Hints { is_cut, nesting, ..Hints::default() };
        let inner = detect(&unpacked.octets, &hints);
        let is_url = self.octets.starts_with(b"data:");
        // Many a word is base64 of something. Of something that means something, hardly any is.
        let (confidence, reason) = match (inner.format, inner.confidence) {
            _ if is_url => (Confidence::Certain, "is a data: URL".to_owned()),
            (Format::Octets, _) | (_, Confidence::Possible) => {
                let has = |is_kind: fn(&u8) -> bool| self.octets.iter().any(is_kind);
                let is_mixed = has(u8::is_ascii_uppercase)
                    && has(u8::is_ascii_lowercase)
                    && (has(u8::is_ascii_digit) || self.octets.contains(&b'='));
                if !is_mixed || self.octets.len() < 16 {
                    return;
                }
                (Confidence::Possible, "has nothing but the letters of base64".to_owned())
            }
            (format, confidence) => {
                let reason = format!("is base64 of {format}, which {}", inner.reason);
                (confidence.min(Confidence::Certain), reason)
            }
        };
        all.push(Detection::new(Format::Base64, confidence, reason));
    }

    /// Formats that tell themselves only by being right from end to end.
    fn binary(&self, all: &mut Vec<Detection>) {
        // A text is many other things by chance.
        let is_text = all.iter().any(|found| {
            found.confidence >= Confidence::Likely
                && matches!(found.format, Format::Text | Format::Json | Format::JsonSequence)
        });
        let mut trees: Vec<(Format, Tree)> = vec![
            (Format::MessagePack, msgpack::read(self.octets, &Limits::GLANCE)),
            (Format::Cbor, cbor::read(self.octets, &Limits::GLANCE)),
            (Format::Protobuf, protobuf::read(self.octets, &Limits::GLANCE)),
        ];
        if bson_length(self.octets).is_some_and(|len| self.is_cut || len == self.octets.len()) {
            trees.push((Format::Bson, bson::read(self.octets, &Limits::GLANCE)));
        }
        trees.retain(|(_, tree)| self.is_right_so_far(tree));
        trees.sort_by_key(|(_, tree)| std::cmp::Reverse(names(tree)));
        for (format, tree) in trees {
            let Some(root) = tree.root() else { continue };
            if all.iter().any(|found| found.format == format) {
                continue;
            }
            let (confidence, what) = match &root.value {
                _ if format == Format::Bson => {
                    (Confidence::Certain, "a document of its own length")
                }
                _ if format == Format::Protobuf => match protobuf_confidence(&tree) {
                    Some(confidence) if !is_text => (confidence, "fields with numbers"),
                    _ => continue,
                },
                Value::Map(_) if names(&tree) > 0 => (Confidence::Likely, "a map with names"),
                Value::Map(_) if root.children > 0 => (Confidence::Likely, "a map"),
                Value::Array(_) if tree.nodes().len() > 2 => (Confidence::Likely, "an array"),
                Value::Sequence if names(&tree) > 0 => (Confidence::Likely, "several values"),
                Value::Literal(_) | Value::Tag(_) | Value::Text(_) if self.octets.len() > 4 => {
                    (Confidence::Likely, root.kind)
                }
                // A few numbers in a row are to be found anywhere.
                Value::Sequence => continue,
                _ if is_text => continue,
                _ => (Confidence::Possible, root.kind),
            };
            let confidence = if is_text { Confidence::Possible } else { confidence };
            let reason = format!("is {format} {}: {what}", Self::how_far(&tree));
            all.push(Detection::new(format, confidence, reason));
        }
        self.brotli(all);
    }

    /// Brotli has no mark: it is tried where nothing else is likely, or where a hint names it.
    fn brotli(&self, all: &mut Vec<Detection>) {
        let is_named = self.hints.names.iter().any(|name| is_brotli(&name.to_ascii_lowercase()));
        let is_open = all.iter().all(|found| found.confidence == Confidence::Possible);
        if !is_named && !is_open {
            return;
        }
        let Some(inside) = self.unpacks(Format::Brotli) else { return };
        if is_named || (inside.format != Format::Octets && inside.confidence > Confidence::Possible)
        {
            let reason = format!("unpacks as Brotli to {}, which {}", inside.format, inside.reason);
            all.push(Detection::new(Format::Brotli, Confidence::Likely, reason));
        }
    }

    /// What something compressed holds, where it unpacks without fault.
    fn unpacks(&self, format: Format) -> Option<Detection> {
        let nesting = self.hints.nesting.checked_sub(1)?;
        let unpacked = packed::unpack(format, self.octets, &Limits::GLANCE, &mut Vec::new());
        let is_right = unpacked.fault.is_none_or(|fault| self.is_cut && fault.is_early_end);
        if !is_right || unpacked.octets.is_empty() {
            return None;
        }
        let is_cut = self.is_cut || unpacked.cut.is_some();
        Some(detect(&unpacked.octets, &Hints { is_cut, nesting, ..Hints::default() }))
    }

    /// Raises what a hint names.
    fn named(&self, all: &mut [Detection]) {
        for name in self.hints.names {
            let lower = name.to_ascii_lowercase();
            let of_format = |format: Format| -> &[&str] {
                match format {
                    Format::Json => &["json"],
                    Format::MessagePack => &["msgpack", "messagepack"],
                    Format::Cbor => &["cbor"],
                    Format::Bson => &["bson"],
                    Format::Protobuf => &["protobuf", "proto3"],
                    Format::Gzip => &["gzip"],
                    Format::Zstd => &["zstd"],
                    Format::Image => &["image/"],
                    _ => &[],
                }
            };
            let is_meant = |found: &&mut Detection| {
                of_format(found.format).iter().any(|word| lower.contains(word))
                    || (found.format == Format::Brotli && is_brotli(&lower))
            };
            if let Some(found) = all.iter_mut().find(is_meant) {
                found.confidence = Confidence::Certain;
                found.reason = format!("{}, and {name} names it", found.reason);
            }
        }
    }

    fn is_right_so_far(&self, tree: &Tree) -> bool {
        match &tree.fault {
            None => true,
            Some(fault) => self.is_cut && fault.is_early_end && tree.root().is_some(),
        }
    }

    /// `to its end`, or as far as was looked.
    fn how_far(tree: &Tree) -> String {
        match (&tree.fault, tree.cut) {
            (_, Some(cut)) => format!("in its first {}", octets(cut.at as u64)),
            (Some(fault), _) => format!("in its first {}", octets(fault.at as u64)),
            (None, None) => "to its end".to_owned(),
        }
    }
}

/// Whether a name, in lower case, means Brotli: a content coding is called `br`.
fn is_brotli(name: &str) -> bool {
    name == "br" || name.contains("brotli")
}

/// The length that a BSON document begins with.
fn bson_length(octets: &[u8]) -> Option<usize> {
    let len = u32::from_le_bytes(*octets.first_chunk()?);
    usize::try_from(len).ok().filter(|len| *len >= 5)
}

/// How much it proves that octets are fields from end to end: texts in them, and small field numbers.
fn protobuf_confidence(tree: &Tree) -> Option<Confidence> {
    let fields = tree.nodes().get(1..).filter(|fields| !fields.is_empty())?;
    let are_small = fields
        .iter()
        .all(|node| !matches!(node.key, super::Key::Field { number, .. } if number > 1_000));
    let texts = fields.iter().filter(|node| {
        matches!(&node.value, Value::Text(text) if text.text.len() > 2)
            || (matches!(node.value, Value::Map(_)) && node.kind == "message")
    });
    match (are_small, texts.count()) {
        (false, _) => None,
        (true, 0) => Some(Confidence::Possible),
        (true, _) => Some(Confidence::Likely),
    }
}

/// How many nodes are called by readable names: chance does not make many.
fn names(tree: &Tree) -> usize {
    let is_readable =
        |name: &str| name.chars().all(|character| !character.is_control()) && !name.is_empty();
    tree.nodes()
        .iter()
        .filter(|node| match (&node.key, &node.value) {
            (super::Key::Name(name), _) => is_readable(name),
            (_, Value::Text(text)) => is_readable(&text.text),
            _ => false,
        })
        .count()
}

#[cfg(test)]
mod tests;
