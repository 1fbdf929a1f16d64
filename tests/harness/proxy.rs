//! A Framescope engine in a folder of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use framescope_proxy::{Engine, EngineConfig, Upstream};
use tempfile::TempDir;

use crate::{Peer, Place, Recorded};

/// A running engine. Its capture and its authority live in a folder that goes with it.
#[derive(Debug)]
pub struct Proxy {
    engine: Option<Engine>,
    capture: PathBuf,
    folder: TempDir,
}

impl Proxy {
    /// In front of `url`, on a free port of 127.0.0.1.
    pub fn start(url: &str) -> Self {
        Self::start_with(url, |_| {})
    }

    /// The same, with a changed configuration.
    pub fn start_with(url: &str, change: impl FnOnce(&mut EngineConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let capture = folder.path().join("test.pcapng");
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = EngineConfig::new(listen, Upstream::Url(url.to_owned()));
        config.capture = Some(capture.clone());
        config.data_dir = Some(folder.path().join("data"));
        change(&mut config);
        let engine = Engine::start(config).expect("an engine starts");
        Self { engine: Some(engine), capture, folder }
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.engine().listen_addr()
    }

    /// The folder that holds the authority: `ca/ca-cert.pem`.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A raw client.
    pub fn connect(&self) -> Peer {
        Peer::connect(self.addr())
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("running until it is stopped")
    }

    /// The capture's path.
    pub fn capture_path(&self) -> &Path {
        &self.capture
    }

    /// Waits until so many connections were accepted, and served to their end.
    pub fn await_served(&self, count: u64) {
        let mut written = 0;
        while self.engine().stats().accepted < count || self.engine().stats().open > 0 {
            written = self.engine().wait_beyond(written, Duration::from_millis(20));
        }
    }

    /// Stops the engine. Gives its folder, which goes when that is dropped.
    pub fn stop_engine(mut self) -> TempDir {
        if let Some(engine) = self.engine.take() {
            engine.shutdown();
        }
        self.folder
    }

    /// Stops the engine and reads what it recorded.
    pub fn stop(mut self) -> Recorded {
        if let Some(engine) = self.engine.take() {
            engine.shutdown();
        }
        Recorded::read(&self.capture)
    }
}

impl Place for Proxy {
    fn addr(&self) -> SocketAddr {
        self.addr()
    }

    fn data_dir(&self) -> PathBuf {
        self.data_dir()
    }
}
