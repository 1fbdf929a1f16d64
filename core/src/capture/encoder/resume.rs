//! Saying again what a reader must know who has not seen a connection's beginning.

use bytes::Bytes;

use super::StreamEncoder;
use crate::capture::append::Append;
use crate::capture::comment::{Again, Remark, Resume};
use crate::capture::packet::flags;
use crate::capture::past::Sent;
use crate::{ConnectionNote, Direction, Finish, Leg, Timestamp};

/// Heads are repeated with sequence numbers that lie at most so far back: less than half of all.
const MOST_BACK: u32 = 1 << 30;

impl StreamEncoder {
    /// Goes on in a file that has nothing of this connection yet: says again what a reader of that
    /// file alone must know, with the heads of the opening handshake where that is done. To a reader of
    /// the files before it says nothing.
    pub fn resume(&mut self, at: Timestamp, out: &mut impl Append) {
        let Some(past) = self.past.take() else { return };
        let resume = |sent: Sent| {
            let Sent { octets: sent, finished } = sent;
            Resume { since: past.since, sent, finished, again: None }
        };
        let (id, up) = (self.id.0, Direction::ClientToServer);
        let note = (past.note != ConnectionNote::default()).then_some(&past.note);
        let open = Some(&past.info);
        let client = resume(past.client);
        let goes_on = Remark { id, open, note, ..Remark::default() };
        match past.upgraded() {
            None => {
                let goes_on = Remark { resume: Some(client), ..goes_on };
                self.remark(at, Leg::Client, up, &goes_on, out);
            }
            Some(upgraded) => {
                let (last, next) = (past.last_at, self.client.next);
                let again = Again { at: upgraded.at, next, last, frames: upgraded.positions() };
                let resume = Some(Resume { again: Some(again), ..client });
                let goes_on = Remark { resume, ..goes_on };
                self.repeat(at, past.client, &upgraded.heads, &goes_on, out);
            }
        }
        if self.upstream_is_open {
            let (leg, resume) = (Some(Leg::Upstream), Some(resume(past.upstream)));
            let goes_on = Remark { id, leg, resume, ..Remark::default() };
            self.remark(at, Leg::Upstream, up, &goes_on, out);
        }
        self.past = Some(past);
    }

    /// Writes the heads of the opening handshake once more, `goes_on` with the first of them: with the
    /// numbers they had, to which they are old news. Where more came since than numbers can tell from
    /// what is yet to come, with numbers that lie so far back.
    fn repeat(
        &mut self,
        at: Timestamp,
        sent: Sent,
        heads: &[Bytes; 2],
        goes_on: &Remark<'_>,
        out: &mut impl Append,
    ) {
        use Direction::{ClientToServer, ServerToClient};
        let next = self.client.next;
        let back = |sent: u64, finished: Option<Finish>| {
            let fin = u64::from(finished == Some(Finish::Fin));
            u32::try_from(sent.saturating_add(fin)).unwrap_or(u32::MAX).min(MOST_BACK)
        };
        let ([up, down], [up_end, down_end], [up_sent, down_sent]) =
            (next, sent.finished, sent.octets);
        self.client.next =
            [up.wrapping_sub(back(up_sent, up_end)), down.wrapping_sub(back(down_sent, down_end))];
        let [request, response] = heads;
        let flags = flags::PSH | flags::ACK;
        self.head(at, Leg::Client, ClientToServer, flags).write(request, &goes_on.options(), out);
        self.advance(Leg::Client, ClientToServer, request.len() as u64);
        self.head(at, Leg::Client, ServerToClient, flags).write(response, &[], out);
        self.client.next = next;
    }
}
