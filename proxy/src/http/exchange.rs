//! Requests and answers of one connection: which octets are heads, and when there are none any more.
//!
//! ```text
//!   ↑  Head ─► Body ─► Head …                ↓  Head ─► Body ─► Head …
//!       └► Undecided (asked to upgrade)          │
//!            │ answered otherwise ─► Head        └ 101, CONNECT answered 2xx, not HTTP ─► Bare
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
use framescope_core::http::{BodyDecoder, BodyFraming, BodyPart, HeadError, HeadReader};

use super::{Answer, Rewrite};

/// A head longer than this, in octets, passes unread.
pub const HEAD_LIMIT: usize = 256 << 10;

/// Requests that may be sent before any is answered; then the client waits.
const PIPELINE_LIMIT: usize = 256;

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
    Body(BodyDecoder),
    /// After a request to open a WebSocket: octets pass, whatever they will turn out to be.
    Undecided {
        passed: u64,
    },
    Bare,
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
    method: Method,
    /// `Sec-WebSocket-Key` of a request to open a WebSocket; empty where it has none.
    websocket_key: Option<String>,
}

/// As far as the length of an answer depends on it (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Head,
    Connect,
    Other,
}

impl Method {
    fn of(head: &Head) -> Self {
        match head.method() {
            Some("HEAD") => Self::Head,
            Some("CONNECT") => Self::Connect,
            _ => Self::Other,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Connect => "CONNECT",
            Self::Other => "GET",
        }
    }
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
            Up::Undecided { passed } => {
                *passed += input.len() as u64;
                Upward::Same(mem::take(input))
            }
            Up::Body(decoder) => {
                let (same, outcome) = walk_body(decoder, input);
                match outcome {
                    Outcome::GoesOn => {}
                    Outcome::Ended => self.up = Up::Head(HeadReader::default()),
                    Outcome::Broken => self.up = Up::Bare,
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
        let key = || head.value("Sec-WebSocket-Key").unwrap_or_default().into_owned();
        if !matches!(self.down, Down::Bare) {
            self.awaited.push_back(Awaited {
                method: Method::of(&head),
                websocket_key: is_upgrade.then(key),
            });
        }
        self.up = if is_upgrade {
            Up::Undecided { passed: 0 }
        } else {
            match BodyFraming::of_request(&head) {
                BodyFraming::Empty => Up::Head(HeadReader::default()),
                framing => Up::Body(BodyDecoder::new(framing)),
            }
        };
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
        let method = request.as_ref().map_or(Method::Other, |request| request.method);
        if status == 101 || (method == Method::Connect && (200..300).contains(&status)) {
            self.bare();
            let key = request.and_then(|request| request.websocket_key)?;
            return self.strict.then(|| wrong_accept(&head, &key)).flatten();
        }
        match self.up {
            Up::Undecided { passed: 0 } => self.up = Up::Head(HeadReader::default()),
            // Sent before the answer, in hope: what they are is for the upstream to say.
            Up::Undecided { .. } => self.up = Up::Bare,
            _ => {}
        }
        self.down = match BodyFraming::of_response(&head, Some(method.name())) {
            BodyFraming::Empty => Down::Head(HeadReader::default()),
            BodyFraming::UntilClose => Down::Bare,
            framing => Down::Body(BodyDecoder::new(framing)),
        };
        None
    }

    /// The method of the oldest request that waits for its answer, as far as the answer's length
    /// depends on it.
    pub fn awaited_method(&self) -> Option<&'static str> {
        self.awaited.front().map(|request| request.method.name())
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
    match head.value("Sec-WebSocket-Accept") {
        Some(answered) if answered == due => None,
        Some(answered) => Some(format!(
            "refused by --strict: the server answered Sec-WebSocket-Accept \"{answered}\" where \
             the key \"{key}\" asks for \"{due}\""
        )),
        None => Some(format!(
            "refused by --strict: the server answered 101 without Sec-WebSocket-Accept; the key \
             \"{key}\" asks for \"{due}\""
        )),
    }
}

fn first_line(raw: &[u8]) -> &[u8] {
    raw.split(|octet| *octet == b'\n').next().unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests;
