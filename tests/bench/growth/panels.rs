//! Which figures the chart shows.

use super::chart::{Line, Panel};
use super::{Growth, frames, relay};

/// What is drawn of a point.
type Of<P> = fn(&P) -> f64;

const MEBI: f64 = 1024.0 * 1024.0;

/// Throughput or time above, memory below.
pub fn of(growth: &Growth) -> Vec<Panel> {
    let connections = ticks(growth.connections.iter().map(|point| point.at as u64), 1000);
    let sizes = ticks(growth.sizes.iter().map(|point| point.at as u64), 1024);
    let frames = ticks(growth.frames.iter().map(|point| point.frames), 1000);
    let relay =
        |title, x_ticks: &[(f64, String)], points: &[relay::Point], of: Of<relay::Point>| Panel {
            title,
            x_ticks: x_ticks.to_vec(),
            lines: ["copy", "framescope"].map(|name| rival(name, points, of)).into(),
        };
    let capture = |title, lines: [(&'static str, Of<frames::Point>); 2]| Panel {
        title,
        x_ticks: frames.clone(),
        lines: lines
            .map(|(name, of)| Line {
                name,
                points: growth.frames.iter().map(|it| (float(it.frames), of(it))).collect(),
            })
            .into(),
    };
    vec![
        relay("64 B messages a second, by connections", &connections, &growth.connections, |it| {
            it.per_second
        }),
        relay("payload MB a second, by message size", &sizes, &growth.sizes, |it| {
            it.megabytes_per_second
        }),
        capture(
            "seconds, by frames in the capture",
            [("recording", |it| it.recording_seconds), ("opening", |it| it.opened.seconds)],
        ),
        relay("peak memory in MiB, by connections", &connections, &growth.connections, |it| {
            float(it.peak_resident) / MEBI
        }),
        relay("peak memory in MiB, by message size", &sizes, &growth.sizes, |it| {
            float(it.peak_resident) / MEBI
        }),
        capture(
            "MB, by frames in the capture",
            [
                ("file", |it| float(it.file_octets) / 1e6),
                ("memory once opened", |it| float(it.opened.resident) / 1e6),
            ],
        ),
    ]
}

fn rival(name: &'static str, points: &[relay::Point], of: Of<relay::Point>) -> Line {
    let own = points.iter().filter(|point| point.rival == name);
    Line { name, points: own.map(|point| (float(point.at as u64), of(point))).collect() }
}

/// A tick at each value, written short: 10k, 50M, or 4Ki in powers of 1024.
fn ticks(values: impl Iterator<Item = u64>, thousand: u64) -> Vec<(f64, String)> {
    let mut values: Vec<u64> = values.collect();
    values.dedup();
    let (kilo, mega) = if thousand == 1024 { ("Ki", "Mi") } else { ("k", "M") };
    let text = |value: u64| match value {
        _ if value >= thousand * thousand => format!("{}{mega}", value / (thousand * thousand)),
        _ if value >= thousand => format!("{}{kilo}", (value + thousand / 2) / thousand),
        _ => value.to_string(),
    };
    values.into_iter().map(|value| (float(value), text(value))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn float(value: u64) -> f64 {
    value as f64
}
