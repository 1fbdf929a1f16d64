//! TLS on either side: one port for plain and TLS clients, verified upstreams.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use framescope_core::EventKind;
use framescope_tests::tls::{TlsUpstream, client as tls_client};
use framescope_tests::wire::{noise, request, response, sha256};
use framescope_tests::{Proxy, Upstream};

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet).unwrap();
        head.extend(octet);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn one_port_takes_plain_and_tls_clients_alike() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let ca = proxy.data_dir().join("ca/ca-cert.pem");
    for name in ["127.0.0.1", "localhost", "chat.example"] {
        let stream = TcpStream::connect(proxy.addr()).unwrap();
        let mut client = tls_client(stream, &ca, name);
        client.write_all(request("/", name, "").as_bytes()).unwrap();
        let mut server = upstream.accept();
        server.read_head();
        server.send(response("").as_bytes());
        assert_eq!(read_head(&mut client), response(""));
        let octets = noise(5, 300_000);
        let mut says = server.handle();
        let sent = octets.clone();
        let sender = thread::spawn(move || says.send(&sent));
        let mut arrived = vec![0; octets.len()];
        client.read_exact(&mut arrived).unwrap();
        sender.join().unwrap();
        assert_eq!(sha256(&arrived), sha256(&octets));
        client.write_all(&octets).unwrap();
        client.flush().unwrap();
        assert_eq!(sha256(&server.read(octets.len())), sha256(&octets));
    }
    let mut plain = proxy.connect();
    plain.send(request("/", "h", "").as_bytes());
    upstream.accept().read_head();

    drop(plain);
    let recorded = proxy.stop();
    let tls = recorded.pick(|kind| match kind {
        EventKind::ConnectionOpened(info) => Some(info.tls.clone()),
        _ => None,
    });
    let versions: Vec<_> = tls.iter().map(|tls| tls.as_ref()?.version.clone()).collect();
    let tls13 = Some("TLSv1.3".to_owned());
    assert_eq!(versions, [tls13.clone(), tls13.clone(), tls13, None]);
    let sni: Vec<_> = tls.iter().map(|tls| tls.as_ref()?.sni.clone()).collect();
    assert_eq!(sni, [None, Some("localhost".into()), Some("chat.example".into()), None]);
}

#[test]
fn an_upstream_with_a_trusted_certificate_is_reached_over_tls() {
    let tls = TlsUpstream::for_name("127.0.0.1");
    let upstream = Upstream::bind();
    let proxy =
        Proxy::start_with(&upstream.url("wss"), |config| config.upstream_ca = Some(tls.ca()));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut server = tls.accept(upstream.accept().into_stream());
            assert!(read_head(&mut server).starts_with("GET /tls "));
            server.write_all(response("").as_bytes()).unwrap();
            server.write_all(b"\x81\x06secret").unwrap();
            let mut answer = [0; 8];
            server.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"\x81\x82\0\0\0\0ok");
        });
        let mut client = proxy.connect();
        client.send(request("/tls", "h", "").as_bytes());
        client.expect(response("").as_bytes());
        client.expect(b"\x81\x06secret");
        client.send(b"\x81\x82\0\0\0\0ok");
    });
    let recorded = proxy.stop();
    assert_eq!(recorded.messages()[0].data, "secret");
    let upstream_tls = recorded.pick(|kind| match kind {
        EventKind::ConnectionNoted(note) => note.upstream_tls.clone(),
        _ => None,
    });
    assert_eq!(upstream_tls[0].version.as_deref(), Some("TLSv1.3"));
    assert!(!upstream_tls[0].unverified);
}

#[test]
fn an_upstream_with_an_unknown_certificate_is_refused_with_the_mend() {
    let tls = TlsUpstream::for_name("127.0.0.1");
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("wss"));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut server = tls.accept(upstream.accept().into_stream());
            let mut octet = [0];
            assert!(server.read(&mut octet).is_err() || octet == [0], "the handshake fails");
        });
        let mut client = proxy.connect();
        client.send(request("/", "h", "").as_bytes());
        let answer = client.read_head();
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
        let (body, _) = client.read_to_end();
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains("--upstream-ca"), "{body}");
    });
    let failures = proxy.stop().pick(|kind| match kind {
        EventKind::ConnectionNoted(note) => note.failure.clone(),
        _ => None,
    });
    assert_eq!(failures[0].stage, "upstream-tls");
}

#[test]
fn an_upstream_that_is_not_verified_is_marked_as_such() {
    let tls = TlsUpstream::for_name("another.example");
    let upstream = Upstream::bind();
    let proxy = Proxy::start_with(&upstream.url("wss"), |config| config.insecure_upstream = true);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut server = tls.accept(upstream.accept().into_stream());
            read_head(&mut server);
            server.write_all(response("").as_bytes()).unwrap();
            let mut end = Vec::new();
            let _ = server.read_to_end(&mut end);
        });
        let mut client = proxy.connect();
        client.send(request("/", "h", "").as_bytes());
        client.expect(response("").as_bytes());
        drop(client);
    });
    let unverified = proxy.stop().pick(|kind| match kind {
        EventKind::ConnectionNoted(note) => note.upstream_tls.as_ref().map(|tls| tls.unverified),
        _ => None,
    });
    assert_eq!(unverified, [true]);
}

#[test]
fn tls_on_both_sides_is_still_octet_for_octet() {
    let tls = TlsUpstream::for_name("127.0.0.1");
    let upstream = Upstream::bind();
    let proxy =
        Proxy::start_with(&upstream.url("wss"), |config| config.upstream_ca = Some(tls.ca()));
    let ca = proxy.data_dir().join("ca/ca-cert.pem");
    let (up, down) = (noise(6, 1 << 20), noise(7, 1 << 20));
    thread::scope(|scope| {
        let (up_sent, down_sent) = (&up, &down);
        let upstream = &upstream;
        let tls = &tls;
        scope.spawn(move || {
            let mut server = tls.accept(upstream.accept().into_stream());
            read_head(&mut server);
            server.write_all(response("").as_bytes()).unwrap();
            let mut arrived = vec![0; up_sent.len()];
            server.read_exact(&mut arrived).unwrap();
            assert_eq!(sha256(&arrived), sha256(up_sent));
            server.write_all(down_sent).unwrap();
            server.flush().unwrap();
            server.conn.send_close_notify();
            server.flush().unwrap();
            let mut end = Vec::new();
            let _ = server.read_to_end(&mut end);
        });
        let mut client = tls_client(TcpStream::connect(proxy.addr()).unwrap(), &ca, "localhost");
        client.write_all(request("/", "localhost", "").as_bytes()).unwrap();
        assert_eq!(read_head(&mut client), response(""));
        client.write_all(&up).unwrap();
        client.flush().unwrap();
        let mut arrived = vec![0; down.len()];
        client.read_exact(&mut arrived).unwrap();
        assert_eq!(sha256(&arrived), sha256(&down));
        // close_notify goes through as the end of the octets.
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    });
}
