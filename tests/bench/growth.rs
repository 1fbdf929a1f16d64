//! How cost grows with the work: connections, sizes of messages, recorded frames.

mod chart;
mod frames;
mod panels;
mod relay;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::table::Ground;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// All three.
    All,
    /// From 1 to 10,000 connections.
    Connections,
    /// From 16 B to 16 MiB a message.
    Sizes,
    /// From 1,000 frames in a capture.
    Frames,
    /// Nothing: only draw.
    ChartOnly,
}

/// What to do.
#[derive(Debug)]
pub struct Plan {
    /// What to measure.
    pub work: Work,
    /// Where figures are kept; those of works that are not measured stay.
    pub json: Option<PathBuf>,
    /// Where the chart goes.
    pub chart: Option<PathBuf>,
    /// The largest capture, in frames.
    pub most_frames: u64,
}

/// All figures.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Growth {
    /// By the number of connections.
    #[serde(default)]
    connections: Vec<relay::Point>,
    /// By octets of payload.
    #[serde(default)]
    sizes: Vec<relay::Point>,
    /// By frames in the capture.
    #[serde(default)]
    frames: Vec<frames::Point>,
}

/// Measures, prints, and writes what is asked for.
pub fn run(plan: &Plan) -> Result<()> {
    let mut growth = match &plan.json {
        Some(path) if path.exists() => read(path)?,
        _ => Growth::default(),
    };
    let wants = |work| plan.work == Work::All || plan.work == work;
    if plan.work != Work::ChartOnly {
        let ground = Ground::prepare()?;
        if wants(Work::Connections) {
            growth.connections = relay::by_connections(&ground.site)?;
        }
        if wants(Work::Sizes) {
            growth.sizes = relay::by_sizes(&ground.site)?;
        }
        if wants(Work::Frames) {
            growth.frames = frames::measure(&ground.site, plan.most_frames)?;
        }
    }
    if let Some(path) = &plan.json {
        std::fs::write(path, serde_json::to_string_pretty(&growth)? + "\n")?;
    }
    if let Some(path) = &plan.chart {
        std::fs::write(path, chart::svg(&panels::of(&growth)))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Growth> {
    let text = std::fs::read_to_string(path)?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
