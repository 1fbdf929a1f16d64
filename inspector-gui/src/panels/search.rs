//! The search field: what is looked for, how it is read, how much was found, and the way from one to
//! the next.

use std::sync::Arc;

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{
    Align, Button, Color32, CornerRadius, Frame, Galley, Id, Key, Layout, PopupCloseBehavior,
    RichText, Sense, Stroke, TextEdit, Ui, UiBuilder, vec2,
};
use framescope_core::search::Syntax;

use super::{format, parts};
use crate::App;
use crate::command::Command;
use crate::fonts::{self, icon};
use crate::theme::{self, Palette};
use crate::widgets::button::icon_button_enabled;

/// The field does not grow beyond this.
const MOST_WIDTH: f32 = 620.0;
/// Below this width the way from one to the next is left to the keys.
const ROOM_FOR_STEPS: f32 = 300.0;

/// The search field, for whoever gives it the focus.
pub fn field_id() -> Id {
    Id::unique("filter")
}

/// Draws the field, and its buttons inside it.
pub fn search_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    let failed = matches!(app.view.search, Some(Err(_)));
    let edge = if failed { palette.error } else { palette.hairline };
    let size = vec2(ui.available_width().min(MOST_WIDTH), 28.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::HOVER);
    let edge = Stroke::new(1.0, edge);
    let inside = egui::StrokeKind::Inside;
    ui.painter().rect(rect, CornerRadius::same(6), palette.background, edge, inside);
    let mut inner = rect.shrink2(vec2(9.0, 2.0));
    inner.max.x += 6.0;
    let layout = Layout::left_to_right(Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(inner).layout(layout), |ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        let glass = RichText::new(icon::MAGNIFYING_GLASS).font(fonts::icons(14.0));
        ui.label(glass.color(palette.faint));
        let room = ui.available_rect_before_wrap();
        let builder = UiBuilder::new().max_rect(room).layout(Layout::right_to_left(Align::Center));
        let left = ui
            .scope_builder(builder, |ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                options_ui(app, ui);
                trailing_ui(app, ui, commands);
                ui.available_width()
            })
            .inner;
        let field = egui::Rect::from_min_size(room.min, vec2(left.max(40.0), room.height()));
        ui.scope_builder(UiBuilder::new().max_rect(field).layout(layout), |ui| {
            field_ui(app, ui, commands);
        });
    });
}

fn field_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let hint = match app.settings.search.syntax {
        Syntax::Text => "Search messages and HTTP, or /regular expression/",
        Syntax::Regex => "Search messages and HTTP by regular expression",
        Syntax::Octets => "Search messages and HTTP for octets: de ad ?? ef",
    };
    let hint = RichText::new(hint).color(theme::palette(ui).faint);
    let field = TextEdit::singleline(&mut app.view.query)
        .id(field_id())
        .font(parts::mono_font(ui))
        .frame(Frame::NONE)
        .margin(egui::Margin::ZERO)
        .min_size(vec2(0.0, 22.0))
        .align(egui::Align2::LEFT_CENTER)
        .desired_width(ui.available_width())
        .hint_text(hint);
    let response = ui.add(field).accessible_name(Command::FocusFilter.label());
    if response.changed() {
        app.query_changed();
    }
    if response.lost_focus() {
        let (escape, enter, back) = ui.input(|input| {
            let enter = input.key_pressed(Key::Enter);
            (input.key_pressed(Key::Escape), enter, input.modifiers.shift)
        });
        if escape && !app.view.query.is_empty() {
            app.view.query.clear();
            app.query_changed();
        } else if enter {
            commands.push(if back { Command::FindPrevious } else { Command::FindNext });
            // What was found is gone through one by one without leaving the field.
            response.request_focus();
        }
    }
    if let Some(Err(line)) = &app.view.search {
        response.on_hover_text(line);
    }
}

/// From the right: empty the field, next, previous, how much was found.
fn trailing_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    if app.view.query.is_empty() {
        let shortcut = Command::FocusFilter.shortcut();
        let keys = shortcut.map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
        ui.label(RichText::new(keys).small().color(palette.faint));
        return;
    }
    let width = ui.available_width();
    if icon_button_enabled(ui, true, icon::X, "Empty the search").clicked() {
        app.view.query.clear();
        app.query_changed();
    }
    let found = app.standing();
    if width > ROOM_FOR_STEPS && found.is_some() {
        let exchanges =
            app.view.running_search().map_or(0, |search| search.state().exchanges_found);
        let any = exchanges > 0 || found.is_some_and(|standing| standing.of > 0);
        for (sign, command) in
            [(icon::CARET_DOWN, Command::FindNext), (icon::CARET_UP, Command::FindPrevious)]
        {
            let response = icon_button_enabled(ui, any, sign, command.label());
            if response.on_hover_text(command.tooltip(ui.ctx())).clicked() {
                commands.push(command);
            }
        }
    }
    let (line, color) = told(app, palette);
    let galley = line_galley(ui, &line, ui.available_width() * 0.5, color);
    let (rect, response) = ui.allocate_exact_size(galley.size(), Sense::HOVER);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Status, true, &line));
    ui.painter().galley(rect.min, galley, color);
    response.on_hover_text(line);
}

/// How what is typed is read, and what becomes of the other rows.
fn options_ui(app: &mut App, ui: &mut Ui) {
    let palette = theme::palette(ui);
    let mut options = app.settings.search;
    let is_default = options == crate::store::SearchOptions::default();
    let color = if is_default { palette.weak } else { palette.accent };
    let sign = RichText::new(icon::SLIDERS).font(fonts::icons(14.0)).color(color);
    let button = Button::new(sign).small().frame_when_inactive(false);
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let (response, _) = MenuButton::from_button(button).config(config).ui(ui, |ui| {
        ui.set_min_width(200.0);
        let choices = [
            (Syntax::Text, "Text"),
            (Syntax::Regex, "Regular expression"),
            (Syntax::Octets, "Octets in hex"),
        ];
        for (syntax, label) in choices {
            ui.radio_value(&mut options.syntax, syntax, label);
        }
        ui.separator();
        let letters = options.syntax != Syntax::Octets;
        ui.add_enabled_ui(letters, |ui| ui.checkbox(&mut options.matches_case, "Match case"));
        ui.checkbox(&mut options.hides_others, "Hide rows without a match");
    });
    response.accessible_name("Search options").on_hover_text("How the search is read");
    if options != app.settings.search {
        let reads_alike = (options.syntax, options.matches_case)
            == (app.settings.search.syntax, app.settings.search.matches_case);
        app.settings.search = options;
        if reads_alike {
            app.view.hides_others = options.hides_others;
        } else {
            app.query_changed();
        }
    }
}

/// `3 of 17`, `17 found, 2 in HTTP`, `1 of 2 in HTTP`, how far it has come, or why nothing is found.
fn told(app: &App, palette: &Palette) -> (String, Color32) {
    match (&app.view.search, app.standing()) {
        (Some(Err(line)), _) => (line.clone(), palette.error),
        (Some(Ok(search)), Some(standing)) => {
            let of = format::thousands(standing.of as u64);
            let mut line = match standing.number {
                Some(number) => format!("{} of {of}", format::thousands(number as u64)),
                None => format!("{of} found"),
            };
            let state = search.state();
            if standing.is_http {
                line.push_str(" in HTTP");
            } else if state.exchanges_found > 0 {
                let exchanges = format::thousands(state.exchanges_found as u64);
                line = format!("{line}, {exchanges} in HTTP");
            }
            if !state.caught_up {
                let read = app.store.octets_read().max(1);
                line = format!("{line}, {} % searched", (state.read * 100 / read).min(99));
            }
            (line, palette.weak)
        }
        _ => (String::new(), palette.weak),
    }
}

fn line_galley(ui: &Ui, text: &str, width: f32, color: Color32) -> Arc<Galley> {
    let font = parts::small_font(ui);
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}
