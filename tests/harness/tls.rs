//! TLS peers: a server with a throw-away authority, a client that trusts given roots alone.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use framescope_certs::{Authority, SubjectName, load_pem_chain};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};
use tempfile::TempDir;

/// A client's side of a TLS connection.
pub type TlsClient = StreamOwned<ClientConnection, TcpStream>;
/// A server's side of a TLS connection.
pub type TlsServer = StreamOwned<ServerConnection, TcpStream>;

/// An authority of its own, and a server certificate that it issued.
pub struct TlsUpstream {
    config: Arc<ServerConfig>,
    folder: TempDir,
}

impl TlsUpstream {
    /// A certificate for `name`, a DNS name or an address.
    pub fn for_name(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let now = UNIX_EPOCH
            + Duration::from_nanos(framescope_proxy::clock::Clock::start().now().as_nanos());
        let authority = Authority::load_or_create(folder.path(), now).expect("an authority");
        let name: SubjectName = name.parse().expect("a name");
        let leaf = authority.leaf_for(&[name], now).expect("a leaf");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of the provider")
            .with_no_client_auth()
            .with_single_cert(leaf.chain, leaf.key)
            .expect("a certificate with its key");
        Self { config: Arc::new(config), folder }
    }

    /// The authority's certificate, as a PEM file.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca-cert.pem")
    }

    /// Speaks TLS as the server.
    pub fn accept(&self, stream: TcpStream) -> TlsServer {
        let connection =
            ServerConnection::new(self.config.clone()).expect("a usable configuration");
        StreamOwned::new(connection, stream)
    }
}

/// Speaks TLS as a client that trusts only the certificate in the PEM file `ca`.
pub fn client(stream: TcpStream, ca: &Path, server_name: &str) -> TlsClient {
    let name = ServerName::try_from(server_name.to_owned()).expect("a server name");
    let connection =
        ClientConnection::new(client_config(ca), name).expect("a usable configuration");
    StreamOwned::new(connection, stream)
}

/// A client that trusts only the certificate in the PEM file `ca`.
pub fn client_config(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in load_pem_chain(ca).expect("a PEM file") {
        roots.add(certificate).expect("a root");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of the provider")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}
