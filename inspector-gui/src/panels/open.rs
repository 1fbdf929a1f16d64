//! The dialog that asks for a capture: a path, the latest captures, or the desktop's own chooser.

use std::path::{Path, PathBuf};

use egui::{
    Area, Button, Context, Frame, Id, Label, Modal, Order, Pos2, Rect, RichText, Stroke,
    StrokeKind, Ui, vec2,
};

use super::chooser::{self, Choice, Chooser};
use super::path_field::PathField;
use crate::App;
use crate::command::Command;
use crate::desktop;
use crate::theme;

const LISTED: usize = 8;

/// The dialog while it is open.
#[derive(Debug)]
pub struct Dialog {
    field: PathField,
    captures: Vec<PathBuf>,
    chooser: Chooser,
}

impl Dialog {
    /// Opened by the user.
    pub fn new(app: &App) -> Self {
        let mut captures = app.settings.recent.clone();
        for capture in captures_beside(app.source().capture_path()) {
            if !captures.contains(&capture) {
                captures.push(capture);
            }
        }
        captures.retain(|capture| capture.is_file());
        captures.truncate(LISTED);
        Self { field: PathField::default(), captures, chooser: Chooser::default() }
    }

    /// Opened because this file could not be.
    pub fn failed(app: &App, path: &Path, trouble: String) -> Self {
        let mut field = PathField::new(path.display().to_string());
        field.trouble = Some(trouble);
        Self { field, ..Self::new(app) }
    }
}

/// Other captures in the same folder, the newest first.
fn captures_beside(capture: &Path) -> Vec<PathBuf> {
    let Some(entries) = capture.parent().and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return Vec::new();
    };
    let mut captures: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "pcapng" || end == "pcap"))
        .filter(|path| path != capture)
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    captures.sort_by(|a, b| b.cmp(a));
    captures.into_iter().map(|(_, path)| path).collect()
}

/// Draws the dialog if it is open.
pub fn dialog_ui(app: &mut App, ctx: &Context) {
    let Some(mut dialog) = app.dialog.take() else { return };
    let mut chosen = None;
    let frame = Frame::popup(&ctx.global_style()).inner_margin(18);
    let modal = Modal::new(Id::unique("open capture")).frame(frame).show(ctx, |ui| {
        ui.set_width(460.0);
        chosen = content_ui(&mut dialog, ui);
    });
    if let Some(path) = dialog.take_chosen() {
        chosen = Some(path);
    }
    match chosen {
        Some(path) => {
            if let Err(line) = app.open_capture(&path) {
                dialog.field.trouble = Some(line);
                app.dialog = Some(dialog);
            }
        }
        None if modal.should_close() => {}
        None => app.dialog = Some(dialog),
    }
}

/// Says over everything what becomes of the file that is held over the window.
pub fn drop_ui(ctx: &Context) {
    if !ctx.input(|input| !input.raw.hovered_files.is_empty()) {
        return;
    }
    let area = Area::new(Id::unique("drop")).order(Order::Tooltip).fixed_pos(Pos2::ZERO);
    area.interactable(false).show(ctx, |ui| {
        let palette = theme::palette(ui);
        let window = ctx.content_rect();
        let painter = ui.painter();
        painter.rect_filled(window, 0.0, palette.background.gamma_multiply(0.85));
        let edge = Stroke::new(2.0, palette.accent);
        painter.rect_stroke(window.shrink(6.0), 8.0, edge, StrokeKind::Inside);
        let at = Rect::from_center_size(window.center(), vec2(400.0, 30.0));
        let text = RichText::new("Drop the capture to open it").text_style(theme::title());
        ui.put(at, Label::new(text));
    });
}

fn content_ui(dialog: &mut Dialog, ui: &mut Ui) -> Option<PathBuf> {
    let palette = theme::palette(ui);
    let mut chosen = None;
    ui.label(RichText::new("Open a capture").text_style(theme::title()));
    ui.add_space(2.0);
    let mut line = "A pcapng or pcap file: Framescope's own, Wireshark's or tcpdump's.".to_owned();
    if desktop::takes_dropped_files() {
        line.push_str(" Or drop it on the window.");
    }
    ui.label(RichText::new(line).color(palette.weak));
    ui.add_space(8.0);
    let entered = dialog.field.ui("Path of the capture", "/path/to/capture.pcapng", ui);
    if !dialog.captures.is_empty() {
        ui.add_space(8.0);
        ui.label(RichText::new("Recent captures").small().color(palette.weak));
        for capture in &dialog.captures {
            let name = capture.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let button = Button::new(&name).truncate().frame_when_inactive(false);
            let button = ui.add_sized([ui.available_width(), 22.0], button);
            if button.on_hover_text(capture.display().to_string()).clicked() {
                chosen = Some(capture.clone());
            }
        }
    }
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        let typed = dialog.field.file();
        let open = Button::new("Open").fill(palette.selection);
        if ui.add_enabled(typed.is_some(), open).clicked() || entered {
            chosen = chosen.take().or(typed);
        }
        let browse =
            ui.add_enabled(!dialog.chooser.is_open(), Button::new("Browse…").fill(palette.raised));
        if browse.on_hover_text("Ask with the desktop's own dialog").clicked() {
            let captures = ("Captures", &["pcapng", "pcap", "cap"][..]);
            dialog.chooser.ask(ui.ctx().clone(), Command::OpenCapture.label(), captures);
        }
        if ui.add(Button::new("Cancel").fill(palette.raised)).clicked() {
            ui.close();
        }
    });
    chosen
}

impl Dialog {
    fn take_chosen(&mut self) -> Option<PathBuf> {
        match self.chooser.take() {
            Choice::File(path) => Some(path),
            Choice::NoDialog => {
                self.field.trouble = Some(chooser::NONE_HERE.to_owned());
                None
            }
            Choice::NotYet => None,
        }
    }
}
