//! Where address, hex and text of a row of octets stand.

use std::ops::Range;

use egui::{Rect, pos2, vec2};

use super::ROW;

/// Where the columns of a row stand, in character widths from the left edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Columns {
    /// Octets a row: 16, 8 or 4.
    pub(super) per_row: usize,
    /// An extra space in the middle.
    pub(super) gap: bool,
    /// Digits of the address.
    pub(super) address: usize,
}

impl Columns {
    /// As many octets a row as fit in `width` characters: 16, 8 or 4.
    pub(super) fn fitting(width: usize, len: usize) -> Self {
        let address = if len > 0x1_0000 { 8 } else { 4 };
        let layouts = [(16, true), (16, false), (8, false), (4, false)];
        layouts
            .map(|(per_row, gap)| Self { per_row, gap, address })
            .into_iter()
            .find(|columns| columns.width() <= width)
            .unwrap_or(Self { per_row: 4, gap: false, address })
    }

    pub(super) fn hex_start(self) -> usize {
        self.address + 2
    }

    /// Column of the first hex digit of this octet of the row.
    pub(super) fn hex(self, octet: usize) -> usize {
        let gap = usize::from(self.gap && octet >= self.per_row / 2);
        self.hex_start() + 3 * octet + gap
    }

    pub(super) fn text_start(self) -> usize {
        self.hex_start() + 3 * self.per_row + usize::from(self.gap) + 1
    }

    fn width(self) -> usize {
        self.text_start() + self.per_row
    }

    /// Which octet of the row lies under this column, between two the left one.
    pub(super) fn octet_at(self, column: f32) -> Option<usize> {
        #[expect(clippy::cast_precision_loss, reason = "columns are few")]
        let inside = |start: usize, width: f32| {
            (start as f32 - 0.5..start as f32 - 0.5 + width).contains(&column)
        };
        (0..self.per_row).find(|octet| {
            let gap = self.gap && octet + 1 == self.per_row / 2;
            inside(self.hex(*octet), if gap { 4.0 } else { 3.0 })
                || inside(self.text_start() + octet, 1.0) && column >= self.text_start_column()
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "columns are few")]
    fn text_start_column(self) -> f32 {
        self.text_start() as f32 - 0.5
    }
}

/// A place in a row, in character widths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    start: f32,
    width: f32,
}

impl Cell {
    pub(super) fn translate(self, origin: egui::Vec2, glyph: f32) -> Rect {
        Rect::from_min_size(
            pos2(origin.x + self.start * glyph, origin.y + 1.0),
            vec2(self.width * glyph, ROW - 2.0),
        )
    }
}

impl Columns {
    /// The grounds behind these octets of a row: one in the hex, one in the text.
    #[expect(clippy::cast_precision_loss, reason = "columns are few")]
    pub(super) fn cells(self, octets: Range<usize>) -> [Cell; 2] {
        let last = octets.end - 1;
        let hex = Cell {
            start: self.hex(octets.start) as f32 - 0.4,
            width: (self.hex(last) + 2 - self.hex(octets.start)) as f32 + 0.8,
        };
        let text =
            Cell { start: (self.text_start() + octets.start) as f32, width: octets.len() as f32 };
        [hex, text]
    }
}
