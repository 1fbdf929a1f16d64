//! Frames to show in tests and in the gallery.

use std::time::Duration;

use bytes::Bytes;
use framescope_core::diagnostics::{Place, rules};
use framescope_core::frame::{PayloadLength, Rsv};
use framescope_core::index::{FrameContent, MessageContent};
use framescope_core::message::MessageFault;
use framescope_core::{
    ConnectionId, Diagnostic, Direction, FrameHeader, MaskingKey, Opcode, Timestamp,
};

use framescope_gui::detail::selected::{
    Fragment, FrameTimes, Selected, SelectedKind, SelectedMessage,
};

const AT: u64 = 1_700_000_000_482_190_000;

/// A frame of this header and payload, selected as a message of its own where it is one.
pub fn selected(direction: Direction, header: FrameHeader, payload: &[u8]) -> Selected {
    let mut wire = Vec::new();
    header.encode(&mut wire);
    match header.masking_key {
        Some(key) => key.apply_into(0, payload, &mut wire),
        None => wire.extend_from_slice(payload),
    }
    let payload = Bytes::copy_from_slice(payload);
    let len = payload.len() as u64;
    let message = (header.fin && header.opcode.begins_message()).then(|| SelectedMessage {
        content: MessageContent { data: payload.clone(), cut: false, fault: None },
        opcode: header.opcode,
        frames: 1,
        compressed: false,
        wire_len: len,
        data_len: len,
        compression: None,
    });
    Selected {
        kind: SelectedKind::Message,
        number: 1281,
        connection: ConnectionId(1),
        direction,
        offset: 40_312,
        behind_gap: false,
        first_octet_at: Timestamp::from_nanos(AT),
        last_octet_at: Timestamp::from_nanos(AT + 12_400),
        times: FrameTimes {
            before_same_way: Some(Timestamp::from_nanos(AT - 51_200_000)),
            before_other_way: None,
            in_proxy: Some(Duration::from_nanos(21_400)),
        },
        frame: FrameContent { header, wire: wire.into(), payload },
        fragment: None,
        message,
        findings: Vec::new(),
    }
}

fn header(opcode: Opcode, key: Option<[u8; 4]>, len: usize) -> FrameHeader {
    FrameHeader {
        fin: true,
        rsv: Rsv::NONE,
        opcode,
        masking_key: key.map(MaskingKey),
        payload_len: PayloadLength::minimal(len as u64),
    }
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// JSON from the client, masked.
pub fn masked_text() -> Selected {
    let payload = br#"{"op":"order","args":[{"side":"buy","quantity":25.000}]}"#;
    selected(Direction::ClientToServer, header(Opcode::Text, Some(KEY), payload.len()), payload)
}

/// A larger binary message from the server.
pub fn binary() -> Selected {
    let payload: Vec<u8> =
        (0u32..8294).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    selected(Direction::ServerToClient, header(Opcode::Binary, None, payload.len()), &payload)
}

/// The second frame of three of a compressed message that breaks off while it inflates.
pub fn compressed_fragment() -> Selected {
    let part = b"\xaa\x56\x4a\xcd\x2d\x28\xa9\x54\xb2\x52\x4a\x4e\x2c\x4a\x55\xaa\x05\x00";
    let data =
        br#"{"symbol":"ACME","bid":"101.25","ask":"101.75","depth":[[101.25,300],[101.0,1200]]"#;
    let mut selected = selected(
        Direction::ServerToClient,
        FrameHeader { fin: false, ..header(Opcode::Continuation, None, part.len()) },
        part,
    );
    selected.fragment = Some(Fragment { index: 1, count: 3 });
    selected.message = Some(SelectedMessage {
        content: MessageContent {
            data: Bytes::from_static(data),
            cut: false,
            fault: Some(MessageFault::InflateFailed { after: data.len() as u64 }),
        },
        opcode: Opcode::Text,
        frames: 3,
        compressed: true,
        wire_len: 61,
        data_len: data.len() as u64,
        compression: None,
    });
    selected.findings = vec![Diagnostic {
        rule: &rules::DEFLATE_INFLATE_FAILED,
        direction: Direction::ServerToClient,
        at: Timestamp::from_nanos(AT),
        place: Place { offset: 40_330, len: 2, frame: Some(12) },
        evidence: "invalid distance too far back after 82 octets".to_owned(),
    }];
    selected
}

/// A Close with a code and a reason, from the client, against a MUST.
pub fn close() -> Selected {
    let mut payload = 1005u16.to_be_bytes().to_vec();
    payload.extend_from_slice("bye, see you".as_bytes());
    let mut selected = selected(
        Direction::ClientToServer,
        header(Opcode::Close, Some(KEY), payload.len()),
        &payload,
    );
    selected.findings = vec![Diagnostic {
        rule: &rules::CLOSE_CODE_FORBIDDEN,
        direction: Direction::ClientToServer,
        at: Timestamp::from_nanos(AT),
        place: Place::default(),
        evidence: "close code 1005".to_owned(),
    }];
    selected
}

/// Text of many kinds: several lines, other scripts, control characters.
pub fn prose() -> Selected {
    let payload =
        "GET /feed\r\nGrüße aus Köln – 3 × 4 ≥ 12\n\tindented\u{1b}[31mred\u{1b}[0m\nend\0"
            .as_bytes();
    selected(Direction::ServerToClient, header(Opcode::Text, None, payload.len()), payload)
}
