//! Open files: when there are no more, accepting pauses, and goes on when there are some again.

use framescope_tests::wire::{request, response};
use framescope_tests::{Peer, Process, Upstream};
use rustix::process::Resource;

const FRAMESCOPE: &str = env!("CARGO_BIN_EXE_framescope-under-test");

/// More clients than the process may have files.
const CLIENTS: usize = 60;

#[test]
fn out_of_open_files_accepting_pauses_and_goes_on_when_others_end() {
    let upstream = Upstream::bind();
    let process = Process::start(FRAMESCOPE, &upstream.url("ws"), &["--quiet"]);
    let ask = |client: &mut Peer| client.send(request("/", "h", "").as_bytes());
    let answer = |client: &mut Peer| {
        let mut server = upstream.accept();
        server.read_head();
        server.send(response("").as_bytes());
        client.expect(response("").as_bytes());
        server
    };
    let mut first = process.connect();
    ask(&mut first);
    let mut first_server = answer(&mut first);

    process.limit(Resource::Nofile, Some(40));
    let ticks = process.cpu_ticks();
    let mut clients: Vec<Peer> = (0..CLIENTS).map(|_| process.connect()).collect();
    process.await_line("no connection can be accepted");
    // What is open goes on as if nothing were.
    for _ in 0..100 {
        first.send(b"\x89\x80\0\0\0\0");
        first_server.expect(b"\x89\x80\0\0\0\0");
    }
    // Who was accepted and finds no way to the upstream is told why.
    let mut accepted = clients.remove(0);
    ask(&mut accepted);
    let refusal = accepted.read_head();
    assert!(refusal.starts_with("HTTP/1.1 502 "), "{refusal}");
    let (body, _) = accepted.read_to_end();
    assert!(String::from_utf8_lossy(&body).contains("open files"), "it says why");

    // Who waits is served once the others have gone.
    let mut last = clients.pop().unwrap();
    ask(&mut last);
    drop((accepted, clients));
    let server = answer(&mut last);
    // Ten tries a second are no busy loop.
    let spent = process.cpu_ticks() - ticks;
    assert!(spent < 100, "{spent} hundredths of a second of CPU time");
    drop((first, first_server, last, server));
    let recorded = process.stop();
    let handshakes = recorded.handshakes();
    let statuses: Vec<_> = handshakes.iter().map(|done| done.response.status()).collect();
    assert_eq!(statuses, [Some(101), Some(502), Some(101)]);
    assert_eq!(recorded.failures()[0].stage, "dial");
}
