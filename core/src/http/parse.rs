//! Reading a head (RFC 9112 §3–§5): httparse for the start line, a forgiving walk for the fields.
//!
//! httparse stops at the first field it dislikes, and forgives folded and spaced fields in responses
//! alone. An inspector must show what a broken peer sent, and where: so the fields are walked here,
//! each line is kept if it can be read at all, and what is wrong with it becomes a [`HeadFault`].
//! Wherever httparse accepts a head, both read the same (a property test below).

use std::ops::Range;

use bytes::Bytes;

use crate::http::{FaultKind, Head, HeadError, HeadFault, Header, StartLine};

/// Reads a request head.
pub(super) fn request(raw: Bytes, offset: u64) -> Result<Head, HeadError> {
    let mut lines = Lines::new(&raw);
    let line = lines.start_line();
    let octets = lines.octets(&line.whole);

    // It is given the request line alone: `Partial` is the best it can say.
    let mut request = httparse::Request::new(&mut []);
    let outcome = httparse::ParserConfig::default()
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .parse_request(&mut request, octets);
    let (Some(method), Some(target), Some(minor_version)) =
        (request.method, request.path, request.version)
    else {
        return Err(unreadable(octets, "request line", outcome.err()));
    };
    let target_start = line.whole.start.saturating_add(distance(octets, target.as_bytes()));
    let target_span = target_start..target_start.saturating_add(target.len());
    let start =
        StartLine::Request { method: method.to_owned(), target: target.to_owned(), minor_version };
    Ok(finish(raw, offset, start, Some(target_span), &line, outcome.is_ok()))
}

/// Reads a response head.
pub(super) fn response(raw: Bytes, offset: u64) -> Result<Head, HeadError> {
    let mut lines = Lines::new(&raw);
    let line = lines.start_line();
    let octets = lines.octets(&line.whole);

    let mut response = httparse::Response::new(&mut []);
    let outcome = httparse::ParserConfig::default()
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .parse_response(&mut response, octets);
    let (Some(minor_version), Some(status)) = (response.version, response.code) else {
        return Err(unreadable(octets, "status line", outcome.err()));
    };
    // httparse drops a reason that is not ASCII; here it is kept.
    let text = lines.octets(&line.text);
    let behind_version = text.iter().position(|octet| *octet == b' ').and_then(|at| text.get(at..));
    let reason = match behind_version.unwrap_or_default().trim_ascii_start().get(3..) {
        Some([b'0'..=b'9', ..]) => {
            return Err(unreadable(octets, "status line", Some(httparse::Error::Status)));
        }
        reason => String::from_utf8_lossy(reason.unwrap_or_default().trim_ascii()).into_owned(),
    };
    let start = StartLine::Response { status, reason, minor_version };
    Ok(finish(raw, offset, start, None, &line, outcome.is_ok()))
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

/// One line of a head.
struct Line {
    /// Its octets, line end included.
    whole: Range<usize>,
    /// Its octets, line end left out.
    text: Range<usize>,
}

impl Line {
    /// It ends with LF alone.
    fn is_bare(&self) -> bool {
        self.whole.end.saturating_sub(self.text.end) == 1
    }
}

/// Cuts a head into lines.
struct Lines<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    const fn new(raw: &'a [u8]) -> Self {
        Self { raw, at: 0 }
    }

    fn octets(&self, span: &Range<usize>) -> &'a [u8] {
        self.raw.get(span.clone()).unwrap_or_default()
    }

    /// The next line; an empty one without a line end where nothing is left.
    fn next(&mut self) -> Line {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let start = self.at;
        let Some(line_feed) = memchr::memchr(b'\n', rest) else {
            self.at = self.raw.len();
            return Line { whole: start..self.at, text: start..self.at };
        };
        let before = rest.get(..line_feed).unwrap_or_default();
        let text_len = before.strip_suffix(b"\r").unwrap_or(before).len();
        self.at = start.saturating_add(line_feed).saturating_add(1);
        Line { whole: start..self.at, text: start..start.saturating_add(text_len) }
    }

    /// The first line that is not empty.
    fn start_line(&mut self) -> Line {
        loop {
            let line = self.next();
            if !line.text.is_empty() || line.whole.is_empty() {
                return line;
            }
        }
    }
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn token_octets_are_those_of_rfc_9110() {
        let listed =
            |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
        assert!((0..=u8::MAX).all(|octet| is_token(octet) == listed(octet)));
    }

    fn read_request(octets: &'static [u8]) -> Result<Head, HeadError> {
        Head::parse_request(Bytes::from_static(octets), 0)
    }

    fn read_response(octets: &'static [u8]) -> Result<Head, HeadError> {
        Head::parse_response(Bytes::from_static(octets), 0)
    }

    fn fields(head: &Head) -> Vec<(&str, String)> {
        let escaped = |value: &Bytes| value.escape_ascii().to_string();
        head.headers.iter().map(|h| (h.name.as_str(), escaped(&h.value))).collect()
    }

    fn faults(head: &Head) -> Vec<(FaultKind, String)> {
        let octets = |span: &Range<usize>| head.raw[span.clone()].escape_ascii().to_string();
        head.faults.iter().map(|fault| (fault.kind, octets(&fault.span))).collect()
    }

    #[test]
    fn the_request_of_rfc_6455_section_1_2() {
        let raw = b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
            Sec-WebSocket-Version: 13\r\n\r\n";
        let head = read_request(raw).unwrap();
        assert_eq!(head.raw, &raw[..]);
        assert_eq!(
            (head.method(), head.target(), head.minor_version()),
            (Some("GET"), Some("/chat"), 1)
        );
        assert_eq!(&raw[head.target_span().unwrap()], b"/chat");
        assert_eq!(&raw[head.start_span()], b"GET /chat HTTP/1.1");
        assert!(raw[head.fields_start()..].starts_with(b"Host"));
        assert_eq!(head.headers.len(), 7);
        assert_eq!(head.value("host").as_deref(), Some("server.example.com"));
        assert_eq!(head.tokens("Sec-WebSocket-Protocol"), ["chat", "superchat"]);
        assert!(head.asks_for_websocket());
        assert_eq!(head.faults, []);
        for header in &head.headers {
            assert_eq!(&raw[header.value_span.clone()], &header.value[..]);
            let line = [header.name.as_bytes(), b": ", &header.value, b"\r\n"].concat();
            assert_eq!(&raw[header.span.clone()], line);
        }
    }

    #[test]
    fn start_lines_that_are_readable_are_read() {
        let request = |octets| {
            let head = read_request(octets).unwrap();
            (head.target().unwrap().to_owned(), head.minor_version(), head.faults.len())
        };
        assert_eq!(request(b"GET * HTTP/1.0\r\n\r\n"), ("*".into(), 0, 0));
        assert_eq!(
            request(b"\r\n\r\nGET ws://h/a?b HTTP/1.1\r\n\r\n"),
            ("ws://h/a?b".into(), 1, 0)
        );
        assert_eq!(request(b"GET /\xc3\xbc HTTP/1.1\r\n\r\n"), ("/\u{fc}".into(), 1, 0));
        assert_eq!(request(b"GET   /  HTTP/1.1\r\n\r\n"), ("/".into(), 1, 0));
        assert_eq!(request(b"GET / HTTP/1.1 \r\n\r\n"), ("/".into(), 1, 1));

        let response = |octets| {
            let head = read_response(octets).unwrap();
            match head.start {
                StartLine::Response { status, reason, .. } => (status, reason, head.faults.len()),
                StartLine::Request { .. } => unreachable!(),
            }
        };
        assert_eq!(response(b"HTTP/1.1 101\r\n\r\n"), (101, String::new(), 0));
        assert_eq!(response(b"HTTP/1.1 101 \r\n\r\n"), (101, String::new(), 0));
        assert_eq!(response(b"HTTP/1.0  200  All right\r\n\r\n"), (200, "All right".into(), 0));
        assert_eq!(
            response("HTTP/1.1 404 gibt’s nicht\r\n\r\n".as_bytes()),
            (404, "gibt’s nicht".into(), 0)
        );
        assert_eq!(response(b"HTTP/1.1 500 a\x01b\r\n\r\n"), (500, "a\u{1}b".into(), 1));
    }

    #[test]
    fn what_is_no_start_line_is_told_with_its_octets() {
        let rows: [(&'static [u8], &str); 9] = [
            (b"", "\"\" is not a request line: it is cut short"),
            (b"\r\n\r\n", "\"\" is not a request line: it is cut short"),
            (
                b"\x16\x03\x01\x02\r\n\r\n",
                "\"\\x16\\x03\\x01\\x02\" is not a request line: these are TLS octets",
            ),
            (
                b"PRI * HTTP/2.0\r\n\r\n",
                "\"PRI * HTTP/2.0\" is not a request line: this is the HTTP/2 preface",
            ),
            (
                b"GET / HTTP/2.0\r\n\r\n",
                "\"GET / HTTP/2.0\" is not a request line: the version is not HTTP/1.1 or HTTP/1.0",
            ),
            (
                b"GET /a b HTTP/1.1\r\n\r\n",
                "\"GET /a b HTTP/1.1\" is not a request line: the version is not HTTP/1.1 or HTTP/1.0",
            ),
            (b"GET /\r\n\r\n", "\"GET /\" is not a request line: an octet stands where none may"),
            (
                b" GET / HTTP/1.1\r\n\r\n",
                "\" GET / HTTP/1.1\" is not a request line: an octet stands where none may",
            ),
            (b"GET", "\"GET\" is not a request line: it is cut short"),
        ];
        for (octets, expected) in rows {
            let Err(HeadError::Invalid { reason }) = read_request(octets) else {
                panic!("{} was read", octets.escape_ascii());
            };
            assert_eq!(reason, expected);
        }
        for octets in
            [&b"HTTP/1.1 2000 OK\r\n\r\n"[..], b"HTTP/1.1 20\r\n\r\n", b"ICY 200 OK\r\n\r\n"]
        {
            assert!(read_response(octets).is_err(), "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn broken_fields_are_read_as_far_as_they_go_and_told() {
        use FaultKind as F;
        type Row =
            (&'static [u8], &'static [(&'static str, &'static str)], &'static [(F, &'static str)]);
        let rows: [Row; 12] = [
            (b"A: b\r\n", &[("A", "b")], &[]),
            (b"A:\t b c \t\r\nB:\r\n", &[("A", "b c"), ("B", "")], &[]),
            (b"A: b\nC: d\n", &[("A", "b"), ("C", "d")], &[(F::BareLineFeed, "A: b\\n")]),
            (b"A : b\r\n", &[("A", "b")], &[(F::SpaceBeforeColon, "A ")]),
            (b"A b: c\r\n", &[("A b", "c")], &[(F::NameNotToken, "A b")]),
            (b": c\r\n", &[("", "c")], &[(F::NameNotToken, "")]),
            (b"A: b\x00c\r\n", &[("A", "b\\x00c")], &[(F::ControlInValue, "A: b\\x00c")]),
            (b"A: b\rC: d\r\n", &[("A", "b\\rC: d")], &[(F::ControlInValue, "A: b\\rC: d")]),
            (b"nothing\r\n more\r\nA: b\r\n", &[("A", "b")], &[(F::NoColon, "nothing")]),
            (b" X: y\r\nA: b\r\n", &[("A", "b")], &[(F::SpaceBeforeFirstField, " X: y")]),
            (
                b"A: b\r\n\tc \r\nD: e\r\n",
                &[("A", "b\\r\\n\\tc"), ("D", "e")],
                &[(F::Folded, "\\tc ")],
            ),
            (b"A:\r\n b\r\n \r\n", &[("A", "b")], &[(F::Folded, " b"), (F::Folded, " ")]),
        ];
        for (block, expected, told) in rows {
            for start in [&b"GET / HTTP/1.1\r\n"[..], b"HTTP/1.1 200 OK\r\n"] {
                let raw = Bytes::from([start, block, b"\r\n"].concat());
                let head = if start.starts_with(b"GET") {
                    Head::parse_request(raw, 0)
                } else {
                    Head::parse_response(raw, 0)
                }
                .unwrap();
                let expected: Vec<_> =
                    expected.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
                assert_eq!(fields(&head), expected, "{}", block.escape_ascii());
                let told: Vec<_> =
                    told.iter().map(|(kind, at)| (*kind, (*at).to_owned())).collect();
                assert_eq!(faults(&head), told, "{}", block.escape_ascii());
            }
        }
    }

    #[test]
    fn a_thousand_fields_are_read() {
        let mut raw = b"GET / HTTP/1.1\r\n".to_vec();
        for number in 0..1000 {
            raw.extend_from_slice(format!("X-{number}: {number}\r\n").as_bytes());
        }
        raw.extend_from_slice(b"\r\n");
        let head = Head::parse_request(raw.into(), 0).unwrap();
        assert_eq!(head.headers.len(), 1000);
        assert_eq!(head.value("x-999").as_deref(), Some("999"));
    }

    #[test]
    fn octets_behind_the_empty_line_are_not_part_of_the_head() {
        let head = read_response(b"HTTP/1.1 101 A\r\nB: c\r\n\r\n\x81\x00").unwrap();
        assert_eq!(head.raw, &b"HTTP/1.1 101 A\r\nB: c\r\n\r\n"[..]);
    }

    /// Heads that are nearly right, so that the laws meet every branch.
    fn nearly_heads() -> impl Strategy<Value = Vec<u8>> {
        const STARTS: &[&str] = &[
            "GET / HTTP/1.1\r\n",
            "\r\nPOST  /a HTTP/1.0\n",
            "HTTP/1.1 101 S P\r\n",
            "HTTP/1.1 200\n",
            "",
        ];
        const PIECES: &[&str] = &[
            "A",
            "A: b\r\n",
            "C:d \n",
            "E: f\r\n g\r\n",
            "Host",
            ":",
            ": ",
            " ",
            "\t",
            "\r\n",
            "\r\n",
            "\n",
            "\r",
            "\0",
            "\u{fc}",
            "x y",
            ",",
            "\r\n\r\n",
        ];
        let block = prop::collection::vec(prop::sample::select(PIECES), 0..24);
        (prop::sample::select(STARTS), block)
            .prop_map(|(start, block)| format!("{start}{}", block.concat()).into_bytes())
    }

    proptest! {
        #[test]
        fn any_octets_give_a_head_or_a_reason_and_spans_that_hold(
            octets in prop_oneof![nearly_heads(), any::<Vec<u8>>()],
        ) {
            let raw = Bytes::from(octets);
            for head in [Head::parse_request(raw.clone(), 7), Head::parse_response(raw.clone(), 7)] {
                let Ok(head) = head else { continue };
                prop_assert_eq!(&head.raw[..], &raw[..head.raw.len()]);
                let mut end = head.fields_start();
                prop_assert!(head.start_span().end <= end);
                for header in &head.headers {
                    prop_assert!(header.span.start >= end, "fields do not overlap");
                    end = header.span.end;
                    prop_assert!(header.span.start <= header.value_span.start);
                    prop_assert!(header.value_span.end <= header.span.end);
                    prop_assert_eq!(&head.raw[header.value_span.clone()], &header.value[..]);
                }
                prop_assert!(end <= head.raw.len());
                for fault in &head.faults {
                    prop_assert!(head.raw.get(fault.span.clone()).is_some());
                }
            }
        }

        #[test]
        fn whatever_httparse_accepts_is_read_alike(octets in nearly_heads()) {
            let mut slots = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut slots);
            if let Ok(httparse::Status::Complete(len)) = request.parse(&octets) {
                let head = Head::parse_request(Bytes::from(octets.clone()), 0).unwrap();
                prop_assert_eq!(head.raw.len(), len);
                prop_assert_eq!((head.method(), head.target()), (request.method, request.path));
                let theirs: Vec<_> = request.headers.iter().map(|h| (h.name, h.value)).collect();
                let ours: Vec<_> = head.headers.iter().map(|h| (h.name.as_str(), &h.value[..])).collect();
                prop_assert_eq!(ours, theirs);
            }

            let mut slots = [httparse::EMPTY_HEADER; 32];
            let mut response = httparse::Response::new(&mut slots);
            let outcome = httparse::ParserConfig::default()
                .allow_spaces_after_header_name_in_responses(true)
                .allow_obsolete_multiline_headers_in_responses(true)
                .parse_response(&mut response, &octets);
            if let Ok(httparse::Status::Complete(len)) = outcome {
                let head = Head::parse_response(Bytes::from(octets.clone()), 0).unwrap();
                prop_assert_eq!(head.raw.len(), len);
                prop_assert_eq!(head.status(), response.code);
                let theirs: Vec<_> = response.headers.iter().map(|h| (h.name, h.value)).collect();
                let ours: Vec<_> = head.headers.iter().map(|h| (h.name.as_str(), &h.value[..])).collect();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
