//! Conversations that HTTP carries: Engine.IO polling and `SockJS`, and on over a WebSocket.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::dissection::Packets;
use super::engine_io::PolledPackets;
use super::{Choice, Conversation, Dissection, MessageFacts, Opening, Override, Packet, Problem};
use super::{ProblemCode, Role, Subprotocol, choose};
use crate::payload::unpack_coding;
use crate::transport::{
    BodyPiece, Carried, MAX_SESSIONS, SessionId, SessionProtocol, Target, TransportSession,
};
use crate::{Direction, Message, Opcode, Timestamp};

/// Octets that come out of a compressed body at most.
const UNPACKED: usize = 4 << 20;

/// Packets of one body that are read; those beyond are counted.
const MAX_READ: usize = 4_096;

/// Indexes of WebSocket messages begin here while a conversation has both, so that what HTTP carried is
/// told apart: see [`super::MessageRef::over_http`].
const WEBSOCKET: u64 = 1 << 40;

/// The conversations of all sessions that are followed; the oldest is forgotten beyond
/// [`MAX_SESSIONS`].
#[derive(Debug, Default)]
pub(super) struct CarriedConversations {
    sessions: BTreeMap<SessionId, CarriedConversation>,
}

#[derive(Debug)]
struct CarriedConversation {
    protocol: SessionProtocol,
    is_revision_3: bool,
    conversation: Conversation,
    /// Packets so far, by [`Direction::index`].
    said: [u64; 2],
}

impl CarriedConversations {
    /// A session is seen, for the first time or again.
    pub(super) fn open(&mut self, session: &TransportSession, by_user: Override) {
        if self.sessions.contains_key(&session.id) {
            return;
        }
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.pop_first();
        }
        let revision = session.revision.as_deref().unwrap_or("4");
        let target = match session.protocol {
            SessionProtocol::EngineIo => {
                format!("{}?EIO={revision}&transport=polling", session.path)
            }
            SessionProtocol::SockJs => session.path.clone(),
        };
        let opening = Opening { target: &target, ..Opening::default() };
        let choice = match (by_user, session.protocol) {
            (Override::Off, _) => return,
            (
                Override::Always(protocol @ (Subprotocol::EngineIo | Subprotocol::SocketIo)),
                SessionProtocol::EngineIo,
            ) => Choice { protocol, reason: "as asked for".to_owned() },
            (_, SessionProtocol::EngineIo) => {
                let Some(choice) = choose(&opening, &[]) else { return };
                choice
            }
            (_, SessionProtocol::SockJs) => {
                let reason = "the target is that of a SockJS session".to_owned();
                Choice { protocol: Subprotocol::SockJs, reason }
            }
        };
        let carried = CarriedConversation {
            protocol: session.protocol,
            is_revision_3: matches!(revision, "1" | "2" | "3"),
            conversation: Conversation::new(choice, &opening),
            said: [0; 2],
        };
        self.sessions.insert(session.id, carried);
    }

    /// What is spoken in a session, and why.
    pub(super) fn choice(&self, session: SessionId) -> Option<&Choice> {
        Some(self.sessions.get(&session)?.conversation.choice())
    }

    /// What a body says; `None` where it carries nothing of the session.
    pub(super) fn body(&mut self, carried: &Carried, at: Timestamp) -> Option<Dissection> {
        let session = self.sessions.get_mut(&carried.session?)?;
        let target = Target::of(&carried.request);
        match session.protocol {
            SessionProtocol::EngineIo => session.polled(carried, at),
            // Told line by line while it comes, or wrapped in another form.
            SessionProtocol::SockJs => {
                let (direction, content) = (carried.direction, &carried.content);
                let line = match (target.path.rsplit('/').next()?, direction) {
                    ("xhr_send", Direction::ClientToServer) => content,
                    ("xhr", Direction::ServerToClient) => {
                        content.strip_suffix(b"\n").unwrap_or(content)
                    }
                    _ => return None,
                };
                Some(session.sockjs(direction, line, carried.content_len, at))
            }
        }
    }

    /// What a line of a `SockJS` stream says.
    pub(super) fn line(&mut self, piece: &BodyPiece, at: Timestamp) -> Option<Dissection> {
        let session = self.sessions.get_mut(&piece.session?)?;
        // A long line of h stands first, to make browsers show what follows it.
        let is_prelude =
            piece.content.len() > 1 && piece.content.iter().all(|octet| *octet == b'h');
        if session.protocol != SessionProtocol::SockJs || piece.content.is_empty() || is_prelude {
            return None;
        }
        Some(session.sockjs(Direction::ServerToClient, &piece.content, piece.len, at))
    }

    /// What a message says on the WebSocket that a session goes on over, or tries to.
    pub(super) fn message(&mut self, session: SessionId, message: &Message) -> Option<Dissection> {
        let session = self.sessions.get_mut(&session)?;
        let mut facts = MessageFacts::from(message);
        facts.index = facts.index.saturating_add(WEBSOCKET);
        Some(told_apart(session.conversation.receive(&facts)))
    }
}

impl CarriedConversation {
    fn facts<'a>(
        &mut self,
        direction: Direction,
        (opcode, data): (Opcode, &'a [u8]),
        missing: u64,
        at: Timestamp,
    ) -> MessageFacts<'a> {
        let said = &mut self.said[direction.index()];
        let index = *said;
        *said = said.saturating_add(1);
        let data_len = (data.len() as u64).saturating_add(missing);
        MessageFacts { direction, index, opcode, data, data_len, at }
    }

    fn sockjs(
        &mut self,
        direction: Direction,
        content: &[u8],
        content_len: u64,
        at: Timestamp,
    ) -> Dissection {
        // The LF of a line is no part of it.
        let missing = content_len.saturating_sub(content.len() as u64).saturating_sub(1);
        let facts = self.facts(direction, (Opcode::Text, content), missing, at);
        told_apart(self.conversation.receive(&facts))
    }

    fn polled(&mut self, carried: &Carried, at: Timestamp) -> Option<Dissection> {
        let is_post = carried.request.method() == Some("POST");
        let direction = carried.direction;
        if is_post != (direction == Direction::ClientToServer) {
            // The answer to what the client sent is `ok`.
            return None;
        }
        let choice = std::sync::Arc::new(self.conversation.choice().clone());
        let mut packets = Packets::default();
        let missing = carried.content_len.saturating_sub(carried.content.len() as u64);
        let Some(plain) = plain(carried) else {
            let detail = "the content coding of the body could not be taken off".to_owned();
            let problem = Problem { code: ProblemCode::Malformed, at: None, detail };
            packets.push(Packet::unreadable(Subprotocol::EngineIo, problem));
            return Some(packets.finish(choice));
        };
        let is_plain = matches!(plain, Cow::Borrowed(_));
        let mut polled = PolledPackets::new(&plain, self.is_revision_3).peekable();
        let mut read = 0_usize;
        while let Some(packet) = polled.next() {
            read = read.saturating_add(1);
            if read > MAX_READ {
                let mut more = Packet::new(Subprotocol::EngineIo, "more", Role::Unknown);
                more.say("packets that were not read");
                packets.push(more);
                break;
            }
            let cut = if polled.peek().is_none() { missing } else { 0 };
            if let Some(fault) = packet.fault.filter(|_| cut == 0) {
                let place = is_plain.then_some(packet.span.start);
                let problem =
                    Problem { code: ProblemCode::Malformed, at: place, detail: fault.into() };
                packets.push(Packet::unreadable(Subprotocol::EngineIo, problem));
                continue;
            }
            let is_verbatim = is_plain && packet.opcode == Opcode::Text;
            let facts = self.facts(direction, (packet.opcode, &packet.data), cut, at);
            let said = told_apart(self.conversation.receive(&facts));
            packets.push_at(said, is_verbatim.then_some(packet.span.start));
        }
        Some(packets.finish(choice))
    }
}

/// The body without its content coding.
fn plain(carried: &Carried) -> Option<Cow<'_, [u8]>> {
    match carried.coding.as_deref() {
        None | Some("" | "identity") => Some(Cow::Borrowed(&carried.content)),
        Some(coding) => unpack_coding(coding, &carried.content, UNPACKED).map(Cow::Owned),
    }
}

/// Marks answers to what HTTP carried, and gives those to messages of the WebSocket their index back.
fn told_apart(mut dissection: Dissection) -> Dissection {
    for answer in dissection.packets.iter_mut().filter_map(|packet| packet.answers.as_mut()) {
        match answer.to.index.checked_sub(WEBSOCKET) {
            Some(index) => answer.to.index = index,
            None => answer.to.over_http = true,
        }
    }
    dissection
}
