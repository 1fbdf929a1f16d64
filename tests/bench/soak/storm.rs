//! New connections at a steady rate: each is opened, used once and closed in order.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::verdict::{Verdict, mebi};
use super::{Plan, Soaked};
use crate::load::{Socket, Way, message, open};
use crate::process::runtime;
use crate::samples::Samples;

/// One connection must be done within this time.
const LIMIT: Duration = Duration::from_secs(10);
/// What the last quarter may take beyond the first, in MiB.
const MOST_DRIFT: f64 = 8.0;
/// The rate may fall behind by so much, in percent: then it was no such storm.
const MOST_MISSED: f64 = 2.0;
/// Loopback addresses that clients come from, so that none runs out of ports.
const ADDRESSES: u32 = 16;
/// An empty Close frame with a masking key of zeros.
const CLOSE: [u8; 6] = [0x88, 0x80, 0, 0, 0, 0];

/// `plan.rate` connections a second for `plan.span`.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn soak(soaked: &Soaked, plan: &Plan) -> Result<Verdict> {
    drop(crate::load::Held::open(&soaked.way, 20, LIMIT)?);
    let files_before = soaked.files_left(0, Duration::from_secs(1));
    let before = soaked.resident();
    let cpu = soaked.rival.cpu();
    let (storm, samples) =
        Samples::during(&soaked.rival, || storm(&soaked.way, plan.rate, plan.span));
    let mut storm = storm?;
    let cpu = soaked.rival.cpu().saturating_sub(cpu).as_secs_f64();
    let over = if plan.tls { "TLS" } else { "plain" };
    let what = format!("{} connections a second for {:?}, {over}", plan.rate, plan.span);
    let mut verdict = Verdict::on(what);
    let count = (storm.times.len() + storm.failures.len()) as f64;
    let rate = count / storm.took.as_secs_f64();
    verdict.tell("connections", count, "");
    verdict.tell("a second", rate, "");
    let missed = 100.0 * (1.0 - rate / f64::from(plan.rate));
    verdict.bound("slower than asked for by", missed, "%", MOST_MISSED);
    verdict.bound("connections that failed", storm.failures.len() as f64, "", 0.0);
    if let Some(failure) = storm.failures.first() {
        eprintln!("the first failure: {failure}");
    }
    storm.times.sort_unstable();
    for (name, per_mille) in [("p50", 500), ("p99", 990), ("the slowest", 1000)] {
        let at = (storm.times.len() * per_mille / 1000).min(storm.times.len().saturating_sub(1));
        let time = storm.times.get(at).copied().unwrap_or_default();
        verdict.tell(format!("open to echo, {name}"), time.as_secs_f64() * 1e3, "ms");
    }
    verdict.tell("CPU time of the proxy, each", cpu * 1e6 / count, "µs");
    verdict.tell("resident before", mebi(before), "MiB");
    verdict.steady(&samples, MOST_DRIFT);
    let left = soaked.files_left(files_before, LIMIT).saturating_sub(files_before);
    verdict.bound("sockets left afterwards", left as f64, "", 0.0);
    Ok(verdict)
}

struct Storm {
    /// From the first SYN to the message's echo.
    times: Vec<Duration>,
    failures: Vec<String>,
    /// Until the last one was begun.
    took: Duration,
}

fn storm(way: &Way, rate: u32, span: Duration) -> Result<Storm> {
    runtime()?.block_on(async {
        let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
        // What was late is caught up with: the rate is kept whatever the proxy does.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut tasks = JoinSet::new();
        let start = Instant::now();
        let mut outcomes = Vec::new();
        let mut number = 0;
        while start.elapsed() < span {
            ticks.tick().await;
            let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 0, 2)) + number % ADDRESSES);
            let way = Way { from: Some(SocketAddr::from((from, 0))), ..way.clone() };
            tasks.spawn(async move { timeout(LIMIT, one(&way)).await.context("too slow")? });
            number += 1;
            while let Some(done) = tasks.try_join_next() {
                outcomes.push(done?);
            }
        }
        let took = start.elapsed();
        while let Some(done) = tasks.join_next().await {
            outcomes.push(done?);
        }
        let (mut times, mut failures) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(time) => times.push(time),
                Err(fault) => failures.push(format!("{fault:#}")),
            }
        }
        Ok(Storm { times, failures, took })
    })
}

/// Opens, sends a message, waits for its echo, says Close, waits for Close and the end.
async fn one(way: &Way) -> Result<Duration> {
    let start = Instant::now();
    let Socket { mut read, mut write } = open(way).await?;
    let (frame, answer_len) = message(64);
    write.write_all(&frame).await?;
    write.flush().await?;
    let mut answer = vec![0; answer_len];
    read.read_exact(&mut answer).await?;
    let time = start.elapsed();
    write.write_all(&CLOSE).await?;
    write.flush().await?;
    let mut close = [0; 2];
    read.read_exact(&mut close).await?;
    ensure!(close == [0x88, 0], "no Close came back");
    write.shutdown().await?;
    let mut rest = Vec::new();
    read.read_to_end(&mut rest).await?;
    ensure!(rest.is_empty(), "more came after Close");
    Ok(time)
}
