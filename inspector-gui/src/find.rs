//! Going from one found row to the next.

mod exchanges;

use framescope_core::Index;
use framescope_core::search::Marks;

use crate::App;
use crate::settings::Listing;

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Towards newer rows, then again from the oldest.
    Next,
    /// Towards older rows, then again from the newest.
    Previous,
}

/// Where the selected row stands among those that a search has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its number, from 1; `None` where it was not found.
    pub number: Option<usize>,
    /// How many rows were found so far.
    pub of: usize,
    /// They are rows of HTTP exchanges.
    pub is_http: bool,
}

/// Rows of a listing and the frame rows that a search marks for them.
struct Keys<'a> {
    index: &'a Index,
    listing: Listing,
}

impl Keys<'_> {
    /// The frame row that is marked where this row was found.
    fn of_row(&self, row: usize) -> Option<usize> {
        match self.listing {
            Listing::Messages => {
                self.index.messages().get(row).map(|message| message.last_frame as usize)
            }
            Listing::Frames => Some(row),
        }
    }

    fn row_of(&self, key: usize) -> Option<usize> {
        match self.listing {
            Listing::Messages => {
                let messages = self.index.messages();
                let at = messages.partition_point(|message| (message.last_frame as usize) < key);
                (messages.get(at)?.last_frame as usize == key).then_some(at)
            }
            Listing::Frames => Some(key),
        }
    }

    fn marks<'m>(&self, frames: &'m Marks, messages: &'m Marks) -> &'m Marks {
        match self.listing {
            Listing::Messages => messages,
            Listing::Frames => frames,
        }
    }
}

impl App {
    /// Selects the next row that the search has found and the table lists. Where exchanges are looked at, or
    /// there is no such row, the next of them.
    pub(crate) fn find(&mut self, way: Way) {
        if self.looks_at_exchanges() {
            return self.find_exchange(way);
        }
        let listing = self.settings.listing;
        let found = {
            let Some(search) = self.view.running_search() else { return };
            let table = match listing {
                Listing::Messages => &self.view.messages,
                Listing::Frames => &self.view.frames,
            };
            let index = self.store.index();
            let keys = Keys { index: &index, listing };
            let from = table.selected.and_then(|row| keys.of_row(row));
            search.with_marks(|frames, messages| {
                let marks = keys.marks(frames, messages);
                let listed = |key: usize| {
                    keys.row_of(key).filter(|row| table.rows.position_of(*row).is_some())
                };
                next_listed(marks, from, way, listed)
            })
        };
        match found {
            Some(row) => self.view.table(listing).select(row),
            // Of what the table lists nothing was found.
            None => self.find_exchange(way),
        }
    }

    /// Where the selected row stands among those found; `None` where nothing is looked for.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let search = self.view.running_search()?;
        if self.looks_at_exchanges() {
            return self.standing_among_exchanges();
        }
        let listing = self.settings.listing;
        let table = match listing {
            Listing::Messages => &self.view.messages,
            Listing::Frames => &self.view.frames,
        };
        let selected = table.selected;
        if self.view.hides_others {
            // What is listed was found.
            let number = selected.and_then(|row| table.rows.position_of(row)).map(|at| at + 1);
            return Some(Standing { number, of: table.rows.len(), is_http: false });
        }
        let state = search.state();
        let of = match listing {
            Listing::Messages => state.messages_found,
            Listing::Frames => state.frames_found,
        };
        let index = self.store.index();
        let keys = Keys { index: &index, listing };
        let Some(key) = selected.and_then(|row| keys.of_row(row)) else {
            return Some(Standing { number: None, of, is_http: false });
        };
        Some(search.with_marks(|frames, messages| {
            let marks = keys.marks(frames, messages);
            let number = marks.is_marked(key).then(|| marks.count_before(key) + 1);
            Standing { number, of, is_http: false }
        }))
    }
}

/// The first marked row that is listed, beginning beside `from` and going once around.
fn next_listed(
    marks: &Marks,
    from: Option<usize>,
    way: Way,
    listed: impl Fn(usize) -> Option<usize>,
) -> Option<usize> {
    let step = |from: Option<usize>| match (way, from) {
        (Way::Next, Some(from)) => marks.next_from(from + 1).or_else(|| marks.next_from(0)),
        (Way::Next, None) => marks.next_from(0),
        (Way::Previous, Some(from)) => {
            marks.last_before(from).or_else(|| marks.last_before(usize::MAX))
        }
        (Way::Previous, None) => marks.last_before(usize::MAX),
    };
    let mut at = step(from)?;
    for _ in 0..marks.count() {
        if let Some(row) = listed(at) {
            return Some(row);
        }
        at = step(Some(at))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_and_previous_go_around_and_pass_over_what_is_not_listed() {
        let mut marks = Marks::default();
        for row in [3, 70, 200] {
            marks.mark(row);
        }
        let go = |from, way| next_listed(&marks, from, way, |key| (key != 70).then_some(key));
        assert_eq!(go(None, Way::Next), Some(3));
        assert_eq!(go(Some(3), Way::Next), Some(200));
        assert_eq!(go(Some(200), Way::Next), Some(3));
        assert_eq!(go(Some(200), Way::Previous), Some(3));
        assert_eq!(go(Some(3), Way::Previous), Some(200));
        assert_eq!(go(None, Way::Previous), Some(200));
        let nothing = next_listed(&marks, None, Way::Next, |_| None);
        assert_eq!(nothing, None);
    }
}
