//! The answer of an opening handshake, RFC 6455 §4.2.2, and what a client must make of it (§4.1).

use super::{Rule, rules};

rules! {
    HANDSHAKE_REFUSED: Warning, Connection, "RFC 6455 §4.2.2",
        "the server did not switch protocols",
        "No WebSocket was opened. A browser tells a page no more than that, and close code 1006.",
        "Read the status and its headers: 401 and 403 ask for rights, 3xx points elsewhere, 426 lists the versions it knows, 502 and 504 come from a proxy on the path.",
        fires: "answer HTTP/1.1 403 Forbidden",
        near_miss: "answer HTTP/1.1 101 Web Socket Protocol Handshake";
    HANDSHAKE_VERSIONS_UNTOLD: Error, Connection, "RFC 6455 §4.2.2",
        "a server that refuses the version does not tell which it knows",
        "A 426 to another version than 13 must carry Sec-WebSocket-Version with the versions that the server understands, so that the client can try another one.",
        "Answer with Sec-WebSocket-Version: 13.",
        fires along "HANDSHAKE_VERSION_NOT_13" along "HANDSHAKE_REFUSED": "
            request Sec-WebSocket-Version: 8
            answer HTTP/1.1 426 Upgrade Required
            answer Content-Length: 0
        ",
        near_miss: "answer Sec-WebSocket-Version: 13";
    HANDSHAKE_ANSWER_HTTP_VERSION: Error, Connection, "RFC 6455 §4.2.2",
        "the 101 is older than HTTP/1.1",
        "Upgrade exists from HTTP/1.1 on; browsers refuse a 101 over HTTP/1.0.",
        "Look for the server or proxy that writes the status line.",
        fires: "answer HTTP/1.0 101 Switching Protocols",
        near_miss: "answer HTTP/1.1 101";
    HANDSHAKE_ACCEPT_MISSING: Error, Connection, "RFC 6455 §4.2.2",
        "the 101 has no Sec-WebSocket-Accept",
        "The client must fail the connection. Whatever answered did not speak WebSocket.",
        "Answer with the base64 of the SHA-1 of the key and the GUID.",
        fires: "answer - Sec-WebSocket-Accept",
        near_miss: "
            request Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            answer sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        ";
    HANDSHAKE_ACCEPT_WRONG: Error, Connection, "RFC 6455 §4.2.2",
        "Sec-WebSocket-Accept does not answer the key",
        "The client must fail the connection.",
        "Look for a cached answer, a proxy that changes the key, or a server that hashes the wrong text: the handshake's detail shows every step.",
        fires: "
            request Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            answer Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        ",
        near_miss: "
            request Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            answer Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        ";
    HANDSHAKE_ACCEPT_REPEATED: Error, Connection, "RFC 6455 §11.3.3",
        "Sec-WebSocket-Accept is there more than once",
        "Clients differ on which one they check.",
        "Send it once; look for a proxy that adds its own.",
        fires: "answer + Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        near_miss: "answer + X-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    HANDSHAKE_SUBPROTOCOL_NOT_OFFERED: Error, Connection, "RFC 6455 §4.1",
        "the server chose a subprotocol that was not offered",
        "The client must fail the connection; browsers do.",
        "Offer it in Sec-WebSocket-Protocol, to the letter, or let the server choose none.",
        fires: "
            request Sec-WebSocket-Protocol: chat
            answer Sec-WebSocket-Protocol: Chat
        ",
        near_miss: "
            request Sec-WebSocket-Protocol: chat
            answer Sec-WebSocket-Protocol: chat
        ";
    HANDSHAKE_SUBPROTOCOL_UNANSWERED: Note, Connection, "RFC 6455 §4.2.2",
        "subprotocols were offered and none was chosen",
        "Allowed; but a client that relies on one may close at once, and Chromium does.",
        "Let the server choose one of the offers, or offer none.",
        fires: "request Sec-WebSocket-Protocol: chat",
        near_miss: "
            request Sec-WebSocket-Protocol: chat
            answer Sec-WebSocket-Protocol: chat
        ";
    HANDSHAKE_EXTENSION_NOT_OFFERED: Error, Connection, "RFC 6455 §4.1",
        "the server uses an extension that was not offered",
        "The client must fail the connection.",
        "Answer only what was offered; look for a proxy that drops the client's offers and not the server's answer.",
        fires: "answer Sec-WebSocket-Extensions: permessage-deflate",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
        ";
    HANDSHAKE_EXTENSION_REPEATED: Error, Connection, "RFC 6455 §11.3.2",
        "the answer has Sec-WebSocket-Extensions more than once",
        "A request may spread its offers over several fields; an answer must not. Clients that read one field alone miss an extension.",
        "Put all extensions into one field.",
        fires: "
            request Sec-WebSocket-Extensions: permessage-deflate, x-a
            answer + Sec-WebSocket-Extensions: permessage-deflate
            answer + Sec-WebSocket-Extensions: x-a
        ",
        near_miss: "
            request + Sec-WebSocket-Extensions: permessage-deflate
            request + Sec-WebSocket-Extensions: x-a
            answer Sec-WebSocket-Extensions: permessage-deflate, x-a
        ";
    HANDSHAKE_EXTENSION_INVALID: Error, Connection, "RFC 7692 §7.1",
        "the answer's parameters of permessage-deflate cannot be accepted",
        "The client must fail the connection: a parameter is unknown, doubled, out of range, missing, or more than was offered.",
        "Answer the window bits that were offered or fewer, client_max_window_bits only where it was offered, and server_no_context_takeover wherever it was.",
        fires: "
            request Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10
            answer Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=11
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10
            answer Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10
        ";
}
