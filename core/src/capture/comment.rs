//! Packet comments: what octets cannot say, as one line of JSON after the word `framescope`.
//!
//! | packet | comment |
//! |---|---|
//! | SYN of the client leg | `framescope {"id":7,"open":{…}}` with the [`ConnectionInfo`] |
//! | SYN of the upstream leg | `framescope {"id":7,"leg":"upstream"}` |
//! | ACK without octets | `framescope {"id":7,"note":{…}}` with a [`ConnectionNote`] |
//! | ACK without octets | `framescope {"id":7,"gap":{"len":1234}}`: so many octets of the sender are missing here |
//! | ACK without octets | `framescope {"id":7,"open":{…},"note":{…},"resume":{…}}`: the stream goes on from an earlier file of the set |
//!
//! A line that is too long for one option goes on in further ones, each after the word `framescope+`.

use serde::{Deserialize, Serialize};

use super::block::{self, ByteOrder, Options};
#[cfg(doc)]
use crate::Direction;
use crate::frame::FramePosition;
use crate::{ConnectionId, ConnectionInfo, ConnectionNote, Finish, Leg, Timestamp};

pub(super) const START: &str = "framescope ";
const CONTINUED: &str = "framescope+ ";
/// Octets of the line in one option, which can hold 65,535 with the word before.
const MAX_PART_LEN: usize = 60_000;

/// Octets that the options of most comments fit in.
const USUAL_LEN: usize = 512;

/// What is to be written in a comment.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Remark<'a> {
    /// The connection it is about.
    pub(crate) id: u32,
    /// Said on the SYN of the upstream leg alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) leg: Option<Leg>,
    /// The connection was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open: Option<&'a ConnectionInfo>,
    /// Something became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<&'a ConnectionNote>,
    /// Octets are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gap: Option<Missing>,
    /// The stream goes on here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resume: Option<Resume>,
}

/// What came before in a stream that goes on from an earlier file of a set; by [`Direction::index`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resume {
    /// When the connection was accepted.
    pub(crate) since: Timestamp,
    /// Octets that were sent.
    pub(crate) sent: [u64; 2],
    /// Which directions had ended, and how.
    pub(crate) finished: [Option<Finish>; 2],
    /// Said where this packet and the next repeat the heads of the opening handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) again: Option<Again>,
}

/// What goes with heads that are repeated; by [`Direction::index`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Again {
    /// When they were whole.
    pub(crate) at: [Timestamp; 2],
    /// The next sequence numbers of the stream, which the repetition lies before.
    pub(crate) next: [u32; 2],
    /// When the last octets were read.
    pub(crate) last: Timestamp,
    /// How the frames go on.
    pub(crate) frames: [Option<FramePosition>; 2],
}

/// Octets that crossed the wire and are not in the capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Missing {
    /// How many.
    pub(crate) len: u64,
    /// How the frames go on behind them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) frames: Option<Box<FramePosition>>,
}

impl Remark<'_> {
    /// The options of a block that carry it, their end included.
    pub(crate) fn options(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(USUAL_LEN);
        // Plain structs with string keys: there is nothing in them that JSON cannot say.
        let is_whole = block::write_option_with(block::OPT_COMMENT, &mut out, |out| {
            out.extend_from_slice(START.as_bytes());
            let _ = serde_json::to_writer(out, self);
        });
        if is_whole {
            block::write_option(0, &[], &mut out);
            return out;
        }
        let line = serde_json::to_string(self).unwrap_or_default();
        let mut rest = line.as_str();
        let mut word = START;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.floor_char_boundary(MAX_PART_LEN));
            block::write_option(block::OPT_COMMENT, [word, part].concat().as_bytes(), &mut out);
            (rest, word) = (after, CONTINUED);
        }
        block::write_option(0, &[], &mut out);
        out
    }
}

/// What was read in a comment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Comment {
    /// The connection it is about, as the file numbers it.
    pub(crate) id: ConnectionId,
    /// See [`Remark`].
    #[serde(default)]
    pub(crate) leg: Option<Leg>,
    /// See [`Remark`].
    #[serde(default)]
    pub(crate) open: Option<Box<ConnectionInfo>>,
    /// See [`Remark`].
    #[serde(default)]
    pub(crate) note: Option<Box<ConnectionNote>>,
    /// See [`Remark`].
    #[serde(default)]
    pub(crate) gap: Option<Missing>,
    /// See [`Remark`].
    #[serde(default)]
    pub(crate) resume: Option<Resume>,
}

impl Comment {
    /// Whether it belongs on a SYN.
    pub(crate) fn opens_stream(&self) -> bool {
        self.open.is_some() || self.leg == Some(Leg::Upstream)
    }

    /// Reads the comments among a block's options that are ours; others are somebody's own words.
    pub(crate) fn read(order: ByteOrder, options: &[u8]) -> Vec<serde_json::Result<Self>> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for (code, value) in Options::new(order, options) {
            if code != block::OPT_COMMENT {
                continue;
            }
            if let Some(line) = value.strip_prefix(START.as_bytes()) {
                lines.push(line.to_vec());
            } else if let Some(part) = value.strip_prefix(CONTINUED.as_bytes())
                && let Some(line) = lines.last_mut()
            {
                line.extend_from_slice(part);
            }
        }
        lines.iter().map(|line| serde_json::from_slice(line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Failure;

    fn read(options: &[u8]) -> Vec<Comment> {
        Comment::read(ByteOrder::Little, options).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn a_comment_is_the_word_and_one_line_of_json() {
        let remark = Remark {
            id: 7,
            gap: Some(Missing { len: 1 << 40, frames: None }),
            ..Remark::default()
        };
        let options = remark.options();
        let (code, value) = Options::new(ByteOrder::Little, &options).next().unwrap();
        assert_eq!(code, 1);
        assert_eq!(value, br#"framescope {"id":7,"gap":{"len":1099511627776}}"#);
        let comment = Comment {
            id: ConnectionId(7),
            leg: None,
            open: None,
            note: None,
            gap: remark.gap.clone(),
            resume: None,
        };
        assert_eq!(read(&options), [comment]);
    }

    #[test]
    fn a_line_too_long_for_one_option_goes_on_in_the_next() {
        let message = "ü\n\"".repeat(40_000);
        let failure = Failure { stage: "dial".into(), message, leg: None, at: None };
        let note = ConnectionNote { failure: Some(failure), ..ConnectionNote::default() };
        let options = Remark { id: 1, note: Some(&note), ..Remark::default() }.options();
        assert!(Options::new(ByteOrder::Little, &options).count() > 2);
        assert_eq!(read(&options)[0].note.as_deref(), Some(&note));
    }

    #[test]
    fn fields_that_are_not_known_yet_are_passed_over() {
        let mut options = Vec::new();
        let newer = br#"framescope {"id":3,"mood":"good","open":{"client":"1.2.3.4:5","server":"[::1]:6","x":[]}}"#;
        block::write_option(1, b"retransmitted? look again", &mut options);
        block::write_option(4, &[0; 8], &mut options);
        block::write_option(1, newer, &mut options);
        let [comment] = &read(&options)[..] else { panic!() };
        assert_eq!(comment.open.as_ref().unwrap().server.port(), 6);
    }

    #[test]
    fn a_broken_line_is_an_error_and_harms_no_other() {
        let mut options = Vec::new();
        block::write_option(1, b"framescope {\"id\":", &mut options);
        block::write_option(1, b"framescope {\"id\":4}", &mut options);
        let comments = Comment::read(ByteOrder::Little, &options);
        assert!(comments[0].is_err());
        assert_eq!(comments[1].as_ref().unwrap().id, ConnectionId(4));
    }
}
