//! A frame header drawn as RFC 6455 §5.2 draws it: every bit a cell, every field its colour.

use egui::{
    Align2, Color32, CornerRadius, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use framescope_core::FrameHeader;
use framescope_core::frame::LengthForm;

use crate::theme::{self, Field, Palette};
use crate::widgets::format;

const BITS: f32 = 30.0;
const OCTETS: f32 = 24.0;
const GAP: f32 = 3.0;

/// What to draw.
pub struct BitGrid<'a> {
    /// The header.
    pub header: &'a FrameHeader,
    /// The field to stress, wherever it was pointed at.
    pub lit: Option<Field>,
}

/// What stands in a cell, and its name beneath it, which may be empty.
type Cell = (String, &'static str);

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BitGridOutput {
    /// The field under the pointer.
    pub hovered: Option<Field>,
    /// The field that was clicked, or chosen by keyboard.
    pub clicked: Option<Field>,
}

impl BitGrid<'_> {
    /// Draws into all the width there is; the height follows from the header.
    pub fn ui(&self, ui: &mut Ui) -> BitGridOutput {
        // Bits, masking key, payload; a gap between two.
        let mut rows = BITS + 2.0 * (GAP + OCTETS);
        if self.header.payload_len.form != LengthForm::Seven {
            rows += OCTETS + GAP;
        }
        if self.header.masking_key.is_none() {
            rows -= OCTETS + GAP;
        }
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), rows), Sense::hover());
        let mut out = BitGridOutput::default();
        let mut draw = |ui: &Ui, field: Field, row: Rect, cells: &[Cell], name: &str| {
            let response = self.field(ui, field, row, cells, name);
            if response.hovered() {
                out.hovered = Some(field);
            }
            if response.clicked() || response.gained_focus() && !response.hovered() {
                out.clicked = Some(field);
            }
        };

        let bits = Rect::from_min_size(rect.min, vec2(rect.width(), BITS));
        for (field, cells, name) in self.first_two_octets() {
            let range = Self::bit_range(field);
            let row = Rect::from_min_max(
                pos2(cell_left(bits, range.start, 16), bits.min.y),
                pos2(cell_left(bits, range.end, 16) - GAP, bits.max.y),
            );
            draw(ui, field, row, &cells, &name);
        }
        let mut y = bits.max.y + GAP;
        let mut next_row = || {
            let row = Rect::from_min_size(pos2(rect.min.x, y), vec2(rect.width(), OCTETS));
            y += OCTETS + GAP;
            row
        };
        let length = self.header.payload_len;
        let octets = length.value.to_be_bytes();
        let extended = match length.form {
            LengthForm::Seven => &[][..],
            LengthForm::Sixteen => &octets[6..],
            LengthForm::SixtyFour => &octets[..],
        };
        if !extended.is_empty() {
            let cells: Vec<_> = extended.iter().map(|octet| (format!("{octet:02x}"), "")).collect();
            let name = format!("Extended payload length {}", format::thousands(length.value));
            draw(ui, Field::Length, next_row(), &cells, &name);
        }
        if let Some(key) = self.header.masking_key {
            let cells: Vec<_> = key.0.iter().map(|octet| (format!("{octet:02x}"), "")).collect();
            let name = format!("Masking key {}", format::hex(&key.0));
            draw(ui, Field::MaskingKey, next_row(), &cells, &name);
        }
        let masked = if self.header.masking_key.is_some() { ", masked" } else { "" };
        let text = match length.value {
            0 => "no payload".to_owned(),
            count => format!("payload, {}{masked}", format::octets(count)),
        };
        let row = next_row();
        let response = self.payload(ui, row, &text);
        if response.hovered() {
            out.hovered = Some(Field::Payload);
        }
        if response.clicked() || response.gained_focus() && !response.hovered() {
            out.clicked = Some(Field::Payload);
        }
        out
    }

    /// Bits 0–15 of the frame that this field takes.
    const fn bit_range(field: Field) -> std::ops::Range<u8> {
        match field {
            Field::Fin => 0..1,
            Field::Rsv1 => 1..2,
            Field::Rsv2 => 2..3,
            Field::Rsv3 => 3..4,
            Field::Opcode => 4..8,
            Field::Mask => 8..9,
            Field::Length => 9..16,
            Field::MaskingKey | Field::Payload => 0..0,
        }
    }

    /// Field, its bits with what stands beneath them, accessible name.
    fn first_two_octets(&self) -> Vec<(Field, Vec<Cell>, String)> {
        let header = self.header;
        let bit = |set: bool| String::from(if set { "1" } else { "0" });
        let one = |field, set, label: &'static str| {
            (field, vec![(bit(set), label)], format!("{label} {}", u8::from(set)))
        };
        let bits = |value: u8, count: u32, labels: &[(usize, &'static str)]| -> Vec<_> {
            (0..count)
                .map(|at| {
                    let label = labels.iter().find(|(place, _)| *place == at as usize);
                    (bit(value >> (count - 1 - at) & 1 == 1), label.map_or("", |(_, text)| *text))
                })
                .collect()
        };
        let length = header.payload_len;
        let short = match length.form {
            LengthForm::Seven => u8::try_from(length.value).unwrap_or(u8::MAX) & 0x7F,
            LengthForm::Sixteen => 126,
            LengthForm::SixtyFour => 127,
        };
        vec![
            one(Field::Fin, header.fin, "FIN"),
            one(Field::Rsv1, header.rsv.rsv1(), "RSV1"),
            one(Field::Rsv2, header.rsv.rsv2(), "RSV2"),
            one(Field::Rsv3, header.rsv.rsv3(), "RSV3"),
            (
                Field::Opcode,
                bits(header.opcode.bits(), 4, &[]),
                format!("Opcode 0x{:x} {}", header.opcode.bits(), header.opcode.name()),
            ),
            one(Field::Mask, header.masking_key.is_some(), "MASK"),
            (Field::Length, bits(short, 7, &[]), format!("Payload length {short}")),
        ]
    }

    fn field(&self, ui: &Ui, field: Field, row: Rect, cells: &[Cell], name: &str) -> Response {
        let response = ui.interact(
            row,
            ui.scope_id().with(("field", field, row.min.y.to_bits())),
            Sense::click(),
        );
        response.widget_info(|| {
            WidgetInfo::selected(Role::Button, true, self.lit == Some(field), name)
        });
        let palette = theme::palette(ui);
        let color = palette.field(field);
        let lit = self.lit == Some(field) || response.hovered();
        let count = u8::try_from(cells.len()).unwrap_or(u8::MAX);
        for (at, (text, label)) in (0..count).zip(cells) {
            let cell = Rect::from_min_max(
                pos2(cell_left(row, at, count), row.min.y),
                pos2(cell_left(row, at + 1, count) - GAP, row.max.y),
            );
            ground(ui, palette, cell, palette.field(field), lit);
            let painter = ui.painter_at(cell);
            let mono = FontId::monospace(11.5);
            if label.is_empty() {
                let center = if row.height() > OCTETS {
                    cell.center() - vec2(0.0, 5.0)
                } else {
                    cell.center()
                };
                painter.text(center, Align2::CENTER_CENTER, text, mono, color);
            } else {
                let center = cell.center() - vec2(0.0, 5.0);
                painter.text(center, Align2::CENTER_CENTER, text, mono, color);
                label_beneath(ui, cell, label, color);
            }
        }
        // A field of several bits has one name beneath them all.
        match field {
            Field::Opcode => label_beneath(ui, row, self.header.opcode.name(), color),
            Field::Length if row.height() > OCTETS => {
                let text = match self.header.payload_len.form {
                    LengthForm::Seven => "payload length",
                    LengthForm::Sixteen => "126: length in 16 bits",
                    LengthForm::SixtyFour => "127: length in 64 bits",
                };
                label_beneath(ui, row, text, color);
            }
            _ => {}
        }
        response
    }

    fn payload(&self, ui: &Ui, row: Rect, text: &str) -> Response {
        let response = ui.interact(row, ui.scope_id().with("payload field"), Sense::click());
        let lit = self.lit == Some(Field::Payload) || response.hovered();
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, lit, text));
        let palette = theme::palette(ui);
        let empty = self.header.payload_len.value == 0;
        let color = if empty { palette.rsv } else { palette.payload };
        ground(ui, palette, row, color, lit);
        let font = FontId::proportional(11.5);
        ui.painter_at(row).text(row.center(), Align2::CENTER_CENTER, text, font, color);
        response
    }
}

fn ground(ui: &Ui, palette: &Palette, cell: Rect, color: Color32, lit: bool) {
    let fill = if lit { palette.tint_strong(color) } else { palette.tint(color) };
    ui.painter().rect_filled(cell, CornerRadius::same(3), fill);
}

/// A name beneath the bits; left away where there is no room for all of it.
fn label_beneath(ui: &Ui, cell: Rect, text: &str, color: Color32) {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), FontId::proportional(8.5), color);
    if galley.size().x <= cell.width() {
        let at = pos2(cell.center().x, cell.max.y - 7.5);
        let at = Align2::CENTER_CENTER.anchor_size(at, galley.size()).min;
        ui.painter_at(cell).galley(at, galley, color);
    }
}

/// Left edge of cell `at` of `count` in `row`; `at == count` is one gap beyond the right edge.
fn cell_left(row: Rect, at: u8, count: u8) -> f32 {
    row.min.x + (row.width() + GAP) * f32::from(at) / f32::from(count)
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;
    use framescope_core::frame::{PayloadLength, Rsv};
    use framescope_core::{MaskingKey, Opcode};

    use super::*;

    fn header() -> FrameHeader {
        FrameHeader {
            fin: true,
            rsv: Rsv::from_bits(0b100),
            opcode: Opcode::Binary,
            masking_key: Some(MaskingKey([0x37, 0xfa, 0x21, 0x3d])),
            payload_len: PayloadLength::minimal(8294),
        }
    }

    #[test]
    fn every_field_has_a_name_and_says_when_it_is_clicked() {
        let names = [
            ("FIN 1", Field::Fin),
            ("RSV1 1", Field::Rsv1),
            ("RSV2 0", Field::Rsv2),
            ("RSV3 0", Field::Rsv3),
            ("Opcode 0x2 binary", Field::Opcode),
            ("MASK 1", Field::Mask),
            ("Payload length 126", Field::Length),
            ("Extended payload length 8,294", Field::Length),
            ("Masking key 37 fa 21 3d", Field::MaskingKey),
            ("payload, 8,294 octets, masked", Field::Payload),
        ];
        let mut harness = egui_kittest::Harness::new_ui_state(
            |ui, clicked: &mut Option<Field>| {
                theme::install_once(ui.ctx());
                let out = BitGrid { header: &header(), lit: *clicked }.ui(ui);
                *clicked = out.clicked.or(*clicked);
            },
            None,
        );
        for (name, field) in names {
            harness.get_by_label(name).click();
            harness.run();
            assert_eq!(*harness.state(), Some(field), "{name}");
        }
    }

    #[test]
    fn the_cells_of_a_row_lie_side_by_side_up_to_its_edge() {
        let row = Rect::from_min_size(pos2(10.0, 0.0), vec2(317.0, 30.0));
        assert!((cell_left(row, 0, 16) - row.min.x).abs() < 0.01);
        assert!((cell_left(row, 16, 16) - GAP - row.max.x).abs() < 0.01);
    }
}
