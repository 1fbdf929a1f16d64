//! The top bar: what is proxied, the search, pause and clear, findings, the rest in a menu.

use egui::containers::menu::MenuButton;
use egui::{
    Align, Button, Color32, CornerRadius, Frame, Layout, RichText, Sense, Stroke, ThemePreference,
    Ui, vec2,
};
use framescope_core::Severity;

use super::{format, parts, search};
use crate::App;
use crate::app::BAR_MARGIN;
use crate::command::Command;
use crate::fonts::{self, icon};
use crate::theme;

/// Below this width labels give way to their icons.
const ROOMY: f32 = 1180.0;

/// Draws the bar.
pub fn top_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let roomy = ui.available_width() >= ROOMY;
    Frame::new().inner_margin(BAR_MARGIN).show(ui, |ui| {
        ui.set_min_height(ui.available_height());
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            brand_ui(ui, roomy);
            target_ui(app, ui, commands);
            live_ui(app, ui, commands);
            if app.source().page_url().is_some() {
                labelled(ui, icon::ARROW_SQUARE_OUT, Command::OpenInBrowser, roomy, commands);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                menu_ui(app, ui, commands);
                findings_ui(app, ui, commands);
                labelled(ui, icon::ERASER, Command::Clear, roomy, commands);
                if app.store.grows() || app.view.paused.is_some() {
                    pause_ui(app, ui, roomy, commands);
                }
                let room = ui.available_size();
                ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
                    search::search_ui(app, ui, commands);
                });
            });
        });
    });
}

fn brand_ui(ui: &mut Ui, roomy: bool) {
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::HOVER);
    let painter = ui.painter();
    let stroke = Stroke::new(1.5, palette.accent);
    painter.rect_stroke(rect, CornerRadius::same(4), stroke, egui::StrokeKind::Inside);
    let bars = [(5.0, 6.0, palette.up), (8.0, 9.0, palette.down), (11.0, 4.5, palette.up)];
    for (x, height, color) in bars {
        let bottom = rect.max.y - 4.5;
        let bar = egui::Rect::from_min_max(
            egui::pos2(rect.min.x + x, bottom - height),
            egui::pos2(rect.min.x + x + 2.0, bottom),
        );
        painter.rect_filled(bar, CornerRadius::ZERO, color);
    }
    if roomy {
        ui.label(RichText::new("Framescope").font(fonts::semibold(13.5)).color(palette.text));
    }
    ui.add_space(4.0);
}

/// Listener and upstream, or the file; a click copies what clients are to be pointed at.
fn target_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    let mono = parts::mono_font(ui);
    let source = app.source();
    let listen = source.listen_addr().map(|addr| addr.to_string());
    let label = source.label();
    let dot = if listen.is_some() { palette.good } else { palette.weak };
    let mut job = egui::text::LayoutJob::default();
    let mut add = |text: &str, color: Color32| {
        job.append(text, 0.0, egui::TextFormat::simple(mono.clone(), color));
    };
    let command = if let Some(listen) = &listen {
        add(listen, palette.text);
        add(" → ", palette.faint);
        Command::CopyAddress
    } else {
        Command::CopyCapturePath
    };
    add(&label, palette.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(ui.available_width() * 0.26);
    let galley = ui.painter().layout_job(job);
    let size = vec2(galley.size().x + 34.0, 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::CLICK);
    let name = match &listen {
        Some(listen) => format!("Listening on {listen} in front of {label}: copy the address"),
        None => format!("Capture {label}: copy its path"),
    };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let fill = if response.hovered() { palette.hairline } else { palette.raised };
    ui.painter().rect_filled(rect, CornerRadius::same(6), fill);
    parts::dot(ui.painter(), rect.left_center() + vec2(12.0, 0.0), dot, true);
    let at = rect.left_center() + vec2(22.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, palette.text);
    parts::focus_ring(ui, &response);
    let url = source.websocket_url();
    let tip = url.map_or_else(
        || source.capture_path().display().to_string(),
        |url| format!("Point your client at {url}; wss:// works on the same port.\nClick to copy."),
    );
    if response.on_hover_text(tip).clicked() {
        commands.push(command);
    }
}

/// The way back to a proxy that goes on while a file is looked at.
fn live_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let Some(addr) = app.running_aside().and_then(|source| source.listen_addr()) else { return };
    let command = Command::BackToLive;
    let response = button(ui, icon::RECORD, command.label(), true, true);
    let tip = format!("Recording on {addr}. {}", command.explanation());
    if response.on_hover_text(tip).clicked() {
        commands.push(command);
    }
}

/// A button with sign and label, or the sign alone where there is little room.
fn labelled(ui: &mut Ui, sign: &str, command: Command, roomy: bool, commands: &mut Vec<Command>) {
    if button(ui, sign, command.label(), roomy, false)
        .on_hover_text(command.tooltip(ui.ctx()))
        .clicked()
    {
        commands.push(command);
    }
}

fn button(ui: &mut Ui, sign: &str, label: &str, roomy: bool, on: bool) -> egui::Response {
    let palette = theme::palette(ui);
    let color = if on { palette.accent } else { palette.weak };
    let sign = RichText::new(sign).font(fonts::icons(15.0)).color(color);
    let button = if roomy {
        Button::new((sign, RichText::new(label).color(palette.text)))
    } else {
        Button::new(sign)
    };
    ui.add(button.frame_when_inactive(on)).accessible_name(label)
}

fn pause_ui(app: &App, ui: &mut Ui, roomy: bool, commands: &mut Vec<Command>) {
    let paused = app.view().paused.is_some();
    let (sign, label) = if paused { (icon::PLAY, "Resume") } else { (icon::PAUSE, "Pause") };
    let response = button(ui, sign, label, roomy, paused);
    if response.on_hover_text(Command::TogglePause.tooltip(ui.ctx())).clicked() {
        commands.push(Command::TogglePause);
    }
}

fn findings_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    let (count, worst) = {
        let index = app.store().index();
        let mut findings = [0_u64; 3];
        if app.view().cleared.findings > 0 {
            for (_, finding) in index.findings().iter().skip(app.view().cleared.findings) {
                findings[finding.rule.severity as usize] += 1;
            }
        } else {
            for connection in index.connections() {
                for (sum, count) in findings.iter_mut().zip(connection.findings) {
                    *sum += u64::from(count);
                }
            }
        }
        let [notes, warnings, errors] = findings;
        let worst = match (errors, warnings, notes) {
            (1.., _, _) => Some(Severity::Error),
            (_, 1.., _) => Some(Severity::Warning),
            (_, _, 1..) => Some(Severity::Note),
            _ => None,
        };
        (findings.iter().sum::<u64>(), worst)
    };
    let (sign, color) = match worst {
        Some(severity) => (theme::severity_icon(severity), palette.severity(severity)),
        None => (icon::CHECK_CIRCLE, palette.faint),
    };
    let text = match count {
        0 => "No findings".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{} findings", format::thousands(count)),
    };
    let sign = RichText::new(sign).font(fonts::icons(14.0)).color(color);
    let words = RichText::new(&text).color(if count > 0 { palette.text } else { palette.weak });
    let button = ui.add(Button::new((sign, words)).frame_when_inactive(count > 0));
    let button = button.accessible_name(text);
    if button.on_hover_text(Command::ShowFindings.tooltip(ui.ctx())).clicked() {
        commands.push(Command::ShowFindings);
    }
}

fn menu_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let sign = RichText::new(icon::LIST).font(fonts::icons(16.0));
    let (response, _) =
        MenuButton::from_button(Button::new(sign).frame_when_inactive(false)).ui(ui, |ui| {
            ui.set_min_width(210.0);
            let mut entries = vec![(icon::FOLDER_OPEN, Command::OpenCapture)];
            if app.running_aside().is_some() {
                entries.push((icon::RECORD, Command::BackToLive));
            }
            if app.source().page_url().is_some() {
                entries.push((icon::COPY, Command::CopyAddress));
            }
            entries.push((icon::EXPORT, Command::Export));
            entries.push((icon::COPY, Command::CopyCapturePath));
            if app.view().cleared != crate::app::Extent::default() {
                entries.push((icon::EYE, Command::ShowCleared));
            }
            for (sign, command) in entries {
                let sign =
                    RichText::new(sign).font(fonts::icons(14.0)).color(theme::palette(ui).weak);
                let mut button = Button::new((sign, command.label()));
                if let Some(shortcut) = command.shortcut() {
                    button = button.shortcut_text(ui.ctx().format_shortcut(&shortcut));
                }
                let response = ui.add(button).accessible_name(command.label());
                if response.on_hover_text(command.explanation()).clicked() {
                    commands.push(command);
                    ui.close();
                }
            }
            ui.separator();
            theme_ui(app, ui);
        });
    response.accessible_name("Menu").on_hover_text("Open, copy, theme");
}

fn theme_ui(app: &mut App, ui: &mut Ui) {
    let choices = [
        (ThemePreference::System, icon::MONITOR, "System"),
        (ThemePreference::Dark, icon::MOON, "Dark"),
        (ThemePreference::Light, icon::SUN, "Light"),
    ];
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (choice, sign, label) in choices {
            let on = app.settings.theme == choice;
            let sign = RichText::new(sign).font(fonts::icons(14.0));
            let button = ui.add(Button::selectable(on, (sign, label)));
            if button.accessible_name(format!("{label} theme")).clicked() {
                app.settings.theme = choice;
                ui.ctx().set_theme(choice);
            }
        }
    });
}
