//! The command line from outside: what it writes where, and how it ends.

mod mistakes;
mod payload;
mod proxy;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use framescope_core::capture::CaptureWriter;
use framescope_core::{ConnectionId, ConnectionInfo, Direction, Finish, Leg, Record, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

const CLIENT: Direction = Direction::ClientToServer;
const SERVER: Direction = Direction::ServerToClient;

/// `framescope` with a data directory of its own.
fn framescope(data: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("framescope"));
    command
        .args(arguments)
        .env("FRAMESCOPE_DATA_DIR", data.path())
        .env("TZ", "UTC")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    framescope(&data(), arguments).output().expect("it runs")
}

fn data() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("UTF-8")
}

/// Asserts an exit code, an empty stdout, and one `error:` line with this text; gives stderr.
fn assert_fails(output: &Output, code: i32, told: &str) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(text(&output.stdout), "", "stdout stays empty");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    assert!(errors[0].contains(told), "{stderr}");
    stderr
}

/// A capture of a short conversation: the handshake of RFC 6455 §1.3, a text each way, a close.
fn capture() -> Vec<u8> {
    capture_of(&[
        (CLIENT, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        (SERVER, b"\x81\x05Hello"),
    ])
}

/// The same with these frames in the place of the texts.
fn capture_of(frames: &[(Direction, &'static [u8])]) -> Vec<u8> {
    let connection = ConnectionId(1);
    let at = |millis: u64| Timestamp::from_nanos((1_700_000_000_000 + millis) * 1_000_000);
    let info = ConnectionInfo {
        client: "127.0.0.1:50412".parse().expect("an address"),
        server: "127.0.0.1:9870".parse().expect("an address"),
        mode: Some("reverse".into()),
        upstream: Some("ws://127.0.0.1:8080".into()),
        tls: None,
    };
    let octets = |millis, direction, octets: &'static [u8]| Record::Octets {
        connection,
        at: at(millis),
        leg: Leg::Client,
        direction,
        octets: Bytes::from_static(octets),
        in_proxy: None,
    };
    let finished = |millis, direction| Record::Finished {
        connection,
        at: at(millis),
        leg: Leg::Client,
        direction,
        how: Finish::Fin,
    };
    let mut records = vec![
        Record::Opened { connection, at: at(0), info: Box::new(info) },
        octets(
            1,
            CLIENT,
            b"GET /chat?token=s3cret HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nCookie: id=s3cret\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ),
        octets(
            2,
            SERVER,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        ),
    ];
    let mut millis = 2;
    for (direction, frame) in frames {
        millis += 1;
        records.push(octets(millis, *direction, frame));
    }
    records.push(octets(millis + 1, SERVER, b"\x88\x02\x03\xe8"));
    records.extend([finished(millis + 2, SERVER), finished(millis + 3, CLIENT)]);
    let mut writer = CaptureWriter::new(Vec::new()).expect("memory");
    for record in &records {
        writer.write(record).expect("memory");
    }
    writer.into_inner().expect("memory")
}

fn show_stdin(arguments: &[&str], capture: &[u8]) -> Output {
    let mut child = framescope(&data(), arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may end before it has read all.
    let _ = stdin.write_all(capture);
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

/// A running command, whose first line on stderr said where it listens. Killed when dropped.
struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
}

impl Running {
    fn start(data: &TempDir, arguments: &[&str]) -> Self {
        let mut child = framescope(data, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("listening on ").map(str::parse);
        let address = address.unwrap_or_else(|| panic!("{line}")).expect("an address");
        Self { child, stderr, address }
    }

    /// Asks it to end; gives exit code, stdout and the rest of stderr.
    fn stop(self, signal: &str) -> (Option<i32>, String, String) {
        self.send(signal);
        self.end()
    }

    fn send(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut out).expect("UTF-8");
        }
        self.stderr.read_to_string(&mut err).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), out, err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_tells_the_commands_and_the_exit_codes() {
    let help = text(&output(&["--help"]).stdout);
    for told in ["proxy", "show", "demo", "explain", "accept", "ca", "Exit codes:", "6  the certi"]
    {
        assert!(help.contains(told), "{told}: {help}");
    }
}

#[test]
fn explain_draws_a_frame_and_says_what_is_in_it() {
    let told = text(&output(&["explain", "81", "85", "37fa213d", "7f9f4d5158"]).stdout);
    for part in
        ["│1│0│0│0│0 0 0 1│1│0 0 0 0 1 0 1│", "7f ⊕ 37 = 48", "= plain  48 65 6c 6c 6f", "Hello"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn explain_marks_the_column_of_what_is_no_hex() {
    let stderr =
        assert_fails(&output(&["explain", "81 0g"]), 2, "'g' is not a hex digit at column 5");
    assert!(stderr.contains("  81 0g\n      ^\nhelp: "), "{stderr}");
    assert_fails(&output(&["explain", "NO_SUCH_RULE"]), 2, "there is no rule NO_SUCH_RULE");
    assert_fails(&show_stdin(&["explain", "-"], b""), 2, "no octets");
}

#[test]
fn explain_reads_raw_octets_and_hex_from_stdin() {
    for stdin in [&b"\x89\x00"[..], b"89:00\n"] {
        let told = text(&show_stdin(&["explain", "-"], stdin).stdout);
        assert!(told.starts_with("frame 1: an unmasked ping frame without payload"), "{told}");
    }
}

#[test]
fn accept_derives_the_rfcs_value_and_hashes_what_is_no_key() {
    let told = text(&output(&["accept", "dGhlIHNhbXBsZSBub25jZQ=="]).stdout);
    for part in ["74 68 65 20", "b3 7a 4f 2c", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let quiet = output(&["accept", "--quiet", "dGhlIHNhbXBsZSBub25jZQ=="]);
    assert_eq!(text(&quiet.stdout), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n");
    let invalid = output(&["accept", "foo"]);
    assert!(invalid.status.success());
    let told = text(&invalid.stdout);
    assert!(told.contains("not 16 octets of base64"), "{told}");
    assert!(told.contains("Sec-WebSocket-Accept: "), "{told}");
}

#[test]
fn show_writes_one_line_a_frame() {
    let shown = show_stdin(&["show", "-"], &capture());
    let told = text(&shown.stdout);
    for line in [
        "22:13:20.002    #1 ⇄ GET /chat?token=••• → 101 Switching Protocols  ✓ accept",
        "22:13:20.003    #1 ↑ text   F··· 37fa213d       5  Hello",
        "22:13:20.004    #1 ↓ text   F··· unmasked       5  Hello",
        "22:13:20.005    #1 ↓ close  F··· unmasked       2  1000 Normal Closure",
    ] {
        assert!(told.lines().any(|shown| shown == line), "{line}\n{told}");
    }
    assert!(!told.contains("s3cret") && !told.contains('\u{1b}'), "{told}");
    assert!(shown.status.success());
    assert!(text(&shown.stderr).starts_with("1 connection, 3 frames, 2 messages"));
}

#[test]
fn show_writes_the_same_json_from_a_file_and_from_stdin() {
    let folder = data();
    let file = folder.path().join("chat.pcapng");
    std::fs::write(&file, capture()).expect("a file");
    let from_file = output(&["show", "--json", &file.display().to_string()]);
    let from_stdin = show_stdin(&["show", "-", "--json"], &capture());
    assert_eq!(text(&from_file.stdout), text(&from_stdin.stdout));

    let told = text(&from_file.stdout);
    let lines: Vec<Value> = told.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let frames: Vec<&Value> = lines.iter().filter(|line| line["type"] == "frame").collect();
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[0]["masking_key"], "37fa213d");
    assert_eq!(frames[0]["message"]["text"], "Hello");
    assert_eq!(frames[0]["key"], "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(frames[2]["close"]["code"], 1000);
    assert!(!told.contains("s3cret"));

    let open = show_stdin(&["show", "-", "--json", "--show-secrets"], &capture());
    assert!(text(&open.stdout).contains("id=s3cret"));
}

#[test]
fn show_reads_all_that_is_whole_of_a_cut_capture() {
    let whole = capture();
    let cut = show_stdin(&["show", "-"], &whole[..whole.len() - 10]);
    assert!(cut.status.success());
    let told = text(&cut.stdout);
    assert!(told.contains("↓ close"), "{told}");
    assert!(told.contains("▲ the capture ends within a block"), "{told}");
}

#[test]
fn show_says_what_is_no_capture_and_writes_nothing() {
    let folder = data();
    let zip = folder.path().join("x.zip");
    std::fs::write(&zip, b"PK\x03\x04 and so on, as archives begin").expect("a file");
    let stderr =
        assert_fails(&output(&["show", &zip.display().to_string()]), 5, "is not a capture");
    assert!(stderr.contains("help: "), "{stderr}");
    assert_fails(
        &show_stdin(&["show", "-", "--json"], b"GET / HTTP/1.1\r\n\r\n"),
        5,
        "not a capture",
    );
    assert_fails(&output(&["show", "/nowhere/at/all.pcapng"]), 5, "no such file");
    assert_fails(&output(&["show", &folder.path().display().to_string()]), 5, "is a directory");
}

#[test]
fn a_reader_that_goes_away_ends_show_quietly() {
    let folder = data();
    let file = folder.path().join("chat.pcapng");
    std::fs::write(&file, capture()).expect("a file");
    let mut child = framescope(&folder, &["show", &file.display().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert!(ended.status.success());
    assert!(!text(&ended.stderr).contains("error"), "{}", text(&ended.stderr));
}

#[test]
fn ca_makes_tells_and_exports_the_authority() {
    let data = data();
    let path = framescope(&data, &["ca", "path"]).output().expect("it runs");
    let certificate = text(&path.stdout);
    let pem = std::fs::read_to_string(Path::new(certificate.trim_end())).expect("it is there");
    assert!(text(&path.stderr).contains("a new certificate authority was made"));

    for export in [&["ca", "export"][..], &["ca", "export", "-"]] {
        let to_stdout = framescope(&data, export).output().expect("it runs");
        let told = (text(&to_stdout.stdout), text(&to_stdout.stderr));
        assert_eq!(told, (pem.clone(), String::new()));
    }

    let copy = data.path().join("copy.pem");
    let export = || framescope(&data, &["ca", "export", &copy.display().to_string()]).output();
    assert!(export().expect("it runs").status.success());
    assert_eq!(std::fs::read_to_string(&copy).expect("it is there"), pem);
    assert_fails(&export().expect("it runs"), 5, "cannot write");

    let steps = framescope(&data, &["ca", "show", "--platform", "firefox"]).output();
    let steps = text(&steps.expect("it runs").stdout);
    assert!(steps.contains("Firefox") && !steps.contains("Android"), "{steps}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let data = data();
    assert!(framescope(&data, &["ca", "path"]).output().expect("it runs").status.success());
    let key = data.path().join("ca").join("ca-key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let refused = framescope(&data, &["ca", "path"]).output().expect("it runs");
    assert_fails(&refused, 6, "ca-key.pem");
}
