//! Fields, one after the other, with a stack of the messages that are open.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::guess::{self, Len, MOST_FIELD, varint};
use super::scalar;
use crate::payload::builder::{Builder, Slot};
use crate::payload::cursor::Cursor;
use crate::payload::fault::{Fault, Stop};
use crate::payload::notation::Dialect;
use crate::payload::tree::{Container, Key, Tree, Value};
use crate::payload::{Limits, Number, Span};

pub(super) fn read(payload: &[u8], message: Option<MessageDescriptor>, limits: &Limits) -> Tree {
    let mut reader = Reader {
        payload,
        input: Cursor::new(payload),
        builder: Builder::new(limits, Dialect::Fields),
        open: Vec::new(),
    };
    let outcome = reader.all(message);
    reader.builder.finish(outcome, reader.input.at())
}

/// A message or group that is not at its end.
struct Open {
    /// Where a message ends, which its length told.
    end: usize,
    /// The field number of a group, which ends with its own tag.
    group: Option<u32>,
    message: Option<MessageDescriptor>,
}

struct Reader<'a> {
    payload: &'a [u8],
    input: Cursor<'a>,
    builder: Builder,
    open: Vec<Open>,
}

impl<'a> Reader<'a> {
    fn all(&mut self, message: Option<MessageDescriptor>) -> Result<(), Stop> {
        self.begin(Slot::ROOT, "message", 0, message, self.payload.len(), None)?;
        while let Some(open) = self.open.last() {
            let end = open.end;
            if self.input.at() < end {
                // Within a message that is all there, nothing can be still to come.
                self.field().map_err(|stop| match stop {
                    Stop::Fault(fault) if fault.is_early_end && end < self.payload.len() => {
                        let at = self.input.at();
                        Fault::wrong(at, "the field goes beyond the end of its message").into()
                    }
                    stop => stop,
                })?;
                continue;
            }
            if open.group.is_some() {
                let fault = if self.input.is_at_end() {
                    self.input.early_end("a group")
                } else {
                    Fault::wrong(end, "the group must end in its message")
                };
                return Err(fault.into());
            }
            self.open.pop();
            self.builder.close(self.input.at());
        }
        Ok(())
    }

    /// Opens a message or a group; `start` is where its octets begin, its length counted in.
    fn begin(
        &mut self,
        slot: Slot,
        kind: &'static str,
        start: usize,
        message: Option<MessageDescriptor>,
        end: usize,
        group: Option<u32>,
    ) -> Result<(), Stop> {
        let place = self.builder.len();
        self.builder.open(slot, Value::Map(Container::UntilEnd), kind, start)?;
        if let Some(message) = &message {
            self.builder.add_note(place, message.full_name());
        }
        self.open.push(Open { end, group, message });
        Ok(())
    }

    fn field(&mut self) -> Result<(), Stop> {
        let start = self.input.at();
        let end = self.open.last().map_or(self.payload.len(), |open| open.end);
        let mut input: Cursor<'a> = Cursor::within(self.payload, Span::new(start, end));
        let tag = varint(&mut input, "a tag")?;
        let Some(number) = field_number(tag) else {
            let what = format!("there is no field number {}", tag >> 3);
            return Err(Fault::wrong(start, what).into());
        };
        let open = self.open.last();
        let field = open.and_then(|open| open.message.as_ref()?.get_field(number));
        let name = field.as_ref().map(|field| field.name().into());
        let slot = Slot { key: Key::Field { number, name }, span: input.since(start) };
        let at = input.at();
        match tag & 7 {
            2 => {
                let len = varint(&mut input, "a length")?;
                let content = input.at();
                input.take_long(len, &format!("field {number}"))?;
                self.input = input;
                self.len(slot, field.as_ref(), at, input.since(content))
            }
            3 => {
                self.input = input;
                let message = field.and_then(|field| field.kind().as_message().cloned());
                self.begin(slot, "group", at, message, end, Some(number))
            }
            4 if open.is_some_and(|open| open.group == Some(number)) => {
                self.input = input;
                self.open.pop();
                self.builder.close(self.input.at());
                Ok(())
            }
            4 => Err(Fault::wrong(start, "no group of this number is open here").into()),
            wire_type @ (0 | 1 | 5) => self.number(slot, field.as_ref(), wire_type, input),
            wire_type => {
                Err(Fault::wrong(start, format!("there is no wire type {wire_type}")).into())
            }
        }
    }

    /// A field of wire type VARINT, I64 or I32.
    fn number(
        &mut self,
        slot: Slot,
        field: Option<&FieldDescriptor>,
        wire_type: u64,
        mut input: Cursor<'a>,
    ) -> Result<(), Stop> {
        let start = input.at();
        let known = field.map(FieldDescriptor::kind);
        if let Some(kind) = known.as_ref().filter(|kind| scalar::wire_type(kind) == Some(wire_type))
        {
            let (value, name, note) = scalar::read(kind, &mut input)?;
            self.input = input;
            self.builder.leaf(slot, value, name, input.since(start))?.note = note;
            return Ok(());
        }
        let (number, name, readings) = match wire_type {
            0 => {
                let value = varint(&mut input, "a varint")?;
                (Number::Integer(value.into()), "varint", guess::varint_readings(value))
            }
            1 => guess::i64_readings(u64::from_le_bytes(input.array("an I64")?)),
            _ => guess::i32_readings(u32::from_le_bytes(input.array("an I32")?)),
        };
        self.input = input;
        let node = self.builder.leaf(slot, Value::Number(number), name, input.since(start))?;
        node.readings = readings;
        node.note = known.map(|kind| not_as_told(&kind));
        Ok(())
    }

    /// A LEN field; `start` is where its length begins, `content` what follows that.
    fn len(
        &mut self,
        slot: Slot,
        field: Option<&FieldDescriptor>,
        start: usize,
        content: Span,
    ) -> Result<(), Stop> {
        let span = Span::new(start, content.end);
        let octets = content.of(self.payload);
        let text = simdutf8::compat::from_utf8(octets).ok();
        match (field.map(FieldDescriptor::kind), text) {
            (Some(Kind::String), Some(text)) => {
                let value = self.builder.text(text, content);
                self.builder.leaf(slot, value, "string", span)?;
                return Ok(());
            }
            (Some(Kind::Bytes), _) => {
                self.builder.leaf(slot, Value::Octets(content), "bytes", span)?;
                return Ok(());
            }
            (Some(Kind::Message(message)), _) => {
                self.input = Cursor::new(self.payload).moved_to(content.start);
                return self.begin(slot, "message", start, Some(message), content.end, None);
            }
            (Some(kind), _) if scalar::wire_type(&kind).is_some() => {
                return self.packed(slot, &kind, start, content);
            }
            _ => {}
        }
        let taken = guess::len(octets);
        let readings = guess::len_readings(octets, taken);
        let note = field.map(|field| not_as_told(&field.kind()));
        let place = self.builder.len();
        match (taken, text) {
            (Len::Message, _) => {
                self.input = Cursor::new(self.payload).moved_to(content.start);
                self.begin(slot, "message", start, None, content.end, None)?;
            }
            (Len::Text, Some(text)) => {
                let value = self.builder.text(text, content);
                self.builder.leaf(slot, value, "string", span)?;
            }
            _ => {
                self.builder.leaf(slot, Value::Octets(content), "bytes", span)?;
            }
        }
        self.builder.add_readings(place, readings, note);
        Ok(())
    }

    /// Numbers of a repeated field, one behind the other.
    fn packed(&mut self, slot: Slot, kind: &Kind, start: usize, content: Span) -> Result<(), Stop> {
        let mut input = Cursor::within(self.payload, content);
        self.builder.open(slot, Value::Array(Container::UntilEnd), "packed", start)?;
        for index in 0.. {
            if input.is_at_end() {
                break;
            }
            let at = input.at();
            let (value, name, note) = scalar::read(kind, &mut input)
                .map_err(|_| Fault::wrong(at, "a number goes beyond the end of its field"))?;
            self.builder.leaf(Slot::index(index), value, name, input.since(at))?.note = note;
        }
        self.builder.close(content.end);
        Ok(())
    }
}

fn field_number(tag: u64) -> Option<u32> {
    u32::try_from(tag >> 3).ok().filter(|number| (1..=MOST_FIELD).contains(&u64::from(*number)))
}

fn not_as_told(kind: &Kind) -> Box<str> {
    format!("the schema says {kind:?}, which goes otherwise over the wire").into()
}
