//! `framescope-gui`: the desktop app, or the terminal view where there is no display.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Parser;
use clap::builder::{PathBufValueParser, TypedValueParser};
use framescope_gui::settings::Settings;
use framescope_gui::source::{self, Options, Source, Target};
use framescope_gui::{App, desktop};

/// See WebSocket traffic frame by frame and bit by bit.
#[derive(Debug, Parser)]
#[command(name = "framescope-gui", version, max_term_width = 100)]
struct Arguments {
    /// A ws://, wss://, http:// or https:// URL to stand in front of, or a capture to open.
    /// Without it the built-in demo server is shown.
    #[arg(value_name = "UPSTREAM|FILE")]
    target: Option<String>,
    /// Where clients connect: HOST:PORT, or PORT on 127.0.0.1 [default: 9870, or the next free port]
    #[arg(long, short, value_name = "ADDR", value_parser = source::listen_addr)]
    listen: Option<SocketAddr>,
    /// The capture to write [default: a new one in the user's data directory]
    #[arg(long, short, value_name = "FILE", value_parser = capture_path())]
    write: Option<PathBuf>,
    /// Trust these certificates (PEM) too when the upstream's is verified
    #[arg(long, value_name = "FILE")]
    upstream_ca: Option<PathBuf>,
    /// Do not verify the upstream's certificate: anyone on the path can read and change everything
    #[arg(long)]
    insecure_upstream: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let target = Target::parse(arguments.target.as_deref());
    let options = Options {
        listen: arguments.listen,
        capture: arguments.write,
        upstream_ca: arguments.upstream_ca,
        insecure_upstream: arguments.insecure_upstream,
    };
    let mut source = match Source::start(&target, &options) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("framescope-gui: {error}");
            return ExitCode::from(error.exit_code());
        }
    };
    if options.insecure_upstream && !source.is_file() {
        eprintln!("framescope-gui: WARNING: {}", source::UNVERIFIED);
    }
    let wait_for_end = source.ended();
    let source = Arc::new(source);
    let Err(reason) = show_window(&source) else {
        drop(source);
        wait_for_end();
        return ExitCode::SUCCESS;
    };
    eprintln!("framescope-gui: {reason}; going on in the terminal");
    let Some(source) = Arc::into_inner(source) else { return ExitCode::FAILURE };
    source::show_in_terminal(source)
}

/// A path that the app can read its capture back from.
fn capture_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        let for_pipes = "`framescope proxy UPSTREAM -w /dev/stdout --quiet` records into a pipe";
        if path == Path::new("-") {
            return Err(format!("give a file, which the app reads as it grows; {for_pipes}"));
        }
        match path.metadata() {
            Ok(found) if found.is_dir() => Err("it is a folder: give a file in it".to_owned()),
            Ok(found) if !found.is_file() => Err(format!(
                "it is no regular file: give one, which the app reads as it grows; {for_pipes}"
            )),
            _ => Ok(path),
        }
    })
}

/// Shows the window until it is closed. `Err` says in a few words why there is none.
fn show_window(source: &Arc<Source>) -> Result<(), String> {
    desktop::display_named()?;
    if let Some(warning) = source.exposure() {
        eprintln!("framescope-gui: WARNING: {warning}");
    }
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_app_id("framescope")
            .with_title("Framescope")
            .with_icon(desktop::icon())
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([760.0, 480.0]),
        centered: true,
        ..eframe::NativeOptions::default()
    };
    let (shared, shown) = (Arc::clone(source), Arc::new(Mutex::new(false)));
    let was_shown = Arc::clone(&shown);
    let create = move |context: &eframe::CreationContext<'_>| {
        if let Ok(mut shown) = was_shown.lock() {
            *shown = true;
        }
        close_on_signal(context.egui_ctx.clone());
        let settings = Settings::load(context.storage);
        let app = App::new(&context.egui_ctx, shared, settings);
        desktop::follow_theme(context.egui_ctx.clone());
        Ok::<Box<dyn eframe::App>, _>(Box::new(app))
    };
    let run = || eframe::run_native("framescope", options, Box::new(create));
    // A window-system library that is missing is told by a panic, which is nothing to frighten with.
    let hook = std::panic::take_hook();
    let quiet = Arc::clone(&shown);
    std::panic::set_hook(Box::new(move |info| {
        if quiet.lock().is_ok_and(|shown| *shown) {
            eprintln!("framescope-gui: internal error: {info}");
        }
    }));
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(run));
    std::panic::set_hook(hook);
    let was_shown = shown.lock().is_ok_and(|shown| *shown);
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(why_no_window(&error)),
        Err(_) if was_shown => std::process::exit(101),
        Err(_) => Err("a window-system library is missing (libxkbcommon-x11-0?)".to_owned()),
    }
}

/// In a few words: what the libraries say is about their own insides.
fn why_no_window(error: &eframe::Error) -> String {
    match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            format!("no display answers at {}", desktop::display_name())
        }
        eframe::Error::NoGlutinConfigs(..)
        | eframe::Error::Glutin(_)
        | eframe::Error::OpenGL(_) => {
            let display = desktop::display_name();
            format!("the display {display} has no OpenGL (libgl1, libegl1, a Mesa driver)")
        }
        other @ eframe::Error::AppCreation(_) => {
            let line = other.to_string();
            format!("no window can be opened: {}", line.lines().next().unwrap_or_default())
        }
    }
}

/// SIGINT and SIGTERM close the window as its own button does: settings saved, capture complete.
fn close_on_signal(ctx: egui::Context) {
    let close = move || {
        ctx.send_viewport_cmd_to(egui::ViewportId::ROOT, egui::ViewportCommand::Close);
        ctx.request_repaint();
    };
    if let Err(error) = source::on_stop_signal(close) {
        eprintln!("framescope-gui: signals cannot be caught: {error}");
    }
}
