//! Unmasking column by column, RFC 6455 §5.3: octet on the wire ⊕ octet of the key = octet of data.

use egui::{Align2, Color32, FontId, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use framescope_core::MaskingKey;

use crate::theme;
use crate::widgets::format;
use crate::widgets::scroll::VirtualScroll;

const COLUMN: f32 = 36.0;
const ROW: f32 = 21.0;
const LABELS: f32 = 78.0;
/// Positions from here on are wider than a column.
const LONG: usize = 10_000;

/// Height of the walk: the positions, three rows, the scroll bar.
pub const HEIGHT: f32 = 14.0 + 3.0 * ROW + 10.0;

/// What the walk remembers between passes.
#[derive(Debug, Clone, Default)]
pub struct MaskWalk {
    scroll: VirtualScroll,
}

impl MaskWalk {
    /// Draws the masked octets `wire` with their `key`; `lit` is a payload position pointed at
    /// elsewhere. The answer is the position pointed at here.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        wire: &[u8],
        key: MaskingKey,
        lit: Option<usize>,
    ) -> Option<usize> {
        let palette = theme::palette(ui);
        let size = vec2(ui.available_width(), HEIGHT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Table, true, "Unmasking"));
        let body = Rect::from_min_max(pos2(rect.min.x + LABELS, rect.min.y), rect.max);
        let visible = self.scroll.horizontal(ui, response.id, body, COLUMN, wire.len());
        let top = rect.min.y + 14.0;
        let middle = |row: f32| top + ROW * row + ROW / 2.0;
        let small = FontId::proportional(11.5);
        for (row, label) in (0u8..).zip(["wire", "key [i mod 4]", "data"]) {
            let at = pos2(rect.min.x, middle(f32::from(row)));
            ui.painter().text(at, Align2::LEFT_CENTER, label, small.clone(), palette.weak);
        }

        let at_pointer = response.hover_pos().filter(|at| visible.rect.contains(*at));
        let painter = ui.painter_at(visible.rect);
        let in_sight = visible.first..visible.first + visible.count;
        #[expect(clippy::cast_precision_loss, reason = "columns in sight are few")]
        let left_of = |at: usize| visible.y + (at - visible.first) as f32 * COLUMN;
        let hovered = at_pointer.and_then(|pointer| {
            in_sight.clone().find(|at| (0.0..COLUMN).contains(&(pointer.x - left_of(*at))))
        });
        let is_stressed = |at: usize| hovered == Some(at) || lit == Some(at);
        for at in in_sight {
            let x = left_of(at);
            let Some(masked) = wire.get(at).copied() else { break };
            let key_octet = key.octet_at(at as u64);
            let stressed = is_stressed(at);
            let cell = |row: f32, text: String, color: Color32| {
                let cell = Rect::from_min_size(
                    pos2(x, top + ROW * row + 1.0),
                    vec2(COLUMN - 3.0, ROW - 2.0),
                );
                let fill = if stressed { palette.tint_strong(color) } else { palette.tint(color) };
                painter.rect_filled(cell, 3.0, fill);
                painter.text(
                    cell.center(),
                    Align2::CENTER_CENTER,
                    text,
                    FontId::monospace(11.5),
                    color,
                );
            };
            let is_told = is_told(at, is_stressed);
            let position = if stressed { palette.text } else { palette.faint };
            let middle_of_column = pos2(x + (COLUMN - 3.0) / 2.0, rect.min.y + 6.0);
            if is_told {
                painter.text(
                    middle_of_column,
                    Align2::CENTER_CENTER,
                    format::thousands(at as u64),
                    FontId::monospace(8.5),
                    position,
                );
            }
            cell(0.0, format!("{masked:02x}"), palette.payload);
            cell(1.0, format!("{key_octet:02x}"), palette.masking_key);
            cell(2.0, shown(masked ^ key_octet), palette.length);
        }
        hovered
    }

    /// Brings the column of this payload position into sight of a walk as wide as `width`.
    pub fn reveal(&mut self, octet: usize, width: f32) {
        self.scroll.reveal(octet, COLUMN, width - LABELS);
    }

    /// Back to the first octet.
    pub fn rewind(&mut self) {
        self.scroll.top = 0.0;
    }
}

/// Whether the position of this column is told: a long number takes the room of two columns, and the one
/// that is stressed has it first.
fn is_told(at: usize, is_stressed: impl Fn(usize) -> bool) -> bool {
    if at < LONG || is_stressed(at) {
        return true;
    }
    at.is_multiple_of(2) && !is_stressed(at - 1) && !is_stressed(at + 1)
}

/// An octet of data: the character it stands for, or hex.
fn shown(octet: u8) -> String {
    if octet.is_ascii_graphic() { char::from(octet).to_string() } else { format!("{octet:02x}") }
}

/// One column in words and bits: `i = 5: d8 ⊕ fa = 22 '"'`.
pub fn column_in_words(wire: &[u8], key: MaskingKey, at: usize) -> Option<String> {
    let masked = *wire.get(at)?;
    let key_octet = key.octet_at(at as u64);
    let data = masked ^ key_octet;
    let sign =
        if data.is_ascii_graphic() { format!(" '{}'", char::from(data)) } else { String::new() };
    Some(format!("i = {at}: {masked:08b} ⊕ {key_octet:08b} = {data:08b}{sign}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_told_in_bits() {
        // The RFC's masked "Hello" (§5.7).
        let wire = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let key = MaskingKey([0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(
            column_in_words(&wire, key, 4).as_deref(),
            Some("i = 4: 01011000 ⊕ 00110111 = 01101111 'o'")
        );
        assert_eq!(column_in_words(&wire, key, 5), None);
    }

    #[test]
    fn long_positions_stand_two_columns_apart() {
        let told = |from: usize, stressed: Option<usize>| {
            let columns = from..from + 6;
            columns.filter(|at| is_told(*at, |at| stressed == Some(at))).collect::<Vec<_>>()
        };
        assert_eq!(told(0, None), [0, 1, 2, 3, 4, 5]);
        assert_eq!(told(10_000, None), [10_000, 10_002, 10_004]);
        assert_eq!(told(10_000, Some(10_003)), [10_000, 10_003]);
    }

    #[test]
    fn data_is_shown_as_a_character_where_it_has_one() {
        assert_eq!((shown(b'['), shown(b' '), shown(0xff)), ("[".into(), "20".into(), "ff".into()));
    }
}
