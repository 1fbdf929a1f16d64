//! Above the table: the tabs, and the chips that narrow the rows.

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{
    Align, Button, FontId, Frame, Id, Layout, PopupCloseBehavior, Rect, RichText, Role, Sense,
    TextEdit, Ui, UiBuilder, WidgetInfo, vec2,
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
/// Room for the button that opens the chips where they have none.
const FILTER_ROOM: f32 = 74.0;
/// Between the chips of directions and those of kinds.
const CHIPS_GAP: f32 = 6.0;
/// The field for words is left out in less room.
const WORDS_LEAST: f32 = 110.0;
/// Room for the choice of a sub-protocol beside it, and the least for it.
const PROTOCOL_ROOM: f32 = 130.0;
const PROTOCOL_LEAST: f32 = 90.0;

/// The tabs, and the command that shows each.
const TABS: [(Tab, Command); 4] = [
    (Tab::Messages, Command::ShowMessages),
    (Tab::Handshake, Command::ShowHandshake),
    (Tab::Findings, Command::ShowFindings),
    (Tab::Timing, Command::ShowTiming),
];

/// Draws the tabs, and what the table lists.
pub fn tabs_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    bar(ui, TABS_HEIGHT, |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let names: f32 = TABS.iter().map(|(_, command)| parts::tab_name_width(ui, *command)).sum();
        let has_listing = listing_is_beside_tabs(ui, ui.available_width());
        let room = ui.available_width() - names - if has_listing { LISTING_ROOM } else { 0.0 };
        if room < least_beside() {
            tabs_menu_ui(app, ui, commands);
        } else {
            #[expect(clippy::cast_precision_loss, reason = "there are four")]
            let beside = (room / TABS.len() as f32).clamp(TAB_BESIDE.1, TAB_BESIDE.0);
            for (tab, command) in TABS {
                if parts::tab(ui, command, app.view.tab == tab, beside) {
                    commands.push(command);
                }
            }
        }
        if has_listing && app.view.tab == Tab::Messages {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                listing_ui(app, ui, commands);
            });
        }
    });
}

/// Room beside the names of all tabs together, at least.
fn least_beside() -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "there are four")]
    let tabs = TABS.len() as f32;
    TAB_BESIDE.1 * tabs
}

/// Whether the choice of messages or frames has room beside the tabs; else it stands below them.
fn listing_is_beside_tabs(ui: &Ui, width: f32) -> bool {
    let names: f32 = TABS.iter().map(|(_, command)| parts::tab_name_width(ui, *command)).sum();
    width >= names + least_beside() + LISTING_ROOM
}

/// The tabs where there is no room for them beside each other.
fn tabs_menu_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
    let chosen = TABS.iter().find(|(tab, _)| *tab == app.view.tab).map_or("", |(_, c)| c.label());
    menu_button(ui, chosen, false, |ui| {
        for (tab, command) in TABS {
            if ui.selectable_label(app.view.tab == tab, command.label()).clicked() {
                commands.push(command);
                ui.close();
            }
        }
    });
}

/// One row a message, or one row a frame.
fn listing_ui(app: &App, ui: &mut Ui, commands: &mut Vec<Command>) {
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
}

/// Draws the chips and the follow switch.
pub fn chips_ui(app: &mut App, ui: &mut Ui, commands: &mut Vec<Command>) {
    bar(ui, CHIPS_HEIGHT, |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let has_listing = !listing_is_beside_tabs(ui, ui.available_width());
        let follow = if app.store.grows() { parts::chip_width(ui, "Follow") + 4.0 } else { 0.0 };
        let room = ui.available_width() - follow;
        let listing = if has_listing { LISTING_ROOM } else { 0.0 };
        let is_narrow = chips_width(ui, app.settings.listing) + listing > room;
        let listing_is_in_menu = has_listing && is_narrow && FILTER_ROOM + LISTING_ROOM > room;
        if is_narrow {
            let is_on = app.view.direction.is_some() || !app.view.kinds.is_empty();
            menu_button(ui, "Filter", is_on, |ui| {
                ui.set_min_width(90.0);
                ui.spacing_mut().item_spacing.y = 4.0;
                if listing_is_in_menu {
                    listing_ui(app, ui, commands);
                }
                each_chip_ui(app, ui);
            });
        } else {
            each_chip_ui(app, ui);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            if app.store.grows() {
                follow_ui(app, ui, commands);
            }
            if has_listing && !listing_is_in_menu {
                listing_ui(app, ui, commands);
            }
            words_ui(app, ui);
        });
    });
}

/// A chip for each direction and each kind.
fn each_chip_ui(app: &mut App, ui: &mut Ui) {
    let palette = theme::palette(ui);
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
    ui.add_space(CHIPS_GAP);
    for kind in kinds(app.settings.listing) {
        let on = app.view.kinds.contains(kind);
        let explanation = format!("Only {}", kind.plural());
        if parts::chip(ui, kind.name(), palette.accent, on, &explanation) {
            app.view.kinds.toggle(kind);
        }
    }
}

/// The kinds that rows of a listing can be of: continuations are frames only.
fn kinds(listing: Listing) -> impl Iterator<Item = Kind> {
    let all = Kind::ALL.into_iter();
    all.filter(move |kind| listing == Listing::Frames || *kind != Kind::Continuation)
}

/// Room for all chips beside each other.
fn chips_width(ui: &Ui, listing: Listing) -> f32 {
    let names = ["↑", "↓"].into_iter().chain(kinds(listing).map(Kind::name));
    names.map(|name| parts::chip_width(ui, name) + 4.0).sum::<f32>() + CHIPS_GAP
}

/// A button that opens a menu, in a bar.
fn menu_button(ui: &mut Ui, name: &str, is_on: bool, content: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    let color = if is_on { palette.accent } else { palette.text };
    let caret = RichText::new(icon::CARET_DOWN).font(fonts::icons(9.0)).color(color);
    let button = Button::new((RichText::new(name).color(color), caret)).fill(palette.raised);
    let behavior = PopupCloseBehavior::CloseOnClickOutside;
    let config = MenuConfig::new().close_behavior(behavior);
    MenuButton::from_button(button).config(config).ui(ui, content);
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
