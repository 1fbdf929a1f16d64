//! Bodies by each framing, whole and broken.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::http::Head;

fn request(fields: &str) -> BodyFraming {
    let raw = Bytes::from(format!("POST / HTTP/1.1\r\n{fields}\r\n"));
    BodyFraming::of_request(&Head::parse_request(raw, 0).unwrap())
}

fn response(status: u16, method: &str, fields: &str) -> BodyFraming {
    let raw = Bytes::from(format!("HTTP/1.1 {status} X\r\n{fields}\r\n"));
    BodyFraming::of_response(&Head::parse_response(raw, 0).unwrap(), Some(method))
}

#[test]
fn the_fields_tell_how_a_body_is_delimited() {
    use BodyFraming::{Chunked, Length, UntilClose};
    // Fields, and the framing where they are in a message; `None`: they say nothing.
    let rows = [
        ("", None),
        ("Content-Length: 0\r\n", Some(Length(0))),
        ("Content-Length: 42\r\n", Some(Length(42))),
        ("Content-Length: 42, 42\r\ncontent-length: 42\r\n", Some(Length(42))),
        ("Content-Length: 042\r\n", Some(Length(42))),
        ("Content-Length: 18446744073709551615\r\n", Some(Length(u64::MAX))),
        ("Content-Length: 18446744073709551616\r\n", Some(UntilClose)),
        ("Content-Length: 42\r\nContent-Length: 43\r\n", Some(UntilClose)),
        ("Content-Length: +42\r\n", Some(UntilClose)),
        ("Content-Length: \r\n", Some(UntilClose)),
        ("Content-Length: 4 2\r\n", Some(UntilClose)),
        ("Transfer-Encoding: chunked\r\n", Some(Chunked)),
        ("Transfer-Encoding: gzip, Chunked\r\n", Some(Chunked)),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Some(Chunked)),
        ("Transfer-Encoding: chunked\r\nContent-Length: 7\r\n", Some(Chunked)),
        ("Transfer-Encoding: chunked, gzip\r\n", Some(UntilClose)),
        ("Transfer-Encoding: gzip\r\nContent-Length: 7\r\n", Some(UntilClose)),
        ("Transfer-Encoding: identity\r\nContent-Length: 7\r\n", Some(Length(7))),
    ];
    for (fields, expected) in rows {
        assert_eq!(request(fields), expected.unwrap_or(BodyFraming::Empty), "{fields}");
        assert_eq!(response(200, "GET", fields), expected.unwrap_or(UntilClose), "{fields}");
    }
}

#[test]
fn some_responses_have_no_body_whatever_their_fields_say() {
    let fields = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    let rows = [
        (200, "HEAD", true),
        (404, "HEAD", true),
        (100, "POST", true),
        (101, "GET", true),
        (204, "DELETE", true),
        (304, "GET", true),
        (200, "CONNECT", true),
        (299, "CONNECT", true),
        (407, "CONNECT", false),
        (200, "GET", false),
        (205, "GET", false),
    ];
    for (status, method, is_empty) in rows {
        let expected = if is_empty { BodyFraming::Empty } else { BodyFraming::Chunked };
        assert_eq!(response(status, method, fields), expected, "{status} to {method}");
    }
}

/// Content, how it ended, what was left, octets on the wire.
type Seen = (Vec<u8>, Option<Result<(), String>>, Vec<u8>, u64);

fn decode(framing: BodyFraming, chunks: &[&[u8]]) -> Seen {
    let mut decoder = BodyDecoder::new(framing);
    let (mut content, mut ending, mut left) = (Vec::new(), None, Vec::new());
    for mut chunk in chunks.iter().copied() {
        while let Some(part) = decoder.next_part(&mut chunk) {
            assert!(ending.is_none(), "nothing follows the end");
            match part {
                BodyPart::Content(octets) => {
                    assert!(!octets.is_empty());
                    content.extend_from_slice(octets);
                }
                BodyPart::End => ending = Some(Ok(())),
                BodyPart::Invalid(why) => ending = Some(Err(why)),
            }
        }
        assert!(ending.is_some() || chunk.is_empty(), "every octet is taken in");
        left.extend_from_slice(chunk);
    }
    assert_eq!(decoder.content_len(), content.len() as u64);
    (content, ending, left, decoder.wire_len())
}

#[test]
fn bodies_end_where_their_framing_says() {
    use BodyFraming::{Chunked, Empty, Length, UntilClose};
    type Row = (BodyFraming, &'static [u8], &'static [u8], bool, &'static [u8]);
    let rows: [Row; 13] = [
        (Empty, b"", b"", true, b""),
        (Empty, b"GET", b"", true, b"GET"),
        (Length(0), b"", b"", true, b""),
        (Length(5), b"HelloGET", b"Hello", true, b"GET"),
        (Length(6), b"Hello", b"Hello", false, b""),
        (UntilClose, b"Hello", b"Hello", false, b""),
        (Chunked, b"5\r\nHello\r\n0\r\n\r\nGET", b"Hello", true, b"GET"),
        (Chunked, b"005\r\nHello\r\n00\r\n\r\n", b"Hello", true, b""),
        (Chunked, b"5;a=\"b;c\"; d\r\nHello\r\n0;x\r\n\r\n", b"Hello", true, b""),
        (Chunked, b"5 \nHello\n0\n\nGET", b"Hello", true, b"GET"),
        (
            Chunked,
            b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
            b"01234567890123456789",
            true,
            b"",
        ),
        (Chunked, b"0\r\nDigest: x\r\nExpires: 0\r\n\r\nGET", b"", true, b"GET"),
        (Chunked, b"0\r\n\rx\r\n", b"", false, b""),
    ];
    for (framing, octets, content, is_whole, left) in rows {
        let ending = is_whole.then_some(Ok(()));
        let wire_len = (octets.len() - left.len()) as u64;
        let expected = (content.to_vec(), ending, left.to_vec(), wire_len);
        assert_eq!(decode(framing, &[octets]), expected, "{}", octets.escape_ascii());
    }
}

#[test]
fn broken_chunk_framing_is_told_with_its_octet() {
    let rows: [(&[u8], &str, &[u8]); 6] = [
        (
            b"\r\n",
            "a chunk size does not begin with a hex digit: octet 0x0D at octet 0 of the body",
            b"\r\n",
        ),
        (
            b"x",
            "a chunk size does not begin with a hex digit: octet 0x78 at octet 0 of the body",
            b"x",
        ),
        (
            b"5x\r\n",
            "a chunk size has an octet that is no hex digit: octet 0x78 at octet 1 of the body",
            b"x\r\n",
        ),
        (
            b"3\r\nHello",
            "a chunk's data does not end with CRLF: octet 0x6C at octet 6 of the body",
            b"lo",
        ),
        (
            b"1\r\na\rb",
            "a chunk's data does not end with CRLF: octet 0x62 at octet 5 of the body",
            b"b",
        ),
        (
            b"10000000000000000\r\n",
            "a chunk size beyond 64 bits: octet 0x30 at octet 16 of the body",
            b"0\r\n",
        ),
    ];
    for (octets, why, left) in rows {
        let seen = decode(BodyFraming::Chunked, &[octets]);
        assert_eq!(seen.1, Some(Err(why.to_owned())), "{}", octets.escape_ascii());
        assert_eq!(seen.2, left);
        assert_eq!(seen.3, (octets.len() - left.len()) as u64);
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same_body(
        octets in prop_oneof![
            prop::collection::vec(prop::sample::select(&b"0123aF;\r\n\r\n\n x"[..]), 0..60),
            any::<Vec<u8>>(),
        ],
        cuts: Vec<prop::sample::Index>,
        length in 0u64..70,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
        cuts.extend([0, octets.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &octets[w[0]..w[1]]).collect();
        let framings = [
            BodyFraming::Empty,
            BodyFraming::Length(length),
            BodyFraming::Chunked,
            BodyFraming::UntilClose,
        ];
        for framing in framings {
            let whole = decode(framing, &[&octets]);
            prop_assert_eq!(whole.3 + whole.2.len() as u64, octets.len() as u64);
            prop_assert_eq!(decode(framing, &chunks), whole);
        }
    }

    #[test]
    fn what_is_chunked_is_got_back(pieces: Vec<Vec<u8>>) {
        let mut wire = Vec::new();
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            wire.extend_from_slice(format!("{:X};n=\"v\"\r\n", piece.len()).as_bytes());
            wire.extend_from_slice(piece);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\nT: u\r\n\r\n");
        let seen = decode(BodyFraming::Chunked, &[&wire]);
        prop_assert_eq!(seen, (pieces.concat(), Some(Ok(())), Vec::new(), wire.len() as u64));
    }
}
