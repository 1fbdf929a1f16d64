//! Where the capture comes from: a proxy in this process, or a file. The only file that knows the
//! proxy crate.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use framescope_core::capture::CaptureItem;
use framescope_core::export::Only;
use framescope_core::present::Secrets;
use framescope_proxy::cli;
use framescope_proxy::engine::{Engine, EngineConfig, StartError, Stats, Upstream};
pub use framescope_proxy::engine::{UNVERIFIED, create_private};
use framescope_proxy::follow::Follower;
use framescope_proxy::recorder::Live;
pub use framescope_proxy::set::CaptureFile;
use framescope_proxy::set::SetName;
use framescope_proxy::view::stop::Stop;
use framescope_proxy::view::terminal;
use framescope_proxy::view::{Feed, Format, Palette};
use parking_lot::{Condvar, Mutex};

/// How long the window's threads have to end what they do.
const LET_GO: Duration = Duration::from_secs(10);

/// Where the embedded proxy listens unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9870);

/// How many ports after [`DEFAULT_LISTEN`] are tried before any free one is taken.
const PORTS_TRIED: u16 = 10;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The built-in demo server, through the embedded proxy.
    Demo,
    /// A server, through the embedded proxy.
    Upstream(String),
    /// A capture that is there already.
    File(PathBuf),
}

impl Target {
    /// What a command-line argument means: a URL, or else a file.
    pub fn parse(argument: Option<&str>) -> Self {
        match argument {
            None => Self::Demo,
            Some(url) if url.contains("://") => Self::Upstream(url.to_owned()),
            Some(path) => Self::File(PathBuf::from(path)),
        }
    }
}

/// How a proxy is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where clients connect; `None` takes the default address or the next free port after it.
    pub listen: Option<SocketAddr>,
    /// The capture to write; `None` makes one in the user's data directory.
    pub capture: Option<PathBuf>,
    /// PEM file with further roots for the upstream's certificate.
    pub upstream_ca: Option<PathBuf>,
    /// Do not verify the upstream's certificate.
    pub insecure_upstream: bool,
}

/// Why there is nothing to look at: one clear line.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The proxy did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The file cannot be opened.
    #[error("cannot open {}: {cause}; give a pcapng or pcap file, or a ws://, wss://, http:// or https:// URL", .path.display())]
    Open {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

impl SourceError {
    /// The exit code of a program that ends for this reason, as `framescope` has them.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Start(error) => error.exit_code(),
            Self::Open { .. } => 5,
        }
    }
}

/// Reads an address to listen on as the command line does: `HOST:PORT`, or `PORT` on 127.0.0.1.
pub fn listen_addr(text: &str) -> Result<SocketAddr, String> {
    cli::listen::parse(text)
}

/// A capture that may be growing, and the proxy that makes it grow.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    capture: PathBuf,
    /// Dropped last: see [`Source::ended`].
    lives: Option<mpsc::Sender<Infallible>>,
}

#[derive(Debug)]
enum Kind {
    Live(Engine),
    File(Box<CaptureFile>, Woken),
}

/// The records of a capture, in order, as far as they are there.
#[derive(Debug)]
pub enum Tail {
    /// Of a proxy in this process.
    Live(Follower<Live>),
    /// Of a file.
    File(Follower),
}

impl Tail {
    /// Where in the capture reading has come to: what [`Source::wait_beyond`] takes.
    pub fn offset(&self) -> u64 {
        match self {
            Self::Live(follower) => follower.offset(),
            Self::File(follower) => follower.offset(),
        }
    }

    /// Reads on, one chunk at most; says whether anything was there. Poll until `None` between two reads.
    pub fn read_more(&mut self) -> std::io::Result<bool> {
        match self {
            Self::Live(follower) => follower.read_more(),
            Self::File(follower) => follower.read_more(),
        }
    }

    /// The next record or fault of what was read.
    pub fn poll(&mut self) -> Option<CaptureItem> {
        match self {
            Self::Live(follower) => follower.poll(),
            Self::File(follower) => follower.poll(),
        }
    }

    /// Whether what was read ends with a whole block.
    pub fn is_between_blocks(&self) -> bool {
        match self {
            Self::Live(follower) => follower.is_between_blocks(),
            Self::File(follower) => follower.is_between_blocks(),
        }
    }

    /// Says that the capture ends here; then poll once more.
    pub fn finish(&mut self) {
        match self {
            Self::Live(follower) => follower.finish(),
            Self::File(follower) => follower.finish(),
        }
    }
}

/// A timer that can be cut short.
#[derive(Debug, Default)]
struct Woken {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Source {
    /// Starts a proxy, or opens a file.
    pub fn start(target: &Target, options: &Options) -> Result<Self, SourceError> {
        let upstream = match target {
            Target::Demo => Upstream::Demo,
            Target::Upstream(url) => Upstream::Url(url.clone()),
            Target::File(path) => return Self::open(path),
        };
        let start = |listen| {
            let mut config = EngineConfig::new(listen, upstream.clone());
            config.capture.clone_from(&options.capture);
            config.upstream_ca.clone_from(&options.upstream_ca);
            config.insecure_upstream = options.insecure_upstream;
            Engine::start(config)
        };
        let engine = match options.listen {
            Some(listen) => start(listen)?,
            None => start(free_port_near(DEFAULT_LISTEN))?,
        };
        engine.set_demo_clients(true);
        let capture = engine.capture_path().to_owned();
        Ok(Self { kind: Kind::Live(engine), capture, lives: None })
    }

    /// A capture that is there already. It may be growing.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let open = || match path.metadata() {
            // A pipe would hold up whoever opens it until somebody writes.
            Ok(what) if what.is_dir() => Err(std::io::Error::other("it is a folder")),
            Ok(what) if !what.is_file() => Err(std::io::Error::other("it is no regular file")),
            _ => CaptureFile::open(path),
        };
        let file = open().map_err(|cause| SourceError::Open { path: path.to_owned(), cause })?;
        let kind = Kind::File(Box::new(file), Woken::default());
        Ok(Self { kind, capture: path.to_owned(), lives: None })
    }

    /// What is looked at, in a few words.
    pub fn label(&self) -> String {
        match &self.kind {
            Kind::Live(engine) if engine.is_demo() => "demo server".to_owned(),
            Kind::Live(engine) => engine.upstream_url().to_owned(),
            Kind::File(..) => file_name(&self.capture),
        }
    }

    /// Whether this is a file that is there already, not a running proxy.
    pub fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File(..))
    }

    /// The capture file.
    pub fn capture_path(&self) -> &Path {
        &self.capture
    }

    /// Whether `path` is the capture, or a file of the set that it is, or will be.
    pub fn owns(&self, path: &Path) -> bool {
        let [Some(path), Some(capture)] = [path, &self.capture].map(whole_path) else {
            return false;
        };
        let Some((set, _)) = SetName::of_file(&path) else { return path == capture };
        let its = SetName::of_file(&capture).map(|(set, _)| set);
        path == capture || its.as_ref() == Some(&set) || SetName::new(&capture) == Some(set)
    }

    /// A reader of the capture: of all its files, where it is a set.
    pub fn open_capture(&self) -> std::io::Result<CaptureFile> {
        CaptureFile::open(&self.capture)
    }

    /// Follows the capture from its start: from the recorder's memory where the proxy runs here and the
    /// newest octets are asked for, else from the file.
    pub fn follow(&self) -> std::io::Result<Tail> {
        match &self.kind {
            Kind::Live(engine) => engine.follow().map(Tail::Live),
            Kind::File(..) => Follower::open(&self.capture).map(Tail::File),
        }
    }

    /// The capture file's name without its folders.
    pub fn capture_name(&self) -> String {
        file_name(&self.capture)
    }

    /// Why the capture of a running proxy cannot be written, or will not be found: one line, while
    /// that is so.
    pub fn trouble(&self) -> Option<String> {
        match &self.kind {
            Kind::Live(engine) => engine.trouble(),
            Kind::File(..) => None,
        }
    }

    /// What the user should know of a listener that other machines reach.
    pub fn exposure(&self) -> Option<String> {
        self.listen_addr().and_then(terminal::exposure)
    }

    /// Where clients connect; `None` for a file.
    pub fn listen_addr(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Live(engine) => Some(engine.listen_addr()),
            Kind::File(..) => None,
        }
    }

    /// The proxied page's URL; `None` for a file.
    pub fn page_url(&self) -> Option<String> {
        self.listen_addr().map(|addr| format!("http://{addr}/"))
    }

    /// The URL a WebSocket client is to be pointed at; `None` for a file.
    pub fn websocket_url(&self) -> Option<String> {
        self.listen_addr().map(|addr| format!("ws://{addr}"))
    }

    /// Waits until the capture has grown beyond `offset` octets, or for `timeout`; how long it is.
    pub fn wait_beyond(&self, offset: u64, timeout: Duration) -> u64 {
        match &self.kind {
            Kind::Live(engine) => engine.wait_beyond(offset, timeout),
            Kind::File(file, woken) => {
                let len = || file.len().unwrap_or(0);
                if len() <= offset {
                    let mut woken_now = woken.woken.lock();
                    if !*woken_now {
                        woken.changed.wait_for(&mut woken_now, timeout);
                    }
                }
                len()
            }
        }
    }

    /// Waits for the end of a source: the window's threads let go of it one by one, and the last ends a proxy
    /// with its capture complete.
    pub fn ended(&mut self) -> impl FnOnce() + use<> {
        let (lives, ended) = mpsc::channel();
        self.lives = Some(lives);
        move || {
            if ended.recv_timeout(LET_GO) == Err(RecvTimeoutError::Timeout) {
                eprintln!(
                    "framescope-gui: the capture is still in use; it may lack its last octets"
                );
            }
        }
    }

    /// How long ago the file was written to, or the newest of its set; `least` where that is not known.
    pub fn written_ago(&self, least: Duration) -> Duration {
        let written = CaptureFile::open(&self.capture).and_then(|file| file.modified());
        written.ok().and_then(|at| at.elapsed().ok()).unwrap_or(least).max(least)
    }

    /// Ends waits early from now on: the app is closing.
    pub fn wake(&self) {
        if let Kind::File(_, woken) = &self.kind {
            *woken.woken.lock() = true;
            woken.changed.notify_all();
        }
    }

    /// The proxy's figures; `None` for a file.
    pub fn stats(&self) -> Option<Stats> {
        match &self.kind {
            Kind::Live(engine) => Some(engine.stats()),
            Kind::File(..) => None,
        }
    }

    /// Whether the built-in demo clients run; `None` where there are none to run.
    pub fn demo_clients(&self) -> Option<bool> {
        match &self.kind {
            Kind::Live(engine) if engine.is_demo() => Some(engine.demo_clients()),
            _ => None,
        }
    }

    /// Starts or stops the built-in demo clients.
    pub fn set_demo_clients(&self, running: bool) {
        if let Kind::Live(engine) = &self.kind {
            engine.set_demo_clients(running);
        }
    }
}

/// Writes what a capture says as JSON Lines, credentials masked.
pub struct JsonFeed<W>(Feed<W>);

impl<W: std::io::Write> JsonFeed<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> std::io::Result<Self> {
        Feed::new(Format::Json, Palette::Plain, Secrets::Masked, out).map(Self)
    }

    /// From here on, writes only what `only` admits.
    pub fn narrow(&mut self, only: Only) {
        self.0.narrow(only);
    }

    /// How many lines were written.
    pub fn lines(&self) -> u64 {
        self.0.json_lines()
    }

    /// Writes what comes next.
    pub fn receive(&mut self, item: CaptureItem) -> std::io::Result<()> {
        self.0.receive(item)
    }

    /// Hands over everything that is written.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Shows the source line by line in the terminal, as `framescope` does: a file to its end, a running
/// proxy until SIGINT or SIGTERM comes. Says how the process ends.
pub fn show_in_terminal(source: Source) -> ExitCode {
    match source.kind {
        Kind::Live(engine) => cli::show_running(engine),
        Kind::File(..) => {
            let show = ["framescope", "show", "--"].map(OsStr::new);
            cli::run(show.into_iter().chain([source.capture.as_os_str()]))
        }
    }
}

/// Calls `then` when SIGINT or SIGTERM comes; the second one ends the process at once.
pub fn on_stop_signal(then: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let stop = Stop::listen()?;
    let wait = move || {
        stop.wait();
        then();
    };
    std::thread::Builder::new().name("stop".to_owned()).spawn(wait).map(drop)
}

/// `wanted`, or the next port after it that can be had, or any.
fn free_port_near(wanted: SocketAddr) -> SocketAddr {
    let candidates = (0..PORTS_TRIED).map(|step| wanted.port().saturating_add(step));
    candidates
        .map(|port| SocketAddr::new(wanted.ip(), port))
        .find(|addr| std::net::TcpListener::bind(addr).is_ok())
        .unwrap_or(SocketAddr::new(wanted.ip(), 0))
}

/// From the root on, and without links; the file itself need not be there.
fn whole_path(path: &Path) -> Option<PathBuf> {
    let in_folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(in_folder)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_with_a_scheme_is_an_upstream_anything_else_a_file() {
        assert_eq!(Target::parse(None), Target::Demo);
        let url = "wss://example.org/base";
        assert_eq!(Target::parse(Some(url)), Target::Upstream(url.to_owned()));
        assert_eq!(Target::parse(Some("a.pcapng")), Target::File(PathBuf::from("a.pcapng")));
    }

    #[test]
    fn a_file_that_is_not_there_is_told_in_one_line_with_the_mend() {
        let error = Source::open(Path::new("/nowhere/x.pcapng")).expect_err("no such file");
        let line = error.to_string();
        assert!(line.contains("/nowhere/x.pcapng") && line.contains("pcapng or pcap"), "{line}");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn what_is_no_regular_file_is_refused_before_it_is_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Source::open(folder.path()).expect_err("a folder");
        assert!(error.to_string().contains("it is a folder"), "{error}");
        #[cfg(unix)]
        {
            let error = Source::open(Path::new("/dev/null")).expect_err("a device");
            assert!(error.to_string().contains("it is no regular file"), "{error}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_stepped_over() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = taken.local_addr().expect("bound");
        assert_ne!(free_port_near(addr), addr);
    }
}
