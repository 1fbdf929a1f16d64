//! Pieces of a body that goes on: chunks (RFC 9112 §7.1), or lines where the media type has them.

use bytes::{Bytes, BytesMut};

use super::SessionId;
use crate::Head;
use crate::http::BodyFraming;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PieceUnit {
    /// One chunk of the chunked coding: what the server wrote at once, as a rule.
    Chunk,
    /// One line, up to its LF.
    Line,
}

impl PieceUnit {
    /// The spelling of the JSON exports: `chunk` or `line`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chunk => "chunk",
            Self::Line => "line",
        }
    }
}

/// One chunk or line of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyPiece {
    /// Its ordinal in the body, from 0.
    pub index: u64,
    /// What it is.
    pub unit: PieceUnit,
    /// Where its first octet stands in the body's content.
    pub offset: u64,
    /// Octets of content; a line's LF counts.
    pub len: u64,
    /// Its content as far as [`crate::session::Limits::body_content`] keeps it, without the LF, or CR
    /// and LF, of a line.
    pub content: Bytes,
    /// The session whose frames are the lines, where it is one of SockJS.
    pub session: Option<SessionId>,
}

impl BodyPiece {
    /// Whether it only shows that the way is open: an empty line.
    pub fn is_beat(&self) -> bool {
        self.unit == PieceUnit::Line && self.len <= 2 && self.content.is_empty()
    }
}

/// Media types whose messages are lines.
const LINE_TYPES: [&str; 7] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json-lines",
    "application/stream+json",
    "application/json-seq",
];

/// The media type of a head in lower case, parameters left out; empty where there is none.
pub(crate) fn media_type(head: &Head) -> String {
    let field = head.field("Content-Type").map(|field| field.value.clone()).unwrap_or_default();
    let media_type = field.split(|octet| *octet == b';').next().unwrap_or_default();
    String::from_utf8_lossy(media_type.trim_ascii()).to_ascii_lowercase()
}

/// Whether the messages of this media type are lines.
pub(super) fn is_line_type(media_type: &str) -> bool {
    LINE_TYPES.contains(&media_type)
}

/// Tells the pieces of one body apart.
#[derive(Debug)]
pub(crate) struct PieceReader {
    unit: PieceUnit,
    keep: usize,
    next: u64,
    offset: u64,
    len: u64,
    content: BytesMut,
}

impl PieceReader {
    /// For an answer's body, where it has pieces that can be told apart whatever the reads were; of each
    /// at most `keep` octets are kept. `has_lines` says that its messages are lines whatever its type.
    pub(crate) fn of(
        head: &Head,
        framing: BodyFraming,
        has_lines: bool,
        keep: usize,
    ) -> Option<Self> {
        let media_type = media_type(head);
        let is_plain = head.field("Content-Encoding").is_none();
        let has_lines = is_plain && (has_lines || is_line_type(&media_type));
        let unit = match framing {
            BodyFraming::Chunked | BodyFraming::UntilClose if has_lines => PieceUnit::Line,
            BodyFraming::Chunked => PieceUnit::Chunk,
            _ => return None,
        };
        let content = BytesMut::new();
        Some(Self { unit, keep, next: 0, offset: 0, len: 0, content })
    }

    /// Takes in content; `ends_chunk` says that it ends one.
    pub(crate) fn take(&mut self, content: &[u8], ends_chunk: bool, out: &mut Vec<BodyPiece>) {
        match self.unit {
            PieceUnit::Chunk => {
                self.add(content);
                if ends_chunk {
                    out.push(self.end());
                }
            }
            PieceUnit::Line => {
                for line in content.split_inclusive(|octet| *octet == b'\n') {
                    self.add(line);
                    if line.ends_with(b"\n") {
                        out.push(self.end());
                    }
                }
            }
        }
    }

    /// The body is over: the line that it left open.
    pub(crate) fn finish(&mut self) -> Option<BodyPiece> {
        (self.len > 0).then(|| self.end())
    }

    fn add(&mut self, content: &[u8]) {
        self.len = self.len.saturating_add(content.len() as u64);
        let room = self.keep.saturating_sub(self.content.len()).min(content.len());
        self.content.extend_from_slice(content.get(..room).unwrap_or_default());
    }

    fn end(&mut self) -> BodyPiece {
        let mut content = self.content.split().freeze();
        if self.unit == PieceUnit::Line && content.ends_with(b"\n") {
            content.truncate(content.len().saturating_sub(1));
            if content.ends_with(b"\r") {
                content.truncate(content.len().saturating_sub(1));
            }
        }
        let (index, offset, len) = (self.next, self.offset, std::mem::take(&mut self.len));
        self.next = self.next.saturating_add(1);
        self.offset = self.offset.saturating_add(len);
        BodyPiece { index, unit: self.unit, offset, len, content, session: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(fields: &str, keep: usize) -> PieceReader {
        let raw = Bytes::from(format!("HTTP/1.1 200 OK\r\n{fields}\r\n"));
        let head = Head::parse_response(raw, 0).unwrap();
        PieceReader::of(&head, BodyFraming::Chunked, false, keep).unwrap()
    }

    fn rows(pieces: &[BodyPiece]) -> Vec<(u64, u64, u64, &[u8])> {
        pieces.iter().map(|p| (p.index, p.offset, p.len, &*p.content)).collect()
    }

    #[test]
    fn chunks_are_kept_up_to_the_limit() {
        let (mut reader, mut out) = (reader("", 4), Vec::new());
        reader.take(b"Hel", false, &mut out);
        reader.take(b"lo", true, &mut out);
        reader.take(b"x\n", true, &mut out);
        assert_eq!(rows(&out), [(0, 0, 5, &b"Hell"[..]), (1, 5, 2, b"x\n")]);
        assert_eq!(reader.finish(), None);
    }

    #[test]
    fn lines_do_not_care_for_chunks() {
        let mut reader = reader("Content-Type: Application/x-ndjson; charset=utf-8\r\n", 9);
        let mut out = Vec::new();
        reader.take(b"{\"a\"", true, &mut out);
        reader.take(b":1}\r\n\n{}", false, &mut out);
        out.extend(reader.finish());
        let expected = [(0, 0, 9, &b"{\"a\":1}"[..]), (1, 9, 1, b""), (2, 10, 2, b"{}")];
        assert_eq!(rows(&out), expected);
        assert_eq!(out.iter().map(BodyPiece::is_beat).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn only_bodies_that_can_go_on_have_pieces() {
        let head = |fields: &str| {
            let raw = Bytes::from(format!("HTTP/1.1 200 OK\r\n{fields}\r\n"));
            Head::parse_response(raw, 0).unwrap()
        };
        let (ndjson, other) = (head("Content-Type: application/x-ndjson\r\n"), head(""));
        let unit = |head: &Head, framing, lines| {
            PieceReader::of(head, framing, lines, 9).map(|reader| reader.unit)
        };
        assert_eq!(unit(&ndjson, BodyFraming::UntilClose, false), Some(PieceUnit::Line));
        assert_eq!(unit(&other, BodyFraming::UntilClose, false), None);
        assert_eq!(unit(&other, BodyFraming::UntilClose, true), Some(PieceUnit::Line));
        assert_eq!(unit(&other, BodyFraming::Length(9), true), None);
        let gzip = head("Content-Type: application/x-ndjson\r\nContent-Encoding: gzip\r\n");
        assert_eq!(unit(&gzip, BodyFraming::Chunked, false), Some(PieceUnit::Chunk));
    }
}
