//! The upstream side against servers with all sorts of certificates, and with none.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use framescope_certs::{Authority, CertificateFacts, Fingerprint, load_pem_chain, load_pem_key};
use framescope_core::connection::TlsInfo;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::client::TlsStream;

use super::{BOTH, DAY, authority, authority_made, now};
use crate::tls::{TlsFailure, TlsFailureKind, UpstreamTls, UpstreamTlsConfig};

type Connected = Result<(TlsStream<DuplexStream>, TlsInfo), TlsFailure>;
type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn trusting(extra_roots: PathBuf) -> UpstreamTls {
    let config = UpstreamTlsConfig { extra_roots: Some(extra_roots), insecure: false };
    UpstreamTls::new(&config).expect("set up")
}

fn trusting_anything() -> UpstreamTls {
    let config = UpstreamTlsConfig { extra_roots: None, insecure: true };
    UpstreamTls::new(&config).expect("set up")
}

fn server(pair: &Pair, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    ServerConfig::builder_with_provider(crate::tls::provider())
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(served(&pair.0, &pair.1))
}

/// Unchecked, so that any certificate is served with any key.
fn served(
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Arc<SingleCertAndKey> {
    let key = crate::tls::provider().key_provider.load_private_key(key.clone_key()).expect("key");
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain.to_vec(), key)))
}

/// One handshake of `tls` with a server of this configuration.
async fn meet(tls: &UpstreamTls, config: ServerConfig, host: &str) -> Connected {
    let (ours, theirs) = duplex(16 * 1024);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let echo = async {
        if let Ok(mut stream) = acceptor.accept(theirs).await {
            let octet = stream.read_u8().await?;
            stream.write_u8(octet).await?;
            stream.flush().await?;
        }
        std::io::Result::Ok(())
    };
    let connect = async {
        let (mut stream, info) = tls.connect(ours, host).await?;
        stream.write_u8(42).await.expect("written");
        stream.flush().await.expect("flushed");
        assert_eq!(stream.read_u8().await.expect("echoed"), 42);
        Ok((stream, info))
    };
    let (connected, _) = tokio::join!(connect, echo);
    connected
}

fn minted(authority: &Authority, names: &[&str], at: SystemTime) -> Pair {
    let names: Vec<_> = names.iter().map(|name| name.parse().expect("name")).collect();
    let leaf = authority.leaf_for(&names, at).expect("leaf");
    (leaf.chain, leaf.key)
}

/// As `openssl req -x509` makes it: self-signed, and a CA.
fn self_signed(is_ca: bool) -> (Pair, String) {
    let key = rcgen::KeyPair::generate().expect("key");
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("params");
    params.distinguished_name.push(rcgen::DnType::CommonName, "dev box");
    if is_ca {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    let certificate = params.self_signed(&key).expect("certificate");
    let pem = certificate.pem();
    ((vec![certificate.into()], key.into()), pem)
}

fn x509_v1() -> Pair {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/tls/testdata/x509-v1.pem");
    (load_pem_chain(&file).expect("chain"), load_pem_key(&file).expect("key"))
}

#[tokio::test]
async fn a_certificate_that_leads_to_an_extra_root_is_verified() {
    let (_folder, authority) = authority();
    let tls = trusting(authority.paths().certificate.clone());
    for (versions, version) in [(&[&TLS12], "TLSv1.2"), (&[&TLS13], "TLSv1.3")] {
        for (host, sni) in [
            ("localhost", Some("localhost")),
            ("Example.ORG", Some("example.org")),
            ("127.0.0.1", None),
            ("[::1]", None),
            ("::1", None),
        ] {
            let pair = minted(&authority, &["localhost", "example.org", "127.0.0.1", "::1"], now());
            let fingerprint = Fingerprint::of(&pair.0[0]).to_hex();
            let mut config = server(&pair, versions);
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            let (_, info) = meet(&tls, config, host).await.expect(host);
            assert_eq!(info.version.as_deref(), Some(version));
            assert_eq!(info.alpn.as_deref(), Some("http/1.1"));
            assert_eq!(info.sni.map(|name| name.to_ascii_lowercase()).as_deref(), sni);
            assert_eq!(info.certificate_sha256, Some(fingerprint));
            assert!(info.cipher.expect("suite").starts_with("TLS_"));
            assert!(!info.unverified);
        }
    }
}

#[tokio::test]
async fn a_refused_certificate_is_told_with_the_mend() {
    use TlsFailureKind::{OutOfTime, Untrusted, WrongName};

    let (_folder, old) = authority_made(now() - 60 * DAY);
    let (_other_folder, other) = authority();
    let tls = trusting(old.paths().certificate.clone());
    let expired = minted(&old, &["localhost"], now() - 30 * DAY);
    let expired_on = CertificateFacts::read(&expired.0[0]).expect("facts").not_after_date();
    let names = ["a.example", "b.example", "192.0.2.1"];
    let many: Vec<String> = (0..12).map(|n| format!("h{n}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases: Vec<(&str, Pair, TlsFailureKind, Vec<String>)> = vec![
        (
            "unknown issuer",
            minted(&other, &["localhost"], now()),
            Untrusted,
            vec![format!("was issued by \"{}\"", other.name()), "--upstream-ca FILE".into()],
        ),
        (
            "self-signed",
            self_signed(false).0,
            Untrusted,
            vec!["is self-signed".into(), "--upstream-ca FILE".into()],
        ),
        (
            "self-signed CA",
            self_signed(true).0,
            Untrusted,
            vec!["just that one with --upstream-ca FILE".into()],
        ),
        (
            "other names",
            minted(&old, &names, now()),
            WrongName,
            vec!["is for other names (a.example, b.example, 192.0.2.1): use one".into()],
        ),
        (
            "many names",
            minted(&old, &many, now()),
            WrongName,
            vec!["h7.example and 4 more)".into()],
        ),
        ("expired", expired, OutOfTime, vec![format!("expired on {expired_on}")]),
        (
            "early",
            minted(&old, &["localhost"], now() + 30 * DAY),
            OutOfTime,
            vec!["is valid only from".into()],
        ),
        ("X.509 v1", x509_v1(), Untrusted, vec!["X.509 v1".into()]),
    ];
    for (what, pair, kind, parts) in cases {
        for versions in [&[&TLS12], &[&TLS13]] {
            let failure = meet(&tls, server(&pair, versions), "localhost").await.expect_err(what);
            assert_eq!(
                (failure.kind, failure.stage()),
                (kind, "upstream-tls"),
                "{what}: {failure}"
            );
            assert!(parts.iter().all(|part| failure.message.contains(part)), "{what}: {failure}");
            let start = "the certificate of the upstream \"localhost\" ";
            assert!(failure.message.starts_with(start), "{what}: {failure}");
            assert!(failure.message.ends_with("--insecure-upstream"), "{what}: {failure}");
            assert!(!failure.message.contains('\n'), "{failure}");
        }
    }
}

#[tokio::test]
async fn with_insecure_any_certificate_goes_and_is_marked() {
    let (_folder, old) = authority_made(now() - 60 * DAY);
    let tls = trusting_anything();
    for (what, pair) in [
        ("unknown issuer", minted(&old, &["localhost"], now())),
        ("other name", minted(&old, &["a.example"], now())),
        ("expired", minted(&old, &["localhost"], now() - 30 * DAY)),
        ("self-signed CA", self_signed(true).0),
        ("X.509 v1", x509_v1()),
    ] {
        for versions in [&[&TLS12], &[&TLS13]] {
            let config = server(&pair, versions);
            let (_, info) = meet(&tls, config, "localhost").await.expect(what);
            assert!(info.unverified, "{what}");
            assert_eq!(info.certificate_sha256, Some(Fingerprint::of(&pair.0[0]).to_hex()));
        }
    }
}

#[tokio::test]
async fn a_self_signed_certificate_given_as_root_is_a_pin() {
    let folder = tempfile::tempdir().expect("folder");
    for is_ca in [false, true] {
        let (pair, pem) = self_signed(is_ca);
        let file = folder.path().join("dev.pem");
        std::fs::write(&file, pem).expect("written");
        let tls = trusting(file);
        let (_, info) = meet(&tls, server(&pair, BOTH), "localhost").await.expect("trusted");
        assert!(!info.unverified);
        // The pin is for its names alone.
        let failure = meet(&tls, server(&pair, BOTH), "example.org").await.expect_err("refused");
        assert_eq!(failure.kind, TlsFailureKind::WrongName, "{failure}");
        // And for no other certificate of the same name.
        let (twin, _) = self_signed(is_ca);
        let failure = meet(&tls, server(&twin, BOTH), "localhost").await.expect_err("refused");
        assert_eq!(failure.kind, TlsFailureKind::Untrusted, "{failure}");
    }
}

#[tokio::test]
async fn a_pin_out_of_its_time_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    for (from, until, part) in [(-20_i32, -10_i32, "expired on"), (10, 20, "is valid only from")] {
        let at = |days: i32| {
            let span = DAY * days.unsigned_abs();
            if days < 0 { now() - span } else { now() + span }
        };
        let key = rcgen::KeyPair::generate().expect("key");
        let mut params =
            rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("params");
        params.not_before = at(from).into();
        params.not_after = at(until).into();
        let certificate = params.self_signed(&key).expect("certificate");
        let file = folder.path().join("dev.pem");
        std::fs::write(&file, certificate.pem()).expect("written");
        let pair = (vec![certificate.into()], key.into());
        let failure =
            meet(&trusting(file), server(&pair, BOTH), "localhost").await.expect_err(part);
        assert_eq!(failure.kind, TlsFailureKind::OutOfTime, "{failure}");
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_prove_its_key_is_refused_even_with_a_pin() {
    let folder = tempfile::tempdir().expect("folder");
    let (pair, pem) = self_signed(true);
    let (stranger, _) = self_signed(true);
    let file = folder.path().join("dev.pem");
    std::fs::write(&file, pem).expect("written");
    let tls = trusting(file);
    for versions in [&[&TLS12], &[&TLS13]] {
        // The pinned certificate with another's key.
        let mut config = server(&pair, versions);
        config.cert_resolver = served(&pair.0, &stranger.1);
        let failure = meet(&tls, config, "localhost").await.expect_err("refused");
        assert!(failure.message.contains("BadSignature"), "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_otherwise_is_told_with_the_mend() {
    use TlsFailureKind::{Closed, Incompatible, NotTls, Protocol, WrongName};

    let (_folder, authority) = authority();
    let tls = trusting(authority.paths().certificate.clone());
    for (answer, kind, part) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], NotTls, "answered in plaintext, not TLS: did you mean ws://"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", NotTls, "answered in plaintext"),
        (b"", Closed, "does it speak TLS on this port?"),
        (b"\x15\x03\x03\x00\x02\x02\x28", Incompatible, "alert handshake_failure"),
        (b"\x15\x03\x03\x00\x02\x02\x46", Incompatible, "alert protocol_version"),
        (b"\x15\x03\x03\x00\x02\x02\x70", WrongName, "knows no host \"localhost\""),
        (b"\x15\x03\x03\x00\x02\x02\x78", Incompatible, "does not speak HTTP/1.1"),
        (b"\x15\x03\x03\x00\x02\x02\x50", Protocol, "alert internal_error"),
        // ServerHello of TLS 1.1.
        (
            b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x2f\x00",
            Incompatible,
            "speaks only TLS 1.1 or older",
        ),
    ] {
        let (ours, mut theirs) = duplex(16 * 1024);
        let answering = async {
            theirs.read_u8().await.expect("a ClientHello");
            theirs.write_all(answer).await.expect("written");
            theirs.shutdown().await.expect("closed");
        };
        let (connected, ()) = tokio::join!(tls.connect(ours, "localhost"), answering);
        let failure = connected.expect_err("failed");
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_silent_is_given_up() {
    let (_folder, authority) = authority();
    let tls = trusting(authority.paths().certificate.clone());
    let (ours, _theirs) = duplex(16 * 1024);
    let failure = tls.connect(ours, "localhost").await.expect_err("timed out");
    assert_eq!(failure.kind, TlsFailureKind::Timeout);
    assert!(failure.message.contains("within 10 seconds: does it speak TLS"), "{failure}");
}

#[tokio::test]
async fn hosts_that_no_certificate_could_name_are_refused_before_dialling() {
    let tls = trusting_anything();
    for (host, part) in [
        ("", "no host name"),
        ("bücher.example", "xn--"),
        ("a b", "no host name"),
        ("[a]", "no host name"),
    ] {
        let (ours, _theirs) = duplex(64);
        let failure = tls.connect(ours, host).await.expect_err(host);
        assert_eq!(failure.kind, TlsFailureKind::Setup);
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[test]
fn roots_that_cannot_be_used_are_told() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, "hello").expect("written");
    let config = UpstreamTlsConfig { extra_roots: Some(file), insecure: false };
    let failure = UpstreamTls::new(&config).expect_err("refused");
    assert_eq!(failure.kind, TlsFailureKind::Setup);
    assert!(failure.message.contains("roots.pem: no PEM text was found"), "{failure}");
}
