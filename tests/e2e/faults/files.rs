//! Open files: when there are no more, accepting pauses, and goes on when there are some again.

use std::net::TcpStream;

use framescope_tests::wire::response;
use framescope_tests::{Client, Place, Process, Speaks, Upstream};
use rustix::process::Resource;

const FRAMESCOPE: &str = env!("CARGO_BIN_EXE_framescope-under-test");

/// More clients than the process may have files.
const CLIENTS: usize = 60;

#[test]
fn out_of_open_files_accepting_pauses_and_goes_on_when_others_end() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let process = Process::start(FRAMESCOPE, &upstream.url("ws"), &["--quiet"]);
        let speak = |stream: TcpStream| Client::over(stream, &process, speaks);
        let connect = || TcpStream::connect(Place::addr(&process)).unwrap();
        let answer = |client: &mut Client| {
            let mut server = upstream.accept();
            server.read_head();
            server.send(response("").as_bytes());
            client.expect_answer();
            server
        };
        let mut first = speak(connect());
        first.ask();
        let mut first_server = answer(&mut first);

        process.limit(Resource::Nofile, Some(40));
        let ticks = process.cpu_ticks();
        let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect()).collect();
        process.await_line("no connection can be accepted");
        // What is open goes on as if nothing were.
        for _ in 0..100 {
            first.send(b"\x89\x80\0\0\0\0");
            first_server.expect(b"\x89\x80\0\0\0\0");
        }
        // Who was accepted and finds no way to the upstream is told why.
        let mut accepted = speak(clients.remove(0));
        accepted.ask();
        let (refusal, _) = accepted.read_until_end();
        let refusal = String::from_utf8_lossy(&refusal);
        assert!(refusal.starts_with("HTTP/1.1 502 "), "{refusal}");
        assert!(refusal.contains("open files"), "it says why: {refusal}");

        // Who waits is served once the others have gone.
        let last = clients.pop().unwrap();
        drop((accepted, clients));
        let mut last = speak(last);
        last.ask();
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
}
