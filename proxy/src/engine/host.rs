//! What an engine runs: the parts put together, the runtime they live on, the order they end in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framescope_certs::Authority;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::{EngineConfig, StartError, Upstream, authority_dir, data_dir, port};
use crate::http::Rewrite;
use crate::recorder::Recorder;
use crate::tls::{ClientTls, Identity, UpstreamTlsConfig};
use crate::upstream::{Dialler, Target};
use crate::wires::{FAREWELL, Wires};
use crate::{clock, demo, listener};

/// How long the demo has to close its WebSockets.
const DEMO_FAREWELL: Duration = Duration::from_millis(500);

/// Everything that can fail before a capture is made.
pub(super) struct Prepared {
    pub listener: std::net::TcpListener,
    pub dialler: Dialler,
    pub client_tls: ClientTls,
    pub demo: Option<demo::Server>,
    pub rewrite: Rewrite,
}

/// Checks and opens what `config` names.
pub(super) fn prepare(config: &EngineConfig) -> Result<Prepared, StartError> {
    let (target, demo) = match &config.upstream {
        Upstream::Url(url) => (Target::parse(url)?, None),
        Upstream::Demo => {
            let server = demo::Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
                .map_err(StartError::Demo)?;
            (Target::parse(&format!("ws://{}", server.local_addr()))?, Some(server))
        }
    };
    if !target.tls()
        && let Some(option) = config.tls_option()
    {
        return Err(StartError::UpstreamWithoutTls { option, upstream: target.to_string() });
    }
    let rewrite = Rewrite::new(&target, config.preserve_host)
        .with_own_names(config.own_names.iter().cloned());
    let tls = UpstreamTlsConfig {
        extra_roots: config.upstream_ca.clone(),
        insecure: config.insecure_upstream,
    };
    let dialler = Dialler::new(target, &tls)?;
    let client_tls = ClientTls::new(identity(config)?)?;
    let listener = port::bind(config.listen)?;
    Ok(Prepared { listener, dialler, client_tls, demo, rewrite })
}

/// What TLS clients are shown: the user's own certificate, or leaves of the local CA.
fn identity(config: &EngineConfig) -> Result<Identity, StartError> {
    if let Some((certificate, key)) = &config.own_certificate {
        return Ok(Identity::own(certificate, key)?);
    }
    let folder = authority_dir(&data_dir(config.data_dir.as_deref())?);
    let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(clock::now().as_nanos());
    Ok(Identity::Minted(Arc::new(Authority::load_or_create(&folder, now)?)))
}

/// The runtime of the engine's own thread: the demo lives on it. Connections live on the threads of the
/// wire, and the listener on the first of them.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Who lives in the engine.
pub(super) struct House {
    pub listener: std::net::TcpListener,
    pub wires: Wires,
    pub demo: Option<Demo>,
}

/// The demo server, and when its clients are wanted.
pub(super) struct Demo {
    pub server: demo::Server,
    pub wanted: watch::Receiver<bool>,
    pub proxy: SocketAddr,
}

/// Runs until stopped; then the wire ends before the recorder does.
pub(super) fn run(
    runtime: Runtime,
    house: House,
    stopped: oneshot::Receiver<()>,
    recorder: Recorder,
) {
    let House { listener, wires, demo } = house;
    let wires = Arc::new(wires);
    runtime.block_on(live(listener, &wires, demo, stopped));
    drop(wires);
    runtime.shutdown_timeout(FAREWELL);
    recorder.finish();
}

async fn live(
    listener: std::net::TcpListener,
    wires: &Arc<Wires>,
    demo: Option<Demo>,
    stopped: oneshot::Receiver<()>,
) {
    survive_file_size_limit();
    let (stop_listener, listener_stopped) = oneshot::channel();
    let Some(first) = wires.first_runtime() else { return };
    let listening = first.spawn({
        let wires = Arc::clone(wires);
        async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => listener::listen(listener, &wires, listener_stopped).await,
                Err(error) => tracing::error!("the listener cannot be served: {error}"),
            }
        }
    });
    match demo {
        None => drop(stopped.await),
        Some(demo) => demo.live(stopped).await,
    }
    drop(stop_listener);
    if let Err(error) = listening.await {
        tracing::error!("the listener failed; please report it: {error}");
    }
}

/// Beyond the limit of a file's size a write is to fail, as on a full disk, not to end the process.
#[cfg(unix)]
fn survive_file_size_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // Once listened for, a signal does nothing else, even when nobody listens any more.
    if let Err(error) = signal(kind) {
        tracing::debug!("SIGXFSZ stays deadly: {error}");
    }
}

#[cfg(not(unix))]
fn survive_file_size_limit() {}

impl Demo {
    /// Serves the demo until stopped, with clients while they are wanted.
    async fn live(self, stopped: oneshot::Receiver<()>) {
        let Self { server, wanted, proxy } = self;
        let (stop_server, server_stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.run(async {
            let _ = server_stopped.await;
        }));
        let clients = tokio::spawn(clients(wanted, proxy));
        let _ = stopped.await;
        // What has not closed by then is cut off.
        let _ = timeout(DEMO_FAREWELL, clients).await;
        drop(stop_server);
        let _ = timeout(DEMO_FAREWELL, serving).await;
    }
}

/// Runs the demo's clients whenever they are wanted, until nobody can want them any more.
async fn clients(mut wanted: watch::Receiver<bool>, proxy: SocketAddr) {
    // A listener on all addresses is reached on the loopback.
    let ip = match proxy.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let target = SocketAddr::new(ip, proxy.port());
    while wanted.wait_for(|wanted| *wanted).await.is_ok() {
        let mut unwanted = wanted.clone();
        let stopped = async move {
            let _ = unwanted.wait_for(|wanted| !*wanted).await;
        };
        Box::pin(demo::clients::run(target, stopped)).await;
    }
}
