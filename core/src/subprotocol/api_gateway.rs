//! JSON objects routed by their `action`: the default route selection of AWS API Gateway
//! (`$request.body.action`), and what many hand-made protocols do.
//!
//! ```text
//!  {"action":"sendmessage","data":"hello"}
//!  {"message":"Internal server error","connectionId":"…","requestId":"…"}     from the gateway itself
//! ```

use super::conversation::Dissector;
use super::dissection::{Packets, cut, quoted};
use super::document::{Document, Item};
use super::json_rpc::params_text;
use super::{FieldForm, MessageFacts, Packet, Role, Subprotocol};
use crate::present::octets;

/// One connection's routes.
#[derive(Debug, Default)]
pub(super) struct ApiGateway;

impl Dissector for ApiGateway {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let document = Document::json(message.data, Some(0), message.is_whole());
        let root = document.root().filter(|root| root.is_object());
        let action = root.and_then(|root| root.get("action")).map(Item::plain);
        let fault = root.filter(|root| {
            !message.is_from_client()
                && root.get("connectionId").is_some()
                && root.get("requestId").is_some()
        });
        let kind = match (&action, fault, message.is_from_client()) {
            (_, Some(_), _) => "error",
            (Some(_), _, true) => "route",
            // What selects no route goes to $default.
            (None, _, true) => "$default",
            (_, _, false) => "message",
        };
        let mut packet = Packet::new(Subprotocol::ApiGateway, kind, Role::Event);
        packet.say(&cut(action.as_deref().unwrap_or_default(), 100));
        if let Some(root) = fault {
            packet.say(&quoted(root.text_of("message").unwrap_or_default()));
        }
        if let Some(root) = root {
            packet.say(&params_text(root));
            root.add_members(&mut packet, 0);
        } else {
            packet.say(&octets(message.data_len));
            packet.field("data", FieldForm::Text, message.text(), None);
        }
        out.push(packet);
    }
}

/// Whether a message of the client selects a route.
pub(super) fn recognise(root: Item<'_>) -> Option<&'static str> {
    root.text_of("action").map(|_| "the client's messages have an action")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, field, one};

    #[test]
    fn routes_what_selects_none_and_errors_of_the_gateway() {
        let mut talk = Talk::new(Subprotocol::ApiGateway);
        let said = talk.up(r#"{"action":"sendmessage","data":"hello"}"#);
        assert_eq!(said.summary(), "route sendmessage {action, data}");
        assert_eq!(field(one(&said), "data"), "hello");
        assert_eq!(talk.up(r#"{"data":1}"#).summary(), "$default {data}");
        assert_eq!(talk.up("hello").summary(), "$default 5 octets");
        let said = talk.down(
            r#"{"message":"Forbidden","connectionId":"L0SM9cOFvHcCIhw=","requestId":"L0=" }"#,
        );
        assert_eq!(said.summary(), "error \"Forbidden\" {message, connectionId, requestId}");
        assert_eq!(talk.down(r#"{"action":"x"}"#).summary(), "message x {action}");
    }
}
