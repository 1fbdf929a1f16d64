//! A small client for plain HTTP/1.1 that asks as a browser does.

use std::io;
use std::net::SocketAddr;

use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// What a browser of today sends with each request of a script, cookies left out.
const HEADERS: [(header::HeaderName, &str); 5] = [
    (
        header::USER_AGENT,
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    ),
    (header::ACCEPT, "*/*"),
    (header::ACCEPT_LANGUAGE, "en-US,en;q=0.9"),
    (header::ACCEPT_ENCODING, "gzip, deflate, br, zstd"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// One connection that is kept alive.
pub(super) struct Client {
    host: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub(super) async fn connect(target: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends when the sender is dropped, or with an error that the sender tells of too.
        tokio::spawn(connection);
        Ok(Self { host: target.to_string(), sender })
    }

    /// Sends a request; the answer's body is still to be read.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: String,
    ) -> io::Result<http::Response<Incoming>> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method.clone();
        *request.uri_mut() = path.parse().map_err(io::Error::other)?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.parse().map_err(io::Error::other)?);
        headers.insert(header::CONNECTION, header::HeaderValue::from_static("keep-alive"));
        for (name, value) in HEADERS {
            headers.insert(name, header::HeaderValue::from_static(value));
        }
        if method == Method::POST {
            let json = header::HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
        }
        self.sender.ready().await.map_err(io::Error::other)?;
        self.sender.send_request(request).await.map_err(io::Error::other)
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: String,
    ) -> io::Result<Bytes> {
        let answer = self.send(method, path, body).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(io::Error::other(format!("{path} was answered {status}")))
        }
    }

    /// The same, where the answer is JSON.
    pub(super) async fn ask_json(
        &mut self,
        method: Method,
        path: &str,
        body: String,
    ) -> io::Result<Value> {
        let body = self.ask(method, path, body).await?;
        serde_json::from_slice(&body).map_err(io::Error::other)
    }
}
