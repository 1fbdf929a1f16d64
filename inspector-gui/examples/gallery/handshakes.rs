//! Connections to show in tests and in the gallery.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use framescope_core::connection::{Alteration, Failure, TlsInfo};
use framescope_core::index::{ConnectionSummary, Exchange, ExchangeRows, Gaps, RoundTrips, State};
use framescope_core::{
    ConnectionId, ConnectionInfo, ConnectionNote, Direction, EventKind, Head, Leg,
    OpeningHandshake, Timestamp,
};

const AT: u64 = 1_700_000_000_482_190_000;

fn request(head: &str) -> Arc<Head> {
    let raw = head.replace('\n', "\r\n") + "\r\n\r\n";
    Arc::new(Head::parse_request(Bytes::from(raw), 0).expect("a request"))
}

fn response(head: &str) -> Arc<Head> {
    let raw = head.replace('\n', "\r\n") + "\r\n\r\n";
    Arc::new(Head::parse_response(Bytes::from(raw), 0).expect("a response"))
}

fn exchange(request: Arc<Head>, response: Option<Arc<Head>>, micros: u64) -> Exchange {
    let answered_at = Timestamp::from_nanos(AT + micros * 1000);
    Exchange {
        row: 0,
        requested_at: Timestamp::from_nanos(AT),
        request,
        answered_at: response.is_some().then_some(answered_at),
        content_len: [Some(0), response.is_some().then_some(0)],
        events: 0,
        pieces: 0,
        over: None,
        response,
    }
}

/// The row that this request gets as the next of its connection.
pub fn next_row(rows: &mut ExchangeRows, request: &Arc<Head>) -> usize {
    let (leg, direction, head) = (Leg::Client, Direction::ClientToServer, Arc::clone(request));
    let placed = rows.place(&EventKind::HeadReceived { leg, direction, head });
    placed.expect("a request begins a row").row
}

fn connection(mut exchanges: Vec<Exchange>) -> ConnectionSummary {
    let mut rows = ExchangeRows::default();
    for exchange in &mut exchanges {
        exchange.row = next_row(&mut rows, &exchange.request);
    }
    ConnectionSummary {
        id: ConnectionId(1),
        opened_at: Timestamp::from_nanos(AT),
        last_at: Timestamp::from_nanos(AT),
        info: Arc::new(ConnectionInfo {
            client: SocketAddr::from(([127, 0, 0, 1], 51_820)),
            server: SocketAddr::from(([127, 0, 0, 1], 9870)),
            mode: Some("reverse".to_owned()),
            upstream: Some("wss://demo.example:8443".to_owned()),
            tls: None,
        }),
        notes: Vec::new(),
        state: State::Http,
        exchanges,
        handshake: None,
        deflate: None,
        frames: [0; 2],
        messages: [0; 2],
        octets: [0; 2],
        compression: [framescope_core::message::CompressionFacts::default(); 2],
        findings: [0; 3],
        lost: [None, None],
        gaps: [Gaps::default(); 2],
        reads: [0; 2],
        first_frame_at: [None; 2],
        upstream_head_at: [None; 2],
        round_trips: [RoundTrips::default(); 2],
        sessions: Vec::new(),
        rows,
        ending: None,
    }
}

const REQUEST: &str = "GET /chat?room=ops&access_token=hunter2 HTTP/1.1\nHost: 127.0.0.1:9870\n\
    Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\
    Sec-WebSocket-Version: 13\nSec-WebSocket-Protocol: chat, superchat\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\n\
    Origin: http://127.0.0.1:9870\nCookie: session=4f1c";

fn upgrade(answer: &str) -> ConnectionSummary {
    let request_head = request(REQUEST);
    let forwarded = request(
        &REQUEST
            .replace("Host: 127.0.0.1:9870", "Host: demo.example:8443")
            .replace("Origin: http://127.0.0.1:9870", "Origin: https://demo.example:8443"),
    );
    let response_head = response(answer);
    let handshake =
        OpeningHandshake::check(request_head.clone(), response_head.clone(), Some(forwarded));
    let mut summary = connection(vec![exchange(request_head, Some(response_head), 8_400)]);
    summary.state = if handshake.upgraded { State::Open } else { State::Http };
    summary.handshake = Some(Arc::new(handshake));
    summary.notes.push(Arc::new(ConnectionNote {
        upstream_addr: Some(SocketAddr::from(([192, 0, 2, 7], 8443))),
        upstream_tls: Some(TlsInfo {
            version: Some("TLSv1.3".to_owned()),
            cipher: Some("TLS13_AES_128_GCM_SHA256".to_owned()),
            alpn: Some("http/1.1".to_owned()),
            sni: Some("demo.example".to_owned()),
            certificate_sha256: Some("9f86d081884c7d659a2feaa0c55ad015".repeat(2)),
            unverified: true,
        }),
        client_tls_nanos: Some(2_200_000),
        dial_nanos: Some(900_000),
        upstream_tls_nanos: Some(3_100_000),
        ..ConnectionNote::default()
    }));
    summary
}

/// A handshake that keeps every rule.
pub fn accepted() -> ConnectionSummary {
    upgrade(
        "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nSec-WebSocket-Protocol: chat\n\
         Sec-WebSocket-Extensions: permessage-deflate",
    )
}

/// A handshake whose answer is wrong in several ways.
pub fn wrong() -> ConnectionSummary {
    upgrade(
        "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\nSec-WebSocket-Protocol: news",
    )
}

/// An upgrade that the server refuses.
pub fn refused() -> ConnectionSummary {
    upgrade(
        "HTTP/1.1 403 Forbidden\nContent-Type: text/plain\nContent-Length: 9\nSet-Cookie: id=1; Path=/",
    )
}

/// Plain HTTP, kept alive, with an alteration.
pub fn polling() -> ConnectionSummary {
    let get = |at: usize| {
        let head = format!(
            "GET /poll?since={at} HTTP/1.1\nHost: 127.0.0.1:9870\nAuthorization: Bearer abc"
        );
        let answer = "HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 2";
        exchange(request(&head), Some(response(answer)), 12_000)
    };
    let mut summary = connection((0..9).map(get).collect());
    summary.notes.push(Arc::new(ConnectionNote {
        alterations: vec![Alteration {
            direction: Direction::ClientToServer,
            what: "Host".to_owned(),
            from: "127.0.0.1:9870".to_owned(),
            to: "demo.example:8443".to_owned(),
        }],
        ..ConnectionNote::default()
    }));
    summary
}

/// A connection whose upstream could not be reached.
pub fn unreachable() -> ConnectionSummary {
    let mut summary = connection(vec![exchange(request(REQUEST), None, 0)]);
    summary.notes.push(Arc::new(ConnectionNote {
        failure: Some(Failure {
            stage: "dial".to_owned(),
            message: "demo.example:8443 refused the connection; is the server running?".to_owned(),
            leg: Some(Leg::Upstream),
            at: None,
        }),
        ..ConnectionNote::default()
    }));
    summary
}

/// A connection whose upstream could not be reached, and whose client was told so by the proxy.
pub fn answered_by_proxy() -> ConnectionSummary {
    let answer = "HTTP/1.1 502 Bad Gateway\nContent-Length: 12\nConnection: close";
    let mut summary = unreachable();
    summary.exchanges = vec![exchange(
        request("GET / HTTP/1.1\nHost: 127.0.0.1:9870"),
        Some(response(answer)),
        103,
    )];
    summary.notes.push(Arc::new(ConnectionNote {
        alterations: vec![Alteration {
            direction: Direction::ServerToClient,
            what: "answer".to_owned(),
            from: String::new(),
            to: "502 Bad Gateway".to_owned(),
        }],
        ..ConnectionNote::default()
    }));
    summary
}

/// A connection of which a full disk kept some, and that was followed again.
pub fn gapped() -> ConnectionSummary {
    let mut summary = accepted();
    summary.gaps[0] = Gaps { count: 2, missing: 2_013_704, passed_over: 0 };
    summary.gaps[1] = Gaps { count: 1, missing: 48, passed_over: 731 };
    summary
}

/// A connection that was open before the capture began.
pub fn midway() -> ConnectionSummary {
    let mut summary = connection(Vec::new());
    summary.frames = [12, 40];
    summary.gaps = [Gaps { count: 1, missing: 0, passed_over: 31 }; 2];
    summary
}

/// A connection that has said nothing yet.
pub fn silent() -> ConnectionSummary {
    connection(Vec::new())
}
