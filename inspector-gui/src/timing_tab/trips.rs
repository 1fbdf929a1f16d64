//! Round trips: Pings and their Pongs, requests and their answers.

use egui::{Grid, Label, RichText, Ui};
use framescope_core::Direction;
use framescope_core::index::ConnectionSummary;
use framescope_core::subprotocol::Subprotocol;

use super::series::Series;
use crate::theme;
use crate::widgets::{format, key_value, section};

/// Pings matched with their Pongs by payload, both ways.
pub fn pings_ui(ui: &mut Ui, connection: &ConnectionSummary) {
    let palette = theme::palette(ui);
    section(ui, "Ping round trips", |ui| {
        ui.label(RichText::new("RFC 6455 §5.5.2").size(11.5).color(palette.weak)).on_hover_text(
            "A Pong answers the Ping of the same payload; measured where the proxy reads them",
        );
    });
    if connection.round_trips.iter().all(|trips| trips.count == 0) {
        let line = "No Ping was answered on this connection.";
        ui.label(RichText::new(line).size(11.5).color(palette.weak));
        return;
    }
    Grid::new("pings").num_columns(6).spacing([24.0, 3.0]).show(ui, |ui| {
        for name in ["asked by", "answered", "shortest", "mean", "longest", "latest"] {
            ui.label(RichText::new(name).size(11.0).color(palette.weak));
        }
        ui.end_row();
        for direction in Direction::BOTH {
            let trips = &connection.round_trips[direction.index()];
            let Some(mean) = trips.mean() else { continue };
            let asker = format!("{} the {}", direction.arrow(), direction.sender());
            ui.label(RichText::new(asker).color(palette.direction(direction)));
            let count = format::thousands(trips.count);
            let spans = [trips.shortest, mean, trips.longest, trips.latest].map(format::duration);
            for text in std::iter::once(count).chain(spans) {
                ui.label(RichText::new(text).monospace().size(11.0));
            }
            ui.end_row();
        }
    });
}

/// Answers matched with what they answer, where the sub-protocol has ids.
pub fn answers_ui(ui: &mut Ui, series: &Series) {
    let palette = theme::palette(ui);
    section(ui, "Requests and their answers", |ui| {
        let spoken = series.subprotocol().map_or("no sub-protocol known", Subprotocol::title);
        ui.label(RichText::new(spoken).size(11.5).color(palette.weak));
    });
    let answers = series.answers();
    let Some(mean) = answers.mean() else {
        let line = if series.subprotocol().is_some() {
            "No message was seen that answers another one."
        } else {
            "Which message answers which is known only where a sub-protocol tells."
        };
        ui.add(Label::new(RichText::new(line).size(11.5).color(palette.weak)).wrap());
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(18.0, 3.0);
        key_value(ui, "answers", &format::thousands(answers.count), palette.text);
        let spans = [("shortest", answers.shortest), ("mean", mean), ("longest", answers.longest)];
        for (name, span) in spans {
            key_value(ui, name, &format::duration(span), palette.text);
        }
    });
}
