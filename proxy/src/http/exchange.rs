//! Requests and answers of one connection: which octets are heads, and when there are none any more.
//!
//! ```text
//!   ↑  Head ─► Body ─► Head …                ↓  Head ─► Body ─► Head …
//!       └► Body ─► Undecided (asked to upgrade)  │
//!            │ answered otherwise ─► Head, Sent  └ 101, CONNECT answered 2xx, not HTTP ─► Bare
//!            └ 101 ─► Bare
//! ```
//!
//! Without sockets: octets in, octets out.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use framescope_core::Head;
use framescope_core::connection::Alteration;
use framescope_core::handshake::AcceptDerivation;
use framescope_core::http::{AnswerTo, BodyDecoder, BodyFraming, BodyPart, HeadError, HeadReader};

use super::{Answer, Rewrite};

/// A head longer than this, in octets, passes unread.
pub const HEAD_LIMIT: usize = 256 << 10;

/// Octets sent behind a request to upgrade that are kept until it is answered.
const HOPE_LIMIT: usize = 64 << 10;

/// Requests that may be sent before any is answered; then the client waits.
const PIPELINE_LIMIT: usize = 4096;

/// Follows both lanes of one connection.
#[derive(Debug)]
pub struct Exchange {
    rewrite: Arc<Rewrite>,
    client_tls: bool,
    strict: bool,
    up: Up,
    down: Down,
    awaited: VecDeque<Awaited>,
    /// Client octets that were held back as a head's beginning and turned out to be none.
    released: Vec<u8>,
    /// What was said of the last request that was altered.
    told: Vec<Alteration>,
}

#[derive(Debug)]
enum Up {
    Head(HeadReader),
    /// A head whose beginning has passed already: the rest passes as it is too.
    Sent(HeadReader),
    Body {
        decoder: BodyDecoder,
        /// Of a request to open a WebSocket that waits for its answer.
        is_upgrade: bool,
    },
    /// After a request to open a WebSocket: octets pass, whatever they will turn out to be.
    Undecided(Hope),
    Bare,
}

/// What the client sent before it knew whether there is a WebSocket.
#[derive(Debug, Default)]
struct Hope {
    /// Where it is more than [`HOPE_LIMIT`], the first of it.
    octets: Vec<u8>,
    is_whole: bool,
}

impl Hope {
    fn new() -> Self {
        Self { octets: Vec::new(), is_whole: true }
    }

    fn passed(&mut self, octets: &[u8]) {
        self.is_whole &= octets.len() <= HOPE_LIMIT - self.octets.len();
        if self.is_whole {
            self.octets.extend_from_slice(octets);
        }
    }
}

#[derive(Debug)]
enum Down {
    Head(HeadReader),
    Body(BodyDecoder),
    Bare,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Awaited {
    asks: AnswerTo,
    /// `Sec-WebSocket-Key` of a request to open a WebSocket; empty where it has none.
    websocket_key: Option<String>,
}

/// What client octets become on their way to the upstream.
#[derive(Debug)]
pub enum Upward<'a> {
    /// They pass as they are.
    Same(&'a [u8]),
    /// They are the beginning of a head that is not whole yet.
    Held,
    /// A request head is whole.
    Head {
        /// As the upstream is to get it.
        octets: Bytes,
        /// Octets of it as the client sent it.
        sent_len: usize,
        /// What was changed and has not been said before.
        alterations: Vec<Alteration>,
        /// Whether it asks to open a WebSocket.
        is_upgrade: bool,
    },
    /// What was held is no head: it passes as it is, and so does everything after it.
    Unread {
        /// What was held.
        octets: Bytes,
        /// One line that says why.
        reason: String,
    },
}

/// What upstream octets become on their way to the client.
#[derive(Debug)]
pub enum Downward<'a> {
    /// They pass as they are.
    Same(&'a [u8]),
    /// They are held until the head is whole, to be checked.
    Held,
    /// What was held passes as it is.
    Checked(Bytes),
    /// The answer does not pass; the client gets another, and the connection ends.
    Refused {
        /// What the upstream answered.
        octets: Bytes,
        /// What the client is told instead.
        answer: Answer,
        /// One line that says why.
        reason: String,
    },
}

impl Exchange {
    /// At the first octet of a connection. `strict` refuses a 101 whose `Sec-WebSocket-Accept` is wrong.
    pub fn new(rewrite: Arc<Rewrite>, client_tls: bool, strict: bool) -> Self {
        Self {
            rewrite,
            client_tls,
            strict,
            up: Up::Head(HeadReader::default()),
            down: Down::Head(HeadReader::default()),
            awaited: VecDeque::new(),
            released: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Whether more client octets are to be read now.
    pub fn takes_requests(&self) -> bool {
        self.awaited.len() < PIPELINE_LIMIT
            || matches!((&self.up, &self.down), (Up::Bare, _) | (_, Down::Bare))
    }

    /// Takes octets from the front of `input`, which the client sent. To be called until `input` is
    /// empty.
    pub fn upward<'a>(&mut self, input: &mut &'a [u8]) -> Upward<'a> {
        match &mut self.up {
            Up::Bare => Upward::Same(mem::take(input)),
            Up::Undecided(hope) => {
                hope.passed(input);
                Upward::Same(mem::take(input))
            }
            Up::Body { decoder, is_upgrade } => {
                let (same, outcome) = walk_body(decoder, input);
                match outcome {
                    Outcome::GoesOn => {}
                    Outcome::Ended if *is_upgrade => self.up = Up::Undecided(Hope::new()),
                    Outcome::Ended => self.up = Up::Head(HeadReader::default()),
                    Outcome::Broken => self.up = Up::Bare,
                }
                Upward::Same(same)
            }
            Up::Sent(reader) => {
                let before = *input;
                let taken = reader.take(input, HEAD_LIMIT);
                let same = &before[..before.len() - input.len()];
                match taken.map(|raw| raw.map(|raw| Head::parse_request(raw, 0))) {
                    Ok(None) => {}
                    Ok(Some(Ok(head))) => self.asked(&head),
                    Err(_) | Ok(Some(Err(_))) => self.up = Up::Bare,
                }
                Upward::Same(same)
            }
            Up::Head(_) => self.upward_head(input).unwrap_or(Upward::Held),
        }
    }

    /// Takes octets from the front of `input` up to the end of a request head: `None` while it is not
    /// whole. Only to be called where a head is due, as is the case at the first octet of a connection.
    pub fn upward_head(&mut self, input: &mut &[u8]) -> Option<Upward<'static>> {
        let Up::Head(reader) = &mut self.up else { return None };
        match reader.take(input, HEAD_LIMIT) {
            Ok(None) => None,
            Ok(Some(raw)) => Some(self.request(raw)),
            Err(error) => {
                let gathered = Bytes::copy_from_slice(reader.gathered());
                Some(self.unread(gathered, &error))
            }
        }
    }

    fn request(&mut self, raw: Bytes) -> Upward<'static> {
        let head = match Head::parse_request(raw.clone(), 0) {
            Ok(head) => head,
            Err(error) => return self.unread(raw, &error),
        };
        let is_upgrade = head.asks_for_websocket();
        self.asked(&head);
        let (octets, mut alterations) = self.rewrite.apply(&head, self.client_tls);
        if !is_upgrade {
            // On a kept-alive connection every request is altered alike: once is enough.
            alterations.retain(|alteration| !self.told.contains(alteration));
        }
        if !alterations.is_empty() {
            self.told.clone_from(&alterations);
        }
        Upward::Head { octets, sent_len: head.raw.len(), alterations, is_upgrade }
    }

    /// This request waits for its answer, and what belongs to it or comes behind it is next.
    fn asked(&mut self, head: &Head) {
        let is_upgrade = head.asks_for_websocket();
        let key = || head.value("Sec-WebSocket-Key").unwrap_or_default().into_owned();
        if !matches!(self.down, Down::Bare) {
            self.awaited.push_back(Awaited {
                asks: AnswerTo::request(head),
                websocket_key: is_upgrade.then(key),
            });
        }
        self.up = match BodyFraming::of_request(head) {
            BodyFraming::Empty if !is_upgrade => Up::Head(HeadReader::default()),
            // Where nobody can tell where a body ends, it is for the answer to say what there is.
            BodyFraming::Empty | BodyFraming::UntilClose if is_upgrade => {
                Up::Undecided(Hope::new())
            }
            framing => Up::Body { decoder: BodyDecoder::new(framing), is_upgrade },
        };
    }

    /// What was sent in the hope of a WebSocket is HTTP: it is followed from where it has come to.
    fn hope_is_http(&mut self, hope: &Hope) {
        self.up = Up::Bare;
        if !hope.is_whole {
            return;
        }
        let mut rest = &hope.octets[..];
        self.up = Up::Head(HeadReader::default());
        while !rest.is_empty() {
            if matches!(self.up, Up::Head(_)) {
                self.up = Up::Sent(HeadReader::default());
            }
            self.upward(&mut rest);
        }
    }

    fn unread(&mut self, octets: Bytes, error: &HeadError) -> Upward<'static> {
        self.up = Up::Bare;
        let reason = format!("a request could not be read and was passed on as it is: {error}");
        Upward::Unread { octets, reason }
    }

    /// The client has ended: what is still held back passes as it is.
    pub fn client_ended(&mut self) -> Vec<u8> {
        if let Up::Head(reader) = &self.up {
            self.released.extend_from_slice(reader.gathered());
            self.up = Up::Bare;
        }
        mem::take(&mut self.released)
    }

    /// The upstream has ended: what is still held back passes as it is.
    pub fn upstream_ended(&mut self) -> Vec<u8> {
        match mem::replace(&mut self.down, Down::Bare) {
            Down::Head(reader) if self.holds_answer() => reader.gathered().to_vec(),
            _ => Vec::new(),
        }
    }

    /// Whether the next answer is checked before the client hears of it.
    fn holds_answer(&self) -> bool {
        self.strict && self.awaited.front().is_some_and(|request| request.websocket_key.is_some())
    }

    /// Takes octets from the front of `input`, which the upstream sent. To be called until `input` is
    /// empty; then [`Exchange::take_released`] is to be asked.
    pub fn downward<'a>(&mut self, input: &mut &'a [u8]) -> Downward<'a> {
        let held = self.holds_answer();
        match &mut self.down {
            Down::Bare => Downward::Same(mem::take(input)),
            Down::Body(decoder) => {
                let (same, outcome) = walk_body(decoder, input);
                match outcome {
                    Outcome::GoesOn => {}
                    Outcome::Ended => self.down = Down::Head(HeadReader::default()),
                    Outcome::Broken => self.down = Down::Bare,
                }
                Downward::Same(same)
            }
            Down::Head(reader) => {
                let before = *input;
                let taken = reader.take(input, HEAD_LIMIT);
                let same = &before[..before.len() - input.len()];
                let raw = match taken {
                    Ok(Some(raw)) => raw,
                    Ok(None) if held => return Downward::Held,
                    Ok(None) => return Downward::Same(same),
                    Err(_) => {
                        let gathered = Bytes::copy_from_slice(reader.gathered());
                        self.down = Down::Bare;
                        return if held {
                            Downward::Checked(gathered)
                        } else {
                            Downward::Same(same)
                        };
                    }
                };
                let refusal = self.answered(&raw);
                match (held, refusal) {
                    (true, Some(reason)) => {
                        let from = String::from_utf8_lossy(first_line(&raw)).into_owned();
                        let answer = Answer::bad_gateway(&reason, &from, None);
                        Downward::Refused { octets: raw, answer, reason }
                    }
                    (true, None) => Downward::Checked(raw),
                    (false, _) => Downward::Same(same),
                }
            }
        }
    }

    /// An answer's head is whole. Says why a strict proxy would refuse it.
    fn answered(&mut self, raw: &Bytes) -> Option<String> {
        let Ok(head) = Head::parse_response(raw.clone(), 0) else {
            // Not HTTP any more; a request that asked to upgrade stays undecided, and passes.
            self.down = Down::Bare;
            return None;
        };
        let status = head.status().unwrap_or_default();
        if (100..200).contains(&status) && status != 101 {
            return None;
        }
        let request = self.awaited.pop_front();
        let asks = request.as_ref().map_or(AnswerTo::Other, |request| request.asks);
        if status == 101 || (asks == AnswerTo::Connect && (200..300).contains(&status)) {
            self.bare();
            let key = request.and_then(|request| request.websocket_key)?;
            return self.strict.then(|| wrong_accept(&head, &key)).flatten();
        }
        if request.is_some_and(|request| request.websocket_key.is_some()) {
            match &mut self.up {
                Up::Undecided(hope) => {
                    let hope = mem::take(hope);
                    self.hope_is_http(&hope);
                }
                Up::Body { is_upgrade, .. } => *is_upgrade = false,
                Up::Head(_) | Up::Sent(_) | Up::Bare => {}
            }
        }
        self.down = match BodyFraming::of_response(&head, asks.method()) {
            BodyFraming::Empty => Down::Head(HeadReader::default()),
            BodyFraming::UntilClose => Down::Bare,
            framing => Down::Body(BodyDecoder::new(framing)),
        };
        None
    }

    /// The method of the oldest request that waits for its answer, as far as the answer's length
    /// depends on it.
    pub fn awaited_method(&self) -> Option<&'static str> {
        self.awaited.front().and_then(|request| request.asks.method())
    }

    /// Whether both lanes are bare octets: from then on there is nothing to follow.
    pub fn is_bare(&self) -> bool {
        matches!((&self.up, &self.down), (Up::Bare, Down::Bare)) && self.released.is_empty()
    }

    /// From here on both lanes are bare octets.
    fn bare(&mut self) {
        if let Up::Head(reader) = &self.up {
            self.released.extend_from_slice(reader.gathered());
        }
        self.up = Up::Bare;
        self.down = Down::Bare;
        self.awaited = VecDeque::new();
        self.told = Vec::new();
    }

    /// Client octets that had been held back and are to be sent to the upstream now.
    pub fn take_released(&mut self) -> Vec<u8> {
        mem::take(&mut self.released)
    }
}

enum Outcome {
    GoesOn,
    Ended,
    Broken,
}

/// Walks over one body: the octets of `input` that are its own.
fn walk_body<'a>(decoder: &mut BodyDecoder, input: &mut &'a [u8]) -> (&'a [u8], Outcome) {
    let before = *input;
    let outcome = loop {
        match decoder.next_part(input) {
            Some(BodyPart::Content(_)) => {}
            Some(BodyPart::End) => break Outcome::Ended,
            Some(BodyPart::Invalid(_)) => break Outcome::Broken,
            None => break Outcome::GoesOn,
        }
    };
    (&before[..before.len() - input.len()], outcome)
}

/// RFC 6455 §4.1: "If the response lacks a |Sec-WebSocket-Accept| header field or the
/// |Sec-WebSocket-Accept| contains a value other than the base64-encoded SHA-1 … the client MUST _Fail
/// the WebSocket Connection_."
fn wrong_accept(head: &Head, key: &str) -> Option<String> {
    let due = AcceptDerivation::new(key).accept;
    let answered: Vec<_> =
        head.values("Sec-WebSocket-Accept").map(String::from_utf8_lossy).collect();
    match &answered[..] {
        [one] if *one == due => None,
        [] => Some(format!(
            "refused by --strict: the server answered 101 without Sec-WebSocket-Accept; the key \
             \"{key}\" asks for \"{due}\""
        )),
        // "The |Sec-WebSocket-Accept| header field MUST NOT appear more than once" (§11.3.3).
        several => Some(format!(
            "refused by --strict: the server answered Sec-WebSocket-Accept \"{}\" where \
             the key \"{key}\" asks for \"{due}\"",
            several.join(", ")
        )),
    }
}

fn first_line(raw: &[u8]) -> &[u8] {
    raw.split(|octet| *octet == b'\n').next().unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests;
