//! HTTP/1.1 message bodies (RFC 9112 §6, §7): how long they are, and where they end.

use crate::http::Head;

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFraming {
    /// There is none.
    Empty,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Until the sender closes. Also where the head contradicts itself, so that nobody can tell
    /// where the body ends: what follows is then shown as content, never taken for a message.
    UntilClose,
}

impl BodyFraming {
    /// The body of this request (RFC 9112 §6.3).
    pub fn of_request(head: &Head) -> Self {
        // "If this is a request message and none of the above are true, then the message body
        // length is zero" (no. 7).
        Self::told(head).unwrap_or(Self::Empty)
    }

    /// The body of this response to a request with `method` (RFC 9112 §6.3: HEAD, 1xx, 204, 304,
    /// CONNECT).
    pub fn of_response(head: &Head, method: Option<&str>) -> Self {
        match (method, head.status()) {
            // Whatever the fields say (no. 1); after a 101 and a tunnel's 2xx (no. 2) the octets are
            // of another protocol.
            (Some("HEAD"), _)
            | (_, Some(100..=199 | 204 | 304))
            | (Some("CONNECT"), Some(200..=299)) => Self::Empty,
            _ => Self::told(head).unwrap_or(Self::UntilClose),
        }
    }

    /// What `Transfer-Encoding` and `Content-Length` say; `None` where neither is there.
    fn told(head: &Head) -> Option<Self> {
        // "If a message is received with both a Transfer-Encoding and a Content-Length header field,
        // the Transfer-Encoding overrides the Content-Length" (no. 3). `identity` is RFC 2616's word
        // for no coding.
        let mut codings = head.tokens("Transfer-Encoding");
        codings.retain(|coding| !coding.eq_ignore_ascii_case("identity"));
        if let Some(last) = codings.last() {
            let is_chunked = last.eq_ignore_ascii_case("chunked");
            return Some(if is_chunked { Self::Chunked } else { Self::UntilClose });
        }
        Self::content_length(head)
    }

    /// "[…] all values in the list are identical […] or the values are invalid" (no. 5).
    fn content_length(head: &Head) -> Option<Self> {
        let mut agreed = None;
        for element in head.values("Content-Length").flat_map(|value| value.split(|o| *o == b',')) {
            let Some(length) = decimal(element.trim_ascii()) else { return Some(Self::UntilClose) };
            if *agreed.get_or_insert(length) != length {
                return Some(Self::UntilClose);
            }
        }
        agreed.map(Self::Length)
    }
}

/// `1*DIGIT` that fits 64 bits.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, octet| {
        let digit = char::from(*octet).to_digit(10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

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
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn request(fields: &str) -> BodyFraming {
        let raw = Bytes::from(format!("POST / HTTP/1.1\r\n{fields}\r\n"));
        BodyFraming::of_request(&Head::parse_request(raw, 0).unwrap())
    }

    fn response(status: u16, method: &str, fields: &str) -> BodyFraming {
        let raw = Bytes::from(format!("HTTP/1.1 {status} X\r\n{fields}\r\n"));
        BodyFraming::of_response(&Head::parse_response(raw, 0).unwrap(), Some(method))
    }

    #[test]
    fn the_fields_tell_how_a_body_is_delimited() {
        use BodyFraming::{Chunked, Length, UntilClose};
        // Fields, and the framing where they are in a message; `None`: they say nothing.
        let rows = [
            ("", None),
            ("Content-Length: 0\r\n", Some(Length(0))),
            ("Content-Length: 42\r\n", Some(Length(42))),
            ("Content-Length: 42, 42\r\ncontent-length: 42\r\n", Some(Length(42))),
            ("Content-Length: 042\r\n", Some(Length(42))),
            ("Content-Length: 18446744073709551615\r\n", Some(Length(u64::MAX))),
            ("Content-Length: 18446744073709551616\r\n", Some(UntilClose)),
            ("Content-Length: 42\r\nContent-Length: 43\r\n", Some(UntilClose)),
            ("Content-Length: +42\r\n", Some(UntilClose)),
            ("Content-Length: \r\n", Some(UntilClose)),
            ("Content-Length: 4 2\r\n", Some(UntilClose)),
            ("Transfer-Encoding: chunked\r\n", Some(Chunked)),
            ("Transfer-Encoding: gzip, Chunked\r\n", Some(Chunked)),
            ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Some(Chunked)),
            ("Transfer-Encoding: chunked\r\nContent-Length: 7\r\n", Some(Chunked)),
            ("Transfer-Encoding: chunked, gzip\r\n", Some(UntilClose)),
            ("Transfer-Encoding: gzip\r\nContent-Length: 7\r\n", Some(UntilClose)),
            ("Transfer-Encoding: identity\r\nContent-Length: 7\r\n", Some(Length(7))),
        ];
        for (fields, expected) in rows {
            assert_eq!(request(fields), expected.unwrap_or(BodyFraming::Empty), "{fields}");
            assert_eq!(response(200, "GET", fields), expected.unwrap_or(UntilClose), "{fields}");
        }
    }

    #[test]
    fn some_responses_have_no_body_whatever_their_fields_say() {
        let fields = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
        let rows = [
            (200, "HEAD", true),
            (404, "HEAD", true),
            (100, "POST", true),
            (101, "GET", true),
            (204, "DELETE", true),
            (304, "GET", true),
            (200, "CONNECT", true),
            (299, "CONNECT", true),
            (407, "CONNECT", false),
            (200, "GET", false),
            (205, "GET", false),
        ];
        for (status, method, is_empty) in rows {
            let expected = if is_empty { BodyFraming::Empty } else { BodyFraming::Chunked };
            assert_eq!(response(status, method, fields), expected, "{status} to {method}");
        }
    }

    /// Content, how it ended, what was left, octets on the wire.
    type Seen = (Vec<u8>, Option<Result<(), String>>, Vec<u8>, u64);

    fn decode(framing: BodyFraming, chunks: &[&[u8]]) -> Seen {
        let mut decoder = BodyDecoder::new(framing);
        let (mut content, mut ending, mut left) = (Vec::new(), None, Vec::new());
        for mut chunk in chunks.iter().copied() {
            while let Some(part) = decoder.next_part(&mut chunk) {
                assert!(ending.is_none(), "nothing follows the end");
                match part {
                    BodyPart::Content(octets) => {
                        assert!(!octets.is_empty());
                        content.extend_from_slice(octets);
                    }
                    BodyPart::End => ending = Some(Ok(())),
                    BodyPart::Invalid(why) => ending = Some(Err(why)),
                }
            }
            assert!(ending.is_some() || chunk.is_empty(), "every octet is taken in");
            left.extend_from_slice(chunk);
        }
        assert_eq!(decoder.content_len(), content.len() as u64);
        (content, ending, left, decoder.wire_len())
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        use BodyFraming::{Chunked, Empty, Length, UntilClose};
        type Row = (BodyFraming, &'static [u8], &'static [u8], bool, &'static [u8]);
        let rows: [Row; 13] = [
            (Empty, b"", b"", true, b""),
            (Empty, b"GET", b"", true, b"GET"),
            (Length(0), b"", b"", true, b""),
            (Length(5), b"HelloGET", b"Hello", true, b"GET"),
            (Length(6), b"Hello", b"Hello", false, b""),
            (UntilClose, b"Hello", b"Hello", false, b""),
            (Chunked, b"5\r\nHello\r\n0\r\n\r\nGET", b"Hello", true, b"GET"),
            (Chunked, b"005\r\nHello\r\n00\r\n\r\n", b"Hello", true, b""),
            (Chunked, b"5;a=\"b;c\"; d\r\nHello\r\n0;x\r\n\r\n", b"Hello", true, b""),
            (Chunked, b"5 \nHello\n0\n\nGET", b"Hello", true, b"GET"),
            (
                Chunked,
                b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
                b"01234567890123456789",
                true,
                b"",
            ),
            (Chunked, b"0\r\nDigest: x\r\nExpires: 0\r\n\r\nGET", b"", true, b"GET"),
            (Chunked, b"0\r\n\rx\r\n", b"", false, b""),
        ];
        for (framing, octets, content, is_whole, left) in rows {
            let ending = is_whole.then_some(Ok(()));
            let wire_len = (octets.len() - left.len()) as u64;
            let expected = (content.to_vec(), ending, left.to_vec(), wire_len);
            assert_eq!(decode(framing, &[octets]), expected, "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn broken_chunk_framing_is_told_with_its_octet() {
        let rows: [(&[u8], &str, &[u8]); 6] = [
            (
                b"\r\n",
                "a chunk size does not begin with a hex digit: octet 0x0D at octet 0 of the body",
                b"\r\n",
            ),
            (
                b"x",
                "a chunk size does not begin with a hex digit: octet 0x78 at octet 0 of the body",
                b"x",
            ),
            (
                b"5x\r\n",
                "a chunk size has an octet that is no hex digit: octet 0x78 at octet 1 of the body",
                b"x\r\n",
            ),
            (
                b"3\r\nHello",
                "a chunk's data does not end with CRLF: octet 0x6C at octet 6 of the body",
                b"lo",
            ),
            (
                b"1\r\na\rb",
                "a chunk's data does not end with CRLF: octet 0x62 at octet 5 of the body",
                b"b",
            ),
            (
                b"10000000000000000\r\n",
                "a chunk size beyond 64 bits: octet 0x30 at octet 16 of the body",
                b"0\r\n",
            ),
        ];
        for (octets, why, left) in rows {
            let seen = decode(BodyFraming::Chunked, &[octets]);
            assert_eq!(seen.1, Some(Err(why.to_owned())), "{}", octets.escape_ascii());
            assert_eq!(seen.2, left);
            assert_eq!(seen.3, (octets.len() - left.len()) as u64);
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_body(
            octets in prop_oneof![
                prop::collection::vec(prop::sample::select(&b"0123aF;\r\n\r\n\n x"[..]), 0..60),
                any::<Vec<u8>>(),
            ],
            cuts: Vec<prop::sample::Index>,
            length in 0u64..70,
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &octets[w[0]..w[1]]).collect();
            let framings = [
                BodyFraming::Empty,
                BodyFraming::Length(length),
                BodyFraming::Chunked,
                BodyFraming::UntilClose,
            ];
            for framing in framings {
                let whole = decode(framing, &[&octets]);
                prop_assert_eq!(whole.3 + whole.2.len() as u64, octets.len() as u64);
                prop_assert_eq!(decode(framing, &chunks), whole);
            }
        }

        #[test]
        fn what_is_chunked_is_got_back(pieces: Vec<Vec<u8>>) {
            let mut wire = Vec::new();
            for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
                wire.extend_from_slice(format!("{:X};n=\"v\"\r\n", piece.len()).as_bytes());
                wire.extend_from_slice(piece);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\nT: u\r\n\r\n");
            let seen = decode(BodyFraming::Chunked, &[&wire]);
            prop_assert_eq!(seen, (pieces.concat(), Some(Ok(())), Vec::new(), wire.len() as u64));
        }
    }
}
