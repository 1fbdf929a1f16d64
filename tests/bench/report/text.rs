//! The report for the terminal: one line a work and rival.

use std::fmt;

use super::{Report, Round};
use crate::work::Kind;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<39}{:<11}{:>12}{:>7}{:>9}{:>10}{:>10}{:>10}{:>10}",
            "work",
            "rival",
            "per second",
            "MB/s",
            "ours/it",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "CPU s/M"
        )?;
        for work in &self.works {
            for (at, rival) in work.rivals().enumerate() {
                let rate = work.median(rival, |r| r.per_second).unwrap_or_default();
                let kind = work.kind();
                let megabytes = match kind {
                    Some(Kind::Pipelined { size, .. }) => {
                        format!("{:.0}", rate * float(size) / 1e6)
                    }
                    _ => String::new(),
                };
                let latency = |of: fn(&Round) -> f64| match kind {
                    Some(Kind::PingPong { .. }) => cell(work.median(rival, of), 1),
                    _ => String::new(),
                };
                writeln!(
                    f,
                    "{:<39}{rival:<11}{rate:>12.0}{megabytes:>7}{:>9}{:>10}{:>10}{:>10}{:>10}",
                    if at == 0 { &work.work } else { "" },
                    cell(work.ratio_to(rival), 2),
                    latency(|r| r.p50_us),
                    latency(|r| r.p99_us),
                    latency(|r| r.p999_us),
                    cell(work.median(rival, |r| r.cpu_seconds_per_million), 2),
                )?;
            }
        }
        for idle in &self.idle {
            writeln!(
                f,
                "{} idle {} connections, resident each: {:<11}{:.1} KiB",
                idle.held,
                if idle.tls { "TLS" } else { "plain" },
                idle.rival,
                float(usize::try_from(idle.octets_each).unwrap_or(usize::MAX)) / 1024.0,
            )?;
        }
        Ok(())
    }
}

/// A figure with so many decimals; nothing where there is none.
pub(super) fn cell(value: Option<f64>, decimals: usize) -> String {
    value.map_or(String::new(), |value| format!("{value:.decimals$}"))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn float(value: usize) -> f64 {
    value as f64
}
