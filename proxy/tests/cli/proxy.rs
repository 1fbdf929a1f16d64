//! `framescope proxy`: what it says where while it runs, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use crate::{Running, assert_fails, capture, data, framescope, output, text};

#[test]
fn a_proxy_that_cannot_start_says_why_and_how_to_mend_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    let stderr = assert_fails(&output(&["proxy", "ws://a", "--listen", &taken]), 3, "already uses");
    assert!(stderr.contains("help: port "), "{stderr}");
    assert_fails(&output(&["demo", "--listen", &taken]), 3, "already uses that port");

    let any = ["--listen", "0"];
    let fails = |arguments: &[&str], code, told| {
        let arguments: Vec<&str> = ["proxy"].iter().chain(arguments).chain(&any).copied().collect();
        assert_fails(&output(&arguments), code, told)
    };
    fails(&["ftp://a"], 4, "must begin with ws://");
    fails(&["wss://a", "--upstream-ca", "/nowhere.pem"], 4, "/nowhere.pem");
    fails(&["ws://a", "-w", "/nowhere/at/all.pcapng"], 5, "cannot be made");
    fails(&["ws://a", "--cert", "x.pem"], 2, "required");
    assert_fails(&output(&["proxy", "ws://a", "--listen", "127.0.0.1"]), 2, "--listen");

    let data = data();
    let full = data.path().join("full.pcapng");
    std::fs::write(&full, capture()).expect("a file");
    fails(&["ws://a", "-w", &full.display().to_string()], 5, "exists");
    assert_eq!(std::fs::read(&full).expect("it is there"), capture(), "it is left as it was");
}

/// Sends an upgrade request and reads the answer's first line.
fn upgrade(address: SocketAddr, target: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        assert_eq!(stream.read(&mut octet).expect("it answers"), 1, "{}", text(&head));
        head.push(octet[0]);
    }
    let first_line = text(&head).lines().next().unwrap_or_default().to_owned();
    (stream, first_line)
}

/// Sends the masked text `Hello` of RFC 6455 §5.7 and reads its echo.
fn say_hello(stream: &mut TcpStream) {
    stream.write_all(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58").expect("it reads");
    let mut echo = [0; 7];
    stream.read_exact(&mut echo).expect("it answers");
    assert_eq!(&echo, b"\x81\x05Hello");
}

#[cfg(unix)]
#[test]
fn a_proxy_shows_frames_and_ends_with_the_capture_complete() {
    let data = data();
    let demo = Running::start(&data, &["demo", "--listen", "0"]);
    let upstream = format!("ws://{}", demo.address);
    for (signal, format) in [("INT", "--json"), ("TERM", "--show-secrets")] {
        let capture = data.path().join(format!("{signal}.pcapng")).display().to_string();
        let arguments = ["proxy", &upstream, "--listen", "0", format, "-w", &capture];
        let proxy = Running::start(&data, &arguments);
        let (mut stream, answer) = upgrade(proxy.address, "/echo");
        assert_eq!(answer, "HTTP/1.1 101 Switching Protocols");
        say_hello(&mut stream);
        let (code, live, told) = proxy.stop(signal);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("the capture is complete"), "{told}");
        assert!(live.contains("Hello") || live.contains("SGVsbG8="), "{live}");

        // What is shown live is what the capture shows.
        let replayed = framescope(&data, &["show", &capture, format]).output().expect("it runs");
        assert_eq!(text(&replayed.stdout), live);
    }
    assert_eq!(demo.stop("TERM").0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_quiet_proxy_writes_the_capture_alone() {
    let data = data();
    let demo = Running::start(&data, &["demo", "--listen", "0"]);
    let upstream = format!("ws://{}", demo.address);
    let capture = data.path().join("quiet.pcapng").display().to_string();
    let arguments = ["proxy", &upstream, "--listen", "0", "--quiet", "-w", &capture];
    let proxy = Running::start(&data, &arguments);
    say_hello(&mut upgrade(proxy.address, "/echo").0);
    let (code, out, err) = proxy.stop("TERM");
    assert_eq!((code, &*out), (Some(0), ""));
    assert_eq!(err, format!("  capture      {capture}\n"));
    let shown = framescope(&data, &["show", &capture]).output().expect("it runs");
    assert!(text(&shown.stdout).contains("↑ text   F··· 37fa213d       5  Hello"));
    assert_eq!(demo.stop("INT").0, Some(0));
}

#[test]
fn a_proxy_ends_quietly_when_nobody_reads_its_view() {
    let data = data();
    let demo = Running::start(&data, &["demo", "--listen", "0"]);
    let upstream = format!("ws://{}", demo.address);
    let mut proxy = Running::start(&data, &["proxy", &upstream, "--listen", "0"]);
    drop(proxy.child.stdout.take());
    // Whether it ends before or after its answer is a matter of who comes first.
    let mut client = TcpStream::connect(proxy.address).expect("it listens");
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("sent");
    let _ = client.read_to_end(&mut Vec::new());
    let (code, _, told) = proxy.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("the capture is complete") && !told.contains("error"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_proxy_whose_view_is_stuck() {
    let data = data();
    let demo = Running::start(&data, &["demo", "--listen", "0"]);
    let upstream = format!("ws://{}", demo.address);
    let capture = data.path().join("stuck.pcapng").display().to_string();
    let mut proxy = Running::start(&data, &["proxy", &upstream, "--listen", "0", "-w", &capture]);
    let (mut stream, _) = upgrade(proxy.address, "/echo");
    // Their lines are far more than a pipe holds.
    (0..2000).for_each(|_| say_hello(&mut stream));
    proxy.send("INT");
    let _ = stream.read_to_end(&mut Vec::new());
    proxy.send("INT");
    assert_eq!(proxy.child.wait().expect("it ends").code(), Some(130));
    let shown = framescope(&data, &["show", &capture]).output().expect("it runs");
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let lines = text(&shown.stdout).lines().filter(|line| line.ends_with("Hello")).count();
    assert_eq!(lines, 4000);
    assert_eq!(demo.stop("TERM").0, Some(0));
}

#[cfg(unix)]
#[test]
fn what_is_written_to_a_pipe_has_no_view() {
    let data = data();
    let pipe = data.path().join("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().expect("cat runs");
    let failed = output(&["proxy", "ws://a", "--listen", "0", "-w", &pipe]);
    let told = assert_fails(&failed, 5, "is no file that can be read back");
    assert!(told.contains("--quiet"), "{told}");
    assert!(!reader.wait_with_output().expect("it ends").stdout.is_empty(), "all of it is cat's");
}

#[test]
fn an_upstream_that_is_not_there_is_told_in_the_view() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let data = data();
    let mut proxy = Running::start(&data, &["proxy", &format!("ws://{free}"), "--listen", "0"]);
    let (_, answer) = upgrade(proxy.address, "/");
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    let mut view = BufReader::new(proxy.child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("✗ dial: ") {
        line.clear();
        assert_ne!(view.read_line(&mut line).expect("UTF-8"), 0, "the view ended");
    }
    assert!(line.contains(&free.to_string()), "{line}");
}

#[test]
fn what_is_dangerous_is_said_loudly_behind_the_first_line() {
    let data = data();
    let arguments = ["proxy", "wss://a.invalid", "--listen", "0.0.0.0:0", "--insecure-upstream"];
    let mut proxy = Running::start(&data, &arguments);
    let mut warnings = String::new();
    for _ in 0..2 {
        proxy.stderr.read_line(&mut warnings).expect("a line");
    }
    assert!(warnings.starts_with("WARNING: the upstream's certificate is NOT verified"));
    assert!(warnings.contains("WARNING: other machines can connect"), "{warnings}");
}
