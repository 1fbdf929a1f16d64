//! Both ends of many conversations: each says what its seed tells, and compares what it hears.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use framescope_core::Direction;
use framescope_tests::hostile::{Ending, Hostile};
use framescope_tests::{Place, Proxy, Speaks, tls};
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsConnector;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// Conversations at a time.
const AT_ONCE: usize = 48;

/// The servers behind the proxy, and the clients before it.
pub struct Peers {
    addr: SocketAddr,
    no_more: Arc<Notify>,
    servers: JoinHandle<()>,
}

/// What a peer heard at the end of the other side's octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Fin,
    /// FIN without the `close_notify` that TLS would say first.
    Cut,
    Reset,
}

impl Heard {
    /// The system tells of a reset once: where a write has met it, a read meets the mere end.
    fn or_reset(self, written: &std::io::Result<()>) -> Self {
        if written.is_err() { Self::Reset } else { self }
    }
}

impl Peers {
    /// Listens on a free port of 127.0.0.1.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let no_more = Arc::new(Notify::new());
        let servers = tokio::spawn(serve(listener, no_more.clone()));
        Self { addr, no_more, servers }
    }

    /// Where the servers are.
    pub fn url(&self) -> String {
        format!("ws://{}", self.addr)
    }

    /// Lets every conversation happen as far as its client is concerned.
    pub async fn converse(&self, proxy: &Proxy, speaks: Speaks, seeds: Range<u64>) {
        let connector = match speaks {
            Speaks::Plain => None,
            Speaks::Tls => {
                let ca = Place::data_dir(proxy).join("ca/ca-cert.pem");
                Some(TlsConnector::from(tls::client_config(&ca)))
            }
        };
        let (addr, turns) = (proxy.addr(), Arc::new(Semaphore::new(AT_ONCE)));
        let mut clients = JoinSet::new();
        for seed in seeds {
            let turn = turns.clone().acquire_owned().await.unwrap();
            let connector = connector.clone();
            clients.spawn(async move {
                let said = Hostile::from_seed(seed);
                let stream = TcpStream::connect(addr).await.unwrap();
                prepare(
                    &stream,
                    matches!(said.ending, Ending::ClientResets | Ending::ClientVanishes),
                );
                match connector {
                    None => client(split(stream), &said).await,
                    Some(connector) => {
                        let name = ServerName::try_from("localhost").unwrap();
                        client(split(connector.connect(name, stream).await.unwrap()), &said).await;
                    }
                }
                drop(turn);
            });
            while let Some(done) = clients.try_join_next() {
                done.unwrap();
            }
        }
        while let Some(done) = clients.join_next().await {
            done.unwrap();
        }
    }

    /// Waits for the servers' part of every conversation.
    pub async fn finish(self) {
        self.no_more.notify_one();
        self.servers.await.unwrap();
    }
}

async fn serve(listener: TcpListener, no_more: Arc<Notify>) {
    let mut servers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.unwrap();
                servers.spawn(server(stream));
            }
            Some(done) = servers.join_next() => done.unwrap(),
            () = no_more.notified() => break,
        }
    }
    while let Some(done) = servers.join_next().await {
        done.unwrap();
    }
}

/// With `resets`, closing says RST; ends of writing say FIN all the same.
fn prepare(stream: &TcpStream, resets: bool) {
    stream.set_nodelay(true).unwrap();
    if resets {
        SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

async fn client<S: AsyncRead + AsyncWrite>(
    (mut read, mut write): (ReadHalf<S>, WriteHalf<S>),
    said: &Hostile,
) {
    let mut heard = Vec::new();
    let expected = said.down.len();
    match said.ending {
        Ending::Together | Ending::ClientFirst => {
            let (end, ()) =
                tokio::join!(hear(&mut read, &mut heard), say_all(&mut write, said, UP));
            said.expect(DOWN, &heard, end, Heard::Fin);
        }
        Ending::ServerFirst => {
            say_head(&mut write, said, UP).await;
            let end = hear(&mut read, &mut heard).await;
            said.expect(DOWN, &heard, end, Heard::Fin);
            say_rest(&mut write, said, UP).await;
            write.shutdown().await.unwrap();
        }
        Ending::ClientResets => {
            let pieces = say(&mut write, said, UP, 0, true);
            let (octets, written) = tokio::join!(hear_so_much(&mut read, expected), pieces);
            written.unwrap();
            said.expect(DOWN, &octets, Heard::Reset, Heard::Reset);
        }
        Ending::ServerResets => {
            say_head(&mut write, said, UP).await;
            heard = hear_so_much(&mut read, expected).await;
            say_rest(&mut write, said, UP).await;
            let end = hear(&mut read, &mut heard).await;
            said.expect(DOWN, &heard, end, Heard::Reset);
        }
        // Whether it is still heard is not for it to know.
        Ending::ClientVanishes => drop(say(&mut write, said, UP, 0, true).await),
        Ending::ServerVanishes => {
            let pieces = say(&mut write, said, UP, 0, true);
            let (end, written) = tokio::join!(hear(&mut read, &mut heard), pieces);
            let end = end.or_reset(&written);
            said.expect(DOWN, &heard, end, Heard::Reset);
        }
    }
}

async fn server(stream: TcpStream) {
    // None of a client that vanished before its head was whole.
    let Some(SaidAndHeard { said, mut heard, stream }) = read_head(stream).await else { return };
    prepare(&stream, matches!(said.ending, Ending::ServerResets | Ending::ServerVanishes));
    let (mut read, mut write) = split(stream);
    match said.ending {
        Ending::Together | Ending::ServerFirst => {
            let (end, ()) =
                tokio::join!(hear(&mut read, &mut heard), say_all(&mut write, &said, DOWN));
            said.expect(UP, &heard, end, Heard::Fin);
        }
        Ending::ClientFirst => {
            say_head(&mut write, &said, DOWN).await;
            let end = hear(&mut read, &mut heard).await;
            said.expect(UP, &heard, end, Heard::Fin);
            say_rest(&mut write, &said, DOWN).await;
            write.shutdown().await.unwrap();
        }
        Ending::ClientResets => {
            say_head(&mut write, &said, DOWN).await;
            let rest = said.up.len() - heard.len();
            heard.extend(hear_so_much(&mut read, rest).await);
            say_rest(&mut write, &said, DOWN).await;
            let end = hear(&mut read, &mut heard).await;
            said.expect(UP, &heard, end, Heard::Reset);
        }
        Ending::ServerResets => {
            let rest = said.up.len() - heard.len();
            let pieces = say(&mut write, &said, DOWN, 0, true);
            let (octets, written) = tokio::join!(hear_so_much(&mut read, rest), pieces);
            written.unwrap();
            heard.extend(octets);
            said.expect(UP, &heard, Heard::Reset, Heard::Reset);
        }
        Ending::ClientVanishes => {
            let pieces = say(&mut write, &said, DOWN, 0, true);
            let (end, written) = tokio::join!(hear(&mut read, &mut heard), pieces);
            let end = end.or_reset(&written);
            said.expect(UP, &heard, end, Heard::Reset);
        }
        Ending::ServerVanishes => drop(say(&mut write, &said, DOWN, 0, true).await),
    }
}

struct SaidAndHeard {
    said: Hostile,
    heard: Vec<u8>,
    stream: TcpStream,
}

/// Reads up to where the head is whole, and perhaps further; says which conversation it is.
async fn read_head(mut stream: TcpStream) -> Option<SaidAndHeard> {
    let mut heard = Vec::new();
    while !heard.windows(4).any(|four| four == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut heard).await, Ok(1..)) {
            return None;
        }
    }
    let said = Hostile::of_client_lane(&heard).expect("the request is as it was sent");
    Some(SaidAndHeard { said, heard, stream })
}

async fn say_all(write: &mut (impl AsyncWrite + Unpin), said: &Hostile, direction: Direction) {
    say(write, said, direction, 0, true).await.unwrap();
    write.shutdown().await.unwrap();
}

async fn say_head(write: &mut (impl AsyncWrite + Unpin), said: &Hostile, direction: Direction) {
    let head = said.pieces(direction, false).swap_remove(0);
    write.write_all(&said.lane(direction)[head]).await.unwrap();
    write.flush().await.unwrap();
}

async fn say_rest(write: &mut (impl AsyncWrite + Unpin), said: &Hostile, direction: Direction) {
    say(write, said, direction, 1, false).await.unwrap();
}

/// Writes the pieces from this one on.
async fn say(
    write: &mut (impl AsyncWrite + Unpin),
    said: &Hostile,
    direction: Direction,
    from: usize,
    may_glue: bool,
) -> std::io::Result<()> {
    for piece in said.pieces(direction, may_glue).into_iter().skip(from) {
        write.write_all(&said.lane(direction)[piece]).await?;
        write.flush().await?;
    }
    Ok(())
}

/// Reads all that comes, and how it ended.
async fn hear(read: &mut (impl AsyncRead + Unpin), heard: &mut Vec<u8>) -> Heard {
    match read.read_to_end(heard).await {
        Ok(_) => Heard::Fin,
        Err(fault) if fault.kind() == ErrorKind::ConnectionReset => Heard::Reset,
        Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => Heard::Cut,
        Err(fault) => panic!("the connection did not end well: {fault}"),
    }
}

async fn hear_so_much(read: &mut (impl AsyncRead + Unpin), len: usize) -> Vec<u8> {
    let mut heard = vec![0; len];
    read.read_exact(&mut heard).await.expect("as many octets as were sent");
    heard
}

/// What the other side of a conversation must have heard.
trait Expect {
    fn expect(&self, direction: Direction, heard: &[u8], end: Heard, expected: Heard);
}

impl Expect for Hostile {
    fn expect(&self, direction: Direction, heard: &[u8], end: Heard, expected: Heard) {
        let (seed, ending, said) = (self.seed, self.ending, self.lane(direction));
        let alike = if ending.loses() { said.starts_with(heard) } else { said == heard };
        assert!(alike, "{seed}, {ending:?}, {direction}: {} of {} octets", heard.len(), said.len());
        assert_eq!(end, expected, "{seed}, {ending:?}, {direction}");
    }
}
