//! The selected exchange, or event of a stream: when, both heads, both bodies.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use egui::{Label, RichText, ScrollArea, Ui};
use framescope_core::present::Secrets;
use framescope_core::transport::{BodyPiece, PieceUnit, TransportKind, TransportSession};
use framescope_core::{ConnectionId, Direction, Head, Index};
use jiff::tz::TimeZone;

use crate::detail::decoded::Decoded;
use crate::detail::session::{session_of, session_ui};
use crate::fonts;
use crate::fonts::icon;
use crate::handshake_tab::head::{Changes, head_ui};
use crate::store::exchanges::{Content, Exchange, Row, StreamEvent, StreamPiece};
use crate::store::packets::Packets;
use crate::theme;
use crate::widgets::button::icon_button_enabled;
use crate::widgets::{chip, format, hairline, icon_button, key_value, section, tab_bar};

/// The least room for a body.
const BODY_LEAST: f32 = 160.0;
/// The most room for packets before they scroll.
const PACKETS_MOST: f32 = 150.0;

/// What of an exchange is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Response,
    Request,
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
}

impl ExchangePane {
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
        let mut action = None;
        ScrollArea::vertical().id_salt("exchange").auto_shrink(false).show(ui, |ui| {
            egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 12)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                let bottom = ui.max_rect().bottom().min(ui.clip_rect().bottom()) - 12.0;
                action = header_ui(ui, number, row, zone).then_some(ExchangeAction::Close);
                match row {
                    Row::Exchange(exchange) => {
                        let went = self.exchange_ui(ui, at, exchange, known, bottom);
                        action = action.or(went.map(ExchangeAction::ShowConnection));
                    }
                    Row::Piece(piece) => self.piece_ui(ui, at, piece, bottom),
                    Row::Event(event) => self.event_ui(ui, at, event, bottom),
                }
            });
        });
        action
    }

    fn exchange_ui(
        &mut self,
        ui: &mut Ui,
        at: (ConnectionId, usize),
        exchange: &Exchange,
        known: &Known,
        bottom: f32,
    ) -> Option<ConnectionId> {
        let palette = theme::palette(ui);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
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
        hairline(ui);
        let parts = [(Part::Response, "Response"), (Part::Request, "Request")];
        tab_bar(ui, &mut self.part, &parts);
        let (head, direction) = match self.part {
            Part::Response => (exchange.response.as_deref(), Direction::ServerToClient),
            Part::Request => (Some(&*exchange.request), Direction::ClientToServer),
        };
        let Some(head) = head else {
            ui.label(RichText::new("There is no answer yet.").color(palette.weak));
            return went;
        };
        ui.spacing_mut().interact_size.y = 16.0;
        head_ui(ui, head, direction, &Changes::default(), &|_| false);
        packets_ui(ui, &exchange.packets[direction.index()]);
        hairline(ui);
        if let Some(body) = &exchange.bodies[direction.index()] {
            self.body_ui(ui, at, body, bottom);
            return went;
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

    fn piece_ui(&mut self, ui: &mut Ui, at: (ConnectionId, usize), of: &StreamPiece, bottom: f32) {
        let palette = theme::palette(ui);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
            key_value(ui, "unit", of.piece.unit.name(), palette.text);
            let exchange = format::thousands(of.exchange as u64 + 1);
            key_value(ui, "of exchange", &exchange, palette.text);
            let place = format!("{} at {}", format::octets(of.piece.len), of.piece.offset);
            key_value(ui, "in the body", &place, palette.text);
        });
        hairline(ui);
        self.body_ui(ui, at, &content_of(&of.piece), bottom);
    }

    fn event_ui(
        &mut self,
        ui: &mut Ui,
        at: (ConnectionId, usize),
        event: &StreamEvent,
        bottom: f32,
    ) {
        let palette = theme::palette(ui);
        let of = &event.event;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(14.0, 2.0);
            let mut fact = |name: &str, value: &str| {
                let value: String = format::cut(value, 200).chars().map(format::visible).collect();
                key_value(ui, name, &value, palette.text);
            };
            fact("event", of.event.as_deref().unwrap_or("message, as none is named"));
            if let Some(id) = &of.id {
                fact("id", if id.is_empty() { "empty: the last one is forgotten" } else { id });
            }
            if let Some(retry) = of.retry {
                fact("retry", &format!("{} ms", format::thousands(retry)));
            }
            if let Some(comment) = &of.comment {
                fact("comment", comment);
            }
            fact("of exchange", &format::thousands(event.exchange as u64 + 1));
            fact("in the stream", &format!("{} at {}", format::octets(of.len), of.offset));
        });
        let told = if of.is_dispatched() {
            "A browser tells the page of it. HTML Standard §9.2.6"
        } else {
            "Without data, no page is told of it. HTML Standard §9.2.6"
        };
        ui.label(RichText::new(told).size(11.5).color(palette.weak));
        hairline(ui);
        if let Some(data) = &of.data {
            let body =
                Content { octets: Bytes::copy_from_slice(data.as_bytes()), len: of.data_len };
            self.body_ui(ui, at, &body, bottom);
        }
    }

    fn body_ui(
        &mut self,
        ui: &mut Ui,
        (connection, number): (ConnectionId, usize),
        body: &Content,
        bottom: f32,
    ) {
        let palette = theme::palette(ui);
        let shown = (connection, number, self.part, body.octets.len());
        if self.shown != Some(shown) {
            self.shown = Some(shown);
            self.octets = body.octets.clone();
            self.text = String::from_utf8_lossy(&self.octets).into_owned();
            let is_cut = (self.octets.len() as u64) < body.len;
            self.decoded.take_in(&self.octets, None, is_cut);
        }
        section(ui, "Body", |ui| {
            if icon_button(ui, icon::COPY, "Copy the body").clicked() {
                ui.copy_text(self.decoded.text(&self.octets));
            }
            let len = format::octets(body.len);
            ui.label(RichText::new(len).size(11.5).color(palette.weak));
        });
        if body.octets.is_empty() {
            let words = if body.len == 0 { "No body." } else { "It is not kept any more." };
            ui.label(RichText::new(words).color(palette.weak));
            return;
        }
        if (body.octets.len() as u64) < body.len {
            let kept = format::thousands(body.octets.len() as u64);
            let words = format!("The first {kept} of {}.", format::octets(body.len));
            ui.label(RichText::new(words).size(11.5).color(palette.weak));
        }
        self.decoded.choice_ui(ui);
        let left = (bottom - ui.cursor().top()).max(BODY_LEAST);
        self.decoded.body_ui(ui, left, &self.octets, &self.text);
    }
}

/// What a piece holds. What ends a line is no part of it, nor missing from it.
fn content_of(piece: &BodyPiece) -> Content {
    let octets = piece.content.clone();
    let kept = octets.len() as u64;
    let ends = if piece.unit == PieceUnit::Line { "\r\n".len() as u64 } else { 0 };
    let is_whole = piece.len.saturating_sub(kept) <= ends;
    Content { octets, len: if is_whole { kept } else { piece.len } }
}

/// The packets of a session that a body carries, a line each.
fn packets_ui(ui: &mut Ui, packets: &Packets) {
    let Some(protocol) = packets.protocol else { return };
    let palette = theme::palette(ui);
    hairline(ui);
    section(ui, "Packets", |ui| {
        ui.label(RichText::new(protocol.title()).size(11.5).color(palette.weak));
    });
    let list = ScrollArea::vertical().id_salt("packets").max_height(PACKETS_MOST);
    list.auto_shrink([false, true]).show(ui, |ui| {
        let line = |ui: &mut Ui, text: &str, color| {
            let text: String = format::cut(text, 400).chars().map(format::visible).collect();
            let label = Label::new(RichText::new(&text).monospace().size(11.5).color(color));
            ui.add(label.truncate()).on_hover_text(text);
        };
        for packet in &packets.lines {
            line(ui, &packet.text, palette.text);
            if let Some(problem) = &packet.problem {
                line(ui, &format!("⚠ {problem}"), palette.warning);
            }
        }
        if packets.more > 0 {
            let more =
                format!("and {}", format::counted(packets.more, "more packet", "more packets"));
            line(ui, &more, palette.weak);
        }
    });
}

/// Number, direction and method above; the target and the time below.
fn header_ui(ui: &mut Ui, number: usize, row: &Row, zone: &TimeZone) -> bool {
    let palette = theme::palette(ui);
    let mut closes = false;
    let right = egui::Layout::right_to_left(egui::Align::Center);
    let left = egui::Layout::left_to_right(egui::Align::Center);
    let (kind, direction) = match row {
        Row::Exchange(_) => ("Exchange", None),
        Row::Piece(_) => ("Piece", Some(Direction::ServerToClient)),
        Row::Event(_) => ("Event", Some(Direction::ServerToClient)),
    };
    // What stands on the right takes its room first; on the left the rest is elided.
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 22.0), right, |ui| {
        closes = icon_button_enabled(ui, true, icon::X, "Close the detail pane (Escape)").clicked();
        ui.with_layout(left, |ui| {
            let title = format!("{kind} {}", format::thousands(number as u64 + 1));
            ui.add(Label::new(RichText::new(title).font(fonts::semibold(13.5))).truncate());
            if let Some(direction) = direction {
                let words = RichText::new("↓ server to client");
                ui.add(Label::new(words.color(palette.direction(direction))).truncate());
            }
            if let Row::Exchange(exchange) = row {
                chip(ui, exchange.request.method().unwrap_or("?"), palette.weak);
            }
        });
    });
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 20.0), right, |ui| {
        let time = format::time_of_day(row.at(), zone);
        ui.add(Label::new(RichText::new(time).monospace().color(palette.weak)).truncate());
        if let Row::Exchange(exchange) = row {
            let target = exchange.request.target().unwrap_or_default();
            let target = Secrets::Masked.target(target).into_owned();
            let target = RichText::new(target).monospace().size(11.5);
            ui.with_layout(left, |ui| ui.add(Label::new(target).truncate()));
        }
    });
    closes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_line_is_not_missing_from_it() {
        let piece = |unit, content: &'static [u8], len| {
            let piece = BodyPiece {
                index: 0,
                unit,
                offset: 603,
                len,
                content: Bytes::from_static(content),
                session: None,
            };
            content_of(&piece).len
        };
        assert_eq!(piece(PieceUnit::Line, b"{}", 3), 2);
        assert_eq!(piece(PieceUnit::Line, b"{}", 4), 2);
        assert_eq!(piece(PieceUnit::Line, b"{}", 50), 50, "cut");
        assert_eq!(piece(PieceUnit::Chunk, b"{}", 3), 3);
    }
}
