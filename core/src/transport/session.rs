//! Sessions of Engine.IO and `SockJS`: one conversation, carried by several connections and transports.

use std::net::IpAddr;

use super::target::Stated;
use super::{SessionProtocol, TransportKind};
use crate::{ConnectionId, Direction, Message, Opcode, Timestamp};

/// Members told of one session; those beyond are counted.
pub const MAX_MEMBERS: usize = 64;

/// The number of a session within one capture, from 1, in the order in which they were first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u32);

impl std::fmt::Display for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "§{}", self.0)
    }
}

/// A session and what carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportSession {
    /// Its number.
    pub id: SessionId,
    /// Whose session it is.
    pub protocol: SessionProtocol,
    /// `EIO` of the first request, such as `4`; `None` for `SockJS`.
    pub revision: Option<String>,
    /// What names it: `sid`, or the part of the path. Who knows it can speak in its place while it lasts.
    pub sid: String,
    /// The path without what names session and transport.
    pub path: String,
    /// `Host` of the first request.
    pub host: String,
    /// Who asked first.
    pub client: IpAddr,
    /// When the request came that it was first seen in.
    pub began_at: Timestamp,
    /// Whether the answer that opens it was seen: otherwise it began before the capture, or its opening
    /// could not be read.
    pub is_whole: bool,
    /// Which connections carry it, and how, in the order in which they came; the first [`MAX_MEMBERS`].
    pub members: Vec<SessionMember>,
    /// Members that are not in `members`.
    pub more_members: u64,
    /// When the client sent `2probe` over a WebSocket, and the server's `3probe` came.
    pub probed_at: [Option<Timestamp>; 2],
    /// When the client's `5` told the server to go on over the WebSocket.
    pub upgraded_at: Option<Timestamp>,
}

/// One connection's part in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionMember {
    /// The connection.
    pub connection: ConnectionId,
    /// How it carries the session. A connection that both waits and sends is a member twice.
    pub kind: TransportKind,
    /// When its first request of the session came, or its WebSocket was opened.
    pub first_at: Timestamp,
    /// Its exchanges that were answered; 1 for a WebSocket.
    pub exchanges: u64,
}

/// What is new about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionChange {
    /// It was seen for the first time.
    Began,
    /// Another connection carries it too, or in another way.
    Joined(SessionMember),
    /// The server answered the probe over the WebSocket.
    Probed,
    /// It goes on over the WebSocket.
    Upgraded,
}

impl SessionChange {
    /// The spelling of the JSON exports: `began`, `joined`, `probed`, `upgraded`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Joined(_) => "joined",
            Self::Probed => "probed",
            Self::Upgraded => "upgraded",
        }
    }
}

impl TransportSession {
    pub(super) fn new(
        id: SessionId,
        stated: &Stated,
        (sid, host): (&str, &str),
        client: IpAddr,
        began_at: Timestamp,
    ) -> Self {
        Self {
            id,
            protocol: stated.protocol,
            revision: stated.revision.as_deref().map(str::to_owned),
            sid: sid.to_owned(),
            path: stated.base.to_string(),
            host: host.to_owned(),
            client,
            began_at,
            is_whole: stated.sid.is_none() || stated.protocol == SessionProtocol::SockJs,
            members: Vec::new(),
            more_members: 0,
            probed_at: [None; 2],
            upgraded_at: None,
        }
    }

    /// The way it goes by now: WebSocket once it moved, or the way of its first member.
    pub fn kind(&self) -> Option<TransportKind> {
        if self.upgraded_at.is_some() {
            return Some(TransportKind::WebSocket);
        }
        self.members.first().map(|member| member.kind)
    }

    /// The WebSocket that carries it, or tries to.
    pub fn websocket(&self) -> Option<ConnectionId> {
        let of = |member: &&SessionMember| member.kind == TransportKind::WebSocket;
        self.members.iter().rev().find(of).map(|member| member.connection)
    }

    /// A connection carried an exchange of it. Says so where it is a new member.
    pub(super) fn carried_by(
        &mut self,
        connection: ConnectionId,
        kind: TransportKind,
        at: Timestamp,
    ) -> Option<SessionChange> {
        let is_it = |m: &&mut SessionMember| m.connection == connection && m.kind == kind;
        if let Some(member) = self.members.iter_mut().find(is_it) {
            member.exchanges = member.exchanges.saturating_add(1);
            return None;
        }
        let member = SessionMember { connection, kind, first_at: at, exchanges: 1 };
        if self.members.len() >= MAX_MEMBERS {
            self.more_members = self.more_members.saturating_add(1);
            return None;
        }
        self.members.push(member);
        Some(SessionChange::Joined(member))
    }

    /// A message went by on the WebSocket that it may move to.
    pub(super) fn saw(&mut self, message: &Message) -> Option<SessionChange> {
        if message.opcode != Opcode::Text || message.data_len > 16 {
            return None;
        }
        let at = message.last_octet_at;
        match (message.direction, &*message.data) {
            (Direction::ClientToServer, b"2probe") => {
                let [asked, _] = &mut self.probed_at;
                asked.get_or_insert(at);
                None
            }
            (Direction::ServerToClient, b"3probe") => {
                let [_, answered] = &mut self.probed_at;
                let is_first = answered.is_none();
                answered.get_or_insert(at);
                is_first.then_some(SessionChange::Probed)
            }
            (Direction::ClientToServer, b"5") if self.upgraded_at.is_none() => {
                self.upgraded_at = Some(at);
                Some(SessionChange::Upgraded)
            }
            _ => None,
        }
    }
}
