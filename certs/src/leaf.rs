//! Server certificates: short-lived, each with a key of its own.

use std::fmt;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber, SigningKey, string::Ia5String,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use crate::error::{CertsError, Result};
use crate::name::SubjectName;

/// How long a leaf is good for.
pub(crate) const LIFETIME: Duration = Duration::from_hours(7 * 24);

/// Certificates are valid from a day ago: clocks of phones and virtual machines run behind.
pub(crate) const BACK_DATE: Duration = Duration::from_hours(24);

/// RFC 5280 appendix A.1: `ub-common-name`.
const MAX_COMMON_NAME: usize = 64;

/// A server certificate and its key, ready for a TLS server.
pub struct Leaf {
    /// The leaf, then the CA: so that a client can show the CA's name to its user, and so that a
    /// browser can be started with the CA's key pinned for that one run.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key, PKCS #8.
    pub key: PrivateKeyDer<'static>,
    /// From when it is valid.
    pub not_before: SystemTime,
    /// Until when it is valid.
    pub not_after: SystemTime,
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

/// Makes a leaf for `names`, signed by `issuer` whose certificate is `ca`, valid from `from` to `until`.
pub(crate) fn mint(
    names: &[SubjectName],
    issuer: &Issuer<'_, impl SigningKey>,
    ca: &CertificateDer<'static>,
    from: SystemTime,
    until: SystemTime,
) -> Result<Leaf> {
    let Some(first) = names.first() else {
        return Err(CertsError::Name { name: String::new(), why: "no name was given" });
    };
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Framescope");
    // Clients look at the alternative names only; the common name is for human eyes.
    let common_name = first.to_string();
    if common_name.len() <= MAX_COMMON_NAME {
        subject.push(DnType::CommonName, common_name);
    }
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.subject_alt_names = names.iter().map(alternative_name).collect::<Result<_>>()?;
    params.serial_number = Some(serial_of(&key));
    params.not_before = from.into();
    params.not_after = until.into();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, issuer)?;
    Ok(Leaf {
        chain: vec![certificate.into(), ca.clone()],
        key: key.into(),
        not_before: from,
        not_after: until,
    })
}

fn alternative_name(name: &SubjectName) -> Result<SanType> {
    Ok(match name {
        SubjectName::Dns(name) => SanType::DnsName(Ia5String::try_from(name.as_str())?),
        SubjectName::Ip(address) => SanType::IpAddress(*address),
    })
}

/// A serial of 127 bits from the hash of a key that was just made: as random as the key, and never 0.
pub(crate) fn serial_of(key: &impl rcgen::PublicKeyData) -> SerialNumber {
    let digest = Sha256::digest(key.subject_public_key_info());
    let mut serial = digest.get(..16).unwrap_or_default().to_vec();
    if let Some(first) = serial.first_mut() {
        // Positive (RFC 5280 §4.1.2.2), and of full length so that it looks the same everywhere.
        *first = *first & 0x7f | 0x40;
    }
    SerialNumber::from(serial)
}
