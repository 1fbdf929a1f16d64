//! Telling protocols apart by their first octets, once there are enough of them to be certain.

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// A TLS handshake record (RFC 8446 §5.1).
    Tls,
    /// An HTTP/1 request line (RFC 9112 §3).
    Http1,
    /// The preface of HTTP/2 (RFC 9113 §3.4).
    Http2,
    /// SOCKS 4 or 5 (RFC 1928 §3).
    Socks,
    /// None of these.
    Unknown,
}

/// How HTTP/2 begins. Its first line is an HTTP/1 request line too, of a method nobody else uses.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The longest HTTP method that is waited for; the longest registered one has 17 octets.
const LONGEST_METHOD: usize = 32;

/// What `octets`, the first of a connection, are; `None` while more are needed to be certain.
pub fn sniff(octets: &[u8]) -> Option<Protocol> {
    match octets {
        [] | [0x16] => None,
        // ContentType handshake, then ProtocolVersion: the major version has been 3 since SSL 3.
        [0x16, 0x03, ..] => Some(Protocol::Tls),
        [0x04 | 0x05, ..] => Some(Protocol::Socks),
        _ if octets.starts_with(HTTP2_PREFACE) => Some(Protocol::Http2),
        _ if HTTP2_PREFACE.starts_with(octets) => None,
        _ => sniff_http1(octets),
    }
}

/// A method is a token, followed by a space; empty lines may stand before it (RFC 9112 §2.2).
fn sniff_http1(octets: &[u8]) -> Option<Protocol> {
    let mut line = octets.iter().skip_while(|octet| matches!(octet, b'\r' | b'\n')).peekable();
    let mut method_len = 0;
    while line.next_if(|octet| is_tchar(**octet)).is_some() {
        method_len += 1;
    }
    match line.next() {
        Some(b' ') if method_len > 0 => Some(Protocol::Http1),
        None if method_len <= LONGEST_METHOD && octets.len() <= 2 * LONGEST_METHOD => None,
        _ => Some(Protocol::Unknown),
    }
}

/// RFC 9110 §5.6.2.
const fn is_tchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [(&[u8], Protocol); 16] = [
        (&[0x16, 0x03, 0x01, 0x02, 0x00], Protocol::Tls),
        (&[0x16, 0x03, 0x03], Protocol::Tls),
        (&[0x16, 0x02, 0x00], Protocol::Unknown),
        (b"GET / HTTP/1.1\r\n", Protocol::Http1),
        (b"\r\n\r\nGET / HTTP/1.1\r\n", Protocol::Http1),
        (b"P /", Protocol::Http1),
        (b"PRI * HTTP/1.1\r\n", Protocol::Http1),
        (b"PROPFIND /x HTTP/1.1\r\n", Protocol::Http1),
        (b"x-odd!#$%&'*+-.^_`|~ / HTTP/1.1\r\n", Protocol::Http1),
        (HTTP2_PREFACE, Protocol::Http2),
        (&[0x05, 0x01, 0x00], Protocol::Socks),
        (&[0x04, 0x01], Protocol::Socks),
        (b" GET / HTTP/1.1\r\n", Protocol::Unknown),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Protocol::Unknown),
        (&[0x81, 0x85, 0x37, 0xfa], Protocol::Unknown),
        (&[b'A'; 70], Protocol::Unknown),
    ];

    #[test]
    fn first_octets_tell_the_protocol() {
        for (octets, expected) in ROWS {
            assert_eq!(sniff(octets), Some(expected), "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn no_beginning_of_a_protocol_is_taken_for_another() {
        for (octets, expected) in ROWS.into_iter().filter(|row| row.1 != Protocol::Unknown) {
            for len in 0..octets.len() {
                let early = sniff(&octets[..len]);
                let begins = octets[..len].escape_ascii();
                assert!(early.is_none_or(|protocol| protocol == expected), "{begins}: {early:?}");
            }
        }
    }

    #[test]
    fn endless_empty_lines_are_not_waited_for() {
        assert_eq!(sniff(&b"\r\n".repeat(40)), Some(Protocol::Unknown));
    }
}
