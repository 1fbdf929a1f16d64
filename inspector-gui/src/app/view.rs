//! What the user has chosen to see: the tab, the narrowing, where each table stands.

use framescope_core::search::Marks;
use framescope_core::{ConnectionId, Direction, Index};

use crate::app::since_clear::SinceClear;
use crate::list::{Kinds, Pace, RowFilter, ViewRows, VirtualList, Words};
use crate::panels::findings::FindingsView;
use crate::panels::{connections, exchanges};
use crate::settings::Listing;
use crate::source::Source;
use crate::store::Search;

/// The centre's tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// Messages or frames, and the selected one.
    #[default]
    Messages,
    /// How the connection was opened.
    Handshake,
    /// What peers did against the standards.
    Findings,
    /// Where the time of the connection went.
    Timing,
}

/// How many rows there are of each kind: at the moment of a pause, or of a clearing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Messages.
    pub messages: usize,
    /// Frames.
    pub frames: usize,
    /// Findings.
    pub findings: usize,
    /// Connections.
    pub connections: usize,
}

impl Extent {
    /// Rows of a listing.
    pub fn of(&self, listing: Listing) -> usize {
        match listing {
            Listing::Messages => self.messages,
            Listing::Frames => self.frames,
        }
    }
}

/// One table: where it stands, which rows it has, which one is selected.
#[derive(Debug, Default)]
pub struct Table {
    /// Where it stands.
    pub list: VirtualList,
    /// How fast it follows its end.
    pub pace: Pace,
    /// Which rows it has.
    pub rows: ViewRows,
    /// Row number of the selected one.
    pub selected: Option<usize>,
    /// Which frame of the selected message, from 0.
    pub fragment: u64,
    /// A row that is to be brought into sight, once it is listed.
    pub bring: Option<usize>,
}

impl Table {
    /// Selects a row and makes sure that it stays in sight.
    pub(crate) fn select(&mut self, row: usize) {
        self.selected = Some(row);
        self.fragment = 0;
        self.list.follow = false;
        self.bring = Some(row);
    }
}

/// What the user has chosen to see.
#[derive(Default)]
pub struct View {
    /// The open tab.
    pub tab: Tab,
    /// The chosen connection; `None` is all of them.
    pub connection: Option<ConnectionId>,
    /// The direction chips.
    pub direction: Option<Direction>,
    /// The opcode chips.
    pub kinds: Kinds,
    /// The search field.
    pub query: String,
    /// The search that runs, or why it does not.
    pub search: Option<Result<Search, String>>,
    /// What messages are to say.
    pub words: Words,
    /// Only connections of this kind are listed.
    pub transport: Option<connections::Transport>,
    /// Only connections with these words in their line are listed.
    pub connection_words: String,
    /// The tables list only what the search has found.
    pub hides_others: bool,
    /// The view stands still at this extent.
    pub paused: Option<Extent>,
    /// What lies before this extent is hidden.
    pub cleared: Extent,
    /// What came behind it.
    pub(crate) since_clear: SinceClear,
    /// The messages table.
    pub messages: Table,
    /// The frames table.
    pub frames: Table,
    /// The exchanges of the chosen connection, where it is no WebSocket.
    pub exchanges: exchanges::View,
    /// The connections list.
    pub connections: VirtualList,
    /// The chosen connection is to be brought into sight there.
    pub(crate) connections_bring: bool,
    /// Which connections it has.
    pub listed: connections::Listed,
    /// The findings tab.
    pub findings: FindingsView,
    /// Which reading of the capture the row numbers are of.
    reading: u64,
}

impl View {
    /// How a capture is looked at first: a file, which is there, from its start; a proxy at its end.
    pub fn onto(source: &Source) -> Self {
        let mut view = Self { connections: VirtualList::at_top(), ..Self::default() };
        if source.is_file() {
            view.messages.list = VirtualList::at_top();
            view.frames.list = VirtualList::at_top();
            view.findings = FindingsView::at_top();
        }
        view
    }

    /// Takes in which reading of the capture is shown: rows of another one have other numbers. Whether it
    /// is another one.
    pub(crate) fn belong_to(&mut self, reading: u64) -> bool {
        if std::mem::replace(&mut self.reading, reading) == reading {
            return false;
        }
        for table in [&mut self.messages, &mut self.frames] {
            (table.rows, table.fragment) = (ViewRows::default(), 0);
            (table.selected, table.bring) = (None, None);
        }
        self.findings.renumbered();
        self.exchanges.renumbered();
        self.since_clear = SinceClear::default();
        true
    }

    /// Chooses a connection, or all of them: a row of another one is not selected any longer.
    pub(crate) fn choose(&mut self, index: &Index, connection: Option<ConnectionId>) {
        self.connection = connection;
        let Some(connection) = connection else { return };
        let is_its = |frame: usize| {
            index.frames().get(frame).is_some_and(|frame| frame.connection() == connection)
        };
        let first_frame =
            |row: usize| index.messages().get(row).map(|message| message.first_frame as usize);
        let selected = &mut self.messages.selected;
        *selected = selected.filter(|row| first_frame(*row).is_some_and(is_its));
        let selected = &mut self.frames.selected;
        *selected = selected.filter(|row| is_its(*row));
    }

    /// The table of this listing.
    pub fn table(&mut self, listing: Listing) -> &mut Table {
        match listing {
            Listing::Messages => &mut self.messages,
            Listing::Frames => &mut self.frames,
        }
    }

    /// Lists both directions and all kinds, whatever words are in a row.
    pub(crate) fn list_all_kinds(&mut self) {
        self.direction = None;
        self.kinds = Kinds::default();
        self.words.clear();
    }

    /// The running search.
    pub fn running_search(&self) -> Option<&Search> {
        self.search.as_ref().and_then(|search| search.as_ref().ok())
    }

    /// Rows of this connection's exchanges that the search has found, where it has found any.
    pub(crate) fn found_exchanges(&self, connection: ConnectionId) -> Option<Marks> {
        let search = self.running_search()?;
        search.with_exchanges(|exchanges| exchanges.of(connection).cloned())
    }

    /// The search whose finds are all that the tables list.
    pub fn narrowing_search(&self) -> Option<&Search> {
        self.running_search().filter(|_| self.hides_others)
    }

    /// Which rows of this listing are to be shown.
    /// `reading` grows where what messages say is read anew.
    pub fn filter(&self, listing: Listing, reading: u64) -> RowFilter {
        RowFilter {
            connection: self.connection,
            direction: self.direction,
            kinds: self.kinds,
            search: self.narrowing_search().map(Search::number),
            words: self.words.number(),
            reading,
            from: self.cleared.of(listing),
        }
    }

    /// Whether any chip or search narrows the tables.
    pub fn is_narrowed(&self) -> bool {
        let searched = self.hides_others && !self.query.is_empty();
        self.direction.is_some() || !self.kinds.is_empty() || !self.words.is_empty() || searched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_another_reading_are_not_taken_for_those_of_this_one() {
        let mut view = View::default();
        view.messages.select(7);
        let filter = RowFilter { direction: Some(Direction::ClientToServer), ..Default::default() };
        view.frames.rows.update(filter, 9, 9, |_| Some(true));
        view.exchanges.select(4);
        assert!(!view.belong_to(0), "it is the same");
        assert_eq!((view.messages.selected, view.frames.rows.len()), (Some(7), 9));
        assert_eq!(view.exchanges.selected(), Some(4));
        assert!(view.belong_to(1));
        assert_eq!((view.messages.selected, view.messages.bring), (None, None));
        assert!(view.frames.rows.is_empty());
        assert_eq!(view.exchanges.selected(), None);
    }
}
