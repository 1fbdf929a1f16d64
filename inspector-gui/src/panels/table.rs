//! The table of messages or frames: the rows that are visible, copied out once a picture.

mod empty;
mod look;
pub mod rows;

use egui::{CornerRadius, Rect, Sense, Ui, pos2, vec2};
use framescope_core::Index;
use framescope_core::present::Secrets;
use look::{
    CONNECTION_COLUMN, FRAME_COLUMNS, FRAME_FLEX, Look, MESSAGE_COLUMNS, MESSAGE_FLEX, Row,
};
use rows::message_place;

use super::cells::Cells;
use super::context_menu::context_menu;
use super::{format, parts};
use crate::App;
use crate::command::Command;
use crate::list::columns::CELL_MARGIN;
use crate::list::{Columns, FRAMES, List, MESSAGES, Pace, Shown, ViewRows, list_id};
use crate::settings::Listing;
use crate::store::RowKey;
use crate::theme::{self, ROW_HEIGHT};

const HEADER_HEIGHT: f32 = 26.0;

/// Draws the table of what is listed now.
pub fn table_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let listing = app.settings.listing;
    update_rows(app, ui, listing);
    let table_is_empty = app.view.table(listing).rows.is_empty();
    if table_is_empty {
        empty::empty_ui(app, ui, commands);
        look_at(app, Vec::new());
        return;
    }

    let (area, _) = ui.allocate_exact_size(ui.available_size(), Sense::HOVER);
    let (name, columns, flex) = match listing {
        Listing::Messages => (MESSAGES, MESSAGE_COLUMNS, MESSAGE_FLEX),
        Listing::Frames => (FRAMES, FRAME_COLUMNS, FRAME_FLEX),
    };
    let header = Rect::from_min_size(area.min, vec2(area.width(), HEADER_HEIGHT));
    let body = Rect::from_min_max(pos2(area.min.x, header.max.y), area.max);
    // Nothing to tell apart where there is only one.
    let one_connection = app.view.connection.is_some() || app.extent().connections == 1;
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
    let store = &app.store;
    let time = ui.input(|input| input.time);
    let (len, mut next) = paced(
        rows,
        &mut table.pace,
        table.list.follow,
        |position| {
            let key = rows.row(position).map(|row| key(listing, row))?;
            Some((key, store.contents().preview(key).is_some()))
        },
        (in_view, time),
    );
    let selected = table.selected.and_then(|row| rows.position_of(row));
    let list = List { name, body, row_height: ROW_HEIGHT, len, selected, is_main: true };
    let mut visible = Vec::new();
    let look = Look(Cells::new(ui, columns, &edges, &app.zone));
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
            let kept = store.dissections().kept();
            for row in &mut copied {
                let line = message_place(&row.frame, listing).and_then(|place| kept.line(place));
                row.said = line.map(Into::into);
            }
            copied
        },
        |_, row| look.spoken(row, listing),
        |painter, row_look, row| match listing {
            Listing::Messages => look.message(painter, row_look, row),
            Listing::Frames => look.frame(painter, row_look, row),
        },
    );
    row_menu_ui(ui, name, &shown, app.view.connection.is_some(), commands);
    if let Some(row) = shown.chosen.and_then(|position| rows.row(position)) {
        table.selected = Some(row);
        table.fragment = 0;
    }
    let below = rows.len() - shown.visible.end.min(rows.len());
    if !table.list.follow && below > 0 && newest_ui(ui, body, below) {
        commands.push(Command::FollowEnd);
    }
    visible.append(&mut next);
    look_at(app, visible);
}

/// How many rows are listed, and the rows that are to be read to list more: a list that follows its end
/// goes on no faster than they are read. `row` tells a row by its position, and whether it is read.
fn paced(
    rows: &ViewRows,
    pace: &mut Pace,
    follows: bool,
    row: impl Fn(usize) -> Option<(RowKey, bool)>,
    (in_view, time): (f64, f64),
) -> (usize, Vec<RowKey>) {
    if !follows {
        *pace = Pace::default();
        return (rows.len(), Vec::new());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a screenful")]
    let in_view = in_view as usize + 1;
    let is_read = |position| row(position).is_none_or(|(_, is_read)| is_read);
    let len = pace.rows(rows.len(), in_view, time, |mut range| range.all(is_read));
    let next = pace.next_rows(in_view).filter_map(|position| Some(row(position)?.0));
    (len, next.collect())
}

/// What can be done with the row that was asked about.
fn row_menu_ui(
    ui: &Ui,
    name: &str,
    shown: &Shown,
    is_one_connection: bool,
    commands: &mut Vec<Command>,
) {
    let only =
        if is_one_connection { Command::ShowAllConnections } else { Command::ShowOnlyConnection };
    let copy = [Command::CopyMessage, Command::CopyMessageHex, Command::CopyConnectionUrl];
    context_menu(ui, name, shown, &[&copy, &[only]], commands);
}

/// Tells the threads that read what is seen now.
fn look_at(app: &App, visible: Vec<RowKey>) {
    let selection = app.selection();
    app.store.contents().look_at(selection, visible);
    app.store.dissections().look_at(selection.map(|selection| selection.key));
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
    let until = app.extent().of(listing);
    let filter = rows::filter(app, listing);
    let table = app.view.table(listing);
    if table.rows.filter() != filter && !table.list.follow {
        // Other rows come around the selected one: it stays in sight.
        table.bring = table.selected;
    }
    let mut found = std::mem::take(&mut table.rows);
    let more = rows::scan(app, listing, filter, until, &mut found);
    app.view.table(listing).rows = found;
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
    Some(Row {
        number,
        frame,
        target,
        len,
        frames,
        severity,
        before,
        last_frame,
        found: false,
        preview: None,
        said: None,
    })
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
