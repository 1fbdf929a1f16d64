//! HTTP/1.1 heads (RFC 9112 §2–§5): the octets as they came, and a parsed view.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use crate::diagnostics::Place;
use crate::http::parse;

/// One request or response head, from its first octet to the empty line's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Every octet as it was sent, the closing empty line included.
    pub raw: Bytes,
    /// Lane offset of its first octet.
    pub offset: u64,
    /// The first line.
    pub start: StartLine,
    /// The fields in the order and spelling they were sent in.
    pub headers: Vec<Header>,
    /// What breaks the grammar and could be read all the same, in the order of the octets.
    pub faults: Vec<HeadFault>,
    /// The start line within `raw`, its line end left out.
    pub(super) start_span: Range<usize>,
    /// The request target within `raw`.
    pub(super) target_span: Option<Range<usize>>,
    /// Where the first field, or the empty line, begins in `raw`.
    pub(super) fields_start: usize,
}

/// The first line of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// A request's.
    Request {
        /// Such as `GET`, as sent.
        method: String,
        /// The request target, as sent: `/chat?room=1`, or an absolute URL, or `*`.
        target: String,
        /// The minor version: 1 for HTTP/1.1, 0 for HTTP/1.0; a higher one is read as HTTP/1.1.
        minor_version: u8,
    },
    /// A response's.
    Response {
        /// Three digits: 000–999.
        status: u16,
        /// As sent; may be empty.
        reason: String,
        /// The minor version: 1 for HTTP/1.1, 0 for HTTP/1.0; a higher one is read as HTTP/1.1.
        minor_version: u8,
    },
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name as spelled by the sender.
    pub name: String,
    /// The value without surrounding white space. Where it is folded over several lines
    /// (obs-fold, RFC 9112 §5.2), the line ends within it are kept.
    pub value: Bytes,
    /// The whole field within [`Head::raw`]: from its name to the end of its line, or of its last
    /// line where it is folded.
    pub span: Range<usize>,
    /// The value within [`Head::raw`]; where it is empty, the place to put one.
    pub value_span: Range<usize>,
}

/// One place where a head breaks the grammar and could be read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadFault {
    /// Which octets of [`Head::raw`].
    pub span: Range<usize>,
    /// What is wrong with them.
    pub kind: FaultKind,
}

/// What is wrong with a line of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A line ends with LF instead of CRLF; told once a head (RFC 9112 §2.2).
    BareLineFeed,
    /// Octets stand where the start line should end (RFC 9112 §3, §4).
    StartLineTail,
    /// White space stands before the first field; the line is passed over (RFC 9112 §2.2).
    SpaceBeforeFirstField,
    /// A line has no colon; it is passed over (RFC 9112 §5).
    NoColon,
    /// White space stands between name and colon (RFC 9112 §5.1).
    SpaceBeforeColon,
    /// The name is empty or has octets that no token has (RFC 9110 §5.1).
    NameNotToken,
    /// The value has a NUL, a lone CR, or another control octet (RFC 9110 §5.5).
    ControlInValue,
    /// The value is folded over several lines, obs-fold (RFC 9112 §5.2).
    Folded,
}

impl FaultKind {
    /// One line that says what is wrong.
    pub const fn text(self) -> &'static str {
        match self {
            Self::BareLineFeed => "a line ends with LF alone, not CRLF",
            Self::StartLineTail => "the start line does not end where it should",
            Self::SpaceBeforeFirstField => "white space before the first field",
            Self::NoColon => "a line without a colon",
            Self::SpaceBeforeColon => "white space between a field's name and its colon",
            Self::NameNotToken => "a field name that is not a token",
            Self::ControlInValue => "a control octet in a field's value",
            Self::Folded => "a field's value is folded over several lines",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Header {
    /// The value as text; octets that are not UTF-8 become U+FFFD.
    pub fn value_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}

impl Head {
    /// Reads a whole request head from its octets, which end with the empty line. Forgives what can be
    /// read all the same and tells it in [`Head::faults`].
    pub fn parse_request(raw: Bytes, offset: u64) -> Result<Self, HeadError> {
        parse::request(raw, offset)
    }

    /// Reads a whole response head from its octets, which end with the empty line. Forgives what can
    /// be read all the same and tells it in [`Head::faults`].
    pub fn parse_response(raw: Bytes, offset: u64) -> Result<Self, HeadError> {
        parse::response(raw, offset)
    }

    /// All fields called `name` (case does not matter), in order.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Header> + 'a {
        self.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name))
    }

    /// The first field called `name` (case does not matter).
    pub fn field(&self, name: &str) -> Option<&Header> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))
    }

    /// The values of all fields called `name` (case does not matter), in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.fields(name).map(|header| header.value.as_ref())
    }

    /// The first value of `name` as text.
    pub fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.field(name).map(Header::value_text)
    }

    /// Whether a comma-separated list field has `token` among its elements (case does not matter).
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// The elements of all comma-separated fields called `name`, trimmed, empty ones left out.
    pub fn tokens(&self, name: &str) -> Vec<String> {
        self.elements(name).map(|element| String::from_utf8_lossy(element).into_owned()).collect()
    }

    fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.values(name)
            .flat_map(|value| value.split(|octet| *octet == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// The method, where this is a request.
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The request target, where this is a request.
    pub fn target(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { target, .. } => Some(target),
            StartLine::Response { .. } => None,
        }
    }

    /// The status, where this is a response.
    pub fn status(&self) -> Option<u16> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(*status),
        }
    }

    /// Whether this response switches to WebSocket: status 101, and `Upgrade` names `websocket`. One
    /// that forgot to name the protocol is a fault worth following; one that names another protocol is
    /// not a WebSocket.
    pub fn switches_to_websocket(&self) -> bool {
        self.status() == Some(101)
            && (self.has_token("Upgrade", "websocket") || self.field("Upgrade").is_none())
    }

    /// Whether this request asks to upgrade to WebSocket: `Upgrade` names `websocket`.
    pub fn asks_for_websocket(&self) -> bool {
        self.method().is_some() && self.has_token("Upgrade", "websocket")
    }

    /// The minor version: 1 for HTTP/1.1, 0 for HTTP/1.0; a higher one is read as HTTP/1.1.
    pub fn minor_version(&self) -> u8 {
        match &self.start {
            StartLine::Request { minor_version, .. }
            | StartLine::Response { minor_version, .. } => *minor_version,
        }
    }

    /// The start line within `raw`, its line end left out.
    pub fn start_span(&self) -> Range<usize> {
        self.start_span.clone()
    }

    /// The request target within `raw`, where this is a request.
    pub fn target_span(&self) -> Option<Range<usize>> {
        self.target_span.clone()
    }

    /// Where the first field begins in `raw`, or the empty line where there is no field.
    pub fn fields_start(&self) -> usize {
        self.fields_start
    }

    /// Where octets of `raw` lie in the lane.
    pub fn place(&self, span: &Range<usize>) -> Place {
        Place {
            offset: self.offset.saturating_add(span.start as u64),
            len: span.len() as u64,
            frame: None,
        }
    }
}

/// Why octets are no head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Their first line is neither a request line nor a status line.
    #[error("not an HTTP/1.1 head: {reason}")]
    Invalid {
        /// What is wrong, and where.
        reason: String,
    },
    /// They go on beyond the limit.
    #[error("the head is longer than {limit} octets")]
    TooLong {
        /// The limit, in octets.
        limit: usize,
    },
}
