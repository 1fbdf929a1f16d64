//! Plain HTTP/1.1 through the same port: the page that opens the socket loads through the proxy too.

use framescope_core::{EventKind, Leg};
use framescope_tests::wire::{noise, request, response, sha256};
use framescope_tests::{Proxy, Upstream};

#[test]
fn a_kept_alive_connection_carries_several_exchanges_and_then_a_websocket() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("http"));
    let mut client = proxy.connect();

    client.send(b"GET /page HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut server = upstream.accept();
    let head = server.read_head();
    assert!(head.starts_with("GET /page HTTP/1.1\r\n"), "{head}");
    server.send(b"HTTP/1.1 200 OK\r\nX-Cased-Oddly: yes\r\nContent-Length: 5\r\n\r\n<p>hi");
    let answer = client.read_head();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("X-Cased-Oddly: yes\r\n"), "{answer}");
    client.expect(b"<p>hi");

    client.send(b"HEAD /page HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(server.read_head().starts_with("HEAD /page "));
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
    assert!(client.read_head().contains("500"));

    client.send(b"GET /again HTTP/1.1\r\nHost: h\r\nIf-None-Match: x\r\n\r\n");
    assert!(server.read_head().starts_with("GET /again "));
    server.send(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n");
    assert!(client.read_head().starts_with("HTTP/1.1 304 "));

    // The same connection now asks for a WebSocket: from here on octets are octets.
    let odd = "x-ODD:  spaced\r\n";
    client.send(request("/ws", "h", odd).as_bytes());
    let head = server.read_head();
    assert_eq!(head, request("/ws", &upstream.addr().to_string(), odd));
    server.send(response("").as_bytes());
    client.expect(response("").as_bytes());
    server.send(&noise(9, 5000));
    client.expect(&noise(9, 5000));

    drop((client, server));
    let recorded = proxy.stop();
    let targets = recorded.pick(|kind| match kind {
        EventKind::HeadReceived { leg: Leg::Client, head, .. } => head.target().map(str::to_owned),
        _ => None,
    });
    assert_eq!(targets, ["/page", "/page", "/again", "/ws"]);
    assert!(recorded.handshakes()[0].upgraded);
}

#[test]
fn a_large_upload_streams_through_in_chunks() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("http"));
    let mut client = proxy.connect();
    let body = noise(4, 3 << 20);
    let mut says = client.handle();
    let sent = body.clone();
    let sender = std::thread::spawn(move || {
        says.send(b"POST /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        for chunk in sent.chunks(70_000) {
            says.send(format!("{:x}\r\n", chunk.len()).as_bytes());
            says.send(chunk);
            says.send(b"\r\n");
        }
        says.send(b"0\r\n\r\n");
    });
    let mut server = upstream.accept();
    let head = server.read_head().to_ascii_lowercase();
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let mut arrived = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(server.read(1));
        }
        let line = String::from_utf8(line).unwrap();
        let len = usize::from_str_radix(line.trim(), 16).unwrap();
        arrived.extend(server.read(len));
        server.expect(b"\r\n");
        if len == 0 {
            break;
        }
    }
    assert_eq!(sha256(&arrived), sha256(&body));
    sender.join().unwrap();
    server.send(b"HTTP/1.1 204 No Content\r\n\r\n");
    assert!(client.read_head().starts_with("HTTP/1.1 204 "));
}

#[test]
fn server_sent_events_arrive_one_by_one() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("http"));
    let mut client = proxy.connect();
    client.send(b"GET /events HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n");
    let mut server = upstream.accept();
    server.read_head();
    server.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    assert!(client.read_head().contains("text/event-stream"));
    for event in ["data: one\n\n", "data: two\n\n"] {
        // The next event is sent only when this one has arrived: nothing is held back.
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        server.send(chunk.as_bytes());
        client.expect(chunk.as_bytes());
    }
}

#[test]
fn a_client_that_expects_100_is_told_to_go_on() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("http"));
    let mut client = proxy.connect();
    client.send(b"PUT /f HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    let server = std::thread::spawn({
        move || {
            let mut server = upstream.accept();
            let head = server.read_head();
            if head.to_ascii_lowercase().contains("expect: 100-continue") {
                server.send(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            server.expect(b"body");
            server.send(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        }
    });
    assert!(client.read_head().starts_with("HTTP/1.1 100 "));
    client.send(b"body");
    assert!(client.read_head().starts_with("HTTP/1.1 201 "));
    server.join().unwrap();
}

#[test]
fn a_response_that_lasts_until_the_close_ends_with_it() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("http"));
    let mut client = proxy.connect();
    client.send(b"GET /old HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let mut server = upstream.accept();
    server.read_head();
    server.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
    drop(server);
    let head = client.read_head();
    let (body, _) = client.read_to_end();
    let body = String::from_utf8(body).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("until the end"), "{head}{body}");
}

/// Nothing can be smuggled past others where each client has an upstream connection of its own; what a
/// server makes of ambiguous framing is then just what its user wants to see.
#[test]
fn requests_with_ambiguous_framing_reach_the_server_as_they_were_sent() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("http"));
    let host = upstream.addr().to_string();
    for ambiguous in [
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {}\r\nX: a\r\n folded\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: xchunked\r\n\r\nx",
        "GET / HTTP/1.1\r\nHost: {}\r\nNo colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding:\x0Bchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: +1\r\n\r\na",
        "GET / HTTP/1.1\nHost: {}\nX: bare line feeds\n\n",
        "GET / HTTP/1.1\r\nHost: {}\r\nX: a\rContent-Length: 9\r\n\r\n",
        "GET http://other.example/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {}\r\nHost: {}\r\n\r\n",
        "GET / HTTP/1.1\r\n X: before the first field\r\nHost: {}\r\n\r\n",
    ] {
        let mut client = proxy.connect();
        client.send(ambiguous.replace("{}", "h").as_bytes());
        let mut server = upstream.accept();
        server.expect(ambiguous.replace("{}", &host).as_bytes());
        server.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        client.expect(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    }
}

/// Of two clients at once each hears from its own upstream connection alone, even where one sends what
/// a server might take for two requests.
#[test]
fn what_one_client_smuggles_is_answered_to_that_client_alone() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("http"));
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut attacker = proxy.connect();
    let framing = "Content-Length: 0\r\nTransfer-Encoding: identity";
    attacker.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n{smuggled}").as_bytes());
    let mut of_attacker = upstream.accept();
    assert!(of_attacker.read_head().starts_with("POST / "));
    assert!(of_attacker.read_head().starts_with("GET /smuggled "));

    let mut victim = proxy.connect();
    victim.send(b"GET /mine HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut of_victim = upstream.accept();
    assert!(of_victim.read_head().starts_with("GET /mine "));
    for _ in 0..2 {
        of_attacker.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    }
    of_victim.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert!(victim.read_head().starts_with("HTTP/1.1 200 "));
    for _ in 0..2 {
        assert!(attacker.read_head().starts_with("HTTP/1.1 403 "));
    }
}
