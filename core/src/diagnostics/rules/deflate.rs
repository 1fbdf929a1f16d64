//! Compressed messages, RFC 7692 §6 to §8. The parameters' rules are with the handshake.

use super::{Rule, rules};

rules! {
    DEFLATE_RSV1_ON_CONTINUATION: Error, Lane, "RFC 7692 §6.1",
        "RSV1 is set on a continuation frame",
        "Only a message's first frame carries the compressed mark; the receiver must fail the connection.",
        "Set RSV1 on the first fragment alone.",
        fires: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ 41 03 f248cd c0 04 c9c90700
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ 41 03 f248cd 80 04 c9c90700
        ";
    DEFLATE_RSV1_ON_CONTROL: Error, Lane, "RFC 7692 §6.1",
        "RSV1 is set on a control frame",
        "Control frames are never compressed; the receiver must fail the connection.",
        "Leave Close, Ping and Pong as they are, and RSV1 at 0.",
        fires: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c9 00
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ 89 00
        ";
    DEFLATE_TAIL_KEPT: Error, Lane, "RFC 7692 §7.2.1",
        "a compressed message still has the octets that are stripped from its end",
        "A sender takes 00 00 ff ff off and a receiver puts it back: with both, the next message cannot be inflated.",
        "Take the last four octets off what the compressor gives when it is flushed.",
        fires: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c1 0b f248cdc9c90700 0000ffff
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c1 07 f248cdc9c90700
        ";
    DEFLATE_WINDOW_EXCEEDED: Error, Lane, "RFC 7692 §7.1.2",
        "a compressed message refers farther back than the window agreed on",
        "A receiver that keeps a window of that size and no larger cannot inflate it, and fails the connection. Others never notice.",
        "Give the compressor the window bits of the handshake. zlib makes 9 of 8, so agree on 9 or more.",
        fires: "
            # 300 octets as they are, then a match 300 back: the window has 256
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8
            ↓ c2 7e 0135 00 2c01 d3fe (61)*300 02861500
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8
            ↓ c2 7e 0135 00 2c01 d3fe (61)*300 02fa1f00
        ";
    DEFLATE_CONTEXT_KEPT: Error, Lane, "RFC 7692 §7.1.1",
        "a compressed message refers to an earlier one, although no context is taken over",
        "The sender agreed to forget its window after each message. A receiver that forgets it too cannot inflate the message, and fails the connection.",
        "Reset the compressor after each message, or do not agree on no_context_takeover.",
        fires: "
            # the second Hello refers to the first
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover
            ↓ c1 07 f248cdc9c90700 c1 05 f200110000
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c1 07 f248cdc9c90700 c1 05 f200110000
        ";
    DEFLATE_INFLATE_FAILED: Error, Lane, "RFC 7692 §7.2.2",
        "a compressed message cannot be inflated",
        "The receiver must fail the connection. With context takeover all later compressed messages of this direction are lost too.",
        "Flush the compressor at the end of each message (an empty one is the octet 00): one that ends within a block, or without the block of a flush, is faulty. Else look for a message that was dropped, sent twice or changed on the way: the sender's and receiver's windows have parted.",
        fires: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c1 07 f648cdc9c90700
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c1 07 f248cdc9c90700
        ";
    DEFLATE_BUDGET_EXCEEDED: Warning, Lane, "RFC 7692 §8",
        "a compressed message inflates beyond the budget",
        "Only its first part is shown. A ratio like this may be meant to exhaust the receiver's memory.",
        "Bound what a receiver inflates, and close with 1009 beyond it.",
        fires along "MESSAGE_OVERSIZED": "
            # one block of repetitions, two bits each: 268,527,433 octets, all 0, come out of 260,215
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c2 7f 000000000003f877 ecc0810000000080a0fda917a900 (00)*260200 06
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c2 07 f248cdc9c90700
        ";
}
