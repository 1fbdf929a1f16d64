//! Control packets: what each type says (MQTT 3.1.1 and MQTT 5, §3).

use super::names::{
    AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC,
    PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE, fixed_flags, reason_code, return_code,
    senders, type_name,
};
use super::properties::{self, Seen, WILL};
use super::reader::{Reader, Short};
use super::{FixedHeader, MAX_ALIASES, Place, State};
use crate::present::octets;
use crate::subprotocol::dissection::{cut, quoted};
use crate::subprotocol::{FieldForm, MessageFacts, Packet, ProblemCode, Role, Subprotocol};

/// What all parts of the dissection of one packet look at.
struct Context<'m, 'd> {
    kind: u8,
    flags: u8,
    message: &'m MessageFacts<'d>,
    /// All octets of the packet are there.
    is_whole: bool,
    /// Octets of the packet that are not there.
    cut_off: usize,
}

impl State {
    /// Dissects a packet, its fixed header counted in, of which `is_whole` says whether all is there.
    pub(super) fn packet(
        &mut self,
        header: &FixedHeader,
        octets: &[u8],
        place: Place,
        message: &MessageFacts<'_>,
        is_whole: bool,
    ) -> Packet {
        let (kind, flags) = (header.first >> 4, header.first & 0x0F);
        let mut packet = Packet::new(Subprotocol::Mqtt, type_name(kind), Role::Event);
        let at = place.offset(0);
        let (by_client, by_server) = senders(kind);
        if !(if message.is_from_client() { by_client } else { by_server }) {
            let detail = format!(
                "{} is not for the {} to send",
                type_name(kind),
                message.direction.sender()
            );
            packet.problem(ProblemCode::WrongDirection, at, detail);
        }
        if fixed_flags(kind).is_some_and(|fixed| fixed != flags) {
            let detail = format!("the flags are {flags:04b} (MQTT 5 §2.1.3)");
            packet.problem(ProblemCode::InvalidValue, at, detail);
        }
        let remaining = header.remaining;
        packet.field("remaining length", FieldForm::Number, &remaining.to_string(), None);
        let total = usize::try_from(header.total()).unwrap_or(usize::MAX);
        let cut_off = total.saturating_sub(octets.len());
        let context = Context { kind, flags, message, is_whole, cut_off };
        let mut reader = Reader::new(octets, header.len, place, &mut packet);
        let outcome = self.parts(&context, &mut reader);
        let (left, behind) = (reader.left(), reader.offset());
        match outcome {
            Err(Short) if is_whole => {
                packet.also("it ends too early or is malformed");
                packet.problem(
                    ProblemCode::Truncated,
                    behind,
                    "the packet ends inside of something",
                );
            }
            Err(Short) => {
                packet.also("only its beginning was kept");
            }
            Ok(()) if left > 0 => {
                let detail = format!("{} behind the end", crate::present::octets(left as u64));
                packet.problem(ProblemCode::TrailingOctets, behind, detail);
            }
            Ok(()) => {}
        }
        packet
    }

    fn is_v5(&self) -> bool {
        self.level == Some(5)
    }

    fn parts(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), Short> {
        match context.kind {
            CONNECT => self.connect(context, reader),
            CONNACK => self.connack(context, reader),
            PUBLISH => self.publish(context, reader),
            PUBACK | PUBREC | PUBREL | PUBCOMP => self.publication(context, reader),
            SUBSCRIBE | UNSUBSCRIBE => self.subscribe(context, reader),
            SUBACK | UNSUBACK => self.suback(context, reader),
            PINGREQ => {
                reader.packet.role = Role::KeepAlive;
                self.ask(context, reader, PINGRESP, 0);
                Ok(())
            }
            PINGRESP => {
                self.answer(context, reader, 0);
                reader.packet.role = Role::KeepAlive;
                Ok(())
            }
            DISCONNECT | AUTH => Self::reasoned(context, reader),
            _ => {
                let detail = "type 0 is reserved (MQTT 5 §2.1.2)";
                reader.packet.problem(ProblemCode::UnknownKind, reader.offset(), detail);
                let left = reader.left();
                reader.take(left)?;
                Ok(())
            }
        }
    }

    /// Remembers that this packet wants one of type `answer`.
    fn ask(&mut self, context: &Context<'_, '_>, reader: &mut Reader<'_, '_>, answer: u8, id: u16) {
        let key = (context.message.is_from_client(), answer, id);
        let is_open = self.pending.ask(key, context.message, &reader.packet.summary);
        let is_repeated = context.flags & 0x08 != 0 && context.kind == PUBLISH;
        if is_open && !is_repeated && context.kind != PINGREQ {
            let detail = format!("packet identifier {id} is in use still (MQTT 5 §2.2.1)");
            reader.packet.problem(ProblemCode::RepeatedId, None, detail);
        }
    }

    fn answer(&mut self, context: &Context<'_, '_>, reader: &mut Reader<'_, '_>, id: u16) {
        let key = (!context.message.is_from_client(), context.kind, id);
        let answer = self.pending.answer(&key, context.message);
        reader.packet.role = Role::Response;
        if answer.is_none() {
            let detail = match context.kind {
                CONNACK | PINGRESP => "nothing asked for it".to_owned(),
                _ => format!("no packet {id} waits for it"),
            };
            reader.packet.problem(ProblemCode::UnknownId, None, detail);
        }
        reader.packet.answering(answer);
    }

    fn connect(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), Short> {
        reader.packet.role = Role::Request;
        let name = reader.text("protocol name")?;
        let level = reader.byte("protocol level")?;
        self.level = Some(level);
        let version = match (name.as_str(), level) {
            ("MQIsdp", 3) => "3.1",
            ("MQTT", 4) => "3.1.1",
            ("MQTT", 5) => "5.0",
            _ => {
                let detail = format!("{} at level {level} is no version of MQTT", quoted(&name));
                reader.packet.problem(ProblemCode::InvalidValue, None, detail);
                "of an unknown version"
            }
        };
        let (flags, span) = reader.octet()?;
        reader.field("connect flags", FieldForm::Meaning, &connect_flags(flags), span);
        if flags & 0x01 != 0 {
            let detail = "the reserved bit of the connect flags is set (MQTT 5 §3.1.2.3)";
            reader.packet.problem(ProblemCode::InvalidValue, span.map(|span| span.start), detail);
        }
        let keep_alive = reader.two_bytes("keep alive")?;
        if level == 5 {
            properties::read(reader, CONNECT)?;
        }
        let client = reader.text("client identifier")?;
        let mut will = None;
        if flags & 0x04 != 0 {
            reader.field("will", FieldForm::Group, "", None);
            if level == 5 {
                properties::read(reader, WILL)?;
            }
            will = Some(reader.text("will topic")?);
            reader.binary("will payload")?;
        }
        let user = if flags & 0x80 != 0 { Some(reader.text("user name")?) } else { None };
        if flags & 0x40 != 0 {
            reader.binary("password")?;
        }
        let packet = &mut *reader.packet;
        packet.say(&format!("MQTT {version} client {}", quoted(&client)));
        if let Some(user) = user {
            packet.say(&format!("as {}", quoted(&user)));
        }
        packet.also(&format!("keep alive {keep_alive} s"));
        if flags & 0x02 != 0 {
            packet.also(if level == 5 { "clean start" } else { "clean session" });
        }
        if let Some(topic) = will {
            packet.also(&format!("will on {}", cut(&topic, 60)));
        }
        self.ask(context, reader, CONNACK, 0);
        Ok(())
    }

    fn connack(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), Short> {
        let (flags, span) = reader.octet()?;
        let is_present = flags & 1 != 0;
        reader.field("session present", FieldForm::Flag, &is_present.to_string(), span);
        let (code, span) = reader.octet()?;
        let meaning = self.meaning(CONNACK, code);
        reader.field("reason code", FieldForm::Meaning, &format!("{code} {meaning}"), span);
        reader.packet.say(&format!("{code} {meaning}"));
        if is_present {
            reader.packet.also("session present");
        }
        if self.is_v5() && reader.left() > 0 {
            let seen = properties::read(reader, CONNACK)?;
            if let Some(client) = &seen.assigned_client {
                reader.packet.also(&format!("client identifier {}", quoted(client)));
            }
            say_reason(reader, &seen);
        }
        self.answer(context, reader, 0);
        Ok(())
    }

    fn publish(
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
    fn topic(
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
    fn publication(
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

    fn subscribe(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), Short> {
        reader.packet.role = Role::Request;
        let id = Self::identifier(reader)?;
        if self.is_v5() {
            properties::read(reader, context.kind)?;
        }
        let mut filters = Vec::new();
        while reader.left() > 0 {
            let filter = reader.text("topic filter")?;
            let filter = cut(&filter, 100);
            if context.kind == SUBSCRIBE {
                let (options, span) = reader.octet()?;
                reader.depth = 1;
                let meaning = subscription_options(options, self.is_v5());
                reader.field("options", FieldForm::Meaning, &meaning, span);
                reader.depth = 0;
                filters.push(format!("{filter} QoS {}", options & 3));
                if options & 3 == 3 || options & 0xC0 != 0 {
                    let at = span.map(|span| span.start);
                    let detail = format!("the subscription options are {options:08b}");
                    reader.packet.problem(ProblemCode::InvalidValue, at, detail);
                }
            } else {
                filters.push(filter);
            }
        }
        if filters.is_empty() {
            let detail = "there must be at least one topic filter (MQTT 5 §3.8.3)";
            reader.packet.problem(ProblemCode::MissingField, None, detail);
        }
        reader.packet.say(&cut(&filters.join(", "), 300));
        reader.packet.also(&format!("id {id}"));
        let answer = if context.kind == SUBSCRIBE { SUBACK } else { UNSUBACK };
        self.ask(context, reader, answer, id);
        Ok(())
    }

    fn suback(
        &mut self,
        context: &Context<'_, '_>,
        reader: &mut Reader<'_, '_>,
    ) -> Result<(), Short> {
        let id = Self::identifier(reader)?;
        reader.packet.say(&format!("id {id}"));
        self.answer(context, reader, id);
        if self.is_v5() {
            let seen = properties::read(reader, context.kind)?;
            say_reason(reader, &seen);
        }
        let mut codes = Vec::new();
        while reader.left() > 0 {
            let (code, span) = reader.octet()?;
            let meaning = match (self.is_v5(), code) {
                (false, 0..=2) | (true, _) => reason(context.kind, code),
                (false, 0x80) => "Failure",
                (false, _) => "reserved",
            };
            reader.field("reason code", FieldForm::Meaning, &format!("{code} {meaning}"), span);
            codes.push(meaning);
        }
        reader.packet.also(&cut(&codes.join(", "), 200));
        Ok(())
    }

    /// DISCONNECT and AUTH, which may say why.
    fn reasoned(context: &Context<'_, '_>, reader: &mut Reader<'_, '_>) -> Result<(), Short> {
        reader.packet.role = Role::Control;
        if reader.left() == 0 && context.is_whole {
            return Ok(());
        }
        let (code, span) = reader.octet()?;
        let meaning = reason(context.kind, code);
        reader.field("reason code", FieldForm::Meaning, &format!("{code} {meaning}"), span);
        reader.packet.say(&format!("{code} {meaning}"));
        if reader.left() > 0 {
            let seen = properties::read(reader, context.kind)?;
            say_reason(reader, &seen);
        }
        Ok(())
    }

    /// The packet identifier, which is not 0 (MQTT 5 §2.2.1).
    fn identifier(reader: &mut Reader<'_, '_>) -> Result<u16, Short> {
        let at = reader.offset();
        let id = reader.two_bytes("packet identifier")?;
        reader.packet.id = Some(id.to_string());
        if id == 0 {
            let detail = "a packet identifier must not be 0 (MQTT 5 §2.2.1)";
            reader.packet.problem(ProblemCode::InvalidValue, at, detail);
        }
        Ok(id)
    }

    fn meaning(&self, kind: u8, code: u8) -> &'static str {
        if self.is_v5() { reason(kind, code) } else { return_code(code) }
    }
}

/// A reason code of MQTT 5 in words.
fn reason(kind: u8, code: u8) -> &'static str {
    reason_code(kind, code).unwrap_or("unknown reason code")
}

fn say_reason(reader: &mut Reader<'_, '_>, seen: &Seen) {
    if let Some(reason) = &seen.reason {
        reader.packet.also(&quoted(reason));
    }
}

fn connect_flags(flags: u8) -> String {
    let names = [
        (0x80, "user name"),
        (0x40, "password"),
        (0x20, "will retain"),
        (0x04, "will"),
        (0x02, "clean start"),
    ];
    let mut words: Vec<_> =
        names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    let will_qos = format!("will QoS {}", (flags >> 3) & 3);
    if flags & 0x18 != 0 {
        words.push(&will_qos);
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn publish_flags(is_repeated: bool, qos: u8, retain: bool) -> String {
    let (dup, retain) =
        (if is_repeated { ", sent again" } else { "" }, if retain { ", retain" } else { "" });
    format!("QoS {qos}{dup}{retain}")
}

fn subscription_options(options: u8, is_v5: bool) -> String {
    let mut words = format!("QoS {}", options & 3);
    if is_v5 {
        if options & 0x04 != 0 {
            words.push_str(", no local");
        }
        if options & 0x08 != 0 {
            words.push_str(", retain as published");
        }
        words.push_str(match (options >> 4) & 3 {
            0 => ", retained messages are sent",
            1 => ", retained messages are sent to a new subscription",
            2 => ", retained messages are not sent",
            _ => ", retain handling 3 does not exist",
        });
    }
    words
}
