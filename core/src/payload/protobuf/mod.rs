//! Protocol Buffers, the wire format of protobuf.dev "Encoding": with a schema, or without one.
//!
//! ```text
//!  field ::= tag value       tag ::= varint, (field number << 3) | wire type
//!  0 VARINT   1 I64 (8 octets)   2 LEN (varint length, octets)   3 SGROUP   4 EGROUP   5 I32 (4 octets)
//! ```
//!
//! The wire tells no types: a varint may be an `int32`, an `sint64`, a `bool` or an `enum`, and LEN
//! octets a string, bytes, a message or packed numbers. Without a schema the likeliest reading becomes
//! the node, and the others are kept beside it in [`super::tree::Node::readings`].
//!
//! `prost-reflect` reads schemas (a `FileDescriptorSet`); it gives no octet spans for messages, so the
//! messages themselves are read here.

mod guess;
mod reader;
#[cfg(test)]
pub(super) mod samples;
mod scalar;
mod schema;

pub use schema::{MessageType, Schema, SchemaError};

use super::{Limits, Tree};

/// Reads one message without a schema.
pub fn read(payload: &[u8], limits: &Limits) -> Tree {
    reader::read(payload, None, limits)
}

/// Reads one message of the type `message`, such as `package.Message`; `None` where `schema` has none
/// of that name.
pub fn read_as(payload: &[u8], schema: &Schema, message: &str, limits: &Limits) -> Option<Tree> {
    Some(schema.message_type(message)?.read(payload, limits))
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::super::notation::Notation;
    use super::super::tree::{Node, Value};
    use super::samples::schema;
    use super::*;

    fn compact(payload: &[u8]) -> String {
        let tree = read(payload, &Limits::VIEW);
        assert_eq!((&tree.fault, tree.cut), (&None, None), "{}", payload.escape_ascii());
        Notation::new(&tree, payload).compact(usize::MAX)
    }

    fn readings(node: &Node) -> Vec<String> {
        node.readings.iter().map(|also| format!("{}: {}", also.kind, also.text)).collect()
    }

    #[test]
    fn the_examples_of_protobuf_dev() {
        // Test1 { a: 150 }, Test2 { b: "testing" }, Test3 { c { a: 150 } }, Test4 { d: "hello" e: 1 2 3 },
        // Test5 { f: 3 270 86942 }, packed.
        let rows: [(&[u8], &str); 5] = [
            (&hex!("08 9601"), "{1: 150}"),
            (&hex!("12 07 74657374696e67"), "{2: \"testing\"}"),
            (&hex!("1a 03 08 9601"), "{3 {1: 150}}"),
            (&hex!("22 05 68656c6c6f 28 01 28 02 28 03"), "{4: \"hello\" 5: 1 5: 2 5: 3}"),
            (&hex!("32 06 03 8e02 9ea705"), "{6: h'038e029ea705'}"),
        ];
        for (payload, text) in rows {
            assert_eq!(compact(payload), text);
        }
        let tree = read(rows[4].0, &Limits::VIEW);
        assert_eq!(readings(&tree.nodes()[1]), ["packed varints: [3, 270, 86942]"]);
        let tree = read(rows[2].0, &Limits::VIEW);
        assert_eq!(tree.path(2), "$.3.1");
        assert_eq!(tree.nodes()[2].span.of(rows[2].0), hex!("9601"));
        assert_eq!(tree.nodes()[2].key_span.of(rows[2].0), hex!("08"));
        assert_eq!(tree.nodes()[1].span.of(rows[2].0), hex!("03 08 9601"));
    }

    #[test]
    fn every_reading_is_kept() {
        let rows: [(&[u8], &str, &[&str]); 9] = [
            (&hex!("08 01"), "1", &["sint64: -1", "bool: true"]),
            (
                &hex!("08 feffffffffffffffff01"),
                "18446744073709551614",
                &["int64: -2", "sint64: 9223372036854775807"],
            ),
            (&hex!("0d 0000803f"), "1.0", &["fixed32: 1065353216"]),
            (&hex!("0d ffffffff"), "4294967295", &["sfixed32: -1", "float: NaN"]),
            (&hex!("09 182d4454fb210940"), "3.141592653589793", &["fixed64: 4614256656552045848"]),
            (
                &hex!("0a 02 6869"),
                "\"hi\"",
                &["message: 1 field", "packed varints: [104, 105]", "bytes: 2 octets"],
            ),
            (&hex!("0a 00"), "h''", &["string: \"\"", "message: 0 fields"]),
            (
                &hex!("0a 02 0805"),
                "",
                &["string: \"\\u0008\\u0005\"", "packed varints: [8, 5]", "bytes: 2 octets"],
            ),
            (
                &hex!("08 80a2aab0e631"),
                "1711108952320",
                &["sint64: 855554476160", "milliseconds since 1970: 2024-03-22T12:02:32.32Z"],
            ),
        ];
        for (payload, text, also) in rows {
            let tree = read(payload, &Limits::VIEW);
            let node = &tree.nodes()[1];
            if !text.is_empty() {
                assert_eq!(compact(payload), format!("{{1: {text}}}"));
            }
            assert_eq!(readings(node), also, "{text}");
        }
    }

    #[test]
    fn groups_nest_and_end_with_their_number() {
        assert_eq!(compact(&hex!("0b 10 05 13 14 0c")), "{1 {2: 5 2: {}}}");
        let rows: [(&[u8], &str); 4] = [
            (&hex!("0b 10 05"), "octet 3: the payload ends inside a group"),
            (&hex!("0b 14"), "octet 1: no group of this number is open here"),
            (&hex!("0c"), "octet 0: no group of this number is open here"),
            (&hex!("08 01 0e"), "octet 2: there is no wire type 6"),
        ];
        for (payload, text) in rows {
            assert_eq!(read(payload, &Limits::VIEW).fault.unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_fault_is_told_and_what_came_before_is_kept() {
        let rows: [(&[u8], &str, &str); 5] = [
            (&hex!("08 01 12 07 7465"), "octet 6: the payload ends inside field 2", "{1: 1 …}"),
            (&hex!("08 01 10 80"), "octet 4: the payload ends inside a varint", "{1: 1 …}"),
            (&hex!("08 01 00 01"), "octet 2: there is no field number 0", "{1: 1 …}"),
            (
                &hex!("08 80808080808080808080 01"),
                "octet 1: a varint is at most 10 octets long",
                "{…}",
            ),
            (&hex!("08 01 15 0000"), "octet 5: the payload ends inside an I32", "{1: 1 …}"),
        ];
        for (payload, fault, text) in rows {
            let tree = read(payload, &Limits::VIEW);
            assert_eq!(tree.fault.as_ref().unwrap().to_string(), fault);
            assert_eq!(Notation::new(&tree, payload).compact(100), text);
        }
    }

    #[test]
    fn a_schema_gives_names_and_types() {
        let schema = schema();
        assert_eq!(schema.messages(), ["market.Quote"]);
        let payload = hex!(
            "0a 03 41424a 11 0000000000005940 18 01 20 03 2a 04 01 ac02 05"
            "32 04 0a 02 0a41 3a 01 ff 48 07"
        );
        let tree = read_as(&payload, &schema, "market.Quote", &Limits::VIEW).unwrap();
        assert!(tree.is_whole(), "{:?}", tree.fault);
        assert_eq!(
            Notation::new(&tree, &payload).compact(usize::MAX),
            "{symbol: \"ABJ\" price: 100.0 side: SIDE_BUY change: -2 depth [1 300 5] \
             earlier {symbol: \"\\nA\"} raw: h'ff' 9: 7}"
        );
        assert_eq!(tree.nodes()[0].note.as_deref(), Some("market.Quote"));
        let place = tree.child(0, "side").unwrap();
        assert_eq!(tree.nodes()[place].note.as_deref(), Some("market.Side = 1"));
        let earlier = tree.child(0, "earlier").unwrap();
        assert_eq!(tree.path(tree.child(earlier, "symbol").unwrap()), "$.earlier.symbol");
        assert!(read_as(&payload, &schema, "market.Trade", &Limits::VIEW).is_none());
    }

    #[test]
    fn what_goes_against_the_schema_is_told() {
        let schema = schema();
        let as_quote =
            |payload: &[u8]| read_as(payload, &schema, "market.Quote", &Limits::VIEW).unwrap();
        let tree = as_quote(&hex!("08 05"));
        let node = &tree.nodes()[1];
        assert_eq!(node.value, Value::Number(super::super::Number::Integer(5)));
        assert!(node.note.as_deref().unwrap().starts_with("the schema says"), "{node:?}");
        let fault = as_quote(&hex!("32 02 0a 05 41 41 41")).fault.unwrap();
        assert_eq!(fault.to_string(), "octet 2: the field goes beyond the end of its message");
        let fault = as_quote(&hex!("2a 01 80")).fault.unwrap();
        assert_eq!(fault.to_string(), "octet 2: a number goes beyond the end of its field");
        assert!(Schema::parse(b"syntax = \"proto3\";").is_err());
    }

    #[test]
    fn a_million_groups_are_cut() {
        let tree = read(&vec![0x0B; 1_000_000], &Limits::VIEW);
        assert_eq!(tree.cut.unwrap().at, Limits::VIEW.depth);
    }
}
