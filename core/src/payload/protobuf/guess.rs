//! What octets without a schema most likely are, and what else they could be.

use crate::payload::cursor::Cursor;
use crate::payload::fault::Fault;
use crate::payload::notation::quote;
use crate::payload::tree::Reading;
use crate::payload::{Number, moment};

/// The largest field number there is (protobuf.dev, "Assigning Field Numbers").
pub(super) const MOST_FIELD: u64 = (1 << 29) - 1;

/// Characters of a text, or numbers of a packed field, that a reading shows.
const SHOWN: usize = 60;

/// What LEN octets are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Len {
    Message,
    Text,
    Octets,
}

/// A varint, at most ten octets; the bits beyond 64 are dropped, as every reader drops them.
pub(super) fn varint(input: &mut Cursor<'_>, what: &str) -> Result<u64, Fault> {
    let start = input.at();
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let octet = input.octet(what)?;
        let bits = u64::from(octet & 0x7F);
        value |= bits.checked_shl(shift).unwrap_or_default();
        if octet & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Fault::wrong(start, "a varint is at most 10 octets long"))
}

/// The likeliest reading of LEN octets.
pub(super) fn len(octets: &[u8]) -> Len {
    let text = simdutf8::compat::from_utf8(octets).ok();
    let is_readable = text.is_some_and(|text| {
        text.chars()
            .all(|character| !character.is_control() || matches!(character, '\t' | '\n' | '\r'))
    });
    // A message of which the first field is 1, a string, begins with a line feed.
    let begins_as_text = octets.first().is_some_and(|octet| *octet >= b' ');
    if octets.is_empty() {
        Len::Octets
    } else if is_readable && begins_as_text {
        Len::Text
    } else if is_message(octets) {
        Len::Message
    } else if is_readable {
        Len::Text
    } else {
        Len::Octets
    }
}

/// Whether octets can be a message: fields from end to end. What is within LEN fields is not looked at.
pub(super) fn is_message(octets: &[u8]) -> bool {
    let mut input = Cursor::new(octets);
    let mut groups: Vec<u64> = Vec::new();
    while !input.is_at_end() {
        let Ok(tag) = varint(&mut input, "") else { return false };
        let (number, wire_type) = (tag >> 3, tag & 7);
        if number == 0 || number > MOST_FIELD {
            return false;
        }
        let taken = match wire_type {
            0 => varint(&mut input, "").is_ok(),
            1 => input.take(8, "").is_ok(),
            2 => varint(&mut input, "").and_then(|len| input.take_long(len, "")).is_ok(),
            3 if groups.len() < 64 => {
                groups.push(number);
                true
            }
            4 => groups.pop() == Some(number),
            5 => input.take(4, "").is_ok(),
            _ => false,
        };
        if !taken {
            return false;
        }
    }
    groups.is_empty() && !octets.is_empty()
}

fn reading(kind: &'static str, text: impl Into<Box<str>>) -> Reading {
    Reading { kind, text: text.into() }
}

/// What a varint may say besides `uint64`.
pub(super) fn varint_readings(value: u64) -> Vec<Reading> {
    let mut all = Vec::new();
    if value > u64::MAX >> 1 {
        all.push(reading("int64", value.cast_signed().to_string()));
    }
    let zigzag = (value >> 1).cast_signed() ^ -((value & 1).cast_signed());
    all.push(reading("sint64", zigzag.to_string()));
    if value <= 1 {
        all.push(reading("bool", if value == 1 { "true" } else { "false" }));
    }
    all.extend(moments(value));
    all
}

/// The times since 1970 that a number may be, where they lie in the years 2001 to 2100.
fn moments(value: u64) -> Option<Reading> {
    const YEARS: std::ops::Range<u64> = 978_307_200..4_102_444_800;
    let signed = i64::try_from(value).ok()?;
    if YEARS.contains(&value) {
        Some(reading("seconds since 1970", moment::of_seconds(signed, 0)?))
    } else if YEARS.contains(&(value / 1000)) {
        Some(reading("milliseconds since 1970", moment::of_millis(signed)?))
    } else {
        None
    }
}

/// What four octets are most likely, with the other readings.
pub(super) fn i32_readings(bits: u32) -> (Number, &'static str, Vec<Reading>) {
    let float = f32::from_bits(bits);
    let mut all = Vec::new();
    let signed = bits.cast_signed();
    if signed < 0 {
        all.push(reading("sfixed32", signed.to_string()));
    }
    let is_float = bits == 0 || is_usual(float.is_finite(), float.abs().into());
    if bits != 0 && is_float {
        all.insert(0, reading("fixed32", bits.to_string()));
        return (Number::Single(float), "float", all);
    }
    all.push(reading("float", Number::Single(float).to_string()));
    all.extend(moments(bits.into()));
    (Number::Integer(bits.into()), "fixed32", all)
}

/// What eight octets are most likely, with the other readings.
pub(super) fn i64_readings(bits: u64) -> (Number, &'static str, Vec<Reading>) {
    let float = f64::from_bits(bits);
    let mut all = Vec::new();
    let signed = bits.cast_signed();
    if signed < 0 {
        all.push(reading("sfixed64", signed.to_string()));
    }
    if bits != 0 && is_usual(float.is_finite(), float.abs()) {
        all.insert(0, reading("fixed64", bits.to_string()));
        return (Number::Double(float), "double", all);
    }
    all.push(reading("double", Number::Double(float).to_string()));
    all.extend(moments(bits));
    (Number::Integer(bits.into()), "fixed64", all)
}

/// Whether a float is of a size that programs send; the bits of a small whole number are not.
fn is_usual(is_finite: bool, size: f64) -> bool {
    is_finite && (1e-9..1e15).contains(&size)
}

/// What LEN octets may be besides `taken`.
pub(super) fn len_readings(octets: &[u8], taken: Len) -> Vec<Reading> {
    let mut all = Vec::new();
    if taken != Len::Text
        && let Ok(text) = simdutf8::compat::from_utf8(octets)
    {
        let mut shown = String::new();
        let end = text.floor_char_boundary(SHOWN);
        quote(text.get(..end).unwrap_or_default(), &mut shown);
        if end < text.len() {
            shown.push('…');
        }
        all.push(reading("string", shown));
    }
    if taken != Len::Message && (octets.is_empty() || is_message(octets)) {
        let fields = crate::present::counted(fields(octets), "field", "fields");
        all.push(reading("message", fields));
    }
    all.extend(packed(octets));
    if taken != Len::Octets {
        all.push(reading("bytes", crate::present::octets(octets.len() as u64)));
    }
    all
}

/// How many fields a message has.
fn fields(octets: &[u8]) -> u64 {
    let mut input = Cursor::new(octets);
    let mut count = 0_u64;
    while let Ok(tag) = varint(&mut input, "") {
        let taken = match tag & 7 {
            0 => varint(&mut input, "").is_ok(),
            1 => input.take(8, "").is_ok(),
            2 => varint(&mut input, "").and_then(|len| input.take_long(len, "")).is_ok(),
            5 => input.take(4, "").is_ok(),
            _ => true,
        };
        if !taken {
            break;
        }
        count = count.saturating_add(u64::from(tag & 7 != 4));
    }
    count
}

/// The packed numbers that octets may be, at least two.
fn packed(octets: &[u8]) -> Vec<Reading> {
    let mut all = Vec::new();
    let mut input = Cursor::new(octets);
    let mut numbers = Vec::new();
    while let Ok(value) = varint(&mut input, "") {
        numbers.push(value.to_string());
        if numbers.len() > SHOWN {
            break;
        }
    }
    let is_all = input.is_at_end() || numbers.len() > SHOWN;
    if is_all && numbers.len() > 1 {
        all.push(reading("packed varints", list(&numbers)));
    }
    if octets.len() > 4 && octets.len().is_multiple_of(4) {
        let (floats, _) = octets.as_chunks();
        let floats: Vec<_> =
            floats.iter().map(|o| f32::from_le_bytes(*o)).take(SHOWN.saturating_add(1)).collect();
        if floats.iter().all(|float| *float == 0.0 || is_usual(true, float.abs().into())) {
            let numbers: Vec<_> = floats.iter().map(|f| Number::Single(*f).to_string()).collect();
            all.push(reading("packed floats", list(&numbers)));
        }
    }
    if octets.len() > 8 && octets.len().is_multiple_of(8) {
        let (doubles, _) = octets.as_chunks();
        let doubles: Vec<_> =
            doubles.iter().map(|o| f64::from_le_bytes(*o)).take(SHOWN.saturating_add(1)).collect();
        if doubles.iter().all(|double| *double == 0.0 || is_usual(true, double.abs())) {
            let numbers: Vec<_> = doubles.iter().map(|d| Number::Double(*d).to_string()).collect();
            all.push(reading("packed doubles", list(&numbers)));
        }
    }
    all
}

fn list(numbers: &[String]) -> String {
    match numbers.get(..SHOWN) {
        Some(shown) if numbers.len() > SHOWN => format!("[{}, …]", shown.join(", ")),
        _ => format!("[{}]", numbers.join(", ")),
    }
}
