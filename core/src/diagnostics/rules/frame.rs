//! Frames and the messages they carry, RFC 6455 §5 and §8.1.

use super::{Rule, rules};

rules! {
    FRAME_UNMASKED_FROM_CLIENT: Error, Lane, "RFC 6455 §5.1",
        "a client frame is not masked",
        "A client must mask every frame, so that what a page sends cannot be made to look like HTTP to a proxy; the server must close with 1002.",
        "Fix the client's framing library, or look for a proxy that passes frames on without masking them anew.",
        fires: "↑ 81 01 41",
        near_miss: "↑ 81 81 37fa213d 76";
    FRAME_MASKED_FROM_SERVER: Error, Lane, "RFC 6455 §5.1",
        "a server frame is masked",
        "A server must not mask; the client must close with 1002.",
        "Fix the server's framing library: often one code serves both roles and was told the wrong one.",
        fires: "↓ 81 81 37fa213d 76",
        near_miss: "↓ 81 01 41";
    FRAME_RSV_WITHOUT_EXTENSION: Error, Lane, "RFC 6455 §5.2",
        "a reserved bit is set that no extension claims",
        "The receiver must fail the connection.",
        "Look at the handshake: often a sender compresses although permessage-deflate was not agreed on, or the framing went out of step before this frame.",
        fires: "↓ c1 01 41",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c1 07 f248cdc9c90700
        ";
    FRAME_OPCODE_RESERVED: Error, Lane, "RFC 6455 §5.2",
        "a reserved opcode",
        "0x3 to 0x7 and 0xB to 0xF have no meaning yet; the receiver must fail the connection.",
        "Look at the frame before: often its length was told wrongly and the framing is out of step.",
        fires: "↓ 83 00",
        near_miss: "↓ 82 00";
    FRAME_LENGTH_NOT_MINIMAL: Error, Lane, "RFC 6455 §5.2",
        "the payload length is not in its shortest form",
        "Lengths up to 125 stand in 7 bits, up to 65,535 in 16; strict receivers close with 1002.",
        "Choose the form by the length, when the header is written.",
        fires: "↓ 82 7e 007d (00)*125",
        near_miss: "↓ 82 7e 007e (00)*126";
    FRAME_LENGTH_TOP_BIT: Error, Lane, "RFC 6455 §5.2",
        "the 64-bit payload length has its top bit set",
        "It must be 0. The receiver must fail the connection; what follows in this direction is not followed any further.",
        "Look at the frames before: almost always the framing went out of step there.",
        fires: "↓ 82 7f 8000000000000000",
        near_miss: "↓ 82 7f 7fffffffffffffff";
    CONTROL_FRAGMENTED: Error, Lane, "RFC 6455 §5.5",
        "a control frame is fragmented",
        "Close, Ping and Pong must have FIN set, so that they can stand between the fragments of a message.",
        "Send it whole.",
        fires: "↓ 09 00",
        near_miss: "↓ 01 00 89 00 80 00";
    CONTROL_TOO_LONG: Error, Lane, "RFC 6455 §5.5",
        "a control frame is longer than 125 octets",
        "Strict receivers close with 1002.",
        "Cut the close reason to 123 octets, at the end of a character.",
        fires: "↓ 89 7e 007e (00)*126",
        near_miss: "↓ 89 7d (00)*125";
    MASKING_KEY_ZERO: Error, Lane, "RFC 6455 §5.3",
        "masking keys are zero",
        "A key of zero masks nothing: what a page sends stands on the wire as it is, and can be made to look like HTTP to a proxy. One such key may be chance, so it takes two running.",
        "Take each key from a strong source of random octets.",
        fires: "↑ 81 81 00000000 41 81 81 00000000 42",
        near_miss: "↑ 81 81 00000000 41 81 81 37fa213d 76";
    MASKING_KEY_REPEATED: Error, Lane, "RFC 6455 §5.3",
        "masking keys repeat",
        "Each frame needs a fresh key: whoever can foretell it can choose what stands on the wire. Two that are the same may be chance, so it takes three running.",
        "Take a new key for each frame from a strong source of random octets.",
        fires: "↑ (818137fa213d76)*3",
        near_miss: "↑ (818137fa213d76)*2 81 81 5d0b8e41 1c";
    MASKING_KEY_PREDICTABLE: Error, Lane, "RFC 6455 §5.3",
        "masking keys can be foretold",
        "Four keys running count in even steps, or some bits never changed in 64 keys. A key must not make it simple to foretell the next one.",
        "Take each key from a strong source of random octets, all 32 bits of it; not from a counter, and not from a generator of 15 or 31 bits.",
        fires: "↑ 81 80 37fa213d 81 80 37fa213e 81 80 37fa213f 81 80 37fa2140",
        near_miss: "↑ 81 80 37fa213d 81 80 37fa213e 81 80 37fa213f 81 80 37fa2141";
    MESSAGE_INTERLEAVED: Error, Lane, "RFC 6455 §5.4",
        "a new message begins inside a fragmented one",
        "Only control frames may stand between the fragments of a message; the receiver closes with 1002.",
        "Finish the fragmented message first. Often two writers share one socket without a lock.",
        fires: "↓ 01 01 41 81 01 42",
        near_miss: "↓ 01 01 41 80 01 42";
    CONTINUATION_WITHOUT_MESSAGE: Error, Lane, "RFC 6455 §5.4",
        "a continuation frame with nothing to continue",
        "A message begins with a text or binary frame; the receiver closes with 1002.",
        "Begin with opcode 0x1 or 0x2. Often two writers share one socket without a lock.",
        fires: "↓ 80 01 41",
        near_miss: "↓ 01 00 80 01 41";
    TEXT_NOT_UTF8: Error, Lane, "RFC 6455 §8.1",
        "a text message is not UTF-8",
        "The receiver must close with 1007. Fragments may be cut inside a character; the whole message must be text.",
        "Send binary, or encode as UTF-8. Often a text was cut by octets, or is Latin-1.",
        fires: "↓ 01 02 61c3 80 01 28",
        near_miss: "↓ 01 02 61c3 80 01 a9";
}
