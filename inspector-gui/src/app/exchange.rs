//! The selected exchange of plain HTTP, and the way to one that a search has found.

mod take;

use std::sync::Arc;

use egui::Ui;
use framescope_core::ConnectionId;
use framescope_core::search::ExchangeRow;

use super::{App, Tab};
use crate::detail::{ExchangeAction, Known, Sought};
use crate::panels::exchanges;
use crate::store::exchanges::Row;

impl App {
    /// What the running search looks for.
    pub(super) fn sought(&self) -> Option<Sought> {
        let search = self.view.running_search()?;
        Some(Sought::new(search.number(), Arc::clone(search.pattern())))
    }

    /// Draws the selected row of the exchanges.
    pub(super) fn exchange_ui(&mut self, ui: &mut Ui) {
        self.exchange.look_for(self.sought());
        let view = &mut self.view.exchanges;
        let (Some(number), Some(read)) = (view.selected, &view.read) else { return };
        let (connection, row, is_to_come) = {
            let rows = read.rows();
            (read.connection(), rows.get(number).cloned(), number >= rows.end())
        };
        let action = match row {
            Some(row) => {
                let known = match &row {
                    Row::Exchange(exchange) => {
                        Known::of(&self.store.index(), connection, &exchange.request)
                    }
                    _ => Known::default(),
                };
                self.exchange.ui(ui, (connection, number), &row, &known, &self.zone)
            }
            // A search was faster than what reads the rows.
            None if is_to_come => None,
            // It stays selected: from there a search goes on.
            None => self.exchange.gone_ui(ui, number),
        };
        match action {
            Some(ExchangeAction::Close) => view.selected = None,
            Some(ExchangeAction::ShowConnection(connection)) => self.choose(connection),
            Some(ExchangeAction::Save(direction)) => self.save_exchange(ui.ctx(), direction),
            None => {}
        }
    }

    /// Shows a row of exchanges: in the list of exchanges, or where its connection became a WebSocket in
    /// the handshake tab. Brings what is looked for into sight.
    pub(crate) fn show_exchange(&mut self, (connection, row): ExchangeRow) {
        self.choose(connection);
        self.view.connections_bring = true;
        if exchanges::are_listed(&self.store.index(), connection) {
            self.view.tab = Tab::Messages;
            self.view.exchanges.show(&self.store, connection, row);
            self.exchange.bring((connection, row));
        } else {
            self.view.tab = Tab::Handshake;
            self.handshake.show(connection, row);
        }
    }

    /// The row of exchanges that is looked at, where any are: the selected one, or in the handshake tab
    /// the one that it was asked to show, kept or not. Without a row, the connection whose rows are.
    pub(crate) fn exchange_looked_at(&self) -> Option<(ConnectionId, Option<usize>)> {
        if self.view.tab == Tab::Handshake {
            let id = self.looked_at_id()?;
            let index = self.store.index();
            return Some((id, self.handshake.looked_at(index.connection(id)?)));
        }
        let read = self.view.exchanges.read.as_ref()?;
        Some((read.connection(), self.view.exchanges.selected))
    }
}
