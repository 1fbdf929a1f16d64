//! Which rows a table has: the index, the search and what messages say, looked through piece by piece.

use framescope_core::index::{FrameRow, MessageRow};

use crate::App;
use crate::list::{RowFilter, ViewRows};
use crate::settings::Listing;
use crate::store::dissections::Place;

/// Rows that a changed filter looks at in one picture.
const SCAN_BUDGET: usize = 100_000;
/// The same where what they say has to be looked at.
const WORDS_BUDGET: usize = 20_000;

/// What the table of this listing is narrowed to.
pub fn filter(app: &App, listing: Listing) -> RowFilter {
    // Where words count, each row costs a look at its line, which another reading may change.
    let by_words = !app.view.words.is_empty();
    let reading = if by_words { app.store.dissections().kept().revision() } else { 0 };
    app.view.filter(listing, reading)
}

/// Looks through the next rows of the first `until` that `filter`, which is [`filter`]'s, may admit: whether
/// any is left that can be looked at.
pub fn scan(
    app: &App,
    listing: Listing,
    filter: RowFilter,
    until: usize,
    rows: &mut ViewRows,
) -> bool {
    let index = app.store.index();
    let kept = app.store.dissections().kept();
    let words = Some(&app.view.words).filter(|words| !words.is_empty());
    let budget = if words.is_some() { WORDS_BUDGET } else { SCAN_BUDGET };
    let mut update = |until: usize, found: &dyn Fn(usize) -> bool| {
        rows.update(filter, until, budget, |row| {
            let (first, last) = match listing {
                Listing::Messages => match index.messages().get(row) {
                    Some(message) => (message.first_frame as usize, message.last_frame as usize),
                    None => return Some(false),
                },
                Listing::Frames => (row, row),
            };
            let Some(frame) = index.frames().get(first) else { return Some(false) };
            let (connection, direction) = (frame.connection(), frame.direction());
            if !filter.admits(connection, direction, frame.header().opcode) || !found(last) {
                return Some(false);
            }
            let Some(words) = words else { return Some(true) };
            let last = index.frames().get(last)?;
            if !kept.is_read(Place { connection, direction, offset: last.offset() }) {
                return None;
            }
            let place = message_place(frame, listing);
            Some(words.admit(place.and_then(|place| kept.line(place))))
        })
    };
    let Some(search) = app.view.narrowing_search() else { return update(until, &|_| true) };
    let searched = search.state().frames;
    let until = match listing {
        Listing::Frames => until.min(searched),
        Listing::Messages => {
            let done = |row: &MessageRow| (row.last_frame as usize) < searched;
            index.messages()[..until.min(index.messages().len())].partition_point(done)
        }
    };
    search.with_marks(|frames, messages| match listing {
        Listing::Frames => update(until, &|row| frames.is_marked(row)),
        Listing::Messages => update(until, &|row| messages.is_marked(row)),
    })
}

/// Where the data message stands that a row shows; a fragment alone is none.
pub(super) fn message_place(frame: &FrameRow, listing: Listing) -> Option<Place> {
    let header = frame.header();
    let is_it = header.opcode.begins_message() && (listing == Listing::Messages || header.fin);
    let (connection, direction) = (frame.connection(), frame.direction());
    is_it.then(|| Place { connection, direction, offset: frame.offset() })
}
