//! JSON-RPC 2.0: requests, notifications and responses, alone or in batches; both peers may ask.
//!
//! ```text
//!  {"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}
//!  {"jsonrpc":"2.0","result":19,"id":1}
//!  {"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":"5"}
//! ```

use super::conversation::Dissector;
use super::dissection::{Packets, cut, quoted};
use super::document::{Document, Item};
use super::pending::{Pending, id_key};
use super::{MessageFacts, Packet, ProblemCode, Role, Subprotocol};
use crate::present::counted;

/// One connection's JSON-RPC.
#[derive(Debug, Default)]
pub(super) struct JsonRpc {
    /// By who asked, and the id as it is written.
    pending: Pending<(bool, Box<str>)>,
}

impl Dissector for JsonRpc {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let document = match Document::of_message(Subprotocol::JsonRpc, message) {
            Ok(document) => document,
            Err(packet) => {
                out.push(*packet);
                return;
            }
        };
        let Some(root) = document.root() else { return };
        if !root.is_array() {
            out.push(self.one(&document, root, message));
            return;
        }
        if root.len() == 0 {
            let mut packet = Packet::new(Subprotocol::JsonRpc, "batch", Role::Unknown);
            packet.problem(ProblemCode::InvalidValue, Some(0), "a batch must not be empty (§6)");
            out.push(packet);
        }
        for item in root.children() {
            out.push(self.one(&document, item, message));
        }
    }
}

impl JsonRpc {
    fn one(&mut self, document: &Document, item: Item<'_>, message: &MessageFacts<'_>) -> Packet {
        let at = item.offset();
        let method = item.get("method");
        let outcome = item.get("error").or_else(|| item.get("result"));
        let id = item.get("id");
        let kind = match (method.is_some(), id.is_some(), outcome.is_some()) {
            (true, true, _) => "request",
            (true, false, _) => "notification",
            (false, _, true) => "response",
            (false, _, false) => "unknown",
        };
        let mut packet = Packet::new(Subprotocol::JsonRpc, kind, Role::Unknown);
        packet.problems.extend(document.problem());
        if item.text_of("jsonrpc") != Some("2.0") {
            document.missing(&mut packet, "there must be \"jsonrpc\":\"2.0\" (§4)");
        }
        if let Some(id) = id {
            packet.id = id.id();
            if packet.id.is_none() && !id.is_null() {
                let detail = format!("an id is a string, a number or null, not {} (§4)", id.what());
                packet.problem(ProblemCode::InvalidValue, id.offset(), detail);
            }
        }
        match (method, outcome) {
            (Some(method), _) => self.request(item, method, message, &mut packet),
            (None, Some(_)) => self.response(item, message, &mut packet),
            (None, None) => {
                packet.say(&item.preview());
                document
                    .missing(&mut packet, "there is neither a method nor a result nor an error");
            }
        }
        if packet.problems.is_empty() && !item.is_object() {
            packet.problem(ProblemCode::InvalidValue, at, "a call is an object (§4)");
        }
        item.add_members(&mut packet, 0);
        packet
    }

    fn request(
        &mut self,
        item: Item<'_>,
        method: Item<'_>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        packet.role = if item.get("id").is_some() { Role::Request } else { Role::Event };
        packet.say(&cut(&method.plain(), 100));
        if method.text().is_none() {
            let detail = format!("a method is a string, not {} (§4)", method.what());
            packet.problem(ProblemCode::InvalidValue, method.offset(), detail);
        }
        if let Some(params) = item.get("params") {
            packet.say(&params_text(params));
            if !params.is_container() {
                let detail =
                    format!("params are an array or an object, not {} (§4.2)", params.what());
                packet.problem(ProblemCode::InvalidValue, params.offset(), detail);
            }
        }
        let Some(id) = packet.id.clone() else { return };
        packet.also(&format!("id {}", cut(&id, 60)));
        if self.pending.ask((message.is_from_client(), id_key(&id)), message, &method.plain()) {
            let detail = format!("id {} still waits for its answer", cut(&id, 60));
            packet.problem(ProblemCode::RepeatedId, item.offset(), detail);
        }
    }

    fn response(&mut self, item: Item<'_>, message: &MessageFacts<'_>, packet: &mut Packet) {
        packet.role = Role::Response;
        if let Some(id) = packet.id.clone() {
            packet.say(&cut(&id, 60));
            let answer = self.pending.answer(&(!message.is_from_client(), id_key(&id)), message);
            packet.matched(answer, item.offset(), || {
                format!("no request has the id {}", cut(&id, 60))
            });
        }
        match (item.get("error"), item.get("result")) {
            (Some(error), None) => {
                packet.also(&format!("error {}", error_text(error)));
            }
            (None, Some(result)) => {
                packet.also(&result.preview());
            }
            _ => {
                let detail = "a response has a result or an error, not both (§5)";
                packet.problem(ProblemCode::InvalidValue, item.offset(), detail);
            }
        }
        if item.get("id").is_none() {
            let detail = "a response must have an id (§5)";
            packet.problem(ProblemCode::MissingField, item.offset(), detail);
        }
    }
}

/// `2 params`, `params a, b`.
pub(super) fn params_text(params: Item<'_>) -> String {
    if params.is_object() {
        let names: Vec<_> =
            params.children().take(6).map(|member| cut(member.name(), 30)).collect();
        let more = if params.len() > names.len() { ", …" } else { "" };
        return format!("{{{}{more}}}", names.join(", "));
    }
    counted(params.len() as u64, "param", "params")
}

/// `-32601 "Method not found"`.
pub(super) fn error_text(error: Item<'_>) -> String {
    let code = error.get("code").map(Item::preview).unwrap_or_default();
    match error.text_of("message") {
        Some(text) => format!("{code} {}", quoted(text)).trim_start().to_owned(),
        None => error.preview(),
    }
}

/// Whether a text is a call or a batch of them.
pub(super) fn recognise(root: Item<'_>) -> Option<&'static str> {
    let first = if root.is_array() { root.children().next()? } else { root };
    (first.text_of("jsonrpc") == Some("2.0")).then_some("the messages have \"jsonrpc\":\"2.0\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, answers, octets_of, one, problems};

    fn talk() -> Talk {
        Talk::new(Subprotocol::JsonRpc)
    }

    #[test]
    fn the_examples_of_section_7() {
        let mut talk = talk();
        let request = r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#;
        let said = talk.up(request);
        assert_eq!(said.summary(), "request subtract 2 params, id 1");
        assert_eq!(octets_of(one(&said), "params", request.as_bytes()), b"[42, 23]");
        let said = talk.down(r#"{"jsonrpc": "2.0", "result": 19, "id": 1}"#);
        assert_eq!(said.summary(), "response 1 to subtract, 19");
        assert_eq!(answers(one(&said)), (0, "subtract", 1));
        let said = talk.up(r#"{"jsonrpc": "2.0", "method": "update", "params": {"a":1,"b":2}}"#);
        assert_eq!(said.summary(), "notification update {a, b}");
        let said = talk.down(
            r#"{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}"#,
        );
        assert_eq!(said.summary(), "response, error -32700 \"Parse error\"");
        assert!(said.problems().next().is_none());
    }

    #[test]
    fn batches_and_calls_of_the_server() {
        let mut talk = talk();
        let said = talk.down(
            r#"[{"jsonrpc":"2.0","method":"a","id":"1"},{"jsonrpc":"2.0","method":"b","id":1},
                {"jsonrpc":"2.0","method":"c"}]"#,
        );
        assert_eq!(said.summary(), "request a, id \"1\" · request b, id 1 · notification c");
        let said = talk.up(
            r#"[{"jsonrpc":"2.0","result":null,"id":1},{"jsonrpc":"2.0","result":[],"id":"1"}]"#,
        );
        assert_eq!(said.summary(), "response 1 to b, null · response \"1\" to a, []");
    }

    #[test]
    fn what_the_grammar_forbids_is_told() {
        let rows = [
            (r#"{"method":"a"}"#, "missing-field: octet 0: there must be \"jsonrpc\":\"2.0\" (§4)"),
            (
                r#"{"jsonrpc":"2.0","method":1}"#,
                "invalid-value: octet 26: a method is a string, not a number (§4)",
            ),
            (
                r#"{"jsonrpc":"2.0","method":"a","params":"x"}"#,
                "invalid-value: octet 39: params are an array or an object, not a string (§4.2)",
            ),
            (
                r#"{"jsonrpc":"2.0","method":"a","id":{}}"#,
                "invalid-value: octet 35: an id is a string, a number or null, not an object (§4)",
            ),
            (
                r#"{"jsonrpc":"2.0","result":1,"id":9}"#,
                "unknown-id: octet 0: no request has the id 9",
            ),
            (
                r#"{"jsonrpc":"2.0","result":1,"error":{},"id":9}"#,
                "invalid-value: octet 0: a response has a result or an error, not both (§5)",
            ),
            (
                r#"{"jsonrpc":"2.0","result":1}"#,
                "missing-field: octet 0: a response must have an id (§5)",
            ),
            ("[]", "invalid-value: octet 0: a batch must not be empty (§6)"),
            ("hello", "malformed: octet 0: a value must stand here, not h"),
        ];
        for (text, problem) in rows {
            let said = talk().up(text);
            assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
        }
        let mut talk = talk();
        talk.up(r#"{"jsonrpc":"2.0","method":"a","id":1}"#);
        let said = talk.up(r#"{"jsonrpc":"2.0","method":"a","id":1}"#);
        assert_eq!(problems(&said), ["repeated-id: octet 0: id 1 still waits for its answer"]);
    }
}
