//! STOMP frames, read from octets (STOMP 1.2, "Augmented BNF").

use memchr::memchr;

use crate::payload::Span;
use crate::subprotocol::dissection::quoted;
use crate::subprotocol::{MAX_FIELDS, Problem, ProblemCode};

/// One frame.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// As sent.
    pub(super) command: String,
    /// Message offset of the command; none where it lies in an earlier message.
    pub(super) at: Option<usize>,
    /// In their order; the first of a name counts.
    pub(super) headers: Vec<Header>,
    pub(super) body_len: usize,
    pub(super) body: Option<Span>,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug)]
pub(super) struct Header {
    /// Escapes resolved.
    pub(super) name: String,
    pub(super) value: String,
    /// Of the value.
    pub(super) span: Option<Span>,
}

/// What stands next.
#[derive(Debug)]
pub(super) enum Read {
    /// The octets are at their end.
    Nothing,
    /// Line ends between frames.
    HeartBeat { end: usize },
    /// A whole frame, its NUL counted in.
    Frame { frame: Frame, end: usize },
    /// A frame that goes on behind the octets.
    Unfinished { frame: Frame, start: usize },
}

impl Frame {
    /// Reads what stands at `start` of `data`, whose first `carried` octets are of earlier messages.
    pub(super) fn read(data: &[u8], start: usize, carried: usize, lone_cr: bool) -> Read {
        let rest = data.get(start..).unwrap_or_default();
        let line_ends = rest.iter().take_while(|octet| matches!(octet, b'\n' | b'\r')).count();
        if line_ends == rest.len() {
            return if rest.is_empty() {
                Read::Nothing
            } else {
                Read::HeartBeat { end: data.len() }
            };
        }
        let begin = start.saturating_add(line_ends);
        let mut reader = Reader { data, at: begin, carried, frame: Frame::default() };
        match reader.frame(lone_cr) {
            Some(()) => Read::Frame { end: reader.at, frame: reader.frame },
            None => Read::Unfinished { frame: reader.frame, start: begin },
        }
    }

    /// The value of the first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|header| header.name == name).map(|header| header.value.as_str())
    }

    fn problem(&mut self, code: ProblemCode, at: Option<usize>, detail: String) {
        if self.problems.len() < MAX_FIELDS {
            self.problems.push(Problem { code, at, detail });
        }
    }
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    carried: usize,
    frame: Frame,
}

impl Reader<'_> {
    /// `None` where the octets end before the frame does.
    fn frame(&mut self, cr_may_end_lines: bool) -> Option<()> {
        let (command, at) = self.line(true)?;
        self.frame.command = command;
        self.frame.at = self.offset(at);
        // STOMP 1.2, "Value Encoding": CONNECT and CONNECTED have no escapes, for the sake of 1.0.
        let has_escapes = !matches!(self.frame.command.as_str(), "CONNECT" | "CONNECTED");
        loop {
            let (line, at) = self.line(cr_may_end_lines || !has_escapes)?;
            if line.is_empty() {
                break;
            }
            self.header(&line, at, has_escapes);
        }
        self.body()
    }

    /// A line without its end, and where it starts.
    fn line(&mut self, may_end_in_cr: bool) -> Option<(String, usize)> {
        let start = self.at;
        let rest = self.data.get(start..)?;
        let len = memchr(b'\n', rest)?;
        self.at = start.saturating_add(len).saturating_add(1);
        let line = rest.get(..len)?;
        let line = match line.strip_suffix(b"\r") {
            Some(shorter) if may_end_in_cr || shorter.is_empty() => shorter,
            _ => line,
        };
        let text = String::from_utf8_lossy(line);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            let at = self.offset(start);
            self.frame.problem(ProblemCode::Malformed, at, "a line is not UTF-8".to_owned());
        }
        Some((text.into_owned(), start))
    }

    fn header(&mut self, line: &str, start: usize, has_escapes: bool) {
        let at = self.offset(start);
        let Some((name, value)) = line.split_once(':') else {
            let detail = format!("the header line {} has no colon", quoted(line));
            self.frame.problem(ProblemCode::Malformed, at, detail);
            return;
        };
        let behind_name = start.saturating_add(name.len()).saturating_add(1);
        let span = self.offset(behind_name).map(|at| Span::at(at, value.len()));
        // What stands for octets that are no UTF-8 is of another length than they are.
        let span = span.filter(|_| !line.contains(char::REPLACEMENT_CHARACTER));
        let (name, value) = if has_escapes {
            (self.unescape(name, at), self.unescape(value, at))
        } else {
            (name.to_owned(), value.to_owned())
        };
        if self.frame.headers.len() < MAX_FIELDS {
            self.frame.headers.push(Header { name, value, span });
        }
    }

    fn unescape(&mut self, text: &str, at: Option<usize>) -> String {
        if !text.contains('\\') {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                out.push(character);
                continue;
            }
            match characters.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('c') => out.push(':'),
                Some('\\') => out.push('\\'),
                other => {
                    out.push('\\');
                    out.extend(other);
                    let detail = format!("{} has an escape that is not defined", quoted(text));
                    self.frame.problem(ProblemCode::Malformed, at, detail);
                }
            }
        }
        out
    }

    fn body(&mut self) -> Option<()> {
        let start = self.at;
        let rest = self.data.get(start..)?;
        let len = match self.content_length() {
            Some(len) => len,
            None => memchr(0, rest)?,
        };
        let end = *rest.get(len)?;
        self.frame.body_len = len;
        self.frame.body = self.offset(start).map(|at| Span::at(at, len));
        let mut behind = start.saturating_add(len);
        if end == 0 {
            behind = behind.saturating_add(1);
        } else {
            let at = self.offset(behind);
            let detail = format!("no NUL follows the {len} octets that content-length announces");
            self.frame.problem(ProblemCode::Malformed, at, detail);
            let missed = rest.get(len..)?;
            behind = behind
                .saturating_add(memchr(0, missed).map_or(missed.len(), |at| at.saturating_add(1)));
        }
        self.at = behind;
        Some(())
    }

    fn content_length(&mut self) -> Option<usize> {
        let text = self.frame.header("content-length")?.trim();
        let len = text.parse().ok();
        if len.is_none() {
            let detail = format!("content-length is {}", quoted(text));
            self.frame.problem(ProblemCode::InvalidValue, None, detail);
        }
        len
    }

    /// The message offset of an offset in the data.
    fn offset(&self, at: usize) -> Option<usize> {
        at.checked_sub(self.carried)
    }
}
