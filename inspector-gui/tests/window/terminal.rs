//! The program where there is no display: it shows the same in the terminal, and ends as `framescope` does.

use std::process::{Command, Output};

fn framescope_gui(arguments: &[&str]) -> Output {
    let data = tempfile::tempdir().expect("a folder");
    Command::new(env!("CARGO_BIN_EXE_framescope-gui"))
        .args(arguments)
        .env("FRAMESCOPE_DATA_DIR", data.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .expect("it runs")
}

fn assert_fails(arguments: &[&str], code: i32, told: &str) {
    let output = framescope_gui(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty() && stderr.contains(told), "{stderr}");
}

#[test]
fn what_cannot_be_shown_ends_with_the_code_of_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = folder.path().join("words.txt");
    std::fs::write(&words, "some words, and no capture").expect("a file");
    assert_fails(&["/nowhere/x.pcapng"], 5, "cannot open /nowhere/x.pcapng");
    // The upstream's certificate is judged as the options say, which its failures recommend.
    assert_fails(&["ws://a", "--insecure-upstream"], 2, "the upstream ws://a is not TLS");
    assert_fails(&["wss://a", "--upstream-ca", "/nowhere.pem"], 4, "/nowhere.pem");
    assert_fails(&["ftp://a"], 4, "must begin with ws://");
    assert_fails(&["-w", "-"], 2, "give a file, which the app reads as it grows");
    assert_fails(&["-w", "/"], 2, "it is a folder");
    #[cfg(unix)]
    assert_fails(&["-w", "/dev/null"], 2, "it is no regular file");
    #[cfg(target_os = "linux")]
    assert_fails(&[&words.display().to_string()], 5, "is not a capture");
}
