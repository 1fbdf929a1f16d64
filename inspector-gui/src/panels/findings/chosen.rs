//! The chosen finding in full: evidence to the octet, what it means, what to do, the way to its frame.

use egui::{Align, Button, Label, Layout, RichText, ScrollArea, Ui};
use framescope_core::Direction;

use super::{Told, show};
use crate::App;
use crate::command::Command;
use crate::detail::finding;
use crate::fonts::icon;
use crate::panels::format;
use crate::store::Stretch;
use crate::theme;
use crate::widgets::button::icon_button;
use crate::widgets::format::cut;
use crate::widgets::hex::{HexContent, ROW};
use crate::widgets::{HexView, key_value, section};

/// More octets scroll.
const MOST_HEIGHT: f32 = 8.0 * ROW;

/// Draws it into all the room there is. Scrolls by itself.
pub fn chosen_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let Some(row) = app.view.findings.chosen else { return };
    let Some(told) = Told::of(app, row) else {
        app.view.findings.chosen = None;
        return;
    };
    let (of, mut octets) = std::mem::take(&mut app.view.findings.octets);
    if of != Some(row) {
        octets = HexView::default();
    }
    let mut shows = false;
    ScrollArea::vertical().id_salt("finding").auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(egui::Margin::symmetric(14, 12)).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 5.0;
            ui.set_width(ui.available_width());
            let weak = theme::palette(ui).weak;
            ui.horizontal(|ui| {
                let number = format!("Finding {}", format::thousands(row as u64 + 1));
                ui.label(RichText::new(number).size(11.5).color(weak));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if icon_button(ui, icon::X, "Close the finding (Escape)").clicked() {
                        commands.push(Command::Unselect);
                    }
                });
            });
            finding::heading_ui(ui, &told.finding);
            ui.add_space(6.0);
            part_ui(ui, "What was seen", |ui| {
                finding::evidence_ui(ui, &told.finding);
                where_ui(ui, app, &told);
                octets_ui(ui, app, &told, &mut octets);
            });
            part_ui(ui, "What it means", |ui| words_ui(ui, told.finding.rule.meaning));
            part_ui(ui, "What to do", |ui| words_ui(ui, told.finding.rule.advice));
            ui.add_space(8.0);
            let label = if told.frame.is_some() { "Show the frame" } else { "Show the handshake" };
            let fill = theme::palette(ui).raised;
            shows = ui.add(Button::new(label).fill(fill)).on_hover_text("Enter").clicked();
        });
    });
    app.view.findings.octets = (Some(row), octets);
    if shows {
        show(app, row);
    }
}

fn part_ui(ui: &mut Ui, heading: &str, add: impl FnOnce(&mut Ui)) {
    section(ui, heading, |_| {});
    add(ui);
    ui.add_space(6.0);
}

fn words_ui(ui: &mut Ui, text: &str) {
    ui.add(Label::new(RichText::new(text).color(theme::palette(ui).text)).wrap());
}

/// Connection, direction, frame, octets, time.
fn where_ui(ui: &mut Ui, app: &App, told: &Told) {
    let palette = theme::palette(ui);
    let finding = &told.finding;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
        let target = told.target.as_deref().unwrap_or_default();
        let connection = format!("{} {target}", told.connection);
        key_value(ui, "connection", cut(connection.trim_end(), 60).as_ref(), palette.text);
        let words = match finding.direction {
            Direction::ClientToServer => "↑ client to server",
            Direction::ServerToClient => "↓ server to client",
        };
        key_value(ui, "direction", words, palette.direction(finding.direction));
        if let Some(ordinal) = finding.place.frame {
            let mut frame = format!("{} of this direction", format::thousands(ordinal + 1));
            if let Some((row, _)) = told.frame {
                frame = format!("{}, {frame}", format::thousands(row as u64 + 1));
            }
            key_value(ui, "frame", &frame, palette.text);
        }
        key_value(ui, "time", &format::clock(finding.at, &app.zone), palette.text);
    });
    let place = finding::place_in_words(finding.place, told.frame.map(|(_, offset)| offset));
    ui.add(Label::new(RichText::new(place).size(11.5).color(palette.weak)).wrap());
}

/// The octets of the frame that prove it, those it is about on a ground of their own. Those of heads are
/// in the Handshake tab, where secrets are masked.
fn octets_ui(ui: &mut Ui, app: &App, told: &Told, view: &mut HexView) {
    let Some((_, frame)) = told.frame else { return };
    let place = told.finding.place;
    if place.len == 0 {
        return;
    }
    let palette = theme::palette(ui);
    let stretch = Stretch::around(told.connection, told.finding.direction, place, frame);
    match app.store.octets(&stretch) {
        Some(Ok(octets)) => {
            let start = usize::try_from(place.offset - stretch.range.start).unwrap_or(0);
            let color_of = |octet| if octet < start { palette.weak } else { palette.text };
            let ground = palette.tint_strong(palette.severity(told.finding.rule.severity));
            let content = HexContent {
                name: "Octets of the finding",
                octets: &octets,
                color_of: &color_of,
                highlights: &[(start..octets.len(), ground)],
            };
            ui.add_space(3.0);
            let height = view.height_of(octets.len()).min(MOST_HEIGHT);
            view.ui(ui, height, &content);
        }
        Some(Err(line)) => {
            ui.label(RichText::new(line).size(11.5).color(palette.warning));
        }
        None => {}
    }
}
