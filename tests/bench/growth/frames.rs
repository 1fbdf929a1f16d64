//! Captures of more and more frames: recorded through the proxy, then opened.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::framescope::{CAPTURE, Opened};
use crate::load::{self, Goal};
use crate::rivals::{Kind as RivalKind, Rival, Site};
use crate::work::{Kind, Work};

/// A capture that has not grown for so long is complete: the recorder waits no longer than 100 ms.
const QUIET: Duration = Duration::from_millis(400);

/// One capture.
#[derive(Debug, Serialize, Deserialize)]
pub struct Point {
    /// Frames in it, 64 octets of text each, half of them masked.
    pub frames: u64,
    /// From the first message until the last octet was in the file.
    pub recording_seconds: f64,
    /// CPU time of the proxy, which decodes them live too.
    pub recording_cpu_seconds: f64,
    /// The file.
    pub file_octets: u64,
    /// What opening it took.
    pub opened: Opened,
}

/// Captures of 1,000, 10,000, … frames, the largest of `most`.
pub fn measure(site: &Site, most: u64) -> Result<Vec<Point>> {
    let mut counts: Vec<u64> =
        (3..=9).map(|power| 10_u64.pow(power)).filter(|count| *count < most).collect();
    counts.push(most);
    let mut points = Vec::new();
    for frames in counts {
        let point = record_and_open(site, frames)?;
        println!(
            "{frames:>9} frames: recorded in {:.3} s ({:.2} s CPU), {} octets, opened in {:.3} s \
             (first row {:.4} s), {} octets resident",
            point.recording_seconds,
            point.recording_cpu_seconds,
            point.file_octets,
            point.opened.seconds,
            point.opened.first_row_seconds,
            point.opened.resident,
        );
        points.push(point);
    }
    Ok(points)
}

fn record_and_open(site: &Site, frames: u64) -> Result<Point> {
    let rival = Rival::start(RivalKind::Framescope, site)?;
    let way = rival.way(false).context("every rival is plain too")?;
    let capture = rival.folder().join(CAPTURE);
    let kind = Kind::Pipelined { size: 64, in_flight: 512 };
    let work = Work { name: "growth", kind, connections: 1, tls: false };
    let before = rival.cpu();
    let start = Instant::now();
    // Each message comes back: two frames.
    load::run(&work, way, Goal::Messages(frames / 2))?;
    let recorded_at = complete_at(&capture)?.duration_since(start);
    let recording_cpu_seconds = rival.cpu().saturating_sub(before).as_secs_f64();
    let file_octets = fs::metadata(&capture)?.len();
    let output =
        Command::new(std::env::current_exe()?).arg("index-capture").arg(&capture).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let opened: Opened = serde_json::from_slice(&output.stdout)?;
    ensure!(opened.frames == frames, "{} of {frames} frames are in the capture", opened.frames);
    Ok(Point {
        frames,
        recording_seconds: recorded_at.as_secs_f64(),
        recording_cpu_seconds,
        file_octets,
        opened,
    })
}

/// When a file grew for the last time.
fn complete_at(path: &Path) -> Result<Instant> {
    let (mut len, mut since) = (fs::metadata(path)?.len(), Instant::now());
    while since.elapsed() < QUIET {
        std::thread::park_timeout(Duration::from_millis(2));
        let now = fs::metadata(path)?.len();
        if now != len {
            (len, since) = (now, Instant::now());
        }
    }
    Ok(since)
}
