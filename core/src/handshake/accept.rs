//! `Sec-WebSocket-Accept`, RFC 6455 §4.2.2: base64(SHA-1(key ++ GUID)).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest as _, Sha1};

use crate::Head;

/// The GUID that every server appends to the key (RFC 6455 §1.3).
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The accept value, with every step on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptDerivation {
    /// `Sec-WebSocket-Key` as sent, without surrounding white space.
    pub key: String,
    /// The octets the key stands for; `None` where it is not base64 of 16 octets.
    pub nonce: Option<[u8; 16]>,
    /// The key followed by the GUID.
    pub concatenated: String,
    /// SHA-1 of that text.
    pub sha1: [u8; 20],
    /// That digest in base64: what the server must answer.
    pub accept: String,
}

impl AcceptDerivation {
    /// Derives the accept value for `key`, which need not be valid: servers hash what they get.
    pub fn new(key: &str) -> Self {
        Self::of_octets(key.as_bytes())
    }

    /// As [`AcceptDerivation::new`], for a key that may not even be text; it is hashed as it is, and
    /// shown with U+FFFD for what is not UTF-8.
    pub fn of_octets(key: &[u8]) -> Self {
        let sha1 = Sha1::new().chain_update(key).chain_update(GUID).finalize().into();
        let text = String::from_utf8_lossy(key).into_owned();
        Self {
            nonce: nonce(key),
            concatenated: format!("{text}{GUID}"),
            key: text,
            sha1,
            accept: STANDARD.encode(sha1),
        }
    }
}

/// "A base64-encoded value that, when decoded, is 16 bytes in length" (RFC 6455 §4.2.1). Bits behind
/// the last octet may be anything: RFC 4648 §3.5 leaves it to the decoder.
fn nonce(key: &[u8]) -> Option<[u8; 16]> {
    const FORGIVING: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    FORGIVING.decode(key).ok()?.try_into().ok()
}

/// What the server answered, held against what it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptCheck {
    /// `None` where the request has no key.
    pub derivation: Option<AcceptDerivation>,
    /// `Sec-WebSocket-Accept` as answered, without surrounding white space.
    pub answered: Option<String>,
    /// The outcome.
    pub verdict: AcceptVerdict,
}

impl AcceptCheck {
    /// Holds the answer in `response` against the key in `request`: the first of each, where there
    /// are several.
    pub fn new(request: &Head, response: &Head) -> Self {
        let derivation =
            request.values("Sec-WebSocket-Key").next().map(AcceptDerivation::of_octets);
        let answered = response.values("Sec-WebSocket-Accept").next();
        let verdict = match (response.status(), &derivation, answered) {
            (Some(101), None, _) => AcceptVerdict::NoKey,
            (Some(101), Some(_), None) => AcceptVerdict::Missing,
            (Some(101), Some(derivation), Some(answered)) => {
                if derivation.accept.as_bytes() == answered {
                    AcceptVerdict::Matches
                } else {
                    AcceptVerdict::Differs
                }
            }
            _ => AcceptVerdict::NotDue,
        };
        let answered = answered.map(|answered| String::from_utf8_lossy(answered).into_owned());
        Self { derivation, answered, verdict }
    }
}

/// Whether the accept value is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AcceptVerdict {
    /// It answers the key.
    Matches,
    /// It does not.
    Differs,
    /// A 101 without it.
    Missing,
    /// The request has no key, so there is nothing to answer.
    NoKey,
    /// The answer is not a 101, so none is due.
    NotDue,
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_step_of_rfc_6455_section_1_3() {
        let derivation = AcceptDerivation::new("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(derivation.key, "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(derivation.nonce.as_ref(), Some(b"the sample nonce"));
        assert_eq!(
            derivation.concatenated,
            "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        );
        assert_eq!(derivation.sha1, hex!("b37a4f2c c0624f16 90f64606 cf385945 b2bec4ea"));
        assert_eq!(derivation.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_sixteen_octets_of_base64_or_has_no_nonce() {
        let rows = [
            ("dGhlIHNhbXBsZSBub25jZQ==", true),
            ("AAAAAAAAAAAAAAAAAAAAAA==", true),
            ("AAAAAAAAAAAAAAAAAAAAAB==", true),
            ("", false),
            ("dGhlIHNhbXBsZSBub25jZQ", false),
            ("dGhlIHNhbXBsZSBub25jZQ=", false),
            ("dGhlIHNhbXBsZSBub25jZSE=", false),
            ("dGhlIHNhbXBsZSBub25j", false),
            ("dGhlIHNhbXBsZSBub25jZ_==", false),
            ("dGhlIHNhbXBsZSBub25jZQ== ", false),
        ];
        for (key, is_nonce) in rows {
            let derivation = AcceptDerivation::new(key);
            assert_eq!(derivation.nonce.is_some(), is_nonce, "{key:?}");
            assert_eq!(derivation.accept.len(), 28, "servers hash what they get");
        }
    }

    fn check(key: &[u8], status: u16, accept: &[u8]) -> AcceptCheck {
        let request = [b"GET / HTTP/1.1\r\n", key, b"\r\n"].concat();
        let status = format!("HTTP/1.1 {status} X\r\n");
        let response = [status.as_bytes(), accept, b"\r\n"].concat();
        AcceptCheck::new(
            &Head::parse_request(Bytes::from(request), 0).unwrap(),
            &Head::parse_response(Bytes::from(response), 0).unwrap(),
        )
    }

    #[test]
    fn the_verdict_tells_what_the_server_did() {
        const KEY: &[u8] = b"Sec-WebSocket-Key: \tdGhlIHNhbXBsZSBub25jZQ== \r\n";
        const ACCEPT: &[u8] = b"sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        const WRONG: &[u8] = b"Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        let rows = [
            (KEY, 101, ACCEPT, AcceptVerdict::Matches),
            (KEY, 101, WRONG, AcceptVerdict::Differs),
            (KEY, 101, b"Sec-WebSocket-Accept:\r\n", AcceptVerdict::Differs),
            (KEY, 101, b"", AcceptVerdict::Missing),
            (b"", 101, ACCEPT, AcceptVerdict::NoKey),
            (b"", 101, b"", AcceptVerdict::NoKey),
            (KEY, 200, ACCEPT, AcceptVerdict::NotDue),
            (b"", 403, b"", AcceptVerdict::NotDue),
        ];
        for (key, status, accept, verdict) in rows {
            let told = check(key, status, accept);
            assert_eq!(told.verdict, verdict, "{key:?} {status} {accept:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_text_is_hashed_as_it_is() {
        let told = check(b"Sec-WebSocket-Key: \xff\r\n", 101, b"");
        let sha1: [u8; 20] = Sha1::digest([b"\xff", GUID.as_bytes()].concat()).into();
        let derivation = told.derivation.unwrap();
        assert_eq!((derivation.key.as_str(), derivation.sha1), ("\u{fffd}", sha1));
    }

    proptest! {
        #[test]
        fn sixteen_octets_come_back_from_their_key(nonce: [u8; 16]) {
            prop_assert_eq!(AcceptDerivation::new(&STANDARD.encode(nonce)).nonce, Some(nonce));
        }
    }
}
