//! Opening handshakes: any two heads can be checked, and every finding points at octets that exist.
#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use framescope_core::handshake::AcceptVerdict;
use framescope_core::{Direction, Head, OpeningHandshake};
use framescope_fuzz::{peak, seeds, wire};
use libfuzzer_sys::fuzz_target;

/// What stands between the two heads of an input.
const BETWEEN: &[u8] = b"\0\0";

fuzz_target!(init: seeds::begin(inputs(), check), |input: &[u8]| check(input));

fn check(input: &[u8]) {
    let at = input.windows(2).position(|pair| pair == BETWEEN).unwrap_or(input.len());
    let (request, response) = input.split_at(at);
    let response = response.strip_prefix(BETWEEN).unwrap_or_default();
    // Heads of which the start line is left out get one.
    let request = head(request, Head::parse_request, "GET / HTTP/1.1\r\n");
    let response = head(response, Head::parse_response, "HTTP/1.1 101 \r\n");
    let (Some(request), Some(response)) = (request, response) else { return };

    let bound = 256 * (input.len() + 256);
    let handshake =
        peak::within(bound, || OpeningHandshake::check(request.clone(), response.clone(), None));
    assert!(!handshake.upgraded || response.status() == Some(101));
    assert!(handshake.deflate.is_none() || response.status() == Some(101));
    for check in &handshake.checks {
        let head = match check.direction {
            Direction::ClientToServer => &request,
            Direction::ServerToClient => &response,
        };
        let end = head.offset + head.raw.len() as u64;
        assert!(check.place.offset >= head.offset && check.place.offset + check.place.len <= end);
    }
    let wrong = handshake.accept.verdict != AcceptVerdict::Matches;
    assert!(
        handshake.findings().iter().any(|found| found.direction == Direction::ServerToClient)
            || !handshake.upgraded
            || !wrong
            || handshake.accept.verdict == AcceptVerdict::NoKey
    );
}

fn head(
    octets: &[u8],
    parse: impl Fn(Bytes, u64) -> Result<Head, framescope_core::http::HeadError>,
    start_line: &str,
) -> Option<Arc<Head>> {
    let with_line = || parse(Bytes::from([start_line.as_bytes(), octets].concat()), 100);
    parse(Bytes::copy_from_slice(octets), 100).or_else(|_| with_line()).ok().map(Arc::new)
}

fn inputs() -> Vec<Vec<u8>> {
    let heads = wire::heads();
    let (request, response) = (heads[0].as_bytes(), heads[1].as_bytes());
    let pairs =
        heads.chunks(2).map(|pair| [pair[0].as_bytes(), BETWEEN, pair[1].as_bytes()].concat());
    let odd = heads.iter().flat_map(|head| {
        let head = head.as_bytes();
        [[head, BETWEEN, response].concat(), [request, BETWEEN, head].concat()]
    });
    pairs.chain(odd).collect()
}
