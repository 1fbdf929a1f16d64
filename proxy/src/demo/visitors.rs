//! Who is in a room without a WebSocket: a session that requests come and go for.
//!
//! ```text
//!  POST what is said ─► Visitor ─► Seat ─► room
//!  GET  what is new  ◄─ Mailbox ◄─ Inbox ◄──┘     one reader at a time
//! ```

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::sync::OwnedMutexGuard;
use tokio_tungstenite::tungstenite::Message;

use super::chat::{self, Allowance, Outcome, Request};
use super::rooms::{Full, Inbox, PutOut, Rooms, Seat};

/// Visitors at once.
const VISITORS_MAX: usize = 256;
/// Notices that are kept for a visitor who asks again for what it has missed.
const KEPT_MAX: usize = 128;
/// A visitor from whom no request comes for this long has left.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// All visitors, by the name of their session.
#[derive(Debug, Default)]
pub(super) struct Visitors(Mutex<HashMap<String, Arc<Visitor>>>);

/// One of them.
#[derive(Debug)]
pub(super) struct Visitor {
    seat: Seat,
    mailbox: Arc<tokio::sync::Mutex<Mailbox>>,
    allowance: Mutex<Allowance>,
    seen: Mutex<Instant>,
}

/// One notice and its number in the session, from 1.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Its number: what a visitor names when it asks for what came later.
    pub id: u64,
    /// The notice as JSON; a binary message is `{"type":"binary","base64":…}`.
    pub json: Arc<RawValue>,
}

/// What a visitor was and is to be told.
#[derive(Debug)]
pub(super) struct Mailbox {
    inbox: Inbox,
    kept: VecDeque<Letter>,
    last: u64,
}

/// Somebody else reads this mailbox just now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl Visitors {
    /// Takes a seat for a newcomer; the name of its session.
    pub fn join(&self, rooms: &Arc<Rooms>, room: &str, nick: &str) -> Result<String, Full> {
        let mut visitors = self.0.lock();
        if visitors.len() >= VISITORS_MAX {
            return Err(Full);
        }
        let (seat, inbox) = rooms.join(room, nick)?;
        let name = format!("{:016x}", fastrand::u64(..));
        let mailbox = Mailbox { inbox, kept: VecDeque::new(), last: 0 };
        let visitor = Visitor {
            seat,
            mailbox: Arc::new(tokio::sync::Mutex::new(mailbox)),
            allowance: Mutex::new(Allowance::new(Instant::now())),
            seen: Mutex::new(Instant::now()),
        };
        visitors.insert(name.clone(), Arc::new(visitor));
        Ok(name)
    }

    /// The visitor of this session, who was heard of now.
    pub fn get(&self, name: &str) -> Option<Arc<Visitor>> {
        let visitor = self.0.lock().get(name).cloned()?;
        *visitor.seen.lock() = Instant::now();
        Some(visitor)
    }

    /// Ends a session; whether there was one.
    pub fn leave(&self, name: &str) -> bool {
        self.0.lock().remove(name).is_some()
    }

    /// Ends the sessions from which nothing was heard for a while. One whose mailbox is being read
    /// is heard of as long as that lasts.
    pub fn forget_the_silent(&self, now: Instant) {
        self.0.lock().retain(|_, visitor| {
            let is_read = visitor.mailbox.try_lock().is_err();
            let mut seen = visitor.seen.lock();
            if is_read {
                *seen = now;
            }
            now.saturating_duration_since(*seen) < SILENCE_MAX
        });
    }
}

impl Visitor {
    /// What the visitor is called in its room.
    pub fn nick(&self) -> &str {
        self.seat.nick()
    }

    /// Does what the visitor asks; `None` where it asks too much.
    pub fn act(&self, request: &Request) -> Option<Outcome> {
        self.allowance.lock().spend(Instant::now()).ok()?;
        Some(chat::act(&self.seat, request))
    }

    /// The mailbox, to be read by the caller alone.
    pub fn mailbox(&self) -> Result<OwnedMutexGuard<Mailbox>, Busy> {
        Arc::clone(&self.mailbox).try_lock_owned().map_err(|_| Busy)
    }
}

impl Mailbox {
    /// What came after letter `id`, as far as it is kept; `Err` when there is nothing more and never
    /// will be.
    pub fn after(&mut self, id: u64) -> Result<Vec<Letter>, PutOut> {
        let put_out = loop {
            match self.inbox.waiting() {
                Ok(Some(message)) => self.keep(&message),
                Ok(None) => break false,
                Err(PutOut) => break true,
            }
        };
        let letters: Vec<_> = self.kept.iter().filter(|letter| letter.id > id).cloned().collect();
        if put_out && letters.is_empty() { Err(PutOut) } else { Ok(letters) }
    }

    /// Waits until something came after letter `id`. Cancel safe.
    pub async fn wait_after(&mut self, id: u64) -> Result<Vec<Letter>, PutOut> {
        loop {
            let letters = self.after(id)?;
            if !letters.is_empty() {
                return Ok(letters);
            }
            let message = self.inbox.next().await.ok_or(PutOut)?;
            self.keep(&message);
        }
    }

    fn keep(&mut self, message: &Message) {
        let json = match message {
            Message::Text(text) => text.to_string(),
            message => {
                let octets = STANDARD.encode(message.clone().into_data());
                serde_json::json!({"type": "binary", "base64": octets}).to_string()
            }
        };
        // What the rooms say is JSON, one text each.
        let Ok(json) = RawValue::from_string(json) else { return };
        self.last += 1;
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(Letter { id: self.last, json: json.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor() -> (Visitors, Arc<Rooms>, Arc<Visitor>, String) {
        let (visitors, rooms) = (Visitors::default(), Arc::new(Rooms::default()));
        let name = visitors.join(&rooms, "lobby", "ada").unwrap();
        let visitor = visitors.get(&name).unwrap();
        (visitors, rooms, visitor, name)
    }

    #[tokio::test]
    async fn what_was_missed_can_be_asked_for_again() {
        let (_visitors, _rooms, visitor, _) = visitor();
        let mut mailbox = visitor.mailbox().unwrap();
        assert_eq!(visitor.mailbox().map(drop), Err(Busy));
        let first = mailbox.after(0).unwrap();
        assert_eq!(first.iter().map(|letter| letter.id).collect::<Vec<_>>(), [1, 2]);
        let hello = Request::Message { text: "hello".to_owned() };
        assert_eq!(visitor.act(&hello), Some(Outcome::Done(Some(1))));
        for _ in 0..2 {
            let news = mailbox.wait_after(2).await.unwrap();
            assert_eq!(news.len(), 1);
            assert!(news[0].json.get().contains("hello"));
        }
        assert!(mailbox.after(3).unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_is_silent_is_forgotten_and_who_reads_is_not() {
        let (visitors, _rooms, visitor, name) = visitor();
        let later = Instant::now() + SILENCE_MAX;
        let mailbox = visitor.mailbox().unwrap();
        visitors.forget_the_silent(later);
        assert!(visitors.get(&name).is_some());
        drop(mailbox);
        visitors.forget_the_silent(later + SILENCE_MAX);
        assert!(visitors.get(&name).is_none());
    }
}
