//! Who goes first where there is more to do than the processor can.

/// How far behind the wire whoever looks on stands: a tenth of its share where both want all. That is
/// enough to keep up with two cores of octets, and little enough that the wire is woken at once.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 10;

/// Puts the calling thread behind the threads of the wire: for one that follows a capture. It works on
/// whenever the wire has nothing to do, and gives way as soon as it has.
pub fn stand_behind_the_wire() {
    // On Linux a thread has a priority of its own, and no process is the calling thread.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, BEHIND) {
        tracing::debug!("this thread cannot give way: {error}");
    }
}
