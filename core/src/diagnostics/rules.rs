//! The catalogue of rules: one entry each, with its stable code.

use crate::Severity;

/// One rule of a standard, and what to say when it is broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable code, such as `FRAME_UNMASKED_FROM_CLIENT`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line for a list.
    pub title: &'static str,
    /// The section it comes from, such as `RFC 6455 §5.1`.
    pub section: &'static str,
    /// What it means and what to do, one or two sentences.
    pub advice: &'static str,
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])* $code:ident: $severity:ident, $section:literal, $title:literal, $advice:literal;)*) => {
        $(
            #[doc = $title]
            pub static $code: Rule = Rule {
                code: stringify!($code),
                severity: Severity::$severity,
                title: $title,
                section: $section,
                advice: $advice,
            };
        )*

        /// Every rule, in the order of the standard.
        pub static ALL: &[&Rule] = &[$(&$code),*];
    };
}

rules! {
    HANDSHAKE_METHOD_NOT_GET: Error, "RFC 6455 §4.1", "the opening request's method is not GET",
        "A WebSocket is opened with GET; most servers answer anything else with 405 or 400.";
    HANDSHAKE_HTTP_VERSION: Error, "RFC 6455 §4.1", "the opening request is older than HTTP/1.1",
        "Upgrade exists from HTTP/1.1 on. A proxy on the path that speaks 1.0 upstream is the usual cause.";
    HANDSHAKE_HOST_MISSING: Error, "RFC 6455 §4.1", "the opening request has no Host header",
        "Send Host with the authority of the URL; virtual hosting cannot work without it.";
    HANDSHAKE_HOST_REPEATED: Error, "RFC 9112 §3.2", "Host is there more than once",
        "Send it once; a server must answer 400, and servers that do not differ on which one they take.";
    HANDSHAKE_UPGRADE_MISSING: Error, "RFC 6455 §4.1", "Upgrade does not name websocket",
        "Both request and 101 must carry Upgrade: websocket. A proxy that drops hop-by-hop headers is the usual cause.";
    HANDSHAKE_CONNECTION_MISSING: Error, "RFC 6455 §4.1", "Connection does not name Upgrade",
        "Both request and 101 must carry Connection: Upgrade. A proxy that drops hop-by-hop headers is the usual cause.";
    HANDSHAKE_VERSION_NOT_13: Error, "RFC 6455 §4.1", "Sec-WebSocket-Version is not 13",
        "13 is the only version in use. A server that does not know the version answers 426 and lists what it knows.";
    HANDSHAKE_KEY_MISSING: Error, "RFC 6455 §4.1", "the request has no Sec-WebSocket-Key",
        "Send 16 random octets in base64, fresh for each connection.";
    HANDSHAKE_KEY_INVALID: Error, "RFC 6455 §4.1", "Sec-WebSocket-Key is not 16 octets of base64",
        "Send 16 random octets in base64: 24 characters that end in ==.";
    HANDSHAKE_KEY_REPEATED: Error, "RFC 6455 §11.3.1", "Sec-WebSocket-Key is there more than once",
        "Send it once; servers differ on which one they answer.";
    HANDSHAKE_REFUSED: Warning, "RFC 6455 §4.2.2", "the server did not switch protocols",
        "No WebSocket was opened. The status and its headers say why: 401 and 403 ask for rights, 3xx points elsewhere, 426 lists the versions it knows.";
    HANDSHAKE_ANSWER_HTTP_VERSION: Error, "RFC 6455 §4.2.2", "the 101 is older than HTTP/1.1",
        "Upgrade exists from HTTP/1.1 on; browsers refuse a 101 over HTTP/1.0.";
    HANDSHAKE_ACCEPT_MISSING: Error, "RFC 6455 §4.2.2", "the 101 has no Sec-WebSocket-Accept",
        "The client must fail the connection. Whatever answered did not speak WebSocket.";
    HANDSHAKE_ACCEPT_WRONG: Error, "RFC 6455 §4.2.2", "Sec-WebSocket-Accept does not answer the key",
        "The client must fail the connection. A cached answer, or a server that hashes the wrong text, is the usual cause.";
    HANDSHAKE_ACCEPT_REPEATED: Error, "RFC 6455 §11.3.3", "Sec-WebSocket-Accept is there more than once",
        "Send it once; clients differ on which one they check.";
    HANDSHAKE_SUBPROTOCOL_INVALID: Error, "RFC 6455 §4.1", "Sec-WebSocket-Protocol is not made as it must be",
        "The offers are tokens, none of them twice; the answer names exactly one of them, or the header is left out.";
    HANDSHAKE_SUBPROTOCOL_NOT_OFFERED: Error, "RFC 6455 §4.1", "the server chose a subprotocol that was not offered",
        "The client must fail the connection. Offer it in Sec-WebSocket-Protocol, or let the server choose none.";
    HANDSHAKE_SUBPROTOCOL_UNANSWERED: Note, "RFC 6455 §4.2.2", "subprotocols were offered and none was chosen",
        "Allowed; but a client that relies on one may close at once.";
    HANDSHAKE_EXTENSION_NOT_OFFERED: Error, "RFC 6455 §4.1", "the server uses an extension that was not offered",
        "The client must fail the connection.";
    HANDSHAKE_EXTENSION_SYNTAX: Error, "RFC 6455 §9.1", "Sec-WebSocket-Extensions cannot be read",
        "Extensions are separated by commas, parameters by semicolons; names and values are tokens.";
    HANDSHAKE_EXTENSION_INVALID: Error, "RFC 7692 §7.1", "the extension parameters cannot be accepted",
        "The client must fail the connection; the parameters are unknown, doubled, or out of range.";
    HANDSHAKE_HEAD_MALFORMED: Warning, "RFC 9112 §5", "a line of an HTTP head breaks the grammar",
        "It was read all the same; stricter peers and proxies answer 400 or read it differently.";
    HANDSHAKE_HEAD_INVALID: Error, "RFC 9112 §2.2", "an HTTP head cannot be read",
        "The octets are shown as they came. What follows on this connection is not followed any further.";
    FRAME_UNMASKED_FROM_CLIENT: Error, "RFC 6455 §5.1", "a client frame is not masked",
        "A client must mask every frame; the server must close with 1002. Fix the client's framing library.";
    FRAME_MASKED_FROM_SERVER: Error, "RFC 6455 §5.1", "a server frame is masked",
        "A server must not mask; the client must close with 1002.";
    FRAME_RSV_WITHOUT_EXTENSION: Error, "RFC 6455 §5.2", "a reserved bit is set that no extension claims",
        "The receiver must fail the connection. Often a sender compresses although permessage-deflate was not agreed on.";
    FRAME_OPCODE_RESERVED: Error, "RFC 6455 §5.2", "a reserved opcode",
        "The receiver must fail the connection. Often the framing went out of step before this frame.";
    FRAME_LENGTH_NOT_MINIMAL: Error, "RFC 6455 §5.2", "the payload length is not in its shortest form",
        "The shortest form must be used; strict receivers close with 1002.";
    FRAME_LENGTH_TOP_BIT: Error, "RFC 6455 §5.2", "the 64-bit payload length has its top bit set",
        "It must be 0. Almost always the framing went out of step before this frame.";
    CONTROL_FRAGMENTED: Error, "RFC 6455 §5.5", "a control frame is fragmented",
        "Control frames must have FIN set.";
    CONTROL_TOO_LONG: Error, "RFC 6455 §5.5", "a control frame is longer than 125 octets",
        "Control frames carry at most 125 octets; strict receivers close with 1002.";
    CLOSE_BODY_ONE_OCTET: Error, "RFC 6455 §5.5.1", "a Close body of one octet",
        "A Close body is empty or starts with a two-octet code.";
    CLOSE_CODE_FORBIDDEN: Error, "RFC 6455 §7.4", "a close code that must not be sent",
        "1004, 1005, 1006 and 1015 are never sent, and numbers below 1000, 1016–2999 and above 4999 are not assigned.";
    CLOSE_REASON_NOT_UTF8: Error, "RFC 6455 §5.5.1", "the close reason is not UTF-8",
        "The reason is text: encode it as UTF-8 and do not cut it inside a character.";
    FRAME_AFTER_CLOSE: Error, "RFC 6455 §5.5.1", "a frame after Close",
        "After its Close an endpoint must not send any more frames.";
    MESSAGE_INTERLEAVED: Error, "RFC 6455 §5.4", "a new message begins inside a fragmented one",
        "Finish the fragmented message first; only control frames may stand between its fragments.";
    CONTINUATION_WITHOUT_MESSAGE: Error, "RFC 6455 §5.4", "a continuation frame with nothing to continue",
        "A message begins with a text or binary frame. Often two writers share one socket without a lock.";
    TEXT_NOT_UTF8: Error, "RFC 6455 §8.1", "a text message is not UTF-8",
        "The receiver must close with 1007. Send binary, or encode as UTF-8.";
    DEFLATE_RSV1_ON_CONTINUATION: Error, "RFC 7692 §6.1", "RSV1 is set on a continuation frame",
        "Only a message's first frame may carry the compressed mark.";
    DEFLATE_INFLATE_FAILED: Error, "RFC 7692 §7.2.2", "a compressed message cannot be inflated",
        "The receiver must fail the connection. The sender's and receiver's sliding windows may have parted.";
    DEFLATE_BUDGET_EXCEEDED: Warning, "RFC 7692 §8", "a compressed message inflates beyond the budget",
        "Only its first part is shown. A ratio like this may be meant to exhaust the receiver's memory.";
    CONNECTION_CUT_IN_FRAME: Warning, "RFC 6455 §7.1.7", "the connection ended in the middle of a frame",
        "The receiver saw close code 1006. The sender crashed, or something on the path cut the connection.";
    CONNECTION_WITHOUT_CLOSE: Warning, "RFC 6455 §7.1.1", "the connection ended without a Close frame",
        "Both sides saw close code 1006. A timeout on the path, or a peer that exits without closing, is the usual cause.";
}

/// The rule with this code.
pub fn by_code(code: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(code))
}
