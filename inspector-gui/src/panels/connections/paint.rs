//! How an entry of the connections looks.

use egui::{Align2, Color32, FontId, Painter, Rect, pos2, vec2};
use framescope_core::Direction;

use super::super::{format, parts};
use super::Entry;
use crate::fonts;
use crate::list::RowLook;
use crate::theme::Palette;

/// Draws one.
pub(super) fn paint(
    painter: &Painter,
    look: RowLook,
    entry: &Entry,
    palette: &Palette,
    body: &FontId,
    small: &FontId,
) {
    let rect = look.rect;
    if look.selected {
        let mark = Rect::from_min_size(rect.min, vec2(2.0, rect.height()));
        painter.rect_filled(mark, 0.0, palette.accent);
    }
    let (left, right) = (rect.min.x + 12.0, rect.max.x - 12.0);
    let (first, second) = (rect.min.y + 15.0, rect.min.y + 32.0);
    let right_text = |y: f32, text: String, color: Color32| {
        painter.text(pos2(right, y), Align2::RIGHT_CENTER, text, small.clone(), color).min.x
    };
    match entry {
        Entry::All { connections, frames } => {
            let at = pos2(left, first);
            parts::line(
                painter,
                at,
                Align2::LEFT_CENTER,
                right - left,
                "All connections",
                body.clone(),
                palette.text,
            );
            let text = match connections {
                1 => "1 connection".to_owned(),
                count => format!("{} connections", format::thousands(*count as u64)),
            };
            let edge = right_text(second, counts(*frames), palette.weak);
            let at = pos2(left, second);
            parts::line(
                painter,
                at,
                Align2::LEFT_CENTER,
                edge - left - 8.0,
                &text,
                small.clone(),
                palette.weak,
            );
        }
        Entry::One(one) => {
            let mut edge = right_text(first, one.lasted.clone(), palette.faint);
            if let Some(severity) = one.worst {
                let color = palette.severity(severity);
                edge = parts::badge(
                    painter,
                    pos2(edge - 6.0, first),
                    one.findings,
                    color,
                    small.clone(),
                );
            }
            if one.found > 0 {
                let count = format::thousands(one.found);
                edge = painter
                    .text(
                        pos2(edge - 8.0, first),
                        Align2::RIGHT_CENTER,
                        count,
                        small.clone(),
                        palette.accent,
                    )
                    .min
                    .x;
                let (at, font) = (pos2(edge - 2.0, first), fonts::icons(12.0));
                let sign = fonts::icon::MAGNIFYING_GLASS;
                edge = painter.text(at, Align2::RIGHT_CENTER, sign, font, palette.accent).min.x;
            }
            let id = painter.layout_no_wrap(one.id.clone(), small.clone(), palette.faint);
            let at = pos2(left, first);
            let room = edge - left - id.size().x - 14.0;
            let (anchor, color) = (Align2::LEFT_CENTER, palette.text);
            let name = parts::line(painter, at, anchor, room, &one.name, body.clone(), color);
            painter.galley(pos2(name.max.x + 6.0, first - id.size().y / 2.0), id, palette.faint);
            let color = (one.state.color)(palette);
            parts::dot(painter, pos2(left + 4.0, second), color, one.state.filled);
            let figure =
                if one.is_websocket { counts(one.frames) } else { format::size(one.octets) };
            let edge = right_text(second, figure, palette.weak);
            let text = if one.about.is_empty() {
                one.state.text.clone()
            } else {
                format!("{} · {}", one.state.text, one.about)
            };
            let at = pos2(left + 13.0, second);
            parts::line(
                painter,
                at,
                Align2::LEFT_CENTER,
                edge - at.x - 8.0,
                &text,
                small.clone(),
                palette.weak,
            );
        }
    }
}

/// `1,284 ↑ 960 ↓`.
fn counts([up, down]: [u64; 2]) -> String {
    let [to_server, to_client] = Direction::BOTH.map(Direction::arrow);
    format!("{} {to_server} {} {to_client}", format::thousands(up), format::thousands(down))
}
