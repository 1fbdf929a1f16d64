//! CONNECT and CONNACK: how a session begins (MQTT 3.1.1 and MQTT 5, §3.1, §3.2).

use super::{Context, say_reason};
use crate::subprotocol::dissection::{cut, quoted};
use crate::subprotocol::mqtt::State;
use crate::subprotocol::mqtt::names::{CONNACK, CONNECT};
use crate::subprotocol::mqtt::properties::{self, WILL};
use crate::subprotocol::mqtt::reader::{Reader, Short};
use crate::subprotocol::{FieldForm, ProblemCode, Role};

impl State {
    pub(super) fn connect(
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

    pub(super) fn connack(
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
