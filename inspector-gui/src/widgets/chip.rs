//! Chips and badges: one or two words on a small filled shape.

use egui::{
    Align2, Color32, CornerRadius, FontId, Response, Role, Sense, TextStyle, Ui, WidgetInfo, pos2,
    vec2,
};

use framescope_core::Severity;

use crate::{fonts, theme};

const FONT: FontId = FontId::monospace(10.5);
/// Room left and right of a chip's text.
const MARGIN: f32 = 5.0;

/// A word in monospace on a raised ground, as for a frame's type. Not clickable.
pub fn chip(ui: &mut Ui, text: &str, color: Color32) -> Response {
    let palette = theme::palette(ui);
    painted(ui, text, color, palette.raised, Sense::hover())
}

/// A chip that does something when clicked, such as "show".
pub fn chip_button(ui: &mut Ui, text: &str) -> Response {
    let palette = theme::palette(ui);
    let response = painted(ui, text, palette.weak, palette.raised, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

/// How wide the chip of this text is.
pub fn width(ui: &Ui, text: &str) -> f32 {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), FONT, Color32::PLACEHOLDER);
    galley.size().x + 2.0 * MARGIN
}

fn painted(ui: &mut Ui, text: &str, color: Color32, fill: Color32, sense: Sense) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), FONT, color);
    let size = vec2(galley.size().x + 2.0 * MARGIN, 17.0);
    let (rect, response) = ui.allocate_exact_size(size, sense);
    if ui.is_rect_visible(rect) {
        let palette = theme::palette(ui);
        let lit = sense.senses_click() && (response.hovered() || response.has_focus());
        let (fill, color) = if lit {
            (palette.raised.lerp_to_gamma(palette.text, 0.14), palette.text)
        } else {
            (fill, color)
        };
        ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS_SMALL), fill);
        if response.has_focus() {
            ui.painter().rect_stroke(
                rect,
                CornerRadius::same(theme::RADIUS_SMALL),
                (1.0, palette.accent),
                egui::StrokeKind::Outside,
            );
        }
        let at = pos2(rect.min.x + MARGIN, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley_with_override_text_color(at, galley, color);
    }
    if !sense.senses_click() {
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    }
    response
}

/// A count on a round ground in the colour of its severity, with a name for those who cannot see it.
pub fn badge(ui: &mut Ui, count: u64, color: Color32, name: &str) -> Response {
    let palette = theme::palette(ui);
    let text = if count > 99 { "99+".to_owned() } else { count.to_string() };
    let font = fonts::semibold(10.5);
    let galley = ui.painter().layout_no_wrap(text, font, color);
    let size = vec2((galley.size().x + 9.0).max(17.0), 17.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    if ui.is_rect_visible(rect) {
        ui.painter().rect_filled(rect, 8.5, palette.tint(color));
        let at = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min;
        ui.painter().galley(at, galley, color);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
    response
}

/// The sign of a severity, in its colour.
pub fn severity_sign(ui: &mut Ui, severity: Severity) -> Response {
    let color = theme::palette(ui).severity(severity);
    sign(ui, theme::severity_icon(severity), color, severity.name())
}

/// A sign from the icon font, as large as the running text.
pub fn sign(ui: &mut Ui, icon: &str, color: Color32, name: &str) -> Response {
    let size = TextStyle::Body.resolve(ui.style()).size + 2.0;
    let (rect, response) = ui.allocate_exact_size(vec2(size + 2.0, size + 4.0), Sense::hover());
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, icon, fonts::icons(size), color);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    response
}
