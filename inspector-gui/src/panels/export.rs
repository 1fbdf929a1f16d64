//! The dialog that asks what to write as JSON Lines, and where to, and what came of the writing.

mod part;

use std::path::{Path, PathBuf};

use egui::{Button, Context, Frame, Id, Modal, RichText, Ui};
use framescope_core::ConnectionId;
use framescope_core::present::counted;
use part::{Part, Rows};

use super::chooser::{self, Choice, Chooser};
use super::path_field::PathField;
use crate::App;
use crate::command::Command;
use crate::store::{Export, ExportState, Extract, Target};
use crate::theme;

/// The dialog while it is open.
pub struct Dialog {
    part: Part,
    /// What is offered beside all of the capture: the chosen connection, or that of the selected row.
    connection: Option<ConnectionId>,
    /// What the list shows.
    rows: Rows,
    field: PathField,
    /// The path that was suggested.
    suggested: String,
    chooser: Chooser,
    running: Option<Export>,
    /// The desktop's own dialog has asked whether this file is to be replaced, if it is there.
    agreed: Option<PathBuf>,
}

impl Dialog {
    /// Of what the list shows where it is narrowed, else of the connection that is looked at, or of all of
    /// them; beside the capture.
    pub fn new(app: &App) -> Self {
        let part = Part::at_first(app);
        let connection = app.view.connection.or_else(|| app.pointed_at());
        let suggested = suggestion(app, part, connection);
        Self {
            part,
            connection,
            rows: Rows::new(app),
            field: PathField::new(suggested.clone()),
            suggested,
            chooser: Chooser::default(),
            running: None,
            agreed: None,
        }
    }

    /// Whether the writing has begun; it may have ended.
    pub fn has_begun(&self) -> bool {
        self.running.is_some()
    }

    /// Whether it is known what is to be written, and there is any of it.
    fn is_known(&self) -> bool {
        self.part != Part::Listed || self.rows.is_ready()
    }

    /// What is to be written, once that is known.
    fn extract(&self) -> Option<Extract> {
        match self.part {
            Part::Everything => Some(Extract::Everything),
            Part::Connection => self.connection.map(Extract::Connection),
            Part::Listed => self.rows.listed().map(Extract::Listed),
        }
    }

    /// Suggests another path where another part was chosen, unless the user has typed one.
    fn suggest(&mut self, app: &App) {
        let suggested = suggestion(app, self.part, self.connection);
        if self.field.path == self.suggested {
            self.field.path.clone_from(&suggested);
            self.field.trouble = None;
        }
        self.suggested = suggested;
    }
}

/// `chat.jsonl` beside `chat.pcapng`.
fn suggestion(app: &App, part: Part, connection: Option<ConnectionId>) -> String {
    let capture = app.source().capture_path();
    let name = capture.file_stem().unwrap_or_default().to_string_lossy();
    let name = match (part, connection) {
        (Part::Connection, Some(ConnectionId(number))) => format!("{name}-{number}.jsonl"),
        (Part::Listed, _) => format!("{name}-listed.jsonl"),
        _ => format!("{name}.jsonl"),
    };
    capture.with_file_name(name).display().to_string()
}

/// Draws the dialog if it is open.
pub fn dialog_ui(app: &mut App, ctx: &Context) {
    let Some(mut dialog) = app.export_dialog.take() else { return };
    match dialog.chooser.take() {
        Choice::File(path) => {
            dialog.field.path = path.display().to_string();
            dialog.field.trouble = None;
            dialog.agreed = Some(path);
        }
        Choice::NoDialog => dialog.field.trouble = Some(chooser::NONE_HERE.to_owned()),
        Choice::NotYet => {}
    }
    let (mut wants, mut stays) = (None, false);
    let frame = Frame::popup(&ctx.global_style()).inner_margin(18);
    let modal = Modal::new(Id::unique("export")).frame(frame).show(ctx, |ui| {
        ui.set_width(460.0);
        ui.label(RichText::new("Export as JSON Lines").text_style(theme::title()));
        ui.add_space(2.0);
        let line = "All that was recorded until now, or a part of it: one JSON object a line, as \
                    `framescope show --json` writes it. Credentials in heads are masked, payloads are not.";
        ui.label(RichText::new(line).color(theme::palette(ui).weak));
        ui.add_space(8.0);
        match dialog.running.as_ref().map(Export::state) {
            None => {
                if dialog.rows.go_on(app) {
                    ui.ctx().request_repaint();
                }
                if part::choice_ui(app, &mut dialog.part, dialog.connection, &dialog.rows, ui) {
                    dialog.suggest(app);
                }
                ui.add_space(10.0);
                wants = path_ui(&mut dialog, ui);
            }
            Some(state) => {
                let is_ended = state_ui(&state, &dialog.field.path, ui);
                // What is half written is not given up by a click beside it.
                stays = matches!(state, ExportState::Writing { .. }) && !is_ended;
            }
        }
    });
    if let Some((path, extract)) = wants {
        let captures = [app.source()].into_iter().chain(app.running_aside());
        let replaces = dialog.agreed.as_ref() == Some(&path);
        let target = Target::new(&path, captures.map(|source| &**source), replaces);
        match target.and_then(|target| app.store.export(target, extract)) {
            Ok(export) => dialog.running = Some(export),
            Err(line) => dialog.field.trouble = Some(line),
        }
    }
    if stays || !modal.should_close() {
        app.export_dialog = Some(dialog);
    }
}

/// Where to; the path and what goes there once that is decided.
fn path_ui(dialog: &mut Dialog, ui: &mut Ui) -> Option<(PathBuf, Extract)> {
    let palette = theme::palette(ui);
    let mut is_wanted = dialog.field.ui("Path of the export", "/path/to/export.jsonl", ui);
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        let write = Button::new("Export").fill(palette.selection);
        let is_ready = dialog.field.file().is_some() && dialog.is_known();
        is_wanted |= ui.add_enabled(is_ready, write).clicked();
        let browse =
            ui.add_enabled(!dialog.chooser.is_open(), Button::new("Browse…").fill(palette.raised));
        if browse.on_hover_text("Ask with the desktop's own dialog").clicked() {
            let name = Path::new(&dialog.field.path).file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            dialog.chooser.ask_where(ui.ctx().clone(), Command::Export.label(), name);
        }
        if ui.add(Button::new("Cancel").fill(palette.raised)).clicked() {
            ui.close();
        }
    });
    let path = dialog.field.file().filter(|_| is_wanted)?;
    Some((path, dialog.extract()?))
}

/// How far it has come; whether its button was clicked.
fn state_ui(state: &ExportState, path: &str, ui: &mut Ui) -> bool {
    let palette = theme::palette(ui);
    let (line, color, close) = match state {
        ExportState::Writing { percent } => (format!("{percent} % written"), palette.text, "Stop"),
        ExportState::Written { lines } => {
            let lines = counted(*lines, "line", "lines");
            (format!("{lines} written to {path}"), palette.good, "Close")
        }
        ExportState::Failed(line) => (line.clone(), palette.error, "Close"),
    };
    ui.label(RichText::new(line).color(color));
    ui.add_space(10.0);
    let is_clicked = ui.add(Button::new(close).fill(palette.raised)).clicked();
    if is_clicked {
        ui.close();
    }
    is_clicked
}
