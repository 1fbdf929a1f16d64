//! Lines of heads and of opening handshakes.

use std::borrow::Cow;

use serde::Serialize;

use super::value::{Base64, Hex};
use crate::handshake::{AcceptCheck, AcceptVerdict, Check, DeflateParams, Extension};
use crate::http::StartLine;
use crate::present::Secrets;
use crate::{Direction, Head, Leg, OpeningHandshake, Severity};

#[derive(Debug, Serialize)]
pub(super) struct HeadLine<'a> {
    leg: Leg,
    direction: &'static str,
    offset: u64,
    len: usize,
    method: Option<&'a str>,
    target: Option<Cow<'a, str>>,
    status: Option<u16>,
    reason: Option<&'a str>,
    version: String,
    headers: Vec<HeaderOf<'a>>,
    raw_base64: Option<Base64<'a>>,
}

#[derive(Debug, Serialize)]
struct HeaderOf<'a> {
    name: &'a str,
    value: Cow<'a, str>,
}

impl<'a> HeadLine<'a> {
    pub(super) fn of(leg: Leg, direction: Direction, head: &'a Head, secrets: Secrets) -> Self {
        let (minor_version, reason) = match &head.start {
            StartLine::Request { minor_version, .. } => (*minor_version, None),
            StartLine::Response { minor_version, reason, .. } => {
                (*minor_version, Some(reason.as_str()))
            }
        };
        let headers: Vec<_> = head
            .headers
            .iter()
            .map(|header| HeaderOf {
                name: &header.name,
                value: secrets.header_value(&header.name, header.value_text()),
            })
            .collect();
        let target = head.target().map(|target| secrets.target(target));
        let is_as_sent = target.as_deref() == head.target()
            && headers.iter().zip(&head.headers).all(|(of, sent)| of.value == sent.value_text());
        Self {
            leg,
            direction: direction.name(),
            offset: head.offset,
            len: head.raw.len(),
            method: head.method(),
            target,
            status: head.status(),
            reason,
            version: format!("1.{minor_version}"),
            headers,
            raw_base64: is_as_sent.then_some(Base64(&head.raw)),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct HandshakeLine<'a> {
    method: Option<&'a str>,
    target: Option<Cow<'a, str>>,
    status: Option<u16>,
    upgraded: bool,
    accept: AcceptOf<'a>,
    subprotocol: SubprotocolOf<'a>,
    extensions: ExtensionsOf,
    deflate: Option<DeflateOf>,
    checks: Vec<CheckOf<'a>>,
}

impl<'a> HandshakeLine<'a> {
    pub(super) fn of(handshake: &'a OpeningHandshake, secrets: Secrets) -> Self {
        let subprotocols = |list: &'a [String]| -> Vec<&'a str> {
            list.iter().map(|subprotocol| secrets.subprotocol(subprotocol)).collect()
        };
        Self {
            method: handshake.request.method(),
            target: handshake.request.target().map(|target| secrets.target(target)),
            status: handshake.response.status(),
            upgraded: handshake.upgraded,
            accept: AcceptOf::of(&handshake.accept),
            subprotocol: SubprotocolOf {
                offered: subprotocols(&handshake.subprotocol.offered),
                chosen: subprotocols(&handshake.subprotocol.chosen).first().copied(),
            },
            extensions: ExtensionsOf {
                offered: texts(&handshake.extensions.offered),
                chosen: texts(&handshake.extensions.chosen),
            },
            deflate: handshake.deflate.map(DeflateOf::of),
            checks: handshake.checks.iter().map(|check| CheckOf::of(check, secrets)).collect(),
        }
    }
}

fn texts(extensions: &[Extension]) -> Vec<String> {
    extensions.iter().map(ToString::to_string).collect()
}

/// `Sec-WebSocket-Accept`, step by step.
#[derive(Debug, Serialize)]
struct AcceptOf<'a> {
    verdict: &'static str,
    key: Option<&'a str>,
    nonce: Option<Hex>,
    concatenated: Option<&'a str>,
    sha1: Option<Hex>,
    expected: Option<&'a str>,
    answered: Option<&'a str>,
}

impl<'a> AcceptOf<'a> {
    fn of(check: &'a AcceptCheck) -> Self {
        let derivation = check.derivation.as_ref();
        Self {
            verdict: match check.verdict {
                AcceptVerdict::Matches => "matches",
                AcceptVerdict::Differs => "differs",
                AcceptVerdict::Missing => "missing",
                AcceptVerdict::NoKey => "no_key",
                AcceptVerdict::NotDue => "not_due",
            },
            key: derivation.map(|d| d.key.as_str()),
            nonce: derivation.and_then(|d| d.nonce).map(|nonce| Hex(nonce.to_vec())),
            concatenated: derivation.map(|d| d.concatenated.as_str()),
            sha1: derivation.map(|d| Hex(d.sha1.to_vec())),
            expected: derivation.map(|d| d.accept.as_str()),
            answered: check.answered.as_deref(),
        }
    }
}

#[derive(Debug, Serialize)]
struct SubprotocolOf<'a> {
    offered: Vec<&'a str>,
    chosen: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ExtensionsOf {
    offered: Vec<String>,
    chosen: Vec<String>,
}

/// permessage-deflate as agreed on.
#[derive(Debug, Serialize)]
struct DeflateOf {
    client_no_context_takeover: bool,
    server_no_context_takeover: bool,
    client_max_window_bits: u8,
    server_max_window_bits: u8,
}

impl DeflateOf {
    fn of(params: DeflateParams) -> Self {
        let DeflateParams {
            client_no_context_takeover,
            server_no_context_takeover,
            client_max_window_bits,
            server_max_window_bits,
        } = params;
        Self {
            client_no_context_takeover,
            server_no_context_takeover,
            client_max_window_bits,
            server_max_window_bits,
        }
    }
}

#[derive(Debug, Serialize)]
struct CheckOf<'a> {
    statement: &'a str,
    section: &'static str,
    passed: bool,
    code: Option<&'static str>,
    severity: Option<&'static str>,
    detail: Option<Cow<'a, str>>,
}

impl<'a> CheckOf<'a> {
    fn of(check: &'a Check, secrets: Secrets) -> Self {
        Self {
            statement: &check.statement,
            section: check.section,
            passed: check.failed.is_none(),
            code: check.failed.map(|rule| rule.code),
            severity: check.severity().map(Severity::name),
            detail: check.detail.as_deref().map(|detail| secrets.words(detail)),
        }
    }
}
