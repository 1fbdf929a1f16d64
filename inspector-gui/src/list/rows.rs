//! Which rows a list shows: a growing selection out of a growing index.

use framescope_core::{ConnectionId, Direction, Opcode};

/// What the user asked to see. Rows that keep to it are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowFilter {
    /// Only this connection's.
    pub connection: Option<ConnectionId>,
    /// Only this direction's.
    pub direction: Option<Direction>,
    /// Only these kinds; none chosen means all.
    pub kinds: Kinds,
    /// Only what a search found; its number, so that a new search is a new filter.
    pub search: Option<u64>,
    /// Only what the words about messages admit; the number of their last change.
    pub words: Option<u64>,
    /// Grows where what messages say is read anew.
    pub reading: u64,
    /// Rows before this one were cleared away.
    pub from: usize,
}

impl RowFilter {
    /// Whether every row from `from` on is shown.
    pub fn is_all(&self) -> bool {
        *self == Self { from: self.from, reading: self.reading, ..Self::default() }
    }

    /// Whether a row with these facts is shown, searches aside.
    pub fn admits(&self, connection: ConnectionId, direction: Direction, opcode: Opcode) -> bool {
        self.connection.is_none_or(|wanted| wanted == connection)
            && self.direction.is_none_or(|wanted| wanted == direction)
            && self.kinds.admit(opcode)
    }
}

/// A choice of row kinds, as the filter chips offer them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds(u8);

/// One filter chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text messages.
    Text,
    /// Binary messages.
    Binary,
    /// Continuation frames; only frames can be.
    Continuation,
    /// Ping.
    Ping,
    /// Pong.
    Pong,
    /// Close.
    Close,
    /// Any reserved opcode.
    Reserved,
}

impl Kind {
    /// All of them, in the order of the chips.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Binary,
        Self::Continuation,
        Self::Ping,
        Self::Pong,
        Self::Close,
        Self::Reserved,
    ];

    /// What an opcode counts as.
    pub fn of(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Text => Self::Text,
            Opcode::Binary => Self::Binary,
            Opcode::Continuation => Self::Continuation,
            Opcode::Ping => Self::Ping,
            Opcode::Pong => Self::Pong,
            Opcode::Close => Self::Close,
            Opcode::ReservedNonControl(_) | Opcode::ReservedControl(_) => Self::Reserved,
        }
    }

    /// As the chip and the type column say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Continuation => "cont",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
            Self::Reserved => "reserved",
        }
    }

    /// Several of them, as a tooltip says it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Continuation => "continuation frames",
            Self::Ping => "pings",
            Self::Pong => "pongs",
            Self::Close => "closes",
            Self::Reserved => "reserved opcodes",
        }
    }
}

impl Kinds {
    /// Whether this kind was chosen.
    pub fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Chooses it, or takes the choice back.
    pub fn toggle(&mut self, kind: Kind) {
        self.0 ^= 1 << kind as u8;
    }

    /// Whether nothing was chosen, so that everything is shown.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn admit(self, opcode: Opcode) -> bool {
        self.is_empty() || self.contains(Kind::of(opcode))
    }
}

/// The rows a list shows, kept up to date piece by piece.
#[derive(Debug, Clone, Default)]
pub struct ViewRows {
    filter: RowFilter,
    scanned: usize,
    found: Vec<u32>,
}

impl ViewRows {
    /// Brings the rows up to `until`, looking at no more than `budget` new ones; whether any is left.
    /// A row about which `admits` does not know yet holds up those behind it, and is none that is left.
    pub fn update(
        &mut self,
        filter: RowFilter,
        until: usize,
        budget: usize,
        admits: impl Fn(usize) -> Option<bool>,
    ) -> bool {
        if self.filter != filter || until < self.scanned {
            *self = Self { filter, scanned: filter.from, found: std::mem::take(&mut self.found) };
            self.found.clear();
        }
        self.scanned = self.scanned.max(filter.from);
        if filter.is_all() {
            self.scanned = self.scanned.max(until);
            return false;
        }
        let stop = until.min(self.scanned.saturating_add(budget));
        while self.scanned < stop {
            match admits(self.scanned) {
                Some(true) => self.found.extend(u32::try_from(self.scanned)),
                Some(false) => {}
                None => return false,
            }
            self.scanned += 1;
        }
        self.scanned < until
    }

    /// What they were narrowed to at last.
    pub fn filter(&self) -> RowFilter {
        self.filter
    }

    /// Whether the first `until` rows were all looked at.
    pub fn reaches(&self, until: usize) -> bool {
        self.scanned >= until
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        if self.filter.is_all() { self.scanned - self.filter.from } else { self.found.len() }
    }

    /// Whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at this position of the list.
    pub fn row(&self, position: usize) -> Option<usize> {
        if self.filter.is_all() {
            (position < self.len()).then_some(self.filter.from + position)
        } else {
            self.found.get(position).map(|row| *row as usize)
        }
    }

    /// Where in the list this row stands.
    pub fn position_of(&self, row: usize) -> Option<usize> {
        if self.filter.is_all() {
            row.checked_sub(self.filter.from).filter(|position| *position < self.len())
        } else {
            self.found.binary_search(&u32::try_from(row).ok()?).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_filter_rows_are_their_own_positions() {
        let mut rows = ViewRows::default();
        assert!(!rows.update(RowFilter::default(), 1_000_000, 10, |_| unreachable!()));
        assert_eq!(
            (rows.len(), rows.row(999_999), rows.row(1_000_000)),
            (1_000_000, Some(999_999), None)
        );
        let cleared = RowFilter { from: 400, ..RowFilter::default() };
        rows.update(cleared, 1_000, 10, |_| unreachable!());
        assert_eq!((rows.len(), rows.row(0), rows.position_of(399)), (600, Some(400), None));
        rows.update(RowFilter { from: 1_000, ..cleared }, 1_000, 10, |_| unreachable!());
        assert!(rows.is_empty());
    }

    #[test]
    fn a_filter_extends_piece_by_piece_and_starts_anew_when_it_changes() {
        let even = RowFilter { direction: Some(Direction::ClientToServer), ..RowFilter::default() };
        let mut rows = ViewRows::default();
        assert!(rows.update(even, 100, 30, |row| Some(row % 2 == 0)));
        assert_eq!(rows.len(), 15);
        while rows.update(even, 100, 30, |row| Some(row % 2 == 0)) {}
        assert_eq!((rows.len(), rows.row(49), rows.position_of(98)), (50, Some(98), Some(49)));
        assert_eq!(rows.position_of(97), None);
        let odd = RowFilter { direction: Some(Direction::ServerToClient), ..even };
        while rows.update(odd, 100, 30, |row| Some(row % 2 == 1)) {}
        assert_eq!(rows.row(0), Some(1));
    }

    #[test]
    fn a_row_that_is_not_known_yet_holds_up_the_rest() {
        let filter = RowFilter { words: Some(1), ..RowFilter::default() };
        let mut rows = ViewRows::default();
        let known = |until: usize| move |row: usize| (row < until).then_some(row.is_multiple_of(2));
        assert!(!rows.update(filter, 100, 1000, known(10)));
        assert_eq!(rows.len(), 5);
        assert!(!rows.update(filter, 100, 1000, known(100)));
        assert_eq!((rows.len(), rows.row(49)), (50, Some(98)));
    }

    #[test]
    fn no_kind_chosen_admits_every_kind() {
        let mut kinds = Kinds::default();
        assert!(kinds.admit(Opcode::Ping) && kinds.admit(Opcode::from_bits(0xB)));
        kinds.toggle(Kind::Close);
        assert!(kinds.admit(Opcode::Close) && !kinds.admit(Opcode::Ping));
        kinds.toggle(Kind::Close);
        assert!(kinds.is_empty());
    }
}
