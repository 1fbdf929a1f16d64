//! HTTP/1.1 heads and bodies, RFC 9110 and RFC 9112: of pages and of opening handshakes alike.

use super::{Rule, rules};

rules! {
    HTTP_HEAD_INVALID: Error, Lane, "RFC 9112 §2.2",
        "an HTTP head cannot be read",
        "The first line is neither a request line nor a status line, or the head is longer than any server takes. What follows in this direction is not followed any further.",
        "Look at the octets: TLS on a plain port, another protocol, or a body that was longer than its head said are the usual causes.",
        fires: r#"
            ask
            ↓ "SSH-2.0-OpenSSH_9.2\r\n\r\n"
        "#,
        near_miss: "http";
    HTTP_LINE_FEED_ALONE: Warning, Lane, "RFC 9112 §2.2",
        "a line of a head ends with LF alone",
        "Lines end with CRLF. A recipient may take LF for it, and some do not: what one reader takes for a field is part of the value for another.",
        "Send CRLF. A head put together by hand, or read from a text file, is the usual cause.",
        fires: r"
            request + X-A: 1\nX-B: 2
        ",
        near_miss: r"
            request + X-A: 1\r\nX-B: 2
        ";
    HTTP_START_LINE_TAIL: Warning, Lane, "RFC 9112 §3",
        "octets stand where the first line of a head should end",
        "It was read all the same; stricter servers answer 400.",
        "Encode spaces in the request target as %20, and end the line behind the version.",
        fires: r"
            request GET /chat HTTP/1.1 now
        ",
        near_miss: r"
            request GET /chat%20HTTP/1.1 HTTP/1.1
        ";
    HTTP_SPACE_BEFORE_FIELDS: Error, Lane, "RFC 9112 §2.2",
        "white space stands between the first line and the first field",
        "A recipient must refuse such a head or pass the line over. Readers that differ on it can be played against each other.",
        "Do not begin a line of the head with white space.",
        fires: r"
            request GET /chat HTTP/1.1\r\n X-A: 1
        ",
        near_miss: r"
            request GET /chat HTTP/1.1\r\nX-A: 1
        ";
    HTTP_LINE_WITHOUT_COLON: Error, Lane, "RFC 9112 §5",
        "a line of a head has no colon",
        "It is no field; it was passed over here, and stricter servers answer 400.",
        "Send each field as its name, a colon and its value.",
        fires: "request + X-A",
        near_miss: "request + X-A:";
    HTTP_SPACE_BEFORE_COLON: Error, Lane, "RFC 9112 §5.1",
        "white space stands between a field's name and its colon",
        "A server must answer 400 and a proxy must take the space out: differences here have been used to smuggle requests.",
        "Put the colon straight behind the name.",
        fires: "request + X-A : 1",
        near_miss: "request + X-A:  1 ";
    HTTP_FIELD_NAME_INVALID: Error, Lane, "RFC 9110 §5.1",
        "a field's name is not a token",
        "Names are made of letters, digits and a few signs. Strict readers refuse the whole head.",
        "Take out what no token has: spaces, quotes, colons, letters outside of ASCII.",
        fires: "request + X(A): 1",
        near_miss: "request + X-A!: 1";
    HTTP_FIELD_VALUE_CONTROL: Error, Lane, "RFC 9110 §5.5",
        "a field's value has a control octet",
        "NUL, a lone CR and the like are never part of a value. A recipient must refuse them or put a space in their place.",
        "Encode the value before it is sent. A value taken unchecked from a user may split the head in two.",
        fires: r"
            request + X-A: 1\x00
        ",
        near_miss: r"
            request + X-A: 1\t2
        ";
    HTTP_FIELD_FOLDED: Error, Lane, "RFC 9112 §5.2",
        "a field's value is folded over several lines",
        "Folding is obsolete: a sender must not do it, and a server must answer 400 or join the lines.",
        "Send the value on one line.",
        fires: r"
            request + X-A: 1,\r\n 2
        ",
        near_miss: r"
            request + X-A: 1,\r\nX-A: 2
        ";
    HTTP_HOST_MISSING: Error, Lane, "RFC 9112 §3.2",
        "an HTTP/1.1 request has no Host",
        "A server must answer 400: it cannot tell which site is meant.",
        "Send Host with the authority of the URL.",
        fires: "
            http
            request - Host
        ",
        near_miss: "
            http
            request GET / HTTP/1.0
            request - Host
        ";
    HTTP_HOST_REPEATED: Error, Lane, "RFC 9112 §3.2",
        "Host is there more than once",
        "A server must answer 400. Servers and proxies that do not differ on which one they take.",
        "Send it once.",
        fires: "
            http
            request + Host: b.example
        ",
        near_miss: "
            http
            request + X-Forwarded-Host: b.example
        ";
    HTTP_LENGTH_AND_CHUNKED: Error, Lane, "RFC 9112 §6.2",
        "Content-Length and Transfer-Encoding are both there",
        "A sender must not send both. Readers that believe different ones see different requests: this is how requests are smuggled.",
        "Send one of them. Whoever gets both must close the connection after the answer.",
        fires: r#"
            http
            request POST / HTTP/1.1
            request Content-Length: 5
            request Transfer-Encoding: chunked
            ask
            ↑ "0\r\n\r\n"
            open
        "#,
        near_miss: r#"
            http
            request POST / HTTP/1.1
            request Transfer-Encoding: chunked
            ask
            ↑ "0\r\n\r\n"
            open
        "#;
    HTTP_CONTENT_LENGTH_INVALID: Error, Lane, "RFC 9112 §6.3",
        "Content-Length is no number, or says several",
        "Nobody can tell where the message ends. A server must answer 400 and close.",
        "Send one Content-Length, in decimal digits.",
        fires: "
            http
            answer Content-Length: 0, 5
        ",
        near_miss: "
            http
            answer Content-Length: 0, 0
        ";
    HTTP_TRANSFER_ENCODING_INVALID: Error, Lane, "RFC 9112 §6.1",
        "Transfer-Encoding cannot tell where the message ends",
        "In a request chunked must be the last coding; nowhere may it stand twice, and HTTP/1.0 does not know the field. A server must answer 400 and close.",
        "Send Transfer-Encoding: chunked, once, over HTTP/1.1.",
        fires: "
            http
            request POST / HTTP/1.1
            request Transfer-Encoding: chunked, gzip
        ",
        near_miss: r#"
            http
            request POST / HTTP/1.1
            request Transfer-Encoding: gzip, chunked
            ask
            ↑ "0\r\n\r\n"
            open
        "#;
    HTTP_LENGTH_FORBIDDEN: Error, Lane, "RFC 9110 §8.6",
        "an answer that has no body says how long its body is",
        "Answers with 1xx and 204 must have neither Content-Length nor Transfer-Encoding; a client may wait for a body that never comes, or take the first frames for it.",
        "Leave the field out of a 101.",
        fires: "answer + Content-Length: 0",
        near_miss: "answer + Content-Type: text/plain";
    HTTP_BODY_INVALID: Error, Lane, "RFC 9112 §7.1",
        "a chunked body breaks its framing",
        "The size of a chunk is no hexadecimal number, or its data does not end where the size says. What follows in this direction is not followed any further.",
        "Count octets, not characters, and send CRLF behind the size and behind the data.",
        fires: r#"
            http
            answer - Content-Length
            answer Transfer-Encoding: chunked
            open
            ↓ "3\r\nabcd\r\n0\r\n\r\n"
        "#,
        near_miss: r#"
            http
            answer - Content-Length
            answer Transfer-Encoding: chunked
            open
            ↓ "4\r\nabcd\r\n0\r\n\r\n"
        "#;
    HTTP_MESSAGE_CUT: Warning, Connection, "RFC 9112 §8",
        "an HTTP message was cut short",
        "The sender closed before the head ended, or before the body had the length that its head told. The receiver must not take what came for the whole. An answer that is cut because its client left before is not told.",
        "Look at who closed: a crash, a timeout on the path, or a length that was counted wrongly.",
        fires: r#"
            http
            answer Content-Length: 5
            open
            ↓ "abcd"
            ↓ FIN
        "#,
        near_miss: r#"
            http
            answer Content-Length: 5
            open
            ↓ "abcde"
            ↓ FIN
        "#;
}
