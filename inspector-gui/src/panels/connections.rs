//! The connections: one entry each, the newest last, and one for all of them.

mod listed;
mod paint;
mod state;
mod transport;
mod words;

use std::sync::Arc;
use std::time::Duration;

use egui::{Align2, Rect, Sense, Ui, pos2, vec2};
use framescope_core::index::{ConnectionSummary, State};
use framescope_core::present::{Secrets, counted};
use framescope_core::search::Marks;
use framescope_core::subprotocol::Subprotocol;
use framescope_core::{Index, Severity, Timestamp};

use super::context_menu::context_menu;
use super::{format, parts};
use crate::App;
use crate::app::View;
use crate::command::Command;
use crate::detail::session::session_word;
use crate::detail::subprotocol_name;
use crate::fonts;
use crate::list::{CONNECTIONS, List, Shown};
use crate::store::Search;
use crate::theme;
pub use listed::Listed;
use paint::paint;
use state::{Word, state};
pub use transport::Transport;
pub use words::words_id;

const HEADER_HEIGHT: f32 = 34.0;
const ENTRY_HEIGHT: f32 = 46.0;
const FOOTER_HEIGHT: f32 = 38.0;
/// Characters of a target that a tooltip has.
const MOST_TIP: usize = 2000;

/// One entry, copied out of the index.
enum Entry {
    All { connections: usize, frames: [u64; 2] },
    One(Box<One>),
}

struct One {
    id: String,
    name: String,
    state: Word,
    about: String,
    lasted: String,
    frames: [u64; 2],
    octets: u64,
    findings: u64,
    worst: Option<Severity>,
    is_websocket: bool,
    /// Rows of its exchanges that hold what is looked for.
    found: u64,
}

/// What time it is on the clock of the capture: the latest stamp in it, and what passed since it was
/// first seen. The system's clock is not asked: a file's connections ended when they did.
#[derive(Debug, Default)]
pub struct Clock {
    latest: Timestamp,
    seen: f64,
}

impl Clock {
    /// Takes in the latest stamp at `time` in seconds; the time it is now.
    fn observe(&mut self, latest: Timestamp, time: f64) -> Timestamp {
        if latest != self.latest {
            *self = Self { latest, seen: time };
        }
        latest.plus(Duration::from_secs_f64((time - self.seen).max(0.0)))
    }
}

/// Draws the list.
pub fn connections_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    let (area, _) = ui.allocate_exact_size(ui.available_size(), Sense::HOVER);
    let extent = app.extent();
    let cleared = app.view.cleared.frames;
    if cleared > 0 {
        let index = app.store.index();
        if app.view.since_clear.update(&index, cleared, extent.frames) {
            ui.ctx().request_repaint();
        }
    }
    let shown = listed_connections(app, ui, extent.connections);
    let header = Rect::from_min_size(area.min, vec2(area.width(), HEADER_HEIGHT));
    header_ui(app, ui, header, shown.len());
    let has_footer = app.source().demo_clients().is_some();
    let footer = if has_footer { FOOTER_HEIGHT } else { 0.0 };
    let mut top = header.max.y;
    if extent.connections > words::FEW || !app.view.connection_words.is_empty() {
        let field = Rect::from_min_size(pos2(area.min.x, top), vec2(area.width(), words::HEIGHT));
        words::words_ui(ui, field, &mut app.view.connection_words);
        top = field.max.y;
    }
    let body = Rect::from_min_max(pos2(area.min.x, top), pos2(area.max.x, area.max.y - footer));
    let now = (!app.source().is_file() && app.view.paused.is_none()).then(|| {
        let latest = {
            let index = app.store.index();
            index.connections().iter().map(|connection| connection.last_at).max()
        };
        app.clock.observe(latest.unwrap_or_default(), ui.input(|input| input.time))
    });
    let selected = match app.view.connection {
        None => Some(0),
        Some(id) => {
            let index = app.store.index();
            let at = |row: &u32| index.connections().get(*row as usize).is_some_and(|c| c.id == id);
            shown.iter().position(at).map(|position| position + 1)
        }
    };
    let list = List {
        name: CONNECTIONS,
        body,
        row_height: ENTRY_HEIGHT,
        len: shown.len() + 1,
        selected,
        is_main: false,
    };
    let body_font = parts::body_font(ui);
    let small = parts::small_font(ui);
    let store = &app.store;
    let since_clear = Some(&app.view.since_clear).filter(|_| cleared > 0);
    let search = app.view.search.as_ref().and_then(|search| search.as_ref().ok());
    if std::mem::take(&mut app.view.connections_bring)
        && let Some(position) = selected
    {
        app.view.connections.reveal(position, f64::from(body.height() / ENTRY_HEIGHT));
    }
    let outcome = app.view.connections.show(
        ui,
        list,
        |range| {
            let index = store.index();
            let kept = store.dissections().kept();
            let first = range.start.saturating_sub(1);
            let rows = shown.get(first..range.end.saturating_sub(1)).unwrap_or_default();
            let found = found_of(search, rows, &index);
            let one = |at: usize| {
                let row = shown.get(at)?;
                let found = found.get(at - first).copied().unwrap_or_default();
                let summary = index.connections().get(*row as usize)?;
                let spoken = kept.reading(summary.id).choice.map(|choice| choice.protocol);
                let session = session_word(&index, summary);
                Some(Entry::One(Box::new(One::of(summary, now, spoken, session, found))))
            };
            // What is cleared does not count.
            let frames = |connection: &ConnectionSummary| {
                since_clear.map_or(connection.frames, |since| since.frames(connection.id))
            };
            let all = || Entry::All {
                connections: shown.len(),
                frames: [0, 1].map(|at| index.connections().iter().map(|c| frames(c)[at]).sum()),
            };
            range
                .filter_map(|at| match at.checked_sub(1) {
                    None => Some(all()),
                    Some(at) => one(at),
                })
                .collect()
        },
        |_, entry| entry.spoken(),
        |painter, look, entry| {
            paint(painter, look, entry, palette, &body_font, &small);
        },
    );
    outcome_ui(app, ui, outcome, &shown, commands);
    if let Some(running) = app.source().demo_clients() {
        let rect = Rect::from_min_max(pos2(area.min.x, body.max.y), area.max);
        demo_ui(ui, rect, running, commands);
    }
}

/// How many rows of exchanges the search has found of each of these connections.
fn found_of(search: Option<&Search>, rows: &[u32], index: &Index) -> Vec<u64> {
    let running = search.filter(|search| search.state().exchanges_found > 0);
    let Some(search) = running else { return vec![0; rows.len()] };
    search.with_exchanges(|exchanges| {
        let of = |row: &u32| exchanges.of(index.connections().get(*row as usize)?.id);
        rows.iter().map(|row| of(row).map_or(0, Marks::count) as u64).collect()
    })
}

/// How many are listed, and of which kind.
fn header_ui(app: &mut App, ui: &mut Ui, header: Rect, listed: usize) {
    let palette = theme::palette(ui);
    let small = parts::small_font(ui);
    let inner = header.shrink2(vec2(12.0, 0.0));
    let painter = ui.painter_at(header);
    painter.text(
        inner.left_center(),
        Align2::LEFT_CENTER,
        "Connections",
        small.clone(),
        palette.weak,
    );
    let count = format::thousands(listed as u64);
    let count =
        painter.text(inner.right_center(), Align2::RIGHT_CENTER, count, small, palette.weak);
    let room =
        Rect::from_min_max(inner.min + vec2(74.0, 0.0), pos2(count.min.x - 6.0, inner.max.y));
    let before = app.view.transport;
    transport::transport_ui(ui, room, &mut app.view.transport);
    if app.view.transport != before {
        // One that is not listed any more is not to be shown either.
        app.view.connection = None;
    }
}

/// Does what was asked of an entry: menu, tooltip, choice.
fn outcome_ui(
    app: &mut App,
    ui: &Ui,
    mut outcome: Shown,
    shown: &[u32],
    commands: &mut Vec<Command>,
) {
    // The first entry is all of them: there is nothing to be done with it.
    outcome.wants_menu &= outcome.chosen != Some(0);
    if app.view.connection.is_some() || outcome.wants_menu {
        let show = [Command::ShowHandshake, Command::ShowAllConnections];
        let groups: [&[Command]; 2] = [&[Command::CopyConnectionUrl], &show];
        context_menu(ui, CONNECTIONS, &outcome, &groups, commands);
    }
    if let Some((position, row)) = &outcome.hovered {
        let at = position.checked_sub(1).and_then(|at| shown.get(at));
        if let Some(tip) = at.and_then(|row| whole(app, *row)) {
            row.clone().on_hover_text(tip);
        }
    }
    if let Some(position) = outcome.chosen {
        let index = app.store.index();
        let chosen = position
            .checked_sub(1)
            .and_then(|at| Some(index.connections().get(*shown.get(at)? as usize)?.id));
        app.view.choose(&index, chosen);
    }
}

/// The rows that are listed, found anew where that is due.
fn listed_connections(app: &mut App, ui: &Ui, until: usize) -> Arc<[u32]> {
    let asked = listed::Asked {
        words: app.view.connection_words.clone(),
        transport: app.view.transport,
        connection: app.view.connection,
        cleared: app.view.cleared,
        paused: app.view.paused,
        reading: app.store.reading(),
    };
    let mut listed = std::mem::take(&mut app.view.listed);
    let time = ui.input(|input| input.time);
    let (rows, wait) = listed.rows(asked, until, time, || visible_connections(app, until));
    app.view.listed = listed;
    if let Some(wait) = wait {
        ui.ctx().request_repaint_after(wait);
    }
    rows
}

/// Whether the connection of this row was cleared away: those that go on stay, and those that have rows.
pub(crate) fn is_cleared(view: &View, connection: &ConnectionSummary, row: usize) -> bool {
    row < view.cleared.connections
        && connection.state == State::Ended
        && view.connection != Some(connection.id)
        && !view.since_clear.has(connection.id)
}

/// Rows of the connections that are not cleared away.
fn visible_connections(app: &App, until: usize) -> Arc<[u32]> {
    let index = app.store.index();
    let wanted = words::Wanted::new(&app.view.connection_words);
    let connections = index.connections().iter().take(until).zip(0_u32..);
    let mut rows: Vec<_> = connections
        .filter(|(connection, row)| !is_cleared(&app.view, connection, *row as usize))
        .filter(|(connection, _)| {
            app.view.transport.is_none_or(|wanted| wanted == Transport::of(connection))
        })
        .filter(|(connection, _)| wanted.admits(connection, || state(connection).text))
        .map(|(connection, row)| (connection.id, row))
        .collect();
    // They are listed by number, whichever was written down first.
    rows.sort_by_key(|(id, _)| *id);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// All that an entry has no room for: number, target and state.
fn whole(app: &App, row: u32) -> Option<String> {
    let index = app.store.index();
    let summary = index.connections().get(row as usize)?;
    let target = summary.target().map(|target| Secrets::Masked.target(target).into_owned());
    let target = target.unwrap_or_else(|| "no request was seen".to_owned());
    let ConnectionSummary { id, info, .. } = summary;
    let from = format!("from {}, {}", info.client, state(summary).text);
    let cut = crate::widgets::format::cut(&target, MOST_TIP);
    let found = match app.view.found_exchanges(*id) {
        Some(marks) => {
            let rows = counted(marks.count() as u64, "row", "rows");
            format!("\nThe search has found {rows} of its HTTP.")
        }
        None => String::new(),
    };
    Some(format!("{id} {cut}\n{from}{found}"))
}

impl One {
    fn of(
        summary: &ConnectionSummary,
        now: Option<Timestamp>,
        spoken: Option<Subprotocol>,
        session: Option<String>,
        found: u64,
    ) -> Self {
        let is_websocket = summary.is_websocket();
        let goes_on = summary.state != State::Ended;
        let until = now.filter(|_| goes_on).unwrap_or(summary.last_at);
        let name = match summary.target() {
            Some(target) => Secrets::Masked.target(target).into_owned(),
            None => format!("from {}", summary.info.client),
        };
        let mut about = Vec::from_iter(session);
        if let Some(handshake) = summary.handshake.as_ref().filter(|_| is_websocket) {
            let chosen = handshake.subprotocol.chosen.first();
            // What was agreed on, else what the octets tell.
            let spoken = spoken.map(|spoken| subprotocol_name(spoken).to_owned());
            let agreed = chosen.map(|chosen| Secrets::Masked.subprotocol(chosen).to_owned());
            about.extend(agreed.or(spoken));
            if handshake.deflate.is_some() {
                about.push("deflate".to_owned());
            }
        }
        if summary.info.tls.is_some() {
            about.push(if is_websocket { "wss" } else { "https" }.to_owned());
        }
        let notes: u64 = summary.findings.iter().map(|count| u64::from(*count)).sum();
        Self {
            id: summary.id.to_string(),
            name,
            state: state(summary),
            about: about.join(" · "),
            lasted: format::lasted(until.since(summary.opened_at)),
            frames: summary.frames,
            octets: summary.octets.iter().sum(),
            findings: notes,
            worst: summary.worst(),
            is_websocket,
            found,
        }
    }
}

impl Entry {
    fn spoken(&self) -> String {
        match self {
            Self::All { connections, .. } => format!("All connections, {connections}"),
            Self::One(one) => {
                let [up, down] = one.frames;
                let findings = match one.findings {
                    0 => String::new(),
                    count => format!(", {count} findings"),
                };
                let found = match one.found {
                    0 => String::new(),
                    count => format!(", {count} found in HTTP"),
                };
                let (name, id, state, about) = (&one.name, &one.id, &one.state.text, &one.about);
                format!(
                    "connection {name} {id}, {state} {about}, {up} frames up, {down} frames down, \
                     {} octets, lasted {}{findings}{found}",
                    one.octets, one.lasted
                )
            }
        }
    }
}

/// The switch of the built-in demo clients, at the foot of the list.
fn demo_ui(ui: &mut Ui, rect: Rect, running: bool, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    ui.painter().hline(rect.x_range(), rect.min.y, palette.hairline_stroke());
    let inner = rect.shrink2(vec2(8.0, 5.0));
    let response = ui.interact(inner, ui.make_persistent_id("demo clients"), Sense::CLICK);
    let label = Command::ToggleDemoClients.label();
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Switch, true, running, label));
    if response.hovered() {
        ui.painter().rect_filled(inner, 6.0, palette.raised);
    }
    let painter = ui.painter_at(rect);
    let at = pos2(inner.min.x + 6.0, inner.center().y);
    let icon = fonts::icon::PLUGS_CONNECTED;
    let sign = painter.text(at, Align2::LEFT_CENTER, icon, fonts::icons(14.0), palette.weak);
    let at = pos2(sign.max.x + 6.0, inner.center().y);
    painter.text(at, Align2::LEFT_CENTER, label, parts::body_font(ui), palette.text);
    let on = ui.ctx().animate_bool(response.id, running);
    let track =
        Rect::from_center_size(pos2(inner.max.x - 20.0, inner.center().y), vec2(28.0, 15.0));
    let fill = palette.hairline.lerp_to_gamma(palette.good, on);
    painter.rect_filled(track, 8.0, fill);
    let x = egui::lerp(track.min.x + 7.5..=track.max.x - 7.5, on);
    painter.circle_filled(pos2(x, track.center().y), 5.5, palette.background);
    parts::focus_ring(ui, &response);
    let explanation = Command::ToggleDemoClients.explanation();
    if response.on_hover_text(explanation).clicked() {
        commands.push(Command::ToggleDemoClients);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_the_latest_stamp_while_nothing_comes() {
        let at = |secs: u64| Timestamp::from_nanos(secs * 1_000_000_000);
        let mut clock = Clock::default();
        assert_eq!(clock.observe(at(100), 5.0), at(100));
        assert_eq!(clock.observe(at(100), 7.0), at(102));
        assert_eq!(clock.observe(at(110), 8.0), at(110));
    }
}
