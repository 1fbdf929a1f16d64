//! The bit diagram: a frame drawn as RFC 6455 §5.2 draws it, 32 bits a row, with its actual bits.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use framescope_core::present::{octets, thousands};

use crate::view::anatomy::{Anatomy, Field};
use crate::view::{Palette, Role};

/// Payload octets that are drawn bit by bit; of the others only the number is told.
const PAYLOAD_OCTETS_DRAWN: u64 = 16;

/// Of payload octets that are missing.
const MISSING_OCTETS_DRAWN: u64 = 2;

/// Bits in a row.
const ROW: u64 = 32;

/// Draws `anatomy`; every line ends with a newline.
pub fn draw(anatomy: &Anatomy<'_>, palette: Palette) -> String {
    let rows = rows(anatomy);
    let mut out = String::new();
    ruler(&mut out, palette);
    let mut above: Option<&Row> = None;
    for row in &rows {
        border(&mut out, palette, above, Some(row));
        row.draw(&mut out, palette);
        above = Some(row);
    }
    border(&mut out, palette, above, None);
    let payload = anatomy.header.map_or(0, |header| header.payload_len.value);
    let drawn = payload_octets_drawn(anatomy);
    if payload > drawn {
        let further = format!("… {} of payload not drawn", octets(payload - drawn));
        let _ = writeln!(out, "  {}", palette.paint(Role::Weak, further));
    }
    out
}

/// Up to 32 bits side by side.
#[derive(Default)]
struct Row {
    cells: Vec<Cell>,
    /// What stands right of it.
    margin: String,
}

/// Bits of one field within one row.
struct Cell {
    bits: u64,
    digits: String,
    labels: Vec<String>,
    role: Role,
}

/// All that are there up to the limit, and a few that are missing.
fn payload_octets_drawn(anatomy: &Anatomy<'_>) -> u64 {
    let announced = anatomy.header.map_or(0, |header| header.payload_len.value);
    let there = anatomy.wire_payload.len() as u64;
    announced.min(PAYLOAD_OCTETS_DRAWN).min(there.saturating_add(MISSING_OCTETS_DRAWN))
}

fn rows(anatomy: &Anatomy<'_>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for field in &anatomy.fields {
        let is_payload = field.role == Role::Payload;
        let drawn = if is_payload { payload_octets_drawn(anatomy) * 8 } else { field.bits };
        let end = field.first_bit + drawn;
        let mut at = field.first_bit;
        while at < end {
            let column = at % ROW;
            let room = if is_payload { 8 } else { ROW - column };
            let bits = room.min(end - at);
            if column == 0 {
                rows.push(Row::default());
            }
            let part = Part { field, at, bits };
            if let Some(row) = rows.last_mut() {
                row.cells.push(part.cell(anatomy));
                if is_payload {
                    part.tell_margin(&mut row.margin);
                }
            }
            at += bits;
        }
    }
    rows
}

/// The part of a field that lies in one cell.
struct Part<'a> {
    field: &'a Field,
    at: u64,
    bits: u64,
}

impl Part<'_> {
    fn cell(&self, anatomy: &Anatomy<'_>) -> Cell {
        let digits: Vec<&str> =
            (self.at..self.at + self.bits).map(|bit| digit(anatomy.wire, bit)).collect();
        Cell {
            bits: self.bits,
            digits: digits.join(" "),
            labels: self.labels(anatomy),
            role: self.field.role,
        }
    }

    fn labels(&self, anatomy: &Anatomy<'_>) -> Vec<String> {
        let field = self.field;
        match field.role {
            _ if field.bits == 1 => field.name.chars().map(String::from).collect(),
            Role::Payload => self.payload_labels(anatomy),
            Role::Opcode => {
                let (value, name) = field.value.split_once(' ').unwrap_or((&field.value, ""));
                let name = name.replace("continuation", "contin.").replace("reserved", "rsvd");
                vec![field.name.to_owned(), value.to_owned(), name]
            }
            Role::Length if field.bits == 7 => vec![field.name.to_owned(), field.value.clone()],
            _ => vec![self.name(), self.octets_and_value(anatomy)],
        }
    }

    fn name(&self) -> String {
        let continued = match (self.at == self.field.first_bit, self.bits) {
            (true, _) => "",
            (false, ROW) => " (continued)",
            (false, _) => " (cont.)",
        };
        format!("{}{continued}", self.field.name)
    }

    /// The part's octets in hex and, where it ends the field, the number they make.
    fn octets_and_value(&self, anatomy: &Anatomy<'_>) -> String {
        let of_part = |octet: u64| usize::try_from(octet).ok().and_then(|i| anatomy.wire.get(i));
        let hex: Vec<String> = (self.at / 8..(self.at + self.bits) / 8)
            .map(|octet| of_part(octet).map_or("··".to_owned(), |octet| format!("{octet:02x}")))
            .collect();
        let hex = hex.join(" ");
        let is_last = self.at + self.bits == self.field.first_bit + self.field.bits;
        match (self.field.role, self.field.value.parse::<u64>()) {
            (Role::Length, Ok(number)) if is_last => format!("{hex} = {}", thousands(number)),
            _ => hex,
        }
    }

    fn payload_labels(&self, anatomy: &Anatomy<'_>) -> Vec<String> {
        let position = (self.at - self.field.first_bit) / 8;
        let index = usize::try_from(position).unwrap_or(usize::MAX);
        let (Some(wire), Some(plain)) =
            (anatomy.wire_payload.get(index), anatomy.payload.get(index))
        else {
            return vec!["missing".to_owned()];
        };
        let shown = match plain {
            b' ' => "␠".to_owned(),
            0x21..=0x7e => char::from(*plain).to_string(),
            _ => String::new(),
        };
        match anatomy.key() {
            Some(key) => {
                let key = key.octet_at(position);
                vec![format!("{wire:02x} ⊕ {key:02x} = {plain:02x}"), shown]
            }
            None => vec![format!("{plain:02x}"), shown],
        }
    }

    fn tell_margin(&self, margin: &mut String) {
        let position = (self.at - self.field.first_bit) / 8;
        if margin.is_empty() {
            *margin = format!("payload {position}");
        } else {
            let first = margin.split('–').next().unwrap_or_default();
            *margin = format!("{first}–{position}");
        }
    }
}

impl Row {
    /// Columns, in half bits, at which a cell begins or ends.
    fn edges(&self) -> BTreeSet<usize> {
        let mut column = 0;
        let mut edges = BTreeSet::from([0]);
        for cell in &self.cells {
            column += cell.width() + 1;
            edges.insert(column);
        }
        edges
    }

    fn draw(&self, out: &mut String, palette: Palette) {
        let edge = palette.paint(Role::Weak, '│');
        let lines = self.cells.iter().map(|cell| cell.labels.len()).max().unwrap_or(0);
        for line in 0..=lines {
            let _ = write!(out, " {edge}");
            for cell in &self.cells {
                let text = match line {
                    0 => cell.digits.as_str(),
                    _ => cell.labels.get(line - 1).map_or("", String::as_str),
                };
                let width = cell.width();
                let _ = write!(out, "{}{edge}", palette.paint(cell.role, centred(text, width)));
            }
            if line == 0 && !self.margin.is_empty() {
                let _ = write!(out, " {}", palette.paint(Role::Weak, &self.margin));
            }
            out.push('\n');
        }
    }
}

impl Cell {
    /// A digit and a space for each bit, but for the last space.
    fn width(&self) -> usize {
        usize::try_from(self.bits * 2 - 1).unwrap_or(0)
    }
}

fn centred(text: &str, width: usize) -> String {
    format!("{text:^width$}")
}

fn digit(wire: &[u8], bit: u64) -> &'static str {
    match usize::try_from(bit / 8).ok().and_then(|octet| wire.get(octet)) {
        Some(octet) if octet >> (7 - bit % 8) & 1 == 1 => "1",
        Some(_) => "0",
        None => "·",
    }
}

/// The two lines of figures above the RFC's drawing.
fn ruler(out: &mut String, palette: Palette) {
    let tens: Vec<String> = (0..ROW)
        .map(|bit| if bit % 10 == 0 { (bit / 10).to_string() } else { " ".to_owned() })
        .collect();
    let units: Vec<String> = (0..ROW).map(|bit| (bit % 10).to_string()).collect();
    let _ = writeln!(out, "  {}", palette.paint(Role::Weak, tens.join(" ").trim_end()));
    let _ = writeln!(out, "  {}", palette.paint(Role::Weak, units.join(" ")));
}

/// The line between two rows, or above the first, or below the last.
fn border(out: &mut String, palette: Palette, above: Option<&Row>, below: Option<&Row>) {
    let up = above.map(Row::edges).unwrap_or_default();
    let down = below.map(Row::edges).unwrap_or_default();
    let end = up.last().max(down.last()).copied().unwrap_or(0);
    let line: String = (0..=end)
        .map(|x| match (up.contains(&x), down.contains(&x), x == 0, x == end) {
            (false, false, _, _) => '─',
            (true, true, true, _) => '├',
            (true, true, _, true) => '┤',
            (true, true, ..) => '┼',
            (true, false, true, _) => '└',
            (true, false, _, true) => '┘',
            (true, false, ..) => '┴',
            (false, true, true, _) => '┌',
            (false, true, _, true) => '┐',
            (false, true, ..) => '┬',
        })
        .collect();
    let _ = writeln!(out, " {}", palette.paint(Role::Weak, line));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(wire: &[u8]) -> String {
        draw(&Anatomy::of(wire).0, Palette::Plain)
    }

    #[test]
    fn a_masked_text_of_rfc_6455_section_5_7() {
        let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        insta::assert_snapshot!(drawn(&wire));
    }

    #[test]
    fn an_unmasked_ping_of_rfc_6455_section_5_7() {
        insta::assert_snapshot!(drawn(&[0x89, 0x05, b'H', b'e', b'l', b'l', b'o']));
    }

    #[test]
    fn two_hundred_and_fifty_six_octets_of_binary() {
        let mut wire = vec![0x82, 0x7e, 0x01, 0x00];
        wire.extend(std::iter::repeat_n(0xa5, 256));
        insta::assert_snapshot!(drawn(&wire));
    }

    #[test]
    fn a_length_in_sixty_four_bits_whose_payload_is_missing() {
        insta::assert_snapshot!(drawn(&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]));
    }

    #[test]
    fn a_header_cut_inside_the_masking_key() {
        insta::assert_snapshot!(drawn(&[0x88, 0x82, 0x12, 0x34, 0x56]));
    }

    #[test]
    fn an_empty_frame_is_one_short_row() {
        insta::assert_snapshot!(drawn(&[0x8a, 0x00]));
    }

    #[test]
    fn lines_are_as_wide_as_the_rfcs_whatever_the_octets() {
        for first in 0..=255u8 {
            for line in drawn(&[first, 0x83, 1, 2, 3, 4, 5, 6, 7]).lines() {
                let boxed = line.split(" payload").next().unwrap_or_default();
                assert!(boxed.chars().count() <= 66, "{first:02x}: {line}");
            }
        }
    }
}
