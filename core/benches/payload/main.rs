//! What it costs to tell the format of a message, and to read it for a row of a table.
//!
//! ```text
//! cargo bench -p framescope-core --bench payload
//! ```
//!
//! A table draws some fifty rows at a time, sixty times a second, and keeps what it has told: a row may
//! cost some ten microseconds, whatever a peer puts into it.

#![expect(clippy::cast_precision_loss, reason = "figures for the eye")]

mod samples;

use std::hint::black_box;
use std::time::{Duration, Instant};

use framescope_core::payload::{Hints, Limits, detect, view};

fn main() {
    // `cargo test` starts benches too, to see whether they still run: once then.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let budget = if is_bench { Duration::from_millis(100) } else { Duration::ZERO };
    println!(
        "{:<40} {:>8}  {:<12} {:>9}  {:>9}",
        "payload", "octets", "told as", "to tell", "to read"
    );
    for (what, is_text, payload) in samples::all() {
        let hints = Hints { is_text: Some(is_text), ..Hints::default() };
        let format = detect(&payload, &hints).format;
        let tell = median(budget, || drop(black_box(detect(black_box(&payload), &hints))));
        let read = median(budget, || {
            let seen = view(format, black_box(&payload), &Limits::GLANCE);
            drop(black_box(seen.summary(&payload, 120)));
        });
        let (len, tell, read) = (payload.len(), micros(tell), micros(read));
        println!("{what:<40} {len:>8}  {:<12} {tell:>6.2} µs  {read:>6.2} µs", format.label());
    }
}

/// The median of rounds that together take about `budget`, one at least.
fn median(budget: Duration, mut work: impl FnMut()) -> Duration {
    const AT_ONCE: u32 = 16;
    let begun = Instant::now();
    let mut rounds = Vec::new();
    while rounds.is_empty() || begun.elapsed() < budget {
        let start = Instant::now();
        for _ in 0..AT_ONCE {
            work();
        }
        rounds.push(start.elapsed() / AT_ONCE);
    }
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}
