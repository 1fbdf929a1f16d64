//! How long a capture of a million frames takes to open and to search, and how much memory its index
//! holds.
//!
//! ```text
//! cargo bench -p framescope-core --bench opening [-- CONNECTIONS [KEEP_THE_FILE_HERE]]
//! ```
//!
//! The capture lies in a file that was just written, so the disk is no part of what is measured.
//! To compare with: `tshark -r FILE -T fields -e websocket.payload_length`.

#![expect(clippy::cast_precision_loss, reason = "figures for the eye")]

mod capture;

use std::fs::File;
use std::io::{BufWriter, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use framescope_core::capture::{CaptureItem, CaptureReader};
use framescope_core::search::{Found, Pattern, Search};
use framescope_core::{Index, Record};

/// Octets read at once, as the viewers do.
const PIECE: usize = 256 << 10;

fn main() {
    // `cargo test` starts benches too, to see whether they still run: once then.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let mut words = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let connections = words.next().map_or(1, |word| word.parse().expect("a number of connections"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = words.next().map_or_else(|| folder.path().join("million.pcapng"), Into::into);
    let file = BufWriter::new(File::create(&path).expect("a file to write"));
    capture::write(file, connections).expect("the capture is written");
    let len = path.metadata().expect("it was written").len();
    println!(
        "{} frames of {} octets, {connections} connections, {:.1} MB",
        capture::FRAMES,
        capture::PAYLOAD_LEN,
        len as f64 / 1e6
    );

    let rounds = if is_bench { 15 } else { 1 };
    let mut runs: Vec<Opened> = (0..rounds).map(|_| open(&path)).collect();
    let held = runs.first().and_then(|first| first.held);
    runs.sort_by_key(|run| run.all);
    if let Some(median) = runs.get(runs.len() / 2) {
        println!(
            "  first row after {:.1} ms, all after {:.1} ms: {:.1} M frames/s, {:.2} GB/s",
            millis(median.first_row),
            millis(median.all),
            capture::FRAMES as f64 / 1e6 / median.all.as_secs_f64(),
            len as f64 / 1e9 / median.all.as_secs_f64(),
        );
    }
    match held {
        Some(octets) => println!("  the index holds {:.1} MB", octets as f64 / 1e6),
        None => println!("  what the index holds cannot be told on this system"),
    }
    for typed in capture::NEEDLES {
        let pattern = Pattern::parse(typed).expect("a pattern");
        let mut runs: Vec<_> = (0..rounds).map(|_| search(&path, &pattern)).collect();
        runs.sort_unstable();
        if let Some((took, found)) = runs.get(runs.len() / 2) {
            println!("  {typed} found in {found} messages after {:.1} ms", millis(*took));
        }
    }
}

struct Opened {
    first_row: Duration,
    all: Duration,
    /// Octets of memory by which the process grew; of the first run alone it says what the index holds.
    held: Option<u64>,
}

fn open(path: &Path) -> Opened {
    let before = resident();
    let start = Instant::now();
    let mut first_row = None;
    let mut index = Index::new();
    read(path, |record, block_offset| {
        index.receive(record, block_offset);
        if first_row.is_none() && !index.frames().is_empty() {
            first_row = Some(start.elapsed());
        }
    });
    let all = start.elapsed();
    assert_eq!(index.frames().len(), capture::FRAMES, "every frame has a row");
    assert_eq!(index.messages().len(), capture::FRAMES, "and is a message");
    assert_eq!(index.findings(), [], "without findings");
    let held = resident().zip(before).map(|(after, before)| after.saturating_sub(before));
    Opened { first_row: first_row.expect("there are rows"), all, held }
}

/// Looks for a pattern in all payloads: how long that took, and how many messages hold it.
fn search(path: &Path, pattern: &Pattern) -> (Duration, usize) {
    let start = Instant::now();
    let (mut search, mut found) = (Search::new(pattern.clone()), Found::default());
    read(path, |record, _| search.receive(record, &mut found));
    let took = start.elapsed();
    assert_eq!(found.frames_seen(), capture::FRAMES, "every frame is looked at");
    (took, found.messages().count())
}

/// Reads a capture as the viewers do.
fn read(path: &Path, mut take: impl FnMut(&Record, u64)) {
    let mut file = File::open(path).expect("it was written");
    let mut reader = CaptureReader::new();
    let mut room = BytesMut::new();
    loop {
        // The same memory again: no record is held any longer.
        room.clear();
        if !room.try_reclaim(PIECE) {
            room = BytesMut::with_capacity(PIECE);
        }
        room.resize(PIECE, 0);
        let len = file.read(&mut room).expect("it can be read");
        if len == 0 {
            return;
        }
        reader.receive(room.split_to(len).freeze());
        while let Some(item) = reader.poll() {
            match item {
                CaptureItem::Record { record, block_offset } => take(&record, block_offset),
                CaptureItem::Fault(fault) => unreachable!("{fault}"),
            }
        }
    }
}

/// Octets of memory the process has, where the system says so in `/proc`.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
