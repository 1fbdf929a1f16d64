//! The client side: the `ClientHello` is read first, then a certificate is served for the name in it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framescope_certs::{Authority, SubjectName, load_pem_chain, load_pem_key};
use framescope_core::connection::TlsInfo;
use framescope_core::{Leg, Timestamp};
use rustls::server::{Acceptor, ResolvesServerCertUsingSni};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, InvalidMessage, PeerIncompatible, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::failure::{Cause, TlsFailure, TlsFailureKind, alert_name};
use super::leaves::{Leaves, Served};

/// What the proxy shows to TLS clients.
pub enum Identity {
    /// A leaf of the local CA, minted for each name asked for.
    Minted(Arc<Authority>),
    /// One certificate of the user's own, for every name; made by [`Identity::own`].
    Own(OwnCertificate),
}

/// A certificate chain and key of the user's own, found to belong together.
pub struct OwnCertificate {
    certified: CertifiedKey,
    file: PathBuf,
}

impl Identity {
    /// Reads a certificate chain (leaf first) and its private key, both PEM.
    pub fn own(cert_file: &Path, key_file: &Path) -> Result<Self, TlsFailure> {
        let setup = |message: String| TlsFailure::new(Leg::Client, TlsFailureKind::Setup, message);
        let unusable = |error| TlsFailure::of_file(Leg::Client, &error);
        let chain = load_pem_chain(cert_file).map_err(unusable)?;
        let key = load_pem_key(key_file).map_err(unusable)?;
        let certified = CertifiedKey::from_der(chain, key, &super::provider()).map_err(|error| {
            setup(match error {
                rustls::Error::InconsistentKeys(_) => format!(
                    "the private key in {} does not belong to the first certificate in {}: give the pair that was issued together, leaf first",
                    key_file.display(),
                    cert_file.display(),
                ),
                other => format!(
                    "cannot serve {} with {}: {other}",
                    cert_file.display(),
                    key_file.display(),
                ),
            })
        })?;
        Ok(Self::Own(OwnCertificate { certified, file: cert_file.to_owned() }))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minted(authority) => f.debug_tuple("Minted").field(authority).finish(),
            Self::Own(own) => f.debug_tuple("Own").field(&own.file).finish(),
        }
    }
}

/// Takes TLS off the client's octets. Shared by all connections.
pub struct ClientTls {
    source: Source,
    handshake_timeout: Duration,
}

enum Source {
    Minted(Box<Leaves>),
    Own(Served, PathBuf),
}

impl ClientTls {
    /// Serves `identity` over TLS 1.2 and 1.3, speaking HTTP/1.1 inside.
    pub fn new(identity: Identity) -> Result<Self, TlsFailure> {
        let base = base_config().map_err(|error| {
            TlsFailure::new(
                Leg::Client,
                TlsFailureKind::Setup,
                format!("cannot set up TLS: {error}"),
            )
        })?;
        let source = match identity {
            Identity::Minted(authority) => Source::Minted(Box::new(Leaves::new(authority, base))),
            Identity::Own(own) => Source::Own(Served::new(&base, own.certified), own.file),
        };
        Ok(Self { source, handshake_timeout: super::HANDSHAKE_TIMEOUT })
    }

    /// Does the server's part of a handshake with the client behind `stream`, which connected to
    /// `local`, at the time `now`.
    ///
    /// Cancel-safe as far as a handshake can be: dropping the future drops the stream.
    pub async fn accept<S>(
        &self,
        stream: S,
        local: SocketAddr,
        now: Timestamp,
    ) -> Result<(TlsStream<S>, TlsInfo), TlsFailure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(now.as_nanos());
        let handshake = self.handshake(stream, local, now);
        tokio::time::timeout(self.handshake_timeout, handshake).await.unwrap_or_else(|_| {
            Err(TlsFailure::new(
                Leg::Client,
                TlsFailureKind::Timeout,
                format!(
                    "the client did not finish the TLS handshake within {} seconds",
                    self.handshake_timeout.as_secs_f32()
                ),
            ))
        })
    }

    async fn handshake<S>(
        &self,
        stream: S,
        local: SocketAddr,
        now: SystemTime,
    ) -> Result<(TlsStream<S>, TlsInfo), TlsFailure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream)
            .await
            .map_err(|error| self.explain(&error, None, local))?;
        let sni = start.client_hello().server_name().map(str::to_owned);
        let minted;
        let served = match &self.source {
            Source::Own(served, _) => served,
            Source::Minted(leaves) => {
                let name = match &sni {
                    Some(name) => name.parse().map_err(|error| refused(&error))?,
                    None => SubjectName::ip(local.ip()),
                };
                minted = leaves.for_name(name, now).map_err(|error| refused(&error))?;
                minted.as_ref()
            }
        };
        let stream = start
            .into_stream(Arc::clone(&served.config))
            .await
            .map_err(|error| self.explain(&error, sni.as_deref(), local))?;
        let info = super::agreed(stream.get_ref().1, sni, Some(served.certificate));
        Ok((stream, info))
    }

    /// One line about a failed handshake, with the mend.
    fn explain(&self, error: &io::Error, sni: Option<&str>, local: SocketAddr) -> TlsFailure {
        let asked_for = sni.map_or_else(
            || format!("{} (it sent no server name)", local.ip().to_canonical()),
            |name| format!("\"{name}\""),
        );
        let mend = match &self.source {
            Source::Minted(_) => {
                "if it does not trust the Framescope CA yet, run `framescope ca show`".to_owned()
            }
            Source::Own(_, file) => {
                format!(
                    "if it does not trust the certificate in {}, trust its CA there",
                    file.display()
                )
            }
        };
        let (kind, message) = match Cause::of(error) {
            Cause::Gone => (
                TlsFailureKind::Closed,
                format!(
                    "the client closed the connection during the TLS handshake for {asked_for}; {mend}"
                ),
            ),
            Cause::Io(error) => (
                TlsFailureKind::Closed,
                format!("the client's connection failed during the TLS handshake: {error}"),
            ),
            Cause::Tls(error) => self.explain_tls(error, &asked_for, &mend),
        };
        TlsFailure::new(Leg::Client, kind, message)
    }

    fn explain_tls(
        &self,
        error: &rustls::Error,
        asked_for: &str,
        mend: &str,
    ) -> (TlsFailureKind, String) {
        use rustls::Error;

        match error {
            Error::AlertReceived(alert @ AlertDescription::UnknownCA) => {
                let name = alert_name(*alert);
                let message = match &self.source {
                    Source::Minted(_) => format!(
                        "the client does not trust the Framescope CA (alert {name}): run `framescope ca show`"
                    ),
                    Source::Own(_, file) => format!(
                        "the client does not trust the CA of {} (alert {name}): trust that CA in the client, and see that the file holds the whole chain",
                        file.display()
                    ),
                };
                (TlsFailureKind::Untrusted, message)
            }
            Error::AlertReceived(
                alert @ (AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::DecryptError),
            ) => (
                TlsFailureKind::Untrusted,
                format!(
                    "the client refused the certificate for {asked_for} (alert {}): {mend}",
                    alert_name(*alert)
                ),
            ),
            Error::AlertReceived(alert) => (
                TlsFailureKind::Protocol,
                format!("the client ended the TLS handshake for {asked_for} (alert {})", alert_name(*alert)),
            ),
            Error::NoApplicationProtocol => (
                TlsFailureKind::Incompatible,
                "the client offers no HTTP/1.1 inside TLS (ALPN), which is what is spoken here: let it offer \"http/1.1\"".into(),
            ),
            Error::PeerIncompatible(
                PeerIncompatible::SignatureAlgorithmsExtensionRequired
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::Tls12NotOffered,
            ) => (
                TlsFailureKind::Incompatible,
                "the client speaks only TLS 1.1 or older: TLS 1.2 or 1.3 is spoken here".into(),
            ),
            Error::PeerIncompatible(what) => (
                TlsFailureKind::Incompatible,
                format!("the client and Framescope have no TLS in common ({what:?}): TLS 1.2 or 1.3 with ECDSA P-256 certificates is spoken here"),
            ),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                (TlsFailureKind::NotTls, "the client began as if to speak TLS, but does not".into())
            }
            other => (
                TlsFailureKind::Protocol,
                format!("the TLS handshake with the client for {asked_for} failed: {other}"),
            ),
        }
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}

fn refused(error: &dyn std::error::Error) -> TlsFailure {
    TlsFailure::new(Leg::Client, TlsFailureKind::Setup, error.to_string())
}

/// All but the certificate, which [`Served::new`] puts in.
fn base_config() -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(super::provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
    config.alpn_protocols = vec![super::ALPN_HTTP_1_1.to_vec()];
    // Sessions resume without memory on our side: the state is in the ticket.
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    Ok(config)
}
