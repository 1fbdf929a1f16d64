//! The same through HTTP: from one found row of exchanges to the next, whatever connection it is on.

use framescope_core::ConnectionId;
use framescope_core::search::{ExchangeMarks, ExchangeRow};

use super::{Standing, Way};
use crate::App;
use crate::app::Tab;
use crate::panels::connections::is_cleared;

/// Connections that were cleared away are passed over, so many at once.
const MOST_PASSED: usize = 10_000;
/// Where more connections have found rows, none is numbered.
const MOST_COUNTED: usize = 10_000;

impl App {
    /// Whether rows of exchanges are what is looked at, in their list or in the handshake tab.
    pub(super) fn looks_at_exchanges(&self) -> bool {
        self.view.tab == Tab::Handshake || self.view.exchanges.are_shown()
    }

    /// Shows the next found row of exchanges on a connection that is not cleared away, if there is one.
    pub(crate) fn find_exchange(&mut self, way: Way) {
        let from = if self.looks_at_exchanges() { self.exchange_looked_at() } else { None };
        let mut from = from.or_else(|| self.view.connection.map(|connection| (connection, None)));
        let on = self.view.running_search().map_or(0, |search| search.state().connections_found);
        // Once around comes back to where it began.
        for _ in 0..=on.min(MOST_PASSED) {
            let Some(search) = self.view.running_search() else { return };
            let Some(found) = search.with_exchanges(|marks| next(marks, from, way)) else { return };
            if self.lists_connection(found.0) {
                return self.show_exchange(found);
            }
            let behind = match way {
                Way::Next => usize::MAX - 1,
                Way::Previous => 0,
            };
            from = Some((found.0, Some(behind)));
        }
    }

    /// Whether a connection is among those that are listed, as far as that is a matter of clearing.
    fn lists_connection(&self, id: ConnectionId) -> bool {
        let index = self.store.index();
        // The search may be ahead of what lists connections.
        let (Some(connection), Some(row)) = (index.connection(id), index.connection_row(id)) else {
            return false;
        };
        !is_cleared(&self.view, connection, row)
    }

    pub(super) fn standing_among_exchanges(&self) -> Option<Standing> {
        let search = self.view.running_search()?;
        let looked_at = self.exchange_looked_at();
        Some(search.with_exchanges(|marks| {
            let at = looked_at.and_then(|(connection, row)| Some((connection, row?)));
            let is_found = |at: &ExchangeRow| {
                // The number is counted in each picture, connection by connection.
                marks.connections() <= MOST_COUNTED
                    && marks.of(at.0).is_some_and(|of| of.is_marked(at.1))
            };
            let number = at.filter(is_found).map(|at| marks.count_before(at) + 1);
            Standing { number, of: marks.count(), is_http: true }
        }))
    }
}

/// The found row beside the one that is looked at, or the first or last of its connection where none is;
/// once around.
fn next(
    marks: &ExchangeMarks,
    from: Option<(ConnectionId, Option<usize>)>,
    way: Way,
) -> Option<ExchangeRow> {
    let (first, last) = ((ConnectionId(0), 0), (ConnectionId(u32::MAX), usize::MAX));
    match way {
        Way::Next => {
            let from = from.map(|(connection, row)| (connection, row.map_or(0, |row| row + 1)));
            marks.next_from(from.unwrap_or(first)).or_else(|| marks.next_from(first))
        }
        Way::Previous => {
            let from = from.map(|(connection, row)| (connection, row.unwrap_or(usize::MAX)));
            marks.last_before(from.unwrap_or(last)).or_else(|| marks.last_before(last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_and_previous_go_through_all_connections_and_around() {
        let at = |connection, row| (ConnectionId(connection), row);
        let mut marks = ExchangeMarks::default();
        for row in [at(2, 5), at(4, 0), at(4, 9)] {
            marks.mark(row);
        }
        let from = |connection, row| Some((ConnectionId(connection), row));
        let rows = [
            (None, Way::Next, at(2, 5)),
            (None, Way::Previous, at(4, 9)),
            (from(2, Some(5)), Way::Next, at(4, 0)),
            (from(4, Some(9)), Way::Next, at(2, 5)),
            (from(4, Some(0)), Way::Previous, at(2, 5)),
            (from(2, Some(5)), Way::Previous, at(4, 9)),
            (from(4, None), Way::Next, at(4, 0)),
            (from(4, None), Way::Previous, at(4, 9)),
            (from(3, None), Way::Previous, at(2, 5)),
        ];
        for (from, way, expected) in rows {
            assert_eq!(next(&marks, from, way), Some(expected), "{from:?} {way:?}");
        }
        assert_eq!(next(&ExchangeMarks::default(), None, Way::Next), None);
    }
}
