//! The checks of an opening handshake: each a statement that holds, or the rule that is broken.

use std::collections::HashSet;
use std::ops::Range;

use crate::diagnostics::{Place, Rule, rules, shown};
use crate::handshake::{
    AcceptCheck, AcceptVerdict, DeflateAgreement, DeflateParams, Extension, Negotiated,
};
use crate::http::{Header, check};
use crate::{Direction, Head, Severity};

/// One check of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked, as a statement that holds when it passed: "Version is 13".
    pub statement: String,
    /// `None` where it passed.
    pub failed: Option<&'static Rule>,
    /// What was seen, where that tells more than the statement.
    pub detail: Option<String>,
    /// Such as `RFC 6455 §4.1`.
    pub section: &'static str,
    /// Whose head was checked: the request's goes client to server.
    pub direction: Direction,
    /// The octets it is about: a field, the start line, or the whole head where a field is missing.
    pub place: Place,
}

impl Check {
    /// How bad it is; `None` where it passed.
    pub fn severity(&self) -> Option<Severity> {
        self.failed.map(|rule| rule.severity)
    }
}

/// Checks one head, and gathers the outcome.
pub(super) struct Checks<'a> {
    pub(super) passed_or_not: Vec<Check>,
    head: &'a Head,
    direction: Direction,
}

impl<'a> Checks<'a> {
    /// Checks the request.
    pub(super) fn of_request(request: &'a Head) -> Self {
        Self { passed_or_not: Vec::new(), head: request, direction: Direction::ClientToServer }
    }

    /// Goes on with the response.
    pub(super) fn turn_to_response(self, response: &'a Head) -> Self {
        Self { head: response, direction: Direction::ServerToClient, ..self }
    }

    /// "The method of the request MUST be GET, and the HTTP version MUST be at least 1.1"
    /// (RFC 6455 §4.1).
    pub(super) fn method_and_version(&mut self) {
        let is_get = self.head.method() == Some("GET");
        let is_1_1 = self.head.minor_version() >= 1;
        let line = self.head.start_span();
        if is_get || !is_1_1 {
            let broken = (!is_1_1).then(|| (&rules::HANDSHAKE_HTTP_VERSION, self.text(&line)));
            self.push("GET over HTTP/1.1", "RFC 6455 §4.1", broken, line.clone());
        }
        if !is_get {
            let broken = Some((&rules::HANDSHAKE_METHOD_NOT_GET, self.text(&line)));
            self.push("GET over HTTP/1.1", "RFC 6455 §4.1", broken, line);
        }
    }

    /// "The request MUST contain a |Host| header field" (RFC 6455 §4.1).
    pub(super) fn host(&mut self) {
        let broken = match self.head.fields("Host").count() {
            0 => Some((&rules::HANDSHAKE_HOST_MISSING, self.values_or_absent("Host"))),
            1 => None,
            _ => Some((&rules::HANDSHAKE_HOST_REPEATED, self.values("Host"))),
        };
        self.push("Host is present", "RFC 6455 §4.1", broken, self.span("Host"));
    }

    /// "The "Request-URI" part of the request MUST match the /resource name/ […] or be an absolute
    /// http/https URI" (RFC 6455 §4.1); fragment identifiers "MUST NOT be used" (§3).
    pub(super) fn target(&mut self) {
        let target = self.head.target().unwrap_or_default();
        let is_url = ["http://", "https://"].iter().any(|scheme| {
            target.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme))
        });
        if (target.starts_with('/') || is_url) && !target.contains('#') {
            return;
        }
        let rule = &rules::HANDSHAKE_TARGET_INVALID;
        let span = self.head.target_span().unwrap_or_default();
        let statement = "The target is a path or an HTTP URL";
        self.push(statement, rule.section, Some((rule, Some(shown(target)))), span);
    }

    /// "The user agent MUST NOT include more than one Origin header field" (RFC 6454 §7.3).
    pub(super) fn origin(&mut self) {
        self.once("Origin", "Origin is sent once", &rules::HANDSHAKE_ORIGIN_REPEATED);
    }

    /// "The request MUST contain an |Upgrade| header field whose value MUST include the "websocket"
    /// keyword" and "a |Connection| header field whose value MUST include the "Upgrade" token"
    /// (RFC 6455 §4.1); the answer's likewise (§4.2.2).
    pub(super) fn upgrade_and_connection(&mut self) {
        let section = match self.direction {
            Direction::ClientToServer => "RFC 6455 §4.2.1",
            Direction::ServerToClient => "RFC 6455 §4.2.2",
        };
        let upgrade = self.head.has_token("Upgrade", "websocket");
        let connection = self.head.has_token("Connection", "Upgrade");
        if upgrade && connection {
            let statement = match self.direction {
                Direction::ClientToServer => "Upgrade and Connection name websocket",
                Direction::ServerToClient => "The answer's Upgrade and Connection name websocket",
            };
            return self.push(statement, section, None, self.span("Upgrade"));
        }
        let rows = [
            ("Upgrade", "Upgrade names websocket", upgrade, &rules::HANDSHAKE_UPGRADE_MISSING),
            (
                "Connection",
                "Connection names Upgrade",
                connection,
                &rules::HANDSHAKE_CONNECTION_MISSING,
            ),
        ];
        for (name, statement, holds, rule) in rows {
            let broken = (!holds).then(|| (rule, self.values_or_absent(name)));
            self.push(statement, section, broken, self.span(name));
        }
    }

    /// "[…] a header field with the name |Sec-WebSocket-Version|. The value of this header field MUST
    /// be 13" (RFC 6455 §4.1); it "MUST NOT appear more than once" (§11.3.5).
    pub(super) fn version(&mut self) {
        let broken = (!is_version_13(self.head))
            .then(|| (&rules::HANDSHAKE_VERSION_NOT_13, self.values_or_absent(VERSION)));
        self.push("Version is 13", "RFC 6455 §4.1", broken, self.span(VERSION));
    }

    /// "[…] a nonce consisting of a randomly selected 16-byte value that has been base64-encoded"
    /// (RFC 6455 §4.1); it "MUST NOT appear more than once" (§11.3.1).
    pub(super) fn key(&mut self, accept: &AcceptCheck) {
        const NAME: &str = "Sec-WebSocket-Key";
        let broken = match &accept.derivation {
            None => Some((&rules::HANDSHAKE_KEY_MISSING, self.values_or_absent(NAME))),
            Some(derivation) if derivation.nonce.is_none() => {
                Some((&rules::HANDSHAKE_KEY_INVALID, self.values(NAME)))
            }
            Some(_) => None,
        };
        self.push("Key is 16 octets", "RFC 6455 §4.1", broken, self.span(NAME));
        self.once(NAME, "Key is sent once", &rules::HANDSHAKE_KEY_REPEATED);
    }

    /// "The elements that comprise this value MUST be non-empty strings [of tokens] and MUST all be
    /// unique strings" (RFC 6455 §4.1).
    pub(super) fn subprotocols_offered(&mut self, offered: &[String]) {
        const NAME: &str = "Sec-WebSocket-Protocol";
        let mut seen = HashSet::new();
        let wrong = offered.iter().find_map(|name| {
            if !name.bytes().all(crate::http::is_token) {
                Some(format!("{} is not a token", shown(name)))
            } else if seen.insert(name) {
                None
            } else {
                Some(format!("{} is offered twice", shown(name)))
            }
        });
        let is_empty = offered.is_empty() && self.head.field(NAME).is_some();
        let wrong = wrong.or_else(|| is_empty.then(|| "the list is empty".to_owned()));
        self.only_broken(
            NAME,
            "Subprotocols are unique tokens",
            &rules::HANDSHAKE_SUBPROTOCOL_INVALID,
            wrong,
        );
    }

    /// permessage-deflate offers with parameters that no server may accept (RFC 7692 §7.1).
    pub(super) fn extensions_offered(&mut self, offered: &[Extension]) {
        for offer in offered {
            let wrong = listed(&DeflateParams::offer_faults(offer));
            let statement = "The offer's parameters can be accepted";
            self.only_broken(EXTENSIONS, statement, &rules::DEFLATE_OFFER_INVALID, wrong);
        }
    }

    /// A list of extensions that breaks the grammar (RFC 6455 §9.1).
    pub(super) fn extension_grammar(&mut self, fault: Option<String>) {
        let statement = match self.direction {
            Direction::ClientToServer => "The offered extensions are well-formed",
            Direction::ServerToClient => "The answered extensions are well-formed",
        };
        self.only_broken(EXTENSIONS, statement, &rules::HANDSHAKE_EXTENSION_SYNTAX, fault);
    }

    /// Lines of the head that break the grammar, and what it says of a body (RFC 9112 §2 to §6).
    pub(super) fn lines(&mut self) {
        let statement = match self.direction {
            Direction::ClientToServer => "The request is well-formed HTTP",
            Direction::ServerToClient => "The answer is well-formed HTTP",
        };
        for finding in check::findings(self.head) {
            let broken = Some((finding.rule, Some(finding.evidence)));
            self.push(statement, finding.rule.section, broken, finding.span);
        }
    }

    /// "A Status-Line with a 101 response code" (RFC 6455 §4.2.2). Says whether it is one.
    pub(super) fn status(&mut self, request: &Head) -> bool {
        let line = self.head.start_span();
        let switched = self.head.status() == Some(101);
        let broken = (!switched).then(|| (&rules::HANDSHAKE_REFUSED, self.refusal()));
        self.push("The server switched protocols", "RFC 6455 §4.2.2", broken, line.clone());
        if switched && self.head.minor_version() == 0 {
            let rule = &rules::HANDSHAKE_ANSWER_HTTP_VERSION;
            let broken = Some((rule, self.text(&line)));
            self.push("The answer is HTTP/1.1", rule.section, broken, line);
        }
        // "If this version does not match a version understood by the server, the server MUST […] send an
        // appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header
        // field indicating the version(s) the server is capable of understanding" (§4.2.2). Whoever answers
        // 426 to version 13 asks for another upgrade, such as to TLS.
        let is_of_version = !is_version_13(request);
        let is_untold = self.head.field(VERSION).is_none();
        if self.head.status() == Some(426) && is_of_version && is_untold {
            let rule = &rules::HANDSHAKE_VERSIONS_UNTOLD;
            let broken = Some((rule, self.values_or_absent(VERSION)));
            let whole = 0..self.head.raw.len();
            self.push("The answer lists the versions it knows", rule.section, broken, whole);
        }
        switched
    }

    /// "A |Sec-WebSocket-Accept| header field" (RFC 6455 §4.2.2), once (§11.3.3).
    pub(super) fn accept(&mut self, accept: &AcceptCheck) {
        const NAME: &str = "Sec-WebSocket-Accept";
        let due = accept.derivation.as_ref().map(|derivation| derivation.accept.as_str());
        let broken = match accept.verdict {
            AcceptVerdict::Matches => None,
            AcceptVerdict::Differs => Some((
                &rules::HANDSHAKE_ACCEPT_WRONG,
                Some(format!(
                    "{} instead of {}",
                    shown(accept.answered.as_deref().unwrap_or_default()),
                    due.unwrap_or_default()
                )),
            )),
            AcceptVerdict::Missing => {
                Some((&rules::HANDSHAKE_ACCEPT_MISSING, due.map(|due| format!("due is {due}"))))
            }
            // The missing key is told where the request is checked.
            AcceptVerdict::NoKey | AcceptVerdict::NotDue => return,
        };
        self.push("Accept answers the key", "RFC 6455 §4.2.2", broken, self.span(NAME));
        self.once(NAME, "Accept is sent once", &rules::HANDSHAKE_ACCEPT_REPEATED);
    }

    /// "[…] if this header field indicates the use of a subprotocol that was not present in the
    /// client's handshake […], the client MUST Fail the WebSocket Connection" (RFC 6455 §4.1).
    pub(super) fn subprotocol(&mut self, subprotocol: &Negotiated<String>) {
        const NAME: &str = "Sec-WebSocket-Protocol";
        let Negotiated { offered, chosen } = subprotocol;
        let offers = || {
            if offered.is_empty() {
                "none was offered".into()
            } else {
                format!("offered: {}", shown(&offered.join(", ")))
            }
        };
        for name in chosen {
            let broken = (!offered.contains(name))
                .then(|| (&rules::HANDSHAKE_SUBPROTOCOL_NOT_OFFERED, Some(offers())));
            let statement = format!("Subprotocol {} was offered", shown(name));
            self.push(statement, "RFC 6455 §4.2.2", broken, self.span(NAME));
        }
        if chosen.is_empty() && !offered.is_empty() {
            let rule = &rules::HANDSHAKE_SUBPROTOCOL_UNANSWERED;
            let broken = Some((rule, Some(offers())));
            self.push("A subprotocol was chosen", rule.section, broken, self.span(NAME));
        }
        let wrong = match self.head.fields(NAME).count().max(chosen.len()) {
            1 if chosen.is_empty() => Some("its value is empty".to_owned()),
            0 | 1 => None,
            _ => self.values(NAME),
        };
        let rule = &rules::HANDSHAKE_SUBPROTOCOL_INVALID;
        self.only_broken(NAME, "The answer names one subprotocol", rule, wrong);
    }

    /// "[…] if this header field indicates the use of an extension that was not present in the
    /// client's handshake […], the client MUST Fail the WebSocket Connection" (RFC 6455 §4.1); and
    /// permessage-deflate's parameters (RFC 7692 §7.1).
    pub(super) fn extensions(
        &mut self,
        extensions: &Negotiated<Extension>,
        deflate: &DeflateAgreement,
    ) {
        let offered: HashSet<&str> =
            extensions.offered.iter().map(|extension| extension.name.as_str()).collect();
        for extension in &extensions.chosen {
            let name = extension.name.as_str();
            let section =
                if name == super::PERMESSAGE_DEFLATE { "RFC 7692 §7.1" } else { "RFC 6455 §9.1" };
            let broken = (!offered.contains(name)).then(|| {
                (&rules::HANDSHAKE_EXTENSION_NOT_OFFERED, Some(shown(&extension.to_string())))
            });
            let statement = format!("{} was offered", shown(name));
            self.push(statement, section, broken, self.span(EXTENSIONS));
        }
        // "The |Sec-WebSocket-Extensions| header field […] MUST NOT appear more than once in an HTTP
        // response" (RFC 6455 §11.3.2).
        let statement = "The answer's extensions stand in one field";
        self.once(EXTENSIONS, statement, &rules::HANDSHAKE_EXTENSION_REPEATED);
        let wrong = listed(&deflate.faults);
        let statement = "The answer's parameters can be accepted";
        self.only_broken(EXTENSIONS, statement, &rules::HANDSHAKE_EXTENSION_INVALID, wrong);
    }

    /// A check that is told only where it fails.
    fn only_broken(
        &mut self,
        name: &str,
        statement: &str,
        rule: &'static Rule,
        wrong: Option<String>,
    ) {
        if let Some(wrong) = wrong {
            self.push(statement, rule.section, Some((rule, Some(wrong))), self.span(name));
        }
    }

    /// A field that may be there once.
    fn once(&mut self, name: &str, statement: &str, rule: &'static Rule) {
        let Some(second) = self.head.fields(name).nth(1) else { return };
        let place = second.span.clone();
        self.push(statement, rule.section, Some((rule, self.values(name))), place);
    }

    fn push(
        &mut self,
        statement: impl Into<String>,
        section: &'static str,
        broken: Option<(&'static Rule, Option<String>)>,
        span: Range<usize>,
    ) {
        let (failed, detail) = broken.unzip();
        self.passed_or_not.push(Check {
            statement: statement.into(),
            failed,
            detail: detail.flatten(),
            section,
            direction: self.direction,
            place: self.head.place(&span),
        });
    }

    /// Status, reason, and the fields that tell what the server would have instead.
    fn refusal(&self) -> Option<String> {
        const TELLING: [&str; 6] = [
            "Sec-WebSocket-Version",
            "Location",
            "WWW-Authenticate",
            "Proxy-Authenticate",
            "Allow",
            "Retry-After",
        ];
        let line = self.text(&self.head.start_span())?;
        let answer = line.split_once(' ').map_or("", |(_, answer)| answer).trim();
        let telling =
            TELLING.iter().filter_map(|name| Some(format!("; {name}: {}", self.values(name)?)));
        Some(format!("{answer}{}", telling.collect::<String>()))
    }

    /// The field called `name` within the head, or the whole head where there is none.
    fn span(&self, name: &str) -> Range<usize> {
        self.head.field(name).map_or(0..self.head.raw.len(), |header| header.span.clone())
    }

    /// All values of `name` on one line; `None` where there is none.
    fn values(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.head.fields(name).map(Header::value_text).collect();
        if values.is_empty() { None } else { Some(shown(&values.join(", "))) }
    }

    #[expect(clippy::unnecessary_wraps, reason = "every detail of a check may be missing")]
    fn values_or_absent(&self, name: &str) -> Option<String> {
        Some(
            self.values(name).map_or_else(
                || format!("there is no {name}"),
                |values| format!("{name}: {values}"),
            ),
        )
    }

    fn text(&self, span: &Range<usize>) -> Option<String> {
        let octets = self.head.raw.get(span.clone())?;
        Some(shown(&String::from_utf8_lossy(octets)))
    }
}

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";
const VERSION: &str = "Sec-WebSocket-Version";

fn is_version_13(request: &Head) -> bool {
    request.values(VERSION).eq([b"13"])
}

/// Faults on one line; `None` where there are none.
fn listed(faults: &[String]) -> Option<String> {
    if faults.is_empty() { None } else { Some(shown(&faults.join("; "))) }
}
