//! The Chrome DevTools Protocol: commands of the client, their results, events of the browser.
//!
//! ```text
//!  {"id":3,"method":"Page.navigate","params":{"url":"…"},"sessionId":"…"}
//!  {"id":3,"result":{"frameId":"…"},"sessionId":"…"}
//!  {"method":"Page.loadEventFired","params":{"timestamp":1.5},"sessionId":"…"}
//! ```

use super::conversation::Dissector;
use super::dissection::{Packets, cut};
use super::document::{Document, Item};
use super::json_rpc::{error_text, params_text};
use super::pending::{Pending, id_key};
use super::{MessageFacts, Packet, ProblemCode, Role, Subprotocol};

/// One connection's DevTools.
#[derive(Debug, Default)]
pub(super) struct DevTools {
    /// By session and id: a browser's connection carries many sessions.
    pending: Pending<(Box<str>, u64)>,
}

impl Dissector for DevTools {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        out.push(match Document::of_message(Subprotocol::DevTools, message) {
            Ok(document) => self.one(&document, message),
            Err(packet) => *packet,
        });
    }
}

impl DevTools {
    fn one(&mut self, document: &Document, message: &MessageFacts<'_>) -> Packet {
        let root = document.root();
        let get = |name| root.and_then(|root: Item<'_>| root.get(name));
        let (id, method) = (get("id"), get("method").and_then(Item::text));
        let (kind, role) = match (method, id, message.is_from_client()) {
            (Some(_), Some(_), _) => ("command", Role::Request),
            (Some(_), None, false) => ("event", Role::Event),
            (None, Some(_), false) => ("result", Role::Response),
            (None, None, false) if get("error").is_some() => ("error", Role::Response),
            _ => ("unknown", Role::Unknown),
        };
        let mut packet = Packet::new(Subprotocol::DevTools, kind, role);
        packet.problems.extend(document.problem());
        packet.id = id.and_then(Item::id);
        if kind == "command" && !message.is_from_client() {
            let detail = "commands are not for the browser to send";
            packet.problem(ProblemCode::WrongDirection, Some(0), detail);
        }
        if kind == "unknown" {
            let what = if message.is_from_client() {
                "a command has an id and a method"
            } else {
                "there is neither an id nor a method"
            };
            document.missing(&mut packet, what);
        }
        let session = get("sessionId").and_then(Item::text).unwrap_or_default();
        if let Some(method) = method {
            packet.say(&cut(method, 100));
        }
        if let Some(params) = get("params").filter(|params| params.len() > 0) {
            packet.say(&params_text(params));
        }
        match id.map(|id| (id, id.integer())) {
            Some((_, Some(id))) => self.matched(session, id, &mut packet, message),
            Some((id, None)) => {
                let detail = format!("an id is a whole number, not {}", id.what());
                packet.problem(ProblemCode::InvalidValue, id.offset(), detail);
            }
            None => {}
        }
        if let Some(error) = get("error") {
            packet.also(&format!("error {}", error_text(error)));
        } else if let Some(result) = get("result") {
            packet.also(&result.preview());
        }
        if !session.is_empty() {
            let end = session.len().saturating_sub(6);
            packet.also(&format!("session …{}", session.get(end..).unwrap_or(session)));
        }
        if let Some(root) = root {
            root.add_members(&mut packet, 0);
        }
        packet
    }

    fn matched(&mut self, session: &str, id: u64, packet: &mut Packet, message: &MessageFacts<'_>) {
        let key = (id_key(session), id);
        if packet.role == Role::Request {
            packet.also(&format!("id {id}"));
            let what = packet.summary.trim_start_matches("command ").to_owned();
            let what = what.split([' ', ',']).next().unwrap_or_default();
            if self.pending.ask(key, message, what) {
                let detail = format!("id {id} still waits for its result");
                packet.problem(ProblemCode::RepeatedId, None, detail);
            }
            return;
        }
        packet.say(&id.to_string());
        let answer = self.pending.answer(&key, message);
        packet.matched(answer, None, || format!("no command has the id {id}"));
    }
}

/// Whether a text is a command: an id, and a method of a domain such as `Page.enable`.
pub(super) fn recognise(root: Item<'_>) -> Option<&'static str> {
    root.get("id")?.integer()?;
    let (domain, method) = root.text_of("method")?.split_once('.')?;
    let is_name = |text: &str, first: fn(&char) -> bool| {
        text.chars().next().is_some_and(|c| first(&c))
            && text.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let is_command =
        is_name(domain, char::is_ascii_uppercase) && is_name(method, char::is_ascii_lowercase);
    (is_command && root.get("jsonrpc").is_none())
        .then_some("the messages have an id and a method such as Page.enable")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, answers, one, problems};

    fn talk() -> Talk {
        Talk::new(Subprotocol::DevTools)
    }

    #[test]
    fn commands_results_and_events_of_two_sessions() {
        let mut talk = talk();
        let said = talk.up(r#"{"id":3,"method":"Page.navigate","params":{"url":"https://a/"},"sessionId":"00ABCDEF"}"#);
        assert_eq!(said.summary(), "command Page.navigate {url}, id 3, session …ABCDEF");
        talk.up(r#"{"id":3,"method":"Target.getTargets"}"#);
        let said = talk.down(
            r#"{"method":"Page.loadEventFired","params":{"timestamp":1.5},"sessionId":"00ABCDEF"}"#,
        );
        assert_eq!(said.summary(), "event Page.loadEventFired {timestamp}, session …ABCDEF");
        let said = talk.down(r#"{"id":3,"result":{"frameId":"F"},"sessionId":"00ABCDEF"}"#);
        assert_eq!(
            said.summary(),
            "result 3 to Page.navigate, {\"frameId\":\"F\"}, session …ABCDEF"
        );
        assert_eq!(answers(one(&said)), (0, "Page.navigate", 3));
        let said = talk.down(r#"{"id":3,"error":{"code":-32601,"message":"'X' wasn't found"}}"#);
        assert_eq!(
            said.summary(),
            "result 3 to Target.getTargets, error -32601 \"'X' wasn't found\""
        );
        assert!(said.problems().next().is_none());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let up = |text| problems(&talk().up(text));
        let down = |text| problems(&talk().down(text));
        assert_eq!(
            up(r#"{"method":"Page.enable"}"#),
            ["missing-field: octet 0: a command has an id and a method"]
        );
        assert_eq!(
            up(r#"{"id":"x","method":"Page.enable"}"#),
            ["invalid-value: octet 6: an id is a whole number, not a string"]
        );
        assert_eq!(down(r#"{"id":9,"result":{}}"#), ["unknown-id: no command has the id 9"]);
        assert_eq!(down("{}"), ["missing-field: octet 0: there is neither an id nor a method"]);
        assert_eq!(
            down(r#"{"id":1,"method":"Page.enable"}"#),
            ["wrong-direction: octet 0: commands are not for the browser to send"]
        );
    }
}
