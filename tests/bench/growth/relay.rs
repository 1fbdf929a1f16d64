//! The relay under more connections and under larger messages.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::load::{self, Goal};
use crate::rivals::{Kind as RivalKind, Rival, Site};
use crate::samples::Samples;
use crate::work::{Kind, Work};

/// How long one rival is under load at one point.
const SPAN: Duration = Duration::from_secs(2);
/// Messages under way on each of many connections, as in the table.
const IN_FLIGHT_EACH: usize = 32;
/// Small messages under way on one connection.
const IN_FLIGHT: usize = 512;
/// Octets under way on one connection, at least one message.
const OCTETS_IN_FLIGHT: usize = 1 << 20;
/// Who is measured: the limit of a proxy in user space beside ours.
const RIVALS: [RivalKind; 2] = [RivalKind::Copy, RivalKind::Framescope];

/// One rival at one point.
#[derive(Debug, Serialize, Deserialize)]
pub struct Point {
    /// Its name.
    pub rival: String,
    /// Connections, or octets of payload.
    pub at: usize,
    /// Messages that came back.
    pub per_second: f64,
    /// Octets of payload that came back, in millions.
    pub megabytes_per_second: f64,
    /// CPU time of the rival for a million messages.
    pub cpu_seconds_per_million: f64,
    /// The most resident memory while it was under load, in octets.
    pub peak_resident: u64,
}

/// Messages of 64 octets over 1 to 10,000 connections, or as many as open files allow.
pub fn by_connections(site: &Site) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for count in [1, 10, 100, 1_000, 10_000] {
        let count = limits::connections(count);
        let kind = Kind::Pipelined { size: 64, in_flight: IN_FLIGHT_EACH };
        measure(site, kind, count, count, &mut points)?;
    }
    Ok(points)
}

/// One connection, messages of 16 octets to 16 mebioctets.
pub fn by_sizes(site: &Site) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for power in [4, 8, 12, 16, 20, 24] {
        let octets = 1_usize << power;
        let in_flight = (OCTETS_IN_FLIGHT / octets).clamp(1, IN_FLIGHT);
        measure(site, Kind::Pipelined { size: octets, in_flight }, 1, octets, &mut points)?;
    }
    Ok(points)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn measure(
    site: &Site,
    kind: Kind,
    connections: usize,
    at: usize,
    points: &mut Vec<Point>,
) -> Result<()> {
    let Kind::Pipelined { size: octets, .. } = kind else { return Ok(()) };
    let work = Work { name: "growth", kind, connections, tls: false };
    for who in RIVALS {
        let rival = Rival::start(who, site)?;
        let way = rival.way(false).context("every rival is plain too")?;
        let before = rival.cpu();
        let (outcome, samples) =
            Samples::during(&rival, || load::run(&work, way, Goal::Span(SPAN)));
        let figures = outcome?;
        let cpu = rival.cpu().saturating_sub(before);
        let count = figures.count.max(1) as f64;
        let per_second = count / figures.took.as_secs_f64();
        let point = Point {
            rival: who.name().to_owned(),
            at,
            per_second,
            megabytes_per_second: per_second * octets as f64 / 1e6,
            cpu_seconds_per_million: cpu.as_secs_f64() * 1e6 / count,
            peak_resident: samples.peak(),
        };
        println!(
            "{at:>9} {:<11}{per_second:>12.0}/s{:>8.0} MB/s{:>10.2} CPU s/M{:>8.1} MiB",
            point.rival,
            point.megabytes_per_second,
            point.cpu_seconds_per_million,
            point.peak_resident as f64 / f64::from(1 << 20),
        );
        points.push(point);
    }
    Ok(())
}
