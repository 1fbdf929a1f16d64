//! What is remembered from one start to the next. Panel sizes and the window's are kept by eframe.

use std::path::{Path, PathBuf};

use egui::ThemePreference;
use serde::{Deserialize, Serialize};

use crate::list::Columns;
use crate::store::SearchOptions;

/// Under this name the settings lie in eframe's storage.
const KEY: &str = "settings";
const RECENT: usize = 8;

/// What the centre's table lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Listing {
    /// One row a message.
    #[default]
    Messages,
    /// One row a frame.
    Frames,
}

/// What Protobuf payloads are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProtobufSettings {
    /// A file with a `FileDescriptorSet`.
    pub descriptor_set: Option<PathBuf>,
    /// The full name of one of its message types; `None` reads without a schema.
    pub message_type: Option<String>,
}

/// The user's choices.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// System, dark or light.
    pub theme: ThemePreference,
    /// What the table lists.
    pub listing: Listing,
    /// Column widths of the messages table.
    pub message_columns: Columns,
    /// Column widths of the frames table.
    pub frame_columns: Columns,
    /// How the search field is read.
    pub search: SearchOptions,
    /// Column widths of the exchanges table.
    pub exchange_columns: Columns,
    /// What Protobuf payloads are.
    pub protobuf: ProtobufSettings,
    /// Captures opened lately, the newest first.
    pub recent: Vec<PathBuf>,
}

impl Settings {
    /// As they were when the app was closed last.
    pub fn load(storage: Option<&dyn eframe::Storage>) -> Self {
        storage.and_then(|storage| eframe::get_value(storage, KEY)).unwrap_or_default()
    }

    /// Keeps them for the next start.
    pub fn save(&self, storage: &mut dyn eframe::Storage) {
        eframe::set_value(storage, KEY, self);
    }

    /// Remembers a capture as opened just now.
    pub fn opened(&mut self, capture: &Path) {
        self.recent.retain(|recent| recent != capture);
        self.recent.insert(0, capture.to_owned());
        self.recent.truncate(RECENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_captures_are_told_once_the_newest_first() {
        let mut settings = Settings::default();
        for path in ["a", "b", "a"] {
            settings.opened(Path::new(path));
        }
        assert_eq!(settings.recent, [PathBuf::from("a"), PathBuf::from("b")]);
        (0..20).for_each(|n| settings.opened(Path::new(&n.to_string())));
        assert_eq!(settings.recent.len(), RECENT);
    }
}
