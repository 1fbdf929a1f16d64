//! Cells of a table: where they are, and what stands in them.

use egui::{Align2, Color32, CornerRadius, FontId, Painter, Rect, Ui, pos2, vec2};

use super::{format, parts};
use crate::list::columns::CELL_MARGIN;
use crate::list::{Column, RowLook};
use crate::theme::{self, Palette};

/// What it takes to draw the rows of a table: fonts, colours, edges of columns.
pub(super) struct Cells<'a> {
    pub(super) palette: &'static Palette,
    pub(super) mono: FontId,
    pub(super) small: FontId,
    pub(super) zone: &'a jiff::tz::TimeZone,
    columns: &'a [Column],
    edges: &'a [Option<(f32, f32)>],
}

impl<'a> Cells<'a> {
    /// Of these columns, at these edges; a column without any is not shown.
    pub(super) fn new(
        ui: &Ui,
        columns: &'a [Column],
        edges: &'a [Option<(f32, f32)>],
        zone: &'a jiff::tz::TimeZone,
    ) -> Self {
        Self {
            palette: theme::palette(ui),
            mono: parts::mono_font(ui),
            small: parts::small_font(ui),
            zone,
            columns,
            edges,
        }
    }

    /// Where a cell is; `None` where its column is not shown.
    pub(super) fn cell(&self, look: RowLook, column: usize) -> Option<Rect> {
        let (left, right) = self.edges[column]?;
        let x = look.rect.min.x;
        let cell = Rect::from_x_y_ranges(x + left..=x + right, look.rect.y_range());
        Some(cell.shrink2(vec2(CELL_MARGIN, 0.0)))
    }

    /// The mark of a row that holds what is looked for, among others that do not.
    pub(super) fn mark(&self, painter: &Painter, look: RowLook) {
        let mark = Rect::from_min_size(look.rect.min, vec2(3.0, look.rect.height()));
        painter.rect_filled(mark, CornerRadius::ZERO, self.palette.accent);
    }

    /// Text in a cell, at the side that its column has.
    pub(super) fn text(
        &self,
        painter: &Painter,
        look: RowLook,
        column: usize,
        text: &str,
        color: Color32,
    ) {
        let Some(cell) = self.cell(look, column) else { return };
        let (at, anchor) = if self.columns[column].right {
            (cell.right_center(), Align2::RIGHT_CENTER)
        } else {
            (cell.left_center(), Align2::LEFT_CENTER)
        };
        parts::line(painter, at, anchor, cell.width(), text, self.mono.clone(), color);
    }

    /// A number of octets: in full where there is room, else in a larger unit, never in part.
    pub(super) fn octets(
        &self,
        painter: &Painter,
        look: RowLook,
        column: usize,
        octets: u64,
        color: Color32,
    ) {
        let Some(cell) = self.cell(look, column) else { return };
        let lay_out = |text| painter.layout_no_wrap(text, self.mono.clone(), color);
        let fits = |text: &str| lay_out(text.to_owned()).size().x <= cell.width();
        let galley = lay_out(in_room(octets, fits));
        let rect = Align2::RIGHT_CENTER.anchor_size(cell.right_center(), galley.size());
        painter.galley(rect.min, galley, color);
    }

    /// A word on a ground of its own.
    pub(super) fn chip(
        &self,
        painter: &Painter,
        look: RowLook,
        column: usize,
        word: String,
        (fill, color): (Color32, Color32),
    ) {
        let Some(cell) = self.cell(look, column) else { return };
        let galley = painter.layout_no_wrap(word, self.mono.clone(), Color32::PLACEHOLDER);
        let size = vec2((galley.size().x + 10.0).min(cell.width()), 16.0);
        let chip = Rect::from_min_size(pos2(cell.min.x, cell.center().y - 8.0), size);
        painter.rect_filled(chip, CornerRadius::same(4), fill);
        let clipped = painter.with_clip_rect(chip.intersect(painter.clip_rect()));
        let at = chip.left_center() + vec2(5.0, -galley.size().y / 2.0);
        clipped.galley(at, galley, color);
    }
}

/// `5,000,004`, or `5.0 MB` where that is too long.
fn in_room(octets: u64, fits: impl Fn(&str) -> bool) -> String {
    let whole = format::thousands(octets);
    if fits(&whole) { whole } else { format::size(octets) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_too_long_is_told_in_a_larger_unit() {
        let room = |most: usize| move |text: &str| text.len() <= most;
        assert_eq!(in_room(5_000_004, room(9)), "5,000,004");
        assert_eq!(in_room(5_000_004, room(8)), "5.0 MB");
    }
}
