//! Captures to open in tests, written as the recorder writes them.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use egui_kittest::Harness;
use framescope_core::capture::CaptureWriter;
use framescope_core::frame::Rsv;
use framescope_core::{
    ConnectionId, ConnectionInfo, Direction, Finish, FrameHeader, Leg, MaskingKey, Opcode,
    PayloadLength, Record, Timestamp,
};
use framescope_gui::App;
use framescope_gui::settings::Settings;
use framescope_gui::source::{Options, Source, Target};
use tempfile::TempDir;

pub const UP: Direction = Direction::ClientToServer;
pub const DOWN: Direction = Direction::ServerToClient;
const START: u64 = 1_700_000_000_000_000_000;
/// Octets of one record, as a busy connection is read.
const CHUNK: usize = 32 << 10;

/// A capture being written, in a folder that goes with it.
pub struct Capture {
    folder: TempDir,
    writer: CaptureWriter<File>,
    now: u64,
    opened: u32,
    waiting: Vec<u8>,
}

impl Capture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = File::create(folder.path().join("test.pcapng")).expect("a file in it");
        let writer = CaptureWriter::new(file).expect("a section header");
        Self { folder, writer, now: START, opened: 0, waiting: Vec::new() }
    }

    fn tick(&mut self) -> Timestamp {
        self.now += 1_000_000;
        Timestamp::from_nanos(self.now)
    }

    fn write(&mut self, record: &Record) {
        self.writer.write(record).expect("the record is written");
    }

    fn octets(&mut self, connection: ConnectionId, direction: Direction, octets: &[u8]) {
        let octets = Bytes::copy_from_slice(octets);
        let at = self.tick();
        self.write(&Record::Octets {
            connection,
            at,
            leg: Leg::Client,
            direction,
            octets,
            in_proxy: None,
        });
    }

    /// A connection on which nothing was said yet.
    pub fn connection(&mut self) -> ConnectionId {
        self.opened += 1;
        let connection = ConnectionId(self.opened);
        let client: SocketAddr = ([127, 0, 0, 1], 40_000).into();
        let server: SocketAddr = ([127, 0, 0, 1], 9870).into();
        let info = ConnectionInfo { client, server, mode: None, upstream: None, tls: None };
        let at = self.tick();
        self.write(&Record::Opened { connection, at, info: Box::new(info) });
        connection
    }

    /// A connection that became a WebSocket on this target.
    pub fn websocket(&mut self, target: &str) -> ConnectionId {
        let connection = self.connection();
        self.upgrade(connection, target);
        connection
    }

    /// A connection that is there becomes a WebSocket on this target.
    pub fn upgrade(&mut self, connection: ConnectionId, target: &str) {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:9870\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n"
        );
        let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        self.octets(connection, UP, request.as_bytes());
        self.octets(connection, DOWN, response.as_bytes());
    }

    /// One whole frame in one record.
    pub fn frame(&mut self, on: ConnectionId, direction: Direction, opcode: Opcode, data: &[u8]) {
        let octets = frame_octets(direction, opcode, data);
        self.octets(on, direction, &octets);
    }

    /// One text message.
    pub fn text(&mut self, on: ConnectionId, direction: Direction, text: &str) {
        self.frame(on, direction, Opcode::Text, text.as_bytes());
    }

    /// Many small text messages from the server, as a busy connection is read.
    pub fn flood(&mut self, on: ConnectionId, count: usize) {
        let frame = frame_octets(DOWN, Opcode::Text, b"tick");
        for _ in 0..count {
            self.waiting.extend_from_slice(&frame);
            if self.waiting.len() >= CHUNK {
                let octets = std::mem::take(&mut self.waiting);
                self.octets(on, DOWN, &octets);
            }
        }
        let octets = std::mem::take(&mut self.waiting);
        if !octets.is_empty() {
            self.octets(on, DOWN, &octets);
        }
    }

    /// The client closed the connection.
    pub fn end(&mut self, connection: ConnectionId) {
        for direction in [UP, DOWN] {
            let at = self.tick();
            self.write(&Record::Finished {
                connection,
                at,
                leg: Leg::Client,
                direction,
                how: Finish::Fin,
            });
        }
    }

    /// Hands what was written so far to the file; more can follow.
    pub fn flush(&mut self) {
        self.writer.flush().expect("flushed");
    }

    /// Hands what was written so far to the file, and lets that be long ago.
    pub fn leave_alone(&mut self) {
        self.flush();
        let path = self.folder.path().join("test.pcapng");
        let file = File::options().append(true).open(path).expect("it is there");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        file.set_modified(long_ago).expect("its time is set");
    }

    /// Opens it in a window of this size, and waits until all of it is listed.
    pub fn open(mut self, width: f32, height: f32) -> Window {
        self.flush();
        let path = self.folder.path().join("test.pcapng");
        let mut window = Window { harness: harness(&path, width, height), capture: self };
        window.settle();
        window
    }

    /// Octets as they are, frames or not.
    pub fn raw(&mut self, on: ConnectionId, direction: Direction, octets: &[u8]) {
        self.octets(on, direction, octets);
    }

    /// Octets that are missing.
    pub fn gap(&mut self, on: ConnectionId, direction: Direction, len: u64) {
        let at = self.tick();
        let (connection, leg, position) = (on, Leg::Client, None);
        self.write(&Record::Gap { connection, at, leg, direction, len, position });
    }
}

/// A window onto a file that need not be a capture.
pub fn open_file(path: &Path) -> Window {
    Window { harness: harness(path, 1280.0, 800.0), capture: Capture::new() }
}

/// A window onto a proxy that runs in this process, its address, and its capture.
pub fn open_live() -> (Window, SocketAddr, PathBuf) {
    let capture = Capture::new();
    let path = capture.folder.path().join("live.pcapng");
    // Nobody listens there: what matters is what is recorded of it.
    let target = Target::Upstream("ws://127.0.0.1:1".to_owned());
    let listen = Some(([127, 0, 0, 1], 0).into());
    let options = Options { listen, capture: Some(path.clone()), ..Options::default() };
    let source = Source::start(&target, &options);
    let source = Arc::new(source.expect("the proxy starts"));
    let addr = source.listen_addr().expect("it listens");
    (Window { harness: window_onto(source, 1280.0, 800.0), capture }, addr, path)
}

/// One frame as it stands on the wire; a client's is masked.
pub fn frame_octets(direction: Direction, opcode: Opcode, data: &[u8]) -> Vec<u8> {
    let key = MaskingKey([0x37, 0xfa, 0x21, 0x3d]);
    let masking_key = (direction == UP).then_some(key);
    let payload_len = PayloadLength::minimal(data.len() as u64);
    let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode, masking_key, payload_len };
    let mut octets = Vec::new();
    header.encode(&mut octets);
    let mask = masking_key.map_or([0; 4], |key| key.0);
    octets.extend(data.iter().zip(mask.iter().cycle()).map(|(octet, key)| octet ^ key));
    octets
}

fn harness(path: &Path, width: f32, height: f32) -> Harness<'static, App> {
    window_onto(Arc::new(Source::open(path).expect("the capture is there")), width, height)
}

fn window_onto(source: Arc<Source>, width: f32, height: f32) -> Harness<'static, App> {
    Harness::builder()
        .with_size(egui::vec2(width, height))
        .with_max_steps(64)
        .build_eframe(move |context| App::new(&context.egui_ctx, source, Settings::default()))
}

/// A window onto a capture.
pub struct Window {
    pub harness: Harness<'static, App>,
    pub capture: Capture,
}

impl Window {
    pub fn app(&self) -> &App {
        self.harness.state()
    }

    /// Draws until the capture is listed and everything that is looked at has been read.
    pub fn settle(&mut self) {
        self.until("the capture is listed", |app| {
            app.store().octets_read()
                >= app.source().capture_path().metadata().map_or(0, |f| f.len())
                && app.store().caught_up()
        });
        self.harness.run_ok();
    }

    /// Turns the wheel under the pointer: positive is towards the top.
    pub fn wheel(&mut self, points: f32) {
        self.harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, points),
            modifiers: egui::Modifiers::NONE,
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Trackpad,
        });
        self.harness.run_ok();
    }

    /// Draws until this holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&App) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            self.harness.step();
            if holds(self.harness.state()) {
                break;
            }
            assert!(Instant::now() < deadline, "waited too long until {what}");
            std::thread::yield_now();
        }
        self.harness.step();
    }
}
