//! CBOR, RFC 8949: every major type, indefinite lengths, halves, tags, bignums; a sequence of items as
//! well (RFC 8742).
//!
//! ```text
//!  7 6 5 4 3 2 1 0
//! +-----+---------+   major type: 0 unsigned, 1 negative, 2 octets, 3 text, 4 array, 5 map, 6 tag,
//! |major| addit.  |               7 float and simple
//! +-----+---------+   additional: 0–23 the argument itself, 24–27 it follows in 1, 2, 4, 8 octets,
//!                                 31 indefinite length, or break
//! ```
//!
//! A reader of our own: the kept ones give no octet spans, or recurse.

use super::builder::Builder;
use super::cursor::Cursor;
use super::fault::{Fault, Stop};
use super::items::{Head, Item};
use super::tree::{Container, Tree, Value};
use super::{Limits, Number, items, moment, number};

/// A bignum of more octets than this stays octets: its decimal digits would say nothing to anybody.
const BIGNUM: u64 = 512;

/// Reads one CBOR data item; where more follow it, a [`Value::Sequence`] of all.
pub fn read(payload: &[u8], limits: &Limits) -> Tree {
    items::read(payload, limits, head)
}

/// An initial octet and its argument.
struct Initial {
    major: u8,
    additional: u8,
    /// `None` where the length is indefinite, or this is a break.
    argument: Option<u64>,
}

fn initial(input: &mut Cursor<'_>) -> Result<Initial, Fault> {
    let start = input.at();
    let octet = input.octet("a data item")?;
    let (major, additional) = (octet >> 5, octet & 0x1F);
    let argument = match additional {
        0..=23 => Some(u64::from(additional)),
        24..=27 => Some(input.big_endian(1 << (additional - 24), "the head of a data item")?),
        31 if matches!(major, 2..=5 | 7) => None,
        31 => return Err(Fault::wrong(start, "this type cannot be of indefinite length")),
        _ => {
            let what = format!("additional information {additional} is reserved");
            return Err(Fault::wrong(start, what));
        }
    };
    Ok(Initial { major, additional, argument })
}

fn head(
    input: &mut Cursor<'_>,
    builder: &mut Builder,
    chunk_of: Option<&'static str>,
) -> Result<Head, Stop> {
    let start = input.at();
    let Initial { major, additional, argument } = initial(input)?;
    let kind = kind(major);
    let is_break = major == 7 && argument.is_none();
    if let Some(wanted) = chunk_of
        && !is_break
        && (wanted != kind || argument.is_none())
    {
        let what = format!("a chunk must be {wanted} of definite length");
        return Err(Fault::wrong(start, what).into());
    }
    let container = argument.map_or(Container::Indefinite, Container::Counted);
    let item = match (major, argument) {
        (0 | 1, Some(argument)) => {
            let value = i128::from(argument);
            let value = if major == 0 { value } else { -1 - value };
            let number = Number::Integer(value);
            let note = number.loss_in_double().map(|held| format!("JavaScript reads {held}"));
            return Ok(Head::leaf(Value::Number(number), kind).noted(note));
        }
        (2 | 3, Some(len)) => return Ok(string(input, builder, kind, len)?),
        (2 | 3, None) => Item::Chunks,
        (4, _) => Item::Array(container),
        (5, _) => Item::Map(container),
        (6, Some(tag)) => return tagged(input, tag),
        (7, Some(value)) => return simple(start, additional, value),
        _ => Item::Break,
    };
    Ok(Head { item, kind, note: None })
}

const fn kind(major: u8) -> &'static str {
    match major {
        0 => "unsigned",
        1 => "negative",
        2 => "octets",
        3 => "text",
        4 => "array",
        5 => "map",
        6 => "tag",
        _ => "simple",
    }
}

fn string(
    input: &mut Cursor<'_>,
    builder: &mut Builder,
    kind: &'static str,
    len: u64,
) -> Result<Head, Fault> {
    let start = input.at();
    let octets = input.take_long(len, kind)?;
    let content = input.since(start);
    if kind == "octets" {
        return Ok(Head::leaf(Value::Octets(content), kind));
    }
    let text = simdutf8::compat::from_utf8(octets).map_err(|error| {
        let at = start.saturating_add(error.valid_up_to());
        Fault::wrong(at, "this octet is not UTF-8, which a text must be")
    })?;
    Ok(Head::leaf(builder.text(text, content), kind))
}

/// Major type 7: floats and simple values (§3.3).
fn simple(start: usize, additional: u8, argument: u64) -> Result<Head, Stop> {
    let low = |bits: u64| u32::try_from(bits & 0xFFFF_FFFF).unwrap_or_default();
    let float = |value: f64, kind| Head::leaf(Value::Number(Number::Double(value)), kind);
    Ok(match additional {
        20 | 21 => Head::leaf(Value::Bool(additional == 21), "bool"),
        22 => Head::leaf(Value::Null, "null"),
        23 => Head::leaf(Value::Undefined, "undefined"),
        24 if argument < 32 => {
            let what = "a simple value below 32 must not take two octets";
            return Err(Fault::wrong(start, what).into());
        }
        25 => float(number::half(u16::try_from(argument).unwrap_or_default()), "float 16"),
        // The RFC writes the value, not the shortest digits of the smaller type.
        26 => float(f64::from(f32::from_bits(low(argument))), "float 32"),
        27 => float(f64::from_bits(argument), "float 64"),
        _ => Head::leaf(Value::Literal(format!("simple({argument})").into()), "simple"),
    })
}

/// A tag (§3.4): its content comes next, but for bignums, which are read as the numbers they are.
fn tagged(input: &mut Cursor<'_>, tag: u64) -> Result<Head, Stop> {
    let mut ahead = *input;
    let content = initial(&mut ahead).ok();
    if let (2 | 3, Some(Initial { major: 2, argument: Some(len @ 0..=BIGNUM), .. })) =
        (tag, &content)
    {
        let octets = ahead.take_long(*len, "a bignum")?;
        *input = ahead;
        let value = if tag == 2 { number::natural(octets) } else { negative(octets) };
        let value = Value::Number(Number::Written(value.into()));
        let note = format!("bignum, tag {tag}");
        return Ok(Head::leaf(value, "bignum").noted(Some(note)));
    }
    let moment = content.and_then(|content| moment_of(tag, &content));
    let note = match (tag_name(tag), moment) {
        (Some(name), Some(moment)) => Some(format!("{name}: {moment}")),
        (name, moment) => moment.or(name.map(str::to_owned)),
    };
    Ok(Head { item: Item::Tag(tag), kind: "tag", note })
}

/// `-1 - n` of a bignum.
fn negative(octets: &[u8]) -> String {
    // n + 1: the carry runs from the last octet to the first.
    let mut next = octets.to_vec();
    let carries = next.iter_mut().rev().all(|octet| {
        *octet = octet.wrapping_add(1);
        *octet == 0
    });
    if carries {
        next.insert(0, 1);
    }
    format!("-{}", number::natural(&next))
}

/// The point in time that a number tagged with 1 (§3.4.2) or 100 (RFC 8943) is.
fn moment_of(tag: u64, content: &Initial) -> Option<String> {
    let argument = content.argument?;
    let whole = match content.major {
        0 => i64::try_from(argument).ok()?,
        1 => (-1_i64).checked_sub(i64::try_from(argument).ok()?)?,
        _ => 0,
    };
    match (tag, content.major, content.additional) {
        (1, 0 | 1, _) => moment::of_seconds(whole, 0),
        (1, 7, 27) => moment::of_float_seconds(f64::from_bits(argument)),
        (1, 7, 26) => {
            moment::of_float_seconds(f64::from(f32::from_bits(u32::try_from(argument).ok()?)))
        }
        (100, 0 | 1, _) => {
            let midnight = moment::of_seconds(whole.checked_mul(86_400)?, 0)?;
            midnight.split_once('T').map(|(day, _)| day.to_owned())
        }
        _ => None,
    }
}

/// What a tag says, of those that are met most (IANA, CBOR Tags).
const fn tag_name(tag: u64) -> Option<&'static str> {
    Some(match tag {
        0 => "date and time as text",
        1 => "seconds since 1970",
        2 => "bignum",
        3 => "negative bignum",
        4 => "decimal fraction: exponent and mantissa",
        5 => "bigfloat: exponent and mantissa",
        16 => "COSE encrypted for one",
        17 => "COSE authenticated",
        18 => "COSE signed by one",
        21 => "meant for base64url",
        22 => "meant for base64",
        23 => "meant for hexadecimal",
        24 => "encoded CBOR",
        25 => "reference to an earlier string",
        28 => "shareable value",
        29 => "reference to a shared value",
        30 => "rational number",
        32 => "URI",
        33 => "base64url",
        34 => "base64",
        35 => "regular expression",
        36 => "MIME message",
        37 => "UUID",
        39 => "identifier",
        40 => "multi-dimensional array",
        52 => "IPv4 address",
        54 => "IPv6 address",
        61 => "CBOR Web Token",
        63 => "encoded CBOR sequence",
        64..=87 => "typed array",
        100 => "days since 1970",
        256 => "namespace of string references",
        258 => "set",
        259 => "map of a map type",
        260 => "network address",
        1001 => "extended time",
        1002 => "duration",
        1004 => "date as text",
        55799 => "self-described CBOR",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::super::notation::Notation;
    use super::*;

    fn tree(payload: &[u8]) -> Tree {
        read(payload, &Limits::VIEW)
    }

    #[test]
    fn the_table_of_rfc_8949_appendix_a() {
        let rows = include_str!("cbor_appendix_a.txt").lines();
        let mut count = 0;
        for (encoded, notation) in rows.filter_map(|row| row.split_once(' ')) {
            let payload: Vec<u8> = (0..encoded.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&encoded[at..at + 2], 16).unwrap())
                .collect();
            let tree = tree(&payload);
            assert!(tree.is_whole(), "{encoded}: {:?}", tree.fault);
            assert_eq!(Notation::new(&tree, &payload).compact(usize::MAX), notation, "{encoded}");
            assert_eq!(tree.root().unwrap().span.of(&payload), payload);
            for len in 0..payload.len() {
                let fault = read(&payload[..len], &Limits::VIEW).fault.unwrap();
                assert!(fault.is_early_end && fault.at == len, "{encoded} up to {len}: {fault}");
            }
            count += 1;
        }
        assert_eq!(count, 81);
    }

    #[test]
    fn moments_and_tags_are_told() {
        let rows: [(&[u8], &str); 5] = [
            (&hex!("c1 1a514b67b0"), "seconds since 1970: 2013-03-21T20:04:00Z"),
            (&hex!("c1 fb41d452d9ec200000"), "seconds since 1970: 2013-03-21T20:04:00.5Z"),
            (&hex!("d8 64 39 29b3"), "days since 1970: 1940-10-09"),
            (&hex!("d9d9f7 80"), "self-described CBOR"),
            (&hex!("c2 41 05"), "bignum, tag 2"),
        ];
        for (payload, note) in rows {
            assert_eq!(tree(payload).root().unwrap().note.as_deref(), Some(note));
        }
        assert_eq!(tree(&hex!("d9 ffff 00")).root().unwrap().note, None);
    }

    #[test]
    fn a_sequence_of_items() {
        let payload = hex!("01 82 02 03 6161");
        let tree = tree(&payload);
        assert_eq!(Notation::new(&tree, &payload).pretty(), "1\n[\n  2,\n  3\n]\n\"a\"\n");
    }

    #[test]
    fn a_tag_stands_on_the_line_of_its_value() {
        let payload = hex!("a2 61 61 c1 82 01 02 61 62 c0 c0 01");
        let pretty = Notation::new(&tree(&payload), &payload).pretty();
        assert_eq!(pretty, "{\n  \"a\": 1([\n    1,\n    2\n  ]),\n  \"b\": 0(0(1))\n}\n");
    }

    #[test]
    fn what_is_not_well_formed_is_told_with_its_octet() {
        let rows: [(&[u8], &str); 9] = [
            (&hex!("82 01 1c"), "octet 2: additional information 28 is reserved"),
            (&hex!("1f"), "octet 0: this type cannot be of indefinite length"),
            (&hex!("df"), "octet 0: this type cannot be of indefinite length"),
            (&hex!("f8 1f"), "octet 0: a simple value below 32 must not take two octets"),
            (&hex!("ff"), "octet 0: nothing is there for this break to end"),
            (&hex!("81 ff"), "octet 1: nothing is there for this break to end"),
            (&hex!("bf 01 ff"), "octet 2: nothing is there for this break to end"),
            (&hex!("5f 61 61 ff"), "octet 1: a chunk must be octets of definite length"),
            (&hex!("62 c3 28"), "octet 1: this octet is not UTF-8, which a text must be"),
        ];
        for (payload, text) in rows {
            assert_eq!(tree(payload).fault.unwrap().to_string(), text);
        }
        assert!(tree(&hex!("5f 5f ff ff")).fault.is_some());
        assert!(tree(&hex!("9b ffffffffffffffff 01")).fault.unwrap().is_early_end);
    }

    #[test]
    fn a_million_tags_are_cut() {
        let tree = tree(&vec![0xC1; 1_000_000]);
        assert_eq!(tree.cut.unwrap().at, Limits::VIEW.depth);
    }
}
