//! Captures: any split of a file gives the same items, in memory that its length bounds.
#![no_main]

use bytes::Bytes;
use framescope_core::Record;
use framescope_core::capture::{CaptureItem, write_section_header};
use framescope_fuzz::cuts::{owned, uncut};
use framescope_fuzz::script::{self, Script};
use framescope_fuzz::{Cuts, peak, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let cuts = Cuts::read(input);
    let file = Bytes::copy_from_slice(cuts.whole);
    let whole = script::items([file.clone()]);
    for split in cuts.splits() {
        assert_eq!(script::items(owned(&split)), whole);
    }
    // A capture has a block for each item, but for what opens and ends a stream.
    assert!(whole.len() <= file.len() / 4 + 4, "{} items", whole.len());
    let octets: usize = whole
        .iter()
        .map(|item| match item {
            CaptureItem::Record { record: Record::Octets { octets, .. }, .. } => octets.len(),
            CaptureItem::Record { .. } | CaptureItem::Fault(_) => 0,
        })
        .sum();
    assert!(octets <= file.len());
    peak::within(64 * (file.len() + 1024), || script::each_item([file], drop));
}

fn inputs() -> Vec<Vec<u8>> {
    let mut inputs: Vec<_> = script::inputs()
        .iter()
        .map(|input| Script::read(input).capture())
        .filter(|file| file.len() < 4000)
        .map(|file| uncut(&file))
        .collect();
    let anyone = |mut file: Vec<u8>| {
        // Without our name on the interface the packets are anyone's.
        while let Some(at) = file.windows(10).position(|part| part == b"framescope") {
            file[at] = b'F';
        }
        file
    };
    inputs.extend(inputs.clone().into_iter().map(anyone));
    let mut empty = Vec::new();
    write_section_header(&mut empty);
    inputs.push(uncut(&empty));
    inputs.push(uncut(&pcap()));
    inputs
}

/// A classic pcap of one IPv4 packet with a SYN, on a raw IP link.
fn pcap() -> Vec<u8> {
    let mut file = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0".to_vec();
    file.extend_from_slice(b"\x01\0\0\0\0\0\0\0\x28\0\0\0\x28\0\0\0");
    file.extend_from_slice(b"\x45\0\0\x28\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02");
    file.extend_from_slice(b"\x9c\x40\0\x50\0\0\0\x01\0\0\0\0\x50\x02\xff\xff\0\0\0\0");
    file
}
