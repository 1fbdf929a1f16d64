//! HTTP exchanges while a search walks past them: heads, bodies, events and pieces of answers.

use super::Pattern;
use super::found::Hits;
use crate::http::ServerSentEvent;
use crate::index::{ExchangePart, ExchangeRows};
use crate::payload::unpack_beginning;
use crate::{ConnectionId, EventKind, TransportEvent};

/// Octets that come out of one compressed body, at most: as many as a view of it shows …
const MOST_UNPACKED: usize = crate::payload::Limits::VIEW.unpacked;
/// … and of a small one so many, and so many for each of its own: however many bodies a peer sends, a search
/// does no more than in proportion to their octets.
const LEAST_UNPACKED: usize = 64 << 10;
const UNPACKED_EACH: usize = 256;

/// The exchanges of one connection.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    rows: ExchangeRows,
    /// `Content-Encoding` of the latest head, by [`Direction::index`].
    codings: [Option<String>; 2],
}

impl Exchanges {
    /// Takes in the next event of the connection: marks the row that it is about, where what it tells
    /// holds the pattern.
    pub(super) fn look(
        &mut self,
        connection: ConnectionId,
        kind: &EventKind,
        pattern: &Pattern,
        hits: &mut Hits,
    ) {
        let Some(placed) = self.rows.place(kind) else { return };
        let holds = match kind {
            EventKind::HeadReceived { direction, head, .. } => {
                let coding = head.value("Content-Encoding").map(std::borrow::Cow::into_owned);
                self.codings[direction.index()] = coding;
                pattern.is_in(&head.raw)
            }
            EventKind::BodyCompleted { direction, content, .. } => {
                pattern.is_in_body(content, self.codings[direction.index()].as_deref())
            }
            EventKind::ServerSentEvent(event) => is_in_event(event, pattern),
            EventKind::TransportSeen(TransportEvent::PieceReceived(piece)) => {
                pattern.is_in(&piece.content)
            }
            _ => false,
        };
        debug_assert!(placed.row == placed.exchange || placed.part == ExchangePart::Piece);
        if holds {
            hits.add_exchange((connection, placed.row));
        }
    }
}

impl Pattern {
    /// Whether it is in a body, as it is or without its content coding.
    pub fn is_in_body(&self, content: &[u8], coding: Option<&str>) -> bool {
        let earned = content.len().saturating_mul(UNPACKED_EACH).saturating_add(LEAST_UNPACKED);
        let inside = |coding| unpack_beginning(coding, content, earned.min(MOST_UNPACKED));
        self.is_in(content) || coding.and_then(inside).is_some_and(|inside| self.is_in(&inside))
    }
}

/// Whether a field of this event holds it.
fn is_in_event(event: &ServerSentEvent, pattern: &Pattern) -> bool {
    let ServerSentEvent { event: name, data, id, retry, comment, .. } = event;
    let retry = retry.map(|millis| millis.to_string());
    let fields = [name, data, id, comment, &retry];
    fields.into_iter().flatten().any(|field| pattern.is_in(field.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_small_body_that_unpacks_to_much_is_searched_in_proportion_to_its_own_octets() {
        let pattern = Pattern::parse("needle").unwrap();
        let is_found_behind = |len: usize| {
            let mut body = GzEncoder::new(Vec::new(), Compression::best());
            body.write_all(&vec![b' '; len]).unwrap();
            body.write_all(b"needle").unwrap();
            pattern.is_in_body(&body.finish().unwrap(), Some("gzip"))
        };
        assert!(is_found_behind(10 << 10) && is_found_behind(60 << 10));
        assert!(!is_found_behind(8 << 20), "less than nine KiB unpack to it");
    }
}
