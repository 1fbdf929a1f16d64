//! Which rows of the exchanges are listed: all that are kept, or those that a search has found.

use std::ops::Range;

use framescope_core::search::Marks;

/// Rows by their place in the list.
pub(super) enum Listed {
    All(Range<usize>),
    /// In order.
    Found(Vec<usize>),
}

impl Listed {
    /// The marked ones of these rows.
    pub(super) fn found(of: Range<usize>, marks: Option<&Marks>) -> Self {
        let Some(marks) = marks else { return Self::Found(Vec::new()) };
        let from = std::iter::successors(marks.next_from(of.start), |row| marks.next_from(row + 1));
        Self::Found(from.take_while(|row| *row < of.end).collect())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(rows) => rows.len(),
            Self::Found(rows) => rows.len(),
        }
    }

    /// The row at this position.
    pub(super) fn row(&self, position: usize) -> Option<usize> {
        match self {
            Self::All(rows) => Some(rows.start + position).filter(|row| *row < rows.end),
            Self::Found(rows) => rows.get(position).copied(),
        }
    }

    /// Where this row stands.
    pub(super) fn position_of(&self, row: usize) -> Option<usize> {
        match self {
            Self::All(rows) => rows.contains(&row).then(|| row - rows.start),
            Self::Found(rows) => rows.binary_search(&row).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_positions_belong_together() {
        let mut marks = Marks::default();
        for row in [2, 5, 9, 64] {
            marks.mark(row);
        }
        let rows = |listed: &Listed| (0..).map_while(|at| listed.row(at)).collect::<Vec<_>>();
        let all = Listed::All(4..7);
        assert_eq!(
            (rows(&all), all.position_of(6), all.position_of(3)),
            (vec![4, 5, 6], Some(2), None)
        );
        let found = Listed::found(4..64, Some(&marks));
        assert_eq!((rows(&found), found.len()), (vec![5, 9], 2));
        assert_eq!((found.position_of(9), found.position_of(64)), (Some(1), None));
        assert_eq!(Listed::found(4..64, None).len(), 0);
    }
}
