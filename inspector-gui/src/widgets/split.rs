//! A line between two parts, one above the other, that can be dragged; where it stands is kept from one
//! start to the next, as a share of the whole.

use egui::{CursorIcon, Id, Rect, Role, Sense, Ui, WidgetInfo, pos2};

use crate::theme;

/// Height of the line with the room around it.
pub const HANDLE: f32 = 9.0;

/// Where the line of this name stands.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    id: Id,
    /// Both parts and the line.
    whole: Rect,
    /// The part above, as a share of the whole.
    share: f32,
}

impl Split {
    /// In the middle, until it is dragged.
    pub fn of(ui: &Ui, name: &str, whole: Rect) -> Self {
        let id = Id::unique(("split", name));
        let share = ui.data_mut(|data| data.get_persisted(id)).unwrap_or(0.5);
        Self { id, whole, share }
    }

    /// The most height for the part above. It has at least `above`, what lies below at least `below`,
    /// as far as there is room.
    pub fn height_above(&self, above: f32, below: f32) -> f32 {
        let room = (self.whole.height() - HANDLE).max(0.0);
        let least = above.min(room / 2.0);
        (room * self.share).clamp(least, (room - below).max(least)).floor()
    }

    /// Draws the line where the cursor is; `name` is what it is called for those who cannot see it.
    pub fn line_ui(self, ui: &mut Ui, name: &str) {
        let palette = theme::palette(ui);
        let top = ui.cursor().top();
        let rect = Rect::from_x_y_ranges(self.whole.x_range(), top..=top + HANDLE);
        ui.advance_cursor_after_rect(rect);
        let response = ui.interact(rect, self.id, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, name));
        let share = match response.interact_pointer_pos() {
            _ if response.double_clicked() => Some(0.5),
            Some(pointer) if response.dragged() || response.drag_stopped() => {
                let above = pointer.y - HANDLE / 2.0 - self.whole.top();
                Some((above / (self.whole.height() - HANDLE).max(1.0)).clamp(0.0, 1.0))
            }
            _ => None,
        };
        if let Some(share) = share.filter(|share| (share - self.share).abs() > 1e-4) {
            ui.data_mut(|data| data.insert_persisted(self.id, share));
            ui.ctx().request_repaint();
        }
        let y = rect.center().y;
        let is_held = response.dragged() || response.hovered();
        let stroke = if is_held { (1.0, palette.accent).into() } else { palette.hairline_stroke() };
        ui.painter().hline(rect.x_range(), y, stroke);
        if !is_held {
            // A grip says that the line moves.
            let middle = rect.center().x;
            let grip =
                Rect::from_min_max(pos2(middle - 12.0, y - 1.0), pos2(middle + 12.0, y + 1.0));
            ui.painter().rect_filled(grip, 1.0, palette.faint);
        }
        response.on_hover_cursor(CursorIcon::ResizeVertical);
    }
}

#[cfg(test)]
mod tests {
    use egui::{Event, Modifiers, PointerButton, vec2};
    use egui_kittest::kittest::Queryable as _;

    use super::*;

    fn with_share(share: f32, height: f32) -> Split {
        let whole = Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, height + HANDLE));
        Split { id: Id::NULL, whole, share }
    }

    #[test]
    fn both_parts_keep_their_least_as_far_as_there_is_room() {
        for (share, height, above) in [
            (0.5, 800.0, 400.0),
            (0.0, 800.0, 100.0),
            (1.0, 800.0, 630.0),
            (0.5, 200.0, 100.0),
            (1.0, 0.0, 0.0),
        ] {
            let split = with_share(share, height);
            assert!((split.height_above(100.0, 170.0) - above).abs() < 0.5, "{share} of {height}");
        }
    }

    #[test]
    fn a_dragged_line_stays_where_it_was_left_and_a_double_click_centres_it() {
        let mut harness = egui_kittest::Harness::builder()
            .with_size(vec2(300.0, 409.0))
            .with_step_dt(0.05)
            .build_ui_state(
                |ui, above: &mut f32| {
                    theme::install_once(ui.ctx());
                    let whole = Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 400.0 + HANDLE));
                    let split = Split::of(ui, "test", whole);
                    *above = split.height_above(50.0, 50.0);
                    let part = Rect::from_min_size(whole.min, vec2(300.0, *above));
                    ui.advance_cursor_after_rect(part);
                    split.line_ui(ui, "Height");
                },
                0.0,
            );
        harness.run();
        assert!((harness.state() - 200.0).abs() < 1.0);
        let from = harness.get_by_label("Height").rect().center();
        harness.drag_at(from);
        harness.run();
        let to = from + vec2(0.0, 90.0);
        harness.hover_at(to);
        harness.run();
        harness.drop_at(to);
        harness.run();
        let moved = *harness.state();
        assert!((285.0..=295.0).contains(&moved), "{moved}");
        let at = harness.get_by_label("Height").rect().center();
        harness.hover_at(at);
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        for pressed in [true, false, true, false] {
            harness.event(Event::PointerButton { pos: at, button, pressed, modifiers });
        }
        harness.run();
        assert!((harness.state() - 200.0).abs() < 1.0, "{}", harness.state());
    }
}
