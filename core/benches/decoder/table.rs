//! Rounds, medians, and the lines they are printed as.

use std::time::{Duration, Instant};

use crate::contenders::Contender;
use crate::traffic::Traffic;

/// How long to measure.
pub struct Table {
    rounds: usize,
    /// What each contender's share of a round is to take at least.
    share: Duration,
    /// The only payload to measure with, where one is wanted.
    size: Option<usize>,
    /// Part of the names of the only contenders to measure, where some are wanted.
    name: Option<String>,
}

impl Table {
    /// For figures to go by.
    pub fn thorough(size: Option<usize>, name: Option<String>) -> Self {
        // Shares shorter than a scheduler's time slice: most rounds are then nobody else's.
        Self { rounds: 151, share: Duration::from_millis(2), size, name }
    }

    /// To see that all still agree.
    pub fn brief() -> Self {
        Self { rounds: 1, share: Duration::ZERO, size: None, name: None }
    }

    pub fn title(title: &str) {
        println!("\n{title}");
        println!(
            "  {:>9}  {:<34} {:>11} {:>9} {:>16}",
            "payload", "", "M frames/s", "GB/s", "the first is"
        );
    }

    /// Measures the contenders side by side; the first one is compared with each.
    pub fn compare(&self, traffic: &Traffic, contenders: &mut [&mut dyn Contender]) {
        if self.size.is_some_and(|size| size != traffic.size) {
            return;
        }
        let is_wanted =
            |name: &str| self.name.as_ref().is_none_or(|part| name.contains(part.as_str()));
        let mut contenders: Vec<&mut dyn Contender> = contenders
            .iter_mut()
            .map(|contender| &mut **contender as &mut dyn Contender)
            .filter(|contender| is_wanted(contender.name()))
            .collect();
        let repeats: Vec<u32> = contenders
            .iter_mut()
            .map(|contender| {
                agree(traffic, *contender);
                let once = time(*contender, 1).max(Duration::from_nanos(1));
                u32::try_from(self.share.as_nanos() / once.as_nanos()).unwrap_or(1).max(1)
            })
            .collect();

        let mut nanos: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
        for round in 0..self.rounds {
            for turn in 0..contenders.len() {
                // Who goes first changes from round to round.
                let who = (turn + round) % contenders.len();
                let took = time(contenders[who], repeats[who]);
                nanos[who].push(took.as_nanos() as f64 / f64::from(repeats[who]));
            }
        }

        for (who, contender) in contenders.iter().enumerate() {
            let once = median(nanos[who].clone());
            let ratio = median(
                nanos[who].iter().zip(&nanos[0]).map(|(theirs, ours)| theirs / ours).collect(),
            );
            println!(
                "  {:>9}  {:<34} {:>11.2} {:>9.2} {:>16}",
                if who == 0 { size(traffic.size) } else { String::new() },
                contender.name(),
                traffic.frames as f64 * 1e3 / once,
                traffic.wire.len() as f64 / once,
                if who == 0 { String::new() } else { format!("{ratio:.2} times as fast") },
            );
        }
    }
}

/// A contender that skips work, or gets it wrong, is not to be compared with.
fn agree(traffic: &Traffic, contender: &mut dyn Contender) {
    let mut plain = Vec::with_capacity(traffic.plain.len());
    let frames = contender.run(&mut |payload| plain.extend_from_slice(payload));
    assert_eq!(frames, traffic.frames, "{} sees every frame", contender.name());
    if contender.tells_payloads() {
        assert!(plain == traffic.plain, "{} sees the payloads", contender.name());
    }
}

fn time(contender: &mut dyn Contender, repeats: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..repeats {
        contender.run_blind();
    }
    start.elapsed()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn size(octets: usize) -> String {
    if octets < 1024 { format!("{octets} B") } else { format!("{} KiB", octets >> 10) }
}
