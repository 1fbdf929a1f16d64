//! Heads, right and nearly right.

use proptest::prelude::*;

use super::*;

#[test]
fn token_octets_are_those_of_rfc_9110() {
    let listed = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
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
    assert_eq!(request(b"\r\n\r\nGET ws://h/a?b HTTP/1.1\r\n\r\n"), ("ws://h/a?b".into(), 1, 0));
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
    for octets in [&b"HTTP/1.1 2000 OK\r\n\r\n"[..], b"HTTP/1.1 20\r\n\r\n", b"ICY 200 OK\r\n\r\n"]
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
        (b"A: b\r\n\tc \r\nD: e\r\n", &[("A", "b\\r\\n\\tc"), ("D", "e")], &[(F::Folded, "\\tc ")]),
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
            let expected: Vec<_> = expected.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
            assert_eq!(fields(&head), expected, "{}", block.escape_ascii());
            let told: Vec<_> = told.iter().map(|(kind, at)| (*kind, (*at).to_owned())).collect();
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

#[test]
fn a_higher_minor_version_is_read_as_http_1_1() {
    let request = b"\r\nGET  /a?b=HTTP/1.3 HTTP/1.2\r\nHost: a\r\n\r\n";
    let head = read_request(request).unwrap();
    assert_eq!(
        (head.method(), head.target(), head.minor_version()),
        (Some("GET"), Some("/a?b=HTTP/1.3"), 2)
    );
    assert_eq!(head.target_span().map(|span| &request[span]), Some(&b"/a?b=HTTP/1.3"[..]));
    assert_eq!((&head.raw[..], head.faults.len()), (&request[..], 0));
    let answer = b"HTTP/1.9 101 Sure\nUpgrade: websocket\r\n\r\n";
    let head = read_response(answer).unwrap();
    assert_eq!((head.status(), head.minor_version(), head.raw.len()), (Some(101), 9, answer.len()));
    for line in ["HTTP/1.10 200 OK", "HTTP/1.20 200 OK", "HTTP/2.0 200 OK", "HTTP/1.x 200 OK"] {
        let raw = Bytes::from(format!("{line}\r\n\r\n"));
        let Err(HeadError::Invalid { reason }) = Head::parse_response(raw, 0) else {
            panic!("{line}")
        };
        assert!(reason.contains(line), "{reason}");
    }
}
