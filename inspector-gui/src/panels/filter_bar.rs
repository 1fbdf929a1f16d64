//! Above the table: the tabs, and the chips that narrow the rows.

use egui::{Align, Frame, Layout, Rect, Sense, Ui, UiBuilder, vec2};
use framescope_core::Direction;

use super::parts;
use crate::App;
use crate::app::Tab;
use crate::command::Command;
use crate::list::{Kind, VirtualList};
use crate::settings::Listing;
use crate::theme;
use crate::widgets;

const TABS_HEIGHT: f32 = 34.0;
const CHIPS_HEIGHT: f32 = 32.0;

/// Draws the tabs, and what the table lists.
pub fn tabs_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    bar(ui, TABS_HEIGHT, |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let tabs = [
            (Tab::Messages, Command::ShowMessages),
            (Tab::Handshake, Command::ShowHandshake),
            (Tab::Findings, Command::ShowFindings),
        ];
        for (tab, command) in tabs {
            if parts::tab(ui, command, app.view.tab == tab) {
                commands.push(command);
            }
        }
        if app.view.tab == Tab::Messages {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let mut listing = app.settings.listing;
                let choices = [
                    (Listing::Messages, Command::ListMessages.label()),
                    (Listing::Frames, Command::ListFrames.label()),
                ];
                widgets::segmented(ui, &mut listing, &choices);
                if listing != app.settings.listing {
                    commands.push(match listing {
                        Listing::Messages => Command::ListMessages,
                        Listing::Frames => Command::ListFrames,
                    });
                }
            });
        }
    });
}

/// Draws the chips and the follow switch.
pub fn chips_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    bar(ui, CHIPS_HEIGHT, |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for direction in Direction::BOTH {
            let on = app.view.direction == Some(direction);
            let (text, explanation) = match direction {
                Direction::ClientToServer => ("↑", "Only what clients sent"),
                Direction::ServerToClient => ("↓", "Only what servers sent"),
            };
            if parts::chip(ui, text, palette.direction(direction), on, explanation) {
                app.view.direction = (!on).then_some(direction);
            }
        }
        ui.add_space(6.0);
        for kind in Kind::ALL {
            let of_frames_only = kind == Kind::Continuation;
            if of_frames_only && app.settings.listing == Listing::Messages {
                continue;
            }
            let on = app.view.kinds.contains(kind);
            let explanation = format!("Only {}", kind.plural());
            if parts::chip(ui, kind.name(), palette.accent, on, &explanation) {
                app.view.kinds.toggle(kind);
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            follow_ui(app, ui, commands);
        });
    });
}

fn follow_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui);
    let list: &mut VirtualList = &mut app.view.table(app.settings.listing).list;
    let follows = list.follow;
    let explanation = Command::FollowEnd.explanation();
    if parts::chip(ui, "Follow", palette.good, follows, explanation) {
        if follows {
            list.follow = false;
        } else {
            commands.push(Command::FollowEnd);
        }
    }
}

/// A bar of full width with a hairline below.
fn bar(ui: &mut Ui, height: f32, content: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::HOVER);
    ui.painter().rect_filled(rect, 0.0, palette.panel);
    ui.painter().hline(rect.x_range(), rect.max.y - 0.5, palette.hairline_stroke());
    let inner = Rect::from_min_max(rect.min + vec2(8.0, 0.0), rect.max - vec2(8.0, 1.0));
    let layout = Layout::left_to_right(Align::Center);
    let builder = UiBuilder::new().max_rect(inner).layout(layout);
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(rect.intersect(ui.clip_rect()));
        Frame::new().show(ui, content);
    });
}
