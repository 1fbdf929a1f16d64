//! The field that narrows a long list of connections to those with some words in their line.

use egui::{FontId, Id, Key, Rect, Role, TextEdit, Ui, UiBuilder, WidgetInfo, vec2};
use framescope_core::index::ConnectionSummary;
use framescope_core::present::Secrets;

/// Height of the field with its margins.
pub(super) const HEIGHT: f32 = 32.0;
/// So many connections can be told apart without it.
pub(super) const FEW: usize = 10;

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
pub(super) struct Wanted(Vec<String>);

impl Wanted {
    pub(super) fn new(typed: &str) -> Self {
        Self(typed.split_whitespace().map(str::to_lowercase).collect())
    }

    /// Whether number, target and state of a connection, as they are listed, have all the words.
    pub(super) fn admits(&self, summary: &ConnectionSummary, state: impl Fn() -> String) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let target = summary.target().map(|target| Secrets::Masked.target(target));
        let target = target.as_deref().unwrap_or_default();
        let line = format!("{} {target} {}", summary.id, state()).to_lowercase();
        self.0.iter().all(|word| line.contains(word))
    }
}
