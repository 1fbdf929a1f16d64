//! The command line: what `framescope` understands, and how each command ends.

mod accept;
mod ca;
mod compare;
mod demo;
mod exit;
mod explain;
mod file;
mod hex;
pub mod listen;
mod look;
mod proxy;
mod show;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use exit::{Exit, Failure, Outcome};

use crate::engine::Engine;
use crate::view::terminal::{self, TerminalView};
use crate::view::{Palette, ViewError};

/// See every WebSocket frame, bit by bit.
///
/// Framescope stands between a WebSocket client and its server, passes every octet on unchanged,
/// and shows what they said: each frame, each message, and every rule of RFC 6455 that was broken.
#[derive(Debug, Parser)]
#[command(name = "framescope", version, after_help = format!("{}\n\n{}", exit::EXIT_CODES, exit::ENVIRONMENT), max_term_width = 100)]
struct Arguments {
    /// Colours: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Proxy(Box<proxy::ProxyArgs>),
    Show(show::ShowArgs),
    Demo(demo::DemoArgs),
    Compare(compare::CompareArgs),
    Explain(explain::ExplainArgs),
    Accept(accept::AcceptArgs),
    Ca(ca::CaArgs),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs a command line, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(text) => return print(&text),
    };
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let palette = arguments.color.palette(|| Palette::for_stream(&stdout));
    log_to_stderr();
    let told = arguments.color.palette(|| Palette::for_stream(&stderr));
    end(arguments.command.run(palette, told), told)
}

/// Shows what passes a running proxy, until SIGINT or SIGTERM comes, as `framescope proxy` does.
pub fn show_running(engine: Engine) -> ExitCode {
    let shown = terminal::run(engine, &TerminalView::detect());
    end(shown.map(drop).or_else(view_failure), Palette::for_stream(&io::stderr()))
}

/// Prints what was asked for in the place of a command, such as its help, or why it is none.
fn print(text: &clap::Error) -> ExitCode {
    let printed = text.print().and_then(|()| io::stdout().flush());
    match printed.or_else(|error| view_failure(ViewError::Output(error))) {
        Err(failure) if !text.use_stderr() => end(Err(failure), Palette::for_stream(&io::stderr())),
        _ => u8::try_from(text.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}

/// Tells a failure, in the colours of stderr.
fn end(outcome: Outcome, told: Palette) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where stderr is gone too, the exit code is all that can be told.
            let _ = io::stderr().lock().write_all(failure.render(told).as_bytes());
            failure.exit.into()
        }
    }
}

/// Shows what should never happen; `FRAMESCOPE_LOG` asks for more, such as `debug`.
fn log_to_stderr() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .with_env_var("FRAMESCOPE_LOG")
        .from_env_lossy();
    tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter).init();
}

impl Color {
    fn palette(self, auto: impl FnOnce() -> Palette) -> Palette {
        match self {
            Self::Auto => auto(),
            Self::Always => Palette::Coloured,
            Self::Never => Palette::Plain,
        }
    }
}

impl Command {
    /// Runs with the colours of stdout and of stderr.
    fn run(&self, palette: Palette, told: Palette) -> Outcome {
        let stdout = || BufWriter::new(io::stdout().lock());
        match self {
            Self::Proxy(args) => proxy::run(args, palette, told),
            Self::Show(args) => show::run(args, palette, told),
            Self::Demo(args) => demo::run(args, told),
            Self::Compare(args) => compare::run(args, palette, &mut stdout()),
            Self::Explain(args) => {
                explain::run(args, palette, &mut io::stdin().lock(), &mut stdout())
            }
            Self::Accept(args) => accept::run(args, palette, &mut stdout()),
            Self::Ca(args) => ca::run(args, &mut stdout()),
        }
    }
}

/// Writes `text` to stdout and flushes it.
fn put(out: &mut impl Write, text: &str) -> Outcome {
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .or_else(|error| view_failure(ViewError::Output(error)))
}

/// Why the view ended. A reader of stdout that has gone away is no failure.
fn view_failure(error: ViewError) -> Outcome {
    match error {
        ViewError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ViewError::Output(error) => {
            Err(Failure::new(Exit::General, format!("cannot write to stdout: {error}")))
        }
        ViewError::Capture(error) if error.kind() == io::ErrorKind::Unsupported => {
            Err(Failure::new(Exit::File, format!("there is no view of this capture: {error}"))
                .help("record without a view: --quiet"))
        }
        ViewError::Capture(error) => {
            Err(Failure::new(Exit::File, format!("cannot read the capture: {error}")))
        }
        ViewError::Signals(error) => {
            Err(Failure::new(Exit::General, format!("cannot listen for signals: {error}")))
        }
    }
}
