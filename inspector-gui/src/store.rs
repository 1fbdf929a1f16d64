//! The store: the index of a capture, kept growing, and what is read from the capture on demand.
//!
//! ```text
//!  capture file ─► follower thread ─► Index (RwLock) ─► rows the panels draw
//!       │                                 │ read plan
//!       ├──────────► reader thread ◄──────┘ ─► previews, the selected message
//!       ├──────────► search thread ─► which rows hold the text
//!       └──────────► sub-protocols thread ─► a line a message; the selected one in full
//! ```

mod about;
pub mod contents;
pub mod dissections;
pub mod evidence;
pub mod exchanges;
mod export;
pub mod follower;
pub mod on_demand;
pub mod packets;
pub mod preview;
pub mod saving;
pub mod search;
mod target;
mod told;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use egui::Context;
use framescope_core::Index;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

pub use contents::{Contents, Loaded, RowKey, Selection};
pub use dissections::Dissections;
pub use evidence::{Evidence, Stretch};
pub use exchanges::Exchanges;
pub use export::{Export, ExportState, Extract, ListedRows};
pub use on_demand::OnDemand;
pub use preview::Preview;
pub use search::{Search, SearchOptions, SearchState};
pub use target::Target;

pub(crate) use told::as_listed;

use crate::source::Source;

/// How long new rows may wait for the next picture.
const REPAINT_AFTER: Duration = Duration::from_millis(33);

/// Tells the window that there is something new, once a picture.
#[derive(Clone)]
pub struct Wake {
    dirty: Arc<AtomicBool>,
    ctx: Context,
}

impl Wake {
    /// For this window.
    pub fn new(ctx: Context) -> Self {
        Self { dirty: Arc::default(), ctx }
    }

    /// There is something new to show.
    pub fn touch(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.ctx.request_repaint_after(REPAINT_AFTER);
        }
    }

    /// A picture is being made: what comes from now on is new again.
    pub fn clear(&self) {
        self.dirty.store(false, Ordering::Release);
    }
}

/// What the threads share.
pub(crate) struct Shared {
    pub(crate) source: Arc<Source>,
    pub(crate) index: RwLock<Index>,
    pub(crate) wake: Wake,
    pub(crate) stop: AtomicBool,
    /// Octets of the capture that have been understood.
    pub(crate) read: AtomicU64,
    /// Everything that was in the capture has been understood once.
    pub(crate) caught_up: AtomicBool,
    /// More came after everything had been understood once.
    pub(crate) grows: AtomicBool,
    /// How often the index was put in place of another one: what was read by row number before is void.
    pub(crate) reading: AtomicU64,
    /// Why the capture cannot be followed any further, or what of it was skipped.
    pub(crate) trouble: Mutex<Option<String>>,
}

impl Shared {
    /// Puts an index in place of the one before.
    pub(crate) fn replace(&self, index: Index) {
        let mut place = self.index.write();
        let before = std::mem::replace(&mut *place, index);
        self.reading.fetch_add(1, Ordering::Release);
        drop(place);
        // A large one takes long to be freed: nobody is to wait for that.
        drop(before);
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// Everything a window shows of one capture. Dropping it ends its threads.
pub struct Store {
    shared: Arc<Shared>,
    contents: Contents,
    dissections: Dissections,
    evidence: OnDemand<Stretch, Evidence>,
    follower: Option<std::thread::JoinHandle<()>>,
}

impl Store {
    /// Follows the capture of `source` from its start.
    pub fn open(source: Arc<Source>, wake: Wake) -> Self {
        let shared = Arc::new(Shared {
            source,
            index: RwLock::new(Index::new()),
            wake,
            stop: AtomicBool::new(false),
            read: AtomicU64::new(0),
            caught_up: AtomicBool::new(false),
            grows: AtomicBool::new(false),
            reading: AtomicU64::new(0),
            trouble: Mutex::new(None),
        });
        let follower = follower::spawn(Arc::clone(&shared));
        let contents = Contents::spawn(Arc::clone(&shared));
        let dissections = Dissections::spawn(Arc::clone(&shared));
        let evidence = evidence::spawn(Arc::clone(&shared));
        Self { shared, contents, dissections, evidence, follower: Some(follower) }
    }

    /// The index, for as long as it takes to copy what is drawn.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.shared.index.read()
    }

    /// What is read on demand.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// What messages say in the words of their sub-protocols.
    pub fn dissections(&self) -> &Dissections {
        &self.dissections
    }

    /// Reads the HTTP exchanges of a connection, in the background.
    pub fn exchanges(&self, connection: framescope_core::ConnectionId) -> Exchanges {
        Exchanges::spawn(Arc::clone(&self.shared), connection)
    }

    /// Writes what the capture says until now, or a part of it, as JSON Lines, in the background.
    pub fn export(&self, target: Target, extract: Extract) -> Result<Export, String> {
        Export::spawn(&self.shared, target, extract)
    }

    /// These octets as they were on the wire, once they were read; asking is enough to have them read.
    pub fn octets(&self, stretch: &Stretch) -> Option<Evidence> {
        self.evidence.look_at(stretch)
    }

    /// Finds a whole payload, as it is now, so that it can be written into a file later.
    pub fn find_payload(&self, payload: saving::Payload) -> Result<saving::Found, String> {
        saving::Found::new(Arc::clone(&self.shared), payload)
    }

    /// Where the capture comes from.
    pub fn source(&self) -> &Arc<Source> {
        &self.shared.source
    }

    /// How often the index was put in place of another one: row numbers of one reading mean nothing in the
    /// next.
    pub fn reading(&self) -> u64 {
        self.shared.reading.load(Ordering::Acquire)
    }

    /// Octets of the capture that have been understood.
    pub fn octets_read(&self) -> u64 {
        self.shared.read.load(Ordering::Relaxed)
    }

    /// Whether everything that was in the capture has been understood once.
    pub fn caught_up(&self) -> bool {
        self.shared.caught_up.load(Ordering::Acquire)
    }

    /// Whether more comes: of a proxy always, of a file once it has grown.
    pub fn grows(&self) -> bool {
        !self.source().is_file() || self.shared.grows.load(Ordering::Acquire)
    }

    /// What is wrong with the capture, if anything: one line.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble.lock().clone()
    }

    /// Marks that a picture is being made.
    pub fn begin_picture(&self) {
        self.shared.wake.clear();
    }

    /// Looks for a text in all payloads and HTTP exchanges, in the background.
    pub fn search(&self, typed: &str, options: SearchOptions) -> Result<Search, String> {
        Search::spawn(Arc::clone(&self.shared), typed, options)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.source.wake();
        self.contents.stop();
        self.dissections.stop();
        if let Some(follower) = self.follower.take() {
            // It ends within one wait; a panic in it was printed when it happened.
            let _ = follower.join();
        }
    }
}
