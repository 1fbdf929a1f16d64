//! Both legs against real TLS peers over in-memory pipes and 127.0.0.1.

mod accept;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framescope_certs::Authority;
use framescope_core::Timestamp;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tempfile::TempDir;

const DAY: Duration = Duration::from_hours(24);
const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// The wall clock: rustls checks certificates by it.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(UnixTime::now().as_secs())
}

fn stamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Timestamp::default().plus(since)
}

fn local() -> SocketAddr {
    "127.0.0.1:8443".parse().expect("address")
}

/// A CA of its own folder, made at `at`.
fn authority_made(at: SystemTime) -> (TempDir, Arc<Authority>) {
    let folder = tempfile::tempdir().expect("folder");
    let authority = Authority::load_or_create(&folder.path().join("ca"), at).expect("made");
    (folder, Arc::new(authority))
}

fn authority() -> (TempDir, Arc<Authority>) {
    authority_made(now())
}

/// A client that trusts `root` alone.
fn client(
    root: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a root");
    ClientConfig::builder_with_provider(super::provider())
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn server_name(text: &str) -> ServerName<'static> {
    ServerName::try_from(text.to_owned()).expect("a name")
}
