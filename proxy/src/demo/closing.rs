//! One word to many tasks: it is time to end.

use tokio::sync::watch;

/// The speaker's end.
#[derive(Debug)]
pub(super) struct Closer(watch::Sender<bool>);

/// A listener's end; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Closing(watch::Receiver<bool>);

/// A speaker and its first listener.
pub(super) fn channel() -> (Closer, Closing) {
    let (sender, receiver) = watch::channel(false);
    (Closer(sender), Closing(receiver))
}

impl Closer {
    /// Tells every listener, present and future.
    pub fn close(&self) {
        self.0.send_replace(true);
    }
}

impl Closing {
    /// Returns when the word was given, or when nobody is left to give it. Cancel safe.
    pub async fn wait(&mut self) {
        // An error says that the speaker is gone, which is as good as its word.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}
