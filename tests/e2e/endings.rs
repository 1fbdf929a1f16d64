//! Endings: half-close, RST and killed peers reach the other side as what they are, plain and over TLS.

use framescope_core::{Direction, Finish, Opcode};
use framescope_tests::peer::End;
use framescope_tests::wire::{NO_MASK, frame};
use framescope_tests::{Client, Proxy, Speaks, Upstream};

#[test]
fn a_half_close_by_the_client_leaves_the_other_way_open() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        client.send(&frame(true, Opcode::Text, Some(NO_MASK), b"last words"));
        client.finish();
        let (octets, end) = server.read_to_end();
        assert_eq!((octets.len(), end), (16, End::Fin));
        let answer = frame(true, Opcode::Text, None, b"one more");
        server.send(&answer);
        assert_eq!(client.read(answer.len()), answer, "{speaks:?}");
        server.finish();
        assert_eq!(client.read_until_end(), (Vec::new(), End::Fin));
        let recorded = proxy.stop();
        assert_eq!(
            recorded.endings(),
            [(Direction::ClientToServer, Finish::Fin), (Direction::ServerToClient, Finish::Fin)]
        );
        assert_eq!(recorded.messages().len(), 2);
    }
}

#[test]
fn a_half_close_by_the_server_leaves_the_other_way_open() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        server.finish();
        assert_eq!(client.read_until_end(), (Vec::new(), End::Fin));
        client.send(&frame(true, Opcode::Text, Some(NO_MASK), b"still"));
        server.expect(&frame(true, Opcode::Text, Some(NO_MASK), b"still"));
        client.finish();
        assert_eq!(server.read_to_end(), (Vec::new(), End::Fin));
    }
}

#[test]
fn a_reset_by_the_client_resets_the_server() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        client.reset();
        assert_eq!(server.read_to_end(), (Vec::new(), End::Reset));
        let recorded = proxy.stop();
        assert_eq!(recorded.endings()[0], (Direction::ClientToServer, Finish::Reset));
        assert!(recorded.codes().contains(&"CONNECTION_WITHOUT_CLOSE"));
    }
}

#[test]
fn a_reset_by_the_server_resets_the_client() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, server) = upstream.open(Client::connect(&proxy, speaks), "");
        server.reset();
        assert_eq!(client.read_until_end(), (Vec::new(), End::Reset));
        assert_eq!(proxy.stop().endings()[0], (Direction::ServerToClient, Finish::Reset));
    }
}

#[test]
fn a_peer_that_dies_in_a_frame_leaves_all_it_said() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        let whole = frame(true, Opcode::Binary, None, &[7; 1000]);
        server.send(&whole[..600]);
        assert_eq!(client.read(whole[..600].len()), whole[..600], "{speaks:?}");
        drop(server);
        let (rest, _) = client.read_until_end();
        assert!(rest.is_empty());
        drop(client);
        let recorded = proxy.stop();
        assert!(recorded.codes().contains(&"CONNECTION_CUT_IN_FRAME"), "{:?}", recorded.codes());
        assert!(recorded.lane(Direction::ServerToClient).ends_with(&whole[..600]));
    }
}

#[test]
fn the_capture_is_complete_when_the_engine_stops_with_connections_open() {
    for speaks in Speaks::BOTH {
        let upstream = Upstream::bind();
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(Client::connect(&proxy, speaks), "");
        let words = frame(true, Opcode::Text, Some(NO_MASK), b"recorded");
        client.send(&words);
        server.expect(&words);
        let recorded = proxy.stop();
        assert_eq!(recorded.messages()[0].data, "recorded");
    }
}
