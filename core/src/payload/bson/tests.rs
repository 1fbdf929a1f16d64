//! The examples of bsonspec.org, every type, and faults.

use hex_literal::hex;

use super::*;
use crate::payload::notation::Notation;

fn compact(payload: &[u8]) -> String {
    let tree = read(payload, &Limits::VIEW);
    assert_eq!((&tree.fault, tree.cut), (&None, None));
    Notation::new(&tree, payload).compact(usize::MAX)
}

/// A document of one element.
fn document(element: &[u8]) -> Vec<u8> {
    let len = u32::try_from(element.len()).unwrap() + 5;
    [&len.to_le_bytes(), element, &[0]].concat()
}

#[test]
fn the_examples_of_bsonspec_org() {
    let hello = hex!("16000000 02 68656c6c6f00 06000000 776f726c6400 00");
    assert_eq!(compact(&hello), r#"{"hello": "world"}"#);
    let awesome = hex!(
        "31000000 04 42534f4e00 26000000"
        "02 3000 08000000 617765736f6d6500 01 3100 3333333333331440 10 3200 c2070000 00 00"
    );
    assert_eq!(compact(&awesome), r#"{"BSON": ["awesome", 5.05, 1986]}"#);
    let tree = read(&awesome, &Limits::VIEW);
    let array = tree.child(0, "BSON").unwrap();
    let last = tree.children(array).last().unwrap();
    assert_eq!(tree.path(last), "$.BSON[2]");
    assert_eq!(tree.nodes()[last].span.of(&awesome), hex!("c2070000"));
    assert_eq!(tree.nodes()[last].key_span.of(&awesome), hex!("10 3200"));
}

#[test]
fn every_type() {
    let rows: [(&[u8], &str, &str); 20] = [
        (&hex!("01 6100 000000000000f03f"), "1.0", "double"),
        (&hex!("05 6100 02000000 00 ffff"), "h'ffff'", "binary"),
        (&hex!("05 6100 02000000 80 ffff"), "ext(128, h'ffff')", "binary"),
        (
            &hex!("05 6100 10000000 04 73ffd26444b34c6990e8e7d1dfc035d4"),
            "UUID(\"73ffd264-44b3-4c69-90e8-e7d1dfc035d4\")",
            "binary",
        ),
        (&hex!("06 6100"), "undefined", "undefined"),
        (
            &hex!("07 6100 56e1fc72e0c917e9c4714161"),
            "ObjectId(\"56e1fc72e0c917e9c4714161\")",
            "ObjectId",
        ),
        (&hex!("08 6100 01"), "true", "boolean"),
        (&hex!("09 6100 c5d8d6cc3b010000"), "date(2012-12-24T12:15:30.501Z)", "UTC datetime"),
        (&hex!("0a 6100"), "null", "null"),
        (&hex!("0b 6100 61626300 696d00"), "/abc/im", "regular expression"),
        (
            &hex!("0c 6100 02000000 6200 56e1fc72e0c917e9c4714161"),
            "DBPointer(\"b\", \"56e1fc72e0c917e9c4714161\")",
            "DBPointer",
        ),
        (&hex!("0d 6100 02000000 6200"), "\"b\"", "code"),
        (&hex!("0e 6100 02000000 6200"), "\"b\"", "symbol"),
        (
            &hex!("0f 6100 16000000 04000000 61626300 0c000000 10 7800 01000000 00"),
            "{\"code\": \"abc\", \"scope\": {\"x\": 1}}",
            "code with scope",
        ),
        (&hex!("10 6100 ffffffff"), "-1", "int32"),
        (&hex!("11 6100 2a00000015cd5b07"), "timestamp(123456789, 42)", "timestamp"),
        (&hex!("12 6100 0000000000000080"), "-9223372036854775808", "int64"),
        (&hex!("13 6100 18000000000000000000000000003e30"), "2.4", "decimal128"),
        (&hex!("7f 6100"), "MaxKey", "max key"),
        (&hex!("ff 6100"), "MinKey", "min key"),
    ];
    for (element, text, kind) in rows {
        let payload = document(element);
        assert_eq!(compact(&payload), format!("{{\"a\": {text}}}"));
        let tree = read(&payload, &Limits::VIEW);
        assert_eq!(tree.nodes()[1].kind, kind);
        assert_eq!(tree.nodes()[1].span.of(&payload), &element[3..], "{text}");
    }
}

#[test]
fn a_fault_is_told_and_what_came_before_is_kept() {
    let rows: [(&[u8], &str); 8] = [
        (&hex!("0500000000 01"), "octet 5: nothing may follow the document"),
        (&hex!("04000000 00"), "octet 0: a document is at least 5 octets long, not 4"),
        (&hex!("0c000000 10 6100 01000000"), "octet 11: the payload ends inside a document"),
        (&hex!("08000000 55 6100 00"), "octet 4: there is no element type 55"),
        (
            &hex!("0d000000 10 6100 01000000 00"),
            "octet 11: a document ends here, though its length says octet 13",
        ),
        (&hex!("09000000 08 6100 02 00"), "octet 7: a boolean must be 00 or 01"),
        (&hex!("0e000000 02 6100 02000000 6261 00"), "octet 12: a string must end with 00"),
        (
            &hex!("0d000000 03 6100 ff000000 00 00"),
            "octet 7: the length goes beyond the end of the enclosing document",
        ),
    ];
    for (payload, text) in rows {
        assert_eq!(read(payload, &Limits::VIEW).fault.unwrap().to_string(), text);
    }
    let tree = read(&hex!("ff000000 10 6100 01000000 02 62"), &Limits::VIEW);
    assert!(tree.fault.as_ref().unwrap().is_early_end);
    assert_eq!(Notation::new(&tree, &[]).compact(100), "{\"a\": 1, …}");
}
