//! What a soak run says: figures, and bounds that they keep or break.

use std::fmt;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::samples::Samples;

/// A run's figures and the bounds on some of them.
#[derive(Debug)]
pub struct Verdict {
    what: String,
    figures: Vec<Figure>,
}

#[derive(Debug)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// It may not be more.
    most: Option<f64>,
}

impl Verdict {
    /// No figures yet.
    pub fn on(what: String) -> Self {
        Self { what, figures: Vec::new() }
    }

    /// A figure that is only told.
    pub fn tell(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.figures.push(Figure { name: name.into(), value, unit, most: None });
    }

    /// A figure that may not be more than `most`.
    pub fn bound(&mut self, name: impl Into<String>, value: f64, unit: &'static str, most: f64) {
        self.figures.push(Figure { name: name.into(), value, unit, most: Some(most) });
    }

    /// Resident memory in each quarter of the time. What the last takes beyond the first may not be more
    /// than `most` MiB.
    pub fn steady(&mut self, samples: &Samples, most: f64) {
        let quarters = samples.quarters().map(mebi);
        for (at, peak) in quarters.iter().enumerate() {
            self.tell(format!("resident at the most, quarter {}", at + 1), *peak, "MiB");
        }
        self.bound("last quarter above first quarter", quarters[3] - quarters[0], "MiB", most);
    }

    /// Whether every bound is kept.
    pub fn holds(&self) -> bool {
        self.figures.iter().all(Figure::holds)
    }

    /// Puts it behind the verdicts that are in the JSON file at `path`, in place of one on the same.
    pub fn append_to(&self, path: &Path) -> Result<()> {
        let mut all: Vec<Value> = match std::fs::read(path) {
            Ok(octets) => serde_json::from_slice(&octets)?,
            Err(_) => Vec::new(),
        };
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|it| json!({ "name": it.name, "value": it.value, "unit": it.unit, "most": it.most }))
            .collect();
        all.retain(|it| it["soak"] != self.what.as_str());
        all.push(json!({ "soak": self.what, "holds": self.holds(), "figures": figures }));
        std::fs::write(path, serde_json::to_string_pretty(&all)? + "\n")?;
        Ok(())
    }
}

impl Figure {
    fn holds(&self) -> bool {
        self.most.is_none_or(|most| self.value <= most)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        for figure in &self.figures {
            let Figure { name, value, unit, most } = figure;
            write!(f, "  {name:<56}{value:>12.2} {unit:<6}")?;
            match most {
                Some(most) if figure.holds() => writeln!(f, " at most {most}: kept")?,
                Some(most) => writeln!(f, " at most {most}: BROKEN")?,
                None => writeln!(f)?,
            }
        }
        write!(f, "verdict: {}", if self.holds() { "holds" } else { "DOES NOT HOLD" })
    }
}

/// Octets as mebioctets.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn mebi(octets: u64) -> f64 {
    octets as f64 / f64::from(1 << 20)
}
