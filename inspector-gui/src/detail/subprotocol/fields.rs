//! The parts of a dissected message: a line each, those with parts of their own folded and unfolded.

use std::fmt::Write as _;

use bytes::Bytes;
use egui::text::LayoutJob;
use egui::{Color32, FontId, Key, Role, Sense, TextFormat, Ui, WidgetInfo, vec2};
use framescope_core::payload::{Body, Format, Limits, Node, View, view};
use framescope_core::subprotocol::{Dissection, Field, FieldForm, Packet};

use crate::theme::{self, Palette};
use crate::widgets::tree::line as value_line;
use crate::widgets::tree::row::{DrawnRow, ROW, TreeRow, moved_to};
use crate::widgets::{VirtualScroll, format};

/// Characters of one value that are laid out.
const SHOWN: usize = 400;
/// Values inside one field that are listed.
const MAX_NODES: usize = 2_000;

/// One line.
#[derive(Debug)]
struct Part {
    depth: usize,
    /// How many of the lines that follow lie in it.
    below: usize,
    open: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A packet: its kind, and the rest of its summary.
    Packet {
        kind: String,
        rest: String,
    },
    Field {
        name: String,
        value: String,
        form: FieldForm,
    },
    /// A value inside a field, with the octets of that field.
    Value(Box<Node>, Bytes),
}

/// All parts, and which of them are open.
#[derive(Debug, Default)]
pub(super) struct Fields {
    parts: Vec<Part>,
    rows: Vec<usize>,
    selected: Option<usize>,
    scroll: VirtualScroll,
}

impl Fields {
    /// The parts of `dissection`, which was made of `data`.
    pub(super) fn new(dissection: &Dissection, data: &Bytes) -> Self {
        let mut fields = Self::default();
        for packet in &dissection.packets {
            fields.packet(packet, data);
        }
        fields.list_rows();
        fields
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn packet(&mut self, packet: &Packet, data: &Bytes) {
        let at = self.parts.len();
        let kind = visible(&packet.kind);
        let summary = visible(&packet.summary);
        let rest = summary.strip_prefix(kind.as_str()).unwrap_or(&summary).trim_start().to_owned();
        self.push(0, What::Packet { kind, rest });
        for (place, field) in packet.fields.iter().enumerate() {
            let depth = 1 + usize::from(field.depth);
            let has_parts =
                packet.fields.get(place + 1).is_some_and(|next| next.depth > field.depth);
            let inner = if has_parts { None } else { inside(field, data) };
            let (name, value) = (visible(&field.name), visible(&field.value));
            self.push(depth, What::Field { name, value, form: field.form });
            let Some((View { body: Body::Tree(tree), .. }, octets)) = inner else { continue };
            // The outermost value is the field itself.
            for node in tree.nodes().iter().skip(1).take(MAX_NODES) {
                self.push(depth + node.depth, What::Value(Box::new(node.clone()), octets.clone()));
            }
        }
        // Each holds the deeper ones behind it.
        for of in at..self.parts.len() {
            let depth = self.parts[of].depth;
            let behind = &self.parts[of + 1..];
            self.parts[of].below =
                behind.iter().position(|part| part.depth <= depth).unwrap_or(behind.len());
        }
    }

    fn push(&mut self, depth: usize, what: What) {
        self.parts.push(Part { depth, below: 0, open: true, what });
    }

    fn list_rows(&mut self) {
        self.rows.clear();
        let mut at = 0;
        while let Some(part) = self.parts.get(at) {
            self.rows.push(at);
            at += if part.open { 1 } else { 1 + part.below };
        }
    }

    /// All of it as text, whether folded or not.
    pub(super) fn text(&self) -> String {
        let palette = &theme::DARK;
        self.parts.iter().fold(String::new(), |mut text, part| {
            let _ = writeln!(text, "{}{}", "  ".repeat(part.depth), job(palette, part).text);
            text
        })
    }

    fn toggle(&mut self, at: usize) {
        if let Some(part) = self.parts.get_mut(at).filter(|part| part.below > 0) {
            part.open = !part.open;
            self.list_rows();
        }
    }

    /// Draws the lines into all the width and this height.
    pub(super) fn ui(&mut self, ui: &mut Ui, height: f32) {
        let size = vec2(ui.available_width(), height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let id = response.id;
        response.widget_info(|| WidgetInfo::labeled(Role::Tree, true, "Parts of the message"));
        let visible = self.scroll.vertical(ui, id, rect, ROW, self.rows.len());
        let palette = theme::palette(ui);
        let painter = ui.painter_at(visible.rect);
        let mut toggled = None;
        for row in visible.first..visible.first + visible.count {
            let Some(at) = self.rows.get(row).copied() else { break };
            let part = &self.parts[at];
            let job = job(palette, part);
            let text = job.text.clone();
            let drawn = TreeRow {
                id: id.with(("part", at)),
                depth: part.depth,
                open: (part.below > 0).then_some(part.open),
                is_selected: self.selected == Some(at),
                is_marked: false,
                job,
            };
            let drawn = drawn.ui(ui, &painter, &visible, row);
            let DrawnRow { response: hit, is_toggled, is_clipped } = drawn;
            if hit.clicked() {
                self.selected = Some(at);
                ui.memory_mut(|memory| memory.request_focus(id));
            }
            if is_toggled {
                toggled = Some(at);
            }
            let value = copied(part);
            hit.context_menu(|ui| {
                if ui.button("Copy value").clicked() {
                    ui.copy_text(value);
                    ui.close();
                }
            });
            if is_clipped {
                hit.on_hover_text(text);
            }
        }
        if let Some(at) = toggled {
            self.toggle(at);
        }
        if ui.memory(|memory| memory.has_focus(id)) {
            self.keys(ui, id, rect.height());
        }
    }

    fn keys(&mut self, ui: &Ui, id: egui::Id, height: f32) {
        let place = self.selected.and_then(|at| self.rows.binary_search(&at).ok());
        if let Some(row) = moved_to(ui, id, place, self.rows.len(), height) {
            self.selected = self.rows.get(row).copied();
            self.scroll.reveal(row, ROW, height);
        }
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let Some(at) = self.selected else { return };
        let Some(part) = self.parts.get(at) else { return };
        let turn = if part.open { Key::ArrowLeft } else { Key::ArrowRight };
        if pressed(turn) || pressed(Key::Enter) {
            self.toggle(at);
        }
        if ui.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Copy)))
            && let Some(part) = self.parts.get(at)
        {
            ui.copy_text(copied(part));
        }
    }
}

/// What a field with a structure holds, where its octets are JSON.
fn inside(field: &Field, data: &Bytes) -> Option<(View, Bytes)> {
    if field.form != FieldForm::Structure {
        return None;
    }
    let span = field.span.filter(|span| span.end <= data.len() && span.start < span.end)?;
    let octets = data.slice(span.start..span.end);
    if !matches!(octets.first(), Some(b'{' | b'[')) {
        return None;
    }
    let view = view(Format::Json, &octets, &Limits::VIEW);
    view.fault.is_none().then_some((view, octets))
}

fn visible(text: &str) -> String {
    text.chars().map(format::visible).collect()
}

fn copied(part: &Part) -> String {
    match &part.what {
        What::Packet { kind, rest } => format!("{kind} {rest}"),
        What::Field { value, .. } => value.clone(),
        What::Value(node, octets) => String::from_utf8_lossy(node.span.of(octets)).into_owned(),
    }
}

fn job(palette: &Palette, part: &Part) -> LayoutJob {
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    let mut put = |text: &str, color: Color32| {
        let format = TextFormat::simple(FontId::monospace(11.5), color);
        job.append(&format::cut(text, SHOWN), 0.0, format);
    };
    match &part.what {
        What::Packet { kind, rest } => {
            put(kind, palette.accent);
            let space = if rest.starts_with([',', ':']) { "" } else { " " };
            put(&format!("{space}{rest}"), palette.text);
        }
        What::Field { name, value, form } => {
            put(name, palette.text);
            if *form == FieldForm::Group {
                put(&format!("  {value}"), palette.weak);
                return job;
            }
            put(": ", palette.weak);
            let color = match form {
                FieldForm::Text => palette.payload,
                FieldForm::Number => palette.length,
                FieldForm::Flag => palette.opcode,
                FieldForm::Octets => palette.masking_key,
                FieldForm::Meaning | FieldForm::Group | FieldForm::Structure => palette.weak,
            };
            match form {
                FieldForm::Text => put(&format!("\"{value}\""), color),
                // Its parts stand below.
                FieldForm::Structure if part.below > 0 && part.open => put("", color),
                _ => put(value, color),
            }
        }
        What::Value(node, octets) => return value_line::job(palette, node, part.open, octets),
    }
    job
}

#[cfg(test)]
mod tests {
    use framescope_core::subprotocol::{Choice, Conversation, MessageFacts, Opening, Subprotocol};
    use framescope_core::{Direction, Opcode, Timestamp};

    use super::*;

    fn fields(protocol: Subprotocol, text: &'static str) -> Fields {
        let choice = Choice { protocol, reason: String::new() };
        let data = Bytes::from_static(text.as_bytes());
        let said = Conversation::new(choice, &Opening::default()).receive(&MessageFacts {
            direction: Direction::ClientToServer,
            index: 0,
            opcode: Opcode::Text,
            data: &data,
            data_len: data.len() as u64,
            at: Timestamp::from_nanos(0),
        });
        Fields::new(&said, &data)
    }

    #[test]
    fn arguments_are_unfolded_into_their_values() {
        let fields =
            fields(Subprotocol::SocketIo, r#"4217["order",{"side":"buy","items":[1,2]},true]"#);
        let text = fields.text();
        for line in ["EVENT / \"order\"", "side: \"buy\"", "items: [ 2", "1: 2", "argument 1: true"]
        {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn folding_hides_what_lies_in_a_part() {
        let mut fields =
            fields(Subprotocol::SocketIo, r#"42["order",{"side":"buy","items":[1,2]}]"#);
        let all = fields.rows.len();
        assert_eq!(all, fields.parts.len());
        fields.toggle(0);
        assert_eq!(fields.rows, [0]);
        fields.toggle(0);
        assert_eq!(fields.rows.len(), all);
        let leaf = fields.parts.len() - 1;
        fields.toggle(leaf);
        assert!(fields.parts[leaf].open, "a leaf has nothing to hide");
    }
}
