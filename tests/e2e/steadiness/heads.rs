//! Heads: never finished, giant, dripped octet by octet.

use std::io::Write;
use std::time::{Duration, Instant};

use framescope_core::Direction;
use framescope_tests::peer::End;
use framescope_tests::wire::{request, response};
use framescope_tests::{Client, Proxy, Speaks, Upstream};

#[test]
fn a_head_that_is_never_finished_is_closed_after_the_head_timeout() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start_with(&upstream.url("ws"), |config| {
            config.head_timeout = Duration::from_millis(300);
        });
        let mut client = Client::connect(&proxy, speaks);
        let began = Instant::now();
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n");
        // It drips on: an octet does not buy more time.
        let mut dripped = 0;
        while client.write_all(b"x").and_then(|()| client.flush()).is_ok() {
            dripped += 1;
            std::thread::park_timeout(Duration::from_millis(20));
            assert!(began.elapsed() < Duration::from_secs(20), "still open");
        }
        assert!(dripped > 0 && began.elapsed() >= Duration::from_millis(300));
        drop(client);
        // Others are served meanwhile and after.
        drop(upstream.open(Client::connect(&proxy, speaks), ""));
        let failures = proxy.stop().failures();
        assert_eq!(failures[0].stage, "head", "{speaks:?}");
        assert!(failures[0].message.contains("within 0.3 s"), "{}", failures[0].message);
    }
}

#[test]
fn a_head_dripped_octet_by_octet_is_still_a_head() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let mut client = Client::connect(&proxy, speaks);
        for octet in request("/dripped", "h", "").as_bytes() {
            client.send(std::slice::from_ref(octet));
        }
        let mut server = upstream.accept();
        assert!(server.read_head().starts_with("GET /dripped "));
        for octet in response("").as_bytes() {
            server.send(std::slice::from_ref(octet));
        }
        client.expect_answer();
        drop((client, server));
        assert_eq!(proxy.stop().handshakes().len(), 1);
    }
}

#[test]
fn giant_heads_pass_whatever_their_length_without_being_held() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let mut client = Client::connect(&proxy, speaks);
        // Beyond what is read as a head: from there on octets are octets.
        let giant = request("/", "h", &format!("X-Giant: {}\r\n", "g".repeat(4 << 20)));
        let (sent, answer) = (giant.clone(), response(&format!("X: {}\r\n", "r".repeat(2 << 20))));
        let said = answer.clone();
        let server = std::thread::spawn(move || {
            let mut server = upstream.accept();
            let mut arrived = server.read(giant.len());
            assert_eq!(
                arrived.split_off(giant.len() - 1000),
                giant.as_bytes()[giant.len() - 1000..]
            );
            server.send(said.as_bytes());
            server.finish();
            assert_eq!(server.read_to_end().1, End::Fin);
        });
        client.send(sent.as_bytes());
        let (octets, end) = client.read_until_end();
        assert_eq!((octets.len(), end), (answer.len(), End::Fin), "{speaks:?}");
        assert_eq!(octets, answer.as_bytes());
        client.finish();
        server.join().unwrap();
        let recorded = proxy.stop();
        assert!(recorded.lane(Direction::ClientToServer).len() >= sent.len());
        assert!(!recorded.codes().is_empty(), "a giant head is a finding");
    }
}
