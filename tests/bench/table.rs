//! The table: every rival does every work, interleaved, and holds idle connections.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::certificate::Certificate;
use crate::limits;
use crate::load::{self, Goal, Held, Way};
use crate::process::Server;
use crate::report::Report;
use crate::rivals::{Kind, Rival, Site};
use crate::work::{self, Work};

/// A rival that has not opened its idle connections within this time is left out of that figure.
const OPENING_LIMIT: Duration = Duration::from_mins(1);
/// Between the last handshake and reading a rival's memory: batches are written, buffers given back.
const SETTLING: Duration = Duration::from_secs(1);

/// What to measure, and for how long.
#[derive(Debug)]
pub struct Plan {
    /// Rounds; in each, every rival does every work once. Medians of paired rounds are reported.
    pub rounds: u32,
    /// How long one rival does one work in one round.
    pub span: Duration,
    /// Connections to hold for the memory figures; none where empty.
    pub held: Vec<usize>,
    /// Names of rivals to leave out.
    pub without: Vec<String>,
    /// Only works whose name contains one of these.
    pub only: Option<Vec<String>>,
    /// Where to write the figures as JSON.
    pub json: Option<PathBuf>,
}

/// The echo, the certificate and a folder for everybody's files.
pub struct Ground {
    /// What rivals are started on.
    pub site: Site,
    /// The upstream: it ends with this, as the folder does.
    _echo: Server,
    _folder: tempfile::TempDir,
}

impl Ground {
    /// Starts the echo.
    pub fn prepare() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let echo = Server::start_self(&["serve-echo"])?;
        let certificate = Certificate::make(folder.path())?;
        let site = Site { echo: echo.addr(), certificate, folder: folder.path().to_owned() };
        Ok(Self { site, _echo: echo, _folder: folder })
    }
}

/// Measures, prints the table and writes the figures.
pub fn run(plan: &Plan) -> Result<()> {
    let ground = Ground::prepare()?;
    let wanted = |kind: &Kind| !plan.without.iter().any(|left_out| left_out == kind.name());
    let kinds: Vec<Kind> =
        Kind::ALL.into_iter().filter(wanted).filter(|kind| kind.is_installed()).collect();
    let is_wanted = |work: &Work| match &plan.only {
        None => true,
        Some(only) => only.iter().any(|text| work.name.contains(text.as_str())),
    };
    let works: Vec<Work> = work::all().into_iter().filter(is_wanted).collect();
    let mut report = Report::default();
    for round in 0..plan.rounds {
        if works.is_empty() {
            break;
        }
        // Started anew, so that files and memory of earlier rounds weigh on nobody.
        let rivals: Vec<Rival> = kinds
            .iter()
            .map(|kind| Rival::start(*kind, &ground.site).with_context(|| kind.name()))
            .collect::<Result<_>>()?;
        for work in &works {
            report.begin_round(work);
            // Another rival begins in each round, so that none always comes first.
            let first = round as usize % rivals.len();
            for turn in 0..rivals.len() {
                let rival = &rivals[(first + turn) % rivals.len()];
                let Some(way) = rival.way(work.tls) else { continue };
                let cpu_before = rival.cpu();
                let figures = load::run(work, way, Goal::Span(plan.span))
                    .with_context(|| format!("{} at {}", rival.kind.name(), work.name))?;
                let cpu = rival.cpu().saturating_sub(cpu_before);
                report.add(work, rival.kind, &figures, cpu);
            }
            eprintln!("round {} of {}: {}", round + 1, plan.rounds, work.name);
        }
    }
    for wanted in &plan.held {
        let held = limits::connections(*wanted);
        for tls in [false, true] {
            for kind in kinds.iter().filter(|kind| **kind != Kind::Direct) {
                if tls && !kind.speaks_tls() {
                    continue;
                }
                match hold(*kind, &ground.site, held, tls) {
                    Ok(octets) => report.add_idle(*kind, tls, *wanted, held, octets),
                    Err(fault) => eprintln!("{held} connections at {}: {fault:#}", kind.name()),
                }
            }
        }
    }
    println!("{report}");
    write(&report, plan.json.as_ref())
}

/// Prints the tables of several runs as one, in Markdown, and writes them as one.
pub fn merge(files: &[PathBuf], json: Option<&PathBuf>) -> Result<()> {
    let mut report = Report::default();
    for file in files {
        report.merge(Report::read(file)?);
    }
    println!("{report}\n{}", report.to_markdown());
    write(&report, json)
}

fn write(report: &Report, json: Option<&PathBuf>) -> Result<()> {
    if let Some(path) = json {
        std::fs::write(path, report.to_json()?)?;
        println!("figures written to {}", path.display());
    }
    Ok(())
}

/// Resident memory that `count` idle connections cost a rival that was just started, in octets.
fn hold(kind: Kind, site: &Site, count: usize, tls: bool) -> Result<u64> {
    let rival = Rival::start(kind, site)?;
    let way: &Way = rival.way(tls).context("it speaks no TLS")?;
    // What it keeps for all its connections is there before they come.
    drop(Held::open(way, 20, OPENING_LIMIT)?);
    std::thread::park_timeout(SETTLING);
    let before = rival.resident().context("it has no process")?;
    let held = Held::open(way, count, OPENING_LIMIT)?;
    std::thread::park_timeout(SETTLING);
    let after = rival.resident().context("it has no process")?;
    drop(held);
    Ok(after.saturating_sub(before))
}
