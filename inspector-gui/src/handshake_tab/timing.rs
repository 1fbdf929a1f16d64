//! Where the time went between the client's request and the server's answer.

use std::time::Duration;

use egui::{Color32, CornerRadius, FontId, Rect, RichText, Sense, Ui, pos2, vec2};
use framescope_core::index::ConnectionSummary;

use crate::theme::{self, Palette};
use crate::widgets::{format, section};

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    what: What,
    took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    ClientTls,
    Dial,
    UpstreamTls,
    Upgrade,
    Answer,
}

impl What {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ClientTls => ("client TLS", "TLS handshake between client and proxy"),
            Self::Dial => ("TCP", "Name resolution and TCP connect to the server"),
            Self::UpstreamTls => ("TLS", "TLS handshake between proxy and server"),
            Self::Upgrade => ("upgrade", "From the request to the server's answer"),
            Self::Answer => ("answer", "From the request to the server's answer"),
        }
    }

    const fn color(self, palette: &Palette) -> Color32 {
        match self {
            Self::ClientTls => palette.up,
            Self::Dial => palette.length,
            Self::UpstreamTls => palette.opcode,
            Self::Upgrade | Self::Answer => palette.payload,
        }
    }
}

/// The stages of one exchange, in their order. The server is dialled for the first one only, while
/// its request waits: that time is taken off the time the answer took.
pub fn stages(connection: &ConnectionSummary, exchange: usize, is_upgrade: bool) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut put = |what, took: Option<Duration>| {
        stages.extend(took.map(|took| Stage { what, took }));
        took.unwrap_or_default()
    };
    let mut before_answer = Duration::ZERO;
    if exchange == 0 {
        let noted = |nanos: fn(&framescope_core::ConnectionNote) -> Option<u64>| {
            let noted = connection.notes.iter().rev().find_map(|note| nanos(note));
            noted.map(Duration::from_nanos)
        };
        put(What::ClientTls, noted(|note| note.client_tls_nanos));
        before_answer += put(What::Dial, noted(|note| note.dial_nanos));
        before_answer += put(What::UpstreamTls, noted(|note| note.upstream_tls_nanos));
    }
    let answered = connection
        .exchanges
        .get(exchange)
        .and_then(|exchange| Some(exchange.answered_at?.since(exchange.requested_at)));
    let what = if is_upgrade { What::Upgrade } else { What::Answer };
    put(what, answered.map(|took| took.checked_sub(before_answer).unwrap_or(took)));
    stages
}

/// Draws heading, bar and legend; nothing where nothing is known.
pub fn timing_ui(ui: &mut Ui, stages: &[Stage]) {
    let total: Duration = stages.iter().map(|stage| stage.took).sum();
    if total.is_zero() {
        return;
    }
    let palette = theme::palette(ui);
    section(ui, "Timing", |ui| {
        let total = format::duration(total);
        ui.label(RichText::new(total).monospace().color(palette.weak));
    });
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), 10.0), Sense::hover());
    let mut x = bar.min.x;
    for stage in stages {
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
        let share = (stage.took.as_secs_f64() / total.as_secs_f64()) as f32;
        // Even the shortest stage can be seen and pointed at.
        let width = (share * bar.width()).max(3.0);
        let part = Rect::from_min_size(pos2(x, bar.min.y), vec2(width - 1.0, bar.height()));
        x += width;
        let part = part.intersect(bar);
        ui.painter().rect_filled(part, CornerRadius::same(2), stage.what.color(palette));
    }
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(16.0, 4.0);
        for stage in stages {
            let (word, sentence) = stage.what.words();
            let font = FontId::proportional(11.5);
            let text = format!("{word} {}", format::duration(stage.took));
            let galley = ui.painter().layout_no_wrap(text.clone(), font, palette.weak);
            let size = vec2(galley.size().x + 13.0, 16.0);
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            let dot = Rect::from_min_size(pos2(rect.min.x, rect.center().y - 4.0), vec2(8.0, 8.0));
            ui.painter().rect_filled(dot, 2.0, stage.what.color(palette));
            let at = pos2(rect.min.x + 13.0, rect.center().y - galley.size().y / 2.0);
            ui.painter().galley(at, galley, palette.weak);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &text));
            response.on_hover_text(sentence);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake_tab::handshakes;

    fn told(stages: &[Stage]) -> Vec<(&'static str, u128)> {
        stages.iter().map(|stage| (stage.what.words().0, stage.took.as_micros())).collect()
    }

    #[test]
    fn the_dial_is_taken_off_the_first_answer() {
        let connection = handshakes::accepted();
        assert_eq!(
            told(&stages(&connection, 0, true)),
            [("client TLS", 2200), ("TCP", 900), ("TLS", 3100), ("upgrade", 4400)]
        );
    }

    #[test]
    fn later_exchanges_have_only_their_answer() {
        let connection = handshakes::polling();
        assert_eq!(told(&stages(&connection, 1, false)), [("answer", 12_000)]);
        assert!(stages(&connection, 99, false).is_empty());
    }
}
