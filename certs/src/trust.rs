//! How to trust the CA and how to remove it again, for each place that keeps roots of its own.

use std::path::Path;

use crate::authority::Authority;
use crate::fingerprint::Fingerprint;
use crate::pem::quoted;
use crate::platform::Platform;
use crate::store::AuthorityPaths;

/// What the CA is, where it is, and what trusting it means: some lines of text.
pub fn summary(authority: &Authority) -> String {
    format!(
        "{name}\n  certificate  {certificate}\n  private key  {key} (keep it to yourself)\n  SHA-256      {fingerprint}\n  valid until  {until}\n",
        name = authority.name(),
        certificate = authority.paths().certificate.display(),
        key = authority.paths().key.display(),
        fingerprint = authority.fingerprint_sha256(),
        until = authority.expiry_date(),
    )
}

/// How to trust the CA and how to remove it: for one platform, or for all.
///
/// Commands have the certificate's path filled in, quoted for the shell they are for.
pub fn instructions(authority: &Authority, platform: Option<Platform>) -> String {
    let steps = Steps {
        paths: authority.paths(),
        name: authority.name(),
        fingerprint: authority.fingerprint_sha256(),
        key_pin: authority.key_pin(),
    };
    match platform {
        Some(platform) => steps.section(platform),
        None => Platform::ALL.map(|platform| steps.section(platform)).join("\n"),
    }
}

struct Steps<'a> {
    paths: &'a AuthorityPaths,
    name: &'a str,
    fingerprint: Fingerprint,
    key_pin: String,
}

impl Steps<'_> {
    fn section(&self, platform: Platform) -> String {
        let mut text = format!("{}\n", platform.title());
        for (heading, lines) in
            [("To trust it", self.to_trust(platform)), ("To remove it", self.to_remove(platform))]
        {
            text.push_str("  ");
            text.push_str(heading);
            text.push_str(":\n");
            for line in lines.lines() {
                text.push_str("    ");
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    /// The steps to trust it.
    fn to_trust(&self, platform: Platform) -> String {
        let cert = self.paths.certificate.as_path();
        let file = quoted(cert);
        let name = self.name;
        match platform {
            Platform::Linux => format!(
                "Debian, Ubuntu:\n\
                 sudo install -m 644 {file} /usr/local/share/ca-certificates/framescope.crt\n\
                 sudo update-ca-certificates\n\
                 Fedora, RHEL, Arch, openSUSE:\n\
                 sudo trust anchor --store {file}\n\
                 Browsers have roots of their own: see firefox and chromium.\n\
                 One command only: curl --cacert {file} …"
            ),
            Platform::MacOs => format!(
                "For you alone:\n\
                 security add-trusted-cert -r trustRoot -p ssl -k ~/Library/Keychains/login.keychain-db {file}\n\
                 A dialog asks for your password. Restart browsers."
            ),
            Platform::Windows => format!(
                "For you alone, in PowerShell:\n\
                 Import-Certificate -FilePath {} -CertStoreLocation Cert:\\CurrentUser\\Root\n\
                 A dialog shows the fingerprint. Restart browsers.",
                powershell_quoted(cert)
            ),
            Platform::Firefox => format!(
                "Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import:\n\
                 {}\n\
                 Tick \"Trust this CA to identify websites\".\n\
                 Or let Firefox look at the system store: about:config, security.enterprise_roots.enabled = true (macOS, Windows).",
                cert.display()
            ),
            Platform::Chromium => format!(
                "For one run, with a profile of its own and nothing to remove:\n\
                 chromium --user-data-dir=\"$(mktemp -d)\" --ignore-certificate-errors-spki-list={pin}\n\
                 For good, with certutil (package libnss3-tools or nss-tools), then restart the browser:\n\
                 mkdir -p ~/.pki/nssdb\n\
                 certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n '{name}' -i {file}\n\
                 If it says that there is no database: certutil -d sql:$HOME/.pki/nssdb -N --empty-password\n\
                 Snap packages keep theirs in ~/snap/chromium/current/.pki/nssdb.",
                pin = self.key_pin
            ),
            Platform::Node => format!(
                "For one process; it adds to the roots that Node has:\n\
                 NODE_EXTRA_CA_CERTS={file} node app.js\n\
                 Node 22.15 and later can look at the system's store instead: node --use-system-ca app.js"
            ),
            Platform::Python => format!(
                "For one process; it takes the place of the roots that Python has:\n\
                 SSL_CERT_FILE={file} python app.py         (ssl, websockets, aiohttp, httpx)\n\
                 REQUESTS_CA_BUNDLE={file} python app.py    (requests)\n\
                 Or in the program, beside the others:\n\
                 context = ssl.create_default_context(); context.load_verify_locations({path:?})\n\
                 websockets.connect(url, ssl=context)",
                path = cert.display().to_string()
            ),
            Platform::Java => format!(
                "Into the running JDK's own store (password changeit):\n\
                 keytool -importcert -cacerts -noprompt -alias framescope -file {file}\n\
                 Or for one process, with nothing but this CA:\n\
                 keytool -importcert -noprompt -alias framescope -file {file} -keystore framescope.p12 -storepass framescope\n\
                 java -Djavax.net.ssl.trustStore=framescope.p12 -Djavax.net.ssl.trustStorePassword=framescope …"
            ),
            Platform::Android => format!(
                "adb push {file} /sdcard/Download/framescope.crt\n\
                 Settings, Security, Encryption & credentials, Install a certificate, CA certificate: framescope.crt.\n\
                 Chrome trusts it then; other apps only if their network security config says <certificates src=\"user\"/>."
            ),
            Platform::Ios => format!(
                "Send {} to the device (AirDrop, mail), open it there, then\n\
                 Settings, Profile Downloaded, Install; and\n\
                 Settings, General, About, Certificate Trust Settings: switch \"{name}\" on.",
                cert.display()
            ),
        }
    }

    /// The steps to remove it.
    fn to_remove(&self, platform: Platform) -> String {
        let cert = self.paths.certificate.as_path();
        let file = quoted(cert);
        let name = self.name;
        match platform {
            Platform::Linux => format!(
                "Debian, Ubuntu:\n\
                 sudo rm /usr/local/share/ca-certificates/framescope.crt\n\
                 sudo update-ca-certificates --fresh\n\
                 Fedora, RHEL, Arch, openSUSE:\n\
                 sudo trust anchor --remove {file}"
            ),
            Platform::MacOs => format!(
                "security remove-trusted-cert {file}\n\
                 security delete-certificate -Z {sha256} ~/Library/Keychains/login.keychain-db",
                sha256 = self.fingerprint.to_hex().to_uppercase(),
            ),
            Platform::Windows => format!(
                "In PowerShell:\n\
                 Get-ChildItem Cert:\\CurrentUser\\Root | Where-Object Subject -like '*{name}*' | Remove-Item"
            ),
            Platform::Firefox => format!(
                "The same list, under Framescope: \"{name}\", Delete or Distrust.\n\
                 Set security.enterprise_roots.enabled back if you changed it."
            ),
            Platform::Chromium => format!(
                "certutil -d sql:$HOME/.pki/nssdb -D -n '{name}'\n\
                 certutil -d sql:$HOME/.pki/nssdb -L    shows what is left."
            ),
            Platform::Node => "Nothing is kept: unset NODE_EXTRA_CA_CERTS.".into(),
            Platform::Python => "Nothing is kept: unset SSL_CERT_FILE and REQUESTS_CA_BUNDLE.".into(),
            Platform::Java => "keytool -delete -cacerts -alias framescope\n\
                 rm framescope.p12"
                .into(),
            Platform::Android => "Settings, Security, Encryption & credentials, User credentials (or Trusted credentials, User): Framescope, Remove."
                .into(),
            Platform::Ios => format!("Settings, General, VPN & Device Management: \"{name}\", Remove Profile."),
        }
    }
}

fn powershell_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn authority(folder: &Path) -> Authority {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(498_000);
        Authority::load_or_create(folder, now).expect("made")
    }

    #[test]
    fn each_platform_says_how_to_trust_and_how_to_remove() {
        let folder = tempfile::tempdir().expect("folder");
        let authority = authority(folder.path());
        let file = authority.paths().certificate.display().to_string();
        let key = authority.paths().key.display().to_string();
        for platform in Platform::ALL {
            let text = instructions(&authority, Some(platform));
            assert!(text.starts_with(platform.title()), "{text}");
            assert!(text.contains("To trust it:\n") && text.contains("To remove it:\n"), "{text}");
            assert!(text.contains(&file), "{platform}: {text}");
            assert!(!text.contains(&key), "{platform} gives the key away: {text}");
        }
    }

    #[test]
    fn all_platforms_together_are_each_of_them() {
        let folder = tempfile::tempdir().expect("folder");
        let authority = authority(folder.path());
        let all = instructions(&authority, None);
        for platform in Platform::ALL {
            assert!(all.contains(&instructions(&authority, Some(platform))), "{platform}");
        }
    }

    #[test]
    fn a_path_with_spaces_is_quoted_in_commands() {
        let parent = tempfile::tempdir().expect("folder");
        let authority = authority(&parent.path().join("my framescope's"));
        let text = instructions(&authority, Some(Platform::Node));
        assert!(text.contains(r"my framescope'\''s/ca-cert.pem' node app.js"), "{text}");
    }

    #[test]
    fn the_summary_says_which_ca_it_is() {
        let folder = tempfile::tempdir().expect("folder");
        let authority = authority(folder.path());
        let text = summary(&authority);
        for part in [authority.name(), &authority.fingerprint_sha256().to_string(), "2036-"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
