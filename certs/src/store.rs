//! The CA's folder: two files, written once and whole, refused when anyone else could have touched them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{CertsError, Result};

/// More than any CA file holds; a larger one is not ours.
const MAX_FILE_OCTETS: u64 = 64 * 1024;

/// Where an authority keeps its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityPaths {
    /// The folder, for its owner alone (0700).
    pub folder: PathBuf,
    /// The certificate in PEM form (0644): the file to trust.
    pub certificate: PathBuf,
    /// The private key in PEM form (0600): never to be given away.
    pub key: PathBuf,
}

impl AuthorityPaths {
    /// In `folder`, which need not exist.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            certificate: folder.join("ca-cert.pem"),
            key: folder.join("ca-key.pem"),
        }
    }

    fn lock(&self) -> PathBuf {
        self.folder.join("ca.lock")
    }
}

/// The PEM text of both files.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: Zeroizing<String>,
}

/// Reads the pair, or makes it with `make` when neither file is there; `true` when it was made.
///
/// Of several processes that find the folder empty one makes the pair and all read it.
pub(crate) fn load_or_create(
    paths: &AuthorityPaths,
    make: impl FnOnce() -> Result<Pair>,
) -> Result<(Pair, bool)> {
    match load(paths) {
        Ok(Some(pair)) => return Ok((pair, false)),
        // Half a pair may be one that another process is making: look again under the lock.
        Ok(None) | Err(CertsError::Content { .. }) => {}
        Err(error) => return Err(error),
    }
    create_folder(&paths.folder)?;
    // Held until the function ends: who waited for it finds the pair that the other one made.
    let _lock = lock(&paths.lock())?;
    if let Some(pair) = load(paths)? {
        return Ok((pair, false));
    }
    let pair = make()?;
    // The key first: a certificate without a key would tempt to be trusted.
    write_new(&paths.folder, &paths.key, pair.key.as_bytes(), 0o600)?;
    write_new(&paths.folder, &paths.certificate, pair.certificate.as_bytes(), 0o644)?;
    Ok((pair, true))
}

/// Reads the pair; `None` when neither file is there.
pub(crate) fn load(paths: &AuthorityPaths) -> Result<Option<Pair>> {
    let key = read_own(&paths.key, "chmod 600", 0o077)?;
    let certificate = read_own(&paths.certificate, "chmod 644", 0o022)?;
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(half_present(&paths.certificate, &paths.key)),
        (None, Some(_)) => return Err(half_present(&paths.key, &paths.certificate)),
    };
    check_folder(&paths.folder)?;
    let damaged = |path| CertsError::content(path, "this is not PEM text", anew(paths));
    let text = |octets: &Zeroizing<Vec<u8>>, path| {
        std::str::from_utf8(octets).map(str::to_owned).map_err(|_| damaged(path))
    };
    Ok(Some(Pair {
        certificate: text(&certificate, &paths.certificate)?,
        key: Zeroizing::new(text(&key, &paths.key)?),
    }))
}

/// The mend where the pair cannot be used any more.
pub(crate) fn anew(paths: &AuthorityPaths) -> String {
    format!(
        "delete {} and {}: a new CA is made on the next start, to be trusted anew",
        paths.certificate.display(),
        paths.key.display(),
    )
}

fn half_present(present: &Path, missing: &Path) -> CertsError {
    CertsError::content(
        missing,
        format!("this half of the CA is missing while {} is there", present.display()),
        "put it back, or delete the other half: a new CA is made on the next start, to be trusted anew",
    )
}

/// Reads a file of the user's own, refusing symbolic links and files that others may change, or for
/// which `forbidden` mode bits are set; `None` when there is none.
///
/// All checks are made on the open file, so that nothing can be exchanged in between.
fn read_own(path: &Path, chmod: &str, forbidden: u32) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(file) = open_without_following(path)? else { return Ok(None) };
    let metadata = file.metadata().map_err(CertsError::io("read", path))?;
    if !metadata.is_file() {
        return Err(unsafe_path(path, "this is not a regular file", "move it out of the way"));
    }
    check_owner_and_mode(path, &metadata, chmod, forbidden)?;
    if metadata.len() > MAX_FILE_OCTETS {
        return Err(CertsError::content(
            path,
            format!("{} octets are too many for a CA file", metadata.len()),
            "put back the file that was there, or move it out of the way",
        ));
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(8 * 1024));
    file.take(MAX_FILE_OCTETS).read_to_end(&mut octets).map_err(CertsError::io("read", path))?;
    Ok(Some(octets))
}

#[cfg(unix)]
fn open_without_following(path: &Path) -> Result<Option<File>> {
    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;

    // NONBLOCK: opening a FIFO laid in the file's place must not hang.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => Ok(Some(File::from(descriptor))),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP | Errno::MLINK) => Err(unsafe_path(
            path,
            "this is a symbolic link, which could lead anywhere",
            "put the file itself in its place",
        )),
        Err(errno) => Err(CertsError::io("read", path)(errno.into())),
    }
}

#[cfg(not(unix))]
fn open_without_following(path: &Path) -> Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(unsafe_path(
            path,
            "this is a symbolic link, which could lead anywhere",
            "put the file itself in its place",
        )),
        _ => match File::open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CertsError::io("read", path)(error)),
        },
    }
}

#[cfg(unix)]
fn check_owner_and_mode(
    path: &Path,
    metadata: &fs::Metadata,
    chmod: &str,
    forbidden: u32,
) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user {
        return Err(unsafe_path(
            path,
            format!("it belongs to user {}, Framescope runs as user {user}", metadata.uid()),
            "run as its owner, or use another folder",
        ));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & forbidden != 0 {
        let verb = if forbidden & 0o044 == 0 { "changed" } else { "read" };
        return Err(unsafe_path(
            path,
            format!("others than its owner may have {verb} it (mode {mode:04o})"),
            format!("run `{chmod} {}`", crate::pem::quoted(path)),
        ));
    }
    Ok(())
}

// Elsewhere the user's profile folder has its own access list, which new files inherit.
#[cfg(not(unix))]
fn check_owner_and_mode(_: &Path, _: &fs::Metadata, _: &str, _: u32) -> Result<()> {
    Ok(())
}

/// The folder may be reached through a symbolic link of the user's, but what it leads to must be theirs.
fn check_folder(folder: &Path) -> Result<()> {
    let metadata = fs::metadata(folder).map_err(CertsError::io("read", folder))?;
    if !metadata.is_dir() {
        return Err(unsafe_path(folder, "this is not a folder", "move it out of the way"));
    }
    check_owner_and_mode(folder, &metadata, "chmod 700", 0o022)
}

fn create_folder(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(CertsError::io("create", folder))?;
    check_folder(folder)
}

/// Waits for the folder's lock; it is let go when the file is dropped, or its process ends.
fn lock(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let no_follow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(no_follow.bits().cast_signed());
    }
    let file = options.open(path).map_err(CertsError::io("create", path))?;
    match file.lock() {
        // Where a file system knows no locks, `write_new` still never overwrites.
        Err(error) if error.kind() != ErrorKind::Unsupported => {
            Err(CertsError::io("lock", path)(error))
        }
        _ => Ok(file),
    }
}

/// Writes a file that must not exist yet: whole or not at all, with exactly this mode.
fn write_new(folder: &Path, path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file =
            tempfile::Builder::new().prefix(".ca-").suffix(".new").tempfile_in(folder)?;
        file.write_all(content)?;
        // Made with 0600; widened, whatever the umask is, only once it is complete.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        }
        #[cfg(not(unix))]
        let _ = mode;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|refused| refused.error)?;
        // The new name should survive a power cut too.
        // Best effort: the file is in its place already, and some file systems refuse.
        #[cfg(unix)]
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    };
    write().map_err(CertsError::io("create", path))
}

fn unsafe_path(path: &Path, what: impl Into<String>, mend: impl Into<String>) -> CertsError {
    CertsError::Unsafe { path: path.to_owned(), what: what.into(), mend: mend.into() }
}
