//! Judging the upstream's certificate: the platform's roots, extra roots, or anything at all.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framescope_certs::CertificateFacts;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::failure::TlsFailureKind;

const GO_ON_UNVERIFIED: &str = "or go on unverified with --insecure-upstream";

/// Why a certificate was refused: travels through rustls inside [`CertificateError::Other`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refusal {
    pub(super) kind: TlsFailureKind,
    pub(super) message: String,
}

/// Trusts what the platform trusts, and `extra_roots`.
///
/// A platform without any roots, as in a bare container, is no fault while there are extra ones.
///
/// # Errors
/// One line for the user: there is no root at all, or one given cannot be used.
pub(super) fn platform_and(
    extra_roots: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let platform = rustls_platform_verifier::Verifier::new_with_extra_roots(
        extra_roots.iter().cloned(),
        super::provider(),
    );
    let inner: Arc<dyn ServerCertVerifier> = match platform {
        Ok(verifier) => Arc::new(verifier),
        Err(_) if !extra_roots.is_empty() => {
            only(&extra_roots).map_err(|error| format!("an extra root cannot be used: {error}"))?
        }
        Err(_) => {
            return Err(format!(
                "this system has no root certificates to check an upstream with: install its ca-certificates package, give roots with --upstream-ca FILE, {GO_ON_UNVERIFIED}"
            ));
        }
    };
    Ok(Arc::new(Explaining { inner, extra_roots }))
}

/// Trusts `roots` and nothing else.
fn only(roots: &[CertificateDer<'static>]) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone())?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), super::provider())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    Ok(verifier)
}

/// Takes any certificate and any signature with it.
pub(super) fn anything() -> Arc<dyn ServerCertVerifier> {
    Arc::new(Anything)
}

/// Asks `inner`, and says what is wrong with a refused certificate in words that help.
#[derive(Debug)]
struct Explaining {
    inner: Arc<dyn ServerCertVerifier>,
    extra_roots: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // A server that serves the very certificate the user vouches for, as `openssl req -x509`
        // makes it: a CA to path building, which would refuse it as a server's, a pin to the user.
        let verdict = if self.extra_roots.iter().any(|root| root == end_entity) {
            verify_pinned(end_entity, server_name, now)
        } else {
            self.inner.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )
        };
        verdict.map_err(|error| match error {
            Error::InvalidCertificate(error) => {
                let refusal = refusal(&error, end_entity, server_name);
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Name and time of a certificate that is itself trusted; its issuer is of no matter.
fn verify_pinned(
    end_entity: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
    let facts = CertificateFacts::read(end_entity).ok_or(CertificateError::BadEncoding)?;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs());
    if now < facts.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > facts.not_after {
        return Err(CertificateError::Expired.into());
    }
    Ok(ServerCertVerified::assertion())
}

/// What is wrong with the certificate, and what the user can do about it.
fn refusal(
    error: &CertificateError,
    end_entity: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
) -> Refusal {
    let host = server_name.to_str();
    let Some(facts) = CertificateFacts::read(end_entity) else {
        return Refusal {
            kind: TlsFailureKind::Untrusted,
            message: format!(
                "the certificate of the upstream \"{host}\" cannot be read ({error}): mend it there, {GO_ON_UNVERIFIED}"
            ),
        };
    };
    let (kind, what) = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            TlsFailureKind::OutOfTime,
            format!(
                "expired on {}: renew it there, set the clock of this machine if it is wrong",
                facts.not_after_date()
            ),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            TlsFailureKind::OutOfTime,
            format!(
                "is valid only from {}: set the clock of this machine if it is wrong",
                facts.not_before_date()
            ),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (TlsFailureKind::WrongName, other_names(&facts))
        }
        _ if facts.version < 3 => (
            TlsFailureKind::Untrusted,
            format!(
                "is an X.509 v{} certificate, which can name no host: make a v3 one",
                facts.version
            ),
        ),
        // A CA's own certificate gets another error than an unknown issuer, with the same mend.
        other if facts.self_issued && (facts.is_ca || *other == CertificateError::UnknownIssuer) => (
            TlsFailureKind::Untrusted,
            "is self-signed and not trusted here: save it as FILE and trust just that one with --upstream-ca FILE".into(),
        ),
        CertificateError::UnknownIssuer => (
            TlsFailureKind::Untrusted,
            format!(
                "was issued by \"{}\", which leads to no root trusted here: give its root with --upstream-ca FILE",
                facts.issuer
            ),
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
            TlsFailureKind::Untrusted,
            "is not made for servers (extendedKeyUsage): make one that is".into(),
        ),
        CertificateError::Revoked => {
            (TlsFailureKind::Untrusted, "has been revoked: renew it there".into())
        }
        CertificateError::BadSignature => (
            TlsFailureKind::Untrusted,
            format!("is not truly signed by \"{}\": mend it there", facts.issuer),
        ),
        other => (TlsFailureKind::Untrusted, format!("was refused ({other}): mend it there")),
    };
    let message = format!("the certificate of the upstream \"{host}\" {what}, {GO_ON_UNVERIFIED}");
    Refusal { kind, message }
}

fn other_names(facts: &CertificateFacts) -> String {
    const SHOWN: usize = 8;
    if facts.names.is_empty() {
        return format!(
            "names no host (its subject is \"{}\", but only subjectAltName counts): make one that does",
            facts.subject
        );
    }
    let (shown, rest) = facts.names.split_at(facts.names.len().min(SHOWN));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("is for other names ({}{more}): use one of these in the URL", shown.join(", "))
}

#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // The signatures too: rustls cannot parse the certificates of X.509 v1 that they are made with.
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ]
    }
}
