//! The request of an opening handshake, RFC 6455 §4.1.

use super::{Rule, rules};

rules! {
    HANDSHAKE_METHOD_NOT_GET: Error, Connection, "RFC 6455 §4.1",
        "the opening request's method is not GET",
        "A WebSocket is opened with GET; most servers answer anything else with 405 or 400.",
        "Send GET.",
        fires: "request POST /chat HTTP/1.1",
        near_miss: "request GET /chat?method=POST HTTP/1.1";
    HANDSHAKE_HTTP_VERSION: Error, Connection, "RFC 6455 §4.1",
        "the opening request is older than HTTP/1.1",
        "Upgrade exists from HTTP/1.1 on.",
        "Look for a proxy on the path that speaks 1.0 upstream; in nginx, set proxy_http_version 1.1.",
        fires: "request GET /chat HTTP/1.0",
        near_miss: "request GET /HTTP/1.0 HTTP/1.1";
    HANDSHAKE_TARGET_INVALID: Error, Connection, "RFC 6455 §4.1",
        "the request target is neither a path nor an HTTP URL",
        "It is the path and query of the WebSocket URL, or an absolute http or https URL, and never has a fragment.",
        "Send the path. A # in it must be written %23.",
        fires: "request GET /chat#lobby HTTP/1.1",
        near_miss: "request GET /chat?room=%23lobby HTTP/1.1";
    HANDSHAKE_HOST_MISSING: Error, Connection, "RFC 6455 §4.1",
        "the opening request has no Host header",
        "Virtual hosting cannot work without it, and a server must answer 400.",
        "Send Host with the authority of the URL.",
        fires: "request - Host",
        near_miss: "request host: a.example";
    HANDSHAKE_HOST_REPEATED: Error, Connection, "RFC 9112 §3.2",
        "the opening request has Host more than once",
        "A server must answer 400, and servers that do not differ on which one they take.",
        "Send it once.",
        fires: "request + Host: b.example",
        near_miss: "request + X-Forwarded-Host: b.example";
    HANDSHAKE_ORIGIN_REPEATED: Error, Connection, "RFC 6454 §7.3",
        "Origin is there more than once",
        "A server decides by it whether a page of another site may connect; with two of them it may look at the wrong one.",
        "Send it once, and let no proxy add another.",
        fires: "
            request + Origin: https://a.example
            request + Origin: https://b.example
        ",
        near_miss: "
            request + Origin: https://a.example
            request + Referer: https://b.example/
        ";
    HANDSHAKE_UPGRADE_MISSING: Error, Connection, "RFC 6455 §4.1",
        "Upgrade does not name websocket",
        "Both request and 101 must carry Upgrade: websocket. Without it the request is an ordinary GET, and the client must fail the connection on such an answer.",
        "Look for a proxy that drops hop-by-hop headers; in nginx, set proxy_set_header Upgrade $http_upgrade.",
        fires: "answer - Upgrade",
        near_miss: "answer Upgrade: WebSocket";
    HANDSHAKE_CONNECTION_MISSING: Error, Connection, "RFC 6455 §4.1",
        "Connection does not name Upgrade",
        "Both request and 101 must carry Connection: Upgrade, for Upgrade holds for one hop only.",
        "Look for a proxy that drops hop-by-hop headers; in nginx, set proxy_set_header Connection \"upgrade\".",
        fires: "request Connection: keep-alive",
        near_miss: "request Connection: keep-alive, upgrade";
    HANDSHAKE_VERSION_NOT_13: Error, Connection, "RFC 6455 §4.1",
        "Sec-WebSocket-Version is not 13",
        "13 is the only version in use, and the field stands once. A server that does not know the version answers 426 and lists what it knows.",
        "Send Sec-WebSocket-Version: 13.",
        fires: "request Sec-WebSocket-Version: 8",
        near_miss: "request sec-websocket-version:  13";
    HANDSHAKE_KEY_MISSING: Error, Connection, "RFC 6455 §4.1",
        "the request has no Sec-WebSocket-Key",
        "The server has nothing to answer, and must refuse.",
        "Send 16 random octets in base64, fresh for each connection.",
        fires: "request - Sec-WebSocket-Key",
        near_miss: "request sec-websocket-key: AQIDBAUGBwgJCgsMDQ4PEA==";
    HANDSHAKE_KEY_INVALID: Error, Connection, "RFC 6455 §4.1",
        "Sec-WebSocket-Key is not 16 octets of base64",
        "Servers that check it answer 400; others hash what they get.",
        "Send 16 random octets in base64: 24 characters that end in ==.",
        fires: "request Sec-WebSocket-Key: AQIDBAUGBwg=",
        near_miss: "request Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==";
    HANDSHAKE_KEY_REPEATED: Error, Connection, "RFC 6455 §11.3.1",
        "Sec-WebSocket-Key is there more than once",
        "Servers differ on which one they answer.",
        "Send it once.",
        fires: "request + Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==",
        near_miss: "request + Sec-WebSocket-Key1: AQIDBAUGBwgJCgsMDQ4PEA==";
    HANDSHAKE_KEY_REUSED: Error, Capture, "RFC 6455 §4.1",
        "two connections have the same Sec-WebSocket-Key",
        "The key must be chosen at random for each connection: it proves that the answer is no answer to somebody else, or one that a cache kept. Where the capture has both sides of a proxy, the key that it passes on is the same on either, and is not told.",
        "Make the key when the connection is made, not once in a program; never copy it from an example.",
        fires: "
            request Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==
            connect
            request Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==
        ",
        near_miss: "
            request Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==
            connect
            request Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEQ==
        ";
    HANDSHAKE_DATA_BEFORE_ANSWER: Error, Connection, "RFC 6455 §4.1",
        "the client sent frames before the server answered",
        "A client must wait for the answer: the server may refuse, and then takes the frames for another request.",
        "Send the first message when the connection is open.",
        fires: "
            ask
            ↑ 81 81 37fa213d 76
            open
        ",
        near_miss: "
            open
            ↑ 81 81 37fa213d 76
        ";
    HANDSHAKE_SUBPROTOCOL_INVALID: Error, Connection, "RFC 6455 §4.1",
        "Sec-WebSocket-Protocol is not made as it must be",
        "The offers are tokens, none of them twice; the answer names exactly one of them, or the header is left out.",
        "Offer each name once, without spaces, and answer with one.",
        fires: "
            request Sec-WebSocket-Protocol: chat, chat
            answer Sec-WebSocket-Protocol: chat
        ",
        near_miss: "
            request Sec-WebSocket-Protocol: chat, chat.v2
            answer Sec-WebSocket-Protocol: chat
        ";
    HANDSHAKE_EXTENSION_SYNTAX: Error, Connection, "RFC 6455 §9.1",
        "Sec-WebSocket-Extensions cannot be read",
        "Extensions are separated by commas, parameters by semicolons; names and values are tokens. What stands behind the fault is not seen by the other side.",
        "Write it as permessage-deflate; client_max_window_bits.",
        fires: "request Sec-WebSocket-Extensions: permessage-deflate; =15",
        near_miss: "request Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=\"15\"";
    DEFLATE_OFFER_INVALID: Error, Connection, "RFC 7692 §7.1",
        "an offer of permessage-deflate has parameters that no server may accept",
        "A server must decline an offer with parameters that are unknown, doubled or out of range; the connection then runs uncompressed, or another offer is taken.",
        "Window bits are numbers from 8 to 15 without leading zeros; the parameters about context takeover have no value.",
        fires: "request Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7",
        near_miss: "request Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8";
}
