//! The words of the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::growth;
use crate::soak;
use crate::table::{self, Plan};

/// How to use it.
pub const HELP: &str = "\
bench-relay [OPTIONS]               the table: every rival does every work, interleaved
  --rounds N     rounds; each rival does each work once a round        (default 5)
  --seconds S    how long one rival does one work in one round         (default 1.5)
  --held N,N     idle connections held for the memory figures          (default 2000,10000)
  --without …    rivals to leave out: direct, copy, framescope, haproxy, nginx, hudsucker, mitmproxy
  --only A;B     only works whose name contains A or B; with \"none\" only idle connections
  --json FILE    write the figures there too

bench-relay merge FILE… [--json FILE]
  the tables of several runs as one, also in Markdown

bench-relay growth [WORK] [--json FILE] [--chart FILE] [--frames N]
  connections    throughput and memory from 1 to 10,000 connections
  sizes          throughput and memory from 16 B to 16 MiB a message
  frames         recording and opening from 1,000 to N frames          (default 50,000,000)
  chart          nothing is measured: the chart of what FILE holds
  All three unless one is named. FILE keeps what other works wrote there.

bench-relay soak WORK [--tls] [--gib N] [--count N] [--rate N] [--seconds S] [--json FILE]
  message        one message of N GiB to the echo and back, at constant memory   (default 2)
  idle           hold N idle connections for S seconds, again and again          (10000, 10)
  storm          N new connections a second for S seconds                        (1000, 60)
  A verdict with its figures; ends with 1 where memory grew beyond the bound that it states.
";

/// Does what the words say.
pub fn run(words: &[&str]) -> Result<()> {
    match words {
        ["--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        ["merge", words @ ..] => {
            let (mut files, mut json) = (Vec::new(), None);
            let mut words = words.iter();
            while let Some(word) = words.next() {
                match (*word, words.as_slice().first()) {
                    ("--json", Some(path)) => {
                        json = Some(PathBuf::from(path));
                        words.next();
                    }
                    _ => files.push(PathBuf::from(word)),
                }
            }
            table::merge(&files, json.as_ref())
        }
        ["growth", words @ ..] => growth::run(&growth_plan(words)?),
        ["soak", work, words @ ..] => soak::run(&soak_plan(work, words)?),
        _ => table::run(&table_plan(words)?),
    }
}

fn table_plan(words: &[&str]) -> Result<Plan> {
    let mut plan = Plan {
        rounds: 5,
        span: Duration::from_millis(1500),
        held: vec![2_000, 10_000],
        without: Vec::new(),
        only: None,
        json: None,
    };
    for (option, value) in pairs(words)? {
        match option {
            "--rounds" => plan.rounds = value.parse()?,
            "--seconds" => plan.span = Duration::from_secs_f64(value.parse()?),
            "--held" => {
                let counts = value.split(',').filter(|count| !count.is_empty());
                plan.held = counts.map(str::parse).collect::<Result<_, _>>()?;
            }
            "--without" => plan.without = value.split(',').map(str::to_owned).collect(),
            "--only" => plan.only = Some(value.split(';').map(str::to_owned).collect()),
            "--json" => plan.json = Some(PathBuf::from(value)),
            _ => bail!("no option is called {option}\n\n{HELP}"),
        }
    }
    Ok(plan)
}

fn growth_plan(words: &[&str]) -> Result<growth::Plan> {
    let mut plan =
        growth::Plan { work: growth::Work::All, json: None, chart: None, most_frames: 50_000_000 };
    let options = match words {
        [work, options @ ..] if !work.starts_with("--") => {
            plan.work = match *work {
                "connections" => growth::Work::Connections,
                "sizes" => growth::Work::Sizes,
                "frames" => growth::Work::Frames,
                "chart" => growth::Work::ChartOnly,
                _ => bail!("no growth is called {work}\n\n{HELP}"),
            };
            options
        }
        options => options,
    };
    for (option, value) in pairs(options)? {
        match option {
            "--json" => plan.json = Some(PathBuf::from(value)),
            "--chart" => plan.chart = Some(PathBuf::from(value)),
            "--frames" => plan.most_frames = value.parse()?,
            _ => bail!("no option is called {option}\n\n{HELP}"),
        }
    }
    Ok(plan)
}

fn soak_plan(work: &str, words: &[&str]) -> Result<soak::Plan> {
    let work = match work {
        "message" => soak::Work::Message,
        "idle" => soak::Work::Idle,
        "storm" => soak::Work::Storm,
        _ => bail!("no soak is called {work}\n\n{HELP}"),
    };
    let words: Vec<&str> = words
        .iter()
        .flat_map(|word| [Some(*word), (*word == "--tls").then_some("yes")])
        .flatten()
        .collect();
    let mut plan = soak::Plan::new(work);
    for (option, value) in pairs(&words)? {
        match option {
            "--tls" => plan.tls = true,
            "--gib" => plan.gib = value.parse()?,
            "--count" => plan.count = value.parse()?,
            "--rate" => plan.rate = value.parse()?,
            "--seconds" => plan.span = Duration::from_secs_f64(value.parse()?),
            "--json" => plan.json = Some(PathBuf::from(value)),
            _ => bail!("no option is called {option}\n\n{HELP}"),
        }
    }
    Ok(plan)
}

/// Options, each with its value.
fn pairs<'a>(words: &[&'a str]) -> Result<Vec<(&'a str, &'a str)>> {
    words
        .chunks(2)
        .map(|pair| match pair {
            [option, value] => Ok((*option, *value)),
            _ => bail!("{} wants a value\n\n{HELP}", pair.concat()),
        })
        .collect()
}
