//! The field that narrows a long list of connections to those with some words in their line.

use std::cell::Cell;

use egui::{FontId, Id, Key, Rect, Role, TextEdit, Ui, UiBuilder, WidgetInfo, vec2};
use framescope_core::index::ConnectionSummary;
use framescope_core::present::Secrets;

/// Height of the field with its margins.
pub(super) const HEIGHT: f32 = 32.0;
/// So many connections can be told apart without it.
pub(super) const FEW: usize = 10;
/// So many requests are looked at in one pass over all connections; beyond, the last of each.
const TARGETS: usize = 100_000;

/// The id of the field.
pub fn words_id() -> Id {
    Id::unique("words of connections")
}

/// Draws the field; Escape empties it.
pub(super) fn words_ui(ui: &mut Ui, rect: Rect, words: &mut String) {
    ui.scope_builder(UiBuilder::new().max_rect(rect.shrink2(vec2(8.0, 4.0))), |ui| {
        let field = TextEdit::singleline(words)
            .id(words_id())
            .hint_text("path, state, #number …")
            .font(FontId::proportional(12.0))
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        let explanation = "Only connections with these words in path or state";
        response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, explanation));
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
            words.clear();
        }
        response.on_hover_text(explanation);
    });
}

/// Words in small letters: each must be found.
pub(super) struct Wanted {
    words: Vec<String>,
    /// How many more requests may be looked at.
    left: Cell<usize>,
}

impl Wanted {
    pub(super) fn new(typed: &str) -> Self {
        let words = typed.split_whitespace().map(str::to_lowercase).collect();
        Self { words, left: Cell::new(TARGETS) }
    }

    /// Whether number, state and targets of a connection, as they are listed, have all the words.
    pub(super) fn admits(&self, summary: &ConnectionSummary, state: impl Fn() -> String) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let line = format!("{} {}", summary.id, state()).to_lowercase();
        let mut missing: Vec<&str> = self.words.iter().map(String::as_str).collect();
        missing.retain(|word| !line.contains(word));
        let (mut target, mut before) = (String::new(), None);
        let most = self.left.get().max(1);
        for exchange in summary.exchanges.iter().rev().take(most) {
            if missing.is_empty() {
                break;
            }
            self.left.set(self.left.get().saturating_sub(1));
            // Who polls asks for the same again and again.
            let asked = exchange.request.target();
            if asked.is_some() && asked != before {
                before = asked;
                lower(&Secrets::Masked.target(asked.unwrap_or_default()), &mut target);
                missing.retain(|word| !target.contains(word));
            }
        }
        missing.is_empty()
    }
}

/// Writes it in small letters in place of what is in `lowered`.
fn lower(text: &str, lowered: &mut String) {
    lowered.clear();
    if text.is_ascii() {
        lowered.push_str(text);
        lowered.make_ascii_lowercase();
    } else {
        lowered.push_str(&text.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use framescope_core::Head;
    use framescope_core::index::Exchange;

    use super::*;
    use crate::handshake_tab::handshakes;

    #[test]
    fn a_connection_is_found_by_what_any_of_its_requests_asked_for() {
        let mut connection = handshakes::accepted();
        let one = connection.exchanges[0].clone();
        connection.exchanges.clear();
        for target in ["/Rooms?token=s3cret", "/poll?n=1", "/poll?n=2", "/poll?n=2"] {
            let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
            let request = Arc::new(Head::parse_request(head.into(), 0).expect("a head"));
            connection.exchanges.push(Exchange { request, ..one.clone() });
        }
        let number = connection.id.to_string();
        let rows = [
            ("", true),
            ("/rooms", true),
            ("/ROOMS open", true),
            ("/poll?n=1 /poll?n=2", true),
            (number.as_str(), true),
            ("/rooms /elsewhere", false),
            ("s3cret", false),
        ];
        for (typed, expected) in rows {
            let found = Wanted::new(typed).admits(&connection, || "Open".to_owned());
            assert_eq!(found, expected, "{typed}");
        }
    }
}
