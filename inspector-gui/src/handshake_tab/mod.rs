//! The handshake tab: both heads as they crossed the wire, the accept value step by step, the checks;
//! for plain HTTP the exchanges of the connection.

mod about;
mod accept;
mod checks;
pub(crate) mod head;
mod line;
pub(crate) mod matches;
mod timing;
mod trouble;

pub(crate) use trouble::failure_of;

use std::collections::BTreeSet;

use egui::{Align, Layout, RichText, ScrollArea, Sense, Ui, vec2};
use framescope_core::index::{ConnectionSummary, Exchange};
use framescope_core::present::Secrets;
use framescope_core::search::Marks;
use framescope_core::transport::TransportSession;
use framescope_core::{ConnectionId, Direction, Head, OpeningHandshake};

pub(crate) use trouble::stage_in_words;

use crate::detail::Sought;
use crate::detail::session::session_ui;
use crate::fonts;
use crate::theme;
use crate::widgets::{format, section};
use matches::Matches;

/// Below this width the derivation stands beneath the heads instead of beside them.
const TWO_COLUMNS: f32 = 760.0;
/// More exchanges than this scroll.
const LIST_ROWS: usize = 6;

/// What the tab remembers between passes.
#[derive(Debug, Default)]
pub struct HandshakeTab {
    connection: Option<ConnectionId>,
    /// The row that was asked for: that of an exchange, or of an event or piece of its answer; `None`
    /// follows the last exchange. A place in the list would be that of another one as soon as the list
    /// drops its first.
    row: Option<usize>,
    shown: BTreeSet<SecretPlace>,
    sought: Option<Sought>,
    /// Rows of exchanges that hold what is looked for.
    found: Marks,
    /// What is looked for is to be brought into sight.
    brings: bool,
}

/// Names one line whose secret may be shown: the row of the exchange whose head it is in, and which of its
/// lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SecretPlace {
    row: usize,
    direction: Direction,
    line: HeadLine,
}

/// A line of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HeadLine {
    Start,
    /// The field with this place among the fields.
    Field(usize),
}

impl HandshakeTab {
    /// The exchange of this connection that is shown: the chosen one, or the last. None where the chosen one
    /// is not listed any more.
    pub fn chosen<'a>(&self, connection: &'a ConnectionSummary) -> Option<&'a Exchange> {
        self.chosen_at(connection).map(|(_, exchange)| exchange)
    }

    /// Shows the exchange of this row of this connection, or the one that the row belongs to.
    pub fn choose(&mut self, connection: ConnectionId, row: usize) {
        self.turn_to(connection);
        self.row = Some(row);
    }

    /// Whether the target of the connection, which is that of its last exchange, is shown with its secrets.
    pub fn shows_target(&self, connection: &ConnectionSummary) -> bool {
        let place = |exchange: &Exchange| SecretPlace {
            row: exchange.row,
            direction: Direction::ClientToServer,
            line: HeadLine::Start,
        };
        self.connection == Some(connection.id)
            && connection.exchanges.last().is_some_and(|last| self.shown.contains(&place(last)))
    }

    fn chosen_at<'a>(&self, connection: &'a ConnectionSummary) -> Option<(usize, &'a Exchange)> {
        let exchanges = &connection.exchanges;
        // A search may be ahead of what lists exchanges.
        let at = match self.asked(connection).filter(|row| *row < connection.rows.end()) {
            Some(row) => place_of(exchanges, row)?,
            None => exchanges.len().checked_sub(1)?,
        };
        Some((at, exchanges.get(at)?))
    }

    /// The row that is looked at: the one that was asked for, or that of the last exchange.
    pub fn looked_at(&self, connection: &ConnectionSummary) -> Option<usize> {
        let last = || Some(connection.exchanges.last()?.row);
        self.asked(connection).or_else(last)
    }

    fn asked(&self, connection: &ConnectionSummary) -> Option<usize> {
        self.row.filter(|_| self.connection == Some(connection.id))
    }

    /// Marks what is looked for from now on, or nothing; `found` are the rows of the connection's exchanges
    /// that hold it.
    pub fn look_for(&mut self, sought: Option<Sought>, found: Marks) {
        (self.sought, self.found) = (sought, found);
    }

    /// The same, and brings what is looked for into sight.
    pub fn show(&mut self, connection: ConnectionId, row: usize) {
        self.choose(connection, row);
        self.brings = true;
    }

    fn turn_to(&mut self, connection: ConnectionId) {
        if self.connection != Some(connection) {
            let (sought, found) = (self.sought.take(), std::mem::take(&mut self.found));
            *self = Self { connection: Some(connection), sought, found, ..Self::default() };
        }
    }

    /// Draws the handshake, or the plain HTTP exchanges, of `connection`; `None` is an empty state.
    /// `session` is the one that [`Self::chosen`] belongs to. The connection to go to, where the user
    /// asks for one.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        connection: Option<&ConnectionSummary>,
        session: Option<&TransportSession>,
    ) -> Option<ConnectionId> {
        let Some(connection) = connection else {
            empty_ui(ui, "No connection", "Select a connection to see how it was opened.");
            return None;
        };
        self.turn_to(connection.id);
        let exchange = self.chosen_at(connection);
        let is_explained = connection.lacks_beginning()
            || failure_of(connection).is_some()
            || !connection.exchanges.is_empty();
        if exchange.is_none() && !is_explained {
            let line = "The connection is open, and its first request has not come.";
            empty_ui(ui, "Nothing asked yet", line);
            return None;
        }
        let handshake = connection.handshake.as_deref().filter(|handshake| {
            exchange.is_some_and(|(_, exchange)| exchange.request == handshake.request)
        });

        let mut went = None;
        let mut right_ui = |ui: &mut Ui| {
            went = session.and_then(|session| {
                let went = session_ui(ui, session, connection.id);
                ui.add_space(14.0);
                went
            });
            right_ui(ui, connection, exchange, handshake);
        };
        if ui.available_width() >= TWO_COLUMNS {
            let room = ui.available_rect_before_wrap();
            let border = (room.min.x + room.width() * 0.52).round();
            let (mut left, mut right) = (room, room);
            left.max.x = border;
            right.min.x = border;
            ui.scope_builder(egui::UiBuilder::new().max_rect(left), |ui| {
                scrolled(ui, "heads", |ui| self.left_ui(ui, connection, exchange, handshake));
            });
            ui.painter().vline(border, room.y_range(), theme::palette(ui).hairline_stroke());
            ui.scope_builder(egui::UiBuilder::new().max_rect(right), |ui| {
                scrolled(ui, "derivation", right_ui);
            });
        } else {
            scrolled(ui, "handshake", |ui| {
                self.left_ui(ui, connection, exchange, handshake);
                ui.add_space(22.0);
                right_ui(ui);
            });
        }
        // A search may be ahead of what lists exchanges.
        self.brings &= self.asked(connection).is_some_and(|row| row >= connection.rows.end());
        went
    }

    fn left_ui(
        &mut self,
        ui: &mut Ui,
        connection: &ConnectionSummary,
        exchange: Option<(usize, &Exchange)>,
        handshake: Option<&OpeningHandshake>,
    ) {
        self.list_ui(ui, connection);
        let Some((at, exchange)) = exchange else {
            if !connection.exchanges.is_empty() {
                let line = "Of a connection with many requests only the last are listed.";
                empty_ui(ui, "This request is not listed any more", line);
            } else if connection.lacks_beginning() {
                let line = "What the connection began with is missing from the capture.";
                empty_ui(ui, "No opening handshake", line);
            }
            return;
        };
        let palette = theme::palette(ui);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            ui.label(RichText::new("↑").color(palette.up));
            ui.label(
                RichText::new("Request, as sent by the client").size(11.5).color(palette.weak),
            );
        });
        ui.add_space(4.0);
        let changes = head::Changes::of_request(connection, exchange, handshake);
        self.head_ui(ui, exchange.row, Direction::ClientToServer, &exchange.request, &changes);

        ui.add_space(20.0);
        let Some(response) = &exchange.response else {
            section(ui, "Response", |_| {});
            ui.label(RichText::new("None yet.").color(palette.weak));
            return;
        };
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            ui.label(RichText::new("↓").color(palette.down));
            let altered = head::Changes::of_response(connection);
            let heading = match head::answer_of_proxy(connection, at) {
                Some(_) => "Response, written by the proxy itself",
                None if altered.is_empty() => "Response, as sent by the server",
                None => "Response, as the client received it",
            };
            ui.label(RichText::new(heading).size(11.5).color(palette.weak));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(answered) = exchange.answered_at {
                    let took = format::duration(answered.since(exchange.requested_at));
                    ui.label(RichText::new(took).monospace().color(palette.weak))
                        .on_hover_text("From the whole request head to the whole response head");
                }
            });
        });
        ui.add_space(4.0);
        let changes = head::Changes::of_response(connection);
        self.head_ui(ui, exchange.row, Direction::ServerToClient, response, &changes);

        if let Some(line) = self.found_elsewhere(connection, exchange, response) {
            ui.add_space(8.0);
            ui.label(RichText::new(line).color(palette.warning));
        }

        ui.add_space(20.0);
        timing::timing_ui(ui, &timing::stages(connection, at, handshake.is_some()));
    }

    /// Where what is looked for is, if that is not in these heads alone.
    fn found_elsewhere(
        &self,
        connection: &ConnectionSummary,
        exchange: &Exchange,
        response: &Head,
    ) -> Option<&'static str> {
        let sought = self.sought.as_ref()?;
        let asked = self.asked(connection).filter(|row| *row != exchange.row);
        if asked.is_some_and(|row| self.found.is_marked(row)) {
            let is_event = exchange.events > 0;
            return Some(if is_event {
                "What is looked for is in an event of this answer."
            } else {
                "What is looked for is in a piece of this answer."
            });
        }
        let heads = [&*exchange.request, response];
        let is_in_head = heads.iter().any(|head| sought.pattern().is_in(&head.raw));
        let is_in_body = self.found.is_marked(exchange.row) && !is_in_head;
        is_in_body.then_some("What is looked for is in a body, not in these heads.")
    }

    fn head_ui(
        &mut self,
        ui: &mut Ui,
        row: usize,
        direction: Direction,
        head: &Head,
        changes: &head::Changes,
    ) {
        let place = |line| SecretPlace { row, direction, line };
        let shown = |line| self.shown.contains(&place(line));
        let matches = Matches::of(head, self.sought.as_ref(), self.brings);
        self.brings &= !matches.are_there();
        if let Some(line) = head::head_ui(ui, head, direction, changes, &shown, matches) {
            let place = place(line);
            if !self.shown.remove(&place) {
                self.shown.insert(place);
            }
        }
    }

    /// The exchanges of a connection that was kept alive, newest last.
    fn list_ui(&mut self, ui: &mut Ui, connection: &ConnectionSummary) {
        let count = connection.exchanges.len();
        if count < 2 {
            return;
        }
        let palette = theme::palette(ui);
        let chosen = self.chosen_at(connection).map(|(at, _)| at);
        section(ui, "Requests on this connection", |ui| {
            let count = format::thousands(count as u64);
            ui.label(RichText::new(count).size(11.5).color(palette.weak));
        });
        let height = theme::ROW_HEIGHT;
        #[expect(clippy::cast_precision_loss, reason = "at most six")]
        let room = height * count.min(LIST_ROWS) as f32;
        let area =
            ScrollArea::vertical().id_salt("exchanges").max_height(room).stick_to_bottom(true);
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            area.auto_shrink([false, true]).show_rows(ui, height, count, |ui, rows| {
                for at in rows {
                    let Some(exchange) = connection.exchanges.get(at) else { break };
                    let found = self.found.is_marked(exchange.row);
                    if exchange_row_ui(ui, exchange, chosen == Some(at), found).clicked() {
                        self.row = (at + 1 < count).then_some(exchange.row);
                    }
                }
            });
        });
        ui.add_space(16.0);
    }
}

/// Where the exchange of this row is listed, or the one whose answer has it as an event or piece.
fn place_of(exchanges: &[Exchange], row: usize) -> Option<usize> {
    let until = exchanges.partition_point(|exchange| exchange.row <= row);
    let is_it = |one: &Exchange| one.row == row || one.events > 0 || one.pieces > 0;
    exchanges.get(..until)?.iter().rposition(is_it)
}

/// `GET /poll … 200 12.0 ms`.
fn exchange_row_ui(ui: &mut Ui, exchange: &Exchange, chosen: bool, found: bool) -> egui::Response {
    let palette = theme::palette(ui);
    // The scroll bar floats over the right edge.
    let size = vec2(ui.available_width() - 10.0, theme::ROW_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let method = exchange.request.method().unwrap_or_default();
    let target = Secrets::Masked.target(exchange.request.target().unwrap_or_default());
    let line = format!("{method} {}", format::cut(&target, 120));
    let status = exchange.response.as_ref().and_then(|head| head.status());
    let took = exchange.answered_at.map(|at| format::duration(at.since(exchange.requested_at)));
    let answer = match (status, took) {
        (Some(status), Some(took)) => format!("{status}  {took}"),
        _ => "…".to_owned(),
    };
    response.widget_info(|| {
        egui::WidgetInfo::selected(
            egui::Role::ListBoxOption,
            true,
            chosen,
            format!("{line} {answer}{}", if found { ", holds a match" } else { "" }),
        )
    });
    if chosen || response.hovered() {
        let fill = if chosen { palette.selection } else { palette.raised };
        ui.painter().rect_filled(rect, theme::RADIUS_SMALL, fill);
    }
    if found {
        let mark = egui::Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
        ui.painter().rect_filled(mark, 0.0, palette.accent);
    }
    let mono = egui::FontId::monospace(11.5);
    let right = ui.painter().layout_no_wrap(answer, mono.clone(), palette.weak);
    let y = rect.center().y;
    let right_x = rect.max.x - 8.0 - right.size().x;
    let right_at = egui::pos2(right_x, y - right.size().y / 2.0);
    let clip = egui::Rect::from_x_y_ranges(rect.min.x..=right_x - 8.0, rect.y_range());
    let at = egui::pos2(rect.min.x + 8.0, y);
    let left = egui::Align2::LEFT_CENTER;
    ui.painter().with_clip_rect(clip.intersect(ui.clip_rect())).text(
        at,
        left,
        line,
        mono,
        palette.text,
    );
    ui.painter().galley(right_at, right, palette.weak);
    response
}

fn right_ui(
    ui: &mut Ui,
    connection: &ConnectionSummary,
    exchange: Option<(usize, &Exchange)>,
    handshake: Option<&OpeningHandshake>,
) {
    trouble::trouble_ui(ui, connection);
    let own_answer = exchange.and_then(|(at, _)| head::answer_of_proxy(connection, at));
    match (handshake, exchange) {
        (Some(handshake), _) => {
            if !handshake.upgraded {
                about::refused_ui(ui, handshake, own_answer);
            }
            accept::derivation_ui(ui, &handshake.accept);
            checks::checks_ui(ui, &handshake.checks);
            about::agreed_ui(ui, handshake);
        }
        (None, Some((_, exchange))) => about::exchange_ui(ui, exchange, own_answer),
        (None, None) => {}
    }
    about::connection_ui(ui, connection);
}

/// A heading of the right-hand side.
fn heading_ui(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).font(fonts::semibold(13.0)));
    ui.add_space(4.0);
}

fn scrolled(ui: &mut Ui, id: &str, add: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().id_salt(id).auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(egui::Margin::symmetric(18, 14)).show(ui, |ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            ui.spacing_mut().item_spacing.y = 4.0;
            ui.set_width(ui.available_width());
            add(ui);
        });
    });
}

fn empty_ui(ui: &mut Ui, heading: &str, line: &str) {
    let palette = theme::palette(ui);
    let room = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((room * 0.5 - 60.0).max(16.0));
        ui.label(
            RichText::new(fonts::icon::HANDSHAKE).font(fonts::icons(28.0)).color(palette.faint),
        );
        ui.add_space(6.0);
        ui.label(RichText::new(heading).size(15.0).color(palette.text));
        ui.add_space(4.0);
        ui.label(RichText::new(line).color(palette.weak));
    });
}

#[cfg(test)]
#[path = "../../examples/gallery/handshakes.rs"]
pub(crate) mod handshakes;
#[cfg(test)]
mod tests;
