//! What the relay asks of a stream besides octets: to end as abruptly as the other side did.

use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::ReadAhead;

/// A stream over TCP, plain or TLS.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {
    /// The TCP connection below, where there is one.
    fn tcp(&self) -> Option<&TcpStream>;

    /// Whether more can be read without asking the system.
    fn is_ahead(&self) -> bool {
        false
    }

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

    fn is_ahead(&self) -> bool {
        (**self).is_ahead()
    }
}

impl Socket for tokio_rustls::server::TlsStream<ReadAhead<TcpStream>> {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self.get_ref().0.stream())
    }

    fn is_ahead(&self) -> bool {
        self.get_ref().0.is_ahead()
    }
}

impl Socket for tokio_rustls::client::TlsStream<ReadAhead<TcpStream>> {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self.get_ref().0.stream())
    }

    fn is_ahead(&self) -> bool {
        self.get_ref().0.is_ahead()
    }
}

#[cfg(test)]
impl Socket for tokio::io::DuplexStream {
    fn tcp(&self) -> Option<&TcpStream> {
        None
    }
}
