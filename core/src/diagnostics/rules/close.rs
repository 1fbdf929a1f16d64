//! Close frames and how a connection ends, RFC 6455 §5.5.1 and §7.

use super::{Rule, rules};

rules! {
    CLOSE_BODY_ONE_OCTET: Error, Lane, "RFC 6455 §5.5.1",
        "a Close body of one octet",
        "A Close body is empty or starts with a two-octet code; the receiver takes it for a protocol error.",
        "Send the code in two octets, the high one first.",
        fires: "↓ 88 01 03",
        near_miss: "↓ 88 02 03e8";
    CLOSE_CODE_FORBIDDEN: Error, Lane, "RFC 6455 §7.4",
        "a close code that must not be sent",
        "1004, 1005, 1006 and 1015 stand for what was not sent, and numbers below 1000, 1016–2999 and above 4999 are not assigned. The receiver closes with 1002.",
        "Send 1000, 1001, a code of the registry, or one of your own from 4000 to 4999.",
        fires: "↓ 88 02 03ee",
        near_miss: "↓ 88 02 0fa0";
    CLOSE_REASON_NOT_UTF8: Error, Lane, "RFC 6455 §5.5.1",
        "the close reason is not UTF-8",
        "The reason is text; the receiver closes with 1007 or drops it.",
        "Encode it as UTF-8, and do not cut it inside a character.",
        fires: "↓ 88 04 03e8 61c3",
        near_miss: "↓ 88 05 03e8 61c3a9";
    FRAME_AFTER_CLOSE: Error, Lane, "RFC 6455 §5.5.1",
        "data or a second Close after Close",
        "After its Close an endpoint must not send any more data frames; the other side does not read them. Ping and Pong may follow.",
        "Wait for what is still to be sent before closing. Often another task goes on writing.",
        fires: "↓ 88 02 03e8 81 01 41",
        near_miss: "
            ↑ 88 82 37fa213d 3412
            ↓ 89 01 41 88 02 03e8
            ↑ 8a 81 37fa213d 76
        ";
    CLOSE_FOR_FAULT: Warning, Connection, "RFC 6455 §7.4.1",
        "a peer closed because of a fault",
        "1002, 1003, 1007 to 1011 and 1014 say that something was wrong with what the other side sent, or with the sender itself.",
        "Read the reason, and what the other direction had just sent.",
        fires: "
            ↓ 88 0f 03f3 6f7574206f66206d656d6f7279
            ↑ 88 82 37fa213d 3409
        ",
        near_miss: "
            ↓ 88 0f 0fa0 6f7574206f66206d656d6f7279
            ↑ 88 82 37fa213d 385a
        ";
    CLOSE_NOT_ANSWERED: Error, Connection, "RFC 6455 §5.5.1",
        "a Close was not answered",
        "An endpoint that receives a Close must send one in response before it ends the connection. The program on the other side is told 1006 instead of a clean close.",
        "Let the library finish the closing handshake before the socket is closed.",
        fires: "
            ↑ 88 82 37fa213d 3412
            ↓ FIN
            ↑ FIN
        ",
        near_miss: "
            ↑ 88 82 37fa213d 3412
            ↓ 88 02 03e8
            ↓ FIN
            ↑ FIN
        ";
    CLOSE_NOT_AWAITED: Note, Connection, "RFC 6455 §7.1.1",
        "whoever sent Close did not wait for the answer",
        "It ended the connection before the other side's Close came: what that side was still sending is lost, and it may see a reset. A browser does so when a page is left, and a library when its closing timeout is over.",
        "Wait for the answer, with a timeout of some seconds.",
        fires: "
            ↑ 88 82 37fa213d 3412
            ↑ FIN
            ↓ FIN
        ",
        near_miss: "
            ↑ 88 82 37fa213d 3412
            ↓ 88 02 03e8
            ↑ FIN
            ↓ FIN
        ";
    CLOSE_LINGERED: Warning, Connection, "RFC 6455 §5.5.1",
        "TCP stayed open after both Close frames",
        "Once both were sent, the server must end TCP at once, and the client may wait for it, but no longer. Told of the side that took 10 s or more.",
        "Close the socket when the closing handshake is over.",
        fires: "
            ↑ 88 82 37fa213d 3412
            ↓ 88 02 03e8
            wait 30 s
            ↑ FIN
            ↓ FIN
        ",
        near_miss: "
            ↑ 88 82 37fa213d 3412
            ↓ 88 02 03e8
            wait 9 s
            ↑ FIN
            ↓ FIN
        ";
    CONNECTION_CUT_IN_FRAME: Warning, Lane, "RFC 6455 §7.1.7",
        "the connection ended in the middle of a frame",
        "The receiver sees close code 1006, and drops what came of the frame.",
        "Look at who ended it: the sender crashed, or something on the path cut the connection.",
        fires: "
            ↓ 82 05 0102
            ↓ FIN
        ",
        near_miss: "
            ↓ 82 02 0102
            ↓ FIN
        ";
    CONNECTION_WITHOUT_CLOSE: Warning, Connection, "RFC 6455 §7.1.1",
        "the connection ended without a Close frame",
        "Both sides see close code 1006, which is never sent: it stands for a Close that did not come.",
        "Look at who ended it: a peer that exits without closing, a server that was stopped, or a network that changed.",
        fires: "
            ↓ 81 01 41
            ↓ FIN
            ↑ FIN
        ",
        near_miss: "
            ↓ 88 02 03e8
            ↑ 88 82 37fa213d 3412
            ↓ FIN
            ↑ FIN
        ";
}
