//! The demo server as its clients meet it, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{CHAT_PROTOCOL, Server, clients};

/// A server that runs until it is stopped.
struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

fn start() -> Running {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async move { drop(stopped.await) }));
    Running { addr, stop, task }
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }

    async fn open(&self, path: &str) -> Client {
        self.offer(path, None).await.0
    }

    /// Opens with a subprotocol offered; returns the one that was chosen too.
    async fn offer(&self, path: &str, protocols: Option<&'static str>) -> (Client, Option<String>) {
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        if let Some(protocols) = protocols {
            let value = http::HeaderValue::from_static(protocols);
            request.headers_mut().insert("sec-websocket-protocol", value);
        }
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (socket, response) = client_async(request, stream).await.unwrap();
        let chosen = response.headers().get("sec-websocket-protocol");
        (Client(socket), chosen.map(|value| value.to_str().unwrap().to_owned()))
    }

    async fn join(&self, room: &str, nick: &str) -> Client {
        let mut client = self.open(&format!("/chat?room={room}")).await;
        client.say(&json!({"type": "join", "nick": nick})).await;
        client.until("presence").await;
        client
    }

    /// Sends `request` on a connection of its own and reads the answer to the end.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn send(&mut self, message: impl Into<Message>) {
        self.0.send(message.into()).await.unwrap();
    }

    async fn say(&mut self, json: &Value) {
        self.send(json.to_string()).await;
    }

    async fn next(&mut self) -> Message {
        self.0.next().await.unwrap().unwrap()
    }

    /// Reads JSON texts until one has this type.
    async fn until(&mut self, kind: &str) -> Value {
        loop {
            if let Message::Text(text) = self.next().await {
                let value: Value = serde_json::from_str(&text).unwrap();
                if value["type"] == kind {
                    return value;
                }
            }
        }
    }

    /// Reads until the server closes; its code and reason.
    async fn closed(mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next().await {
                let CloseFrame { code, reason } = frame.unwrap();
                return (code.into(), reason.to_string());
            }
        }
    }
}

#[tokio::test]
async fn the_echo_returns_text_and_binary_and_answers_a_ping() {
    let server = start();
    let mut client = server.open("/echo").await;
    for message in [
        Message::text("hello"),
        Message::text(""),
        Message::binary(vec![0, 255, 128]),
        Message::text("grüße 🙂".repeat(100)),
        Message::binary(vec![7; 300_000]),
    ] {
        client.send(message.clone()).await;
        assert_eq!(client.next().await, message);
    }
    client.send(Message::Ping(Bytes::from_static(b"there?"))).await;
    assert_eq!(client.next().await, Message::Pong(Bytes::from_static(b"there?")));
}

#[tokio::test]
async fn the_echo_closes_with_the_code_it_is_asked_for() {
    let server = start();
    let mut client = server.open("/echo").await;
    client.send("close 4001 enough for today").await;
    assert_eq!(client.closed().await, (4001, "enough for today".into()));
}

#[tokio::test]
async fn a_message_above_the_limit_is_closed_with_1009_and_not_reset() {
    let server = start();
    let mut client = server.open("/echo").await;
    // The server may close before it has read all of it; then this fails, and the Close still comes.
    let _ = client.0.send(Message::binary(vec![0; 1024 * 1024 + 1])).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn text_that_is_not_utf8_is_closed_with_1007() {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };
    let server = start();
    let mut client = server.open("/echo").await;
    let frame = Frame::message(vec![b'a', 0xff], OpCode::Data(Data::Text), true);
    client.send(Message::Frame(frame)).await;
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test]
async fn two_members_of_a_room_hear_each_other_and_the_speaker_hears_itself() {
    let server = start();
    let mut ada = server.join("lobby", "ada").await;
    let mut grace = server.join("lobby", "grace").await;
    assert_eq!(ada.until("join").await["nick"], "grace");
    assert_eq!(ada.until("presence").await["members"], json!(["ada", "grace"]));

    grace.say(&json!({"type": "message", "text": "hello"})).await;
    for client in [&mut ada, &mut grace] {
        let heard = client.until("message").await;
        assert_eq!(heard, json!({"type": "message", "id": 1, "nick": "grace", "text": "hello"}));
    }
    grace.send(vec![1, 2, 3]).await;
    assert_eq!(ada.next().await, Message::binary(vec![1, 2, 3]));

    grace.say(&json!({"type": "leave"})).await;
    assert_eq!(ada.until("leave").await["nick"], "grace");
    assert_eq!(grace.closed().await, (1000, "bye".into()));
}

#[tokio::test]
async fn what_a_client_says_wrong_is_told_to_it_and_the_talk_goes_on() {
    let server = start();
    let mut client = server.open("/chat").await;
    for wrong in
        ["nonsense", r#"{"type":"message","text":"too early"}"#, r#"{"type":"join","nick":""}"#]
    {
        client.send(wrong).await;
        assert!(client.until("error").await["reason"].is_string());
    }
    client.say(&json!({"type": "join", "nick": "ada"})).await;
    assert_eq!(client.until("welcome").await["room"], "lobby");
}

#[tokio::test]
async fn a_flood_is_closed_with_1008() {
    let server = start();
    let mut client = server.join("lobby", "ada").await;
    for _ in 0..200 {
        if client.0.send(Message::text(r#"{"type":"typing","on":true}"#)).await.is_err() {
            break;
        }
    }
    assert_eq!(client.closed().await, (1008, "too many messages".into()));
}

#[tokio::test]
async fn the_subprotocol_is_chosen_when_it_is_offered_and_only_then() {
    let server = start();
    for (offered, chosen) in [
        (Some("chat.framescope"), Some(CHAT_PROTOCOL)),
        (Some("other, chat.framescope"), Some(CHAT_PROTOCOL)),
        (None, None),
    ] {
        assert_eq!(server.offer("/chat?room=ops", offered).await.1.as_deref(), chosen);
    }
}

#[tokio::test]
async fn the_ticker_starts_with_all_shares_and_goes_on_with_quotes() {
    let server = start();
    let mut client = server.open("/ticker").await;
    let snapshot = client.until("snapshot").await;
    let shares = snapshot["shares"].as_array().unwrap();
    assert!(shares.len() > 4, "{snapshot}");
    let first = client.until("quote").await;
    assert!(shares.iter().any(|share| share["symbol"] == first["symbol"]), "{first}");
    let second = client.until("quote").await;
    assert_eq!(second["seq"].as_u64(), first["seq"].as_u64().map(|seq| seq + 1));
}

#[tokio::test]
async fn a_stopped_server_says_going_away() {
    let server = start();
    let (echo, ticker, chat) = (
        server.open("/echo").await,
        server.open("/ticker").await,
        server.join("lobby", "ada").await,
    );
    let (stopped, echo, ticker, chat) =
        tokio::join!(server.stop(), echo.closed(), ticker.closed(), chat.closed());
    let () = stopped;
    assert_eq!([echo.0, ticker.0, chat.0], [1001; 3]);
}

#[tokio::test]
async fn plain_requests_are_answered_in_plain_http() {
    const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ";
    let server = start();
    for (request, status) in [
        ("GET / HTTP/1.1\r\n", "200"),
        ("HEAD /app.js HTTP/1.1\r\n", "200"),
        ("GET /healthz HTTP/1.1\r\n", "200"),
        ("GET /nothing HTTP/1.1\r\n", "404"),
        ("POST / HTTP/1.1\r\nContent-Length: 0\r\n", "405"),
        ("GET /echo HTTP/1.1\r\n", "426"),
        ("GET /chat?room=two%20words HTTP/1.1\r\n", "400"),
        (
            &format!(
                "GET /echo HTTP/1.1\r\nSec-WebSocket-Version: 8\r\n{UPGRADE}dGhlIHNhbXBsZSBub25jZQ==\r\n"
            ),
            "426",
        ),
        (&format!("GET /echo HTTP/1.1\r\nSec-WebSocket-Version: 13\r\n{UPGRADE}short\r\n"), "400"),
    ] {
        let request = format!("{request}Host: demo\r\nConnection: close\r\n\r\n");
        let answer = server.raw(&request).await;
        assert_eq!(&answer[..12], format!("HTTP/1.1 {status}"), "{request}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(body.is_empty(), request.starts_with("HEAD"), "{request}");
    }
}

#[tokio::test]
async fn the_built_in_clients_chat_and_say_good_bye() {
    let server = start();
    let mut guest = server.join("lobby", "guest").await;
    let (stop, stopped) = oneshot::channel::<()>();
    let clients = tokio::spawn(clients::run(server.addr, async move { drop(stopped.await) }));
    // Both come, one opens a dialogue, the other answers.
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let message = tokio::time::timeout(Duration::from_secs(30), guest.until("message"));
        let nick = message.await.unwrap()["nick"].as_str().unwrap().to_owned();
        if !heard.contains(&nick) {
            heard.push(nick);
        }
    }
    heard.sort();
    assert_eq!(heard, ["ada", "grace"]);
    stop.send(()).unwrap();
    clients.await.unwrap();
    while guest.until("presence").await["members"] != json!(["guest"]) {}
    server.stop().await;
}

impl Running {
    /// One request on a connection of its own; the answer's status and body.
    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let answer = self.raw(&request(method, path, body)).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// A session without WebSocket.
    async fn visit(&self, nick: &str) -> String {
        let join = json!({"type": "join", "nick": nick}).to_string();
        let (status, joined) = self.ask("POST", "/chat/sessions?room=lobby", &join).await;
        assert_eq!((status, &joined["nick"]), (201, &json!(nick)));
        format!("/chat/sessions/{}", joined["session"].as_str().unwrap())
    }

    /// Reads an answer that goes on until it holds `text`.
    async fn read_until(&self, path: &str, text: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request("GET", path, "").as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.contains(text) {
            let mut octets = [0; 4096];
            let count = stream.read(&mut octets).await.unwrap();
            assert!(count > 0, "it ended before {text:?} came: {answer}");
            answer.push_str(std::str::from_utf8(&octets[..count]).unwrap());
        }
        answer
    }
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: demo\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_poll_gives_what_is_new_and_a_long_one_waits_for_it() {
    let server = start();
    let ada = server.visit("ada").await;
    let (status, first) = server.ask("GET", &ada, "").await;
    assert_eq!((status, &first["last"]), (200, &json!(2)));
    assert_eq!(first["notices"][0]["type"], "welcome");
    let (_, nothing) = server.ask("GET", &format!("{ada}?after=2"), "").await;
    assert_eq!(nothing, json!({"last": 2, "notices": []}));

    let path = format!("{ada}?after=2&wait=25");
    let waiting = server.ask("GET", &path, "");
    let mut grace = server.join("lobby", "grace").await;
    grace.say(&json!({"type": "message", "text": "hello"})).await;
    let (_, news) = waiting.await;
    assert!(news["last"].as_u64() > Some(2), "{news}");

    let said = json!({"type": "message", "text": "hello grace"}).to_string();
    let (status, answer) = server.ask("POST", &ada, &said).await;
    assert_eq!((status, answer), (200, json!({"id": 2})));
    loop {
        let heard = grace.until("message").await;
        if heard["nick"] == "ada" {
            assert_eq!(heard["text"], "hello grace");
            break;
        }
    }
    assert_eq!(server.ask("DELETE", &ada, "").await.0, 204);
    assert_eq!(grace.until("leave").await["nick"], "ada");
    assert_eq!(server.ask("GET", &ada, "").await.0, 404);
    drop(grace);
    server.stop().await;
}

#[tokio::test]
async fn streams_tell_what_comes_and_go_on_where_they_were_cut() {
    let server = start();
    let ada = server.visit("ada").await;
    let events = server.read_until(&format!("{ada}/events"), "presence").await;
    assert!(events.contains("content-type: text/event-stream\r\n"), "{events}");
    for line in ["retry: 2000\n\n", "id: 1\ndata: {\"type\":\"welcome\"", "id: 2\ndata: "] {
        assert!(events.contains(line), "{line:?} is not in {events}");
    }
    // The reader before has gone, but the server may not have seen it yet.
    let stream = loop {
        let stream = server.read_until(&format!("{ada}/stream?after=1"), "}").await;
        if !stream.contains("409 Conflict") {
            break stream;
        }
        let said = json!({"type": "typing", "on": false}).to_string();
        assert_eq!(server.ask("POST", &ada, &said).await.0, 204);
        let said = json!({"type": "message", "text": "so that the stream is written to"});
        server.ask("POST", &ada, &said.to_string()).await;
    };
    assert!(stream.contains("application/x-ndjson"), "{stream}");
    assert!(!stream.contains("welcome") && stream.contains("presence"), "{stream}");
    server.stop().await;
}

#[tokio::test]
async fn a_session_says_what_is_wrong_with_a_request() {
    let server = start();
    for (method, path, body, status, reason) in [
        ("POST", "/chat/sessions?room=a%20b", "{}", 400, "the room must be"),
        ("POST", "/chat/sessions", "no JSON", 400, "expected JSON"),
        ("POST", "/chat/sessions", r#"{"type":"leave"}"#, 400, "join first"),
        ("POST", "/chat/sessions", r#"{"type":"join","nick":" "}"#, 400, "1 to 24 characters"),
        ("GET", "/chat/sessions", "", 405, "method"),
        ("GET", "/chat/sessions/00", "", 404, "no such session"),
    ] {
        let (got, told) = server.ask(method, path, body).await;
        assert_eq!(got, status, "{method} {path}");
        assert!(told["reason"].as_str().unwrap().contains(reason), "{told}");
    }
    let long = "x".repeat(20 << 10);
    assert_eq!(server.ask("POST", "/chat/sessions", &long).await.0, 413);
    server.stop().await;
}

#[tokio::test]
async fn socket_io_reaches_the_same_rooms() {
    let server = start();
    let mut ada = server.join("lobby", "ada").await;
    let mut client = server.open("/socket.io/?EIO=4&transport=websocket").await;
    let Message::Text(open) = client.next().await else { panic!("Engine.IO opens with a text") };
    assert!(open.starts_with("0{"), "{open}");
    client.send("40".to_owned()).await;
    // What is said before the namespace is open is said to nobody.
    loop {
        match client.next().await {
            Message::Text(text) if text.starts_with("40{") => break,
            _ => {}
        }
    }
    client.send(r#"420["join",{"nick":"grace","room":"lobby"}]"#.to_owned()).await;
    client.send(r#"421["message",{"text":"hello"}]"#.to_owned()).await;
    assert_eq!(ada.until("message").await["nick"], "grace");
    let mut heard = String::new();
    while !(heard.contains(r#"431[{"id":1,"ok":true}]"#) && heard.contains(r#"42["message","#)) {
        let Message::Text(text) = client.next().await else { continue };
        heard.push_str(&text);
        heard.push('\n');
    }
    for packet in [r#"430[{"ok":true}]"#, r#"42["welcome","#, r#"42["presence","#] {
        assert!(heard.contains(packet), "{packet} is not in {heard}");
    }
    // A binary message becomes an attachment.
    ada.send(vec![1, 2, 3]).await;
    loop {
        match client.next().await {
            Message::Text(text) if text.starts_with("451-[\"binary\"") => break,
            _ => {}
        }
    }
    assert_eq!(client.next().await, Message::binary(vec![1, 2, 3]));
    drop((ada, client));
    server.stop().await;
}
