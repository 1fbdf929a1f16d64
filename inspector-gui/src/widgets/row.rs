//! Lines of the interface: section headings, names with values, hairlines, cards.

use egui::text::LayoutJob;
use egui::{
    Color32, CornerRadius, FontId, Frame, InnerResponse, Label, Margin, Response, RichText,
    TextFormat, Ui, vec2,
};

use crate::theme;

/// A section's heading, with what belongs to its right edge; that is elided where there is no room.
pub fn section<R>(ui: &mut Ui, heading: &str, right: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(20.0);
        let heading = RichText::new(heading).size(11.5).color(palette.weak);
        ui.add(Label::new(heading).truncate());
        right_of(ui, right)
    })
    .inner
}

/// What belongs to the right edge of a line; text is elided where there is no room for it.
pub(super) fn right_of<R>(ui: &mut Ui, right: impl FnOnce(&mut Ui) -> R) -> R {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
        right(ui)
    })
    .inner
}

/// `name value`, the name weak, the value in monospace. Wraps as one piece.
pub fn key_value(ui: &mut Ui, name: &str, value: &str, color: Color32) -> Response {
    let palette = theme::palette(ui);
    let mut job = LayoutJob::default();
    let (label, mono) = (FontId::proportional(11.5), FontId::monospace(11.5));
    job.append(name, 0.0, centered(label, palette.weak));
    job.append(value, 6.0, centered(mono, color));
    ui.add(Label::new(job).extend())
}

/// Text in the middle of its line's height, where others of other heights stand beside it.
pub fn centered(font: FontId, color: Color32) -> TextFormat {
    TextFormat { valign: egui::Align::Center, ..TextFormat::simple(font, color) }
}

/// A line across the whole area, with room above and below.
pub fn hairline(ui: &mut Ui) {
    let palette = theme::palette(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 17.0));
    ui.painter().hline(ui.clip_rect().x_range(), rect.center().y, palette.hairline_stroke());
}

/// Content on a panel-coloured ground with round corners.
pub fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.panel)
        .corner_radius(CornerRadius::same(theme::RADIUS))
        .inner_margin(Margin::symmetric(10, 8))
        .show(ui, add)
}
