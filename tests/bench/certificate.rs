//! One server certificate for every rival, and a client that trusts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use framescope_certs::{Authority, SubjectName};
use framescope_proxy::clock::Clock;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};

/// A certificate for 127.0.0.1 with an ECDSA P-256 key, as PEM files.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The leaf, then its authority.
    pub chain: PathBuf,
    /// The private key, PKCS #8.
    pub key: PathBuf,
    /// Both in one file, as haproxy wants them.
    pub both: PathBuf,
    /// How the load speaks TLS.
    pub client: Arc<ClientConfig>,
}

impl Certificate {
    /// Makes one, signed by an authority of its own, with its files in `folder`.
    pub fn make(folder: &Path) -> Result<Self> {
        let now = UNIX_EPOCH + Duration::from_nanos(Clock::start().now().as_nanos());
        let authority = Authority::load_or_create(&folder.join("authority"), now)?;
        let name: SubjectName = "127.0.0.1".parse()?;
        let leaf = authority.leaf_for(&[name], now)?;
        let chain: String = leaf.chain.iter().map(|one| pem("CERTIFICATE", one)).collect();
        let key = pem("PRIVATE KEY", leaf.key.secret_der());
        let certificate = Self {
            chain: folder.join("chain.pem"),
            key: folder.join("key.pem"),
            both: folder.join("both.pem"),
            client: Arc::new(client(&authority)?),
        };
        fs::write(&certificate.chain, &chain)?;
        fs::write(&certificate.key, &key)?;
        fs::write(&certificate.both, chain + &key)?;
        Ok(certificate)
    }
}

/// Offers one key exchange and one cipher suite, and resumes nothing: every rival does the same work.
fn client(authority: &Authority) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.ca_der().clone())?;
    let provider = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..aws_lc_rs::default_provider()
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// RFC 7468: base64 in lines of 64 between two marks.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, further) = rest.split_at(rest.len().min(64));
        lines.push(line.to_owned());
        rest = further;
    }
    lines.push(format!("-----END {label}-----\n"));
    lines.join("\n")
}
