//! Octets in rows: address, hex, text. Draws only what is seen, so that any length scrolls alike.

mod columns;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::ops::Range;

use egui::text::LayoutJob;
use egui::{
    Color32, Event, EventFilter, FontId, Key, Modifiers, Response, Role, Sense, TextFormat, Ui,
    WidgetInfo, pos2, vec2,
};

use self::columns::Columns;
use crate::theme;
use crate::widgets::format;
use crate::widgets::scroll::VirtualScroll;

/// Height of a row of octets.
pub const ROW: f32 = 18.0;
/// More than this is not put on the clipboard.
const COPY_LIMIT: usize = 32 << 20;

/// What the view remembers between passes.
#[derive(Debug, Clone, Default)]
pub struct HexView {
    scroll: VirtualScroll,
    selection: Option<Selection>,
    per_row: usize,
}

/// Octets between two that were pointed at, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Selection {
    anchor: usize,
    cursor: usize,
}

impl Selection {
    fn range(self) -> Range<usize> {
        self.anchor.min(self.cursor)..self.anchor.max(self.cursor) + 1
    }
}

/// What to draw this time.
pub struct HexContent<'a> {
    /// Accessible name: "Octets on the wire".
    pub name: &'a str,
    /// The octets.
    pub octets: &'a [u8],
    /// The colour of the octet at this place.
    pub color_of: &'a dyn Fn(usize) -> Color32,
    /// Octets on a ground of this colour, later ones above earlier ones.
    pub highlights: &'a [(Range<usize>, Color32)],
}

/// What came of it.
pub struct HexOutput {
    /// The whole area.
    pub response: Response,
    /// The octet under the pointer.
    pub hovered: Option<usize>,
    /// The octet that was clicked.
    pub clicked: Option<usize>,
}

impl HexView {
    /// Draws into all the width there is and `height`.
    pub fn ui(&mut self, ui: &mut Ui, height: f32, content: &HexContent<'_>) -> HexOutput {
        let size = vec2(ui.available_width(), height);
        let (rect, mut response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let id = response.id;
        response.widget_info(|| WidgetInfo::labeled(Role::Document, true, content.name));
        if let Some(octet) = self.selection.and_then(|chosen| content.octets.get(chosen.cursor)) {
            let at = self.selection.map_or(0, |chosen| chosen.cursor);
            let told = format!("octet {}: {octet:02x}", format::thousands(at as u64));
            ui.ctx().accesskit_node_builder(id, |node| node.set_value(told));
        }
        let (font, glyph, columns) = fitting(ui, rect.width() - 10.0, content.octets.len());
        let rows = content.octets.len().div_ceil(columns.per_row);
        if self.per_row != columns.per_row {
            // Another width: keep the octet at the top where it is.
            #[expect(clippy::cast_precision_loss, reason = "rows are few against 2^52")]
            if self.per_row > 0 {
                self.scroll.top *= self.per_row as f64 / columns.per_row as f64;
            }
            self.per_row = columns.per_row;
        }
        let visible = self.scroll.vertical(ui, id, rect, ROW, rows);
        let painter = ui.painter_at(visible.rect);

        let octet_at = |pointer: egui::Pos2| -> Option<usize> {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in sight")]
            let row = visible.first + ((pointer.y - visible.y) / ROW).max(0.0) as usize;
            let octet = columns.octet_at((pointer.x - rect.min.x) / glyph)?;
            let at = row * columns.per_row + octet;
            (at < content.octets.len()).then_some(at)
        };
        let pointed =
            response.hover_pos().filter(|at| visible.rect.contains(*at)).and_then(octet_at);
        self.select(&response, octet_at);

        for row in visible.first..visible.first + visible.count {
            #[expect(clippy::cast_precision_loss, reason = "rows in sight are few")]
            let y = visible.y + (row - visible.first) as f32 * ROW;
            let start = row * columns.per_row;
            let end = (start + columns.per_row).min(content.octets.len());
            let at = pos2(rect.min.x, y);
            let ground = |range: &Range<usize>, color: Color32| {
                let (from, to) = (range.start.max(start), range.end.min(end));
                if from < to {
                    for cell in columns.cells(from - start..to - start) {
                        let cell = cell.translate(at.to_vec2(), glyph);
                        painter.rect_filled(cell, 3.0, color);
                    }
                }
            };
            for (range, color) in content.highlights {
                ground(range, *color);
            }
            if let Some(selection) = self.selection {
                ground(&selection.range(), theme::palette(ui).selection);
            }
            if let Some(octet) = pointed {
                let color = theme::palette(ui).raised.lerp_to_gamma((content.color_of)(octet), 0.3);
                ground(&(octet..octet + 1), color);
            }
            let job = row_job(ui, columns, start, &content.octets[start..end], content, &font);
            let galley = painter.layout_job(job);
            let text_at = pos2(at.x, y + (ROW - galley.size().y) / 2.0);
            painter.galley(text_at, galley, Color32::PLACEHOLDER);
        }

        if response.clicked() || response.drag_started() {
            response.request_focus();
        }
        if response.has_focus() {
            self.keys(ui, &response, content.octets, columns.per_row, rect.height());
        }
        let clicked = if response.clicked() { pointed } else { None };
        response.context_menu(|ui| self.menu(ui, content.octets));
        if pointed.is_some() {
            response = response.on_hover_cursor(egui::CursorIcon::Text);
        }
        HexOutput { response, hovered: pointed, clicked }
    }

    /// Height of all rows where `len` octets are shown as wide as they were last time.
    #[expect(clippy::cast_precision_loss, reason = "only small ones are not cut")]
    pub fn height_of(&self, len: usize) -> f32 {
        len.div_ceil(self.per_row.max(4)).max(1) as f32 * ROW
    }

    /// Scrolls to this octet.
    pub fn reveal(&mut self, octet: usize, height: f32) {
        self.scroll.reveal(octet / self.per_row.max(4), ROW, height);
    }

    fn select(&mut self, response: &Response, octet_at: impl Fn(egui::Pos2) -> Option<usize>) {
        let pointer = response.interact_pointer_pos();
        if response.drag_started_by(egui::PointerButton::Primary) {
            // The drag began where the button went down, which is not where the pointer is now.
            let origin = response.ctx.input(|input| input.pointer.press_origin());
            self.selection =
                origin.and_then(&octet_at).map(|anchor| Selection { anchor, cursor: anchor });
        }
        if response.dragged_by(egui::PointerButton::Primary)
            && let (Some(selection), Some(cursor)) =
                (&mut self.selection, pointer.and_then(&octet_at))
        {
            selection.cursor = cursor;
        }
        if response.clicked() {
            let shift = response.ctx.input(|input| input.modifiers.shift);
            self.selection = match (shift, self.selection, pointer.and_then(&octet_at)) {
                (true, Some(old), Some(cursor)) => Some(Selection { cursor, ..old }),
                (false, old, Some(at)) if old != Some(Selection { anchor: at, cursor: at }) => {
                    Some(Selection { anchor: at, cursor: at })
                }
                _ => None,
            };
        }
    }

    fn keys(&mut self, ui: &Ui, response: &Response, octets: &[u8], per_row: usize, height: f32) {
        let filter =
            EventFilter { vertical_arrows: true, horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let (copy, all, shift) = ui.input_mut(|input| {
            let copy = input.events.iter().any(|event| matches!(event, Event::Copy));
            let all = input.consume_key(Modifiers::COMMAND, Key::A);
            (copy, all, input.modifiers.shift)
        });
        if copy {
            ui.copy_text(format::hex(self.selected(octets)));
        }
        let Some(last) = octets.len().checked_sub(1) else { return };
        if all {
            self.selection = Some(Selection { anchor: 0, cursor: last });
        }
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let cursor = self.selection.map_or(0, |selection| selection.cursor).min(last);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some dozens")]
        let page = ((height / ROW) as usize).max(1) * per_row;
        let moved = [
            (Key::ArrowLeft, cursor.saturating_sub(1)),
            (Key::ArrowRight, cursor + 1),
            (Key::ArrowUp, cursor.checked_sub(per_row).unwrap_or(cursor)),
            (Key::ArrowDown, if cursor + per_row <= last { cursor + per_row } else { cursor }),
            (Key::PageUp, cursor.saturating_sub(page)),
            (Key::PageDown, cursor + page),
            (Key::Home, 0),
            (Key::End, last),
        ]
        .into_iter()
        .find(|(key, _)| pressed(*key));
        if let Some((_, cursor)) = moved {
            let cursor = cursor.min(last);
            let anchor = match self.selection {
                Some(selection) if shift => selection.anchor,
                _ => cursor,
            };
            self.selection = Some(Selection { anchor, cursor });
            self.reveal(cursor, height);
        }
    }

    /// The selected octets, or all of them.
    fn selected<'a>(&self, octets: &'a [u8]) -> &'a [u8] {
        let chosen = self.selection.and_then(|selection| octets.get(selection.range()));
        let chosen = chosen.unwrap_or(octets);
        chosen.get(..COPY_LIMIT).unwrap_or(chosen)
    }

    /// What can be copied, as a menu.
    fn menu(&self, ui: &mut Ui, octets: &[u8]) {
        let chosen = self.selected(octets);
        let what = format::octets(chosen.len() as u64);
        ui.weak(if self.selection.is_some() { format!("{what} selected") } else { what });
        if ui.button("Copy as hex").clicked() {
            ui.copy_text(format::hex(chosen));
            ui.close();
        }
        if ui.button("Copy as text").clicked() {
            ui.copy_text(String::from_utf8_lossy(chosen).into_owned());
            ui.close();
        }
        if ui.button("Copy as hex dump").clicked() {
            ui.copy_text(dump(chosen));
            ui.close();
        }
    }
}

/// The largest font in which sixteen octets fit beside each other, or fewer octets in the usual one.
fn fitting(ui: &Ui, width: f32, len: usize) -> (FontId, f32, Columns) {
    let in_font = |size| {
        let font = FontId::monospace(size);
        let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0'));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some hundreds"
        )]
        let columns = Columns::fitting((width / glyph) as usize, len);
        (font, glyph, columns)
    };
    let sizes = [11.5, 11.0, 10.5, 10.0];
    let found = sizes.into_iter().map(in_font).find(|(_, _, columns)| columns.per_row == 16);
    found.unwrap_or_else(|| in_font(11.5))
}

fn row_job(
    ui: &Ui,
    columns: Columns,
    start: usize,
    octets: &[u8],
    content: &HexContent<'_>,
    font: &FontId,
) -> LayoutJob {
    let palette = theme::palette(ui);
    let plain = |color| TextFormat::simple(font.clone(), color);
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    let width = columns.address;
    job.append(&format!("{start:0width$x}  "), 0.0, plain(palette.faint));
    for (at, octet) in octets.iter().enumerate() {
        let gap = if columns.gap && at + 1 == columns.per_row / 2 { "  " } else { " " };
        job.append(&format!("{octet:02x}{gap}"), 0.0, plain((content.color_of)(start + at)));
    }
    let written = columns.hex_start()
        + 3 * octets.len()
        + usize::from(columns.gap && octets.len() >= columns.per_row / 2);
    job.append(&" ".repeat(columns.text_start() - written), 0.0, plain(palette.faint));
    for octet in octets {
        let sign = format::printable(*octet);
        let color = if sign == '·' { palette.faint } else { palette.weak };
        job.append(sign.encode_utf8(&mut [0; 4]), 0.0, plain(color));
    }
    job
}

/// Rows of address, hex and text, as other tools print them.
fn dump(octets: &[u8]) -> String {
    let mut out = String::new();
    for (row, chunk) in octets.chunks(16).enumerate() {
        let text: String = chunk.iter().copied().map(format::printable).collect();
        let _ = writeln!(out, "{:08x}  {:<47}  {text}", row * 16, format::hex(chunk));
    }
    out
}
