//! What a head says against RFC 9110 and RFC 9112, whatever it is the head of.

use std::ops::Range;

use crate::Head;
use crate::diagnostics::{Rule, rules, shown};
use crate::http::FaultKind;

/// One rule that a head breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadFinding {
    /// Which.
    pub rule: &'static Rule,
    /// The octets of [`Head::raw`] that it is about.
    pub span: Range<usize>,
    /// One line that says what was seen.
    pub evidence: String,
}

/// The rules that `head` breaks, each once. Whether a request to open a WebSocket has its `Host` is
/// told with the handshake's other fields.
pub fn findings(head: &Head) -> Vec<HeadFinding> {
    let mut found = Vec::new();
    line_faults(head, &mut found);
    if head.method().is_some() && !head.asks_for_websocket() {
        host(head, &mut found);
    }
    length(head, &mut found);
    found
}

/// The rule that a line with this fault breaks.
const fn rule_of(kind: FaultKind) -> &'static Rule {
    match kind {
        FaultKind::BareLineFeed => &rules::HTTP_LINE_FEED_ALONE,
        FaultKind::StartLineTail => &rules::HTTP_START_LINE_TAIL,
        FaultKind::SpaceBeforeFirstField => &rules::HTTP_SPACE_BEFORE_FIELDS,
        FaultKind::NoColon => &rules::HTTP_LINE_WITHOUT_COLON,
        FaultKind::SpaceBeforeColon => &rules::HTTP_SPACE_BEFORE_COLON,
        FaultKind::NameNotToken => &rules::HTTP_FIELD_NAME_INVALID,
        FaultKind::ControlInValue => &rules::HTTP_FIELD_VALUE_CONTROL,
        FaultKind::Folded => &rules::HTTP_FIELD_FOLDED,
    }
}

/// The first line of each fault, and how many more have it.
fn line_faults(head: &Head, found: &mut Vec<HeadFinding>) {
    let mut counted: Vec<(FaultKind, &Range<usize>, usize)> = Vec::new();
    for fault in &head.faults {
        match counted.iter_mut().find(|(kind, ..)| *kind == fault.kind) {
            Some((_, _, times)) => *times = times.saturating_add(1),
            None => counted.push((fault.kind, &fault.span, 1)),
        }
    }
    for (kind, span, times) in counted {
        // A name with white space before its colon is no token either: told once.
        if kind == FaultKind::NameNotToken
            && head.faults.iter().any(|f| f.kind == FaultKind::SpaceBeforeColon && f.span == *span)
        {
            continue;
        }
        let octets = head.raw.get(span.clone()).unwrap_or_default();
        let octets = shown(&String::from_utf8_lossy(octets));
        let more = match times.saturating_sub(1) {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let evidence = format!("{kind}: {octets}{more}");
        found.push(HeadFinding { rule: rule_of(kind), span: span.clone(), evidence });
    }
}

/// "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that
/// lacks a Host header field and to any request message that contains more than one Host header field
/// line" (RFC 9112 §3.2).
fn host(head: &Head, found: &mut Vec<HeadFinding>) {
    let whole = 0..head.raw.len();
    match head.fields("Host").count() {
        0 if head.minor_version() >= 1 => found.push(HeadFinding {
            rule: &rules::HTTP_HOST_MISSING,
            span: whole,
            evidence: "there is no Host".to_owned(),
        }),
        0 | 1 => {}
        _ => found.push(HeadFinding {
            rule: &rules::HTTP_HOST_REPEATED,
            span: span(head, "Host"),
            evidence: values(head, "Host"),
        }),
    }
}

/// How long the body is said to be (RFC 9112 §6).
fn length(head: &Head, found: &mut Vec<HeadFinding>) {
    let codings = head.tokens(TRANSFER_ENCODING);
    let has_length = head.field(CONTENT_LENGTH).is_some();
    if codings.is_empty() && !has_length {
        return;
    }
    let mut tell = |rule, name: &str, evidence| {
        found.push(HeadFinding { rule, span: span(head, name), evidence });
    };
    let name = if codings.is_empty() { CONTENT_LENGTH } else { TRANSFER_ENCODING };
    // "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx
    // (Informational) or 204" (RFC 9110 §8.6); Transfer-Encoding neither (RFC 9112 §6.1).
    if let Some(status @ (100..=199 | 204)) = head.status() {
        let evidence = format!("a {status} with {name}: {}", values(head, name));
        return tell(&rules::HTTP_LENGTH_FORBIDDEN, name, evidence);
    }
    // "A sender MUST NOT send a Content-Length header field in any message that contains a
    // Transfer-Encoding header field" (RFC 9112 §6.2).
    if !codings.is_empty() && has_length {
        let evidence = format!(
            "Content-Length: {}; Transfer-Encoding: {}",
            values(head, CONTENT_LENGTH),
            values(head, TRANSFER_ENCODING)
        );
        tell(&rules::HTTP_LENGTH_AND_CHUNKED, CONTENT_LENGTH, evidence);
    }
    if has_length && !is_one_number(head) {
        let evidence = values(head, CONTENT_LENGTH);
        tell(&rules::HTTP_CONTENT_LENGTH_INVALID, CONTENT_LENGTH, evidence);
    }
    let chunked = codings.iter().filter(|coding| coding.eq_ignore_ascii_case("chunked")).count();
    let is_last = codings.last().is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    // "If any transfer coding other than chunked is applied to a request's content, the sender MUST
    // apply chunked as the final transfer coding […] A sender MUST NOT apply the chunked transfer
    // coding more than once" (RFC 9112 §6.1).
    let is_wrong = !codings.is_empty()
        && (chunked > 1
            || (chunked == 1 && !is_last)
            || (head.method().is_some() && !is_last)
            || head.minor_version() == 0);
    if is_wrong {
        let version = if head.minor_version() == 0 { " over HTTP/1.0" } else { "" };
        let evidence = format!("{}{version}", values(head, TRANSFER_ENCODING));
        tell(&rules::HTTP_TRANSFER_ENCODING_INVALID, TRANSFER_ENCODING, evidence);
    }
}

/// "[…] unless the field value can be successfully parsed as a comma-separated list, all values in the
/// list are valid, and all values in the list are the same" (RFC 9112 §6.3).
fn is_one_number(head: &Head) -> bool {
    let mut elements = head
        .values(CONTENT_LENGTH)
        .flat_map(|value| value.split(|octet| *octet == b','))
        .map(<[u8]>::trim_ascii);
    let Some(first) = elements.next() else { return true };
    let digits = |element: &[u8]| {
        std::str::from_utf8(element)
            .ok()
            .filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))
            .and_then(|text| text.parse::<u64>().ok())
    };
    let number = digits(first);
    number.is_some() && elements.all(|element| digits(element) == number)
}

fn span(head: &Head, name: &str) -> Range<usize> {
    head.field(name).map_or(0..head.raw.len(), |field| field.span.clone())
}

fn values(head: &Head, name: &str) -> String {
    let values: Vec<_> = head.fields(name).map(|field| field.value_text()).collect();
    shown(&values.join(", "))
}

const CONTENT_LENGTH: &str = "Content-Length";
const TRANSFER_ENCODING: &str = "Transfer-Encoding";

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn told(raw: &str) -> Vec<(&'static str, String)> {
        let raw = Bytes::from(raw.to_owned());
        let head = if raw.starts_with(b"HTTP/") {
            Head::parse_response(raw, 0)
        } else {
            Head::parse_request(raw, 0)
        };
        let found = findings(&head.unwrap());
        found.into_iter().map(|finding| (finding.rule.code, finding.evidence)).collect()
    }

    #[test]
    fn each_fault_of_a_line_is_told_once_with_its_first_octets() {
        assert_eq!(
            told("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\nY : 2\r\n z\r\n\r\n"),
            [
                (
                    "HTTP_SPACE_BEFORE_COLON",
                    "white space between a field's name and its colon: X  (and 1 more)".to_owned()
                ),
                (
                    "HTTP_FIELD_FOLDED",
                    "a field's value is folded over several lines:  z".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn lengths_that_can_be_read_in_one_way_are_right() {
        let right = [
            "GET / HTTP/1.0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        ];
        for head in right {
            assert_eq!(told(head), [], "{head:?}");
        }
        let wrong = [
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP_CONTENT_LENGTH_INVALID"),
            ("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", "HTTP_CONTENT_LENGTH_INVALID"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1,2\r\n\r\n", "HTTP_CONTENT_LENGTH_INVALID"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
                "HTTP_CONTENT_LENGTH_INVALID",
            ),
            (
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP_TRANSFER_ENCODING_INVALID",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
                "HTTP_TRANSFER_ENCODING_INVALID",
            ),
            ("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP_LENGTH_FORBIDDEN"),
            ("HTTP/1.1 103 Hints\r\nContent-Length: 0\r\n\r\n", "HTTP_LENGTH_FORBIDDEN"),
        ];
        for (head, code) in wrong {
            assert_eq!(
                told(head).iter().map(|(code, _)| *code).collect::<Vec<_>>(),
                [code],
                "{head:?}"
            );
        }
    }
}
