//! Other processes: started, asked for their address, their CPU time and their memory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// Threads that every rival has for its work.
pub const THREADS: usize = 2;

/// A runtime as every rival written here uses it.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?)
}

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    /// Starts this program again with `words`; it says its address on the first line it prints.
    pub fn start_self(words: &[&str]) -> Result<Self> {
        Self::start_saying(Command::new(std::env::current_exe()?).args(words))
    }

    /// Starts a program that says its address on the first line it prints.
    pub fn start_saying(command: &mut Command) -> Result<Self> {
        // A backtrace of each connection that was reset would be the echo's work, not the rival's.
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().context("standard output was asked for")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let addr = line.trim().parse().with_context(|| format!("{command:?} said {line:?}"))?;
        Ok(Self { child, addr })
    }

    /// Starts another program, which listens on `addr`; waits until it does.
    pub fn start(command: &mut Command, addr: SocketAddr) -> Result<Self> {
        let child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn()?;
        let server = Self { child, addr };
        for _ in 0..400 {
            if std::net::TcpStream::connect_timeout(&addr, Duration::from_millis(250)).is_ok() {
                return Ok(server);
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        anyhow::bail!("{command:?} does not listen on {addr}")
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// It and all its descendants.
    fn family(&self) -> Vec<u32> {
        let mut family = vec![self.child.id()];
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            next += 1;
            let path = format!("/proc/{parent}/task/{parent}/children");
            let children = fs::read_to_string(path).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        family
    }

    /// CPU time used so far by it and its descendants.
    pub fn cpu(&self) -> Duration {
        let ticks: u64 = self.family().into_iter().filter_map(ticks_of).sum();
        // The kernel counts in hundredths of a second for user programs (USER_HZ).
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory of it and its descendants, in octets.
    pub fn resident(&self) -> u64 {
        self.family().into_iter().filter_map(|pid| memory_of(pid, "VmRSS:")).sum()
    }

    /// Files that it has open, sockets among them.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }
}

/// Resident memory of this process, in octets.
pub fn own_resident() -> u64 {
    memory_of(std::process::id(), "VmRSS:").unwrap_or_default()
}

/// One line of `/proc/PID/status` that tells an amount of memory, in octets.
fn memory_of(pid: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|it| it.starts_with(line))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

fn ticks_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Fields 14 and 15, counted behind the name in brackets, which may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked to end, it ends its workers too; none is left behind to disturb what is measured next.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        for _ in 0..40 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
