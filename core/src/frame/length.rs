//! Payload length, RFC 6455 §5.2: one number, three ways to write it.

/// A payload length as it was written on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadLength {
    /// Octets of payload that follow the header; 2^63 and above is forbidden but representable.
    pub value: u64,
    /// How the sender wrote it.
    pub form: LengthForm,
}

/// The three forms of a payload length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LengthForm {
    /// In the seven bits of the second octet: 0–125.
    Seven,
    /// 126, then two octets: 0–65,535, minimal from 126 on.
    Sixteen,
    /// 127, then eight octets, minimal from 65,536 on.
    SixtyFour,
}

impl PayloadLength {
    /// The minimal form, which RFC 6455 §5.2 demands.
    pub const fn minimal(value: u64) -> Self {
        Self { value, form: LengthForm::minimal_for(value) }
    }

    /// Whether the length is written in as few octets as it fits in.
    pub fn is_minimal(self) -> bool {
        self.form == LengthForm::minimal_for(self.value)
    }

    /// Whether the most significant bit of the 64-bit form is set, which must be 0.
    pub const fn is_forbidden(self) -> bool {
        self.value > i64::MAX as u64
    }
}

impl LengthForm {
    /// The form that a frame's second octet announces; its MASK bit is ignored.
    pub const fn announced_by(second_octet: u8) -> Self {
        match second_octet & 0x7F {
            126 => Self::Sixteen,
            127 => Self::SixtyFour,
            _ => Self::Seven,
        }
    }

    /// The shortest form that holds `value`.
    pub const fn minimal_for(value: u64) -> Self {
        match value {
            0..=125 => Self::Seven,
            126..=0xFFFF => Self::Sixteen,
            _ => Self::SixtyFour,
        }
    }

    /// Bits the number takes: 7, 16 or 64.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Seven => 7,
            Self::Sixteen => 16,
            Self::SixtyFour => 64,
        }
    }

    /// Octets that follow the second octet for this form: 0, 2 or 8.
    pub const fn extended_octets(self) -> u8 {
        match self {
            Self::Seven => 0,
            Self::Sixteen => 2,
            Self::SixtyFour => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimal_form_changes_at_126_and_65536() {
        let forms = [
            (0, LengthForm::Seven),
            (125, LengthForm::Seven),
            (126, LengthForm::Sixteen),
            (65_535, LengthForm::Sixteen),
            (65_536, LengthForm::SixtyFour),
            (u64::MAX, LengthForm::SixtyFour),
        ];
        for (value, form) in forms {
            assert_eq!(PayloadLength::minimal(value).form, form, "{value}");
            assert!(PayloadLength { value, form }.is_minimal());
        }
        assert!(!PayloadLength { value: 5, form: LengthForm::Sixteen }.is_minimal());
        assert!(!PayloadLength { value: 126, form: LengthForm::SixtyFour }.is_minimal());
    }

    #[test]
    fn the_second_octet_announces_the_form_whatever_its_mask_bit() {
        for mask in [0x00, 0x80] {
            assert_eq!(LengthForm::announced_by(mask | 0x7D), LengthForm::Seven);
            assert_eq!(LengthForm::announced_by(mask | 0x7E), LengthForm::Sixteen);
            assert_eq!(LengthForm::announced_by(mask | 0x7F), LengthForm::SixtyFour);
        }
    }

    #[test]
    fn the_top_bit_of_sixty_four_is_forbidden() {
        assert!(!PayloadLength::minimal((1 << 63) - 1).is_forbidden());
        assert!(PayloadLength::minimal(1 << 63).is_forbidden());
    }
}
