//! Everything the user can ask for: one enum, with label, explanation and shortcut.

mod exchange;

use egui::{Context, Event, InputState, Key, KeyboardShortcut, Modifiers, Popup};

use crate::list::{CONNECTIONS, EXCHANGES, FINDINGS, FRAMES, MESSAGES, list_id};
use crate::panels::connections;
use crate::panels::filter_bar::words_id;
use crate::panels::search::field_id;

pub use exchange::ExchangeCommand;

/// An action. Buttons, menus and keys all end here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Open the proxied page in the default browser.
    OpenInBrowser,
    /// Copy the URL clients are to connect to.
    CopyAddress,
    /// Put the cursor into the filter.
    FocusFilter,
    /// Select the next row that the search has found.
    FindNext,
    /// Select the one before.
    FindPrevious,
    /// Show the next row of HTTP exchanges that the search has found, wherever it is.
    FindExchange,
    /// Show the messages of all connections that the search has found.
    FindMessage,
    /// Empty the filter and all chips.
    ResetFilters,
    /// Hold the view still, or let it go on.
    TogglePause,
    /// Hide everything that is listed now.
    Clear,
    /// Show again what was hidden.
    ShowCleared,
    /// Ask for a capture to open.
    OpenCapture,
    /// Ask where to write JSON Lines to.
    Export,
    /// Leave the file for the proxy that goes on.
    BackToLive,
    /// Start or stop the built-in demo clients.
    ToggleDemoClients,
    /// Go to the newest row and stay there.
    FollowEnd,
    /// Copy the selected message, as text where it is text.
    CopyMessage,
    /// Copy its octets in hex.
    CopyMessageHex,
    /// Copy the URL of the connection that is looked at.
    CopyConnectionUrl,
    /// What is done with a row of exchanges.
    OfExchange(ExchangeCommand),
    /// List only the rows of the selected one's connection.
    ShowOnlyConnection,
    /// Copy the capture's path.
    CopyCapturePath,
    /// Show the messages tab.
    ShowMessages,
    /// Show the handshake tab.
    ShowHandshake,
    /// Show the findings tab.
    ShowFindings,
    /// Show the timing tab.
    ShowTiming,
    /// List what all connections have.
    ShowAllConnections,
    /// One row a message.
    ListMessages,
    /// One row a frame.
    ListFrames,
    /// Select no row: the table has the room of the detail pane.
    Unselect,
}

impl Command {
    /// Those that have a key, in the order they are tried.
    const WITH_KEY: [Self; 11] = [
        Self::FocusFilter,
        Self::FindPrevious,
        Self::FindNext,
        Self::Clear,
        Self::OpenCapture,
        Self::ShowMessages,
        Self::ShowHandshake,
        Self::ShowFindings,
        Self::ShowTiming,
        Self::TogglePause,
        Self::Unselect,
    ];

    /// As its button or menu entry says it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OpenInBrowser => "Open in browser",
            Self::CopyAddress => "Copy address",
            Self::FocusFilter => "Search messages and HTTP",
            Self::FindNext => "Next match",
            Self::FindPrevious => "Previous match",
            Self::FindExchange => "Show in HTTP",
            Self::FindMessage => "Show messages",
            Self::ResetFilters => "Reset filters",
            Self::TogglePause => "Pause",
            Self::Clear => "Clear",
            Self::ShowCleared => "Show cleared rows",
            Self::OpenCapture => "Open capture…",
            Self::Export => "Export…",
            Self::BackToLive => "Back to live",
            Self::ToggleDemoClients => "Demo clients",
            Self::FollowEnd => "Follow",
            Self::CopyMessage => "Copy message",
            Self::CopyMessageHex => "Copy message as hex",
            Self::CopyConnectionUrl => "Copy URL of the connection",
            Self::OfExchange(command) => command.label(),
            Self::ShowOnlyConnection => "Show only this connection",
            Self::CopyCapturePath => "Copy capture path",
            Self::ShowMessages | Self::ListMessages => "Messages",
            Self::ShowHandshake => "Handshake",
            Self::ShowFindings => "Findings",
            Self::ShowTiming => "Timing",
            Self::ShowAllConnections => "Show all",
            Self::ListFrames => "Frames",
            Self::Unselect => "Close details",
        }
    }

    /// What it does, in one line.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::OpenInBrowser => "Open the page behind the proxy in your browser",
            Self::CopyAddress => "Copy the address clients connect to",
            Self::FocusFilter => {
                "Search in messages, heads and bodies: text, a regular expression, or octets in hex"
            }
            Self::FindNext => "Select the next row that holds what is looked for",
            Self::FindPrevious => "Select the row before that holds what is looked for",
            Self::FindExchange => "Go to the next head, body or event of HTTP that holds it",
            Self::FindMessage => "List the messages of all connections that hold it",
            Self::ResetFilters => "Empty the search and switch off every filter chip",
            Self::TogglePause => "Hold the view still; recording goes on",
            Self::Clear => "Hide everything listed so far; nothing is deleted from the capture",
            Self::ShowCleared => "Show again what Clear has hidden",
            Self::OpenCapture => "Open a pcapng or pcap file",
            Self::Export => "Write the capture, a connection, or what the list shows as JSON Lines",
            Self::BackToLive => "The proxy goes on and records; look at it again",
            Self::ToggleDemoClients => "Two built-in clients that chat through the proxy",
            Self::FollowEnd => "Stay at the newest row; scrolling up stops it",
            Self::CopyMessage => "Copy the selected message: as text where it is text, else in hex",
            Self::CopyMessageHex => "Copy the octets of the selected message in hex",
            Self::CopyConnectionUrl => {
                "Copy the URL that the client asked for; credentials are masked unless they are shown in \
                 Handshake"
            }
            Self::OfExchange(command) => command.explanation(),
            Self::ShowOnlyConnection => "List only the rows of this one's connection",
            Self::CopyCapturePath => "The capture file; click to copy its path",
            Self::ShowMessages => "What was said: one table of all messages",
            Self::ShowHandshake => "How the connection was opened: both heads and every check",
            Self::ShowFindings => "What peers did against the standards",
            Self::ShowTiming => "Where the time of a connection went, and its rates and sizes",
            Self::ShowAllConnections => "List what all connections have",
            Self::ListMessages => "One row a message, put together and inflated",
            Self::ListFrames => "One row a frame, as it crossed the wire",
            Self::Unselect => "Close the detail pane",
        }
    }

    /// Its key.
    pub const fn shortcut(self) -> Option<KeyboardShortcut> {
        let (modifiers, key) = match self {
            Self::FocusFilter => (Modifiers::COMMAND, Key::F),
            Self::FindNext => (Modifiers::NONE, Key::F3),
            Self::FindPrevious => (Modifiers::SHIFT, Key::F3),
            Self::Clear => (Modifiers::COMMAND, Key::K),
            Self::OpenCapture => (Modifiers::COMMAND, Key::O),
            Self::ShowMessages => (Modifiers::COMMAND, Key::Num1),
            Self::ShowHandshake => (Modifiers::COMMAND, Key::Num2),
            Self::ShowFindings => (Modifiers::COMMAND, Key::Num3),
            Self::ShowTiming => (Modifiers::COMMAND, Key::Num4),
            Self::TogglePause => (Modifiers::NONE, Key::Space),
            Self::Unselect => (Modifiers::NONE, Key::Escape),
            // Comes as an event of its own, not as a key.
            Self::CopyMessage => (Modifiers::COMMAND, Key::C),
            _ => return None,
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// Explanation and key, for a tooltip.
    pub fn tooltip(self, ctx: &Context) -> String {
        match self.shortcut() {
            Some(shortcut) => {
                format!("{} ({})", self.explanation(), ctx.format_shortcut(&shortcut))
            }
            None => self.explanation().to_owned(),
        }
    }

    /// The commands whose keys were pressed in this frame. Keys without a modifier are left to
    /// whatever has the focus.
    pub fn pressed(ctx: &Context) -> Vec<Self> {
        let lists = [CONNECTIONS, MESSAGES, FRAMES, EXCHANGES, FINDINGS].map(list_id);
        // Escape takes the focus from a field before anybody sees the key: it was meant for that field.
        let is_free = ctx.memory(|memory| {
            memory.focused().is_none_or(|id| lists.contains(&id))
                && !memory.had_focus_last_frame(field_id())
                && !memory.had_focus_last_frame(words_id())
                && !memory.had_focus_last_frame(connections::words_id())
        });
        // What lies on top is closed by the key first.
        let is_covered =
            Popup::is_any_open(ctx) || ctx.memory(|memory| memory.top_modal_layer().is_some());
        let mut pressed = Vec::new();
        let wants_copy = |input: &InputState| input.events.contains(&Event::Copy);
        if is_free && !is_covered && ctx.input(wants_copy) {
            pressed.push(Self::CopyMessage);
        }
        for command in Self::WITH_KEY {
            let Some(shortcut) = command.shortcut() else { continue };
            let is_plain = shortcut.modifiers == Modifiers::NONE && shortcut.logical_key != Key::F3;
            if is_plain && (!is_free || is_covered) {
                continue;
            }
            if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
                pressed.push(command);
            }
        }
        pressed
    }
}
