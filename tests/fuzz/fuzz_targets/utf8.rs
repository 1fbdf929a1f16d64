//! UTF-8: any split gives the verdict that the standard library gives of the whole.
#![no_main]

use framescope_core::message::Utf8Validator;
use framescope_fuzz::cuts::uncut;
use framescope_fuzz::{Cuts, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let cuts = Cuts::read(input);
    let theirs = std::str::from_utf8(cuts.whole).map(drop);
    let verdict = theirs.map_err(|fault| fault.valid_up_to() as u64);
    let certain = theirs.err().filter(|fault| fault.error_len().is_some());
    for split in cuts.splits().into_iter().chain([vec![cuts.whole]]) {
        let mut ours = Utf8Validator::default();
        for piece in split {
            ours.push(piece);
        }
        assert_eq!(ours.finish(), verdict);
        assert_eq!(ours.fault(), certain.map(|fault| fault.valid_up_to() as u64));
    }
}

fn inputs() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 8] = [
        "Hello-µ@ßöäüàá-UTF-8!! 💻 \u{10ffff}".as_bytes(),
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\xf4\x90\x80\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x9f\x92",
        b"long enough for a vector unit to be used on it, sixty-four octets \xc3",
        b"\x80",
    ];
    texts.iter().map(|text| uncut(text)).collect()
}
