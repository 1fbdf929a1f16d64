//! Above the table: the tabs, and the chips that narrow the rows.

use egui::containers::menu::MenuButton;
use egui::{
    Align, Button, FontId, Frame, Id, Layout, Rect, RichText, Role, Sense, TextEdit, Ui, UiBuilder,
    WidgetInfo, vec2,
};
use framescope_core::Direction;
use framescope_core::subprotocol::Subprotocol;

use super::{format, parts};
use crate::App;
use crate::app::Tab;
use crate::command::Command;
use crate::detail::subprotocol_name;
use crate::fonts::{self, icon};
use crate::list::{Kind, VirtualList};
use crate::settings::Listing;
use crate::theme;
use crate::widgets;

const TABS_HEIGHT: f32 = 34.0;
const CHIPS_HEIGHT: f32 = 32.0;
/// Room beside the name of a tab, in points: the most, and the least.
const TAB_BESIDE: (f32, f32) = (20.0, 8.0);
/// Room for the choice of messages or frames.
const LISTING_ROOM: f32 = 142.0;
/// The field for words is left out in less room.
const WORDS_LEAST: f32 = 110.0;
/// Room for the choice of a sub-protocol beside it, and the least for it.
const PROTOCOL_ROOM: f32 = 130.0;
const PROTOCOL_LEAST: f32 = 90.0;

/// Draws the tabs, and what the table lists.
pub fn tabs_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    bar(ui, TABS_HEIGHT, |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let tabs = [
            (Tab::Messages, Command::ShowMessages),
            (Tab::Handshake, Command::ShowHandshake),
            (Tab::Findings, Command::ShowFindings),
            (Tab::Timing, Command::ShowTiming),
        ];
        let names: f32 = tabs.iter().map(|(_, command)| parts::tab_name_width(ui, *command)).sum();
        let room = ui.available_width() - LISTING_ROOM - names;
        #[expect(clippy::cast_precision_loss, reason = "there are four")]
        let beside = (room / tabs.len() as f32).clamp(TAB_BESIDE.1, TAB_BESIDE.0);
        for (tab, command) in tabs {
            if parts::tab(ui, command, app.view.tab == tab, beside) {
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
            words_ui(app, ui);
        });
    });
}

/// The id of the field for words of what messages say.
pub fn words_id() -> Id {
    Id::unique("words of messages")
}

/// Where messages say anything in a sub-protocol: words of that, and which one.
fn words_ui(app: &mut App, ui: &mut Ui) {
    let counts = app.store.dissections().kept().counts();
    if counts.is_empty() && app.view.words.is_empty() || ui.available_width() < WORDS_LEAST {
        return;
    }
    let words = &mut app.view.words;
    let width = (ui.available_width() - PROTOCOL_ROOM).clamp(WORDS_LEAST - 12.0, 190.0);
    let field = TextEdit::singleline(&mut words.typed)
        .id(words_id())
        .hint_text("event, topic, method …")
        .font(FontId::proportional(12.0))
        .desired_width(width);
    let response = ui.add(field);
    let explanation = "Only messages whose sub-protocol line has these words";
    response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, explanation));
    let mut is_changed = response.on_hover_text(explanation).changed();
    if ui.available_width() > PROTOCOL_LEAST {
        let name = words.protocol.map_or("any protocol", subprotocol_name);
        let caret = RichText::new(icon::CARET_DOWN).font(fonts::icons(9.0));
        let button = Button::new((RichText::new(name).size(11.5), caret)).frame(false);
        let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
            ui.set_min_width(170.0);
            let mut choice = |ui: &mut Ui, protocol: Option<Subprotocol>, title: String| {
                if ui.selectable_label(words.protocol == protocol, title).clicked() {
                    words.protocol = protocol;
                    is_changed = true;
                }
            };
            choice(ui, None, "Any protocol".to_owned());
            for (protocol, count) in counts {
                let title = format!("{}, {}", protocol.title(), format::thousands(count));
                choice(ui, Some(protocol), title);
            }
        });
        response.on_hover_text("Only messages of one sub-protocol");
    }
    if is_changed {
        words.changed();
    }
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
