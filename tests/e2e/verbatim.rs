//! Octet for octet: whatever follows the 101 arrives as it was sent.

use std::thread;

use framescope_core::{Direction, MaskingKey, Opcode};
use framescope_tests::wire::{frame, noise, request, response, sha256};
use framescope_tests::{Peer, Proxy, Upstream};
use hex_literal::hex;

/// Sends `up` and `down` at the same time; returns what arrived.
fn exchange(client: &mut Peer, server: &mut Peer, up: &[u8], down: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut client_says, mut server_says) = (client.handle(), server.handle());
    thread::scope(|scope| {
        scope.spawn(move || client_says.send(up));
        scope.spawn(move || server_says.send(down));
        let arrived_up = scope.spawn(|| server.read(up.len()));
        let arrived_down = client.read(down.len());
        (arrived_up.join().expect("the server reads"), arrived_down)
    })
}

#[test]
fn noise_both_ways_at_once_arrives_and_is_recorded_with_the_same_hash() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let (mut client, mut server) = upstream.open(proxy.connect(), "");
    let (up, down) = (noise(1, 5_000_000), noise(2, 7_000_000));
    let (arrived_up, arrived_down) = exchange(&mut client, &mut server, &up, &down);
    assert_eq!(sha256(&arrived_up), sha256(&up));
    assert_eq!(sha256(&arrived_down), sha256(&down));
    drop((client, server));
    let recorded = proxy.stop();
    let lane = recorded.lane(Direction::ClientToServer);
    let head = request("/", "h", "").len();
    assert_eq!(sha256(&lane[head..]), sha256(&up));
    let lane = recorded.lane(Direction::ServerToClient);
    assert_eq!(sha256(&lane[response("").len()..]), sha256(&down));
}

#[test]
fn violations_of_every_kind_are_relayed_and_told() {
    let key = Some(MaskingKey([1, 2, 3, 4]));
    let rows: &[(Direction, &[u8], &str)] = &[
        (Direction::ClientToServer, &hex!("81 01 41"), "FRAME_UNMASKED_FROM_CLIENT"),
        (Direction::ServerToClient, &hex!("81 81 01020304 40"), "FRAME_MASKED_FROM_SERVER"),
        (Direction::ServerToClient, &hex!("f1 00"), "FRAME_RSV_WITHOUT_EXTENSION"),
        (Direction::ServerToClient, &hex!("83 00"), "FRAME_OPCODE_RESERVED"),
        (Direction::ServerToClient, &hex!("8f 00"), "FRAME_OPCODE_RESERVED"),
        (Direction::ServerToClient, &hex!("82 7e 0001 00"), "FRAME_LENGTH_NOT_MINIMAL"),
        (Direction::ServerToClient, &hex!("82 7f 0000000000000001 00"), "FRAME_LENGTH_NOT_MINIMAL"),
        (Direction::ServerToClient, &hex!("82 7f ffffffffffffffff 00"), "FRAME_LENGTH_TOP_BIT"),
        (Direction::ServerToClient, &hex!("09 00"), "CONTROL_FRAGMENTED"),
        (Direction::ServerToClient, &hex!("80 00"), "CONTINUATION_WITHOUT_MESSAGE"),
        (Direction::ServerToClient, &hex!("01 00 81 00"), "MESSAGE_INTERLEAVED"),
        (Direction::ServerToClient, &hex!("81 02 c328"), "TEXT_NOT_UTF8"),
        (Direction::ServerToClient, &hex!("88 01 00"), "CLOSE_BODY_ONE_OCTET"),
        (Direction::ServerToClient, &hex!("88 02 03ee"), "CLOSE_CODE_FORBIDDEN"),
        (Direction::ServerToClient, &hex!("88 00 82 00"), "FRAME_AFTER_CLOSE"),
    ];
    let upstream = Upstream::bind();
    for (direction, octets, code) in rows {
        let proxy = Proxy::start(&upstream.url("ws"));
        let (mut client, mut server) = upstream.open(proxy.connect(), "");
        let (sender, receiver) = match direction {
            Direction::ClientToServer => (&mut client, &mut server),
            Direction::ServerToClient => (&mut server, &mut client),
        };
        sender.send(octets);
        receiver.expect(octets);
        // The other direction goes on as if nothing had happened.
        let answer = match direction {
            Direction::ClientToServer => frame(true, Opcode::Text, None, b"still here"),
            Direction::ServerToClient => frame(true, Opcode::Text, key, b"still here"),
        };
        receiver.send(&answer);
        sender.expect(&answer);
        drop((client, server));
        let recorded = proxy.stop();
        assert!(recorded.codes().contains(code), "{code}: {:?}", recorded.codes());
        assert_eq!(recorded.messages().last().unwrap().data, "still here");
    }
}

#[test]
fn octets_glued_to_the_request_and_to_the_101_are_not_lost() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let early = frame(true, Opcode::Text, Some(MaskingKey([9, 8, 7, 6])), b"too early");
    let glued = frame(true, Opcode::Text, None, b"at once");
    let mut client = proxy.connect();
    client.send(&[request("/", "h", "").as_bytes(), &early].concat());
    let mut server = upstream.accept();
    server.read_head();
    server.expect(&early);
    server.send(&[response("").as_bytes(), &glued].concat());
    client.expect(&[response("").as_bytes(), &glued].concat());
    drop((client, server));
    let recorded = proxy.stop();
    let data: Vec<_> = recorded.messages().iter().map(|message| message.data.clone()).collect();
    assert_eq!(data, ["too early", "at once"]);
}

#[test]
fn a_frame_of_two_mebibytes_uses_the_64_bit_length_and_arrives_whole() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    let (mut client, mut server) = upstream.open(proxy.connect(), "");
    let payload = noise(3, 2 << 20);
    let up = frame(true, Opcode::Binary, Some(MaskingKey([0xAA, 0, 0xFF, 1])), &payload);
    let down = frame(true, Opcode::Binary, None, &payload);
    let (arrived_up, arrived_down) = exchange(&mut client, &mut server, &up, &down);
    assert!(arrived_up == up && arrived_down == down);
    drop((client, server));
    let recorded = proxy.stop();
    let frames = recorded.frames();
    assert_eq!(frames.len(), 2);
    for frame in frames {
        assert_eq!(frame.header.payload_len.form.bits(), 64);
        assert_eq!(sha256(&frame.payload), sha256(&payload));
    }
}

#[test]
fn many_connections_at_once_do_not_mix() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    thread::scope(|scope| {
        for round in 0..20u64 {
            let (mut client, mut server) = upstream.open(proxy.connect(), "");
            scope.spawn(move || {
                let (up, down) = (noise(round + 100, 200_000), noise(round + 200, 300_000));
                let (arrived_up, arrived_down) = exchange(&mut client, &mut server, &up, &down);
                assert!(arrived_up == up && arrived_down == down, "round {round}");
            });
        }
    });
    let recorded = proxy.stop();
    assert_eq!(recorded.handshakes().len(), 20);
}
