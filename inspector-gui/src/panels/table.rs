//! The table of messages or frames: the rows that are visible, copied out once a picture.

use std::sync::Arc;

use egui::{Align2, Color32, CornerRadius, FontId, Painter, Rect, Sense, Ui, pos2, vec2};
use framescope_core::index::FrameRow;
use framescope_core::present::Secrets;
use framescope_core::{Index, Opcode, Severity, Timestamp};

use super::{format, parts};
use crate::App;
use crate::command::Command;
use crate::fonts;
use crate::list::columns::CELL_MARGIN;
use crate::list::{Column, Columns, FRAMES, Kind, List, MESSAGES, RowLook, ViewRows, list_id};
use crate::settings::Listing;
use crate::store::{Preview, RowKey};
use crate::theme::{self, Palette, ROW_HEIGHT};

const HEADER_HEIGHT: f32 = 26.0;
/// Rows that a changed filter looks at in one picture.
const SCAN_BUDGET: usize = 100_000;

const MESSAGE_COLUMNS: &[Column] = &[
    Column::new("#", "Number of the message in this capture", 48.0).right(),
    Column::new("", "↑ client to server, ↓ server to client", 26.0),
    Column::new("Connection", "The connection's target", 100.0).spare(2),
    Column::new("Type", "Text, binary, or the kind of control frame", 66.0),
    Column::new("Data", "The payload, inflated; a preview of one line", 0.0),
    Column::new("Length", "Octets of the whole message, inflated", 66.0).right(),
    Column::new("Time", "When its first octet was read, local time", 96.0).right().spare(1),
    Column::new("Δ", "Time since the row above", 84.0).right().spare(3),
];
const MESSAGE_FLEX: usize = 4;

const FRAME_COLUMNS: &[Column] = &[
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
const FRAME_FLEX: usize = 7;
const CONNECTION_COLUMN: usize = 2;

/// Everything a row shows, copied out of the index.
struct Row {
    number: usize,
    frame: FrameRow,
    target: Option<String>,
    len: u64,
    frames: usize,
    severity: Option<Severity>,
    before: Option<Timestamp>,
    preview: Option<Arc<Preview>>,
    /// The frame row by which a search marks it.
    last_frame: usize,
    /// It holds what is looked for, among others that do not.
    found: bool,
}

/// Draws the table of what is listed now.
pub fn table_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let listing = app.settings.listing;
    update_rows(app, ui, listing);
    let table_is_empty = app.view.table(listing).rows.is_empty();
    if table_is_empty {
        empty_ui(app, ui, commands);
        app.store.contents().look_at(app.selection(), Vec::new());
        return;
    }

    let (area, _) = ui.allocate_exact_size(ui.available_size(), Sense::HOVER);
    let (name, columns, flex) = match listing {
        Listing::Messages => (MESSAGES, MESSAGE_COLUMNS, MESSAGE_FLEX),
        Listing::Frames => (FRAMES, FRAME_COLUMNS, FRAME_FLEX),
    };
    let header = Rect::from_min_size(area.min, vec2(area.width(), HEADER_HEIGHT));
    let body = Rect::from_min_max(pos2(area.min.x, header.max.y), area.max);
    let one_connection = app.view.connection.is_some();
    let number_width = number_width(app.extent().of(listing));
    let widths: &mut Columns = match listing {
        Listing::Messages => &mut app.settings.message_columns,
        Listing::Frames => &mut app.settings.frame_columns,
    };
    let hidden = |at| at == CONNECTION_COLUMN && one_connection;
    widths.widen(0, number_width);
    let edges = widths.lay_out(columns, flex, area.width() - 8.0, hidden);
    widths.header_ui(ui, list_id(name), header, columns, flex, &edges);

    let table = match listing {
        Listing::Messages => &mut app.view.messages,
        Listing::Frames => &mut app.view.frames,
    };
    let rows = &table.rows;
    let in_view = f64::from(body.height() / ROW_HEIGHT);
    if let Some(position) = table.bring.and_then(|row| rows.position_of(row)) {
        table.bring = None;
        table.list.reveal(position, in_view);
    }
    let selected = table.selected.and_then(|row| rows.position_of(row));
    let list =
        List { name, body, row_height: ROW_HEIGHT, len: rows.len(), selected, is_main: true };
    let store = &app.store;
    let mut visible = Vec::new();
    let look = Look::new(ui, columns, &edges, &app.zone);
    let shown = table.list.show(
        ui,
        list,
        |range| {
            let mut copied = {
                let index = store.index();
                range.filter_map(|at| copy_row(&index, rows, listing, at)).collect::<Vec<_>>()
            };
            if let Some(Ok(search)) = &app.view.search {
                search.with_marks(|frames, messages| {
                    let marks = if listing == Listing::Frames { frames } else { messages };
                    for row in &mut copied {
                        row.found = !app.view.hides_others && marks.is_marked(row.last_frame);
                    }
                });
            }
            for row in &mut copied {
                let key = key(listing, row.number);
                row.preview = store.contents().preview(key);
                visible.push(key);
            }
            copied
        },
        |_, row| look.spoken(row, listing),
        |painter, row_look, row| match listing {
            Listing::Messages => look.message(painter, row_look, row),
            Listing::Frames => look.frame(painter, row_look, row),
        },
    );
    if let Some(row) = shown.chosen.and_then(|position| rows.row(position)) {
        table.selected = Some(row);
        table.fragment = 0;
    }
    let below = rows.len() - shown.visible.end.min(rows.len());
    if !table.list.follow && below > 0 && newest_ui(ui, body, below) {
        commands.push(Command::FollowEnd);
    }
    store.contents().look_at(app.selection(), visible);
}

/// Room for the largest number, its commas and the margins.
fn number_width(rows: usize) -> f32 {
    let digits = rows.max(1).ilog10() + 1;
    #[expect(clippy::cast_precision_loss, reason = "two dozen characters at most")]
    let characters = (digits + (digits - 1) / 3) as f32;
    characters * 7.0 + 2.0 * CELL_MARGIN
}

fn key(listing: Listing, row: usize) -> RowKey {
    match listing {
        Listing::Messages => RowKey::Message(row),
        Listing::Frames => RowKey::Frame(row),
    }
}

fn update_rows(app: &mut App, ui: &Ui, listing: Listing) {
    let filter = app.view.filter(listing);
    let until = app.extent().of(listing);
    let index = app.store.index();
    let hides_others = app.view.hides_others;
    let search = app.view.search.as_ref().and_then(|search| search.as_ref().ok());
    let search = search.filter(|_| hides_others);
    let mut update = |until: usize, found: &dyn Fn(usize) -> bool| {
        let rows = match listing {
            Listing::Messages => &mut app.view.messages.rows,
            Listing::Frames => &mut app.view.frames.rows,
        };
        rows.update(filter, until, SCAN_BUDGET, |row| {
            let (first, last) = match listing {
                Listing::Messages => match index.messages().get(row) {
                    Some(message) => (message.first_frame as usize, message.last_frame as usize),
                    None => return false,
                },
                Listing::Frames => (row, row),
            };
            index.frames().get(first).is_some_and(|frame| {
                filter.admits(frame.connection(), frame.direction(), frame.header().opcode)
                    && found(last)
            })
        })
    };
    let more = match search {
        None => update(until, &|_| true),
        Some(search) => {
            let searched = search.state().frames;
            let until = match listing {
                Listing::Frames => until.min(searched),
                Listing::Messages => {
                    let done = |row: &framescope_core::index::MessageRow| {
                        (row.last_frame as usize) < searched
                    };
                    index.messages()[..until.min(index.messages().len())].partition_point(done)
                }
            };
            search.with_marks(|frames, messages| match listing {
                Listing::Frames => update(until, &|row| frames.is_marked(row)),
                Listing::Messages => update(until, &|row| messages.is_marked(row)),
            })
        }
    };
    if more {
        ui.ctx().request_repaint();
    }
}

fn copy_row(index: &Index, rows: &ViewRows, listing: Listing, position: usize) -> Option<Row> {
    let first_frame = |row: usize| match listing {
        Listing::Messages => Some(index.messages().get(row)?.first_frame as usize),
        Listing::Frames => Some(row),
    };
    let number = rows.row(position)?;
    let frame = *index.frames().get(first_frame(number)?)?;
    let before = position.checked_sub(1).and_then(|before| {
        Some(index.frames().get(first_frame(rows.row(before)?)?)?.first_octet_at())
    });
    let (len, frames, severity, last_frame) = match listing {
        Listing::Messages => {
            let message = index.messages().get(number)?;
            let last = index.frames().get(message.last_frame as usize)?;
            let frames = (message.last_frame - message.first_frame) as usize + 1;
            let severity = frame.severity().max(last.severity());
            (message.data_len, frames, severity, message.last_frame as usize)
        }
        Listing::Frames => (frame.header().payload_len.value, 1, frame.severity(), number),
    };
    let connection = index.connection(frame.connection());
    let target = connection.map(|connection| match connection.target() {
        Some(target) => format!("{} {}", connection.id, Secrets::Masked.target(target)),
        None => connection.id.to_string(),
    });
    let (preview, found) = (None, false);
    Some(Row { number, frame, target, len, frames, severity, before, preview, last_frame, found })
}

/// What it takes to draw rows: fonts, colours, edges of columns.
struct Look<'a> {
    palette: &'static Palette,
    mono: FontId,
    small: FontId,
    columns: &'a [Column],
    edges: &'a [Option<(f32, f32)>],
    zone: &'a jiff::tz::TimeZone,
}

impl<'a> Look<'a> {
    fn new(
        ui: &Ui,
        columns: &'a [Column],
        edges: &'a [Option<(f32, f32)>],
        zone: &'a jiff::tz::TimeZone,
    ) -> Self {
        Self {
            palette: theme::palette(ui),
            mono: parts::mono_font(ui),
            small: parts::small_font(ui),
            columns,
            edges,
            zone,
        }
    }

    fn cell(&self, look: RowLook, column: usize) -> Option<Rect> {
        let (left, right) = self.edges[column]?;
        let x = look.rect.min.x;
        let cell = Rect::from_x_y_ranges(x + left..=x + right, look.rect.y_range());
        Some(cell.shrink2(vec2(CELL_MARGIN, 0.0)))
    }

    fn text(&self, painter: &Painter, look: RowLook, column: usize, text: &str, color: Color32) {
        let Some(cell) = self.cell(look, column) else { return };
        let (at, anchor) = if self.columns[column].right {
            (cell.right_center(), Align2::RIGHT_CENTER)
        } else {
            (cell.left_center(), Align2::LEFT_CENTER)
        };
        parts::line(painter, at, anchor, cell.width(), text, self.mono.clone(), color);
    }

    fn common(&self, painter: &Painter, look: RowLook, row: &Row) {
        let palette = self.palette;
        if row.found {
            let mark = Rect::from_min_size(look.rect.min, vec2(3.0, look.rect.height()));
            painter.rect_filled(mark, CornerRadius::ZERO, palette.accent);
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
        if let Some(cell) = self.cell(look, 3) {
            let name = if opcode == Opcode::Continuation { "continuation" } else { opcode.name() };
            let galley =
                painter.layout_no_wrap(name.to_owned(), self.mono.clone(), Color32::PLACEHOLDER);
            let size = vec2((galley.size().x + 10.0).min(cell.width()), 16.0);
            let chip = Rect::from_min_size(pos2(cell.min.x, cell.center().y - 8.0), size);
            let (fill, color) = match Kind::of(opcode) {
                Kind::Close => (palette.tint(palette.accent), palette.accent),
                Kind::Reserved => (palette.tint(palette.error), palette.error),
                Kind::Text | Kind::Binary => (palette.raised, palette.text),
                _ => (palette.raised, palette.weak),
            };
            painter.rect_filled(chip, CornerRadius::same(4), fill);
            let clipped = painter.with_clip_rect(cell.intersect(painter.clip_rect()));
            let at = chip.left_center() + vec2(5.0, -galley.size().y / 2.0);
            clipped.galley(at, galley, color);
        }
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
        if row.frames > 1 && row.frame.header().opcode.begins_message() && !row.frame.header().fin {
            let galley =
                painter.layout_no_wrap("fragmented".to_owned(), self.small.clone(), palette.faint);
            cell.max.x -= galley.size().x + 6.0;
            let at = cell.right_center() + vec2(6.0, -galley.size().y / 2.0);
            painter.galley(at, galley, palette.faint);
        }
        let Some(preview) = &row.preview else { return };
        let is_control = row.frame.header().opcode.is_control();
        let color = match (preview.fault, preview.hex || is_control) {
            (true, _) => palette.warning,
            (_, true) => palette.weak,
            _ => palette.text,
        };
        let text = clip_to(&preview.text, cell.width());
        let (at, anchor) = (cell.left_center(), Align2::LEFT_CENTER);
        parts::line(painter, at, anchor, cell.width(), text, self.mono.clone(), color);
    }

    fn message(&self, painter: &Painter, look: RowLook, row: &Row) {
        let palette = self.palette;
        self.common(painter, look, row);
        self.data(painter, look, MESSAGE_FLEX, row);
        self.text(painter, look, 5, &format::thousands(row.len), palette.text);
        let at = row.frame.first_octet_at();
        self.text(painter, look, 6, &format::clock(at, self.zone), palette.weak);
        if let Some(before) = row.before {
            self.text(painter, look, 7, &format::delta(at.since(before)), palette.weak);
        }
    }

    fn frame(&self, painter: &Painter, look: RowLook, row: &Row) {
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
        self.text(painter, look, 8, &format::thousands(row.len), palette.text);
        let form = header.payload_len.form.bits().to_string();
        let color = if header.payload_len.is_minimal() { palette.weak } else { palette.error };
        self.text(painter, look, 9, &form, color);
        let wire = u64::from(header.encoded_len()).saturating_add(row.len);
        self.text(painter, look, 10, &format::thousands(wire), palette.weak);
        self.text(painter, look, 11, &format::thousands(row.frame.offset()), palette.weak);
        let at = row.frame.first_octet_at();
        self.text(painter, look, 12, &format::clock(at, self.zone), palette.weak);
    }

    /// The row in words.
    fn spoken(&self, row: &Row, listing: Listing) -> String {
        let what = match listing {
            Listing::Messages => "message",
            Listing::Frames => "frame",
        };
        let opcode = row.frame.header().opcode;
        let sender = row.frame.direction().sender();
        let preview = row.preview.as_ref().map_or("", |preview| &preview.text);
        let time = format::clock(row.frame.first_octet_at(), self.zone);
        let finding =
            row.severity.map_or(String::new(), |severity| format!(", {}", severity.name()));
        let number = row.number + 1;
        format!(
            "{what} {number}, {opcode} from {sender}, {} octets, {time}{finding}: {preview}",
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

/// The way back to the newest row, over the lower edge of the list.
fn newest_ui(ui: &Ui, body: Rect, below: usize) -> bool {
    let palette = theme::palette(ui);
    let text = format!("↓  {} below", format::thousands(below as u64));
    let galley = ui.painter().layout_no_wrap(text, parts::small_font(ui), palette.text);
    let size = galley.size() + vec2(24.0, 10.0);
    let center = pos2(body.center().x, body.max.y - 12.0 - size.y / 2.0);
    let rect = Rect::from_center_size(center, size);
    let response = ui.interact(rect, ui.make_persistent_id("newest"), Sense::CLICK);
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, "Go to the newest row")
    });
    let fill = if response.hovered() { palette.hairline } else { palette.raised };
    let stroke = egui::Stroke::new(
        1.0,
        if response.has_focus() { palette.accent } else { palette.hairline },
    );
    let painter = ui.painter_at(body);
    painter.rect(rect, CornerRadius::same(12), fill, stroke, egui::StrokeKind::Inside);
    painter.galley(rect.center() - galley.size() / 2.0, galley, palette.text);
    response.on_hover_text(Command::FollowEnd.explanation()).clicked()
}

/// Why there is no row, and what to do about it.
fn empty_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let extent = app.extent();
    let listing = app.settings.listing;
    let source = app.source();
    let total = extent.of(listing);
    if let Some(trouble) = app.store.trouble().filter(|_| total == 0) {
        return parts::empty_state(ui, "This capture cannot be shown", &trouble, |ui| {
            parts::offer(ui, Command::OpenCapture, commands);
        });
    }
    if total > 0 && app.view.cleared.of(listing) >= total && !app.view.is_narrowed() {
        let line = "New rows show up here as they come; the capture still holds everything.";
        return parts::empty_state(ui, "Cleared", line, |ui| {
            parts::offer(ui, Command::ShowCleared, commands);
        });
    }
    if app.view.is_narrowed() && total > 0 {
        let searching = app.view.running_search().is_some_and(|search| !search.state().caught_up);
        let heading = if searching { "Searching…" } else { "No row matches" };
        let line = "Nothing that was seen so far passes the search and the chips.";
        return parts::empty_state(ui, heading, line, |ui| {
            parts::offer(ui, Command::ResetFilters, commands);
        });
    }
    if app.view.connection.is_some() {
        let line = "Its HTTP exchange or opening handshake is in the Handshake tab.";
        return parts::empty_state(ui, "No frames on this connection", line, |ui| {
            parts::offer(ui, Command::ShowHandshake, commands);
        });
    }
    match source.websocket_url() {
        Some(url) => {
            let heading = "Waiting for the first message";
            let line = format!("Point your client at {url} (or wss:// on the same port).");
            parts::empty_state(ui, heading, &line, |ui| {
                parts::offer(ui, Command::OpenInBrowser, commands);
                parts::offer(ui, Command::CopyAddress, commands);
            });
        }
        None if !app.store.caught_up() => {
            parts::empty_state(ui, "Reading the capture…", &source.capture_name(), |_| {});
        }
        None => {
            let line = "There is no WebSocket traffic in it that was not encrypted.";
            parts::empty_state(ui, "No WebSocket in this capture", line, |ui| {
                parts::offer(ui, Command::OpenCapture, commands);
            });
        }
    }
}
