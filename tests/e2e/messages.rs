//! Whole conversations with a peer of another make (tungstenite) on both ends.

use std::net::TcpStream;
use std::thread;

use framescope_core::{CloseCode, Direction, Opcode};
use framescope_tests::{Proxy, Upstream};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Message, WebSocket};

/// Serves one connection by echoing data messages, until it is closed.
fn echo(upstream: &Upstream) {
    let mut socket = tungstenite::accept(upstream.accept().into_stream()).unwrap();
    loop {
        match socket.read() {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).unwrap(),
            Ok(_) => {}
            Err(tungstenite::Error::ConnectionClosed) => return,
            Err(fault) => panic!("the echo server met {fault}"),
        }
    }
}

fn connect(proxy: &Proxy, target: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(proxy.addr()).unwrap();
    let url = format!("ws://{}{target}", proxy.addr());
    tungstenite::client(url, stream).unwrap().0
}

#[test]
fn text_binary_fragments_pings_and_a_close_are_seen_as_they_were_sent() {
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    thread::scope(|scope| {
        let server = scope.spawn(|| echo(&upstream));
        let mut client = connect(&proxy, "/talk");
        for message in [Message::text("hello κόσμε"), Message::binary(vec![0, 159, 146, 150])]
        {
            client.send(message.clone()).unwrap();
            assert_eq!(client.read().unwrap(), message);
        }
        let fragment = |opcode, fin, text: &'static str| {
            Message::Frame(Frame::message(text.as_bytes(), OpCode::Data(opcode), fin))
        };
        client.send(fragment(Data::Text, false, "in ")).unwrap();
        client.send(Message::Ping("keep-alive".into())).unwrap();
        client.send(fragment(Data::Continue, false, "three ")).unwrap();
        client.send(fragment(Data::Continue, true, "parts")).unwrap();
        let mut answers = vec![client.read().unwrap(), client.read().unwrap()];
        answers.sort_by_key(Message::is_pong);
        assert_eq!(answers, [Message::text("in three parts"), Message::Pong("keep-alive".into())]);
        let farewell = CloseFrame { code: 4001.into(), reason: "done".into() };
        client.close(Some(farewell)).unwrap();
        while client.read().is_ok() {}
        server.join().unwrap();
    });
    let recorded = proxy.stop();
    assert_eq!(recorded.codes(), [""; 0], "clean traffic gives no findings");

    let up: Vec<_> = recorded
        .messages()
        .into_iter()
        .filter(|m| m.direction == Direction::ClientToServer)
        .collect();
    let told: Vec<_> = up.iter().map(|m| (m.opcode, m.frames, m.data.clone())).collect();
    assert_eq!(told[0], (Opcode::Text, 1, "hello κόσμε".into()));
    assert_eq!(told[1], (Opcode::Binary, 1, vec![0, 159, 146, 150].into()));
    assert_eq!(told[2], (Opcode::Text, 3, "in three parts".into()));

    let frames = recorded.frames();
    assert!(
        frames.iter().all(|f| {
            f.header.masking_key.is_some() == (f.direction == Direction::ClientToServer)
        })
    );
    let count = |opcode| frames.iter().filter(|frame| frame.header.opcode == opcode).count();
    assert_eq!((count(Opcode::Ping), count(Opcode::Pong)), (1, 1));
    let close = frames.iter().find(|f| f.header.opcode == Opcode::Close).unwrap();
    assert_eq!(close.direction, Direction::ClientToServer);
    assert_eq!(close.payload[..2], 4001u16.to_be_bytes());
    assert_eq!(&close.payload[2..], b"done");
}

#[test]
fn every_close_code_that_may_be_sent_is_seen() {
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999];
    let upstream = Upstream::bind();
    let proxy = Proxy::start(&upstream.url("ws"));
    thread::scope(|scope| {
        for code in codes {
            let server = scope.spawn(|| echo(&upstream));
            let mut client = connect(&proxy, "/");
            client.close(Some(CloseFrame { code: code.into(), reason: "".into() })).unwrap();
            while client.read().is_ok() {}
            server.join().unwrap();
        }
    });
    let seen: Vec<u16> = proxy
        .stop()
        .frames()
        .iter()
        .filter(|f| f.header.opcode == Opcode::Close && f.direction == Direction::ClientToServer)
        .map(|f| u16::from_be_bytes([f.payload[0], f.payload[1]]))
        .collect();
    assert_eq!(seen, codes);
    assert!(seen.iter().all(|code| CloseCode(*code).may_be_sent()));
}
