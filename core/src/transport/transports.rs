//! What the exchanges of all connections make together: series and sessions, in bounded memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::series::{Poller, Who};
use super::target::{Parameters, Stated, Target, cut};
use super::{
    Evidence, ExchangeFacts, Series, SessionChange, SessionId, SessionProtocol, TransportEvent,
    TransportKind, TransportSession,
};
use crate::{ConnectionId, Head, Message, Timestamp};

/// URLs that are remembered; the one that was asked for the longest ago is forgotten for the next.
pub const MAX_URLS: usize = 1_024;
/// Clients told apart that ask for one URL from one address at the same time.
pub const MAX_POLLERS: usize = 8;
/// Sessions that are remembered.
pub const MAX_SESSIONS: usize = 1_024;

/// Where an exchange belongs.
#[derive(Debug, Clone, Default)]
pub(super) enum Seat {
    /// Nowhere: there are too many of its like.
    #[default]
    None,
    Url {
        who: Arc<Who>,
        serial: u64,
    },
    Session {
        key: Arc<SessionKey>,
        is_sending: bool,
    },
}

/// What names a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    protocol: SessionProtocol,
    host: Box<str>,
    base: Box<str>,
    sid: Box<str>,
}

#[derive(Debug)]
struct Followed {
    session: TransportSession,
    /// What waits for the server, and what sends.
    pollers: [Poller; 2],
    touched: u64,
}

/// All series and sessions of a capture.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    urls: HashMap<Arc<Who>, Vec<Poller>>,
    sessions: HashMap<Arc<SessionKey>, Followed>,
    /// Numbers given so far.
    series: u32,
    session_ids: u32,
    serials: u64,
}

impl SessionKey {
    fn of(stated: &Stated, sid: &str, request: &Head) -> Self {
        let host = cut(&request.value("Host").unwrap_or_default());
        Self { protocol: stated.protocol, host, base: stated.base.clone(), sid: cut(sid) }
    }
}

/// A request in the words of this module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) connection: ConnectionId,
    pub(super) client: IpAddr,
    pub(super) request: &'a Head,
    pub(super) at: Timestamp,
}

impl Transports {
    fn serial(&mut self) -> u64 {
        self.serials = self.serials.saturating_add(1);
        self.serials
    }

    /// A request came that no known protocol claims.
    pub(super) fn begin(&mut self, asked: Asked<'_>) -> (Seat, Option<Arc<Series>>) {
        let target = Target::of(asked.request);
        let parameters = Parameters::of(&target);
        let who = Arc::new(Who::new(asked.client, asked.request, &target));
        let serial = self.serial();
        if !self.urls.contains_key(&who) {
            self.make_room();
        }
        let pollers = self.urls.entry(Arc::clone(&who)).or_default();
        let free = pollers.iter().position(|poller| poller.can_go_on(&parameters));
        let at = match free {
            Some(at) => at,
            None if pollers.len() < MAX_POLLERS => {
                pollers.push(Poller::new(serial, Arc::clone(&who), asked.at));
                pollers.len().saturating_sub(1)
            }
            None => {
                let idle = pollers.iter().enumerate().filter(|(_, poller)| !poller.is_open);
                let Some((at, _)) = idle.min_by_key(|(_, poller)| poller.touched) else {
                    return (Seat::None, None);
                };
                if let Some(oldest) = pollers.get_mut(at) {
                    *oldest = Poller::new(serial, Arc::clone(&who), asked.at);
                }
                at
            }
        };
        let Some(poller) = pollers.get_mut(at) else { return (Seat::None, None) };
        poller.touched = serial;
        let seat = Seat::Url { who, serial: poller.serial };
        (seat, poller.begin(asked.request, parameters, asked.at, &mut self.series))
    }

    /// An exchange of a session was answered well: it is part of it.
    pub(super) fn join(
        &mut self,
        asked: Asked<'_>,
        stated: &Stated,
        sid: &str,
        kind: TransportKind,
        tell: &mut dyn FnMut(TransportEvent),
    ) -> Seat {
        let key = self.follow(asked, stated, sid, kind, tell);
        let is_sending = kind == TransportKind::Sending;
        let Some(followed) = self.sessions.get_mut(&key) else { return Seat::None };
        let Some(poller) = followed.pollers.get_mut(usize::from(is_sending)) else {
            return Seat::None;
        };
        poller.join(followed.session.id, asked.at);
        let reason = match stated.protocol {
            SessionProtocol::EngineIo => format!(
                "the target asks for EIO={} and transport={}",
                stated.revision.as_deref().unwrap_or_default(),
                stated.transport
            ),
            SessionProtocol::SockJs => {
                format!("the path ends as SockJS has it: {}", stated.transport)
            }
        };
        let told = poller.tell(kind, Evidence::Protocol, reason, &mut self.series);
        if let Some(series) = told {
            tell(TransportEvent::SeriesTold(series));
        }
        Seat::Session { key, is_sending }
    }

    /// A WebSocket was opened for a session. Says its key where what it carries has to be watched.
    pub(super) fn join_websocket(
        &mut self,
        asked: Asked<'_>,
        stated: &Stated,
        sid: &str,
        tell: &mut dyn FnMut(TransportEvent),
    ) -> Arc<SessionKey> {
        self.follow(asked, stated, sid, TransportKind::WebSocket, tell)
    }

    fn follow(
        &mut self,
        asked: Asked<'_>,
        stated: &Stated,
        sid: &str,
        kind: TransportKind,
        tell: &mut dyn FnMut(TransportEvent),
    ) -> Arc<SessionKey> {
        let key = Arc::new(SessionKey::of(stated, sid, asked.request));
        let serial = self.serial();
        let is_new = !self.sessions.contains_key(&key);
        if is_new {
            self.add_session(&key, stated, asked, serial);
        }
        let Some(followed) = self.sessions.get_mut(&key) else { return key };
        followed.touched = serial;
        let joined = followed.session.carried_by(asked.connection, kind, asked.at);
        let change = if is_new { Some(SessionChange::Began) } else { joined };
        if let Some(change) = change {
            let session = Arc::new(followed.session.clone());
            tell(TransportEvent::SessionChanged { session, change });
        }
        key
    }

    fn add_session(
        &mut self,
        key: &Arc<SessionKey>,
        stated: &Stated,
        asked: Asked<'_>,
        serial: u64,
    ) {
        if self.sessions.len() >= MAX_SESSIONS {
            let oldest = self.sessions.iter().min_by_key(|(_, followed)| followed.touched);
            if let Some(oldest) = oldest.map(|(key, _)| Arc::clone(key)) {
                self.sessions.remove(&oldest);
            }
        }
        self.session_ids = self.session_ids.saturating_add(1);
        let id = SessionId(self.session_ids);
        let names = (&*key.sid, &*key.host);
        let session = TransportSession::new(id, stated, names, asked.client, asked.at);
        let who = |method: &str| Who {
            method: method.into(),
            ..Who::new(asked.client, asked.request, &Target::parse(&stated.base))
        };
        let waits = if stated.waits_by_post() { "POST" } else { "GET" };
        let pollers = [Arc::new(who(waits)), Arc::new(who("POST"))];
        let pollers = pollers.map(|who| Poller::new(serial, who, asked.at));
        self.sessions.insert(Arc::clone(key), Followed { session, pollers, touched: serial });
    }

    /// The session of a target that names one, where it is known.
    pub(super) fn session_of(&self, stated: &Stated, request: &Head) -> Option<SessionId> {
        let key = SessionKey::of(stated, stated.sid.as_deref()?, request);
        Some(self.sessions.get(&key)?.session.id)
    }

    /// The session that a seat is in.
    pub(super) fn session_at(&self, seat: &Seat) -> Option<SessionId> {
        let Seat::Session { key, .. } = seat else { return None };
        Some(self.sessions.get(key)?.session.id)
    }

    /// What its body says an exchange is.
    pub(super) fn tell(
        &mut self,
        seat: &Seat,
        kind: TransportKind,
        evidence: Evidence,
        reason: String,
    ) -> Option<Arc<Series>> {
        let (poller, ids) = self.poller(seat)?;
        poller.tell(kind, evidence, reason, ids)
    }

    /// An exchange is over: what became known of its series by that; and the facts' own fields about it
    /// are filled in.
    pub(super) fn end(&mut self, seat: &Seat, facts: &mut ExchangeFacts) -> Option<Arc<Series>> {
        let (poller, ids) = self.poller(seat)?;
        let told = poller.end(facts, ids);
        facts.session = poller.session;
        facts.series = poller.series();
        facts.kind = poller.kind();
        told
    }

    /// A message went by on the WebSocket that a session may move to. Says whether it has to be watched
    /// any longer.
    pub(crate) fn saw_message(
        &mut self,
        key: &SessionKey,
        message: &Message,
        tell: &mut dyn FnMut(TransportEvent),
    ) -> bool {
        let Some(followed) = self.sessions.get_mut(key) else { return false };
        if let Some(change) = followed.session.saw(message) {
            let session = Arc::new(followed.session.clone());
            tell(TransportEvent::SessionChanged { session, change });
        }
        followed.session.upgraded_at.is_none()
    }

    fn poller(&mut self, seat: &Seat) -> Option<(&mut Poller, &mut u32)> {
        let poller = match seat {
            Seat::None => None,
            Seat::Url { who, serial } => {
                self.urls.get_mut(who)?.iter_mut().find(|poller| poller.serial == *serial)
            }
            Seat::Session { key, is_sending } => {
                self.sessions.get_mut(key)?.pollers.get_mut(usize::from(*is_sending))
            }
        };
        Some((poller?, &mut self.series))
    }

    /// Forgets the URL that was asked for the longest ago, where there are too many.
    fn make_room(&mut self) {
        if self.urls.len() < MAX_URLS {
            return;
        }
        let touched = |pollers: &Vec<Poller>| pollers.iter().map(|poller| poller.touched).max();
        let oldest = self.urls.iter().min_by_key(|(_, pollers)| touched(pollers));
        if let Some(oldest) = oldest.map(|(who, _)| Arc::clone(who)) {
            self.urls.remove(&oldest);
        }
    }
}
