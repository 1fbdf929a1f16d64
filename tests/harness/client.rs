//! A client of the proxy that speaks TLS or does not: tests that hold for both say it once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use socket2::SockRef;

use crate::peer::{End, PATIENCE, Talk};
use crate::tls::{self, TlsClient};
use crate::wire::{request, response};

/// Where a client connects: a proxy in this process or in one of its own.
pub trait Place {
    /// Its address.
    fn addr(&self) -> SocketAddr;
    /// The folder that holds its authority.
    fn data_dir(&self) -> PathBuf;
}

/// What a listener is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Octets as they are.
    Plain,
    /// TLS, trusting the proxy's authority.
    Tls,
}

impl Speaks {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Plain, Self::Tls];
}

/// One end of a connection, plain or TLS.
#[derive(Debug)]
pub enum Client {
    /// Octets as they are.
    Plain(TcpStream),
    /// Over TLS; the handshake is done.
    Tls(Box<TlsClient>),
}

impl Client {
    /// Connects to `place`, and does the TLS handshake where there is one.
    pub fn connect(place: &impl Place, speaks: Speaks) -> Self {
        Self::over(TcpStream::connect(place.addr()).expect("a listener"), place, speaks)
    }

    /// Speaks over `stream`, which is connected to `place`.
    pub fn over(stream: TcpStream, place: &impl Place, speaks: Speaks) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a live socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a live socket");
        stream.set_nodelay(true).expect("a live socket");
        match speaks {
            Speaks::Plain => Self::Plain(stream),
            Speaks::Tls => {
                let ca = place.data_dir().join("ca/ca-cert.pem");
                let mut client = tls::client(stream, &ca, "localhost");
                while client.conn.is_handshaking() {
                    client.conn.complete_io(&mut client.sock).expect("a TLS handshake");
                }
                Self::Tls(Box::new(client))
            }
        }
    }

    /// Asks for a WebSocket.
    pub fn ask(&mut self) {
        self.send(request("/", "h", "").as_bytes());
    }

    /// Reads the 101 that answers.
    pub fn expect_answer(&mut self) {
        let answer = response("");
        assert_eq!(String::from_utf8_lossy(&self.read(answer.len())), answer);
    }

    /// Sends octets.
    pub fn send(&mut self, octets: &[u8]) {
        self.write_all(octets).and_then(|()| self.flush()).expect("the other side reads");
    }

    /// Reads exactly `len` octets.
    pub fn read(&mut self, len: usize) -> Vec<u8> {
        let mut octets = vec![0; len];
        self.read_exact(&mut octets).expect("as many octets as were sent");
        octets
    }

    /// Reads all that comes, and how it ended.
    pub fn read_until_end(&mut self) -> (Vec<u8>, End) {
        let (mut octets, mut part) = (Vec::new(), [0; 16 << 10]);
        loop {
            match Read::read(self, &mut part) {
                Ok(0) => return (octets, End::Fin),
                Ok(len) => octets.extend_from_slice(&part[..len]),
                Err(fault) => match fault.kind() {
                    ErrorKind::UnexpectedEof => return (octets, End::Cut),
                    ErrorKind::ConnectionReset => return (octets, End::Reset),
                    _ => panic!("the connection did not end: {fault}"),
                },
            }
        }
    }

    /// Ends in good order what it has to say: `close_notify` where TLS is spoken, FIN.
    pub fn finish(&mut self) {
        if let Self::Tls(client) = self {
            client.conn.send_close_notify();
            client.flush().expect("the other side reads");
        }
        self.tcp().shutdown(std::net::Shutdown::Write).expect("a live socket");
    }

    /// Says RST.
    pub fn reset(self) {
        SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO)).expect("a live socket");
    }

    /// The TCP connection below.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(client) => &client.sock,
        }
    }
}

impl Talk for Client {
    fn send(&mut self, octets: &[u8]) {
        self.send(octets);
    }

    fn read(&mut self, len: usize) -> Vec<u8> {
        self.read(len)
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(client) => client.read(buffer),
        }
    }
}

impl Write for Client {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(octets),
            Self::Tls(client) => client.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(client) => client.flush(),
        }
    }
}
