//! Frames: any split says the same as the whole, whole frames the same as their parts, every header
//! encodes to the octets it was read from, and tungstenite reads it alike.
#![no_main]

use std::io::Cursor;

use framescope_core::frame::{FrameDecoder, FrameHeader, FramePart, WholeFrame};
use framescope_fuzz::cuts::uncut;
use framescope_fuzz::{Cuts, peak, seeds, wire};
use libfuzzer_sys::fuzz_target;
use tungstenite::protocol::frame::FrameHeader as TheirHeader;

/// Lane offset, header, payload octets on the wire, whether it ended.
type Seen = (u64, FrameHeader, Vec<u8>, bool);

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let cuts = Cuts::read(input);
    let (seen, lost) = decode(&[cuts.whole], false);
    assert_eq!(decode(&[cuts.whole], true), (seen.clone(), lost));
    for split in cuts.splits() {
        assert_eq!(decode(&split, false), (seen.clone(), lost));
        assert_eq!(decode(&split, true), (seen.clone(), lost));
    }
    let mut next = 0;
    for (offset, header, payload, ended) in &seen {
        assert_eq!(*offset, next, "frames tile the lane");
        check_header(header, &cuts.whole[usize::try_from(*offset).unwrap()..]);
        assert_eq!(*ended, payload.len() as u64 == header.payload_len.value && !lost_in(header));
        next += u64::from(header.encoded_len()) + payload.len() as u64;
    }
    peak::within(0, || drain(cuts.whole));
}

fn lost_in(header: &FrameHeader) -> bool {
    header.payload_len.is_forbidden()
}

/// Decodes and keeps nothing.
fn drain(mut octets: &[u8]) {
    let mut decoder = FrameDecoder::new(0);
    while decoder.next_part(&mut octets).is_some() {}
    assert!(octets.is_empty(), "every octet is taken in");
}

fn decode(pieces: &[&[u8]], whole: bool) -> (Vec<Seen>, bool) {
    let mut decoder = FrameDecoder::new(0);
    let (mut seen, mut lost): (Vec<Seen>, bool) = (Vec::new(), false);
    let mut taken = 0;
    for mut piece in pieces.iter().copied() {
        taken += piece.len() as u64;
        loop {
            if whole
                && let Some(WholeFrame { header, offset, payload }) = decoder.next_whole(&mut piece)
            {
                assert!(!lost, "nothing follows a lost lane");
                // A whole frame of 2^63 octets does not exist.
                assert!(!lost_in(&header));
                seen.push((offset, header, payload.to_vec(), true));
                continue;
            }
            match decoder.next_part(&mut piece) {
                None => break,
                Some(FramePart::Header { header, offset }) => {
                    seen.push((offset, header, Vec::new(), false));
                }
                Some(FramePart::Payload { octets, position, masking_key }) => {
                    let (_, header, payload, _) = seen.last_mut().unwrap();
                    assert!(!octets.is_empty());
                    assert_eq!(position, payload.len() as u64);
                    assert_eq!(masking_key, header.masking_key);
                    payload.extend_from_slice(octets);
                }
                Some(FramePart::End) => seen.last_mut().unwrap().3 = true,
                Some(FramePart::Lost) => {
                    assert!(!lost, "said once");
                    lost = true;
                }
            }
        }
        assert!(piece.is_empty(), "every octet is taken in");
        assert_eq!(decoder.offset(), taken);
    }
    (seen, lost)
}

fn check_header(header: &FrameHeader, octets: &[u8]) {
    let mut encoded = Vec::new();
    header.encode(&mut encoded);
    assert_eq!(encoded.len(), usize::from(header.encoded_len()));
    assert_eq!(encoded, octets[..encoded.len()]);

    let mut cursor = Cursor::new(octets);
    let Ok(Some((theirs, len))) = TheirHeader::parse(&mut cursor) else {
        assert!(header.opcode.is_reserved(), "tungstenite refuses reserved opcodes alone");
        return;
    };
    assert_eq!(cursor.position(), encoded.len() as u64);
    assert_eq!(len, header.payload_len.value);
    assert_eq!(theirs.is_final, header.fin);
    assert_eq!(theirs.rsv1, header.rsv.rsv1());
    assert_eq!(theirs.rsv2, header.rsv.rsv2());
    assert_eq!(theirs.rsv3, header.rsv.rsv3());
    assert_eq!(u8::from(theirs.opcode), header.opcode.bits());
    assert_eq!(theirs.mask, header.masking_key.map(|key| key.0));
}

fn inputs() -> Vec<Vec<u8>> {
    let lanes = [wire::frames(true).concat(), wire::frames(false).concat()];
    let mut inputs: Vec<_> = lanes.iter().map(|lane| uncut(lane)).collect();
    inputs.push(uncut(b"\x82\xff\x80\0\0\0\0\0\0\0\x01\x02\x03\x04\x81\0"));
    inputs.push(uncut(b"\x82\x7e\0\x05abcde\xf1\xff\0\0\0\0\0\0\0\x01\0\0\0\0a"));
    inputs
}
