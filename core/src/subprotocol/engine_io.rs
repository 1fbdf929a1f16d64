//! Engine.IO, protocol revisions 3 and 4: packets of one type digit and data.
//!
//! ```text
//!  text message    0{"sid":"…","pingInterval":25000,…}     open
//!                  4hello                                   message
//!  binary message  the data of a message                    revision 4
//!                  04, then the data of a message           revision 3
//! ```
//!
//! In revision 3 the client pings, from revision 4 on the server does; `2probe` and `3probe` test the
//! WebSocket before a session that began by polling moves to it.

mod payload;

use std::time::Duration;

use super::conversation::Dissector;
use super::dissection::{Packets, quoted};
use super::document::Document;
use super::pending::Pending;
use super::{FieldForm, MessageFacts, Opening, Packet, ProblemCode, Role, Subprotocol};
use crate::payload::Span;
use crate::present::octets;

pub(super) use payload::PolledPackets;
pub(crate) use payload::engine_io_session;

/// One connection's Engine.IO.
#[derive(Debug)]
pub(super) struct EngineIo {
    revision: Revision,
    /// Pings by who sent them and what they carry.
    pings: Pending<(bool, Box<str>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Revision {
    Three,
    Four,
}

/// What a message of the layer above is carried in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Carried {
    /// Its octets in the message.
    pub(super) span: Span,
    pub(super) is_binary: bool,
}

impl EngineIo {
    /// Takes the revision from the `EIO` parameter of the target; without it, 4.
    pub(super) fn new(opening: &Opening<'_>) -> Self {
        let revision = match opening.query("EIO") {
            Some("1" | "2" | "3") => Revision::Three,
            _ => Revision::Four,
        };
        Self { revision, pings: Pending::default() }
    }

    /// Whether it is revision 3.
    pub(super) fn is_revision_3(&self) -> bool {
        self.revision == Revision::Three
    }

    /// Reads one packet: either it carries a message, or it is one of Engine.IO itself.
    pub(super) fn read(&mut self, message: &MessageFacts<'_>) -> Result<Carried, Box<Packet>> {
        if !message.is_text() {
            return self.read_binary(message);
        }
        let text = message.text();
        let Some(kind) = text.chars().next() else {
            let mut packet = self.packet("empty", Role::Unknown, message);
            packet.problem(ProblemCode::Truncated, Some(0), "a packet begins with its type");
            return Err(Box::new(packet));
        };
        let data = text.get(1..).unwrap_or_default();
        match kind {
            '0' => Err(Box::new(self.open(message, data))),
            '1' => Err(Box::new(self.packet("close", Role::Control, message))),
            '2' => Err(Box::new(self.ping(message, data))),
            '3' => Err(Box::new(self.pong(message, data))),
            '4' => Ok(Carried { span: Span::new(1, message.data.len()), is_binary: false }),
            '5' => {
                let mut packet = self.packet("upgrade", Role::Control, message);
                packet.say("the session goes on over this WebSocket");
                if !message.is_from_client() {
                    let detail = "upgrade is not for the server to send";
                    packet.problem(ProblemCode::WrongDirection, Some(0), detail);
                }
                Err(Box::new(packet))
            }
            '6' => Err(Box::new(self.packet("noop", Role::KeepAlive, message))),
            'b' if self.is_revision_3() && data.starts_with('4') => {
                Ok(Carried { span: Span::new(2, message.data.len()), is_binary: true })
            }
            _ => {
                let mut packet = self.packet("unknown", Role::Unknown, message);
                let shown = quoted(&kind.to_string());
                packet.say(&format!("type {shown}"));
                let detail = format!("there is no packet type {shown}");
                packet.problem(ProblemCode::UnknownKind, Some(0), detail);
                Err(Box::new(packet))
            }
        }
    }

    fn read_binary(&mut self, message: &MessageFacts<'_>) -> Result<Carried, Box<Packet>> {
        let len = message.data.len();
        if self.revision == Revision::Four {
            return Ok(Carried { span: Span::new(0, len), is_binary: true });
        }
        if message.data.first() == Some(&4) {
            return Ok(Carried { span: Span::new(1, len), is_binary: true });
        }
        let mut packet = self.packet("unknown", Role::Unknown, message);
        let detail = "a binary packet of revision 3 begins with the octet 04";
        packet.problem(ProblemCode::UnknownKind, Some(0), detail);
        Err(Box::new(packet))
    }

    #[expect(clippy::unused_self, reason = "it reads as the others do")]
    fn packet(&self, kind: &'static str, role: Role, message: &MessageFacts<'_>) -> Packet {
        let mut packet = Packet::new(Subprotocol::EngineIo, kind, role);
        if message.is_text() && !message.data.is_empty() {
            packet.field("packet type", FieldForm::Meaning, kind, Some(Span::at(0, 1)));
        }
        packet
    }

    fn open(&mut self, message: &MessageFacts<'_>, data: &str) -> Packet {
        let mut packet = self.packet("open", Role::Control, message);
        if message.is_from_client() {
            let detail = "open is not for the client to send";
            packet.problem(ProblemCode::WrongDirection, Some(0), detail);
        }
        let document = Document::json(data.as_bytes(), Some(1), message.is_whole());
        packet.problems.extend(document.problem());
        let Some(root) = document.root() else { return packet };
        if let Some(sid) = root.text_of("sid") {
            packet.say(&format!("session {}", quoted(sid)));
        } else {
            document.missing(&mut packet, "open must have a sid");
        }
        let seconds = |name| {
            let millis = Duration::from_millis(root.get(name)?.integer()?);
            Some(millis.as_secs_f64())
        };
        if let (Some(interval), Some(timeout)) = (seconds("pingInterval"), seconds("pingTimeout")) {
            packet.also(&format!("ping every {interval} s, timeout {timeout} s"));
        }
        root.add_members(&mut packet, 0);
        packet
    }

    fn ping(&mut self, message: &MessageFacts<'_>, data: &str) -> Packet {
        let mut packet = self.packet("ping", Role::KeepAlive, message);
        add_data(&mut packet, data);
        self.pings.ask((message.is_from_client(), data.into()), message, &packet.summary);
        let is_due = data == "probe" || message.is_from_client() == self.is_revision_3();
        if !is_due {
            let detail = match self.revision {
                Revision::Three => "in revision 3 the client pings",
                Revision::Four => "from revision 4 on the server pings",
            };
            packet.problem(ProblemCode::WrongDirection, Some(0), detail);
        }
        packet
    }

    fn pong(&mut self, message: &MessageFacts<'_>, data: &str) -> Packet {
        let mut packet = self.packet("pong", Role::KeepAlive, message);
        add_data(&mut packet, data);
        let answer = self.pings.answer(&(!message.is_from_client(), data.into()), message);
        if answer.is_none() {
            packet.problem(ProblemCode::UnknownId, Some(0), "no ping waits for it");
        }
        packet.answering(answer);
        packet
    }
}

fn add_data(packet: &mut Packet, data: &str) {
    if !data.is_empty() {
        packet.say(&quoted(data));
        packet.field("data", FieldForm::Text, data, Some(Span::at(1, data.len())));
    }
}

/// Whether a text is the packet that a server opens a session with.
pub(super) fn recognise(text: &str, is_from_client: bool) -> Option<&'static str> {
    let data = text.strip_prefix('0').filter(|data| !is_from_client && data.starts_with('{'))?;
    let document = Document::json(data.as_bytes(), Some(1), true);
    let root = document.root()?;
    let opens = root.text_of("sid").is_some() && root.get("pingInterval").is_some();
    opens.then_some("the server's first message opens an Engine.IO session")
}

impl Dissector for EngineIo {
    fn receive(&mut self, message: &MessageFacts<'_>, out: &mut Packets) {
        let carried = match self.read(message) {
            Ok(carried) => carried,
            Err(packet) => {
                out.push(*packet);
                return;
            }
        };
        let mut packet = Packet::new(Subprotocol::EngineIo, "message", Role::Event);
        let data = carried.span.of(message.data);
        match std::str::from_utf8(data) {
            Ok(text) if !carried.is_binary => {
                packet.say(&quoted(text));
                packet.field("data", FieldForm::Text, text, Some(carried.span));
            }
            _ => {
                packet.say(&octets(data.len() as u64));
                packet.octets("data", data.len(), Some(carried.span));
            }
        }
        out.push(packet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subprotocol::testing::{Talk, answers, field, octets_of, one, problems};

    fn talk(target: &str) -> Talk {
        Talk::opened(Subprotocol::EngineIo, &Opening { target, ..Opening::default() })
    }

    #[test]
    fn a_session_of_revision_4() {
        let mut talk = talk("/engine.io/?EIO=4&transport=websocket");
        let said = talk.down(
            r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#,
        );
        assert_eq!(
            said.summary(),
            "open session \"lv_VI97HAXpY6yYWAAAC\", ping every 25 s, timeout 20 s"
        );
        assert_eq!(field(one(&said), "pingTimeout"), "20000");
        assert_eq!(talk.down("2").summary(), "ping");
        let said = talk.up("3");
        assert_eq!(answers(one(&said)), (1, "ping", 1));
        assert_eq!(talk.up("4hello").summary(), "message \"hello\"");
        let said = talk.up_octets(&[1, 2, 3]);
        assert_eq!(said.summary(), "message 3 octets");
        assert_eq!(octets_of(one(&said), "data", &[1, 2, 3]), [1, 2, 3]);
        assert_eq!(
            problems(&talk.up("2")),
            ["wrong-direction: octet 0: from revision 4 on the server pings"]
        );
    }

    #[test]
    fn a_session_that_moves_from_polling_in_revision_3() {
        let mut talk = talk("/engine.io/?EIO=3&transport=websocket&sid=x");
        assert_eq!(talk.up("2probe").summary(), "ping \"probe\"");
        assert_eq!(answers(one(&talk.down("3probe"))).0, 0);
        assert_eq!(talk.up("5").summary(), "upgrade the session goes on over this WebSocket");
        assert_eq!(talk.up("2").problems().count(), 0);
        assert_eq!(talk.down("3").problems().count(), 0);
        let said = talk.down_octets(&[4, 9, 9]);
        assert_eq!(said.summary(), "message 2 octets");
        assert_eq!(talk.down_octets(&[9]).problems().count(), 1);
        assert_eq!(talk.down("6").summary(), "noop");
    }

    #[test]
    fn what_the_grammar_forbids_is_told() {
        let rows = [
            ("9", "unknown-kind: octet 0: there is no packet type \"9\""),
            ("", "truncated: octet 0: a packet begins with its type"),
            ("3", "unknown-id: octet 0: no ping waits for it"),
            ("0{}", "wrong-direction: octet 0: open is not for the client to send"),
            ("0{}", "missing-field: octet 1: open must have a sid"),
            ("0{", "truncated: octet 2: the payload ends inside an object"),
        ];
        for (text, problem) in rows {
            let said = talk("/?EIO=4").up(text);
            assert!(problems(&said).iter().any(|seen| seen == problem), "{:?}", problems(&said));
        }
    }
}
