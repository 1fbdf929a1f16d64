//! Columns of a table: widths, splitters, and which are left out where there is little room.

use egui::{Align2, CursorIcon, FontId, Id, Rect, Sense, Stroke, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};

use crate::theme;

/// One column, as a table is made of them.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// What the heading means.
    pub hint: &'static str,
    /// Its width before the user changed it.
    pub width: f32,
    /// Numbers stand at the right.
    pub right: bool,
    /// Left out first where there is little room; 0 stays always.
    pub spare: u8,
}

impl Column {
    /// A column that stays, its content at the left.
    pub const fn new(title: &'static str, hint: &'static str, width: f32) -> Self {
        Self { title, hint, width, right: false, spare: 0 }
    }

    /// With its content at the right.
    #[must_use]
    pub const fn right(self) -> Self {
        Self { right: true, ..self }
    }

    /// That may be left out; higher numbers go first.
    #[must_use]
    pub const fn spare(self, spare: u8) -> Self {
        Self { spare, ..self }
    }
}

/// The widths of a table's columns; one column takes what the others leave.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Columns {
    widths: Vec<f32>,
    #[serde(skip)]
    dragged: Option<(usize, f32)>,
}

/// Room between a cell's edge and its content.
pub const CELL_MARGIN: f32 = 6.0;
const MIN_WIDTH: f32 = 24.0;
const MIN_FLEX: f32 = 110.0;

impl Columns {
    /// Makes sure that a column is at least so wide.
    pub fn widen(&mut self, column: usize, least: f32) {
        if let Some(width) = self.widths.get_mut(column) {
            *width = width.max(least);
        }
    }

    /// Left and right edges of each column within `width`, from 0; `None` where it is left out.
    /// `hidden` says which columns make no sense right now.
    pub fn lay_out(
        &mut self,
        columns: &[Column],
        flex: usize,
        width: f32,
        hidden: impl Fn(usize) -> bool,
    ) -> Vec<Option<(f32, f32)>> {
        if self.widths.len() != columns.len() {
            self.widths = columns.iter().map(|column| column.width).collect();
        }
        let mut shown: Vec<bool> = (0..columns.len()).map(|at| !hidden(at)).collect();
        let fixed = |shown: &[bool]| -> f32 {
            let widths = self.widths.iter().zip(shown).enumerate();
            widths.filter(|(at, (_, shown))| *at != flex && **shown).map(|(_, (w, _))| w).sum()
        };
        let least = |shown: &[bool]| fixed(shown) + if shown[flex] { MIN_FLEX } else { 0.0 };
        while least(&shown) > width {
            let spare = (0..columns.len()).filter(|at| shown[*at] && columns[*at].spare > 0);
            let Some(at) = spare.max_by_key(|at| columns[*at].spare) else { break };
            shown[at] = false;
        }
        // Where the flexible column is left out, the one before it takes what is left.
        let stretched = (0..=flex).rev().find(|at| shown[*at]).unwrap_or(flex);
        let rest = (width - fixed(&shown)).max(0.0);
        let mut x = 0.0;
        (0..columns.len())
            .map(|at| {
                let width = match at {
                    _ if at != stretched => self.widths[at],
                    _ if at == flex => rest.max(MIN_WIDTH),
                    _ => self.widths[at] + rest,
                };
                shown[at].then(|| {
                    x += width;
                    (x - width, x)
                })
            })
            .collect()
    }

    /// Draws the headings into `rect` and lets the user drag the lines between them.
    pub fn header_ui(
        &mut self,
        ui: &Ui,
        id: Id,
        rect: Rect,
        columns: &[Column],
        flex: usize,
        edges: &[Option<(f32, f32)>],
    ) {
        let palette = theme::palette(ui);
        let painter = ui.painter_at(rect);
        painter.hline(rect.x_range(), rect.max.y - 0.5, Stroke::new(1.0, palette.hairline));
        let font = FontId::proportional(12.0);
        for (at, column) in columns.iter().enumerate() {
            let Some((left, right)) = edges[at] else { continue };
            let cell =
                Rect::from_x_y_ranges(rect.min.x + left..=rect.min.x + right, rect.y_range());
            let (anchor, x) = if column.right {
                (Align2::RIGHT_CENTER, cell.max.x - CELL_MARGIN)
            } else {
                (Align2::LEFT_CENTER, cell.min.x + CELL_MARGIN)
            };
            let clipped = painter.with_clip_rect(cell.intersect(rect));
            clipped.text(
                pos2(x, cell.center().y),
                anchor,
                column.title,
                font.clone(),
                palette.weak,
            );
            let heading =
                ui.interact(cell.shrink2(vec2(4.0, 0.0)), id.with(("heading", at)), Sense::HOVER);
            heading.on_hover_text(column.hint);
            self.splitter_ui(ui, id.with(("splitter", at)), rect, at, flex, edges);
        }
    }

    /// The line after column `at`: it changes the neighbour that is not the flexible one.
    fn splitter_ui(
        &mut self,
        ui: &Ui,
        id: Id,
        rect: Rect,
        at: usize,
        flex: usize,
        edges: &[Option<(f32, f32)>],
    ) {
        let Some((_, right)) = edges[at] else { return };
        let Some(next) = (at + 1..edges.len()).find(|next| edges[*next].is_some()) else { return };
        let (target, sign) = if at < flex { (at, 1.0) } else { (next, -1.0) };
        let x = rect.min.x + right;
        let grip = Rect::from_center_size(pos2(x, rect.center().y), vec2(8.0, rect.height()));
        let response = ui.interact(grip, id, Sense::DRAG);
        if response.hovered() || response.dragged() {
            ui.set_cursor_icon(CursorIcon::ResizeColumn);
            let stroke = Stroke::new(1.0, theme::palette(ui).faint);
            ui.painter().vline(x, rect.shrink2(vec2(0.0, 5.0)).y_range(), stroke);
        }
        // The absolute position counts: accumulated deltas lose the move of the releasing frame.
        if let Some(pointer) = response.interact_pointer_pos() {
            let (column, start) =
                *self.dragged.get_or_insert((target, self.widths[target] - sign * pointer.x));
            if column == target {
                self.widths[target] = (start + sign * pointer.x).clamp(MIN_WIDTH, 600.0);
            }
        }
        if response.drag_stopped() {
            self.dragged = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Column] = &[
        Column::new("#", "", 50.0),
        Column::new("Data", "", 0.0),
        Column::new("Time", "", 90.0).right().spare(1),
        Column::new("Δ", "", 80.0).right().spare(2),
    ];

    #[test]
    fn the_flexible_column_takes_what_is_left() {
        let edges = Columns::default().lay_out(TABLE, 1, 500.0, |_| false);
        assert_eq!(edges[1], Some((50.0, 330.0)));
        assert_eq!(edges[3], Some((420.0, 500.0)));
    }

    #[test]
    fn spare_columns_go_first_where_there_is_little_room() {
        let edges = Columns::default().lay_out(TABLE, 1, 260.0, |_| false);
        assert!(edges[3].is_none() && edges[2].is_some());
        assert_eq!(edges[1], Some((50.0, 170.0)));
        let edges = Columns::default().lay_out(TABLE, 1, 200.0, |_| false);
        assert!(edges[3].is_none() && edges[2].is_none());
    }
}
