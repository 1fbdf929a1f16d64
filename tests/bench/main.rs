//! The relay, measured side by side: Framescope with recording and decoding on, a bare octet copy,
//! no proxy at all, and whichever other proxies are installed, interleaved in one run; how its cost
//! grows with the work; and soak runs, which fail when memory grows beyond a bound.
//!
//! `cargo run --release -p framescope-tests --bin bench-relay -- --help`; `cargo bench --workspace`
//! runs a short round of it. The method is told in `docs/PERFORMANCE.md`.
//!
//! ```text
//! options ─► table   rivals × works, report
//!          ─► growth  connections, sizes, frames, chart
//!          ─► soak    message, idle, storm
//!                └─► load ─► rivals (each a process of its own) ─► echo
//! ```

mod certificate;
mod copy;
mod echo;
mod framescope;
mod growth;
mod limits;
mod load;
mod options;
mod process;
mod report;
mod rivals;
mod samples;
mod soak;
mod table;
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    limits::raise_open_files();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve-echo"] => echo::serve(),
        ["serve-copy", upstream] => copy::serve(upstream),
        ["serve-copy-tls", upstream, chain, key] => copy::serve_tls(upstream, chain, key),
        ["serve-framescope", upstream, words @ ..] => framescope::serve(upstream, words),
        ["index-capture", path] => framescope::index(path),
        words => options::run(words),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}
