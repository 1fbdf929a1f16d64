//! The data types of MQTT (MQTT 5 §1.5), read one after the other.

use super::Place;
use crate::payload::Span;
use crate::subprotocol::dissection::quoted;
use crate::subprotocol::{FieldForm, Packet, ProblemCode};

/// Reads the parts of one packet into fields.
pub(super) struct Reader<'a, 'p> {
    /// The packet, its fixed header counted in, as far as it is there.
    octets: &'a [u8],
    at: usize,
    end: usize,
    place: Place,
    pub(super) depth: u8,
    pub(super) packet: &'p mut Packet,
}

/// The packet ends inside of something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short;

impl<'a, 'p> Reader<'a, 'p> {
    pub(super) fn new(octets: &'a [u8], at: usize, place: Place, packet: &'p mut Packet) -> Self {
        Self { octets, at, end: octets.len(), place, depth: 0, packet }
    }

    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<(&'a [u8], Option<Span>), Short> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.end).ok_or(Short)?;
        let octets = self.octets.get(self.at..end).ok_or(Short)?;
        let span = self.place.offset(self.at).map(|at| Span::at(at, len));
        self.at = end;
        Ok((octets, span))
    }

    /// Where the next octet lies in the message.
    pub(super) fn offset(&self) -> Option<usize> {
        self.place.offset(self.at)
    }

    /// Reads a part of `len` octets on its own; what is left of it is passed over.
    pub(super) fn within<T>(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Short>,
    ) -> Result<T, Short> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.end).ok_or(Short)?;
        let outer = std::mem::replace(&mut self.end, end);
        self.depth = self.depth.saturating_add(1);
        let outcome = read(self);
        self.depth = self.depth.saturating_sub(1);
        (self.at, self.end) = (end, outer);
        outcome
    }

    pub(super) fn field(
        &mut self,
        name: &'static str,
        form: FieldForm,
        value: &str,
        span: Option<Span>,
    ) {
        self.packet.field_at(self.depth, name, form, value, span);
    }

    pub(super) fn octet(&mut self) -> Result<(u8, Option<Span>), Short> {
        let (octets, span) = self.take(1)?;
        Ok((*octets.first().ok_or(Short)?, span))
    }

    /// An octet, as a field.
    pub(super) fn byte(&mut self, name: &'static str) -> Result<u8, Short> {
        let (value, span) = self.octet()?;
        self.field(name, FieldForm::Number, &value.to_string(), span);
        Ok(value)
    }

    /// Two octets, as a field.
    pub(super) fn two_bytes(&mut self, name: &'static str) -> Result<u16, Short> {
        let (octets, span) = self.take(2)?;
        let value = u16::from_be_bytes(octets.try_into().map_err(|_| Short)?);
        self.field(name, FieldForm::Number, &value.to_string(), span);
        Ok(value)
    }

    /// Four octets, as a field.
    pub(super) fn four_bytes(&mut self, name: &'static str) -> Result<u32, Short> {
        let (octets, span) = self.take(4)?;
        let value = u32::from_be_bytes(octets.try_into().map_err(|_| Short)?);
        self.field(name, FieldForm::Number, &value.to_string(), span);
        Ok(value)
    }

    /// A variable byte integer: seven bits an octet, lowest first, at most four octets.
    pub(super) fn variable(&mut self) -> Result<(u32, Option<Span>), Short> {
        let start = self.at;
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21] {
            let (octet, _) = self.octet()?;
            value |= u32::from(octet & 0x7F) << shift;
            if octet & 0x80 == 0 {
                let len = self.at.saturating_sub(start);
                return Ok((value, self.place.offset(start).map(|at| Span::at(at, len))));
            }
        }
        let at = self.place.offset(start);
        let detail = "a variable byte integer has more than four octets (MQTT 5 §1.5.5)";
        self.packet.problem(ProblemCode::Malformed, at, detail);
        Err(Short)
    }

    /// Octets with their length in two octets before them, without a field.
    pub(super) fn prefixed(&mut self) -> Result<(&'a [u8], Option<Span>), Short> {
        let (len, _) = self.take(2)?;
        let len = u16::from_be_bytes(len.try_into().map_err(|_| Short)?);
        self.take(usize::from(len))
    }

    /// UTF-8 text with its length in two octets before it, without a field.
    pub(super) fn string(&mut self, name: &'static str) -> Result<(String, Option<Span>), Short> {
        let (octets, span) = self.prefixed()?;
        let text = String::from_utf8_lossy(octets).into_owned();
        let at = span.map(|span| span.start);
        if std::str::from_utf8(octets).is_err() {
            let detail = format!("{name} is not UTF-8 (MQTT 5 §1.5.4)");
            self.packet.problem(ProblemCode::Malformed, at, detail);
        } else if text.contains('\0') {
            let detail = format!("{name} {} has U+0000 in it (MQTT 5 §1.5.4)", quoted(&text));
            self.packet.problem(ProblemCode::Malformed, at, detail);
        }
        Ok((text, span))
    }

    /// UTF-8 text, as a field.
    pub(super) fn text(&mut self, name: &'static str) -> Result<String, Short> {
        let (text, span) = self.string(name)?;
        self.field(name, FieldForm::Text, &text, span);
        Ok(text)
    }

    /// Octets with their length before them, as a field that tells how many.
    pub(super) fn binary(&mut self, name: &'static str) -> Result<(), Short> {
        let (octets, span) = self.prefixed()?;
        let value = crate::present::octets(octets.len() as u64);
        self.field(name, FieldForm::Octets, &value, span);
        Ok(())
    }
}
