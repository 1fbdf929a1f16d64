//! Certificates and keys that the user brings, as PEM files (RFC 7468).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustls_pki_types::pem::{self, PemObject, SectionKind};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

use crate::error::{CertsError, Result};
use crate::facts::CertificateFacts;

/// All the roots of an operating system take less than a mebioctet.
const MAX_FILE_OCTETS: u64 = 4 << 20;

/// Reads all certificates of a PEM file, in their order: a chain with its leaf first, or a set of roots.
///
/// Keys in the same file are passed over. There is at least one certificate, and each can be parsed.
pub fn load_pem_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let octets = read(path)?;
    let swapped = || {
        let what = "this is a private key, a certificate was expected";
        CertsError::content(path, what, "were the two files swapped?")
    };
    if is_encrypted(&octets) && !contains(&octets, "-----BEGIN CERTIFICATE-----") {
        return Err(swapped());
    }
    let mut chain = Vec::new();
    let mut keys = 0_u32;
    for (kind, der) in sections(path, &octets)? {
        match kind {
            SectionKind::Certificate => {
                let place = chain.len() + 1;
                if CertificateFacts::read(&der).is_none() {
                    return Err(CertsError::content(
                        path,
                        format!("certificate {place} in it is damaged"),
                        "fetch or export it anew",
                    ));
                }
                chain.push(CertificateDer::from(der.to_vec()));
            }
            SectionKind::PrivateKey | SectionKind::EcPrivateKey | SectionKind::RsaPrivateKey => {
                keys += 1;
            }
            _ => {}
        }
    }
    if chain.is_empty() && keys > 0 {
        return Err(swapped());
    }
    if chain.is_empty() {
        let (what, mend) = nothing_found(path, &octets, "certificate", "BEGIN CERTIFICATE");
        return Err(CertsError::content(path, what, mend));
    }
    Ok(chain)
}

/// Reads the first private key of a PEM file: PKCS #8, SEC 1 or PKCS #1, not encrypted.
pub fn load_pem_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let octets = read(path)?;
    if is_encrypted(&octets) {
        return Err(CertsError::content(
            path,
            "this private key is encrypted with a passphrase",
            format!("decrypt it: `openssl pkey -in {} -out plain-key.pem`", quoted(path)),
        ));
    }
    let mut certificates = 0_u32;
    for (kind, der) in sections(path, &octets)? {
        match kind {
            SectionKind::PrivateKey => return Ok(PrivatePkcs8KeyDer::from(der.to_vec()).into()),
            SectionKind::EcPrivateKey => return Ok(PrivateSec1KeyDer::from(der.to_vec()).into()),
            SectionKind::RsaPrivateKey => return Ok(PrivatePkcs1KeyDer::from(der.to_vec()).into()),
            SectionKind::Certificate => certificates += 1,
            _ => {}
        }
    }
    let (what, mend) = if certificates > 0 {
        ("this is a certificate, a private key was expected", "were the two files swapped?".into())
    } else {
        nothing_found(path, &octets, "private key", "BEGIN PRIVATE KEY")
    };
    Err(CertsError::content(path, what, mend))
}

/// The sections of a PEM file whose kind is known; other kinds are passed over.
pub(crate) fn sections(
    path: &Path,
    octets: &[u8],
) -> Result<Vec<(SectionKind, Zeroizing<Vec<u8>>)>> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(octets)
        .map(|section| match section {
            Ok((kind, der)) => Ok((kind, Zeroizing::new(der))),
            // The parser's own words may quote the file, which may be a key: they are not passed on.
            Err(error) => {
                let what = match error {
                    pem::Error::MissingSectionEnd { .. } => {
                        "its PEM text is cut: an END line is missing"
                    }
                    pem::Error::IllegalSectionStart { .. } => {
                        "its PEM text is damaged in a BEGIN line"
                    }
                    _ => "its PEM text is damaged: not all of it is base64",
                };
                Err(CertsError::content(path, what, "fetch or export it anew"))
            }
        })
        .collect()
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    // Room for any key at once: what a growing vector leaves behind is not overwritten.
    let mut octets = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let file = File::open(path).map_err(CertsError::io("read", path))?;
    // Not by its length, which a pipe such as `<(command)` does not have.
    let mut limited = file.take(MAX_FILE_OCTETS + 1);
    limited.read_to_end(&mut octets).map_err(CertsError::io("read", path))?;
    if octets.len() as u64 > MAX_FILE_OCTETS {
        return Err(CertsError::content(
            path,
            "it is larger than 4 MiB, which no certificates or keys are",
            "was another file meant?",
        ));
    }
    Ok(octets)
}

/// PKCS #8 says so in its label, the older forms in a header line.
fn is_encrypted(octets: &[u8]) -> bool {
    contains(octets, "-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || contains(octets, "Proc-Type: 4,ENCRYPTED")
}

fn contains(octets: &[u8], text: &str) -> bool {
    octets.windows(text.len()).any(|window| window == text.as_bytes())
}

fn nothing_found(path: &Path, octets: &[u8], wanted: &str, label: &str) -> (&'static str, String) {
    let shown = quoted(path);
    if octets.iter().all(u8::is_ascii_whitespace) {
        ("the file is empty", format!("a {wanted} in PEM form was expected"))
    } else if octets.first() == Some(&0x30) {
        let command = if wanted == "certificate" { "x509" } else { "pkey" };
        (
            "this is binary (DER or PKCS #12), PEM text was expected",
            format!(
                "convert it: `openssl {command} -inform DER -in {shown}`, or for .p12 and .pfx files `openssl pkcs12 -nodes -in {shown}`"
            ),
        )
    } else {
        (
            "no PEM text was found in it",
            format!("a file with a line \"-----{label}-----\" was expected"),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Content, then what is said of it where a chain and where a key was expected.
    type Case<'a> = (&'a [u8], [&'a str; 2], [&'a str; 2]);

    fn pair() -> (String, String) {
        let key = rcgen::KeyPair::generate().expect("key");
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("params");
        (params.self_signed(&key).expect("certificate").pem(), key.serialize_pem())
    }

    fn file(folder: &tempfile::TempDir, content: impl AsRef<[u8]>) -> PathBuf {
        let path = folder.path().join("given.pem");
        std::fs::write(&path, content).expect("written");
        path
    }

    #[test]
    fn a_file_with_both_serves_as_both() {
        let folder = tempfile::tempdir().expect("folder");
        let (cert, key) = pair();
        let path = file(&folder, format!("a remark\n{key}\n{cert}{cert}"));
        assert_eq!(load_pem_chain(&path).expect("chain").len(), 2);
        assert!(matches!(load_pem_key(&path).expect("key"), PrivateKeyDer::Pkcs8(_)));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_the_mend() {
        let folder = tempfile::tempdir().expect("folder");
        let (cert, key) = pair();
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let old_encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = &cert[..cert.len() / 2];
        let cases: [Case<'_>; 8] = [
            (key.as_bytes(), ["private key, a certificate was expected", "swapped"], ["", ""]),
            (cert.as_bytes(), ["", ""], ["certificate, a private key was expected", "swapped"]),
            (
                encrypted.as_bytes(),
                ["a certificate was expected", "swapped"],
                ["encrypted", "openssl pkey -in"],
            ),
            (
                old_encrypted.as_bytes(),
                ["a certificate was expected", "swapped"],
                ["encrypted", "openssl pkey -in"],
            ),
            (
                b" \n",
                ["is empty", "certificate in PEM form"],
                ["is empty", "private key in PEM form"],
            ),
            (
                b"\x30\x82\x01\x00",
                ["binary", "openssl x509 -inform DER"],
                ["binary", "openssl pkey -inform DER"],
            ),
            (b"hello", ["no PEM text", "BEGIN CERTIFICATE"], ["no PEM text", "BEGIN PRIVATE KEY"]),
            (
                damaged.as_bytes(),
                ["certificate 1 in it is damaged", "anew"],
                ["a private key was expected", ""],
            ),
        ];
        for (content, as_chain, as_key) in cases {
            let path = file(&folder, content);
            for (said, wanted) in [
                (load_pem_chain(&path).map(|_| ()), as_chain),
                (load_pem_key(&path).map(|_| ()), as_key),
            ] {
                let said = said.err().map_or_else(String::new, |error| error.to_string());
                assert!(wanted.iter().all(|part| said.contains(part)), "{said} / {wanted:?}");
                assert_eq!(said.is_empty(), wanted == ["", ""], "{said}");
                assert!(said.is_empty() || said.contains("given.pem"), "{said}");
                assert!(!said.contains('\n'), "{said}");
            }
        }
        let said = load_pem_chain(&file(&folder, cut)).expect_err("cut").to_string();
        assert!(said.contains("an END line is missing"), "{said}");
        let said = load_pem_key(&folder.path().join("none.pem")).expect_err("missing").to_string();
        assert!(said.starts_with("cannot read ") && said.contains("none.pem"), "{said}");
    }

    #[test]
    fn damage_is_told_without_quoting_the_file() {
        let folder = tempfile::tempdir().expect("folder");
        for (content, part) in [
            (
                "-----BEGIN PRIVATE KEY-----\nc2VjcmV0!\n-----END PRIVATE KEY-----\n",
                "not all of it is base64",
            ),
            ("-----BEGIN c2VjcmV0\n-----END PRIVATE KEY-----\n", "in a BEGIN line"),
            ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n", "an END line is missing"),
        ] {
            let said = load_pem_key(&file(&folder, content)).expect_err(part).to_string();
            assert!(
                said.contains(part) && !said.contains("c2Vj") && !said.contains("50, 86"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_file_without_end_is_given_up() {
        let folder = tempfile::tempdir().expect("folder");
        let path = file(&folder, "");
        let hole = std::fs::OpenOptions::new().write(true).open(&path).expect("opened");
        hole.set_len(1 << 40).expect("a hole");
        let said = load_pem_chain(&path).expect_err("too large").to_string();
        assert!(said.contains("larger than 4 MiB"), "{said}");
    }

    #[test]
    fn paths_are_quoted_for_a_shell_where_they_must_be() {
        assert_eq!(quoted(Path::new("/a/b-c.pem")), "/a/b-c.pem");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
