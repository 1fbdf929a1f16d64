//! One entry of the findings list.

use egui::{Align2, FontId, Painter, Ui, pos2, vec2};
use framescope_core::present::Secrets;
use framescope_core::{ConnectionId, Diagnostic, Index};
use jiff::tz::TimeZone;

use crate::detail::finding::capitalised;
use crate::fonts;
use crate::list::RowLook;
use crate::panels::{format, parts};
use crate::store::as_listed;
use crate::theme::{self, Palette};

/// Height of an entry.
pub const ENTRY_HEIGHT: f32 = 62.0;

/// One finding, copied out of the index.
pub struct Listed {
    connection: ConnectionId,
    target: Option<String>,
    finding: Diagnostic,
}

/// The connection's target, its secrets masked.
pub fn target_of(index: &Index, connection: ConnectionId) -> Option<String> {
    let target = index.connection(connection)?.target()?;
    Some(Secrets::Masked.target(target).into_owned())
}

impl Listed {
    /// The finding with this number.
    pub fn of(index: &Index, row: usize) -> Option<Self> {
        let (connection, finding) = index.findings().get(row)?;
        let mut finding = as_listed(index, *connection, finding);
        finding.evidence = Secrets::Masked.words(finding.evidence).into_owned();
        Some(Self { connection: *connection, target: target_of(index, *connection), finding })
    }

    /// In words.
    pub fn spoken(&self) -> String {
        let Self { connection, finding, .. } = self;
        let rule = finding.rule;
        let (severity, title) = (rule.severity.name(), rule.title);
        format!("{severity}: {title}, connection {connection}, {}", finding.evidence)
    }
}

/// What it takes to draw entries.
pub struct Look {
    palette: &'static Palette,
    body: FontId,
    small: FontId,
    mono: FontId,
}

impl Look {
    /// In this window.
    pub fn new(ui: &Ui) -> Self {
        Self {
            palette: theme::palette(ui),
            body: parts::body_font(ui),
            small: parts::small_font(ui),
            mono: parts::mono_font(ui),
        }
    }

    /// Title, section and time; who did what; what to do about it.
    pub fn paint(&self, painter: &Painter, look: RowLook, listed: &Listed, zone: &TimeZone) {
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
        put(left, 0, right - left - 10.0, &capitalised(rule.title), body, palette.text);
        let target = target.as_deref().unwrap_or_default();
        let who = format!("{} {connection} {target}", finding.direction.arrow());
        let color = palette.direction(finding.direction);
        let evidence = put(left, 1, rect.width() * 0.3, &who, mono, color).max.x + 10.0;
        put(evidence, 1, rect.max.x - evidence, &finding.evidence, mono, palette.text);
        put(left, 2, rect.max.x - left, rule.advice, small, palette.weak);
        painter.hline(look.rect.x_range(), look.rect.max.y - 0.5, palette.hairline_stroke());
    }
}
