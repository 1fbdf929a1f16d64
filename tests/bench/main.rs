//! The relay, measured side by side: Framescope with recording and decoding on, a bare octet copy,
//! no proxy at all, and whichever other proxies are installed, interleaved in one run.
//!
//! `cargo run --release -p framescope-tests --bin bench-relay -- --help`; `cargo bench --workspace`
//! runs a short round of it. The method is told in `docs/PERFORMANCE.md`.

mod copy;
mod echo;
mod framescope;
mod load;
mod process;
mod report;
mod rivals;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::report::Report;
use crate::rivals::Rival;
use crate::work::Work;

/// What to measure, and for how long.
struct Plan {
    /// Rounds; in each, every rival does every work once. Medians of paired rounds are reported.
    rounds: u32,
    /// How long one rival does one work in one round.
    span: Duration,
    /// Connections to hold for the memory figures; none where empty.
    held: Vec<usize>,
    /// Names of rivals to leave out.
    without: Vec<String>,
    /// Only works whose name contains this.
    only: Option<String>,
    /// Where to write the figures as JSON.
    json: Option<PathBuf>,
}

const HELP: &str = "\
bench-relay [--rounds N] [--seconds S] [--held N,N] [--without NAME,NAME] [--only TEXT] [--json FILE]

  --rounds N     rounds; each rival does each work once a round        (default 5)
  --seconds S    how long one rival does one work in one round         (default 1.5)
  --held N,N     idle connections held for the memory figures          (default 2000)
  --without …    rivals to leave out: direct, copy, framescope, haproxy, nginx, mitmproxy
  --only TEXT    only works whose name contains TEXT
  --json FILE    write the figures there too
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve-echo"] => echo::serve(),
        ["serve-copy", upstream] => copy::serve(upstream),
        ["serve-framescope", upstream, folder] => framescope::serve(upstream, folder),
        ["--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => plan(&words).and_then(|plan| run(&plan)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn plan(words: &[&str]) -> Result<Plan> {
    let mut plan = Plan {
        rounds: 5,
        span: Duration::from_millis(1500),
        held: vec![2000],
        without: Vec::new(),
        only: None,
        json: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(value) = words.next() else { bail!("{word} wants a value\n\n{HELP}") };
        match *word {
            "--rounds" => plan.rounds = value.parse()?,
            "--seconds" => plan.span = Duration::from_secs_f64(value.parse()?),
            "--held" => {
                plan.held = value
                    .split(',')
                    .filter(|n| !n.is_empty())
                    .map(str::parse)
                    .collect::<Result<_, _>>()?;
            }
            "--without" => plan.without = value.split(',').map(str::to_owned).collect(),
            "--only" => plan.only = Some((*value).to_owned()),
            "--json" => plan.json = Some(PathBuf::from(value)),
            _ => bail!("no option is called {word}\n\n{HELP}"),
        }
    }
    Ok(plan)
}

fn run(plan: &Plan) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let echo = process::Server::start_self(&["serve-echo"])?;
    let mut rivals = rivals::start(echo.addr(), folder.path(), &plan.without)?;
    let works: Vec<Work> = work::all()
        .into_iter()
        .filter(|work| plan.only.as_ref().is_none_or(|only| work.name.contains(only.as_str())))
        .collect();
    let mut report = Report::new(&rivals, &works);
    for round in 0..plan.rounds {
        for (place, work) in works.iter().enumerate() {
            // Another rival begins in each round, so that none always comes first.
            let first = round as usize % rivals.len();
            for turn in 0..rivals.len() {
                let at = (first + turn) % rivals.len();
                let rival = &rivals[at];
                let cpu_before = rival.cpu();
                let figures = load::run(work, rival.addr, plan.span)?;
                let cpu = rival.cpu().saturating_sub(cpu_before);
                report.add(place, at, &figures, cpu);
            }
            eprintln!("round {} of {}: {}", round + 1, plan.rounds, work.name);
        }
    }
    for held in &plan.held {
        for (at, rival) in rivals.iter_mut().enumerate() {
            if let Some(octets) = hold(rival, *held)? {
                report.add_held(*held, at, octets);
            }
        }
    }
    println!("{report}");
    if let Some(path) = &plan.json {
        std::fs::write(path, report.to_json())?;
        println!("figures written to {}", path.display());
    }
    Ok(())
}

/// Resident memory that one idle connection costs this rival, in octets.
fn hold(rival: &mut Rival, count: usize) -> Result<Option<u64>> {
    let Some(before) = rival.resident() else { return Ok(None) };
    let held = load::hold(rival.addr, count)?;
    let after = rival.resident().unwrap_or(before);
    drop(held);
    Ok(Some(after.saturating_sub(before) / count as u64))
}
