//! Small things as they stand on the wire: heads, frames, compressed messages.

use framescope_core::frame::{FrameHeader, MaskingKey, Opcode, PayloadLength, Rsv};

/// A request to open a WebSocket, without its empty line.
pub const REQUEST: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\n";

/// The answer to it, without its empty line.
pub const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// Values of `Sec-WebSocket-Extensions`: offers and answers.
pub const EXTENSIONS: [&str; 6] = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=10; client_max_window_bits=\"15\", permessage-deflate",
    "x-webkit-deflate-frame, bbf-usp-protocol;a=\"b\\c\"",
    "permessage-deflate; server_max_window_bits=16; unknown",
];

/// "Hello", compressed as a message; sent twice, the second refers to the first (RFC 7692 §7.2.3).
pub const HELLO_DEFLATED: [&[u8]; 2] =
    [&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], &[0xf2, 0x00, 0x11, 0x00, 0x00]];

/// Heads that readers meet: opening handshakes, plain HTTP, and what breaks the grammar.
pub fn heads() -> Vec<String> {
    let mut heads = vec![format!("{REQUEST}\r\n"), format!("{RESPONSE}\r\n")];
    for value in EXTENSIONS {
        heads.push(format!("{REQUEST}Sec-WebSocket-Extensions: {value}\r\n\r\n"));
        heads.push(format!("{RESPONSE}Sec-WebSocket-Extensions: {value}\r\n\r\n"));
    }
    heads.extend(
        [
            "POST http://a/x HTTP/1.0\r\nContent-Length: 3, 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "\r\n\nGET  /  HTTP/1.1  \nA : b\n c\n\t\n: d\nno colon\nB:\x00\n\n",
            "HTTP/1.1 404  Not\tFound \r\n first: folded\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
            "HTTP/1.0 200\r\nConnection: close\r\n\r\nbody",
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ]
        .map(str::to_owned),
    );
    heads
}

/// One frame; a masked one with a key that is not all the same.
pub fn frame(fin: bool, rsv: u8, opcode: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let masking_key = masked.then_some(MaskingKey([0x37, 0xfa, 0x21, 0x3d]));
    let header = FrameHeader {
        fin,
        rsv: Rsv::from_bits(rsv),
        opcode: Opcode::from_bits(opcode),
        masking_key,
        payload_len: PayloadLength::minimal(payload.len() as u64),
    };
    let mut wire = Vec::new();
    header.encode(&mut wire);
    let mut payload = payload.to_vec();
    if let Some(key) = masking_key {
        key.apply(0, &mut payload);
    }
    [wire, payload].concat()
}

/// A lane's worth of frames: every kind, fragments with a ping between, compressed ones, a Close.
pub fn frames(masked: bool) -> Vec<Vec<u8>> {
    let frame = |fin, rsv, opcode, payload: &[u8]| frame(fin, rsv, opcode, masked, payload);
    vec![
        frame(true, 0, 1, "Hello é💻".as_bytes()),
        frame(false, 0, 1, b"Hel"),
        frame(true, 0, 9, b"ping"),
        frame(true, 0, 0, b"lo"),
        frame(true, 4, 1, HELLO_DEFLATED[0]),
        frame(false, 4, 2, &HELLO_DEFLATED[1][..2]),
        frame(true, 0, 0, &HELLO_DEFLATED[1][2..]),
        frame(true, 0, 2, &[0xA5; 300]),
        frame(true, 0, 1, b"\xff"),
        frame(true, 0, 10, b""),
        frame(true, 0, 8, b"\x03\xe8bye"),
        frame(true, 7, 0xB, &[0; 126]),
    ]
}
