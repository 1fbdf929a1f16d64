//! A side panel's width as it was dragged to: a window that is too narrow for it makes the panel narrower,
//! and gives the width back when there is room again.

use egui::containers::panel::PanelState;
use egui::{IdSalt, Pos2, Rangef, Rect, Response, Ui, vec2};

/// Shows a resizable panel at the left or right of `ui` with the width that the user chose, else `default`,
/// as far as `range` has it. `salt` is that of the panel's id, `show` draws it.
pub fn keeping_width(
    ui: &mut Ui,
    salt: &'static str,
    default: f32,
    range: Rangef,
    show: impl FnOnce(&mut Ui) -> Response,
) {
    let panel = ui.scope_id().with_salt(IdSalt::new(salt));
    let kept = panel.with("kept width");
    let handle = ui.read_response(panel.with("__resize"));
    let is_dragged = handle.is_some_and(|handle| handle.dragged() || handle.drag_stopped());
    let given = ui.data_mut(|data| data.get_persisted::<f32>(kept)).unwrap_or(default);
    let given = range.clamp(given);
    if !is_dragged {
        let outer_rect = Rect::from_min_size(Pos2::ZERO, vec2(given, 0.0));
        ui.data_mut(|data| data.insert_persisted(panel, PanelState { outer_rect }));
    }
    let width = show(ui).rect.width();
    // Without a drag it is assistive technology that asks for another width.
    if is_dragged || (width - given).abs() > 2.0 {
        ui.data_mut(|data| data.insert_persisted(kept, width));
    }
}

#[cfg(test)]
mod tests {
    use egui::Panel;
    use egui_kittest::Harness;

    use super::*;

    fn side(ui: &mut Ui, width: &mut f32) {
        let range = Rangef::new(100.0, (ui.available_width() - 200.0).max(100.0));
        keeping_width(ui, "side", 240.0, range, |ui| {
            let panel = Panel::right("side").default_size(240.0).size_range(range);
            let shown = panel.show(ui, |ui| ui.expand_to_include_rect(ui.max_rect()));
            *width = shown.response.rect.width();
            shown.response
        });
    }

    #[test]
    fn a_width_that_a_small_window_forced_is_not_kept() {
        let mut harness =
            Harness::builder().with_size(vec2(800.0, 300.0)).build_ui_state(side, 0.0);
        let is = |harness: &mut Harness<'_, f32>, size: f32, width: f32| {
            harness.set_size(vec2(size, 300.0));
            harness.run_steps(3);
            let shown = *harness.state();
            assert!((shown - width).abs() < 2.0, "{shown} in {size}");
        };
        is(&mut harness, 800.0, 240.0);
        // The harness keeps 8 points at each side.
        is(&mut harness, 350.0, 134.0);
        is(&mut harness, 800.0, 240.0);
        let edge = harness.ctx.content_rect().right() - harness.state();
        harness.drag_at(egui::pos2(edge, 150.0));
        harness.run_steps(2);
        for x in [edge - 50.0, edge - 100.0] {
            harness.hover_at(egui::pos2(x, 150.0));
            harness.run_steps(2);
        }
        harness.drop_at(egui::pos2(edge - 100.0, 150.0));
        harness.run_steps(2);
        let dragged = *harness.state();
        assert!((330.0..350.0).contains(&dragged), "{dragged}");
        is(&mut harness, 400.0, 184.0);
        is(&mut harness, 800.0, dragged);
    }
}
