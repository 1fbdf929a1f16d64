//! Fidelity: hostile streams both ways at once, many connections at a time; what goes in comes out and is
//! in the capture, octet for octet, and each connection ends as its peers ended it.

mod peers;
mod recorded;

use std::time::{Duration, Instant};

use framescope_tests::{Proxy, Speaks};
use tokio::runtime::Builder;

use peers::Peers;
use recorded::Tally;

/// Two streams a connection, one each way. What a debug build does in seconds.
const STREAMS: u64 = 2_400;
/// Connections that go through one proxy and into one capture.
const BATCH: u64 = 4_000;

#[test]
fn hostile_streams_both_ways_come_out_as_they_went_in_and_are_recorded_as_such() {
    let first = setting("FRAMESCOPE_SEED").unwrap_or(0);
    let connections = setting("FRAMESCOPE_STREAMS").unwrap_or(STREAMS).div_ceil(2);
    let last = first + connections;
    let began = Instant::now();
    let mut all = Tally::default();
    for (number, begin) in (first..last).step_by(usize::try_from(BATCH).unwrap()).enumerate() {
        let end = last.min(begin + BATCH);
        // A tenth over TLS, whose handshakes cost more than the octets do.
        let tls = begin + (end - begin) / 10;
        all.add(&pass(begin..tls, Speaks::Tls));
        all.add(&pass(tls..end, Speaks::Plain));
        if number % 10 == 0 && end < last {
            eprintln!("{} s: {all}", began.elapsed().as_secs());
        }
    }
    assert_eq!(all.connections, connections);
    eprintln!("{} s: {all}", began.elapsed().as_secs());
}

/// Lets these conversations happen, and compares what was recorded with what was said.
fn pass(seeds: std::ops::Range<u64>, speaks: Speaks) -> Tally {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let peers = runtime.block_on(Peers::listen());
    let proxy = Proxy::start_with(&peers.url(), |config| {
        config.preserve_host = true;
        // However long a loaded machine takes.
        config.head_timeout = Duration::from_hours(1);
    });
    runtime.block_on(peers.converse(&proxy, speaks, seeds.clone()));
    proxy.await_served(seeds.end - seeds.start);
    runtime.block_on(peers.finish());
    let stats = proxy.engine().stats();
    assert_eq!(stats.gap_octets, 0);
    let capture = proxy.capture_path().to_owned();
    let folder = proxy.stop_engine();
    let tally = recorded::compare(&capture, seeds, speaks);
    drop(folder);
    tally
}

/// A number that a heavier run sets: how many streams, and the seed of the first connection.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}
