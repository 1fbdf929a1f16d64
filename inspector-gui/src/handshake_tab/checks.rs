//! Every check of the handshake with its sign, its words and its section.

use egui::{Align, Label, Layout, RichText, Ui};
use framescope_core::handshake::Check;
use framescope_core::present::Secrets;

use super::heading_ui;
use crate::fonts::icon;
use crate::theme;
use crate::widgets::chip::{severity_sign, sign};
use crate::widgets::format;

/// Draws heading and list.
pub fn checks_ui(ui: &mut Ui, checks: &[Check]) {
    if checks.is_empty() {
        return;
    }
    heading_ui(ui, "Checks");
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for check in checks {
            check_ui(ui, check);
        }
    });
    ui.add_space(18.0);
}

fn check_ui(ui: &mut Ui, check: &Check) {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW_HEIGHT);
        ui.spacing_mut().item_spacing.x = 6.0;
        match check.severity() {
            None => sign(ui, icon::CHECK, palette.good, "passed"),
            Some(severity) => severity_sign(ui, severity),
        };
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(check.section).size(11.5).color(palette.weak));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let words = RichText::new(words(check)).color(palette.text);
                let label = ui.add(Label::new(words).truncate());
                if let Some(rule) = check.failed {
                    label.on_hover_text(rule.code);
                }
            });
        });
    });
    let Some(rule) = check.failed else { return };
    ui.horizontal_top(|ui| {
        ui.add_space(23.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            if let Some(detail) = &check.detail {
                let seen = format::cut(&Secrets::Masked.words(detail), 300).into_owned();
                ui.add(Label::new(RichText::new(seen).monospace().size(11.0)).wrap());
            }
            ui.add(Label::new(RichText::new(rule.advice).size(12.0).color(palette.weak)).wrap());
            ui.add_space(6.0);
        });
    });
}

/// What holds, or what does not.
fn words(check: &Check) -> String {
    let Some(rule) = check.failed else { return check.statement.clone() };
    let mut title = rule.title.chars();
    title.next().map_or_else(String::new, |first| first.to_uppercase().chain(title).collect())
}
