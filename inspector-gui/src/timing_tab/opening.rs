//! How the connection was opened: its stages one below the other, each where it began.

use std::time::Duration;

use egui::{Align2, Color32, FontId, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use framescope_core::index::ConnectionSummary;

use crate::theme::{self, Palette};
use crate::widgets::{format, section};

const ROW: f32 = 20.0;
const LABEL_WIDTH: f32 = 150.0;
const TIME_WIDTH: f32 = 90.0;

/// One stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    what: What,
    /// From the accept; where it is not known, the stage is listed without a bar.
    began: Option<Duration>,
    /// How long it took; `None` where that was not recorded.
    took: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    ClientTls,
    Waiting,
    Dial,
    UpstreamTls,
    Passing,
    Server,
    Returning,
    Answer,
}

impl What {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ClientTls => ("client TLS", "TLS handshake between client and proxy"),
            Self::Waiting => ("waiting for the request", "Until the whole request head was there"),
            Self::Dial => ("TCP to the server", "Name resolution and TCP connect"),
            Self::UpstreamTls => ("TLS to the server", "TLS handshake between proxy and server"),
            Self::Passing => (
                "request in the proxy",
                "From the whole request head to its being passed on, connecting to the server left out",
            ),
            Self::Server => (
                "waiting for the server",
                "From the request passed on to the server's whole answer",
            ),
            Self::Returning => (
                "answer in the proxy",
                "From the server's whole answer to its being passed on to the client",
            ),
            Self::Answer => (
                "waiting for the answer",
                "The server's part and the proxy's: an answer that is passed on unchanged is recorded once, \
                 and does not tell them apart",
            ),
        }
    }

    const fn color(self, palette: &Palette) -> Color32 {
        match self {
            Self::ClientTls => palette.up,
            Self::Waiting => palette.faint,
            Self::Dial => palette.length,
            Self::UpstreamTls => palette.opcode,
            Self::Passing | Self::Returning => palette.masking_key,
            Self::Server | Self::Answer => palette.payload,
        }
    }
}

/// The stages, in their order.
pub fn stages(connection: &ConnectionSummary) -> Vec<Stage> {
    let timing = connection.timing();
    let since = |at: Option<framescope_core::Timestamp>| Some(at?.since(connection.opened_at));
    let opening = connection.exchanges.last();
    let asked = since(opening.map(|exchange| exchange.requested_at));
    let is_first = connection.exchanges.len() == 1;
    // The server is dialled while the first request waits; on later ones the connection is there.
    let dial = timing.dial.filter(|_| is_first);
    let upstream_tls = timing.upstream_tls.filter(|_| is_first);
    let dialled = dial.unwrap_or_default() + upstream_tls.unwrap_or_default();
    let passed = asked.zip(timing.request_in_proxy).map(|(asked, took)| asked + took);
    let answered = passed.zip(timing.answer_of_server).map(|(passed, took)| passed + took);
    let returned = asked.zip(timing.handshake).map(|(asked, took)| asked + took);
    let after_tls = timing.client_tls.unwrap_or_default();
    let mut stages = Vec::new();
    let mut put = |what, began, took| stages.push(Stage { what, began, took });
    let is_tls = connection.info.tls.is_some() || timing.client_tls.is_some();
    if is_tls && is_first {
        put(What::ClientTls, Some(Duration::ZERO), timing.client_tls);
    }
    if is_first {
        put(What::Waiting, Some(after_tls), asked.map(|asked| asked.saturating_sub(after_tls)));
        put(What::Dial, asked, dial);
        if upstream_tls.is_some() {
            put(
                What::UpstreamTls,
                asked.map(|asked| asked + dial.unwrap_or_default()),
                upstream_tls,
            );
        }
    }
    let passing = timing.request_in_proxy.map(|took| took.saturating_sub(dialled));
    put(What::Passing, asked.map(|asked| asked + dialled), passing);
    if answered.is_some() {
        put(What::Server, passed, timing.answer_of_server);
        let returning = answered.zip(returned).map(|(from, to)| to.saturating_sub(from));
        put(What::Returning, answered, returning);
    } else {
        let began = passed.or_else(|| asked.map(|asked| asked + dialled));
        put(What::Answer, began, began.zip(returned).map(|(from, to)| to.saturating_sub(from)));
    }
    stages
}

/// Draws heading and stages.
pub fn opening_ui(ui: &mut Ui, connection: &ConnectionSummary) {
    let palette = theme::palette(ui);
    let stages = stages(connection);
    let ends = stages.iter().filter_map(|stage| Some(stage.began? + stage.took?));
    let last = ends.max().unwrap_or_default();
    let handshake = connection.timing().handshake;
    let heading = if connection.is_websocket() { "Opening handshake" } else { "Latest exchange" };
    section(ui, heading, |ui| {
        let told = handshake.map_or_else(
            || "no answer yet".to_owned(),
            |took| format!("{} from request to answer", format::duration(took)),
        );
        ui.label(RichText::new(told).monospace().size(11.0).color(palette.weak));
    });
    // What came before the latest request on a kept connection is no part of the picture.
    let first = stages.iter().filter_map(|stage| stage.began).min().unwrap_or_default();
    for stage in &stages {
        stage_ui(ui, palette, stage, first, last.saturating_sub(first));
    }
}

fn stage_ui(ui: &mut Ui, palette: &Palette, stage: &Stage, first: Duration, span: Duration) {
    let (name, explanation) = stage.what.words();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let time = stage.took.map_or_else(|| "not recorded".to_owned(), format::duration);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {time}")));
    let painter = ui.painter();
    let y = rect.center().y;
    let label = FontId::proportional(11.5);
    painter.text(pos2(rect.min.x, y), Align2::LEFT_CENTER, name, label, palette.weak);
    let color = if stage.took.is_some() { palette.text } else { palette.faint };
    let mono = FontId::monospace(11.0);
    painter.text(pos2(rect.max.x, y), Align2::RIGHT_CENTER, &time, mono, color);
    let bars = rect.min.x + LABEL_WIDTH..=rect.max.x - TIME_WIDTH;
    let track = Rect::from_x_y_ranges(bars, y - 4.0..=y + 4.0);
    painter.rect_filled(track, 2.0, palette.panel);
    if let (Some(began), Some(took)) = (stage.began, stage.took)
        && !span.is_zero()
    {
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
        let place = |at: Duration| (at.as_secs_f64() / span.as_secs_f64()) as f32 * track.width();
        let left = track.min.x + place(began.saturating_sub(first));
        // Even the shortest stage can be seen.
        let bar = Rect::from_min_size(
            pos2(left.min(track.max.x - 2.0), track.min.y),
            vec2(place(took).max(2.0), track.height()),
        );
        painter.rect_filled(bar.intersect(track), 2.0, stage.what.color(palette));
    }
    response.on_hover_text(explanation);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake_tab::handshakes;

    fn told(connection: &ConnectionSummary) -> Vec<(&'static str, Option<u128>, Option<u128>)> {
        let micros = |span: Option<Duration>| span.map(|span| span.as_micros());
        stages(connection)
            .iter()
            .map(|stage| (stage.what.words().0, micros(stage.began), micros(stage.took)))
            .collect()
    }

    #[test]
    fn what_was_not_recorded_is_listed_as_such() {
        let connection = handshakes::accepted();
        let told = told(&connection);
        assert!(told.contains(&("client TLS", Some(0), Some(2200))), "{told:?}");
        assert!(told.contains(&("TCP to the server", Some(0), Some(900))), "{told:?}");
        assert!(told.contains(&("TLS to the server", Some(900), Some(3100))), "{told:?}");
        assert!(told.contains(&("request in the proxy", Some(4000), None)), "{told:?}");
        assert!(told.contains(&("waiting for the answer", Some(4000), Some(4400))), "{told:?}");
    }

    #[test]
    fn with_both_legs_the_stages_tile_the_handshake() {
        let mut connection = handshakes::accepted();
        let asked = connection.exchanges[0].requested_at;
        connection.upstream_head_at =
            [5_000, 7_000].map(|micros| Some(asked.plus(Duration::from_micros(micros))));
        let told = told(&connection);
        assert!(told.contains(&("request in the proxy", Some(4000), Some(1000))), "{told:?}");
        assert!(told.contains(&("waiting for the server", Some(5000), Some(2000))), "{told:?}");
        let handshake = connection.timing().handshake.expect("it was answered").as_micros();
        let back = ("answer in the proxy", Some(7000), Some(handshake - 7000));
        assert!(told.contains(&back), "{told:?}");
    }

    #[test]
    fn later_requests_do_not_dial() {
        let told = told(&handshakes::polling());
        assert!(told.iter().all(|(name, ..)| *name != "TCP to the server"), "{told:?}");
    }
}
