//! HTTP heads: any split gathers the same heads, spans hold, a head reads as itself again, edits
//! change nothing else, and what httparse accepts is read alike.
#![no_main]

use bytes::Bytes;
use framescope_core::http::{BodyFraming, Edit, HeadReader, edit};
use framescope_core::{Head, http::HeadError};
use framescope_fuzz::cuts::uncut;
use framescope_fuzz::{Cuts, peak, seeds, wire};
use libfuzzer_sys::fuzz_target;

const LIMITS: [usize; 2] = [256 << 10, 100];

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let cuts = Cuts::read(input);
    for limit in LIMITS {
        let whole = gather(&[cuts.whole], limit);
        for split in cuts.splits() {
            assert_eq!(gather(&split, limit), whole);
        }
    }
    let (heads, ..) = gather(&[cuts.whole], LIMITS[0]);
    let raw = Bytes::copy_from_slice(cuts.whole);
    peak::within(64 * (raw.len() + 64), || check_raw(&raw, false));
    for raw in heads {
        check_raw(&raw, true);
    }
}

/// The heads, what was gathered behind them, and why gathering stopped.
fn gather(pieces: &[&[u8]], limit: usize) -> (Vec<Bytes>, Vec<u8>, Option<HeadError>) {
    let (mut reader, mut heads) = (HeadReader::default(), Vec::new());
    for mut piece in pieces.iter().copied() {
        loop {
            match reader.take(&mut piece, limit) {
                Ok(Some(raw)) => {
                    assert!(raw.len() <= limit);
                    heads.push(raw);
                }
                Ok(None) => break,
                Err(fault) => return (heads, reader.gathered().to_vec(), Some(fault)),
            }
        }
        assert!(piece.is_empty(), "every octet is taken in");
    }
    (heads, reader.gathered().to_vec(), None)
}

/// `is_whole` where it ends with its empty line; others may not be edited.
fn check_raw(raw: &Bytes, is_whole: bool) {
    if let Ok(head) = Head::parse_request(raw.clone(), 7) {
        check_head(&head, raw);
        assert_eq!(Head::parse_request(head.raw.clone(), 7).as_ref(), Ok(&head));
        BodyFraming::of_request(&head);
        if is_whole {
            edits(&head, |octets| Head::parse_request(octets, 7));
        }
    }
    if let Ok(head) = Head::parse_response(raw.clone(), 7) {
        check_head(&head, raw);
        assert_eq!(Head::parse_response(head.raw.clone(), 7).as_ref(), Ok(&head));
        for method in [None, Some("GET"), Some("HEAD"), Some("CONNECT")] {
            BodyFraming::of_response(&head, method);
        }
        if is_whole {
            edits(&head, |octets| Head::parse_response(octets, 7));
        }
    }
    held_against_httparse(raw);
}

fn check_head(head: &Head, raw: &Bytes) {
    assert_eq!(head.raw[..], raw[..head.raw.len()]);
    if let Some(span) = head.target_span() {
        assert_eq!(head.target().map(str::as_bytes), Some(&raw[span]));
    }
    let mut end = head.fields_start();
    assert!(head.start_span().end <= end);
    for header in &head.headers {
        assert!(header.span.start >= end, "fields do not overlap");
        end = header.span.end;
        assert!(header.span.start <= header.value_span.start);
        assert!(header.value_span.end <= header.span.end);
        assert_eq!(head.raw[header.value_span.clone()], header.value[..]);
    }
    assert!(end <= head.raw.len());
    assert!(head.faults.is_sorted_by_key(|fault| fault.span.start));
    for fault in &head.faults {
        assert!(head.raw.get(fault.span.clone()).is_some());
    }
}

/// Edits of every field: to what it was, to something else, out, and a new one in.
fn edits(head: &Head, parse: impl Fn(Bytes) -> Result<Head, HeadError>) {
    let same: Vec<_> =
        head.headers.iter().map(|header| Edit::value(header, header.value.clone())).collect();
    assert_eq!(edit::replace(&head.raw, &same).as_ref(), Ok(&head.raw));

    let new = edit::replace(&head.raw, &[Edit::insert(head, "X-New", "1")]).unwrap();
    let edited = parse(new).expect("a head with a field more is a head");
    assert_eq!(edited.headers[0].value, "1");
    assert_eq!(edited.headers.len(), head.headers.len() + 1);

    let out: Vec<_> = head.headers.iter().map(Edit::remove).collect();
    let edited =
        parse(edit::replace(&head.raw, &out).unwrap()).expect("without fields it is a head");
    assert!(edited.headers.is_empty());
    assert_eq!(edited.start, head.start);
}

fn held_against_httparse(octets: &[u8]) {
    let mut slots = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut slots);
    if let Ok(httparse::Status::Complete(len)) = request.parse(octets) {
        let head = Head::parse_request(Bytes::copy_from_slice(octets), 0).expect("both accept it");
        assert_eq!(head.raw.len(), len);
        assert_eq!((head.method(), head.target()), (request.method, request.path));
        same_fields(&head, request.headers);
    }
    let mut slots = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut slots);
    let outcome = httparse::ParserConfig::default()
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .parse_response(&mut response, octets);
    if let Ok(httparse::Status::Complete(len)) = outcome {
        let head = Head::parse_response(Bytes::copy_from_slice(octets), 0).expect("both accept it");
        assert_eq!(head.raw.len(), len);
        assert_eq!(head.status(), response.code);
        same_fields(&head, response.headers);
    }
}

fn same_fields(head: &Head, theirs: &[httparse::Header<'_>]) {
    let theirs: Vec<_> = theirs.iter().map(|header| (header.name, header.value)).collect();
    let ours: Vec<_> =
        head.headers.iter().map(|header| (header.name.as_str(), &header.value[..])).collect();
    assert_eq!(ours, theirs);
}

fn inputs() -> Vec<Vec<u8>> {
    wire::heads().iter().map(|head| uncut(head.as_bytes())).collect()
}
