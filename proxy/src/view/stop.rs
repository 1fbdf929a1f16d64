//! The wish to stop: SIGINT (Ctrl-C) or SIGTERM.

use std::io;
use std::sync::mpsc::{self, Receiver, TryRecvError};

/// The exit code of a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Says when the user wants to stop. The second wish ends the process at once.
#[derive(Debug)]
pub struct Stop {
    wishes: Receiver<()>,
}

impl Stop {
    /// Listens for the signals from here on, on a thread of its own.
    pub fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (told, wishes) = mpsc::channel();
        let mut signals = {
            // Registers with the runtime's driver.
            let _inside = runtime.enter();
            Signals::register()?
        };
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                signals.next().await;
                let _ = told.send(());
                signals.next().await;
                std::process::exit(INTERRUPTED);
            });
        })?;
        Ok(Self { wishes })
    }

    /// Whether the wish came. It is told once.
    pub fn is_wished(&self) -> bool {
        !matches!(self.wishes.try_recv(), Err(TryRecvError::Empty))
    }

    /// Waits for the wish.
    pub fn wait(&self) {
        // An error means that the thread that listens is gone: then nothing could stop us but this.
        let _ = self.wishes.recv();
    }
}

/// The two signals that ask a process to end.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Catches them from here on; within a runtime.
    pub fn register() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { interrupt, terminate })
    }

    /// Returns when the next of them comes.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signal that asks a process to end.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Catches it from here on.
    #[expect(clippy::unnecessary_wraps, reason = "the Unix one can fail")]
    pub fn register() -> io::Result<Self> {
        Ok(Self)
    }

    /// Returns when it comes.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
