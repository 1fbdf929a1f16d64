//! The chat without WebSocket, as it was done before there was one.
//!
//! | request | is |
//! |---|---|
//! | `POST /chat/sessions?room=NAME` `{"type":"join","nick":"ada"}` | 201 `{"session":ID,"nick":…}` |
//! | `POST /chat/sessions/ID` with a message as [`super::chat`] has them | 200 `{"id":…}`, or 204 |
//! | `GET /chat/sessions/ID?after=N` | polling: what is new since letter N, at once |
//! | `GET /chat/sessions/ID?after=N&wait=25` | long polling: held until there is something, at most 25 s |
//! | `GET /chat/sessions/ID/stream?after=N` | HTTP streaming: one JSON text a line, for as long as it lasts |
//! | `GET /chat/sessions/ID/events` | server-sent events; `Last-Event-ID` goes on where it was cut |
//! | `DELETE /chat/sessions/ID` | 204: leaves the room |
//!
//! A poll is answered `{"last":N,"notices":[…]}`.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::chat::{self, NICK_RULE, Outcome};
use super::closing::Closing;
use super::pages;
use super::rooms::{PutOut, Rooms};
use super::visitors::{Letter, Mailbox, Visitors};

/// The body of any answer: fixed octets, or a stream that goes on.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Where the sessions are.
const SESSIONS: &str = "/chat/sessions";
/// The longest that a long poll is held.
const WAIT_MAX: Duration = Duration::from_secs(25);
/// Time between two comments in a stream with nothing else to say: it shows that the way is open.
const BEAT: Duration = Duration::from_secs(15);
/// When a browser is to come back to a stream of events that was cut, in milliseconds.
const RETRY_MS: u32 = 2000;
/// The longest request body.
const BODY_MAX: usize = 16 << 10;

/// Makes a whole answer one of any kind.
pub(super) fn boxed(page: pages::Page) -> Response<Body> {
    page.map(http_body_util::BodyExt::boxed_unsync)
}

/// Whether this path is answered here.
pub(super) fn is_session(path: &str) -> bool {
    path.strip_prefix(SESSIONS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers one request to the sessions.
pub(super) async fn answer(
    request: Request<Incoming>,
    rooms: &Arc<Rooms>,
    visitors: &Visitors,
    closing: Closing,
) -> Response<Body> {
    let path = request.uri().path().strip_prefix(SESSIONS).unwrap_or_default().to_owned();
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (session, view) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let method = request.method().clone();
    if session.is_empty() {
        if method != Method::POST {
            return method_not_allowed("POST");
        }
        return join(request, rooms, visitors).await;
    }
    let Some(visitor) = visitors.get(session) else {
        return told(StatusCode::NOT_FOUND, "there is no such session; join again");
    };
    match (&method, view) {
        (&Method::DELETE, "") => {
            visitors.leave(session);
            empty(StatusCode::NO_CONTENT)
        }
        (&Method::POST, "") => {
            let request = match read(request).await {
                Ok(request) => request,
                Err(answer) => return answer,
            };
            match visitor.act(&request) {
                Some(Outcome::Done(Some(id))) => json_page(StatusCode::OK, &json!({ "id": id })),
                Some(Outcome::Done(None)) => empty(StatusCode::NO_CONTENT),
                Some(Outcome::Refused(reason)) => told(StatusCode::BAD_REQUEST, reason),
                Some(Outcome::Left) => {
                    visitors.leave(session);
                    empty(StatusCode::NO_CONTENT)
                }
                None => told(StatusCode::TOO_MANY_REQUESTS, "too many messages"),
            }
        }
        (&Method::GET, "" | "stream" | "events") => {
            let Ok(mailbox) = visitor.mailbox() else {
                let reason = "another request reads this session; end it first";
                return told(StatusCode::CONFLICT, reason);
            };
            let query = request.uri().query();
            let after = field(query, "after").and_then(|n| n.parse().ok()).unwrap_or(0);
            match view {
                "" => {
                    let wait = field(query, "wait").and_then(|n| n.parse().ok()).unwrap_or(0);
                    let wait = Duration::from_secs(wait).min(WAIT_MAX);
                    poll(mailbox, after, wait, closing).await
                }
                "stream" => streamed(mailbox, after, Form::Lines, closing),
                _ => streamed(mailbox, last_event(request.headers()), Form::Events, closing),
            }
        }
        (_, "") => method_not_allowed("GET, POST, DELETE"),
        (_, "stream" | "events") => method_not_allowed("GET"),
        _ => told(StatusCode::NOT_FOUND, "a session has only stream and events below it"),
    }
}

async fn join(
    request: Request<Incoming>,
    rooms: &Arc<Rooms>,
    visitors: &Visitors,
) -> Response<Body> {
    let room = field(request.uri().query(), "room").unwrap_or("lobby").to_owned();
    if !chat::is_room_name(&room) {
        let reason = "the room must be 1 to 32 letters, digits, - or _, as in ?room=lobby";
        return told(StatusCode::BAD_REQUEST, reason);
    }
    let nick = match read(request).await {
        Ok(chat::Request::Join { nick }) => nick,
        Ok(_) => {
            return told(StatusCode::BAD_REQUEST, r#"join first: {"type":"join","nick":"ada"}"#);
        }
        Err(answer) => return answer,
    };
    let Some(nick) = chat::tidy_nick(&nick) else {
        return told(StatusCode::BAD_REQUEST, NICK_RULE);
    };
    let Ok(session) = visitors.join(rooms, &room, nick) else {
        return told(StatusCode::SERVICE_UNAVAILABLE, "no seat is free; try again later");
    };
    let nick = visitors.get(&session).map(|visitor| visitor.nick().to_owned());
    json_page(StatusCode::CREATED, &json!({ "session": session, "nick": nick }))
}

/// The request's body as the chat understands it.
async fn read(request: Request<Incoming>) -> Result<chat::Request, Response<Body>> {
    let body = Limited::new(request.into_body(), BODY_MAX).collect().await.map_err(|_| {
        told(StatusCode::PAYLOAD_TOO_LARGE, "the body was cut, or is longer than 16 KiB")
    })?;
    let body = body.to_bytes();
    let text = std::str::from_utf8(&body)
        .map_err(|_| told(StatusCode::BAD_REQUEST, "the body is not UTF-8"))?;
    chat::Request::parse(text).map_err(|reason| told(StatusCode::BAD_REQUEST, reason))
}

/// What is new, waited for as long as is allowed.
async fn poll(
    mut mailbox: OwnedMutexGuard<Mailbox>,
    after: u64,
    wait: Duration,
    mut closing: Closing,
) -> Response<Body> {
    let mut news = mailbox.after(after);
    if matches!(&news, Ok(letters) if letters.is_empty()) && !wait.is_zero() {
        news = tokio::select! {
            news = timeout(wait, mailbox.wait_after(after)) => news.unwrap_or(Ok(Vec::new())),
            () = closing.wait() => Ok(Vec::new()),
        };
    }
    match news {
        Ok(letters) => {
            let last = letters.last().map_or(after, |letter| letter.id);
            let notices: Vec<&RawValue> = letters.iter().map(|letter| &*letter.json).collect();
            json_page(StatusCode::OK, &Poll { last, notices })
        }
        Err(PutOut) => told(StatusCode::GONE, "put out for reading too slowly; join again"),
    }
}

#[derive(Serialize)]
struct Poll<'a> {
    last: u64,
    notices: Vec<&'a RawValue>,
}

/// How a stream is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Lines,
    Events,
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    fn opening(self) -> String {
        match self {
            Self::Lines => String::new(),
            Self::Events => format!("retry: {RETRY_MS}\n\n"),
        }
    }

    /// What is sent while there is nothing to say.
    fn beat(self) -> &'static str {
        match self {
            Self::Lines => "\n",
            Self::Events => ": nothing new\n\n",
        }
    }

    fn write(self, letters: &[Letter]) -> String {
        let mut out = String::new();
        for letter in letters {
            let json = letter.json.get();
            // Writing to a String cannot fail.
            let _ = match self {
                Self::Lines => writeln!(out, "{json}"),
                Self::Events => write!(out, "id: {}\ndata: {json}\n\n", letter.id),
            };
        }
        out
    }
}

/// An answer that lasts: whatever comes, until the visitor goes or the server stops.
fn streamed(
    mailbox: OwnedMutexGuard<Mailbox>,
    after: u64,
    form: Form,
    closing: Closing,
) -> Response<Body> {
    let opening = form.opening();
    let state = (mailbox, after, Some(opening).filter(|text| !text.is_empty()), closing);
    let chunks =
        stream::unfold(state, move |(mut mailbox, after, opening, mut closing)| async move {
            if let Some(opening) = opening {
                return Some((
                    Ok(Frame::data(Bytes::from(opening))),
                    (mailbox, after, None, closing),
                ));
            }
            let news = tokio::select! {
                news = timeout(BEAT, mailbox.wait_after(after)) => news,
                () = closing.wait() => return None,
            };
            let (text, last) = match news {
                Ok(Ok(letters)) => {
                    (form.write(&letters), letters.last().map_or(after, |letter| letter.id))
                }
                Ok(Err(PutOut)) => return None,
                Err(_) => (form.beat().to_owned(), after),
            };
            Some((Ok(Frame::data(Bytes::from(text))), (mailbox, last, None, closing)))
        });
    let mut answer = Response::new(StreamBody::new(chunks).boxed_unsync());
    set(&mut answer, header::CONTENT_TYPE, form.content_type());
    set(&mut answer, header::CACHE_CONTROL, "no-store");
    answer
}

/// Where a browser was when its stream was cut.
fn last_event(headers: &HeaderMap) -> u64 {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    last.and_then(|id| id.parse().ok()).unwrap_or(0)
}

/// One field of a query.
pub(super) fn field<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    let mut fields = query.unwrap_or_default().split('&');
    fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

fn told(status: StatusCode, reason: &str) -> Response<Body> {
    json_page(status, &json!({ "type": "error", "reason": reason }))
}

fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let mut answer = told(StatusCode::METHOD_NOT_ALLOWED, "this method is not answered here");
    set(&mut answer, header::ALLOW, allowed);
    answer
}

fn json_page(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut answer = Response::new(Full::new(Bytes::from(text)).boxed_unsync());
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, "application/json");
    set(&mut answer, header::CACHE_CONTROL, "no-store");
    answer
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Full::default().boxed_unsync());
    *answer.status_mut() = status;
    answer
}

fn set(answer: &mut Response<Body>, name: HeaderName, value: &'static str) {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// Ends silent sessions for as long as it is polled.
pub(super) async fn tidy(visitors: &Visitors) -> Infallible {
    let mut beat = tokio::time::interval(Duration::from_secs(5));
    loop {
        let now = beat.tick().await;
        visitors.forget_the_silent(now.into_std());
    }
}
