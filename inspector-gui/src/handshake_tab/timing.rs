//! Where the time went between the client's request and the server's answer.

use std::time::Duration;

use egui::{Color32, RichText, Ui};
use framescope_core::index::ConnectionSummary;

use crate::theme::{self, Palette};
use crate::widgets::{Share, format, section, share_bar};

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

/// The stages of the exchange at this place of the list, in their order. The server is dialled for the first one only, while
/// its request waits: that time is taken off the time the answer took.
pub fn stages(connection: &ConnectionSummary, exchange: usize, is_upgrade: bool) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut put = |what, took: Option<Duration>| {
        stages.extend(took.map(|took| Stage { what, took }));
        took.unwrap_or_default()
    };
    let mut before_answer = Duration::ZERO;
    let shown = connection.exchanges.get(exchange);
    if shown.is_some_and(|exchange| exchange.row == 0) {
        let noted = |nanos: fn(&framescope_core::ConnectionNote) -> Option<u64>| {
            let noted = connection.notes.iter().rev().find_map(|note| nanos(note));
            noted.map(Duration::from_nanos)
        };
        put(What::ClientTls, noted(|note| note.client_tls_nanos));
        before_answer += put(What::Dial, noted(|note| note.dial_nanos));
        before_answer += put(What::UpstreamTls, noted(|note| note.upstream_tls_nanos));
    }
    let answered =
        shown.and_then(|exchange| Some(exchange.answered_at?.since(exchange.requested_at)));
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
    let shares = stages.iter().map(|stage| {
        let (word, explanation) = stage.what.words();
        let label = format!("{word} {}", format::duration(stage.took));
        let (weight, color) = (stage.took.as_secs_f64(), stage.what.color(palette));
        Share { label, explanation, weight, color }
    });
    share_bar(ui, &shares.collect::<Vec<_>>());
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
        let mut connection = handshakes::accepted();
        connection.exchanges[0].row = 7;
        assert_eq!(
            told(&stages(&connection, 0, false)),
            [("answer", 8_400)],
            "the first is not listed any more"
        );
    }
}
