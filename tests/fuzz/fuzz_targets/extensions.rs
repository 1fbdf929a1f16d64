//! `Sec-WebSocket-Extensions`: what is read is written and read alike; every pair of lists has an outcome.
#![no_main]

use framescope_core::handshake::{DeflateParams, Extension};
use framescope_fuzz::{peak, seeds, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (offer, answer) = text.split_once('\0').unwrap_or((&text, ""));
    // Two octets make an extension of some 50; three lists are held here, with room for twice as many.
    let (offered, chosen) = peak::within(192 * (text.len() + 64), || (read(offer), read(answer)));
    for extension in &offered {
        DeflateParams::offer_faults(extension);
    }
    DeflateParams::agreed(&offered, &chosen);
}

fn read(value: &str) -> Vec<Extension> {
    let (list, fault) = Extension::read_list(value);
    assert_eq!(Extension::parse_list(value), fault.map_or(Ok(list.clone()), Err));
    if !list.is_empty() {
        let written = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        assert_eq!(Extension::parse_list(&written).as_ref(), Ok(&list));
    }
    list
}

fn inputs() -> Vec<Vec<u8>> {
    let pairs = wire::EXTENSIONS.iter().flat_map(|offer| {
        wire::EXTENSIONS.iter().map(move |answer| format!("{offer}\0{answer}").into_bytes())
    });
    pairs.chain([b",, a ;b = \"\\\"\"".to_vec(), b"a;b=\"\xc3\xa9\"".to_vec()]).collect()
}
