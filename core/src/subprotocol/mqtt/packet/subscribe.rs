//! SUBSCRIBE, UNSUBSCRIBE and their answers (MQTT 3.1.1 and MQTT 5, §3.8 to §3.11).

use super::{Context, reason, say_reason};
use crate::subprotocol::dissection::cut;
use crate::subprotocol::mqtt::State;
use crate::subprotocol::mqtt::names::{SUBACK, SUBSCRIBE, UNSUBACK};
use crate::subprotocol::mqtt::properties::{self};
use crate::subprotocol::mqtt::reader::{Reader, Short};
use crate::subprotocol::{FieldForm, ProblemCode, Role};

impl State {
    pub(super) fn subscribe(
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

    pub(super) fn suback(
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
