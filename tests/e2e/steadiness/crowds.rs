//! Crowds: thousands of idle connections.

use framescope_tests::process::raise_open_files;
use framescope_tests::{Client, Process, Speaks, Upstream};

const FRAMESCOPE: &str = env!("CARGO_BIN_EXE_framescope-under-test");

/// More than this for each idle connection would be a buffer that waits for nothing.
const MOST_RESIDENT_EACH: u64 = 48 << 10;

#[test]
fn two_thousand_idle_connections_cost_little_and_each_still_speaks() {
    raise_open_files();
    for (speaks, count) in [(Speaks::Plain, crowd(1600)), (Speaks::Tls, crowd(400))] {
        let upstream = Upstream::bind();
        let process = Process::start(FRAMESCOPE, &upstream.url("ws"), &["--quiet"]);
        let mut pairs = Vec::new();
        let mut open = || {
            let (client, server) = upstream.open(Client::connect(&process, speaks), "");
            pairs.push((client, server));
        };
        // What the first ones bring with them is there once.
        (0..50).for_each(|_| open());
        let before = process.resident();
        (50..count).for_each(|_| open());
        let each = process.resident().saturating_sub(before) / (count - 50);
        assert!(each < MOST_RESIDENT_EACH, "{speaks:?}: {each} octets for each idle connection");
        for (client, server) in &mut pairs {
            server.send(b"\x89\x00");
            assert_eq!(client.read(2), b"\x89\x00");
        }
        drop(pairs);
        let recorded = process.stop();
        assert_eq!(recorded.handshakes().len() as u64, count);
        assert_eq!(recorded.frames().len() as u64, count);
    }
}

/// How many, times `FRAMESCOPE_CROWD`.
fn crowd(count: u64) -> u64 {
    let times = std::env::var("FRAMESCOPE_CROWD").ok().and_then(|times| times.parse().ok());
    count * times.unwrap_or(1)
}
