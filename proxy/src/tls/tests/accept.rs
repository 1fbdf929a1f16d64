//! The client side against rustls clients of many minds.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use framescope_certs::{CertificateFacts, Fingerprint};
use framescope_core::connection::{Failure, TlsInfo};
use rustls::ClientConfig;
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsConnector, client, server};

use super::{BOTH, DAY, authority, authority_made, client, local, now, server_name, stamp};
use crate::tls::{ClientTls, Identity, TlsFailure, TlsFailureKind};

type Accepted = Result<(server::TlsStream<DuplexStream>, TlsInfo), TlsFailure>;
type Connected = std::io::Result<client::TlsStream<DuplexStream>>;

/// One handshake between `tls` and a client that asks for `name`.
async fn meet(
    tls: &ClientTls,
    config: ClientConfig,
    name: &str,
    at: SocketAddr,
) -> (Accepted, Connected) {
    let (ours, theirs) = duplex(16 * 1024);
    let connector = TlsConnector::from(Arc::new(config));
    tokio::join!(tls.accept(ours, at, stamp(now())), connector.connect(server_name(name), theirs))
}

fn minted() -> (TempDir, ClientTls, rustls_pki_types::CertificateDer<'static>) {
    let (folder, authority) = authority();
    let root = authority.ca_der().clone();
    (folder, ClientTls::new(Identity::Minted(authority)).expect("set up"), root)
}

fn served_to(stream: &client::TlsStream<DuplexStream>) -> (CertificateFacts, String) {
    let leaf = &stream.get_ref().1.peer_certificates().expect("certificates")[0];
    (CertificateFacts::read(leaf).expect("facts"), Fingerprint::of(leaf).to_hex())
}

#[tokio::test]
async fn a_certificate_is_minted_for_the_name_asked_for() {
    let (_folder, tls, root) = minted();
    for (versions, version, suite) in
        [(&[&TLS12], "TLSv1.2", "TLS_ECDHE_ECDSA_"), (&[&TLS13], "TLSv1.3", "TLS_AES_")]
    {
        for name in ["localhost", "example.org", "xn--bcher-kva.example", "my_service"] {
            let mut config = client(&root, versions);
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            let (accepted, connected) = meet(&tls, config, name, local()).await;
            let (mut ours, info) = accepted.expect("accepted");
            let mut theirs = connected.expect("connected");
            let (facts, fingerprint) = served_to(&theirs);
            assert_eq!(facts.names, [name]);
            assert_eq!(info.version.as_deref(), Some(version));
            let cipher = info.cipher.expect("a suite");
            assert!(cipher.starts_with(suite), "{cipher}");
            assert_eq!(info.alpn.as_deref(), Some("http/1.1"));
            assert_eq!(info.sni.as_deref(), Some(name));
            assert_eq!(info.certificate_sha256, Some(fingerprint));
            assert!(!info.unverified);

            theirs.write_all(b"there").await.expect("written");
            theirs.flush().await.expect("flushed");
            let mut got = [0; 5];
            ours.read_exact(&mut got).await.expect("read");
            assert_eq!(&got, b"there");
            ours.write_all(b"back").await.expect("written");
            ours.shutdown().await.expect("close_notify");
            let mut rest = Vec::new();
            theirs.read_to_end(&mut rest).await.expect("a clean end");
            assert_eq!(rest, b"back");
        }
    }
}

#[tokio::test]
async fn a_client_without_a_server_name_gets_the_address_it_connected_to() {
    let (_folder, tls, root) = minted();
    for (at, name, names) in [
        ("192.0.2.7:443", "192.0.2.7", vec!["192.0.2.7"]),
        ("[2001:db8::7]:443", "2001:db8::7", vec!["2001:db8::7"]),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7", vec!["192.0.2.7"]),
        ("127.0.0.1:443", "127.0.0.1", vec!["127.0.0.1", "::1", "localhost"]),
        ("[::1]:443", "::1", vec!["::1", "127.0.0.1", "localhost"]),
    ] {
        let at = at.parse().expect("address");
        let (accepted, connected) = meet(&tls, client(&root, BOTH), name, at).await;
        let (_, info) = accepted.expect("accepted");
        assert_eq!(info.sni, None);
        assert_eq!(info.alpn, None);
        assert_eq!(served_to(&connected.expect("verified by the client")).0.names, names);
    }
}

#[tokio::test]
async fn over_real_sockets_and_many_at_once_one_leaf_serves_all() {
    let (_folder, tls, root) = minted();
    let tls = Arc::new(tls);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let at = listener.local_addr().expect("address");
    let connector = TlsConnector::from(Arc::new(client(&root, BOTH)));
    let mut clients = tokio::task::JoinSet::new();
    let mut servers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let connector = connector.clone();
        clients.spawn(async move {
            let stream = TcpStream::connect(at).await.expect("dialled");
            connector.connect(server_name("localhost"), stream).await.map(drop)
        });
        let (stream, _) = listener.accept().await.expect("accepted");
        let tls = Arc::clone(&tls);
        servers
            .spawn(async move { tls.accept(stream, at, stamp(now())).await.map(|(_, info)| info) });
    }
    let infos: Vec<_> =
        servers.join_all().await.into_iter().map(|info| info.expect("ours")).collect();
    assert!(clients.join_all().await.into_iter().all(|connected| connected.is_ok()));
    let served: HashSet<_> = infos.iter().map(|info| info.certificate_sha256.clone()).collect();
    assert_eq!(served.len(), 1);
}

#[tokio::test]
async fn a_client_that_comes_again_resumes_its_session() {
    let (_folder, tls, root) = minted();
    for versions in [&[&TLS12], &[&TLS13]] {
        let config = client(&root, versions);
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (accepted, connected) = meet(&tls, config.clone(), "localhost", local()).await;
            let (mut ours, info) = accepted.expect("accepted");
            let mut theirs = connected.expect("connected");
            // TLS 1.3's tickets come after the handshake, before the first octets.
            ours.write_all(b"x").await.expect("written");
            ours.flush().await.expect("flushed");
            theirs.read_u8().await.expect("read");
            assert!(info.certificate_sha256.is_some());
            kinds.push(theirs.get_ref().1.handshake_kind());
        }
        assert_eq!(
            kinds,
            [Some(rustls::HandshakeKind::Full), Some(rustls::HandshakeKind::Resumed)],
            "{versions:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_of_the_users_own_serves_every_name() {
    let (folder, authority) = authority();
    let (cert, key) = own_files(&folder, &authority, &["localhost"]);
    let tls = ClientTls::new(Identity::own(&cert, &key).expect("a pair")).expect("set up");
    let root = authority.ca_der();
    let (accepted, connected) = meet(&tls, client(root, BOTH), "localhost", local()).await;
    let (_, info) = accepted.expect("accepted");
    let (facts, fingerprint) = served_to(&connected.expect("connected"));
    assert_eq!(facts.names, ["localhost"]);
    assert_eq!(info.certificate_sha256, Some(fingerprint));
    let (accepted, connected) = meet(&tls, client(root, BOTH), "example.org", local()).await;
    assert!(connected.is_err(), "the client finds another name");
    let failure = accepted.expect_err("refused");
    assert_eq!(failure.kind, TlsFailureKind::Untrusted);
    let part = format!("the certificate in {}", cert.display());
    assert!(failure.message.contains(&part), "{failure}");
}

#[tokio::test]
async fn files_that_are_no_pair_are_told_with_the_mend() {
    let (folder, authority) = authority();
    let (cert, key) = own_files(&folder, &authority, &["localhost"]);
    let (other, _) = own_files(&folder, &authority, &["example.org"]);
    for (cert, key, parts) in [
        (&other, &key, ["does not belong to the first certificate in", "leaf first"]),
        (&key, &key, ["this is a private key, a certificate was expected", "swapped"]),
        (&cert, &cert, ["this is a certificate, a private key was expected", "swapped"]),
        (&folder.path().join("none"), &key, ["cannot read", "none"]),
    ] {
        let failure = Identity::own(cert, key).expect_err("refused");
        assert_eq!((failure.kind, failure.stage()), (TlsFailureKind::Setup, "client-tls"));
        assert!(parts.iter().all(|part| failure.message.contains(part)), "{failure}");
    }
}

/// A minted leaf, written as a user's own files.
fn own_files(
    folder: &TempDir,
    authority: &framescope_certs::Authority,
    names: &[&str],
) -> (PathBuf, PathBuf) {
    let names: Vec<_> = names.iter().map(|name| name.parse().expect("name")).collect();
    let key = rcgen::KeyPair::generate().expect("key");
    let ca_key = std::fs::read_to_string(&authority.paths().key).expect("read");
    let ca_key = rcgen::KeyPair::from_pem(&ca_key).expect("key");
    let issuer = rcgen::Issuer::from_ca_cert_pem(authority.ca_pem(), ca_key).expect("issuer");
    let params = rcgen::CertificateParams::new(
        names.iter().map(framescope_certs::SubjectName::to_string).collect::<Vec<_>>(),
    );
    let certificate = params.expect("params").signed_by(&key, &issuer).expect("signed");
    let stem = names[0].to_string();
    let (cert_file, key_file) =
        (folder.path().join(format!("{stem}.pem")), folder.path().join(format!("{stem}.key")));
    std::fs::write(&cert_file, certificate.pem()).expect("written");
    std::fs::write(&key_file, key.serialize_pem()).expect("written");
    (cert_file, key_file)
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_ca_is_told_how_to() {
    let (_folder, tls, _) = minted();
    let (_other_folder, other) = authority();
    for versions in [&[&TLS12], &[&TLS13]] {
        let config = client(other.ca_der(), versions);
        let (accepted, connected) = meet(&tls, config, "localhost", local()).await;
        assert!(connected.is_err());
        let failure = accepted.expect_err("refused");
        assert_eq!(failure.kind, TlsFailureKind::Untrusted);
        assert_eq!(
            failure.to_string(),
            "the client does not trust the Framescope CA (alert unknown_ca): run `framescope ca show`"
        );
        let recorded = Failure::from(failure);
        assert_eq!(recorded.stage, "client-tls");
    }
}

#[tokio::test]
async fn a_client_that_refuses_the_name_is_told_which() {
    let (_folder, tls, root) = minted();
    // It thinks it speaks to 192.0.2.1 but came to 192.0.2.7, and an address is no server name.
    let at = "192.0.2.7:443".parse().expect("address");
    let (accepted, connected) = meet(&tls, client(&root, BOTH), "192.0.2.1", at).await;
    assert!(connected.is_err());
    let failure = accepted.expect_err("refused");
    assert_eq!(
        failure.to_string(),
        "the client refused the certificate for 192.0.2.7 (it sent no server name) (alert bad_certificate): if it does not trust the Framescope CA yet, run `framescope ca show`"
    );
}

#[tokio::test]
async fn a_client_with_nothing_in_common_is_told() {
    let (_folder, tls, root) = minted();
    let mut config = client(&root, BOTH);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (accepted, connected) = meet(&tls, config, "localhost", local()).await;
    let said = connected.expect_err("refused").to_string();
    assert!(said.contains("NoApplicationProtocol"), "{said}");
    let failure = accepted.expect_err("refused");
    assert_eq!(failure.kind, TlsFailureKind::Incompatible);
    assert!(failure.message.contains("\"http/1.1\""), "{failure}");
}

#[tokio::test]
async fn a_client_that_goes_away_or_speaks_nonsense_is_told() {
    let (_folder, tls, _) = minted();
    for (octets, kind, part) in [
        (&b""[..], TlsFailureKind::Closed, "closed the connection during the TLS handshake"),
        (b"\x16\x03\x01\x00\x05\x01", TlsFailureKind::Closed, "closed the connection"),
        (b"GET / HTTP/1.1\r\n\r\n", TlsFailureKind::NotTls, "does not"),
        (b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", TlsFailureKind::Protocol, "handshake"),
        (b"\x15\x03\x01\x00\x02\x02\x30", TlsFailureKind::Protocol, "handshake"),
    ] {
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(octets).await.expect("written");
        theirs.shutdown().await.expect("closed");
        let failure = tls.accept(ours, local(), stamp(now())).await.expect_err("failed");
        assert_eq!(failure.kind, kind, "{octets:?}: {failure}");
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_after_the_certificate_is_told_how_to_trust() {
    let (_folder, tls, root) = minted();
    let (ours, theirs) = duplex(16 * 1024);
    let config = Arc::new(client(&root, BOTH));
    let hang_up = async move {
        let mut connection =
            rustls::ClientConnection::new(config, server_name("localhost")).expect("client");
        let mut hello = Vec::new();
        connection.write_tls(&mut hello).expect("hello");
        let mut theirs = theirs;
        theirs.write_all(&hello).await.expect("written");
        theirs.read_u8().await.expect("the server's answer began");
    };
    let (accepted, ()) = tokio::join!(tls.accept(ours, local(), stamp(now())), hang_up);
    let failure = accepted.expect_err("failed");
    assert_eq!(failure.kind, TlsFailureKind::Closed);
    assert!(failure.message.contains("for \"localhost\"; if it does not trust"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_silent_is_given_up() {
    let (_folder, tls, _) = minted();
    let (ours, _theirs) = duplex(1024);
    let failure = tls.accept(ours, local(), stamp(now())).await.expect_err("timed out");
    assert_eq!(failure.kind, TlsFailureKind::Timeout);
    assert_eq!(
        failure.to_string(),
        "the client did not finish the TLS handshake within 10 seconds"
    );
}

#[tokio::test]
async fn a_ca_that_has_expired_meanwhile_is_told() {
    let (_folder, authority) = authority_made(now() - 3640 * DAY);
    let tls = ClientTls::new(Identity::Minted(Arc::clone(&authority))).expect("set up");
    let (ours, theirs) = duplex(16 * 1024);
    let connector = TlsConnector::from(Arc::new(client(authority.ca_der(), BOTH)));
    let at = stamp(now() + 11 * DAY);
    let (accepted, connected) = tokio::join!(
        tls.accept(ours, local(), at),
        connector.connect(server_name("localhost"), theirs)
    );
    assert!(connected.is_err());
    let failure = accepted.expect_err("no leaf");
    assert!(failure.message.contains("the CA expired on"), "{failure}");
}
