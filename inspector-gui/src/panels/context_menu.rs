//! The context menu of a list: of the row that was clicked with the other button, which is selected then.

use egui::containers::menu::menu_style;
use egui::{Id, Popup, PopupAnchor, PopupKind, SetOpenCommand, Ui};

use crate::command::Command;
use crate::list::Shown;

/// Draws the menu of the list with this name while it is open: an entry for each of these commands, with a
/// line between groups of them.
pub fn context_menu(
    ui: &Ui,
    name: &str,
    shown: &Shown,
    groups: &[&[Command]],
    commands: &mut Vec<Command>,
) {
    let id = Id::unique(("context menu", name));
    let open = shown.wants_menu.then_some(SetOpenCommand::Bool(true));
    let popup = Popup::new(id, ui.ctx().clone(), PopupAnchor::PointerFixed, ui.layer_id())
        .kind(PopupKind::Menu)
        .style(menu_style)
        .open_memory(open);
    popup.show(|ui| {
        ui.set_min_width(190.0);
        let mut groups = groups.iter().filter(|group| !group.is_empty());
        let first =
            groups.next().copied().unwrap_or_default().iter().map(|command| (false, command));
        let others = groups
            .flat_map(|group| group.iter().enumerate().map(|(at, command)| (at == 0, command)));
        for (begins_group, command) in first.chain(others) {
            if begins_group {
                ui.separator();
            }
            let mut button = egui::Button::new(command.label());
            if let Some(shortcut) = command.shortcut() {
                button = button.shortcut_text(ui.ctx().format_shortcut(&shortcut));
            }
            let button = ui.add(button).accessible_name(command.label());
            if button.on_hover_text(command.explanation()).clicked() {
                commands.push(*command);
                ui.close();
            }
        }
    });
}
