//! Reading a head (RFC 9112 §3–§5): httparse for the start line, a forgiving walk for the fields.
//!
//! httparse stops at the first field it dislikes, and forgives folded and spaced fields in responses
//! alone. An inspector must show what a broken peer sent, and where: so the fields are walked here,
//! each line is kept if it can be read at all, and what is wrong with it becomes a [`HeadFault`].
//! Wherever httparse accepts a head, both read the same (a property test below).

mod lines;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use lines::{Line, Lines};

use crate::http::{FaultKind, Head, HeadError, HeadFault, Header, StartLine};

/// Reads a request head.
pub(super) fn request(raw: Bytes, offset: u64) -> Result<Head, HeadError> {
    let mut lines = Lines::new(&raw);
    let line = lines.start_line();
    let sent = lines.octets(&line.whole);
    let version_at = lines.octets(&line.text).len().checked_sub(VERSION_LEN);
    let (octets, later) = as_1_1(sent, version_at);
    let octets = &*octets;

    // It is given the request line alone: `Partial` is the best it can say.
    let mut request = httparse::Request::new(&mut []);
    let outcome = httparse::ParserConfig::default()
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .parse_request(&mut request, octets);
    let (Some(method), Some(target), Some(minor_version)) =
        (request.method, request.path, request.version)
    else {
        return Err(unreadable(sent, "request line", outcome.err()));
    };
    let target_start = line.whole.start.saturating_add(distance(octets, target.as_bytes()));
    let target_span = target_start..target_start.saturating_add(target.len());
    let start = StartLine::Request {
        method: method.to_owned(),
        target: target.to_owned(),
        minor_version: later.unwrap_or(minor_version),
    };
    Ok(finish(raw, offset, start, Some(target_span), &line, outcome.is_ok()))
}

/// Reads a response head.
pub(super) fn response(raw: Bytes, offset: u64) -> Result<Head, HeadError> {
    let mut lines = Lines::new(&raw);
    let line = lines.start_line();
    let sent = lines.octets(&line.whole);
    let (octets, later) = as_1_1(sent, Some(0));
    let octets = &*octets;

    let mut response = httparse::Response::new(&mut []);
    let outcome = httparse::ParserConfig::default()
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .parse_response(&mut response, octets);
    let (Some(minor_version), Some(status)) = (response.version, response.code) else {
        return Err(unreadable(sent, "status line", outcome.err()));
    };
    // httparse drops a reason that is not ASCII; here it is kept.
    let text = lines.octets(&line.text);
    let behind_version = text.iter().position(|octet| *octet == b' ').and_then(|at| text.get(at..));
    let reason = match behind_version.unwrap_or_default().trim_ascii_start().get(3..) {
        Some([b'0'..=b'9', ..]) => {
            return Err(unreadable(sent, "status line", Some(httparse::Error::Status)));
        }
        reason => String::from_utf8_lossy(reason.unwrap_or_default().trim_ascii()).into_owned(),
    };
    let minor_version = later.unwrap_or(minor_version);
    let start = StartLine::Response { status, reason, minor_version };
    Ok(finish(raw, offset, start, None, &line, outcome.is_ok()))
}

/// Octets of `HTTP/1.1`.
const VERSION_LEN: usize = 8;

/// A start line with a higher minor version at `version_at`, as httparse can read it: with HTTP/1.1 in its
/// place; and that version. "A recipient that receives a message with a major version number that it
/// implements and a minor version number higher than what it implements SHOULD process the message as if
/// it was in the highest minor version within that major version" (RFC 9110 §2.5).
fn as_1_1(octets: &[u8], version_at: Option<usize>) -> (Cow<'_, [u8]>, Option<u8>) {
    let version = version_at.and_then(|at| octets.get(at..at.checked_add(VERSION_LEN)?));
    let (Some(at), Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'2'..=b'9'])) =
        (version_at, version)
    else {
        return (Cow::Borrowed(octets), None);
    };
    let (before, behind) = octets.split_at_checked(at).unwrap_or_default();
    let behind = behind.get(VERSION_LEN..).unwrap_or_default();
    (Cow::Owned([before, b"HTTP/1.1", behind].concat()), Some(minor.wrapping_sub(b'0')))
}

fn finish(
    mut raw: Bytes,
    offset: u64,
    start: StartLine,
    target_span: Option<Range<usize>>,
    line: &Line,
    is_ended: bool,
) -> Head {
    let mut walk = Walk::new(&raw, line);
    if !is_ended {
        walk.fault(line.text.clone(), FaultKind::StartLineTail);
    }
    let end = walk.fields();
    let Walk { headers, mut faults, fields_start, .. } = walk;
    faults.sort_by_key(|fault| fault.span.start);
    raw.truncate(end);
    Head {
        raw,
        offset,
        start,
        headers,
        faults,
        start_span: line.text.clone(),
        target_span,
        fields_start,
    }
}

/// Says why octets are no start line.
fn unreadable(octets: &[u8], wanted: &str, error: Option<httparse::Error>) -> HeadError {
    const SHOWN: usize = 60;
    let shown = octets.get(..SHOWN).unwrap_or(octets).trim_ascii_end().escape_ascii();
    let cut = if octets.len() > SHOWN { "…" } else { "" };
    let guess = match octets {
        [0x16, 0x03, ..] => "these are TLS octets",
        [b'P', b'R', b'I', b' ', b'*', ..] => "this is the HTTP/2 preface",
        _ => match error {
            Some(httparse::Error::Version) => "the version is not HTTP/1.1 or HTTP/1.0",
            Some(httparse::Error::Status) => "the status is not three digits",
            Some(httparse::Error::Token) => "an octet stands where none may",
            _ => "it is cut short",
        },
    };
    HeadError::Invalid { reason: format!("\"{shown}{cut}\" is not a {wanted}: {guess}") }
}

/// How far `part` begins behind the start of `whole`, which it is a slice of.
fn distance(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// Walks over the fields.
struct Walk<'a> {
    raw: &'a Bytes,
    lines: Lines<'a>,
    headers: Vec<Header>,
    faults: Vec<HeadFault>,
    /// A line that ends with LF alone has been told of.
    bare_told: bool,
    /// Behind the start line and the lines after it that begin with white space: a field put in before
    /// those would take them for its own.
    fields_start: usize,
}

/// What a line that begins with white space goes on with.
enum Above {
    StartLine,
    Field,
    Unreadable,
}

impl<'a> Walk<'a> {
    fn new(raw: &'a Bytes, start_line: &Line) -> Self {
        let fields_start = start_line.whole.end;
        let lines = raw.get(fields_start..).unwrap_or_default();
        let fields = memchr::memchr_iter(b'\n', lines).count();
        let mut walk = Self {
            raw,
            lines: Lines { raw, at: fields_start },
            // One line each, but for the empty one; in reason, for whoever sends nothing but line ends.
            headers: Vec::with_capacity(fields.saturating_sub(1).min(64)),
            faults: Vec::new(),
            bare_told: false,
            fields_start,
        };
        walk.check_line_end(start_line);
        walk
    }

    /// Reads all fields; says where the empty line ends.
    fn fields(&mut self) -> usize {
        let mut above = Above::StartLine;
        loop {
            let line = self.lines.next();
            self.check_line_end(&line);
            if line.text.is_empty() {
                return line.whole.end;
            }
            above = match (self.lines.octets(&line.text), above) {
                ([b' ' | b'\t', ..], Above::Field) => {
                    self.fold(&line);
                    Above::Field
                }
                ([b' ' | b'\t', ..], Above::StartLine) => {
                    // "A recipient that receives whitespace between the start-line and the first
                    // header field MUST either reject the message as invalid or consume each
                    // whitespace-preceded line without further processing of it" (RFC 9112 §2.2).
                    self.fields_start = line.whole.end;
                    self.fault(line.text, FaultKind::SpaceBeforeFirstField);
                    Above::StartLine
                }
                ([b' ' | b'\t', ..], Above::Unreadable) => Above::Unreadable,
                (octets, _) => {
                    if let Some(colon) = memchr::memchr(b':', octets) {
                        self.field(&line, octets, colon);
                        Above::Field
                    } else {
                        self.fault(line.text, FaultKind::NoColon);
                        Above::Unreadable
                    }
                }
            };
        }
    }

    /// Reads `name: value`.
    fn field(&mut self, line: &Line, octets: &[u8], colon: usize) {
        let (before, after) = octets.split_at_checked(colon).unwrap_or_default();
        let name = trim(before, is_white_space);
        let name_span = line.text.start..line.text.start.saturating_add(colon);
        if name.len() != before.len() {
            self.fault(name_span.clone(), FaultKind::SpaceBeforeColon);
        }
        if name.is_empty() || !name.iter().copied().all(is_token) {
            self.fault(name_span, FaultKind::NameNotToken);
        }
        let value = trim(after.get(1..).unwrap_or_default(), is_white_space);
        if value.iter().copied().any(is_control) {
            self.fault(line.text.clone(), FaultKind::ControlInValue);
        }
        // An empty value stands where one would be put: at the line's end.
        let start = if value.is_empty() {
            line.text.end
        } else {
            line.text.start.saturating_add(distance(octets, value))
        };
        let value_span = start..start.saturating_add(value.len());
        self.headers.push(Header {
            name: text(name),
            value: self.raw.slice(value_span.clone()),
            span: line.whole.clone(),
            value_span,
        });
    }

    /// Takes a line that begins with white space into the field above it.
    fn fold(&mut self, line: &Line) {
        self.fault(line.text.clone(), FaultKind::Folded);
        let text = self.lines.octets(&line.text);
        if text.iter().copied().any(is_control) {
            self.fault(line.text.clone(), FaultKind::ControlInValue);
        }
        let Some(header) = self.headers.last_mut() else { return };
        header.span.end = line.whole.end;
        let value = trim(text, is_white_space);
        if value.is_empty() {
            return;
        }
        let start = line.text.start.saturating_add(distance(text, value));
        if header.value_span.is_empty() {
            header.value_span.start = start;
        }
        header.value_span.end = start.saturating_add(value.len());
        header.value = self.raw.slice(header.value_span.clone());
    }

    fn fault(&mut self, span: Range<usize>, kind: FaultKind) {
        self.faults.push(HeadFault { span, kind });
    }

    fn check_line_end(&mut self, line: &Line) {
        if line.is_bare() && !self.bare_told {
            self.bare_told = true;
            self.fault(line.whole.clone(), FaultKind::BareLineFeed);
        }
    }
}

/// `octets` as text; those that are not UTF-8 become U+FFFD.
fn text(octets: &[u8]) -> String {
    // Several times as fast as the forgiving way where there is nothing to forgive.
    match str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(octets).into_owned(),
    }
}

/// `octets` without those at either end that are `unwanted`.
fn trim(mut octets: &[u8], unwanted: fn(u8) -> bool) -> &[u8] {
    while let [first, rest @ ..] = octets
        && unwanted(*first)
    {
        octets = rest;
    }
    while let [rest @ .., last] = octets
        && unwanted(*last)
    {
        octets = rest;
    }
    octets
}

const fn is_white_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// `CTL` but for HTAB (RFC 9110 §5.5).
const fn is_control(octet: u8) -> bool {
    octet.is_ascii_control() && octet != b'\t'
}

/// `tchar` (RFC 9110 §5.6.2).
#[inline]
pub(crate) const fn is_token(octet: u8) -> bool {
    // Every octet of every name is asked about: one bit for each value answers at once.
    const TOKENS: u128 = 0x57FF_FFFF_C7FF_FFFE_03FF_6CFA_0000_0000;
    octet < 128 && (TOKENS >> octet) & 1 != 0
}

#[cfg(test)]
mod tests;
