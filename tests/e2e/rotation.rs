//! Rotation: a capture in several files is one capture, whoever reads it and however late.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use framescope_core::capture::{CaptureFault, CaptureItem, CaptureReader, SetPlace};
use framescope_core::session::Limits;
use framescope_core::{Direction, EventKind, Index, Opcode, Record, Session};
use framescope_proxy::follow::Follower;
use framescope_proxy::set::{CaptureFile, Rotation};
use framescope_tests::peer::PATIENCE;
use framescope_tests::wire::{NO_MASK, frame, noise};
use framescope_tests::{Client, Peer, Proxy, Speaks, Upstream};

const SIZE: u64 = 8 << 10;
const ROUNDS: u32 = 60;

fn rotating(upstream: &Upstream, rotation: Rotation) -> Proxy {
    Proxy::start_with(&upstream.url("ws"), |config| config.rotation = rotation)
}

fn by_size(keep: Option<u32>) -> Rotation {
    Rotation { size: Some(SIZE), keep, ..Rotation::default() }
}

/// One message each way, each with this number, in pieces that files are cut between.
fn converse(client: &mut Client, server: &mut Peer, number: u32) {
    let payload = [&number.to_be_bytes()[..], &noise(number.into(), 600)].concat();
    let up = frame(true, Opcode::Binary, Some(NO_MASK), &payload);
    for piece in up.chunks(250) {
        client.send(piece);
        server.expect(piece);
    }
    let down = frame(true, Opcode::Binary, None, &payload);
    server.send(&down);
    assert_eq!(client.read(down.len()), down);
}

/// The files of the folder that are called `test-NNNN.pcapng`, in order.
fn files(proxy_folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(proxy_folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "pcapng")).collect();
    files.sort();
    files
}

fn items_of(mut follower: Follower) -> Vec<CaptureItem> {
    let mut items = Vec::new();
    while follower.read_more().unwrap() {
        items.extend(std::iter::from_fn(|| follower.poll()));
    }
    follower.finish();
    items.extend(std::iter::from_fn(|| follower.poll()));
    items
}

fn records(items: Vec<CaptureItem>) -> Vec<Record> {
    let record = |item| match item {
        CaptureItem::Record { record, .. } => record,
        CaptureItem::Fault(fault) => panic!("{fault}"),
    };
    items.into_iter().map(record).collect()
}

/// The numbers of the messages of one direction.
fn numbers(records: &[Record], direction: Direction) -> Vec<u32> {
    let mut session = Session::new(Limits::KEEP);
    for record in records {
        session.receive(record);
    }
    std::iter::from_fn(|| session.poll_event())
        .filter_map(|event| match event.kind {
            EventKind::MessageCompleted(message) if message.direction == direction => {
                Some(u32::from_be_bytes(*message.data.first_chunk().unwrap()))
            }
            _ => None,
        })
        .collect()
}

/// The codes of findings, and why lanes could not be followed.
fn against_the_peers(records: &[Record]) -> Vec<String> {
    let mut session = Session::new(Limits::COUNT);
    for record in records {
        session.receive(record);
    }
    let told = std::iter::from_fn(|| session.poll_event()).filter_map(|event| match event.kind {
        EventKind::DiagnosticRaised(finding) => Some(finding.rule.code.to_owned()),
        EventKind::LaneLost { reason, .. } => Some(reason),
        _ => None,
    });
    told.collect()
}

/// Reads every message of a capture back by its place.
fn read_back(path: &Path) {
    let mut index = Index::new();
    for item in items_of(Follower::open(path).unwrap()) {
        if let CaptureItem::Record { record, block_offset } = item {
            index.receive(&record, block_offset);
        }
    }
    let mut capture = CaptureFile::open(path).unwrap();
    for row in 0..index.messages().len() {
        let plan = index.message_plan(row).unwrap();
        let content = plan.read_message(&mut capture, 1 << 20).unwrap();
        let number = u32::from_be_bytes(*content.data.first_chunk().unwrap());
        assert_eq!(content.data[4..], noise(number.into(), 600));
    }
}

#[test]
fn a_set_is_one_capture_to_who_follows_it_to_who_opens_it_and_to_who_jumps_about_in_it() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = rotating(&upstream, by_size(None));
        let folder = proxy.data_dir().parent().unwrap().to_owned();
        let first = folder.join("test-0001.pcapng");
        assert_eq!(proxy.engine().capture_path(), first);
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        let (mut idle, mut idle_server) = upstream.open(Client::connect(&proxy, speaks), "");
        let mut live = Follower::open(&first).unwrap();
        let mut followed = Vec::new();
        for number in 0..ROUNDS {
            converse(&mut client, &mut server, number);
            proxy.engine().wait_beyond(live.offset(), Duration::from_secs(5));
            while live.read_more().unwrap() {
                followed.extend(std::iter::from_fn(|| live.poll()));
            }
        }
        // A connection that was silent for many files speaks again.
        converse(&mut idle, &mut idle_server, ROUNDS);
        drop((client, server, idle, idle_server));
        proxy.await_served(2);
        let folder = proxy.stop_engine();
        while live.read_more().unwrap() {
            followed.extend(std::iter::from_fn(|| live.poll()));
        }
        let files = files(folder.path());
        assert!(files.len() > 4, "{files:?}");

        let opened = items_of(Follower::open(&first).unwrap());
        assert_eq!(followed, opened, "live as afterwards");
        let octets: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
        assert_eq!(live.offset(), octets.len() as u64);
        assert_eq!(CaptureFile::open(&first).unwrap().len().unwrap(), octets.len() as u64);
        let mut reader = CaptureReader::new();
        reader.receive(Bytes::from(octets));
        reader.finish();
        assert_eq!(std::iter::from_fn(|| reader.poll()).collect::<Vec<_>>(), opened);

        let told = records(opened.clone());
        let opens = told.iter().filter(|record| matches!(record, Record::Opened { .. })).count();
        assert_eq!(opens, 2, "each connection once");
        assert!(!told.iter().any(|record| matches!(record, Record::Gap { .. })));
        for direction in Direction::BOTH {
            let expected: Vec<u32> = (0..=ROUNDS).collect();
            assert_eq!(numbers(&told, direction), expected, "{speaks:?}");
        }

        // Payloads are read back by their place, from any file of the set.
        read_back(&first);

        // Each is a capture of its own, whose frames are followed from the first that begins in it.
        let mut offset = 0;
        let mut understood = [0; 2];
        let known = against_the_peers(&told);
        for (number, file) in (1..).zip(&files) {
            let octets = fs::read(file).unwrap();
            let place = SetPlace::read(&octets).unwrap();
            assert_eq!((place.file, place.offset), (number, offset));
            offset += octets.len() as u64;
            let mut reader = CaptureReader::new();
            reader.receive(Bytes::from(octets));
            reader.finish();
            let alone = records(std::iter::from_fn(|| reader.poll()).collect());
            assert!(matches!(alone.first(), Some(Record::Opened { .. })), "{file:?}");
            let against = against_the_peers(&alone);
            assert!(against.iter().all(|line| known.contains(line)), "{file:?}: {against:?}");
            for direction in Direction::BOTH {
                let numbers = numbers(&alone, direction);
                assert!(numbers.is_sorted(), "{file:?}");
                understood[direction.index()] += numbers.len();
            }
            read_back(file);
            if number > 1 {
                assert_eq!(records(items_of(Follower::open(file).unwrap())), alone);
            }
        }
        // Of each connection and direction, a file may begin within one message.
        let most = ROUNDS as usize + 1;
        for understood in understood {
            assert!((most - 2 * files.len()..=most).contains(&understood), "{understood}");
        }
    }
}

#[test]
fn so_many_files_are_kept_and_who_lags_behind_is_told_what_is_gone() {
    let upstream = Upstream::bind();
    let proxy = rotating(&upstream, by_size(Some(2)));
    let first = proxy.engine().capture_path().to_owned();
    let (mut client, mut server) = upstream.open(Client::connect(&proxy, Speaks::Plain), "");
    let mut lags = Follower::open(&first).unwrap();
    for number in 0..ROUNDS {
        // However slow the recorder's thread comes to its turn: no batch may hold all of them.
        let written = proxy.engine().written();
        converse(&mut client, &mut server, number);
        assert!(proxy.engine().wait_beyond(written, PATIENCE) > written);
    }
    // What comes now is a connection of its own, in the files that stay.
    drop((client, server));
    let (mut client, mut server) = upstream.open(Client::connect(&proxy, Speaks::Plain), "");
    converse(&mut client, &mut server, ROUNDS);
    drop((client, server));
    proxy.await_served(2);
    let mut seen = Vec::new();
    while lags.offset() < proxy.engine().written() {
        assert!(lags.read_more().unwrap());
        seen.extend(std::iter::from_fn(|| lags.poll()));
    }
    assert_eq!(lags.offset(), proxy.engine().written());
    let skipped: u64 = seen
        .iter()
        .filter_map(|item| match item {
            CaptureItem::Fault(CaptureFault::Skipped { len, .. }) => Some(*len),
            CaptureItem::Fault(fault) => panic!("{fault}"),
            CaptureItem::Record { .. } => None,
        })
        .sum();
    assert!(skipped > 3 * SIZE, "{skipped} octets were gone");
    // Who comes late begins with what is there; the first file's name still finds it.
    assert!(!first.exists());
    let folder = proxy.stop_engine();
    let late = Follower::open(&first).unwrap();
    assert!(late.offset() > 3 * SIZE);
    let told = records(items_of(late));
    assert_eq!(numbers(&told, Direction::ClientToServer).last(), Some(&ROUNDS));
    read_back(&first);
    assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn a_file_that_is_old_enough_is_followed_by_another_and_a_silent_one_is_not() {
    let upstream = Upstream::bind();
    let every = Some(Duration::from_millis(200));
    let proxy = rotating(&upstream, Rotation { every, ..Rotation::default() });
    let folder = proxy.data_dir().parent().unwrap().to_owned();
    let second = folder.join("test-0002.pcapng");
    let (mut client, mut server) = upstream.open(Client::connect(&proxy, Speaks::Plain), "");
    converse(&mut client, &mut server, 1);
    let mut written = proxy.engine().written();
    while !second.exists() {
        written = proxy.engine().wait_beyond(written, Duration::from_secs(5));
    }
    // Nothing is said: once all is written, no file follows any more.
    let silent = (0..20).any(|_| {
        let (written, count) = (proxy.engine().written(), files(&folder).len());
        let then = proxy.engine().wait_beyond(written, Duration::from_millis(600));
        (then, files(&folder).len()) == (written, count)
    });
    assert!(silent, "{} files, and nothing was said", files(&folder).len());
    converse(&mut client, &mut server, 2);
    drop((client, server));
    proxy.await_served(1);
    let folder = proxy.stop_engine();
    let told = records(items_of(Follower::open(&folder.path().join("test.pcapng")).unwrap()));
    assert_eq!(numbers(&told, Direction::ServerToClient), [1, 2]);
}

#[test]
fn a_next_file_that_cannot_be_made_leaves_the_one_at_hand_going_on() {
    let upstream = Upstream::bind();
    let proxy = rotating(&upstream, by_size(None));
    let folder = proxy.data_dir().parent().unwrap().to_owned();
    fs::write(folder.join("test-0002.pcapng"), b"somebody else's").unwrap();
    let (mut client, mut server) = upstream.open(Client::connect(&proxy, Speaks::Plain), "");
    (0..ROUNDS).for_each(|number| converse(&mut client, &mut server, number));
    drop((client, server));
    proxy.await_served(1);
    let folder = proxy.stop_engine();
    assert_eq!(fs::read(folder.path().join("test-0002.pcapng")).unwrap(), b"somebody else's");
    let told = records(items_of(Follower::open(&folder.path().join("test-0001.pcapng")).unwrap()));
    assert_eq!(numbers(&told, Direction::ClientToServer).len(), ROUNDS as usize);
}

#[test]
fn files_of_another_set_are_never_taken_for_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    for (id, file) in [(1, 1), (2, 2)] {
        let mut octets = Vec::new();
        SetPlace { id, file, offset: 0 }.write_section_header(&mut octets);
        fs::write(folder.path().join(format!("a-000{file}.pcapng")), octets).unwrap();
    }
    let len = |file| fs::metadata(folder.path().join(file)).unwrap().len();
    for file in ["a-0001.pcapng", "a-0002.pcapng"] {
        let capture = CaptureFile::open(&folder.path().join(file)).unwrap();
        assert_eq!(capture.len().unwrap(), len(file));
    }
}

#[test]
fn the_command_line_writes_a_set_and_shows_it_as_one() {
    const FRAMESCOPE: &str = env!("CARGO_BIN_EXE_framescope-under-test");
    let upstream = Upstream::bind();
    let arguments = ["--quiet", "--rotate-size", "8K", "--rotate-every", "1h", "--keep", "500"];
    let process = framescope_tests::Process::start(FRAMESCOPE, &upstream.url("ws"), &arguments);
    let (mut client, mut server) = upstream.open(Client::connect(&process, Speaks::Plain), "");
    (0..ROUNDS).for_each(|number| converse(&mut client, &mut server, number));
    drop((client, server));
    let folder = process.stop_and_keep();
    for name in ["test-0001.pcapng", "test.pcapng"] {
        let shown = Command::new(FRAMESCOPE)
            .args(["show", "--json"])
            .arg(folder.path().join(name))
            .output()
            .unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        let told = String::from_utf8(shown.stderr).unwrap();
        assert!(told.contains(&format!("{} messages", 2 * ROUNDS)), "{told}");
    }
}
