//! Fonts: Inter for the interface, `JetBrains` Mono for octets, Phosphor for icons.
//!
//! A font's features cannot be chosen in egui, so two are chosen here, in the font's own table of
//! features: `JetBrains` Mono loses its ligatures (`!=` must be seen as the two octets it is), and
//! Inter gets figures of equal width, so that counters do not jitter.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily, FontId};

const INTER_REGULAR: &[u8] = include_bytes!("../assets/fonts/Inter-Regular.otf");
const INTER_SEMIBOLD: &[u8] = include_bytes!("../assets/fonts/Inter-SemiBold.otf");
const JETBRAINS_MONO: &[u8] = include_bytes!("../assets/fonts/JetBrainsMono-Regular.ttf");
const PHOSPHOR: &[u8] = include_bytes!("../assets/fonts/Phosphor.ttf");

/// The name of the family for headings: egui knows no weights, only families.
pub const SEMIBOLD: &str = "semibold";
/// The name of the family that holds the icons of [`icon`].
pub const ICONS: &str = "icons";

/// Semi-bold at this size in points.
pub fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(SEMIBOLD.into()))
}

/// Icons at this size in points.
pub fn icons(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(ICONS.into()))
}

/// Icons, as text in the family [`ICONS`]. Names are Phosphor's.
#[expect(missing_docs, reason = "each is named for what it shows")]
pub mod icon {
    pub const ARROW_DOWN: &str = "\u{e03e}";
    pub const ARROW_LINE_DOWN: &str = "\u{e05c}";
    pub const ARROW_RIGHT: &str = "\u{e06c}";
    pub const ARROW_SQUARE_OUT: &str = "\u{e5de}";
    pub const ARROW_UP: &str = "\u{e08e}";
    pub const BRACKETS_CURLY: &str = "\u{e860}";
    pub const BUG: &str = "\u{e5f4}";
    pub const CARET_DOWN: &str = "\u{e136}";
    pub const CARET_LEFT: &str = "\u{e138}";
    pub const CARET_RIGHT: &str = "\u{e13a}";
    pub const CARET_UP: &str = "\u{e13c}";
    pub const CHART_LINE: &str = "\u{e154}";
    pub const CHECK: &str = "\u{e182}";
    pub const CHECK_CIRCLE: &str = "\u{e184}";
    pub const CLOCK: &str = "\u{e19a}";
    pub const COPY: &str = "\u{e1ca}";
    pub const DOWNLOAD: &str = "\u{e20c}";
    pub const ERASER: &str = "\u{e21e}";
    pub const EXPORT: &str = "\u{eaf0}";
    pub const EYE: &str = "\u{e220}";
    pub const EYE_SLASH: &str = "\u{e224}";
    pub const FILE: &str = "\u{e230}";
    pub const FLOPPY_DISK: &str = "\u{e248}";
    pub const FOLDER_OPEN: &str = "\u{e256}";
    pub const FUNNEL: &str = "\u{e266}";
    pub const GEAR: &str = "\u{e270}";
    pub const GLOBE: &str = "\u{e288}";
    pub const HANDSHAKE: &str = "\u{e582}";
    pub const HASH: &str = "\u{e2a2}";
    pub const INFO: &str = "\u{e2ce}";
    pub const KEYBOARD: &str = "\u{e2d8}";
    pub const LIGHTNING: &str = "\u{e2de}";
    pub const LINK: &str = "\u{e2e2}";
    pub const LIST: &str = "\u{e2f0}";
    pub const LOCK: &str = "\u{e2fa}";
    pub const MAGNIFYING_GLASS: &str = "\u{e30c}";
    pub const MONITOR: &str = "\u{e32e}";
    pub const MOON: &str = "\u{e330}";
    pub const PAUSE: &str = "\u{e39e}";
    pub const PLAY: &str = "\u{e3d0}";
    pub const PLUGS: &str = "\u{eb56}";
    pub const PLUGS_CONNECTED: &str = "\u{eb5a}";
    pub const PULSE: &str = "\u{e000}";
    pub const QUESTION: &str = "\u{e3e8}";
    pub const RECORD: &str = "\u{e3ee}";
    pub const SIDEBAR: &str = "\u{eab6}";
    pub const SLIDERS: &str = "\u{e432}";
    pub const STOP: &str = "\u{e46c}";
    pub const SUN: &str = "\u{e472}";
    pub const TRASH: &str = "\u{e4a6}";
    pub const WARNING: &str = "\u{e4e0}";
    pub const WARNING_CIRCLE: &str = "\u{e4e2}";
    pub const X: &str = "\u{e4f6}";
    pub const X_CIRCLE: &str = "\u{e4f8}";
}

/// Our fonts in front of egui's own, which stay as a fallback for rarer signs.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let ours = [
        ("Inter", retagged(INTER_REGULAR, *b"tnum", *b"calt")),
        ("Inter SemiBold", retagged(INTER_SEMIBOLD, *b"tnum", *b"calt")),
        ("JetBrains Mono", retagged(JETBRAINS_MONO, *b"----", *b"calt")),
    ];
    for (name, data) in ours {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_owned(data)));
    }
    fonts.font_data.insert("Phosphor".to_owned(), Arc::new(FontData::from_static(PHOSPHOR)));

    let proportional = fonts.families.entry(FontFamily::Proportional).or_default();
    proportional.insert(0, "Inter".to_owned());
    // The mono fonts bring what Inter lacks: shapes, box drawing, pictures of control codes.
    proportional.extend(["JetBrains Mono".to_owned(), "Hack".to_owned()]);
    let mut semibold = proportional.clone();
    if let Some(first) = semibold.first_mut() {
        "Inter SemiBold".clone_into(first);
    }
    let mut icons = proportional.clone();
    icons.insert(0, "Phosphor".to_owned());
    fonts.families.entry(FontFamily::Monospace).or_default().insert(0, "JetBrains Mono".to_owned());
    fonts.families.insert(FontFamily::Name(SEMIBOLD.into()), semibold);
    fonts.families.insert(FontFamily::Name(ICONS.into()), icons);
    fonts
}

/// The font with its OpenType feature `wanted` under the tag `applied`, which every text shaper
/// applies unasked; what stood under `applied` is put away. Octets that are no font stay as they are.
fn retagged(font: &[u8], wanted: [u8; 4], applied: [u8; 4]) -> Vec<u8> {
    const PUT_AWAY: [u8; 4] = *b"zzzz";
    let mut font = font.to_vec();
    for at in feature_tags(&font).unwrap_or_default() {
        let Some(tag) = font.get_mut(at..at + 4) else { continue };
        if tag == applied {
            tag.copy_from_slice(&PUT_AWAY);
        } else if tag == wanted {
            tag.copy_from_slice(&applied);
        }
    }
    font
}

/// Where in the font the tags of its GSUB features stand.
fn feature_tags(font: &[u8]) -> Option<Vec<usize>> {
    let u16_at =
        |at: usize| Some(usize::from(u16::from_be_bytes(font.get(at..at + 2)?.try_into().ok()?)));
    let tables = u16_at(4)?;
    let record = (0..tables)
        .map(|table| 12 + 16 * table)
        .find(|at| font.get(*at..at + 4) == Some(b"GSUB"))?;
    let gsub = u32::from_be_bytes(font.get(record + 8..record + 12)?.try_into().ok()?) as usize;
    let features = gsub + u16_at(gsub + 6)?;
    let count = u16_at(features)?;
    Some((0..count).map(|feature| features + 2 + 6 * feature).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `with` in a pass that has our fonts.
    fn in_a_pass<R>(with: impl Fn(&egui::Ui) -> R) -> R {
        let mut result = None;
        let mut harness = egui_kittest::Harness::new_ui(|ui| {
            ui.ctx().set_fonts(definitions());
            // Fonts are there from the pass after they were set.
            if ui.ctx().cumulative_pass_nr() > 0 {
                result = Some(with(ui));
            }
        });
        harness.run_steps(2);
        drop(harness);
        result.expect("a pass had the fonts")
    }

    fn shaped(text: &str, font: &FontId) -> Arc<egui::Galley> {
        in_a_pass(|ui| {
            ui.painter().layout_no_wrap(text.to_owned(), font.clone(), egui::Color32::WHITE)
        })
    }

    #[test]
    fn the_monospaced_font_keeps_every_character_apart() {
        // JetBrains Mono draws a ligature as one sign as wide as two or three characters.
        let widest_drawn = |text: &str| {
            let galley = shaped(text, &FontId::monospace(12.0));
            let widths = galley.rows[0].glyphs.iter().map(|glyph| glyph.uv_rect.size.x);
            widths.fold(0.0, f32::max)
        };
        let one_character = widest_drawn("M") + 1.0;
        for text in ["!=", "=>", "===", "->", "|>", "</", "www"] {
            assert!(widest_drawn(text) <= one_character, "{text}");
        }
    }

    #[test]
    fn figures_of_the_interface_font_are_equally_wide() {
        let width = |text: &str| shaped(text, &FontId::proportional(12.5)).size().x;
        assert!((width("1111111111") - width("0000000000")).abs() < 0.01);
        assert!((width("7777777777") - width("4444444444")).abs() < 0.01);
    }

    #[test]
    fn octets_that_are_no_font_stay_as_they_are() {
        for octets in [&b""[..], b"\0\x01\0\0\xff\xff", b"GSUB"] {
            assert_eq!(retagged(octets, *b"tnum", *b"calt"), octets);
        }
    }

    #[test]
    fn arrows_signs_and_icons_have_glyphs() {
        in_a_pass(|ui| {
            ui.fonts_mut(|fonts| {
                for family in [FontId::proportional(12.5), semibold(12.5), FontId::monospace(11.5)]
                {
                    for sign in "↑↓→←▲▼●○■✓✗·…⊕–×≥§␀•▸▾→“”µ↵⇤⇥◌\u{fffd}".chars()
                    {
                        assert!(fonts.has_glyph(&family, sign), "{sign} in {family:?}");
                    }
                }
                for sign in [icon::COPY, icon::WARNING, icon::X_CIRCLE, icon::INFO, icon::CHECK] {
                    assert!(fonts.has_glyphs(&icons(12.0), sign), "{sign:?}");
                }
            });
        });
    }
}
