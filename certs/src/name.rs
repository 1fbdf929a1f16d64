//! The names a server certificate is for.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::error::CertsError;

/// A DNS name (lower-case A-labels, no trailing dot) or an IP address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectName {
    /// Such as `example.org` or `xn--bcher-kva.example`; made by [`SubjectName::from_str`] only.
    Dns(DnsName),
    /// IPv4 or IPv6; IPv4 written inside IPv6 is kept as IPv4.
    Ip(IpAddr),
}

/// A DNS name that has been checked and lower-cased.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// The name, lower-case, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SubjectName {
    /// Of an address as a socket gives it.
    pub const fn ip(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }

    /// Whether this is `localhost` or an address that never leaves the machine.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Dns(name) => name.0 == "localhost" || name.0.ends_with(".localhost"),
            Self::Ip(address) => address.is_loopback(),
        }
    }
}

impl FromStr for SubjectName {
    type Err = CertsError;

    /// Takes DNS names in ASCII, IPv4 addresses, and IPv6 addresses with or without brackets.
    ///
    /// Names are checked as RFC 1035 §2.3.4 limits them and RFC 5890 spells them, but for `_`, which
    /// container networks use.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(inner) = unbracketed {
            let address: Ipv6Addr =
                inner.parse().map_err(|_| refused(text, "brackets hold an IPv6 address only"))?;
            return Ok(Self::ip(address.into()));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::ip(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() {
            return Err(refused(text, "it is empty"));
        }
        if !name.is_ascii() {
            return Err(refused(text, "write it in its ASCII form (xn--…)"));
        }
        if name.len() > 253 {
            return Err(refused(text, "it is longer than 253 octets"));
        }
        for label in name.split('.') {
            if label.is_empty() {
                return Err(refused(text, "a label is empty"));
            }
            if label.len() > 63 {
                return Err(refused(text, "a label is longer than 63 octets"));
            }
            if label.starts_with('-') || label.ends_with('-') {
                return Err(refused(text, "a label begins or ends with a hyphen"));
            }
            if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
                return Err(refused(text, "only letters, digits, hyphens and dots make a name"));
            }
        }
        if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err(refused(text, "it ends in a number but is not an IPv4 address"));
        }
        Ok(Self::Dns(DnsName(name.to_ascii_lowercase())))
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(&name.0),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// Names come from peers: they are shown cut and without control characters.
fn refused(name: &str, why: &'static str) -> CertsError {
    let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    CertsError::Name { name: shown, why }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_kept_in_their_canonical_form() {
        for (given, kept) in [
            ("localhost", "localhost"),
            ("Example.ORG", "example.org"),
            ("example.org.", "example.org"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_service", "my_service"),
            ("1.2.3.4.example", "1.2.3.4.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(given.parse::<SubjectName>().expect(given).to_string(), kept);
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "abcdefgh.".repeat(28));
        for (given, why) in [
            ("", "empty"),
            (".", "empty"),
            ("a..b", "label is empty"),
            ("-a.example", "hyphen"),
            ("bücher.example", "xn--"),
            ("a b", "letters"),
            ("*.example", "letters"),
            ("a/b", "letters"),
            ("a\0b", "letters"),
            ("999.1.1.1", "number"),
            ("[127.0.0.1]", "brackets"),
            ("[::1", "letters"),
            (long_label.as_str(), "63"),
            (long_name.as_str(), "253"),
        ] {
            let said = given.parse::<SubjectName>().expect_err(given).to_string();
            assert!(said.contains(why), "{given}: {said}");
            assert!(!said.contains('\0') && said.len() < 200, "{said}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_an_error(text in ".{0,300}") {
            if let Ok(name) = text.parse::<SubjectName>() {
                prop_assert_eq!(name.to_string().parse::<SubjectName>().expect("canonical"), name);
            }
        }
    }
}
