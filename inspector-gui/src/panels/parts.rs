//! Small pieces the panels are made of.

use egui::{
    Align2, Button, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Response, RichText, Role,
    Sense, Stroke, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use crate::command::Command;
use crate::theme;

/// Room beside the text of a switch.
const CHIP_BESIDE: f32 = 14.0;

/// The font of the interface.
pub fn body_font(ui: &Ui) -> FontId {
    TextStyle::Body.resolve(ui.style())
}

/// The font of second lines and headings of columns.
pub fn small_font(ui: &Ui) -> FontId {
    TextStyle::Small.resolve(ui.style())
}

/// The font of octets, payloads and times.
pub fn mono_font(ui: &Ui) -> FontId {
    TextStyle::Monospace.resolve(ui.style())
}

/// The width of a tab's name.
pub fn tab_name_width(ui: &Ui, command: Command) -> f32 {
    let name = command.label().to_owned();
    ui.painter().layout_no_wrap(name, body_font(ui), Color32::PLACEHOLDER).size().x
}

/// One tab of a row of tabs, with this much room beside its name: underlined where it is the active one.
pub fn tab(ui: &mut Ui, command: Command, active: bool, beside: f32) -> bool {
    let palette = theme::palette(ui);
    let font = body_font(ui);
    let galley =
        ui.painter().layout_no_wrap(command.label().to_owned(), font, Color32::PLACEHOLDER);
    let size = vec2(galley.size().x + beside, ui.available_height());
    let (rect, response) = ui.allocate_exact_size(size, Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, active, command.label()));
    let color = if active || response.hovered() { palette.text } else { palette.weak };
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, color);
    if active {
        let line = Rect::from_min_max(pos2(rect.min.x, rect.max.y - 2.0), rect.max);
        ui.painter().rect_filled(line, CornerRadius::ZERO, palette.accent);
    }
    focus_ring(ui, &response);
    response.on_hover_text(command.tooltip(ui.ctx())).clicked()
}

/// The width of a switch with this text.
pub fn chip_width(ui: &Ui, text: &str) -> f32 {
    let font = small_font(ui);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER);
    galley.size().x + CHIP_BESIDE
}

/// A small switch of the filter row.
pub fn chip(ui: &mut Ui, text: &str, color: Color32, on: bool, explanation: &str) -> bool {
    let palette = theme::palette(ui);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), small_font(ui), Color32::PLACEHOLDER);
    let (rect, response) =
        ui.allocate_exact_size(galley.size() + vec2(CHIP_BESIDE, 6.0), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, explanation));
    let fill = match (on, response.hovered()) {
        (true, _) => color.gamma_multiply(0.22),
        (false, true) => palette.raised,
        (false, false) => Color32::TRANSPARENT,
    };
    let edge = if on { color.gamma_multiply(0.7) } else { palette.hairline };
    ui.painter().rect(
        rect,
        CornerRadius::same(5),
        fill,
        Stroke::new(1.0, edge),
        egui::StrokeKind::Inside,
    );
    let color = if on { color } else { palette.weak };
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, color);
    focus_ring(ui, &response);
    response.on_hover_text(explanation).clicked()
}

/// Shows where the keyboard is, for pieces that draw themselves.
pub fn focus_ring(ui: &Ui, response: &Response) {
    if response.has_focus() {
        let stroke = Stroke::new(1.0, theme::palette(ui).accent);
        ui.painter().rect_stroke(
            response.rect,
            CornerRadius::same(4),
            stroke,
            egui::StrokeKind::Inside,
        );
    }
}

/// A state's dot: filled while something lives, a ring when it ended in order.
pub fn dot(painter: &Painter, center: Pos2, color: Color32, filled: bool) {
    if filled {
        painter.circle_filled(center, 3.5, color);
    } else {
        painter.circle_stroke(center, 3.0, Stroke::new(1.2, color));
    }
}

/// A count in a rounded badge whose right edge is at `right`; its left edge.
pub fn badge(painter: &Painter, right: Pos2, count: u64, color: Color32, font: FontId) -> f32 {
    let galley = painter.layout_no_wrap(count.to_string(), font, color);
    let size = vec2((galley.size().x + 10.0).max(16.0), 16.0);
    let rect = Rect::from_min_size(pos2(right.x - size.x, right.y - size.y / 2.0), size);
    painter.rect_filled(rect, CornerRadius::same(8), color.gamma_multiply(0.25));
    painter.galley(rect.center() - galley.size() / 2.0, galley, color);
    rect.min.x
}

/// One line of text that ends with `…` where it does not fit; where it ends.
pub fn line(
    painter: &Painter,
    at: Pos2,
    anchor: Align2,
    width: f32,
    text: &str,
    font: FontId,
    color: Color32,
) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(0.0));
    let galley = painter.layout_job(job);
    let rect = anchor.anchor_size(at, galley.size());
    painter.galley(rect.min, galley, color);
    rect
}

/// A button of an empty state: on a ground of its own, as there is nothing around it.
pub fn offer(ui: &mut Ui, command: Command, commands: &mut Vec<Command>) {
    let button = Button::new(command.label()).fill(theme::palette(ui).raised);
    let response = ui.add(button.min_size(vec2(140.0, 28.0)));
    if response.on_hover_text(command.tooltip(ui.ctx())).clicked() {
        commands.push(command);
    }
    ui.add_space(4.0);
}

/// What to do where there is nothing to see yet: a heading, a line, and room for a button.
pub fn empty_state(ui: &mut Ui, heading: &str, line: &str, more: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    let room = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((room * 0.5 - 80.0).max(16.0));
        ui.label(RichText::new(heading).size(15.0).color(palette.text));
        ui.add_space(6.0);
        ui.label(RichText::new(line).color(palette.weak));
        ui.add_space(14.0);
        more(ui);
    });
}
