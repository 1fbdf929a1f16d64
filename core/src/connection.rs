//! What is known of a connection besides its octets.
//!
//! These are the JSON objects that travel in the packet comments of a capture; every field may be
//! missing, and unknown fields are ignored, so that older and newer captures open alike.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::{Direction, Leg};

/// The number of a connection within one capture, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub u32);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A map by connection, asked once a frame or oftener.
pub type ConnectionMap<V> = HashMap<ConnectionId, V, BuildHasherDefault<ConnectionHasher>>;

/// Spreads connection numbers in one multiplication. They are never chosen by a peer; whoever forges
/// a capture whose numbers collide slows down the reading of that capture alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionHasher(u64);

impl Hasher for ConnectionHasher {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u32(u32::from(*octet));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio: neighbours land far apart.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// What is known when a connection is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionInfo {
    /// The peer that connected.
    pub client: SocketAddr,
    /// The address it connected to: the proxy's listener, or the server in a foreign capture.
    pub server: SocketAddr,
    /// How the octets came by: `reverse`, `demo`, or `capture` for a foreign file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The upstream's URL, such as `wss://example.org:8443/base`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// TLS between client and proxy, taken off before the octets were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsInfo>,
}

/// One side's TLS session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TlsInfo {
    /// Such as `TLSv1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite's IANA name, such as `TLS_AES_128_GCM_SHA256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The application protocol agreed on, such as `http/1.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// The server name the client asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// SHA-256 of the end-entity certificate, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_sha256: Option<String>,
    /// The upstream's certificate was not verified because the user said so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
}

/// What became known of a connection after it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConnectionNote {
    /// The upstream's address, once dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_addr: Option<SocketAddr>,
    /// The address the proxy dialled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_local_addr: Option<SocketAddr>,
    /// TLS between proxy and upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_tls: Option<TlsInfo>,
    /// Nanoseconds from the accept to the end of the client's TLS handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_tls_nanos: Option<u64>,
    /// Nanoseconds that name resolution and TCP connect to the upstream took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial_nanos: Option<u64>,
    /// Nanoseconds that the TLS handshake with the upstream took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_tls_nanos: Option<u64>,
    /// The direction whose sender ended TCP without the `close_notify` that TLS asks for (RFC 8446
    /// §6.1): whether everything arrived cannot be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_close_notify: Option<Direction>,
    /// A receiver that takes no octets, or takes them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// What the proxy changed, and that it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alterations: Vec<Alteration>,
    /// Why the proxy could not do its work: the stage and one clear line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl ConnectionNote {
    /// Takes over what a later note says of the connection as a whole: addresses, TLS, timings.
    pub fn learn(&mut self, later: &Self) {
        self.upstream_addr = later.upstream_addr.or(self.upstream_addr);
        self.upstream_local_addr = later.upstream_local_addr.or(self.upstream_local_addr);
        if later.upstream_tls.is_some() {
            self.upstream_tls.clone_from(&later.upstream_tls);
        }
        self.client_tls_nanos = later.client_tls_nanos.or(self.client_tls_nanos);
        self.dial_nanos = later.dial_nanos.or(self.dial_nanos);
        self.upstream_tls_nanos = later.upstream_tls_nanos.or(self.upstream_tls_nanos);
    }
}

/// A receiver took none of the octets that waited for it, for a second or longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// Which octets waited: those from its sender to the other side, which did not read.
    pub direction: Direction,
    /// Nanoseconds so far.
    pub nanos: u64,
    /// Octets that waited in the proxy; more may wait in the systems between.
    pub waiting: u64,
    /// It takes octets again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
}

/// One change that the proxy made to what it forwarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alteration {
    /// Which octets were changed.
    pub direction: Direction,
    /// What was changed: a header's name, or `request-target`, or `answer`.
    pub what: String,
    /// As the sender sent it.
    pub from: String,
    /// As it was passed on.
    pub to: String,
}

/// A failure of the proxy's own: dial, TLS, certificate, refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `sniff`, `client-tls`, `head`, `resolve`, `dial`, `upstream-tls`, `upgrade`, `http`, `relay`.
    pub stage: String,
    /// One line: what, where, how to mend it.
    pub message: String,
    /// Where it happened, where a side is to be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<Leg>,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Failure {
    /// Whether the proxy itself then ended the connection, which both peers had left open: it was
    /// stopped, or failed. Where a side failed, the relay names its leg.
    pub fn ends_connection(&self) -> bool {
        self.stage == "relay" && self.leg.is_none()
    }
}
