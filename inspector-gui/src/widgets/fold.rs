//! A section that folds down to its heading; whether it is open is kept from one start to the next.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, FontId, Id, Role, Sense, TextFormat, Ui, WidgetInfo, pos2, vec2};

use super::row::right_of;
use crate::fonts::{self, icon};
use crate::theme;

const HEIGHT: f32 = 20.0;
/// Room for the caret behind the heading.
const CARET: f32 = 18.0;

/// Draws the heading, with what belongs to its right edge, which stays when the section is folded;
/// whether the section is open. `name` tells sections apart, whatever their headings are.
pub fn fold(
    ui: &mut Ui,
    name: &str,
    heading: &str,
    is_open_at_first: bool,
    right: impl FnOnce(&mut Ui),
) -> bool {
    let palette = theme::palette(ui);
    let id = Id::unique(("fold", name));
    let mut open = ui.data_mut(|data| data.get_persisted(id)).unwrap_or(is_open_at_first);
    ui.horizontal(|ui| {
        ui.set_min_height(HEIGHT);
        let mut job = LayoutJob::default();
        job.append(heading, 0.0, TextFormat::simple(FontId::proportional(11.5), palette.weak));
        job.wrap = TextWrapping::truncate_at_width((ui.available_width() - CARET).max(0.0));
        let galley = ui.painter().layout_job(job);
        let size = vec2(galley.size().x + CARET, HEIGHT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        if response.clicked() {
            open = !open;
            ui.data_mut(|data| data.insert_persisted(id, open));
            ui.ctx().request_repaint();
        }
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, heading));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_expanded(open));
        let lit = response.hovered() || response.has_focus();
        let color = if lit { palette.text } else { palette.weak };
        let at = pos2(rect.min.x, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley_with_override_text_color(at, galley, color);
        let caret = if open { icon::CARET_DOWN } else { icon::CARET_RIGHT };
        let color = if lit { palette.text } else { palette.faint };
        let at = pos2(rect.max.x - CARET / 2.0, rect.center().y);
        ui.painter().text(at, Align2::CENTER_CENTER, caret, fonts::icons(10.0), color);
        right_of(ui, right);
    });
    open
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;

    #[test]
    fn a_click_on_the_heading_folds_and_unfolds() {
        let mut harness = egui_kittest::Harness::new_ui_state(
            |ui, open: &mut bool| {
                theme::install_once(ui.ctx());
                *open = fold(ui, "test", "Octets", false, |ui| {
                    ui.label("16 saved");
                });
            },
            true,
        );
        harness.run();
        for open in [false, true, false] {
            assert_eq!(*harness.state(), open);
            harness.get_by_label("16 saved");
            harness.get_by_label("Octets").click();
            harness.run();
        }
    }
}
