//! Close, RFC 6455 §5.5.1 and §7.4: a status code and a reason, or nothing.

use std::fmt;

/// A close status code; total over 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

#[expect(missing_docs, reason = "each carries the IANA registry's name; see `CloseCode::name`")]
impl CloseCode {
    pub const NORMAL_CLOSURE: Self = Self(1000);
    pub const GOING_AWAY: Self = Self(1001);
    pub const PROTOCOL_ERROR: Self = Self(1002);
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    pub const RESERVED: Self = Self(1004);
    pub const NO_STATUS_RCVD: Self = Self(1005);
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    pub const INVALID_FRAME_PAYLOAD_DATA: Self = Self(1007);
    pub const POLICY_VIOLATION: Self = Self(1008);
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    pub const MANDATORY_EXT: Self = Self(1010);
    pub const INTERNAL_ERROR: Self = Self(1011);
    pub const SERVICE_RESTART: Self = Self(1012);
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    pub const BAD_GATEWAY: Self = Self(1014);
    pub const TLS_HANDSHAKE: Self = Self(1015);
}

impl CloseCode {
    /// The meaning in the IANA WebSocket Close Code Number Registry; of a code that is not registered, what
    /// its range is for (RFC 6455 §7.4.2).
    pub const fn name(self) -> &'static str {
        match self.0 {
            1000 => "Normal Closure",
            1001 => "Going Away",
            1002 => "Protocol error",
            1003 => "Unsupported Data",
            1004 => "Reserved",
            1005 => "No Status Rcvd",
            1006 => "Abnormal Closure",
            1007 => "Invalid frame payload data",
            1008 => "Policy Violation",
            1009 => "Message Too Big",
            1010 => "Mandatory Ext.",
            1011 => "Internal Error",
            1012 => "Service Restart",
            1013 => "Try Again Later",
            1014 => "Bad Gateway",
            1015 => "TLS handshake",
            3000 => "Unauthorized",
            3003 => "Forbidden",
            3008 => "Timeout",
            3001..=3999 => "library or framework use",
            4000..=4999 => "private use",
            _ => "unassigned",
        }
    }

    /// Whether it says that something went wrong, or that the server cannot serve for now (RFC 6455 §7.4.1
    /// and the registry): not an end that was meant, nor what libraries and applications mean by codes of
    /// their own.
    pub const fn tells_failure(self) -> bool {
        matches!(self.0, 1002 | 1003 | 1007..=1014)
    }

    /// Whether an endpoint may send this code in a Close frame (RFC 6455 §7.4.1 and §7.4.2).
    pub const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a Close frame's payload says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseBody<'a> {
    /// No payload: "1005, no status received" to the application.
    Empty,
    /// One octet, which is no code: forbidden.
    OneOctet(u8),
    /// A code, and a reason that may be empty.
    Status {
        /// The status code.
        code: CloseCode,
        /// The reason, which must be UTF-8.
        reason: &'a [u8],
    },
}

impl<'a> CloseBody<'a> {
    /// Reads an unmasked Close payload; total.
    pub const fn parse(payload: &'a [u8]) -> Self {
        match payload {
            [] => Self::Empty,
            [octet] => Self::OneOctet(*octet),
            [high, low, reason @ ..] => {
                Self::Status { code: CloseCode(u16::from_be_bytes([*high, *low])), reason }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    #[test]
    fn bodies_of_none_one_and_more_octets() {
        assert_eq!(CloseBody::parse(&[]), CloseBody::Empty);
        assert_eq!(CloseBody::parse(&[3]), CloseBody::OneOctet(3));
        assert_eq!(
            CloseBody::parse(&hex!("03e8 627965")),
            CloseBody::Status { code: CloseCode::NORMAL_CLOSURE, reason: b"bye" }
        );
    }

    #[test]
    fn codes_that_tell_a_failure() {
        for code in [1002, 1003, 1007, 1008, 1011, 1012, 1013, 1014] {
            assert!(CloseCode(code).tells_failure(), "{code}");
        }
        for code in [1000, 1001, 3000, 3999, 4000, 4999] {
            assert!(!CloseCode(code).tells_failure(), "{code}");
        }
    }

    #[test]
    fn registered_codes_have_their_names_and_others_that_of_their_range() {
        let rows = [
            (1000, "Normal Closure"),
            (1016, "unassigned"),
            (3000, "Unauthorized"),
            (3001, "library or framework use"),
            (3003, "Forbidden"),
            (3008, "Timeout"),
            (3999, "library or framework use"),
            (4000, "private use"),
            (5000, "unassigned"),
        ];
        for (code, name) in rows {
            assert_eq!(CloseCode(code).name(), name, "{code}");
        }
    }

    #[test]
    fn codes_that_must_not_be_sent() {
        let forbidden = [0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65_535];
        for code in forbidden {
            assert!(!CloseCode(code).may_be_sent(), "{code}");
        }
        let allowed = [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999];
        for code in allowed {
            assert!(CloseCode(code).may_be_sent(), "{code}");
        }
    }
}
