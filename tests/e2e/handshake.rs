//! The opening handshake through the proxy: as sent, checked, refused.

use framescope_core::handshake::AcceptVerdict;
use framescope_tests::wire::{request, response};
use framescope_tests::{Proxy, Upstream};

#[test]
fn the_request_goes_through_as_sent_but_for_host() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let mut client = proxy.connect();
    let odd = "x-ODD:  spaced \t\r\nX-Twice: 1\r\nx-twice: 2\r\nSec-WebSocket-Protocol: a, b\r\n";
    client.send(request("/chat?room=1", "front.example", odd).as_bytes());

    let mut server = upstream.accept();
    let host = upstream.addr().to_string();
    assert_eq!(server.read_head(), request("/chat?room=1", &host, odd));
    server.send(response("sec-websocket-PROTOCOL:b\r\n").as_bytes());
    client.expect(response("sec-websocket-PROTOCOL:b\r\n").as_bytes());

    let stats = proxy.engine().stats();
    assert_eq!(stats.octets_in, stats.octets_out, "an edited head counts as what it was");
    drop((client, server));
    let recorded = proxy.stop();
    let handshake = &recorded.handshakes()[0];
    assert!(handshake.upgraded);
    assert_eq!(handshake.accept.verdict, AcceptVerdict::Matches);
    assert_eq!(handshake.subprotocol.chosen, ["b"]);
    assert_eq!(handshake.request.value("Host").unwrap(), "front.example");
    let forwarded = handshake.forwarded_request.as_ref().unwrap();
    assert_eq!(forwarded.value("Host").unwrap(), host);
}

#[test]
fn preserve_host_changes_no_octet() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start_with(&upstream.url("ws"), |config| config.preserve_host = true);
    let mut client = proxy.connect();
    let sent = request("/", "front.example", "Origin: http://front.example\r\n");
    client.send(sent.as_bytes());
    assert_eq!(upstream.accept().read_head(), sent);
}

#[test]
fn the_base_path_of_the_upstream_goes_before_the_target() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&format!("{}/base", upstream.url("ws")));
    let mut client = proxy.connect();
    client.send(request("/chat?x=1", "h", "").as_bytes());
    assert!(upstream.accept().read_head().starts_with("GET /base/chat?x=1 HTTP/1.1\r\n"));
}

#[test]
fn the_proxys_own_origin_becomes_the_upstreams() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let own = proxy.addr().to_string();
    let mut client = proxy.connect();
    client.send(request("/", &own, &format!("Origin: http://{own}\r\n")).as_bytes());
    let seen = upstream.accept().read_head();
    assert!(seen.contains(&format!("Origin: http://{}\r\n", upstream.addr())), "{seen}");

    let mut client = proxy.connect();
    client.send(request("/", &own, "Origin: http://elsewhere.example\r\n").as_bytes());
    let seen = upstream.accept().read_head();
    assert!(seen.contains("Origin: http://elsewhere.example\r\n"), "{seen}");
}

#[test]
fn a_wrong_accept_is_passed_on_and_marked() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let mut client = proxy.connect();
    client.send(request("/", "h", "").as_bytes());
    let mut server = upstream.accept();
    server.read_head();
    let wrong = response("").replace("s3pPLMBi", "AAAAAAAA");
    server.send(wrong.as_bytes());
    client.expect(wrong.as_bytes());
    drop((client, server));
    let recorded = proxy.stop();
    assert_eq!(recorded.handshakes()[0].accept.verdict, AcceptVerdict::Differs);
    assert!(recorded.codes().contains(&"HANDSHAKE_ACCEPT_WRONG"), "{:?}", recorded.codes());
}

#[test]
fn strict_answers_502_to_a_wrong_or_missing_accept() {
    for accept in ["Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n", ""] {
        let upstream = Upstream::bind();
        let proxy = Proxy::start_with(&upstream.url("ws"), |config| config.strict = true);
        let mut client = proxy.connect();
        client.send(request("/", "h", "").as_bytes());
        let mut server = upstream.accept();
        server.read_head();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{accept}\r\n"
        );
        server.send(head.as_bytes());
        let answer = client.read_head();
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
        let (reason, _) = client.read_to_end();
        let reason = String::from_utf8(reason).unwrap();
        assert!(reason.contains("Sec-WebSocket-Accept"), "{reason}");
    }
}

#[test]
fn strict_lets_a_right_accept_through() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start_with(&upstream.url("ws"), |config| config.strict = true);
    let mut client = proxy.connect();
    client.send(request("/", "h", "").as_bytes());
    let mut server = upstream.accept();
    server.read_head();
    server.send(response("").as_bytes());
    client.expect(response("").as_bytes());
}

#[test]
fn a_refused_upgrade_reaches_the_client_unchanged() {
    let refusals = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 302 Found\r\nlocation: /login\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    ];
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    for refusal in refusals {
        let mut client = proxy.connect();
        client.send(request("/", "h", "").as_bytes());
        let mut server = upstream.accept();
        server.read_head();
        server.send(refusal.as_bytes());
        client.expect(refusal.as_bytes());
    }
    let recorded = proxy.stop();
    let seen: Vec<_> =
        recorded.handshakes().iter().map(|h| (h.upgraded, h.response.status().unwrap())).collect();
    assert_eq!(
        seen,
        [(false, 200), (false, 302), (false, 401), (false, 403), (false, 426), (false, 503)]
    );
}

#[test]
fn after_a_refusal_the_same_connection_may_try_again() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let mut client = proxy.connect();
    client.send(request("/first", "h", "").as_bytes());
    let mut server = upstream.accept();
    server.read_head();
    let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!";
    server.send(refusal.as_bytes());
    client.expect(refusal.as_bytes());

    client.send(request("/second", "h", "Authorization: Basic eA==\r\n").as_bytes());
    let head = server.read_head();
    assert!(head.starts_with("GET /second "), "{head}");
    server.send(response("").as_bytes());
    client.expect(response("").as_bytes());
    client.send(b"\x81\x80\x00\x00\x00\x00");
    server.expect(b"\x81\x80\x00\x00\x00\x00");
}

#[test]
fn an_interim_response_before_the_101_is_passed_on() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let mut client = proxy.connect();
    client.send(request("/", "h", "").as_bytes());
    let mut server = upstream.accept();
    server.read_head();
    let both = format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{}", response(""));
    server.send(both.as_bytes());
    client.expect(both.as_bytes());
    server.send(b"\x81\x01A");
    client.expect(b"\x81\x01A");
}

#[test]
fn an_unreachable_upstream_is_a_502_that_names_it() {
    let nobody = Upstream::bind();
    let url = nobody.url("ws");
    let addr = nobody.addr().to_string();
    drop(nobody);
    let proxy = Proxy::start(&url);
    let mut client = proxy.connect();
    client.send(request("/", "h", "").as_bytes());
    let answer = client.read_head();
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let (body, _) = client.read_to_end();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains(&addr), "{body}");
}

#[test]
fn a_head_in_single_octets_is_one_head() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let mut client = proxy.connect();
    for octet in request("/slow", "h", "").as_bytes() {
        client.send(&[*octet]);
    }
    let mut server = upstream.accept();
    assert!(server.read_head().starts_with("GET /slow "));
    for octet in response("").as_bytes() {
        server.send(&[*octet]);
    }
    client.expect(response("").as_bytes());
}
