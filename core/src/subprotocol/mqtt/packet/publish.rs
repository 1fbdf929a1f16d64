//! PUBLISH, and the packets that confirm it (MQTT 3.1.1 and MQTT 5, §3.3 to §3.7).

use super::{Context, say_reason};
use crate::present::octets;
use crate::subprotocol::dissection::{cut, quoted};
use crate::subprotocol::mqtt::names::{PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL};
use crate::subprotocol::mqtt::properties::{self, Seen};
use crate::subprotocol::mqtt::reader::{Reader, Short};
use crate::subprotocol::mqtt::{MAX_ALIASES, State};
use crate::subprotocol::{FieldForm, ProblemCode, Role};

impl State {
    pub(super) fn publish(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), Short> {
        let (is_repeated, qos, retain) =
            (context.flags & 8 != 0, (context.flags >> 1) & 3, context.flags & 1 != 0);
        reader.field("flags", FieldForm::Meaning, &publish_flags(is_repeated, qos, retain), None);
        let (topic, span) = reader.string("topic name")?;
        reader.field("topic name", FieldForm::Text, &topic, span);
        if topic.contains(['+', '#']) {
            let detail = format!("the topic {} has a wildcard (MQTT 5 §3.3.2.1)", quoted(&topic));
            reader.packet.problem(ProblemCode::InvalidValue, span.map(|span| span.start), detail);
        }
        let id = if qos > 0 { Some(Self::identifier(reader)?) } else { None };
        let seen = if self.is_v5() { properties::read(reader, PUBLISH)? } else { Seen::default() };
        let topic = self.topic(context, reader, topic, &seen);
        // What was not kept is payload: all that stands before it was read.
        let shown = reader.left();
        let (_, span) = reader.take(shown)?;
        let len = shown.saturating_add(context.cut_off);
        reader.field("payload", FieldForm::Octets, &octets(len as u64), span);
        let packet = &mut *reader.packet;
        packet.say(&cut(&topic, 200));
        packet.also(&octets(len as u64));
        if let Some(kind) = &seen.content_type {
            packet.say(&format!("of {}", cut(kind, 60)));
        }
        if let Some(id) = id {
            packet.also(&format!("QoS {qos}, id {id}"));
        }
        if let Some(topic) = &seen.response_topic {
            packet.also(&format!("answer to {}", cut(topic, 100)));
        }
        if retain {
            packet.also("retain");
        }
        if is_repeated {
            packet.also("sent again");
        }
        match qos {
            3 => {
                let detail = "QoS 3 does not exist (MQTT 5 §3.3.1.2)";
                packet.problem(ProblemCode::InvalidValue, None, detail);
            }
            0 => {}
            _ => {
                packet.role = Role::Request;
                let answer = if qos == 1 { PUBACK } else { PUBREC };
                self.ask(context, reader, answer, id.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The topic, looked up by its alias where it has one (MQTT 5 §3.3.2.3.4).
    pub(super) fn topic(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
        topic: String,
        seen: &Seen,
    ) -> String {
        let [up, down] = &mut self.aliases;
        let aliases = if context.message.is_from_client() { up } else { down };
        match seen.topic_alias {
            Some(alias) if topic.is_empty() => {
                if let Some(topic) = aliases.get(&alias) {
                    return topic.to_string();
                }
                let detail = format!("topic alias {alias} was not given a topic");
                reader.packet.problem(ProblemCode::UnknownId, None, detail);
                format!("alias {alias}")
            }
            Some(alias) => {
                if aliases.len() < MAX_ALIASES {
                    aliases.insert(alias, cut(&topic, 200).into());
                }
                topic
            }
            None => topic,
        }
    }

    /// PUBACK, PUBREC, PUBREL, PUBCOMP: the steps of a publication that is acknowledged.
    pub(super) fn publication(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), Short> {
        let id = Self::identifier(reader)?;
        reader.packet.say(&format!("id {id}"));
        self.answer(context, reader, id);
        let mut has_failed = false;
        if reader.left() > 0 && self.is_v5() {
            let (code, span) = reader.octet()?;
            let meaning = self.meaning(context.kind, code);
            has_failed = code >= 0x80;
            reader.field("reason code", FieldForm::Meaning, &format!("{code} {meaning}"), span);
            if code != 0 {
                reader.packet.also(&format!("{code} {meaning}"));
            }
            if reader.left() > 0 {
                let seen = properties::read(reader, context.kind)?;
                say_reason(reader, &seen);
            }
        }
        match context.kind {
            PUBREC if !has_failed => self.ask(context, reader, PUBREL, id),
            PUBREL => self.ask(context, reader, PUBCOMP, id),
            _ => {}
        }
        Ok(())
    }
}

fn publish_flags(is_repeated: bool, qos: u8, retain: bool) -> String {
    let (dup, retain) =
        (if is_repeated { ", sent again" } else { "" }, if retain { ", retain" } else { "" });
    format!("QoS {qos}{dup}{retain}")
}
