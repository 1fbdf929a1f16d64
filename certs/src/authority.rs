//! The authority: one CA of this user on this machine.

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::SectionKind;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{CertsError, Result};
use crate::facts::{CertificateFacts, date};
use crate::fingerprint::{Fingerprint, hex};
use crate::leaf::{self, Leaf};
use crate::name::SubjectName;
use crate::store::{self, AuthorityPaths, Pair};

/// Ten years: a CA is trusted by hand, and its key does not leave the machine.
const LIFETIME: Duration = Duration::from_hours(3650 * 24);

/// A certificate authority for the TLS clients of one user.
///
/// Its key is read into memory, is never given out, and is overwritten in memory on drop.
pub struct Authority {
    paths: AuthorityPaths,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    facts: CertificateFacts,
    issuer: Issuer<'static, CaKey>,
    created: bool,
}

impl Authority {
    /// Reads the CA in `folder`, or makes one when there is none; `now` is the wall clock.
    ///
    /// Any number of processes may call this at once and get the same CA. Errors say what lies in the
    /// folder that cannot be used: files of others, half a CA, damaged text, a certificate out of its
    /// time. Nothing is ever overwritten.
    pub fn load_or_create(folder: &Path, now: SystemTime) -> Result<Self> {
        let paths = AuthorityPaths::in_folder(folder);
        let (pair, created) = store::load_or_create(&paths, || make(now))?;
        Self::from_pair(paths, pair, now, created)
    }

    /// Reads the CA in `folder`; `None` when there is none.
    pub fn load(folder: &Path, now: SystemTime) -> Result<Option<Self>> {
        let paths = AuthorityPaths::in_folder(folder);
        match store::load(&paths)? {
            None => Ok(None),
            Some(pair) => Self::from_pair(paths, pair, now, false).map(Some),
        }
    }

    fn from_pair(
        paths: AuthorityPaths,
        pair: Pair,
        now: SystemTime,
        created: bool,
    ) -> Result<Self> {
        let unusable = |path: &Path, what| CertsError::content(path, what, store::anew(&paths));
        let certificate = only_section(
            &paths.certificate,
            pair.certificate.as_bytes(),
            &[SectionKind::Certificate],
        )?
        .map(|der| CertificateDer::from(der.to_vec()))
        .ok_or_else(|| unusable(&paths.certificate, "this is not one PEM certificate"))?;
        let facts = CertificateFacts::read(&certificate)
            .ok_or_else(|| unusable(&paths.certificate, "this certificate is damaged"))?;
        if !facts.is_ca || !facts.may_sign_certificates {
            return Err(unusable(&paths.certificate, "this certificate is not a CA's"));
        }
        let key_kinds =
            [SectionKind::PrivateKey, SectionKind::EcPrivateKey, SectionKind::RsaPrivateKey];
        let key = only_section(&paths.key, pair.key.as_bytes(), &key_kinds)?
            .and_then(|der| KeyPair::try_from(der.as_slice()).ok())
            .map(CaKey)
            .ok_or_else(|| unusable(&paths.key, "this is not one private key in PEM form"))?;
        if key.subject_public_key_info() != facts.public_key_info {
            return Err(unusable(&paths.key, "this key does not belong to ca-cert.pem beside it"));
        }
        let out_of_time = |what| CertsError::OutOfTime {
            path: paths.certificate.clone(),
            what,
            mend: store::anew(&paths),
        };
        if now >= facts.not_after {
            return Err(out_of_time(format!("the CA expired on {}", date(facts.not_after))));
        }
        if now < facts.not_before {
            let starts = date(facts.not_before);
            return Err(out_of_time(format!(
                "the CA is valid from {starts} only: is the clock of this machine right?"
            )));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { paths, certificate, certificate_pem: pair.certificate, facts, issuer, created })
    }

    /// Makes a server certificate for `names` with a key of its own: far less than a millisecond.
    ///
    /// Valid from a day before `now` for seven days, but never beyond the CA.
    pub fn leaf_for(&self, names: &[SubjectName], now: SystemTime) -> Result<Leaf> {
        let from = now.checked_sub(leaf::BACK_DATE).unwrap_or(now).max(self.facts.not_before);
        let until = now.checked_add(leaf::LIFETIME).unwrap_or(now).min(self.facts.not_after);
        if until <= now {
            return Err(CertsError::OutOfTime {
                path: self.paths.certificate.clone(),
                what: format!("the CA expired on {}", date(self.facts.not_after)),
                mend: store::anew(&self.paths),
            });
        }
        leaf::mint(names, &self.issuer, &self.certificate, from, until)
    }

    /// Where its files are.
    pub fn paths(&self) -> &AuthorityPaths {
        &self.paths
    }

    /// Whether this call made it: nobody can trust it yet.
    pub fn was_created(&self) -> bool {
        self.created
    }

    /// Its common name, such as `Framescope local CA, made 2026-11-20 (4f1c2a)`.
    pub fn name(&self) -> &str {
        &self.facts.subject
    }

    /// Until when it is valid.
    pub fn not_after(&self) -> SystemTime {
        self.facts.not_after
    }

    /// The day it expires, such as `2036-11-18`.
    pub fn expiry_date(&self) -> String {
        date(self.facts.not_after)
    }

    /// SHA-256 over its certificate, to compare with what a trust dialog shows.
    pub fn fingerprint_sha256(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// SHA-256 over its public key (`SubjectPublicKeyInfo`) in base64: how Chromium is told to trust
    /// it for one run, and how RFC 7469 §2.4 names keys.
    pub fn key_pin(&self) -> String {
        BASE64.encode(Fingerprint::of(&self.facts.public_key_info).octets())
    }

    /// Its certificate as PEM text: what is given to clients that shall trust it.
    pub fn ca_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Its certificate as DER octets.
    pub fn ca_der(&self) -> &CertificateDer<'static> {
        &self.certificate
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("folder", &self.paths.folder)
            .field("name", &self.facts.subject)
            .field("fingerprint", &self.fingerprint_sha256())
            .finish_non_exhaustive()
    }
}

/// The CA's key: overwritten in memory when dropped, never printed.
struct CaKey(KeyPair);

impl Drop for CaKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PublicKeyData for CaKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        PublicKeyData::algorithm(&self.0)
    }
}

impl SigningKey for CaKey {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}

fn make(now: SystemTime) -> Result<Pair> {
    let key = CaKey(KeyPair::generate()?);
    let serial = leaf::serial_of(&key);
    let mark = hex(serial.as_ref().get(13..).unwrap_or_default());
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Framescope");
    // The mark tells two CAs of one day apart in a trust store.
    subject.push(DnType::CommonName, format!("Framescope local CA, made {} ({mark})", date(now)));
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.serial_number = Some(serial);
    params.not_before = now.checked_sub(leaf::BACK_DATE).unwrap_or(now).into();
    params.not_after = now.checked_add(LIFETIME).unwrap_or(now).into();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok(Pair { certificate: certificate.pem(), key: Zeroizing::new(key.0.serialize_pem()) })
}

/// The one section of these kinds; `None` when there is none, or more than one.
fn only_section(
    path: &Path,
    text: &[u8],
    kinds: &[SectionKind],
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let mut found = crate::pem::sections(path, text)?;
    found.retain(|(kind, _)| kinds.contains(kind));
    Ok(if found.len() == 1 { found.pop().map(|(_, der)| der) } else { None })
}

#[cfg(test)]
mod tests;
