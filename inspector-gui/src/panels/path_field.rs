//! A path that is typed into a dialog, and what is wrong with it.

use std::path::PathBuf;

use egui::{Key, RichText, TextEdit, Ui};

use crate::theme;

/// What is typed, while the dialog is open.
#[derive(Debug, Default)]
pub struct PathField {
    /// As it is typed.
    pub path: String,
    /// Why it was of no use: one line, until something else is typed.
    pub trouble: Option<String>,
    is_drawn: bool,
}

impl PathField {
    /// Begins with `path`.
    pub fn new(path: String) -> Self {
        Self { path, ..Self::default() }
    }

    /// Draws it: whether it was ended by Enter. `name` is for who cannot see it, `hint` stands in it while
    /// it is empty.
    pub fn ui(&mut self, name: &str, hint: &str, ui: &mut Ui) -> bool {
        let palette = theme::palette(ui);
        let field = TextEdit::singleline(&mut self.path)
            .hint_text(RichText::new(hint).color(palette.faint))
            .desired_width(f32::INFINITY);
        let field = ui.add(field).accessible_name(name);
        if !std::mem::replace(&mut self.is_drawn, true) {
            field.request_focus();
        }
        if field.changed() {
            self.trouble = None;
        }
        if let Some(trouble) = &self.trouble {
            ui.add_space(4.0);
            ui.label(RichText::new(trouble).color(palette.error));
        }
        field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
    }

    /// The file that is meant, once anything is typed.
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.path.trim();
        (!path.is_empty()).then(|| expand_home(path))
    }
}

/// `~/` at the start means the home folder, as in a shell.
pub(super) fn expand_home(path: &str) -> PathBuf {
    let home = directories::BaseDirs::new();
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.home_dir().join(rest),
        _ => PathBuf::from(path),
    }
}
