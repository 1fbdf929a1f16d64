//! One thing read at a time when somebody looks at it, on a thread of its own.

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use super::Wake;

/// Reads a value for a key; the latest key that was asked for counts.
#[derive(Debug)]
pub struct OnDemand<K, V> {
    desk: Arc<Desk<K, V>>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Desk<K, V> {
    state: Mutex<State<K, V>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<K, V> {
    wanted: Option<K>,
    read: Option<(K, V)>,
    stop: bool,
}

impl<K, V> OnDemand<K, V>
where
    K: Clone + PartialEq + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Reads with `read` on a thread of this name, and touches `wake` when a value is there.
    pub fn spawn(name: &str, wake: Wake, read: impl FnMut(&K) -> V + Send + 'static) -> Self {
        let state = Mutex::new(State { wanted: None, read: None, stop: false });
        let desk = Arc::new(Desk { state, changed: Condvar::new() });
        let theirs = Arc::clone(&desk);
        let reader = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || read_on_demand(&theirs, &wake, read))
            .expect("a thread can be started");
        Self { desk, reader: Some(reader) }
    }

    /// The value of this key, where it was read; else it is read next.
    pub fn look_at(&self, key: &K) -> Option<V> {
        let mut state = self.desk.state.lock();
        if let Some((of, value)) = &state.read
            && of == key
        {
            return Some(value.clone());
        }
        if state.wanted.as_ref() != Some(key) {
            state.wanted = Some(key.clone());
            self.desk.changed.notify_one();
        }
        None
    }
}

impl<K, V> Drop for OnDemand<K, V> {
    fn drop(&mut self) {
        self.desk.state.lock().stop = true;
        self.desk.changed.notify_one();
        if let Some(reader) = self.reader.take() {
            // It ends after the value at hand; a panic in it was printed when it happened.
            let _ = reader.join();
        }
    }
}

fn read_on_demand<K: Clone + PartialEq, V>(
    desk: &Desk<K, V>,
    wake: &Wake,
    mut read: impl FnMut(&K) -> V,
) {
    loop {
        let key = {
            let mut state = desk.state.lock();
            loop {
                if state.stop {
                    return;
                }
                let read = state.read.as_ref().map(|(key, _)| key);
                if let Some(key) = state.wanted.as_ref().filter(|key| Some(*key) != read) {
                    break key.clone();
                }
                desk.changed.wait(&mut state);
            }
        };
        let value = read(&key);
        desk.state.lock().read = Some((key, value));
        wake.touch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_key_is_read_and_stays() {
        let (asked, answers) = std::sync::mpsc::channel();
        let wake = Wake::new(egui::Context::default());
        let values = OnDemand::spawn("test", wake, move |key: &u32| {
            asked.send(*key).expect("the test listens");
            key * 2
        });
        assert_eq!(values.look_at(&21), None);
        assert_eq!(answers.recv(), Ok(21));
        let read = loop {
            if let Some(value) = values.look_at(&21) {
                break value;
            }
            std::thread::yield_now();
        };
        assert_eq!(read, 42);
        assert_eq!(values.look_at(&21), Some(42));
        drop(values);
        assert!(answers.recv().is_err(), "its thread has ended, and read nothing twice");
    }
}
