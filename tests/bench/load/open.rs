//! Opening a WebSocket through a rival, plain or over TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How the load reaches the echo.
#[derive(Debug, Clone)]
pub struct Way {
    /// Where to connect.
    pub addr: SocketAddr,
    /// Over TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// The request target: a path, or an absolute URL for a forward proxy.
    pub target: String,
    /// The address to connect from; the system's choice where there is none.
    pub from: Option<SocketAddr>,
}

impl Way {
    /// Plain, straight to `addr`.
    pub fn plain(addr: SocketAddr) -> Self {
        Self { addr, tls: None, target: "/echo".into(), from: None }
    }

    /// Over TLS to `addr`.
    pub fn tls(addr: SocketAddr, config: Arc<ClientConfig>) -> Self {
        Self { tls: Some(config), ..Self::plain(addr) }
    }
}

/// An open WebSocket, as octets.
pub struct Socket {
    /// What comes from the echo.
    pub read: Box<dyn AsyncRead + Send + Unpin>,
    /// What goes to it. TLS holds octets back until it is flushed.
    pub write: Box<dyn AsyncWrite + Send + Unpin>,
}

/// Opens a WebSocket.
pub async fn open(way: &Way) -> Result<Socket> {
    let mut stream = connect(way).await?;
    let Some(config) = &way.tls else {
        upgrade(&mut stream, way).await?;
        let (read, write) = stream.into_split();
        return Ok(Socket { read: Box::new(read), write: Box::new(write) });
    };
    let mut stream = secure(stream, config, way).await?;
    upgrade(&mut stream, way).await?;
    let (read, write) = tokio::io::split(stream);
    Ok(Socket { read: Box::new(read), write: Box::new(write) })
}

/// Opens a WebSocket and ends it at once with a reset: no `TIME_WAIT` here, a run would use up the ports.
pub async fn handshake(way: &Way) -> Result<()> {
    let mut stream = connect(way).await?;
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    match &way.tls {
        None => upgrade(&mut stream, way).await,
        Some(config) => upgrade(&mut secure(stream, config, way).await?, way).await,
    }
}

async fn connect(way: &Way) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(from) = way.from {
        socket.bind(from)?;
    }
    let stream = socket.connect(way.addr).await.context("the rival accepts")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn secure(
    stream: TcpStream,
    config: &Arc<ClientConfig>,
    way: &Way,
) -> Result<TlsStream<TcpStream>> {
    let name = ServerName::from(way.addr.ip());
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    stream.context("the rival speaks TLS")
}

async fn upgrade(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), way: &Way) -> Result<()> {
    let Way { addr, target, .. } = way;
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            bail!("the connection ended before the answer");
        }
    }
    if !head.starts_with(b"HTTP/1.1 101") {
        bail!("the answer is {}", head.escape_ascii());
    }
    Ok(())
}
