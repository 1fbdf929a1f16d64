//! Soak runs: long or many, with a bound on memory that decides.

mod idle;
mod message;
mod storm;
mod verdict;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::load::Way;
use crate::rivals::{Rival, Site};
use crate::table::Ground;

/// The kinds of soak runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// One huge message.
    Message,
    /// Many idle connections, again and again.
    Idle,
    /// Many new connections a second.
    Storm,
}

/// What to do, and how much of it.
#[derive(Debug)]
pub struct Plan {
    /// The kind.
    pub work: Work,
    /// The clients speak TLS.
    pub tls: bool,
    /// Size of the message, in gibioctets.
    pub gib: u64,
    /// Connections held.
    pub count: usize,
    /// New connections a second.
    pub rate: u32,
    /// How long connections are held, or keep coming.
    pub span: Duration,
    /// Where the verdict goes as JSON, behind those that are there.
    pub json: Option<PathBuf>,
}

impl Plan {
    /// With the amounts that `docs/PERFORMANCE.md` tells of.
    pub fn new(work: Work) -> Self {
        let span =
            if work == Work::Storm { Duration::from_mins(1) } else { Duration::from_secs(10) };
        Self { work, tls: false, gib: 2, count: 10_000, rate: 1_000, span, json: None }
    }
}

/// Files of the capture's set, which keeps the disk from filling up.
const FILE_OCTETS: u64 = 256 << 20;
const FILES_KEPT: u32 = 4;

/// Framescope, as it is soaked.
struct Soaked {
    rival: Rival,
    way: Way,
}

impl Soaked {
    fn start(site: &Site, tls: bool) -> Result<Self> {
        let rival = Rival::start_rotating(site, FILE_OCTETS, FILES_KEPT)?;
        let way = rival.way(tls).context("Framescope speaks both")?.clone();
        Ok(Self { rival, way })
    }

    /// Resident memory, in octets.
    fn resident(&self) -> u64 {
        self.rival.resident().unwrap_or_default()
    }

    /// Waits until no more files are open than `before`, no longer than `limit`; says how many are.
    fn files_left(&self, before: usize, limit: Duration) -> usize {
        let step = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        while self.rival.open_files() > before && waited < limit {
            std::thread::park_timeout(step);
            waited += step;
        }
        self.rival.open_files()
    }
}

/// Runs it, prints its verdict; fails when the verdict is against it.
pub fn run(plan: &Plan) -> Result<()> {
    let ground = Ground::prepare()?;
    let soaked = Soaked::start(&ground.site, plan.tls)?;
    let verdict = match plan.work {
        Work::Message => message::soak(&soaked, plan)?,
        Work::Idle => idle::soak(&soaked, plan)?,
        Work::Storm => storm::soak(&soaked, plan)?,
    };
    println!("{verdict}");
    if let Some(path) = &plan.json {
        verdict.append_to(path)?;
    }
    if verdict.holds() {
        return Ok(());
    }
    bail!("it does not hold")
}
