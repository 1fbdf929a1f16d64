//! What the search has found besides the rows that are listed: exchanges beside messages, messages beside
//! exchanges.

use egui::{Align, Layout, RichText, Sense, Ui, UiBuilder, vec2};
use framescope_core::present::counted;

use crate::App;
use crate::app::Tab;
use crate::command::Command;
use crate::fonts::{self, icon};
use crate::theme;

const HEIGHT: f32 = 30.0;

/// Draws one line, and the button that goes there; nothing where nothing was found elsewhere.
pub fn elsewhere_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    if app.view.tab != Tab::Messages {
        return;
    }
    let Some((line, command)) = elsewhere(app) else { return };
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::HOVER);
    ui.painter().rect_filled(rect, 0.0, palette.panel);
    ui.painter().hline(rect.x_range(), rect.max.y - 0.5, palette.hairline_stroke());
    let layout = Layout::right_to_left(Align::Center);
    let builder = UiBuilder::new().max_rect(rect.shrink2(vec2(12.0, 0.0))).layout(layout);
    ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let name = RichText::new(command.label()).small();
        let button = egui::Button::new(name).fill(palette.raised);
        if ui.add(button).on_hover_text(command.tooltip(ui.ctx())).clicked() {
            commands.push(command);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let glass = RichText::new(icon::MAGNIFYING_GLASS).font(fonts::icons(13.0));
            ui.label(glass.color(palette.accent));
            let line = RichText::new(line).small().color(palette.text);
            ui.add(egui::Label::new(line).truncate());
        });
    });
}

fn elsewhere(app: &App) -> Option<(String, Command)> {
    let state = app.view.running_search()?.state();
    if app.view.exchanges.are_shown() {
        let messages = counted(state.messages_found as u64, "message holds", "messages hold");
        let line = format!("{messages} it too.");
        return (state.messages_found > 0).then_some((line, Command::FindMessage));
    }
    let rows = counted(state.exchanges_found as u64, "row", "rows");
    let on = counted(state.connections_found as u64, "connection", "connections");
    let verb = if state.exchanges_found == 1 { "holds" } else { "hold" };
    let too = if state.messages_found > 0 { " too" } else { "" };
    let line = format!("{rows} of HTTP on {on} {verb} it{too}.");
    (state.exchanges_found > 0).then_some((line, Command::FindExchange))
}
