//! The findings: what peers did against the standards, and the chosen one in full.

mod chosen;
mod list;

use egui::{CentralPanel, Frame, Panel, Rangef, Sense, Ui};
use framescope_core::present::counted;
use framescope_core::{ConnectionId, Diagnostic, Severity};

use super::{format, parts};
use crate::App;
use crate::command::Command;
use crate::list::{FINDINGS, List, RowFilter, ViewRows, VirtualList, list_id};
use crate::store::as_listed;
use crate::theme;
use crate::widgets::HexView;

/// Findings that a changed filter looks at in one picture.
const SCAN_BUDGET: usize = 100_000;

/// What the findings tab remembers.
#[derive(Debug, Default)]
pub struct FindingsView {
    /// Where the list stands.
    list: VirtualList,
    /// Which findings it has.
    rows: ViewRows,
    /// Number of the chosen one in the index.
    chosen: Option<usize>,
    /// Only findings of this severity.
    severity: Option<Severity>,
    /// The octets of the finding with this number.
    octets: (Option<usize>, HexView),
}

impl FindingsView {
    /// One that stands at the first finding.
    pub(crate) fn at_top() -> Self {
        Self { list: VirtualList::at_top(), ..Self::default() }
    }

    /// Findings have other numbers from now on.
    pub(crate) fn renumbered(&mut self) {
        self.rows = ViewRows::default();
        self.octets = Default::default();
        self.chosen = None;
    }

    /// No finding is chosen any more.
    pub fn unchoose(&mut self) {
        self.chosen = None;
    }

    /// Number of the chosen finding in the index.
    pub fn chosen(&self) -> Option<usize> {
        self.chosen
    }
}

/// Draws the list, and the chosen finding beside it.
pub fn findings_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    update_rows(app, ui);
    let elsewhere = elsewhere(app);
    if app.view.findings.rows.is_empty()
        && app.view.findings.severity.is_none()
        && let Some(connection) = app.view.connection
        && elsewhere > 0
    {
        let heading = format!("No findings on {connection}");
        let others = counted(elsewhere as u64, "finding", "findings");
        let line = format!("There is more to see: {others} elsewhere.");
        return parts::empty_state(ui, &heading, &line, |ui| {
            parts::offer(ui, Command::ShowAllConnections, commands);
        });
    }
    if app.view.findings.rows.is_empty() && app.view.findings.severity.is_none() {
        let line = "Every handshake, frame and message seen so far keeps to the standards.";
        return parts::empty_state(ui, "No findings", line, |ui| {
            if app.view.cleared.findings > 0 {
                parts::offer(ui, Command::ShowCleared, commands);
            }
        });
    }
    let palette = theme::palette(ui);
    let ground = Frame::new().fill(palette.background);
    if app.view.findings.chosen.is_some() {
        let room = ui.available_width();
        Panel::right("finding")
            .default_size((room * 0.45).clamp(320.0, 520.0))
            .size_range(Rangef::new(280.0, (room - 300.0).max(280.0)))
            .frame(ground)
            .show(ui, |ui| {
                ui.expand_to_include_rect(ui.max_rect());
                chosen::chosen_ui(app, ui, commands);
            });
    }
    CentralPanel::default().frame(ground).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        severities_ui(app, ui, elsewhere, commands);
        list_ui(app, ui);
    });
}

/// Findings that are not listed because they are other connections'.
fn elsewhere(app: &App) -> usize {
    let is_narrowed = app.view.connection.is_some() && app.view.findings.severity.is_none();
    let all = app.extent().findings.saturating_sub(app.view.cleared.findings);
    if is_narrowed { all.saturating_sub(app.view.findings.rows.len()) } else { 0 }
}

fn update_rows(app: &mut App, ui: &Ui) {
    let filter = RowFilter {
        connection: app.view.connection,
        from: app.view.cleared.findings,
        // What the severity narrows to is a filter of its own.
        search: app.view.findings.severity.map(|severity| severity as u64),
        ..RowFilter::default()
    };
    let until = app.extent().findings;
    let index = app.store.index();
    let findings = index.findings();
    let severity = app.view.findings.severity;
    let admits = |row: usize| {
        findings.get(row).is_some_and(|(connection, finding)| {
            filter.connection.is_none_or(|wanted| wanted == *connection)
                && severity.is_none_or(|wanted| wanted == finding.rule.severity)
        })
    };
    let admits = |row: usize| Some(admits(row));
    if app.view.findings.rows.update(filter, until, SCAN_BUDGET, admits) {
        ui.ctx().request_repaint();
    }
}

/// The chips that narrow the list to one severity.
fn severities_ui(app: &mut App, ui: &mut Ui, elsewhere: usize, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    ui.add_space(5.0);
    ui.horizontal(|ui| {
        ui.add_space(10.0);
        ui.spacing_mut().item_spacing.x = 4.0;
        let choices = [
            (Severity::Error, "errors", "Only what is against a MUST"),
            (Severity::Warning, "warnings", "Only what is likely to hurt"),
            (Severity::Note, "notes", "Only what is worth knowing"),
        ];
        for (severity, name, explanation) in choices {
            let on = app.view.findings.severity == Some(severity);
            if parts::chip(ui, name, palette.severity(severity), on, explanation) {
                app.view.findings.severity = (!on).then_some(severity);
            }
        }
        if elsewhere > 0 {
            let more = format!("{} elsewhere: show all", format::thousands(elsewhere as u64));
            let explanation = Command::ShowAllConnections.explanation();
            if parts::chip(ui, &more, palette.accent, false, explanation) {
                commands.push(Command::ShowAllConnections);
            }
        }
    });
    ui.add_space(5.0);
    let y = ui.cursor().top();
    ui.painter().hline(ui.max_rect().x_range(), y, palette.hairline_stroke());
}

fn list_ui(app: &mut App, ui: &mut Ui) {
    let (body, _) = ui.allocate_exact_size(ui.available_size(), Sense::HOVER);
    let look = list::Look::new(ui);
    let (store, zone) = (&app.store, &app.zone);
    let view = &mut app.view.findings;
    let rows = &view.rows;
    let asked = List {
        name: FINDINGS,
        body,
        row_height: list::ENTRY_HEIGHT,
        len: rows.len(),
        selected: view.chosen.and_then(|row| rows.position_of(row)),
        is_main: true,
    };
    let outcome = view.list.show(
        ui,
        asked,
        |range| {
            let index = store.index();
            range.filter_map(|at| list::Listed::of(&index, rows.row(at)?)).collect()
        },
        |_, listed| listed.spoken(),
        |painter, row, listed| look.paint(painter, row, listed, zone),
    );
    if let Some(row) = outcome.chosen.and_then(|position| rows.row(position)) {
        view.chosen = Some(row);
    }
    // Enter shows what a finding is about.
    let has_focus = ui.memory(|memory| memory.has_focus(list_id(FINDINGS)));
    if has_focus
        && ui.input(|input| input.key_pressed(egui::Key::Enter))
        && let Some(row) = app.view.findings.chosen
    {
        show(app, row);
    }
}

/// Shows the frame, or the handshake, that a finding is about.
fn show(app: &mut App, row: usize) {
    let about = {
        let index = app.store.index();
        let Some((connection, finding)) = index.findings().get(row) else { return };
        let frame = finding
            .place
            .frame
            .and_then(|ordinal| index.frame_row(*connection, finding.direction, ordinal));
        (*connection, frame)
    };
    match about {
        (connection, Some(row)) => app.show_frame(connection, row),
        (connection, None) => app.show_handshake(connection),
    }
}

/// A finding with all that is told of it, copied out of the index.
struct Told {
    connection: ConnectionId,
    target: Option<String>,
    finding: Diagnostic,
    /// The frame it is about: its row, and where it begins in its lane.
    frame: Option<(usize, u64)>,
}

impl Told {
    fn of(app: &App, row: usize) -> Option<Self> {
        let index = app.store.index();
        let (connection, finding) = index.findings().get(row)?;
        let frame = finding.place.frame.and_then(|ordinal| {
            let row = index.frame_row(*connection, finding.direction, ordinal)?;
            Some((row, index.frames().get(row)?.offset()))
        });
        let target = list::target_of(&index, *connection);
        let finding = as_listed(&index, *connection, finding);
        Some(Self { connection: *connection, target, finding, frame })
    }
}
