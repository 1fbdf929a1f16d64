//! The selected exchange, or event of a stream: when, both heads, both bodies.

mod holds;
mod parts;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use egui::{Context, Label, Rect, RichText, ScrollArea, Ui, vec2};
use framescope_core::transport::{TransportKind, TransportSession};
use framescope_core::{ConnectionId, Direction, Head, Index};
use jiff::tz::TimeZone;

use self::holds::Holds;
use self::parts::{gone_ui, header_ui, packets_ui};
use crate::detail::Sought;
use crate::detail::decoded::Decoded;
use crate::detail::saving::SavingPane;
use crate::detail::session::{session_of, session_ui};
use crate::fonts::icon;
use crate::handshake_tab::HeadLine;
use crate::handshake_tab::head::{Changes, head_ui};
use crate::handshake_tab::matches::Matches;
use crate::source::Source;
use crate::store::exchanges::{Content, Exchange, Row, StreamEvent, StreamPiece};
use crate::store::saving::Found;
use crate::theme;
use crate::widgets::{format, hairline, icon_button, key_value, lit, section, tab_bar};

/// The least room for a body.
const BODY_LEAST: f32 = 160.0;

/// What of an exchange is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Part {
    #[default]
    Response,
    Request,
}

impl Part {
    const fn of(direction: Direction) -> Self {
        match direction {
            Direction::ServerToClient => Self::Response,
            Direction::ClientToServer => Self::Request,
        }
    }

    const fn direction(self) -> Direction {
        match self {
            Self::Response => Direction::ServerToClient,
            Self::Request => Direction::ClientToServer,
        }
    }
}

/// What the whole capture tells of an exchange.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What it is part of.
    pub kind: Option<TransportKind>,
    /// How long the server held the answer.
    pub held: Option<Duration>,
    /// Why it is taken for that.
    pub reason: Option<String>,
    /// The session it belongs to, and the connection it is on.
    pub session: Option<(Arc<TransportSession>, ConnectionId)>,
}

/// What the user wants done, as seen from the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeAction {
    /// The pane is to be closed.
    Close,
    /// Another connection of the session is to be shown.
    ShowConnection(ConnectionId),
    /// The body that went this way, or what came in this event or piece, is to be saved.
    Save(Direction),
}

impl Known {
    /// Of the exchange of this connection that began with this request.
    pub fn of(index: &Index, connection: ConnectionId, request: &Head) -> Self {
        let Some(summary) = index.connection(connection) else { return Self::default() };
        let mut exchanges = summary.exchanges.iter().rev();
        let over = exchanges.find(|one| one.request.offset == request.offset);
        let over = over.and_then(|one| one.over);
        let session =
            session_of(index, summary, over, request).map(|session| (session, connection));
        let Some(over) = over else { return Self { session, ..Self::default() } };
        let series = over.series.and_then(|id| index.series().iter().find(|one| one.id == id));
        let reason = series.map(|series| series.reason.clone());
        Self { kind: over.kind, held: over.held, reason, session }
    }
}

/// What the pane remembers between passes.
#[derive(Debug, Default)]
pub struct ExchangePane {
    /// Which body is shown: the connection, its row, the part, and how much of it there was.
    shown: Option<(ConnectionId, usize, Part, usize)>,
    part: Part,
    decoded: Decoded,
    octets: Bytes,
    text: String,
    /// The row whose heads are shown, and which of their lines have their secrets shown.
    head_of: Option<(ConnectionId, usize)>,
    unmasked: BTreeSet<(Part, HeadLine)>,
    sought: Option<Sought>,
    holds: Holds,
    /// The row in which what is looked for is to be brought into sight.
    brings: Option<(ConnectionId, usize)>,
    saving: SavingPane,
}

impl ExchangePane {
    /// Whether the secret in this line of this row's head is shown.
    pub(crate) fn shows(
        &self,
        at: (ConnectionId, usize),
        direction: Direction,
        line: HeadLine,
    ) -> bool {
        self.head_of == Some(at) && self.unmasked.contains(&(Part::of(direction), line))
    }

    /// Asks where what was found is to be written; the name is suggested.
    pub fn save(&mut self, ctx: &Context, found: Result<Found, String>, name: String) {
        self.saving.ask_where(ctx, found, name);
    }

    /// Goes on with what is being saved, whether the pane is drawn or not; over none of these captures.
    pub fn go_on_saving(&mut self, captures: &[&Source]) {
        self.saving.go_on(captures);
    }

    /// Forgets everything but what is being saved: another capture is looked at, or this one is read anew.
    pub fn start_over(&mut self) {
        *self = Self { saving: std::mem::take(&mut self.saving), ..Self::default() };
    }

    /// Marks what is looked for from now on, or nothing.
    pub fn look_for(&mut self, sought: Option<Sought>) {
        if self.sought != sought {
            self.decoded.look_for(sought.clone());
            self.holds = Holds::default();
            self.sought = sought;
        }
    }

    /// Shows that part of this row which holds what is looked for, and brings it into sight as soon as it was
    /// read, unless another row is shown before.
    pub fn bring(&mut self, at: (ConnectionId, usize)) {
        self.brings = Some(at);
    }

    /// Draws a row of a connection with this number, from 0; what the user wants done.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        (connection, number): (ConnectionId, usize),
        row: &Row,
        known: &Known,
        zone: &TimeZone,
    ) -> Option<ExchangeAction> {
        let at = (connection, number);
        if self.head_of != Some(at) {
            self.head_of = Some(at);
            self.unmasked.clear();
            self.saving.forget();
        }
        self.brings = self.brings.filter(|brought| *brought == at);
        let mut action = None;
        ScrollArea::vertical().id_salt("exchange").auto_shrink(false).show(ui, |ui| {
            egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 12)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                let bottom = ui.max_rect().bottom().min(ui.clip_rect().bottom()) - 12.0;
                action = header_ui(ui, number, row, zone).then_some(ExchangeAction::Close);
                self.saving.line_ui(ui);
                let wanted = match row {
                    Row::Exchange(exchange) => self.exchange_ui(ui, at, exchange, known, bottom),
                    Row::Piece(piece) => self.piece_ui(ui, at, piece, bottom),
                    Row::Event(event) => self.event_ui(ui, at, event, bottom),
                };
                action = action.or(wanted);
            });
        });
        if !self.may_hold_it_later(at, row) {
            self.brings = None;
        }
        action
    }

    /// Whether what is looked for is in none of what was read of this row, and more is to be read.
    fn may_hold_it_later(&mut self, at: (ConnectionId, usize), row: &Row) -> bool {
        let Row::Exchange(exchange) = row else { return false };
        let holds = self.holds.of(at, exchange, self.sought.as_ref());
        exchange.ended_at.is_none() && !holds.contains(&true)
    }

    /// Draws what there is to say of a row with this number that is not kept any more; what the user wants
    /// done.
    pub fn gone_ui(&self, ui: &mut Ui, number: usize) -> Option<ExchangeAction> {
        let margin = egui::Margin::symmetric(12, 12);
        let closes = egui::Frame::new().inner_margin(margin).show(ui, |ui| gone_ui(ui, number));
        closes.inner.then_some(ExchangeAction::Close)
    }

    fn exchange_ui(
        &mut self,
        ui: &mut Ui,
        at: (ConnectionId, usize),
        exchange: &Exchange,
        known: &Known,
        bottom: f32,
    ) -> Option<ExchangeAction> {
        let palette = theme::palette(ui);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(14.0, 2.0);
            let mut fact = |name: &str, value: String| {
                key_value(ui, name, &value, palette.text);
            };
            match exchange.waited() {
                Some(waited) => fact("answered after", format::duration(waited)),
                None => fact("answered", "not yet".to_owned()),
            }
            if let (Some(answered), Some(ended)) = (exchange.answered_at, exchange.ended_at) {
                fact("went on for", format::duration(ended.since(answered)));
            }
            let heads = exchange.request.raw.len()
                + exchange.response.as_ref().map_or(0, |head| head.raw.len());
            fact("heads", format::octets(heads as u64));
            if let Some(kind) = known.kind {
                fact("transport", kind.title().to_owned());
            }
            if let Some(held) = known.held {
                fact("held for", format::duration(held));
            }
            if exchange.events > 0 {
                fact("events", format::thousands(exchange.events));
            }
        });
        if let Some(reason) = &known.reason {
            let kind = known.kind.map_or("", TransportKind::title);
            let why = format!("Told to be {kind}: {reason}.");
            let why = RichText::new(why).size(11.5).color(palette.weak);
            ui.add(Label::new(why).wrap());
        }
        let session = known.session.as_ref();
        let went = session.and_then(|(session, from)| session_ui(ui, session, *from));
        let went = went.map(ExchangeAction::ShowConnection);
        hairline(ui);
        let holds = self.holds.of(at, exchange, self.sought.as_ref());
        if self.brings.is_some() && !holds[self.part.direction().index()] && holds.contains(&true) {
            let is_asked = holds[Direction::ClientToServer.index()];
            self.part = if is_asked { Part::Request } else { Part::Response };
        }
        let name = |part: Part, name, found| {
            (part, if holds[part.direction().index()] { found } else { name })
        };
        let parts = [
            name(Part::Response, "Response", "Response · match"),
            name(Part::Request, "Request", "Request · match"),
        ];
        tab_bar(ui, &mut self.part, &parts);
        let direction = self.part.direction();
        let head = match self.part {
            Part::Response => exchange.response.as_deref(),
            Part::Request => Some(&*exchange.request),
        };
        let Some(head) = head else {
            ui.label(RichText::new("There is no answer yet.").color(palette.weak));
            return went;
        };
        ui.spacing_mut().interact_size.y = 16.0;
        self.head_ui(ui, head);
        packets_ui(ui, &exchange.packets[direction.index()]);
        hairline(ui);
        if let Some(body) = &exchange.bodies[direction.index()] {
            let coding = head.value("Content-Encoding");
            let saves = self.body_ui(ui, at, body, coding.as_deref(), bottom);
            return saves.then_some(ExchangeAction::Save(direction)).or(went);
        }
        let words = if exchange.events > 0 {
            "A stream that goes on: each of its events is a row of the table."
        } else if exchange.pieces > 0 {
            "A stream that goes on: each of its pieces is a row of the table."
        } else {
            "The body has not ended yet. If it is a stream, its pieces are rows once a pause shows that."
        };
        ui.add(Label::new(RichText::new(words).color(palette.weak)).wrap());
        went
    }

    fn head_ui(&mut self, ui: &mut Ui, head: &Head) {
        let part = self.part;
        let matches = Matches::of(head, self.sought.as_ref(), self.brings.is_some());
        if matches.are_there() {
            self.brings = None;
        }
        let is_shown = |line| self.unmasked.contains(&(part, line));
        let direction = part.direction();
        let clicked = head_ui(ui, head, direction, &Changes::default(), &is_shown, matches);
        if let Some(line) = clicked.map(|line| (part, line))
            && !self.unmasked.remove(&line)
        {
            self.unmasked.insert(line);
        }
    }

    fn piece_ui(
        &mut self,
        ui: &mut Ui,
        at: (ConnectionId, usize),
        of: &StreamPiece,
        bottom: f32,
    ) -> Option<ExchangeAction> {
        let palette = theme::palette(ui);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(14.0, 2.0);
            key_value(ui, "unit", of.piece.unit.name(), palette.text);
            let exchange = format::thousands(of.exchange as u64 + 1);
            key_value(ui, "of exchange", &exchange, palette.text);
            let place = format!("{} at {}", format::octets(of.piece.len), of.piece.offset);
            key_value(ui, "in the body", &place, palette.text);
        });
        hairline(ui);
        let saves = self.body_ui(ui, at, &Content::of_piece(&of.piece), None, bottom);
        saves.then_some(ExchangeAction::Save(Direction::ServerToClient))
    }

    fn event_ui(
        &mut self,
        ui: &mut Ui,
        at: (ConnectionId, usize),
        event: &StreamEvent,
        bottom: f32,
    ) -> Option<ExchangeAction> {
        let palette = theme::palette(ui);
        let of = &event.event;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(14.0, 2.0);
            let mut fact = |name: &str, value: &str, is_searched: bool| {
                let value = format::cut(value, 200);
                let sought = self.sought.as_ref().filter(|_| is_searched);
                let places = sought.map_or_else(Vec::new, |sought| sought.places(value.as_bytes()));
                lit::key_value(ui, name, &value, palette.text, &places);
            };
            match &of.event {
                Some(event) => fact("event", event, true),
                None => fact("event", "message, as none is named", false),
            }
            if let Some(id) = &of.id {
                let is_empty = id.is_empty();
                fact(
                    "id",
                    if is_empty { "empty: the last one is forgotten" } else { id },
                    !is_empty,
                );
            }
            if let Some(retry) = of.retry {
                fact("retry", &format!("{} ms", format::thousands(retry)), true);
            }
            if let Some(comment) = &of.comment {
                fact("comment", comment, true);
            }
            fact("of exchange", &format::thousands(event.exchange as u64 + 1), false);
            let place = format!("{} at {}", format::octets(of.len), of.offset);
            fact("in the stream", &place, false);
        });
        let told = if of.is_dispatched() {
            "A browser tells the page of it. HTML Standard §9.2.6"
        } else {
            "Without data, no page is told of it. HTML Standard §9.2.6"
        };
        ui.label(RichText::new(told).size(11.5).color(palette.weak));
        hairline(ui);
        let data = of.data.as_ref()?;
        let body = Content { octets: Bytes::copy_from_slice(data.as_bytes()), len: of.data_len };
        let saves = self.body_ui(ui, at, &body, None, bottom);
        saves.then_some(ExchangeAction::Save(Direction::ServerToClient))
    }

    /// Draws what a row holds; whether it is to be saved.
    fn body_ui(
        &mut self,
        ui: &mut Ui,
        (connection, number): (ConnectionId, usize),
        body: &Content,
        coding: Option<&str>,
        bottom: f32,
    ) -> bool {
        let palette = theme::palette(ui);
        let shown = (connection, number, self.part, body.octets.len());
        if self.shown != Some(shown) {
            self.shown = Some(shown);
            self.octets = body.octets.clone();
            self.text = String::from_utf8_lossy(&self.octets).into_owned();
            let is_cut = (self.octets.len() as u64) < body.len;
            self.decoded.take_in_body(&self.octets, coding, is_cut);
        }
        let mut saves = false;
        section(ui, "Body", |ui| {
            if body.len > 0 {
                saves =
                    icon_button(ui, icon::FLOPPY_DISK, "Save the whole body to a file…").clicked();
            }
            if icon_button(ui, icon::COPY, "Copy the body").clicked() {
                ui.copy_text(self.decoded.text(&self.octets));
            }
            let len = format::octets(body.len);
            ui.label(RichText::new(len).size(11.5).color(palette.weak));
        });
        if body.octets.is_empty() {
            let words = if body.len == 0 { "No body." } else { "It is not kept any more." };
            ui.label(RichText::new(words).color(palette.weak));
            return saves;
        }
        if (body.octets.len() as u64) < body.len {
            let kept = format::thousands(body.octets.len() as u64);
            let words = format!("The first {kept} of {}.", format::octets(body.len));
            ui.label(RichText::new(words).size(11.5).color(palette.weak));
        }
        self.decoded.choice_ui(ui);
        let left = (bottom - ui.cursor().top()).max(BODY_LEAST);
        if self.brings.is_some() && self.decoded.is_marked() {
            let size = vec2(ui.available_width(), left);
            ui.scroll_to_rect(Rect::from_min_size(ui.cursor().min, size), None);
        }
        self.decoded.body_ui(ui, left, &self.octets, &self.text);
        saves
    }
}

#[cfg(test)]
mod tests;
