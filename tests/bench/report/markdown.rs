//! The report as the tables of `docs/PERFORMANCE.md`.

use std::fmt::Write as _;

use super::text::{cell, float};
use super::{Report, Round, WorkRounds};
use crate::rivals::Kind as RivalKind;
use crate::work::Kind;

impl Report {
    /// Tables: rates and ratios, latency, CPU time, idle memory.
    pub fn to_markdown(&self) -> String {
        let all: Vec<&str> = RivalKind::ALL
            .map(RivalKind::name)
            .into_iter()
            .filter(|name| self.works.iter().any(|work| work.rivals().any(|it| it == *name)))
            .collect();
        let others: Vec<&str> =
            all.iter().copied().filter(|name| *name != "framescope" && *name != "direct").collect();
        let through: Vec<&str> = all.iter().copied().filter(|name| *name != "direct").collect();
        let heads: Vec<String> = others.iter().map(|name| format!("to {name}")).collect();
        let mut out = head(&["work", "Framescope, a second"], &heads);
        for work in &self.works {
            let rate = work.median("framescope", |r| r.per_second);
            let ratios = others.iter().map(|rival| cell(work.ratio_to(rival), 2));
            row(&mut out, &[&work.work, &grouped(rate)], ratios);
        }
        out.push('\n');
        out += &head(&["ping-pong: p50 / p99 / p99.9, µs"], &strings(&all));
        for work in
            self.works.iter().filter(|work| matches!(work.kind(), Some(Kind::PingPong { .. })))
        {
            let quantiles = |rival: &&str| {
                let of = |of: fn(&Round) -> f64| cell(work.median(rival, of), 0);
                format!("{} / {} / {}", of(|r| r.p50_us), of(|r| r.p99_us), of(|r| r.p999_us))
            };
            row(&mut out, &[&work.work], all.iter().map(quantiles));
        }
        out.push('\n');
        out += &head(&["CPU seconds of the proxy, for a million"], &strings(&through));
        for work in &self.works {
            let cpu = |work: &WorkRounds, rival: &str| {
                let cpu = work.median(rival, |r| r.cpu_seconds_per_million);
                cell(cpu, if cpu.is_some_and(|cpu| cpu < 10.0) { 2 } else { 0 })
            };
            row(&mut out, &[&work.work], through.iter().map(|rival| cpu(work, rival)));
        }
        out.push('\n');
        out + &self.idle_markdown(&through)
    }

    fn idle_markdown(&self, rivals: &[&str]) -> String {
        let mut out = head(&["idle connections held, resident memory each"], &strings(rivals));
        let mut kinds: Vec<(bool, usize, usize)> =
            self.idle.iter().map(|it| (it.tls, it.wanted, it.held)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for (tls, wanted, held) in kinds {
            let each = |rival: &&str| {
                let one = self
                    .idle
                    .iter()
                    .find(|it| (it.rival.as_str(), it.tls, it.wanted) == (rival, tls, wanted));
                let octets = one.map(|it| usize::try_from(it.octets_each).unwrap_or(usize::MAX));
                octets.map_or(String::new(), |octets| format!("{:.1} KiB", float(octets) / 1024.0))
            };
            let name = format!("{held}, {}", if tls { "TLS" } else { "plain" });
            row(&mut out, &[&name], rivals.iter().map(each));
        }
        out
    }
}

fn head(first: &[&str], rest: &[String]) -> String {
    let columns: Vec<&str> = first.iter().copied().chain(rest.iter().map(String::as_str)).collect();
    let numbers = "---:|".repeat(columns.len() - 1);
    format!("| {} |\n|---|{numbers}\n", columns.join(" | "))
}

fn row(out: &mut String, first: &[&str], rest: impl Iterator<Item = String>) {
    let cells: Vec<String> = first.iter().map(|it| (*it).to_owned()).chain(rest).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A whole number with commas between its thousands.
fn grouped(value: Option<f64>) -> String {
    let digits = cell(value, 0);
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
