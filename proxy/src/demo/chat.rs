//! `/chat?room=NAME`: a chat room in JSON texts, subprotocol `chat.framescope`.
//!
//! A client sends `{"type":"join","nick":"ada"}` first, then as it likes
//! `{"type":"message","text":"hello"}`, `{"type":"typing","on":true}` and at the end `{"type":"leave"}`,
//! which the server answers with Close 1000. It hears `welcome`, `presence`, `join`, `leave`,
//! `message`, `typing` and `error`. A binary message is passed on to the others in the room as it came.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;

use super::peer::{End, Limits, Peer};
use super::rooms::{Inbox, Notice, Rooms, Seat};

pub(super) const LIMITS: Limits =
    Limits { message_max: 16 * 1024, ping_every: Duration::from_secs(15) };

/// Longest nick, in characters.
const NICK_MAX: usize = 24;
/// What is said to whoever chose another.
pub(super) const NICK_RULE: &str = "a nick has 1 to 24 characters that can be seen";
/// Longest name of a room, in octets.
const ROOM_MAX: usize = 32;
/// Messages that a client may send at once; it regains [`REFILL_PER_SEC`] of them each second.
const BURST: f64 = 60.0;
const REFILL_PER_SEC: f64 = 20.0;

/// What a client says.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Request {
    Join { nick: String },
    Message { text: String },
    Typing { on: bool },
    Leave,
}

impl Request {
    /// What a client's JSON asks for; `Err` says what it may be.
    pub fn parse(json: &str) -> Result<Self, &'static str> {
        serde_json::from_str(json)
            .map_err(|_| r#"expected JSON with "type": join, message, typing or leave"#)
    }
}

/// What came of a member's request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was done; the number of the message, where one was said.
    Done(Option<u64>),
    /// It cannot be done, and why.
    Refused(&'static str),
    /// The member wants to go.
    Left,
}

/// Does what a member asks.
pub(super) fn act(seat: &Seat, request: &Request) -> Outcome {
    match request {
        Request::Message { text } if text.trim().is_empty() => {
            Outcome::Refused("the text is empty")
        }
        Request::Message { text } => Outcome::Done(seat.say(text)),
        Request::Typing { on } => {
            seat.typing(*on);
            Outcome::Done(None)
        }
        Request::Join { .. } => Outcome::Refused("you are in the room already"),
        Request::Leave => Outcome::Left,
    }
}

/// Whether a room may be called so: letters, digits, `-` and `_`, at most 32 of them.
pub(super) fn is_room_name(name: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    (1..=ROOM_MAX).contains(&name.len()) && name.bytes().all(fits)
}

/// Holds one conversation to its end.
pub(super) async fn serve(mut peer: Peer, rooms: &Arc<Rooms>, room: &str) {
    let Err(end) = converse(&mut peer, rooms, room).await;
    peer.finish(end).await;
}

async fn converse(peer: &mut Peer, rooms: &Arc<Rooms>, room: &str) -> Result<Infallible, End> {
    let mut allowance = Allowance::new(Instant::now());
    let (seat, mut inbox) = take_seat(peer, rooms, room, &mut allowance).await?;
    loop {
        tokio::select! {
            said = peer.receive() => {
                let said = said?;
                allowance.spend(Instant::now())?;
                if let Some(fault) = hear(&seat, &said)? {
                    peer.send(Notice::Error { reason: fault }.into()).await?;
                }
            }
            heard = inbox.next() => match heard {
                Some(message) => peer.send(message).await?,
                None => return Err(End::slow_reader()),
            }
        }
    }
}

/// Waits for `join`.
async fn take_seat(
    peer: &mut Peer,
    rooms: &Arc<Rooms>,
    room: &str,
    allowance: &mut Allowance,
) -> Result<(Seat, Inbox), End> {
    loop {
        let said = peer.receive().await?;
        allowance.spend(Instant::now())?;
        let reason = match parse(&said) {
            Ok(Request::Join { nick }) => match tidy_nick(&nick) {
                Some(nick) => {
                    let full = |_| End::try_again_later("no seat is free in this room");
                    return rooms.join(room, nick).map_err(full);
                }
                None => NICK_RULE,
            },
            Ok(Request::Leave) => return Err(End::Close(1000, "bye".into())),
            Ok(_) => r#"join first: {"type":"join","nick":"ada"}"#,
            Err(reason) => reason,
        };
        peer.send(Notice::Error { reason }.into()).await?;
    }
}

/// Does what a member says; returns what is to be said back if it was not understood.
fn hear(seat: &Seat, said: &Message) -> Result<Option<&'static str>, End> {
    if matches!(said, Message::Binary(_)) {
        seat.pass_on(said);
        return Ok(None);
    }
    match parse(said).map(|request| act(seat, &request)) {
        Ok(Outcome::Done(_)) => Ok(None),
        Ok(Outcome::Refused(reason)) | Err(reason) => Ok(Some(reason)),
        Ok(Outcome::Left) => Err(End::Close(1000, "bye".into())),
    }
}

fn parse(said: &Message) -> Result<Request, &'static str> {
    match said {
        Message::Text(text) => Request::parse(text),
        _ => Err("expected a text message"),
    }
}

/// A nick without room around it; `None` if nobody may be called so.
pub(super) fn tidy_nick(nick: &str) -> Option<&str> {
    let nick = nick.trim();
    let fits =
        !nick.is_empty() && nick.chars().count() <= NICK_MAX && !nick.chars().any(char::is_control);
    fits.then_some(nick)
}

/// How many messages a client may still send: a bucket that refills with time.
#[derive(Debug)]
pub(super) struct Allowance {
    left: f64,
    since: Instant,
}

impl Allowance {
    /// A full bucket.
    pub fn new(now: Instant) -> Self {
        Self { left: BURST, since: now }
    }

    /// Takes one message out of it.
    pub fn spend(&mut self, now: Instant) -> Result<(), End> {
        let regained = now.duration_since(self.since).as_secs_f64() * REFILL_PER_SEC;
        self.left = (self.left + regained).min(BURST) - 1.0;
        self.since = now;
        if self.left < 0.0 { Err(End::policy("too many messages")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_names_are_plain() {
        for (name, fits) in [
            ("lobby", true),
            ("Ops-2_b", true),
            ("", false),
            ("two words", false),
            ("caf\u{e9}", false),
            ("../etc", false),
        ] {
            assert_eq!(is_room_name(name), fits, "{name:?}");
        }
        assert!(is_room_name(&"x".repeat(32)));
        assert!(!is_room_name(&"x".repeat(33)));
    }

    #[test]
    fn nicks_are_trimmed_and_can_be_seen() {
        assert_eq!(tidy_nick("  ada "), Some("ada"));
        assert_eq!(tidy_nick("Ren\u{e9}e"), Some("Ren\u{e9}e"));
        assert_eq!(tidy_nick("   "), None);
        assert_eq!(tidy_nick("a\u{7}b"), None);
        assert_eq!(tidy_nick(&"x".repeat(25)), None);
    }

    #[test]
    fn a_flood_is_stopped_and_a_steady_talker_is_not() {
        let start = Instant::now();
        let mut flood = Allowance::new(start);
        assert_eq!((0..1000).take_while(|_| flood.spend(start).is_ok()).count(), 60);
        let mut steady = Allowance::new(start);
        for n in 1..1000 {
            assert_eq!(steady.spend(start + n * Duration::from_millis(50)), Ok(()));
        }
    }
}
