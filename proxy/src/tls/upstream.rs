//! The upstream side: a verified TLS client, or an unverified one where the user said so.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use framescope_certs::{Fingerprint, load_pem_chain};
use framescope_core::Leg;
use framescope_core::connection::TlsInfo;
use rustls::ClientConfig;
use rustls::{AlertDescription, InvalidMessage, PeerIncompatible};
use rustls_pki_types::{IpAddr, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::{Cause, TlsFailure, TlsFailureKind, alert_name};
use super::verify::{self, Refusal};

/// How the upstream's certificate is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamTlsConfig {
    /// PEM file with roots to trust besides the platform's own (`--upstream-ca`).
    pub extra_roots: Option<PathBuf>,
    /// Take any certificate (`--insecure-upstream`).
    pub insecure: bool,
}

/// Puts TLS on towards the upstream. Shared by all connections.
#[derive(Debug)]
pub struct UpstreamTls {
    config: Arc<ClientConfig>,
    insecure: bool,
    handshake_timeout: Duration,
}

impl UpstreamTls {
    /// Reads the roots to trust: the platform's, and those of `extra_roots`.
    pub fn new(config: &UpstreamTlsConfig) -> Result<Self, TlsFailure> {
        let extra_roots = match &config.extra_roots {
            Some(path) => {
                load_pem_chain(path).map_err(|error| TlsFailure::of_file(Leg::Upstream, &error))?
            }
            None => Vec::new(),
        };
        let verifier = if config.insecure {
            verify::anything()
        } else {
            verify::platform_and(extra_roots).map_err(setup)?
        };
        let mut client = ClientConfig::builder_with_provider(super::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(format!("cannot set up TLS: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        client.alpn_protocols = vec![super::ALPN_HTTP_1_1.to_vec()];
        Ok(Self {
            config: Arc::new(client),
            insecure: config.insecure,
            handshake_timeout: super::HANDSHAKE_TIMEOUT,
        })
    }

    /// Does the client's part of a handshake with the upstream behind `stream`.
    ///
    /// `server_name` is the host of its URL: a DNS name, which is also sent as SNI, or an address.
    pub async fn connect<S>(
        &self,
        stream: S,
        server_name: &str,
    ) -> Result<(TlsStream<S>, TlsInfo), TlsFailure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = parse_server_name(server_name)?;
        let sni = match &name {
            ServerName::DnsName(name) => Some(name.as_ref().to_owned()),
            _ => None,
        };
        let handshake = TlsConnector::from(Arc::clone(&self.config)).connect(name, stream);
        let stream = match tokio::time::timeout(self.handshake_timeout, handshake).await {
            Ok(finished) => finished.map_err(|error| explain(&error, server_name))?,
            Err(_) => {
                return Err(TlsFailure::new(
                    Leg::Upstream,
                    TlsFailureKind::Timeout,
                    format!(
                        "the upstream \"{server_name}\" did not finish the TLS handshake within {} seconds: does it speak TLS on this port? If not, use ws:// or http://",
                        self.handshake_timeout.as_secs_f32()
                    ),
                ));
            }
        };
        let session = stream.get_ref().1;
        let certificate = session
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|leaf| Fingerprint::of(leaf));
        let mut info = super::agreed(session, sni, certificate);
        info.unverified = self.insecure;
        Ok((stream, info))
    }
}

fn parse_server_name(text: &str) -> Result<ServerName<'static>, TlsFailure> {
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let parsed = match unbracketed {
        Some(inner) => IpAddr::try_from(inner).ok().map(ServerName::IpAddress),
        None => ServerName::try_from(text.to_owned()).ok(),
    };
    parsed.ok_or_else(|| {
        let hint = if text.is_ascii() { "" } else { "; write it in its ASCII form (xn--…)" };
        setup(format!("\"{}\" is no host name that TLS can check{hint}", text.escape_debug()))
    })
}

/// One line about a failed handshake, with the mend.
fn explain(error: &io::Error, host: &str) -> TlsFailure {
    use rustls::CertificateError;
    use rustls::Error;

    let (kind, message) = match Cause::of(error) {
        Cause::Gone => (
            TlsFailureKind::Closed,
            format!(
                "the upstream \"{host}\" closed the connection during the TLS handshake: does it speak TLS on this port? If not, use ws:// or http://"
            ),
        ),
        Cause::Io(error) => (
            TlsFailureKind::Closed,
            format!(
                "the connection to the upstream \"{host}\" failed during the TLS handshake: {error}"
            ),
        ),
        Cause::Tls(error) => match error {
            Error::InvalidCertificate(CertificateError::Other(other))
                if other.0.downcast_ref::<Refusal>().is_some() =>
            {
                let refusal = other.0.downcast_ref::<Refusal>();
                refusal.map_or((TlsFailureKind::Untrusted, String::new()), |refusal| {
                    (refusal.kind, refusal.message.clone())
                })
            }
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => (
                TlsFailureKind::NotTls,
                format!(
                    "the upstream \"{host}\" answered in plaintext, not TLS: did you mean ws:// (or http://)?"
                ),
            ),
            Error::AlertReceived(AlertDescription::UnrecognisedName) => (
                TlsFailureKind::WrongName,
                format!(
                    "the upstream knows no host \"{host}\" (alert unrecognized_name): is the name right?"
                ),
            ),
            Error::AlertReceived(alert @ AlertDescription::NoApplicationProtocol) => (
                TlsFailureKind::Incompatible,
                format!(
                    "the upstream \"{host}\" does not speak HTTP/1.1 on this port (alert {})",
                    alert_name(*alert)
                ),
            ),
            Error::AlertReceived(
                alert @ (AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity),
            ) => (
                TlsFailureKind::Incompatible,
                format!(
                    "the upstream \"{host}\" found no TLS in common with Framescope (alert {}): TLS 1.2 or 1.3 with forward secrecy is needed, and no client certificate is sent",
                    alert_name(*alert)
                ),
            ),
            Error::AlertReceived(alert) => (
                TlsFailureKind::Protocol,
                format!(
                    "the upstream \"{host}\" ended the TLS handshake (alert {})",
                    alert_name(*alert)
                ),
            ),
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => (
                TlsFailureKind::Incompatible,
                format!(
                    "the upstream \"{host}\" speaks only TLS 1.1 or older: TLS 1.2 or 1.3 is needed"
                ),
            ),
            Error::PeerIncompatible(what) => (
                TlsFailureKind::Incompatible,
                format!("the upstream \"{host}\" and Framescope have no TLS in common ({what:?})"),
            ),
            other => (
                TlsFailureKind::Protocol,
                format!("the TLS handshake with the upstream \"{host}\" failed: {other}"),
            ),
        },
    };
    TlsFailure::new(Leg::Upstream, kind, message)
}

fn setup(message: String) -> TlsFailure {
    TlsFailure::new(Leg::Upstream, TlsFailureKind::Setup, message)
}
