//! `Sec-WebSocket-Accept` derived in five numbered steps, RFC 6455 §4.2.2.

use egui::text::LayoutJob;
use egui::{Color32, FontId, Label, Response, RichText, TextFormat, Ui};
use framescope_core::handshake::accept::GUID;
use framescope_core::handshake::{AcceptCheck, AcceptVerdict};

use crate::fonts::{self, icon};
use crate::theme::{self, Palette};
use crate::widgets::row::centered;
use crate::widgets::{card, format};

/// Draws heading, verdict and steps.
pub fn derivation_ui(ui: &mut Ui, check: &AcceptCheck) {
    let palette = theme::palette(ui);
    let (verdict, color) = verdict(palette, check.verdict);
    let mut job = LayoutJob::default();
    let strong = fonts::semibold(13.0);
    job.append("Sec-WebSocket-Accept ", 0.0, TextFormat::simple(strong.clone(), palette.text));
    job.append(verdict, 0.0, TextFormat::simple(strong, color));
    ui.add(Label::new(job).wrap());
    ui.add_space(6.0);
    if check.verdict == AcceptVerdict::NotDue {
        let words = "Only a 101 answers the key, and this answer is none.";
        ui.label(RichText::new(words).color(palette.weak));
        ui.add_space(18.0);
        return;
    }
    let Some(derivation) = &check.derivation else {
        ui.label(RichText::new("The request has no Sec-WebSocket-Key.").color(palette.weak));
        ui.add_space(18.0);
        return;
    };

    let key = || (derivation.key.clone(), palette.masking_key);
    let what = match derivation.nonce {
        Some(_) => "The key the client sent: 16 random octets in base64",
        None => "The key the client sent, which is not 16 octets in base64",
    };
    let step = step_ui(ui, 1, what, &[key()], |_| {});
    if let Some(nonce) = &derivation.nonce {
        step.on_hover_text(format!("These octets: {}", format::hex(nonce)));
    }
    let guid = (GUID.to_owned(), palette.text);
    step_ui(ui, 2, "followed by the GUID of RFC 6455 §1.3", &[key(), guid], |_| {});
    let sha1 = (format::hex(&derivation.sha1), palette.length);
    step_ui(ui, 3, "SHA-1 of that text", &[sha1], |_| {});
    let due = (derivation.accept.clone(), palette.payload);
    step_ui(ui, 4, "in base64: what the server must answer", &[due], |_| {});
    answer_ui(ui, check, &derivation.accept);
    ui.add_space(18.0);
}

fn verdict(palette: &Palette, verdict: AcceptVerdict) -> (&'static str, Color32) {
    match verdict {
        AcceptVerdict::Matches => ("matches", palette.good),
        AcceptVerdict::Differs => ("does not match", palette.error),
        AcceptVerdict::Missing => ("is missing", palette.error),
        AcceptVerdict::NoKey => ("cannot be derived", palette.error),
        AcceptVerdict::NotDue => ("is not due", palette.weak),
    }
}

fn answer_ui(ui: &mut Ui, check: &AcceptCheck, due: &str) {
    let palette = theme::palette(ui);
    let heading = "what the server did answer";
    let (color, sign, word) = match check.verdict {
        AcceptVerdict::Matches => (palette.good, icon::CHECK, "equal"),
        AcceptVerdict::Missing => (palette.error, icon::X, "no Sec-WebSocket-Accept"),
        _ => (palette.error, icon::X, "not equal"),
    };
    let mut parts = Vec::new();
    if let Some(answered) = &check.answered {
        // Where it parts from what is due, it turns red.
        let same = answered.chars().zip(due.chars()).take_while(|(a, b)| a == b).count();
        let (right, wrong): (String, String) = (
            answered.chars().take(same).collect(),
            answered.chars().skip(same).take(200).collect(),
        );
        parts.extend([(right, palette.payload), (wrong, palette.error)]);
    }
    step_ui(ui, 5, heading, &parts, |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(RichText::new(sign).font(fonts::icons(12.5)).color(color));
        ui.label(RichText::new(word).monospace().color(color));
    });
}

/// A number, and a card with what is done and what comes of it.
fn step_ui(
    ui: &mut Ui,
    number: u8,
    what: &str,
    parts: &[(String, Color32)],
    after: impl FnOnce(&mut Ui),
) -> Response {
    let palette = theme::palette(ui);
    let step = ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let (rect, _) = ui.allocate_exact_size(egui::vec2(24.0, 32.0), egui::Sense::hover());
        let at = egui::pos2(rect.min.x, rect.min.y + 9.0);
        let font = FontId::proportional(11.5);
        ui.painter().text(at, egui::Align2::LEFT_TOP, number, font, palette.weak);
        card(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 3.0;
                ui.label(RichText::new(what).size(11.5).color(palette.weak));
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = egui::vec2(8.0, 2.0);
                    let mut job = LayoutJob::default();
                    for (text, color) in parts {
                        let text = format::cut(text, 400);
                        job.append(&text, 0.0, centered(FontId::monospace(11.5), *color));
                    }
                    // Octets stay whole; a key has no place to break.
                    job.wrap.break_anywhere = !job.text.contains(' ');
                    if !job.text.is_empty() {
                        ui.add(Label::new(job).selectable(true));
                    }
                    after(ui);
                });
            });
        });
    });
    ui.add_space(5.0);
    step.response
}
