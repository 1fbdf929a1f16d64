//! A frame and each of its fields explained, with the values they have here. What the fields mean is
//! told by [`framescope_core::frame::explain`].

use framescope_core::frame::explain::{self, Meaning};
use framescope_core::frame::{CloseBody, PayloadLength};
use framescope_core::{Direction, FrameHeader, MaskingKey, Opcode};

use crate::detail::selected::{Fragment, Selected};
use crate::theme::Field;
use crate::widgets::format;

/// An explanation in three parts, drawn one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What is explained, with its value; drawn in a heavier weight.
    pub subject: String,
    /// The rest of the sentence, which the subject begins.
    pub sentence: String,
    /// Where the standard says so.
    pub section: &'static str,
}

fn explanation(
    subject: impl Into<String>,
    sentence: impl Into<String>,
    section: &'static str,
) -> Explanation {
    Explanation { subject: subject.into(), sentence: sentence.into(), section }
}

/// The frame as a whole, for when no field is pointed at.
pub fn frame(selected: &Selected) -> Explanation {
    let header = &selected.frame.header;
    let sender = match selected.direction {
        Direction::ClientToServer => "the client to the server",
        Direction::ServerToClient => "the server to the client",
    };
    let what = match (header.opcode, selected.fragment) {
        (Opcode::Text | Opcode::Binary, None) if header.fin => {
            format!("A whole {} message in one frame", header.opcode.name())
        }
        (_, Some(Fragment { index, count })) => format!(
            "Frame {} of the {} that carry one {} message",
            format::thousands(index + 1),
            format::thousands(count),
            selected.message.as_ref().map_or("data", |message| message.opcode.name()),
        ),
        (Opcode::Text | Opcode::Binary, None) => {
            format!("The first frame of a {} message that goes on", header.opcode.name())
        }
        (Opcode::Continuation, None) => "A frame that goes on with a message".to_owned(),
        (Opcode::Close, None) => "The end of the conversation, announced".to_owned(),
        (Opcode::Ping, None) => "A ping, to be answered with a pong".to_owned(),
        (Opcode::Pong, None) => "A pong".to_owned(),
        _ => format!("A frame with the reserved opcode 0x{:x}", header.opcode.bits()),
    };
    let header_len = u64::from(header.encoded_len());
    explanation(
        what,
        format!(
            ", sent by {sender}: {} of header, then {} of payload. \
             Point at a field to see what it means.",
            format::octets(header_len),
            format::octets(header.payload_len.value),
        ),
        "RFC 6455 §5.2",
    )
}

/// One field of the frame.
pub fn field(field: Field, selected: &Selected) -> Explanation {
    let header = &selected.frame.header;
    let (rsv, opcode) = (header.rsv, header.opcode);
    let compressed = selected.message.as_ref().map(|message| message.compressed);
    let masked = header.masking_key.is_some();
    match field {
        Field::Fin => bit("FIN", header.fin, explain::fin(header.fin, opcode)),
        Field::Rsv1 => bit("RSV1", rsv.rsv1(), explain::rsv1(rsv.rsv1(), opcode, compressed)),
        Field::Rsv2 => bit("RSV2", rsv.rsv2(), explain::rsv(rsv.rsv2())),
        Field::Rsv3 => bit("RSV3", rsv.rsv3(), explain::rsv(rsv.rsv3())),
        Field::Opcode => {
            let subject = format!("Opcode 0x{:x}, {}", opcode.bits(), opcode.name());
            told(subject, explain::opcode(opcode))
        }
        Field::Mask => bit("MASK", masked, explain::mask(masked, Some(selected.direction))),
        Field::Length => length(header.payload_len),
        Field::MaskingKey => masking_key(header.masking_key),
        Field::Payload => payload(header, selected),
    }
}

fn told(subject: impl Into<String>, Meaning { sentence, section, .. }: Meaning) -> Explanation {
    explanation(subject, format!(": {sentence}"), section)
}

fn bit(name: &str, is_set: bool, meaning: Meaning) -> Explanation {
    told(format!("{name} is {}", u8::from(is_set)), meaning)
}

fn length(length: PayloadLength) -> Explanation {
    told(format!("Length {}", format::octets(length.value)), explain::length(length))
}

fn masking_key(key: Option<MaskingKey>) -> Explanation {
    let subject = match key {
        Some(key) => format!("Masking key {}", format::hex(&key.0)),
        None => "No masking key".to_owned(),
    };
    told(subject, explain::masking_key(key))
}

fn payload(header: &FrameHeader, selected: &Selected) -> Explanation {
    if header.opcode == Opcode::Close {
        return close(&selected.frame.payload);
    }
    let subject = match header.payload_len.value {
        0 => "No payload".to_owned(),
        count => format!("Payload, {}", format::octets(count)),
    };
    let compressed = selected.message.as_ref().is_some_and(|message| message.compressed);
    told(subject, explain::payload(header.opcode, compressed, header.masking_key.is_some()))
}

/// A Close frame's payload.
pub fn close(payload: &[u8]) -> Explanation {
    let body = CloseBody::parse(payload);
    let subject = match &body {
        CloseBody::Empty => "No close code".to_owned(),
        CloseBody::OneOctet(_) => "One octet".to_owned(),
        CloseBody::Status { code, .. } => format!("Close code {code}, {}", code.name()),
    };
    told(subject, explain::close_body(&body))
}

#[cfg(test)]
mod tests {
    use framescope_core::frame::Rsv;

    use super::*;
    use crate::detail::sample;

    fn text(explanation: &Explanation) -> String {
        format!("{}{} {}", explanation.subject, explanation.sentence, explanation.section)
    }

    #[test]
    fn a_masked_text_frame_is_explained_with_its_values() {
        let selected = sample::masked_text();
        assert_eq!(
            text(&field(Field::Mask, &selected)),
            "MASK is 1: a client masks every frame it sends, so that no script can choose the \
             octets that cross a proxy. RFC 6455 §5.3"
        );
        assert!(text(&field(Field::Length, &selected)).starts_with("Length 56 octets: up to 125"));
        assert!(
            text(&field(Field::MaskingKey, &selected)).starts_with("Masking key 37 fa 21 3d: ")
        );
        assert!(text(&frame(&selected)).starts_with(
            "A whole text message in one frame, sent by the client to the server: \
                 6 octets of header, then 56 octets of payload."
        ));
    }

    #[test]
    fn every_header_has_an_explanation_of_every_field() {
        let mut selected = sample::masked_text();
        for bits in 0..=0xF {
            for (fin, rsv) in [(false, 0), (true, 0b111)] {
                for key in [None, Some(MaskingKey([0; 4])), Some(MaskingKey([1, 2, 3, 4]))] {
                    for direction in Direction::BOTH {
                        selected.direction = direction;
                        selected.frame.header = FrameHeader {
                            fin,
                            rsv: Rsv::from_bits(rsv),
                            opcode: Opcode::from_bits(bits),
                            masking_key: key,
                            payload_len: PayloadLength::minimal(1 << 63),
                        };
                        for which in Field::ALL {
                            let told = field(which, &selected);
                            assert!(told.sentence.starts_with(": "), "{told:?}");
                            assert!(told.sentence.ends_with('.'), "{told:?}");
                            assert!(told.section.starts_with("RFC "), "{told:?}");
                        }
                        assert!(frame(&selected).sentence.ends_with('.'));
                    }
                }
            }
        }
    }
}
