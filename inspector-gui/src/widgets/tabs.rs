//! A tab bar with an underline, and a segmented control.

use std::sync::Arc;

use egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Rect, Response, Role, Sense, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::{fonts, theme};

/// Height of a tab bar.
pub const TAB_HEIGHT: f32 = 34.0;
/// Tabs stand closer together before they take this from what stands beside them.
const BESIDE: f32 = 64.0;

/// Draws tabs from left to right with a hairline beneath; sets `chosen` on a click or on Enter.
pub fn tab_bar<T: Copy + PartialEq>(ui: &mut Ui, chosen: &mut T, tabs: &[(T, &str)]) -> Response {
    tab_bar_with_height(ui, chosen, tabs, TAB_HEIGHT)
}

/// A tab bar of another height.
pub fn tab_bar_with_height<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: &mut T,
    tabs: &[(T, &str)],
    height: f32,
) -> Response {
    let palette = theme::palette(ui);
    let bar = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let font = FontId::proportional(12.5);
        let names: Vec<_> = tabs
            .iter()
            .map(|(_, name)| {
                ui.painter().layout_no_wrap((*name).to_owned(), font.clone(), palette.weak)
            })
            .collect();
        let text: f32 = names.iter().map(|galley| galley.size().x).sum();
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let room = (ui.available_width() - BESIDE - text) / tabs.len().max(1) as f32;
        let padding = room.clamp(6.0, 22.0);
        for ((value, name), galley) in tabs.iter().zip(names) {
            let active = *value == *chosen;
            let size = vec2(galley.size().x + padding, height);
            let (rect, response) = ui.allocate_exact_size(size, Sense::click());
            response.widget_info(|| WidgetInfo::selected(Role::Tab, true, active, *name));
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(active));
            if response.clicked() {
                *chosen = *value;
                ui.ctx().request_repaint();
            }
            let color = if active || response.hovered() { palette.text } else { palette.weak };
            let at = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min;
            ui.painter().galley_with_override_text_color(at, galley, color);
            if active || response.has_focus() {
                let line = Rect::from_min_max(
                    pos2(rect.min.x + 4.0, rect.max.y - 2.0),
                    pos2(rect.max.x - 4.0, rect.max.y),
                );
                let color = if active { palette.accent } else { palette.weak };
                ui.painter().rect_filled(line, 1.0, color);
            }
        }
    });
    let rect = bar.response.rect;
    ui.painter().hline(ui.max_rect().x_range(), rect.max.y - 0.5, palette.hairline_stroke());
    bar.response
}

/// A few choices of which one holds, side by side on one raised ground.
pub fn segmented<T: Copy + PartialEq>(
    ui: &mut Ui,
    chosen: &mut T,
    choices: &[(T, &str)],
) -> Response {
    const HEIGHT: f32 = 24.0;
    let palette = theme::palette(ui);
    let galleys = segments(ui, choices);
    let width = width_of(&galleys);
    let (rect, whole) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), palette.raised);
    let mut x = rect.min.x + 2.0;
    for ((value, name), galley) in choices.iter().zip(galleys) {
        let cell = Rect::from_min_size(
            pos2(x, rect.min.y + 2.0),
            vec2(galley.size().x + 18.0, HEIGHT - 4.0),
        );
        x = cell.max.x;
        let active = *value == *chosen;
        let response = ui.interact(cell, whole.id.with(name), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, active, *name));
        if response.clicked() {
            *chosen = *value;
            ui.ctx().request_repaint();
        }
        if active {
            ui.painter().rect_filled(
                cell,
                CornerRadius::same(theme::RADIUS_SMALL),
                palette.background,
            );
        }
        if response.has_focus() {
            ui.painter().rect_stroke(
                cell,
                CornerRadius::same(theme::RADIUS_SMALL),
                (1.0, palette.accent),
                egui::StrokeKind::Inside,
            );
        }
        let color = if active || response.hovered() { palette.text } else { palette.weak };
        let at = Align2::CENTER_CENTER.anchor_size(cell.center(), galley.size()).min;
        ui.painter().galley_with_override_text_color(at, galley, color);
    }
    whole
}

/// How wide [`segmented`] is.
pub fn segmented_width<T>(ui: &Ui, choices: &[(T, &str)]) -> f32 {
    width_of(&segments(ui, choices))
}

fn segments<T>(ui: &Ui, choices: &[(T, &str)]) -> Vec<Arc<Galley>> {
    let font = FontId::proportional(11.5);
    let text = |name: &str| {
        ui.painter().layout_no_wrap(name.to_owned(), font.clone(), Color32::PLACEHOLDER)
    };
    choices.iter().map(|(_, name)| text(name)).collect()
}

fn width_of(segments: &[Arc<Galley>]) -> f32 {
    segments.iter().map(|galley| galley.size().x + 18.0).sum::<f32>() + 4.0
}

/// Text in the family for headings, for places that lay text out themselves.
pub fn heading_font() -> FontId {
    fonts::semibold(13.5)
}
