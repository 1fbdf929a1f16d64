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
    DEFLATE_INFLATE_FAILED: Error, Lane, "RFC 7692 §7.2.2",
        "a compressed message cannot be inflated",
        "The receiver must fail the connection. With context takeover all later compressed messages of this direction are lost too.",
        "Look for a message that was dropped, sent twice or changed on the way: the sender's and receiver's windows have parted.",
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
        fires: "
            # told with a budget of 100,000 octets: 101,137 of them, all 0x61, come out of 640
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c2 7e 0280 4a1c (05a360148c8251300a46c12818)*48 05a360148c8251300a46c128 0000
        ",
        near_miss: "
            request Sec-WebSocket-Extensions: permessage-deflate
            answer Sec-WebSocket-Extensions: permessage-deflate
            ↓ c2 07 f248cdc9c90700
        ";
}
