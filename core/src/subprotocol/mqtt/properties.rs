//! Properties of MQTT 5 (§2.2.2).

use super::names::{
    AUTH, CONNACK, CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK,
    SUBSCRIBE, UNSUBACK, UNSUBSCRIBE,
};
use super::reader::{Reader, Short};
use crate::subprotocol::{FieldForm, ProblemCode};

/// In the set of packets, the place of the Will, whose number is no packet type.
pub(super) const WILL: u8 = 0;

/// What the dissection of a packet wants to know of its properties.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) topic_alias: Option<u16>,
    pub(super) reason: Option<String>,
    pub(super) assigned_client: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) response_topic: Option<String>,
}

#[derive(Clone, Copy)]
enum Form {
    Byte,
    Two,
    Four,
    Variable,
    Text,
    Binary,
    Pair,
}

struct Property {
    id: u32,
    name: &'static str,
    form: Form,
    /// Bit n stands for packet type n, bit 0 for the Will.
    packets: u16,
    may_repeat: bool,
}

const fn of(packets: &[u8]) -> u16 {
    let mut set = 0;
    let mut rest = packets;
    while let Some((packet, others)) = rest.split_first() {
        set |= 1 << *packet;
        rest = others;
    }
    set
}

const fn property(id: u32, name: &'static str, form: Form, packets: &[u8]) -> Property {
    let may_repeat = matches!(form, Form::Pair) || id == SUBSCRIPTION_IDENTIFIER;
    Property { id, name, form, packets: of(packets), may_repeat }
}

const SUBSCRIPTION_IDENTIFIER: u32 = 11;
const PUBLICATION: &[u8] = &[PUBLISH, WILL];
const BOTH_CONNECTS: &[u8] = &[CONNECT, CONNACK];
const ANSWERS: &[u8] =
    &[CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH];
const ANY: &[u8] = &[
    CONNECT,
    CONNACK,
    PUBLISH,
    WILL,
    PUBACK,
    PUBREC,
    PUBREL,
    PUBCOMP,
    SUBSCRIBE,
    SUBACK,
    UNSUBSCRIBE,
    UNSUBACK,
    DISCONNECT,
    AUTH,
];
const AUTHENTICATION: &[u8] = &[CONNECT, CONNACK, AUTH];

const PROPERTIES: [Property; 27] = [
    property(1, "payload format indicator", Form::Byte, PUBLICATION),
    property(2, "message expiry interval", Form::Four, PUBLICATION),
    property(3, "content type", Form::Text, PUBLICATION),
    property(8, "response topic", Form::Text, PUBLICATION),
    property(9, "correlation data", Form::Binary, PUBLICATION),
    property(
        SUBSCRIPTION_IDENTIFIER,
        "subscription identifier",
        Form::Variable,
        &[PUBLISH, SUBSCRIBE],
    ),
    property(17, "session expiry interval", Form::Four, &[CONNECT, CONNACK, DISCONNECT]),
    property(18, "assigned client identifier", Form::Text, &[CONNACK]),
    property(19, "server keep alive", Form::Two, &[CONNACK]),
    property(21, "authentication method", Form::Text, AUTHENTICATION),
    property(22, "authentication data", Form::Binary, AUTHENTICATION),
    property(23, "request problem information", Form::Byte, &[CONNECT]),
    property(24, "will delay interval", Form::Four, &[WILL]),
    property(25, "request response information", Form::Byte, &[CONNECT]),
    property(26, "response information", Form::Text, &[CONNACK]),
    property(28, "server reference", Form::Text, &[CONNACK, DISCONNECT]),
    property(31, "reason string", Form::Text, ANSWERS),
    property(33, "receive maximum", Form::Two, BOTH_CONNECTS),
    property(34, "topic alias maximum", Form::Two, BOTH_CONNECTS),
    property(35, "topic alias", Form::Two, &[PUBLISH]),
    property(36, "maximum QoS", Form::Byte, &[CONNACK]),
    property(37, "retain available", Form::Byte, &[CONNACK]),
    property(38, "user property", Form::Pair, ANY),
    property(39, "maximum packet size", Form::Four, BOTH_CONNECTS),
    property(40, "wildcard subscription available", Form::Byte, &[CONNACK]),
    property(41, "subscription identifier available", Form::Byte, &[CONNACK]),
    property(42, "shared subscription available", Form::Byte, &[CONNACK]),
];

/// Reads the properties of a packet of type `kind` into fields.
pub(super) fn read(reader: &mut Reader<'_, '_>, kind: u8) -> Result<Seen, Short> {
    let (len, span) = reader.variable()?;
    let mut seen = Seen::default();
    if len == 0 {
        return Ok(seen);
    }
    let octets = crate::present::octets(u64::from(len));
    reader.field("properties", FieldForm::Group, &octets, span);
    let len = usize::try_from(len).map_err(|_| Short)?;
    reader.within(len, |reader| {
        let mut ids = 0_u64;
        while reader.left() > 0 {
            one(reader, kind, &mut seen, &mut ids)?;
        }
        Ok(())
    })?;
    Ok(seen)
}

fn one(reader: &mut Reader<'_, '_>, kind: u8, seen: &mut Seen, ids: &mut u64) -> Result<(), Short> {
    let at = reader.offset();
    let (id, _) = reader.variable()?;
    let Some(property) = PROPERTIES.iter().find(|property| property.id == id) else {
        let detail = format!("there is no property {id} (MQTT 5 §2.2.2.2)");
        reader.packet.problem(ProblemCode::UnknownKind, at, detail);
        return Err(Short);
    };
    if property.packets & (1 << kind) == 0 {
        let detail =
            format!("{} is not a property of this packet (MQTT 5 §2.2.2.2)", property.name);
        reader.packet.problem(ProblemCode::InvalidValue, at, detail);
    }
    let bit = 1_u64 << id;
    if *ids & bit != 0 && !property.may_repeat {
        let detail = format!("{} is there more than once", property.name);
        reader.packet.problem(ProblemCode::InvalidValue, at, detail);
    }
    *ids |= bit;
    match property.form {
        Form::Byte => {
            reader.byte(property.name)?;
        }
        Form::Two => {
            let value = reader.two_bytes(property.name)?;
            if id == 35 {
                seen.topic_alias = Some(value);
            }
        }
        Form::Four => {
            reader.four_bytes(property.name)?;
        }
        Form::Variable => {
            let (value, span) = reader.variable()?;
            reader.field(property.name, FieldForm::Number, &value.to_string(), span);
        }
        Form::Text => {
            let text = Some(reader.text(property.name)?);
            match id {
                3 => seen.content_type = text,
                8 => seen.response_topic = text,
                18 => seen.assigned_client = text,
                31 => seen.reason = text,
                _ => {}
            }
        }
        Form::Binary => reader.binary(property.name)?,
        Form::Pair => {
            let (name, _) = reader.string("the name of a user property")?;
            let (value, span) = reader.string("the value of a user property")?;
            reader.field("user property", FieldForm::Text, &format!("{name}: {value}"), span);
        }
    }
    Ok(())
}
