//! HTTP bodies: any split finds the same content, the same end, the same fault, and leaves the same.
#![no_main]

use framescope_core::http::{BodyDecoder, BodyFraming, BodyPart};
use framescope_fuzz::cuts::uncut;
use framescope_fuzz::{Cuts, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    let framing = match choice % 8 {
        0 => BodyFraming::Empty,
        1 => BodyFraming::UntilClose,
        2 => BodyFraming::Length(u64::from(choice)),
        3 => BodyFraming::Length(u64::MAX),
        _ => BodyFraming::Chunked,
    };
    let cuts = Cuts::read(input);
    let whole = decode(framing, &[cuts.whole]);
    for split in cuts.splits() {
        assert_eq!(decode(framing, &split), whole);
    }
}

#[derive(Debug, PartialEq)]
struct Seen {
    content: Vec<u8>,
    ending: Option<Result<(), String>>,
    taken: usize,
}

fn decode(framing: BodyFraming, pieces: &[&[u8]]) -> Seen {
    let mut decoder = BodyDecoder::new(framing);
    let mut seen = Seen { content: Vec::new(), ending: None, taken: 0 };
    // A body that is over before its first octet says so without one.
    for mut piece in std::iter::once(&[][..]).chain(pieces.iter().copied()) {
        let len = piece.len();
        while let Some(part) = decoder.next_part(&mut piece) {
            assert!(seen.ending.is_none(), "nothing follows the end");
            match part {
                BodyPart::Content(octets) => {
                    assert!(!octets.is_empty());
                    seen.content.extend_from_slice(octets);
                }
                BodyPart::End => seen.ending = Some(Ok(())),
                BodyPart::Invalid(reason) => seen.ending = Some(Err(reason)),
            }
        }
        assert!(piece.is_empty() || seen.ending.is_some(), "every octet is taken in");
        seen.taken += len - piece.len();
    }
    assert_eq!(decoder.wire_len(), seen.taken as u64);
    assert_eq!(decoder.content_len(), seen.content.len() as u64);
    if let BodyFraming::Length(len) = framing {
        assert!(seen.content.len() as u64 <= len);
    }
    seen
}

fn inputs() -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 6] = [
        b"4\r\nWiki\r\n5;a=b\r\npedia\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n",
        b"0\n\n",
        b"ffffffffffffffff\r\nabc",
        b"10000000000000000\r\n",
        b"A \t\r\n0123456789\r\n0\r\n\r\n",
        b"3\r\nabcd",
    ];
    (0..4)
        .map(|choice| [vec![choice], uncut(b"hello, this is a body")].concat())
        .chain(bodies.iter().map(|body| [vec![4], uncut(body)].concat()))
        .collect()
}
