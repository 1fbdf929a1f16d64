//! `framescope compare`: the same chat over six transports, measured.

use std::io::Write;
use std::time::Duration;

use super::{Exit, Failure, Outcome, put};
use crate::compare::{CompareError, Plan, compare};
use crate::view::Palette;

/// Compare polling, long polling, streams, Socket.IO and WebSocket by measuring the same chat over each
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// Messages to say
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    messages: u32,
    /// Milliseconds between two of them, on average
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(60..=60_000))]
    every: u64,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

/// Measures, then prints.
pub fn run(args: &CompareArgs, shown: Palette, out: &mut impl Write) -> Outcome {
    let plan = Plan { messages: args.messages, every: Duration::from_millis(args.every) };
    let compared = compare(plan).map_err(|error| {
        let exit = match &error {
            CompareError::Start(_) => Exit::Listen,
            CompareError::Prepare(_) | CompareError::Speaker(_) => Exit::General,
        };
        Failure::new(exit, error.to_string())
    })?;
    let told = if args.json { format!("{}\n", compared.json()) } else { compared.table(shown) };
    put(out, &told)
}
