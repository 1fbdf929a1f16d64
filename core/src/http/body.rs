//! HTTP/1.1 message bodies (RFC 9112 §6, §7): how long they are, and where they end.

mod framing;

pub use framing::{AnswerTo, BodyFraming};

/// Part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyPart<'a> {
    /// Octets of content, chunk framing taken off, never empty.
    Content(&'a [u8]),
    /// The body is whole (trailers included).
    End,
    /// The chunk framing is broken: one line that says how. The octet that breaks it is left in the
    /// input.
    Invalid(String),
}

/// Walks through one body; resumable at every octet, never buffers content.
///
/// ```text
///                          ┌───────────────────── data ends ◄──┐
///                          ▼                                   │
///  chunked ──► size ──► extension ──► (size > 0) ──► data ──► data ──► …
///                          └────────► (size = 0) ──► trailer lines ──► empty line ──► End
///  length ───► data ──► End            until close ──► data ──► …
/// ```
#[derive(Debug, Clone)]
pub struct BodyDecoder {
    state: State,
    wire_len: u64,
    content_len: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// `Content-Length`: so many octets are missing.
    Fixed {
        missing: u64,
    },
    UntilClose,
    /// In a chunk's size; `has_digits` once there is one.
    ChunkSize {
        size: u64,
        has_digits: bool,
    },
    /// Behind the size: white space and extensions, up to the line's end.
    ChunkExtension {
        size: u64,
    },
    ChunkData {
        missing: u64,
    },
    /// Behind a chunk's data: CRLF is due.
    ChunkEnd {
        seen_cr: bool,
    },
    /// In the trailer section; `line` is what the current line holds.
    Trailer {
        line: TrailerLine,
    },
    Done,
}

#[derive(Debug, Clone, Copy)]
enum TrailerLine {
    Nothing,
    Cr,
    Text,
}

/// What a step of the chunk framing led to.
enum Step {
    /// Into this state; the octet is taken.
    Take(State),
    /// Nowhere; the octet stays.
    Refuse(&'static str),
}

impl BodyDecoder {
    /// Stands at the first octet after the head.
    pub fn new(framing: BodyFraming) -> Self {
        let state = match framing {
            BodyFraming::Empty => State::Fixed { missing: 0 },
            BodyFraming::Length(missing) => State::Fixed { missing },
            BodyFraming::Chunked => State::ChunkSize { size: 0, has_digits: false },
            BodyFraming::UntilClose => State::UntilClose,
        };
        Self { state, wire_len: 0, content_len: 0 }
    }

    /// Takes octets from the front of `input`: the next part, or `None` when `input` is used up.
    /// After [`BodyPart::End`] or [`BodyPart::Invalid`] it says `None`; what is left in `input` then
    /// belongs to the next message.
    pub fn next_part<'a>(&mut self, input: &mut &'a [u8]) -> Option<BodyPart<'a>> {
        loop {
            match self.state {
                State::Done => return None,
                State::Fixed { missing: 0 } => {
                    self.state = State::Done;
                    return Some(BodyPart::End);
                }
                State::Fixed { missing } => {
                    let octets = self.content(input, missing)?;
                    let missing = missing.saturating_sub(octets.len() as u64);
                    self.state = State::Fixed { missing };
                    return Some(BodyPart::Content(octets));
                }
                State::UntilClose => {
                    return self.content(input, u64::MAX).map(BodyPart::Content);
                }
                State::ChunkData { missing } => {
                    let octets = self.content(input, missing)?;
                    self.state = match missing.saturating_sub(octets.len() as u64) {
                        0 => State::ChunkEnd { seen_cr: false },
                        missing => State::ChunkData { missing },
                    };
                    return Some(BodyPart::Content(octets));
                }
                framing => {
                    let (&octet, rest) = input.split_first()?;
                    match framing.step(octet) {
                        Step::Take(state) => {
                            self.state = state;
                            self.wire_len = self.wire_len.saturating_add(1);
                            *input = rest;
                            if let State::Done = state {
                                return Some(BodyPart::End);
                            }
                        }
                        Step::Refuse(why) => {
                            self.state = State::Done;
                            return Some(BodyPart::Invalid(format!(
                                "{why}: octet 0x{octet:02X} at octet {} of the body",
                                self.wire_len
                            )));
                        }
                    }
                }
            }
        }
    }

    /// Octets taken in so far, chunk framing included.
    pub fn wire_len(&self) -> u64 {
        self.wire_len
    }

    /// Whether the content taken last ends a chunk.
    pub fn is_at_chunk_end(&self) -> bool {
        matches!(self.state, State::ChunkEnd { seen_cr: false })
    }

    /// Octets of content so far.
    pub fn content_len(&self) -> u64 {
        self.content_len
    }

    /// Takes at most `most` octets; `None` where there are none.
    fn content<'a>(&mut self, input: &mut &'a [u8], most: u64) -> Option<&'a [u8]> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (octets, rest) = input.split_at(most.min(input.len()));
        *input = rest;
        self.wire_len = self.wire_len.saturating_add(octets.len() as u64);
        self.content_len = self.content_len.saturating_add(octets.len() as u64);
        if octets.is_empty() { None } else { Some(octets) }
    }
}

impl State {
    /// One octet of the chunk framing (RFC 9112 §7.1). LF alone ends a line as CRLF does.
    fn step(self, octet: u8) -> Step {
        Step::Take(match (self, octet) {
            (Self::ChunkSize { size, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(octet).to_digit(16).unwrap_or_default();
                match size.checked_mul(16) {
                    Some(size) => {
                        Self::ChunkSize { size: size | u64::from(digit), has_digits: true }
                    }
                    None => return Step::Refuse("a chunk size beyond 64 bits"),
                }
            }
            (Self::ChunkSize { has_digits: false, .. }, _) => {
                return Step::Refuse("a chunk size does not begin with a hex digit");
            }
            (Self::ChunkSize { size, .. } | Self::ChunkExtension { size }, b'\n') => match size {
                0 => Self::Trailer { line: TrailerLine::Nothing },
                missing => Self::ChunkData { missing },
            },
            (Self::ChunkSize { size, .. }, b';' | b' ' | b'\t' | b'\r') => {
                Self::ChunkExtension { size }
            }
            (Self::ChunkSize { .. }, _) => {
                return Step::Refuse("a chunk size has an octet that is no hex digit");
            }
            (Self::ChunkExtension { size }, _) => Self::ChunkExtension { size },
            (Self::ChunkEnd { seen_cr: false }, b'\r') => Self::ChunkEnd { seen_cr: true },
            (Self::ChunkEnd { .. }, b'\n') => Self::ChunkSize { size: 0, has_digits: false },
            (Self::ChunkEnd { .. }, _) => {
                return Step::Refuse("a chunk's data does not end with CRLF");
            }
            (Self::Trailer { line: TrailerLine::Text }, b'\n') => {
                Self::Trailer { line: TrailerLine::Nothing }
            }
            (Self::Trailer { .. }, b'\n') => Self::Done,
            (Self::Trailer { line: TrailerLine::Nothing }, b'\r') => {
                Self::Trailer { line: TrailerLine::Cr }
            }
            (Self::Trailer { .. }, _) => Self::Trailer { line: TrailerLine::Text },
            (other, _) => other,
        })
    }
}

#[cfg(test)]
mod tests;
