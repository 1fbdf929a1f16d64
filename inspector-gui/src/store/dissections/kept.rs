//! What is kept of the dissections of all messages: a line each, and which answers which.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use framescope_core::connection::ConnectionMap;
use framescope_core::subprotocol::{Choice, Dissection, MessageRef, Override, Role, Subprotocol};
use framescope_core::{ConnectionId, Direction};

use super::recent::Recent;
use super::texts::{TextRef, Texts};
use crate::store::preview;

/// Characters of a summary that are kept.
const MAX_SUMMARY: usize = 160;

/// Where a message stands: its lane, and the lane offset of its first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The connection.
    pub connection: ConnectionId,
    /// Which way it went.
    pub direction: Direction,
    /// Lane offset of its first frame.
    pub offset: u64,
}

/// What a table shows of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The layer that its first packet belongs to.
    pub protocol: Subprotocol,
    /// What its first packet is for; none where the message completes no packet.
    pub role: Option<Role>,
    /// It breaks the sub-protocol's own grammar.
    pub has_problem: bool,
    /// Its summary, nothing invisible in it.
    pub text: &'a str,
    /// How long the answer took, where it is one.
    pub latency: Option<Duration>,
}

/// A message's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The first of them.
    pub first: MessageRef,
    /// How many there are.
    pub count: u32,
    /// How long the first one took.
    pub latency: Duration,
}

/// How a connection is read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What it is taken to speak, and why.
    pub choice: Option<Arc<Choice>>,
    /// What the user says of it.
    pub by_user: Override,
}

/// What is kept.
#[derive(Debug, Default)]
pub struct Kept {
    connections: ConnectionMap<Connection>,
    /// Connections that speak nothing that is known: nothing is kept of their messages.
    silent: HashSet<ConnectionId>,
    by_user: HashMap<ConnectionId, Override>,
    texts: Texts,
    recent: Recent,
    /// Messages of each sub-protocol.
    counts: [u64; Subprotocol::ALL.len()],
    revision: u64,
}

#[derive(Debug, Default)]
struct Connection {
    choice: Option<Arc<Choice>>,
    /// The number of the walk that reads it.
    walk: u64,
    has_ended: bool,
    /// By [`Direction::index`].
    lanes: [Lane; 2],
}

#[derive(Debug, Default)]
struct Lane {
    /// One for each data message, by its ordinal.
    entries: Vec<Entry>,
    /// Lane offset up to which it has been read.
    read_to: u64,
}

/// One message in 48 octets.
#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u64,
    text: TextRef,
    /// Place in [`Subprotocol::ALL`].
    protocol: Option<u8>,
    role: Option<Role>,
    has_problem: bool,
    answers_latency: Option<Micros>,
    /// Answers to it, and the ordinal and direction of the first.
    answers: u32,
    first_answer: u32,
    first_answer_by: Direction,
    first_latency: Micros,
}

/// Up to 71 minutes.
#[derive(Debug, Clone, Copy, Default)]
struct Micros(u32);

impl Micros {
    fn of(span: Duration) -> Self {
        Self(u32::try_from(span.as_micros()).unwrap_or(u32::MAX))
    }

    fn span(self) -> Duration {
        Duration::from_micros(u64::from(self.0))
    }
}

impl Kept {
    /// Grows where what was said before is said anew: a filter has to start again.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many messages each sub-protocol has, the most first; those without any are left out.
    pub fn counts(&self) -> Vec<(Subprotocol, u64)> {
        let mut counts: Vec<_> =
            Subprotocol::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// How a connection is read.
    pub fn reading(&self, connection: ConnectionId) -> Reading {
        let choice = self.connections.get(&connection).and_then(|kept| kept.choice.clone());
        Reading { choice, by_user: self.by_user(connection) }
    }

    pub(super) fn by_user(&self, connection: ConnectionId) -> Override {
        self.by_user.get(&connection).copied().unwrap_or_default()
    }

    /// What the table shows of a message.
    pub fn line(&self, place: Place) -> Option<Line<'_>> {
        let entry = self.entry(place)?;
        Some(Line {
            protocol: *Subprotocol::ALL.get(usize::from(entry.protocol?))?,
            role: entry.role,
            has_problem: entry.has_problem,
            text: self.texts.text(entry.text)?,
            latency: entry.answers_latency.map(Micros::span),
        })
    }

    /// Whether everything is known of a message whose last frame begins at this place.
    pub fn is_read(&self, last_frame: Place) -> bool {
        let Place { connection, direction, offset } = last_frame;
        self.silent.contains(&connection)
            || self.connections.get(&connection).is_some_and(|kept| {
                kept.has_ended || offset < kept.lanes[direction.index()].read_to
            })
    }

    /// What answers a message.
    pub fn answered(&self, place: Place) -> Option<Answered> {
        let entry = self.entry(place).filter(|entry| entry.answers > 0)?;
        let direction = entry.first_answer_by;
        let first =
            MessageRef { direction, index: u64::from(entry.first_answer), over_http: false };
        Some(Answered { first, count: entry.answers, latency: entry.first_latency.span() })
    }

    /// Where a message of a connection stands.
    pub fn place_of(&self, connection: ConnectionId, message: MessageRef) -> Option<Place> {
        if message.over_http {
            return None;
        }
        let lane = &self.connections.get(&connection)?.lanes[message.direction.index()];
        let entry = lane.entries.get(usize::try_from(message.index).ok()?)?;
        Some(Place { connection, direction: message.direction, offset: entry.offset })
    }

    fn entry(&self, place: Place) -> Option<&Entry> {
        let lane = &self.connections.get(&place.connection)?.lanes[place.direction.index()];
        let at = lane.entries.binary_search_by_key(&place.offset, |entry| entry.offset).ok()?;
        lane.entries.get(at)
    }

    /// The whole dissection, if that is still kept.
    pub(super) fn dissection(&self, place: Place) -> Option<Arc<Dissection>> {
        self.recent.find(place)
    }

    pub(super) fn keep(&mut self, place: Place, dissection: Arc<Dissection>) {
        self.recent.push(place, dissection);
    }
}

/// How it grows.
impl Kept {
    /// Everything is read again from the start; what users said stays.
    pub(super) fn restart(&mut self) {
        let by_user = std::mem::take(&mut self.by_user);
        let revision = self.revision + 1;
        *self = Self { by_user, revision, ..Self::default() };
    }

    /// A user says how a connection is to be read; the walk with this number does it from now on.
    pub(super) fn read_as(&mut self, connection: ConnectionId, by_user: Override, walk: u64) {
        match by_user {
            Override::Auto => self.by_user.remove(&connection),
            _ => self.by_user.insert(connection, by_user),
        };
        if let Some(old) = self.connections.remove(&connection) {
            for entry in old.lanes.iter().flat_map(|lane| &lane.entries) {
                let count = entry.protocol.and_then(|at| self.counts.get_mut(usize::from(at)));
                if let Some(count) = count {
                    *count = count.saturating_sub(1);
                }
            }
        }
        self.silent.remove(&connection);
        self.recent.forget(connection);
        self.connections.insert(connection, Connection { walk, ..Connection::default() });
        self.revision += 1;
    }

    /// Whether this walk is the one that reads a connection.
    pub(super) fn is_read_by(&self, connection: ConnectionId, walk: u64) -> bool {
        self.connections.get(&connection).is_none_or(|kept| kept.walk == walk)
    }

    /// A data message is whole. Ordinals come in order.
    pub(super) fn message(&mut self, place: Place, dissection: Option<&Dissection>) {
        let Place { connection, direction, offset } = place;
        if self.silent.contains(&connection) {
            return;
        }
        let entry = self.new_entry(offset, dissection);
        let kept = self.connections.entry(connection).or_default();
        if let Some(dissection) = dissection
            && kept.choice.is_none()
        {
            kept.choice = Some(Arc::clone(&dissection.choice));
        }
        let entries = &mut kept.lanes[direction.index()].entries;
        let ordinal = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        entries.push(entry);
        for answer in
            dissection.iter().flat_map(|said| &said.packets).filter_map(|p| p.answers.as_ref())
        {
            if answer.to.over_http {
                continue;
            }
            let asked = &mut kept.lanes[answer.to.direction.index()].entries;
            let asked = usize::try_from(answer.to.index).ok().and_then(|at| asked.get_mut(at));
            let Some(asked) = asked else { continue };
            if asked.answers == 0 {
                asked.first_answer = ordinal;
                asked.first_answer_by = direction;
                asked.first_latency = Micros::of(answer.latency);
            }
            asked.answers = asked.answers.saturating_add(1);
        }
    }

    fn new_entry(&mut self, offset: u64, dissection: Option<&Dissection>) -> Entry {
        let mut entry = Entry {
            offset,
            text: TextRef::default(),
            protocol: None,
            role: None,
            has_problem: false,
            answers_latency: None,
            answers: 0,
            first_answer: 0,
            first_answer_by: Direction::ServerToClient,
            first_latency: Micros(0),
        };
        let Some(dissection) = dissection else { return entry };
        let first = dissection.packets.first();
        let protocol = first.map_or(dissection.choice.protocol, |packet| packet.protocol);
        let at = Subprotocol::ALL.iter().position(|one| *one == protocol);
        entry.protocol = at.and_then(|at| u8::try_from(at).ok());
        if let Some(count) = at.and_then(|at| self.counts.get_mut(at)) {
            *count = count.saturating_add(1);
        }
        entry.role = first.map(|packet| packet.role);
        entry.has_problem = dissection.problems().next().is_some();
        let answer = dissection.packets.iter().find_map(|packet| packet.answers.as_ref());
        entry.answers_latency = answer.map(|answer| Micros::of(answer.latency));
        let summary = match first {
            Some(_) => dissection.summary(),
            None => "goes on in the next message".to_owned(),
        };
        entry.text = self.texts.push(&preview::one_line(&summary, MAX_SUMMARY));
        entry
    }

    /// Everything up to this lane offset has been read.
    pub(super) fn read_to(&mut self, connection: ConnectionId, direction: Direction, offset: u64) {
        if !self.silent.contains(&connection) {
            let kept = self.connections.entry(connection).or_default();
            kept.lanes[direction.index()].read_to = offset;
        }
    }

    /// It is told what a connection speaks, before its first message.
    pub(super) fn chosen(&mut self, connection: ConnectionId, choice: &Choice) {
        let kept = self.connections.entry(connection).or_default();
        if kept.choice.is_none() {
            kept.choice = Some(Arc::new(choice.clone()));
        }
    }

    /// Nothing more comes of a connection.
    pub(super) fn ended(&mut self, connection: ConnectionId) {
        if !self.silent.contains(&connection) {
            self.connections.entry(connection).or_default().has_ended = true;
        }
    }

    /// A connection speaks nothing that is known.
    pub(super) fn silence(&mut self, connection: ConnectionId) {
        // One that was given to a walk of its own stays its own.
        let walk = self.connections.get(&connection).map_or(0, |kept| kept.walk);
        if walk == 0 {
            self.connections.remove(&connection);
        } else {
            self.connections.insert(connection, Connection { walk, ..Connection::default() });
        }
        self.silent.insert(connection);
    }
}

#[cfg(test)]
mod tests {
    use framescope_core::Opcode;
    use framescope_core::Timestamp;
    use framescope_core::subprotocol::{Conversation, MessageFacts, Opening};

    use super::*;

    const ON: ConnectionId = ConnectionId(1);
    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    fn place(direction: Direction, offset: u64) -> Place {
        Place { connection: ON, direction, offset }
    }

    /// Feeds JSON-RPC messages, each with its lane offset.
    fn kept(messages: &[(Direction, u64, &str)]) -> Kept {
        let choice = Choice { protocol: Subprotocol::JsonRpc, reason: "as asked for".to_owned() };
        let mut conversation = Conversation::new(choice, &Opening::default());
        let (mut kept, mut counts) = (Kept::default(), [0, 0]);
        for (at, (direction, offset, text)) in messages.iter().enumerate() {
            let index = counts[direction.index()];
            counts[direction.index()] += 1;
            let said = conversation.receive(&MessageFacts {
                direction: *direction,
                index,
                opcode: Opcode::Text,
                data: text.as_bytes(),
                data_len: text.len() as u64,
                at: Timestamp::from_nanos(at as u64 * 5_000_000),
            });
            kept.message(place(*direction, *offset), Some(&said));
            kept.read_to(ON, *direction, *offset + 10);
        }
        kept
    }

    const ASK: &str = r#"{"jsonrpc":"2.0","id":7,"method":"add"}"#;
    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":3}"#;

    #[test]
    fn an_entry_takes_48_octets() {
        assert!(size_of::<Entry>() <= 48, "{}", size_of::<Entry>());
    }

    #[test]
    fn a_line_is_found_by_its_place_and_a_request_knows_its_answer() {
        let kept = kept(&[(UP, 100, ASK), (DOWN, 200, ANSWER)]);
        let asked = kept.line(place(UP, 100)).expect("it was read");
        assert_eq!((asked.protocol, asked.role), (Subprotocol::JsonRpc, Some(Role::Request)));
        assert!(asked.text.contains("add"), "{}", asked.text);
        assert_eq!(asked.latency, None);
        let answer = kept.line(place(DOWN, 200)).expect("it was read");
        assert_eq!(answer.latency, Some(Duration::from_millis(5)));
        let answered = kept.answered(place(UP, 100)).expect("it was answered");
        assert_eq!((answered.count, answered.latency), (1, Duration::from_millis(5)));
        assert_eq!(kept.place_of(ON, answered.first), Some(place(DOWN, 200)));
        assert_eq!(kept.line(place(UP, 101)), None);
        assert_eq!(kept.counts(), [(Subprotocol::JsonRpc, 2)]);
    }

    #[test]
    fn what_is_read_is_known_whether_or_not_it_says_anything() {
        let mut kept = kept(&[(UP, 100, ASK)]);
        assert!(kept.is_read(place(UP, 100)) && kept.is_read(place(UP, 109)));
        assert!(!kept.is_read(place(UP, 110)) && !kept.is_read(place(DOWN, 0)));
        kept.silence(ON);
        assert!(kept.is_read(place(DOWN, 999)));
        assert_eq!(kept.line(place(UP, 100)), None);
        kept.message(place(UP, 200), None);
        assert!(kept.connections.is_empty(), "nothing is kept of a silent connection");
    }

    #[test]
    fn a_user_has_the_last_word_and_what_was_read_before_goes() {
        let mut kept = kept(&[(UP, 100, ASK)]);
        let revision = kept.revision();
        kept.read_as(ON, Override::Always(Subprotocol::Wamp), 3);
        assert_eq!(kept.line(place(UP, 100)), None);
        assert!(kept.revision() > revision && kept.counts().is_empty());
        assert!(kept.is_read_by(ON, 3) && !kept.is_read_by(ON, 0));
        kept.restart();
        assert_eq!(kept.by_user(ON), Override::Always(Subprotocol::Wamp));
    }
}
