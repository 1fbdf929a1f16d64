//! The opening handshake, RFC 6455 §4: two heads, and whether they keep the rules.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)
)]

pub mod accept;
mod check;
pub mod deflate;
pub mod extension;

use std::sync::Arc;

pub use accept::{AcceptCheck, AcceptDerivation, AcceptVerdict};
pub use check::Check;
use check::Checks;
pub use deflate::{DeflateAgreement, DeflateParams, PERMESSAGE_DEFLATE};
pub use extension::Extension;

use crate::diagnostics::Rule;
use crate::{Direction, Head};

/// A request to open a WebSocket and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningHandshake {
    /// The request as the client sent it.
    pub request: Arc<Head>,
    /// The response as the client received it.
    pub response: Arc<Head>,
    /// The request as the upstream received it, where it differs.
    pub forwarded_request: Option<Arc<Head>>,
    /// Whether the connection is a WebSocket from here on: the answer is 101 and its `Upgrade` names
    /// websocket, or is missing, which is a finding and stops few clients.
    pub upgraded: bool,
    /// `Sec-WebSocket-Key` and `Sec-WebSocket-Accept`, step by step.
    pub accept: AcceptCheck,
    /// `Sec-WebSocket-Protocol` on both sides.
    pub subprotocol: Negotiated<String>,
    /// `Sec-WebSocket-Extensions` on both sides.
    pub extensions: Negotiated<Extension>,
    /// permessage-deflate as agreed on, where it was.
    pub deflate: Option<DeflateParams>,
    /// Every check, passed or not, in the order of the RFC.
    pub checks: Vec<Check>,
}

/// What was offered, and what was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated<T> {
    /// In the client's order of preference.
    pub offered: Vec<T>,
    /// The server's answer; more than one subprotocol is a finding.
    pub chosen: Vec<T>,
}

impl<T> Default for Negotiated<T> {
    fn default() -> Self {
        Self { offered: Vec::new(), chosen: Vec::new() }
    }
}

impl OpeningHandshake {
    /// Checks a request and its answer against RFC 6455 §4 and RFC 7692 §7.
    ///
    /// Checks that nearly every handshake passes are always in the list; rarer ones are told where
    /// they fail.
    pub fn check(
        request: Arc<Head>,
        response: Arc<Head>,
        forwarded_request: Option<Arc<Head>>,
    ) -> Self {
        let accept = AcceptCheck::new(&request, &response);
        let subprotocol = Negotiated {
            offered: request.tokens("Sec-WebSocket-Protocol"),
            chosen: response.tokens("Sec-WebSocket-Protocol"),
        };
        let (offered, offer_fault) = read_extensions(&request);
        let (chosen, answer_fault) = read_extensions(&response);
        let extensions = Negotiated { offered, chosen };

        let mut checks = Checks::of_request(&request);
        checks.method_and_version();
        checks.target();
        checks.host();
        checks.upgrade_and_connection();
        checks.version();
        checks.key(&accept);
        checks.origin();
        checks.subprotocols_offered(&subprotocol.offered);
        checks.extension_grammar(offer_fault);
        checks.extensions_offered(&extensions.offered);
        checks.lines();

        let mut checks = checks.turn_to_response(&response);
        let is_switched = checks.status(&request);
        let mut agreement = DeflateAgreement::default();
        if is_switched {
            agreement = DeflateParams::agreed(&extensions.offered, &extensions.chosen);
            checks.upgrade_and_connection();
            checks.accept(&accept);
            checks.subprotocol(&subprotocol);
            checks.extension_grammar(answer_fault);
            checks.extensions(&extensions, &agreement);
        }
        checks.lines();
        let checks = checks.passed_or_not;

        Self {
            upgraded: is_switched && !names_another_protocol(&response),
            deflate: agreement.params,
            accept,
            subprotocol,
            extensions,
            checks,
            request,
            response,
            forwarded_request,
        }
    }

    /// The checks that failed, in their order.
    pub fn findings(&self) -> Vec<HandshakeFinding> {
        let failed = self.checks.iter().filter_map(|check| Some((check.failed?, check)));
        failed
            .map(|(rule, check)| HandshakeFinding {
                rule,
                direction: check.direction,
                offset: check.place.offset,
                len: check.place.len,
                evidence: check.detail.clone().unwrap_or_default(),
            })
            .collect()
    }
}

/// A failed check with its place in its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeFinding {
    /// Which rule.
    pub rule: &'static Rule,
    /// Whose head: the request goes client to server.
    pub direction: Direction,
    /// Lane offset of the field it is about, or of the whole head where a field is missing.
    pub offset: u64,
    /// Octets of that.
    pub len: u64,
    /// One line that says what was seen.
    pub evidence: String,
}

/// The extensions of all fields, and the first place where the grammar breaks.
pub(crate) fn read_extensions(head: &Head) -> (Vec<Extension>, Option<String>) {
    let (mut extensions, mut first_fault) = (Vec::new(), None);
    for header in head.fields("Sec-WebSocket-Extensions") {
        let (read, fault) = Extension::read_list(&header.value_text());
        extensions.extend(read);
        first_fault = first_fault.or(fault);
    }
    (extensions, first_fault)
}

/// A 101 may lead to another protocol; one that names none answers what was asked for.
fn names_another_protocol(response: &Head) -> bool {
    !response.tokens("Upgrade").is_empty() && !response.has_token("Upgrade", "websocket")
}

#[cfg(test)]
mod tests;
