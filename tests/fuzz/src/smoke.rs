//! A fixed number of inputs, the same on every machine and in every run: what CI asks of a target.
//!
//! libFuzzer steers by coverage, which differs from run to run (hash maps are seeded at random, addresses
//! move), so what it meets within some seconds is luck. Here a seed alone decides: a verdict differs only
//! when the code does.

use std::panic;
use std::path::Path;
use std::process;

/// How many inputs; set by `./run --smoke`. None of libFuzzer runs when it is.
pub const COUNT: &str = "FUZZ_SMOKE";
/// Octets of an input, as `./run` tells libFuzzer too.
const MAX_LEN: usize = 4096;
/// Mutated inputs that further ones may begin from.
const KEPT: usize = 64;

/// Runs the seeds as they are, then `count` inputs made from them, and ends the process: with 1, and the
/// input in `artifacts`, when one broke something.
pub fn run(seeds: Vec<Vec<u8>>, count: u64, artifacts: &Path, check: fn(&[u8])) -> ! {
    // libFuzzer's hook ends the process before the input could be written.
    let _ = panic::take_hook();
    let mut mutator = Mutator::new(seeds);
    for input in mutator.pool.clone() {
        check_one(&input, artifacts, check);
    }
    for _ in 0..count {
        let input = mutator.next();
        check_one(&input, artifacts, check);
    }
    eprintln!("stat::number_of_executed_units: {}", mutator.seeds as u64 + count);
    process::exit(0)
}

fn check_one(input: &[u8], artifacts: &Path, check: fn(&[u8])) {
    if panic::catch_unwind(|| check(input)).is_ok() {
        return;
    }
    let path = artifacts.join("smoke");
    match std::fs::write(&path, input) {
        Ok(()) => eprintln!("Test unit written to {}", path.display()),
        Err(fault) => eprintln!("{} cannot be written: {fault}", path.display()),
    }
    process::exit(1)
}

struct Mutator {
    /// The seeds, and behind them what was made from them last.
    pool: Vec<Vec<u8>>,
    seeds: usize,
    /// xorshift64* (Vigna 2016).
    state: u64,
}

/// Numbers at the edges of length fields.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    125,
    126,
    127,
    128,
    255,
    0x7fff,
    0xffff,
    0x1_0000,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

impl Mutator {
    fn new(mut seeds: Vec<Vec<u8>>) -> Self {
        seeds.iter_mut().for_each(|seed| seed.truncate(MAX_LEN));
        seeds.push(Vec::new());
        Self { seeds: seeds.len(), pool: seeds, state: 0x9E37_79B9_7F4A_7C15 }
    }

    fn next(&mut self) -> Vec<u8> {
        let base = self.below(self.pool.len());
        let mut input = self.pool[base].clone();
        for _ in 0..1 << self.below(5) {
            self.mutate(&mut input);
            input.truncate(MAX_LEN);
        }
        // Some go on from where another came to, so that changes add up.
        if self.below(4) == 0 {
            if self.pool.len() < self.seeds + KEPT {
                self.pool.push(input.clone());
            } else {
                let place = self.seeds + self.below(KEPT);
                self.pool[place].clone_from(&input);
            }
        }
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let place = self.below(input.len() + 1);
        let rest = input.len() - place;
        match self.below(9) {
            0 if rest > 0 => input[place] ^= 1 << self.below(8),
            1 if rest > 0 => input[place] = self.octet(),
            2 => {
                let edge = EDGES[self.below(EDGES.len())];
                let width = 1 << self.below(4);
                let octets = edge.to_be_bytes();
                let octets = &octets[8 - width..];
                let end = (place + width).min(input.len());
                if self.below(2) == 0 {
                    input.splice(place..end, octets.iter().copied());
                } else {
                    input.splice(place..end, octets.iter().rev().copied());
                }
            }
            3 => drop(input.drain(place..place + self.short(rest))),
            4 => {
                let part = input[place..place + self.short(rest)].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, part);
            }
            5 => {
                let len = self.short(64);
                let octets: Vec<u8> = (0..len).map(|_| self.octet()).collect();
                input.splice(place..place, octets);
            }
            6 => {
                let other = self.below(self.pool.len());
                let from = self.below(self.pool[other].len() + 1);
                let len = self.short(self.pool[other].len() - from);
                let part = self.pool[other][from..from + len].to_vec();
                let end = if self.below(2) == 0 { place } else { (place + len).min(input.len()) };
                input.splice(place..end, part);
            }
            7 if self.below(8) == 0 => input.truncate(place),
            _ if rest > 1 => {
                let other = place + self.below(rest);
                input.swap(place, other);
            }
            _ => input.push(self.octet()),
        }
    }

    /// At most `most`; short lengths are likelier.
    fn short(&mut self, most: usize) -> usize {
        let most = most >> self.below(8);
        self.below(most + 1)
    }

    fn octet(&mut self) -> u8 {
        self.random().to_le_bytes()[0]
    }

    /// From 0 to `end`, which is not among them and not 0.
    fn below(&mut self, end: usize) -> usize {
        (self.random() % end as u64) as usize
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        // The low bits of a product are its weakest.
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }
}
