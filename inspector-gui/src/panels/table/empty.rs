//! Why a table shows no row, and what to do about it.

use egui::Ui;

use crate::App;
use crate::command::Command;
use crate::handshake_tab::failure_of;
use crate::panels::parts;

/// Why there is no row, and what to do about it.
pub(super) fn empty_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let extent = app.extent();
    let listing = app.settings.listing;
    let source = app.source();
    let total = extent.of(listing);
    if let Some(trouble) = app.store.trouble().filter(|_| total == 0) {
        return parts::empty_state(ui, "This capture cannot be shown", &trouble, |ui| {
            parts::offer(ui, Command::OpenCapture, commands);
        });
    }
    if total > 0 && app.view.cleared.of(listing) >= total && !app.view.is_narrowed() {
        let line = "New rows show up here as they come; the capture still holds everything.";
        return parts::empty_state(ui, "Cleared", line, |ui| {
            parts::offer(ui, Command::ShowCleared, commands);
        });
    }
    if app.view.is_narrowed() && total > 0 {
        let searching = app.view.running_search().is_some_and(|search| !search.state().caught_up);
        let heading = if searching { "Searching…" } else { "No row matches" };
        let line = "Nothing that was seen so far passes the search and the chips.";
        return parts::empty_state(ui, heading, line, |ui| {
            parts::offer(ui, Command::ResetFilters, commands);
        });
    }
    if let Some(failed) = Failed::of(app).filter(|failed| failed.is_chosen || total == 0) {
        let heading = "The connection failed";
        return parts::empty_state(ui, heading, &failed.in_words(), |ui| {
            parts::offer(ui, Command::ShowHandshake, commands);
            if source.websocket_url().is_some() {
                parts::offer(ui, Command::CopyAddress, commands);
            }
        });
    }
    if app.view.connection.is_some() {
        let line = "Its HTTP exchange or opening handshake is in the Handshake tab.";
        return parts::empty_state(ui, "No frames on this connection", line, |ui| {
            parts::offer(ui, Command::ShowHandshake, commands);
        });
    }
    match source.websocket_url() {
        Some(url) => {
            let heading = "Waiting for the first message";
            let line = format!("Point your client at {url} (or wss:// on the same port).");
            parts::empty_state(ui, heading, &line, |ui| {
                parts::offer(ui, Command::OpenInBrowser, commands);
                parts::offer(ui, Command::CopyAddress, commands);
            });
        }
        None if !app.store.caught_up() => {
            parts::empty_state(ui, "Reading the capture…", &source.capture_name(), |_| {});
        }
        None => {
            let line = "There is no WebSocket traffic in it that was not encrypted.";
            parts::empty_state(ui, "No WebSocket in this capture", line, |ui| {
                parts::offer(ui, Command::OpenCapture, commands);
            });
        }
    }
}

/// Why there is nothing on the chosen connection, or on the latest one.
struct Failed {
    is_chosen: bool,
    reason: String,
    /// The status that the client was answered.
    answered: Option<u16>,
}

impl Failed {
    fn of(app: &App) -> Option<Self> {
        let index = app.store.index();
        let connection = match app.view.connection {
            Some(id) => index.connection(id)?,
            None => index.connections().last()?,
        };
        let reason = failure_of(connection)?.message.clone();
        let answer = connection.exchanges.last().and_then(|exchange| exchange.response.as_ref());
        let answered = answer.and_then(|answer| answer.status());
        Some(Self { is_chosen: app.view.connection.is_some(), reason, answered })
    }

    fn in_words(&self) -> String {
        let Self { reason, answered, .. } = self;
        match answered {
            Some(status) => format!("{reason}; the client was answered {status}"),
            None => reason.clone(),
        }
    }
}
