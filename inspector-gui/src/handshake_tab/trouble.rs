//! What went wrong with a connection: what the proxy could not do, and what cannot be read of it.

use egui::{Align, Layout, RichText, Ui};
use framescope_core::connection::Failure;
use framescope_core::index::{ConnectionSummary, Gaps};
use framescope_core::present::numbers::{counted, octets};
use framescope_core::{Direction, Leg, Severity};

use crate::fonts;
use crate::theme;
use crate::widgets::chip::severity_sign;
use crate::widgets::{card, format};

/// A card for each trouble; nothing where all went well.
pub fn trouble_ui(ui: &mut Ui, connection: &ConnectionSummary) {
    let palette = theme::palette(ui);
    if let Some(failure) = failure_of(connection) {
        let title = match failure.leg {
            Some(Leg::Client) => "Failed towards the client",
            Some(Leg::Upstream) => "Failed towards the server",
            None => "The proxy failed",
        };
        trouble_card(ui, Severity::Error, title, stage_in_words(&failure.stage), |ui| {
            ui.label(RichText::new(failure.message.as_str()).color(palette.text));
        });
    }
    for direction in Direction::BOTH {
        let arrow = direction.arrow();
        let gaps = connection.gaps[direction.index()];
        let (title, line) = match &connection.lost[direction.index()] {
            Some(reason) => {
                (format!("{arrow} cannot be followed to its end"), format::cut(reason, 400).into())
            }
            None if gaps.count > 0 => (format!("{arrow} is not all here"), missing(gaps)),
            None => continue,
        };
        trouble_card(ui, Severity::Warning, &title, "", |ui| {
            ui.add(egui::Label::new(RichText::new(line).size(12.0).color(palette.weak)).wrap());
        });
    }
}

/// What the proxy itself could not do, where it said so.
pub fn failure_of(connection: &ConnectionSummary) -> Option<&Failure> {
    connection.notes.iter().rev().find_map(|note| note.failure.as_ref())
}

/// What the proxy was at when it failed; a stage that is not known is called what the capture calls it.
pub fn stage_in_words(stage: &str) -> &str {
    match stage {
        "sniff" => "telling the protocol",
        "client-tls" => "TLS with the client",
        "head" => "reading the request",
        "resolve" => "looking up the server's name",
        "dial" => "connecting to the server",
        "upstream-tls" => "TLS with the server",
        "upgrade" => "checking the server's answer",
        "http" => "following HTTP",
        "relay" => "passing on octets",
        other => other,
    }
}

/// What is missing of a direction that is followed again.
fn missing(gaps: Gaps) -> String {
    let Gaps { count, missing, passed_over } = gaps;
    let places = counted(count.into(), "place", "places");
    let how = match passed_over {
        0 => String::new(),
        len => format!(
            " Where they begin was found out from the octets themselves; {} before them could not be \
             told.",
            octets(len)
        ),
    };
    let what = match missing {
        0 => "It was open before the capture began".to_owned(),
        len => format!("{} missing from the capture, in {places}", octets(len)),
    };
    format!("{what}; the frames behind are followed.{how}")
}

fn trouble_card(
    ui: &mut Ui,
    severity: Severity,
    title: &str,
    aside: &str,
    add: impl FnOnce(&mut Ui),
) {
    let palette = theme::palette(ui);
    card(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            severity_sign(ui, severity);
            ui.label(RichText::new(title).font(fonts::semibold(12.5)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(aside).size(11.5).color(palette.weak));
            });
        });
        add(ui);
    });
    ui.add_space(14.0);
}
