//! The CA's folder as an attacker, a careless hand or a second process might have left it.
#![cfg(unix)]

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, SystemTime};

use framescope_certs::{Authority, AuthorityPaths, CertsError};
use tempfile::TempDir;

/// 2026-11-20T12:00:00Z.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(498_660)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn load(folder: &Path) -> Result<Authority, CertsError> {
    Authority::load_or_create(folder, now())
}

/// What is said when the CA in `folder` is refused.
fn refused(folder: &Path) -> String {
    let said = load(folder).expect_err("refused").to_string();
    assert!(!said.contains('\n'), "{said}");
    said
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("there").mode() & 0o7777
}

fn file_names(folder: &Path) -> HashSet<String> {
    let entries = fs::read_dir(folder).expect("readable");
    entries.map(|entry| entry.expect("entry").file_name().into_string().expect("text")).collect()
}

#[test]
fn files_and_folder_get_their_modes() {
    let parent = folder();
    let ca = parent.path().join("data/framescope/ca");
    let authority = load(&ca).expect("made");
    assert_eq!(mode(&ca), 0o700);
    assert_eq!(mode(&authority.paths().key), 0o600);
    assert_eq!(mode(&authority.paths().certificate), 0o644);
    assert_eq!(mode(&ca.join("ca.lock")), 0o600);
    let expected = ["ca-cert.pem", "ca-key.pem", "ca.lock"].map(str::to_owned);
    assert_eq!(file_names(&ca), HashSet::from(expected), "nothing is left behind");
}

#[test]
fn the_modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077"] {
        let parent = folder();
        let ca = parent.path().join("ca");
        let mut child = process(&ca, umask);
        assert!(child.wait().expect("ended").success(), "umask {umask}");
        let paths = AuthorityPaths::in_folder(&ca);
        let modes = (mode(&ca), mode(&paths.key), mode(&paths.certificate));
        assert_eq!(modes, (0o700, 0o600, 0o644), "umask {umask}");
    }
}

#[test]
fn threads_that_race_on_first_use_end_with_one_ca() {
    let parent = folder();
    let ca = parent.path().join("ca");
    let start = Barrier::new(16);
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    load(&ca).expect("loaded")
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    let fingerprints: HashSet<_> = made.iter().map(Authority::fingerprint_sha256).collect();
    assert_eq!(fingerprints.len(), 1);
    assert_eq!(made.iter().filter(|authority| authority.was_created()).count(), 1);
}

#[test]
fn processes_that_race_on_first_use_end_with_one_ca() {
    let parent = folder();
    let ca = parent.path().join("ca");
    let children: Vec<_> = (0..8).map(|_| process(&ca, "022")).collect();
    let mut said = HashSet::new();
    for child in children {
        let output = child.wait_with_output().expect("ended");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        said.extend(text.lines().find_map(|line| line.strip_prefix("CA ")).map(str::to_owned));
    }
    let read = load(&ca).expect("whole");
    assert_eq!(said, HashSet::from([read.fingerprint_sha256().to_hex()]));
}

/// Runs `child_makes_the_ca` in a process of its own.
fn process(ca: &Path, umask: &str) -> Child {
    let this = std::env::current_exe().expect("this test's binary");
    let script =
        format!("umask {umask}; exec \"$0\" --ignored --exact --nocapture child_makes_the_ca");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(this).env("CA_FOLDER", ca);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
}

#[test]
#[ignore = "run as a process of their own by other tests"]
fn child_makes_the_ca() {
    let ca = std::env::var_os("CA_FOLDER").expect("said by the parent");
    let authority = load(Path::new(&ca)).expect("loaded");
    println!("\nCA {}", authority.fingerprint_sha256().to_hex());
}

#[test]
fn a_key_that_others_may_touch_is_refused_with_the_chmod() {
    for bits in [0o040, 0o004, 0o020, 0o002, 0o010, 0o001, 0o077] {
        let ca = folder();
        let key = load(ca.path()).expect("made").paths().key.clone();
        chmod(&key, 0o600 | bits);
        let said = refused(ca.path());
        let mend = format!("run `chmod 600 {}`", key.display());
        assert!(
            said.contains(&mend) && said.contains(&format!("mode {:04o}", 0o600 | bits)),
            "{said}"
        );
        chmod(&key, 0o600);
        load(ca.path()).expect("mended");
    }
}

#[test]
fn a_key_its_owner_cannot_write_is_fine() {
    let ca = folder();
    let key = load(ca.path()).expect("made").paths().key.clone();
    chmod(&key, 0o400);
    load(ca.path()).expect("read");
}

#[test]
fn a_certificate_or_folder_that_others_may_change_is_refused_with_the_chmod() {
    for (bits, folder_bits) in [(0o664, 0o700), (0o646, 0o700), (0o644, 0o770), (0o644, 0o707)] {
        let ca = folder();
        let paths = load(ca.path()).expect("made").paths().clone();
        chmod(&paths.certificate, bits);
        chmod(ca.path(), folder_bits);
        let said = refused(ca.path());
        let mend = if bits == 0o644 { "`chmod 700 " } else { "`chmod 644 " };
        assert!(said.contains(mend) && said.contains("may have changed it"), "{said}");
    }
}

#[test]
fn no_ca_is_made_in_a_folder_that_others_may_write() {
    let ca = folder();
    chmod(ca.path(), 0o777);
    let said = refused(ca.path());
    assert!(said.contains("`chmod 700 "), "{said}");
    assert!(file_names(ca.path()).is_empty());
}

#[test]
fn files_of_another_user_are_refused() {
    let ca = folder();
    let paths = load(ca.path()).expect("made").paths().clone();
    for path in [&paths.key, &paths.certificate, &paths.folder] {
        let owner = fs::metadata(path).expect("there").uid();
        if std::os::unix::fs::chown(path, Some(owner + 1), None).is_err() {
            // Only root can give files away; the same refusal, the other way around.
            foreign_key_is_refused();
            return;
        }
        let said = refused(ca.path());
        let part = format!("it belongs to user {}, Framescope runs as user {owner}", owner + 1);
        assert!(said.contains(&part) && said.contains(&path.display().to_string()), "{said}");
        std::os::unix::fs::chown(path, Some(owner), None).expect("back");
    }
}

/// A hard link to a file of root's, where the system allows one, or else root's own folder.
fn foreign_key_is_refused() {
    let said = refused(Path::new("/"));
    assert!(said.contains("/: it belongs to user 0"), "{said}");
}

#[test]
fn symbolic_links_in_place_of_the_files_are_refused_and_not_followed() {
    for file in ["ca-key.pem", "ca-cert.pem", "ca.lock"] {
        let (ca, elsewhere) = (folder(), folder());
        let target = elsewhere.path().join("target");
        symlink(&target, ca.path().join(file)).expect("link");
        // Dangling: nothing must come to be where it points.
        let said = refused(ca.path());
        assert!(said.contains(file), "{said}");
        assert!(!target.exists());
        // And with something there, that must stay as it is.
        fs::write(&target, "precious").expect("written");
        let said = refused(ca.path());
        assert!(said.contains(file), "{said}");
        assert_eq!(fs::read_to_string(&target).expect("there"), "precious");
        let left = HashSet::from([file.to_owned(), "ca.lock".to_owned()]);
        assert!(file_names(ca.path()).is_subset(&left), "no file of ours was made");
    }
}

#[test]
fn a_folder_behind_a_symbolic_link_of_the_users_is_fine() {
    let parent = folder();
    let real = parent.path().join("real");
    fs::create_dir(&real).expect("made");
    chmod(&real, 0o700);
    let link = parent.path().join("link");
    symlink(&real, &link).expect("link");
    let made = load(&link).expect("made");
    assert_eq!(load(&real).expect("read").fingerprint_sha256(), made.fingerprint_sha256());
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let ca = folder();
    let fifo = ca.path().join("ca-key.pem");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    assert!(refused(ca.path()).contains("not a regular file"));
    fs::remove_file(&fifo).expect("removed");
    fs::create_dir(&fifo).expect("made");
    assert!(refused(ca.path()).contains("not a regular file"));
}

#[test]
fn a_file_far_too_large_is_not_read() {
    let ca = folder();
    let paths = load(ca.path()).expect("made").paths().clone();
    let file = fs::OpenOptions::new().write(true).open(&paths.certificate).expect("opened");
    file.set_len(1 << 40).expect("a hole");
    let said = refused(ca.path());
    assert!(said.contains("too many for a CA file"), "{said}");
}

#[test]
fn half_a_ca_is_told_and_not_completed() {
    for (kept, lost) in [("ca-key.pem", "ca-cert.pem"), ("ca-cert.pem", "ca-key.pem")] {
        let ca = folder();
        load(ca.path()).expect("made");
        let before = fs::read(ca.path().join(kept)).expect("read");
        fs::remove_file(ca.path().join(lost)).expect("removed");
        let said = refused(ca.path());
        assert!(said.contains(&format!("{lost}: this half of the CA is missing")), "{said}");
        assert!(said.contains(kept) && said.contains("delete the other half"), "{said}");
        assert_eq!(fs::read(ca.path().join(kept)).expect("read"), before);
        assert!(!ca.path().join(lost).exists());
    }
}

#[test]
fn a_ca_in_a_folder_that_cannot_be_written_is_read() {
    let ca = folder();
    let made = load(ca.path()).expect("made");
    chmod(ca.path(), 0o500);
    assert_eq!(load(ca.path()).expect("read").fingerprint_sha256(), made.fingerprint_sha256());
    chmod(ca.path(), 0o700);
}

#[test]
fn a_folder_that_is_a_file_is_told() {
    let parent = folder();
    let file = parent.path().join("ca");
    fs::write(&file, "").expect("written");
    let said = refused(&file);
    assert!(said.contains(&file.display().to_string()), "{said}");
}
