//! Virtual scrolling over any number of rows: the place is a row number in `f64`, because pixels in
//! `f32`, as egui keeps them, step and jump beyond some hundred thousand rows.

use egui::{CursorIcon, Id, Rect, Sense, Ui, pos2, vec2};

use crate::theme;

/// Where a virtual list stands.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VirtualScroll {
    /// The row at the top edge; its fraction is the part of that row above the edge.
    pub top: f64,
}

/// Rows to draw, and where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visible {
    /// The first row, partly above the edge at times.
    pub first: usize,
    /// How many rows are at least partly seen.
    pub count: usize,
    /// Upper edge of the first row.
    pub y: f32,
    /// Room for the rows: what is left beside the scroll bar.
    pub rect: Rect,
}

/// The axis a list scrolls along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Horizontal,
    Vertical,
}

const BAR: f32 = 10.0;

impl VirtualScroll {
    /// Takes wheel and bar input for `rows` rows in `rect` and tells what to draw.
    pub fn vertical(&mut self, ui: &Ui, id: Id, rect: Rect, row: f32, rows: usize) -> Visible {
        self.scroll(ui, id, rect, row, rows, Axis::Vertical)
    }

    /// The same for columns from left to right; `y` of the answer is then the left edge.
    pub fn horizontal(
        &mut self,
        ui: &Ui,
        id: Id,
        rect: Rect,
        column: f32,
        columns: usize,
    ) -> Visible {
        self.scroll(ui, id, rect, column, columns, Axis::Horizontal)
    }

    /// Moves so that `row` is wholly seen in a room of `height`.
    #[expect(clippy::cast_precision_loss, reason = "2^52 rows are beyond any capture")]
    pub fn reveal(&mut self, row: usize, row_height: f32, height: f32) {
        let (row, shown) = (row as f64, f64::from(height / row_height));
        self.top = self.top.min(row).max(row + 1.0 - shown).max(0.0);
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row numbers are small against 2^52, and never negative once clamped"
    )]
    fn scroll(
        &mut self,
        ui: &Ui,
        id: Id,
        rect: Rect,
        row: f32,
        rows: usize,
        axis: Axis,
    ) -> Visible {
        let length = |rect: Rect| match axis {
            Axis::Horizontal => rect.width(),
            Axis::Vertical => rect.height(),
        };
        let overflows = rows as f64 * f64::from(row) > f64::from(length(rect)) + 0.5;
        let mut room = rect;
        if overflows {
            match axis {
                Axis::Horizontal => room.max.y -= BAR,
                Axis::Vertical => room.max.x -= BAR,
            }
        }
        let shown = f64::from(length(room) / row);
        let end = (rows as f64 - shown).max(0.0);
        self.top = self.top.clamp(0.0, end);

        if overflows && ui.rect_contains_pointer(rect) {
            ui.input_mut(|input| {
                let wheel = input.smooth_scroll_delta;
                let along = match axis {
                    Axis::Horizontal => wheel.x,
                    Axis::Vertical => wheel.y,
                };
                let wanted = (self.top - f64::from(along / row)).clamp(0.0, end);
                // At the end the wheel goes on to whatever scrolls around this list.
                if along != 0.0 && (wanted - self.top).abs() > f64::EPSILON {
                    self.top = wanted;
                    match axis {
                        Axis::Horizontal => input.smooth_scroll_delta.x = 0.0,
                        Axis::Vertical => input.smooth_scroll_delta.y = 0.0,
                    }
                }
            });
        }
        if overflows {
            self.bar(ui, id, rect, end, shown, axis);
        }

        let first = self.top.floor();
        let start = match axis {
            Axis::Horizontal => room.min.x,
            Axis::Vertical => room.min.y,
        };
        let y = start - ((self.top - first) as f32) * row;
        let first = first as usize;
        let count = (((start + length(room) - y) / row).ceil().max(0.0) as usize)
            .min(rows.saturating_sub(first));
        Visible { first, count, y, rect: room }
    }

    #[expect(clippy::cast_possible_truncation, reason = "fractions of a bar, in pixels")]
    fn bar(&mut self, ui: &Ui, id: Id, rect: Rect, end: f64, shown: f64, axis: Axis) {
        let palette = theme::palette(ui);
        let (track, along) = match axis {
            Axis::Vertical => {
                let track = Rect::from_min_max(pos2(rect.max.x - BAR, rect.min.y), rect.max);
                (track, track.height())
            }
            Axis::Horizontal => {
                let track = Rect::from_min_max(pos2(rect.min.x, rect.max.y - BAR), rect.max);
                (track, track.width())
            }
        };
        let handle = (along * (shown / (end + shown)) as f32).max(28.0).min(along);
        let free = (along - handle).max(1.0);
        let response = ui.interact(track, id.with("scroll bar"), Sense::click_and_drag());
        if (response.dragged() || response.clicked())
            && let Some(pointer) = response.interact_pointer_pos()
        {
            let at = match axis {
                Axis::Vertical => pointer.y - track.min.y,
                Axis::Horizontal => pointer.x - track.min.x,
            };
            let grabbed = id.with("grabbed at");
            let from = (self.top / end) as f32 * free;
            // Where on the handle it was taken hold of; beside it, its middle jumps to the pointer.
            // Asked for outside the closure: a response takes the lock that the closure holds.
            let taken = response.drag_started() || response.clicked();
            let hold = ui.data_mut(|data| {
                if taken {
                    let on = at - from;
                    let hold = if (0.0..=handle).contains(&on) { on } else { handle / 2.0 };
                    data.insert_temp(grabbed, hold);
                }
                data.get_temp::<f32>(grabbed).unwrap_or(handle / 2.0)
            });
            self.top = (f64::from((at - hold) / free) * end).clamp(0.0, end);
        }
        let offset = (self.top / end) as f32 * free;
        let shape = match axis {
            Axis::Vertical => Rect::from_min_size(
                pos2(track.max.x - 7.0, track.min.y + offset),
                vec2(5.0, handle),
            ),
            Axis::Horizontal => Rect::from_min_size(
                pos2(track.min.x + offset, track.max.y - 7.0),
                vec2(handle, 5.0),
            ),
        };
        let strength = if response.dragged() {
            0.8
        } else if response.hovered() {
            0.6
        } else {
            0.35
        };
        ui.painter().rect_filled(shape, 2.5, palette.weak.gamma_multiply(strength));
        response.on_hover_cursor(CursorIcon::Default);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reveal_moves_no_further_than_needed() {
        let mut scroll = VirtualScroll { top: 10.0 };
        scroll.reveal(12, 20.0, 100.0);
        assert_eq!(scroll, VirtualScroll { top: 10.0 });
        scroll.reveal(20, 20.0, 100.0);
        assert_eq!(scroll, VirtualScroll { top: 16.0 });
        scroll.reveal(3, 20.0, 100.0);
        assert_eq!(scroll, VirtualScroll { top: 3.0 });
    }

    #[test]
    fn one_pixel_of_wheel_is_one_pixel_even_near_the_end_of_ten_million_rows() {
        const ROWS: usize = 10_000_000;
        let mut harness = egui_kittest::Harness::new_ui_state(
            |ui, (scroll, seen): &mut (VirtualScroll, Option<Visible>)| {
                let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 200.0));
                *seen = Some(scroll.vertical(ui, ui.scope_id(), rect, 18.0, ROWS));
            },
            (VirtualScroll { top: 9_999_000.0 }, None),
        );
        harness.run();
        let before = harness.state().0.top;
        harness.hover_at(pos2(50.0, 50.0));
        harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: vec2(0.0, -1.0),
            modifiers: egui::Modifiers::NONE,
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Trackpad,
        });
        harness.run_steps(30);
        let moved = (harness.state().0.top - before) * 18.0;
        assert!((moved - 1.0).abs() < 1e-3, "{moved}");
        let seen = harness.state().1.expect("drawn");
        assert_eq!(seen.first, 9_999_000);
        assert_eq!(seen.count, 12);
    }

    #[test]
    fn a_click_on_the_bar_jumps_there() {
        let mut harness = egui_kittest::Harness::new_ui_state(
            |ui, scroll: &mut VirtualScroll| {
                let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 200.0));
                scroll.vertical(ui, ui.scope_id(), rect, 20.0, 1000);
            },
            VirtualScroll::default(),
        );
        harness.run();
        let at = pos2(295.0, 100.0);
        harness.hover_at(at);
        for pressed in [true, false] {
            let (button, modifiers) = (egui::PointerButton::Primary, egui::Modifiers::NONE);
            harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
        }
        harness.run();
        // The middle of the bar is the middle of what lies above the last sight.
        assert!((harness.state().top - 495.0).abs() < 1.0, "{:?}", harness.state());
    }

    #[test]
    fn a_list_that_fits_does_not_move() {
        let mut harness = egui_kittest::Harness::new_ui_state(
            |ui, (scroll, seen): &mut (VirtualScroll, Option<Visible>)| {
                let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 200.0));
                *seen = Some(scroll.vertical(ui, ui.scope_id(), rect, 20.0, 3));
            },
            (VirtualScroll { top: 5.0 }, None),
        );
        harness.run();
        let seen = harness.state().1.expect("drawn");
        assert_eq!((seen.first, seen.count), (0, 3));
        assert!((seen.rect.width() - 300.0).abs() < 0.01, "no room is kept for a bar");
    }
}
