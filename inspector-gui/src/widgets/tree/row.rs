//! A line of a tree, whatever it tells: indented, with a caret where it has parts, and the keys that move
//! from line to line.

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, EventFilter, Id, Key, Painter, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};

use crate::fonts::{self, icon};
use crate::theme;
use crate::widgets::scroll::Visible;

/// How high a line is.
pub(crate) const ROW: f32 = 18.0;
const INDENT: f32 = 14.0;
/// Room for the caret.
const CARET: f32 = 16.0;
/// Deeper lines are not indented any further, so that they stay in sight.
const DEEPEST_INDENT: usize = 24;

/// A line.
pub(crate) struct TreeRow {
    /// Its own.
    pub(crate) id: Id,
    pub(crate) depth: usize,
    /// Whether its parts are in sight; `None` where it has none.
    pub(crate) open: Option<bool>,
    pub(crate) is_selected: bool,
    /// It stands on a ground of its own.
    pub(crate) is_marked: bool,
    pub(crate) job: LayoutJob,
}

/// What became of it.
pub(crate) struct DrawnRow {
    pub(crate) response: Response,
    /// It is to be folded or unfolded.
    pub(crate) is_toggled: bool,
    /// There was no room for all of it.
    pub(crate) is_clipped: bool,
}

impl TreeRow {
    /// Draws it as the line numbered `row` of a tree of which `visible` is in sight.
    pub(crate) fn ui(self, ui: &Ui, painter: &Painter, visible: &Visible, row: usize) -> DrawnRow {
        let Self { id, depth, open, is_selected, is_marked, mut job } = self;
        let palette = theme::palette(ui);
        #[expect(clippy::cast_precision_loss, reason = "rows in sight are few")]
        let y = visible.y + (row - visible.first) as f32 * ROW;
        let size = vec2(visible.rect.width(), ROW);
        let line = Rect::from_min_size(pos2(visible.rect.min.x, y), size);
        let response = ui.interact(line.intersect(visible.rect), id, Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::TreeItem, true, is_selected, &job.text));
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_level(depth + 1);
            if let Some(open) = open {
                node.set_expanded(open);
            }
        });
        if is_marked {
            painter.rect_filled(line, 3.0, palette.tint(palette.warning));
        }
        if is_selected {
            painter.rect_filled(line, 3.0, palette.selection);
        } else if response.hovered() {
            painter.rect_filled(line, 3.0, palette.raised);
        }
        #[expect(clippy::cast_precision_loss, reason = "indents are few")]
        let x = line.min.x + depth.min(DEEPEST_INDENT) as f32 * INDENT;
        if let Some(open) = open {
            let caret = if open { icon::CARET_DOWN } else { icon::CARET_RIGHT };
            let at = pos2(x + 6.0, line.center().y);
            painter.text(at, Align2::CENTER_CENTER, caret, fonts::icons(10.0), palette.weak);
        }
        job.wrap = TextWrapping::truncate_at_width((visible.rect.max.x - x - CARET).max(0.0));
        let galley = painter.layout_job(job);
        let is_clipped = galley.elided;
        let text_at = pos2(x + CARET, y + (ROW - galley.size().y) / 2.0);
        painter.galley(text_at, galley, palette.text);
        let on_caret = response.interact_pointer_pos().is_some_and(|at| at.x < x + CARET);
        let is_meant = response.clicked() && on_caret || response.double_clicked();
        DrawnRow { response, is_toggled: open.is_some() && is_meant, is_clipped }
    }
}

/// Which of `rows` lines the keys move to from the selected one, for a tree that has the focus and is so
/// high.
pub(crate) fn moved_to(
    ui: &Ui,
    id: Id,
    selected: Option<usize>,
    rows: usize,
    height: f32,
) -> Option<usize> {
    let filter =
        EventFilter { vertical_arrows: true, horizontal_arrows: true, ..Default::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let last = rows.checked_sub(1)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some dozens")]
    let page = (height / ROW) as usize;
    let row = selected.unwrap_or(0);
    let moved = [
        (Key::ArrowUp, row.saturating_sub(1)),
        (Key::ArrowDown, selected.map_or(0, |row| row + 1)),
        (Key::PageUp, row.saturating_sub(page)),
        (Key::PageDown, row + page),
        (Key::Home, 0),
        (Key::End, last),
    ];
    let (_, row) = moved.into_iter().find(|(key, _)| ui.input(|input| input.key_pressed(*key)))?;
    Some(row.min(last))
}
