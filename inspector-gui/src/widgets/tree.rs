//! A payload's tree: one line a value, drawn only where it is seen.

pub(crate) mod line;
pub(crate) mod row;

use std::ops::Range;

use egui::{Key, Label, RichText, Role, Sense, Ui, WidgetInfo, vec2};
use framescope_core::payload::{Node, Notation, Span, Tree, Value};

use crate::theme;
use crate::widgets::format;
use crate::widgets::scroll::VirtualScroll;
use row::{DrawnRow, ROW, TreeRow};

/// Trees up to this size are shown wholly open.
const OPEN_UP_TO: usize = 2_000;
/// Rows that stay above a value that is brought into sight.
const ROWS_ABOVE: usize = 3;
/// Characters told of a value that has no room in its line, and the width they take.
const TOLD: usize = 2_000;
const TOLD_WIDTH: f32 = 520.0;

/// A tree and what of it is open.
#[derive(Debug, Clone, Default)]
pub struct TreeView {
    tree: Tree,
    parents: Vec<Option<usize>>,
    open: Vec<bool>,
    rows: Vec<usize>,
    selected: Option<usize>,
    scroll: VirtualScroll,
    /// Values on a ground of their own, in order.
    marked: Vec<usize>,
}

impl TreeView {
    /// A view of a tree, open as far as it is small.
    pub fn new(tree: Tree) -> Self {
        let small = tree.nodes().len() <= OPEN_UP_TO;
        let open = tree.nodes().iter().map(|node| small || node.depth < 1).collect();
        let mut view = Self { parents: parents(&tree), tree, open, ..Self::default() };
        view.list_rows();
        view
    }

    /// Puts values without parts on a ground of their own that were read, their keys counted in, from any of
    /// these octets, which are in order; brings the first into sight.
    pub fn mark(&mut self, places: &[Range<usize>]) {
        let is_marked = |node: &Node| {
            [node.key_span, node.span].iter().any(|span| {
                let first = places.partition_point(|place| place.end <= span.start);
                places.get(first).is_some_and(|place| place.start < span.end)
            })
        };
        let leaves = self.tree.nodes().iter().enumerate();
        let marked = leaves.filter(|(_, node)| node.children == 0 && is_marked(node));
        self.marked = marked.map(|(at, _)| at).collect();
        let row = self.marked.first().and_then(|at| self.rows.binary_search(at).ok());
        #[expect(clippy::cast_precision_loss, reason = "2^52 rows are beyond any tree")]
        if let Some(row) = row {
            self.scroll.top = row.saturating_sub(ROWS_ABOVE) as f64;
        }
    }

    /// Values in sight were the view unrolled: one a row.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The octets of the selected value, its key counted in.
    pub fn selected_span(&self) -> Option<Span> {
        let node = self.tree.nodes().get(self.selected?)?;
        let start = if node.key_span.is_empty() { node.span.start } else { node.key_span.start };
        Some(Span::new(start.min(node.span.start), node.span.end))
    }

    /// Opens or closes everything; the outermost value stays open.
    pub fn set_all_open(&mut self, open: bool) {
        for (flag, node) in self.open.iter_mut().zip(self.tree.nodes()) {
            *flag = open || node.depth == 0;
        }
        self.list_rows();
    }

    fn list_rows(&mut self) {
        self.rows.clear();
        let nodes = self.tree.nodes();
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            self.rows.push(at);
            at += if self.open[at] { 1 } else { 1 + node.below };
        }
    }

    fn toggle(&mut self, node: usize) {
        self.open[node] = !self.open[node];
        self.list_rows();
    }

    fn can_fold(&self, node: usize) -> bool {
        self.tree.nodes().get(node).is_some_and(|node| node.children > 0)
    }

    /// Draws the tree, which was read from `octets`, into all the width there is.
    pub fn ui(&mut self, ui: &mut Ui, height: f32, octets: &[u8]) {
        let size = vec2(ui.available_width(), height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let id = response.id;
        response.widget_info(|| WidgetInfo::labeled(Role::Tree, true, "Values"));
        let visible = self.scroll.vertical(ui, id, rect, ROW, self.rows.len());
        let palette = theme::palette(ui);
        let painter = ui.painter_at(visible.rect);
        let mut toggled = None;
        for row in visible.first..visible.first + visible.count {
            let Some(at) = self.rows.get(row).copied() else { break };
            let Some(node) = self.tree.nodes().get(at) else { break };
            let open = self.open[at];
            let drawn = TreeRow {
                id: id.with(("row", at)),
                depth: node.depth,
                open: (node.children > 0).then_some(open),
                is_selected: self.selected == Some(at),
                is_marked: self.marked.binary_search(&at).is_ok(),
                job: line::job(palette, node, open, octets),
            };
            let DrawnRow { response, is_toggled, is_clipped } =
                drawn.ui(ui, &painter, &visible, row);
            if response.clicked() || response.secondary_clicked() {
                self.selected = Some(at);
                ui.memory_mut(|memory| memory.request_focus(id));
            }
            if is_toggled {
                toggled = Some(at);
            }
            response.context_menu(|ui| self.menu(ui, octets, at));
            let node = self.tree.nodes().get(at).filter(|_| is_clipped);
            if let Some(node) = node {
                response.on_hover_ui(|ui| whole_ui(ui, node, octets));
            }
        }
        if let Some(node) = toggled {
            self.toggle(node);
        }
        if response.clicked() {
            response.request_focus();
        }
        if ui.memory(|memory| memory.has_focus(id)) {
            self.keys(ui, id, octets, rect.height());
        }
    }

    fn keys(&mut self, ui: &Ui, id: egui::Id, octets: &[u8], height: f32) {
        let place = self.selected.and_then(|node| self.rows.binary_search(&node).ok());
        if let Some(row) = row::moved_to(ui, id, place, self.rows.len(), height) {
            self.selected = self.rows.get(row).copied();
            self.scroll.reveal(row, ROW, height);
        }
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let Some(node) = self.selected else { return };
        let turn = if self.open[node] { Key::ArrowLeft } else { Key::ArrowRight };
        if self.can_fold(node) && (pressed(turn) || pressed(Key::Enter) || pressed(Key::Space)) {
            self.toggle(node);
        } else if pressed(Key::ArrowLeft)
            && let Some(parent) = self.parents.get(node).copied().flatten()
        {
            self.selected = Some(parent);
            if let Ok(row) = self.rows.binary_search(&parent) {
                self.scroll.reveal(row, ROW, height);
            }
        }
        if ui.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Copy))) {
            ui.copy_text(self.value(octets, node));
        }
    }

    fn menu(&mut self, ui: &mut Ui, octets: &[u8], at: usize) {
        let Some(node) = self.tree.nodes().get(at) else { return };
        if ui.button("Copy value").clicked() {
            ui.copy_text(self.value(octets, at));
            ui.close();
        }
        if !node.span.is_empty() && ui.button("Copy octets as hex").clicked() {
            ui.copy_text(format::hex(node.span.of(octets)));
            ui.close();
        }
        if ui.button("Copy path").clicked() {
            ui.copy_text(self.tree.path(at));
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

    /// What "copy value" gives: a text without quotes and escapes, a container in its notation.
    fn value(&self, octets: &[u8], at: usize) -> String {
        let Some(node) = self.tree.nodes().get(at) else { return String::new() };
        match &node.value {
            Value::Text(text) => text.text.to_string(),
            value if value.is_container() => {
                let notation = Notation::new(&self.tree, octets);
                let last = at + node.below;
                let lines = notation.lines().iter().enumerate();
                let lines = lines.filter(|(_, line)| (at..=last).contains(&line.node));
                let mut out = String::new();
                for (place, line) in lines {
                    let indent = line.indent.saturating_sub(node.depth);
                    out.extend(std::iter::repeat_n("  ", indent));
                    out.push_str(&notation.line(place, usize::MAX));
                    out.push('\n');
                }
                out
            }
            _ => line::scalar(node, octets, usize::MAX),
        }
    }
}

/// The value of a line that has no room for it.
fn whole_ui(ui: &mut Ui, node: &Node, octets: &[u8]) {
    ui.set_max_width(TOLD_WIDTH);
    let text = match &node.value {
        value if value.is_container() => return,
        Value::Text(text) => format::cut(&text.text, TOLD).into_owned(),
        _ => line::scalar(node, octets, TOLD / 3),
    };
    // Line ends and tabs do their work here.
    let is_layout = |character| matches!(character, '\n' | '\t');
    let text: String =
        text.chars().map(|c| if is_layout(c) { c } else { format::visible(c) }).collect();
    ui.add(Label::new(RichText::new(text).monospace().size(11.5)).wrap());
}

fn parents(tree: &Tree) -> Vec<Option<usize>> {
    let mut above: Vec<usize> = Vec::new();
    let of = |(at, node): (usize, &Node)| {
        above.truncate(node.depth);
        let parent = above.last().copied();
        above.push(at);
        parent
    };
    tree.nodes().iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::{NodeT as _, Queryable as _};
    use framescope_core::payload::{Body, Format, Limits, view};

    use super::*;

    const TEXT: &[u8] =
        br#"{"op":"order","args":[{"side":"buy","quantity":25.0}],"big":12345678901234567890}"#;

    fn read(format: Format, octets: &[u8]) -> TreeView {
        let Body::Tree(tree) = view(format, octets, &Limits::VIEW).body else {
            panic!("{format} has a tree");
        };
        TreeView::new(tree)
    }

    fn harness(format: Format, octets: &'static [u8]) -> Harness<'static, TreeView> {
        Harness::new_ui_state(
            move |ui, tree: &mut TreeView| {
                theme::install_once(ui.ctx());
                tree.ui(ui, 300.0, octets);
            },
            read(format, octets),
        )
    }

    #[test]
    fn lines_show_names_and_values_as_sent() {
        let mut harness = harness(Format::Json, TEXT);
        harness.run();
        for label in ["op: \"order\"", "args: [ 1", "0: { 2", "quantity: 25.0"] {
            harness.get_by_label(label);
        }
        harness.get_by_label_contains("big: 12345678901234567890");
    }

    #[test]
    fn a_binary_format_tells_its_types() {
        // MessagePack {"a": [1, -1], "b": 2 octets}.
        let octets = b"\x82\xa1a\x92\x01\xff\xa1b\xc4\x02\xde\xad";
        let mut harness = harness(Format::MessagePack, octets);
        harness.run();
        for label in ["a: [ 2  fixarray", "1: -1  negative fixint", "b: de ad  bin 8"] {
            harness.get_by_label_contains(label);
        }
        harness.get_by_label_contains("1: -1").click();
        harness.run();
        assert_eq!(harness.state().selected_span(), Some(Span::at(5, 1)));
    }

    #[test]
    fn keys_close_open_and_climb() {
        let mut harness = harness(Format::Json, TEXT);
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
    fn a_value_without_room_is_told_whole_where_it_is_pointed_at() {
        let text = "lorem ipsum ".repeat(40);
        let octets = format!("{{\"short\":1,\"long\":\"{text}\"}}").into_bytes().leak();
        let mut harness = harness(Format::Json, octets);
        harness.run();
        assert!(harness.query_by_label(&text).is_none());
        harness.get_by_label_contains("long: ").hover();
        harness.run_steps(20);
        harness.get_by_label(&text);
        harness.get_by_label("short: 1").hover();
        harness.run_steps(20);
        assert!(harness.query_by_label(&text).is_none());
    }

    #[test]
    fn a_large_document_opens_one_level_deep() {
        let text = format!("[{}]", vec!["[1,2]"; 2_000].join(","));
        assert_eq!(read(Format::Json, text.as_bytes()).rows(), 2_001);
    }

    #[test]
    fn the_menu_copies_values_and_paths() {
        let copied = |label: &str, item: &str| {
            let mut harness = harness(Format::Json, TEXT);
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
        assert_eq!(
            copied("side: \"buy\"", "Copy octets as hex").as_deref(),
            Some("22 62 75 79 22")
        );
        assert_eq!(copied("quantity: 25.0", "Copy value").as_deref(), Some("25.0"));
        let object = "{\n  \"side\": \"buy\",\n  \"quantity\": 25.0\n}\n";
        assert_eq!(copied("0: { 2", "Copy value").as_deref(), Some(object));
    }
}
