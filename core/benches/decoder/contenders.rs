//! Who is measured: each as its own documentation has it used.

use std::future::Future;
use std::hint::black_box;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use framescope_core::frame::{FrameDecoder, FramePart, WholeFrame};
use framescope_core::session::Limits;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, EventKind, FrameHeader, Index, Leg, MaskingKey,
    Record, Session, Timestamp,
};

use crate::traffic::Traffic;

/// Octets handed to a decoder at once: what one read of a socket gives at most.
const READ: usize = 64 << 10;

/// One way to read the traffic.
pub trait Contender {
    fn name(&self) -> &'static str;

    /// Reads all of it, shows each plain payload, and says how many frames there were.
    fn run(&mut self, see: &mut dyn FnMut(&[u8])) -> usize;

    /// The same, shown to nobody; what is measured.
    fn run_blind(&mut self);

    /// Whether payloads are part of the work.
    fn tells_payloads(&self) -> bool {
        true
    }
}

/// Writes the two ways to run as one, so that what is checked is what is measured.
macro_rules! contender {
    ($type:ty, $name:literal $(, tells_payloads: $tells:literal)?) => {
        impl Contender for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn run(&mut self, see: &mut dyn FnMut(&[u8])) -> usize {
                self.read(see)
            }

            fn run_blind(&mut self) {
                black_box(self.read(|payload| {
                    black_box(payload);
                }));
            }

            $(fn tells_payloads(&self) -> bool {
                $tells
            })?
        }
    };
}
pub(crate) use contender;

/// Our decoder: reads of 64 KiB, each payload unmasked into a buffer that is used again.
pub struct Framescope<'a> {
    wire: &'a [u8],
    /// Where payloads are unmasked, over and over.
    room: Vec<u8>,
    /// The payload of a frame that is cut by the end of a read.
    cut: Vec<u8>,
}

contender!(Framescope<'_>, "framescope FrameDecoder");

impl<'a> Framescope<'a> {
    pub fn new(traffic: &'a Traffic) -> Self {
        Self { wire: &traffic.wire, room: Vec::new(), cut: Vec::new() }
    }

    fn read(&mut self, mut see: impl FnMut(&[u8])) -> usize {
        let mut decoder = FrameDecoder::new(0);
        let mut frames = 0;
        for mut read in self.wire.chunks(READ) {
            loop {
                while let Some(WholeFrame { header, payload, .. }) = decoder.next_whole(&mut read) {
                    frames += 1;
                    match header.masking_key {
                        Some(key) => see(key.apply_to(0, payload, &mut self.room)),
                        None => see(payload),
                    }
                }
                match decoder.next_part(&mut read) {
                    Some(FramePart::Header { .. }) => self.cut.clear(),
                    Some(FramePart::Payload { octets, position, masking_key }) => match masking_key
                    {
                        Some(key) => key.apply_into(position, octets, &mut self.cut),
                        None => self.cut.extend_from_slice(octets),
                    },
                    Some(FramePart::End) => {
                        frames += 1;
                        see(&self.cut);
                    }
                    Some(FramePart::Lost) => unreachable!("no length here is 2^63"),
                    None => break,
                }
            }
        }
        frames
    }
}

/// tungstenite's server side: messages of one frame each.
pub struct Tungstenite {
    stream: Option<Cursor<Vec<u8>>>,
}

contender!(Tungstenite, "tungstenite WebSocket::read");

impl Tungstenite {
    pub fn new(traffic: &Traffic) -> Self {
        Self { stream: Some(Cursor::new(traffic.wire.clone())) }
    }

    fn read(&mut self, mut see: impl FnMut(&[u8])) -> usize {
        let mut stream = self.stream.take().expect("put back after each run");
        stream.set_position(0);
        let mut socket = tungstenite::WebSocket::from_raw_socket(
            stream,
            tungstenite::protocol::Role::Server,
            None,
        );
        let mut frames = 0;
        loop {
            match socket.read() {
                Ok(tungstenite::Message::Binary(payload)) => see(&payload),
                Ok(tungstenite::Message::Text(payload)) => see(payload.as_bytes()),
                Ok(other) => unreachable!("{other} was not sent"),
                Err(_) => break,
            }
            frames += 1;
        }
        self.stream = Some(socket.into_inner());
        frames
    }
}

/// fastwebsockets' server side, its future polled by hand: memory is always ready.
pub struct Fastwebsockets {
    stream: Option<Cursor<Vec<u8>>>,
}

contender!(Fastwebsockets, "fastwebsockets read_frame");

impl Fastwebsockets {
    pub fn new(traffic: &Traffic) -> Self {
        Self { stream: Some(Cursor::new(traffic.wire.clone())) }
    }

    fn read(&mut self, mut see: impl FnMut(&[u8])) -> usize {
        let mut stream = self.stream.take().expect("put back after each run");
        stream.set_position(0);
        let mut socket =
            fastwebsockets::WebSocket::after_handshake(stream, fastwebsockets::Role::Server);
        socket.set_auto_close(false);
        socket.set_auto_pong(false);
        let frames = ready(async {
            let mut frames = 0;
            while let Ok(frame) = socket.read_frame().await {
                see(&frame.payload);
                frames += 1;
            }
            frames
        });
        self.stream = Some(socket.into_inner());
        frames
    }
}

/// Polls a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("memory is always ready"),
    }
}

/// Our header parser, payloads stepped over.
pub struct FramescopeHeaders<'a>(&'a [u8]);

contender!(FramescopeHeaders<'_>, "framescope FrameHeader::parse", tells_payloads: false);

impl<'a> FramescopeHeaders<'a> {
    pub fn new(traffic: &'a Traffic) -> Self {
        Self(&traffic.wire)
    }

    fn read(&mut self, _see: impl FnMut(&[u8])) -> usize {
        let (mut rest, mut frames) = (self.0, 0);
        while let Some((header, len)) = FrameHeader::parse(rest) {
            black_box(&header);
            frames += 1;
            rest = &rest[len + usize::try_from(header.payload_len.value).expect("it is small")..];
        }
        frames
    }
}

/// tungstenite's header parser, payloads stepped over.
pub struct TungsteniteHeaders<'a>(&'a [u8]);

contender!(TungsteniteHeaders<'_>, "tungstenite FrameHeader::parse", tells_payloads: false);

impl<'a> TungsteniteHeaders<'a> {
    pub fn new(traffic: &'a Traffic) -> Self {
        Self(&traffic.wire)
    }

    fn read(&mut self, _see: impl FnMut(&[u8])) -> usize {
        let (mut cursor, mut frames) = (Cursor::new(self.0), 0);
        while let Ok(Some((header, payload_len))) =
            tungstenite::protocol::frame::FrameHeader::parse(&mut cursor)
        {
            black_box(&header);
            frames += 1;
            cursor.set_position(cursor.position() + payload_len);
        }
        frames
    }
}

/// Payloads that are masked and unmasked by turns: the work is the same.
struct Payloads {
    octets: Vec<u8>,
    size: usize,
    masked: bool,
}

impl Payloads {
    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    fn new(traffic: &Traffic) -> Self {
        Self { octets: traffic.plain.clone(), size: traffic.size, masked: false }
    }

    fn each(&mut self, mut unmask: impl FnMut(&mut [u8])) -> usize {
        self.masked = !self.masked;
        let mut payloads = 0;
        for payload in self.octets.chunks_exact_mut(self.size) {
            unmask(payload);
            payloads += 1;
        }
        payloads
    }
}

/// Our masking.
pub struct FramescopeUnmask(Payloads);

contender!(FramescopeUnmask, "framescope MaskingKey::apply", tells_payloads: false);

impl FramescopeUnmask {
    pub fn new(traffic: &Traffic) -> Self {
        Self(Payloads::new(traffic))
    }

    fn read(&mut self, mut see: impl FnMut(&[u8])) -> usize {
        self.0.each(|payload| {
            MaskingKey(black_box(Payloads::KEY)).apply(0, payload);
            see(payload);
        })
    }
}

/// fastwebsockets' masking.
pub struct FastwebsocketsUnmask(Payloads);

contender!(FastwebsocketsUnmask, "fastwebsockets unmask", tells_payloads: false);

impl FastwebsocketsUnmask {
    pub fn new(traffic: &Traffic) -> Self {
        Self(Payloads::new(traffic))
    }

    fn read(&mut self, mut see: impl FnMut(&[u8])) -> usize {
        self.0.each(|payload| {
            fastwebsockets::unmask(payload, black_box(Payloads::KEY));
            see(payload);
        })
    }
}

const CONNECTION: ConnectionId = ConnectionId(1);

/// A connection's records: opened, upgraded; and the traffic in reads of so many octets.
pub fn records(traffic: &Traffic, read: usize) -> (Vec<Record>, Vec<Record>) {
    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let octets = |direction, octets| Record::Octets {
        connection: CONNECTION,
        at: Timestamp::from_nanos(1),
        leg: Leg::Client,
        direction,
        octets,
        in_proxy: None,
    };
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
    let info = ConnectionInfo { client: addr, server: addr, mode: None, upstream: None, tls: None };
    let opening = vec![
        Record::Opened {
            connection: CONNECTION,
            at: Timestamp::from_nanos(0),
            info: Box::new(info),
        },
        octets(Direction::ClientToServer, Bytes::from_static(REQUEST)),
        octets(Direction::ServerToClient, Bytes::from_static(RESPONSE)),
    ];
    let wire = Bytes::from(traffic.wire.clone());
    let reads = (0..wire.len()).step_by(read);
    let frames = reads.map(|at| wire.slice(at..wire.len().min(at + read)));
    (opening, frames.map(|part| octets(Direction::ClientToServer, part)).collect())
}

/// Everything the session knows to say of each frame.
pub struct FramescopeSession {
    opening: Vec<Record>,
    frames: Vec<Record>,
}

contender!(FramescopeSession, "framescope Session", tells_payloads: false);

impl FramescopeSession {
    pub fn new(traffic: &Traffic) -> Self {
        let (opening, frames) = records(traffic, READ);
        Self { opening, frames }
    }

    fn read(&mut self, _see: impl FnMut(&[u8])) -> usize {
        let mut session = Session::new(Limits::COUNT);
        let (mut frames, mut messages) = (0, 0);
        for record in self.opening.iter().chain(&self.frames) {
            session.receive_into(record, &mut |event| match black_box(&event).kind {
                EventKind::FrameDecoded(_) => frames += 1,
                EventKind::MessageCompleted(_) => messages += 1,
                EventKind::DiagnosticRaised(ref finding) => unreachable!("{finding:?}"),
                _ => {}
            });
        }
        assert_eq!(frames, messages, "each frame is a message");
        frames
    }
}

/// The same, and a row of the index for each frame.
pub struct FramescopeIndex {
    opening: Vec<Record>,
    frames: Vec<Record>,
}

contender!(FramescopeIndex, "framescope Session and Index", tells_payloads: false);

impl FramescopeIndex {
    pub fn new(traffic: &Traffic) -> Self {
        let (opening, frames) = records(traffic, READ);
        Self { opening, frames }
    }

    fn read(&mut self, _see: impl FnMut(&[u8])) -> usize {
        let mut index = Index::new();
        for (record, block_offset) in self.opening.iter().chain(&self.frames).zip(0_u64..) {
            index.receive(record, block_offset);
        }
        black_box(index.frames().len())
    }
}
