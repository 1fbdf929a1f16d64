//! Why a TLS handshake failed: its stage, its kind, and one line with the mend.

use std::io;

use framescope_certs::CertsError;
use framescope_core::Leg;
use framescope_core::connection::Failure;
use rustls::AlertDescription;

/// A TLS handshake or its setup that failed; displays as one line: what, where, how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TlsFailure {
    /// Which side was spoken to.
    pub leg: Leg,
    /// What sort of failure, for exit codes and tests.
    pub kind: TlsFailureKind,
    /// One line for the user.
    pub message: String,
}

/// What sort of TLS failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsFailureKind {
    /// A file, a name or a setting of the user's cannot be used.
    Setup,
    /// The handshake was not done in time.
    Timeout,
    /// The peer closed or reset the connection during the handshake.
    Closed,
    /// The peer does not speak TLS.
    NotTls,
    /// The certificate is not trusted: by us upstream, by the client on its leg.
    Untrusted,
    /// The upstream's certificate is for other names.
    WrongName,
    /// The upstream's certificate is out of its time.
    OutOfTime,
    /// No protocol version, cipher suite or application protocol in common.
    Incompatible,
    /// The peer refused with an alert, or broke the protocol.
    Protocol,
}

impl TlsFailure {
    pub(super) fn new(leg: Leg, kind: TlsFailureKind, message: impl Into<String>) -> Self {
        Self { leg, kind, message: message.into() }
    }

    /// A file of the user's that cannot be read, or does not hold what is wanted.
    pub(super) fn of_file(leg: Leg, error: &CertsError) -> Self {
        let mend = match error {
            CertsError::Io { .. } => "; check the path, and who may read it with ls -l",
            _ => "",
        };
        Self::new(leg, TlsFailureKind::Setup, format!("{error}{mend}"))
    }

    /// The stage's name in a capture: `client-tls` or `upstream-tls`.
    pub const fn stage(&self) -> &'static str {
        match self.leg {
            Leg::Client => "client-tls",
            Leg::Upstream => "upstream-tls",
        }
    }
}

impl From<TlsFailure> for Failure {
    fn from(failure: TlsFailure) -> Self {
        Self {
            stage: failure.stage().into(),
            message: failure.message,
            leg: Some(failure.leg),
            at: None,
        }
    }
}

/// What ended a handshake, taken out of the `io::Error` that tokio-rustls wraps it in.
pub(super) enum Cause<'a> {
    /// The peer went away: end of stream or reset.
    Gone,
    /// TLS itself said no.
    Tls(&'a rustls::Error),
    /// The transport failed in another way.
    Io(&'a io::Error),
}

impl<'a> Cause<'a> {
    pub(super) fn of(error: &'a io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match (inner, error.kind()) {
            (Some(tls), _) => Self::Tls(tls),
            (
                None,
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
            ) => Self::Gone,
            (None, _) => Self::Io(error),
        }
    }
}

/// An alert by its name in RFC 8446 §6, such as `unknown_ca`.
pub(super) fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::new();
    let mut previous_is_lower = false;
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && previous_is_lower {
            name.push('_');
        }
        previous_is_lower = letter.is_ascii_lowercase();
        name.push(letter.to_ascii_lowercase());
    }
    // rustls spells this one in British English.
    name.replace("unrecognised", "unrecognized")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_named_as_the_rfc_names_them() {
        for (alert, name) in [
            (AlertDescription::UnknownCA, "unknown_ca"),
            (AlertDescription::BadCertificate, "bad_certificate"),
            (AlertDescription::CertificateUnknown, "certificate_unknown"),
            (AlertDescription::HandshakeFailure, "handshake_failure"),
            (AlertDescription::UnrecognisedName, "unrecognized_name"),
            (AlertDescription::NoApplicationProtocol, "no_application_protocol"),
        ] {
            assert_eq!(alert_name(alert), name);
        }
    }
}
