//! GraphQL over WebSocket: `graphql-transport-ws`, and the older `graphql-ws` of
//! `subscriptions-transport-ws`.
//!
//! ```text
//!  graphql-transport-ws   connection_init  connection_ack  ping  pong  subscribe  next  error  complete
//!  graphql-ws             connection_init  connection_ack  connection_error  connection_terminate  ka
//!                         start  data  error  complete  stop
//! ```

use super::conversation::Dissector;
use super::dissection::{Packets, cut};
use super::document::{Document, Item};
use super::json_rpc::params_text;
use super::pending::{Pending, id_key};
use super::{MessageFacts, Packet, ProblemCode, Role, Subprotocol};
use crate::present::counted;

/// One connection's GraphQL.
#[derive(Debug)]
pub(super) struct Graphql {
    protocol: Subprotocol,
    is_acknowledged: bool,
    pending: Pending<Asked>,
}

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Init,
    /// A ping, by who sent it.
    Ping(bool),
    Operation(Box<str>),
}

/// Who sends a message type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Client,
    Server,
    Both,
}

const NEWER: [(&str, Sender); 8] = [
    ("connection_init", Sender::Client),
    ("connection_ack", Sender::Server),
    ("ping", Sender::Both),
    ("pong", Sender::Both),
    ("subscribe", Sender::Client),
    ("next", Sender::Server),
    ("error", Sender::Server),
    ("complete", Sender::Both),
];

const OLDER: [(&str, Sender); 10] = [
    ("connection_init", Sender::Client),
    ("connection_ack", Sender::Server),
    ("connection_error", Sender::Server),
    ("connection_terminate", Sender::Client),
    ("ka", Sender::Server),
    ("start", Sender::Client),
    ("data", Sender::Server),
    ("error", Sender::Server),
    ("complete", Sender::Server),
    ("stop", Sender::Client),
];

impl Graphql {
    pub(super) fn new(protocol: Subprotocol) -> Self {
        Self { protocol, is_acknowledged: false, pending: Pending::default() }
    }

    fn sender_of(&self, kind: &str) -> Option<Sender> {
        let types: &[_] = if self.protocol == Subprotocol::GraphqlWs { &OLDER } else { &NEWER };
        types.iter().find(|(name, _)| *name == kind).map(|(_, sender)| *sender)
    }

    fn one(&mut self, document: &Document, message: &MessageFacts<'_>) -> Packet {
        let Some(root) = document.root() else {
            return Packet::new(self.protocol, "empty", Role::Unknown);
        };
        let kind = root.text_of("type").unwrap_or("unknown");
        let mut packet = Packet::new(self.protocol, kind.to_owned(), Role::Unknown);
        packet.problems.extend(document.problem());
        match (root.get("type"), self.sender_of(kind)) {
            (None, _) => document.missing(&mut packet, "a message must have a type"),
            (Some(found), None) => {
                let detail = format!("there is no message type {}", found.preview());
                packet.problem(ProblemCode::UnknownKind, found.offset(), detail);
            }
            (Some(found), Some(sender)) => {
                let is_due = match sender {
                    Sender::Both => true,
                    Sender::Client => message.is_from_client(),
                    Sender::Server => !message.is_from_client(),
                };
                if !is_due {
                    let detail =
                        format!("{kind} is not for the {} to send", message.direction.sender());
                    packet.problem(ProblemCode::WrongDirection, found.offset(), detail);
                }
            }
        }
        let payload = root.get("payload");
        match root.get("id") {
            Some(id) => packet.id = Some(id.plain()),
            None if matches!(
                kind,
                "subscribe" | "start" | "stop" | "next" | "data" | "error" | "complete"
            ) =>
            {
                document.missing(&mut packet, &format!("{kind} must have an id"));
            }
            None => {}
        }
        match kind {
            "connection_init" => {
                packet.role = Role::Request;
                self.pending.ask(Asked::Init, message, kind);
                if let Some(payload) = payload.filter(|payload| payload.len() > 0) {
                    packet.say(&params_text(payload));
                }
            }
            "connection_ack" | "connection_error" => {
                packet.role = Role::Response;
                self.is_acknowledged |= kind == "connection_ack";
                packet.answering(self.pending.answer(&Asked::Init, message));
            }
            "ka" | "connection_terminate" => {
                packet.role = if kind == "ka" { Role::KeepAlive } else { Role::Control };
            }
            "ping" => {
                packet.role = Role::KeepAlive;
                self.pending.ask(Asked::Ping(message.is_from_client()), message, kind);
            }
            "pong" => {
                // "The receiver may send pong at any time, also unasked."
                packet.role = Role::KeepAlive;
                let asked = Asked::Ping(!message.is_from_client());
                packet.answering(self.pending.answer(&asked, message));
            }
            "subscribe" | "start" => self.subscribe(root, payload, message, &mut packet),
            "next" | "data" | "error" | "complete" | "stop" => {
                self.result(kind, payload, message, &mut packet);
            }
            _ => {}
        }
        root.add_members(&mut packet, 0);
        if let Some(payload) = payload.filter(|payload| payload.is_object()) {
            for member in payload.children() {
                member.add_to(&mut packet, &format!("payload.{}", member.name()));
            }
        }
        packet
    }

    fn subscribe(
        &mut self,
        root: Item<'_>,
        payload: Option<Item<'_>>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        packet.role = Role::Request;
        let operation = payload.map(operation).unwrap_or_default();
        packet.say(&operation);
        if let Some(variables) =
            payload.and_then(|payload| payload.get("variables")).filter(|found| found.len() > 0)
        {
            packet.also(&format!("variables {}", params_text(variables)));
        }
        if payload.and_then(|payload| payload.get("query")).is_none()
            && payload.and_then(|payload| payload.get("extensions")).is_none()
        {
            let detail = format!("{} must have a payload with a query", packet.kind);
            packet.problem(ProblemCode::MissingField, root.offset(), detail);
        }
        if !self.is_acknowledged && self.protocol == Subprotocol::GraphqlTransportWs {
            let detail = "subscribe before connection_ack: servers close with 4401";
            packet.problem(ProblemCode::OutOfOrder, root.offset(), detail);
        }
        let Some(id) = packet.id.clone() else { return };
        packet.also(&format!("id {}", cut(&id, 60)));
        if self.pending.ask(Asked::Operation(id_key(&id)), message, &operation) {
            let detail = format!("an operation with the id {} goes on still", cut(&id, 60));
            packet.problem(ProblemCode::RepeatedId, root.offset(), detail);
        }
    }

    /// What ends an operation, and what comes before its end.
    fn result(
        &mut self,
        kind: &str,
        payload: Option<Item<'_>>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        let Some(id) = packet.id.clone() else { return };
        packet.say(&cut(&id, 60));
        let key = Asked::Operation(id_key(&id));
        let goes_on = matches!(kind, "next" | "data")
            || (kind == "error" && self.protocol == Subprotocol::GraphqlWs);
        let answer = if goes_on {
            self.pending.answer_in_part(&key, message)
        } else {
            self.pending.answer(&key, message)
        };
        match &answer {
            Some(answer) if !answer.what.is_empty() => {
                packet.say(&format!("of {}", answer.what));
            }
            Some(_) => {}
            // Both may complete at the same time; older servers complete what was stopped.
            None if kind == "complete" || kind == "stop" => {}
            None => {
                let detail = format!("no operation has the id {}", cut(&id, 60));
                packet.problem(ProblemCode::UnknownId, None, detail);
            }
        }
        packet.role = match (goes_on, message.is_from_client()) {
            (true, _) => Role::StreamItem,
            (false, true) => Role::Control,
            (false, false) => Role::Response,
        };
        if !message.is_from_client() {
            packet.answering(answer);
        }
        let Some(payload) = payload.filter(|payload| !payload.is_null()) else { return };
        let errors = if payload.is_array() { Some(payload) } else { payload.get("errors") };
        match errors.filter(|errors| errors.len() > 0) {
            Some(errors) => {
                packet.also(&counted(errors.len() as u64, "error", "errors"));
                let first = errors.children().next().and_then(|error| error.text_of("message"));
                packet.say(&cut(first.unwrap_or_default(), 100));
            }
            None => {
                packet.also(&payload.get("data").unwrap_or(payload).preview());
            }
        }
    }
}

/// `subscription OnMessage`: what an operation is and is called, from its name or its document.
fn operation(payload: Item<'_>) -> String {
    let query = payload.text_of("query").unwrap_or_default();
    let words = query
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split([' ', '\t', '(', '{', '@', ',']))
        .filter(|word| !word.is_empty());
    let mut kind = "query";
    let mut name = None;
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if matches!(word, "query" | "mutation" | "subscription") {
            kind = word;
            name = words.peek().copied();
            break;
        }
    }
    let is_anonymous = query.trim_start().starts_with('{');
    let named = payload
        .text_of("operationName")
        .or(name.filter(|_| !is_anonymous && has_name(query, kind)));
    match named {
        Some(name) => format!("{kind} {}", cut(name, 80)),
        None => kind.to_owned(),
    }
}

/// Whether a name follows the keyword, rather than the variables or the selection.
fn has_name(query: &str, kind: &str) -> bool {
    query.split_once(kind).is_some_and(|(_, rest)| {
        rest.trim_start().starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
    })
}

/// Whether a message of the type that starts operations has a query.
fn recognise(root: Item<'_>, starts: &str) -> bool {
    root.text_of("type") == Some(starts)
        && root.get("id").is_some()
        && root.get("payload").is_some_and(|payload| payload.get("query").is_some())
}

/// Whether a message subscribes as `graphql-transport-ws` has it.
pub(super) fn recognise_newer(root: Item<'_>) -> Option<&'static str> {
    recognise(root, "subscribe").then_some("a message subscribes with a GraphQL query")
}

/// Whether a message starts an operation as the older `graphql-ws` has it.
pub(super) fn recognise_older(root: Item<'_>) -> Option<&'static str> {
    recognise(root, "start").then_some("a message starts a GraphQL query")
}

impl Dissector for Graphql {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        out.push(match Document::of_message(self.protocol, message) {
            Ok(document) => self.one(&document, message),
            Err(packet) => *packet,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, answers, field, one, problems};

    #[test]
    fn an_operation_of_graphql_transport_ws() {
        let mut talk = Talk::new(Subprotocol::GraphqlTransportWs);
        assert_eq!(
            talk.up(r#"{"type":"connection_init","payload":{"token":"x"}}"#).summary(),
            "connection_init {token}"
        );
        assert_eq!(
            answers(one(&talk.down(r#"{"type":"connection_ack"}"#))),
            (0, "connection_init", 1)
        );
        let said = talk.up(
            r#"{"id":"a1","type":"subscribe","payload":{"query":"subscription OnHi($n: Int) { hi(n: $n) }","variables":{"n":2}}}"#,
        );
        assert_eq!(said.summary(), "subscribe subscription OnHi, variables {n}, id a1");
        assert_eq!(field(one(&said), "payload.variables"), r#"{"n":2}"#);
        let said = talk.down(r#"{"id":"a1","type":"next","payload":{"data":{"hi":"Hi"}}}"#);
        assert_eq!(said.summary(), "next a1 of subscription OnHi, {\"hi\":\"Hi\"}");
        assert_eq!((one(&said).role, answers(one(&said)).0), (Role::StreamItem, 1));
        let said = talk.down(r#"{"id":"a1","type":"complete"}"#);
        assert_eq!((one(&said).role, answers(one(&said)).2), (Role::Response, 2));
        talk.up(r#"{"id":"a2","type":"subscribe","payload":{"query":"{ nope }"}}"#);
        let said =
            talk.down(r#"{"id":"a2","type":"error","payload":[{"message":"Cannot query field"}]}"#);
        assert_eq!(said.summary(), "error a2 of query, 1 error Cannot query field");
        talk.down(r#"{"type":"ping"}"#);
        assert_eq!(answers(one(&talk.up(r#"{"type":"pong"}"#))).2, 1);
        assert!(said.problems().next().is_none());
    }

    #[test]
    fn an_operation_of_the_older_protocol() {
        let mut talk = Talk::new(Subprotocol::GraphqlWs);
        talk.up(r#"{"type":"connection_init","payload":{}}"#);
        talk.down(r#"{"type":"connection_ack"}"#);
        assert_eq!(talk.down(r#"{"type":"ka"}"#).summary(), "ka");
        talk.up(
            r#"{"id":"1","type":"start","payload":{"query":"query A { a }","operationName":"A"}}"#,
        );
        let said = talk.down(r#"{"id":"1","type":"data","payload":{"data":{"a":1}}}"#);
        assert_eq!(said.summary(), "data 1 of query A, {\"a\":1}");
        let said = talk.up(r#"{"id":"1","type":"stop"}"#);
        assert_eq!(said.summary(), "stop 1 of query A");
        assert_eq!(talk.down(r#"{"id":"1","type":"complete"}"#).problems().count(), 0);
    }

    #[test]
    fn operations_are_named_as_their_document_says() {
        let rows = [
            ("query A { a }", "query A"),
            ("mutation($x: Int) { a }", "mutation"),
            ("subscription { a }", "subscription"),
            ("{ a }", "query"),
            ("# comment\\nfragment F on T { a } query B { ...F }", "query B"),
        ];
        for (query, name) in rows {
            let text = format!(r#"{{"query":"{query}"}}"#);
            let document = Document::json(text.as_bytes(), Some(0), true);
            assert_eq!(operation(document.root().unwrap()), name, "{query}");
        }
    }

    #[test]
    fn what_the_protocol_forbids_is_told() {
        let rows = [
            ("{}", "missing-field: octet 0: a message must have a type"),
            (r#"{"type":"start"}"#, "unknown-kind: octet 8: there is no message type \"start\""),
            (
                r#"{"type":"next","id":"1"}"#,
                "wrong-direction: octet 8: next is not for the client to send",
            ),
            (r#"{"type":"next"}"#, "missing-field: octet 0: next must have an id"),
            (r#"{"type":"next","id":"7"}"#, "unknown-id: no operation has the id 7"),
            (
                r#"{"type":"subscribe","id":"7"}"#,
                "missing-field: octet 0: subscribe must have a payload with a query",
            ),
            (
                r#"{"type":"subscribe","id":"7"}"#,
                "out-of-order: octet 0: subscribe before connection_ack: servers close with 4401",
            ),
        ];
        for (text, problem) in rows {
            let said = Talk::new(Subprotocol::GraphqlTransportWs).up(text);
            assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
        }
    }
}
