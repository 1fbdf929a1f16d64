//! Which sub-protocol a connection speaks, and how one can tell.

use super::document::{Document, Item};
use super::{MessageFacts, Subprotocol};
use crate::{Opcode, OpeningHandshake};

/// What an opening handshake tells of the sub-protocol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opening<'a> {
    /// `Sec-WebSocket-Protocol` of the request, in the client's order.
    pub offered: Vec<&'a str>,
    /// `Sec-WebSocket-Protocol` of the answer.
    pub agreed: Option<&'a str>,
    /// The request's target, query included.
    pub target: &'a str,
    /// The request's `Host`.
    pub host: String,
}

impl<'a> Opening<'a> {
    /// From a handshake that was seen.
    pub fn of(handshake: &'a OpeningHandshake) -> Self {
        let protocols = &handshake.subprotocol;
        Self {
            offered: protocols.offered.iter().map(String::as_str).collect(),
            agreed: protocols.chosen.first().map(String::as_str),
            target: handshake.request.target().unwrap_or_default(),
            host: handshake.request.value("Host").map(Into::into).unwrap_or_default(),
        }
    }

    /// The target without its query.
    pub(super) fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of a query parameter, as it was sent.
    pub(super) fn query(&self, name: &str) -> Option<&'a str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then_some(value)
        })
    }
}

/// A sub-protocol, and why it is taken for the one that is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The sub-protocol.
    pub protocol: Subprotocol,
    /// One line for people: `Sec-WebSocket-Protocol: mqtt`.
    pub reason: String,
}

impl Choice {
    fn new(protocol: Subprotocol, reason: impl Into<String>) -> Self {
        Self { protocol, reason: reason.into() }
    }
}

/// Chooses by what was agreed on, then by the request's target, then by what the first messages look
/// like, then by what was offered. `None` where nothing speaks for any.
pub fn choose(opening: &Opening<'_>, first_messages: &[MessageFacts<'_>]) -> Option<Choice> {
    by_agreement(opening)
        .or_else(|| by_target(opening))
        .or_else(|| first_messages.iter().find_map(|message| by_content(message, opening)))
        .or_else(|| by_offer(opening))
}

fn by_agreement(opening: &Opening<'_>) -> Option<Choice> {
    let agreed = opening.agreed?;
    let protocol = by_token(agreed)?;
    Some(Choice::new(protocol, format!("Sec-WebSocket-Protocol: {agreed}")))
}

fn by_offer(opening: &Opening<'_>) -> Option<Choice> {
    if opening.agreed.is_some() {
        return None;
    }
    opening.offered.iter().find_map(|offered| {
        let protocol = by_token(offered)?;
        let reason = format!("the client offered {offered}, and the server agreed on nothing");
        Some(Choice::new(protocol, reason))
    })
}

/// Tokens of the IANA registry and those that libraries use.
fn by_token(token: &str) -> Option<Subprotocol> {
    let token = token.to_ascii_lowercase();
    Some(match token.as_str() {
        "v10.stomp" | "v11.stomp" | "v12.stomp" | "stomp" => Subprotocol::Stomp,
        "mqtt" | "mqttv3.1" | "mqttv3.1.1" | "mqttv5" | "mqttv5.0" => Subprotocol::Mqtt,
        "graphql-transport-ws" => Subprotocol::GraphqlTransportWs,
        "graphql-ws" => Subprotocol::GraphqlWs,
        "actioncable-v1-json" | "actioncable-unsupported" => Subprotocol::ActionCable,
        "jsonrpc" | "jsonrpc-2.0" | "jsonrpc2.0" | "json-rpc" => Subprotocol::JsonRpc,
        _ if token.starts_with("wamp.2.") => Subprotocol::Wamp,
        _ => return None,
    })
}

fn by_target(opening: &Opening<'_>) -> Option<Choice> {
    let path = opening.path();
    if matches!(opening.query("transport"), Some("websocket" | "polling"))
        && let Some(revision) = opening.query("EIO")
    {
        let protocol = if path.trim_end_matches('/').ends_with("/engine.io") {
            Subprotocol::EngineIo
        } else {
            Subprotocol::SocketIo
        };
        return Some(Choice::new(protocol, format!("the target asks for EIO={revision}")));
    }
    if path.starts_with("/devtools/browser/") || path.starts_with("/devtools/page/") {
        return Some(Choice::new(Subprotocol::DevTools, format!("the target is {path}")));
    }
    None
}

/// Tells by one message alone; the messages of most sub-protocols are unmistakable.
fn by_content(message: &MessageFacts<'_>, opening: &Opening<'_>) -> Option<Choice> {
    match message.opcode {
        Opcode::Text => by_text(message, opening),
        _ => by_octets(message.data),
    }
}

fn by_octets(data: &[u8]) -> Option<Choice> {
    // A fixed header of CONNECT, a length of one to four octets, the length and text of the name.
    let names_mqtt = |at: usize| {
        let name = data.get(at..).unwrap_or_default();
        name.starts_with(b"\x00\x04MQTT") || name.starts_with(b"\x00\x06MQIsdp")
    };
    if data.first() == Some(&0x10) && (2..=5).any(names_mqtt) {
        return Some(Choice::new(Subprotocol::Mqtt, "the first packet is an MQTT CONNECT"));
    }
    None
}

fn by_text(message: &MessageFacts<'_>, opening: &Opening<'_>) -> Option<Choice> {
    let text = message.text();
    let of = |protocol, reason: &str| Some(Choice::new(protocol, reason));
    if let Some(reason) = super::stomp::recognise(text) {
        return of(Subprotocol::Stomp, reason);
    }
    if let Some(reason) = super::signalr::recognise(text) {
        return of(Subprotocol::SignalR, reason);
    }
    if let Some(reason) = super::engine_io::recognise(text, message.is_from_client()) {
        return of(Subprotocol::SocketIo, reason);
    }
    if super::sockjs::is_target(opening.path()) && text == "o" && !message.is_from_client() {
        return of(
            Subprotocol::SockJs,
            "the target is that of a SockJS session, and it opens with o",
        );
    }
    by_json(message, opening)
}

/// Says why a JSON value is one of a sub-protocol.
type Recognise = fn(Item<'_>) -> Option<&'static str>;

/// Tells by a message that is a JSON object or array.
fn by_json(message: &MessageFacts<'_>, opening: &Opening<'_>) -> Option<Choice> {
    if !message.text().trim_start().starts_with(['{', '[']) {
        return None;
    }
    let document = Document::json(message.data, Some(0), message.is_whole());
    let root = document.root()?;
    let recognisers: [(Subprotocol, Recognise); 6] = [
        (Subprotocol::JsonRpc, super::json_rpc::recognise),
        (Subprotocol::Phoenix, super::phoenix::recognise),
        (Subprotocol::ActionCable, super::action_cable::recognise),
        (Subprotocol::GraphqlTransportWs, super::graphql::recognise_newer),
        (Subprotocol::GraphqlWs, super::graphql::recognise_older),
        (Subprotocol::DevTools, super::devtools::recognise),
    ];
    for (protocol, recognise) in recognisers {
        if let Some(reason) = recognise(root) {
            return Some(Choice::new(protocol, reason));
        }
    }
    let is_gateway = is_api_gateway(&opening.host);
    if message.is_from_client() && (is_gateway || root.get("action").is_some()) {
        let reason = super::api_gateway::recognise(root)?;
        let reason = if is_gateway {
            format!("{reason}, and the host is one of API Gateway")
        } else {
            reason.to_owned()
        };
        return Some(Choice::new(Subprotocol::ApiGateway, reason));
    }
    None
}

/// `ID.execute-api.REGION.amazonaws.com`.
fn is_api_gateway(host: &str) -> bool {
    host.contains(".execute-api.") && host.contains(".amazonaws.com")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{down, up};

    fn protocol(opening: &Opening<'_>, messages: &[MessageFacts<'_>]) -> Option<Subprotocol> {
        choose(opening, messages).map(|choice| choice.protocol)
    }

    fn agreed(token: &'static str) -> Opening<'static> {
        Opening { agreed: Some(token), ..Opening::default() }
    }

    fn target(target: &'static str) -> Opening<'static> {
        Opening { target, ..Opening::default() }
    }

    #[test]
    fn by_what_was_agreed_on() {
        let rows = [
            ("v12.stomp", Subprotocol::Stomp),
            ("mqtt", Subprotocol::Mqtt),
            ("mqttv3.1", Subprotocol::Mqtt),
            ("wamp.2.json", Subprotocol::Wamp),
            ("wamp.2.msgpack.batched", Subprotocol::Wamp),
            ("graphql-transport-ws", Subprotocol::GraphqlTransportWs),
            ("graphql-ws", Subprotocol::GraphqlWs),
            ("actioncable-v1-json", Subprotocol::ActionCable),
        ];
        for (token, expected) in rows {
            let choice = choose(&agreed(token), &[]).unwrap();
            assert_eq!(choice.protocol, expected);
            assert_eq!(choice.reason, format!("Sec-WebSocket-Protocol: {token}"));
        }
        assert_eq!(choose(&agreed("chat"), &[]), None);
    }

    #[test]
    fn by_the_target() {
        let rows = [
            ("/socket.io/?EIO=4&transport=websocket", Subprotocol::SocketIo),
            ("/live/?a=b&transport=websocket&EIO=3", Subprotocol::SocketIo),
            ("/engine.io/?EIO=4&transport=websocket", Subprotocol::EngineIo),
            ("/devtools/page/AB12", Subprotocol::DevTools),
        ];
        for (text, expected) in rows {
            assert_eq!(protocol(&target(text), &[]), Some(expected), "{text}");
        }
        assert_eq!(choose(&target("/chat?EIO=4"), &[]), None);
    }

    #[test]
    fn by_the_first_message_that_tells() {
        let rows = [
            ("CONNECT\naccept-version:1.2\n\n\0", Subprotocol::Stomp),
            ("{\"protocol\":\"json\",\"version\":1}\u{1e}", Subprotocol::SignalR),
            (r#"{"jsonrpc":"2.0","method":"a"}"#, Subprotocol::JsonRpc),
            (r#"[{"jsonrpc":"2.0","method":"a"}]"#, Subprotocol::JsonRpc),
            (r#"["1","1","room:1","phx_join",{}]"#, Subprotocol::Phoenix),
            (r#"{"topic":"a","event":"phx_join","payload":{},"ref":"1"}"#, Subprotocol::Phoenix),
            (
                r#"{"command":"subscribe","identifier":"{\"channel\":\"A\"}"}"#,
                Subprotocol::ActionCable,
            ),
            (r#"{"id":1,"method":"Page.enable"}"#, Subprotocol::DevTools),
            (r#"{"action":"send","data":1}"#, Subprotocol::ApiGateway),
        ];
        for (text, expected) in rows {
            let messages = [up(0, "hello"), up(1, text)];
            assert_eq!(protocol(&Opening::default(), &messages), Some(expected), "{text}");
        }
        let open = r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
        assert_eq!(protocol(&Opening::default(), &[down(0, open)]), Some(Subprotocol::SocketIo));
        let sockjs = target("/echo/123/abcd1234/websocket");
        assert_eq!(protocol(&sockjs, &[down(0, "o")]), Some(Subprotocol::SockJs));
        let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
        let facts =
            MessageFacts { opcode: Opcode::Binary, data: connect, data_len: 15, ..up(0, "") };
        assert_eq!(protocol(&Opening::default(), &[facts]), Some(Subprotocol::Mqtt));
    }

    #[test]
    fn nothing_is_read_into_what_could_be_anything() {
        for text in [
            "hello",
            "",
            "o",
            "{}",
            "[]",
            "4",
            "42",
            "{\"id\":1}",
            "[1,2,3,4,5]",
            "null",
            "CONNECT",
        ] {
            assert_eq!(choose(&Opening::default(), &[up(0, text), down(0, text)]), None, "{text}");
        }
    }

    #[test]
    fn by_an_offer_that_was_not_answered() {
        let opening = Opening { offered: vec!["chat", "mqtt"], ..Opening::default() };
        let choice = choose(&opening, &[]).unwrap();
        assert_eq!(choice.protocol, Subprotocol::Mqtt);
        assert_eq!(choice.reason, "the client offered mqtt, and the server agreed on nothing");
    }
}
