//! The wish to stop: SIGINT (Ctrl-C) or SIGTERM.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

/// The exit code of a process that SIGINT ended.
const INTERRUPTED: i32 = 130;
/// How long a process that was asked twice has to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// Says when the user wants to stop. The second wish ends the process where it does not end by itself, once
/// nothing is held back; the third ends it at once.
#[derive(Debug)]
pub struct Stop {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    wishes: Mutex<Wishes>,
    changed: Condvar,
    released: Notify,
}

#[derive(Debug, Default)]
struct Wishes {
    count: u32,
    is_held: bool,
}

/// A wish to come.
#[derive(Debug)]
pub struct Wish<'a>(&'a Stop);

/// While this lives, it takes a third wish to end the process before its time.
#[derive(Debug)]
pub struct Hold(Arc<State>);

impl Stop {
    /// Listens for the signals from here on, on a thread of its own.
    pub fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            // Registers with the runtime's driver.
            let _inside = runtime.enter();
            Signals::register()?
        };
        let state = Arc::new(State::default());
        let told = Arc::clone(&state);
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                signals.next().await;
                told.came();
                signals.next().await;
                told.came();
                let end_in_order = async {
                    let is_held = told.wishes.lock().is_held;
                    if is_held {
                        told.released.notified().await;
                    }
                    tokio::time::sleep(GRACE).await;
                };
                tokio::select! {
                    () = end_in_order => {}
                    () = signals.next() => {}
                }
                std::process::exit(INTERRUPTED);
            });
        })?;
        Ok(Self { state })
    }

    /// Wishes the same when it is dropped, however it comes to that, where no signal has yet.
    pub fn wish_in_the_end(&self) -> Wish<'_> {
        Wish(self)
    }

    /// Whether the wish came.
    pub fn is_wished(&self) -> bool {
        self.state.wishes.lock().count > 0
    }

    /// Whether it came again: the user will not wait.
    pub fn is_urgent(&self) -> bool {
        self.state.wishes.lock().count > 1
    }

    /// Waits for the wish.
    pub fn wait(&self) {
        let mut wishes = self.state.wishes.lock();
        self.state.changed.wait_while(&mut wishes, |wishes| wishes.count == 0);
    }

    /// Keeps the second wish from ending the process: something would be lost.
    pub fn hold(&self) -> Hold {
        self.state.wishes.lock().is_held = true;
        Hold(Arc::clone(&self.state))
    }
}

impl State {
    fn came(&self) {
        let mut wishes = self.wishes.lock();
        wishes.count = wishes.count.saturating_add(1);
        self.changed.notify_all();
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        let State { wishes, changed, .. } = &*self.0.state;
        let mut wishes = wishes.lock();
        wishes.count = wishes.count.max(1);
        changed.notify_all();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.wishes.lock().is_held = false;
        // Remembered where nobody waits for it yet.
        self.0.released.notify_one();
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
