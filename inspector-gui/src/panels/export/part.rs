//! What of the capture is exported: the choice, with how much each part is.

use egui::text::LayoutJob;
use egui::{RadioButton, TextFormat, Ui};
use framescope_core::ConnectionId;
use framescope_core::present::counted;

use crate::App;
use crate::app::Tab;
use crate::detail::connection_name;
use crate::list::{RowFilter, ViewRows};
use crate::panels::parts;
use crate::panels::table::rows;
use crate::settings::Listing;
use crate::store::ListedRows;
use crate::theme;
use crate::widgets::format::cut;

/// Characters of a connection's name.
const NAME_LEN: usize = 36;

/// What of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Everything,
    /// What one connection says.
    Connection,
    /// What the list shows.
    Listed,
}

impl Part {
    /// What the user most likely wants: what was narrowed to.
    pub fn at_first(app: &App) -> Self {
        let is_cleared = app.view.cleared.of(app.settings.listing) > 0;
        if (app.view.is_narrowed() || is_cleared) && !app.view.exchanges.are_shown() {
            Self::Listed
        } else if app.view.connection.is_some() {
            Self::Connection
        } else {
            Self::Everything
        }
    }
}

/// The rows of the list, counted a piece a picture.
#[derive(Debug)]
pub struct Rows {
    listing: Listing,
    filter: RowFilter,
    /// So many rows of the index are looked at.
    until: usize,
    /// All that there were when the dialog was opened are known; those that come since then follow.
    is_counted: bool,
    reading: u64,
    found: ViewRows,
}

impl Rows {
    /// As far as they are known to the list.
    pub fn new(app: &App) -> Self {
        let listing = app.settings.listing;
        let table = match listing {
            Listing::Messages => &app.view.messages,
            Listing::Frames => &app.view.frames,
        };
        Self {
            listing,
            filter: rows::filter(app, listing),
            reading: app.store.reading(),
            until: app.extent().of(listing),
            is_counted: false,
            found: table.rows.clone(),
        }
    }

    /// Looks at the next ones; whether any is left to be looked at.
    pub fn go_on(&mut self, app: &App) -> bool {
        let filter = rows::filter(app, self.listing);
        let is_same = (self.filter, self.reading) == (filter, app.store.reading());
        if !is_same || self.listing != app.settings.listing {
            *self = Self::new(app);
        }
        if self.is_counted {
            self.until = app.extent().of(self.listing);
        }
        let more = rows::scan(app, self.listing, self.filter, self.until, &mut self.found);
        self.is_counted |= self.found.reaches(self.until);
        more
    }

    /// Whether they are known, and there is one.
    pub fn is_ready(&self) -> bool {
        self.is_counted && !self.found.is_empty()
    }

    /// They, once they are known.
    pub fn listed(&self) -> Option<ListedRows> {
        let (listing, reading) = (self.listing, self.reading);
        self.is_ready().then(|| ListedRows { listing, rows: self.found.clone(), reading })
    }

    /// `1,234 messages`, and whether more may come.
    fn told(&self) -> String {
        let count = self.found.len() as u64;
        let rows = match self.listing {
            Listing::Messages => counted(count, "message", "messages"),
            Listing::Frames => counted(count, "frame", "frames"),
        };
        if self.is_counted { rows } else { format!("{rows} so far, counting…") }
    }
}

/// Draws the choice; whether another part was chosen.
pub fn choice_ui(
    app: &App,
    part: &mut Part,
    connection: Option<ConnectionId>,
    rows: &Rows,
    ui: &mut Ui,
) -> bool {
    let before = *part;
    let mut offer = |ui: &mut Ui, offered, name: &str, told: &str| {
        let text = line(ui, name, told);
        if ui.add(RadioButton::new(*part == offered, text)).clicked() {
            *part = offered;
        }
    };
    let (frames, connections) = {
        let index = app.store.index();
        (index.frames().len() as u64, index.connections().len() as u64)
    };
    let of = counted(connections, "connection", "connections");
    let frames = counted(frames, "frame", "frames");
    offer(ui, Part::Everything, "Everything", &format!("{frames} of {of}"));
    if let Some((name, told)) = connection.and_then(|connection| of_connection(app, connection)) {
        offer(ui, Part::Connection, &name, &told);
    }
    // On the other tabs its table is not on the screen.
    let is_seen = app.view.tab == Tab::Messages;
    let name = if is_seen { "What the list shows" } else { "What the Messages tab lists" };
    if app.view.exchanges.are_shown() {
        let told = "it lists exchanges, which are exported with their connection";
        ui.add_enabled_ui(false, |ui| offer(ui, Part::Listed, name, told));
    } else {
        offer(ui, Part::Listed, name, &rows.told());
    }
    *part != before
}

/// Its name, and how much it says.
fn of_connection(app: &App, connection: ConnectionId) -> Option<(String, String)> {
    let index = app.store.index();
    let summary = index.connection(connection)?;
    let name = format!("Connection {}", cut(&connection_name(summary), NAME_LEN));
    let [up, down] = summary.frames;
    let exchanges = summary.exchanges.len() as u64;
    let told = match up + down {
        0 => counted(exchanges, "exchange", "exchanges"),
        frames => counted(frames, "frame", "frames"),
    };
    Some((name, told))
}

/// `Everything: 12 frames of 2 connections`.
fn line(ui: &Ui, name: &str, told: &str) -> LayoutJob {
    let palette = theme::palette(ui);
    let mut job = LayoutJob::default();
    let font = parts::body_font(ui);
    job.append(&format!("{name}: "), 0.0, TextFormat::simple(font.clone(), palette.text));
    job.append(told, 0.0, TextFormat::simple(font, palette.weak));
    job
}
