//! One lane while it speaks HTTP/1.1: heads and bodies, one after the other.
//!
//! ```text
//!  ┌──────┐ head whole   ┌──────────────────┐ the inspector says what follows
//!  │ head │ ───────────► │ between: waiting │ ─► body ─► head …
//!  └──────┘              │ for a word       │ ─► frames (another lane type)
//!                        └──────────────────┘
//! ```

use bytes::{Bytes, BytesMut};

use crate::diagnostics::{Rule, rules};
use crate::http::head::HeadError;
use crate::http::{
    BodyDecoder, BodyFraming, BodyPart, EventStreamReader, HeadReader, ServerSentEvent,
};
use crate::transport::{BodyPiece, PieceReader};

/// Follows one lane's HTTP messages.
#[derive(Debug)]
pub struct HttpLane {
    stage: Stage,
    offset: u64,
    head_offset: u64,
    head_limit: usize,
}

#[derive(Debug)]
enum Stage {
    Head(HeadReader),
    /// A head is whole; what follows it is not decided yet.
    Between,
    Body(Box<Body>),
    Lost,
}

#[derive(Debug)]
struct Body {
    decoder: BodyDecoder,
    framing: BodyFraming,
    /// Content so far, up to `keep` octets.
    content: BytesMut,
    keep: usize,
    reading: Reading,
    has_begun: bool,
}

/// What is read in a body while it comes.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Nothing: it is a whole.
    Whole,
    /// A stream of events.
    Events(EventStreamReader),
    /// Chunks or lines.
    Pieces(PieceReader),
}

impl Body {
    /// Takes in content of this body: what that completes, if anything.
    fn take_in(&mut self, mut content: &[u8]) -> Option<HttpPart> {
        let room = self.keep.saturating_sub(self.content.len()).min(content.len());
        self.content.extend_from_slice(content.get(..room).unwrap_or_default());
        let begins = !std::mem::replace(&mut self.has_begun, true);
        let (mut events, mut pieces) = (Vec::new(), Vec::new());
        match &mut self.reading {
            Reading::Whole => {}
            Reading::Events(reader) => {
                while let Some(event) = reader.next_event(&mut content) {
                    events.push(event);
                }
            }
            Reading::Pieces(reader) => {
                reader.take(content, self.decoder.is_at_chunk_end(), &mut pieces);
            }
        }
        let is_news = begins || !events.is_empty() || !pieces.is_empty();
        is_news.then_some(HttpPart::Content { begins, events, pieces })
    }

    fn end(&mut self) -> HttpPart {
        HttpPart::BodyEnd {
            wire_len: self.decoder.wire_len(),
            content_len: self.decoder.content_len(),
            content: self.content.split().freeze(),
            piece: match &mut self.reading {
                Reading::Pieces(reader) => reader.finish(),
                Reading::Whole | Reading::Events(_) => None,
            },
        }
    }
}

/// What an HTTP lane found.
#[derive(Debug)]
pub enum HttpPart {
    /// A head is whole. Say with [`HttpLane::expect_body`] or [`HttpLane::expect_head`] what follows.
    Head {
        /// Its octets.
        raw: Bytes,
        /// Lane offset of the first of them.
        offset: u64,
    },
    /// A body is whole.
    BodyEnd {
        /// Octets on the wire.
        wire_len: u64,
        /// Octets of content.
        content_len: u64,
        /// The content, as much of it as is kept.
        content: Bytes,
        /// The line that the body left open, where it has lines.
        piece: Option<BodyPiece>,
    },
    /// Content of a body came.
    Content {
        /// It is the first.
        begins: bool,
        /// Blocks of a stream of events that became whole.
        events: Vec<ServerSentEvent>,
        /// Chunks or lines that became whole.
        pieces: Vec<BodyPiece>,
    },
    /// The lane cannot be followed any further.
    Lost {
        /// Lane offset of the first octet that is not understood.
        offset: u64,
        /// The rule that was broken.
        rule: &'static Rule,
        /// One line that says why.
        reason: String,
    },
}

impl HttpLane {
    /// Before the first octet of a connection.
    pub fn new(head_limit: usize) -> Self {
        Self { stage: Stage::Head(HeadReader::default()), offset: 0, head_offset: 0, head_limit }
    }

    /// Takes octets from the front of `input`: the next part, or `None` when it is used up or the
    /// lane waits for a word.
    pub fn next_part(&mut self, input: &mut &[u8]) -> Option<HttpPart> {
        let before = input.len();
        let part = self.step(input);
        self.offset = self.offset.saturating_add(before.saturating_sub(input.len()) as u64);
        if let Some(HttpPart::Head { .. }) = part {
            self.stage = Stage::Between;
        }
        part
    }

    fn step(&mut self, input: &mut &[u8]) -> Option<HttpPart> {
        let before = input.len();
        match &mut self.stage {
            Stage::Head(reader) => match reader.take(input, self.head_limit) {
                Ok(None) => None,
                Ok(Some(raw)) => Some(HttpPart::Head { raw, offset: self.head_offset }),
                Err(fault) => Some(self.lose_head(&fault, input)),
            },
            Stage::Body(body) => loop {
                match body.decoder.next_part(input)? {
                    BodyPart::Content(content) => {
                        if let Some(part) = body.take_in(content) {
                            return Some(part);
                        }
                    }
                    BodyPart::End => {
                        let end = body.end();
                        self.stage = Stage::Between;
                        return Some(end);
                    }
                    BodyPart::Invalid(reason) => {
                        let taken = before.saturating_sub(input.len()) as u64;
                        let offset = self.offset.saturating_add(taken);
                        self.stage = Stage::Lost;
                        *input = &[];
                        let rule = &rules::HTTP_BODY_INVALID;
                        return Some(HttpPart::Lost { offset, rule, reason });
                    }
                }
            },
            Stage::Between => None,
            Stage::Lost => {
                *input = &[];
                None
            }
        }
    }

    fn lose_head(&mut self, fault: &HeadError, input: &mut &[u8]) -> HttpPart {
        self.stage = Stage::Lost;
        *input = &[];
        let rule = &rules::HTTP_HEAD_INVALID;
        HttpPart::Lost { offset: self.head_offset, rule, reason: fault.to_string() }
    }

    /// A body follows, of which `keep` octets are kept; `reading` reads it while it comes.
    pub(crate) fn expect_body(&mut self, framing: BodyFraming, keep: usize, reading: Reading) {
        let decoder = BodyDecoder::new(framing);
        let content = BytesMut::new();
        let body = Body { decoder, framing, content, keep, reading, has_begun: false };
        self.stage = Stage::Body(Box::new(body));
    }

    /// The next head follows at once.
    pub fn expect_head(&mut self) {
        self.head_offset = self.offset;
        self.stage = Stage::Head(HeadReader::default());
    }

    /// From here on octets are only counted.
    pub fn lose(&mut self) {
        self.stage = Stage::Lost;
    }

    /// Whether a head is whole and nobody has said what follows it.
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Between)
    }

    /// Whether a body is being read.
    pub fn is_in_body(&self) -> bool {
        matches!(self.stage, Stage::Body(_))
    }

    /// Lane offset of the next octet.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the next octet would be the first of a head.
    pub fn is_before_head(&self) -> bool {
        matches!(&self.stage, Stage::Head(reader) if reader.gathered().is_empty())
    }

    /// No more octets come: the end of a body that lasts until then, or a message cut short.
    pub fn finish(&mut self) -> Option<HttpPart> {
        match std::mem::replace(&mut self.stage, Stage::Lost) {
            Stage::Body(mut body) if body.framing == BodyFraming::UntilClose => Some(body.end()),
            Stage::Body(body) => {
                let wire_len = body.decoder.wire_len();
                let reason = format!("the sender closed after {wire_len} octets of a longer body");
                Some(HttpPart::Lost { offset: self.offset, rule: &rules::HTTP_MESSAGE_CUT, reason })
            }
            Stage::Head(reader) if !reader.gathered().is_empty() => {
                let seen = reader.gathered().len();
                let reason = format!("the sender closed after {seen} octets of a head");
                let rule = &rules::HTTP_MESSAGE_CUT;
                Some(HttpPart::Lost { offset: self.head_offset, rule, reason })
            }
            Stage::Head(_) | Stage::Between | Stage::Lost => None,
        }
    }
}
