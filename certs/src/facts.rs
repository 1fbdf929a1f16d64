//! What a certificate says of itself, read for messages and checks of form; no trust follows from it.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// X.509 version: 1, 2 or 3.
    pub version: u32,
    /// The subject's common name, else its whole name.
    pub subject: String,
    /// The issuer's common name, else its whole name.
    pub issuer: String,
    /// Whether subject and issuer are the same name.
    pub self_issued: bool,
    /// DNS names and IP addresses of the subjectAltName extension.
    pub names: Vec<String>,
    /// Valid from here.
    pub not_before: SystemTime,
    /// Valid until here.
    pub not_after: SystemTime,
    /// Whether basicConstraints makes it a CA.
    pub is_ca: bool,
    /// Whether keyUsage is missing or has keyCertSign.
    pub may_sign_certificates: bool,
    /// Its DER-encoded `SubjectPublicKeyInfo`.
    pub(crate) public_key_info: Vec<u8>,
}

impl CertificateFacts {
    /// Reads a certificate's DER octets; `None` when they are not one certificate.
    ///
    /// Text in it is the peer's: control characters are escaped and long text is cut.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let names = match certificate.subject_alternative_name() {
            Ok(Some(extension)) => {
                extension.value.general_names.iter().filter_map(name_text).collect()
            }
            _ => Vec::new(),
        };
        Some(Self {
            version: certificate.version().0.saturating_add(1),
            subject: distinguished_text(certificate.subject()),
            issuer: distinguished_text(certificate.issuer()),
            self_issued: certificate.subject() == certificate.issuer(),
            names,
            not_before: system_time(certificate.validity().not_before.timestamp()),
            not_after: system_time(certificate.validity().not_after.timestamp()),
            is_ca: certificate.is_ca(),
            may_sign_certificates: match certificate.key_usage() {
                Ok(None) => true,
                Ok(Some(usage)) => usage.value.key_cert_sign(),
                Err(_) => false,
            },
            public_key_info: certificate.public_key().raw.to_vec(),
        })
    }

    /// The first day of its validity in UTC, such as `2026-11-20`.
    pub fn not_before_date(&self) -> String {
        date(self.not_before)
    }

    /// The last day of its validity in UTC, such as `2036-11-18`.
    pub fn not_after_date(&self) -> String {
        date(self.not_after)
    }
}

fn distinguished_text(name: &x509_parser::x509::X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|cn| cn.as_str().ok());
    common.map_or_else(|| shown(&name.to_string()), shown)
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(shown(name)),
        GeneralName::IPAddress(octets) => {
            let address = if let Ok(v4) = <[u8; 4]>::try_from(*octets) {
                IpAddr::from(v4)
            } else {
                IpAddr::from(<[u8; 16]>::try_from(*octets).ok()?)
            };
            Some(address.to_string())
        }
        _ => None,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(120).flat_map(char::escape_debug).collect()
}

fn system_time(unix_secs: i64) -> SystemTime {
    let span = Duration::from_secs(unix_secs.unsigned_abs());
    let moved = if unix_secs < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(span)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(span)
    };
    moved.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A date as messages show it, in UTC: `2026-11-20`.
pub(crate) fn date(at: SystemTime) -> String {
    time::OffsetDateTime::from(at).date().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn octets_that_are_no_certificate_are_none() {
        for der in [&b""[..], b"0", b"\x30\x03\x02\x01\x00", b"hello"] {
            assert_eq!(CertificateFacts::read(der), None);
        }
    }

    #[test]
    fn what_a_peer_wrote_cannot_steer_a_terminal() {
        let key = rcgen::KeyPair::generate().expect("key");
        let mut params = rcgen::CertificateParams::default();
        let text = "\u{1b}]0;owned\u{7}\r\n\u{202e}".repeat(50);
        params.distinguished_name.push(rcgen::DnType::CommonName, text);
        let san = rcgen::string::Ia5String::try_from("\u{1b}[2J.example").expect("ASCII");
        params.subject_alt_names = vec![rcgen::SanType::DnsName(san)];
        let certificate = params.self_signed(&key).expect("certificate");
        let facts = CertificateFacts::read(certificate.der()).expect("facts");
        for text in [&facts.subject, &facts.issuer, &facts.names[0]] {
            assert!(text.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{text:?}");
            assert!(text.len() < 1200, "{}", text.len());
        }
    }

    #[test]
    fn dates_are_shown_in_utc() {
        assert_eq!(date(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_175_999)), "2026-11-20");
    }

    proptest! {
        #[test]
        fn no_octets_panic(der in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = CertificateFacts::read(&der);
        }
    }
}
