//! Which rows of HTTP exchanges a search has found, connection by connection.

use std::collections::BTreeMap;

use super::Marks;
use crate::ConnectionId;

/// A row of a connection's exchanges, numbered as [`crate::index::ExchangeRows`] does.
pub type ExchangeRow = (ConnectionId, usize);

/// Marked rows of exchanges; in order of their connections' numbers, then of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeMarks {
    /// Only connections with a marked row.
    of: BTreeMap<ConnectionId, Marks>,
    count: usize,
}

impl ExchangeMarks {
    /// Marks a row; twice is once.
    pub fn mark(&mut self, (connection, row): ExchangeRow) {
        let marks = self.of.entry(connection).or_default();
        let before = marks.count();
        marks.mark(row);
        self.count = self.count.saturating_add(marks.count().saturating_sub(before));
    }

    /// The marked rows of a connection that has any.
    pub fn of(&self, connection: ConnectionId) -> Option<&Marks> {
        self.of.get(&connection)
    }

    /// How many rows are marked.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many connections have marked rows.
    pub fn connections(&self) -> usize {
        self.of.len()
    }

    /// The first marked row at or behind `at`.
    pub fn next_from(&self, at: ExchangeRow) -> Option<ExchangeRow> {
        self.of.range(at.0..).find_map(|(connection, marks)| {
            let from = if *connection == at.0 { at.1 } else { 0 };
            Some((*connection, marks.next_from(from)?))
        })
    }

    /// The last marked row before `at`.
    pub fn last_before(&self, at: ExchangeRow) -> Option<ExchangeRow> {
        self.of.range(..=at.0).rev().find_map(|(connection, marks)| {
            let before = if *connection == at.0 { at.1 } else { usize::MAX };
            Some((*connection, marks.last_before(before)?))
        })
    }

    /// How many rows before `at` are marked.
    pub fn count_before(&self, at: ExchangeRow) -> usize {
        let whole = self.of.range(..at.0).map(|(_, marks)| marks.count()).sum::<usize>();
        let part = self.of(at.0).map_or(0, |marks| marks.count_before(at.1));
        whole.saturating_add(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_of_their_connections() {
        let at = |connection, row| (ConnectionId(connection), row);
        let mut marks = ExchangeMarks::default();
        for row in [at(7, 70), at(2, 5), at(7, 3), at(2, 5)] {
            marks.mark(row);
        }
        assert_eq!((marks.count(), marks.connections()), (3, 2));
        let next =
            [at(1, 0), at(2, 5), at(2, 6), at(7, 4), at(7, 71)].map(|at| marks.next_from(at));
        assert_eq!(next, [Some(at(2, 5)), Some(at(2, 5)), Some(at(7, 3)), Some(at(7, 70)), None]);
        let last =
            [at(2, 5), at(2, 6), at(7, 3), at(7, 70), at(9, 0)].map(|at| marks.last_before(at));
        assert_eq!(last, [None, Some(at(2, 5)), Some(at(2, 5)), Some(at(7, 3)), Some(at(7, 70))]);
        let before = [at(2, 5), at(2, 6), at(7, 4), at(9, 0)].map(|at| marks.count_before(at));
        assert_eq!(before, [0, 1, 2, 3]);
        assert!(marks.of(ConnectionId(3)).is_none());
    }
}
