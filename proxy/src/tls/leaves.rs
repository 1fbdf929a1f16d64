//! Minted leaves, one server configuration for each name asked for, kept while they are good.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framescope_certs::{Authority, CertsError, Fingerprint, Leaf, SubjectName};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// More names than one person's debugging session meets; about 2 KiB each.
const MAX_KEPT: usize = 1024;

/// A leaf is replaced this long before it expires, so that no session outlives it by much.
const RENEW_BEFORE: Duration = Duration::from_hours(24);

/// What is served to clients that ask for one name.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) config: Arc<ServerConfig>,
    pub(super) certificate: Fingerprint,
}

impl Served {
    /// The base configuration with this certificate.
    pub(super) fn new(base: &ServerConfig, certified: CertifiedKey) -> Self {
        let certificate = Fingerprint::of(certified.cert.first().map_or(&[], |leaf| leaf.as_ref()));
        let mut config = base.clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(certified));
        Self { config: Arc::new(config), certificate }
    }
}

/// The leaves minted so far: at most `capacity`, the longest unused goes first.
pub(super) struct Leaves {
    authority: Arc<Authority>,
    base: ServerConfig,
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<SubjectName, Entry>,
    uses: u64,
}

struct Entry {
    served: Arc<Served>,
    not_before: SystemTime,
    renew_at: SystemTime,
    last_use: u64,
}

impl Leaves {
    pub(super) fn new(authority: Arc<Authority>, base: ServerConfig) -> Self {
        Self { authority, base, capacity: MAX_KEPT, kept: Mutex::default() }
    }

    /// What to serve for `name`: kept, or minted now.
    ///
    /// Minting takes far less than a millisecond and is done under the lock, so that a page's many connections at
    /// once get one leaf, not many.
    pub(super) fn for_name(
        &self,
        name: SubjectName,
        now: SystemTime,
    ) -> Result<Arc<Served>, MintError> {
        let mut kept = self.kept.lock();
        kept.uses += 1;
        let last_use = kept.uses;
        if let Some(entry) = kept.entries.get_mut(&name)
            && (entry.not_before..entry.renew_at).contains(&now)
        {
            entry.last_use = last_use;
            return Ok(Arc::clone(&entry.served));
        }
        let leaf = self.authority.leaf_for(&also_known_as(&name), now)?;
        let not_before = leaf.not_before;
        let renew_at = leaf.not_after.checked_sub(RENEW_BEFORE).unwrap_or(leaf.not_after);
        let served = Arc::new(Served::new(&self.base, certified(leaf)?));
        if kept.entries.len() >= self.capacity && !kept.entries.contains_key(&name) {
            kept.drop_longest_unused();
        }
        let entry = Entry { served: Arc::clone(&served), not_before, renew_at, last_use };
        kept.entries.insert(name, entry);
        Ok(served)
    }
}

impl Kept {
    fn drop_longest_unused(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_use);
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.entries.remove(&name);
        }
    }
}

/// Why no leaf could be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MintError {
    #[error(transparent)]
    Certs(#[from] CertsError),
    #[error("cannot use a certificate that was just made: {0}")]
    Tls(#[from] rustls::Error),
}

fn certified(leaf: Leaf) -> Result<CertifiedKey, rustls::Error> {
    let key = super::provider().key_provider.load_private_key(leaf.key)?;
    Ok(CertifiedKey::new(leaf.chain, key))
}

/// A client that comes by a loopback address may still check for another name of this machine's own.
fn also_known_as(name: &SubjectName) -> Vec<SubjectName> {
    let mut names = vec![name.clone()];
    if matches!(name, SubjectName::Ip(_)) && name.is_loopback() {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let others = loopback.map(SubjectName::ip).into_iter().chain("localhost".parse().ok());
        names.extend(others.filter(|other| other != name));
    }
    names
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use rustls::server::ResolvesServerCertUsingSni;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn leaves(capacity: usize) -> (tempfile::TempDir, Leaves, SystemTime) {
        let folder = tempfile::tempdir().expect("folder");
        let now = UNIX_EPOCH + 20_000 * DAY;
        let authority = Authority::load_or_create(&folder.path().join("ca"), now).expect("made");
        let base = ServerConfig::builder_with_provider(super::super::provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
        let mut leaves = Leaves::new(Arc::new(authority), base);
        leaves.capacity = capacity;
        (folder, leaves, now)
    }

    fn served(leaves: &Leaves, name: &str, now: SystemTime) -> String {
        let name = name.parse().expect("name");
        leaves.for_name(name, now).expect("served").certificate.to_hex()
    }

    #[test]
    fn a_leaf_is_kept_until_a_day_before_it_expires() {
        let (_folder, leaves, now) = leaves(8);
        let first = served(&leaves, "a.example", now);
        assert_eq!(served(&leaves, "A.example.", now), first, "one name in two spellings");
        assert_ne!(served(&leaves, "b.example", now), first);
        assert_eq!(served(&leaves, "a.example", now + 6 * DAY - Duration::from_secs(1)), first);
        let second = served(&leaves, "a.example", now + 6 * DAY);
        assert_ne!(second, first);
        assert_eq!(served(&leaves, "a.example", now + 6 * DAY), second);
    }

    #[test]
    fn a_clock_set_back_gets_a_leaf_of_its_own_time() {
        let (_folder, leaves, now) = leaves(8);
        let first = served(&leaves, "a.example", now + 60 * DAY);
        assert_ne!(served(&leaves, "a.example", now), first);
    }

    #[test]
    fn the_longest_unused_leaf_makes_room() {
        let (_folder, leaves, now) = leaves(2);
        let a = served(&leaves, "a.example", now);
        let b = served(&leaves, "b.example", now);
        assert_eq!(served(&leaves, "a.example", now), a);
        served(&leaves, "c.example", now);
        assert_eq!(leaves.kept.lock().entries.len(), 2);
        assert_eq!(served(&leaves, "a.example", now), a, "was used more lately than b");
        assert_ne!(served(&leaves, "b.example", now), b);
    }
}
