//! What a request target says of a transport: whose URL it is, and what a known protocol puts in it.

use std::fmt;

use crate::Head;
use crate::subprotocol::sockjs_target;

/// Octets kept of a name or value that is compared from request to request.
const MAX_TEXT: usize = 256;
/// Parameters that are compared.
const MAX_PARAMETERS: usize = 16;

/// A protocol whose sessions go over several connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionProtocol {
    /// Engine.IO, and Socket.IO in it.
    EngineIo,
    /// `SockJS`.
    SockJs,
}

impl SessionProtocol {
    /// The spelling of the JSON exports: `engine.io` or `sockjs`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EngineIo => "engine.io",
            Self::SockJs => "sockjs",
        }
    }

    /// As its makers write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::EngineIo => "Engine.IO",
            Self::SockJs => "SockJS",
        }
    }
}

impl fmt::Display for SessionProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// A request target in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target<'a> {
    /// The path, without scheme and authority of an absolute form (RFC 9112 §3.2.2).
    pub path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Takes a request target apart.
    pub fn parse(target: &'a str) -> Self {
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = match path.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => path,
        };
        Self { path, query }
    }

    /// Of a request; empty where it is a response.
    pub fn of(request: &'a Head) -> Self {
        Self::parse(request.target().unwrap_or_default())
    }

    /// Names and values of the query as they were sent, in order.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let pairs = self.query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// What a target states by the rules of a known protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) protocol: SessionProtocol,
    /// What names the session, cut; `None` before the server has named it.
    pub(crate) sid: Option<Box<str>>,
    /// The protocol's revision where the target tells it.
    pub(crate) revision: Option<Box<str>>,
    /// As the protocol calls it: `polling`, `xhr_streaming`.
    pub(crate) transport: Box<str>,
    /// The path without what names session and transport.
    pub(crate) base: Box<str>,
}

impl Stated {
    /// Of a request's target.
    pub(crate) fn of(target: &Target<'_>) -> Option<Self> {
        Self::engine_io(target).or_else(|| Self::sockjs(target))
    }

    fn engine_io(target: &Target<'_>) -> Option<Self> {
        let revision = target.parameter("EIO").filter(|revision| {
            (1..=2).contains(&revision.len()) && revision.bytes().all(|b| b.is_ascii_digit())
        })?;
        let transport = target.parameter("transport")?;
        if !matches!(transport, "polling" | "websocket") {
            return None;
        }
        let sid = target.parameter("sid").filter(|sid| !sid.is_empty());
        Some(Self {
            protocol: SessionProtocol::EngineIo,
            sid: sid.map(cut),
            revision: Some(revision.into()),
            transport: transport.into(),
            base: cut(target.path),
        })
    }

    fn sockjs(target: &Target<'_>) -> Option<Self> {
        let (base, session, transport) = sockjs_target(target.path)?;
        Some(Self {
            protocol: SessionProtocol::SockJs,
            sid: Some(cut(session)),
            revision: None,
            transport: transport.into(),
            base: cut(base),
        })
    }

    /// Whether it asks for a WebSocket that a session of polling may move to.
    pub(crate) fn may_move(&self) -> bool {
        self.protocol == SessionProtocol::EngineIo && self.sid.is_some()
    }

    /// Whether what waits for the server is a `POST`: all of `XMLHttpRequest` in SockJS is.
    pub(super) fn waits_by_post(&self) -> bool {
        self.protocol == SessionProtocol::SockJs && self.transport.starts_with("xhr")
    }

    /// Whether a body of an answer has its messages in lines.
    pub(crate) fn has_lines(&self) -> bool {
        self.protocol == SessionProtocol::SockJs && &*self.transport == "xhr_streaming"
    }
}

/// Names of parameters that change from request to request and tell nothing of what is asked: against
/// caches, and how far a client has read.
const VOLATILE: [&str; 38] = [
    "_",
    "t",
    "ts",
    "time",
    "timestamp",
    "now",
    "cb",
    "cache",
    "cachebuster",
    "cache_buster",
    "bust",
    "buster",
    "nocache",
    "no_cache",
    "r",
    "rnd",
    "rand",
    "random",
    "nonce",
    "rid",
    "req",
    "request_id",
    "after",
    "before",
    "since",
    "from",
    "cursor",
    "last",
    "last_id",
    "lastid",
    "last_event_id",
    "offset",
    "seq",
    "version",
    "etag",
    "next_batch",
    "token",
    "sid",
];

/// The parameters of one request, kept to be compared with those of the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parameters(Vec<(Box<str>, Box<str>)>);

impl Parameters {
    pub(super) fn of(target: &Target<'_>) -> Self {
        let mut pairs: Vec<_> = target
            .parameters()
            .take(MAX_PARAMETERS)
            .map(|(name, value)| (cut(name), cut(value)))
            .collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    /// Whether a request with these parameters can ask for the same thing a little later: what differs is
    /// [`VOLATILE`], or a number that grew.
    pub(super) fn can_follow(&self, earlier: &Self) -> bool {
        self.0.len() == earlier.0.len()
            && self.0.iter().zip(&earlier.0).all(|((name, value), (old_name, old))| {
                name == old_name && (value == old || is_volatile(name) || has_grown(old, value))
            })
    }

    /// How long the client asks to be waited for, where it does: the parameter as sent, and the time.
    pub(super) fn wait(&self) -> Option<Wait> {
        self.0.iter().find_map(|(name, value)| Wait::read(name, value))
    }
}

/// A time that a client asks the server to hold its answer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    /// `wait=25`.
    pub(super) said: String,
    /// In milliseconds.
    pub(super) millis: u64,
}

impl Wait {
    fn read(name: &str, value: &str) -> Option<Self> {
        const NAMES: [&str; 12] = [
            "wait",
            "timeout",
            "poll_timeout",
            "polltimeout",
            "longpoll",
            "long_poll",
            "longpolling",
            "hold",
            "block",
            "wait_time",
            "waittime",
            "max_wait",
        ];
        if !NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return None;
        }
        let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        let number: u64 = value.get(..digits)?.parse().ok()?;
        let millis = match value.get(digits..)? {
            "s" => number.checked_mul(1000)?,
            "m" => number.checked_mul(60_000)?,
            // Nobody waits for ten minutes, nor for half a second, in one request.
            "" if number <= 600 => number.checked_mul(1000)?,
            "" | "ms" => number,
            _ => return None,
        };
        (millis >= 1000).then(|| Self { said: format!("{name}={value}"), millis })
    }

    /// `Prefer: wait=10` (RFC 7240 §4.3).
    pub(super) fn preferred(request: &Head) -> Option<Self> {
        request.tokens("Prefer").iter().find_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            let seconds: u64 = value.trim().parse().ok()?;
            let millis = seconds.checked_mul(1000)?;
            let is_wait = name.trim().eq_ignore_ascii_case("wait") && millis >= 1000;
            is_wait.then(|| Self { said: format!("Prefer: wait={seconds}"), millis })
        })
    }
}

fn is_volatile(name: &str) -> bool {
    VOLATILE.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn has_grown(old: &str, new: &str) -> bool {
    match (old.parse::<u64>(), new.parse::<u64>()) {
        (Ok(old), Ok(new)) => new > old,
        _ => false,
    }
}

/// The beginning of a text, at most [`MAX_TEXT`] octets.
pub(super) fn cut(text: &str) -> Box<str> {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        Parameters::of(&Target::parse(&format!("/x?{query}")))
    }

    #[test]
    fn targets_are_taken_apart() {
        let rows = [
            ("/a/b?x=1&y", "/a/b", vec![("x", "1"), ("y", "")]),
            ("http://a.example:80/a?x=1#f", "/a", vec![("x", "1")]),
            ("http://a.example?x=1", "/", vec![("x", "1")]),
            ("*", "*", vec![]),
        ];
        for (target, path, pairs) in rows {
            let target = Target::parse(target);
            assert_eq!((target.path, target.parameters().collect::<Vec<_>>()), (path, pairs));
        }
    }

    #[test]
    fn what_may_change_from_one_request_to_the_next() {
        let rows = [
            ("", "", true),
            ("a=1", "a=1", true),
            ("t=Oxyz", "t=Oxzz", true),
            ("after=m1&wait=25", "after=m9&wait=25", true),
            ("page=1", "page=2", true),
            ("page=2", "page=1", false),
            ("id=cat", "id=dog", false),
            ("a=1", "b=1", false),
            ("a=1", "a=1&b=2", false),
        ];
        for (earlier, later, expected) in rows {
            assert_eq!(parameters(later).can_follow(&parameters(earlier)), expected, "{later}");
        }
    }

    #[test]
    fn waits_that_clients_ask_for() {
        let rows = [
            ("wait=25", Some(25_000)),
            ("timeout=30000", Some(30_000)),
            ("TimeOut=30s", Some(30_000)),
            ("hold=1500ms", Some(1500)),
            ("wait=0", None),
            ("wait=true", None),
            ("waiter=25", None),
            ("wait=99999999999999999999", None),
        ];
        for (query, millis) in rows {
            assert_eq!(parameters(query).wait().map(|wait| wait.millis), millis, "{query}");
        }
    }

    #[test]
    fn targets_of_engine_io_and_sockjs() {
        let told = |target: &str| {
            let stated = Stated::of(&Target::parse(target))?;
            let sid = stated.sid.as_deref().unwrap_or("-").to_owned();
            Some(format!("{} {sid} {} {}", stated.protocol.name(), stated.transport, stated.base))
        };
        let rows = [
            ("/socket.io/?EIO=4&transport=polling&t=a", Some("engine.io - polling /socket.io/")),
            ("/e/?transport=websocket&EIO=3&sid=x", Some("engine.io x websocket /e/")),
            ("/e/?transport=webtransport&EIO=4", None),
            ("/e/?transport=polling", None),
            ("/e/?transport=polling&EIO=four", None),
            ("/echo/123/abcd1234/xhr_streaming?t=1", Some("sockjs abcd1234 xhr_streaming /echo")),
            ("/echo/123/abcd1234/xhr_send", Some("sockjs abcd1234 xhr_send /echo")),
            ("/echo/abc/abcd1234/xhr", None),
            ("/echo/info", None),
        ];
        for (target, expected) in rows {
            assert_eq!(told(target).as_deref(), expected, "{target}");
        }
    }
}
