//! A capture in several files: which file of which set one is, told in its section header.
//!
//! The header's comment reads `framescope {"set":{"id":…,"file":3,"offset":1048576}}`. A set is one
//! capture that was cut between blocks: its files read one after the other are the records of one.

use serde::{Deserialize, Serialize};

use super::block::{self, ByteOrder, OPT_COMMENT, Options, SECTION_HEADER};
use super::comment;

/// Octets at the start of a file that are enough for [`SetPlace::read`].
pub const SET_PLACE_LEN: usize = 512;

/// The place of a file in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPlace {
    /// The same for all files of a set, and for no others.
    pub id: u64,
    /// The file's number in the set, from 1.
    pub file: u32,
    /// Octets of all files of the set before this one.
    pub offset: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct InSet {
    set: SetPlace,
}

impl SetPlace {
    /// Appends what a file at this place starts with.
    pub fn write_section_header(&self, out: &mut Vec<u8>) {
        // Numbers with string keys: there is nothing in them that JSON cannot say.
        let line = serde_json::to_string(&InSet { set: *self }).unwrap_or_default();
        block::write_preamble(Some(&[comment::START, &line].concat()), out);
    }

    /// Reads it from the first octets of a file, [`SET_PLACE_LEN`] of them where there are so many;
    /// `None` where the file is a capture of its own, or none, or its header is not whole yet.
    pub fn read(start: &[u8]) -> Option<Self> {
        let order = ByteOrder::Little;
        if order.u32(start, 0)? != SECTION_HEADER || ByteOrder::of_magic(start.get(8..)?)? != order
        {
            return None;
        }
        let body = start.get(24..order.len(start, 4)?.checked_sub(4)?)?;
        Options::new(order, body)
            .filter(|(code, _)| *code == OPT_COMMENT)
            .filter_map(|(_, value)| value.strip_prefix(comment::START.as_bytes()))
            .find_map(|line| serde_json::from_slice::<InSet>(line).ok())
            .map(|found| found.set)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use bytes::Bytes;

    use super::*;
    use crate::capture::write_section_header;
    use crate::capture::{CaptureFault, CaptureItem, CaptureReader, StreamEncoder};
    use crate::{
        ConnectionId, ConnectionInfo, ConnectionNote, Direction, Finish, Leg, Record, Timestamp,
    };

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000_000_000 + nanos)
    }

    fn info() -> ConnectionInfo {
        let [client, server] = [40_000, 80].map(|port| SocketAddr::from(([10, 0, 0, 1], port)));
        ConnectionInfo { client, server, mode: None, upstream: None, tls: None }
    }

    /// The files of a set, cut before these of the steps of one connection.
    fn files(cuts: &[usize]) -> Vec<Vec<u8>> {
        let known = ConnectionNote {
            upstream_addr: Some("192.0.2.9:443".parse().unwrap()),
            ..ConnectionNote::default()
        };
        let mut files = Vec::new();
        let mut file = Vec::new();
        SetPlace { id: 9, file: 1, offset: 0 }.write_section_header(&mut file);
        let id = ConnectionId(7);
        let mut encoder = StreamEncoder::open(id, at(0), &info(), &mut file);
        encoder.remember(at(0), &info());
        for step in 1..10 {
            if cuts.contains(&step) {
                let offset = files.iter().map(Vec::len).sum::<usize>() + file.len();
                files.push(std::mem::take(&mut file));
                let number = u32::try_from(files.len() + 1).unwrap();
                SetPlace { id: 9, file: number, offset: offset as u64 }
                    .write_section_header(&mut file);
                encoder.resume(at(step as u64), &mut file);
            }
            let (out, at) = (&mut file, at(step as u64));
            match step {
                1 => encoder.octets(at, Leg::Client, UP, b"GET / HTTP/1.1\r\n\r\n", out),
                2 => encoder.note(at, &known, out),
                3 => encoder.octets(at, Leg::Upstream, UP, b"GET /", out),
                4 => encoder.octets(at, Leg::Client, DOWN, b"HTTP/1.1 101 \r\n\r\n", out),
                5 => encoder.gap(at, Leg::Client, DOWN, 1000, out),
                6 => encoder.octets(at, Leg::Client, DOWN, b"down", out),
                7 => encoder.finish(at, Leg::Client, DOWN, Finish::Fin, out),
                8 => encoder.octets(at, Leg::Client, UP, b"up", out),
                _ => encoder.finish(at, Leg::Client, UP, Finish::Fin, out),
            }
        }
        files.push(file);
        files
    }

    fn read(files: &[Vec<u8>]) -> Vec<Record> {
        let mut reader = CaptureReader::new();
        for file in files {
            reader.receive(Bytes::copy_from_slice(file));
        }
        reader.finish();
        std::iter::from_fn(|| reader.poll())
            .map(|item| match item {
                CaptureItem::Record { record, .. } => record,
                CaptureItem::Fault(fault) => panic!("{fault}"),
            })
            .collect()
    }

    #[test]
    fn a_set_reads_as_the_one_file_it_would_have_been_wherever_it_is_cut() {
        let whole = read(&files(&[]));
        assert_eq!(whole.len(), 10);
        for first in 1..10 {
            for second in first..10 {
                assert_eq!(read(&files(&[first, second])), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_later_file_alone_tells_what_it_is_about_and_how_much_came_before() {
        let files = files(&[8]);
        let told = read(&files[1..]);
        let connection = ConnectionId(7);
        let known = at(8);
        let gap = |leg, direction, len| Record::Gap { connection, at: known, leg, direction, len };
        assert_eq!(told[0], Record::Opened { connection, at: at(0), info: Box::new(info()) });
        assert!(matches!(&told[1], Record::Noted { note, .. } if note.upstream_addr.is_some()));
        assert_eq!(told[2], gap(Leg::Client, UP, 18));
        assert_eq!(told[3], gap(Leg::Client, DOWN, 17 + 1000 + 4));
        let how = Finish::Fin;
        let ended =
            |at, direction| Record::Finished { connection, at, leg: Leg::Client, direction, how };
        assert_eq!(told[4], ended(known, DOWN));
        assert_eq!(told[5], gap(Leg::Upstream, UP, 5));
        let octets = Bytes::from_static(b"up");
        let (leg, direction) = (Leg::Client, UP);
        assert_eq!(told[6], Record::Octets { connection, at: known, leg, direction, octets });
        assert_eq!(told[7..], [ended(at(9), UP)]);
    }

    #[test]
    fn files_that_are_missing_in_between_are_told_with_what_was_in_them() {
        let files = files(&[4, 7]);
        let mut reader = CaptureReader::new();
        reader.receive(files[0].clone().into());
        assert!(std::iter::from_fn(|| reader.poll()).count() > 0);
        let offset = (files[0].len() + files[1].len()) as u64;
        reader.jump(offset);
        reader.receive(files[2].clone().into());
        reader.finish();
        let items: Vec<_> = std::iter::from_fn(|| reader.poll()).collect();
        let missing =
            CaptureFault::Skipped { offset: files[0].len() as u64, len: files[1].len() as u64 };
        assert_eq!(items[0], CaptureItem::Fault(missing));
        let CaptureItem::Record { record, block_offset } = &items[1] else { panic!("{items:?}") };
        assert!(matches!(record, Record::Gap { direction: DOWN, len: 1021, .. }), "{record:?}");
        assert!(*block_offset >= offset);
    }

    #[test]
    fn the_place_is_read_from_the_start_of_a_file_and_from_no_other() {
        let place = SetPlace { id: u64::MAX, file: u32::MAX, offset: u64::MAX };
        let mut file = Vec::new();
        place.write_section_header(&mut file);
        file.resize(SET_PLACE_LEN, 0);
        assert_eq!(SetPlace::read(&file), Some(place));
        assert_eq!(SetPlace::read(&file[..100]), None, "not whole yet");
        let mut single = Vec::new();
        write_section_header(&mut single);
        assert_eq!(SetPlace::read(&single), None);
        assert_eq!(SetPlace::read(b""), None);
    }
}
