//! Action Cable: commands of the client to channels, and what the server says of and on them.
//!
//! ```text
//!  {"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\",\"room\":\"1\"}"}
//!  {"type":"confirm_subscription","identifier":"{\"channel\":\"ChatChannel\",\"room\":\"1\"}"}
//!  {"command":"message","identifier":"…","data":"{\"action\":\"speak\",\"text\":\"hi\"}"}
//!  {"identifier":"…","message":{"text":"hi"}}
//!  {"type":"welcome"}   {"type":"ping","message":1700000000}   {"type":"disconnect","reason":"…"}
//! ```
//!
//! An identifier is JSON in a string, and matches by its text.

use super::conversation::Dissector;
use super::dissection::{Packets, cut, quoted};
use super::document::{Document, Item};
use super::pending::{Pending, id_key};
use super::{FieldForm, MessageFacts, Packet, ProblemCode, Role, Subprotocol};

/// One connection's Action Cable.
#[derive(Debug, Default)]
pub(super) struct ActionCable {
    /// Subscriptions by their identifier.
    pending: Pending<Box<str>>,
}

impl Dissector for ActionCable {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        out.push(match Document::of_message(Subprotocol::ActionCable, message) {
            Ok(document) => self.one(&document, message),
            Err(packet) => *packet,
        });
    }
}

impl ActionCable {
    fn one(&mut self, document: &Document, message: &MessageFacts<'_>) -> Packet {
        let root = document.root();
        let text = |name| root.and_then(|root: Item<'_>| root.text_of(name));
        let (command, kind) = (text("command"), text("type"));
        let identifier = text("identifier");
        let name = match (command, kind) {
            (Some(command), _) => command,
            (None, Some(kind)) => kind,
            (None, None) if identifier.is_some() && !message.is_from_client() => "broadcast",
            (None, None) => "unknown",
        };
        let mut packet = Packet::new(Subprotocol::ActionCable, name.to_owned(), Role::Event);
        packet.problems.extend(document.problem());
        let channel = identifier.map(channel);
        packet.say(&channel.clone().unwrap_or_default());
        packet.id = identifier.map(str::to_owned);
        if message.is_from_client() {
            self.command(name, identifier, text("data"), message, &mut packet);
            if command.is_none() {
                document.missing(&mut packet, "a message of the client must have a command");
            }
        } else {
            if command.is_some() {
                let detail = "commands are not for the server to send";
                packet.problem(ProblemCode::WrongDirection, Some(0), detail);
            }
            self.notice(name, root, identifier, message, &mut packet);
            if name == "unknown" {
                document.missing(
                    &mut packet,
                    "a message of the server must have a type or an identifier",
                );
            }
        }
        if let Some(root) = root {
            root.add_members(&mut packet, 0);
        }
        if let Some(channel) = channel {
            packet.field("channel", FieldForm::Meaning, &channel, None);
        }
        packet
    }

    fn command(
        &mut self,
        name: &str,
        identifier: Option<&str>,
        data: Option<&str>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        match name {
            "subscribe" => {
                packet.role = Role::Request;
                if let Some(identifier) = identifier {
                    self.pending.ask(id_key(identifier), message, &packet.summary);
                }
            }
            "unsubscribe" => packet.role = Role::Control,
            "message" => {
                let data = data.unwrap_or_default();
                let inner = Document::json(data.as_bytes(), None, true);
                let action = inner.root().and_then(|root| root.text_of("action"));
                packet.say(&match action {
                    Some(action) => format!("action {}", quoted(action)),
                    None => cut(data, 80),
                });
            }
            "unknown" => packet.role = Role::Unknown,
            _ => {
                let detail = format!("there is no command {}", quoted(name));
                packet.problem(ProblemCode::UnknownKind, Some(0), detail);
            }
        }
        if identifier.is_none() && name != "unknown" {
            let detail = format!("{} must have an identifier", quoted(name));
            packet.problem(ProblemCode::MissingField, Some(0), detail);
        }
    }

    fn notice(
        &mut self,
        name: &str,
        root: Option<Item<'_>>,
        identifier: Option<&str>,
        message: &MessageFacts<'_>,
        packet: &mut Packet,
    ) {
        let get = |name| root.and_then(|root: Item<'_>| root.get(name));
        match name {
            "welcome" => packet.role = Role::Control,
            "ping" => packet.role = Role::KeepAlive,
            "disconnect" => {
                packet.role = Role::Control;
                packet.say(&get("reason").map(Item::plain).unwrap_or_default());
                if get("reconnect").is_some_and(Item::is_true) {
                    packet.also("may reconnect");
                }
            }
            "confirm_subscription" | "reject_subscription" => {
                packet.role = Role::Response;
                let answer = identifier
                    .and_then(|identifier| self.pending.answer(&id_key(identifier), message));
                if answer.is_none() {
                    let detail = "no subscription with this identifier waits for it";
                    packet.problem(ProblemCode::UnknownId, None, detail);
                }
                packet.answering(answer);
            }
            "broadcast" => {
                packet.say(&get("message").map(Item::preview).unwrap_or_default());
            }
            "unknown" => packet.role = Role::Unknown,
            _ => {
                let detail = format!("there is no message type {}", quoted(name));
                packet.problem(ProblemCode::UnknownKind, Some(0), detail);
            }
        }
    }
}

/// `ChatChannel room=1`: an identifier in a few words.
fn channel(identifier: &str) -> String {
    let document = Document::json(identifier.as_bytes(), None, true);
    let root = document.root().filter(|root| root.is_object());
    let Some(root) = root else { return cut(identifier, 80) };
    let mut words = root.text_of("channel").unwrap_or_default().to_owned();
    for member in root.children().filter(|member| member.name() != "channel") {
        words.extend([" ", member.name(), "=", &member.plain()]);
    }
    cut(words.trim_start(), 120)
}

/// Whether a text is one that servers of Action Cable begin with.
pub(super) fn recognise(root: Item<'_>) -> Option<&'static str> {
    let is_welcome = root.text_of("type") == Some("welcome") && root.len() <= 2;
    let is_subscribe = root.text_of("command") == Some("subscribe")
        && root.text_of("identifier").is_some_and(|identifier| identifier.contains("\"channel\""));
    (is_welcome || is_subscribe).then_some("the messages are those of Action Cable")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, answers, one, problems};

    const IDENTIFIER: &str = r#""identifier":"{\"channel\":\"ChatChannel\",\"room\":\"1\"}""#;

    fn talk() -> Talk {
        Talk::new(Subprotocol::ActionCable)
    }

    #[test]
    fn a_subscription_and_what_goes_over_it() {
        let mut talk = talk();
        assert_eq!(talk.down(r#"{"type":"welcome"}"#).summary(), "welcome");
        let said = talk.up(&format!(r#"{{"command":"subscribe",{IDENTIFIER}}}"#));
        assert_eq!(said.summary(), "subscribe ChatChannel room=1");
        let said = talk.down(&format!(r#"{{{IDENTIFIER},"type":"confirm_subscription"}}"#));
        assert_eq!(said.summary(), "confirm_subscription ChatChannel room=1");
        assert_eq!(answers(one(&said)), (0, "subscribe ChatChannel room=1", 1));
        let said = talk.up(&format!(
            r#"{{"command":"message",{IDENTIFIER},"data":"{{\"action\":\"speak\",\"text\":\"hi\"}}"}}"#
        ));
        assert_eq!(said.summary(), "message ChatChannel room=1 action \"speak\"");
        let said = talk.down(&format!(r#"{{{IDENTIFIER},"message":{{"text":"hi"}}}}"#));
        assert_eq!(said.summary(), "broadcast ChatChannel room=1 {\"text\":\"hi\"}");
        assert_eq!(talk.down(r#"{"type":"ping","message":1700000000}"#).summary(), "ping");
        let said = talk.down(r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#);
        assert_eq!(said.summary(), "disconnect server_restart, may reconnect");
        assert!(said.problems().next().is_none());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let up = |text| problems(&talk().up(text));
        let down = |text| problems(&talk().down(text));
        assert_eq!(
            up("{}"),
            ["missing-field: octet 0: a message of the client must have a command"]
        );
        assert_eq!(
            up(r#"{"command":"subscribe"}"#),
            ["missing-field: octet 0: \"subscribe\" must have an identifier"]
        );
        assert_eq!(
            up(r#"{"command":"x","identifier":"{}"}"#),
            ["unknown-kind: octet 0: there is no command \"x\""]
        );
        assert_eq!(
            down(r#"{"type":"x"}"#),
            ["unknown-kind: octet 0: there is no message type \"x\""]
        );
        assert_eq!(
            down(r#"{"type":"confirm_subscription","identifier":"{}"}"#),
            ["unknown-id: no subscription with this identifier waits for it"]
        );
    }
}
