//! Playing a script: steps to records.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::script::{Edit, ScriptError, Step, steps};
use crate::handshake::AcceptDerivation;
use crate::{ConnectionId, ConnectionInfo, Direction, Head, Leg, Record, Timestamp};

/// What a capture of this conversation holds; see the module `example` for the script's words.
pub fn records(script: &str) -> Result<Vec<Record>, ScriptError> {
    let steps = steps(script)?;
    let mut stage = Stage::new();
    stage.connect();
    stage.play(&steps);
    stage.begin();
    Ok(stage.records)
}

const START: Timestamp = Timestamp::from_nanos(1_700_000_000 * 1_000_000_000);
const BEAT: Duration = Duration::from_millis(1);

/// A conversation in progress.
struct Stage {
    records: Vec<Record>,
    now: Timestamp,
    connection: u32,
    /// By [`Direction::index`]: the start line, then the fields.
    heads: [Vec<Vec<u8>>; 2],
    /// The accept value follows from the key, unless the script says otherwise.
    accept_is_told: bool,
    is_sent: [bool; 2],
}

impl Stage {
    fn new() -> Self {
        Self {
            records: Vec::new(),
            now: START,
            connection: 0,
            heads: [Vec::new(), Vec::new()],
            accept_is_told: false,
            is_sent: [false; 2],
        }
    }

    fn play(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Http => {
                    self.heads = [
                        lines(&["GET / HTTP/1.1", "Host: a.example"]),
                        lines(&["HTTP/1.1 200 OK", "Content-Length: 0"]),
                    ];
                    self.accept_is_told = true;
                }
                Step::Alter(direction, edit) => self.alter(*direction, edit),
                Step::Ask => self.send_head(Direction::ClientToServer),
                Step::Open => self.open(),
                Step::Octets(direction, octets) => {
                    self.begin();
                    self.octets(*direction, octets.clone());
                }
                Step::Finish(direction, how) => {
                    self.begin();
                    let at = self.beat();
                    let (connection, direction) = (self.id(), *direction);
                    self.records.push(Record::Finished {
                        connection,
                        at,
                        leg: Leg::Client,
                        direction,
                        how: *how,
                    });
                }
                Step::Wait(span) => {
                    self.begin();
                    self.now = self.now.plus(*span);
                }
                Step::Note(note) => {
                    let (connection, at) = (self.id(), self.beat());
                    self.records.push(Record::Noted { connection, at, note: note.clone() });
                }
                Step::Connect => {
                    self.begin();
                    self.connect();
                }
                Step::Repeat(times, steps) => {
                    for _ in 0..*times {
                        self.play(steps);
                    }
                }
            }
        }
    }

    /// The next connection, and the heads that would open a WebSocket on it.
    fn connect(&mut self) {
        self.connection = self.connection.saturating_add(1);
        let number = self.connection;
        let mut nonce = *b"a nonce for ....";
        let (_, digits) = nonce.split_at_mut(12);
        digits.copy_from_slice(&number.wrapping_mul(0x9E37_79B9).to_be_bytes());
        let key = format!("Sec-WebSocket-Key: {}", STANDARD.encode(nonce));
        self.heads = [
            lines(&[
                "GET /chat HTTP/1.1",
                "Host: a.example",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                &key,
            ]),
            lines(&[
                "HTTP/1.1 101 Switching Protocols",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Accept: ",
            ]),
        ];
        (self.accept_is_told, self.is_sent) = (false, [false; 2]);
        let port = u16::try_from(number).unwrap_or(u16::MAX).saturating_add(50_000);
        let info = ConnectionInfo {
            client: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), port),
            server: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 80)), 80),
            mode: None,
            upstream: None,
            tls: None,
        };
        let (connection, at) = (self.id(), self.beat());
        self.records.push(Record::Opened { connection, at, info: Box::new(info) });
    }

    fn alter(&mut self, direction: Direction, edit: &Edit) {
        let is_named = |line: &[u8], name: &str| {
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
                && line.get(name.len()) == Some(&b':')
        };
        let head = &mut self.heads[direction.index()];
        let name = match edit {
            Edit::Start(line) => {
                if let Some(start) = head.first_mut() {
                    start.clone_from(line);
                }
                return;
            }
            Edit::Remove(name) => {
                head.retain(|line| !is_named(line, name));
                name
            }
            Edit::Add(line) => {
                head.push(line.clone());
                return;
            }
            Edit::Set(name, line) => {
                match head.iter_mut().find(|line| is_named(line, name)) {
                    Some(place) => place.clone_from(line),
                    None => head.push(line.clone()),
                }
                name
            }
        };
        self.accept_is_told |= name.eq_ignore_ascii_case(ACCEPT);
    }

    /// Opens, unless a lone request was sent: what follows that one comes without an answer.
    fn begin(&mut self) {
        if !self.is_sent[Direction::ClientToServer.index()] {
            self.open();
        }
    }

    fn open(&mut self) {
        self.send_head(Direction::ClientToServer);
        self.send_head(Direction::ServerToClient);
    }

    fn send_head(&mut self, direction: Direction) {
        if std::mem::replace(&mut self.is_sent[direction.index()], true) {
            return;
        }
        if direction == Direction::ServerToClient && !self.accept_is_told {
            let request = Head::parse_request(Bytes::from(self.head(!direction)), 0).ok();
            let key = request
                .and_then(|head| head.values("Sec-WebSocket-Key").next().map(<[u8]>::to_vec));
            let accept = AcceptDerivation::of_octets(&key.unwrap_or_default()).accept;
            let line = format!("{ACCEPT}: {accept}").into_bytes();
            self.alter(direction, &Edit::Set(ACCEPT.to_owned(), line));
        }
        let head = self.head(direction);
        self.octets(direction, head);
    }

    /// The octets of a head, the empty line included.
    fn head(&self, direction: Direction) -> Vec<u8> {
        let mut head = self.heads[direction.index()].join(&b"\r\n"[..]);
        head.extend_from_slice(b"\r\n\r\n");
        head
    }

    fn octets(&mut self, direction: Direction, octets: Vec<u8>) {
        let (connection, at) = (self.id(), self.beat());
        let octets = Bytes::from(octets);
        self.records.push(Record::Octets {
            connection,
            at,
            leg: Leg::Client,
            direction,
            octets,
            in_proxy: None,
        });
    }

    fn id(&self) -> ConnectionId {
        ConnectionId(self.connection)
    }

    fn beat(&mut self) -> Timestamp {
        self.now = self.now.plus(BEAT);
        self.now
    }
}

const ACCEPT: &str = "Sec-WebSocket-Accept";

fn lines(text: &[&str]) -> Vec<Vec<u8>> {
    text.iter().map(|line| line.as_bytes().to_vec()).collect()
}
