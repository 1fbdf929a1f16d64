//! JSON of RFC 8259, wrong JSON, and much of it.

use super::*;
use crate::payload::notation::Notation;

fn tree(text: &str) -> Tree {
    read(text.as_bytes(), &Limits::VIEW)
}

fn fault(octets: &[u8]) -> String {
    read(octets, &Limits::VIEW).fault.expect("it is wrong").to_string()
}

#[test]
fn the_object_of_rfc_8259_section_13() {
    let text = r#"{"Image": {"Width": 800, "Title": "View from 15th Floor",
        "Thumbnail": {"Url": "http://www.example.com/image/481989943"}, "Animated" : false,
        "IDs": [116, 943, 234, 38793]}}"#;
    let tree = tree(text);
    assert!(tree.is_whole());
    let image = tree.child(0, "Image").unwrap();
    let title = tree.child(image, "Title").unwrap();
    let title = &tree.nodes()[title];
    assert_eq!(title.span.of(text.as_bytes()), br#""View from 15th Floor""#);
    assert_eq!(title.key_span.of(text.as_bytes()), br#""Title""#);
    let ids = tree.child(image, "IDs").unwrap();
    assert_eq!(tree.nodes()[ids].children, 4);
    let last = tree.children(ids).last().unwrap();
    assert_eq!(tree.path(last), "$.Image.IDs[3]");
    assert_eq!(tree.node_at(text.find("38793").unwrap()), Some(last));
    assert_eq!(tree.node_at(text.find("IDs").unwrap()), Some(ids));
    assert_eq!(tree.children(0).count(), 1);
}

#[test]
fn numbers_keep_every_digit() {
    for number in ["12345678901234567890123", "-0", "1E400", "0.10000000000000000000001"] {
        let tree = tree(number);
        let Value::Number(value) = &tree.root().unwrap().value else { panic!() };
        assert_eq!(value.to_string(), number);
    }
    let note = tree("[9007199254740993]").nodes()[1].note.clone();
    assert_eq!(note.as_deref(), Some("JavaScript reads 9007199254740992"));
}

#[test]
fn escapes_are_resolved() {
    let tree = tree(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 \ud800 \ude00""#);
    let root = tree.root().unwrap();
    let Value::Text(text) = &root.value else { panic!() };
    assert_eq!(&*text.text, "a\"\\/\u{8}\u{c}\n\r\té😀 \u{fffd} \u{fffd}");
    assert!(root.note.is_some());
}

#[test]
fn the_content_of_a_text_is_whole_however_little_is_kept() {
    let text = r#"["{\"a\": \"\u00e9\"}", 1]"#;
    for limit in [0, 3, 100] {
        let tree = read(text.as_bytes(), &Limits { text: limit, ..Limits::VIEW });
        let content = tree.content(1, text.as_bytes()).unwrap();
        assert_eq!(*content, *r#"{"a": "é"}"#.as_bytes(), "{limit} octets kept");
        assert_eq!(tree.content(2, text.as_bytes()), None);
    }
}

#[test]
fn a_name_that_stands_twice_is_told() {
    let tree = tree(r#"{"a":1,"b":{"a":2},"a":3}"#);
    let noted: Vec<_> = tree.nodes().iter().map(|node| node.note.is_some()).collect();
    assert_eq!(noted, [false, false, false, false, true]);
}

#[test]
fn what_is_wrong_is_told_with_its_octet_and_what_came_before_is_kept() {
    let rows: [(&[u8], &str); 22] = [
        (b"", "octet 0: the payload ends inside a value"),
        (b"[1,2", "octet 4: the payload ends inside an array"),
        (b"{\"a\"", "octet 4: the payload ends inside an object"),
        (b"{\"a\":", "octet 5: the payload ends inside an object"),
        (b"\"ab", "octet 3: the payload ends inside the string that begins at octet 0"),
        (b"tru", "octet 3: the payload ends inside a value"),
        (b"-", "octet 1: the payload ends inside a value"),
        (b"[1,]", "octet 3: a value must follow the comma, not ]"),
        (b"[1 2]", "octet 3: a comma or ] must follow, not 2"),
        (b"[,1]", "octet 1: a value must stand here, not ,"),
        (b"{a:1}", "octet 1: a name in quotes must stand here, not a"),
        (b"{\"a\" 1}", "octet 5: a colon must follow the name, not 1"),
        (b"{\"a\":1]", "octet 6: a comma or } must follow, not ]"),
        (b"[01]", "octet 1: a number must not begin with further zeros"),
        (b"[1.]", "octet 3: a digit must stand here"),
        (b"[1e+]", "octet 4: a digit must stand here"),
        (b"1 2", "octet 2: nothing may follow the value, not 2"),
        (b"\"a\nb\"", "octet 2: the control character 0x0a must be escaped in a string"),
        (b"\"\\x\"", "octet 1: there is no escape \\x"),
        (b"\"\\u12g4\"", "octet 3: four hexadecimal digits must follow \\u"),
        (b"\"\xff\"", "octet 1: this octet is not UTF-8"),
        (b"nul!", "octet 0: a value must stand here, not n"),
    ];
    for (octets, text) in rows {
        assert_eq!(fault(octets), text, "{}", octets.escape_ascii());
    }
    assert_eq!(tree("[1,{\"a\":2,").nodes().len(), 4);
    assert_eq!(tree("[1,{\"a\":2,").nodes()[0].below, 3);
}

#[test]
fn depth_and_nodes_are_bounded_and_the_cut_is_told() {
    let deep = "[".repeat(1_000_000);
    let cut = tree(&deep).cut.unwrap();
    assert_eq!(cut.at, Limits::VIEW.depth);
    assert!(cut.to_string().starts_with("what is nested deeper than 128 levels"), "{cut}");
    let long = format!("[{}1]", "1,".repeat(10));
    let tree = read(long.as_bytes(), &Limits { nodes: 4, ..Limits::VIEW });
    assert_eq!((tree.nodes().len(), tree.cut.unwrap().at), (4, 7));
    assert_eq!(tree.nodes()[0].children, 3);
}

#[test]
fn several_texts_in_a_row() {
    for text in ["{\"a\":1}\n[2]\n", "\x1e{\"a\":1}\n\x1e[2]\n", "{\"a\":1}\x1e[2]\x1e"] {
        let tree = read_sequence(text.as_bytes(), &Limits::VIEW);
        assert!(tree.is_whole(), "{:?}", tree.fault);
        let children: Vec<_> = tree.children(0).map(|child| tree.nodes()[child].kind).collect();
        assert_eq!(children, ["object", "array"]);
    }
    assert_eq!(Notation::new(&read_sequence(b"1\n2", &Limits::VIEW), b"1\n2").pretty(), "1\n2\n");
}
