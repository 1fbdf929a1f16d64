//! Peers that end at every stage, with FIN and with RST, over plain and TLS listeners.

use framescope_core::connection::Failure;
use framescope_core::{Direction, Finish, Opcode};
use framescope_tests::peer::End;
use framescope_tests::wire::{NO_MASK, frame, request, response};
use framescope_tests::{Client, Proxy, Speaks, Upstream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Fin,
    Reset,
}

/// A proxy that has met a fault serves the next connection as if nothing had been.
fn assert_serves(proxy: &Proxy, upstream: &Upstream, speaks: Speaks) {
    let (mut client, mut server) = upstream.open(Client::connect(proxy, speaks), "");
    server.send(b"\x81\x02ok");
    assert_eq!(client.read(4), b"\x81\x02ok");
}

#[test]
fn an_upstream_that_dies_at_any_stage_is_passed_on_as_what_it_said_and_how_it_ended() {
    let part_of_frame = [response("").as_bytes(), b"\x82\x7e\x10\x00only so far"].concat();
    let part_of_body = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789".to_vec();
    let stages: [(&str, Vec<u8>); 5] = [
        ("accepted", Vec::new()),
        ("in its head", b"HTTP/1.1 101 Switching Pro".to_vec()),
        ("in a body", part_of_body),
        ("upgraded", response("").into_bytes()),
        ("in a frame", part_of_frame),
    ];
    for speaks in Speaks::BOTH {
        for how in [How::Fin, How::Reset] {
            for (stage, said) in &stages {
                let case = format!("{speaks:?}, {how:?}, {stage}");
                let upstream = Upstream::bind();
                let proxy = Proxy::start(&upstream.url("ws"));
                let mut client = Client::connect(&proxy, speaks);
                client.ask();
                let mut server = upstream.accept();
                server.read_head();
                server.send(said);
                // Octets that an RST overtakes are lost on any wire: they are to arrive first.
                let whole = matches!(*stage, "upgraded" | "in a body" | "in a frame");
                let mut seen = if whole { client.read(said.len()) } else { Vec::new() };
                match how {
                    How::Fin => server.finish(),
                    How::Reset => server.reset(),
                }
                let (rest, end) = client.read_until_end();
                seen.extend(rest);
                if whole || how == How::Fin {
                    assert_eq!(seen, *said, "{case}");
                } else {
                    assert!(said.starts_with(&seen), "{case}");
                }
                let expected = if how == How::Reset { End::Reset } else { End::Fin };
                assert_eq!(end, expected, "{case}");
                drop(client);
                proxy.await_served(1);
                assert_serves(&proxy, &upstream, speaks);
                let recorded = proxy.stop();
                let down = recorded.endings_of_first()[0];
                let finish = if how == How::Reset { Finish::Reset } else { Finish::Fin };
                assert_eq!(down, (Direction::ServerToClient, finish), "{case}");
                assert!(recorded.lane(Direction::ServerToClient).starts_with(&seen), "{case}");
            }
        }
    }
}

#[test]
fn an_upstream_that_is_not_there_is_answered_for_with_502() {
    for speaks in Speaks::BOTH {
        let gone = Upstream::bind().url("ws");
        let proxy = Proxy::start(&gone);
        let mut client = Client::connect(&proxy, speaks);
        client.ask();
        let (answer, end) = client.read_until_end();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains(&gone), "{answer}");
        assert_eq!(end, End::Fin);
        assert_eq!(proxy.stop().failures()[0].stage, "dial");
    }
}

#[test]
fn a_client_that_dies_at_any_stage_is_passed_on_as_what_it_said_and_how_it_ended() {
    let head = request("/", "h", "").into_bytes();
    let part_of_frame = frame(true, Opcode::Binary, Some(NO_MASK), &[7; 1000])[..500].to_vec();
    let post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n0123456789";
    // What it says, whether that is enough to reach the upstream, whether it is answered.
    let stages: [(&str, Vec<u8>, bool, bool); 7] = [
        ("silent", Vec::new(), false, false),
        ("sniffed", b"GE".to_vec(), false, false),
        ("in its head", head[..40].to_vec(), false, false),
        ("asked", head.clone(), true, false),
        ("in a body", post.to_vec(), true, false),
        ("upgraded", head.clone(), true, true),
        ("in a frame", head, true, true),
    ];
    for speaks in Speaks::BOTH {
        for how in [How::Fin, How::Reset] {
            for (stage, said, reaches, answered) in &stages {
                let case = format!("{speaks:?}, {how:?}, {stage}");
                let upstream = Upstream::bind();
                let proxy = Proxy::start(&upstream.url("ws"));
                let mut client = Client::connect(&proxy, speaks);
                client.send(said);
                let server = reaches.then(|| {
                    let mut server = upstream.accept();
                    server.read_head();
                    if *stage == "in a body" {
                        server.expect(b"0123456789");
                    }
                    if *answered {
                        server.send(response("").as_bytes());
                        client.expect_answer();
                    }
                    if *stage == "in a frame" {
                        client.send(&part_of_frame);
                        server.expect(&part_of_frame);
                    }
                    server
                });
                let half_open = match how {
                    How::Fin => {
                        client.finish();
                        Some(client)
                    }
                    How::Reset => {
                        client.reset();
                        None
                    }
                };
                if let Some(mut server) = server {
                    let expected = if how == How::Reset { End::Reset } else { End::Fin };
                    assert_eq!(server.read_to_end(), (Vec::new(), expected), "{case}");
                }
                drop(half_open);
                proxy.await_served(1);
                assert_serves(&proxy, &upstream, speaks);
                let recorded = proxy.stop();
                let all = [&said[..], if *stage == "in a frame" { &part_of_frame } else { b"" }];
                let lane = recorded.lane(Direction::ClientToServer);
                // An RST overtakes octets, and the end of a TLS handshake, that nobody has read yet.
                let overtaken = how == How::Reset && !reaches;
                assert!(overtaken || lane.starts_with(&all.concat()), "{case}");
                let finish = if how == How::Reset { Finish::Reset } else { Finish::Fin };
                let up = (Direction::ClientToServer, finish);
                let in_tls = |failure: &Failure| failure.stage == "client-tls";
                let ended_in_tls = recorded.failures().first().is_some_and(in_tls);
                assert!(
                    (overtaken && ended_in_tls) || recorded.endings_of_first()[0] == up,
                    "{case}"
                );
            }
        }
    }
}
