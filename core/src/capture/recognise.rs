//! What a file is that is no capture, by its first octets.

/// Octets that are looked at to say what a file is that is no capture.
pub(crate) const LOOK_LEN: usize = 16;

/// What a file is that begins like this, in the words of a sentence that says what it is not.
pub(crate) fn looks_like(start: &[u8]) -> String {
    let start = start.get(..LOOK_LEN).unwrap_or(start);
    let known: [(&[u8], &str); 14] = [
        (b"\x1f\x8b", "a gzip archive (unpack it first)"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard archive (unpack it first)"),
        (b"PK\x03\x04", "a ZIP archive (unpack it first)"),
        (b"\xd4\xcd\xb2\xa1", "a modified pcap (convert it with editcap)"),
        (b"\x34\xcd\xb2\xa1", "a modified pcap (convert it with editcap)"),
        (b"snoop\0\0\0", "a snoop capture (convert it with editcap)"),
        (b"GMBU", "a Network Monitor capture (convert it with editcap)"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a PNG image"),
        (b"HTTP/1", "an HTTP response"),
        (b"-----BEGIN ", "a PEM file"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*what).to_owned();
    }
    let first = start.iter().find(|octet| !octet.is_ascii_whitespace() && **octet != 0xEF);
    let is_text = start.iter().all(|&octet| octet >= 0x20 || octet.is_ascii_whitespace());
    match first {
        None if start.is_empty() => "an empty file".to_owned(),
        Some(b'{' | b'[') if is_text => "JSON".to_owned(),
        Some(b'<') if is_text => "HTML or XML".to_owned(),
        _ if is_text => "text".to_owned(),
        _ => {
            let octets: Vec<String> =
                start.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
            format!("something that starts with the octets {}", octets.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    #[test]
    fn what_is_no_capture_is_said_to_look_like_what_it_is() {
        for (octets, text) in [
            (&b""[..], "an empty file"),
            (b"\x1f\x8b\x08\0\0\0\0\0", "a gzip archive (unpack it first)"),
            (b"{\"log\":{\"version\":\"1.2\"}}", "JSON"),
            (b"\n <!DOCTYPE html>  ...", "HTML or XML"),
            (b"hello", "text"),
            (b"PK\x03\x04 and so on and on", "a ZIP archive (unpack it first)"),
            (
                &hex!("0001020304050607 08"),
                "something that starts with the octets 00 01 02 03 04 05 06 07",
            ),
        ] {
            assert_eq!(looks_like(octets), text);
        }
    }
}
