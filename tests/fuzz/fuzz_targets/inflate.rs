//! permessage-deflate: never more than the budget comes out, any split gives the same, and a lane that
//! keeps to the RFC inflates to what was sent, also when it is resumed from its history alone.
#![no_main]

use flate2::{Compress, Compression, FlushCompress};
use framescope_core::message::Inflater;
use framescope_core::message::inflate::{InflateFault, WINDOW};
use framescope_fuzz::cuts::uncut;
use framescope_fuzz::{Cuts, peak, seeds, wire};
use libfuzzer_sys::fuzz_target;

/// What one message became.
type Outcome = (Vec<u8>, Result<(), InflateFault>);

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    let no_context_takeover = choice & 1 != 0;
    let budget = if choice & 2 == 0 { 1 << 16 } else { u64::from(choice) };
    let cuts = Cuts::read(input);
    hostile(&cuts, no_context_takeover, budget);
    honest(&cuts, no_context_takeover, Compression::new(u32::from(choice >> 4) % 10));
}

/// The pieces are what a peer sends; every second one ends a message.
fn hostile(cuts: &Cuts<'_>, no_context_takeover: bool, budget: u64) {
    let [mut whole, mut in_two, mut octet_by_octet] =
        [(); 3].map(|()| Inflater::new(no_context_takeover));
    for message in cuts.pieces().chunks(2) {
        let octets = message.concat();
        let outcome = inflate(&mut whole, &[&octets], budget);
        assert_eq!(inflate(&mut in_two, message, budget), outcome);
        let octets: Vec<_> = octets.chunks(1).collect();
        assert_eq!(inflate(&mut octet_by_octet, &octets, budget), outcome);
        if outcome.1.is_err() {
            break;
        }
        assert!(whole.history().len() <= WINDOW);
        assert_eq!(whole.history(), octet_by_octet.history());
    }
    peak::within(256 << 10, || {
        let (mut left, mut inflater) = (budget, Inflater::new(false));
        let _ = inflater.push(cuts.whole, &mut left, &mut |_| {});
    });
}

/// Each piece is a message, compressed as RFC 7692 §7.2.1 has it.
fn honest(cuts: &Cuts<'_>, no_context_takeover: bool, level: Compression) {
    let mut sender = Compress::new(level, false);
    let mut receiver = Inflater::new(no_context_takeover);
    for message in cuts.pieces() {
        let compressed = compress(&mut sender, message);
        let mut resumed = Inflater::resume(no_context_takeover, receiver.history());
        let expected = (message.to_vec(), Ok(()));
        assert_eq!(inflate(&mut receiver, &[&compressed], 1 << 20), expected);
        assert_eq!(inflate(&mut resumed, &[&compressed], 1 << 20), expected);
        if no_context_takeover {
            sender.reset();
        }
    }
}

fn compress(sender: &mut Compress, message: &[u8]) -> Vec<u8> {
    if message.is_empty() {
        return vec![0];
    }
    let mut out = Vec::with_capacity(message.len() * 2 + 64);
    sender.compress_vec(message, &mut out, FlushCompress::Sync).expect("compressing does not fail");
    out.strip_suffix(&[0, 0, 0xff, 0xff]).expect("a sync flush ends with this").to_vec()
}

fn inflate(inflater: &mut Inflater, pieces: &[&[u8]], budget: u64) -> Outcome {
    let (mut left, mut out) = (budget, Vec::new());
    let mut outcome = Ok(());
    for piece in pieces {
        outcome = inflater.push(piece, &mut left, &mut |octets| out.extend_from_slice(octets));
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok() {
        outcome = inflater.finish_message();
    }
    assert!(out.len() as u64 <= budget, "{} octets came out of {budget}", out.len());
    (out, outcome)
}

fn inputs() -> Vec<Vec<u8>> {
    let [hello, again] = wire::HELLO_DEFLATED;
    let bomb = [&[0x63, 0x60][..], &[0x18; 40], &[0x05, 0x00]].concat();
    let ended = b"\x01\x05\x00\xfa\xffHello\xf2\x48\xcd\xc9\xc9\x07\x00";
    let messages: [&[u8]; 4] = [hello, &bomb, ended, b"\x00"];
    let mut inputs = Vec::new();
    for choice in [0x60, 0x61, 2, 30] {
        inputs.extend(messages.map(|message| [vec![choice], uncut(message)].concat()));
        // Two messages: a cut within the first, and one at its end.
        inputs.push([&[choice, 2, 0, 3, 0, 7][..], hello, again].concat());
    }
    inputs
}
