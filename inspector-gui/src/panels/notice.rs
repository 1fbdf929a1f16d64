//! The band under the top bar: what the user has to know before anything else.

use egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Sense, Ui, vec2};

use super::parts;
use crate::App;
use crate::theme;

const HEIGHT: f32 = 30.0;

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    line: String,
    /// Something goes wrong now; otherwise it is a matter of caution.
    urgent: bool,
}

/// Draws a line for each notice; nothing where all is well.
pub fn notices_ui(app: &App, ui: &mut Ui) {
    let palette = theme::palette(ui);
    for (number, notice) in notices(app).into_iter().enumerate() {
        let color = if notice.urgent { palette.error } else { palette.warning };
        let frame = Frame::new()
            .fill(palette.panel.lerp_to_gamma(color, 0.14))
            .inner_margin(Margin::symmetric(12, 0));
        Panel::top(("notice", number)).exact_size(HEIGHT).frame(frame).show(ui, |ui| {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                let (sign, _) = ui.allocate_exact_size(vec2(8.0, 8.0), Sense::HOVER);
                parts::dot(ui.painter(), sign.center(), color, true);
                let text = RichText::new(&notice.line).color(palette.text);
                ui.add(Label::new(text).truncate()).on_hover_text(&notice.line);
            });
        });
    }
}

fn notices(app: &App) -> Vec<Notice> {
    let mut notices = Vec::new();
    for source in [app.source()].into_iter().chain(app.running_aside()) {
        if let Some(line) = source.trouble() {
            notices.push(Notice { line, urgent: true });
        }
        if let Some(line) = source.exposure() {
            notices.push(Notice { line, urgent: false });
        }
    }
    notices
}
