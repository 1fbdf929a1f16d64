//! Message types of WAMP (§3.3 of the protocol, and its advanced profile).

use crate::subprotocol::Role;

pub(super) const HELLO: u64 = 1;

/// Who sends a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Router,
    Both,
}

/// One type.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) code: u64,
    pub(super) name: &'static str,
    pub(super) sender: Sender,
    /// The type of request that it answers.
    pub(super) answers: Option<u64>,
    /// What stands behind the type.
    pub(super) parts: &'static [&'static str],
}

const ARGUMENTS: &str = "arguments";
const KEYWORDS: &str = "keyword arguments";

const fn kind(
    code: u64,
    name: &'static str,
    sender: Sender,
    answers: Option<u64>,
    parts: &'static [&'static str],
) -> Kind {
    Kind { code, name, sender, answers, parts }
}

use Sender::{Both, Client, Router};

static KINDS: [Kind; 24] = [
    kind(HELLO, "HELLO", Client, None, &["realm", "details"]),
    kind(2, "WELCOME", Router, Some(HELLO), &["session", "details"]),
    kind(3, "ABORT", Both, None, &["details", "reason"]),
    kind(4, "CHALLENGE", Router, None, &["authmethod", "extra"]),
    kind(5, "AUTHENTICATE", Client, None, &["signature", "extra"]),
    kind(6, "GOODBYE", Both, None, &["details", "reason"]),
    kind(
        8,
        "ERROR",
        Both,
        None,
        &["request type", "request", "details", "error", ARGUMENTS, KEYWORDS],
    ),
    kind(16, "PUBLISH", Client, None, &["request", "options", "topic", ARGUMENTS, KEYWORDS]),
    kind(17, "PUBLISHED", Router, Some(16), &["request", "publication"]),
    kind(32, "SUBSCRIBE", Client, None, &["request", "options", "topic"]),
    kind(33, "SUBSCRIBED", Router, Some(32), &["request", "subscription"]),
    kind(34, "UNSUBSCRIBE", Client, None, &["request", "subscription"]),
    kind(35, "UNSUBSCRIBED", Router, Some(34), &["request"]),
    kind(
        36,
        "EVENT",
        Router,
        None,
        &["subscription", "publication", "details", ARGUMENTS, KEYWORDS],
    ),
    kind(48, "CALL", Client, None, &["request", "options", "procedure", ARGUMENTS, KEYWORDS]),
    kind(49, "CANCEL", Client, None, &["request", "options"]),
    kind(50, "RESULT", Router, Some(48), &["request", "details", ARGUMENTS, KEYWORDS]),
    kind(64, "REGISTER", Client, None, &["request", "options", "procedure"]),
    kind(65, "REGISTERED", Router, Some(64), &["request", "registration"]),
    kind(66, "UNREGISTER", Client, None, &["request", "registration"]),
    kind(67, "UNREGISTERED", Router, Some(66), &["request"]),
    kind(
        68,
        "INVOCATION",
        Router,
        None,
        &["request", "registration", "details", ARGUMENTS, KEYWORDS],
    ),
    kind(69, "INTERRUPT", Router, None, &["request", "options"]),
    kind(70, "YIELD", Client, Some(68), &["request", "options", ARGUMENTS, KEYWORDS]),
];

impl Kind {
    pub(super) fn of(code: u64) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.code == code)
    }

    /// How many parts must be there; arguments may be left out.
    pub(super) fn required(&self) -> usize {
        self.parts.iter().filter(|part| !matches!(**part, ARGUMENTS | KEYWORDS)).count()
    }

    pub(super) fn role(&self) -> Role {
        match self.name {
            "HELLO" | "SUBSCRIBE" | "UNSUBSCRIBE" | "CALL" | "REGISTER" | "UNREGISTER"
            | "INVOCATION" => Role::Request,
            "PUBLISH" | "EVENT" => Role::Event,
            "ERROR" => Role::Response,
            _ if self.answers.is_some() => Role::Response,
            _ => Role::Control,
        }
    }
}
