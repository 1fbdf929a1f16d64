//! The engine: proxy, recorder and demo server on threads of their own, for a caller without tokio.

mod config;
mod failure;
mod files;
mod host;
mod limits;
mod port;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

pub use config::{EngineConfig, UNVERIFIED, Upstream, WhenSlow};
pub use failure::StartError;
pub use files::{authority_dir, create_private, data_dir};
pub use port::Holder;
use tokio::sync::{oneshot, watch};

use crate::clock::Clock;
use crate::connection::Surroundings;
use crate::follow::Follower;
use crate::recorder::{Live, OutFile, Recorder};
use crate::wires::Wires;

/// A running proxy. Dropping it stops it with the capture complete.
pub struct Engine {
    listen: SocketAddr,
    capture: PathBuf,
    upstream: String,
    is_demo: bool,
    is_set: bool,
    surroundings: Arc<Surroundings>,
    /// Taken when the engine ends: nobody wants them then.
    demo_clients: Option<watch::Sender<bool>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts listening, recording and forwarding; returns once the listener accepts.
    #[expect(clippy::needless_pass_by_value, reason = "a configuration is used once")]
    pub fn start(config: EngineConfig) -> Result<Self, StartError> {
        let clock = Clock::start();
        limits::raise_open_files();
        // The capture comes last: where anything else fails, no file is left behind.
        let host::Prepared { listener, dialler, client_tls, demo, rewrite } =
            host::prepare(&config)?;
        let listen = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let runtime = host::runtime().map_err(StartError::Threads)?;
        let (recorder, capture) = if config.rotation.is_wanted() {
            let (set, capture) = files::create_set(&config, clock.now())?;
            (Recorder::start(set, clock, config.when_slow), capture)
        } else {
            let (file, capture) = match &config.capture {
                Some(path) => (files::create_at(path)?, path.clone()),
                None => files::create_in(&data_dir(config.data_dir.as_deref())?, clock.now())?,
            };
            (Recorder::start(OutFile::new(file), clock, config.when_slow), capture)
        };
        let recorder = recorder.map_err(|source| {
            files::remove_empty(&capture);
            StartError::Capture { path: capture.clone(), source }
        })?;

        let upstream = dialler.target().to_string();
        let is_demo = demo.is_some();
        let surroundings = Arc::new(Surroundings {
            clock,
            queue: Arc::clone(recorder.queue()),
            client_tls,
            dialler,
            rewrite: Arc::new(rewrite),
            strict: config.strict,
            head_timeout: config.head_timeout,
            mode: if is_demo { "demo" } else { "reverse" },
            counters: Arc::default(),
            accepted: AtomicU32::default(),
            open: AtomicU64::default(),
        });
        let wires = Wires::start(&surroundings).map_err(StartError::Threads)?;
        let (stop, stopped) = oneshot::channel();
        let (demo_clients, demo_wanted) = watch::channel(false);
        let house = host::House {
            listener,
            wires,
            demo: demo.map(|server| host::Demo { server, wanted: demo_wanted, proxy: listen }),
        };
        let thread = std::thread::Builder::new()
            .name("framescope-engine".into())
            .spawn(move || host::run(runtime, house, stopped, recorder))
            .map_err(StartError::Threads)?;
        Ok(Self {
            listen,
            capture,
            upstream,
            is_demo,
            is_set: config.rotation.is_wanted(),
            surroundings,
            demo_clients: Some(demo_clients),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where clients connect.
    pub fn listen_addr(&self) -> SocketAddr {
        self.listen
    }

    /// The upstream as a URL, for display.
    pub fn upstream_url(&self) -> &str {
        &self.upstream
    }

    /// Whether the upstream is the built-in demo server.
    pub fn is_demo(&self) -> bool {
        self.is_demo
    }

    /// The capture being written; of a set, its first file, which stands for all of them
    /// ([`crate::set::CaptureFile`]) even where it was deleted meanwhile.
    pub fn capture_path(&self) -> &Path {
        &self.capture
    }

    /// Whether the capture is a set of files.
    pub fn is_set(&self) -> bool {
        self.is_set
    }

    /// Octets of the capture that are in the file, or in the files of the set since its first: readable
    /// by anyone.
    pub fn written(&self) -> u64 {
        self.surroundings.queue.written()
    }

    /// Waits until the capture has grown beyond `offset` octets or `timeout` has passed; returns
    /// [`Engine::written`]. For one follower thread each; costs nothing while nothing happens.
    pub fn wait_beyond(&self, offset: u64, timeout: Duration) -> u64 {
        self.surroundings.queue.wait_beyond(offset, timeout)
    }

    /// Follows the capture from its start: as [`Follower::open`] does, and cheaper while it keeps up.
    pub fn follow(&self) -> std::io::Result<Follower<Live>> {
        Live::open(&self.surroundings.queue, &self.capture).map(Follower::new)
    }

    /// Why the capture cannot be written, or will not be found: one line, while that is so.
    pub fn trouble(&self) -> Option<String> {
        self.surroundings.queue.trouble()
    }

    /// Figures for a status bar.
    pub fn stats(&self) -> Stats {
        let Surroundings { queue, counters, accepted, open, .. } = &*self.surroundings;
        Stats {
            open: open.load(Ordering::Relaxed),
            accepted: accepted.load(Ordering::Relaxed).into(),
            octets_in: counters.octets_in.load(Ordering::Relaxed),
            octets_out: counters.octets_out.load(Ordering::Relaxed),
            queued: queue.waiting() as u64,
            lag: queue.lag(),
            gap_octets: queue.gap_octets(),
        }
    }

    /// Starts or stops the built-in demo clients, which chat through the proxy. Does nothing unless
    /// the upstream is the demo server. They are stopped at first.
    pub fn set_demo_clients(&self, running: bool) {
        if let Some(wanted) = &self.demo_clients {
            wanted.send_replace(running && self.is_demo);
        }
    }

    /// Whether the built-in demo clients run.
    pub fn demo_clients(&self) -> bool {
        self.demo_clients.as_ref().is_some_and(|wanted| *wanted.borrow())
    }

    /// Stops accepting, ends what is open, completes the capture.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // They would else go on for as long as there is a proxy to reconnect to.
        if let Some(wanted) = self.demo_clients.take() {
            wanted.send_replace(false);
        }
        // Fails only where the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the engine failed while it was stopped; please report it");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("listen", &self.listen)
            .field("upstream", &self.upstream)
            .field("capture", &self.capture)
            .finish_non_exhaustive()
    }
}

/// Figures of a running engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Connections open now.
    pub open: u64,
    /// Connections accepted since the start.
    pub accepted: u64,
    /// Octets received from both sides since the start.
    pub octets_in: u64,
    /// Of those, octets passed on to the other side; an edited head counts as what it was before.
    pub octets_out: u64,
    /// Octets that wait to be written to the capture.
    pub queued: u64,
    /// Age of the oldest of them: the recorder's lag.
    pub lag: Duration,
    /// Octets that were not recorded and stand as gaps in the capture.
    pub gap_octets: u64,
}
