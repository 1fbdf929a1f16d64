//! Laws of payload views: any octets have a view in any format, within its limits; trees hold
//! together; what was written is read; what is cut short gives the beginning of the same tree.

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::tree::{Key, Node};
use super::{Body, Cut, CutLimit, Fault, Format, Hints, Limits, Notation, Span, Tree, View};
use super::{candidates, detect, view};

const SMALL: Limits = Limits { nodes: 40, depth: 6, text: 8, texts: 64, unpacked: 200, nesting: 2 };

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![Just(Limits::VIEW), Just(Limits::GLANCE), Just(SMALL)]
}

/// Octets at random, and octets that begin as the formats do.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let starts: Vec<&[u8]> = vec![
        b"{\"a\":[1,",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
        b"\x78\x9c",
        b"\x28\xb5\x2f\xfd",
        b"\xd9\xd9\xf7",
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
        b"\xff\xd8\xff\xe0\0\x04ab",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0",
        b"<svg width=",
        b"GIF89a",
        b"\x20\0\0\0\x03a\0\x10\0\0\0",
        b"\x0a\x05\x0a\x03\x0a\x01",
        b"data:;base64,",
        b"\xff\xfeA\0",
        b"eyJhbGciOiJub25lIn0.eyJh",
        b"",
    ];
    let few = prop::collection::vec(
        prop::sample::select(b"{}[]\",:\\u0019 aeE+-.tfn=\x81\x91\xa1\x9f\xff\x0a\x08".to_vec()),
        0..60,
    );
    (prop::sample::select(starts), prop_oneof![noise, few])
        .prop_map(|(start, rest)| [start, &rest].concat())
}

fn assert_within(span: Span, payload: &[u8]) {
    assert!(span.start <= span.end && span.end <= payload.len(), "{span} of {}", payload.len());
}

fn assert_holds(view: &View, payload: &[u8], limits: &Limits) {
    for fact in &view.facts {
        assert_within(fact.span.unwrap_or_default(), payload);
    }
    if let Some(Fault { at, what, .. }) = &view.fault {
        assert!(*at <= payload.len() && !what.is_empty());
    }
    if let Some(Cut { at, .. }) = view.cut {
        assert!(at <= payload.len());
    }
    match &view.body {
        Body::Tree(tree) => assert_tree_holds(tree, payload, limits),
        Body::Lines(lines) => lines.iter().for_each(|line| assert_within(*line, payload)),
        Body::Inner(inner) => {
            let left = limits.unpacked.saturating_sub(inner.octets.len());
            assert!(inner.octets.len() <= limits.unpacked);
            let nesting = limits.nesting - 1;
            assert_holds(
                &inner.view,
                &inner.octets,
                &Limits { unpacked: left, nesting, ..*limits },
            );
        }
        Body::Octets | Body::Image(_) => {}
    }
    let summary = view.summary(payload, 80);
    assert!(summary.len() < 80 + 400, "{summary}");
}

fn assert_tree_holds(tree: &Tree, payload: &[u8], limits: &Limits) {
    assert!(tree.nodes().len() <= limits.nodes);
    for (place, node) in tree.nodes().iter().enumerate() {
        assert!(node.depth <= limits.depth);
        assert_within(node.span, payload);
        assert_within(node.key_span, payload);
        let children: Vec<_> = tree.children(place).collect();
        assert_eq!(children.len(), node.children);
        assert!(children.is_empty() || node.value.is_container());
        let mut end = node.span.start;
        for child in children {
            let child = &tree.nodes()[child];
            assert_eq!(child.depth, node.depth + 1);
            assert!(end <= child.span.start && child.span.end <= node.span.end, "{child:?}");
            end = child.span.end;
        }
        assert!(tree.node_at(node.span.start).is_some() || node.span.is_empty());
    }
    assert!(tree.path(tree.nodes().len().saturating_sub(1)).len() < 1 << 20);
    for (place, path) in tree.paths(usize::MAX).enumerate() {
        assert_eq!(path, tree.path(place));
    }
    let notation = Notation::new(tree, payload);
    for place in 0..notation.lines().len() {
        assert!(notation.line(place, 50).len() <= 50 + '…'.len_utf8());
    }
    assert!(!tree.is_whole() || !notation.compact(usize::MAX).contains("……"));
}

/// A value without its place.
fn said(node: &Node) -> (usize, Key, &'static str) {
    (node.depth, node.key.clone(), node.kind)
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        "[ -~é😀\n]{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{0,4}", inner, 0..6)
                .prop_map(|map| Json::from(Map::from_iter(map))),
        ]
    })
}

/// The lowest octet.
fn low(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// With most of its numbers and lengths in the shortest form, as encoders write it.
fn msgpack(value: &Json, out: &mut Vec<u8>) {
    let mut counted = |short: u8, short_len: usize, long: u8, len: usize| {
        if len < short_len {
            out.push(short | low(len as u64));
        } else {
            out.push(long);
            out.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    };
    match value {
        Json::Null => out.push(0xC0),
        Json::Bool(value) => out.push(0xC2 | u8::from(*value)),
        Json::Number(number) => match number.as_u64() {
            Some(value @ 0..=0x7F) => out.push(low(value)),
            Some(value) => {
                out.push(0xCF);
                out.extend(value.to_be_bytes());
            }
            None => {
                out.push(0xD3);
                out.extend(number.as_i64().unwrap().to_be_bytes());
            }
        },
        Json::String(text) => {
            counted(0xA0, 32, 0xDA, text.len());
            out.extend(text.as_bytes());
        }
        Json::Array(values) => {
            counted(0x90, 16, 0xDC, values.len());
            for value in values {
                msgpack(value, out);
            }
        }
        Json::Object(members) => {
            counted(0x80, 16, 0xDE, members.len());
            for (name, value) in members {
                msgpack(&Json::from(name.as_str()), out);
                msgpack(value, out);
            }
        }
    }
}

/// `indefinite` containers where it says so.
fn cbor(value: &Json, indefinite: bool, out: &mut Vec<u8>) {
    let head = |out: &mut Vec<u8>, major: u8, argument: u64| match argument {
        0..=23 => out.push(major << 5 | low(argument)),
        24..=255 => out.extend([major << 5 | 0x18, low(argument)]),
        _ => {
            out.push(major << 5 | 0x1B);
            out.extend(argument.to_be_bytes());
        }
    };
    match value {
        Json::Null => out.push(0xF6),
        Json::Bool(value) => out.push(0xF4 | u8::from(*value)),
        Json::Number(number) => match number.as_u64() {
            Some(value) => head(out, 0, value),
            None => head(out, 1, (!number.as_i64().unwrap()).cast_unsigned()),
        },
        Json::String(text) => {
            head(out, 3, text.len() as u64);
            out.extend(text.as_bytes());
        }
        Json::Array(values) => {
            if indefinite {
                out.push(0x9F);
            } else {
                head(out, 4, values.len() as u64);
            }
            for value in values {
                cbor(value, indefinite, out);
            }
            out.extend(indefinite.then_some(0xFF));
        }
        Json::Object(members) => {
            if indefinite {
                out.push(0xBF);
            } else {
                head(out, 5, members.len() as u64);
            }
            for (name, value) in members {
                cbor(&Json::from(name.as_str()), indefinite, out);
                cbor(value, indefinite, out);
            }
            out.extend(indefinite.then_some(0xFF));
        }
    }
}

fn tree(format: Format, payload: &[u8]) -> Tree {
    match view(format, payload, &Limits::VIEW).body {
        Body::Tree(tree) => tree,
        body => panic!("{body:?}"),
    }
}

/// Diagnostic notation with its indefinite lengths taken for others is JSON.
fn as_json(tree: &Tree, payload: &[u8]) -> Json {
    let text = Notation::new(tree, payload).pretty();
    // A container opens at the end of a line; a text there ends with a quote.
    let definite = |line: &str| {
        let mut line = line.to_owned();
        for (marked, plain) in [
            ("[_", "["),
            ("{_", "{"),
            ("[_ ]", "[]"),
            ("{_ }", "{}"),
            ("[_ ],", "[],"),
            ("{_ },", "{},"),
        ] {
            if let Some(before) = line.strip_suffix(marked) {
                line = format!("{before}{plain}");
                break;
            }
        }
        line
    };
    let json: Vec<String> = text.lines().map(definite).collect();
    serde_json::from_str(&json.join("\n")).expect(&text)
}

proptest! {
    #[test]
    fn any_octets_have_a_view_in_any_format(
        payload in octets(), limits in limits(), is_text: Option<bool>, is_cut: bool,
    ) {
        for format in Format::ALL {
            let view = view(format, &payload, &limits);
            prop_assert_eq!(view.format, format);
            assert_holds(&view, &payload, &limits);
        }
        let hints = Hints { is_text, is_cut, ..Hints::default() };
        let all = candidates(&payload, &hints);
        prop_assert_eq!(&detect(&payload, &hints), &all[0]);
        prop_assert!(all.iter().all(|found| !found.reason.is_empty()));
        let mut formats: Vec<_> = all.iter().map(|found| found.format).collect();
        prop_assert_eq!(formats.last(), Some(&Format::Octets));
        formats.sort_unstable();
        formats.dedup();
        prop_assert_eq!(formats.len(), all.len(), "each format once");
    }

    #[test]
    fn json_is_read_as_serde_reads_it(payload in octets(), value in json()) {
        let ours = tree(Format::Json, &payload);
        let theirs: Result<Json, _> = serde_json::from_slice(&payload);
        let loosely: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(&payload);
        let is_ours = ours.is_whole();
        // serde minds halves of surrogate pairs and numbers beyond doubles; when it ignores what it
        // reads, it does not even mind octets that are not UTF-8.
        prop_assert!(is_ours || theirs.is_err(), "{:?}", ours.fault);
        prop_assert!(!is_ours || loosely.is_ok() || payload.starts_with(b"\xEF\xBB\xBF"));
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let tree = tree(Format::Json, text.as_bytes());
            prop_assert!(tree.is_whole());
            let notation = Notation::new(&tree, text.as_bytes());
            prop_assert_eq!(notation.compact(usize::MAX), value.to_string());
            let pretty: Json = serde_json::from_str(&notation.pretty()).unwrap();
            prop_assert_eq!(pretty, value.clone());
        }
    }

    #[test]
    fn what_was_encoded_is_read(value in json(), indefinite: bool) {
        let mut payload = Vec::new();
        msgpack(&value, &mut payload);
        let read = tree(Format::MessagePack, &payload);
        prop_assert!(read.is_whole());
        prop_assert_eq!(as_json(&read, &payload), value.clone());
        payload.clear();
        cbor(&value, indefinite, &mut payload);
        let read = tree(Format::Cbor, &payload);
        prop_assert!(read.is_whole());
        prop_assert_eq!(as_json(&read, &payload), value);
    }

    #[test]
    fn what_is_cut_short_gives_the_beginning_of_the_same_tree(
        value in json().prop_filter("has parts", |value| value.is_array() || value.is_object()),
        at: prop::sample::Index,
        format in prop::sample::select(vec![Format::Json, Format::MessagePack, Format::Cbor]),
    ) {
        let mut payload = Vec::new();
        match format {
            Format::Json => payload = value.to_string().into_bytes(),
            Format::Cbor => cbor(&value, true, &mut payload),
            _ => msgpack(&value, &mut payload),
        }
        let whole = tree(format, &payload);
        let len = at.index(payload.len());
        let part = tree(format, &payload[..len]);
        let fault = part.fault.clone().unwrap();
        prop_assert!(fault.is_early_end && fault.at == len, "{fault}");
        for (part, whole) in part.nodes().iter().zip(whole.nodes()) {
            prop_assert_eq!(said(part), said(whole));
        }
    }

    #[test]
    fn limits_are_met_to_the_node(value in json(), nodes in 1usize..20) {
        let text = value.to_string();
        let whole = tree(Format::Json, text.as_bytes());
        let limits = Limits { nodes, ..Limits::VIEW };
        let Body::Tree(cut) = view(Format::Json, text.as_bytes(), &limits).body else { panic!() };
        prop_assert_eq!(cut.nodes().len(), whole.nodes().len().min(nodes));
        let expected = (whole.nodes().len() > nodes).then_some(CutLimit::Nodes(nodes));
        prop_assert_eq!(cut.cut.map(|cut| cut.limit), expected);
    }
}
