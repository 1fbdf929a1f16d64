//! The exchanges of a connection that is no WebSocket: a row a request, and a row an event of a stream.

mod listed;
mod menu;

use std::ops::Deref;

use egui::{Align2, Painter, Rect, Sense, Ui, pos2, vec2};
use framescope_core::http::ServerSentEvent;
use framescope_core::present::{Secrets, counted};
use framescope_core::{ConnectionId, Direction, Index};
use listed::Listed;
use parking_lot::RwLockReadGuard;

use super::cells::Cells;
use super::{format, parts};
use crate::App;
use crate::command::Command;
use crate::list::{Column, EXCHANGES, List, RowLook, VirtualList, list_id};
use crate::store::exchanges::{Exchange, Row, Rows, StreamEvent, StreamPiece};
use crate::store::preview::Preview;
use crate::store::{Exchanges, Store};
use crate::theme::ROW_HEIGHT;
use crate::widgets::format::duration;

const HEADER_HEIGHT: f32 = 26.0;
/// Room that a long target leaves for its answer.
const ANSWER_ROOM: f32 = 240.0;

const COLUMNS: &[Column] = &[
    Column::new("#", "Number of the row on this connection", 48.0).right(),
    Column::new("", "↑ a request, ↓ an event of its answer", 26.0),
    Column::new("Type", "The request's method, or the event's name", 92.0),
    Column::new("What", "The target and its answer, or the event's data", 0.0),
    Column::new("Length", "Octets of the answer's body, or of the event", 66.0).right(),
    Column::new("Time", "When the request, or the event, was whole; local time", 96.0)
        .right()
        .spare(1),
    Column::new("Δ", "Time since the row above", 84.0).right().spare(2),
];
const FLEX: usize = 3;

/// What is shown of a connection's exchanges.
#[derive(Default)]
pub struct View {
    /// They are read while they are shown.
    pub(crate) read: Option<Exchanges>,
    pub(crate) list: VirtualList,
    /// Number of the selected row.
    pub(crate) selected: Option<usize>,
    /// Number of a row that is to be brought into sight, once it is listed.
    bring: Option<usize>,
}

impl View {
    /// Whether they are what the messages tab shows.
    pub fn are_shown(&self) -> bool {
        self.read.is_some()
    }

    /// Number of the selected row, from 0.
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// Selects a row of this connection's exchanges, which may not be read yet, and brings it into sight.
    pub(crate) fn show(&mut self, store: &Store, connection: ConnectionId, row: usize) {
        if self.read.as_ref().map(Exchanges::connection) != Some(connection) {
            *self = Self { read: Some(store.exchanges(connection)), ..Self::default() };
        }
        self.list.follow = false;
        (self.selected, self.bring) = (Some(row), Some(row));
    }

    /// Selects a row, and brings it into sight.
    pub(crate) fn select(&mut self, number: usize) {
        self.list.follow = false;
        (self.selected, self.bring) = (Some(number), Some(number));
    }

    /// Rows have other numbers from here on: none is selected.
    pub(crate) fn renumbered(&mut self) {
        (self.selected, self.bring) = (None, None);
    }

    /// The rows, where any are read.
    pub fn rows(&self) -> Option<RwLockReadGuard<'_, Rows>> {
        self.read.as_ref().map(Exchanges::rows)
    }
}

/// Whether a connection has exchanges to list rather than messages.
pub fn are_listed(index: &Index, connection: ConnectionId) -> bool {
    index.connection(connection).is_some_and(|connection| {
        !connection.is_websocket()
            && !connection.exchanges.is_empty()
            && connection.frames == [0, 0]
    })
}

/// Whether the chosen connection has exchanges to show rather than messages; they are read from then on.
pub fn are_shown(app: &mut App) -> bool {
    let chosen = app.view.connection.filter(|id| are_listed(&app.store.index(), *id));
    let is_read = app.view.exchanges.read.as_ref().map(Exchanges::connection);
    if chosen != is_read {
        let read = chosen.map(|id| app.store.exchanges(id));
        let list = if app.store.grows() { VirtualList::default() } else { VirtualList::at_top() };
        app.view.exchanges = View { read, list, ..View::default() };
    }
    chosen.is_some()
}

/// One row, copied out of what was read.
struct Shown {
    number: usize,
    row: Row,
    before: Option<framescope_core::Timestamp>,
    /// It holds what is looked for, among others that do not.
    found: bool,
}

/// Draws the table.
pub fn exchanges_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let Some(read) = &app.view.exchanges.read else { return };
    let of = {
        let rows = read.rows();
        rows.start()..rows.end()
    };
    if of.is_empty() {
        let line = "Its head is in the Handshake tab.";
        return parts::empty_state(ui, "No exchange was read yet", line, |ui| {
            parts::offer(ui, Command::ShowHandshake, commands);
        });
    }
    let found = app.view.found_exchanges(read.connection());
    let listed = match app.view.narrowing_search() {
        Some(_) => Listed::found(of, found.as_ref()),
        None => Listed::All(of),
    };
    if listed.len() == 0 {
        let searching = app.view.running_search().is_some_and(|search| !search.state().caught_up);
        let heading = if searching { "Searching…" } else { "No row matches" };
        let line = "Nothing on this connection that is kept holds what is looked for.";
        return parts::empty_state(ui, heading, line, |ui| {
            parts::offer(ui, Command::ResetFilters, commands);
        });
    }
    let marked = found.filter(|_| !app.view.hides_others);
    let View { read, list: place, selected: chosen, bring } = &mut app.view.exchanges;
    let Some(read) = read else { return };
    let (area, _) = ui.allocate_exact_size(ui.available_size(), Sense::HOVER);
    let header = Rect::from_min_size(area.min, vec2(area.width(), HEADER_HEIGHT));
    let body = Rect::from_min_max(pos2(area.min.x, header.max.y), area.max);
    let widths = &mut app.settings.exchange_columns;
    let edges = widths.lay_out(COLUMNS, FLEX, area.width() - 8.0, |_| false);
    widths.header_ui(ui, list_id(EXCHANGES), header, COLUMNS, FLEX, &edges);
    if let Some(position) = bring.and_then(|number| listed.position_of(number)) {
        *bring = None;
        place.reveal(position, f64::from(body.height() / ROW_HEIGHT));
    }
    let selected = chosen.and_then(|number| listed.position_of(number));
    let len = listed.len();
    let list = List { name: EXCHANGES, body, row_height: ROW_HEIGHT, len, selected, is_main: true };
    let look = Look(Cells::new(ui, COLUMNS, &edges, &app.zone));
    let shown = place.show(
        ui,
        list,
        |range| {
            let rows = read.rows();
            let copied = range.filter_map(|position| {
                let number = listed.row(position)?;
                let above = position.checked_sub(1).and_then(|above| listed.row(above));
                let before = above.and_then(|above| rows.get(above)).map(Row::at);
                let found = marked.as_ref().is_some_and(|marks| marks.is_marked(number));
                Some(Shown { number, row: rows.get(number)?.clone(), before, found })
            });
            copied.collect()
        },
        |_, shown| look.spoken(shown),
        |painter, row_look, shown| look.row(painter, row_look, shown),
    );
    if let Some(number) = shown.chosen.and_then(|position| listed.row(position)) {
        *chosen = Some(number);
    }
    menu::menu_ui(app, ui, &shown, commands);
}

/// Rows of exchanges.
struct Look<'a>(Cells<'a>);

impl<'a> Deref for Look<'a> {
    type Target = Cells<'a>;

    fn deref(&self) -> &Cells<'a> {
        &self.0
    }
}

impl Look<'_> {
    fn row(&self, painter: &Painter, look: RowLook, shown: &Shown) {
        let palette = self.palette;
        if shown.found {
            self.mark(painter, look);
        }
        let number = format::thousands(shown.number as u64 + 1);
        self.text(painter, look, 0, &number, palette.weak);
        let direction = match &shown.row {
            Row::Exchange(_) => Direction::ClientToServer,
            Row::Event(_) | Row::Piece(_) => Direction::ServerToClient,
        };
        let arrow = direction.arrow().to_string();
        self.text(painter, look, 1, &arrow, palette.direction(direction));
        let name = type_name(&shown.row);
        self.chip(painter, look, 2, name, (palette.raised, palette.text));
        if let Some(cell) = self.cell(look, FLEX) {
            self.what(painter, cell, &shown.row);
        }
        if let Some(len) = shown.row.content_len(Direction::ServerToClient) {
            self.octets(painter, look, 4, len, palette.text);
        }
        let at = shown.row.at();
        self.text(painter, look, 5, &format::clock(at, self.zone), palette.weak);
        if let Some(before) = shown.before {
            self.text(painter, look, 6, &format::delta(at.since(before)), palette.weak);
        }
    }

    fn what(&self, painter: &Painter, cell: Rect, row: &Row) {
        let palette = self.palette;
        let mut x = cell.min.x;
        let mut right = cell.max.x;
        let says_something = |event: &StreamEvent| !event_preview(event).text.is_empty();
        if let Row::Event(event) = row
            && says_something(event)
        {
            for mark in marks(&event.event).into_iter().rev() {
                let galley = painter.layout_no_wrap(mark, self.small.clone(), palette.weak);
                right -= galley.size().x + 8.0;
                painter.galley(
                    pos2(right + 8.0, cell.center().y - galley.size().y / 2.0),
                    galley,
                    palette.weak,
                );
            }
        }
        let line = |x: &mut f32, right: f32, text: &str, color| {
            if right - *x < 24.0 {
                return;
            }
            let at = pos2(*x, cell.center().y);
            let (anchor, font) = (Align2::LEFT_CENTER, self.mono.clone());
            *x = parts::line(painter, at, anchor, right - *x, text, font, color).max.x + 10.0;
        };
        match row {
            Row::Exchange(exchange) => {
                // The answer counts more than the end of a long target.
                let full = right;
                right = x + ((right - x) * 0.55).max(full - x - ANSWER_ROOM);
                line(&mut x, right, &target(exchange), palette.text);
                right = full;
                let status = exchange.response.as_ref().and_then(|head| head.status());
                let color = match status {
                    Some(400..) => palette.warning,
                    Some(_) => palette.good,
                    None => palette.weak,
                };
                line(&mut x, right, &answer(exchange), color);
                if let Some(Preview { text, .. }) = exchange.preview() {
                    line(&mut x, right, &text, palette.faint);
                }
            }
            Row::Piece(piece) => {
                let preview = piece_preview(piece);
                line(&mut x, right, &preview.text, palette.text);
            }
            Row::Event(event) if !says_something(event) => {
                line(&mut x, right, &marks(&event.event).join(", "), palette.weak);
            }
            Row::Event(event) => {
                let preview = event_preview(event);
                line(
                    &mut x,
                    right,
                    &preview.text,
                    if preview.hex { palette.weak } else { palette.text },
                );
            }
        }
    }

    fn spoken(&self, shown: &Shown) -> String {
        let found = if shown.found { ", holds a match" } else { "" };
        let number = shown.number + 1;
        let time = format::clock(shown.row.at(), self.zone);
        match &shown.row {
            Row::Exchange(exchange) => {
                let (name, target) = (type_name(&shown.row), target(exchange));
                let preview = exchange.preview().map_or(String::new(), |preview| preview.text);
                format!(
                    "exchange {number}, {name} {target}, {}, {time}{found}: {preview}",
                    answer(exchange)
                )
            }
            Row::Piece(piece) => {
                let text = piece_preview(piece).text;
                format!("piece {number}, {}, {time}{found}: {text}", type_name(&shown.row))
            }
            Row::Event(event) => {
                let marks = marks(&event.event).join(", ");
                let text = event_preview(event).text;
                format!("event {number}, {}, {marks}, {time}{found}: {text}", type_name(&shown.row))
            }
        }
    }
}

fn type_name(row: &Row) -> String {
    let name = match row {
        Row::Exchange(exchange) => exchange.request.method().unwrap_or("?").to_owned(),
        Row::Piece(piece) => piece.piece.unit.name().to_owned(),
        Row::Event(event) => match &event.event {
            ServerSentEvent { event: Some(name), .. } => name.clone(),
            event if event.is_dispatched() => "message".to_owned(),
            ServerSentEvent { comment: Some(_), .. } => "comment".to_owned(),
            _ => "setting".to_owned(),
        },
    };
    Preview::of(framescope_core::Opcode::Text, name.as_bytes(), false).text
}

fn target(exchange: &Exchange) -> String {
    Secrets::Masked.target(exchange.request.target().unwrap_or_default()).into_owned()
}

/// `200 application/json after 12.3 ms`.
fn answer(exchange: &Exchange) -> String {
    let Some(response) = &exchange.response else { return "no answer yet".to_owned() };
    let mut words = response.status().map_or(String::new(), |status| status.to_string());
    if let Some(kind) = response.value("Content-Type") {
        let kind: String = kind.split(';').next().unwrap_or_default().chars().take(60).collect();
        words.push(' ');
        words.push_str(&kind);
    }
    if let Some(waited) = exchange.waited() {
        words.push_str(" after ");
        words.push_str(&duration(waited));
    }
    if exchange.events > 0 {
        words.push_str(", ");
        words.push_str(&counted(exchange.events, "event", "events"));
    }
    words
}

/// What an event sets beside its data.
fn marks(event: &ServerSentEvent) -> Vec<String> {
    let id = event.id.as_ref().map(|id| {
        let id: String = id.chars().take(24).collect();
        format!("id {id}")
    });
    let retry = event.retry.map(|retry| format!("retry {} ms", format::thousands(retry)));
    id.into_iter().chain(retry).collect()
}

fn event_preview(event: &StreamEvent) -> Preview {
    let ServerSentEvent { data, comment, data_len, .. } = &event.event;
    let text = data.as_deref().or(comment.as_deref()).unwrap_or_default();
    let end =
        text.char_indices().nth(crate::store::preview::MAX_CHARS).map_or(text.len(), |(at, _)| at);
    let mut preview = Preview::of(framescope_core::Opcode::Text, &text.as_bytes()[..end], false);
    // What only keeps the way open, or goes beyond what is kept, is told apart from data.
    preview.hex = data.is_none() || (text.is_empty() && *data_len > 0);
    preview
}

fn piece_preview(StreamPiece { piece, .. }: &StreamPiece) -> Preview {
    let octets = piece.content.get(..crate::store::preview::MAX_OCTETS).unwrap_or(&piece.content);
    let cut = (octets.len() as u64) < piece.len;
    Preview::of(framescope_core::Opcode::Binary, octets, cut)
}
