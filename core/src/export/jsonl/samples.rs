//! Samples for tests: events as a session would say them.

use std::sync::Arc;

use bytes::Bytes;

use crate::diagnostics::{Place, rules};
use crate::{
    Diagnostic, Direction, Frame, FrameHeader, Head, Message, OpeningHandshake, Timestamp,
};

/// 2023-11-14T22:13:20.123456789Z, and `millis` later.
pub(in crate::export) fn stamp(millis: u64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_123_456_789 + millis * 1_000_000)
}

/// Octets from hex digits; white space is skipped.
pub(in crate::export) fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
}

/// The frame that `wire` is, as the `index`-th of its direction.
pub(in crate::export) fn frame(direction: Direction, index: u64, wire: &str) -> Frame {
    let wire = octets(wire);
    let (header, header_len) = FrameHeader::parse(&wire).expect("a whole header");
    let mut payload = wire[header_len..].to_vec();
    if let Some(key) = header.masking_key {
        key.apply(0, &mut payload);
    }
    Frame {
        direction,
        index,
        offset: 150 + index,
        header,
        first_octet_at: stamp(1),
        last_octet_at: stamp(2),
        payload: Bytes::from(payload),
    }
}

/// The message that `frame` alone carries.
pub(in crate::export) fn message(frame: &Frame, data: &'static [u8]) -> Message {
    Message {
        direction: frame.direction,
        index: frame.index,
        opcode: frame.header.opcode,
        first_frame: frame.index,
        last_frame: frame.index,
        frames: 1,
        compressed: frame.header.rsv.rsv1(),
        wire_len: frame.header.payload_len.value,
        data_len: data.len() as u64,
        data: Bytes::from_static(data),
        fault: None,
        first_octet_at: frame.first_octet_at,
        last_octet_at: frame.last_octet_at,
    }
}

/// An unmasked frame of a client.
pub(in crate::export) fn finding() -> Diagnostic {
    Diagnostic {
        rule: &rules::FRAME_UNMASKED_FROM_CLIENT,
        direction: Direction::ClientToServer,
        at: stamp(2),
        place: Place { offset: 150, len: 7, frame: Some(0) },
        evidence: "text frame of 5 octets, MASK is 0".into(),
    }
}

/// An opening handshake that agreed on permessage-deflate without parameters.
pub(in crate::export) fn deflating() -> OpeningHandshake {
    let extensions = "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let request = format!("GET / HTTP/1.1\r\n{extensions}");
    let response = format!("HTTP/1.1 101 Switching Protocols\r\n{extensions}");
    OpeningHandshake::check(
        Arc::new(Head::parse_request(request.into(), 0).expect("a head")),
        Arc::new(Head::parse_response(response.into(), 0).expect("a head")),
        None,
    )
}
