//! Control packets: what each type says (MQTT 3.1.1 and MQTT 5, §3).

mod connect;
mod publish;
mod subscribe;

use super::names::{
    AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC,
    PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE, fixed_flags, reason_code, return_code,
    senders, type_name,
};
use super::properties::{self, Seen};
use super::reader::{Reader, Short};
use super::{FixedHeader, Place, State};
use crate::subprotocol::dissection::quoted;
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
