//! What the index knows of a frame besides its row: when others came, what compression saved on its way.

use framescope_core::Index;
use framescope_core::index::FrameRow;
use framescope_core::message::{CompressionFacts, Microscope, Takeover};

use crate::detail::{FrameTimes, SelectedCompression};

/// Rows looked at to find the frame before one on its connection.
const NEAR: usize = 1_000_000;

/// What compression saved so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saved {
    direction: CompressionFacts,
    connection: CompressionFacts,
}

impl Saved {
    /// On the way of this frame.
    pub(super) fn of(index: &Index, frame: &FrameRow) -> Self {
        let connection = index.connection(frame.connection());
        let [up, down] = connection.map(|connection| connection.compression).unwrap_or_default();
        let direction = [up, down][frame.direction().index()];
        Self { direction, connection: up.with(down) }
    }

    /// Beside what one message shows.
    pub(super) fn beside(self, (seen, takeover): (Microscope, Takeover)) -> SelectedCompression {
        let Self { direction, connection } = self;
        SelectedCompression { seen, takeover, direction, connection }
    }
}

/// When the frames before this row's one came on its connection.
pub(super) fn times(index: &Index, row: usize) -> FrameTimes {
    let rows = index.frames().rows();
    let Some(of_row) = rows.get(row) else { return FrameTimes::default() };
    let mut times = FrameTimes::default();
    let before = rows[..row].iter().rev().take(NEAR);
    for frame in before.filter(|frame| frame.connection() == of_row.connection()) {
        let time = if frame.direction() == of_row.direction() {
            &mut times.before_same_way
        } else {
            &mut times.before_other_way
        };
        time.get_or_insert(frame.first_octet_at());
        if times.before_same_way.is_some() && times.before_other_way.is_some() {
            break;
        }
    }
    times
}
