//! The chat over Socket.IO (Engine.IO 4, polling and WebSocket): namespace `/`.
//!
//! A client emits `join {nick, room}`, `message {text}`, `typing {on}` and `binary OCTETS`; each but the
//! last is acknowledged with `{ok: true}` or `{ok: false, reason}`. It hears events named as the
//! notices of [`super::rooms`], and `binary` with an attachment.

use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engineioxide::service::NotFoundService;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::service::SocketIoService;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::chat::{self, Allowance, NICK_RULE, Outcome, Request};
use super::rooms::{Inbox, Rooms, Seat};

/// Where Engine.IO clients connect unless told otherwise.
pub(super) const PATH: &str = "/socket.io/";

const PING_EVERY: Duration = Duration::from_secs(15);
/// Packets that may wait for one client.
const WAITING_MAX: usize = 128;

/// What hyper is given for requests to [`PATH`].
pub(super) type Service = SocketIoService<NotFoundService>;

#[derive(Debug, Deserialize)]
struct Join {
    nick: String,
    room: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    text: String,
}

#[derive(Debug, Deserialize)]
struct Typing {
    on: bool,
}

/// What one client has here.
struct Place {
    rooms: Arc<Rooms>,
    seat: Mutex<Option<Seat>>,
    allowance: Mutex<Allowance>,
}

/// The service and a handle that closes it.
pub(super) fn service(rooms: Arc<Rooms>) -> (Service, SocketIo) {
    let limit = chat::LIMITS.message_max;
    let (service, io) = SocketIo::builder()
        .ping_interval(PING_EVERY)
        .max_payload(limit as u64)
        .max_buffer_size(WAITING_MAX)
        .ws_read_buffer_size(8 << 10)
        .ws_max_message_size(limit)
        .ws_max_frame_size(limit)
        .build_svc();
    // The adapter in memory cannot fail to take the namespace.
    io.ns("/", move |socket: SocketRef| {
        welcome(&socket, &rooms);
        ready(())
    });
    (service, io)
}

fn welcome(socket: &SocketRef, rooms: &Arc<Rooms>) {
    let place = Arc::new(Place {
        rooms: Arc::clone(rooms),
        seat: Mutex::new(None),
        allowance: Mutex::new(Allowance::new(Instant::now())),
    });
    let here = Arc::clone(&place);
    socket.on("join", move |socket: SocketRef, TryData(join): TryData<Join>, ack: AckSender| {
        let outcome = match join {
            Ok(join) => here.join(&socket, &join),
            Err(_) => Err(r#"expected {"nick":"ada","room":"lobby"}"#),
        };
        acknowledge(ack, outcome.map(|()| None));
        ready(())
    });
    let here = Arc::clone(&place);
    socket.on("message", move |TryData(said): TryData<Said>, ack: AckSender| {
        let request = said.map(|said| Request::Message { text: said.text });
        acknowledge(ack, here.act(request.map_err(|_| r#"expected {"text":"hello"}"#)));
        ready(())
    });
    let here = Arc::clone(&place);
    socket.on("typing", move |TryData(typing): TryData<Typing>, ack: AckSender| {
        let request = typing.map(|typing| Request::Typing { on: typing.on });
        acknowledge(ack, here.act(request.map_err(|_| r#"expected {"on":true}"#)));
        ready(())
    });
    let here = Arc::clone(&place);
    socket.on("binary", move |TryData(octets): TryData<Bytes>| {
        if let (Ok(octets), Some(seat)) = (octets, &*here.seat.lock())
            && here.allowance.lock().spend(Instant::now()).is_ok()
        {
            seat.pass_on(&Message::Binary(octets));
        }
        ready(())
    });
    // Not dropped with the handlers: they live as long as the socket's last reference does.
    socket.on_disconnect(move || {
        drop(place.seat.lock().take());
        ready(())
    });
}

impl Place {
    fn join(&self, socket: &SocketRef, join: &Join) -> Result<(), &'static str> {
        self.allowance.lock().spend(Instant::now()).map_err(|_| "too many messages")?;
        let mut place = self.seat.lock();
        if place.is_some() {
            return Err("you are in a room already");
        }
        let room = join.room.as_deref().unwrap_or("lobby");
        if !chat::is_room_name(room) {
            return Err("the room must be 1 to 32 letters, digits, - or _");
        }
        let nick = chat::tidy_nick(&join.nick).ok_or(NICK_RULE)?;
        let (seat, inbox) =
            self.rooms.join(room, nick).map_err(|_| "no seat is free in this room")?;
        *place = Some(seat);
        tokio::spawn(tell(socket.clone(), inbox));
        Ok(())
    }

    fn act(&self, request: Result<Request, &'static str>) -> Result<Option<u64>, &'static str> {
        self.allowance.lock().spend(Instant::now()).map_err(|_| "too many messages")?;
        let request = request?;
        let place = self.seat.lock();
        let seat = place.as_ref().ok_or(r#"join first: emit "join" with {"nick":"ada"}"#)?;
        match chat::act(seat, &request) {
            Outcome::Done(id) => Ok(id),
            Outcome::Refused(reason) => Err(reason),
            Outcome::Left => Ok(None),
        }
    }
}

/// Emits what the room says until the client goes, or is too slow to hear it.
async fn tell(socket: SocketRef, mut inbox: Inbox) {
    while let Some(message) = inbox.next().await {
        let sent = match &message {
            Message::Text(text) => {
                let notice: Value = serde_json::from_str(text).unwrap_or_default();
                let event = notice["type"].as_str().unwrap_or("notice").to_owned();
                socket.emit(event, &notice).is_ok()
            }
            message => socket.emit("binary", &message.clone().into_data()).is_ok(),
        };
        if !sent {
            break;
        }
    }
    // A client that has gone is disconnected already.
    let _ = socket.disconnect();
}

fn acknowledge(ack: AckSender, outcome: Result<Option<u64>, &'static str>) {
    let answer = match outcome {
        Ok(Some(id)) => json!({ "ok": true, "id": id }),
        Ok(None) => json!({ "ok": true }),
        Err(reason) => json!({ "ok": false, "reason": reason }),
    };
    // A client that has gone hears no answer.
    let _ = ack.send(&answer);
}
