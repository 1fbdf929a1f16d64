//! A payload read as one of many formats, on the line of the frame that ends its message.

use serde::Serialize;

use super::value::Base64;
use crate::Message;
use crate::export::Reading;
use crate::payload::{Body, Confidence, Cut, Fact, Fault, Inner, Seen, Span, Tree, View};

/// Octets of a line that sums a payload up, and of the value of a node.
const MOST: usize = 512;

#[derive(Debug, Serialize)]
pub(super) struct PayloadOf<'a> {
    format: &'static str,
    reason: &'a str,
    confidence: Option<&'static str>,
    #[serde(flatten)]
    view: ViewOf<'a>,
}

#[derive(Debug, Serialize)]
struct ViewOf<'a> {
    summary: String,
    facts: Vec<FactOf<'a>>,
    nodes: Option<Vec<NodeOf<'a>>>,
    fault: Option<FaultOf<'a>>,
    cut: Option<CutOf>,
    inside: Option<Box<InsideOf<'a>>>,
}

#[derive(Debug, Serialize)]
struct FactOf<'a> {
    label: &'static str,
    text: &'a str,
    offset: Option<usize>,
    len: Option<usize>,
}

#[derive(Debug, Serialize)]
struct NodeOf<'a> {
    depth: usize,
    path: String,
    kind: &'static str,
    value: Option<String>,
    offset: usize,
    len: usize,
    note: Option<&'a str>,
    readings: Vec<ReadingOf<'a>>,
}

#[derive(Debug, Serialize)]
struct ReadingOf<'a> {
    kind: &'static str,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct FaultOf<'a> {
    offset: usize,
    what: &'a str,
}

#[derive(Debug, Serialize)]
struct CutOf {
    offset: usize,
    what: String,
}

/// What came out of a wrapping.
#[derive(Debug, Serialize)]
struct InsideOf<'a> {
    text: Option<&'a str>,
    data_base64: Option<Base64<'a>>,
    #[serde(flatten)]
    payload: PayloadOf<'a>,
}

impl<'a> PayloadOf<'a> {
    pub(super) fn of(message: &'a Message, reading: &'a Reading) -> Option<Self> {
        let Seen { reason, confidence, view } = reading.payload.as_deref()?;
        Some(Self {
            format: view.format.name(),
            reason,
            confidence: confidence.map(Confidence::name),
            view: ViewOf::of(view, &message.data),
        })
    }
}

impl<'a> ViewOf<'a> {
    fn of(view: &'a View, payload: &'a [u8]) -> Self {
        let (nodes, inside) = match &view.body {
            Body::Tree(tree) => (Some(nodes(tree, payload)), None),
            Body::Inner(inner) => (None, Some(Box::new(InsideOf::of(inner)))),
            Body::Octets | Body::Lines(_) | Body::Image(_) => (None, None),
        };
        Self {
            summary: view.summary(payload, MOST),
            facts: view.facts.iter().map(FactOf::of).collect(),
            nodes,
            fault: view.fault.as_ref().map(|Fault { at, what, .. }| FaultOf { offset: *at, what }),
            cut: view.cut.map(|cut: Cut| CutOf { offset: cut.at, what: cut.to_string() }),
            inside,
        }
    }
}

impl<'a> InsideOf<'a> {
    fn of(inner: &'a Inner) -> Self {
        let text = std::str::from_utf8(&inner.octets).ok();
        Self {
            data_base64: text.is_none().then_some(Base64(&inner.octets)),
            text,
            payload: PayloadOf {
                format: inner.view.format.name(),
                reason: &inner.detection.reason,
                confidence: Some(inner.detection.confidence.name()),
                view: ViewOf::of(&inner.view, &inner.octets),
            },
        }
    }
}

impl<'a> FactOf<'a> {
    fn of(fact: &'a Fact) -> Self {
        Self {
            label: fact.label,
            text: &fact.text,
            offset: fact.span.map(|span| span.start),
            len: fact.span.map(Span::len),
        }
    }
}

fn nodes<'a>(tree: &'a Tree, payload: &[u8]) -> Vec<NodeOf<'a>> {
    let with_paths = tree.nodes().iter().zip(tree.paths(MOST));
    with_paths
        .map(|(node, path)| NodeOf {
            depth: node.depth,
            path,
            kind: node.kind,
            value: tree.leaf(node, payload, MOST),
            offset: node.span.start,
            len: node.span.len(),
            note: node.note.as_deref(),
            readings: node
                .readings
                .iter()
                .map(|also| ReadingOf { kind: also.kind, text: &also.text })
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value as Json, json};

    use super::super::JsonLines;
    use super::super::samples::{frame, message, stamp};
    use crate::Direction::ClientToServer;
    use crate::export::Depth;
    use crate::payload::{Format, Lens};
    use crate::present::Secrets;
    use crate::{ConnectionId, Event, EventKind};

    /// The `payload` of the line of a message.
    fn payload(lens: Option<Lens>, first: &str, data: &'static [u8]) -> Json {
        let depth = Depth { payload: lens, ..Depth::default() };
        let mut out = JsonLines::with(Vec::new(), Secrets::Masked, depth).unwrap();
        let frame = frame(ClientToServer, 0, first);
        let message = message(&frame, data);
        for kind in [EventKind::FrameDecoded(frame), EventKind::MessageCompleted(message)] {
            out.receive(Event { connection: ConnectionId(7), at: stamp(3), kind }).unwrap();
        }
        let text = String::from_utf8(out.out().clone()).unwrap();
        let line: Json = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        line["payload"].clone()
    }

    #[test]
    fn a_tree_has_a_node_a_row() {
        let seen =
            payload(Some(Lens::default()), "82 00", b"\x82\xa2id\xcd\x04\xd2\xa1b\xc4\x01\xff");
        let root = json!({
            "depth": 0, "path": "$", "kind": "fixmap", "value": null, "offset": 0, "len": 12,
            "note": null, "readings": []
        });
        let id = json!({
            "depth": 1, "path": "$.id", "kind": "uint 16", "value": "1234", "offset": 4, "len": 3,
            "note": null, "readings": []
        });
        let binary = json!({
            "depth": 1, "path": "$.b", "kind": "bin 8", "value": "h'ff'", "offset": 9, "len": 3,
            "note": null, "readings": []
        });
        assert_eq!(seen["nodes"], json!([root, id, binary]));
        assert_eq!(seen["format"], "msgpack");
        assert_eq!(seen["reason"], "is MessagePack to its end: a map with names");
        assert_eq!(seen["confidence"], "likely");
        assert_eq!(seen["summary"], "{\"id\": 1234, \"b\": h'ff'}");
        assert_eq!(
            (&seen["fault"], &seen["cut"], &seen["inside"]),
            (&Json::Null, &Json::Null, &Json::Null)
        );
    }

    #[test]
    fn what_is_inside_is_told_in_its_turn() {
        let seen =
            payload(Some(Lens::default()), "81 00", b"data:application/json;base64,eyJhIjpbMV19");
        assert_eq!(seen["format"], "base64");
        let inside = &seen["inside"];
        assert_eq!((&inside["text"], &inside["format"]), (&json!("{\"a\":[1]}"), &json!("json")));
        assert_eq!(inside["nodes"][2]["path"], "$.a[0]");
        assert_eq!(inside["data_base64"], Json::Null);
    }

    #[test]
    fn a_format_asked_for_may_be_at_fault() {
        let lens = Lens { format: Some(Format::Cbor), ..Lens::default() };
        let seen = payload(Some(lens), "81 00", b"Hello");
        assert_eq!((&seen["reason"], &seen["confidence"]), (&json!("as asked for"), &Json::Null));
        assert!(seen["fault"]["offset"].is_u64() && seen["fault"]["what"].is_string(), "{seen}");
        assert_eq!(payload(None, "81 00", b"Hello"), Json::Null, "nobody asked");
    }

    #[test]
    fn long_names_do_not_multiply() {
        let name = "n".repeat(40_000);
        let values = vec!["0"; 9_000].join(",");
        let data = Bytes::from(format!("{{\"{name}\":[{values}]}}"));
        let seen =
            payload(Some(Lens::default()), "81 00", Box::leak(data.to_vec().into_boxed_slice()));
        let nodes = seen["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 9_002);
        assert!(nodes.iter().all(|node| node["path"].as_str().unwrap().len() < 520));
    }
}
