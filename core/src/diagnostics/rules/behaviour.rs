//! What peers and the path between them do over time: seldom against a MUST, often what hurts.

use super::{Rule, rules};

rules! {
    PING_UNANSWERED: Warning, Connection, "RFC 6455 §5.5.2",
        "a Ping has no Pong",
        "An endpoint must answer a Ping with a Pong of the same payload, as soon as is practical. Without one, whoever asks takes the connection for dead. Told after 10 s.",
        "Look for a peer whose event loop is blocked, a library that does not read while nobody asks for a message, or a Pong with another payload.",
        fires: "
            ↓ 89 02 6869
            wait 11 s
            ↓ 81 01 41
        ",
        near_miss: "
            ↓ 89 02 6869
            ↑ 8a 82 37fa213d 5f93
            wait 11 s
            ↓ 81 01 41
        ";
    PONG_UNSOLICITED: Note, Connection, "RFC 6455 §5.5.3",
        "a Pong that answers no Ping",
        "Allowed: it serves as a heartbeat in one direction, and no answer is due. Where a Ping waits, it is a Pong with the wrong payload.",
        "Nothing, if it is meant so; .NET and older browsers send them to keep connections alive.",
        fires: "↑ 8a 80 37fa213d",
        near_miss: "
            ↓ 89 00
            ↑ 8a 80 37fa213d
        ";
    CONNECTION_IDLE_CUT: Warning, Connection, "RFC 6455 §7.1.7",
        "an idle connection was cut",
        "Nothing was said for as long as a usual idle timeout lasts, then the connection ended without Close: both sides see close code 1006. A timer of a proxy, a load balancer, an address translator or a server went off.",
        "Send a Ping more often than that, from the server or the client; or raise the timeout, such as proxy_read_timeout in nginx.",
        fires: "
            ↓ 81 01 41
            wait 60.02 s
            ↓ FIN
            ↑ FIN
        ",
        near_miss: "
            ↓ 81 01 41
            wait 60.02 s
            ↓ 88 02 03e9
            ↑ 88 82 37fa213d 3413
            ↓ FIN
            ↑ FIN
        ";
    CONNECTION_TLS_FAILED: Warning, Connection, "RFC 6455 §7.4.1",
        "TLS could not be set up",
        "No HTTP was spoken. A WebSocket client tells its program close code 1015 or 1006: neither is ever on the wire.",
        "Read the reason: a client that does not trust the local authority, an upstream whose certificate does not verify, or no version in common.",
        fires: r#"
            http
            note {"failure":{"stage":"client-tls","message":"the client does not trust the certificate"}}
        "#,
        near_miss: r#"
            http
            note {"client_tls_nanos":1200000}
        "#;
    CONSUMER_SLOW: Warning, Connection, "RFC 9293 §3.8.6",
        "a slow consumer: a peer does not read",
        "The buffers on the way to it are full, and it has taken nothing for a second. Whoever sends to it waits, or queues in memory; the Pongs and Closes that it should answer wait too. The proxy tells it, for octets do not show it.",
        "Look at what the receiver does instead of reading: a blocked event loop, a paused debugger, work done for each message before the next is read. Let the sender bound what it queues for each client (bufferedAmount in a browser), and drop or close what falls behind.",
        fires: r#"
            ↓ 81 01 41
            note {"stall":{"direction":"server-to-client","nanos":1000000000,"waiting":130990}}
        "#,
        near_miss: r#"
            ↓ 81 01 41
            note {"stall":{"direction":"server-to-client","nanos":1200000000,"waiting":0,"is_over":true}}
        "#;
    RECONNECT_STORM: Warning, Capture, "RFC 6455 §7.2.3",
        "a client comes back again and again",
        "Ten connections of one client to one target failed one after the other within a minute. A connection fails where it is refused, where it ends without Close, and where the first Close has 1002, 1003 or 1007 to 1014; 1000, 1001 and the codes of libraries and applications from 3000 on end it as it was meant. Clients should wait before they come back, and longer each time; a server that is coming up again is kept down by those that do not.",
        "Let the client wait a random time up to 5 s first, then twice as long each time; and look at why it fails.",
        fires along "HANDSHAKE_REFUSED": "
            repeat 10
            answer HTTP/1.1 503 Service Unavailable
            open
            wait 0.5 s
            ↓ FIN
            connect
            end
        ",
        near_miss: "
            repeat 10
            open
            ↓ 88 02 0fa0
            ↑ 88 82 37fa213d 385a
            ↓ FIN
            ↑ FIN
            wait 0.5 s
            connect
            end
        ";
    MESSAGE_OVERSIZED: Note, Lane, "RFC 6455 §10.4",
        "a message is larger than receivers usually take",
        "Many are set to take 1 MiB or less, and close with 1009 beyond it. Told once for each direction.",
        "Raise the limit on both sides, and of any gateway between them; or send it in several messages, so that others do not wait behind it.",
        fires: "↓ 82 7f 0000000000100001 (00)*1048577",
        near_miss: "↓ 82 7f 0000000000100000 (00)*1048576";
    MESSAGES_TINY: Note, Lane, "RFC 6455 §5.2",
        "a flood of tiny frames",
        "A thousand frames within a second that have less than 32 octets with their headers: most of the work goes into headers, system calls and wake-ups. Told once for each direction.",
        "Put several into one message, or send states instead of steps.",
        fires: "
            ↓ (810141)*1000
            wait 1 s
            ↓ 81 01 41
        ",
        near_miss: "
            ↓ (810141)*999
            wait 1 s
            ↓ 81 01 41
        ";
}
