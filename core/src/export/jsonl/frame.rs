//! Frame lines, and the message on the line of the frame that ends it.

use serde::Serialize;

use super::compression::CompressionOf;
use super::payload::PayloadOf;
use super::subprotocol::SubprotocolOf;
use super::value::{Base64, Hex, Nanos, Stamp, nanos};
use crate::export::{Paired, Reading};
use crate::frame::CloseBody;
use crate::message::MessageFault;
use crate::{ConnectionId, Frame, Message, Opcode};

#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the header's bits")]
pub(super) struct FrameLine<'a> {
    connection: ConnectionId,
    key: Option<&'a str>,
    direction: &'static str,
    index: u64,
    offset: u64,
    wire_len: u64,
    first_octet_at: Stamp,
    first_octet_ns: Nanos,
    last_octet_at: Stamp,
    last_octet_ns: Nanos,
    since_lane_nanos: Option<u64>,
    since_connection_nanos: Option<u64>,
    reads: Option<u64>,
    last_read: Option<u64>,
    in_proxy_nanos: Option<u64>,
    header: Hex,
    fin: bool,
    rsv1: bool,
    rsv2: bool,
    rsv3: bool,
    opcode: u8,
    opcode_name: &'static str,
    masked: bool,
    masking_key: Option<Hex>,
    payload_len: u64,
    payload_len_form: u8,
    payload_base64: Base64<'a>,
    payload_whole: bool,
    close: Option<CloseOf<'a>>,
    message: Option<MessageOf<'a>>,
    subprotocol: Option<SubprotocolOf<'a>>,
    payload: Option<PayloadOf<'a>>,
    compression: Option<CompressionOf>,
}

impl<'a> FrameLine<'a> {
    pub(super) fn of(
        connection: ConnectionId,
        key: Option<&'a str>,
        frame: &'a Frame,
        paired: &'a Paired,
    ) -> Self {
        let (header, reading) = (&frame.header, &paired.reading);
        let timing = paired.timing.unwrap_or_default();
        let mut encoded = Vec::with_capacity(usize::from(header.encoded_len()));
        header.encode(&mut encoded);
        Self {
            connection,
            key,
            direction: frame.direction.name(),
            index: frame.index,
            offset: frame.offset,
            wire_len: frame.wire_len(),
            first_octet_at: Stamp(frame.first_octet_at),
            first_octet_ns: Nanos(frame.first_octet_at),
            last_octet_at: Stamp(frame.last_octet_at),
            last_octet_ns: Nanos(frame.last_octet_at),
            since_lane_nanos: timing.since_lane.map(nanos),
            since_connection_nanos: timing.since_connection.map(nanos),
            reads: timing.reads,
            last_read: timing.last_read,
            in_proxy_nanos: timing.in_proxy.map(nanos),
            header: Hex(encoded),
            fin: header.fin,
            rsv1: header.rsv.rsv1(),
            rsv2: header.rsv.rsv2(),
            rsv3: header.rsv.rsv3(),
            opcode: header.opcode.bits(),
            opcode_name: header.opcode.name(),
            masked: header.masking_key.is_some(),
            masking_key: header.masking_key.map(|key| Hex(key.0.to_vec())),
            payload_len: header.payload_len.value,
            payload_len_form: header.payload_len.form.bits(),
            payload_base64: Base64(&frame.payload),
            payload_whole: frame.is_payload_whole(),
            close: (header.opcode == Opcode::Close).then(|| CloseOf::of(&frame.payload)),
            message: paired.message.as_ref().map(MessageOf::of),
            subprotocol: reading.dissection.as_deref().map(SubprotocolOf::of),
            payload: paired.message.as_ref().and_then(|message| PayloadOf::of(message, reading)),
            compression: reading.compression.as_deref().map(CompressionOf::of),
        }
    }
}

/// What a Close frame says.
#[derive(Debug, Serialize)]
struct CloseOf<'a> {
    code: Option<u16>,
    name: Option<&'static str>,
    reason: Option<&'a str>,
}

impl<'a> CloseOf<'a> {
    fn of(payload: &'a [u8]) -> Self {
        match CloseBody::parse(payload) {
            CloseBody::Empty | CloseBody::OneOctet(_) => {
                Self { code: None, name: None, reason: None }
            }
            CloseBody::Status { code, reason } => Self {
                code: Some(code.0),
                name: Some(code.name()),
                reason: std::str::from_utf8(reason).ok(),
            },
        }
    }
}

/// A whole message, inflated.
#[derive(Debug, Serialize)]
pub(super) struct MessageOf<'a> {
    index: u64,
    opcode: u8,
    opcode_name: &'static str,
    compressed: bool,
    first_frame: u64,
    frames: u64,
    wire_len: u64,
    data_len: u64,
    text: Option<&'a str>,
    data_base64: Option<Base64<'a>>,
    data_whole: bool,
    fault: Option<Fault>,
}

impl<'a> MessageOf<'a> {
    fn of(message: &'a Message) -> Self {
        let text = match message.opcode {
            Opcode::Text => std::str::from_utf8(&message.data).ok(),
            _ => None,
        };
        Self {
            index: message.index,
            opcode: message.opcode.bits(),
            opcode_name: message.opcode.name(),
            compressed: message.compressed,
            first_frame: message.first_frame,
            frames: message.frames,
            wire_len: message.wire_len,
            data_len: message.data_len,
            data_base64: text.is_none().then_some(Base64(&message.data)),
            text,
            data_whole: is_whole(message),
            fault: message.fault.map(Fault::of),
        }
    }
}

/// Whether every octet is there; text that is not UTF-8 may well be whole.
fn is_whole(message: &Message) -> bool {
    let came_out = matches!(message.fault, None | Some(MessageFault::NotUtf8 { .. }));
    came_out && message.data.len() as u64 == message.data_len
}

#[derive(Debug, Serialize)]
struct Fault {
    code: &'static str,
    reason: String,
}

impl Fault {
    fn of(fault: MessageFault) -> Self {
        let code = match fault {
            MessageFault::NotUtf8 { .. } => "not_utf8",
            MessageFault::InflateFailed { .. } => "inflate_failed",
            MessageFault::OverBudget { .. } => "over_budget",
            MessageFault::ContextLost => "context_lost",
        };
        Self { code, reason: fault.to_string() }
    }
}

/// A message whose last frame was not seen beside it.
#[derive(Debug, Serialize)]
pub(super) struct LoneMessage<'a> {
    direction: &'static str,
    message: MessageOf<'a>,
    subprotocol: Option<SubprotocolOf<'a>>,
    payload: Option<PayloadOf<'a>>,
    compression: Option<CompressionOf>,
}

impl<'a> LoneMessage<'a> {
    pub(super) fn of(message: &'a Message, reading: &'a Reading) -> Self {
        Self {
            direction: message.direction.name(),
            message: MessageOf::of(message),
            subprotocol: reading.dissection.as_deref().map(SubprotocolOf::of),
            payload: PayloadOf::of(message, reading),
            compression: reading.compression.as_deref().map(CompressionOf::of),
        }
    }
}
