//! Thousands of idle connections, held, used, closed and opened again.

use std::time::Duration;

use anyhow::Result;

use super::verdict::{Verdict, mebi};
use super::{Plan, Soaked};
use crate::limits;
use crate::load::Held;
use crate::samples::Samples;

/// How often they are opened and closed.
const TIMES: usize = 3;
/// All of them must be open within this time, and gone within it.
const LIMIT: Duration = Duration::from_mins(1);
/// Until batches are written and buffers given back.
const SETTLING: Duration = Duration::from_secs(1);
/// Memory that one may cost, in KiB: plain, TLS.
const MOST_EACH: (f64, f64) = (8.0, 19.0);
/// What they may take more while nothing happens, in MiB.
const MOST_DRIFT: f64 = 1.0;
/// What the last time may take beyond the one before, in MiB: less than half a KiB for each of 10,000. The
/// first time is not compared with: in it the allocator finds its shape.
const MOST_GROWTH: f64 = 4.0;

/// Holds `plan.count` connections for `plan.span`, three times.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn soak(soaked: &Soaked, plan: &Plan) -> Result<Verdict> {
    let count = limits::connections(plan.count);
    drop(Held::open(&soaked.way, 20, LIMIT)?);
    std::thread::park_timeout(SETTLING);
    let (before, files_before) = (soaked.resident(), soaked.rival.open_files());
    let over = if plan.tls { "TLS" } else { "plain" };
    let mut verdict = Verdict::on(format!("{count} idle connections, {over}"));
    verdict.tell("resident before", mebi(before), "MiB");
    let most_each = if plan.tls { MOST_EACH.1 } else { MOST_EACH.0 };
    let mut peaks = Vec::new();
    for time in 1..=TIMES {
        let mut held = Held::open(&soaked.way, count, LIMIT)?;
        std::thread::park_timeout(SETTLING);
        let ((), samples) = Samples::during(&soaked.rival, || std::thread::park_timeout(plan.span));
        let [first, .., last] = samples.quarters();
        let each = mebi(first.saturating_sub(before)) * 1024.0 / count as f64;
        verdict.bound(format!("held for the {time}. time: resident each"), each, "KiB", most_each);
        verdict.bound("  more while nothing happened", mebi(last) - mebi(first), "MiB", MOST_DRIFT);
        held.use_each()?;
        drop(held);
        let left = soaked.files_left(files_before, LIMIT).saturating_sub(files_before);
        verdict.bound("  sockets left after they were closed", left as f64, "", 0.0);
        std::thread::park_timeout(SETTLING);
        verdict.tell("  resident after they were closed", mebi(soaked.resident()), "MiB");
        peaks.push(samples.peak());
    }
    if let [.., previous, last] = peaks.as_slice() {
        let growth = mebi(*last) - mebi(*previous);
        verdict.bound("the last time above the one before", growth, "MiB", MOST_GROWTH);
    }
    Ok(verdict)
}
