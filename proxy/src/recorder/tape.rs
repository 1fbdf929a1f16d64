//! A tape: what one connection says, as blocks of the capture.

use std::sync::Arc;
use std::task::{Context, Poll};

use framescope_core::capture::StreamEncoder;
use framescope_core::connection::{Alteration, Failure};
use framescope_core::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, Finish, Leg, Timestamp,
};

use super::Queue;

/// Records one connection. Dropping it ends what is open.
#[derive(Debug)]
pub struct Tape {
    queue: Arc<Queue>,
    encoder: StreamEncoder,
    lanes: [[Lane; 2]; 2],
    /// The file of the capture that holds the newest of this connection.
    file: u32,
    /// Whether the capture says how this connection came to its end.
    explained: bool,
}

/// One direction on one leg.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    /// Octets that passed unrecorded since the last that were recorded.
    missed: u64,
    finished: bool,
}

impl Tape {
    /// Begins a connection that was accepted `at`.
    pub fn open(
        queue: &Arc<Queue>,
        id: ConnectionId,
        at: Timestamp,
        info: &ConnectionInfo,
    ) -> Self {
        let (mut encoder, file) =
            queue.append(|_, file, out| (StreamEncoder::open(id, at, info, out), file));
        if queue.goes_on_elsewhere {
            encoder.remember(at, info);
        }
        let queue = Arc::clone(queue);
        Self { queue, encoder, lanes: Default::default(), file, explained: false }
    }

    /// Appends what `encode` says; where that will be in another file than what was said before, it
    /// begins with what a reader of that file must know.
    fn append(&mut self, encode: impl FnOnce(Timestamp, &mut StreamEncoder, &mut Vec<u8>)) {
        let Self { queue, encoder, file: newest, .. } = self;
        queue.append(|at, file, out| {
            if *newest != file {
                *newest = file;
                encoder.resume(at, out);
            }
            encode(at, encoder, out);
        });
    }

    /// Ready when octets may be read: see [`Queue::poll_room`].
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.queue.poll_room(cx)
    }

    /// Records octets, or counts them where there is no room.
    pub fn octets(&mut self, leg: Leg, direction: Direction, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let lane = &mut self.lanes[leg as usize][direction.index()];
        if !self.queue.takes_octets(lane.missed > 0) {
            lane.missed = lane.missed.saturating_add(octets.len() as u64);
            self.queue.count_gap(octets.len() as u64);
            return;
        }
        let missed = std::mem::take(&mut lane.missed);
        self.append(|at, encoder, out| {
            if missed > 0 {
                encoder.gap(at, leg, direction, missed, out);
            }
            encoder.octets(at, leg, direction, octets, out);
        });
    }

    /// Records what became known.
    pub fn note(&mut self, note: &ConnectionNote) {
        self.append(|at, encoder, out| encoder.note(at, note, out));
    }

    /// Records that the proxy could not do its work.
    pub fn fail(&mut self, stage: &str, leg: Option<Leg>, message: impl Into<String>) {
        self.explained = true;
        let at = Some(self.queue.clock.now());
        let failure = Failure { stage: stage.into(), message: message.into(), leg, at };
        self.note(&ConnectionNote { failure: Some(failure), ..ConnectionNote::default() });
    }

    /// Records what was changed on the way.
    pub fn alter(&mut self, alterations: Vec<Alteration>) {
        if !alterations.is_empty() {
            self.note(&ConnectionNote { alterations, ..ConnectionNote::default() });
        }
    }

    /// Records that a direction ended; the second time says nothing. A reset ends both, even where its
    /// sender had ended before.
    pub fn finish(&mut self, leg: Leg, direction: Direction, how: Finish) {
        let lanes = &mut self.lanes[leg as usize];
        let other_goes_on = !lanes[(!direction).index()].finished;
        if lanes[direction.index()].finished && !(how == Finish::Reset && other_goes_on) {
            return;
        }
        lanes[direction.index()].finished = true;
        self.explained = true;
        if how == Finish::Reset {
            lanes[(!direction).index()].finished = true;
        }
        let missed = [0, 1].map(|lane: usize| lanes[lane].missed);
        self.append(|at, encoder, out| {
            for ended in Direction::BOTH {
                let missed = missed[ended.index()];
                if missed > 0 && (ended == direction || how == Finish::Reset) {
                    encoder.gap(at, leg, ended, missed, out);
                }
            }
            encoder.finish(at, leg, direction, how, out);
        });
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail("relay", None, "Framescope failed on this connection; please report it");
        } else if !self.explained {
            self.fail("relay", None, "Framescope was stopped while this connection was open");
        }
        // Where nobody has ended, it was the proxy that closed, as a server does.
        for direction in [Direction::ServerToClient, Direction::ClientToServer] {
            self.finish(Leg::Client, direction, Finish::Fin);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use framescope_core::Record;
    use framescope_core::capture::CaptureItem;

    use super::super::testing::{Recording, Valve, info, records};
    use super::super::{Live, OutFile, Recorder};
    use super::*;
    use crate::engine::WhenSlow;
    use crate::follow::Follower;

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    fn recording() -> Recording {
        Recording::start(WhenSlow::Block)
    }

    #[test]
    fn what_is_recorded_is_read_back_in_order() {
        let recording = recording();
        let mut tape = recording.tape(7);
        tape.octets(Leg::Client, UP, b"ping");
        tape.octets(Leg::Client, UP, b"");
        tape.octets(Leg::Client, DOWN, b"pong");
        tape.fail("dial", Some(Leg::Upstream), "no way");
        tape.finish(Leg::Client, DOWN, Finish::Fin);
        tape.finish(Leg::Client, DOWN, Finish::Fin);
        drop(tape);
        let records = recording.finish();
        let told: Vec<String> = records.iter().map(tell).collect();
        assert_eq!(told, ["open 7", "↑ ping", "↓ pong", "no way", "↓ Fin", "↑ Fin"]);
        assert!(records.windows(2).all(|pair| pair[0].at() <= pair[1].at()));
    }

    #[test]
    fn a_reset_ends_both_directions_even_after_a_fin() {
        for first in [None, Some((DOWN, "↓ Fin")), Some((UP, "↑ Fin"))] {
            let recording = recording();
            let mut tape = recording.tape(1);
            if let Some((direction, _)) = first {
                tape.finish(Leg::Client, direction, Finish::Fin);
            }
            tape.finish(Leg::Client, DOWN, Finish::Reset);
            tape.finish(Leg::Client, UP, Finish::Fin);
            drop(tape);
            let told: Vec<String> = recording.finish().iter().map(tell).collect();
            let expected = ["open 1"].into_iter().chain(first.map(|f| f.1)).chain(["↓ Reset"]);
            assert_eq!(told, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_connection_cut_by_the_proxy_says_so() {
        let recording = recording();
        drop(recording.tape(1));
        let told: Vec<String> = recording.finish().iter().map(tell).collect();
        let stopped = "Framescope was stopped while this connection was open";
        assert_eq!(told, ["open 1", stopped, "↓ Fin", "↑ Fin"]);
    }

    #[test]
    fn what_passes_while_there_is_no_room_is_one_gap() {
        let valve = Valve::closed();
        let recording = Recording::with(valve.clone(), WhenSlow::Gap, 1000);
        let mut tape = recording.tape(1);
        // 40 octets at a time, until the queue refuses.
        let mut kept = 0;
        while recording.queue().gap_octets() == 0 {
            tape.octets(Leg::Client, UP, &[b'x'; 40]);
            kept += 40;
        }
        kept -= 40;
        tape.octets(Leg::Client, UP, &[b'y'; 60]);
        assert_eq!(recording.queue().gap_octets(), 100);
        valve.open();
        recording.await_written();
        tape.octets(Leg::Client, UP, b"again");
        drop(tape);
        let records = recording.finish();
        let before: usize = records.iter().map(octets_in).sum::<usize>() - b"again".len();
        assert_eq!(before, kept);
        let told: Vec<String> = records.iter().map(tell).collect();
        let gap = told.iter().position(|line| line == "↑ gap 100").expect("a gap");
        assert_eq!(told[gap + 1], "↑ again");
    }

    #[test]
    fn a_gap_at_the_end_is_recorded_with_the_end() {
        let valve = Valve::closed();
        let recording = Recording::with(valve.clone(), WhenSlow::Gap, 1);
        let mut tape = recording.tape(1);
        tape.octets(Leg::Client, DOWN, b"lost");
        tape.finish(Leg::Client, UP, Finish::Reset);
        valve.open();
        drop(tape);
        let told: Vec<String> = recording.finish().iter().map(tell).collect();
        assert_eq!(told, ["open 1", "↓ gap 4", "↑ Reset"]);
    }

    #[test]
    fn a_disk_that_is_full_or_turns_read_only_stops_no_traffic_and_spoils_no_block() {
        use std::io::ErrorKind::{ReadOnlyFilesystem, StorageFull};
        for why in [StorageFull, ReadOnlyFilesystem] {
            refuses_for_a_while(why);
        }
    }

    fn refuses_for_a_while(why: std::io::ErrorKind) {
        let valve = Valve::refusing(why);
        let recording = Recording::with(valve.clone(), WhenSlow::Block, 1 << 20);
        let mut tape = recording.tape(1);
        tape.octets(Leg::Client, UP, b"before");
        valve.await_refusal();
        while recording.queue().trouble().is_none() {
            std::thread::yield_now();
        }
        let told = recording.queue().trouble().expect("while it refuses");
        let why = std::io::Error::from(why).to_string();
        assert!(told.contains("cannot be written") && told.contains(&why), "{told}");
        tape.octets(Leg::Client, UP, b"meanwhile");
        valve.open();
        recording.await_written();
        while recording.queue().trouble().is_some() {
            std::thread::yield_now();
        }
        tape.octets(Leg::Client, UP, b"after");
        tape.finish(Leg::Client, UP, Finish::Reset);
        drop(tape);
        let told: Vec<String> = recording.finish().iter().map(tell).collect();
        assert_eq!(told, ["open 1", "↑ before", "↑ gap 9", "↑ after", "↑ Reset"]);
    }

    #[test]
    fn records_after_the_end_of_the_recorder_vanish() {
        let valve = Valve::open_at_once();
        let recording = Recording::with(valve.clone(), WhenSlow::Block, 1000);
        let mut tape = recording.tape(1);
        let told: Vec<String> = recording.finish().iter().map(tell).collect();
        assert_eq!(told, ["open 1"]);
        tape.octets(Leg::Client, UP, &[0; 5000]);
        drop(tape);
        assert_eq!(records(&valve.written()).len(), 1);
    }

    #[test]
    fn many_records_are_written_with_one_call() {
        let valve = Valve::closed();
        let recording = Recording::with(valve.clone(), WhenSlow::Block, 1 << 20);
        let mut tape = recording.tape(1);
        valve.await_call();
        for _ in 0..1000 {
            tape.octets(Leg::Client, UP, b"x");
        }
        valve.open();
        recording.await_written();
        assert_eq!(valve.calls(), 3, "the header, the opening, and all the rest");
        tape.finish(Leg::Client, UP, Finish::Reset);
    }

    #[test]
    fn a_follower_waits_until_the_file_has_grown() {
        let recording = recording();
        let start = recording.queue().written();
        assert_eq!(recording.queue().wait_beyond(start, Duration::from_millis(1)), start);
        let tape = recording.tape(1);
        let grown = recording.queue().wait_beyond(start, Duration::from_secs(20));
        assert!(grown > start);
        drop(tape);
    }

    #[test]
    fn who_follows_here_has_the_same_from_memory_and_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let out = OutFile::new(std::fs::File::create_new(&path).unwrap());
        let clock = crate::clock::Clock::start();
        let recorder = Recorder::start(out, clock, WhenSlow::Block).unwrap();
        let mut keeps_up = Follower::new(Live::open(recorder.queue(), &path).unwrap());
        let lags = Live::open(recorder.queue(), &path).unwrap();
        let mut tape = Tape::open(recorder.queue(), ConnectionId(1), clock.now(), &info());
        let mut followed = Vec::new();
        for round in 0..200_u8 {
            tape.octets(Leg::Client, UP, &vec![round; usize::from(round) * 1500]);
            if round % 8 == 0 {
                recorder.queue().wait_beyond(keeps_up.offset(), Duration::from_secs(20));
                while keeps_up.read_more().unwrap() {
                    followed.extend(std::iter::from_fn(|| keeps_up.poll()));
                }
            }
        }
        drop(tape);
        recorder.finish();
        let rest_of = |mut follower: Follower<Live>| {
            let mut items = Vec::new();
            while follower.read_more().unwrap() {
                items.extend(std::iter::from_fn(|| follower.poll()));
            }
            items
        };
        followed.extend(rest_of(keeps_up));
        let record = |item| match item {
            CaptureItem::Record { record, .. } => record,
            CaptureItem::Fault(fault) => panic!("{fault}"),
        };
        let in_file = records(&std::fs::read(&path).unwrap());
        let total: usize = in_file.iter().map(octets_in).sum();
        assert_eq!(total, (0..200).map(|round| round * 1500).sum::<usize>());
        assert_eq!(followed.into_iter().map(record).collect::<Vec<_>>(), in_file);
        let late = rest_of(Follower::new(lags));
        assert_eq!(late.into_iter().map(record).collect::<Vec<_>>(), in_file);
    }

    fn octets_in(record: &Record) -> usize {
        match record {
            Record::Octets { octets, .. } => octets.len(),
            _ => 0,
        }
    }

    fn tell(record: &Record) -> String {
        match record {
            Record::Opened { connection, info: opened, .. } => {
                assert_eq!(**opened, info());
                format!("open {}", connection.0)
            }
            Record::Noted { note, .. } => note.failure.clone().expect("a failure").message,
            Record::Octets { direction, octets, .. } => {
                format!("{} {}", direction.arrow(), octets.escape_ascii())
            }
            Record::Gap { direction, len, .. } => format!("{} gap {len}", direction.arrow()),
            Record::Finished { direction, how, .. } => format!("{} {how:?}", direction.arrow()),
        }
    }
}
