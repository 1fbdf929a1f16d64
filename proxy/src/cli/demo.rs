//! `framescope demo`: the built-in demo server on its own.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;

use super::{Exit, Failure, Outcome, listen};
use crate::demo::Server;
use crate::view::stop::Signals;
use crate::view::terminal::{exposure, tell};
use crate::view::{Palette, Role};

/// Run the built-in demo server: a chat page, an echo and a stock ticker
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Where to listen: HOST:PORT, or PORT on 127.0.0.1; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9871", value_parser = listen::parse)]
    listen: SocketAddr,
}

/// Serves until SIGINT or SIGTERM.
pub fn run(args: &DemoArgs, told: Palette) -> Outcome {
    let server = Server::bind(args.listen).map_err(|error| cannot_listen(args.listen, &error))?;
    let threads = |error: io::Error| Failure::new(Exit::General, format!("cannot start: {error}"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(threads)?;
    runtime.block_on(async {
        let mut signals = Signals::register().map_err(threads)?;
        tell(&announcement(server.local_addr(), told));
        server.run(signals.next()).await.map_err(threads)
    })
}

fn announcement(address: SocketAddr, palette: Palette) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "listening on {address}");
    if let Some(warning) = exposure(address) {
        let _ = writeln!(out, "{} {warning}", palette.paint(Role::Warning, "WARNING:"));
    }
    for (label, value) in [
        ("page", format!("http://{address}/")),
        ("chat", format!("ws://{address}/chat?room=lobby")),
        ("echo", format!("ws://{address}/echo")),
        ("ticker", format!("ws://{address}/ticker")),
        ("stop with", "Ctrl-C".to_owned()),
    ] {
        let label = palette.paint(Role::Weak, label);
        let _ = writeln!(out, "  {label:<12} {}", palette.paint(Role::Strong, value));
    }
    out
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    let reason = match error.kind() {
        io::ErrorKind::AddrInUse => "another process already uses that port".to_owned(),
        io::ErrorKind::PermissionDenied => "ports below 1024 need special rights".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    };
    Failure::new(Exit::Listen, format!("cannot listen on {address}: {reason}"))
        .help("choose another place, such as --listen 0 for any free port")
}
