//! How rows of the tables look: their columns, and what stands in each.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use egui::{Align2, CornerRadius, Painter, Rect, Shape, Stroke, pos2, vec2};
use framescope_core::index::FrameRow;
use framescope_core::subprotocol::{Role, Subprotocol};
use framescope_core::{Opcode, Severity, Timestamp};

use crate::detail::subprotocol_name;
use crate::fonts;
use crate::list::{Column, Kind, RowLook};
use crate::panels::cells::Cells;
use crate::panels::{format, parts};
use crate::settings::Listing;
use crate::store::Preview;
use crate::store::dissections::Line;
use crate::theme;
use crate::widgets::format::duration;

/// Where less is left beside what a message says, its payload is not shown as well.
const LEAST_PREVIEW: f32 = 60.0;
/// In less room the time that an answer took stands by itself.
const WITH_AFTER: f32 = 110.0;
/// In less room the sub-protocol's name is left out.
const LEAST_WITH_CHIP: f32 = 230.0;

pub(super) const MESSAGE_COLUMNS: &[Column] = &[
    Column::new("#", "Number of the message in this capture", 48.0).right(),
    Column::new("", "↑ client to server, ↓ server to client", 26.0),
    Column::new("Connection", "The connection's target", 100.0).spare(2),
    Column::new("Type", "Text, binary, or the kind of control frame", 66.0),
    Column::new("Data", "The payload, inflated; a preview of one line", 0.0),
    Column::new("Length", "Octets of the whole message, inflated", 66.0).right(),
    Column::new("Time", "When its first octet was read, local time", 96.0).right().spare(1),
    Column::new("Δ", "Time since the row above", 84.0).right().spare(3),
];
pub(super) const MESSAGE_FLEX: usize = 4;

pub(super) const FRAME_COLUMNS: &[Column] = &[
    Column::new("#", "Number of the frame in this capture", 48.0).right(),
    Column::new("", "↑ client to server, ↓ server to client", 26.0),
    Column::new("Connection", "The connection's target", 100.0).spare(7),
    Column::new("Opcode", "What the frame is (RFC 6455 §5.2)", 84.0),
    Column::new("FIN", "1 where the frame ends its message", 34.0),
    Column::new("RSV", "RSV1, RSV2, RSV3; RSV1 marks compression", 38.0),
    Column::new("Masking key", "The key; – where the MASK bit is 0", 96.0),
    Column::new("Payload", "The payload unmasked, not inflated", 0.0).spare(5),
    Column::new("Length", "Octets of payload", 68.0).right(),
    Column::new("Form", "Bits the length is written in: 7, 16 or 64", 42.0).right().spare(3),
    Column::new("Wire", "Octets of header and payload", 64.0).right().spare(2),
    Column::new("Offset", "Where the frame starts in its direction", 80.0).right().spare(1),
    Column::new("Time", "When its first octet was read, local time", 96.0).right().spare(6),
];
pub(super) const FRAME_FLEX: usize = 7;
pub(super) const CONNECTION_COLUMN: usize = 2;

/// Everything a row shows, copied out of the index.
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) frame: FrameRow,
    pub(super) target: Option<String>,
    pub(super) len: u64,
    pub(super) frames: usize,
    pub(super) severity: Option<Severity>,
    pub(super) before: Option<Timestamp>,
    pub(super) preview: Option<Arc<Preview>>,
    pub(super) said: Option<SaidLine>,
    /// The frame row by which a search marks it.
    pub(super) last_frame: usize,
    /// It holds what is looked for, among others that do not.
    pub(super) found: bool,
}

/// What a message says, in one line.
pub(super) struct SaidLine {
    protocol: Subprotocol,
    role: Option<Role>,
    has_problem: bool,
    text: String,
    latency: Option<Duration>,
}

impl From<Line<'_>> for SaidLine {
    fn from(line: Line<'_>) -> Self {
        let Line { protocol, role, has_problem, text, latency } = line;
        Self { protocol, role, has_problem, text: text.to_owned(), latency }
    }
}

/// Rows of messages and frames.
pub(super) struct Look<'a>(pub(super) Cells<'a>);

impl<'a> Deref for Look<'a> {
    type Target = Cells<'a>;

    fn deref(&self) -> &Cells<'a> {
        &self.0
    }
}

impl Look<'_> {
    fn common(&self, painter: &Painter, look: RowLook, row: &Row) {
        let palette = self.palette;
        if row.found {
            self.mark(painter, look);
        }
        if row.frame.is_behind_gap() {
            let edge = [look.rect.left_top(), look.rect.right_top()];
            let stroke = Stroke::new(1.0, palette.warning);
            painter.extend(Shape::dashed_line(&edge, stroke, 5.0, 4.0));
        }
        let number = format::thousands(row.number as u64 + 1);
        self.text(painter, look, 0, &number, palette.weak);
        let direction = row.frame.direction();
        let arrow = direction.arrow().to_string();
        self.text(painter, look, 1, &arrow, palette.direction(direction));
        if let Some(target) = &row.target {
            self.text(painter, look, CONNECTION_COLUMN, target, palette.weak);
        }
        let opcode = row.frame.header().opcode;
        let name = if opcode == Opcode::Continuation { "continuation" } else { opcode.name() };
        let colors = match Kind::of(opcode) {
            Kind::Close => (palette.tint(palette.accent), palette.accent),
            Kind::Reserved => (palette.tint(palette.error), palette.error),
            Kind::Text | Kind::Binary => (palette.raised, palette.text),
            _ => (palette.raised, palette.weak),
        };
        self.chip(painter, look, 3, name.to_owned(), colors);
    }

    fn data(&self, painter: &Painter, look: RowLook, column: usize, row: &Row) {
        let Some(mut cell) = self.cell(look, column) else { return };
        let palette = self.palette;
        if let Some(severity) = row.severity {
            let sign = theme::severity_icon(severity);
            let color = palette.severity(severity);
            let at = painter.text(
                cell.left_center(),
                Align2::LEFT_CENTER,
                sign,
                fonts::icons(13.0),
                color,
            );
            cell.min.x = at.max.x + 5.0;
        }
        if row.frame.is_behind_gap() {
            let at = cell.left_center();
            let (left, font) = (Align2::LEFT_CENTER, self.small.clone());
            let at = painter.text(at, left, "behind a gap", font, palette.warning);
            cell.min.x = at.max.x + 8.0;
        }
        if row.frames > 1 && row.frame.header().opcode.begins_message() && !row.frame.header().fin {
            let galley =
                painter.layout_no_wrap("fragmented".to_owned(), self.small.clone(), palette.faint);
            cell.max.x -= galley.size().x + 6.0;
            let at = cell.right_center() + vec2(6.0, -galley.size().y / 2.0);
            painter.galley(at, galley, palette.faint);
        }
        if let Some(said) = &row.said {
            cell.min.x = self.said(painter, cell, said);
            if cell.width() < LEAST_PREVIEW {
                return;
            }
        }
        let Some(preview) = &row.preview else { return };
        let is_control = row.frame.header().opcode.is_control();
        let color = match (preview.fault, preview.hex || is_control) {
            (true, _) => palette.warning,
            _ if row.said.is_some() => palette.faint,
            (_, true) => palette.weak,
            _ => palette.text,
        };
        let text = clip_to(&preview.text, cell.width());
        let (at, anchor) = (cell.left_center(), Align2::LEFT_CENTER);
        parts::line(painter, at, anchor, cell.width(), text, self.mono.clone(), color);
    }

    /// What the message says in its sub-protocol; where the preview may begin.
    fn said(&self, painter: &Painter, cell: Rect, said: &SaidLine) -> f32 {
        let palette = self.palette;
        let mut x = cell.min.x;
        if cell.width() > LEAST_WITH_CHIP {
            let name = subprotocol_name(said.protocol).to_owned();
            let galley = painter.layout_no_wrap(name, self.small.clone(), palette.weak);
            let size = vec2(galley.size().x + 10.0, 16.0);
            let chip = Rect::from_min_size(pos2(x, cell.center().y - 8.0), size);
            painter.rect_filled(chip, CornerRadius::same(4), palette.raised);
            painter.galley(chip.center() - galley.size() / 2.0, galley, palette.weak);
            x = chip.max.x + 6.0;
        }
        if said.has_problem {
            let at = pos2(x, cell.center().y);
            let sign = theme::severity_icon(Severity::Warning);
            let font = fonts::icons(13.0);
            x = painter.text(at, Align2::LEFT_CENTER, sign, font, palette.warning).max.x + 5.0;
        }
        let color = match said.role {
            Some(Role::KeepAlive | Role::Control) | None => palette.weak,
            Some(_) => palette.text,
        };
        let (at, room) = (pos2(x, cell.center().y), cell.max.x - x);
        let (text, font) = (clip_to(&said.text, room), self.mono.clone());
        x = parts::line(painter, at, Align2::LEFT_CENTER, room, text, font, color).max.x + 10.0;
        if let Some(latency) = said.latency
            && cell.max.x - x > LEAST_PREVIEW
        {
            let at = pos2(x, cell.center().y);
            let (anchor, room) = (Align2::LEFT_CENTER, cell.max.x - x);
            let took = duration(latency);
            let after = if room < WITH_AFTER { took } else { format!("after {took}") };
            let font = self.mono.clone();
            x = parts::line(painter, at, anchor, room, &after, font, palette.weak).max.x + 10.0;
        }
        x
    }

    pub(super) fn message(&self, painter: &Painter, look: RowLook, row: &Row) {
        let palette = self.palette;
        self.common(painter, look, row);
        self.data(painter, look, MESSAGE_FLEX, row);
        self.octets(painter, look, 5, row.len, palette.text);
        let at = row.frame.first_octet_at();
        self.text(painter, look, 6, &format::clock(at, self.zone), palette.weak);
        if let Some(before) = row.before {
            self.text(painter, look, 7, &format::delta(at.since(before)), palette.weak);
        }
    }

    pub(super) fn frame(&self, painter: &Painter, look: RowLook, row: &Row) {
        let palette = self.palette;
        let header = row.frame.header();
        self.common(painter, look, row);
        let bit = |on: bool| if on { "1" } else { "0" };
        let color = if header.fin { palette.fin } else { palette.weak };
        self.text(painter, look, 4, bit(header.fin), color);
        let rsv = format!("{:03b}", header.rsv.bits());
        let color = if header.rsv.bits() == 0 { palette.faint } else { palette.text };
        self.text(painter, look, 5, &rsv, color);
        match header.masking_key {
            Some(key) => {
                let [a, b, c, d] = key.0;
                let key = format!("{a:02x} {b:02x} {c:02x} {d:02x}");
                self.text(painter, look, 6, &key, palette.masking_key);
            }
            None => self.text(painter, look, 6, "–", palette.faint),
        }
        self.data(painter, look, FRAME_FLEX, row);
        self.octets(painter, look, 8, row.len, palette.text);
        let form = header.payload_len.form.bits().to_string();
        let color = if header.payload_len.is_minimal() { palette.weak } else { palette.error };
        self.text(painter, look, 9, &form, color);
        let wire = u64::from(header.encoded_len()).saturating_add(row.len);
        self.octets(painter, look, 10, wire, palette.weak);
        self.octets(painter, look, 11, row.frame.offset(), palette.weak);
        let at = row.frame.first_octet_at();
        self.text(painter, look, 12, &format::clock(at, self.zone), palette.weak);
    }

    /// The row in words.
    pub(super) fn spoken(&self, row: &Row, listing: Listing) -> String {
        let what = match listing {
            Listing::Messages => "message",
            Listing::Frames => "frame",
        };
        let opcode = row.frame.header().opcode;
        let sender = row.frame.direction().sender();
        let preview = row.preview.as_ref().map_or("", |preview| &preview.text);
        let said = row.said.as_ref().map_or(String::new(), |said| {
            format!(" {} {},", subprotocol_name(said.protocol), said.text)
        });
        let time = format::clock(row.frame.first_octet_at(), self.zone);
        let finding =
            row.severity.map_or(String::new(), |severity| format!(", {}", severity.name()));
        let gap = if row.frame.is_behind_gap() { ", behind a gap" } else { "" };
        let number = row.number + 1;
        format!(
            "{what} {number}, {opcode} from {sender}, {} octets, {time}{finding}{gap}:{said} {preview}",
            row.len
        )
    }
}

/// No more characters than could be seen: nothing unbounded is laid out.
fn clip_to(text: &str, width: f32) -> &str {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a screen's width")]
    let most = (width.max(0.0) / 3.0) as usize + 4;
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}
