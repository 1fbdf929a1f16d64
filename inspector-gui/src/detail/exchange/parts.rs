//! Parts of the pane that remember nothing: its header, packets, what a piece holds.

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};
use framescope_core::Direction;
use framescope_core::present::Secrets;
use jiff::tz::TimeZone;

use crate::fonts::{self, icon};
use crate::store::exchanges::{MAX_ROWS, Row};
use crate::store::packets::Packets;
use crate::theme;
use crate::widgets::button::icon_button_enabled;
use crate::widgets::{chip, format, hairline, section};

/// The most room for packets before they scroll.
const PACKETS_MOST: f32 = 150.0;

/// The packets of a session that a body carries, a line each.
pub(super) fn packets_ui(ui: &mut Ui, packets: &Packets) {
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

/// What is told in place of a row that was dropped; whether the pane is to be closed.
pub(super) fn gone_ui(ui: &mut Ui, number: usize) -> bool {
    let closes = title_ui(ui, "Row", number, |_| {});
    let kept = format::thousands(MAX_ROWS as u64);
    let words = format!("It is not kept any more: of a connection the last {kept} rows are.");
    let words = RichText::new(words).color(theme::palette(ui).weak);
    ui.add(Label::new(words).wrap());
    closes
}

/// What kind of row it is, its number, and more beside it; whether the pane is to be closed.
fn title_ui(ui: &mut Ui, kind: &str, number: usize, more: impl FnOnce(&mut Ui)) -> bool {
    let mut closes = false;
    let (right, left) =
        (Layout::right_to_left(Align::Center), Layout::left_to_right(Align::Center));
    // What stands on the right takes its room first; on the left the rest is elided.
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 22.0), right, |ui| {
        closes = icon_button_enabled(ui, true, icon::X, "Close the detail pane (Escape)").clicked();
        ui.with_layout(left, |ui| {
            let title = format!("{kind} {}", format::thousands(number as u64 + 1));
            ui.add(Label::new(RichText::new(title).font(fonts::semibold(13.5))).truncate());
            more(ui);
        });
    });
    closes
}

/// Number, direction and method above; the target and the time below.
pub(super) fn header_ui(ui: &mut Ui, number: usize, row: &Row, zone: &TimeZone) -> bool {
    let palette = theme::palette(ui);
    let (kind, direction) = match row {
        Row::Exchange(_) => ("Exchange", None),
        Row::Piece(_) => ("Piece", Some(Direction::ServerToClient)),
        Row::Event(_) => ("Event", Some(Direction::ServerToClient)),
    };
    let closes = title_ui(ui, kind, number, |ui| {
        if let Some(direction) = direction {
            let words = RichText::new("↓ server to client");
            ui.add(Label::new(words.color(palette.direction(direction))).truncate());
        }
        if let Row::Exchange(exchange) = row {
            chip(ui, exchange.request.method().unwrap_or("?"), palette.weak);
        }
    });
    let (right, left) =
        (Layout::right_to_left(Align::Center), Layout::left_to_right(Align::Center));
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
