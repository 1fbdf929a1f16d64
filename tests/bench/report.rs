//! The table: medians of rounds, and ratios of paired rounds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::load::Figures;
use crate::rivals::Rival;
use crate::work::{Kind, Work};

/// All figures of a run.
#[derive(Debug)]
pub struct Report {
    rivals: Vec<&'static str>,
    works: Vec<Work>,
    /// By work, by rival: one entry a round.
    rounds: Vec<Vec<Vec<Round>>>,
    /// By count held, by rival: octets of resident memory a connection.
    held: BTreeMap<usize, BTreeMap<usize, u64>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Round {
    per_second: f64,
    p50: f64,
    p99: f64,
    p999: f64,
    /// CPU seconds of the rival for a million messages.
    cpu: f64,
}

impl Report {
    /// A report without figures.
    pub fn new(rivals: &[Rival], works: &[Work]) -> Self {
        Self {
            rivals: rivals.iter().map(|rival| rival.name).collect(),
            works: works.to_vec(),
            rounds: vec![vec![Vec::new(); rivals.len()]; works.len()],
            held: BTreeMap::new(),
        }
    }

    /// Adds what one rival did in one round.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn add(&mut self, work: usize, rival: usize, figures: &Figures, cpu: Duration) {
        let mut latencies = figures.latencies.clone();
        latencies.sort_unstable();
        let quantile = |per_mille: usize| {
            let at = (latencies.len() * per_mille / 1000).min(latencies.len().saturating_sub(1));
            latencies.get(at).map_or(0.0, |nanos| *nanos as f64 / 1000.0)
        };
        let count = figures.count.max(1) as f64;
        self.rounds[work][rival].push(Round {
            per_second: count / figures.took.as_secs_f64(),
            p50: quantile(500),
            p99: quantile(990),
            p999: quantile(999),
            cpu: cpu.as_secs_f64() * 1e6 / count,
        });
    }

    /// Adds what one idle connection of `count` costs a rival.
    pub fn add_held(&mut self, count: usize, rival: usize, octets: u64) {
        self.held.entry(count).or_default().insert(rival, octets);
    }

    /// The median over the rounds of what `of` takes from one rival's round.
    fn median_of(&self, work: usize, rival: usize, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds[work][rival].iter().map(of).collect())
    }

    /// The median of framescope's rate over this rival's rate in the same round.
    fn ratio_to(&self, work: usize, rival: usize) -> Option<f64> {
        let own = self.rivals.iter().position(|name| *name == "framescope")?;
        let pairs = self.rounds[work][own].iter().zip(&self.rounds[work][rival]);
        Some(median(pairs.map(|(own, other)| own.per_second / other.per_second).collect()))
    }

    /// The figures as JSON.
    pub fn to_json(&self) -> String {
        let works: Vec<Value> = self
            .works
            .iter()
            .enumerate()
            .map(|(at, work)| {
                let rivals: Vec<Value> = (0..self.rivals.len())
                    .map(|rival| {
                        json!({
                            "rival": self.rivals[rival],
                            "per_second": self.median_of(at, rival, |r| r.per_second),
                            "framescope_to_this": self.ratio_to(at, rival),
                            "p50_us": self.median_of(at, rival, |r| r.p50),
                            "p99_us": self.median_of(at, rival, |r| r.p99),
                            "p999_us": self.median_of(at, rival, |r| r.p999),
                            "cpu_seconds_per_million": self.median_of(at, rival, |r| r.cpu),
                        })
                    })
                    .collect();
                json!({ "work": work.name, "connections": work.connections, "rivals": rivals })
            })
            .collect();
        let held: Vec<Value> = self
            .held
            .iter()
            .flat_map(|(count, rivals)| {
                rivals.iter().map(move |(rival, octets)| {
                    json!({ "held": count, "rival": self.rivals[*rival], "octets_each": octets })
                })
            })
            .collect();
        format!("{:#}\n", json!({ "works": works, "idle": held }))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<36}{:<12}{:>13}{:>10}{:>9}{:>9}{:>9}{:>9}",
            "work", "rival", "per second", "MB/s", "ours/it", "p50 µs", "p99 µs", "CPU µs"
        )?;
        for (at, work) in self.works.iter().enumerate() {
            for (rival, name) in self.rivals.iter().enumerate() {
                let rate = self.median_of(at, rival, |r| r.per_second);
                let megabytes = match work.kind {
                    Kind::Pipelined { size, .. } => {
                        format!("{:.0}", rate * size_of_f64(size) / 1e6)
                    }
                    Kind::PingPong { .. } | Kind::Handshakes => String::new(),
                };
                let latency = |of: fn(&Round) -> f64| match work.kind {
                    Kind::PingPong { .. } => format!("{:.1}", self.median_of(at, rival, of)),
                    Kind::Pipelined { .. } | Kind::Handshakes => String::new(),
                };
                let ratio = self.ratio_to(at, rival).map_or(String::new(), |r| format!("{r:.2}"));
                writeln!(
                    f,
                    "{:<36}{name:<12}{rate:>13.0}{megabytes:>10}{ratio:>9}{:>9}{:>9}{:>9.2}",
                    if rival == 0 { work.name } else { "" },
                    latency(|r| r.p50),
                    latency(|r| r.p99),
                    self.median_of(at, rival, |r| r.cpu),
                )?;
            }
        }
        for (count, rivals) in &self.held {
            for (rival, octets) in rivals {
                let kib = size_of_f64(usize::try_from(*octets).unwrap_or(usize::MAX)) / 1024.0;
                writeln!(
                    f,
                    "{count} idle connections, resident each   {:<12}{kib:.1} KiB",
                    self.rivals[*rival]
                )?;
            }
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn size_of_f64(size: usize) -> f64 {
    size as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
