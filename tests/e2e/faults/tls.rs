//! TLS that goes wrong: alerts, records that are none, hellos that stop.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use framescope_core::{Direction, Finish};
use framescope_tests::peer::End;
use framescope_tests::tls::{TlsUpstream, client as tls_client};
use framescope_tests::wire::response;
use framescope_tests::{Client, Peer, Proxy, Recorded, Speaks, Upstream};

/// What the capture says of one connection that failed in TLS.
fn assert_failed(recorded: &Recorded, stage: &str, words: &str) {
    let failures = recorded.failures();
    let failure = failures.first().expect("a failure in the capture");
    assert_eq!(failure.stage, stage, "{}", failure.message);
    assert!(failure.message.contains(words), "{}", failure.message);
}

#[test]
fn a_client_that_does_not_trust_the_certificate_is_recorded_with_its_alert() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let stranger = TlsUpstream::for_name("localhost");
    let stream = TcpStream::connect(proxy.addr()).unwrap();
    let mut client = tls_client(stream, &stranger.ca(), "localhost");
    let refused = client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let _ = client.flush();
    drop(client);
    proxy.await_served(1);
    assert_failed(&proxy.stop(), "client-tls", "does not trust");
}

#[test]
fn hellos_that_stop_or_are_none_are_recorded_and_answered_with_an_alert() {
    let hello_of_tls_1_0 = b"\x16\x03\x01\x00\x31\x01\x00\x00\x2d\x03\x01";
    for (said, expected) in [
        (&hello_of_tls_1_0[..], "during the TLS handshake"),
        (b"\x16\x03\x01\x00\x05hello", ""),
        (b"\x16\x03\x01\xff\xff", ""),
    ] {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let mut client = Peer::connect(proxy.addr());
        client.send(said);
        client.finish();
        let (answer, _) = client.read_to_end();
        assert!(answer.is_empty() || answer.starts_with(b"\x15\x03"), "an alert or nothing");
        drop(client);
        assert_failed(&proxy.stop(), "client-tls", expected);
    }
}

#[test]
fn a_record_that_does_not_decrypt_ends_both_sides_and_is_recorded() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let (mut client, mut server) = upstream.open(Client::connect(&proxy, Speaks::Tls), "");
    client.send(b"\x81\x82\0\0\0\0ok");
    server.expect(b"\x81\x82\0\0\0\0ok");
    let mut tcp = client.tcp();
    tcp.write_all(b"\x17\x03\x03\x00\x20this is no record of this stream").unwrap();
    let (rest, _) = server.read_to_end();
    assert_eq!(rest, b"");
    let recorded = proxy.stop();
    assert_failed(&recorded, "relay", "reading from the client failed");
    assert!(recorded.lane(Direction::ClientToServer).ends_with(b"ok"));
}

#[test]
fn tls_that_ends_without_close_notify_is_passed_on_and_noted() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let (client, mut server) = upstream.open(Client::connect(&proxy, Speaks::Tls), "");
    client.tcp().shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read_to_end().0, b"");
    let noted = proxy.stop().pick(|kind| match kind {
        framescope_core::EventKind::ConnectionNoted(note) => note.without_close_notify,
        _ => None,
    });
    assert_eq!(noted, [Direction::ClientToServer]);
}

/// What an upstream does instead of ending its TLS handshake.
const INSTEAD_OF_A_HANDSHAKE: [(&str, &[u8], bool); 4] = [
    ("FIN", b"", false),
    ("RST", b"", true),
    ("a fatal alert", b"\x15\x03\x03\x00\x02\x02\x28", false),
    ("no TLS", b"HTTP/1.1 400 Bad Request\r\n\r\n", false),
];

#[test]
fn an_upstream_that_fails_in_its_tls_handshake_is_answered_for_with_502() {
    for speaks in Speaks::BOTH {
        for (what, said, resets) in INSTEAD_OF_A_HANDSHAKE {
            let upstream = Upstream::bind();
            let proxy = Proxy::start(&upstream.url("wss"));
            let mut client = Client::connect(&proxy, speaks);
            client.ask();
            let mut server = upstream.accept();
            // Its hello is there before an RST could overtake it.
            assert_eq!(server.read(1), b"\x16");
            server.send(said);
            if resets {
                server.reset();
            } else {
                server.finish();
            }
            let (answer, end) = client.read_until_end();
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(answer.starts_with("HTTP/1.1 502 "), "{speaks:?}, {what}: {answer}");
            assert_eq!(end, End::Fin, "{speaks:?}, {what}");
            assert_failed(&proxy.stop(), "upstream-tls", "");
        }
    }
}

/// How an upstream that speaks TLS ends in the middle of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    CloseNotify,
    FinAlone,
    Reset,
    /// A record that does not decrypt.
    Garbage,
}

#[test]
fn an_upstream_over_tls_that_ends_in_a_frame_is_passed_on_as_it_ended() {
    let tls = TlsUpstream::for_name("127.0.0.1");
    let part_of_frame = b"\x82\x7e\x10\x00only so far";
    let down = Direction::ServerToClient;
    for speaks in Speaks::BOTH {
        for farewell in
            [Farewell::CloseNotify, Farewell::FinAlone, Farewell::Reset, Farewell::Garbage]
        {
            let case = format!("{speaks:?}, {farewell:?}");
            let upstream = Upstream::bind();
            let proxy = Proxy::start_with(&upstream.url("wss"), |config| {
                config.upstream_ca = Some(tls.ca());
            });
            let mut client = Client::connect(&proxy, speaks);
            client.ask();
            let mut server = tls.accept(upstream.accept().into_stream());
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut octet = [0];
                server.read_exact(&mut octet).unwrap();
                head.extend(octet);
            }
            server.write_all(response("").as_bytes()).unwrap();
            server.write_all(part_of_frame).unwrap();
            server.flush().unwrap();
            client.expect_answer();
            assert_eq!(client.read(part_of_frame.len()), part_of_frame, "{case}");
            match farewell {
                Farewell::CloseNotify => {
                    server.conn.send_close_notify();
                    server.flush().unwrap();
                    server.sock.shutdown(Shutdown::Write).unwrap();
                }
                Farewell::FinAlone => server.sock.shutdown(Shutdown::Write).unwrap(),
                Farewell::Reset => Client::Plain(server.sock.try_clone().unwrap()).reset(),
                Farewell::Garbage => {
                    server
                        .sock
                        .write_all(b"\x17\x03\x03\x00\x20no record of this stream at all..")
                        .unwrap();
                }
            }
            if farewell == Farewell::Reset {
                drop(server);
            }
            let (rest, end) = client.read_until_end();
            assert_eq!(rest, b"", "{case}");
            let expected = match (farewell, speaks) {
                (Farewell::CloseNotify, _) | (Farewell::FinAlone, Speaks::Plain) => End::Fin,
                (Farewell::FinAlone, Speaks::Tls) => End::Cut,
                (Farewell::Reset | Farewell::Garbage, _) => End::Reset,
            };
            assert_eq!(end, expected, "{case}");
            drop(client);
            proxy.await_served(1);
            let recorded = proxy.stop();
            let how = if end == End::Reset { Finish::Reset } else { Finish::Fin };
            assert_eq!(recorded.endings()[0], (down, how), "{case}");
            assert!(recorded.lane(down).ends_with(part_of_frame), "{case}");
            assert_eq!(
                recorded.failures().len(),
                usize::from(farewell == Farewell::Garbage),
                "{case}"
            );
        }
    }
}
