//! MessagePack, as `spec.md` of github.com/msgpack/msgpack has it.
//!
//! ```text
//!  00–7f positive fixint   c0 nil           c7–c9 ext 8/16/32      d4–d8 fixext 1/2/4/8/16
//!  80–8f fixmap            c1 never used    ca,cb float 32/64      d9–db str 8/16/32
//!  90–9f fixarray          c2,c3 false,true cc–cf uint 8/16/32/64  dc,dd array 16/32
//!  a0–bf fixstr            c4–c6 bin        d0–d3 int 8/16/32/64   de,df map 16/32
//!  e0–ff negative fixint
//! ```
//!
//! A reader of our own: the kept ones give no octet spans, and reserve what a length promises.

use super::builder::Builder;
use super::cursor::Cursor;
use super::fault::{Fault, Stop};
use super::items::{Head, Item};
use super::tree::{Container, Tree, Value};
use super::{Limits, Number, items, moment};

/// Reads one MessagePack value; where more follow it, a [`Value::Sequence`] of all.
pub fn read(payload: &[u8], limits: &Limits) -> Tree {
    items::read(payload, limits, head)
}

fn head(
    input: &mut Cursor<'_>,
    builder: &mut Builder,
    _: Option<&'static str>,
) -> Result<Head, Stop> {
    let start = input.at();
    let marker = input.octet("a value")?;
    let low = |mask: u8| u64::from(marker & mask);
    let (kind, len) = match marker {
        0x00..=0x7F => return Ok(integer(i128::from(marker), "positive fixint")),
        0xE0..=0xFF => {
            return Ok(integer(i128::from(marker.cast_signed()), "negative fixint"));
        }
        0x80..=0x8F => return Ok(container(Item::Map, low(0x0F), "fixmap")),
        0x90..=0x9F => return Ok(container(Item::Array, low(0x0F), "fixarray")),
        0xC0 => return Ok(Head::leaf(Value::Null, "nil")),
        0xC1 => return Err(Fault::wrong(start, "c1 is never used").into()),
        0xC2 | 0xC3 => return Ok(Head::leaf(Value::Bool(marker == 0xC3), "bool")),
        0xCA => {
            let value = f32::from_be_bytes(input.array("a float 32")?);
            return Ok(Head::leaf(Value::Number(Number::Single(value)), "float 32"));
        }
        0xCB => {
            let value = f64::from_be_bytes(input.array("a float 64")?);
            return Ok(Head::leaf(Value::Number(Number::Double(value)), "float 64"));
        }
        0xCC..=0xCF => {
            let (kind, len) = sized(marker, 0xCC, ["uint 8", "uint 16", "uint 32", "uint 64"]);
            return Ok(integer(i128::from(input.big_endian(len, kind)?), kind));
        }
        0xD0..=0xD3 => {
            let (kind, len) = sized(marker, 0xD0, ["int 8", "int 16", "int 32", "int 64"]);
            let unused = 64_u32.saturating_sub(8 * u32::try_from(len).unwrap_or(8));
            let bits = input.big_endian(len, kind)? << unused;
            return Ok(integer(i128::from(bits.cast_signed() >> unused), kind));
        }
        0xDC | 0xDD => {
            let (kind, len) = sized(marker, 0xDB, ["", "array 16", "array 32", ""]);
            return Ok(container(Item::Array, input.big_endian(len, kind)?, kind));
        }
        0xDE | 0xDF => {
            let (kind, len) = sized(marker, 0xDD, ["", "map 16", "map 32", ""]);
            return Ok(container(Item::Map, input.big_endian(len, kind)?, kind));
        }
        0xA0..=0xBF => ("fixstr", low(0x1F)),
        0xD9..=0xDB => {
            let (kind, len) = sized(marker, 0xD9, ["str 8", "str 16", "str 32", ""]);
            (kind, input.big_endian(len, kind)?)
        }
        0xC4..=0xC6 => {
            let (kind, len) = sized(marker, 0xC4, ["bin 8", "bin 16", "bin 32", ""]);
            let len = input.big_endian(len, kind)?;
            let content = input.at();
            input.take_long(len, kind)?;
            return Ok(Head::leaf(Value::Octets(input.since(content)), kind));
        }
        0xC7..=0xC9 => {
            let (kind, len) = sized(marker, 0xC7, ["ext 8", "ext 16", "ext 32", ""]);
            let len = input.big_endian(len, kind)?;
            return extension(input, len, kind);
        }
        0xD4..=0xD8 => {
            let kinds = ["fixext 1", "fixext 2", "fixext 4", "fixext 8", "fixext 16"];
            let step = marker.saturating_sub(0xD4);
            let kind = kinds.get(usize::from(step)).copied().unwrap_or_default();
            return extension(input, 1_u64 << step, kind);
        }
    };
    string(input, builder, kind, len)
}

/// The type's name and the octets of its length or value: 1, 2, 4 or 8 by its place behind `first`.
fn sized(marker: u8, first: u8, kinds: [&'static str; 4]) -> (&'static str, usize) {
    let step = usize::from(marker.saturating_sub(first));
    (kinds.get(step).copied().unwrap_or_default(), 1 << step.min(3))
}

fn integer(value: i128, kind: &'static str) -> Head {
    let number = Number::Integer(value);
    let note = number.loss_in_double().map(|held| format!("JavaScript reads {held}"));
    Head::leaf(Value::Number(number), kind).noted(note)
}

fn container(item: fn(Container) -> Item, len: u64, kind: &'static str) -> Head {
    Head { item: item(Container::Counted(len)), kind, note: None }
}

fn string(
    input: &mut Cursor<'_>,
    builder: &mut Builder,
    kind: &'static str,
    len: u64,
) -> Result<Head, Stop> {
    let start = input.at();
    let octets = input.take_long(len, kind)?;
    let content = input.since(start);
    Ok(match simdutf8::compat::from_utf8(octets) {
        Ok(text) => Head::leaf(builder.text(text, content), kind),
        // Old senders put octets into strings; the specification asks readers to bear it.
        Err(error) => {
            let note = format!("not UTF-8 from its octet {} on", error.valid_up_to());
            Head::leaf(Value::Octets(content), kind).noted(Some(note))
        }
    })
}

/// An extension: a type, and octets that it gives a meaning.
fn extension(input: &mut Cursor<'_>, len: u64, kind: &'static str) -> Result<Head, Stop> {
    let [kind_of_data] = input.array(kind)?;
    let kind_of_data = kind_of_data.cast_signed();
    let start = input.at();
    let data = input.take_long(len, kind)?;
    if kind_of_data == -1
        && let Some((seconds, nanos)) = timestamp(data)
    {
        let exact = format!("{seconds}.{nanos:09} s since 1970");
        let text = moment::of_seconds(seconds, nanos);
        let literal = text.map_or_else(|| exact.clone(), |text| format!("timestamp({text})"));
        let value = Value::Literal(literal.into());
        return Ok(Head::leaf(value, "timestamp").noted(Some(format!("{kind}: {exact}"))));
    }
    let value = Value::Extension { kind: kind_of_data.into(), content: input.since(start) };
    let note = (kind_of_data < 0).then(|| "reserved by the specification".to_owned());
    Ok(Head::leaf(value, kind).noted(note))
}

/// Seconds and nanoseconds of the timestamp 32, 64 or 96; `None` where it is none of them.
fn timestamp(data: &[u8]) -> Option<(i64, u32)> {
    let (seconds, nanos) = match data.len() {
        4 => (i64::from(u32::from_be_bytes(data.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(data.try_into().ok()?);
            let seconds = both & ((1 << 34) - 1);
            (i64::try_from(seconds).ok()?, u32::try_from(both >> 34).ok()?)
        }
        12 => {
            let (nanos, seconds) = data.split_first_chunk::<4>()?;
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes(*nanos))
        }
        _ => return None,
    };
    (nanos < 1_000_000_000).then_some((seconds, nanos))
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::super::notation::Notation;
    use super::super::tree::Key;
    use super::*;

    fn compact(payload: &[u8]) -> String {
        let tree = read(payload, &Limits::VIEW);
        assert_eq!((&tree.fault, tree.cut), (&None, None), "{}", payload.escape_ascii());
        Notation::new(&tree, payload).compact(usize::MAX)
    }

    #[test]
    fn every_type_of_the_specification() {
        let rows: [(&[u8], &str, &str); 35] = [
            (&hex!("c0"), "null", "nil"),
            (&hex!("c2"), "false", "bool"),
            (&hex!("c3"), "true", "bool"),
            (&hex!("00"), "0", "positive fixint"),
            (&hex!("7f"), "127", "positive fixint"),
            (&hex!("e0"), "-32", "negative fixint"),
            (&hex!("ff"), "-1", "negative fixint"),
            (&hex!("cc ff"), "255", "uint 8"),
            (&hex!("cd 0100"), "256", "uint 16"),
            (&hex!("ce ffffffff"), "4294967295", "uint 32"),
            (&hex!("cf ffffffffffffffff"), "18446744073709551615", "uint 64"),
            (&hex!("d0 80"), "-128", "int 8"),
            (&hex!("d1 8000"), "-32768", "int 16"),
            (&hex!("d2 80000000"), "-2147483648", "int 32"),
            (&hex!("d3 8000000000000000"), "-9223372036854775808", "int 64"),
            (&hex!("ca 3f000000"), "0.5", "float 32"),
            (&hex!("ca 3dcccccd"), "0.1", "float 32"),
            (&hex!("cb 3ff199999999999a"), "1.1", "float 64"),
            (&hex!("a1 61"), "\"a\"", "fixstr"),
            (&hex!("d9 02 c3a9"), "\"é\"", "str 8"),
            (&hex!("da 0001 61"), "\"a\"", "str 16"),
            (&hex!("db 00000001 61"), "\"a\"", "str 32"),
            (&hex!("c4 02 01ff"), "h'01ff'", "bin 8"),
            (&hex!("c5 0001 00"), "h'00'", "bin 16"),
            (&hex!("c6 00000000"), "h''", "bin 32"),
            (&hex!("92 01 c0"), "[1, null]", "fixarray"),
            (&hex!("dc 0001 01"), "[1]", "array 16"),
            (&hex!("dd 00000001 01"), "[1]", "array 32"),
            (&hex!("de 0001 a161 01"), "{\"a\": 1}", "map 16"),
            (&hex!("df 00000001 a161 01"), "{\"a\": 1}", "map 32"),
            (&hex!("d4 05 2a"), "ext(5, h'2a')", "fixext 1"),
            (&hex!("c7 03 05 010203"), "ext(5, h'010203')", "ext 8"),
            (&hex!("d6 ff 514b67b0"), "timestamp(2013-03-21T20:04:00Z)", "timestamp"),
            (&hex!("d7 ff 77359400 514b67b0"), "timestamp(2013-03-21T20:04:00.5Z)", "timestamp"),
            (
                &hex!("c7 0c ff 1dcd6500 ffffffffffffffff"),
                "timestamp(1969-12-31T23:59:59.5Z)",
                "timestamp",
            ),
        ];
        for (payload, text, kind) in rows {
            assert_eq!(compact(payload), text);
            let tree = read(payload, &Limits::VIEW);
            assert_eq!(tree.root().unwrap().kind, kind);
            assert_eq!(tree.root().unwrap().span.of(payload), payload);
        }
    }

    #[test]
    fn the_example_of_msgpack_org() {
        let payload = hex!("82 a7 636f6d70616374 c3 a6 736368656d61 00");
        assert_eq!(compact(&payload), r#"{"compact": true, "schema": 0}"#);
        let tree = read(&payload, &Limits::VIEW);
        let schema = &tree.nodes()[tree.child(0, "schema").unwrap()];
        assert_eq!(schema.key_span.of(&payload), hex!("a6 736368656d61"));
        assert_eq!(schema.span.of(&payload), hex!("00"));
    }

    #[test]
    fn keys_may_be_anything() {
        let payload = hex!("84 01 a161 c0 a162 9201 02 a163 81a17802 90");
        assert_eq!(compact(&payload), r#"{1: "a", null: "b", [1, 2]: "c", {"x": 2}: []}"#);
        let tree = read(&payload, &Limits::VIEW);
        let keys: Vec<_> = tree.children(0).map(|child| tree.nodes()[child].key.clone()).collect();
        let scalar = |text: &str| Key::Scalar(text.into());
        assert_eq!(keys[..2], [scalar("1"), scalar("null")]);
        assert_eq!(keys[2..], [Key::Part("entry"), Key::Part("entry")]);
        assert_eq!(tree.nodes()[0].children, 4);
        let pretty = Notation::new(&tree, &payload).pretty();
        let expected = "{\n  1: \"a\",\n  null: \"b\",\n  [\n    1,\n    2\n  ]: \"c\",\n  {\n    \"x\": 2\n  }: []\n}\n";
        assert_eq!(pretty, expected);
    }

    #[test]
    fn values_in_a_row_are_a_sequence() {
        assert_eq!(compact(&hex!("01 a161 c0")), "1 \"a\" null");
    }

    #[test]
    fn a_fault_is_told_and_what_came_before_is_kept() {
        let rows: [(&[u8], &str, &str); 7] = [
            (&hex!("93 01 02"), "octet 3: the payload ends inside a value", "[1, 2, …]"),
            (&hex!("82 a161 01 a162"), "octet 6: the payload ends inside a value", "{\"a\": 1, …}"),
            (&hex!("92 01 c1"), "octet 2: c1 is never used", "[1, …]"),
            (&hex!("92 01 a5 6162"), "octet 5: the payload ends inside fixstr", "[1, …]"),
            (&hex!("91 dd ffffffff 01"), "octet 7: the payload ends inside a value", "[[1, …]]"),
            (&hex!("01 c1"), "octet 1: nothing may follow the value", "1…"),
            (b"", "octet 0: the payload ends inside a value", "…"),
        ];
        for (payload, fault, text) in rows {
            let tree = read(payload, &Limits::VIEW);
            assert_eq!(tree.fault.as_ref().unwrap().to_string(), fault);
            assert_eq!(Notation::new(&tree, payload).compact(100), text);
        }
    }

    #[test]
    fn a_million_levels_are_cut() {
        let tree = read(&vec![0x91; 1_000_000], &Limits::VIEW);
        assert_eq!(tree.nodes().len(), Limits::VIEW.depth);
        assert_eq!(tree.cut.unwrap().at, Limits::VIEW.depth);
    }
}
