//! What the relay asks of a stream besides octets: to end as abruptly as the other side did.

use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Rewind;

/// A stream over TCP, plain or TLS.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {
    /// The TCP connection below, where there is one.
    fn tcp(&self) -> Option<&TcpStream>;

    /// Makes the coming drop send RST rather than FIN.
    fn reset_on_drop(&self) {
        if let Some(tcp) = self.tcp() {
            // Fails only on a socket that is gone already.
            let _ = SockRef::from(tcp).set_linger(Some(Duration::ZERO));
        }
    }

    /// Sends FIN without the `close_notify` that TLS would say first.
    fn cut(&self) {
        if let Some(tcp) = self.tcp() {
            let _ = SockRef::from(tcp).shutdown(Shutdown::Write);
        }
    }
}

impl Socket for TcpStream {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

impl<S: Socket> Socket for Box<S> {
    fn tcp(&self) -> Option<&TcpStream> {
        (**self).tcp()
    }
}

impl Socket for tokio_rustls::server::TlsStream<Rewind<TcpStream>> {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self.get_ref().0.stream())
    }
}

impl Socket for tokio_rustls::client::TlsStream<TcpStream> {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self.get_ref().0)
    }
}

#[cfg(test)]
impl Socket for tokio::io::DuplexStream {
    fn tcp(&self) -> Option<&TcpStream> {
        None
    }
}
