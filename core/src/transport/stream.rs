//! When an answer whose body comes in pieces is a stream that goes on, and not a page or a download.

use std::time::Duration;

use super::piece::{is_line_type, media_type};
use super::{BodyPiece, Evidence};
use crate::{Head, Timestamp};

/// Pieces that are held until the stream is known as one; of more only the last.
const MAX_HELD: usize = 32;
/// Octets of pieces that are held, whatever is kept of their content: which pieces are told does not depend
/// on that.
const MAX_HELD_OCTETS: u64 = 256 << 10;
/// Time without a piece that shows that the server had nothing to say.
const PAUSE: Duration = Duration::from_millis(150);

/// Media types of streams that have no end by their nature; a single pause shows that one is live.
const STREAM_TYPES: [&str; 2] = ["multipart/x-mixed-replace", "application/x-protobuf-stream"];

/// What is needed before an answer of a type is told to be a stream.
#[derive(Debug, Clone, Copy)]
struct Need {
    pauses: u32,
    lasted: Duration,
}

/// Watches the pieces of one answer.
#[derive(Debug)]
pub(super) struct StreamWatch {
    media_type: String,
    evidence: Evidence,
    need: Option<Need>,
    answered_at: Timestamp,
    last_at: Timestamp,
    pauses: u32,
    pieces: u64,
    octets: u64,
    is_told: bool,
    held: Vec<(Timestamp, BodyPiece)>,
    held_octets: u64,
}

impl StreamWatch {
    /// Of an answer whose head was whole at `at`.
    pub(super) fn new(head: &Head, at: Timestamp) -> Self {
        let media_type = media_type(head);
        let is_stream = is_line_type(&media_type) || STREAM_TYPES.contains(&&*media_type);
        let evidence = if is_stream { Evidence::Protocol } else { Evidence::Timing };
        let need = need(&media_type, head);
        Self {
            media_type,
            evidence,
            need,
            answered_at: at,
            last_at: at,
            pauses: 0,
            pieces: 0,
            octets: 0,
            is_told: false,
            held: Vec::new(),
            held_octets: 0,
        }
    }

    /// A session's protocol says that it is one.
    pub(super) fn state(&mut self) {
        self.evidence = Evidence::Protocol;
        self.need = Some(Need { pauses: 0, lasted: Duration::ZERO });
    }

    /// A piece is whole. Says the reason where this one shows that it is a stream.
    pub(super) fn saw(&mut self, at: Timestamp, piece: BodyPiece) -> Option<(Evidence, String)> {
        if at.since(self.last_at) >= PAUSE {
            self.pauses = self.pauses.saturating_add(1);
        }
        self.last_at = at;
        self.pieces = self.pieces.saturating_add(1);
        self.octets = self.octets.saturating_add(piece.len);
        self.hold(at, piece);
        let need = self.need?;
        let lasted = at.since(self.answered_at);
        if self.is_told || self.pauses < need.pauses || lasted < need.lasted {
            return None;
        }
        self.is_told = true;
        Some((self.evidence, self.reason(lasted)))
    }

    /// Whether it is told to be a stream.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// How many pieces there were.
    pub(super) fn pieces(&self) -> u64 {
        self.pieces
    }

    /// The pieces that may be told, once it is told to be a stream.
    pub(super) fn take_held(&mut self) -> Vec<(Timestamp, BodyPiece)> {
        if !self.is_told {
            return Vec::new();
        }
        self.held_octets = 0;
        std::mem::take(&mut self.held)
    }

    /// What comes once it is told is taken with the read that brought it: there is as much as was read.
    fn hold(&mut self, at: Timestamp, piece: BodyPiece) {
        if self.need.is_none() {
            return;
        }
        self.held_octets = self.held_octets.saturating_add(piece.len);
        self.held.push((at, piece));
        let is_full =
            |watch: &Self| watch.held.len() > MAX_HELD || watch.held_octets > MAX_HELD_OCTETS;
        while !self.is_told && is_full(self) && self.held.len() > 1 {
            let (_, first) = self.held.remove(0);
            self.held_octets = self.held_octets.saturating_sub(first.len);
        }
    }

    fn reason(&self, lasted: Duration) -> String {
        let pieces = crate::present::counted(self.pieces, "piece", "pieces");
        let came = format!("{pieces} within {}", crate::present::span(lasted));
        let paused = crate::present::counted(self.pauses.into(), "pause", "pauses");
        if self.evidence == Evidence::Protocol && !self.media_type.is_empty() {
            return format!("Content-Type: {}, and the body goes on: {came}", self.media_type);
        }
        format!(
            "the body goes on: {came}, with {paused} of {} or more",
            crate::present::span(PAUSE)
        )
    }
}

/// What shows that an answer of this type is a stream; `None` for what nothing shows.
fn need(media_type: &str, head: &Head) -> Option<Need> {
    let status = head.status().unwrap_or_default();
    let is_download = head
        .value("Content-Disposition")
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("attachment"));
    if !(200..300).contains(&status) || status == 206 || is_download {
        return None;
    }
    if is_line_type(media_type) || STREAM_TYPES.contains(&media_type) {
        return Some(Need { pauses: 1, lasted: Duration::from_millis(300) });
    }
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    match (kind, media_type) {
        // Pages may be written bit by bit while they are made; a few go on for ever.
        (_, "text/html" | "application/xhtml+xml") => {
            Some(Need { pauses: 10, lasted: Duration::from_secs(30) })
        }
        ("image" | "audio" | "video" | "font" | "model", _)
        | (
            _,
            "text/css"
            | "text/javascript"
            | "application/javascript"
            | "application/octet-stream"
            | "application/zip"
            | "application/gzip"
            | "application/pdf"
            | "application/wasm"
            | "application/x-tar"
            | "application/x-javascript",
        ) => None,
        _ => Some(Need { pauses: 3, lasted: Duration::from_secs(1) }),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transport::PieceUnit;

    fn millis(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    /// Of an answer at 0 ms.
    fn watch(fields: &str) -> StreamWatch {
        let raw = Bytes::from(format!("HTTP/1.1 200 OK\r\n{fields}\r\n"));
        StreamWatch::new(&Head::parse_response(raw, 0).unwrap(), millis(0))
    }

    fn piece(index: u64, len: u64, content: Bytes) -> BodyPiece {
        let unit = PieceUnit::Chunk;
        BodyPiece { index, unit, offset: index * len, len, content, session: None }
    }

    /// After how many pieces that come every so many milliseconds it is told, and how many are held.
    fn told_after(fields: &str, every: u64, pieces: u64) -> Option<(u64, usize)> {
        let mut watch = watch(fields);
        for index in 0..pieces {
            let piece = piece(index, 1, Bytes::new());
            if watch.saw(millis(every * (index + 1)), piece).is_some() {
                return Some((index + 1, watch.take_held().len()));
            }
        }
        None
    }

    #[test]
    fn a_stream_has_pauses_and_lasts() {
        let rows = [
            ("Content-Type: application/x-ndjson\r\n", 400, 9, Some((1, 1))),
            ("Content-Type: application/x-ndjson\r\n", 1, 900, None),
            ("Content-Type: application/json\r\n", 400, 9, Some((3, 3))),
            ("Content-Type: text/plain\r\n", 200, 9, Some((5, 5))),
            ("", 10_000, 3, Some((3, 3))),
            // Busy, but never without something to say: a download.
            ("Content-Type: application/json\r\n", 100, 900, None),
            ("Content-Type: text/html\r\n", 200, 20, None),
            ("Content-Type: text/html\r\n", 1000, 60, Some((30, 30))),
            ("Content-Type: text/html\r\n", 500, 100, Some((60, 32))),
            ("Content-Type: image/png\r\n", 1000, 60, None),
            ("Content-Disposition: attachment; filename=a\r\n", 1000, 60, None),
        ];
        for (fields, every, pieces, expected) in rows {
            assert_eq!(told_after(fields, every, pieces), expected, "{fields}{every}");
        }
    }

    #[test]
    fn what_is_held_does_not_depend_on_what_is_kept_of_a_piece() {
        let octets = Bytes::from(vec![b'x'; 64 << 10]);
        for kept in [0, 9, octets.len()] {
            let mut watch = watch("Content-Type: application/json\r\n");
            for index in 0..20 {
                let piece = piece(index, octets.len() as u64, octets.slice(..kept));
                assert!(watch.saw(millis(1 + index), piece).is_none());
            }
            for (index, told) in [(20, false), (21, false), (22, true)] {
                let piece = piece(index, 1, octets.slice(..kept.min(1)));
                assert_eq!(watch.saw(millis(400 * (index - 19)), piece).is_some(), told, "{index}");
            }
            let held = watch.take_held();
            let told: Vec<u64> = held.iter().map(|(_, piece)| piece.index).collect();
            assert_eq!(told, [17, 18, 19, 20, 21, 22], "{kept} octets kept of each");
        }
    }

    #[test]
    fn what_comes_once_it_is_told_is_not_bounded() {
        let mut watch = watch("Content-Type: application/x-ndjson\r\n");
        let told = (0..100).filter(|index| {
            watch.saw(millis(400), piece(*index, 64 << 10, Bytes::new())).is_some()
        });
        assert_eq!(told.collect::<Vec<_>>(), [0]);
        assert_eq!(watch.take_held().len(), 100);
    }
}
