//! Whole handshakes: which checks pass, which rules fire, and where.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::Severity;
use crate::diagnostics::rules;

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: 127.0.0.1:9870\r\nUpgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
    Connection: upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

fn handshake(request: &str, response: &str) -> OpeningHandshake {
    OpeningHandshake::check(
        Arc::new(Head::parse_request(Bytes::from(request.to_owned()), 0).unwrap()),
        Arc::new(Head::parse_response(Bytes::from(response.to_owned()), 100).unwrap()),
        None,
    )
}

/// The handshake with `from` replaced by `to`, in whichever head has it.
fn altered(from: &str, to: &str) -> OpeningHandshake {
    assert!(REQUEST.contains(from) || RESPONSE.contains(from), "{from} is in a head");
    handshake(&REQUEST.replacen(from, to, 1), &RESPONSE.replacen(from, to, 1))
}

fn broken(handshake: &OpeningHandshake) -> Vec<(&'static str, String)> {
    let checks = handshake.checks.iter();
    checks
        .filter_map(|check| Some((check.failed?.code, check.detail.clone().unwrap_or_default())))
        .collect()
}

fn codes(handshake: &OpeningHandshake) -> Vec<&'static str> {
    broken(handshake).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn a_good_handshake_passes_every_check_in_the_order_of_the_rfc() {
    let handshake = handshake(REQUEST, RESPONSE);
    let told: Vec<_> =
        handshake.checks.iter().map(|check| (check.statement.as_str(), check.section)).collect();
    assert_eq!(
        told,
        [
            ("GET over HTTP/1.1", "RFC 6455 §4.1"),
            ("Host is present", "RFC 6455 §4.1"),
            ("Upgrade and Connection name websocket", "RFC 6455 §4.2.1"),
            ("Version is 13", "RFC 6455 §4.1"),
            ("Key is 16 octets", "RFC 6455 §4.1"),
            ("The server switched protocols", "RFC 6455 §4.2.2"),
            ("The answer's Upgrade and Connection name websocket", "RFC 6455 §4.2.2"),
            ("Accept answers the key", "RFC 6455 §4.2.2"),
            ("Subprotocol chat was offered", "RFC 6455 §4.2.2"),
            ("permessage-deflate was offered", "RFC 7692 §7.1"),
        ]
    );
    assert_eq!(broken(&handshake), []);
    assert!(handshake.upgraded);
    assert_eq!(handshake.accept.verdict, AcceptVerdict::Matches);
    assert_eq!(handshake.subprotocol.offered, ["chat", "superchat"]);
    assert_eq!(handshake.subprotocol.chosen, ["chat"]);
    assert_eq!(handshake.deflate, Some(DeflateParams::default()));
    assert_eq!(handshake.findings(), []);
}

#[test]
fn a_handshake_that_negotiates_nothing_is_good_too() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let response = "HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let handshake = handshake(request, response);
    assert_eq!(broken(&handshake), []);
    assert_eq!(handshake.checks.len(), 8);
    assert_eq!(handshake.deflate, None);
}

/// What is replaced in a good handshake, by what; the rule that fires, and what it shows.
type Row = (&'static str, &'static str, &'static Rule, &'static str);

#[track_caller]
fn each_fires_alone(rows: &[Row]) {
    for (from, to, rule, detail) in rows {
        let handshake = altered(from, to);
        assert_eq!(broken(&handshake), [(rule.code, (*detail).to_owned())], "{from:?} -> {to:?}");
    }
}

#[test]
fn the_start_lines_and_lines_of_the_heads() {
    each_fires_alone(&[
        ("GET /", "POST /", &rules::HANDSHAKE_METHOD_NOT_GET, "POST /chat HTTP/1.1"),
        ("chat HTTP/1.1", "chat HTTP/1.0", &rules::HANDSHAKE_HTTP_VERSION, "GET /chat HTTP/1.0"),
        (
            "HTTP/1.1 101",
            "HTTP/1.0 101",
            &rules::HANDSHAKE_ANSWER_HTTP_VERSION,
            "HTTP/1.0 101 Switching Protocols",
        ),
        (
            "Host: ",
            "Host : ",
            &rules::HTTP_SPACE_BEFORE_COLON,
            "white space between a field's name and its colon: Host ",
        ),
    ]);
}

#[test]
fn host_upgrade_connection_and_version() {
    each_fires_alone(&[
        ("Host: 127.0.0.1:9870\r\n", "", &rules::HANDSHAKE_HOST_MISSING, "there is no Host"),
        ("Host: 127.0.0.1", "Host: a\r\nhost: b", &rules::HANDSHAKE_HOST_REPEATED, "a, b:9870"),
        ("Upgrade: websocket\r\n", "", &rules::HANDSHAKE_UPGRADE_MISSING, "there is no Upgrade"),
        ("Upgrade: websocket", "Upgrade: h2c", &rules::HANDSHAKE_UPGRADE_MISSING, "Upgrade: h2c"),
        ("Upgrade: WebSocket", "Upgrade: web", &rules::HANDSHAKE_UPGRADE_MISSING, "Upgrade: web"),
        ("-alive, Upgrade", "", &rules::HANDSHAKE_CONNECTION_MISSING, "Connection: keep"),
        (
            "Connection: upgrade\r\n",
            "",
            &rules::HANDSHAKE_CONNECTION_MISSING,
            "there is no Connection",
        ),
        ("n: 13", "n: 8", &rules::HANDSHAKE_VERSION_NOT_13, "Sec-WebSocket-Version: 8"),
        ("n: 13", "n: 13, 8", &rules::HANDSHAKE_VERSION_NOT_13, "Sec-WebSocket-Version: 13, 8"),
        (
            "Sec-WebSocket-Version: 13\r\n",
            "",
            &rules::HANDSHAKE_VERSION_NOT_13,
            "there is no Sec-WebSocket-Version",
        ),
    ]);
}

#[test]
fn key_and_accept() {
    each_fires_alone(&[
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "",
            &rules::HANDSHAKE_KEY_MISSING,
            "there is no Sec-WebSocket-Key",
        ),
        (
            "Version: 13\r\n",
            "Version: 13\r\nSec-WebSocket-Key: x\r\n",
            &rules::HANDSHAKE_KEY_REPEATED,
            "dGhlIHNhbXBsZSBub25jZQ==, x",
        ),
        (
            "s3pP",
            "S3pP",
            &rules::HANDSHAKE_ACCEPT_WRONG,
            "S3pPLMBiTxaQ9kYGzzhZRbK+xOo= instead of s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ),
        (
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            "",
            &rules::HANDSHAKE_ACCEPT_MISSING,
            "due is s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ),
        (
            "xOo=\r\n",
            "xOo=\r\nSec-WebSocket-Accept: x\r\n",
            &rules::HANDSHAKE_ACCEPT_REPEATED,
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, x",
        ),
    ]);
}

#[test]
fn subprotocols() {
    each_fires_alone(&[
        (
            "chat, superchat",
            "chat, chat",
            &rules::HANDSHAKE_SUBPROTOCOL_INVALID,
            "chat is offered twice",
        ),
        (
            "chat, superchat",
            "chat, a b",
            &rules::HANDSHAKE_SUBPROTOCOL_INVALID,
            "a b is not a token",
        ),
        (
            "Protocol: chat\r\n",
            "Protocol: Chat\r\n",
            &rules::HANDSHAKE_SUBPROTOCOL_NOT_OFFERED,
            "offered: chat, superchat",
        ),
        (
            "Sec-WebSocket-Protocol: chat\r\n",
            "",
            &rules::HANDSHAKE_SUBPROTOCOL_UNANSWERED,
            "offered: chat, superchat",
        ),
        (
            "Protocol: chat\r\n",
            "Protocol: chat, superchat\r\n",
            &rules::HANDSHAKE_SUBPROTOCOL_INVALID,
            "chat, superchat",
        ),
        (
            "Sec-WebSocket-Protocol: chat, superchat\r\n",
            "",
            &rules::HANDSHAKE_SUBPROTOCOL_NOT_OFFERED,
            "none was offered",
        ),
    ]);
}

#[test]
fn extensions() {
    const OFFER: &str = "permessage-deflate; client_max_window_bits\r\n";
    const ANSWER: &str = "permessage-deflate\r\n";
    each_fires_alone(&[
        (
            OFFER,
            "permessage-deflate, foo; =1\r\n",
            &rules::HANDSHAKE_EXTENSION_SYNTAX,
            "'=' at octet 25 where a parameter's name should stand",
        ),
        (
            OFFER,
            "permessage-deflate; server_max_window_bits=3, permessage-deflate\r\n",
            &rules::DEFLATE_OFFER_INVALID,
            "server_max_window_bits=3 is not a number from 8 to 15",
        ),
        (ANSWER, "permessage-deflate, foo\r\n", &rules::HANDSHAKE_EXTENSION_NOT_OFFERED, "foo"),
        (
            ANSWER,
            "Permessage-Deflate\r\n",
            &rules::HANDSHAKE_EXTENSION_NOT_OFFERED,
            "Permessage-Deflate",
        ),
        (
            ANSWER,
            "permessage-deflate;\r\n",
            &rules::HANDSHAKE_EXTENSION_SYNTAX,
            "the end at octet 19 where a parameter's name should stand",
        ),
        (
            ANSWER,
            "permessage-deflate; server_max_window_bits=16\r\n",
            &rules::HANDSHAKE_EXTENSION_INVALID,
            "server_max_window_bits=16 is not a number from 8 to 15",
        ),
    ]);
}

#[test]
fn rules_that_come_together() {
    let due = AcceptDerivation::new("short").accept;
    assert_eq!(
        broken(&altered("Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: short")),
        [
            ("HANDSHAKE_KEY_INVALID", "short".to_owned()),
            ("HANDSHAKE_ACCEPT_WRONG", format!("s3pPLMBiTxaQ9kYGzzhZRbK+xOo= instead of {due}")),
        ]
    );
    let rows = [
        (
            "GET /chat HTTP/1.1",
            "HEAD /chat HTTP/1.0",
            ["HANDSHAKE_HTTP_VERSION", "HANDSHAKE_METHOD_NOT_GET"],
        ),
        (
            "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
            "",
            ["HANDSHAKE_UPGRADE_MISSING", "HANDSHAKE_CONNECTION_MISSING"],
        ),
        (
            "Protocol: chat\r\n",
            "Protocol: \r\n",
            ["HANDSHAKE_SUBPROTOCOL_UNANSWERED", "HANDSHAKE_SUBPROTOCOL_INVALID"],
        ),
    ];
    for (from, to, expected) in rows {
        assert_eq!(codes(&altered(from, to)), expected, "{from:?} -> {to:?}");
    }
}

#[test]
fn a_refusal_is_told_with_the_fields_that_say_why() {
    let rows = [
        ("200 OK\r\n", "200 OK"),
        (
            "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\n",
            "401 Unauthorized; WWW-Authenticate: Basic realm=\"a\"",
        ),
        ("302 Found\r\nLocation: https://a/b\r\n", "302 Found; Location: https://a/b"),
        (
            "426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8, 7\r\n",
            "426 Upgrade Required; Sec-WebSocket-Version: 13, 8, 7",
        ),
        ("503\r\nRetry-After: 5\r\n", "503; Retry-After: 5"),
        ("403 \u{9b}2J\r\n", "403 \\u{9b}2J"),
    ];
    for (response, detail) in rows {
        let handshake = handshake(REQUEST, &format!("HTTP/1.1 {response}\r\n"));
        assert!(!handshake.upgraded);
        assert_eq!(handshake.accept.verdict, AcceptVerdict::NotDue);
        assert_eq!(handshake.deflate, None);
        assert_eq!(broken(&handshake), [("HANDSHAKE_REFUSED", detail.to_owned())], "{response:?}");
    }
}

#[test]
fn a_101_to_another_protocol_is_no_websocket_and_one_that_names_none_is() {
    assert!(!altered("Upgrade: WebSocket", "Upgrade: h2c").upgraded);
    assert!(altered("Upgrade: WebSocket", "Upgrade: foo, websocket").upgraded);
    assert!(altered("Upgrade: WebSocket\r\n", "").upgraded);
}

#[test]
fn deflate_goes_on_where_its_answer_breaks_the_rules() {
    let unasked = altered("permessage-deflate; client_max_window_bits", "foo");
    assert_eq!(unasked.deflate, Some(DeflateParams::default()));
    assert_eq!(codes(&unasked), ["HANDSHAKE_EXTENSION_NOT_OFFERED"]);
}

#[test]
fn findings_lie_at_their_field_or_at_the_whole_head() {
    let found = altered("s3pP", "S3pP").findings();
    let field = RESPONSE.find("Sec-WebSocket-Accept").unwrap() as u64;
    let len = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n".len() as u64;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].offset, found[0].len), (100 + field, len));
    assert_eq!(found[0].direction, Direction::ServerToClient);

    let host = "Host: 127.0.0.1:9870\r\n";
    let found = altered(host, "").findings();
    assert_eq!((found[0].offset, found[0].len), (0, (REQUEST.len() - host.len()) as u64));
    assert_eq!(found[0].direction, Direction::ClientToServer);
    assert_eq!(found[0].evidence, "there is no Host");
}

#[test]
fn long_values_are_cut_in_details() {
    let handshake = altered("Version: 13", &format!("Version: {}", "9".repeat(100_000)));
    assert!(broken(&handshake)[0].1.chars().count() < 300);
    assert_eq!(handshake.checks[3].severity(), Some(Severity::Error));
}

/// A head with lines cut out, doubled and mixed up, and some octets changed.
fn mangled(head: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<&str> = head.trim_end().split_inclusive("\r\n").collect();
    let start = lines[0];
    let fields = prop::collection::vec(prop::sample::select(lines), 0..14);
    let noise = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (fields, noise).prop_map(move |(fields, noise)| {
        let mut octets = [start, &fields.concat(), "\r\n\r\n"].concat().into_bytes();
        for (place, octet) in noise {
            let at = place.index(octets.len());
            octets[at] = octet;
        }
        octets
    })
}

proptest! {
    #[test]
    fn any_two_heads_are_checked_and_findings_lie_within_them(
        request in mangled(REQUEST), response in mangled(RESPONSE),
    ) {
        let request = Head::parse_request(Bytes::from(request), 5);
        let response = Head::parse_response(Bytes::from(response), 7);
        let (Ok(request), Ok(response)) = (request, response) else { return Ok(()) };
        let (request, response) = (Arc::new(request), Arc::new(response));
        let handshake = OpeningHandshake::check(request.clone(), response.clone(), None);
        for check in &handshake.checks {
            let head = match check.direction {
                Direction::ClientToServer => &request,
                Direction::ServerToClient => &response,
            };
            let end = head.offset + head.raw.len() as u64;
            prop_assert!(check.place.offset >= head.offset);
            prop_assert!(check.place.offset + check.place.len <= end);
            prop_assert!(check.failed.is_none() || check.detail.is_some(), "what was seen is told");
        }
        let is_101 = response.status() == Some(101);
        prop_assert_eq!(handshake.accept.verdict == AcceptVerdict::NotDue, !is_101);
        prop_assert!(is_101 || !handshake.upgraded && handshake.deflate.is_none());
    }
}

#[test]
fn a_426_owes_the_versions_only_to_who_asked_for_another_than_13() {
    let told = |version: &str, answer: &str| {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {version}\r\n\r\n"
        );
        let answer =
            format!("HTTP/1.1 426 Upgrade Required\r\n{answer}\r\nContent-Length: 0\r\n\r\n");
        let request = Head::parse_request(Bytes::from(request), 0).unwrap();
        let response = Head::parse_response(Bytes::from(answer), 0).unwrap();
        let handshake = OpeningHandshake::check(request.into(), response.into(), None);
        let findings = handshake.findings();
        findings.iter().any(|finding| finding.rule.code == rules::HANDSHAKE_VERSIONS_UNTOLD.code)
    };
    assert!(!told("13", "Upgrade: TLS/1.2"));
    assert!(told("8", "Upgrade: websocket"));
    assert!(!told("8", "Sec-WebSocket-Version: 13"));
}
