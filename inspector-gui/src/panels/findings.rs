//! The findings: what peers did against the standards, each with its section and its advice.

use egui::{Align2, FontId, Painter, Sense, Ui, pos2, vec2};
use framescope_core::present::Secrets;
use framescope_core::{ConnectionId, Diagnostic, Index};
use jiff::tz::TimeZone;

use super::{format, parts};
use crate::App;
use crate::command::Command;
use crate::fonts;
use crate::list::{FINDINGS, List, RowLook};
use crate::theme::{self, Palette};

const ENTRY_HEIGHT: f32 = 62.0;
/// Findings looked at to list those of one connection; the newest count.
const MOST: usize = 100_000;

/// Draws the list.
pub fn findings_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let (from, until) = (app.view.cleared.findings, app.extent().findings);
    let shown: Vec<usize> = {
        let index = app.store.index();
        let of_connection = |row: &usize| {
            let wanted = app.view.connection;
            index
                .findings()
                .get(*row)
                .is_some_and(|(id, _)| wanted.is_none_or(|wanted| wanted == *id))
        };
        (from.max(until.saturating_sub(MOST))..until).filter(of_connection).collect()
    };
    if shown.is_empty() {
        let line = "Every handshake, frame and message seen so far keeps to the standards.";
        return parts::empty_state(ui, "No findings", line, |ui| {
            if from > 0 {
                parts::offer(ui, Command::ShowCleared, commands);
            }
        });
    }
    let (body, _) = ui.allocate_exact_size(ui.available_size(), Sense::HOVER);
    let (list, selected) = &mut app.view.findings;
    let asked = List {
        name: FINDINGS,
        body,
        row_height: ENTRY_HEIGHT,
        len: shown.len(),
        selected: *selected,
        is_main: true,
    };
    let fonts = Look {
        palette: theme::palette(ui),
        body: parts::body_font(ui),
        small: parts::small_font(ui),
        mono: parts::mono_font(ui),
    };
    let store = &app.store;
    let outcome = list.show(
        ui,
        asked,
        |range| {
            let index = store.index();
            let copy = |at: usize| {
                let (connection, finding) = index.findings().get(*shown.get(at)?)?;
                let target = index.connection(*connection).and_then(|c| c.target());
                let target = target.map(|target| Secrets::Masked.target(target).into_owned());
                let mut finding = finding.clone();
                finding.evidence = Secrets::Masked.words(finding.evidence).into_owned();
                Some(Listed { connection: *connection, target, finding })
            };
            range.filter_map(copy).collect()
        },
        |_, Listed { connection, finding, .. }| {
            let rule = finding.rule;
            format!(
                "{}: {}, connection {connection}, {}",
                rule.severity.name(),
                rule.title,
                finding.evidence
            )
        },
        |painter, look, listed| fonts.paint(painter, look, listed, &app.zone),
    );
    let Some(position) = outcome.chosen else { return };
    *selected = Some(position);
    let target = {
        let index = app.store.index();
        shown
            .get(position)
            .and_then(|row| index.findings().get(*row))
            .map(|(connection, finding)| (*connection, frame_of(&index, *connection, finding)))
    };
    match target {
        Some((connection, Some(row))) => app.show_frame(connection, row),
        Some((connection, None)) => {
            app.view.connection = Some(connection);
            commands.push(Command::ShowHandshake);
        }
        None => {}
    }
}

/// One finding, copied out of the index.
struct Listed {
    connection: ConnectionId,
    target: Option<String>,
    finding: Diagnostic,
}

/// What it takes to draw findings.
struct Look {
    palette: &'static Palette,
    body: FontId,
    small: FontId,
    mono: FontId,
}

impl Look {
    /// Title, section and time; who did what; what to do about it.
    fn paint(&self, painter: &Painter, look: RowLook, listed: &Listed, zone: &TimeZone) {
        let Self { palette, body, small, mono } = self;
        let Listed { connection, target, finding } = listed;
        let rule = finding.rule;
        let rect = look.rect.shrink2(vec2(14.0, 0.0));
        let rows = [14.0, 32.0, 49.0].map(|y| rect.min.y + y);
        let left = rect.min.x + 23.0;
        let put = |x: f32, row: usize, width: f32, text: &str, font: &FontId, color| {
            let at = pos2(x, rows[row]);
            parts::line(painter, at, Align2::LEFT_CENTER, width, text, font.clone(), color)
        };
        let put_right = |x: f32, text: &str, font: &FontId, color| {
            painter.text(pos2(x, rows[0]), Align2::RIGHT_CENTER, text, font.clone(), color).min.x
        };
        let color = palette.severity(rule.severity);
        let sign = theme::severity_icon(rule.severity);
        put(rect.min.x, 0, 20.0, sign, &fonts::icons(15.0), color);
        let time = format::clock(finding.at, zone);
        let right = put_right(rect.max.x, &time, mono, palette.weak);
        let right = put_right(right - 12.0, rule.section, small, palette.accent);
        put(left, 0, right - left - 10.0, &sentence(rule.title), body, palette.text);
        let target = target.as_deref().unwrap_or_default();
        let who = format!("{} {connection} {target}", finding.direction.arrow());
        let color = palette.direction(finding.direction);
        let evidence = put(left, 1, rect.width() * 0.3, &who, mono, color).max.x + 10.0;
        put(evidence, 1, rect.max.x - evidence, &finding.evidence, mono, palette.text);
        put(left, 2, rect.max.x - left, rule.advice, small, palette.weak);
        painter.hline(look.rect.x_range(), look.rect.max.y - 0.5, palette.hairline_stroke());
    }
}

/// The row of the frame that a finding is about, if it is about one.
fn frame_of(index: &Index, connection: ConnectionId, finding: &Diagnostic) -> Option<usize> {
    finding.place.frame?;
    (0..index.frames().len()).find(|row| {
        index.frames().get(*row).is_some_and(|frame| {
            let header = frame.header();
            let len = u64::from(header.encoded_len()).saturating_add(header.payload_len.value);
            frame.connection() == connection
                && frame.direction() == finding.direction
                && (frame.offset()..frame.offset().saturating_add(len))
                    .contains(&finding.place.offset)
        })
    })
}

/// With a capital at its start.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
