//! Payload views: any octets have a view in any format, in memory that the limits bound; spans lie in
//! the payload, children in their parents; JSON is what serde_json takes for JSON.
#![no_main]

use framescope_core::payload::protobuf::Schema;
use framescope_core::payload::{
    Body, Format, Hints, Limits, Notation, Span, Tree, View, candidates, view,
};
use framescope_fuzz::{peak, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

const LIMITS: Limits =
    Limits { nodes: 500, depth: 20, text: 64, texts: 4096, unpacked: 16 << 10, nesting: 2 };

/// What the windows of Brotli (16 MiB, and as much while they grow) and Zstandard (8 MiB) may take.
const WINDOWS: usize = 36 << 20;

fn check(input: &[u8]) {
    let Some((choice, payload)) = input.split_first() else { return };
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    let bound = WINDOWS + 64 * payload.len();
    let seen = peak::within(bound, || view(format, payload, &LIMITS));
    check_view(&seen, payload, &LIMITS);
    let flags = choice >> 4;
    let hints = Hints { is_text: Some(flags & 1 == 0), is_cut: flags & 2 == 0, ..Hints::default() };
    let all = peak::within(bound, || candidates(payload, &hints));
    assert_eq!(all.last().map(|found| found.format), Some(Format::Octets));
    match format {
        Format::Json => like_serde(payload),
        Format::Protobuf => {
            let _ = Schema::parse(payload);
        }
        _ => {}
    }
}

fn check_view(view: &View, payload: &[u8], limits: &Limits) {
    for fact in &view.facts {
        within(fact.span.unwrap_or_default(), payload);
    }
    assert!(view.fault.as_ref().is_none_or(|fault| fault.at <= payload.len()));
    assert!(view.cut.is_none_or(|cut| cut.at <= payload.len()));
    assert!(view.summary(payload, 100).len() < 500);
    match &view.body {
        Body::Tree(tree) => check_tree(tree, payload, limits),
        Body::Lines(lines) => lines.iter().for_each(|line| within(*line, payload)),
        Body::Inner(inner) => {
            assert!(inner.octets.len() <= limits.unpacked);
            check_view(&inner.view, &inner.octets, limits);
        }
        Body::Octets | Body::Image(_) => {}
    }
}

fn check_tree(tree: &Tree, payload: &[u8], limits: &Limits) {
    assert!(tree.nodes().len() <= limits.nodes);
    for (place, node) in tree.nodes().iter().enumerate() {
        assert!(node.depth <= limits.depth);
        within(node.span, payload);
        within(node.key_span, payload);
        let mut end = node.span.start;
        for child in tree.children(place) {
            let child = &tree.nodes()[child];
            assert!(end <= child.span.start && child.span.end <= node.span.end);
            end = child.span.end;
        }
        assert_eq!(tree.children(place).count(), node.children);
    }
    let notation = Notation::new(tree, payload);
    for place in 0..notation.lines().len() {
        assert!(notation.line(place, 60).len() <= 63);
    }
}

/// Deeper than the limits nobody compares.
fn like_serde(payload: &[u8]) {
    let Body::Tree(tree) = view(Format::Json, payload, &Limits::VIEW).body else { return };
    if tree.cut.is_some() {
        return;
    }
    match serde_json::from_slice::<serde_json::Value>(payload) {
        Ok(value) => {
            assert!(tree.is_whole(), "{value} is JSON, but {:?}", tree.fault);
            let pretty = Notation::new(&tree, payload).pretty();
            assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty).ok(), Some(value));
        }
        // Limits of serde_json alone.
        Err(error) => {
            let told = error.to_string();
            let is_own = ["out of range", "surrogate", "hex escape", "recursion"]
                .iter()
                .any(|limit| told.contains(limit));
            let has_mark = payload.starts_with(b"\xEF\xBB\xBF");
            assert!(!tree.is_whole() || is_own || has_mark, "{told}");
        }
    }
}

fn within(span: Span, payload: &[u8]) {
    assert!(span.start <= span.end && span.end <= payload.len());
}

fn inputs() -> Vec<Vec<u8>> {
    let samples: [&[u8]; 20] = [
        br#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00",true,null],"a":{"b":9007199254740993}}"#,
        b"{\"a\":1}\n[2]\x1e\"c\"",
        b"\x85\xa1a\x93\x01\xcd\x01\x00\xcb\x3f\xf1\x99\x99\x99\x99\x99\x9a\xa1b\xd6\xff\x51\x4b\x67\xb0\xa1c\xc4\x02\x01\xff\x92\x01\x02\xc0\x01\xd4\x05\x2a",
        b"\x9f\x01\x82\x02\x03\xbf\x61a\xf9\x3c\x00\xff\xc1\x1a\x51\x4b\x67\xb0\xc2\x49\x01\0\0\0\0\0\0\0\0\x5f\x42\x01\x02\x43\x03\x04\x05\xff\xff",
        b"1\0\0\0\x04BSON\0&\0\0\0\x020\0\x08\0\0\0awesome\0\x011\0\x33\x33\x33\x33\x33\x33\x14\x40\x102\0\xc2\x07\0\0\0\0",
        b"\x0a\x07testing\x1a\x03\x08\x96\x01\x32\x06\x03\x8e\x02\x9e\xa7\x05\x4b\x10\x05\x4c\x0d\0\0\x80\x3f\x09\x18\x2d\x44\x54\xfb\x21\x09\x40",
        b"eyJhIjpbMSwyXX0=",
        b"data:image/gif;base64,R0lGODlhAQABAAAAACw=",
        b"\x78\xda\xab\x56\xca\x48\xcd\xc9\xc9\x57\xb2\x52\x2a\xcf\x2f\xca\x49\x51\xd2\x51\xca\x53\xb2\x8a\x36\xd4\x31\xd2\x31\x8e\xad\x05\x00\x8b\x43\x08\xb5",
        b"\x1f\x8b\x08\x08\x00\xf1\x53\x65\x02\xffa\0\xab\x56\xca\x48\xcd\xc9\xc9\x57\xb2\x52\x2a\xcf\x2f\xca\x49\x51\xd2\x51\xca\x53\xb2\x8a\x36\xd4\x31\xd2\x31\x8e\xad\x05\x00\x2e\x34\x7c\x6a\x1d\0\0\0",
        b"\x0b\x0e\x80{\"hello\":\"world\",\"n\":[1,2,3]}\x03",
        b"\x1b\x43\x02\xf8\x1d\x07\x6e\xac\x3c\x1f\xc1\x58\xa7\xd6\xa0\x16\xd9\x72\xdb\x9b\x2c\x3a\x5d\x1d\x23\x33\xd3\x27\xd9\x84\xc1\xec\x80\x85\x64\xdc\x2f\x31\xe1\x98\x82\xfa\x00",
        b"\x28\xb5\x2f\xfd\x64\x44\x01\x2d\x01\0\xe8{\"hello\":\"world\",\"n\":[1,2,3]}\x01\0\x91\0\x95\x72\x02\x6f\xc4\xdf\x43",
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0\0\0\0\0\0\0\0\x08acTL\0\0\0\x03\0\0\0\0",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc2\0\x11\x08\x01\xe0\x02\x80\x03\0",
        b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x12\0\0\0\x7f\x02\0\xdf\x01\0",
        b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\xfe\xff\xff\xff\x01\0\x18\0",
        b"<?xml version='1.0'?><!-- a --><svg width=\"24\" viewBox='0 0 24 24'/>",
        b"GIF89a\x0a\0\x14\0\x91\0\0",
        "na\u{ef}ve \u{202e}text\r\nwith lines\n".as_bytes(),
    ];
    let mut inputs = Vec::new();
    for sample in samples {
        for choice in 0..Format::ALL.len() {
            let hints = Hints::default();
            let format = Format::ALL[choice];
            if candidates(sample, &hints).iter().any(|found| found.format == format) {
                let choice = u8::try_from(choice).expect("there are few formats");
                inputs.push([&[choice], sample].concat());
            }
        }
    }
    inputs
}
