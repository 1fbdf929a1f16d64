//! A button that is only an icon, with a name for the tooltip and for those who cannot see it.

use egui::{Align2, CornerRadius, Response, Role, Sense, Ui, WidgetInfo, vec2};

use crate::{fonts, theme};

/// A square button. `name` is its tooltip and its accessible name.
pub fn icon_button(ui: &mut Ui, icon: &str, name: &str) -> Response {
    icon_button_enabled(ui, true, icon, name)
}

/// A square button that may be out of use.
pub fn icon_button_enabled(ui: &mut Ui, enabled: bool, icon: &str, name: &str) -> Response {
    let palette = theme::palette(ui);
    let enabled = enabled && ui.is_enabled();
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(22.0, 22.0), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    if ui.is_rect_visible(rect) {
        let radius = CornerRadius::same(theme::RADIUS_SMALL);
        if enabled && response.is_pointer_button_down_on() {
            let pressed = palette.raised.lerp_to_gamma(palette.text, 0.1);
            ui.painter().rect_filled(rect, radius, pressed);
        } else if enabled && response.hovered() {
            ui.painter().rect_filled(rect, radius, palette.raised);
        }
        if response.has_focus() {
            let stroke = (1.0, palette.accent);
            ui.painter().rect_stroke(rect, radius, stroke, egui::StrokeKind::Inside);
        }
        let color = match (enabled, response.hovered()) {
            (false, _) => palette.faint,
            (true, false) => palette.weak,
            (true, true) => palette.text,
        };
        let font = fonts::icons(14.5);
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, icon, font, color);
    }
    if enabled { response.on_hover_text(name) } else { response }
}
