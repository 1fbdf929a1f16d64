//! A list of any length that draws only what is visible.
//!
//! The scroll position is a row number in `f64`, so that one pixel of scrolling is one pixel at row
//! ten million too; pixels in `f32` lose that beyond some 700,000 rows.

use std::ops::Range;

use egui::{
    CornerRadius, EventFilter, Id, Key, Modifiers, Painter, Popup, Rect, Response, Role, Sense, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::theme;

const SCROLLBAR_WIDTH: f32 = 8.0;
const MIN_HANDLE: f32 = 28.0;

/// Where a list stands. One per list, kept between frames.
#[derive(Debug, Clone)]
pub struct VirtualList {
    /// Row number of the top edge; the fraction is the part of the first row above it.
    pub top: f64,
    /// Stays at the end while rows are added. Ends when the user scrolls up, resumes at the bottom.
    pub follow: bool,
    grabbed: Option<f32>,
}

/// One list, as it is asked for in one frame.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// What it lists, for those who do not see it; unique in the window.
    pub name: &'a str,
    /// Where it is drawn.
    pub body: Rect,
    /// Height of each row in points.
    pub row_height: f32,
    /// How many rows there are.
    pub len: usize,
    /// Position of the selected row.
    pub selected: Option<usize>,
    /// It takes the keys while nothing else has the focus: one list of a window does.
    pub is_main: bool,
}

/// How a row is to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct RowLook {
    /// The whole row.
    pub rect: Rect,
    /// Its position in the list, from 0.
    pub position: usize,
    /// It is the selected one.
    pub selected: bool,
}

/// What happened to a list in this frame.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Positions of the rows that are visible.
    pub visible: Range<usize>,
    /// The position that was selected by click or key.
    pub chosen: Option<usize>,
    /// It was clicked with the other button: what can be done with it is asked for.
    pub wants_menu: bool,
    /// The row under the pointer, and its position.
    pub hovered: Option<(usize, Response)>,
}

/// The id of the list with this name; a window has one of each.
pub fn list_id(name: &str) -> Id {
    Id::unique(("virtual list", name))
}

impl Default for VirtualList {
    fn default() -> Self {
        Self { top: 0.0, follow: true, grabbed: None }
    }
}

impl VirtualList {
    /// A list that stands at its top and stays there.
    pub fn at_top() -> Self {
        Self { follow: false, ..Self::default() }
    }

    /// Scrolls as little as needed for the row to be whole in view.
    pub fn reveal(&mut self, position: usize, rows_in_view: f64) {
        let row = as_f64(position);
        if row < self.top {
            self.top = row;
        } else if row + 1.0 > self.top + rows_in_view {
            self.top = row + 1.0 - rows_in_view;
        }
    }

    /// Draws the rows that fall into `body`, and takes wheel, drag, clicks and keys.
    ///
    /// `fetch` copies the rows of a range out of the store, once; `label` names a row for those who
    /// do not see it; `paint` draws one.
    pub fn show<T>(
        &mut self,
        ui: &mut Ui,
        asked: List<'_>,
        fetch: impl FnOnce(Range<usize>) -> Vec<T>,
        label: impl Fn(usize, &T) -> String,
        mut paint: impl FnMut(&Painter, RowLook, &T),
    ) -> Shown {
        let List { name, body, row_height, len, selected, .. } = asked;
        let id = list_id(name);
        let in_view = f64::from(body.height() / row_height);
        let max_top = (as_f64(len) - in_view).max(0.0);
        let list = ui.interact(body, id, Sense::click());
        list.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, name));
        let mut shown = Shown::default();

        self.take_wheel(ui, body, row_height, max_top);
        self.take_scrollbar(ui, id, body, in_view, len, max_top);
        shown.chosen = self.take_keys(ui, asked, in_view);
        if self.follow {
            self.top = max_top;
        }
        self.top = self.top.clamp(0.0, max_top);

        let first = floor(self.top);
        let painter = ui.painter_at(body);
        let palette = theme::palette(ui);
        #[expect(clippy::cast_possible_truncation, reason = "a fraction of one row")]
        let mut y = body.min.y - (self.top - as_f64(first)) as f32 * row_height;
        let row_width = body.width() - if max_top > 0.0 { SCROLLBAR_WIDTH } else { 0.0 };
        let end = len.min(floor(self.top + in_view) + 1);
        shown.visible = first..end;
        for (position, item) in (first..end).zip(fetch(first..end)) {
            let rect = Rect::from_min_size(pos2(body.min.x, y), vec2(body.width(), row_height));
            let target = Rect::from_min_size(rect.min, vec2(row_width, row_height));
            let row = ui.interact(target.intersect(body), id.with(position), Sense::CLICK);
            let is_selected = selected == Some(position);
            row.widget_info(|| {
                WidgetInfo::selected(Role::ListBoxOption, true, is_selected, label(position, &item))
            });
            ui.ctx().accesskit_node_builder(row.id, |node| {
                node.set_selected(is_selected);
                node.set_position_in_set(position);
                node.set_size_of_set(len);
            });
            if row.clicked() || row.secondary_clicked() {
                shown.wants_menu = row.secondary_clicked();
                shown.chosen = Some(position);
                ui.memory_mut(|memory| memory.request_focus(id));
            }
            if is_selected {
                painter.rect_filled(rect, CornerRadius::ZERO, palette.selection);
            } else if row.hovered() {
                painter.rect_filled(rect, CornerRadius::ZERO, palette.raised.gamma_multiply(0.55));
            }
            paint(&painter, RowLook { rect, position, selected: is_selected }, &item);
            if row.hovered() {
                shown.hovered = Some((position, row));
            }
            y += row_height;
        }
        if let Some(chosen) = shown.chosen {
            self.follow = self.follow && chosen + 1 == len;
        }
        self.paint_scrollbar(ui, id, body, in_view, len, max_top);
        shown
    }

    fn take_wheel(&mut self, ui: &Ui, body: Rect, row_height: f32, max_top: f64) {
        if !ui.rect_contains_pointer(body) {
            return;
        }
        let wheel = ui.input(|input| input.smooth_scroll_delta().y);
        if wheel != 0.0 {
            self.top -= f64::from(wheel / row_height);
            self.follow = wheel < 0.0 && self.top >= max_top - 0.01;
        }
    }

    fn take_keys(&mut self, ui: &mut Ui, asked: List<'_>, in_view: f64) -> Option<usize> {
        let List { name, len, selected, is_main, .. } = asked;
        let id = list_id(name);
        ui.memory_mut(|memory| {
            let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
            memory.set_focus_lock_filter(id, filter);
        });
        let listens = ui.memory(|memory| memory.focused().map_or(is_main, |focused| focused == id));
        if !listens || len == 0 || Popup::is_any_open(ui.ctx()) {
            return None;
        }
        let last = len - 1;
        let page = floor(in_view - 1.0).max(1);
        let here = selected.unwrap_or(if self.follow { last } else { floor(self.top) });
        let from =
            |step: &dyn Fn(usize) -> usize| if selected.is_some() { step(here) } else { here };
        let to = ui
            .input_mut(|input| {
                let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
                if pressed(Key::ArrowDown) {
                    Some(from(&|row| row + 1))
                } else if pressed(Key::ArrowUp) {
                    Some(from(&|row| row.saturating_sub(1)))
                } else if pressed(Key::PageDown) {
                    Some(here + page)
                } else if pressed(Key::PageUp) {
                    Some(here.saturating_sub(page))
                } else if pressed(Key::Home) {
                    Some(0)
                } else if pressed(Key::End) {
                    Some(last)
                } else {
                    None
                }
            })?
            .min(last);
        self.follow = to == last;
        self.reveal(to, in_view);
        Some(to)
    }

    fn handle(&self, body: Rect, in_view: f64, len: usize, max_top: f64) -> Rect {
        #[expect(clippy::cast_possible_truncation, reason = "fractions of one")]
        let (share, at) = ((in_view / as_f64(len)) as f32, (self.top / max_top) as f32);
        let height = (body.height() * share).max(MIN_HANDLE);
        let y = body.min.y + (body.height() - height) * at.clamp(0.0, 1.0);
        Rect::from_min_size(pos2(body.max.x - SCROLLBAR_WIDTH, y), vec2(SCROLLBAR_WIDTH, height))
    }

    fn take_scrollbar(
        &mut self,
        ui: &Ui,
        id: Id,
        body: Rect,
        in_view: f64,
        len: usize,
        max_top: f64,
    ) {
        if max_top <= 0.0 {
            self.grabbed = None;
            return;
        }
        let track = Rect::from_min_max(pos2(body.max.x - SCROLLBAR_WIDTH, body.min.y), body.max);
        let bar = ui.interact(track, id.with("scrollbar"), Sense::DRAG);
        let Some(pointer) = bar.interact_pointer_pos().filter(|_| bar.is_pointer_button_down_on())
        else {
            self.grabbed = None;
            return;
        };
        let handle = self.handle(body, in_view, len, max_top);
        // Where on the handle it was grabbed; a press beside it brings its middle there.
        let grabbed = *self.grabbed.get_or_insert_with(|| {
            if handle.y_range().contains(pointer.y) {
                pointer.y - handle.min.y
            } else {
                handle.height() / 2.0
            }
        });
        let room = (body.height() - handle.height()).max(1.0);
        let at = f64::from((pointer.y - grabbed - body.min.y) / room).clamp(0.0, 1.0);
        self.top = at * max_top;
        self.follow = at >= 1.0;
    }

    fn paint_scrollbar(&self, ui: &Ui, id: Id, body: Rect, in_view: f64, len: usize, max_top: f64) {
        if max_top <= 0.0 {
            return;
        }
        let palette = theme::palette(ui);
        let hot = self.grabbed.is_some()
            || ui.ctx().read_response(id.with("scrollbar")).is_some_and(|bar| bar.hovered());
        let handle = self.handle(body, in_view, len, max_top).shrink2(vec2(1.5, 1.0));
        let color = if hot { palette.weak } else { palette.faint.gamma_multiply(0.6) };
        ui.painter_at(body).rect_filled(handle, CornerRadius::same(3), color);
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 rows")]
fn as_f64(rows: usize) -> f64 {
    rows as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what a list holds"
)]
fn floor(rows: f64) -> usize {
    rows.max(0.0).floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reveal_moves_as_little_as_needed() {
        let mut list = VirtualList { top: 100.0, ..VirtualList::at_top() };
        list.reveal(105, 20.0);
        assert!((list.top - 100.0).abs() < f64::EPSILON, "already in view");
        list.reveal(99, 20.0);
        assert!((list.top - 99.0).abs() < f64::EPSILON, "up to the row");
        list.reveal(300, 20.5);
        assert!((list.top - 280.5).abs() < f64::EPSILON, "down until its end shows");
    }
}
