//! When the frame came: how long it took, and how long after the frames before it.

use egui::Ui;
use framescope_core::{Direction, Timestamp};

use crate::detail::selected::Selected;
use crate::theme;
use crate::widgets::{format, key_value};

/// One line of what is known, and of what is not.
pub fn times_ui(ui: &mut Ui, selected: &Selected) {
    let palette = theme::palette(ui);
    ui.add_space(2.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
        ui.spacing_mut().interact_size.y = 16.0;
        let took = selected.last_octet_at.since(selected.first_octet_at);
        let (arrival, explanation) = if took.is_zero() {
            ("at once, in one read".to_owned(), "First and last octet were read together")
        } else {
            let words = format!("{}, in several reads", format::duration(took));
            (words, "From the read that gave its first octet to the one that gave its last")
        };
        key_value(ui, "came", &arrival, palette.text).on_hover_text(explanation);
        let ways = [
            (selected.direction, selected.times.before_same_way),
            (!selected.direction, selected.times.before_other_way),
        ];
        for (direction, before) in ways {
            let name = match direction {
                Direction::ClientToServer => "after ↑",
                Direction::ServerToClient => "after ↓",
            };
            let (text, color) = match before {
                Some(before) => (after(before, selected.first_octet_at), palette.text),
                None => ("no frame before".to_owned(), palette.weak),
            };
            key_value(ui, name, &text, color).on_hover_text(format!(
                "From the first octet of the latest {} frame before it on this connection",
                direction.arrow()
            ));
        }
        let (in_proxy, color) = match selected.times.in_proxy {
            Some(time) => (format::duration(time), palette.text),
            None => ("not recorded".to_owned(), palette.weak),
        };
        key_value(ui, "in the proxy", &in_proxy, color).on_hover_text(
            "From when its last octet was read to when the other side's socket had taken all that was \
             read with it. Not recorded where it did not take them at once, of octets that came \
             together with the handshake, and in captures of others",
        );
    });
}

/// `+51.2 ms`; frames are listed in the order of their ends, so one before may have begun later.
fn after(before: Timestamp, at: Timestamp) -> String {
    if before > at {
        format!("−{}", format::duration(before.since(at)))
    } else {
        format!("+{}", format::duration(at.since(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_began_later_and_ended_earlier_is_told_as_it_was() {
        let at = |micros: u64| Timestamp::from_nanos(1_000_000_000 + micros * 1000);
        assert_eq!(after(at(0), at(51_200)), "+51.2 ms");
        assert_eq!(after(at(1_500), at(0)), "−1.5 ms");
        assert_eq!(after(at(5), at(5)), "+0 ns");
    }
}
