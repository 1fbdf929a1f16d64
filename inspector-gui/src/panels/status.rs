//! The status bar: the capture, how much, how fast, how far behind, and whether octets in are octets out.

use std::time::Duration;

use egui::{Align, Frame, Label, Layout, RichText, Sense, Ui};

use super::{format, parts};
use crate::App;
use crate::app::{BAR_MARGIN, Tab};
use crate::command::Command;
use crate::settings::Listing;
use crate::theme;

/// How long a rate is measured over.
const WINDOW: f64 = 1.0;

/// Frames a second, measured as the window draws.
#[derive(Debug, Default)]
pub struct Rate {
    since: f64,
    counted: u64,
    per_second: f64,
}

impl Rate {
    /// Takes in how many there are now, at `time` in seconds.
    pub fn observe(&mut self, time: f64, count: u64) {
        let passed = time - self.since;
        if count < self.counted || self.since == 0.0 {
            *self = Self { since: time, counted: count, per_second: 0.0 };
        } else if passed >= WINDOW {
            #[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
            let grown = (count - self.counted) as f64;
            *self = Self { since: time, counted: count, per_second: grown / passed };
        }
    }

    /// How many came a second.
    pub fn per_second(&self) -> f64 {
        self.per_second
    }
}

/// Draws the bar.
pub fn status_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    let frames = app.full_extent().frames as u64;
    let time = ui.input(|input| input.time);
    if !app.source().is_file() {
        app.rate.observe(time, frames);
        // Rates and durations go on while nothing comes in.
        ui.ctx().request_repaint_after(Duration::from_secs(1));
    }
    Frame::new().inner_margin(BAR_MARGIN).show(ui, |ui| {
        ui.set_min_height(ui.available_height());
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
            let figures = app.source().stats();
            let live = figures.is_some();
            let dot_color = if live { palette.good } else { palette.faint };
            let (sign, _) = ui.allocate_exact_size(egui::vec2(8.0, 8.0), Sense::HOVER);
            parts::dot(ui.painter(), sign.center(), dot_color, live);
            ui.spacing_mut().item_spacing.x = 6.0;
            let kind = if live { "recording" } else { "capture" };
            weak(ui, kind);
            ui.spacing_mut().item_spacing.x = 16.0;
            path_ui(app, ui, commands);
            weak(ui, format::size(app.store.octets_read()));
            weak(ui, format!("{} frames", format::thousands(frames)));
            if live {
                weak(ui, format!("{:.0} frames/s", app.rate.per_second()));
            }
            if let Some(stats) = figures {
                let behind = format!("recorder lag {}", format::lag(stats.lag));
                weak(ui, behind).on_hover_text("How long the oldest unwritten octet has waited");
                if stats.gap_octets > 0 {
                    let gap = format!("{} not recorded", format::size(stats.gap_octets));
                    ui.label(RichText::new(gap).color(palette.error));
                }
            }
            let lists_messages = app.view.tab == Tab::Messages && !app.view.exchanges.are_shown();
            if app.view.is_narrowed() && lists_messages {
                ui.label(RichText::new(shown(app)).color(palette.accent));
            }
            if let Some(extent) = app.view.paused {
                let new = format::thousands(frames.saturating_sub(extent.frames as u64));
                ui.label(RichText::new(format!("paused, {new} new frames")).color(palette.warning));
            }
            if let Some(line) = &app.notice {
                told_ui(ui, line);
            }
            if let Some(trouble) = app.store.trouble() {
                told_ui(ui, &trouble);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 16.0;
                let aside = app.running_aside().and_then(|source| source.listen_addr());
                if let Some(addr) = aside {
                    ui.label(RichText::new(format!("recording on {addr}")).color(palette.good));
                }
                // What there is no room for is left out: the address stands in the top bar too.
                let addr = app.source().listen_addr();
                if let Some(addr) = addr.filter(|_| ui.available_width() > 330.0) {
                    weak(ui, format!("listening on {addr}"));
                }
                if let Some(stats) = figures.filter(|_| ui.available_width() > 150.0) {
                    octets_ui(ui, stats.octets_in, stats.octets_out);
                }
            });
        });
    });
}

/// A line that may be longer than there is room: all of it is told under the pointer.
fn told_ui(ui: &mut Ui, line: &str) {
    let width = (ui.available_width() - 320.0).max(120.0);
    let told = Label::new(RichText::new(line).color(theme::palette(ui).warning)).truncate();
    ui.scope(|ui| {
        ui.set_max_width(width);
        ui.add(told).on_hover_text(line);
    });
}

/// `7 of 658 shown`: how many rows pass the search and the chips.
fn shown(app: &App) -> String {
    let listing = app.settings.listing;
    let table = match listing {
        Listing::Messages => &app.view.messages,
        Listing::Frames => &app.view.frames,
    };
    let all = app.extent().of(listing).saturating_sub(app.view.cleared.of(listing));
    let [shown, all] = [table.rows.len(), all].map(|rows| format::thousands(rows as u64));
    format!("{shown} of {all} shown")
}

fn weak(ui: &mut Ui, text: impl Into<String>) -> egui::Response {
    let color = theme::palette(ui).weak;
    ui.add(Label::new(RichText::new(text).color(color)).wrap_mode(egui::TextWrapMode::Extend))
}

fn path_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    let name = RichText::new(app.source().capture_name()).color(palette.text);
    let response = ui.add(Label::new(name).truncate().sense(Sense::CLICK));
    let path = app.source().capture_path().display().to_string();
    let response = response.accessible_name(Command::CopyCapturePath.label());
    if response.on_hover_text(format!("{path}\nClick to copy the path.")).clicked() {
        commands.push(Command::CopyCapturePath);
    }
}

fn octets_ui(ui: &mut Ui, octets_in: u64, octets_out: u64) {
    let palette = theme::palette(ui);
    let (text, color) = if octets_in == octets_out {
        ("octets in = octets out".to_owned(), palette.good)
    } else {
        let (came, went) = (format::thousands(octets_in), format::thousands(octets_out));
        (format!("{came} octets in, {went} out"), palette.weak)
    };
    let counts = format!(
        "{} octets came in from both sides, {} went out to the other side. They differ by what is \
         on its way, and by the heads that the proxy edits (Host, Origin).",
        format::thousands(octets_in),
        format::thousands(octets_out)
    );
    ui.label(RichText::new(text).color(color)).on_hover_text(counts);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_anew_each_second() {
        let mut rate = Rate::default();
        rate.observe(10.0, 100);
        rate.observe(10.5, 150);
        assert!(rate.per_second().abs() < f64::EPSILON);
        rate.observe(12.0, 300);
        assert!((rate.per_second() - 100.0).abs() < 1e-9);
        rate.observe(13.0, 10);
        assert!(rate.per_second().abs() < f64::EPSILON, "another capture begins at zero");
    }
}
