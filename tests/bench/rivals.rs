//! Who is measured: always direct, copy and framescope; other proxies where they are installed.

mod config;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rustls::ClientConfig;
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::load::Way;
use crate::process::Server;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No proxy at all.
    Direct,
    /// An octet copier; TLS by tokio-rustls.
    Copy,
    /// Framescope, recording and decoding.
    Framescope,
    /// haproxy in `mode http`.
    Haproxy,
    /// nginx with `proxy_pass`.
    Nginx,
    /// hudsucker, built from `tests/rivals`; plain only.
    Hudsucker,
    /// mitmproxy in reverse mode, writing its flows.
    Mitmproxy,
}

impl Kind {
    /// All of them, in the table's order.
    pub const ALL: [Self; 7] = [
        Self::Direct,
        Self::Copy,
        Self::Framescope,
        Self::Haproxy,
        Self::Nginx,
        Self::Hudsucker,
        Self::Mitmproxy,
    ];

    /// For the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Copy => "copy",
            Self::Framescope => "framescope",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Hudsucker => "hudsucker",
            Self::Mitmproxy => "mitmproxy",
        }
    }

    /// Whether it can be started here.
    pub fn is_installed(self) -> bool {
        match self {
            Self::Direct | Self::Copy | Self::Framescope => true,
            Self::Haproxy => answers("haproxy", "-v"),
            Self::Nginx => answers("nginx", "-v"),
            Self::Hudsucker => hudsucker().is_file(),
            Self::Mitmproxy => answers("mitmdump", "--version"),
        }
    }

    /// Whether it takes part in works over TLS.
    pub fn speaks_tls(self) -> bool {
        !matches!(self, Self::Direct | Self::Hudsucker)
    }
}

/// What every rival stands on.
#[derive(Debug)]
pub struct Site {
    /// The upstream.
    pub echo: SocketAddr,
    /// For those that serve a certificate that is given to them.
    pub certificate: Certificate,
    /// Where they have their folders.
    pub folder: PathBuf,
}

/// A running rival. It ends, and its files go, when this is dropped.
#[derive(Debug)]
pub struct Rival {
    /// Who it is.
    pub kind: Kind,
    plain: Way,
    tls: Option<Way>,
    servers: Vec<Server>,
    /// Its files: dropped last.
    folder: TempDir,
}

impl Rival {
    /// Starts it in a folder of its own.
    pub fn start(kind: Kind, site: &Site) -> Result<Self> {
        Self::start_with(kind, site, &[])
    }

    /// Starts Framescope with a capture that goes on in another file at `octets` and keeps `keep`.
    pub fn start_rotating(site: &Site, octets: u64, keep: u32) -> Result<Self> {
        Self::start_with(Kind::Framescope, site, &[octets.to_string(), keep.to_string()])
    }

    fn start_with(kind: Kind, site: &Site, rotation: &[String]) -> Result<Self> {
        let folder = tempfile::tempdir_in(&site.folder)?;
        let files = folder.path();
        let echo = site.echo;
        let Certificate { chain, key, client, .. } = &site.certificate;
        let (upstream, chain, key) =
            (echo.to_string(), chain.to_string_lossy(), key.to_string_lossy());
        let mut tls = None;
        let servers = match kind {
            Kind::Direct => Vec::new(),
            Kind::Copy => {
                let words = ["serve-copy-tls", &upstream, &chain, &key];
                let secure = Server::start_self(&words)?;
                tls = Some(secure.addr());
                vec![Server::start_self(&["serve-copy", &upstream])?, secure]
            }
            Kind::Framescope => {
                let folder = files.to_string_lossy();
                let mut words = vec!["serve-framescope", &upstream, &folder, &chain, &key];
                words.extend(rotation.iter().map(String::as_str));
                let server = Server::start_self(&words)?;
                tls = Some(server.addr());
                vec![server]
            }
            Kind::Haproxy => {
                let (plain, secure) = (free_port()?, free_port()?);
                tls = Some(secure);
                let path = files.join("haproxy.cfg");
                fs::write(&path, config::haproxy(plain, secure, site))?;
                vec![Server::start(Command::new("haproxy").arg("-db").arg("-f").arg(path), plain)?]
            }
            Kind::Nginx => {
                let (plain, secure) = (free_port()?, free_port()?);
                tls = Some(secure);
                let path = files.join("nginx.conf");
                fs::write(&path, config::nginx(plain, secure, site, files))?;
                vec![Server::start(Command::new("nginx").arg("-c").arg(path), plain)?]
            }
            Kind::Hudsucker => vec![Server::start_saying(&mut Command::new(hudsucker()))?],
            Kind::Mitmproxy => {
                let addr = free_port()?;
                tls = Some(addr);
                vec![Server::start(&mut config::mitmproxy(addr, site, files), addr)?]
            }
        };
        let addr = servers.first().map_or(echo, Server::addr);
        let mut plain = Way::plain(addr);
        if kind == Kind::Hudsucker {
            plain.target = format!("http://{echo}/echo");
        }
        let way = |addr| Way::tls(addr, Arc::<ClientConfig>::clone(client));
        Ok(Self { kind, plain, tls: tls.map(way), servers, folder })
    }

    /// How the load reaches the echo through it; `None` where it speaks no TLS.
    pub fn way(&self, tls: bool) -> Option<&Way> {
        if tls { self.tls.as_ref() } else { Some(&self.plain) }
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// CPU time it has used; none for the direct way.
    pub fn cpu(&self) -> Duration {
        self.servers.iter().map(Server::cpu).sum()
    }

    /// Resident memory, in octets; `None` for the direct way.
    pub fn resident(&self) -> Option<u64> {
        (!self.servers.is_empty()).then(|| self.servers.iter().map(Server::resident).sum())
    }

    /// Files it has open, sockets among them.
    pub fn open_files(&self) -> usize {
        self.servers.iter().map(Server::open_files).sum()
    }
}

fn answers(program: &str, word: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(word).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Where `cargo build --release` in `tests/rivals` puts it.
fn hudsucker() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rivals/target/release/rival-hudsucker")
}

/// A port that was free just now: those programs cannot say which one they took.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
