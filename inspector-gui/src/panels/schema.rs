//! The dialog that tells what Protobuf payloads are: a descriptor set, and one of its message types.

use std::path::{Path, PathBuf};

use egui::{Button, Context, Frame, Id, Key, Modal, RichText, ScrollArea, TextEdit, Ui};
use framescope_core::payload::protobuf::{MessageType, Schema};

use super::chooser::{self, Choice, Chooser};
use super::path_field::expand_home;
use crate::App;
use crate::settings::ProtobufSettings;
use crate::theme;

/// A descriptor set is not larger than this: a file that was chosen by mistake is not read.
const MOST_OCTETS: u64 = 64 << 20;
const LIST_HEIGHT: f32 = 220.0;

/// The dialog while it is open.
#[derive(Debug, Default)]
pub struct Dialog {
    path: String,
    schema: Option<Schema>,
    types: Vec<String>,
    /// Only types with this in their name are listed.
    part: String,
    trouble: Option<String>,
    chooser: Chooser,
}

/// What the user decided.
enum Decision {
    Read(PathBuf),
    Use(String),
    UseNone,
}

/// Reads a descriptor set; one line where that fails.
fn read(path: &Path) -> Result<Schema, String> {
    let tell = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let len = path.metadata().map_err(tell)?.len();
    if len > MOST_OCTETS {
        return Err(format!("{} is no descriptor set: it has {len} octets", path.display()));
    }
    Schema::parse(&std::fs::read(path).map_err(tell)?).map_err(|error| error.to_string())
}

/// The message type that was chosen in an earlier start, where it is still there.
pub fn remembered(settings: &ProtobufSettings) -> Option<MessageType> {
    let name = settings.message_type.as_deref()?;
    read(settings.descriptor_set.as_deref()?).ok()?.message_type(name)
}

impl Dialog {
    /// Opened by the user.
    pub fn new(settings: &ProtobufSettings) -> Self {
        let mut dialog = Self::default();
        if let Some(path) = &settings.descriptor_set {
            dialog.read(path);
        }
        dialog
    }

    fn read(&mut self, path: &Path) {
        self.path = path.display().to_string();
        (self.schema, self.types, self.trouble) = (None, Vec::new(), None);
        match read(path) {
            Ok(schema) => {
                self.types = schema.messages();
                self.schema = Some(schema);
            }
            Err(line) => self.trouble = Some(line),
        }
    }
}

/// Draws the dialog if it is open.
pub fn dialog_ui(app: &mut App, ctx: &Context) {
    let Some(mut dialog) = app.schema_dialog.take() else { return };
    let chosen = app.message_type.as_ref().map(|known| known.name().to_owned());
    let frame = Frame::popup(&ctx.global_style()).inner_margin(18);
    let modal = Modal::new(Id::unique("protobuf schema")).frame(frame).show(ctx, |ui| {
        ui.set_width(460.0);
        content_ui(&mut dialog, ui, chosen.as_deref())
    });
    let mut stays = !modal.should_close();
    let mut decision = modal.inner;
    match dialog.chooser.take() {
        Choice::File(path) => decision = Some(Decision::Read(path)),
        Choice::NoDialog => dialog.trouble = Some(chooser::NONE_HERE.to_owned()),
        Choice::NotYet => {}
    }
    match decision {
        Some(Decision::Read(path)) => dialog.read(&path),
        Some(Decision::Use(name)) => {
            let schema = dialog.schema.as_ref();
            app.message_type = schema.and_then(|schema| schema.message_type(&name));
            app.settings.protobuf = ProtobufSettings {
                descriptor_set: Some(expand_home(dialog.path.trim())),
                message_type: Some(name),
            };
            stays = false;
        }
        Some(Decision::UseNone) => {
            app.message_type = None;
            app.settings.protobuf.message_type = None;
            stays = false;
        }
        None => {}
    }
    if stays {
        app.schema_dialog = Some(dialog);
    } else {
        ctx.request_repaint();
    }
}

fn content_ui(dialog: &mut Dialog, ui: &mut Ui, chosen: Option<&str>) -> Option<Decision> {
    let palette = theme::palette(ui);
    let mut decision = None;
    ui.label(RichText::new("Read Protobuf by a schema").text_style(theme::title()));
    ui.add_space(2.0);
    let line = "A descriptor set, as protoc --include_imports --descriptor_set_out or buf build writes it.";
    ui.label(RichText::new(line).color(palette.weak));
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut dialog.path)
            .hint_text(RichText::new("/path/to/descriptors.binpb").color(palette.faint))
            .desired_width(ui.available_width() - 150.0);
        let field = ui.add(field).accessible_name("Path of the descriptor set");
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let is_there = !dialog.path.trim().is_empty();
        let read = ui.add_enabled(is_there, Button::new("Read").fill(palette.raised));
        if read.clicked() || (entered && is_there) {
            decision = Some(Decision::Read(expand_home(dialog.path.trim())));
        }
        let browse = Button::new("Browse…").fill(palette.raised);
        let browse = ui.add_enabled(!dialog.chooser.is_open(), browse);
        if browse.on_hover_text("Ask with the desktop's own dialog").clicked() {
            let files = ("Descriptor sets", &["binpb", "pb", "desc", "protoset", "bin"][..]);
            dialog.chooser.ask(ui.ctx().clone(), "Choose a descriptor set", files);
        }
    });
    if let Some(trouble) = &dialog.trouble {
        ui.add_space(4.0);
        ui.label(RichText::new(trouble).color(palette.error));
    }
    if dialog.schema.is_some() {
        ui.add_space(8.0);
        let count = crate::widgets::format::counted(dialog.types.len() as u64, "type", "types");
        ui.horizontal(|ui| {
            ui.label(RichText::new("Message type").small().color(palette.weak));
            let field = TextEdit::singleline(&mut dialog.part)
                .hint_text(
                    RichText::new(format!("part of a name, of {count}")).color(palette.faint),
                )
                .desired_width(200.0);
            ui.add(field).accessible_name("Part of the message type's name");
        });
        let part = dialog.part.to_lowercase();
        let listed: Vec<&String> =
            dialog.types.iter().filter(|name| name.to_lowercase().contains(&part)).collect();
        ScrollArea::vertical().id_salt("types").max_height(LIST_HEIGHT).show_rows(
            ui,
            22.0,
            listed.len(),
            |ui, rows| {
                for name in listed.get(rows).unwrap_or_default() {
                    let is_chosen = chosen == Some(name.as_str());
                    if ui.selectable_label(is_chosen, name.as_str()).clicked() {
                        decision = Some(Decision::Use((*name).clone()));
                    }
                }
            },
        );
    }
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        if chosen.is_some() && ui.add(Button::new("Use no schema").fill(palette.raised)).clicked() {
            decision = Some(Decision::UseNone);
        }
        if ui.add(Button::new("Cancel").fill(palette.raised)).clicked() {
            ui.close();
        }
    });
    decision
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_descriptor_set_is_told_in_one_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.binpb");
        assert!(
            read(&path).is_err_and(|line| line.contains("cannot read") && line.contains("x.binpb"))
        );
        std::fs::write(&path, "syntax = \"proto3\";").expect("written");
        let mut dialog = Dialog::default();
        dialog.read(&path);
        let line = dialog.trouble.expect("it is no descriptor set");
        assert!(line.contains("no descriptor set") && !line.contains('\n'), "{line}");
        let settings =
            ProtobufSettings { descriptor_set: Some(path), message_type: Some("a.B".to_owned()) };
        assert!(remembered(&settings).is_none());
    }
}
