//! Streams: one huge message, floods of tiny frames, a peer that never reads, deflate bombs.

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use flate2::{Compress, Compression, FlushCompress};
use framescope_core::frame::Rsv;
use framescope_core::session::Limits;
use framescope_core::{Direction, EventKind, FrameHeader, Opcode, PayloadLength, Session};
use framescope_tests::wire::{frame, noise};
use framescope_tests::{Client, Process, Proxy, Speaks, Upstream};

const FRAMESCOPE: &str = env!("CARGO_BIN_EXE_framescope-under-test");

/// Nothing was taken for so long: the way is full.
const STUCK: Duration = Duration::from_millis(400);

/// What the proxy may hold at the most, with a view: far less than the message.
const MOST_RESIDENT: u64 = 256 << 20;

#[test]
fn a_flood_of_tiny_frames_passes_both_ways_at_once() {
    const FRAMES: usize = 100_000;
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        let down = b"\x82\x00".repeat(FRAMES);
        let up = b"\x82\x80\0\0\0\0".repeat(FRAMES);
        let mut server_reads = server.handle();
        thread::scope(|scope| {
            scope.spawn(|| server.send(&down));
            let all = scope.spawn(|| server_reads.read(up.len()));
            // One thread for TLS: it sends and reads by turns.
            let mut seen = 0;
            for part in up.chunks(6_000) {
                client.send(part);
                let len = (down.len() - seen).min(2_000);
                assert_eq!(client.read(len), &down[seen..seen + len]);
                seen += len;
            }
            assert_eq!(seen, down.len());
            assert!(all.join().unwrap() == up, "octet for octet");
        });
        drop((client, server, server_reads));
        let recorded = proxy.stop();
        assert_eq!(recorded.frames().len(), 2 * FRAMES, "{speaks:?}");
    }
}

#[test]
fn a_peer_that_never_reads_is_felt_by_the_sender_and_costs_bounded_memory() {
    for speaks in Speaks::BOTH {
        for direction in Direction::BOTH {
            let upstream = Upstream::bind();
            let proxy = Proxy::start(&upstream.url("ws"));
            let (client, server) = upstream.open(Client::connect(&proxy, speaks), "");
            let server = Client::Plain(server.into_stream());
            let (mut sender, receiver) = match direction {
                Direction::ClientToServer => (client, server),
                Direction::ServerToClient => (server, client),
            };
            let passed = send_until_stuck(&mut sender);
            assert!(
                passed > 0 && passed < 64 << 20,
                "{speaks:?} {direction}: {passed} octets were taken"
            );
            let stats = proxy.engine().stats();
            let held = stats.octets_in - stats.octets_out.min(stats.octets_in);
            assert!(held < 1 << 20, "{held} octets are held");
            drop((sender, receiver));
        }
    }
}

/// Sends until nothing was taken for a while: how many octets were taken before.
fn send_until_stuck(sender: &mut Client) -> u64 {
    let octets = vec![7; 60_000];
    sender.tcp().set_nonblocking(true).unwrap();
    let (mut passed, mut since) = (0, Instant::now());
    while since.elapsed() < STUCK {
        match sender.write(&octets) {
            Ok(len) => (passed, since) = (passed + len as u64, Instant::now()),
            Err(full) if full.kind() == ErrorKind::WouldBlock => {
                thread::park_timeout(Duration::from_millis(5));
            }
            Err(other) => panic!("{other}"),
        }
    }
    passed
}

#[test]
fn a_deflate_bomb_passes_as_it_is_and_is_inflated_no_further_than_the_budget() {
    const BUDGET: u64 = 4 << 20;
    let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    // 32 MiB of zeros in some 32 KiB.
    let mut compress = Compress::new(Compression::fast(), false);
    let (zeros, mut bomb) = (vec![0; 1 << 20], Vec::with_capacity(1 << 20));
    for _ in 0..32 {
        compress.compress_vec(&zeros, &mut bomb, FlushCompress::None).unwrap();
    }
    compress.compress_vec(&[], &mut bomb, FlushCompress::Sync).unwrap();
    bomb.truncate(bomb.len() - 4);
    assert!(bomb.len() < 400_000);
    let mut words = frame(true, Opcode::Binary, None, &bomb);
    words[0] |= 0x40;
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), extension);
        server.send(&words);
        assert!(client.read(words.len()) == words, "octet for octet");
        drop((client, server));
        let recorded = proxy.stop();
        let mut session = Session::new(Limits { inflate_budget: BUDGET, ..Limits::KEEP });
        for record in &recorded.records {
            session.receive(record);
        }
        let message =
            std::iter::from_fn(|| session.poll_event()).find_map(|event| match event.kind {
                EventKind::MessageCompleted(message) => Some(message),
                _ => None,
            });
        let message = message.expect("a message, whatever it holds");
        assert!(message.compressed && message.fault.is_some(), "{:?}", message.fault);
        assert_eq!(message.wire_len, bomb.len() as u64);
        assert!(message.data_len <= BUDGET && message.data.len() as u64 <= BUDGET);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn one_huge_message_streams_through_at_constant_memory_with_a_view_that_follows() {
    const PART: usize = 1 << 20;
    let parts = huge_mib();
    let part = noise(3, PART);
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let process = Process::start(FRAMESCOPE, &upstream.url("ws"), &[]);
        let (mut client, mut server) = upstream.open(Client::connect(&process, speaks), "");
        let payload_len = PayloadLength::minimal(parts * PART as u64);
        let (fin, opcode, rsv) = (true, Opcode::Binary, Rsv::NONE);
        let header = FrameHeader { fin, rsv, opcode, masking_key: None, payload_len };
        let mut head = Vec::new();
        header.encode(&mut head);
        server.send(&head);
        assert_eq!(client.read(head.len()), head);
        let said = part.clone();
        let sender = thread::spawn(move || {
            (0..parts).for_each(|_| server.send(&said));
            server
        });
        let mut seen = vec![0; PART];
        for _ in 0..parts {
            client.read_exact(&mut seen).unwrap();
            assert!(seen == part, "octet for octet");
        }
        let server = sender.join().unwrap();
        let peak = process.peak();
        assert!(peak < MOST_RESIDENT, "{speaks:?}: {} MiB at the most", peak >> 20);
        drop((client, server));
        process.stop_and_keep();
    }
}

/// MiB of the huge message: `FRAMESCOPE_HUGE_MIB`, or what a debug build does in seconds.
fn huge_mib() -> u64 {
    std::env::var("FRAMESCOPE_HUGE_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(384)
}
