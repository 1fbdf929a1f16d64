//! The context menu of a row of exchanges.

use egui::Ui;
use framescope_core::Direction;

use crate::App;
use crate::command::{Command, ExchangeCommand};
use crate::list::{EXCHANGES, Shown};
use crate::panels::context_menu::context_menu;
use crate::store::exchanges::Row;

/// Draws it while it is open: what can be done with the selected row.
pub fn menu_ui(app: &App, ui: &Ui, shown: &Shown, commands: &mut Vec<Command>) {
    let view = &app.view.exchanges;
    let (Some(rows), Some(number)) = (view.rows(), view.selected) else { return };
    let Some(row) = rows.get(number) else { return };
    let groups = groups(row).map(|group| {
        let group = group.into_iter().flatten();
        group.map(Command::OfExchange).collect::<Vec<_>>()
    });
    drop(rows);
    let [copy, save, show] = groups.each_ref().map(Vec::as_slice);
    let show: Vec<_> = show.iter().copied().chain([Command::ShowAllConnections]).collect();
    context_menu(ui, EXCHANGES, shown, &[copy, save, &show], commands);
}

/// What there is to copy, to save and to go to.
fn groups(row: &Row) -> [Vec<Option<ExchangeCommand>>; 3] {
    use ExchangeCommand as Do;
    let holds = |direction| row.content_len(direction).is_some_and(|len| len > 0);
    let sent = holds(Direction::ClientToServer);
    let came = holds(Direction::ServerToClient);
    match row {
        Row::Exchange(exchange) => [
            vec![
                Some(Do::CopyUrl),
                Some(Do::CopyAsCurl),
                Some(Do::CopyRequestHead),
                exchange.response.as_ref().map(|_| Do::CopyResponseHead),
                came.then_some(Do::CopyResponseBody),
            ],
            vec![came.then_some(Do::SaveResponseBody), sent.then_some(Do::SaveRequestBody)],
            vec![Some(Do::ShowHeads), Some(Do::ListAlike)],
        ],
        Row::Event(_) | Row::Piece(_) => [
            vec![came.then_some(Do::CopyContent), Some(Do::CopyUrl)],
            vec![came.then_some(Do::SaveContent)],
            vec![Some(Do::SelectRequest), Some(Do::ShowHeads)],
        ],
    }
}
