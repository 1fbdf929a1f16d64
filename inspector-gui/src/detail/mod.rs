//! The detail pane: one frame bit by bit, its octets, its payload, in words.
//!
//! What is pointed at is one state for all parts: a field in the bit grid is stressed in the octets
//! and explained; an octet of the payload is stressed in the unmasking, and the other way round.

mod compression;
mod connection;
mod decoded;
mod exchange;
pub mod explain;
mod facts;
pub mod finding;
mod octets;
mod payload;
#[cfg(test)]
#[path = "../../examples/gallery/sample.rs"]
mod sample;
mod saving;
pub mod selected;
pub(crate) mod session;
mod sought;
mod subprotocol;
#[cfg(test)]
mod tests;
mod times;

use egui::text::LayoutJob;
use egui::{FontId, Label, RichText, ScrollArea, TextFormat, Ui};
use framescope_core::payload::protobuf::MessageType;
use jiff::tz::TimeZone;

pub use connection::connection_name;
pub(crate) use decoded::hints_of_body;
pub use exchange::{ExchangeAction, ExchangePane, Known};
pub use payload::PayloadTab;
pub use selected::{
    DetailAction, Fragment, FrameTimes, Selected, SelectedCompression, SelectedKind,
    SelectedMessage,
};
pub use sought::Sought;
pub use subprotocol::subprotocol_name;

use crate::fonts;
use crate::fonts::icon;
use crate::source::Source;
use crate::store::dissections::Said;
use crate::store::{RowKey, Store};
use crate::theme::{self, Field};
use crate::widgets::button::icon_button_enabled;
use crate::widgets::{
    BitGrid, HexView, MaskWalk, Split, chip, fold, format, hairline, key_value, mask_walk,
};

/// The least room for the payload, and for what stands above it.
const PAYLOAD_LEAST: f32 = 170.0;
const FRAME_LEAST: f32 = 130.0;
/// Without so much room the direction is not told in the header.
const DIRECTION_LEAST: f32 = 16.0;
/// Room at the pane's left and right.
const MARGIN: i8 = 12;

/// What the pane remembers between passes.
#[derive(Debug)]
pub struct DetailPane {
    time_zone: TimeZone,
    /// What the connection is called that the frame belongs to.
    connection: String,
    /// Which frame the rest belongs to.
    shown: Option<Shown>,
    /// What the pointer was on in the last pass.
    pointed: Pointed,
    /// The field chosen by a click.
    chosen: Option<Field>,
    wire: HexView,
    walk: MaskWalk,
    payload: payload::PayloadPane,
}

/// What tells one selection from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    kind: SelectedKind,
    connection: framescope_core::ConnectionId,
    direction: framescope_core::Direction,
    offset: u64,
    wire_len: usize,
}

impl Shown {
    fn of(selected: &Selected) -> Self {
        Self {
            kind: selected.kind,
            connection: selected.connection,
            direction: selected.direction,
            offset: selected.offset,
            wire_len: selected.frame.wire.len(),
        }
    }
}

/// What is under the pointer, wherever that is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pointed {
    field: Option<Field>,
    /// Octet of the payload, counted from its first.
    octet: Option<usize>,
}

impl Default for DetailPane {
    fn default() -> Self {
        Self::new(TimeZone::system())
    }
}

impl DetailPane {
    /// A pane that tells times in this zone.
    pub fn new(time_zone: TimeZone) -> Self {
        Self {
            time_zone,
            connection: String::new(),
            shown: None,
            pointed: Pointed::default(),
            chosen: None,
            wire: HexView::default(),
            walk: MaskWalk::default(),
            payload: payload::PayloadPane::default(),
        }
    }

    /// Calls the connection by this name from now on.
    pub fn name_connection(&mut self, name: String) {
        self.connection = name;
    }

    /// Takes in what the selected message says in its sub-protocol, once that is known.
    pub fn take_in(&mut self, said: Option<std::sync::Arc<Said>>, selected: &Selected) {
        self.payload.take_in_said(said, selected);
    }

    /// Finds what is to be saved of the selected row, if anything, and asks where to.
    pub fn begin_saving(
        &mut self,
        ctx: &egui::Context,
        store: &Store,
        key: RowKey,
        selected: &Selected,
    ) {
        self.payload.saving().begin(ctx, store, key, selected);
    }

    /// Goes on with what is being saved, whether the pane is drawn or not; over none of these captures.
    pub fn go_on_saving(&mut self, captures: &[&Source]) {
        self.payload.saving().go_on(captures);
    }

    /// Forgets everything but what is being saved.
    pub fn start_over(&mut self) {
        let saving = std::mem::take(self.payload.saving());
        *self = Self::new(self.time_zone.clone());
        *self.payload.saving() = saving;
    }

    /// Draws the selected frame into all the room there is. Scrolls by itself.
    pub fn ui(&mut self, ui: &mut Ui, selected: &Selected) -> Option<DetailAction> {
        let shown = Shown::of(selected);
        if self.shown != Some(shown) {
            self.shown = Some(shown);
            self.chosen = None;
            self.pointed = Pointed::default();
            self.wire = HexView::default();
            self.walk.rewind();
            self.payload.saving().forget();
        }
        self.payload.take_in(selected);

        let was = self.pointed;
        let mut now = Pointed::default();
        let mut action = None;
        let room = ui.available_rect_before_wrap();
        let split = Split::of(ui, "payload", room);
        let height = split.height_above(FRAME_LEAST, PAYLOAD_LEAST);
        ui.spacing_mut().item_spacing.y = 0.0;
        // As high as what it shows, and no higher than the split.
        let frame = ScrollArea::vertical().id_salt("detail").auto_shrink([false, true]);
        frame.max_height(height).show(ui, |ui| {
            egui::Frame::new().inner_margin(egui::Margin::symmetric(MARGIN, 12)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                action = self.header_ui(ui, selected);
                self.bits_ui(ui, selected, &mut now);
                facts::findings_ui(ui, selected);
                facts::message_ui(ui, selected);
                times::times_ui(ui, selected);
                compression::compression_ui(ui, selected);
                hairline(ui);
                self.octets_ui(ui, selected, &mut now);
                self.unmasking_ui(ui, selected, &mut now);
            });
        });
        split.line_ui(ui, "Height of the payload");
        egui::Frame::new().inner_margin(egui::Margin::symmetric(MARGIN, 0)).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            let left = (room.bottom() - ui.cursor().top() - 10.0).floor();
            action = self.payload.ui(ui, selected, left).or(action);
        });
        self.pointed = now;
        if now != was {
            // Parts above what is pointed at were drawn before it was known.
            ui.ctx().request_repaint();
        }
        action
    }

    /// Marks what is looked for wherever the payload holds it, from now on; `None` marks nothing.
    pub fn look_for(&mut self, sought: Option<Sought>) {
        self.payload.look_for(sought);
    }

    /// Reads Protobuf as messages of this type from now on, or without a schema.
    pub fn read_protobuf_as(&mut self, message_type: Option<MessageType>) {
        self.payload.read_protobuf_as(message_type);
    }

    /// The tab that the payload is shown in.
    pub fn payload_tab(&self) -> PayloadTab {
        self.payload.tab()
    }

    /// `Frame 1,281  ↑ client to server  text …`, `#3 /ticker … 12:04:31.482 190 000`.
    fn header_ui(&self, ui: &mut Ui, selected: &Selected) -> Option<DetailAction> {
        let palette = theme::palette(ui);
        let mut action = None;
        let right = egui::Layout::right_to_left(egui::Align::Center);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        // What stands on the right takes its room first; on the left the rest is elided.
        ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 22.0), right, |ui| {
            if icon_button_enabled(ui, true, icon::X, "Close the detail pane (Escape)").clicked() {
                action = Some(DetailAction::Close);
            }
            ui.with_layout(left, |ui| title_ui(ui, selected));
        });
        let time = format::time_of_day(selected.first_octet_at, &self.time_zone);
        ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 20.0), right, |ui| {
            let text = RichText::new(&time).monospace().color(palette.weak);
            ui.add(Label::new(text).truncate()).on_hover_ui(|ui| self.times_ui(ui, selected));
            if let Some(fragment) = selected.fragment {
                action = action.or(fragment_ui(ui, fragment));
            }
            ui.with_layout(left, |ui| {
                let text = RichText::new(&self.connection).size(12.0).color(palette.weak);
                ui.add(Label::new(text).truncate());
            });
        });
        ui.add_space(2.0);
        action
    }

    fn times_ui(&self, ui: &mut Ui, selected: &Selected) {
        let palette = theme::palette(ui);
        let date = format::date_time(selected.first_octet_at, &self.time_zone);
        key_value(ui, "date", &date, palette.text);
        let first = format::time_of_day(selected.first_octet_at, &self.time_zone);
        key_value(ui, "first octet read", &first, palette.text);
        let last = format::time_of_day(selected.last_octet_at, &self.time_zone);
        key_value(ui, "last octet read", &last, palette.text);
        let took = selected.last_octet_at.since(selected.first_octet_at);
        key_value(ui, "took", &format::duration(took), palette.text);
        key_value(ui, "UTC", &selected.first_octet_at.to_string(), palette.text);
    }

    /// The bit grid, the values in one line, the explanation.
    fn bits_ui(&mut self, ui: &mut Ui, selected: &Selected, now: &mut Pointed) {
        let palette = theme::palette(ui);
        let header = &selected.frame.header;
        let lit = self.pointed.field.or(self.chosen);
        let grid = BitGrid { header, lit }.ui(ui);
        now.field = grid.hovered;
        if let Some(field) = grid.clicked {
            self.chosen = if self.chosen == Some(field) { None } else { Some(field) };
            if let Some(range) = octets::of_field(field, header) {
                self.wire.reveal(range.start, octets::MOST_HEIGHT);
            }
        }
        ui.add_space(3.0);
        ui.spacing_mut().interact_size.y = 16.0;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 14.0;
            let opcode = format!("0x{:x} {}", header.opcode.bits(), header.opcode.name());
            key_value(ui, "opcode", &opcode, palette.opcode);
            let length = format!(
                "{}, {}-bit form",
                format::thousands(header.payload_len.value),
                header.payload_len.form.bits()
            );
            key_value(ui, "length", &length, palette.length);
            if let Some(key) = header.masking_key {
                key_value(ui, "masking key", &format::hex(&key.0), palette.masking_key);
            }
        });
        ui.add_space(3.0);
        let told =
            lit.map_or_else(|| explain::frame(selected), |field| explain::field(field, selected));
        let others = Field::ALL.map(|field| explain::field(field, selected));
        let mark = lit.map_or(palette.hairline, |field| palette.field(field));
        explanation_ui(ui, &told, others.iter().chain([&explain::frame(selected)]), mark);
    }

    /// The octets as they crossed the wire, each in its field's colour.
    fn octets_ui(&mut self, ui: &mut Ui, selected: &Selected, now: &mut Pointed) {
        // A single octet of the payload is stressed rather than all of them.
        let single = self.pointed.octet.is_some() && self.pointed.field == Some(Field::Payload);
        let field = self.pointed.field.or(self.chosen).filter(|_| !single);
        let hovered = octets::wire_ui(ui, &mut self.wire, selected, field, self.pointed.octet);
        let header_len = usize::from(selected.frame.header.encoded_len());
        if let Some(octet) = hovered {
            now.field = now.field.or(octets::field_at(octet, &selected.frame.header));
            now.octet = now.octet.or(octet.checked_sub(header_len));
            if let Some(octet) = now.octet {
                self.walk.reveal(octet, ui.available_width());
            }
        }
    }

    /// wire ⊕ key = data, where the frame is masked.
    fn unmasking_ui(&mut self, ui: &mut Ui, selected: &Selected, now: &mut Pointed) {
        let Some(key) = selected.frame.header.masking_key else { return };
        let header_len = usize::from(selected.frame.header.encoded_len());
        let masked = selected.frame.wire.get(header_len..).unwrap_or_default();
        if masked.is_empty() {
            return;
        }
        hairline(ui);
        let palette = theme::palette(ui);
        let octet = self.pointed.octet;
        let told = octet.and_then(|at| mask_walk::column_in_words(masked, key, at));
        // Both beside each other need room.
        let heading = if told.is_some() && ui.available_width() < 520.0 {
            "Unmasking"
        } else {
            "Unmasking: wire ⊕\u{2009} key = data"
        };
        let is_open = fold(ui, "unmasking", heading, true, |ui| {
            if let Some(told) = told {
                ui.label(RichText::new(told).monospace().size(11.0).color(palette.weak));
            }
        });
        if !is_open {
            return;
        }
        if let Some(octet) = self.walk.ui(ui, masked, key, octet) {
            now.octet = Some(octet);
        }
    }
}

/// `Frame 1,281  ↑ client to server  text`; the direction and at last the number are elided where there
/// is no room.
fn title_ui(ui: &mut Ui, selected: &Selected) {
    let palette = theme::palette(ui);
    let kind = match selected.kind {
        SelectedKind::Frame => "Frame",
        SelectedKind::Message => "Message",
    };
    let opcode = selected.frame.header.opcode.name();
    let for_chip = chip::width(ui, opcode) + ui.spacing().item_spacing.x;
    let elided = |ui: &mut Ui, text: RichText| {
        let room = (ui.available_width() - for_chip).max(0.0);
        ui.scope(|ui| {
            ui.set_max_width(room);
            ui.add(Label::new(text).truncate());
        });
    };
    let title = format!("{kind} {}", format::thousands(selected.number));
    elided(ui, RichText::new(title).font(fonts::semibold(13.5)));
    if ui.available_width() - for_chip > DIRECTION_LEAST {
        let words = match selected.direction {
            framescope_core::Direction::ClientToServer => "↑ client to server",
            framescope_core::Direction::ServerToClient => "↓ server to client",
        };
        elided(ui, RichText::new(words).color(palette.direction(selected.direction)));
    }
    chip(ui, opcode, palette.weak);
}

/// `‹ 2 of 3 ›`, from the right.
fn fragment_ui(ui: &mut Ui, Fragment { index, count }: Fragment) -> Option<DetailAction> {
    let palette = theme::palette(ui);
    let mut action = None;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let on = index + 1 < count;
        if icon_button_enabled(ui, on, icon::CARET_RIGHT, "Next frame of this message").clicked() {
            action = Some(DetailAction::NextFragment);
        }
        let place = format!("{} of {}", format::thousands(index + 1), format::thousands(count));
        ui.label(RichText::new(place).size(11.5).color(palette.weak));
        let back = index > 0;
        if icon_button_enabled(ui, back, icon::CARET_LEFT, "Previous frame of this message")
            .clicked()
        {
            action = Some(DetailAction::PreviousFragment);
        }
    });
    action
}

/// A heavier subject, its sentence, its section, on a card with a mark in the field's colour. The
/// card is as high as the longest of `all`, so that nothing jumps while the pointer moves.
fn explanation_ui<'a>(
    ui: &mut Ui,
    told: &explain::Explanation,
    all: impl Iterator<Item = &'a explain::Explanation>,
    mark: egui::Color32,
) {
    let palette = theme::palette(ui);
    let margin = egui::Margin { left: 12, right: 10, top: 7, bottom: 7 };
    let width = ui.available_width() - margin.sum().x;
    let height_of = |told: &explain::Explanation| {
        let mut job = explanation_job(palette, told);
        job.wrap.max_width = width;
        ui.painter().layout_job(job).size().y
    };
    let height = all.map(height_of).fold(0.0, f32::max);
    let frame = egui::Frame::new().fill(palette.panel).corner_radius(theme::RADIUS_SMALL);
    let card = frame.inner_margin(margin).show(ui, |ui| {
        ui.set_width(width);
        ui.set_min_height(height);
        ui.add(Label::new(explanation_job(palette, told)).wrap());
    });
    let rect = card.response.rect;
    let line = egui::Rect::from_min_max(rect.min, egui::pos2(rect.min.x + 3.0, rect.max.y));
    ui.painter().rect_filled(line, 1.5, mark);
}

fn explanation_job(palette: &theme::Palette, told: &explain::Explanation) -> LayoutJob {
    let size = 12.0;
    let mut job = LayoutJob::default();
    job.append(&told.subject, 0.0, TextFormat::simple(fonts::semibold(size), palette.text));
    let font = FontId::proportional(size);
    job.append(&told.sentence, 0.0, TextFormat::simple(font.clone(), palette.weak));
    // The name of a section is not torn apart at the line's end.
    let section = format!(" {}", told.section.replace(' ', "\u{a0}"));
    job.append(&section, 0.0, TextFormat::simple(font, palette.accent));
    job
}
