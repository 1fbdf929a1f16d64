//! The chat rooms: who is in which, and one bounded inbox for each of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// Rooms that may exist at once; a room ends when its last member leaves.
const ROOMS_MAX: usize = 64;
/// Members of one room.
const MEMBERS_MAX: usize = 64;
/// Messages that may wait for one member; who lets more pile up is out.
const WAITING_MAX: usize = 128;
/// Messages that a newcomer is shown.
const HISTORY_MAX: usize = 20;

/// What the rooms say to their members, one JSON text each.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Notice<'a> {
    /// To the newcomer alone: its name here, and how many of the next messages are from before.
    Welcome { room: &'a str, nick: &'a str, history: usize },
    /// Somebody came.
    Join { nick: &'a str },
    /// Somebody left.
    Leave { nick: &'a str },
    /// Everyone who is here, after each coming and going.
    Presence { members: Vec<&'a str> },
    /// Somebody said something. To the speaker too, so that it sees the order.
    Message { id: u64, nick: &'a str, text: &'a str },
    /// Somebody types, or stopped. To the others only.
    Typing { nick: &'a str, on: bool },
    /// What you sent was not understood.
    Error { reason: &'a str },
}

impl From<Notice<'_>> for Message {
    fn from(notice: Notice<'_>) -> Self {
        let json = serde_json::to_string(&notice);
        Self::text(json.expect("a notice has no key that JSON cannot hold"))
    }
}

/// All rooms.
#[derive(Debug, Default)]
pub(super) struct Rooms(Mutex<HashMap<String, Room>>);

#[derive(Debug, Default)]
struct Room {
    members: Vec<Member>,
    history: VecDeque<Message>,
    messages: u64,
    members_ever: u64,
}

#[derive(Debug)]
struct Member {
    id: u64,
    nick: String,
    inbox: mpsc::Sender<Message>,
}

/// A place in a room. Dropping it leaves the room.
#[derive(Debug)]
pub(super) struct Seat {
    rooms: Arc<Rooms>,
    room: String,
    id: u64,
    nick: String,
}

/// What a seat hears.
#[derive(Debug)]
pub(super) struct Inbox(mpsc::Receiver<Message>);

impl Inbox {
    /// The next message for this member; `None` when it was put out for reading too slowly. Cancel
    /// safe.
    pub async fn next(&mut self) -> Option<Message> {
        self.0.recv().await
    }

    /// The next message, where one waits. `Err` when there will be none.
    pub fn waiting(&mut self) -> Result<Option<Message>, PutOut> {
        match self.0.try_recv() {
            Ok(message) => Ok(Some(message)),
            Err(mpsc::error::TryRecvError::Empty) => Ok(None),
            Err(mpsc::error::TryRecvError::Disconnected) => Err(PutOut),
        }
    }
}

/// The member has no seat any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PutOut;

/// No seat is free.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Rooms {
    /// Takes a seat; `nick` gets a number when somebody there has it already.
    pub fn join(self: &Arc<Self>, room: &str, nick: &str) -> Result<(Seat, Inbox), Full> {
        let mut rooms = self.0.lock();
        if !rooms.contains_key(room) && rooms.len() >= ROOMS_MAX {
            return Err(Full);
        }
        let place = rooms.entry(room.to_owned()).or_default();
        if place.members.len() >= MEMBERS_MAX {
            return Err(Full);
        }
        let nick = place.free_nick(nick);
        let id = place.members_ever;
        place.members_ever += 1;

        let (sender, inbox) = mpsc::channel(WAITING_MAX);
        let welcome = Notice::Welcome { room, nick: &nick, history: place.history.len() };
        for message in std::iter::once(welcome.into()).chain(place.history.iter().cloned()) {
            // The inbox is new and larger than the history.
            let _ = sender.try_send(message);
        }
        place.tell(&Notice::Join { nick: &nick }.into(), None);
        place.members.push(Member { id, nick: nick.clone(), inbox: sender });
        place.tell_presence();
        Ok((Seat { rooms: Arc::clone(self), room: room.to_owned(), id, nick }, Inbox(inbox)))
    }
}

impl Seat {
    /// What the member is called here.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// Says `text` to the room; the message's number, unless this member was put out.
    pub fn say(&self, text: &str) -> Option<u64> {
        self.in_room(|room| {
            room.messages += 1;
            let message: Message =
                Notice::Message { id: room.messages, nick: &self.nick, text }.into();
            if room.history.len() == HISTORY_MAX {
                room.history.pop_front();
            }
            room.history.push_back(message.clone());
            room.tell(&message, None);
            room.messages
        })
    }

    /// Tells the others that this member types, or stopped.
    pub fn typing(&self, on: bool) {
        let notice = Notice::Typing { nick: &self.nick, on }.into();
        self.in_room(|room| room.tell(&notice, Some(self.id)));
    }

    /// Passes a message on to the others as it came.
    pub fn pass_on(&self, message: &Message) {
        self.in_room(|room| room.tell(message, Some(self.id)));
    }

    fn in_room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> Option<T> {
        self.rooms.0.lock().get_mut(&self.room).map(act)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut rooms = self.rooms.0.lock();
        let Some(room) = rooms.get_mut(&self.room) else { return };
        room.members.retain(|member| member.id != self.id);
        if room.members.is_empty() {
            rooms.remove(&self.room);
        } else {
            room.tell(&Notice::Leave { nick: &self.nick }.into(), None);
            room.tell_presence();
        }
    }
}

impl Room {
    fn free_nick(&self, wanted: &str) -> String {
        let taken = |nick: &str| self.members.iter().any(|member| member.nick == nick);
        if !taken(wanted) {
            return wanted.to_owned();
        }
        // Fewer members are here than MEMBERS_MAX, so one of these is free.
        (2..=MEMBERS_MAX)
            .map(|n| format!("{wanted}-{n}"))
            .find(|nick| !taken(nick))
            .unwrap_or_default()
    }

    /// Puts `message` into every inbox but one; a member whose inbox is full loses its seat: its
    /// channel closes, and its task says so to the peer.
    fn tell(&mut self, message: &Message, but: Option<u64>) {
        self.members.retain(|member| {
            but == Some(member.id) || member.inbox.try_send(message.clone()).is_ok()
        });
    }

    fn tell_presence(&mut self) {
        let members = self.members.iter().map(|member| member.nick.as_str()).collect();
        let presence = Notice::Presence { members }.into();
        self.tell(&presence, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(inbox: &mut Inbox) -> Vec<String> {
        std::iter::from_fn(|| inbox.0.try_recv().ok())
            .map(|message| message.into_text().unwrap().to_string())
            .collect()
    }

    #[test]
    fn everyone_hears_who_comes_who_speaks_and_who_leaves() {
        let rooms = Arc::new(Rooms::default());
        let (_ada, mut ada) = rooms.join("lobby", "ada").unwrap();
        assert_eq!(
            waiting(&mut ada),
            [
                r#"{"type":"welcome","room":"lobby","nick":"ada","history":0}"#,
                r#"{"type":"presence","members":["ada"]}"#,
            ]
        );
        let (grace, inbox) = rooms.join("lobby", "grace").unwrap();
        grace.typing(true);
        grace.say("hello");
        drop((grace, inbox));
        assert_eq!(
            waiting(&mut ada),
            [
                r#"{"type":"join","nick":"grace"}"#,
                r#"{"type":"presence","members":["ada","grace"]}"#,
                r#"{"type":"typing","nick":"grace","on":true}"#,
                r#"{"type":"message","id":1,"nick":"grace","text":"hello"}"#,
                r#"{"type":"leave","nick":"grace"}"#,
                r#"{"type":"presence","members":["ada"]}"#,
            ]
        );
    }

    #[test]
    fn rooms_do_not_hear_each_other() {
        let rooms = Arc::new(Rooms::default());
        let (_ada, mut lobby) = rooms.join("lobby", "ada").unwrap();
        let (ops, _inbox) = rooms.join("ops", "grace").unwrap();
        waiting(&mut lobby);
        ops.say("over here");
        assert!(waiting(&mut lobby).is_empty());
    }

    #[test]
    fn a_newcomer_is_shown_the_last_messages_and_told_how_many() {
        let rooms = Arc::new(Rooms::default());
        let (ada, mut inbox) = rooms.join("lobby", "ada").unwrap();
        for n in 0..HISTORY_MAX + 5 {
            ada.say(&format!("line {n}"));
            waiting(&mut inbox);
        }
        let (_grace, mut inbox) = rooms.join("lobby", "grace").unwrap();
        let seen = waiting(&mut inbox);
        assert!(seen[0].contains(&format!(r#""history":{HISTORY_MAX}"#)), "{}", seen[0]);
        assert!(seen[1].contains("line 5"), "{}", seen[1]);
        assert!(seen[HISTORY_MAX].contains(&format!("line {}", HISTORY_MAX + 4)));
        assert!(seen[HISTORY_MAX + 1].contains("presence"));
    }

    #[test]
    fn a_taken_nick_gets_a_number() {
        let rooms = Arc::new(Rooms::default());
        let seats: Vec<_> = (0..3).map(|_| rooms.join("lobby", "ada").unwrap()).collect();
        assert_eq!(
            seats.iter().map(|(seat, _)| seat.nick()).collect::<Vec<_>>(),
            ["ada", "ada-2", "ada-3"]
        );
    }

    #[tokio::test]
    async fn who_lets_messages_pile_up_loses_the_seat_and_nobody_else_does() {
        let rooms = Arc::new(Rooms::default());
        let (_slow, mut slow) = rooms.join("lobby", "slow").unwrap();
        let (ada, mut inbox) = rooms.join("lobby", "ada").unwrap();
        for n in 0..2 * WAITING_MAX {
            ada.say(&n.to_string());
            waiting(&mut inbox);
        }
        let mut kept = 0;
        while slow.next().await.is_some() {
            kept += 1;
        }
        assert_eq!(kept, WAITING_MAX);
        ada.say("still here");
        assert_eq!(waiting(&mut inbox).len(), 1);
        assert_eq!(slow.waiting(), Err(PutOut));
    }

    #[test]
    fn an_empty_room_is_forgotten_and_rooms_and_seats_are_counted() {
        let rooms = Arc::new(Rooms::default());
        drop(rooms.join("lobby", "ada").unwrap());
        assert!(rooms.0.lock().is_empty());
        let seats: Vec<_> = (0..MEMBERS_MAX).map(|_| rooms.join("a", "x").unwrap()).collect();
        assert_eq!(rooms.join("a", "x").unwrap_err(), Full);
        let others: Vec<_> =
            (1..ROOMS_MAX).map(|n| rooms.join(&n.to_string(), "x").unwrap()).collect();
        assert_eq!(rooms.join("one more", "x").unwrap_err(), Full);
        drop((seats, others));
    }
}
