//! What one row holds, read from the capture once more: the list keeps the beginning of it alone.

use std::io;
use std::time::Duration;

use framescope_core::capture::CaptureItem;
use framescope_core::index::{ExchangePart, ExchangeRows, Placed};
use framescope_core::session::{Inspector, Limits, Shared as Common};
use framescope_core::transport::TransportEvent;
use framescope_core::{ConnectionId, Direction, Event, EventKind};

use super::{Content, LIMITS, MAX_OCTETS};
use crate::store::Shared;

/// Of a body that is written to a file, so much is kept.
const WHOLE: Limits = Limits { body_content: MAX_OCTETS, ..LIMITS };

/// What one row holds, found among the events of its connection; of all other rows nothing is kept.
#[derive(Debug)]
pub(super) struct Wanted {
    row: usize,
    direction: Direction,
    numbers: ExchangeRows,
    found: Option<Content>,
}

impl Wanted {
    pub(super) fn new(row: usize, direction: Direction) -> Self {
        Self { row, direction, numbers: ExchangeRows::default(), found: None }
    }

    pub(super) fn take(&mut self, event: Event) {
        let Some(Placed { row, part, .. }) = self.numbers.place(&event.kind) else { return };
        if row != self.row || self.found.is_some() {
            return;
        }
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        self.found = match (event.kind, part) {
            (_, ExchangePart::Request { is_whole }) => {
                (is_whole && self.direction == up).then(Content::default)
            }
            (_, ExchangePart::Response { is_whole }) => {
                (is_whole && self.direction == down).then(Content::default)
            }
            (
                EventKind::BodyCompleted { content_len, content, .. },
                ExchangePart::Body(direction),
            ) => (direction == self.direction)
                .then_some(Content { octets: content, len: content_len }),
            (EventKind::ServerSentEvent(event), _) => Content::of_event(&event),
            (EventKind::TransportSeen(TransportEvent::PieceReceived(piece)), _) => {
                Some(Content::of_piece(&piece))
            }
            _ => None,
        };
    }

    /// What was found, once it was. An error where none of its octets are there, so that no file is
    /// replaced by nothing.
    pub(super) fn found(&mut self) -> io::Result<Option<Content>> {
        match self.found.take() {
            Some(content) if content.octets.is_empty() && !content.is_whole() => {
                Err(io::Error::other("none of its octets are kept"))
            }
            found => Ok(found),
        }
    }
}

/// Reads the capture once more, as far as it is written, for what a row holds, see [`super::Row::content`]: 64 MiB
/// of it at most.
pub(in crate::store) fn read_content(
    shared: &Shared,
    (connection, row, direction): (ConnectionId, usize, Direction),
) -> io::Result<Content> {
    let source = &shared.source;
    let mut tail = source.follow()?;
    let end = source.wait_beyond(0, Duration::ZERO);
    let (mut inspector, mut common) = (Inspector::new(connection, WHOLE), Common::default());
    let mut wanted = Wanted::new(row, direction);
    let mut goes_on = true;
    while goes_on {
        goes_on = tail.offset() < end && tail.read_more()?;
        if !goes_on && source.is_file() {
            tail.finish();
        }
        while let Some(item) = tail.poll() {
            let CaptureItem::Record { record, .. } = item else { continue };
            if record.connection() != connection {
                continue;
            }
            inspector.receive(&record, &mut common, &mut |event| wanted.take(event));
            if let Some(content) = wanted.found()? {
                return Ok(content);
            }
        }
    }
    Err(io::Error::other("its end is not in the capture"))
}
