//! All figures of a run or of several: medians of rounds, ratios of paired rounds, JSON in and out.

mod markdown;
mod text;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::load::Figures;
use crate::rivals;
use crate::work::{self, Kind, Work};

/// All figures of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// In the table's order.
    works: Vec<WorkRounds>,
    /// Memory of idle connections.
    idle: Vec<Idle>,
}

/// What was measured of one work.
#[derive(Debug, Serialize, Deserialize)]
struct WorkRounds {
    /// [`Work::name`].
    work: String,
    /// One entry a round, by rival.
    rounds: Vec<BTreeMap<String, Round>>,
}

/// What one rival did in one round of one work.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Round {
    /// Messages or handshakes.
    per_second: f64,
    /// Of ping-pong, in microseconds, as the next two.
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
    /// CPU time of the rival for a million messages or handshakes.
    cpu_seconds_per_million: f64,
}

/// Resident memory that idle connections cost a rival.
#[derive(Debug, Serialize, Deserialize)]
struct Idle {
    rival: String,
    tls: bool,
    /// Connections that were asked for.
    wanted: usize,
    /// Connections that were held: as many of them as open files allow.
    held: usize,
    octets_each: u64,
}

impl Report {
    /// Begins another round of `work`.
    pub fn begin_round(&mut self, work: &Work) {
        self.rounds_of(work.name).push(BTreeMap::new());
    }

    /// Adds what one rival did in the round that was begun.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn add(&mut self, work: &Work, rival: rivals::Kind, figures: &Figures, cpu: Duration) {
        let mut latencies = figures.latencies.clone();
        latencies.sort_unstable();
        let quantile = |per_mille: usize| {
            let at = (latencies.len() * per_mille / 1000).min(latencies.len().saturating_sub(1));
            latencies.get(at).map_or(0.0, |nanos| *nanos as f64 / 1000.0)
        };
        let count = figures.count.max(1) as f64;
        let round = Round {
            per_second: count / figures.took.as_secs_f64(),
            p50_us: quantile(500),
            p99_us: quantile(990),
            p999_us: quantile(999),
            cpu_seconds_per_million: cpu.as_secs_f64() * 1e6 / count,
        };
        if let Some(rounds) = self.rounds_of(work.name).last_mut() {
            rounds.insert(rival.name().to_owned(), round);
        }
    }

    /// Adds what idle connections cost a rival; `held` of them were open instead of `wanted`.
    pub fn add_idle(
        &mut self,
        rival: rivals::Kind,
        tls: bool,
        wanted: usize,
        held: usize,
        octets: u64,
    ) {
        let rival = rival.name().to_owned();
        self.idle.retain(|it| (&it.rival, it.tls, it.wanted) != (&rival, tls, wanted));
        let octets_each = octets / held.max(1) as u64;
        self.idle.push(Idle { rival, tls, wanted, held, octets_each });
    }

    /// Reads what [`Report::to_json`] wrote.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Adds the rounds of another run; of its idle figures those that are not here yet.
    pub fn merge(&mut self, other: Self) {
        for WorkRounds { work, rounds } in other.works {
            self.rounds_of(&work).extend(rounds);
        }
        for idle in other.idle {
            let key = |it: &Idle| (it.rival.clone(), it.tls, it.wanted);
            if !self.idle.iter().any(|it| key(it) == key(&idle)) {
                self.idle.push(idle);
            }
        }
    }

    /// The figures as JSON: medians and ratios, and all the rounds they come from.
    pub fn to_json(&self) -> Result<String> {
        let mut value = serde_json::to_value(self)?;
        let summary: Vec<Value> = self.works.iter().map(WorkRounds::summary).collect();
        value["summary"] = summary.into();
        value["machine"] = machine();
        Ok(format!("{value:#}\n"))
    }

    /// The rounds of a work, which is put in its place when it is new.
    fn rounds_of(&mut self, name: &str) -> &mut Vec<BTreeMap<String, Round>> {
        if !self.works.iter().any(|it| it.work == name) {
            self.works.push(WorkRounds { work: name.to_owned(), rounds: Vec::new() });
            let order: Vec<&str> = work::all().iter().map(|work| work.name).collect();
            self.works.sort_by_key(|it| order.iter().position(|name| *name == it.work));
        }
        let at = self.works.iter().position(|it| it.work == name).unwrap_or_default();
        &mut self.works[at].rounds
    }
}

impl WorkRounds {
    /// Those that did this work, in the table's order.
    fn rivals(&self) -> impl Iterator<Item = &'static str> {
        let took_part = |name: &str| self.rounds.iter().any(|round| round.contains_key(name));
        rivals::Kind::ALL.map(rivals::Kind::name).into_iter().filter(move |name| took_part(name))
    }

    /// Medians and ratios.
    fn summary(&self) -> Value {
        let rivals: Vec<Value> = self
            .rivals()
            .map(|rival| {
                json!({
                    "rival": rival,
                    "per_second": self.median(rival, |r| r.per_second),
                    "framescope_to_this": self.ratio_to(rival),
                    "p50_us": self.median(rival, |r| r.p50_us),
                    "p99_us": self.median(rival, |r| r.p99_us),
                    "p999_us": self.median(rival, |r| r.p999_us),
                    "cpu_seconds_per_million": self.median(rival, |r| r.cpu_seconds_per_million),
                })
            })
            .collect();
        json!({ "work": self.work, "rounds": self.rounds.len(), "rivals": rivals })
    }

    /// The median over the rounds of what `of` takes from one rival's round.
    fn median(&self, rival: &str, of: impl Fn(&Round) -> f64) -> Option<f64> {
        median(self.rounds.iter().filter_map(|round| round.get(rival)).map(of).collect())
    }

    /// The median of framescope's rate over this rival's rate in the same round.
    fn ratio_to(&self, rival: &str) -> Option<f64> {
        let pair = |round: &BTreeMap<String, Round>| {
            Some(round.get("framescope")?.per_second / round.get(rival)?.per_second)
        };
        median(self.rounds.iter().filter_map(pair).collect())
    }

    fn kind(&self) -> Option<Kind> {
        work::all().iter().find(|work| work.name == self.work).map(|work| work.kind)
    }
}

/// What the figures depend on.
fn machine() -> Value {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model =
        cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    json!({
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "cpu": model,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
