//! The state of a connection in a few words.

use egui::Color32;
use framescope_core::Finish;
use framescope_core::connection::Failure;
use framescope_core::index::{ConnectionSummary, State};
use framescope_core::present::counted;
use framescope_core::session::Ending;

use super::Transport;
use crate::handshake_tab::stage_in_words;
use crate::panels::format;
use crate::theme::Palette;

/// A state in a word, with its dot.
pub(super) struct Word {
    pub text: String,
    pub color: fn(&Palette) -> Color32,
    pub filled: bool,
}

/// The state of a connection.
pub(super) fn state(summary: &ConnectionSummary) -> Word {
    let good: fn(&Palette) -> Color32 = |palette| palette.good;
    let weak: fn(&Palette) -> Color32 = |palette| palette.weak;
    let bad: fn(&Palette) -> Color32 = |palette| palette.error;
    let word = |text: &str, color, filled| Word { text: text.to_owned(), color, filled };
    let failure: Option<&Failure> = summary.notes.iter().find_map(|note| note.failure.as_ref());
    let is_websocket = summary.is_websocket();
    match summary.state {
        _ if failure.is_some_and(|_| summary.frames == [0, 0]) => {
            let stage = failure.map_or("", |failure| stage_in_words(&failure.stage));
            word(&format!("failed: {stage}"), bad, true)
        }
        State::Connecting => word("connecting", weak, true),
        State::Http => word(&exchange_word(summary), good, true),
        State::Open => word("open", good, true),
        State::Closing => word("closing", weak, true),
        State::Ended if !is_websocket => word(&exchange_word(summary), weak, false),
        State::Ended => match summary.ending {
            Some(ending) => {
                let is_closed = ending.close.is_some();
                let color = if is_closed { weak } else { bad };
                word(&ending_words(&ending), color, !is_closed)
            }
            None => word("ended", weak, false),
        },
    }
}

/// How a WebSocket ended. Where octets are missing that may hold a Close, it is told no further.
fn ending_words(ending: &Ending) -> String {
    let closed_by =
        || ending.closed_by().map_or(String::new(), |by| format!(" by {}", by.sender()));
    match ending.close {
        Some((_, Some(code))) => format!("closed {code}{}", closed_by()),
        Some((_, None)) => format!("closed{}", closed_by()),
        None => {
            let how = if ending.how == Finish::Reset { "reset" } else { "cut" };
            let told = if ending.unseen == [false; 2] { " (1006)" } else { "" };
            format!("{how} by {}{told}", ending.by.sender())
        }
    }
}

/// An HTTP connection in a few words: its last answer.
fn exchange_word(summary: &ConnectionSummary) -> String {
    let Some(last) = summary.exchanges.last() else { return "HTTP".to_owned() };
    let method = last.request.method().unwrap_or("");
    let status = last.response.as_ref().and_then(|response| response.status());
    let kind = Transport::of(summary);
    if let Some(title) = kind.title() {
        let (events, pieces) = summary
            .exchanges
            .iter()
            .fold((0, 0), |(events, pieces), one| (events + one.events, pieces + one.pieces));
        let much = match kind {
            Transport::ServerSentEvents => counted(events, "event", "events"),
            Transport::HttpStreaming => counted(pieces, "piece", "pieces"),
            _ => counted(summary.exchanges.len() as u64, "request", "requests"),
        };
        return format!("{title} · {much}");
    }
    if summary.exchanges.len() > 1 {
        let count = format::thousands(summary.exchanges.len() as u64);
        return match status {
            Some(status) => format!("{count} requests · {method} {status}"),
            None => format!("{count} requests · {method} …"),
        };
    }
    match status {
        Some(status) => format!("{method} {status}"),
        None => format!("{method} …"),
    }
}

#[cfg(test)]
mod tests {
    use framescope_core::Direction;
    use framescope_core::session::EndedBy;

    use super::*;

    #[test]
    fn where_a_close_may_be_missing_nobody_is_said_to_have_closed_and_no_1006_to_be_told() {
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        let whole = Ending {
            by: EndedBy::Peer(down),
            how: Finish::Fin,
            close: Some((up, Some(1000))),
            upgraded: true,
            answer: None,
            unseen: [false; 2],
        };
        let partly = Ending { unseen: [false, true], ..whole };
        assert_eq!(ending_words(&whole), "closed 1000 by client");
        assert_eq!(ending_words(&partly), "closed 1000");
        assert_eq!(ending_words(&Ending { close: None, ..whole }), "cut by server (1006)");
        assert_eq!(ending_words(&Ending { close: None, ..partly }), "cut by server");
        let stopped = Ending { close: None, by: EndedBy::Framescope, ..whole };
        assert_eq!(ending_words(&stopped), "cut by Framescope (1006)");
    }
}
