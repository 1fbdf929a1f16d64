//! The desktop's own file dialog, asked on a thread of its own: it may stay open for long.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use egui::Context;

/// A chooser that answers sooner than anyone can click was never shown.
const NEVER_SHOWN: Duration = Duration::from_millis(250);

/// What the user is told where there is no such dialog.
pub const NONE_HERE: &str = "This desktop offers no file dialog; type the path instead.";

/// A file dialog that may be open.
#[derive(Debug, Default)]
pub struct Chooser {
    open: Option<(Receiver<Option<PathBuf>>, Instant)>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is not open, or nothing was chosen yet.
    NotYet,
    /// This file.
    File(PathBuf),
    /// There is no file dialog on this desktop.
    NoDialog,
}

impl Chooser {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Opens it. `files` is what the files are called together, and their endings.
    pub fn ask(
        &mut self,
        ctx: Context,
        title: &'static str,
        files: (&'static str, &'static [&'static str]),
    ) {
        let (name, endings) = files;
        let dialog = rfd::FileDialog::new().set_title(title).add_filter(name, endings);
        let dialog = dialog.add_filter("All files", &["*"]);
        self.open(ctx, move || dialog.pick_file());
    }

    /// Opens it for a file that is to be written, and suggests a name for that.
    pub fn ask_where(&mut self, ctx: Context, title: &'static str, name: String) {
        let dialog = rfd::FileDialog::new().set_title(title).set_file_name(name);
        self.open(ctx, move || dialog.save_file());
    }

    fn open(&mut self, ctx: Context, ask: impl FnOnce() -> Option<PathBuf> + Send + 'static) {
        let (answer, answered) = std::sync::mpsc::channel();
        let ask = move || {
            let chosen = ask();
            // Nobody listens any more where the panel was closed meanwhile.
            let _ = answer.send(chosen);
            ctx.request_repaint();
        };
        if std::thread::Builder::new().name("chooser".to_owned()).spawn(ask).is_ok() {
            self.open = Some((answered, Instant::now()));
        }
    }

    /// What was chosen, once.
    pub fn take(&mut self) -> Choice {
        let Some((answered, asked)) = &self.open else { return Choice::NotYet };
        let asked = *asked;
        let answer = answered.try_recv();
        if answer != Err(TryRecvError::Empty) {
            self.open = None;
        }
        match answer {
            Ok(Some(path)) => Choice::File(path),
            Ok(None) if asked.elapsed() < NEVER_SHOWN => Choice::NoDialog,
            _ => Choice::NotYet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(answer: Option<PathBuf>, asked: Instant) -> Chooser {
        let (sender, receiver) = std::sync::mpsc::channel();
        sender.send(answer).expect("the receiver is there");
        Chooser { open: Some((receiver, asked)) }
    }

    #[test]
    fn a_choice_is_taken_once() {
        let mut chooser = answered(Some(PathBuf::from("a")), Instant::now());
        assert_eq!(chooser.take(), Choice::File(PathBuf::from("a")));
        assert!(!chooser.is_open());
        assert_eq!(chooser.take(), Choice::NotYet);
    }

    #[test]
    fn an_answer_before_anyone_could_click_means_that_there_is_no_dialog() {
        assert_eq!(answered(None, Instant::now()).take(), Choice::NoDialog);
    }
}
