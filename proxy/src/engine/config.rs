//! How to start an engine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::set::Rotation;

/// What the proxy stands in front of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// The built-in demo server, started on a free port of 127.0.0.1.
    Demo,
    /// A `ws://`, `wss://`, `http://` or `https://` URL.
    Url(String),
}

/// What the user should not forget of [`EngineConfig::insecure_upstream`].
pub const UNVERIFIED: &str = "the upstream's certificate is NOT verified: \
     whoever is on the path can read and change everything";

/// How to start an engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What to stand in front of.
    pub upstream: Upstream,
    /// The capture to write; `None` makes one in the user's data directory. A file that holds anything
    /// is never written over.
    pub capture: Option<PathBuf>,
    /// Where captures and the local CA live; `None` takes `FRAMESCOPE_DATA_DIR`, or else the user's
    /// data directory.
    pub data_dir: Option<PathBuf>,
    /// Forward `Host` and `Origin` as the client sent them.
    pub preserve_host: bool,
    /// Further names by which pages come from the proxy: their `Origin` becomes the upstream's, as
    /// that of `localhost`, of any address and of the upstream's own name does.
    pub own_names: Vec<String>,
    /// Answer 502 instead of passing on a 101 with a wrong or missing `Sec-WebSocket-Accept`.
    pub strict: bool,
    /// Do not verify the upstream's certificate.
    pub insecure_upstream: bool,
    /// PEM file with further roots for the upstream's certificate.
    pub upstream_ca: Option<PathBuf>,
    /// Certificate chain and key (PEM) to serve to TLS clients instead of minted ones.
    pub own_certificate: Option<(PathBuf, PathBuf)>,
    /// What to do when the recorder cannot keep up.
    pub when_slow: WhenSlow,
    /// When the capture goes on in another file: it is a set then, and [`EngineConfig::capture`] gives
    /// its name, to which numbers are added.
    pub rotation: Rotation,
    /// A client's first request head, once begun, must be whole within this time.
    pub head_timeout: Duration,
}

impl EngineConfig {
    /// [`EngineConfig::head_timeout`] unless told otherwise.
    pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

    /// Listening on `listen` in front of `upstream`, everything else at its default.
    pub fn new(listen: SocketAddr, upstream: Upstream) -> Self {
        Self {
            listen,
            upstream,
            capture: None,
            data_dir: None,
            preserve_host: false,
            own_names: Vec::new(),
            strict: false,
            insecure_upstream: false,
            upstream_ca: None,
            own_certificate: None,
            when_slow: WhenSlow::Block,
            rotation: Rotation::default(),
            head_timeout: Self::HEAD_TIMEOUT,
        }
    }

    /// The first option given that says how the upstream's certificate is judged.
    pub(super) fn tls_option(&self) -> Option<&'static str> {
        let options = [
            ("--upstream-ca", self.upstream_ca.is_some()),
            ("--insecure-upstream", self.insecure_upstream),
        ];
        options.into_iter().find_map(|(option, is_given)| is_given.then_some(option))
    }
}

/// What to do when the recorder cannot keep up with the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenSlow {
    /// The wire waits: nothing is lost, senders feel back-pressure.
    #[default]
    Block,
    /// The wire goes on: what is not recorded becomes an explicit gap.
    Gap,
}
