//! TLS on both legs: taken off the client's octets, put on towards the upstream.
//!
//! ```text
//!  client ══TLS══► accept.rs  ──plaintext octets, recorded──►  upstream.rs ══TLS══► upstream
//!                  leaf minted for the name asked for          certificate verified
//! ```
//!
//! # Client side
//!
//! ```text
//! ClientTls::new(Identity) -> Result<ClientTls, TlsFailure>
//!     Identity::Minted(Arc<framescope_certs::Authority>)
//!     Identity::own(cert_file: &Path, key_file: &Path) -> Result<Identity, TlsFailure>
//! ClientTls::accept(&self, stream: S, local: SocketAddr, now: Timestamp)
//!     -> Result<(tokio_rustls::server::TlsStream<S>, TlsInfo), TlsFailure>
//! ```
//!
//! `stream` gives the `ClientHello`'s first octet first: octets peeked while telling protocols apart
//! are given back. `local` is the address that the client connected to: a client that sends no
//! server name gets a certificate for it.
//!
//! # Upstream side
//!
//! ```text
//! UpstreamTls::new(&UpstreamTlsConfig { extra_roots: Option<PathBuf>, insecure: bool }) -> Result<UpstreamTls, TlsFailure>
//! UpstreamTls::connect(&self, stream: S, server_name: &str)
//!     -> Result<(tokio_rustls::client::TlsStream<S>, TlsInfo), TlsFailure>
//! ```
//!
//! `server_name` is the host of the upstream's URL: a DNS name or an IP address, brackets allowed.
//! Making an [`UpstreamTls`] reads the platform's roots, which takes some milliseconds: once is enough.
//!
//! # Both
//!
//! Both take and give any `S: AsyncRead + AsyncWrite + Unpin`, time out by themselves, and are cheap
//! to share behind an `Arc`. [`TlsFailure`] is one line for the user and says its stage, ready for
//! [`framescope_core::connection::Failure`]. A peer that closes TCP without TLS's own `close_notify`
//! shows as [`std::io::ErrorKind::UnexpectedEof`] on `read`: pass it on as an abrupt end.
//! An idle session takes some 8 KiB: rustls lets its buffers go once a read finds nothing.
//! What is written may stay in a buffer until `flush`: flush when there is nothing more to write.

mod accept;
mod failure;
mod leaves;
mod upstream;
mod verify;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use framescope_certs::Fingerprint;
use framescope_core::connection::TlsInfo;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CommonState, ProtocolVersion};

pub use accept::{ClientTls, Identity};
pub use failure::{TlsFailure, TlsFailureKind};
pub use upstream::{UpstreamTls, UpstreamTlsConfig};

/// How long a peer may take for its part of a handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The only application protocol on either leg: WebSocket's opening handshake of RFC 6455 is HTTP/1.1.
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// Named wherever a configuration is built: a default that depends on the features of other crates
/// panics when two providers are compiled in.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}

/// What a finished handshake agreed on.
fn agreed(session: &CommonState, sni: Option<String>, certificate: Option<Fingerprint>) -> TlsInfo {
    TlsInfo {
        version: session.protocol_version().map(version_name),
        cipher: session.negotiated_cipher_suite().map(|suite| iana_name(suite.suite())),
        alpn: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        sni,
        certificate_sha256: certificate.map(|fingerprint| fingerprint.to_hex()),
        unverified: false,
    }
}

/// As OpenSSL and Wireshark write it: `TLSv1.3`.
fn version_name(version: ProtocolVersion) -> String {
    format!("{version:?}").replacen('_', ".", 1)
}

/// As the IANA registry of TLS cipher suites writes it, where TLS 1.3's suites have no version.
fn iana_name(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}
