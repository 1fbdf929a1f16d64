//! A payload on its way into a file: which one, where to, and what came of it.

use egui::{Context, Label, RichText, Ui};
use framescope_core::Opcode;

use crate::detail::selected::Selected;
use crate::panels::chooser::{Choice, Chooser};
use crate::source::Source;
use crate::store::saving::{Found, Payload, Saving};
use crate::store::{RowKey, Store, Target};
use crate::theme;

/// What the user is told where there is no such dialog.
const NONE_HERE: &str = "This desktop offers no file dialog, so nothing can be saved from here.";

/// What the pane remembers of it.
#[derive(Debug, Default)]
pub(super) struct SavingPane {
    chooser: Chooser,
    /// Whether the whole message is to be saved, or this frame's payload; until its place was asked for.
    asked: Option<bool>,
    /// What is to be saved once it is known where to.
    found: Option<Found>,
    saving: Option<Saving>,
    /// What came of the last one: a line, and whether it went wrong.
    told: Option<Result<String, String>>,
}

impl SavingPane {
    /// The user wants the selected payload in a file.
    pub(super) fn ask(&mut self, whole_message: bool) {
        if !self.chooser.is_open() && self.saving.is_none() {
            self.asked = Some(whole_message);
            self.told = None;
        }
    }

    /// Whether something was asked for and is not done.
    #[cfg(test)]
    pub(super) fn is_at_work(&self) -> bool {
        self.asked.is_some() || self.found.is_some() || self.saving.is_some()
    }

    /// Forgets what was told; what is being written goes on.
    pub(super) fn forget(&mut self) {
        self.told = None;
    }

    /// Finds what was asked for, and asks where to. `key` is the row of `selected`.
    pub(super) fn begin(&mut self, ctx: &Context, store: &Store, key: RowKey, selected: &Selected) {
        let Some(whole_message) = self.asked.take() else { return };
        let found = store.find_payload(payload(key, selected, whole_message));
        self.ask_where(ctx, found, file_name(selected));
    }

    /// Asks where what was found is to be written; the name is suggested. Nothing happens while another one
    /// is asked about, or being written.
    pub(super) fn ask_where(&mut self, ctx: &Context, found: Result<Found, String>, name: String) {
        if self.chooser.is_open() || self.saving.is_some() {
            return;
        }
        match found {
            Ok(found) => {
                self.found = Some(found);
                self.told = None;
                self.chooser.ask_where(ctx.clone(), "Save the payload", name);
            }
            Err(line) => self.told = Some(Err(line)),
        }
    }

    /// Takes the next step: writes, tells. None of these captures is written over.
    pub(super) fn go_on(&mut self, captures: &[&Source]) {
        match self.chooser.take() {
            Choice::File(path) => {
                let Some(found) = self.found.take() else { return };
                let captures = captures.iter().copied().chain([found.source()]);
                // The dialog has asked whether a file that is there is to be replaced.
                match Target::new(&path, captures, true) {
                    Ok(target) => self.saving = Some(found.save(target)),
                    Err(line) => self.told = Some(Err(line)),
                }
            }
            Choice::NoDialog => self.told = Some(Err(NONE_HERE.to_owned())),
            Choice::NotYet => {}
        }
        if let Some(end) = self.saving.as_ref().and_then(Saving::end) {
            self.told = Some(end);
            self.saving = None;
        }
    }

    /// One line: that it is being written, or what came of it.
    pub(super) fn line_ui(&self, ui: &mut Ui) {
        let palette = theme::palette(ui);
        let (line, color) = match (&self.saving, &self.told) {
            (Some(_), _) => ("Writing the file…", palette.weak),
            (None, Some(Ok(line))) => (line.as_str(), palette.weak),
            (None, Some(Err(line))) => (line.as_str(), palette.error),
            (None, None) => return,
        };
        ui.add(Label::new(RichText::new(line).size(11.5).color(color)).wrap());
    }
}

fn payload(key: RowKey, selected: &Selected, whole_message: bool) -> Payload {
    if whole_message && selected.message.is_some() {
        return Payload::Message(key);
    }
    let header = &selected.frame.header;
    let wire_len = u64::from(header.encoded_len()).saturating_add(header.payload_len.value);
    Payload::Frame {
        connection: selected.connection,
        direction: selected.direction,
        octets: selected.offset..selected.offset.saturating_add(wire_len),
    }
}

/// `message-5.txt`: what the dialog suggests.
fn file_name(selected: &Selected) -> String {
    let opcode = selected.message.as_ref().map(|message| message.opcode);
    let ending = if opcode == Some(Opcode::Text) { "txt" } else { "bin" };
    format!("payload-{}.{ending}", selected.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::sample;

    #[test]
    fn a_message_is_saved_by_its_row_and_a_frame_by_its_octets() {
        let selected = sample::masked_text();
        let key = RowKey::Message(4);
        assert_eq!(payload(key, &selected, true), Payload::Message(key));
        let Payload::Frame { octets, .. } = payload(key, &selected, false) else {
            panic!("a frame");
        };
        assert_eq!(octets, 40_312..40_312 + 62);
        assert_eq!(file_name(&selected), "payload-1281.txt");
    }
}
