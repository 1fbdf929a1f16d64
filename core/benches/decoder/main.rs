//! How fast octets become frames, beside tungstenite and fastwebsockets on the same octets.
//!
//! ```text
//! cargo bench -p framescope-core --bench decoder [-- PART_OF_A_TITLE [PAYLOAD_OCTETS [PART_OF_A_NAME]]]
//! ```
//!
//! Contenders run in turn within each round, so that whatever else the machine does meets all alike;
//! a ratio is the median of the rounds' own ratios. Each contender is used as its users use it, and
//! all must see the same payloads, or the bench fails.

#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "figures for the eye, of octets made here"
)]

mod contenders;
mod opening;
mod table;
mod traffic;

use contenders::{
    Fastwebsockets, FastwebsocketsUnmask, Framescope, FramescopeHeaders, FramescopeIndex,
    FramescopeSession, FramescopeUnmask, Tungstenite, TungsteniteHeaders,
};
use opening::{OpenIndex, OpenRecords};
use table::Table;
use traffic::Traffic;

const SIZES: [usize; 4] = [64, 1 << 10, 16 << 10, 64 << 10];

fn main() {
    // `cargo test` starts benches too, to see whether they still run: one short round then.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let mut words = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let wanted = words.next();
    let size = words.next().and_then(|size| size.parse().ok());
    let name = words.next();
    let table = if is_bench { Table::thorough(size, name) } else { Table::brief() };
    for (title, make) in TABLES {
        if wanted.as_ref().is_none_or(|wanted| title.contains(wanted.as_str())) {
            Table::title(title);
            make(&table);
        }
    }
}

type Make = fn(&Table);

const TABLES: [(&str, Make); 5] = [
    ("header walk and unmask: masked binary frames to plain payloads", walk_and_unmask),
    ("headers alone: every header of a buffer parsed, payloads stepped over", headers),
    ("unmasking alone, in place", unmasking),
    ("full inspection of masked text: UTF-8, every finding, events; and its index", inspection),
    ("opening a capture of two frames a packet: records alone; and their index", opening),
];

fn walk_and_unmask(table: &Table) {
    for size in SIZES {
        let traffic = Traffic::masked_binary(size);
        let mut ours = Framescope::new(&traffic);
        let mut tungstenite = Tungstenite::new(&traffic);
        let mut fastwebsockets = Fastwebsockets::new(&traffic);
        table.compare(&traffic, &mut [&mut ours, &mut tungstenite, &mut fastwebsockets]);
    }
}

fn headers(table: &Table) {
    for size in [64, 1 << 10] {
        let traffic = Traffic::masked_binary(size);
        let mut ours = FramescopeHeaders::new(&traffic);
        let mut tungstenite = TungsteniteHeaders::new(&traffic);
        table.compare(&traffic, &mut [&mut ours, &mut tungstenite]);
    }
}

fn unmasking(table: &Table) {
    for size in SIZES {
        let traffic = Traffic::masked_binary(size);
        let mut ours = FramescopeUnmask::new(&traffic);
        let mut fastwebsockets = FastwebsocketsUnmask::new(&traffic);
        table.compare(&traffic, &mut [&mut ours, &mut fastwebsockets]);
    }
}

fn inspection(table: &Table) {
    for size in SIZES {
        let traffic = Traffic::masked_text(size);
        let mut session = FramescopeSession::new(&traffic);
        let mut index = FramescopeIndex::new(&traffic);
        let mut tungstenite = Tungstenite::new(&traffic);
        table.compare(&traffic, &mut [&mut session, &mut index, &mut tungstenite]);
    }
}

fn opening(table: &Table) {
    for size in [64, 1 << 10] {
        let traffic = Traffic::masked_text(size);
        let mut records = OpenRecords::new(&traffic);
        let mut index = OpenIndex::new(&traffic);
        table.compare(&traffic, &mut [&mut records, &mut index]);
    }
}
