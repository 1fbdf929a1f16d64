//! permessage-deflate, the receiving side (RFC 7692 §7.2.2): one lane's inflater.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::deflate_walk::StreamPlace;

/// The farthest back that DEFLATE can refer: 2^15 octets.
pub const WINDOW: usize = 1 << WINDOW_BITS;

const WINDOW_BITS: u8 = 15;

/// What a sender strips from the end of each message, and a receiver puts back (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Octets that come out at once.
const STEP: usize = 16 << 10;

/// Inflates the messages of one lane, with the sender's sliding window taken over or not.
///
/// Always inflates with the largest window, which reads what any smaller window wrote.
pub struct Inflater {
    stream: Inflate,
    /// What came out last: at least the last [`WINDOW`] octets where there were so many.
    history: Vec<u8>,
    /// The last octets of the message so far.
    last: u32,
    no_context_takeover: bool,
}

/// Why inflating stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateFault {
    /// The octets are not DEFLATE data.
    Invalid,
    /// More came out than was allowed.
    OverBudget,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("history", &self.history.len()).finish_non_exhaustive()
    }
}

impl Inflater {
    /// An inflater before the first message of a lane.
    pub fn new(no_context_takeover: bool) -> Self {
        let stream = Inflate::new(false, WINDOW_BITS);
        Self { stream, history: Vec::new(), last: 0, no_context_takeover }
    }

    /// An inflater between two messages, of which the earlier ones left `history` behind.
    pub fn resume(no_context_takeover: bool, history: &[u8]) -> Self {
        let mut inflater = Self::new(no_context_takeover);
        inflater.history.extend_from_slice(history);
        inflater.restart();
        inflater
    }

    /// The last octets that came out, at most [`WINDOW`]: all that later messages can refer to.
    pub fn history(&self) -> &[u8] {
        let start = self.history.len().saturating_sub(WINDOW);
        self.history.get(start..).unwrap_or_default()
    }

    /// Inflates part of a message; what comes out goes to `out`, at most `budget` octets.
    pub fn push(
        &mut self,
        mut compressed: &[u8],
        budget: &mut u64,
        out: &mut dyn FnMut(&[u8]),
    ) -> Result<(), InflateFault> {
        for octet in compressed.iter().skip(compressed.len().saturating_sub(TAIL.len())) {
            self.last = self.last << 8 | u32::from(*octet);
        }
        // A block with BFINAL set ends the DEFLATE stream but neither the message nor the window: what
        // follows is a new stream over the old history (RFC 7692 §7.2.3.4).
        let mut step = [0; STEP];
        while self.inflate_stream(&mut compressed, &mut step, budget, out)? {
            self.restart();
            // Restarting costs the same however short a stream is: those that are whole are taken in as
            // parts of the one that has begun.
            while let Some(place) = StreamPlace::of(compressed) {
                let (stream, behind) = compressed.split_at_checked(place.len()).unwrap_or_default();
                self.inflate_stream(&mut &place.unended(stream)[..], &mut step, budget, out)?;
                compressed = behind;
            }
        }
        Ok(())
    }

    /// Inflates until a stream ends, and says so, or all octets are taken in.
    fn inflate_stream(
        &mut self,
        compressed: &mut &[u8],
        step: &mut [u8; STEP],
        budget: &mut u64,
        out: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, InflateFault> {
        loop {
            let (taken, made, outcome) = self.step(compressed, step, InflateFlush::SyncFlush);
            *compressed = compressed.get(taken..).unwrap_or_default();
            let fresh = step.get(..made).unwrap_or_default();
            self.remember(fresh);
            let allowed = fresh.get(..usize_of(*budget).min(made)).unwrap_or_default();
            if !allowed.is_empty() {
                out(allowed);
            }
            let within = made as u64 <= *budget;
            *budget = budget.saturating_sub(made as u64);
            if !within {
                return Err(InflateFault::OverBudget);
            }
            // What came out before a fault counts: it does so when the octets come one by one.
            match outcome? {
                Status::StreamEnd => return Ok(true),
                Status::Ok | Status::BufError if taken == 0 && made == 0 => return Ok(false),
                Status::Ok | Status::BufError => {}
            }
            if compressed.is_empty() && made < STEP {
                return Ok(false);
            }
        }
    }

    /// How many octets it takes in, how many come out, and what the stream says.
    fn step(
        &mut self,
        compressed: &[u8],
        out: &mut [u8],
        flush: InflateFlush,
    ) -> (usize, usize, Result<Status, InflateFault>) {
        let (taken_before, made_before) = (self.stream.total_in(), self.stream.total_out());
        let outcome = self.stream.decompress(compressed, out, flush);
        let taken = usize_of(self.stream.total_in().wrapping_sub(taken_before));
        let made = usize_of(self.stream.total_out().wrapping_sub(made_before));
        (taken, made, outcome.map_err(|_| InflateFault::Invalid))
    }

    /// Ends a message: puts the stripped tail back, and forgets the window where the sender does.
    ///
    /// # Errors
    /// [`InflateFault::Invalid`] where the message does not end as [`Inflater::takes`] has it.
    pub fn finish_message(&mut self) -> Result<(), InflateFault> {
        let [a, b, c, d] = TAIL;
        // A sender that left the tail where it was is told of elsewhere: another block may follow then.
        let is_whole = if self.last.to_be_bytes() == TAIL {
            self.takes(&[0, a, b, c, d])
        } else {
            self.takes(&TAIL)
        };
        self.last = 0;
        if self.no_context_takeover {
            self.forget();
        }
        if is_whole { Ok(()) } else { Err(InflateFault::Invalid) }
    }

    /// Says whether these octets, such as the stripped tail, end a block without octets of its own: "an
    /// empty DEFLATE block with no compression" (RFC 7692 §7.2.1).
    ///
    /// A message that ends elsewhere, such as within a block, would have octets made of the tail. Behind
    /// a block the stream stops, so an octet behind the tail is then not taken in.
    fn takes(&mut self, octets: &[u8]) -> bool {
        let (taken, made, outcome) =
            self.step(&[octets, &[0]].concat(), &mut [0; 8], InflateFlush::Block);
        outcome.is_ok() && (taken, made) == (octets.len(), 0)
    }

    /// Starts afresh, as before the first message.
    pub fn forget(&mut self) {
        self.stream.reset(false);
        self.history.clear();
    }

    /// Forgets all but the history: a block in progress is given up.
    pub fn restart(&mut self) {
        self.stream.reset(false);
        if !self.history.is_empty() {
            let start = self.history.len().saturating_sub(WINDOW);
            let history = self.history.get(start..).unwrap_or_default();
            // Fails only for a stream that is not at its start, which it is.
            let _ = self.stream.set_dictionary(history);
        }
    }

    fn remember(&mut self, fresh: &[u8]) {
        if fresh.len() >= WINDOW {
            self.history.clear();
        } else if self.history.len() > WINDOW.saturating_add(STEP) {
            let surplus = self.history.len().saturating_sub(WINDOW);
            self.history.drain(..surplus);
        }
        self.history.extend_from_slice(fresh);
    }
}

fn usize_of(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    fn inflate(inflater: &mut Inflater, parts: &[&[u8]]) -> Result<Vec<u8>, InflateFault> {
        let (mut out, mut budget) = (Vec::new(), 1 << 20);
        for part in parts {
            inflater.push(part, &mut budget, &mut |fresh| out.extend_from_slice(fresh))?;
        }
        inflater.finish_message()?;
        Ok(out)
    }

    /// One message as a permessage-deflate sender would make it.
    fn deflate(compress: &mut Compress, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() * 2 + 128);
        compress.compress_vec(data, &mut out, FlushCompress::Sync).unwrap();
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        out
    }

    #[test]
    fn the_examples_of_rfc_7692_section_7_2_3() {
        // §7.2.3.1 one compressed block, whole and in two fragments.
        let mut inflater = Inflater::new(false);
        assert_eq!(inflate(&mut inflater, &[&hex!("f248cdc9c90700")]).unwrap(), b"Hello");
        let mut inflater = Inflater::new(false);
        assert_eq!(
            inflate(&mut inflater, &[&hex!("f248cd"), &hex!("c9c90700")]).unwrap(),
            b"Hello"
        );
        // §7.2.3.2 the sliding window is shared by the second message.
        assert_eq!(inflate(&mut inflater, &[&hex!("f200110000")]).unwrap(), b"Hello");
        // §7.2.3.3 a block with no compression.
        let mut inflater = Inflater::new(false);
        assert_eq!(inflate(&mut inflater, &[&hex!("000500faff48656c6c6f00")]).unwrap(), b"Hello");
        // §7.2.3.4 a block with BFINAL set; the next message still refers to it.
        let mut inflater = Inflater::new(false);
        assert_eq!(inflate(&mut inflater, &[&hex!("f348cdc9c9070000")]).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, &[&hex!("f200110000")]).unwrap(), b"Hello");
        // §7.2.3.5 two blocks in one message.
        let mut inflater = Inflater::new(false);
        let two = hex!("f24805000000ffffcac9c90700");
        assert_eq!(inflate(&mut inflater, &[&two]).unwrap(), b"Hello");
    }

    #[test]
    fn a_message_that_does_not_end_with_the_block_of_a_flush_is_faulty_and_nothing_is_made_of_the_tail()
     {
        for (name, wire, whole) in [
            ("within a code", &hex!("f248cdc9")[..], &b"Hel"[..]),
            ("within a fixed block", &hex!("f248cdc9c9"), b"Hell"),
            ("behind a whole fixed block, before its flush", &hex!("f248cdc9c907"), b"Hello"),
            ("within a stored block", &hex!("000500faff4865"), b"He"),
            ("within the header of a stored block", &hex!("000500"), b""),
            (
                "within octets that look like the tail",
                &hex!("000c00f3ff616263640000ffff"),
                b"abcd\0\0\xff\xff",
            ),
            ("empty, where it should have one octet", b"", b""),
            (
                "behind a last block, without the octet of a flush",
                &hex!("f348cdc9c90700"),
                b"Hello",
            ),
            ("within the codes of a dynamic block", &hex!("04c0"), b""),
        ] {
            let (mut inflater, mut out, mut budget) = (Inflater::new(false), Vec::new(), 100);
            inflater.push(wire, &mut budget, &mut |fresh| out.extend_from_slice(fresh)).unwrap();
            assert_eq!(inflater.finish_message(), Err(InflateFault::Invalid), "{name}");
            assert_eq!(out, whole, "{name}");
        }
        assert_eq!(inflate(&mut Inflater::new(false), &[&hex!("00")]).unwrap(), b"");
    }

    #[test]
    fn a_kept_tail_is_not_put_back_again() {
        let mut inflater = Inflater::new(false);
        let kept = hex!("f248cdc9c907000000ffff");
        assert_eq!(inflate(&mut inflater, &[&kept]).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, &[&hex!("f200110000")]).unwrap(), b"Hello");
    }

    #[test]
    fn without_takeover_each_message_stands_alone() {
        let mut inflater = Inflater::new(true);
        assert_eq!(inflate(&mut inflater, &[&hex!("f248cdc9c90700")]).unwrap(), b"Hello");
        assert!(inflater.history().is_empty());
        assert_eq!(inflate(&mut inflater, &[&hex!("f200110000")]), Err(InflateFault::Invalid));
    }

    #[test]
    fn a_resumed_inflater_goes_on_where_the_history_ends() {
        let mut compress = Compress::new(Compression::default(), false);
        let (mut first, mut at_the_end) = (Inflater::new(false), Vec::new());
        for round in 0..200u32 {
            let text = format!("round {round}: {}", "the quick brown fox ".repeat(40));
            let wire = deflate(&mut compress, text.as_bytes());
            let mut resumed = Inflater::resume(false, first.history());
            assert_eq!(inflate(&mut first, &[&wire]).unwrap(), text.as_bytes());
            assert_eq!(inflate(&mut resumed, &[&wire]).unwrap(), text.as_bytes(), "round {round}");
            at_the_end = text.into_bytes();
        }
        assert_eq!(first.history().len(), WINDOW);
        assert!(first.history().ends_with(&at_the_end));
    }

    #[test]
    fn a_bomb_stops_at_the_budget() {
        let mut compress = Compress::new(Compression::best(), false);
        let wire = deflate(&mut compress, &vec![0; 4 << 20]);
        assert!(wire.len() < 8 << 10);
        let (mut budget, mut came_out) = (100_000, 0);
        let outcome =
            Inflater::new(false).push(&wire, &mut budget, &mut |fresh| came_out += fresh.len());
        assert_eq!(outcome, Err(InflateFault::OverBudget));
        assert_eq!(came_out, 100_000);
    }

    #[test]
    fn streams_that_end_within_a_message_cost_no_restart_each() {
        let mut inflater = Inflater::new(false);
        assert_eq!(inflate(&mut inflater, &[&hex!("f248cdc9c90700")]).unwrap(), b"Hello");
        // An empty stream, and one with a match that refers to before the message.
        let (empty, again) = (hex!("0300"), hex!("f30011 00"));
        let message = [&empty.repeat(1000)[..], &again, &empty, &[0x00]].concat();
        assert_eq!(inflate(&mut inflater, &[&message]).unwrap(), b"Hello");
        assert!(inflater.stream.total_in() > 6 * 1000, "since the last restart");
    }

    /// What came out, and how it ended, of messages that come in parts.
    fn outcomes(messages: &[Vec<&[u8]>], budget: u64) -> (Vec<u8>, Result<(), InflateFault>) {
        let (mut inflater, mut out) = (Inflater::new(false), Vec::new());
        let mut all = || {
            for parts in messages {
                let mut left = budget;
                for part in parts {
                    inflater.push(part, &mut left, &mut |fresh| out.extend_from_slice(fresh))?;
                }
                inflater.finish_message()?;
            }
            Ok(())
        };
        let outcome = all();
        (out, outcome)
    }

    proptest! {
        #[test]
        fn streams_that_end_inflate_alike_in_any_split(
            texts in prop::collection::vec(prop::collection::vec(0u8..4, 0..300), 1..12),
            level in 0u32..10,
            cut in 1usize..40,
            damage: Option<(prop::sample::Index, u8)>,
        ) {
            let (mut message, mut before) = (Vec::new(), Vec::new());
            for text in &texts {
                let mut sender = Compress::new(Compression::new(level), false);
                if !before.is_empty() {
                    sender.set_dictionary(&before).unwrap();
                }
                let mut stream = Vec::with_capacity(text.len() * 2 + 128);
                sender.compress_vec(text, &mut stream, FlushCompress::Finish).unwrap();
                message.extend_from_slice(&stream);
                before.extend_from_slice(text);
            }
            message.push(0x00);
            if let Some((place, octet)) = damage {
                let place = place.index(message.len());
                message[place] = octet;
            }
            let whole = outcomes(&[vec![&message[..]]], 1 << 20);
            let split = outcomes(&[message.chunks(cut).collect()], 1 << 20);
            prop_assert_eq!(&split, &whole);
            prop_assert_eq!(&outcomes(&[message.chunks(1).collect()], 1 << 20), &whole);
            if damage.is_none() {
                prop_assert_eq!(whole, (texts.concat(), Ok(())));
            }
        }

        #[test]
        fn any_octets_inflate_alike_in_any_split_and_within_the_budget(
            damage: Option<(prop::sample::Index, u8)>,
            texts in prop::collection::vec(prop::collection::vec(0u8..4, 1..300), 1..4),
            budget in prop_oneof![Just(1u64 << 20), 0..200u64],
            level in 0u32..10,
        ) {
            let mut sender = Compress::new(Compression::new(level), false);
            let mut messages: Vec<_> = texts.iter().map(|text| deflate(&mut sender, text)).collect();
            if let Some((place, octet)) = damage && !messages[0].is_empty() {
                let place = place.index(messages[0].len());
                messages[0][place] = octet;
            }
            let whole: Vec<Vec<&[u8]>> = messages.iter().map(|m| vec![&m[..]]).collect();
            let split: Vec<Vec<&[u8]>> = messages.iter().map(|m| m.chunks(1).collect()).collect();
            let (out, outcome) = outcomes(&whole, budget);
            prop_assert_eq!(outcomes(&split, budget), (out.clone(), outcome));
            prop_assert!(out.len() as u64 <= budget.saturating_mul(messages.len() as u64));
            if damage.is_none() && budget == 1 << 20 {
                prop_assert_eq!((out, outcome), (texts.concat(), Ok(())));
            }
        }
    }
}
