use framescope_core::Direction::{self, ClientToServer as Up, ServerToClient as Down};

use super::*;
use crate::upstream::Target;

const OPEN: &str = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno";
const GET: &str = "GET /page HTTP/1.1\r\nHost: h\r\n\r\n";
/// Looks like a request whose head would be edited.
const GLUED: &str = "GET /glued HTTP/1.1\r\nHost: h\r\n\r\n";

/// A conversation, octets handed over `step` at a time: what each side gets to see.
struct Talk {
    exchange: Exchange,
    step: usize,
    up: Vec<u8>,
    down: Vec<u8>,
    told: Vec<String>,
}

impl Talk {
    fn new(strict: bool, step: usize) -> Self {
        let rewrite = Rewrite::new(&Target::parse("ws://upstream").unwrap(), false);
        let exchange = Exchange::new(Arc::new(rewrite), false, strict);
        Self { exchange, step, up: Vec::new(), down: Vec::new(), told: Vec::new() }
    }

    fn say(&mut self, direction: Direction, octets: impl AsRef<[u8]>) {
        for part in octets.as_ref().chunks(self.step) {
            let mut input = part;
            while !input.is_empty() {
                match direction {
                    Up => match self.exchange.upward(&mut input) {
                        Upward::Same(same) => self.up.extend_from_slice(same),
                        Upward::Held => {}
                        Upward::Head { octets, alterations, .. } => {
                            self.up.extend_from_slice(&octets);
                            self.told.extend(alterations.into_iter().map(|a| a.what));
                        }
                        Upward::Unread { octets, .. } => {
                            self.up.extend_from_slice(&octets);
                            self.told.push("unread".into());
                        }
                    },
                    Down => match self.exchange.downward(&mut input) {
                        Downward::Same(same) => self.down.extend_from_slice(same),
                        Downward::Held => {}
                        Downward::Checked(held) => self.down.extend_from_slice(&held),
                        Downward::Refused { answer, reason, .. } => {
                            self.down.extend_from_slice(&answer.octets);
                            self.told.push(reason);
                            input = &[];
                        }
                    },
                }
            }
            let released = self.exchange.take_released();
            self.up.extend_from_slice(&released);
        }
    }
}

fn edited(sent: &str) -> String {
    sent.replace("Host: h\r\n", "Host: upstream\r\n")
}

/// What it shows, who says what, and what the upstream is to see; the client sees what was said.
type Conversation = (&'static str, Vec<(Direction, String)>, String);

fn say(direction: Direction, octets: &str) -> (Direction, String) {
    (direction, octets.to_owned())
}

/// What comes beside a request to upgrade, and what becomes of it.
fn conversations_in_hope() -> Vec<Conversation> {
    vec![
        (
            "what was sent in hope passes as it was, and is followed where it turns out to be HTTP",
            vec![
                say(Up, &format!("{OPEN}{GLUED}{OPEN}GET /half HTTP/1.1\r\nHo")),
                say(Down, REFUSED),
                say(Down, "HTTP/1.1 204 No Content\r\n\r\n"),
                say(Down, REFUSED),
                say(Up, "st: h\r\n\r\n"),
                say(Up, GET),
            ],
            edited(OPEN) + GLUED + OPEN + "GET /half HTTP/1.1\r\nHost: h\r\n\r\n" + &edited(GET),
        ),
        (
            "the body of a request to upgrade is no hope, and frames begin behind it",
            vec![
                say(Up, &OPEN.replace("Host", "Content-Length: 3\r\nHost")),
                say(Up, "abc"),
                say(Down, REFUSED),
                say(Up, &OPEN.replace("Host", "Content-Length: 3\r\nHost")),
                say(Up, "ab"),
                say(Down, REFUSED),
                say(Up, &format!("c{GET}")),
                say(Down, "HTTP/1.1 204 No Content\r\n\r\n"),
                say(Up, &OPEN.replace("Host", "Content-Length: 3\r\nHost")),
                say(Up, "abc"),
                say(Down, ACCEPTED),
                say(Up, GLUED),
            ],
            {
                let open = edited(&OPEN.replace("Host", "Content-Length: 3\r\nHost"));
                format!("{open}abc{open}abc{}{open}abc{GLUED}", edited(GET))
            },
        ),
        (
            "the answer to a request before it decides nothing about a WebSocket",
            vec![
                say(Up, &format!("{GET}{OPEN}")),
                say(Down, "HTTP/1.1 204 No Content\r\n\r\n"),
                say(Up, GLUED),
                say(Down, ACCEPTED),
            ],
            edited(GET) + &edited(OPEN) + GLUED,
        ),
    ]
}

fn conversations() -> Vec<Conversation> {
    let post = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = "5;ext=1\r\nab\r\nc\r\n0\r\nTrailer: Host: h\r\n\r\n";
    vec![
        (
            "a WebSocket opens, and everything after it is octets",
            vec![say(Up, OPEN), say(Down, ACCEPTED), say(Up, GLUED), say(Down, GLUED)],
            edited(OPEN) + GLUED,
        ),
        (
            "octets glued to the request pass at once, whatever the answer",
            vec![say(Up, &format!("{OPEN}{GLUED}")), say(Down, ACCEPTED), say(Up, GLUED)],
            edited(OPEN) + GLUED + GLUED,
        ),
        (
            "after a refusal the next request is a request again",
            vec![
                say(Up, OPEN),
                say(Down, REFUSED),
                say(Up, OPEN),
                say(Down, ACCEPTED),
                say(Up, GLUED),
            ],
            edited(OPEN) + &edited(OPEN) + GLUED,
        ),
        (
            "interim answers do not count",
            vec![
                say(Up, OPEN),
                say(Down, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
                say(Down, ACCEPTED),
                say(Up, GLUED),
            ],
            edited(OPEN) + GLUED,
        ),
        (
            "bodies pass verbatim, and the request behind one is edited again",
            vec![
                say(Up, post),
                say(Up, chunks),
                say(Up, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nHost: h\r\n"),
                say(Up, GET),
            ],
            edited(post)
                + chunks
                + "PUT / HTTP/1.1\r\nHost: upstream\r\nContent-Length: 9\r\n\r\nHost: h\r\n"
                + &edited(GET),
        ),
        (
            "the answer to HEAD has no body, whatever its length says",
            vec![
                say(Up, "HEAD / HTTP/1.1\r\n\r\n"),
                say(Up, OPEN),
                say(Down, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
                say(Down, ACCEPTED),
                say(Up, GLUED),
            ],
            "HEAD / HTTP/1.1\r\n\r\n".to_owned() + &edited(OPEN) + GLUED,
        ),
        (
            "what looks like a 101 inside a body is none",
            vec![
                say(Up, GET),
                say(Down, "HTTP/1.1 200 OK\r\nContent-Length: "),
                say(Down, &format!("{}\r\n\r\n{ACCEPTED}", ACCEPTED.len())),
                say(Up, GET),
            ],
            edited(GET) + &edited(GET),
        ),
        (
            "an upgrade to anything else makes both sides bare too",
            vec![
                say(Up, GET),
                say(Up, "GARBLED held back as a head"),
                say(Down, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
                say(Up, GLUED),
            ],
            edited(GET) + "GARBLED held back as a head" + GLUED,
        ),
        (
            "a tunnel that was granted is bare",
            vec![
                say(Up, "CONNECT a:1 HTTP/1.1\r\n\r\n"),
                say(Down, "HTTP/1.1 200 OK\r\n\r\n"),
                say(Up, GLUED),
            ],
            "CONNECT a:1 HTTP/1.1\r\n\r\n".to_owned() + GLUED,
        ),
        (
            "what is no request passes as it is, and so does all behind it",
            vec![say(Up, GET), say(Up, "NOT HTTP\r\n\r\n"), say(Up, GLUED)],
            edited(GET) + "NOT HTTP\r\n\r\n" + GLUED,
        ),
        (
            "what is no answer passes as it is, and requests are still edited",
            vec![say(Up, GET), say(Down, "NOT HTTP\r\n\r\nat all"), say(Up, GET)],
            edited(GET) + &edited(GET),
        ),
    ]
}

#[test]
fn octets_pass_verbatim_but_for_request_heads_at_any_split() {
    for (claim, conversation, expected) in
        conversations().into_iter().chain(conversations_in_hope())
    {
        for (strict, step) in [(false, 1), (false, 7), (false, 10_000), (true, 1), (true, 64)] {
            let mut talk = Talk::new(strict, step);
            let mut said = String::new();
            for (direction, octets) in &conversation {
                talk.say(*direction, octets);
                if *direction == Down {
                    said.push_str(octets);
                }
            }
            let up = String::from_utf8_lossy(&talk.up);
            assert_eq!(up, expected, "{claim} (strict: {strict}, split: {step})");
            let down = String::from_utf8_lossy(&talk.down);
            assert_eq!(down, said, "{claim} (strict: {strict}, split: {step})");
        }
    }
}

#[test]
fn strict_refuses_a_wrong_accept_and_says_what_was_due() {
    let wrong = ACCEPTED.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "AAAA");
    let missing = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    let twice =
        ACCEPTED.replace("Sec", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec");
    for (answer, seen) in [(&wrong[..], "\"AAAA\""), (missing, "without"), (&twice, "xOo=, s3pPL")]
    {
        for step in [1, 1000] {
            let mut talk = Talk::new(true, step);
            talk.say(Up, OPEN);
            talk.say(Down, answer);
            let down = String::from_utf8_lossy(&talk.down);
            assert!(down.starts_with("HTTP/1.1 502 "), "{down}");
            assert!(down.contains(seen), "{down}");
            assert!(down.contains("\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\""), "{down}");
            let mut lenient = Talk::new(false, step);
            lenient.say(Up, OPEN);
            lenient.say(Down, answer);
            assert_eq!(lenient.down, answer.as_bytes());
        }
    }
}

#[test]
fn strict_stays_strict_behind_what_was_sent_in_hope() {
    let wrong = ACCEPTED.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "AAAA");
    for step in [1, 1000] {
        let mut talk = Talk::new(true, step);
        talk.say(Up, format!("{OPEN}{GET}"));
        talk.say(Down, REFUSED);
        talk.say(Down, "HTTP/1.1 204 No Content\r\n\r\n");
        talk.say(Up, OPEN);
        talk.say(Down, &wrong);
        let down = String::from_utf8_lossy(&talk.down);
        assert!(down.contains("HTTP/1.1 502 "), "{down}");
    }
}

#[test]
fn on_a_kept_alive_connection_a_change_is_told_once_but_for_every_websocket() {
    let mut talk = Talk::new(false, 100);
    for request in [GET, GET, OPEN, GET] {
        talk.say(Up, request);
        talk.say(Down, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    assert_eq!(talk.told, ["Host", "Host"]);
}

#[test]
fn what_is_held_back_passes_when_its_sender_ends() {
    let mut talk = Talk::new(true, 100);
    talk.say(Up, OPEN);
    talk.say(Down, "HTTP/1.1 101 Swi");
    assert_eq!(talk.down, b"");
    assert_eq!(talk.exchange.upstream_ended(), b"HTTP/1.1 101 Swi");
    let mut talk = Talk::new(false, 100);
    talk.say(Up, "GET / HT");
    assert_eq!(talk.up, b"");
    assert_eq!(talk.exchange.client_ended(), b"GET / HT");
    assert_eq!(talk.exchange.client_ended(), b"");
}

#[test]
fn a_client_that_never_lets_the_server_answer_has_to_wait() {
    let mut talk = Talk::new(false, 1 << 20);
    talk.say(Up, GET.repeat(PIPELINE_LIMIT - 1));
    assert!(talk.exchange.takes_requests());
    talk.say(Up, GET);
    assert!(!talk.exchange.takes_requests());
    talk.say(Down, "HTTP/1.1 204 No Content\r\n\r\n");
    assert!(talk.exchange.takes_requests());
    talk.say(Down, "not HTTP any more\r\n\r\n");
    assert!(talk.exchange.takes_requests());
}

#[test]
fn a_head_beyond_the_limit_passes_unread() {
    let endless = "GET / HTTP/1.1\r\nX: ".to_owned() + &"x".repeat(HEAD_LIMIT + 10);
    let mut talk = Talk::new(false, 10_000);
    talk.say(Up, &endless);
    assert_eq!(talk.told, ["unread"]);
    assert_eq!(talk.up, endless.as_bytes());
}
