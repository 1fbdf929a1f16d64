//! The command line as a process of its own, which can be limited, measured and killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit, setrlimit};
use tempfile::TempDir;

use crate::peer::PATIENCE;
use crate::{Peer, Place, Recorded};

/// `framescope proxy`, with a capture and a data directory of its own. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    addr: SocketAddr,
    lines: Receiver<String>,
    folder: TempDir,
}

impl Process {
    /// Starts `program` (the built command line) in front of `url`, with further arguments.
    pub fn start(program: &str, url: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(program)
            .args(["proxy", url, "--listen", "127.0.0.1:0", "-w"])
            .arg(folder.path().join("test.pcapng"))
            .args(arguments)
            .env("FRAMESCOPE_DATA_DIR", folder.path().join("data"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let lines = read_lines(child.stderr.take().expect("a pipe"));
        let line = lines.recv_timeout(PATIENCE).expect("it says where it listens");
        let addr = line.strip_prefix("listening on ").map(str::parse);
        let addr = addr.unwrap_or_else(|| panic!("{line}")).expect("an address");
        Self { child, addr, lines, folder }
    }

    /// A raw client.
    pub fn connect(&self) -> Peer {
        Peer::connect(self.addr)
    }

    /// The capture's path.
    pub fn capture_path(&self) -> PathBuf {
        self.folder.path().join("test.pcapng")
    }

    /// Sets the limit of this resource to `current` from now on; gives what it was.
    pub fn limit(&self, resource: Resource, current: Option<u64>) -> Option<u64> {
        // The upper limit stays: it could never be raised again.
        let limit = Rlimit { current, maximum: self.maximum(resource) };
        prlimit(Some(self.pid()), resource, limit).expect("a process of our own").current
    }

    fn maximum(&self, resource: Resource) -> Option<u64> {
        let name = match resource {
            Resource::Nofile => "Max open files",
            Resource::Fsize => "Max file size",
            other => panic!("no test limits {other:?}"),
        };
        let limits = self.proc("limits");
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a known limit");
        line[name.len()..].split_whitespace().nth(1).and_then(|word| word.parse().ok())
    }

    /// Resident memory now, in octets.
    pub fn resident(&self) -> u64 {
        self.status_kib("VmRSS:") << 10
    }

    /// The most resident memory there was so far, in octets.
    pub fn peak(&self) -> u64 {
        self.status_kib("VmHWM:") << 10
    }

    /// CPU time used so far, in hundredths of a second.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = self.proc("stat");
        // Fields 14 and 15, counted behind the name in brackets, which may hold anything.
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks.map(|field| field.parse::<u64>().expect("a number")).sum()
    }

    fn status_kib(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(name)).expect("Linux tells it");
        line.split_whitespace().nth(1).expect("a value").parse().expect("a number")
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("it runs")
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The next line on stderr that holds `words`.
    pub fn await_line(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("nothing on stderr says {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// SIGKILL: it has no chance to do anything. Gives its folder, which goes when that is dropped.
    pub fn kill(mut self) -> TempDir {
        self.child.kill().expect("a process of our own");
        self.child.wait().expect("it ends");
        let own = tempfile::tempdir().expect("a folder");
        std::mem::replace(&mut self.folder, own)
    }

    /// SIGTERM; it must end well. Reads what it recorded.
    pub fn stop(mut self) -> Recorded {
        self.terminate();
        Recorded::read(&self.capture_path())
    }

    /// SIGTERM; it must end well. Gives its folder, which goes when that is dropped.
    pub fn stop_and_keep(mut self) -> TempDir {
        self.terminate();
        let own = tempfile::tempdir().expect("a folder");
        std::mem::replace(&mut self.folder, own)
    }

    fn terminate(&mut self) {
        kill_process(self.pid(), Signal::TERM).expect("a process of our own");
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }
}

impl Place for Process {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes as many open files as this user may have: crowds need many.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Nofile, raised).expect("the upper limit may be taken");
}

/// Every line as it comes: a pipe that nobody reads would stop its writer.
fn read_lines(stderr: ChildStderr) -> Receiver<String> {
    let (said, lines) = channel();
    std::thread::spawn(move || {
        let mut stderr = BufReader::new(stderr);
        let mut line = String::new();
        while matches!(stderr.read_line(&mut line), Ok(1..)) {
            // Nobody listens any more once the test is over.
            let _ = said.send(line.trim_end().to_owned());
            line.clear();
        }
    });
    lines
}
