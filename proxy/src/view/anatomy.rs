//! The anatomy of one frame: its fields in bit order, with value, meaning and section.

use framescope_core::diagnostics::{Rule, rules};
use framescope_core::frame::{CloseBody, FrameHeader, LengthForm, explain};
use framescope_core::present::octets;
use framescope_core::{MaskingKey, Opcode};

use crate::view::Role;

const FRAMING: &str = "RFC 6455 §5.2";

/// One frame's octets, taken apart; octets may be missing at the end.
#[derive(Debug, Clone)]
pub struct Anatomy<'a> {
    /// The octets that are there, as on the wire.
    pub wire: &'a [u8],
    /// The header, where it is whole.
    pub header: Option<FrameHeader>,
    /// The fields in bit order.
    pub fields: Vec<Field>,
    /// The payload octets that are there, as on the wire.
    pub wire_payload: &'a [u8],
    /// The same unmasked.
    pub payload: Vec<u8>,
    /// How many octets are missing to make it whole; `None` where even that cannot be known.
    pub missing: Option<u64>,
}

/// One field of a frame.
#[derive(Debug, Clone)]
pub struct Field {
    /// As RFC 6455 §5.2 calls it.
    pub name: &'static str,
    /// What it is, for its colour.
    pub role: Role,
    /// The first of its bits, counted from the frame's first.
    pub first_bit: u64,
    /// How many bits it has.
    pub bits: u64,
    /// Its value.
    pub value: String,
    /// What that means.
    pub meaning: String,
    /// Where that is written.
    pub section: &'static str,
}

impl<'a> Anatomy<'a> {
    /// Takes the first frame of `octets` apart, and says what is left behind it.
    pub fn of(octets: &'a [u8]) -> (Self, &'a [u8]) {
        let header = FrameHeader::parse(octets);
        let (wire, rest) = match header {
            Some((header, header_len)) => {
                let payload_len = usize::try_from(header.payload_len.value).unwrap_or(usize::MAX);
                octets.split_at(header_len.saturating_add(payload_len).min(octets.len()))
            }
            None => (octets, &[][..]),
        };
        let header_len = header.map_or(wire.len(), |(_, len)| len);
        let wire_payload = wire.get(header_len..).unwrap_or_default();
        let header = header.map(|(header, _)| header);
        let mut payload = Vec::new();
        match header.and_then(|header| header.masking_key) {
            Some(key) => key.apply_into(0, wire_payload, &mut payload),
            None => payload.extend_from_slice(wire_payload),
        }
        let missing = match header {
            Some(header) => {
                Some(header.payload_len.value.saturating_sub(wire_payload.len() as u64))
            }
            None => header_missing(wire),
        };
        let fields = fields(wire, header);
        (Self { wire, header, fields, wire_payload, payload, missing }, rest)
    }

    /// What the header and a Close body break on their own, whoever sent them.
    pub fn broken_rules(&self) -> Vec<&'static Rule> {
        let Some(header) = self.header else { return Vec::new() };
        let opcode = header.opcode;
        let mut broken = Vec::new();
        let mut check = |is_broken: bool, rule: &'static Rule| {
            if is_broken {
                broken.push(rule);
            }
        };
        check(opcode.is_reserved(), &rules::FRAME_OPCODE_RESERVED);
        check(!header.payload_len.is_minimal(), &rules::FRAME_LENGTH_NOT_MINIMAL);
        check(header.payload_len.is_forbidden(), &rules::FRAME_LENGTH_TOP_BIT);
        check(opcode.is_control() && !header.fin, &rules::CONTROL_FRAGMENTED);
        let is_long = header.payload_len.value > 125;
        check(opcode.is_control() && is_long, &rules::CONTROL_TOO_LONG);
        let rsv1_explained = opcode.begins_message() && header.rsv.rsv1();
        let unexplained = header.rsv.bits() & if rsv1_explained { 0b011 } else { 0b111 };
        check(unexplained != 0, &rules::FRAME_RSV_WITHOUT_EXTENSION);
        if opcode == Opcode::Close && self.missing == Some(0) {
            match CloseBody::parse(&self.payload) {
                CloseBody::Empty => {}
                CloseBody::OneOctet(_) => check(true, &rules::CLOSE_BODY_ONE_OCTET),
                CloseBody::Status { code, reason } => {
                    check(!code.may_be_sent(), &rules::CLOSE_CODE_FORBIDDEN);
                    check(std::str::from_utf8(reason).is_err(), &rules::CLOSE_REASON_NOT_UTF8);
                }
            }
        }
        broken
    }

    /// The masking key, where the header is whole and has one.
    pub fn key(&self) -> Option<MaskingKey> {
        self.header.and_then(|header| header.masking_key)
    }
}

/// Octets missing to a whole header; `None` where the octet that would tell is missing too.
fn header_missing(wire: &[u8]) -> Option<u64> {
    let second = wire.get(1)?;
    let extended = u64::from(LengthForm::announced_by(*second).extended_octets());
    let key = if second & 0x80 == 0 { 0u64 } else { 4 };
    Some((2 + extended + key).saturating_sub(wire.len() as u64))
}

/// Walks the bits; fields that cannot be there or cannot be known are left out.
fn fields(wire: &[u8], header: Option<FrameHeader>) -> Vec<Field> {
    let mut walk = Walk { fields: Vec::new(), at: 0 };
    let Some(&first) = wire.first() else { return Vec::new() };
    walk.first_octet(first);
    let Some(&second) = wire.get(1) else { return walk.fields };
    walk.second_octet(second);
    let form = LengthForm::announced_by(second);
    if form != LengthForm::Seven {
        walk.extended_length(wire, form);
    }
    if second & 0x80 != 0 {
        walk.masking_key(wire);
    }
    if let Some(header) = header
        && header.payload_len.value > 0
    {
        walk.payload(header);
    }
    walk.fields
}

struct Walk {
    fields: Vec<Field>,
    at: u64,
}

impl Walk {
    fn first_octet(&mut self, octet: u8) {
        let opcode = Opcode::from_bits(octet);
        let fin = octet & 0x80 != 0;
        self.explained("FIN", Role::Fin, 1, bit(fin), explain::fin(fin, opcode));
        let rsv1 = octet & 0x40 != 0;
        self.explained("RSV1", Role::Rsv, 1, bit(rsv1), explain::rsv1(rsv1, opcode, None));
        for (name, mask) in [("RSV2", 0x20), ("RSV3", 0x10)] {
            let is_set = octet & mask != 0;
            self.explained(name, Role::Rsv, 1, bit(is_set), explain::rsv(is_set));
        }
        let value = format!("0x{:X} {opcode}", opcode.bits());
        self.explained("opcode", Role::Opcode, 4, value, explain::opcode(opcode));
    }

    fn second_octet(&mut self, octet: u8) {
        let masked = octet & 0x80 != 0;
        self.explained("MASK", Role::Mask, 1, bit(masked), explain::mask(masked, None));
        let len = octet & 0x7F;
        let meaning = match LengthForm::announced_by(len) {
            LengthForm::Seven => octets(u64::from(len)),
            form => explain::length_form(form).to_owned(),
        };
        self.push("Payload len", Role::Length, 7, len.to_string(), meaning, FRAMING);
    }

    fn extended_length(&mut self, wire: &[u8], form: LengthForm) {
        let bits = u64::from(form.bits());
        let there = wire.get(2..).unwrap_or_default();
        let len = usize::from(form.extended_octets());
        let (value, meaning) = match there.get(..len) {
            Some(written) => {
                let number = written.iter().fold(0u64, |sum, octet| sum << 8 | u64::from(*octet));
                (number.to_string(), octets(number))
            }
            None => ("cut".to_owned(), format!("{} of {len} octets are there", there.len())),
        };
        self.push("Extended payload length", Role::Length, bits, value, meaning, FRAMING);
    }

    fn masking_key(&mut self, wire: &[u8]) {
        let start = usize::try_from(self.at / 8).unwrap_or(usize::MAX);
        let there = wire.get(start..).unwrap_or_default();
        let (value, meaning) = match there.first_chunk::<4>() {
            Some(key) => {
                (MaskingKey(*key).to_string(), explain::masking_key(Some(MaskingKey(*key))).brief)
            }
            None => ("cut".to_owned(), format!("{} of 4 octets are there", there.len())),
        };
        self.push("Masking-key", Role::Key, 32, value, meaning, "RFC 6455 §5.3");
    }

    fn payload(&mut self, header: FrameHeader) {
        let len = header.payload_len.value;
        let compressed = header.rsv.rsv1() && header.opcode.begins_message();
        let meaning = explain::payload(header.opcode, compressed, header.masking_key.is_some());
        let bits = len.saturating_mul(8);
        self.explained("Payload data", Role::Payload, bits, octets(len), meaning);
    }

    fn explained(
        &mut self,
        name: &'static str,
        role: Role,
        bits: u64,
        value: String,
        meaning: explain::Meaning,
    ) {
        self.push(name, role, bits, value, meaning.brief, meaning.section);
    }

    fn push(
        &mut self,
        name: &'static str,
        role: Role,
        bits: u64,
        value: String,
        meaning: impl Into<String>,
        section: &'static str,
    ) {
        let first_bit = self.at;
        self.at = self.at.saturating_add(bits);
        let meaning = meaning.into();
        self.fields.push(Field { name, role, first_bit, bits, value, meaning, section });
    }
}

fn bit(is_set: bool) -> String {
    String::from(if is_set { "1" } else { "0" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(octets: &[u8]) -> Vec<&'static str> {
        Anatomy::of(octets).0.fields.iter().map(|field| field.name).collect()
    }

    #[test]
    fn fields_cover_the_frame_bit_by_bit() {
        let frames: [&[u8]; 4] = [
            &[0x81, 0x05, b'H', b'e', b'l', b'l', b'o'],
            &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
            &[0x88, 0x00],
            &[0x82, 0x7e, 0x00, 0x01, 0xff],
        ];
        for wire in frames {
            let (anatomy, rest) = Anatomy::of(wire);
            let mut at = 0;
            for field in &anatomy.fields {
                assert_eq!(field.first_bit, at, "{}", field.name);
                at += field.bits;
            }
            assert_eq!(at, wire.len() as u64 * 8);
            assert_eq!((rest.len(), anatomy.missing), (0, Some(0)));
        }
    }

    #[test]
    fn a_cut_frame_says_how_much_is_missing() {
        let rows: [(&[u8], Option<u64>); 7] = [
            (&[0x81], None),
            (&[0x81, 0x05], Some(5)),
            (&[0x81, 0x85, 0x37], Some(3)),
            (&[0x82, 0x7e], Some(2)),
            (&[0x82, 0xff, 0, 0], Some(10)),
            (&[0x82, 0x7e, 0x01, 0x00, 0xaa], Some(255)),
            (&[0x89, 0x00], Some(0)),
        ];
        for (wire, missing) in rows {
            assert_eq!(Anatomy::of(wire).0.missing, missing, "{wire:02x?}");
        }
        assert_eq!(names(&[0x81]).last(), Some(&"opcode"));
        assert_eq!(names(&[0x81, 0x85, 0x37]).last(), Some(&"Masking-key"));
    }

    #[test]
    fn what_follows_the_frame_is_left_over() {
        let (first, rest) = Anatomy::of(&[0x89, 0x01, b'a', 0x8a, 0x00]);
        assert_eq!(first.payload, b"a");
        assert_eq!(rest, [0x8a, 0x00]);
    }

    #[test]
    fn rules_that_a_frame_breaks_by_itself() {
        let rows: [(&[u8], &[&str]); 8] = [
            (&[0x81, 0x00], &[]),
            (&[0xc1, 0x00], &[]),
            (&[0x82, 0x7e, 0, 1, 0], &["FRAME_LENGTH_NOT_MINIMAL"]),
            (&[0x83, 0x00], &["FRAME_OPCODE_RESERVED"]),
            (&[0x09, 0x00], &["CONTROL_FRAGMENTED"]),
            (&[0xc8, 0x00], &["FRAME_RSV_WITHOUT_EXTENSION"]),
            (&[0x88, 0x02, 0x03, 0xed], &["CLOSE_CODE_FORBIDDEN"]),
            (&[0x88, 0x01, 0x03], &["CLOSE_BODY_ONE_OCTET"]),
        ];
        for (wire, codes) in rows {
            let broken: Vec<_> =
                Anatomy::of(wire).0.broken_rules().iter().map(|rule| rule.code).collect();
            assert_eq!(broken, codes, "{wire:02x?}");
        }
    }
}
