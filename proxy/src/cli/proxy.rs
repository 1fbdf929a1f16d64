//! `framescope proxy`: stand in front of an upstream and show what passes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use framescope_certs::SubjectName;

use super::look::Look;
use super::{Outcome, listen, view_failure};
use crate::engine::{Engine, EngineConfig, UNVERIFIED, Upstream, WhenSlow};
use crate::set::Rotation;
use crate::view::terminal::TerminalView;
use crate::view::{Format, Palette, terminal};

/// Stand in front of a server and show every frame that passes
///
/// Point your client at the listener instead of the server: it takes ws:// and wss://, plain HTTP and
/// HTTPS on one port. Every octet is passed on as it came and recorded in a capture that Wireshark
/// opens too.
///
/// The first line on stderr is "listening on ADDRESS:PORT"; stdout carries the view alone.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(group(clap::ArgGroup::new("rotation").args(["rotate_size", "rotate_every"]).multiple(true)))]
#[command(after_help = "\
Examples:
  framescope proxy ws://127.0.0.1:8080
  framescope proxy wss://echo.example.org --listen 9000 -w echo.pcapng
  framescope proxy http://localhost:3000 --json | jq -c 'select(.type == \"finding\")'

The columns of a frame's line: time, connection, direction (↑ from the client), opcode, flags (F for
FIN, 1–3 for RSV1–3), masking key, payload length, payload.")]
pub struct ProxyArgs {
    /// The server: a ws://, wss://, http:// or https:// URL
    upstream: String,
    /// Where to listen: HOST:PORT, or PORT on 127.0.0.1; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9870", value_parser = listen::parse)]
    listen: SocketAddr,
    /// The capture to write; it must not exist. Without it one is made in the user's data directory
    #[arg(short, long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(capture_path))]
    write: Option<PathBuf>,
    #[command(flatten)]
    look: Look,
    /// Write no view, only the capture
    #[arg(short, long, conflicts_with_all = ["json", "show_secrets", "detail", "payload"])]
    quiet: bool,
    /// Answer 502 instead of passing on a 101 whose Sec-WebSocket-Accept is wrong or missing
    #[arg(long)]
    strict: bool,
    /// Pass Host and Origin on as the client sent them
    #[arg(long)]
    preserve_host: bool,
    /// A further name that clients call this proxy by: pages from there are its own, and their Origin
    /// becomes the upstream's
    #[arg(long, value_name = "NAME", conflicts_with = "preserve_host", value_parser = host_name)]
    own_name: Vec<String>,
    /// What to do when the disk cannot keep up: block the wire, or leave a marked gap in the capture
    #[arg(long, value_name = "WHAT", default_value = "block", hide_possible_values = true)]
    when_slow: Slow,
    /// Go on in another file once one holds SIZE octets, such as 100M: NAME-0001.pcapng, NAME-0002.pcapng, …
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Rotation")]
    rotate_size: Option<u64>,
    /// Go on in another file once one has been written to for TIME, such as 30m or 24h
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Rotation")]
    rotate_every: Option<Duration>,
    /// Keep this many files, the one being written counted, and delete older ones
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), requires = "rotation", help_heading = "Rotation")]
    keep: Option<u32>,
    /// Close a connection whose first request head is not whole within this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    head_timeout: Duration,
    /// Serve this certificate chain (PEM) to TLS clients instead of one of the local CA
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "TLS")]
    cert: Option<PathBuf>,
    /// The private key (PEM) of that certificate
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    key: Option<PathBuf>,
    /// Trust these certificates (PEM) too when the upstream's is verified
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    upstream_ca: Option<PathBuf>,
    /// Do not verify the upstream's certificate: anyone on the path can read and change everything
    #[arg(long, help_heading = "TLS")]
    insecure_upstream: bool,
}

/// A file that holds less is all headers.
const LEAST_SIZE: u64 = 4096;

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Slow {
    Block,
    Gap,
}

/// Proxies until SIGINT or SIGTERM.
pub fn run(args: &ProxyArgs, palette: Palette, told: Palette) -> Outcome {
    let depth = args.look.depth()?;
    let engine = Engine::start(args.config())?;
    let view = TerminalView {
        format: if args.quiet { Format::Quiet } else { args.look.format() },
        out_palette: palette,
        told_palette: told,
        secrets: args.look.secrets(),
        depth,
        warnings: args.warnings(),
    };
    terminal::run(engine, &view).map(|_| ()).or_else(view_failure)
}

impl ProxyArgs {
    fn config(&self) -> EngineConfig {
        EngineConfig {
            capture: self.write.clone(),
            preserve_host: self.preserve_host,
            own_names: self.own_name.clone(),
            strict: self.strict,
            insecure_upstream: self.insecure_upstream,
            upstream_ca: self.upstream_ca.clone(),
            own_certificate: self.cert.clone().zip(self.key.clone()),
            when_slow: match self.when_slow {
                Slow::Block => WhenSlow::Block,
                Slow::Gap => WhenSlow::Gap,
            },
            head_timeout: self.head_timeout,
            rotation: Rotation {
                size: self.rotate_size,
                every: self.rotate_every,
                keep: self.keep,
            },
            ..EngineConfig::new(self.listen, Upstream::Url(self.upstream.clone()))
        }
    }

    /// What the user asked for and should not forget.
    fn warnings(&self) -> Vec<String> {
        self.insecure_upstream.then(|| UNVERIFIED.to_owned()).into_iter().collect()
    }
}

/// Any path but `-`, by which people mean stdout.
fn capture_path(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.as_os_str() == "-" {
        return Err("give a file; for a capture on stdout: -w /dev/stdout --quiet");
    }
    Ok(path)
}

/// Such as `dev.test`: what may stand in `Host` before the port.
fn host_name(text: &str) -> Result<String, String> {
    let name: Result<SubjectName, _> = text.parse();
    name.map(|name| name.to_string())
        .map_err(|_| "give a host name such as dev.test, without scheme and port".to_owned())
}

/// Such as `65536`, `512K`, `100M` or `2G`; powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().next_back() {
        Some((end, 'K' | 'k')) => (text.get(..end).unwrap_or_default(), 10),
        Some((end, 'M' | 'm')) => (text.get(..end).unwrap_or_default(), 20),
        Some((end, 'G' | 'g')) => (text.get(..end).unwrap_or_default(), 30),
        _ => (text, 0),
    };
    let octets = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1u64 << shift));
    octets
        .filter(|octets| *octets >= LEAST_SIZE)
        .ok_or_else(|| "give at least 4K: a number of octets, or one with K, M or G".to_owned())
}

/// Such as `90s`, `30m`, `24h` or `7d`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "give a number with s, m, h or d, such as 30m".to_owned();
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let seconds = digits.parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    Ok(Duration::from_secs(u64::from(seconds) * unit))
}

/// Such as `30` or `0.5`; a time that can be waited for.
fn seconds(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let limits = Duration::from_millis(1)..=Duration::from_hours(24);
    time.filter(|time| limits.contains(time))
        .ok_or_else(|| "give a number of seconds between 0.001 and 86400".to_owned())
}
