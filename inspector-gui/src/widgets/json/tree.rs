//! The tree: one line a value, drawn only where it is seen.

use std::fmt::Write as _;
use std::ops::Range;

use egui::text::LayoutJob;
use egui::{
    Align2, Color32, EventFilter, FontId, Key, Rect, Role, Sense, TextFormat, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::fonts::{self, icon};
use crate::theme::{self, Palette};
use crate::widgets::format;
use crate::widgets::json::document::{Document, Kind, unescaped};
use crate::widgets::scroll::VirtualScroll;

const ROW: f32 = 18.0;
const INDENT: f32 = 14.0;
/// Documents up to this size are shown wholly open.
const OPEN_UP_TO: usize = 2_000;
/// Of a longer value only this much is laid out; the rest is counted.
const SHOWN: usize = 400;
/// Deeper values are not indented any further, so that they stay in sight.
const DEEPEST_INDENT: usize = 24;

/// A document and what of it is open.
#[derive(Debug, Clone, Default)]
pub struct JsonTree {
    document: Document,
    open: Vec<bool>,
    rows: Vec<usize>,
    selected: Option<usize>,
    scroll: VirtualScroll,
}

impl JsonTree {
    /// A tree over a document, open as far as it is small.
    pub fn new(document: Document) -> Self {
        let small = document.nodes().len() <= OPEN_UP_TO;
        let open = document.nodes().iter().map(|node| small || node.depth < 1).collect();
        let mut tree = Self { document, open, ..Self::default() };
        tree.list_rows();
        tree
    }

    /// Values in sight were the tree unrolled: one a row.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Whether the document is an object or an array rather than one bare value.
    pub fn is_container(&self) -> bool {
        self.document.nodes().first().is_some_and(|root| root.kind.is_container())
    }

    /// Opens or closes everything; the outermost value stays open.
    pub fn set_all_open(&mut self, open: bool) {
        for (flag, node) in self.open.iter_mut().zip(self.document.nodes()) {
            *flag = open || node.depth == 0;
        }
        self.list_rows();
    }

    fn list_rows(&mut self) {
        self.rows.clear();
        let nodes = self.document.nodes();
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            self.rows.push(at);
            at = if self.open[at] { at + 1 } else { node.end };
        }
    }

    fn toggle(&mut self, node: usize) {
        self.open[node] = !self.open[node];
        self.list_rows();
    }

    /// Draws the tree over `text`, which it was read from, into all the width there is.
    pub fn ui(&mut self, ui: &mut Ui, height: f32, text: &str) {
        let size = vec2(ui.available_width(), height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let id = response.id;
        response.widget_info(|| WidgetInfo::labeled(Role::Tree, true, "JSON"));
        let visible = self.scroll.vertical(ui, id, rect, ROW, self.rows.len());
        let palette = theme::palette(ui);
        let painter = ui.painter_at(visible.rect);
        let mut toggled = None;
        for row in visible.first..visible.first + visible.count {
            let Some((node, at)) = self
                .rows
                .get(row)
                .and_then(|at| self.document.nodes().get(*at).map(|node| (node, *at)))
            else {
                break;
            };
            #[expect(clippy::cast_precision_loss, reason = "rows in sight are few")]
            let y = visible.y + (row - visible.first) as f32 * ROW;
            let line = Rect::from_min_size(pos2(rect.min.x, y), vec2(visible.rect.width(), ROW));
            let open = self.open[at];
            let response =
                ui.interact(line.intersect(visible.rect), id.with(("row", at)), Sense::click());
            let job = self.line(palette, text, at);
            response.widget_info(|| {
                WidgetInfo::selected(Role::TreeItem, true, self.selected == Some(at), &job.text)
            });
            ui.ctx().accesskit_node_builder(response.id, |out| {
                out.set_level(node.depth + 1);
                if node.kind.is_container() {
                    out.set_expanded(open);
                }
            });
            if self.selected == Some(at) {
                painter.rect_filled(line, 3.0, palette.selection);
            } else if response.hovered() {
                painter.rect_filled(line, 3.0, palette.raised);
            }
            #[expect(clippy::cast_precision_loss, reason = "indents are few")]
            let x = line.min.x + node.depth.min(DEEPEST_INDENT) as f32 * INDENT;
            if node.kind.is_container() && node.members > 0 {
                let caret = if open { icon::CARET_DOWN } else { icon::CARET_RIGHT };
                let at = pos2(x + 6.0, line.center().y);
                painter.text(at, Align2::CENTER_CENTER, caret, fonts::icons(10.0), palette.weak);
            }
            let galley = painter.layout_job(job);
            let text_at = pos2(x + 16.0, y + (ROW - galley.size().y) / 2.0);
            painter.galley(text_at, galley, palette.text);

            if response.clicked() || response.secondary_clicked() {
                self.selected = Some(at);
                ui.memory_mut(|memory| memory.request_focus(id));
            }
            let on_caret = response.interact_pointer_pos().is_some_and(|at| at.x < x + 16.0);
            if node.kind.is_container()
                && (response.clicked() && on_caret || response.double_clicked())
            {
                toggled = Some(at);
            }
            response.context_menu(|ui| self.menu(ui, text, at));
        }
        if let Some(node) = toggled {
            self.toggle(node);
        }
        if response.clicked() {
            response.request_focus();
        }
        if ui.memory(|memory| memory.has_focus(id)) {
            self.keys(ui, id, text, rect.height());
        }
    }

    fn keys(&mut self, ui: &Ui, id: egui::Id, text: &str, height: f32) {
        let filter =
            EventFilter { vertical_arrows: true, horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        let place = self.selected.and_then(|node| self.rows.binary_search(&node).ok());
        let Some(last) = self.rows.len().checked_sub(1) else { return };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some dozens")]
        let page = (height / ROW) as usize;
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let row = place.unwrap_or(0);
        let moved = [
            (Key::ArrowUp, row.saturating_sub(1)),
            (Key::ArrowDown, place.map_or(0, |row| row + 1)),
            (Key::PageUp, row.saturating_sub(page)),
            (Key::PageDown, row + page),
            (Key::Home, 0),
            (Key::End, last),
        ]
        .into_iter()
        .find(|(key, _)| pressed(*key));
        if let Some((_, row)) = moved {
            let row = row.min(last);
            self.selected = self.rows.get(row).copied();
            self.scroll.reveal(row, ROW, height);
        }
        let Some(node) = self.selected else { return };
        let (container, open) = (self.document.nodes()[node].kind.is_container(), self.open[node]);
        let turn = if open { Key::ArrowLeft } else { Key::ArrowRight };
        if container && (pressed(turn) || pressed(Key::Enter) || pressed(Key::Space)) {
            self.toggle(node);
        } else if pressed(Key::ArrowLeft)
            && let Some(parent) = self.document.nodes()[node].parent
        {
            self.selected = Some(parent);
            if let Ok(row) = self.rows.binary_search(&parent) {
                self.scroll.reveal(row, ROW, height);
            }
        }
        if ui.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Copy))) {
            ui.copy_text(self.value(text, node));
        }
    }

    fn menu(&mut self, ui: &mut Ui, text: &str, node: usize) {
        if ui.button("Copy value").clicked() {
            ui.copy_text(self.value(text, node));
            ui.close();
        }
        if self.document.nodes().get(node).is_some_and(|node| node.kind == Kind::String)
            && ui.button("Copy as JSON, as sent").clicked()
        {
            ui.copy_text(self.source(text, node).to_owned());
            ui.close();
        }
        if ui.button("Copy path").clicked() {
            ui.copy_text(self.document.path(text, node));
            ui.close();
        }
        ui.separator();
        if ui.button("Open all").clicked() {
            self.set_all_open(true);
            ui.close();
        }
        if ui.button("Close all").clicked() {
            self.set_all_open(false);
            ui.close();
        }
    }

    fn source<'a>(&self, text: &'a str, node: usize) -> &'a str {
        let span = self.document.nodes().get(node).map(|node| node.span.clone());
        span.and_then(|span| text.get(span)).unwrap_or_default()
    }

    /// What "copy value" gives: a string without its quotes and escapes, anything else as sent.
    fn value(&self, text: &str, node: usize) -> String {
        let source = self.source(text, node);
        match self.document.nodes().get(node) {
            Some(node) if node.kind == Kind::String => unescaped(source),
            _ => source.to_owned(),
        }
    }

    /// One line: name and value, or name and what the container holds.
    fn line(&self, palette: &Palette, text: &str, at: usize) -> LayoutJob {
        let node = &self.document.nodes()[at];
        let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
        let mut put = |text: &str, color: Color32| {
            job.append(text, 0.0, TextFormat::simple(FontId::monospace(11.5), color));
        };
        let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
        match (&node.key, node.parent) {
            (Some(key), _) => {
                let name = slice(key.start + 1..key.end - 1);
                put(&one_line(name), palette.text);
                put(": ", palette.weak);
            }
            (None, Some(_)) => put(&format!("{}: ", node.position), palette.faint),
            (None, None) => {}
        }
        let source = slice(node.span.clone());
        match node.kind {
            Kind::Object | Kind::Array => {
                let (open, close, one, many) = if node.kind == Kind::Object {
                    ("{", "}", "member", "members")
                } else {
                    ("[", "]", "element", "elements")
                };
                if node.members == 0 {
                    put(&format!("{open}{close}"), palette.weak);
                } else if self.open[at] {
                    put(open, palette.weak);
                    put(&format!(" {}", format::thousands(node.members as u64)), palette.faint);
                } else {
                    put(&format!("{open}…{close} "), palette.weak);
                    put(&format::counted(node.members as u64, one, many), palette.faint);
                }
            }
            Kind::String => put(&one_line(source), palette.payload),
            Kind::Number => put(&one_line(source), palette.length),
            Kind::True | Kind::False => put(source, palette.opcode),
            Kind::Null => put(source, palette.weak),
        }
        job
    }
}

/// The text with what cannot be seen made visible, cut where it is long.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().take(SHOWN).map(format::visible).collect();
    if let Some((at, _)) = text.char_indices().nth(SHOWN) {
        let _ = write!(line, "… {} more", format::octets((text.len() - at) as u64));
    }
    line
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::{NodeT as _, Queryable as _};

    use super::*;

    const TEXT: &str =
        r#"{"op":"order","args":[{"side":"buy","quantity":25.0}],"big":12345678901234567890}"#;

    fn harness(text: &'static str) -> Harness<'static, JsonTree> {
        let tree = JsonTree::new(Document::parse(text).expect("JSON"));
        Harness::new_ui_state(
            move |ui, tree: &mut JsonTree| {
                theme::install_once(ui.ctx());
                tree.ui(ui, 300.0, text);
            },
            tree,
        )
    }

    #[test]
    fn lines_show_names_and_values_as_sent() {
        let mut harness = harness(TEXT);
        harness.run();
        for label in ["op: \"order\"", "args: [ 1", "0: { 2", "quantity: 25.0"] {
            harness.get_by_label(label);
        }
        harness.get_by_label("big: 12345678901234567890");
    }

    #[test]
    fn keys_close_open_and_climb() {
        let mut harness = harness(TEXT);
        harness.run();
        harness.get_by_label("args: [ 1").click();
        harness.run();
        assert_eq!(harness.state().rows(), 7);
        harness.key_press(Key::ArrowLeft);
        harness.run();
        assert_eq!(harness.state().rows(), 4);
        let closed = harness.get_by_label("args: […] 1 element");
        assert_eq!(closed.accesskit_node().data().is_expanded(), Some(false));
        harness.key_press(Key::ArrowRight);
        harness.run();
        harness.key_press(Key::ArrowDown);
        harness.run();
        assert_eq!(harness.state().selected, Some(3));
        harness.key_press(Key::ArrowLeft);
        harness.key_press(Key::ArrowLeft);
        harness.run();
        assert_eq!(harness.state().rows(), 5);
    }

    #[test]
    fn a_large_document_opens_one_level_deep() {
        let text = format!("[{}]", vec!["[1,2]"; 2_000].join(","));
        let tree = JsonTree::new(Document::parse(&text).expect("JSON"));
        assert_eq!(tree.rows(), 2_001);
    }

    #[test]
    fn long_values_are_cut_and_counted() {
        assert_eq!(one_line(&"é".repeat(401)), format!("{}… 2 octets more", "é".repeat(400)));
        assert_eq!(one_line("a\u{202e}b"), "a\u{fffd}b");
    }

    #[test]
    fn the_menu_copies_values_and_paths() {
        let copied = |label: &str, item: &str| {
            let mut harness = harness(TEXT);
            harness.run();
            harness.get_by_label(label).click_secondary();
            harness.run();
            harness.get_by_label(item).click();
            harness.step();
            let commands = &harness.output().platform_output.commands;
            commands.iter().find_map(|command| match command {
                egui::OutputCommand::CopyText(text) => Some(text.clone()),
                _ => None,
            })
        };
        assert_eq!(copied("side: \"buy\"", "Copy value").as_deref(), Some("buy"));
        assert_eq!(copied("side: \"buy\"", "Copy path").as_deref(), Some("$.args[0].side"));
        assert_eq!(copied("quantity: 25.0", "Copy value").as_deref(), Some("25.0"));
    }
}
