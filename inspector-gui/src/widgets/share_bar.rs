//! A whole in its parts: a bar cut into coloured shares, and a legend that names them.

use egui::{Color32, CornerRadius, FontId, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::theme;

/// One part of a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// What it is, with its figure: `TCP 0.9 ms`.
    pub label: String,
    /// What that means, for whoever points at it.
    pub explanation: &'static str,
    /// How much of the whole it is; the shares need not add up to 1.
    pub weight: f64,
    /// Its colour, in bar and legend.
    pub color: Color32,
}

/// Draws bar and legend into all the width there is; nothing where there is no whole.
pub fn share_bar(ui: &mut Ui, shares: &[Share]) {
    let total: f64 = shares.iter().map(|share| share.weight).sum();
    if total <= 0.0 {
        return;
    }
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), 10.0), Sense::hover());
    let mut x = bar.min.x;
    for share in shares.iter().filter(|share| share.weight > 0.0) {
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
        let part = (share.weight / total) as f32;
        // Even the smallest part can be seen and pointed at.
        let width = (part * bar.width()).max(3.0);
        let rect = Rect::from_min_size(pos2(x, bar.min.y), vec2(width - 1.0, bar.height()));
        x += width;
        ui.painter().rect_filled(rect.intersect(bar), CornerRadius::same(2), share.color);
    }
    ui.add_space(4.0);
    let palette = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(16.0, 4.0);
        for share in shares {
            let font = FontId::proportional(11.5);
            let galley = ui.painter().layout_no_wrap(share.label.clone(), font, palette.weak);
            let size = vec2(galley.size().x + 13.0, 16.0);
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            let dot = Rect::from_min_size(pos2(rect.min.x, rect.center().y - 4.0), vec2(8.0, 8.0));
            ui.painter().rect_filled(dot, 2.0, share.color);
            let at = pos2(rect.min.x + 13.0, rect.center().y - galley.size().y / 2.0);
            ui.painter().galley(at, galley, palette.weak);
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &share.label));
            response.on_hover_text(share.explanation);
        }
    });
}
