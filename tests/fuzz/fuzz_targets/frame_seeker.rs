//! Frames behind a gap: any split finds the same, what is found begins with a header, all that is kept
//! is the lane's, and memory is bounded.
#![no_main]

use framescope_core::frame::{FrameHeader, FrameSeeker};
use framescope_fuzz::{Cuts, peak, seeds, wire};
use libfuzzer_sys::fuzz_target;

/// The lane offset of the octets behind the gap.
const START: u64 = 1_000;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let (&how, input) = input.split_first().unwrap_or((&0, &[]));
    let cuts = Cuts::read(input);
    let seeker = || {
        let limit = if how & 4 > 0 { 64 << 10 } else { 64 + usize::from(how >> 3) };
        FrameSeeker::new(START, how & 1 > 0, how & 2 > 0, limit)
    };
    let found = seek(seeker(), &[cuts.whole], cuts.whole);
    for split in cuts.splits() {
        assert_eq!(seek(seeker(), &split, cuts.whole), found);
    }
    // What is kept, what it grew from, the chains.
    peak::within((512 << 10) + cuts.whole.len(), || seeker().receive(cuts.whole));
}

fn seek(mut seeker: FrameSeeker, pieces: &[&[u8]], lane: &[u8]) -> Option<u64> {
    let mut taken = 0;
    for piece in pieces {
        let found = seeker.receive(piece);
        taken += piece.len();
        assert_eq!(seeker.end(), START + taken as u64);
        let start = usize::try_from(seeker.start() - START).unwrap();
        assert_eq!(seeker.kept_from(seeker.start()), &lane[start..taken]);
        if let Some(found) = found {
            assert!(FrameHeader::parse(seeker.kept_from(found)).is_some(), "a header is found");
            return Some(found);
        }
    }
    None
}

fn inputs() -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for masked in [true, false] {
        // Behind those come a text that is none and a Close, where a chain ends.
        let lane = wire::frames(masked)[..8].concat();
        for cut in [0, 1, 3, 17] {
            let octets = [&lane[cut..], &lane, &lane].concat();
            inputs.push(
                [&[u8::from(masked) | 6][..], &framescope_fuzz::cuts::uncut(&octets)].concat(),
            );
        }
    }
    inputs
}
