//! Another capture in the window: a proxy that was looked at goes on, and there is a way back to it.

use std::path::Path;
use std::sync::Arc;

use crate::App;
use crate::app::View;
use crate::handshake_tab::HandshakeTab;
use crate::panels::status::Rate;
use crate::source::Source;
use crate::store::Store;
use crate::timing_tab::TimingTab;

/// The running proxy while a file is looked at, and how the user left it.
pub(crate) struct Aside {
    store: Store,
    view: View,
}

impl Aside {
    pub(super) fn source(&self) -> &Source {
        self.store.source()
    }
}

impl App {
    /// Looks at another capture from now on.
    pub(crate) fn open_capture(&mut self, path: &Path) -> Result<(), String> {
        let source = Source::open(path).map_err(|error| error.to_string())?;
        self.settings.opened(path);
        let view = View::onto(&source);
        let store = Store::open(Arc::new(source), self.wake.clone());
        self.look_at(store, view);
        Ok(())
    }

    /// Looks at the running proxy again, as it was left.
    pub(crate) fn back_to_live(&mut self) {
        if let Some(Aside { store, view }) = self.aside.take() {
            self.look_at(store, view);
        }
    }

    /// The proxy that runs while a file is looked at.
    pub fn running_aside(&self) -> Option<&Arc<Source>> {
        self.aside.as_ref().map(|aside| aside.store.source())
    }

    fn look_at(&mut self, store: Store, view: View) {
        let store = std::mem::replace(&mut self.store, store);
        let view = std::mem::replace(&mut self.view, view);
        self.rate = Rate::default();
        // Two captures may have the same rows in the same places: nothing that was read of one is kept.
        self.detail.start_over();
        self.exchange.start_over();
        self.handshake = HandshakeTab::default();
        self.timing = TimingTab::default();
        self.to_copy = None;
        self.notice = None;
        // It is of the capture before; what is being written of that goes on, and is told.
        self.export_dialog.take_if(|dialog| !dialog.has_begun());
        if store.source().is_file() {
            end_elsewhere(store);
        } else {
            self.aside = Some(Aside { store, view });
        }
    }
}

/// Ends a store on a thread of its own: it waits for those that read for it.
fn end_elsewhere(store: Store) {
    let end = move || drop(store);
    // Where no thread can be had, the store was dropped with what should have run there.
    let _ = std::thread::Builder::new().name("end of a store".to_owned()).spawn(end);
}
