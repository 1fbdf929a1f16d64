//! Numbers of a type that a schema tells.

use prost_reflect::Kind;

use super::guess::varint;
use crate::payload::Number;
use crate::payload::cursor::Cursor;
use crate::payload::fault::Fault;
use crate::payload::tree::Value;

/// The wire type of a number, an enum or a bool; `None` for what goes as LEN.
pub(super) const fn wire_type(kind: &Kind) -> Option<u64> {
    Some(match kind {
        Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Bool
        | Kind::Enum(_) => 0,
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => 1,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => 5,
        Kind::String | Kind::Bytes | Kind::Message(_) => return None,
    })
}

/// A value of this type, the type's name, and what else is to be said of it.
pub(super) fn read(
    kind: &Kind,
    input: &mut Cursor<'_>,
) -> Result<(Value, &'static str, Option<Box<str>>), Fault> {
    let whole = |value: i128, name| (Value::Number(Number::Integer(value)), name, None);
    // Of a varint that is too long for its type, the lowest bits count (protobuf.dev, "Updating").
    let low = |value: u64| u32::try_from(value & 0xFFFF_FFFF).unwrap_or_default();
    let zigzag = |value: u64| (value >> 1).cast_signed() ^ -((value & 1).cast_signed());
    let mut next = || varint(input, "a varint");
    Ok(match kind {
        Kind::Int32 => whole(low(next()?).cast_signed().into(), "int32"),
        Kind::Int64 => whole(next()?.cast_signed().into(), "int64"),
        Kind::Uint32 => whole(low(next()?).into(), "uint32"),
        Kind::Uint64 => whole(next()?.into(), "uint64"),
        Kind::Sint32 => whole(zigzag(low(next()?).into()).into(), "sint32"),
        Kind::Sint64 => whole(zigzag(next()?).into(), "sint64"),
        Kind::Bool => (Value::Bool(next()? != 0), "bool", None),
        Kind::Enum(values) => {
            let number = low(next()?).cast_signed();
            if let Some(value) = values.get_value(number) {
                let note = format!("{} = {number}", values.full_name());
                (Value::Literal(value.name().into()), "enum", Some(note.into()))
            } else {
                let note = format!("{} has no such value", values.full_name());
                (Value::Number(Number::Integer(number.into())), "enum", Some(note.into()))
            }
        }
        Kind::Fixed32 => whole(u32::from_le_bytes(input.array("a fixed32")?).into(), "fixed32"),
        Kind::Sfixed32 => whole(i32::from_le_bytes(input.array("an sfixed32")?).into(), "sfixed32"),
        Kind::Fixed64 => whole(u64::from_le_bytes(input.array("a fixed64")?).into(), "fixed64"),
        Kind::Sfixed64 => whole(i64::from_le_bytes(input.array("an sfixed64")?).into(), "sfixed64"),
        Kind::Float => {
            let value = f32::from_le_bytes(input.array("a float")?);
            (Value::Number(Number::Single(value)), "float", None)
        }
        Kind::Double => {
            let value = f64::from_le_bytes(input.array("a double")?);
            (Value::Number(Number::Double(value)), "double", None)
        }
        // Those have no wire type of their own, and are never asked for.
        Kind::String | Kind::Bytes | Kind::Message(_) => (Value::Null, "", None),
    })
}
