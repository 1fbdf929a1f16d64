//! One finding, told in full: what, how sure, where, what it means, what to do.

use egui::{Hyperlink, Label, RichText, Ui};
use framescope_core::Diagnostic;
use framescope_core::diagnostics::{Confidence, Place};
use framescope_core::present::Secrets;

use crate::fonts;
use crate::theme;
use crate::widgets::chip::severity_sign;
use crate::widgets::{chip, format};

/// Sign and title, then severity, confidence, code and section.
pub fn heading_ui(ui: &mut Ui, finding: &Diagnostic) {
    let palette = theme::palette(ui);
    let rule = finding.rule;
    let color = palette.severity(rule.severity);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        severity_sign(ui, rule.severity);
        let title = RichText::new(capitalised(rule.title)).font(fonts::semibold(12.5));
        ui.add(Label::new(title).wrap());
    });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(6.0, 3.0);
        chip(ui, rule.severity.name(), color);
        let confidence = rule.confidence();
        let color = match confidence {
            Confidence::Proven => palette.text,
            Confidence::Inferred => palette.weak,
        };
        chip(ui, confidence.name(), color).on_hover_text(capitalised(confidence.meaning()));
        chip(ui, rule.code, palette.weak).on_hover_text(format!(
            "Told from {}. framescope explain {} says more.",
            rule.scope.name(),
            rule.code
        ));
        let section = RichText::new(rule.section).size(11.5);
        match section_url(rule.section) {
            Some(url) => ui.add(Hyperlink::from_label_and_url(section, &url).open_in_new_tab(true)),
            None => ui.label(section.color(palette.weak)),
        };
    });
}

/// What was seen, in the words of the finding.
pub fn evidence_ui(ui: &mut Ui, finding: &Diagnostic) {
    if !finding.evidence.is_empty() {
        let evidence = Secrets::Masked.words(&finding.evidence);
        let evidence = format::cut(&evidence, 400).into_owned();
        ui.add(Label::new(RichText::new(evidence).monospace().size(11.0)).wrap());
    }
}

/// What it means and what to do about it.
pub fn explanation_ui(ui: &mut Ui, finding: &Diagnostic) {
    let palette = theme::palette(ui);
    for text in [finding.rule.meaning, finding.rule.advice] {
        ui.add(Label::new(RichText::new(text).size(12.0).color(palette.weak)).wrap());
    }
}

/// `octets 1,204 to 1,209 of the direction, the 3rd of the frame`; `frame` is where the frame begins.
pub fn place_in_words(place: Place, frame: Option<u64>) -> String {
    let first = format::thousands(place.offset);
    let octets = match place.len {
        0 => format!("before octet {first}"),
        1 => format!("octet {first}"),
        len => {
            let last = format::thousands(place.offset.saturating_add(len - 1));
            format!("octets {first} to {last}")
        }
    };
    let within = match frame.and_then(|frame| place.offset.checked_sub(frame)) {
        None => String::new(),
        Some(0) => ", from the frame's first on".to_owned(),
        Some(within) => format!(", {} octets into the frame", format::thousands(within)),
    };
    format!("{octets} of this direction{within}")
}

/// Where a section can be read: `RFC 6455 §5.1` on the pages of the RFC Editor.
fn section_url(section: &str) -> Option<String> {
    let (rfc, part) = section.strip_prefix("RFC ")?.split_once(" §")?;
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    (is_plain(rfc) && is_plain(part))
        .then(|| format!("https://www.rfc-editor.org/rfc/rfc{rfc}#section-{part}"))
}

/// With a capital at its start.
pub fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use framescope_core::diagnostics::rules;

    use super::*;

    #[test]
    fn titles_begin_like_a_sentence() {
        assert_eq!(capitalised("a client frame is not masked"), "A client frame is not masked");
        assert_eq!(capitalised(""), "");
    }

    #[test]
    fn places_are_told_to_the_octet() {
        let rows = [
            (
                1_204,
                6,
                Some(1_204),
                "octets 1,204 to 1,209 of this direction, from the frame's first on",
            ),
            (1_207, 1, Some(1_204), "octet 1,207 of this direction, 3 octets into the frame"),
            (90, 0, None, "before octet 90 of this direction"),
        ];
        for (offset, len, frame, words) in rows {
            assert_eq!(place_in_words(Place { offset, len, frame: None }, frame), words);
        }
    }

    #[test]
    fn every_section_of_the_catalogue_can_be_looked_up() {
        for rule in rules::ALL {
            assert!(section_url(rule.section).is_some(), "{}: {}", rule.code, rule.section);
        }
        let url = "https://www.rfc-editor.org/rfc/rfc6455#section-5.1";
        assert_eq!(section_url("RFC 6455 §5.1").as_deref(), Some(url));
        assert_eq!(section_url("HTML"), None);
    }
}
