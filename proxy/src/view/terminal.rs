//! The terminal view of a running engine: tells where it listens, follows the capture, ends cleanly.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use framescope_core::export::Depth;
use framescope_core::present::{Secrets, octets};
use jiff::tz::TimeZone;

use crate::Engine;
use crate::follow::{Follower, Input};
use crate::priority::stand_behind_the_wire;
use crate::recorder::Live;
use crate::set::SetName;
use crate::view::stop::Stop;
use crate::view::{Feed, Format, Layout, Palette, Role, Tally, ViewError};

/// How long the view waits before it looks for the wish to stop.
const TICK: Duration = Duration::from_millis(100);
/// Octets of a capture that take a moment to show.
const MUCH: u64 = 4 << 20;
/// Columns of a line where no terminal tells its width.
const COLUMNS: usize = 160;
/// Lines of a payload where nobody says how many.
pub const PAYLOAD_LINES: usize = 40;
/// Below this, lines are not cut further.
const LEAST_COLUMNS: usize = 80;

/// How the view looks.
#[derive(Debug, Clone)]
pub struct TerminalView {
    /// What is written to stdout.
    pub format: Format,
    /// Colours on stdout.
    pub out_palette: Palette,
    /// Colours on stderr.
    pub told_palette: Palette,
    /// Whether credentials are shown.
    pub secrets: Secrets,
    /// How deeply messages are read.
    pub depth: Depth,
    /// What the user should not forget; told at the start, whatever the format.
    pub warnings: Vec<String>,
}

impl TerminalView {
    /// Lines for a person, with what stdout and stderr can show.
    pub fn detect() -> Self {
        Self {
            format: Format::Text(detect_layout()),
            out_palette: Palette::for_stream(&io::stdout()),
            told_palette: Palette::for_stream(&io::stderr()),
            secrets: Secrets::Masked,
            depth: Depth::default(),
            warnings: Vec::new(),
        }
    }
}

/// As wide as the terminal, in the local time zone.
pub fn detect_layout() -> Layout {
    let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let stdout_width = width.filter(|_| io::stdout().is_terminal());
    let columns = stdout_width.map_or(COLUMNS, |width| width.max(LEAST_COLUMNS));
    Layout { columns, zone: TimeZone::system(), payload_lines: PAYLOAD_LINES, fields: false }
}

/// Shows what passes through `engine` on stdout until SIGINT or SIGTERM comes or nobody reads stdout
/// any more; then stops the engine with the capture complete, shows what is left of it, and leaves that
/// when the signal comes again.
///
/// The first line on stderr is `listening on ADDRESS:PORT`.
pub fn run(engine: Engine, view: &TerminalView) -> Result<Tally, ViewError> {
    let stop = Stop::listen().map_err(ViewError::Signals)?;
    if view.format == Format::Quiet {
        tell(&announcement(&engine, view));
        let _hold = stop.hold();
        stop.wait();
        engine.shutdown();
        return Ok(Tally::default());
    }
    let mut follower = engine.follow().map_err(ViewError::Capture)?;
    tell(&announcement(&engine, view));
    let out = BufWriter::new(io::stdout().lock());
    let (format, palette) = (view.format.clone(), view.out_palette);
    let mut feed = Feed::with(format, palette, view.secrets, view.depth.clone(), out)
        .map_err(ViewError::Output)?;
    let (capture, is_set) = (engine.capture_path().to_owned(), engine.is_set());

    let outcome = thread::scope(|scope| {
        let hold = stop.hold();
        let stop = &stop;
        // On a thread of its own: whoever reads the view may not take it.
        let end = scope.spawn(move || {
            stop.wait();
            engine.shutdown();
            drop(hold);
        });
        stand_behind_the_wire();
        // Where the view cannot be written, the wish is ours.
        let wish = stop.wish_in_the_end();
        let outcome = follow(&mut follower, &mut feed, stop);
        drop(wish);
        // An engine that fails while it ends has said so.
        let _ = end.join();
        outcome
    });
    let written = follower.input().written();
    let shown = outcome.and_then(|()| {
        let left = written.saturating_sub(follower.offset());
        if left > MUCH {
            tell(&remainder(left, view.told_palette));
        }
        drain_until(&mut follower, &mut feed, || stop.is_urgent())?;
        // What is left out is no fault of the capture.
        if follower.offset() < written {
            return feed.flush().map_err(ViewError::Output);
        }
        finish(&mut follower, &mut feed)
    });
    let left = written.saturating_sub(follower.offset());
    let (capture, len) =
        if is_set { what_is_there(&capture) } else { (capture.display().to_string(), written) };
    tell(&farewell(feed.tally(), &capture, len, left, view.told_palette));
    shown.map(|()| feed.tally())
}

/// Shows what comes until the wish to stop.
fn follow(
    follower: &mut Follower<Live>,
    feed: &mut Feed<impl Write>,
    stop: &Stop,
) -> Result<(), ViewError> {
    while !stop.is_wished() {
        drain_until(follower, feed, || stop.is_wished())?;
        follower.input().wait(TICK);
    }
    Ok(())
}

/// Shows what is there so far, until it is enough.
fn drain_until<R: Input>(
    follower: &mut Follower<R>,
    feed: &mut Feed<impl Write>,
    is_enough: impl Fn() -> bool,
) -> Result<(), ViewError> {
    while !is_enough() && follower.read_more().map_err(ViewError::Capture)? {
        while let Some(item) = follower.poll() {
            feed.receive(item).map_err(ViewError::Output)?;
        }
        feed.flush().map_err(ViewError::Output)?;
    }
    Ok(())
}

/// Shows what is left, up to the capture's end.
pub fn drain_to_end<R: Input>(
    follower: &mut Follower<R>,
    feed: &mut Feed<impl Write>,
) -> Result<(), ViewError> {
    drain_until(follower, feed, || false)?;
    finish(follower, feed)
}

/// Shows what is known once nothing more comes.
fn finish<R: Input>(
    follower: &mut Follower<R>,
    feed: &mut Feed<impl Write>,
) -> Result<(), ViewError> {
    follower.finish();
    while let Some(item) = follower.poll() {
        feed.receive(item).map_err(ViewError::Output)?;
    }
    feed.flush().map_err(ViewError::Output)
}

fn announcement(engine: &Engine, view: &TerminalView) -> String {
    let palette = view.told_palette;
    let address = engine.listen_addr();
    let mut out = String::new();
    let _ = writeln!(out, "listening on {address}");
    for warning in view.warnings.iter().cloned().chain(exposure(address)) {
        let _ = writeln!(out, "{} {warning}", palette.paint(Role::Warning, "WARNING:"));
    }
    let capture = ("capture", engine.capture_path().display().to_string(), "");
    if view.format == Format::Quiet {
        push_fact(&mut out, capture, palette);
        return out;
    }
    let upstream = if engine.is_demo() {
        format!("the built-in demo server, {}", engine.upstream_url())
    } else {
        engine.upstream_url().to_owned()
    };
    for fact in [
        ("connect to", format!("ws://{address}/"), "  (wss:// works on the same port)"),
        ("forwards to", upstream, ""),
        capture,
        ("stop with", "Ctrl-C".to_owned(), ""),
    ] {
        push_fact(&mut out, fact, palette);
    }
    out
}

fn push_fact(out: &mut String, (label, value, remark): (&str, String, &str), palette: Palette) {
    let label = palette.paint(Role::Weak, label);
    let value = palette.paint(Role::Strong, value);
    let _ = writeln!(out, "  {label:<12} {value}{remark}");
}

/// What to say of a listener that other machines reach.
pub fn exposure(listener: SocketAddr) -> Option<String> {
    let is_exposed = !listener.ip().to_canonical().is_loopback();
    is_exposed.then(|| {
        let port = listener.port();
        format!(
            "other machines can connect to {listener} and to what is behind it; \
             --listen 127.0.0.1:{port} keeps it to this machine"
        )
    })
}

fn remainder(left: u64, palette: Palette) -> String {
    let told = format!("stopped; showing the last {}; Ctrl-C leaves that", octets(left));
    format!("{}\n", palette.paint(Role::Weak, told))
}

/// What to call the set that began with the file at `path`, and how many octets are in those of its files
/// that are there: older ones may have been deleted.
fn what_is_there(path: &Path) -> (String, u64) {
    let numbers = SetName::of_file(path).map(|(name, _)| (name.numbers(), name));
    let files: Vec<_> = numbers.into_iter().flat_map(paths).collect();
    let told = match &files[..] {
        [] => path.display().to_string(),
        [only] => only.display().to_string(),
        [first, .., last] => format!("{} to {}", first.display(), last.display()),
    };
    (told, files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum())
}

fn paths((numbers, name): (Vec<u32>, SetName)) -> impl Iterator<Item = PathBuf> {
    numbers.into_iter().map(move |number| name.path(number))
}

fn farewell(tally: Tally, capture: &str, written: u64, left: u64, palette: Palette) -> String {
    let mut told = format!("{tally}; the capture is complete: {capture} ({})", octets(written));
    if left > 0 {
        let _ = write!(told, "; {} of it were not shown", octets(left));
    }
    format!("{}\n", palette.paint(Role::Weak, told))
}

/// Writes to stderr; where that is gone, there is nobody to tell.
pub fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_set_the_files_that_are_there_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |number: u32| folder.path().join(format!("a-000{number}.pcapng"));
        fs::write(path(1), "one").unwrap();
        let first = path(1).display().to_string();
        assert_eq!(what_is_there(&path(1)), (first, 3));
        fs::rename(path(1), path(2)).unwrap();
        fs::write(path(3), "three").unwrap();
        let both = format!("{} to {}", path(2).display(), path(3).display());
        assert_eq!(what_is_there(&path(1)), (both, 8));
    }

    #[test]
    fn only_a_listener_that_other_machines_reach_is_warned_of() {
        for address in ["127.0.0.1:9870", "127.8.0.1:9870", "[::1]:9870", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(exposure(address.parse().unwrap()), None, "{address}");
        }
        for address in ["0.0.0.0:9870", "192.168.0.2:9870", "[::]:9870", "[fe80::1]:9870"] {
            let warning = exposure(address.parse().unwrap()).unwrap();
            assert!(warning.contains(address) && warning.contains("127.0.0.1:9870"), "{warning}");
        }
    }
}
