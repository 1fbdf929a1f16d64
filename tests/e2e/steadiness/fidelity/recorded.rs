//! What was recorded of conversations, held against what was said.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use framescope_core::capture::{CaptureItem, CaptureReader};
use framescope_core::session::Limits;
use framescope_core::{ConnectionId, Direction, EventKind, Finish, Leg, Record, Session};
use framescope_tests::Speaks;
use framescope_tests::hostile::{Ending, Hostile};

/// How much was compared.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections.
    pub connections: u64,
    octets: u64,
    frames: u64,
    findings: u64,
    /// Connections whose client vanished before its head was read.
    unheard: u64,
}

#[derive(Default)]
struct Lanes {
    /// By [`Direction::index`].
    octets: [Vec<u8>; 2],
    endings: Vec<(Direction, Finish)>,
}

/// Reads the capture: each of these conversations is there once, whole and as it ended.
pub fn compare(capture: &Path, seeds: Range<u64>, speaks: Speaks) -> Tally {
    let (connections, mut tally) = read(capture);
    let mut seen = vec![false; usize::try_from(seeds.end - seeds.start).unwrap()];
    for lanes in connections.values() {
        tally.connections += 1;
        tally.octets += lanes.octets.iter().map(|lane| lane.len() as u64).sum::<u64>();
        let Some(said) = Hostile::of_client_lane(&lanes.octets[0]) else {
            tally.unheard += 1;
            continue;
        };
        assert!(seeds.contains(&said.seed), "the seed {} was not among them", said.seed);
        let place = usize::try_from(said.seed - seeds.start).unwrap();
        assert!(!std::mem::replace(&mut seen[place], true), "{} is there twice", said.seed);
        for direction in Direction::BOTH {
            let (recorded, said_all) = (&lanes.octets[direction.index()], said.lane(direction));
            let alike = if said.ending.loses() {
                said_all.starts_with(recorded)
            } else {
                said_all == recorded
            };
            let case = format!("{}, {:?}, {speaks:?}, {direction}", said.seed, said.ending);
            assert!(alike, "{case}: {} of {} octets", recorded.len(), said_all.len());
        }
        let first = lanes.endings.first().copied();
        let expected = match said.ending {
            Ending::ClientResets | Ending::ClientVanishes => {
                (Direction::ClientToServer, Finish::Reset)
            }
            Ending::ServerResets | Ending::ServerVanishes => {
                (Direction::ServerToClient, Finish::Reset)
            }
            Ending::ClientFirst => (Direction::ClientToServer, Finish::Fin),
            Ending::ServerFirst => (Direction::ServerToClient, Finish::Fin),
            // Whoever is the first.
            Ending::Together => {
                (first.map_or(Direction::ClientToServer, |(first, _)| first), Finish::Fin)
            }
        };
        assert_eq!(first, Some(expected), "{}, {:?}, {speaks:?}", said.seed, said.ending);
    }
    let missing = seeds.zip(&seen).filter(|(_, seen)| !**seen).map(|(seed, _)| seed);
    let mut unheard = 0;
    for seed in missing {
        // RST overtook its head, or the end of its TLS handshake.
        assert_eq!(Hostile::from_seed(seed).ending, Ending::ClientVanishes, "{seed} is not there");
        unheard += 1;
    }
    assert_eq!(unheard, tally.unheard);
    tally
}

fn read(capture: &Path) -> (HashMap<ConnectionId, Lanes>, Tally) {
    let mut file = File::open(capture).unwrap();
    let (mut reader, mut session) = (CaptureReader::new(), Session::new(Limits::COUNT));
    let (mut connections, mut tally) = (HashMap::<_, Lanes>::new(), Tally::default());
    let mut part = vec![0; 1 << 20];
    loop {
        let len = file.read(&mut part).unwrap();
        if len == 0 {
            reader.finish();
        } else {
            reader.receive(Bytes::copy_from_slice(&part[..len]));
        }
        while let Some(item) = reader.poll() {
            let record = match item {
                CaptureItem::Record { record, .. } => record,
                CaptureItem::Fault(fault) => panic!("a fault in the capture: {fault}"),
            };
            session.receive_into(&record, &mut |event| match event.kind {
                EventKind::FrameDecoded(_) => tally.frames += 1,
                EventKind::DiagnosticRaised(_) => tally.findings += 1,
                _ => {}
            });
            let lanes = connections.entry(record.connection()).or_default();
            match record {
                Record::Octets { leg: Leg::Client, direction, octets, .. } => {
                    lanes.octets[direction.index()].extend_from_slice(&octets);
                }
                Record::Finished { leg: Leg::Client, direction, how, .. } => {
                    lanes.endings.push((direction, how));
                }
                Record::Gap { .. } => panic!("{record:?}"),
                _ => {}
            }
        }
        if len == 0 {
            return (connections, tally);
        }
    }
}

impl Tally {
    /// Counts these too.
    pub fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.octets += other.octets;
        self.frames += other.frames;
        self.findings += other.findings;
        self.unheard += other.unheard;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, octets, frames, findings, unheard } = self;
        let streams = 2 * connections;
        write!(
            f,
            "{streams} streams on {connections} connections, {octets} octets, {frames} frames, \
             {findings} findings, {unheard} clients gone before they were heard"
        )
    }
}
