//! BSON, version 1.1, as bsonspec.org has it.
//!
//! ```text
//!  document ::= int32 (its whole length) element* 00
//!  element  ::= type (1 octet) name (octets up to 00) value
//! ```
//!
//! All numbers have their least significant octet first. A reader of our own: the kept one gives no
//! octet spans and stops at the first fault with nothing to show.

use super::builder::{Builder, Slot};
use super::cursor::Cursor;
use super::fault::{Fault, Stop};
use super::hex::digits;
use super::notation::{Dialect, quote};
use super::tree::{Container, Key, Tree, Value};
use super::{Limits, Number, Span, decimal128, moment};

/// Reads one BSON document.
pub fn read(payload: &[u8], limits: &Limits) -> Tree {
    let mut reader = Reader {
        payload,
        input: Cursor::new(payload),
        builder: Builder::new(limits, Dialect::Diagnostic),
        open: Vec::new(),
    };
    let outcome = reader.all();
    reader.builder.finish(outcome, reader.input.at())
}

/// A document that is not at its end.
struct Open {
    /// Where its length says that it ends.
    end: usize,
    /// The name that its next element must have, where it is an array.
    next: Option<u64>,
    /// A code with scope ends with its document.
    in_code: bool,
}

struct Reader<'a> {
    payload: &'a [u8],
    input: Cursor<'a>,
    builder: Builder,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn all(&mut self) -> Result<(), Stop> {
        self.begin_document(Slot::ROOT, "document", self.payload.len(), false)?;
        while let Some(open) = self.open.last_mut() {
            if self.input.at() >= open.end {
                return Err(Fault::wrong(open.end, "a document must end with 00").into());
            }
            let start = self.input.at();
            let kind = self.input.octet("a document")?;
            if kind != 0 {
                self.element(kind, start)?;
                continue;
            }
            if self.input.at() != open.end {
                let what =
                    format!("a document ends here, though its length says octet {}", open.end);
                return Err(Fault::wrong(start, what).into());
            }
            let in_code = open.in_code;
            self.open.pop();
            self.builder.close(self.input.at());
            if in_code {
                self.builder.close(self.input.at());
            }
        }
        if self.input.is_at_end() {
            return Ok(());
        }
        Err(Fault::wrong(self.input.at(), "nothing may follow the document").into())
    }

    /// The length of a document, which must not go beyond `most`.
    fn begin_document(
        &mut self,
        slot: Slot,
        kind: &'static str,
        most: usize,
        in_code: bool,
    ) -> Result<(), Stop> {
        let start = self.input.at();
        let is_array = kind == "array";
        let container = Container::UntilEnd;
        let value = if is_array { Value::Array(container) } else { Value::Map(container) };
        self.builder.open(slot, value, kind, start)?;
        let len = self.int32("the length of a document")?;
        let end = usize::try_from(len).ok().filter(|len| *len >= 5);
        let Some(end) = end.and_then(|len| start.checked_add(len)) else {
            let what = format!("a document is at least 5 octets long, not {len}");
            return Err(Fault::wrong(start, what).into());
        };
        // The outermost may be cut short: then what is there is read.
        if end > most && !self.open.is_empty() {
            let what = "the length goes beyond the end of the enclosing document";
            return Err(Fault::wrong(start, what).into());
        }
        self.open.push(Open { end, next: is_array.then_some(0), in_code });
        Ok(())
    }

    fn element(&mut self, kind: u8, start: usize) -> Result<(), Stop> {
        let name = self.cstring("a name")?;
        let span = self.input.since(start);
        let slot = match self.open.last_mut().and_then(|open| open.next.as_mut()) {
            // The names of an array's elements are "0", "1" and so on.
            Some(next) if name == next.to_string() => {
                let key = Key::Index(*next);
                *next = next.saturating_add(1);
                Slot { key, span }
            }
            _ => self.builder.name(&name, span),
        };
        let end = self.open.last().map_or(0, |open| open.end);
        match kind {
            0x03 => self.begin_document(slot, "document", end, false),
            0x04 => self.begin_document(slot, "array", end, false),
            0x0F => self.code_with_scope(slot, end),
            _ => self.leaf(slot, kind, start),
        }
    }

    /// `int32 string document`: both parts are children.
    fn code_with_scope(&mut self, slot: Slot, end: usize) -> Result<(), Stop> {
        let start = self.input.at();
        let value = Value::Map(Container::UntilEnd);
        self.builder.open(slot, value, "code with scope", start)?;
        self.int32("a code with scope")?;
        let at = self.input.at();
        let part = |name: &str| Slot::unspelt(Key::Name(name.into()));
        let code = self.string("a code")?;
        self.builder.leaf(part("code"), code, "code", self.input.since(at))?;
        self.begin_document(part("scope"), "document", end, true)
    }

    fn leaf(&mut self, slot: Slot, kind: u8, element: usize) -> Result<(), Stop> {
        let start = self.input.at();
        let mut note = None;
        let (value, kind) = match kind {
            0x01 => {
                let value = f64::from_le_bytes(self.input.array("a double")?);
                (Value::Number(Number::Double(value)), "double")
            }
            0x02 => (self.string("a string")?, "string"),
            0x05 => return self.binary(slot),
            0x06 => (Value::Undefined, "undefined"),
            0x07 => {
                let id: [u8; 12] = self.input.array("an ObjectId")?;
                // Its first four octets are when it was made.
                let made = id.first_chunk().map_or(0, |seconds| u32::from_be_bytes(*seconds));
                note = moment::of_seconds(made.into(), 0).map(|at| format!("made at {at}"));
                (literal(&format!("ObjectId(\"{}\")", digits(&id))), "ObjectId")
            }
            0x08 => match self.input.octet("a boolean")? {
                value @ (0 | 1) => (Value::Bool(value == 1), "boolean"),
                _ => return Err(Fault::wrong(start, "a boolean must be 00 or 01").into()),
            },
            0x09 => {
                let millis = self.int64("a date")?;
                note = Some(format!("{millis} ms since 1970"));
                let text = moment::of_millis(millis).unwrap_or_else(|| millis.to_string());
                (literal(&format!("date({text})")), "UTC datetime")
            }
            0x0A => (Value::Null, "null"),
            0x0B => {
                let pattern = self.cstring("a regular expression")?;
                let options = self.cstring("the options of a regular expression")?;
                (literal(&format!("/{pattern}/{options}")), "regular expression")
            }
            0x0C => {
                let Value::Text(text) = self.string("a DBPointer")? else { return Ok(()) };
                let id: [u8; 12] = self.input.array("a DBPointer")?;
                let mut shown = String::from("DBPointer(");
                quote(&text.text, &mut shown);
                (literal(&format!("{shown}, \"{}\")", digits(&id))), "DBPointer")
            }
            0x0D => (self.string("a code")?, "code"),
            0x0E => (self.string("a symbol")?, "symbol"),
            0x10 => (Value::Number(Number::Integer(self.int32("an int32")?.into())), "int32"),
            0x11 => {
                let value = self.int64("a timestamp")?.cast_unsigned();
                let (seconds, ordinal) = (value >> 32, value & 0xFFFF_FFFF);
                note = i64::try_from(seconds).ok().and_then(|at| moment::of_seconds(at, 0));
                (literal(&format!("timestamp({seconds}, {ordinal})")), "timestamp")
            }
            0x12 => {
                let number = Number::Integer(self.int64("an int64")?.into());
                note = number.loss_in_double().map(|held| format!("JavaScript reads {held}"));
                (Value::Number(number), "int64")
            }
            0x13 => {
                let bits = u128::from_le_bytes(self.input.array("a decimal128")?);
                let text = decimal128::text(bits);
                (Value::Number(Number::Written(text.into())), "decimal128")
            }
            0x7F => (literal("MaxKey"), "max key"),
            0xFF => (literal("MinKey"), "min key"),
            _ => {
                let what = format!("there is no element type {kind:02x}");
                return Err(Fault::wrong(element, what).into());
            }
        };
        let span = self.input.since(start);
        self.builder.leaf(slot, value, kind, span)?.note = note.map(Into::into);
        Ok(())
    }

    /// `int32 subtype octets`.
    fn binary(&mut self, slot: Slot) -> Result<(), Stop> {
        let start = self.input.at();
        let len = self.int32("a binary")?;
        let subtype = self.input.octet("a binary")?;
        let Ok(len) = usize::try_from(len) else {
            return Err(Fault::wrong(start, "a length must not be negative").into());
        };
        let content = self.input.at();
        let octets = self.input.take(len, "a binary")?;
        let content = self.input.since(content);
        let (value, note) = match (subtype, <[u8; 16]>::try_from(octets)) {
            (0, _) => (Value::Octets(content), "generic"),
            (3 | 4, Ok(uuid)) => (literal(&format!("UUID(\"{}\")", dashed(uuid))), "UUID"),
            (_, _) => {
                let name = match subtype {
                    1 => "function",
                    2 => "generic, old",
                    3 => "UUID, old",
                    4 => "UUID",
                    5 => "MD5",
                    6 => "encrypted",
                    7 => "compressed column",
                    8 => "sensitive",
                    9 => "vector",
                    0x80.. => "user defined",
                    _ => "unknown",
                };
                (Value::Extension { kind: subtype.into(), content }, name)
            }
        };
        let span = self.input.since(start);
        let note = format!("subtype {subtype:02x}: {note}");
        self.builder.leaf(slot, value, "binary", span)?.note = Some(note.into());
        Ok(())
    }

    fn int32(&mut self, what: &str) -> Result<i32, Fault> {
        self.input.array(what).map(i32::from_le_bytes)
    }

    fn int64(&mut self, what: &str) -> Result<i64, Fault> {
        self.input.array(what).map(i64::from_le_bytes)
    }

    /// Octets up to 00, which are UTF-8.
    fn cstring(&mut self, what: &str) -> Result<String, Fault> {
        let start = self.input.at();
        let end = memchr::memchr(0, self.input.rest()).ok_or_else(|| self.input.early_end(what))?;
        let octets = self.input.take(end, what)?;
        self.input.octet(what)?;
        utf8(octets, start).map(str::to_owned)
    }

    /// `int32` (with the 00 at its end counted in), UTF-8, 00.
    fn string(&mut self, what: &str) -> Result<Value, Fault> {
        let start = self.input.at();
        let len = self.int32(what)?;
        let Some(len) = usize::try_from(len).ok().and_then(|len| len.checked_sub(1)) else {
            return Err(Fault::wrong(start, "a string is at least 1 octet long, its 00"));
        };
        let at = self.input.at();
        let octets = self.input.take(len, what)?;
        let content = self.input.since(at);
        let end = self.input.at();
        if self.input.octet(what)? != 0 {
            return Err(Fault::wrong(end, "a string must end with 00"));
        }
        let text = utf8(octets, at)?;
        Ok(self.builder.text(text, content))
    }
}

fn utf8(octets: &[u8], start: usize) -> Result<&str, Fault> {
    simdutf8::compat::from_utf8(octets).map_err(|error| {
        let at = start.saturating_add(error.valid_up_to());
        Fault::wrong(at, "this octet is not UTF-8, which a string must be")
    })
}

fn literal(text: &str) -> Value {
    Value::Literal(text.into())
}

/// RFC 9562 §4.
fn dashed(uuid: [u8; 16]) -> String {
    let groups = [(0, 4), (4, 6), (6, 8), (8, 10), (10, 16)];
    let groups = groups.map(|(start, end)| digits(Span::new(start, end).of(&uuid)));
    groups.join("-")
}

#[cfg(test)]
mod tests;
