//! What is told of which octets.

use hex_literal::hex;

use super::*;

fn found(payload: &[u8]) -> (Format, Confidence, String) {
    let Detection { format, confidence, reason } = detect(payload, &Hints::default());
    (format, confidence, reason)
}

#[test]
fn formats_are_told_with_their_reason() {
    let rows: [(&[u8], Format, &str); 15] = [
        (b"", Format::Text, "is empty"),
        (b"hello, world", Format::Text, "is UTF-8 without control characters"),
        (b" {\"a\": [1]}\n", Format::Json, "begins with { and is JSON to its end"),
        (b"[1,2]", Format::Json, "begins with [ and is JSON to its end"),
        (b"{\"a\":1}\n{\"a\":2}\n", Format::JsonSequence, "is JSON texts in a row to its end"),
        (b"{}\x1e", Format::JsonSequence, "is JSON texts in a row to its end"),
        (b"{not json}", Format::Text, "is UTF-8 without control characters"),
        (b"42[\"chat\",\"hi\"]", Format::Text, "is UTF-8 without control characters"),
        (b"42", Format::Text, "is UTF-8 without control characters"),
        (b"\"hi\"", Format::Json, "is a JSON string"),
        (
            b"eyJhIjpbMSwyXX0=",
            Format::Base64,
            "is base64 of JSON, which begins with { and is JSON to its end",
        ),
        (
            &hex!("82 a161 01 a162 02"),
            Format::MessagePack,
            "is MessagePack to its end: a map with names",
        ),
        (&hex!("a2 6161 01 6162 8102"), Format::Cbor, "is CBOR to its end: a map with names"),
        (&hex!("d9d9f7 01"), Format::Cbor, "begins with d9 d9 f7, the tag of self-described CBOR"),
        (&hex!("ff00fe01"), Format::Octets, "is octets, whatever else it may be"),
    ];
    for (payload, format, reason) in rows {
        let (found, _, why) = found(payload);
        assert_eq!((found, why.as_str()), (format, reason), "{}", payload.escape_ascii());
    }
}

#[test]
fn a_hint_decides_among_what_is_possible() {
    // One number in both.
    let payload = hex!("01");
    let named = |name| detect(&payload, &Hints { names: &[name], ..Hints::default() });
    assert_eq!(named("wamp.2.msgpack").format, Format::MessagePack);
    assert_eq!(named("wamp.2.cbor").format, Format::Cbor);
    assert!(named("application/cbor").reason.ends_with("and application/cbor names it"));
    // What it cannot be it does not become.
    assert_eq!(named("graphql+json").format, detect(&payload, &Hints::default()).format);
}

#[test]
fn the_beginning_of_a_payload_is_told_as_such() {
    let hints = Hints { is_cut: true, ..Hints::default() };
    let detection = detect(b"{\"a\":[1,2", &hints);
    assert_eq!(detection.format, Format::Json);
    assert_eq!(detection.reason, "begins with { and is JSON in its first 9 octets");
    let long = format!("[{}0]", "0,".repeat(LOOK));
    assert_eq!(found(long.as_bytes()).0, Format::Json);
}

#[test]
fn what_may_be_wrong_json_is_offered_behind_text() {
    let all = candidates(b"{\"a\":1,}", &Hints::default());
    let formats: Vec<_> = all.iter().map(|found| found.format).collect();
    assert_eq!(formats, [Format::Text, Format::Json, Format::Octets]);
    assert_eq!(
        all[1].reason,
        "begins with { as JSON does, but at octet 7 a value must follow the comma, not }"
    );
}
