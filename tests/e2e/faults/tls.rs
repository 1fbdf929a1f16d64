//! TLS that goes wrong: alerts, records that are none, hellos that stop.

use std::io::Write;
use std::net::TcpStream;

use framescope_core::Direction;
use framescope_tests::tls::{TlsUpstream, client as tls_client};
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
    client.tcp().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(server.read_to_end().0, b"");
    let noted = proxy.stop().pick(|kind| match kind {
        framescope_core::EventKind::ConnectionNoted(note) => note.without_close_notify,
        _ => None,
    });
    assert_eq!(noted, [Direction::ClientToServer]);
}
