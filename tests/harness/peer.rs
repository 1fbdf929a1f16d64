//! Raw TCP peers that say exactly what a test tells them to.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use crate::wire::{request, response};

/// How long a peer waits for octets before the test fails: far beyond what a slow machine needs.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A server that waits for the proxy to connect.
#[derive(Debug)]
pub struct Upstream {
    listener: TcpListener,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
}

/// What a peer saw at the end of the other side's octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// FIN.
    Fin,
    /// FIN without the `close_notify` that TLS would say first.
    Cut,
    /// RST.
    Reset,
}

impl Upstream {
    /// Listens on a free port of 127.0.0.1.
    pub fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        // It bounds `accept` too: a proxy that does not connect fails the test instead of hanging it.
        SockRef::from(&listener).set_read_timeout(Some(PATIENCE)).expect("a live socket");
        Self { listener }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listener.local_addr().expect("a bound listener has an address")
    }

    /// Its URL with `scheme`, such as `ws`.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.addr())
    }

    /// The next connection.
    pub fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().expect("the proxy connects");
        Peer::new(stream)
    }

    /// A WebSocket between `client`, which is connected to the proxy, and this server. Both heads have
    /// these further lines, each ended by CRLF.
    pub fn open<T: Talk>(&self, mut client: T, further: &str) -> (T, Peer) {
        client.send(request("/", "h", further).as_bytes());
        let mut server = self.accept();
        server.read_head();
        let answer = response(further);
        server.send(answer.as_bytes());
        assert_eq!(String::from_utf8_lossy(&client.read(answer.len())), answer);
        (client, server)
    }
}

/// Whoever sends and reads octets, over whatever.
pub trait Talk {
    /// Sends octets.
    fn send(&mut self, octets: &[u8]);
    /// Reads exactly `len` octets.
    fn read(&mut self, len: usize) -> Vec<u8>;
}

impl Talk for Peer {
    fn send(&mut self, octets: &[u8]) {
        self.send(octets);
    }

    fn read(&mut self, len: usize) -> Vec<u8> {
        self.read(len)
    }
}

impl Peer {
    /// Connects to `addr`.
    pub fn connect(addr: SocketAddr) -> Self {
        Self::new(TcpStream::connect(addr).expect("a listener"))
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a live socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a live socket");
        stream.set_nodelay(true).expect("a live socket");
        Self { stream }
    }

    /// Sends octets.
    pub fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).expect("the other side reads");
    }

    /// Sends octets; says whether the other side is still there.
    pub fn try_send(&mut self, octets: &[u8]) -> bool {
        self.stream.write_all(octets).is_ok()
    }

    /// Reads at most `len` octets, and forgets them; says whether the other side is still there.
    pub fn try_read(&mut self, len: usize) -> bool {
        matches!(self.stream.read(&mut vec![0; len]), Ok(1..))
    }

    /// Reads exactly `len` octets.
    pub fn read(&mut self, len: usize) -> Vec<u8> {
        let mut octets = vec![0; len];
        self.stream.read_exact(&mut octets).expect("as many octets as were sent");
        octets
    }

    /// Reads and compares.
    pub fn expect(&mut self, octets: &[u8]) {
        let seen = self.read(octets.len());
        assert!(seen == octets, "expected {:?}, got {:?}", text(octets), text(&seen));
    }

    /// Reads up to the end of the first empty line, octet by octet, so that nothing behind it is lost.
    pub fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.read(1));
        }
        String::from_utf8(head).expect("heads of tests are text")
    }

    /// Reads all that comes, and how it ended.
    pub fn read_to_end(&mut self) -> (Vec<u8>, End) {
        let (mut octets, mut part) = (Vec::new(), vec![0; 64 << 10]);
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => return (octets, End::Fin),
                Ok(len) => octets.extend_from_slice(&part[..len]),
                Err(fault) if fault.kind() == ErrorKind::ConnectionReset => {
                    return (octets, End::Reset);
                }
                Err(fault) => panic!("the connection did not end: {fault}"),
            }
        }
    }

    /// Says FIN; goes on reading.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("a live socket");
    }

    /// Says RST.
    pub fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("a live socket");
    }

    /// A second handle on the same socket, for another thread.
    #[must_use]
    pub fn handle(&self) -> Self {
        Self { stream: self.stream.try_clone().expect("a live socket") }
    }

    /// The socket itself, for peers that speak TLS or WebSocket over it.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// The address this end has.
    pub fn local_addr(&self) -> SocketAddr {
        self.stream.local_addr().expect("a live socket")
    }
}

fn text(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}
