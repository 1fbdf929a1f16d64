//! JSON Web Tokens, RFC 7519, in the compact form of RFC 7515 §3.1: header, claims and signature in
//! base64url, with points between.
//!
//! Header and claims are read; the signature is neither shown nor verified: without it, what is shown
//! lets nobody in.

use super::fault::Fault;
use super::notation::Notation;
use super::view::Unpacked;
use super::{Fact, Format, Limits, Span, Tree, Value, View, base64, json, moment};
use crate::present::octets;

/// The three parts of a token.
struct Parts {
    header: Span,
    claims: Span,
    signature: Span,
}

impl Parts {
    /// Of a text that has three of them, the first not empty; white space around it is passed over.
    fn of(payload: &[u8]) -> Option<Self> {
        let start = payload.len().saturating_sub(payload.trim_ascii_start().len());
        let token = payload.trim_ascii();
        let mut points = memchr::memchr_iter(b'.', token);
        let (first, second) = (points.next()?, points.next()?);
        if points.next().is_some() || first == 0 {
            return None;
        }
        let part = |from: usize, to: usize| {
            Span::new(start.saturating_add(from), start.saturating_add(to))
        };
        Some(Self {
            header: part(0, first),
            claims: part(first.saturating_add(1), second),
            signature: part(second.saturating_add(1), token.len()),
        })
    }
}

/// Whether a text is a token: three parts of base64url, the first a JSON object that names an algorithm.
pub(super) fn is_candidate(payload: &[u8]) -> bool {
    // `{"` in base64; spaces within a header are allowed and not met.
    let begins = payload.trim_ascii_start().starts_with(b"eyJ");
    let Some(parts) = Parts::of(payload).filter(|_| begins) else { return false };
    let is_encoded = |span: Span| {
        let octets = span.of(payload);
        octets.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    if ![parts.header, parts.claims, parts.signature].into_iter().all(is_encoded) {
        return false;
    }
    let header = base64::decode(parts.header.of(payload), &Limits::GLANCE);
    let tree = json::read(&header.octets, &Limits::GLANCE);
    header.fault.is_none() && tree.is_whole() && member(&tree, &header.octets, "alg").is_some()
}

/// Reads a token: the header as facts, the claims as what is inside.
pub(super) fn read(payload: &[u8], limits: &Limits) -> View {
    let Some(Parts { header, claims, signature }) = Parts::of(payload) else {
        let what = "a token has three parts with points between";
        let unpacked = Unpacked { fault: Some(Fault::wrong(0, what)), ..Unpacked::default() };
        return View::of_inner(Format::Jwt, Vec::new(), unpacked, limits);
    };
    let mut facts = Vec::new();
    let decoded = base64::decode(header.of(payload), limits);
    let tree = json::read(&decoded.octets, limits);
    let mut fault = decoded.fault.map(|fault| moved(fault, header));
    if fault.is_none() && tree.fault.is_some() {
        fault = Some(Fault::wrong(header.start, "the header is no JSON"));
    }
    facts.push(Fact::new("header", Notation::new(&tree, &decoded.octets).compact(200)).at(header));
    let mut unpacked = base64::decode(claims.of(payload), limits);
    let claimed = json::read(&unpacked.octets, limits);
    for (name, label) in [("iat", "issued"), ("nbf", "not before"), ("exp", "expires")] {
        let seconds = member(&claimed, &unpacked.octets, name).and_then(|text| text.parse().ok());
        if let Some(text) = seconds.and_then(moment::of_float_seconds) {
            facts.push(Fact::new(label, text).at(claims));
        }
    }
    let told = match signature.len() {
        0 => "none".to_owned(),
        // Four characters are three octets.
        len => {
            let len = (len as u64).saturating_mul(3) / 4;
            format!("{}, not verified, not shown", octets(len))
        }
    };
    facts.push(Fact::new("signature", told).at(signature));
    unpacked.fault = fault.or(unpacked.fault.map(|fault| moved(fault, claims)));
    View::of_inner(Format::Jwt, facts, unpacked, limits)
}

/// A fault of a part, told of the whole.
fn moved(fault: Fault, part: Span) -> Fault {
    let at = fault.at.saturating_add(part.start);
    Fault { at, what: fault.what, is_early_end: false }
}

/// What a member of a JSON object says: a text without quotes, a number in its digits.
fn member(tree: &Tree, payload: &[u8], name: &str) -> Option<String> {
    let node = tree.nodes().get(tree.child(0, name)?)?;
    match &node.value {
        Value::Text(text) => Some(text.text.to_string()),
        Value::Number(_) => tree.leaf(node, payload, 40),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Confidence, Hints, detect, view};
    use super::*;

    /// The example of RFC 7519 §3.1.
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn facts(view: &View) -> Vec<String> {
        view.facts.iter().map(|fact| format!("{}: {}", fact.label, fact.text)).collect()
    }

    #[test]
    fn the_example_of_rfc_7519_section_3_1() {
        let detection = detect(TOKEN.as_bytes(), &Hints::default());
        assert_eq!((detection.format, detection.confidence), (Format::Jwt, Confidence::Certain));
        let view = view(Format::Jwt, TOKEN.as_bytes(), &Limits::VIEW);
        assert_eq!((&view.fault, view.cut), (&None, None));
        assert_eq!(
            facts(&view),
            [
                "header: {\"typ\":\"JWT\",\"alg\":\"HS256\"}",
                "expires: 2011-03-22T18:43:00Z",
                "signature: 32 octets, not verified, not shown"
            ]
        );
        let Body::Inner(claims) = &view.body else { panic!("{view:?}") };
        assert_eq!(claims.detection.format, Format::Json);
        let told = view.summary(TOKEN.as_bytes(), 200);
        assert_eq!(
            told,
            "JWT of JSON: {\"iss\":\"joe\",\"exp\":1300819380,\"http://example.com/is_root\":true}"
        );
        let signature = "dBjftJeZ4CVP";
        assert!(!view.text(TOKEN.as_bytes()).contains(signature) && !told.contains(signature));
    }

    #[test]
    fn what_looks_like_a_token_and_is_none() {
        // No object, no alg, two parts, four parts, letters that base64url does not have.
        for text in ["eyJ.a.b", "eyJhIjoxfQ.e30.", "eyJhbGciOiJub25lIn0.e30", "a.b.c.d", "eyJ+.a.b"]
        {
            assert!(!is_candidate(text.as_bytes()), "{text}");
        }
        assert!(
            is_candidate(b"eyJhbGciOiJub25lIn0.e30.\n"),
            "an unsecured token of RFC 7519 section 6"
        );
        let fault = |text: &str| view(Format::Jwt, text.as_bytes(), &Limits::VIEW).fault.unwrap();
        assert_eq!(
            fault("abc").to_string(),
            "octet 0: a token has three parts with points between"
        );
        assert_eq!(fault("eyJhbGciOiJub25lIn0.e*0.").to_string(), "octet 21: * is not base64");
        assert_eq!(fault("AAAA.e30.").to_string(), "octet 0: the header is no JSON");
    }
}
