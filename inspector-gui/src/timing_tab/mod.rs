//! The timing tab: how the connection was opened, what it said over time, and how long answers took.
//!
//! What was not recorded is told as such, and nothing is reckoned in its place.

mod chart;
mod opening;
mod series;
mod trips;

use std::time::Duration;

use egui::{Frame, Label, Margin, RichText, ScrollArea, Ui};
use framescope_core::index::ConnectionSummary;
use framescope_core::{ConnectionId, Direction};
use jiff::tz::TimeZone;

use crate::detail::connection_name;
use crate::fonts::{self, icon};
use crate::store::Store;
use crate::theme;
use crate::widgets::{format, hairline, key_value, section};
use series::Series;

/// What the tab remembers between passes.
#[derive(Debug, Default)]
pub struct TimingTab {
    shown: Option<(ConnectionId, Series)>,
}

impl TimingTab {
    /// Draws the timing of `connection`; `None` is an empty state. `until` is how many frame and message
    /// rows count.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        store: &Store,
        connection: Option<&ConnectionSummary>,
        until: (usize, usize),
        zone: &TimeZone,
    ) {
        let Some(connection) = connection else { return empty_ui(ui) };
        let series = match &mut self.shown {
            Some((id, series)) if *id == connection.id && !series.is_beyond(until.0) => series,
            shown => &mut shown.insert((connection.id, Series::of(connection))).1,
        };
        if series.update(store, connection.id, until) {
            ui.ctx().request_repaint();
        }
        ScrollArea::vertical().id_salt("timing").auto_shrink(false).show(ui, |ui| {
            Frame::new().inner_margin(Margin::symmetric(18, 14)).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                ui.spacing_mut().interact_size.y = 18.0;
                ui.set_width(ui.available_width().min(980.0));
                name_ui(ui, connection);
                opening::opening_ui(ui, connection);
                hairline(ui);
                life_ui(ui, connection, zone);
                hairline(ui);
                chart::charts_ui(ui, series.rates(), zone);
                hairline(ui);
                trips::pings_ui(ui, connection);
                ui.add_space(10.0);
                trips::answers_ui(ui, series);
            });
        });
    }
}

/// Which connection this is about: there may be more, and all of them chosen.
fn name_ui(ui: &mut Ui, connection: &ConnectionSummary) {
    let name = RichText::new(connection_name(connection)).font(fonts::semibold(13.5));
    ui.add(Label::new(name).truncate());
    ui.add_space(2.0);
}

/// From the accept to the end, the first frames, and how reads and frames go together.
fn life_ui(ui: &mut Ui, connection: &ConnectionSummary, zone: &TimeZone) {
    let palette = theme::palette(ui);
    let timing = connection.timing();
    section(ui, "Life", |ui| {
        let state = if connection.ending.is_some() { "ended" } else { "open" };
        ui.label(RichText::new(state).size(11.5).color(palette.weak));
    });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(18.0, 3.0);
        let accepted = format::date_time(connection.opened_at, zone);
        key_value(ui, "accepted", &accepted, palette.text);
        key_value(ui, "lasted", &format::duration(timing.life), palette.text)
            .on_hover_text("From the accept to the last that was seen of it");
        for direction in Direction::BOTH {
            let arrow = direction.arrow();
            let (text, color) = match timing.first_frame[direction.index()] {
                Some(after) => (format!("after {}", format::duration(after)), palette.text),
                None => ("none yet".to_owned(), palette.weak),
            };
            key_value(ui, &format!("first frame {arrow}"), &text, color)
                .on_hover_text("From the accept to its first octet");
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(18.0, 3.0);
        for direction in Direction::BOTH {
            let at = direction.index();
            let (frames, reads) = (connection.frames[at], connection.reads[at]);
            let words = format!(
                "{} in {}{}",
                format::counted(frames, "frame", "frames"),
                format::counted(reads, "read", "reads"),
                together(frames, reads)
            );
            let name = direction.arrow().to_string();
            key_value(ui, &name, &words, palette.direction(direction)).on_hover_text(
                "How many reads gave the octets of this direction, those of its heads counted in",
            );
        }
    });
    for direction in Direction::BOTH {
        if let Some(words) = stalls_in_words(connection, direction) {
            key_value(ui, "not read", &words, palette.warning).on_hover_text(
                "Octets waited in the proxy for a second or longer, because the other side took none",
            );
        }
    }
    let line = "How long each frame stayed in the proxy is told beside the frame.";
    ui.add(Label::new(RichText::new(line).size(11.5).color(palette.weak)).wrap());
}

/// `↓ 2 times, at most 3.10 s`, and whether it goes on; `None` where octets never waited long.
fn stalls_in_words(connection: &ConnectionSummary, direction: Direction) -> Option<String> {
    let stalls = connection.notes.iter().filter_map(|note| note.stall);
    let stalls: Vec<_> = stalls.filter(|stall| stall.direction == direction).collect();
    let longest = stalls.iter().map(|stall| stall.nanos).max()?;
    let over = stalls.iter().filter(|stall| stall.is_over).count();
    let goes_on = stalls.last().is_some_and(|stall| !stall.is_over);
    let times = format::counted((over + usize::from(goes_on)) as u64, "time", "times");
    let longest = format::duration(Duration::from_nanos(longest));
    let tail = if goes_on { ", going on" } else { "" };
    Some(format!("{} {times}, at most {longest}{tail}", direction.arrow()))
}

/// `: 3.2 frames a read`, `: 4.0 reads a frame`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn together(frames: u64, reads: u64) -> String {
    if frames == 0 || reads == 0 {
        return String::new();
    }
    let share = frames as f64 / reads as f64;
    if share >= 1.0 {
        format!(": {share:.1} frames a read")
    } else {
        format!(": {:.1} reads a frame", 1.0 / share)
    }
}

fn empty_ui(ui: &mut Ui) {
    let palette = theme::palette(ui);
    let room = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((room * 0.5 - 60.0).max(16.0));
        ui.label(RichText::new(icon::CLOCK).font(fonts::icons(28.0)).color(palette.faint));
        ui.add_space(6.0);
        ui.label(RichText::new("No connection").size(15.0).color(palette.text));
        ui.add_space(4.0);
        let line = "Select a connection to see where its time went.";
        ui.label(RichText::new(line).color(palette.weak));
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use framescope_core::ConnectionNote;
    use framescope_core::connection::Stall;

    use super::*;

    #[test]
    fn a_stall_counts_once_and_says_whether_it_goes_on() {
        let mut connection = crate::handshake_tab::handshakes::accepted();
        let down = Direction::ServerToClient;
        assert_eq!(stalls_in_words(&connection, down), None);
        let mut note = |seconds: u64, is_over| {
            let nanos = seconds * 1_000_000_000;
            let stall = Stall { direction: down, nanos, waiting: 1, is_over };
            let note = ConnectionNote { stall: Some(stall), ..ConnectionNote::default() };
            connection.notes.push(Arc::new(note));
            stalls_in_words(&connection, down)
        };
        assert_eq!(note(1, false).as_deref(), Some("↓ 1 time, at most 1.00 s, going on"));
        assert_eq!(note(3, true).as_deref(), Some("↓ 1 time, at most 3.00 s"));
        assert_eq!(note(1, false).as_deref(), Some("↓ 2 times, at most 3.00 s, going on"));
    }

    #[test]
    fn reads_and_frames_are_told_from_the_side_that_is_more() {
        assert_eq!(together(32, 10), ": 3.2 frames a read");
        assert_eq!(together(1, 4), ": 4.0 reads a frame");
        assert_eq!(together(0, 4), "");
    }
}
