//! The message under the compression microscope: what its DEFLATE data is made of (RFC 1951, RFC 7692).

use egui::{Label, RichText, Ui};
use framescope_core::message::{CompressionFacts, Microscope, Takeover};

use crate::detail::selected::{Selected, SelectedCompression};
use crate::theme::{self, Palette};
use crate::widgets::{Share, fold, format, key_value, share_bar};

/// What was saved, and unfolded where its octets came from, its blocks and its window; nothing where it
/// was not compressed.
pub fn compression_ui(ui: &mut Ui, selected: &Selected) {
    let Some(message) = &selected.message else { return };
    let Some(compression) = &message.compression else { return };
    let SelectedCompression { seen, takeover, direction, connection } = compression;
    let palette = theme::palette(ui);
    ui.add_space(2.0);
    let is_open = fold(ui, "compression", "Compression: permessage-deflate", false, |ui| {
        let saved = saved_in_words(message.wire_len, message.data_len);
        ui.label(RichText::new(saved).monospace().size(11.0).color(palette.weak));
    });
    if !is_open {
        return;
    }
    if let Some(part) = part_seen(seen, message.wire_len) {
        ui.add(Label::new(RichText::new(part).size(11.5).color(palette.weak)).wrap());
    }
    share_bar(ui, &shares(seen, palette));
    ui.add_space(2.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
        ui.spacing_mut().interact_size.y = 16.0;
        key_value(ui, "blocks", &blocks_in_words(seen), palette.text)
            .on_hover_text("Fixed codes are those of RFC 1951 §3.2.6, dynamic ones are sent along");
        if seen.matches > 0 {
            let copies = format!(
                "{}, the longest of {}",
                format::thousands(seen.matches),
                format::octets(seen.longest)
            );
            key_value(ui, "copies", &copies, palette.text);
        }
        if let Some(farthest) = seen.reach.farthest {
            let bits = seen.window_bits();
            let reach = format!("{} octets back", format::thousands(farthest.distance.into()));
            key_value(ui, "farthest", &reach, palette.text)
                .on_hover_text(format!("A window of {bits} bits is enough to inflate it"));
        }
        let color = if *takeover == Takeover::Broken { palette.error } else { palette.text };
        key_value(ui, "context takeover", takeover.label(), color);
    });
    let mut total = |name: &str, facts: &CompressionFacts| {
        let messages = format::counted(facts.messages, "message", "messages");
        let line = format!("{name}, {messages} so far: {facts}");
        ui.add(Label::new(RichText::new(line).size(11.5).color(palette.weak)).wrap());
    };
    total("This direction", direction);
    if connection != direction {
        total("Both directions", connection);
    }
}

/// Where the octets that came out were taken from.
fn shares(seen: &Microscope, palette: &Palette) -> Vec<Share> {
    let within = seen.matched.saturating_sub(seen.from_before);
    let parts = [
        ("literal", "Octets sent with a code each", seen.literals, palette.payload),
        ("stored", "Octets sent as they are, in stored blocks", seen.stored, palette.length),
        ("copied from this message", "Octets that were there already", within, palette.opcode),
        (
            "copied from earlier messages",
            "What context takeover is good for (RFC 7692 §7.1.1)",
            seen.from_before,
            palette.masking_key,
        ),
    ];
    let there = parts.into_iter().filter(|(.., octets, _)| *octets > 0);
    there
        .map(|(name, explanation, octets, color)| {
            #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
            let weight = octets as f64;
            let label = format!("{name} {}", format::thousands(octets));
            Share { label, explanation, weight, color }
        })
        .collect()
}

/// What the figures are of, where that is not the whole message.
fn part_seen(seen: &Microscope, wire_len: u64) -> Option<String> {
    (seen.wire_len < wire_len).then(|| {
        format!(
            "Of the first {} on the wire alone, of {}:",
            format::octets(seen.wire_len),
            format::thousands(wire_len)
        )
    })
}

/// `2 dynamic, 1 stored`.
fn blocks_in_words(seen: &Microscope) -> String {
    let kinds = [
        (seen.dynamic_blocks, "dynamic"),
        (seen.fixed_blocks, "fixed"),
        (seen.stored_blocks, "stored"),
    ];
    let told = kinds.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<_> =
        told.map(|(count, kind)| format!("{} {kind}", format::thousands(count))).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

/// `82 octets saved`, `3 octets more than without`.
fn saved_in_words(wire: u64, data: u64) -> String {
    match data.checked_sub(wire) {
        Some(saved) => format!("{} saved", format::octets(saved)),
        None => format!("{} more than without", format::octets(wire - data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_hello_of_rfc_7692_is_copied_from_the_first() {
        // §7.2.3.2: the same message again, with context takeover.
        let seen = Microscope::of(&[0xf2, 0x00, 0x11, 0x00, 0x00]);
        let labels: Vec<_> =
            shares(&seen, &theme::DARK).into_iter().map(|share| share.label).collect();
        assert_eq!(labels, ["literal 1", "copied from earlier messages 4"]);
        assert_eq!(blocks_in_words(&seen), "1 fixed");
        assert_eq!(blocks_in_words(&Microscope::default()), "none");
    }

    #[test]
    fn figures_of_a_part_say_so() {
        let seen = Microscope { wire_len: 16_777_216, ..Microscope::default() };
        assert_eq!(part_seen(&seen, 16_777_216), None);
        let told = "Of the first 16,777,216 octets on the wire alone, of 50,120,000:";
        assert_eq!(part_seen(&seen, 50_120_000).as_deref(), Some(told));
    }

    #[test]
    fn what_was_lost_is_told_as_lost() {
        assert_eq!(saved_in_words(61, 8_294), "8,233 octets saved");
        assert_eq!(saved_in_words(7, 5), "2 octets more than without");
    }
}
