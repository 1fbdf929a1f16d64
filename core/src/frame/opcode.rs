//! Opcode, RFC 6455 §5.2 and §11.8: four bits, all sixteen values.

use std::fmt;

/// What a frame is. Total: every four-bit value has a name, and none is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opcode {
    /// 0x0: goes on with the message that an earlier frame began.
    Continuation,
    /// 0x1: begins a text message, UTF-8.
    Text,
    /// 0x2: begins a binary message.
    Binary,
    /// 0x3–0x7: reserved for further non-control frames.
    ReservedNonControl(ReservedNonControl),
    /// 0x8: closes the connection.
    Close,
    /// 0x9: asks for a pong.
    Ping,
    /// 0xA: answers a ping, or says "alive" unasked.
    Pong,
    /// 0xB–0xF: reserved for further control frames.
    ReservedControl(ReservedControl),
}

/// The reserved non-control opcodes 0x3–0x7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the values")]
pub enum ReservedNonControl {
    X3 = 0x3,
    X4 = 0x4,
    X5 = 0x5,
    X6 = 0x6,
    X7 = 0x7,
}

/// The reserved control opcodes 0xB–0xF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the values")]
pub enum ReservedControl {
    XB = 0xB,
    XC = 0xC,
    XD = 0xD,
    XE = 0xE,
    XF = 0xF,
}

/// Every opcode at its own bits: a look-up costs less than sixteen jumps.
const ALL: [Opcode; 16] = {
    use {ReservedControl as C, ReservedNonControl as N};
    [
        Opcode::Continuation,
        Opcode::Text,
        Opcode::Binary,
        Opcode::ReservedNonControl(N::X3),
        Opcode::ReservedNonControl(N::X4),
        Opcode::ReservedNonControl(N::X5),
        Opcode::ReservedNonControl(N::X6),
        Opcode::ReservedNonControl(N::X7),
        Opcode::Close,
        Opcode::Ping,
        Opcode::Pong,
        Opcode::ReservedControl(C::XB),
        Opcode::ReservedControl(C::XC),
        Opcode::ReservedControl(C::XD),
        Opcode::ReservedControl(C::XE),
        Opcode::ReservedControl(C::XF),
    ]
};

impl Opcode {
    /// From the low four bits of a frame's first octet; the high four are ignored.
    pub const fn from_bits(bits: u8) -> Self {
        ALL[(bits & 0x0F) as usize]
    }

    /// The four bits, 0x0–0xF.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::ReservedNonControl(value) => value as u8,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
            Self::ReservedControl(value) => value as u8,
        }
    }

    /// Whether the most significant of the four bits is set (RFC 6455 §5.5).
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }

    /// Whether no standard gives this value a meaning.
    pub const fn is_reserved(self) -> bool {
        matches!(self, Self::ReservedNonControl(_) | Self::ReservedControl(_))
    }

    /// Whether this frame begins a data message: text or binary.
    pub const fn begins_message(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }

    /// `continuation`, `text`, `binary`, `close`, `ping`, `pong`, or `reserved-3` and the like.
    pub const fn name(self) -> &'static str {
        match self.bits() {
            0x0 => "continuation",
            0x1 => "text",
            0x2 => "binary",
            0x3 => "reserved-3",
            0x4 => "reserved-4",
            0x5 => "reserved-5",
            0x6 => "reserved-6",
            0x7 => "reserved-7",
            0x8 => "close",
            0x9 => "ping",
            0xA => "pong",
            0xB => "reserved-b",
            0xC => "reserved-c",
            0xD => "reserved-d",
            0xE => "reserved-e",
            _ => "reserved-f",
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_four_bit_value_survives_the_round_trip() {
        for bits in 0..=0xF {
            assert_eq!(Opcode::from_bits(bits).bits(), bits);
            assert_eq!(Opcode::from_bits(bits | 0xF0).bits(), bits);
        }
    }

    #[test]
    fn control_and_reserved_follow_the_registry() {
        let control: Vec<u8> = (0..16).filter(|b| Opcode::from_bits(*b).is_control()).collect();
        assert_eq!(control, (8..16).collect::<Vec<u8>>());
        let reserved: Vec<u8> = (0..16).filter(|b| Opcode::from_bits(*b).is_reserved()).collect();
        assert_eq!(reserved, [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]);
    }
}
