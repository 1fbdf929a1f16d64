//! The authority: what it is, what it signs, and what it refuses.

use std::collections::HashSet;

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;

const DAY: Duration = Duration::from_hours(24);

/// 2026-11-20T12:00:00Z.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(498_660)
}

fn made() -> (tempfile::TempDir, Authority) {
    let folder = tempfile::tempdir().expect("folder");
    let authority = Authority::load_or_create(folder.path(), now()).expect("made");
    (folder, authority)
}

fn names(names: &[&str]) -> Vec<SubjectName> {
    names.iter().map(|name| name.parse().expect("name")).collect()
}

fn parsed(der: &[u8]) -> X509Certificate<'_> {
    X509Certificate::from_der(der).expect("certificate").1
}

fn subject_key_id<'a>(certificate: &'a X509Certificate<'_>) -> &'a [u8] {
    let found = certificate.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    });
    found.expect("subject key identifier")
}

fn authority_key_id<'a>(certificate: &'a X509Certificate<'_>) -> &'a [u8] {
    let found = certificate.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    });
    found.expect("authority key identifier")
}

#[test]
fn the_ca_may_sign_servers_leaves_and_nothing_else() {
    let (_folder, authority) = made();
    let certificate = parsed(authority.ca_der());
    let constraints = certificate.basic_constraints().expect("parsed").expect("present");
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let usage = certificate.key_usage().expect("parsed").expect("present");
    assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
    assert!(!usage.value.digital_signature() && !usage.value.key_encipherment());
    let purposes = certificate.extended_key_usage().expect("parsed").expect("present").value;
    assert!(purposes.server_auth && !purposes.client_auth && !purposes.any);
    assert!(!purposes.code_signing && !purposes.email_protection && purposes.other.is_empty());
    assert!(!subject_key_id(&certificate).is_empty());
    assert_eq!(certificate.raw_serial().len(), 16);
    certificate.verify_signature(None).expect("signed by itself");
}

#[test]
fn the_ca_is_valid_from_a_day_ago_for_ten_years() {
    let (_folder, authority) = made();
    assert_eq!(authority.facts.not_before, now() - DAY);
    assert_eq!(authority.not_after(), now() + 3650 * DAY);
    assert_eq!(authority.expiry_date(), "2036-11-17");
}

#[test]
fn the_ca_is_told_apart_by_its_name() {
    let ((_a, one), (_b, two)) = (made(), made());
    assert!(one.name().starts_with("Framescope local CA, made 2026-11-20 ("), "{}", one.name());
    assert_ne!(one.name(), two.name());
    assert!(one.name().len() <= 64);
}

#[test]
fn what_was_made_is_read_again() {
    let (folder, made) = made();
    assert!(made.was_created());
    let read = Authority::load_or_create(folder.path(), now()).expect("read");
    assert!(!read.was_created());
    assert_eq!(read.fingerprint_sha256(), made.fingerprint_sha256());
    assert_eq!(read.ca_pem(), made.ca_pem());
    assert_eq!(read.name(), made.name());
    let leaf = read.leaf_for(&names(&["localhost"]), now()).expect("leaf");
    let certificate = parsed(&leaf.chain[0]);
    certificate.verify_signature(Some(parsed(made.ca_der()).public_key())).expect("same key");
}

#[test]
fn an_empty_folder_has_no_ca_and_gets_none_by_looking() {
    let folder = tempfile::tempdir().expect("folder");
    assert!(Authority::load(folder.path(), now()).expect("readable").is_none());
    assert!(Authority::load(&folder.path().join("none"), now()).expect("fine").is_none());
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0);
}

#[test]
fn a_leaf_is_a_server_certificate_of_the_ca() {
    let (_folder, authority) = made();
    let asked = names(&["example.org", "xn--bcher-kva.example", "127.0.0.1", "2001:db8::1"]);
    let leaf = authority.leaf_for(&asked, now()).expect("leaf");
    assert_eq!(leaf.chain.get(1..), Some(&[authority.ca_der().clone()][..]));
    let ca = parsed(authority.ca_der());
    let certificate = parsed(&leaf.chain[0]);
    certificate.verify_signature(Some(ca.public_key())).expect("signed by the CA");
    assert_eq!(certificate.issuer(), ca.subject());
    assert_eq!(authority_key_id(&certificate), subject_key_id(&ca));
    let facts = CertificateFacts::read(&leaf.chain[0]).expect("facts");
    assert_eq!(facts.names, ["example.org", "xn--bcher-kva.example", "127.0.0.1", "2001:db8::1"]);
    assert_eq!((facts.version, facts.is_ca, facts.may_sign_certificates), (3, false, false));
    let usage = certificate.extended_key_usage().expect("parsed").expect("present").value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any && !usage.code_signing);
    assert!(certificate.key_usage().expect("parsed").expect("present").value.digital_signature());
}

#[test]
fn each_leaf_has_a_key_and_a_serial_of_its_own() {
    let (_folder, authority) = made();
    let mut keys = HashSet::from([authority.facts.public_key_info.clone()]);
    let mut serials = HashSet::new();
    for _ in 0..32 {
        let leaf = authority.leaf_for(&names(&["localhost"]), now()).expect("leaf");
        let certificate = parsed(&leaf.chain[0]);
        assert_eq!(certificate.raw_serial().len(), 16, "127 bits, positive");
        assert!(certificate.raw_serial()[0] < 0x80);
        assert!(serials.insert(certificate.raw_serial().to_vec()));
        assert!(keys.insert(certificate.public_key().raw.to_vec()));
        let key = KeyPair::try_from(leaf.key.secret_der()).expect("key");
        assert_eq!(key.subject_public_key_info(), certificate.public_key().raw);
    }
}

#[test]
fn a_leaf_lives_for_a_week_and_never_beyond_the_ca() {
    let (_folder, authority) = made();
    let asked = names(&["localhost"]);
    let leaf = authority.leaf_for(&asked, now() + 30 * DAY).expect("leaf");
    assert_eq!(leaf.not_before, now() + 29 * DAY);
    assert_eq!(leaf.not_after, now() + 37 * DAY);
    let facts = CertificateFacts::read(&leaf.chain[0]).expect("facts");
    assert_eq!((facts.not_before, facts.not_after), (leaf.not_before, leaf.not_after));
    let last = authority.leaf_for(&asked, now() + 3649 * DAY).expect("leaf");
    assert_eq!(last.not_after, authority.not_after());
    let said = authority.leaf_for(&asked, authority.not_after()).expect_err("over").to_string();
    assert!(said.contains("expired on 2036-11-17"), "{said}");
}

#[test]
fn a_name_too_long_for_a_common_name_is_an_alternative_name_only() {
    let (_folder, authority) = made();
    let long = format!("{}.{}.example", "a".repeat(40), "b".repeat(40));
    let leaf = authority.leaf_for(&names(&[&long]), now()).expect("leaf");
    let certificate = parsed(&leaf.chain[0]);
    assert_eq!(certificate.subject().iter_common_name().count(), 0);
    assert_eq!(CertificateFacts::read(&leaf.chain[0]).expect("facts").names, [long]);
}

#[test]
fn no_leaf_is_made_for_no_name() {
    let (_folder, authority) = made();
    assert!(matches!(authority.leaf_for(&[], now()), Err(CertsError::Name { .. })));
}

#[test]
fn a_ca_out_of_its_time_is_refused_with_the_mend() {
    let (folder, authority) = made();
    for (at, part) in [
        (authority.not_after(), "the CA expired on 2036-11-17; delete "),
        (now() - 2 * DAY, "the CA is valid from 2026-11-19 only: is the clock"),
    ] {
        let said = Authority::load_or_create(folder.path(), at).expect_err("refused").to_string();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn damaged_files_are_told_and_left_alone() {
    let leaf_pem = {
        let (_folder, other) = made();
        let leaf = other.leaf_for(&names(&["localhost"]), now()).expect("leaf");
        pem_of("CERTIFICATE", &leaf.chain[0])
    };
    let (_folder, other) = made();
    let other_key = std::fs::read_to_string(&other.paths().key).expect("key");
    let cut = |text: &str| text[..text.len() / 2].to_owned();
    let two = format!("{}{}", other.ca_pem(), other.ca_pem());
    let cases: [(&str, String, &str); 9] = [
        ("ca-cert.pem", String::new(), "not one PEM certificate"),
        ("ca-cert.pem", "hello".into(), "not one PEM certificate"),
        ("ca-cert.pem", two, "not one PEM certificate"),
        ("ca-cert.pem", cut(other.ca_pem()), "PEM text is cut"),
        ("ca-cert.pem", leaf_pem, "not a CA's"),
        ("ca-cert.pem", other.ca_pem().into(), "does not belong to ca-cert.pem"),
        ("ca-key.pem", String::new(), "not one private key"),
        ("ca-key.pem", pem_of("PRIVATE KEY", b"hello"), "not one private key"),
        ("ca-key.pem", other_key, "does not belong to ca-cert.pem"),
    ];
    for (file, content, part) in cases {
        let (folder, _) = made();
        let path = folder.path().join(file);
        std::fs::write(&path, &content).expect("written");
        let said = Authority::load_or_create(folder.path(), now()).expect_err(part).to_string();
        assert!(said.contains(part) && said.contains(file), "{part}: {said}");
        assert!(!said.contains('\n') && !said.contains("BEGIN"), "{said}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), content);
    }
}

#[test]
fn nothing_prints_the_key() {
    let (_folder, authority) = made();
    let leaf = authority.leaf_for(&names(&["localhost"]), now()).expect("leaf");
    let printed = format!("{authority:?} {authority:#?} {leaf:?}");
    let secret = std::fs::read_to_string(&authority.paths().key).expect("key");
    for line in secret.lines() {
        assert!(!printed.contains(line), "{printed}");
    }
    assert!(!printed.contains("issuer") && !printed.contains("key:"), "{printed}");
}

#[test]
fn the_user_may_bring_a_ca_of_another_kind() {
    for algorithm in [&rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519, &rcgen::PKCS_RSA_SHA256]
    {
        let folder = tempfile::tempdir().expect("folder");
        let key = KeyPair::generate_for(algorithm).expect("key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("certificate");
        let paths = AuthorityPaths::in_folder(folder.path());
        std::fs::write(&paths.certificate, certificate.pem()).expect("written");
        std::fs::write(&paths.key, key.serialize_pem()).expect("written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&paths.key, mode).expect("mode");
        }
        let authority = Authority::load_or_create(folder.path(), now()).expect("read");
        let leaf = authority.leaf_for(&names(&["localhost"]), now()).expect("leaf");
        let issuer = parsed(authority.ca_der());
        parsed(&leaf.chain[0]).verify_signature(Some(issuer.public_key())).expect("signed");
    }
}

fn pem_of(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}
