//! The disk: killed while writing, full, not writable, the capture deleted; plain and TLS clients.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use framescope_core::capture::CaptureItem;
use framescope_core::session::Limits;
use framescope_core::{Direction, EventKind, Opcode, Session};
use framescope_proxy::follow::Follower;
use framescope_tests::peer::{PATIENCE, Peer};
use framescope_tests::wire::{NO_MASK, frame, noise, request};
use framescope_tests::{Client, Process, Proxy, Recorded, Speaks, Upstream};
use rustix::process::Resource;

const FRAMESCOPE: &str = env!("CARGO_BIN_EXE_framescope-under-test");

/// Messages that are in the capture before the process is killed.
const SEEN: usize = 100;

#[test]
fn a_proxy_killed_while_it_writes_leaves_all_that_was_in_the_capture_and_a_capture_that_opens() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let process = Process::start(FRAMESCOPE, &upstream.url("ws"), &["--quiet"]);
        // A flood keeps the recorder writing.
        let (mut floods, mut flooded) = upstream.open(Client::connect(&process, speaks), "");
        let (mut client, mut server) = upstream.open(Client::connect(&process, speaks), "");
        let mut follower = Follower::open(&process.capture_path()).unwrap();
        let mut session = Session::new(Limits::COUNT);
        let (mut sent, mut seen) = (0u32, 0);
        let folder = thread::scope(|scope| {
            let flood = scope.spawn(move || {
                let octets = frame(true, Opcode::Binary, Some(NO_MASK), &noise(1, 200_000));
                while floods.write_all(&octets).is_ok() {}
            });
            let drain = scope.spawn(move || while flooded.try_read(1 << 20) {});
            let deadline = Instant::now() + PATIENCE;
            // Records come to the file by themselves, while the flood goes on.
            while seen < SEEN {
                let words = frame(true, Opcode::Binary, Some(NO_MASK), &sent.to_be_bytes());
                client.send(&words);
                server.expect(&words);
                sent += 1;
                // A little at a time: the flood may be faster than this reads.
                follower.read_more().unwrap();
                while let Some(item) = follower.poll() {
                    match item {
                        CaptureItem::Record { record, .. } => session.receive(&record),
                        CaptureItem::Fault(fault) => panic!("a fault in the capture: {fault}"),
                    }
                }
                let events = std::iter::from_fn(|| session.poll_event());
                seen += events.filter(|event| is_numbered(&event.kind)).count();
                assert!(Instant::now() < deadline, "{seen} of {sent} messages are in the capture");
            }
            let folder = process.kill();
            flood.join().unwrap();
            drain.join().unwrap();
            folder
        });
        let recorded = Recorded::read_cut(&folder.path().join("test.pcapng"));
        let kept = recorded.messages().iter().filter(|message| message.data_len == 4).count();
        assert!(
            (seen..=sent as usize).contains(&kept),
            "{kept} of {sent} messages, {seen} were seen"
        );
        assert_eq!(recorded.gaps(), []);
    }
}

fn is_numbered(kind: &EventKind) -> bool {
    matches!(kind, EventKind::MessageCompleted(message) if message.data_len == 4)
}

#[test]
fn a_full_disk_stops_no_traffic_is_told_and_leaves_a_gap_until_there_is_room() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let process = Process::start(FRAMESCOPE, &upstream.url("ws"), &["--quiet"]);
        let (mut client, mut server) = upstream.open(Client::connect(&process, speaks), "");
        let pass = |client: &mut Client, server: &mut Peer, octets: &[u8]| {
            thread::scope(|scope| {
                scope.spawn(|| client.send(octets));
                server.expect(octets);
            });
            server.send(b"\x89\x00");
            assert_eq!(client.read(2), b"\x89\x00");
        };
        let message = frame(true, Opcode::Binary, Some(NO_MASK), &noise(2, 100_000));
        pass(&mut client, &mut server, &message);

        // The limit lies within a block.
        let before = process.limit(Resource::Fsize, Some(150_001));
        pass(&mut client, &mut server, &message);
        process.await_line("traffic goes on unrecorded");
        for _ in 0..20 {
            pass(&mut client, &mut server, &message);
        }
        assert!(fs::metadata(process.capture_path()).unwrap().len() <= 150_001);

        process.limit(Resource::Fsize, before);
        process.await_line("can be written again");
        pass(&mut client, &mut server, &message);
        // What was said meanwhile is missing; behind it the frames are found again.
        let mut talk = Vec::new();
        for number in 0..12 {
            let [question, answer] = ["question", "answer"].map(|word| format!("{word} {number}"));
            let asked = frame(true, Opcode::Text, Some(NO_MASK), question.as_bytes());
            let answered = frame(true, Opcode::Text, None, answer.as_bytes());
            client.send(&asked);
            server.expect(&asked);
            server.send(&answered);
            assert_eq!(client.read(answered.len()), answered);
            talk.push([question, answer]);
        }
        let (mut late, mut server) = upstream.open(Client::connect(&process, speaks), "");
        let words = frame(true, Opcode::Text, Some(NO_MASK), b"there is room again");
        late.send(&words);
        server.expect(&words);

        let recorded = process.stop();
        let messages = recorded.messages();
        let is_kept =
            |text: &String| messages.iter().any(|message| message.data == text.as_bytes());
        // Of each direction, the first may be needed to tell where the others begin.
        assert!(talk.iter().skip(1).flatten().all(is_kept), "{speaks:?}");
        let talked: usize = talk.iter().map(|[question, _]| question.len() + 6).sum();
        let kept: u64 =
            (recorded.lane(Direction::ClientToServer).len() - words.len() - talked) as u64;
        let heads = 2 * request("/", "127.0.0.1:00000", "").len() as u64;
        let sent = 23 * message.len() as u64;
        let lost_up: u64 = recorded
            .gaps()
            .iter()
            .filter(|(direction, _)| *direction == Direction::ClientToServer)
            .map(|(_, len)| len)
            .sum();
        assert!(lost_up >= 20 * message.len() as u64, "{lost_up} octets were not recorded");
        let told = kept + lost_up;
        assert!((sent..=sent + heads).contains(&told), "{kept} + {lost_up} of {sent}");
        let last = messages.last().unwrap();
        assert_eq!(last.data, "there is room again");
    }
}

#[test]
fn a_capture_that_cannot_be_made_is_told_in_one_line() {
    for (place, why) in [("/dev/full", "cannot be made"), ("/sys/x.pcapng", "cannot be made")] {
        let data = tempfile::tempdir().unwrap();
        let run = Command::new(FRAMESCOPE)
            .args(["proxy", "ws://127.0.0.1:1", "--listen", "127.0.0.1:0", "-w", place])
            .env("FRAMESCOPE_DATA_DIR", data.path())
            .output()
            .unwrap();
        let told = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(5), "{told}");
        assert!(told.starts_with("error: ") && told.contains(why), "{told}");
        assert!(told.contains(place), "{told}");
    }
}

#[test]
fn a_capture_deleted_under_the_recorder_is_told_and_traffic_goes_on() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        assert_eq!(proxy.engine().trouble(), None);
        fs::remove_file(proxy.capture_path()).unwrap();
        let words = frame(true, Opcode::Text, Some(NO_MASK), b"for nobody");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let written = proxy.engine().written();
            client.send(&words);
            server.expect(&words);
            proxy.engine().wait_beyond(written, Duration::from_secs(5));
            match proxy.engine().trouble() {
                Some(line) => break assert!(line.contains("was deleted"), "{line}"),
                None => {
                    assert!(Instant::now() < deadline, "nothing tells that the capture is gone");
                }
            }
        }
        server.send(b"\x8a\x00");
        assert_eq!(client.read(2), b"\x8a\x00");
    }
}
