//! Text of any length: lines are broken to the width by character count, and only those in sight are
//! laid out.

use std::ops::Range;

use egui::{
    Color32, Event, EventFilter, FontId, Key, Modifiers, Rect, Role, Sense, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::theme::{self, Palette};
use crate::widgets::format;
use crate::widgets::scroll::VirtualScroll;

const ROW: f32 = 17.0;
const TAB: usize = 4;

/// What the view remembers between passes.
#[derive(Debug, Clone, Default)]
pub struct TextView {
    scroll: VirtualScroll,
    /// Where each row starts in the text; the last entry is the text's end.
    starts: Vec<usize>,
    /// The width, in characters, and the text's length the rows were made for.
    made_for: Option<(usize, usize)>,
    /// Octets of the text from where the selection began to where it stands.
    selection: Option<(usize, usize)>,
    /// Octets of the text on a ground of their own, in order.
    marks: Vec<Range<usize>>,
    /// An octet that is to be brought into sight.
    bring: Option<usize>,
}

impl TextView {
    /// Puts these octets of the text, which are in order, on a ground of their own, and brings the first
    /// of them into sight.
    pub fn mark(&mut self, places: &[Range<usize>]) {
        self.bring = places.first().map(|place| place.start);
        self.marks = places.to_vec();
    }

    /// Draws `text` into all the width there is. The text must stay the same for the life of the view.
    pub fn ui(&mut self, ui: &mut Ui, height: f32, text: &str) {
        let size = vec2(ui.available_width(), height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let font = FontId::monospace(11.5);
        let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0'));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some hundreds"
        )]
        let width = (((rect.width() - 12.0) / glyph) as usize).max(8);
        if self.made_for != Some((width, text.len())) {
            let top = self.octet_at_top();
            self.starts = row_starts(text, width);
            self.made_for = Some((width, text.len()));
            #[expect(clippy::cast_precision_loss, reason = "rows are few against 2^52")]
            if top > 0 {
                self.scroll.top = self.starts.partition_point(|start| *start <= top) as f64 - 1.0;
            }
        }
        if let Some(octet) = self.bring.take() {
            let row = self.starts.partition_point(|start| *start <= octet).saturating_sub(1);
            self.scroll.reveal(row, ROW, rect.height());
        }
        let rows = self.starts.len().saturating_sub(1);
        let visible = self.scroll.vertical(ui, response.id, rect, ROW, rows);
        let palette = theme::palette(ui);
        let painter = ui.painter_at(visible.rect);
        // A drag is noticed only when the pointer has left the place where the button went down.
        let at_pointer = if response.drag_started() {
            ui.input(|input| input.pointer.press_origin())
        } else {
            response.interact_pointer_pos()
        };
        let mut pointed = None;
        let mut seen = String::new();
        for row in visible.first..visible.first + visible.count {
            let range = self.row(row);
            let line = text.get(range.clone()).unwrap_or_default();
            let shown = displayed(line);
            #[expect(clippy::cast_precision_loss, reason = "rows in sight are few")]
            let y = visible.y + (row - visible.first) as f32 * ROW;
            let galley = painter.layout_no_wrap(shown.text.clone(), font.clone(), palette.text);
            let at = pos2(rect.min.x, y + (ROW - galley.size().y) / 2.0);
            let x_of = |octet: usize| {
                let cursor = egui::text::CCursor::new(egui::text::CharIndex(shown.column(octet)));
                at.x + galley.pos_from_cursor(cursor).min.x
            };
            for (chosen, color) in self.grounds(&range, palette) {
                let left = x_of(chosen.start - range.start);
                let right = x_of(chosen.end - range.start).max(left + 3.0);
                let ground = Rect::from_x_y_ranges(left..=right, y..=y + ROW);
                painter.rect_filled(ground, 2.0, color);
            }
            if let Some(to) = at_pointer {
                let above = row == visible.first && to.y < y;
                let below = row + 1 == visible.first + visible.count && to.y >= y + ROW;
                if above || below || (y..y + ROW).contains(&to.y) {
                    let cursor = galley.cursor_from_pos(vec2(to.x - at.x, 0.0));
                    pointed = Some(range.start + shown.octet(cursor.index.0));
                }
            }
            seen.push_str(&shown.text);
            seen.push('\n');
            painter.galley(at, galley, palette.text);
        }
        response.widget_info(|| WidgetInfo::labeled(Role::Document, true, seen.trim_end()));

        if response.clicked() {
            self.selection = None;
        }
        if let Some(pointed) = pointed {
            if response.drag_started_by(egui::PointerButton::Primary) {
                self.selection = Some((pointed, pointed));
            } else if response.dragged_by(egui::PointerButton::Primary)
                && let Some((_, cursor)) = &mut self.selection
            {
                *cursor = pointed;
            }
        }
        if response.clicked() || response.drag_started() {
            response.request_focus();
        }
        if response.has_focus() {
            self.keys(ui, response.id, text, rect.height());
        }
        response.context_menu(|ui| {
            if ui
                .button(if self.selection.is_some() { "Copy selection" } else { "Copy all" })
                .clicked()
            {
                ui.copy_text(self.selected(text).to_owned());
                ui.close();
            }
        });
        response.on_hover_cursor(egui::CursorIcon::Text);
    }

    fn octet_at_top(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to rows"
        )]
        let row = self.scroll.top as usize;
        self.starts.get(row).copied().unwrap_or(0)
    }

    fn row(&self, row: usize) -> Range<usize> {
        let start = self.starts.get(row).copied().unwrap_or(0);
        start..self.starts.get(row + 1).copied().unwrap_or(start)
    }

    fn selected_range(&self) -> Option<Range<usize>> {
        let (a, b) = self.selection?;
        (a != b).then(|| a.min(b)..a.max(b))
    }

    /// What of these octets of the text stands on a ground of its own, and its colour: marks, then the
    /// selection.
    fn grounds(&self, row: &Range<usize>, palette: &Palette) -> Vec<(Range<usize>, Color32)> {
        let first = self.marks.partition_point(|mark| mark.end <= row.start);
        let marks = self.marks.iter().skip(first).take_while(|mark| mark.start < row.end);
        let color = palette.tint_strong(palette.warning);
        let marks = marks.map(|mark| (mark.clone(), color));
        let chosen = self.selected_range().map(|chosen| (chosen, palette.selection));
        let cut = |range: Range<usize>| range.start.max(row.start)..range.end.min(row.end);
        let grounds = marks.chain(chosen).map(|(range, color)| (cut(range), color));
        grounds.filter(|(range, _)| !range.is_empty()).collect()
    }

    fn selected<'a>(&self, text: &'a str) -> &'a str {
        self.selected_range().and_then(|range| text.get(range)).unwrap_or(text)
    }

    fn keys(&mut self, ui: &Ui, id: egui::Id, text: &str, height: f32) {
        let filter = EventFilter { vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        if ui.input(|input| input.events.iter().any(|event| matches!(event, Event::Copy))) {
            ui.copy_text(self.selected(text).to_owned());
        }
        if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::A)) {
            self.selection = Some((0, text.len()));
        }
        let page = f64::from(height / ROW) - 1.0;
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let steps = [
            (Key::ArrowUp, -1.0),
            (Key::ArrowDown, 1.0),
            (Key::PageUp, -page),
            (Key::PageDown, page),
            (Key::Home, f64::NEG_INFINITY),
            (Key::End, f64::MAX),
        ];
        for (key, step) in steps {
            if pressed(key) {
                self.scroll.top = (self.scroll.top + step).max(0.0);
                ui.ctx().request_repaint();
            }
        }
    }
}

/// Where rows of at most `width` columns start; the text's end is the last entry. A row ends after
/// its line feed. Always at least one row.
fn row_starts(text: &str, width: usize) -> Vec<usize> {
    let mut starts = vec![0];
    let mut column = 0;
    for (at, character) in text.char_indices() {
        let wide = columns_of(character);
        if column + wide > width && character != '\n' {
            starts.push(at);
            column = 0;
        }
        column += wide;
        if character == '\n' {
            starts.push(at + 1);
            column = 0;
        }
    }
    if starts.last() != Some(&text.len()) || starts.len() == 1 {
        starts.push(text.len());
    }
    starts
}

/// How many columns a character takes, or more: a row may end early, but never runs over.
fn columns_of(character: char) -> usize {
    match character {
        '\t' => TAB,
        '\n' => 0,
        '\u{0}'..='\u{10ff}' => 1,
        _ => 2,
    }
}

/// A row as it is drawn, and which octet of the text each character stands for.
struct Displayed {
    text: String,
    /// For each drawn character, its octet in the row.
    octets: Vec<usize>,
    len: usize,
}

impl Displayed {
    fn column(&self, octet: usize) -> usize {
        self.octets.partition_point(|at| *at < octet)
    }

    fn octet(&self, column: usize) -> usize {
        self.octets.get(column).copied().unwrap_or(self.len)
    }
}

fn displayed(line: &str) -> Displayed {
    let ends = line.strip_suffix('\n').unwrap_or(line);
    let ends = ends.strip_suffix('\r').unwrap_or(ends);
    let mut shown = Displayed {
        text: String::with_capacity(ends.len()),
        octets: Vec::with_capacity(ends.len()),
        len: ends.len(),
    };
    for (at, character) in ends.char_indices() {
        if character == '\t' {
            for _ in 0..TAB {
                shown.text.push(' ');
                shown.octets.push(at);
            }
        } else {
            shown.text.push(format::visible(character));
            shown.octets.push(at);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_tile_the_text_and_break_at_lines_and_width() {
        let rows = |text: &str, width| {
            let starts = row_starts(text, width);
            starts.windows(2).map(|pair| text[pair[0]..pair[1]].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(rows("", 8), [""]);
        assert_eq!(rows("abc", 8), ["abc"]);
        assert_eq!(rows("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(rows("ab\ncd\n", 8), ["ab\n", "cd\n"]);
        assert_eq!(rows("abcd\ne", 4), ["abcd\n", "e"]);
        assert_eq!(rows("日本語", 4), ["日本", "語"]);
        assert_eq!(rows("\ta", 4), ["\t", "a"]);
    }

    #[test]
    fn columns_and_octets_belong_together() {
        let shown = displayed("a\té\r\n");
        assert_eq!(shown.text, "a    é");
        assert_eq!((shown.column(0), shown.column(1), shown.column(2)), (0, 1, 5));
        assert_eq!((shown.octet(0), shown.octet(3), shown.octet(5), shown.octet(9)), (0, 1, 2, 4));
    }

    #[test]
    fn marks_are_cut_to_their_row_and_lie_under_the_selection() {
        let mut view = TextView::default();
        view.mark(&[2..6, 9..10]);
        view.selection = Some((5, 1));
        let grounds = |row: Range<usize>| {
            let grounds = view.grounds(&row, &theme::DARK);
            grounds.into_iter().map(|(range, _)| range).collect::<Vec<_>>()
        };
        assert_eq!(grounds(0..4), [2..4, 1..4]);
        assert_eq!(grounds(4..8), [4..6, 4..5]);
        assert_eq!(grounds(8..12), vec![9..10]);
        assert!(grounds(12..20).is_empty());
    }

    #[test]
    fn control_characters_are_seen() {
        assert_eq!(displayed("a\0b\x1b").text, "a␀b␛");
    }

    #[test]
    fn a_hundred_thousand_lines_are_drawn_at_once_and_scroll_to_the_end() {
        use egui_kittest::kittest::Queryable as _;
        let text: String = (0..100_000)
            .flat_map(|line| ["line ".to_owned(), line.to_string(), "\n".to_owned()])
            .collect();
        let mut harness = egui_kittest::Harness::new_ui_state(
            |ui, view: &mut TextView| {
                theme::install_once(ui.ctx());
                view.ui(ui, 200.0, &text);
            },
            TextView::default(),
        );
        harness.run();
        harness.get_by_label_contains("line 3\n").click();
        harness.run();
        harness.key_press(Key::End);
        harness.run();
        harness.get_by_label_contains("line 99999");
    }

    #[test]
    fn what_is_dragged_over_is_copied_as_it_was_sent() {
        use egui_kittest::kittest::Queryable as _;
        const TEXT: &str = "first\tline\r\nsecond \u{1b}[0m line";
        let mut harness = egui_kittest::Harness::new_ui_state(
            |ui, view: &mut TextView| {
                theme::install_once(ui.ctx());
                view.ui(ui, 200.0, TEXT);
            },
            TextView::default(),
        );
        harness.run();
        let rect = harness.get_by_label_contains("second ␛[0m line").rect();
        let glyph = harness.ctx.fonts_mut(|fonts| fonts.glyph_width(&FontId::monospace(11.5), '0'));
        let place = |row: f32, column: f32| {
            pos2(rect.min.x + column * glyph, rect.min.y + (row + 0.5) * ROW)
        };
        harness.drag_at(place(0.0, 9.1));
        harness.run();
        harness.hover_at(place(1.0, 8.1));
        harness.run();
        harness.drop_at(place(1.0, 8.1));
        harness.run();
        harness.event(Event::Copy);
        harness.step();
        let commands = &harness.output().platform_output.commands;
        let copied = commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(copied, Some("line\r\nsecond \u{1b}"));
    }
}
