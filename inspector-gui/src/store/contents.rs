//! Payloads, read from the capture when someone looks: previews of visible rows, the selected row.
//!
//! A thread of its own reads; the window asks each time it draws and takes what is there.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use bytes::Bytes;
use framescope_core::index::{FrameContent, MessageRow, ReadPlan};
use framescope_core::{Index, Opcode};
use parking_lot::{Condvar, Mutex};

use super::Shared;
use super::about::{self, Saved};
use super::preview::{MAX_OCTETS, Preview};
use crate::detail::selected::FrameTimes;
use crate::detail::{Fragment, Selected, SelectedKind, SelectedMessage};
use crate::source::CaptureFile;

/// Previews kept; when there are twice as many, those not looked at for longest go.
const KEPT: usize = 2048;
/// Previews read before it is asked again what is looked at.
const AT_ONCE: usize = 32;
/// Octets of the selected message that are read; the rest is said to be there.
const SELECTED_OCTETS: usize = 16 << 20;
/// Messages looked at to find the one a frame belongs to.
const NEAR: usize = 4096;
/// Findings told of one frame.
const FINDINGS: usize = 100;

/// A row of one of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowKey {
    /// A row of [`Index::messages`].
    Message(usize),
    /// A row of [`Index::frames`].
    Frame(usize),
}

/// What the user selected: a row, and one of its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// The row.
    pub key: RowKey,
    /// Which of a message's frames, from 0; beyond the last means the last.
    pub fragment: u64,
}

/// The selection with its octets.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What was selected.
    pub selection: Selection,
    /// Its octets, or one line that says why they are missing.
    pub content: Result<Selected, String>,
}

/// What the window looks at now.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    selected: Option<Selection>,
    visible: Vec<RowKey>,
    /// The reading of the capture that rows are numbered by.
    reading: u64,
    stop: bool,
}

#[derive(Default)]
struct Cache {
    previews: HashMap<RowKey, (Arc<Preview>, u64)>,
    tick: u64,
    selected: Option<Arc<Loaded>>,
    /// The reading of the capture that all of it comes from.
    reading: u64,
}

#[derive(Default)]
struct Desk {
    wanted: Mutex<Wanted>,
    changed: Condvar,
    cache: Mutex<Cache>,
}

/// What is read on demand.
pub struct Contents {
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    reader: Option<JoinHandle<()>>,
}

impl Contents {
    pub(super) fn spawn(shared: Arc<Shared>) -> Self {
        let desk = Arc::<Desk>::default();
        let (theirs, read) = (Arc::clone(&desk), Arc::clone(&shared));
        let reader = std::thread::Builder::new()
            .name("contents".to_owned())
            .spawn(move || read_on_demand(&read, &theirs))
            .expect("a thread can be started");
        Self { shared, desk, reader: Some(reader) }
    }

    /// Says what is looked at from now on; what is not there yet is read.
    pub fn look_at(&self, selected: Option<Selection>, visible: Vec<RowKey>) {
        let mut wanted = self.desk.wanted.lock();
        let reading = self.shared.reading.load(Ordering::Acquire);
        let now = Wanted { selected, visible, reading, stop: wanted.stop };
        if *wanted != now {
            *wanted = now;
            self.desk.changed.notify_one();
        }
    }

    /// The preview of a row, once it was read.
    pub fn preview(&self, key: RowKey) -> Option<Arc<Preview>> {
        let mut cache = self.desk.cache.lock();
        let tick = cache.tick;
        let (preview, used) = cache.previews.get_mut(&key)?;
        *used = tick;
        Some(Arc::clone(preview))
    }

    /// The row that was read last as the selected one; it may be another than asked for by now.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        self.desk.cache.lock().selected.clone()
    }

    pub(super) fn stop(&mut self) {
        self.desk.wanted.lock().stop = true;
        self.desk.changed.notify_one();
        if let Some(reader) = self.reader.take() {
            // It ends after the row at hand; a panic in it was printed when it happened.
            let _ = reader.join();
        }
    }
}

fn read_on_demand(shared: &Shared, desk: &Desk) {
    let mut capture = None;
    loop {
        let next = {
            let mut wanted = desk.wanted.lock();
            loop {
                if wanted.stop {
                    return;
                }
                let mut cache = desk.cache.lock();
                cache.belong_to(wanted.reading);
                if let Some(next) = first_missing(&wanted, &mut cache) {
                    break next;
                }
                drop(cache);
                desk.changed.wait(&mut wanted);
            }
        };
        if capture.is_none() {
            capture = shared.source.open_capture().ok();
        }
        match next {
            Next::Selected(selection) => {
                let content = load(shared, capture.as_mut(), selection);
                desk.cache.lock().selected = Some(Arc::new(Loaded { selection, content }));
            }
            Next::Previews(keys) => {
                // The index is asked once for all: it is busy where much comes.
                let plans = {
                    let index = shared.index.read();
                    keys.iter().map(|key| plan(&index, *key)).collect::<Vec<_>>()
                };
                for (key, plan) in keys.into_iter().zip(plans) {
                    let preview = Arc::new(read_preview(plan, capture.as_mut(), key));
                    desk.cache.lock().insert(key, preview);
                }
            }
        }
        shared.wake.touch();
    }
}

enum Next {
    Selected(Selection),
    Previews(Vec<RowKey>),
}

fn first_missing(wanted: &Wanted, cache: &mut Cache) -> Option<Next> {
    cache.tick += 1;
    if let Some(selection) = wanted.selected
        && cache.selected.as_ref().is_none_or(|loaded| loaded.selection != selection)
    {
        return Some(Next::Selected(selection));
    }
    let missing = wanted.visible.iter().filter(|key| !cache.previews.contains_key(key));
    let missing: Vec<_> = missing.copied().take(AT_ONCE).collect();
    (!missing.is_empty()).then_some(Next::Previews(missing))
}

impl Cache {
    /// Forgets what was read by row numbers of another reading.
    fn belong_to(&mut self, reading: u64) {
        if self.reading != reading {
            *self = Self { reading, tick: self.tick, ..Self::default() };
        }
    }

    fn insert(&mut self, key: RowKey, preview: Arc<Preview>) {
        self.previews.insert(key, (preview, self.tick));
        if self.previews.len() >= 2 * KEPT {
            let mut used: Vec<u64> = self.previews.values().map(|(_, used)| *used).collect();
            let (_, oldest, _) = used.select_nth_unstable(KEPT);
            let oldest = *oldest;
            self.previews.retain(|_, (_, used)| *used >= oldest);
        }
    }
}

/// How to read a row, and what it is.
fn plan(index: &Index, key: RowKey) -> (Option<ReadPlan>, Option<Opcode>) {
    match key {
        RowKey::Message(row) => {
            let first = index.messages().get(row).map(|message| message.first_frame as usize);
            let frame = first.and_then(|first| index.frames().get(first));
            (index.message_plan(row), frame.map(|frame| frame.header().opcode))
        }
        RowKey::Frame(row) => {
            let frame = index.frames().get(row);
            (index.frame_plan(row), frame.map(|frame| frame.header().opcode))
        }
    }
}

fn read_preview(
    (plan, opcode): (Option<ReadPlan>, Option<Opcode>),
    capture: Option<&mut CaptureFile>,
    key: RowKey,
) -> Preview {
    let opcode = opcode.unwrap_or(Opcode::Binary);
    let (Some(plan), Some(capture)) = (plan, capture) else {
        return Preview::fault("not in the capture");
    };
    match key {
        RowKey::Message(_) => match plan.read_message(capture, MAX_OCTETS) {
            Ok(content) => match content.fault {
                Some(fault) if content.data.is_empty() => Preview::fault(&fault.to_string()),
                _ => Preview::of(opcode, &content.data, content.cut),
            },
            Err(error) => Preview::fault(&unreadable(&error)),
        },
        RowKey::Frame(_) => match plan.read_frame(capture, MAX_OCTETS) {
            Ok(content) => {
                let cut = content.payload.len() as u64 != content.header.payload_len.value;
                Preview::of(opcode, &content.payload, cut)
            }
            Err(error) => Preview::fault(&unreadable(&error)),
        },
    }
}

fn load(
    shared: &Shared,
    capture: Option<&mut CaptureFile>,
    selection: Selection,
) -> Result<Selected, String> {
    let plans = {
        let index = shared.index.read();
        Plans::of(&index, selection).ok_or("this row is not in the index")?
    };
    let capture = capture.ok_or("the capture file cannot be opened")?;
    let frame = plans.frame.read_frame(capture, SELECTED_OCTETS).map_err(|e| unreadable(&e))?;
    let message = match plans.message {
        Some((plan, about)) => {
            let content =
                plan.read_message(capture, SELECTED_OCTETS).map_err(|e| unreadable(&e))?;
            let compression = plan.read_compression(capture, SELECTED_OCTETS).ok().flatten();
            Some(SelectedMessage {
                content,
                compression: compression.map(|seen| about.saved.beside(seen)),
                opcode: about.opcode,
                frames: about.frames,
                compressed: about.compressed,
                wire_len: about.wire_len,
                data_len: about.data_len,
            })
        }
        None => None,
    };
    let in_proxy = plans.frame.read_in_proxy(capture).ok().flatten();
    let times = FrameTimes { in_proxy, ..plans.selected.times };
    Ok(Selected { times, frame, message, ..plans.selected })
}

/// Everything the index knows of a selection, copied out, and how to read the rest.
struct Plans {
    frame: ReadPlan,
    message: Option<(ReadPlan, AboutMessage)>,
    selected: Selected,
}

struct AboutMessage {
    opcode: Opcode,
    frames: u64,
    compressed: bool,
    wire_len: u64,
    data_len: u64,
    saved: Saved,
}

impl Plans {
    fn of(index: &Index, Selection { key, fragment }: Selection) -> Option<Self> {
        let (kind, number, message) = match key {
            RowKey::Message(row) => (SelectedKind::Message, row, Some(row)),
            RowKey::Frame(row) => (SelectedKind::Frame, row, message_of_frame(index, row)),
        };
        let row = message.and_then(|row| index.messages().get(row));
        let fragments = row.map_or_else(Vec::new, |row| fragments(index, row));
        let last = fragments.len().checked_sub(1);
        let at = match key {
            RowKey::Message(_) => usize::try_from(fragment).unwrap_or(usize::MAX).min(last?),
            RowKey::Frame(row) => fragments.iter().position(|frame| *frame == row).unwrap_or(0),
        };
        let frame_row = match key {
            RowKey::Message(_) => *fragments.get(at)?,
            RowKey::Frame(row) => row,
        };
        let frame = index.frames().get(frame_row)?;
        let message = message.zip(row).and_then(|(message, row)| {
            let first = index.frames().get(row.first_frame as usize)?;
            let opcode = first.header().opcode;
            let lens = fragments.iter().filter_map(|frame| index.frames().get(*frame));
            let about = AboutMessage {
                opcode,
                frames: fragments.len() as u64,
                compressed: first.is_compressed(),
                wire_len: lens.map(|frame| frame.header().payload_len.value).sum(),
                data_len: row.data_len,
                saved: Saved::of(index, first),
            };
            opcode.begins_message().then_some((index.message_plan(message)?, about))
        });
        let header = frame.header();
        let wire_len = u64::from(header.encoded_len()).saturating_add(header.payload_len.value);
        let octets = frame.offset()..frame.offset().saturating_add(wire_len);
        let findings = index.findings().iter().filter(|(connection, finding)| {
            *connection == frame.connection()
                && finding.direction == frame.direction()
                && octets.contains(&finding.place.offset)
        });
        let fragment = Fragment { index: at as u64, count: fragments.len() as u64 };
        let selected = Selected {
            kind,
            number: number as u64 + 1,
            connection: frame.connection(),
            direction: frame.direction(),
            offset: frame.offset(),
            behind_gap: frame.is_behind_gap(),
            first_octet_at: frame.first_octet_at(),
            last_octet_at: index.frames().last_octet_at(frame_row)?,
            times: about::times(index, frame_row),
            frame: FrameContent { header, wire: Bytes::new(), payload: Bytes::new() },
            fragment: (fragments.len() > 1).then_some(fragment),
            message: None,
            findings: findings
                .map(|(connection, finding)| super::as_listed(index, *connection, finding))
                .take(FINDINGS)
                .collect(),
        };
        Some(Self { frame: index.frame_plan(frame_row)?, message, selected })
    }
}

/// The rows of all frames of a message, in order.
fn fragments(index: &Index, message: &MessageRow) -> Vec<usize> {
    let (first, last) = (message.first_frame as usize, message.last_frame as usize);
    if first == last {
        return vec![first];
    }
    let Some(lane) = index.frames().get(first).map(|frame| (frame.connection(), frame.direction()))
    else {
        return Vec::new();
    };
    let is_part = |row: &usize| {
        index.frames().get(*row).is_some_and(|frame| {
            (frame.connection(), frame.direction()) == lane && !frame.header().opcode.is_control()
        })
    };
    (first..=last).filter(is_part).collect()
}

/// The message row that a frame is part of, where that message is whole.
pub(super) fn message_of_frame(index: &Index, row: usize) -> Option<usize> {
    let frame = index.frames().get(row)?;
    let messages = index.messages();
    let from = messages.partition_point(|message| (message.last_frame as usize) < row);
    let near = messages.get(from..)?.iter().take(NEAR);
    near.zip(from..).find_map(|(message, at)| {
        let last = index.frames().get(message.last_frame as usize)?;
        let same_lane =
            last.connection() == frame.connection() && last.direction() == frame.direction();
        let is_control = frame.header().opcode.is_control();
        let is_it = if is_control {
            message.last_frame as usize == row
        } else {
            same_lane && message.first_frame as usize <= row && !last.header().opcode.is_control()
        };
        is_it.then_some(at)
    })
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read from the capture: {error}")
}
