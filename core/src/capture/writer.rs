//! The writer of a whole capture: records in, blocks out.

use std::collections::HashMap;
use std::io::{self, Write};

use super::{StreamEncoder, block};
use crate::{ConnectionId, Record};

/// Appends what every capture starts with: the section header and the two interfaces.
pub fn write_section_header(out: &mut Vec<u8>) {
    block::write_preamble(None, out);
}

/// Writes a capture, record by record; buffered.
#[derive(Debug)]
pub struct CaptureWriter<W: Write> {
    out: W,
    buffer: Vec<u8>,
    encoders: HashMap<ConnectionId, StreamEncoder>,
}

impl<W: Write> CaptureWriter<W> {
    const BUFFER_LEN: usize = 256 << 10;

    /// Starts a capture on `out` with its section header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, buffer: Vec::new(), encoders: HashMap::new() };
        write_section_header(&mut writer.buffer);
        writer.flush()?;
        Ok(writer)
    }

    /// Writes one record.
    ///
    /// # Errors
    ///
    /// What `out` says; [`io::ErrorKind::InvalidInput`] for a connection that was not opened.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let out = &mut self.buffer;
        if let Record::Opened { connection, at, info } = record {
            self.encoders.insert(*connection, StreamEncoder::open(*connection, *at, info, out));
            return Ok(());
        }
        let encoder = self.encoders.get_mut(&record.connection()).ok_or_else(|| {
            let message = format!("connection {} was not opened", record.connection());
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        match record {
            Record::Opened { .. } => {}
            Record::Noted { at, note, .. } => encoder.note(*at, note, out),
            Record::Octets { at, leg, direction, octets, in_proxy, .. } => {
                let options = in_proxy.map(|time| block::in_proxy_options(Some(time)));
                let options = options.as_ref().map_or(&[][..], |options| options);
                encoder.octets_with(*at, *leg, *direction, octets, options, out);
            }
            Record::Gap { at, leg, direction, len, position, .. } => {
                encoder.gap_before(*at, *leg, *direction, *len, position.clone(), out);
            }
            Record::Finished { at, leg, direction, how, .. } => {
                encoder.finish(*at, *leg, *direction, *how, out);
            }
        }
        if self.buffer.len() >= Self::BUFFER_LEN { self.hand_over() } else { Ok(()) }
    }

    /// Hands everything written so far to `out`, and flushes that.
    pub fn flush(&mut self) -> io::Result<()> {
        self.hand_over()?;
        self.out.flush()
    }

    /// Flushes, and gives `out` back.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.out)
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Direction, Leg, Timestamp};

    #[test]
    fn a_record_of_a_connection_that_was_not_opened_is_an_error() {
        let mut writer = CaptureWriter::new(Vec::new()).unwrap();
        let (connection, leg, direction) =
            (ConnectionId(3), Leg::Client, Direction::ClientToServer);
        let record = Record::Gap {
            connection,
            at: Timestamp::from_nanos(1),
            leg,
            direction,
            len: 1,
            position: None,
        };
        assert_eq!(writer.write(&record).unwrap_err().to_string(), "connection #3 was not opened");
    }
}
