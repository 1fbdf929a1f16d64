//! The rules that the frames of one lane can break, and how often each did.

use crate::diagnostics::{Place, Rule, rules};
use crate::frame::CloseBody;
use crate::message::MessageFault;
use crate::message::assembler::Standing;
use crate::session::lane_event::{LaneEvent, LaneSink};
use crate::session::mask_keys::{MaskKeys, Weakness};
use crate::session::message_watch::{DeflateFault, Promise};
use crate::session::pace::Flood;
use crate::{CloseCode, Direction, FrameHeader, Opcode, Timestamp};

/// The longest payload a control frame may have (RFC 6455 §5.5).
const MAX_CONTROL_PAYLOAD: u64 = 125;

/// Findings of one rule that a lane lists before it only counts them.
const LISTED_PER_RULE: u32 = 100;

/// Octets of a message up to which receivers usually take it: many are set to this by default.
pub const MOST_USUAL: u64 = 1 << 20;

/// What the handshake agreed on, as far as it changes which bits are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions {
    /// permessage-deflate, and what this lane's sender promised of it.
    pub deflate: Option<Promise>,
    /// An extension that is not known here may give RSV bits and opcodes a meaning.
    pub unknown: bool,
}

/// Checks the frames of one lane, in order.
#[derive(Debug)]
pub struct FrameChecks {
    direction: Direction,
    extensions: Extensions,
    keys: MaskKeys,
    has_large: bool,
    /// How often each rule fired, in order of first firing.
    fired: Vec<(&'static Rule, u32)>,
}

/// When and where that happened which a rule may object to.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// When the octet that proves it was read.
    pub at: Timestamp,
    /// Where in the lane.
    pub place: Place,
}

impl FrameChecks {
    /// Before the first frame of the lane of `direction`.
    pub fn new(direction: Direction, extensions: Extensions) -> Self {
        Self {
            direction,
            extensions,
            keys: MaskKeys::default(),
            has_large: false,
            fired: Vec::new(),
        }
    }

    /// What was agreed on becomes known.
    pub fn agree(&mut self, extensions: Extensions) {
        self.extensions = extensions;
    }

    /// What the handshake agreed on.
    pub fn extensions(&self) -> Extensions {
        self.extensions
    }

    /// Whether a header breaks any rule that can be told from the header alone, or carries RSV bits:
    /// the one quick test that clean traffic pays for. To be asked once a frame, for it counts keys.
    #[inline]
    pub fn is_suspicious(&mut self, header: &FrameHeader) -> bool {
        header.masking_key.is_some_and(|key| self.keys.saw(key))
            || header.rsv.bits() != 0
            || header.masking_key.is_some() != (self.direction == Direction::ClientToServer)
            || !header.payload_len.is_minimal()
            || header.opcode.is_reserved()
            || (header.opcode.is_control()
                && (!header.fin || header.payload_len.value > MAX_CONTROL_PAYLOAD))
    }

    /// What the bits of a header say, and where it stands among the frames of messages.
    pub fn header(
        &mut self,
        header: &FrameHeader,
        standing: Standing,
        after_close: bool,
        seen: Seen,
        out: &mut dyn LaneSink,
    ) {
        let name = header.opcode.name();
        // RFC 6455 §5.1: "a client MUST mask all frames that it sends to the server".
        match (self.direction, header.masking_key) {
            (Direction::ClientToServer, None) => {
                let evidence = format!("a {name} frame with MASK 0");
                self.raise(&rules::FRAME_UNMASKED_FROM_CLIENT, seen, evidence, out);
            }
            // "A server MUST NOT mask any frames that it sends to the client."
            (Direction::ServerToClient, Some(key)) => {
                let evidence = format!("a {name} frame with MASK 1, key {key}");
                self.raise(&rules::FRAME_MASKED_FROM_SERVER, seen, evidence, out);
            }
            _ => {}
        }
        self.check_key(header, seen, out);
        self.check_rsv(header, seen, out);
        if header.opcode.is_reserved() && !self.extensions.unknown {
            let evidence = format!("opcode 0x{:X}", header.opcode.bits());
            self.raise(&rules::FRAME_OPCODE_RESERVED, seen, evidence, out);
        }
        // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
        if !header.payload_len.is_minimal() {
            let evidence = format!(
                "{} octets written in the {}-bit form",
                header.payload_len.value,
                header.payload_len.form.bits()
            );
            self.raise(&rules::FRAME_LENGTH_NOT_MINIMAL, seen, evidence, out);
        }
        if header.opcode.is_control() {
            // RFC 6455 §5.5: "All control frames MUST have a payload length of 125 bytes or less and
            // MUST NOT be fragmented."
            if !header.fin {
                let evidence = format!("a {name} frame with FIN 0");
                self.raise(&rules::CONTROL_FRAGMENTED, seen, evidence, out);
            }
            if header.payload_len.value > MAX_CONTROL_PAYLOAD {
                let evidence = format!("a {name} frame of {} octets", header.payload_len.value);
                self.raise(&rules::CONTROL_TOO_LONG, seen, evidence, out);
            }
        }
        match standing {
            Standing::InOrder => {}
            Standing::Interleaved => {
                let evidence = format!("a {name} frame before the fragmented message had its FIN");
                self.raise(&rules::MESSAGE_INTERLEAVED, seen, evidence, out);
            }
            Standing::Orphan => {
                let evidence = "opcode 0x0 while no message was open".to_owned();
                self.raise(&rules::CONTINUATION_WITHOUT_MESSAGE, seen, evidence, out);
            }
        }
        // "The application MUST NOT send any more data frames after sending a Close frame"
        // (RFC 6455 §5.5.1); a Ping that is received then still asks for its Pong (§5.5.2).
        if after_close && (!header.opcode.is_control() || header.opcode == Opcode::Close) {
            let evidence = format!("a {name} frame");
            self.raise(&rules::FRAME_AFTER_CLOSE, seen, evidence, out);
        }
    }

    /// RFC 6455 §5.3: "the masking key MUST be derived from a strong source of entropy, and […] MUST
    /// NOT make it simple for a server/proxy to predict the masking key for a subsequent frame".
    fn check_key(&mut self, header: &FrameHeader, seen: Seen, out: &mut dyn LaneSink) {
        let (Direction::ClientToServer, Some(key)) = (self.direction, header.masking_key) else {
            return;
        };
        let Some(weakness) = self.keys.weakness() else { return };
        let rule = match weakness {
            Weakness::Zero => &rules::MASKING_KEY_ZERO,
            Weakness::Repeated => &rules::MASKING_KEY_REPEATED,
            Weakness::Counting { .. } | Weakness::StuckBits { .. } => {
                &rules::MASKING_KEY_PREDICTABLE
            }
        };
        self.raise(rule, seen, format!("{key}: {weakness}"), out);
    }

    /// RFC 6455 §5.2: RSV1–3 "MUST be 0 unless an extension is negotiated that defines meanings".
    fn check_rsv(&mut self, header: &FrameHeader, seen: Seen, out: &mut dyn LaneSink) {
        if header.rsv.bits() == 0 || self.extensions.unknown {
            return;
        }
        let deflate = self.extensions.deflate.is_some();
        if deflate && header.rsv.rsv1() && header.opcode == Opcode::Continuation {
            let evidence = "opcode 0x0 with RSV1 1".to_owned();
            self.raise(&rules::DEFLATE_RSV1_ON_CONTINUATION, seen, evidence, out);
        }
        let rsv1_on_control = deflate && header.rsv.rsv1() && header.opcode.is_control();
        if rsv1_on_control {
            let evidence = format!("a {} frame with RSV1 1", header.opcode);
            self.raise(&rules::DEFLATE_RSV1_ON_CONTROL, seen, evidence, out);
        }
        let rsv1_is_meant = deflate && !header.opcode.is_reserved();
        let claimed = if rsv1_is_meant { 0b100 } else { 0 };
        if header.rsv.bits() & !claimed != 0 {
            let bits = header.rsv;
            let evidence = format!(
                "a {} frame with RSV1 {}, RSV2 {}, RSV3 {}",
                header.opcode,
                u8::from(bits.rsv1()),
                u8::from(bits.rsv2()),
                u8::from(bits.rsv3()),
            );
            self.raise(&rules::FRAME_RSV_WITHOUT_EXTENSION, seen, evidence, out);
        }
    }

    /// The body of a Close frame (RFC 6455 §5.5.1): its status code, where it has one. `is_cut` says that
    /// `payload` is only the first of it, which may end within a character.
    pub fn close(
        &mut self,
        payload: &[u8],
        is_cut: bool,
        seen: Seen,
        out: &mut dyn LaneSink,
    ) -> Option<CloseCode> {
        match CloseBody::parse(payload) {
            CloseBody::Empty => None,
            CloseBody::OneOctet(octet) => {
                let evidence = format!("the octet {octet:02x}");
                self.raise(&rules::CLOSE_BODY_ONE_OCTET, seen, evidence, out);
                None
            }
            CloseBody::Status { code, reason } => {
                if !code.may_be_sent() {
                    let evidence = format!("{code} ({})", code.name());
                    self.raise(&rules::CLOSE_CODE_FORBIDDEN, seen, evidence, out);
                }
                if let Err(fault) = std::str::from_utf8(reason)
                    && (fault.error_len().is_some() || !is_cut)
                {
                    let evidence = format!("at octet {} of the reason", fault.valid_up_to());
                    self.raise(&rules::CLOSE_REASON_NOT_UTF8, seen, evidence, out);
                }
                Some(code)
            }
        }
    }

    /// A message that cannot be read: its ordinal in the lane and its length on the wire.
    pub fn message(
        &mut self,
        fault: MessageFault,
        number: u64,
        wire_len: u64,
        seen: Seen,
        out: &mut dyn LaneSink,
    ) {
        let rule = match fault {
            MessageFault::NotUtf8 { .. } => &rules::TEXT_NOT_UTF8,
            MessageFault::InflateFailed { .. } => &rules::DEFLATE_INFLATE_FAILED,
            MessageFault::OverBudget { .. } => &rules::DEFLATE_BUDGET_EXCEEDED,
            // A consequence of a fault that was already told.
            MessageFault::ContextLost => return,
        };
        let mut evidence = format!("message {number}, {wire_len} octets on the wire: {fault}");
        if let (MessageFault::NotUtf8 { .. }, Place { offset, len: 1, frame: Some(frame) }) =
            (fault, seen.place)
        {
            evidence = format!("{evidence}, octet {offset} of the direction, in frame {frame}");
        }
        self.raise(rule, seen, evidence, out);
    }

    /// What the compressed octets of message `number` prove against their sender's promise.
    pub fn deflate(
        &mut self,
        fault: DeflateFault,
        number: u64,
        seen: Seen,
        out: &mut dyn LaneSink,
    ) {
        let (rule, told) = match fault {
            // "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end" (RFC 7692 §7.2.1).
            DeflateFault::TailKept => {
                (&rules::DEFLATE_TAIL_KEPT, "its last octets are 00 00 ff ff".to_owned())
            }
            DeflateFault::WindowExceeded(found) => {
                let window = self.extensions.deflate.map_or(15, |promise| promise.max_window_bits);
                let told = format!(
                    "a match behind {} octets refers {} back, and the window agreed on has {}",
                    found.after,
                    found.distance,
                    1_u32 << window.min(15)
                );
                (&rules::DEFLATE_WINDOW_EXCEEDED, told)
            }
            DeflateFault::ContextKept(found) => {
                let told = format!(
                    "a match behind {} octets refers {} back, to before the message",
                    found.after, found.distance
                );
                (&rules::DEFLATE_CONTEXT_KEPT, told)
            }
        };
        self.raise(rule, seen, format!("message {number}: {told}"), out);
    }

    /// A message of more than [`MOST_USUAL`] octets: told once.
    pub fn large(&mut self, number: u64, data_len: u64, seen: Seen, out: &mut dyn LaneSink) {
        if !std::mem::replace(&mut self.has_large, true) {
            let evidence = format!("message {number} has {data_len} octets");
            self.raise(&rules::MESSAGE_OVERSIZED, seen, evidence, out);
        }
    }

    /// A second full of tiny frames.
    pub fn flood(&mut self, flood: Flood, at: Timestamp, out: &mut dyn LaneSink) {
        let Flood { frames, octets, took, offset } = flood;
        let evidence = format!(
            "{frames} frames in {:.3} s, {octets} octets on the wire with their headers",
            took.as_secs_f64()
        );
        let place = Place { offset, len: octets, frame: None };
        self.raise(&rules::MESSAGES_TINY, Seen { at, place }, evidence, out);
    }

    /// Tells a finding, unless its rule fired too often to list.
    pub fn raise(
        &mut self,
        rule: &'static Rule,
        seen: Seen,
        evidence: String,
        out: &mut dyn LaneSink,
    ) {
        let known = self.fired.iter_mut().find(|(fired, _)| fired.code == rule.code);
        let times = if let Some((_, times)) = known {
            *times = times.saturating_add(1);
            *times
        } else {
            self.fired.push((rule, 1));
            1
        };
        let evidence = match times {
            LISTED_PER_RULE => format!("{evidence}; more of these are not listed"),
            0..LISTED_PER_RULE => evidence,
            _ => return,
        };
        let Seen { at, place } = seen;
        out.event(LaneEvent::Finding { rule, at, place, evidence });
    }
}
