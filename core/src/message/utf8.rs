//! UTF-8, checked as it comes (RFC 6455 §8.1, RFC 3629): any split gives the same verdict.

/// Whether a text that lies in one piece is well-formed UTF-8.
#[inline]
pub fn is_utf8(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

/// Checks one text, in parts that may be cut inside a character.
#[derive(Debug, Clone, Default)]
pub struct Utf8Validator {
    /// The first octets of a character whose last ones have not come yet.
    carry: [u8; 4],
    carry_len: u8,
    /// Octets found to be whole characters.
    valid: u64,
    broken: bool,
}

impl Utf8Validator {
    /// Takes in the next part.
    #[inline]
    pub fn push(&mut self, mut part: &[u8]) {
        if self.broken {
            return;
        }
        while self.carry_len > 0 {
            let Some((&octet, rest)) = part.split_first() else { return };
            part = rest;
            if !self.push_carried(octet) {
                return;
            }
        }
        match simdutf8::basic::from_utf8(part) {
            Ok(_) => self.valid = self.valid.saturating_add(part.len() as u64),
            Err(_) => self.push_to_fault(part),
        }
    }

    /// Whether all octets so far are whole characters.
    pub fn is_at_start(&self) -> bool {
        self.carry_len == 0 && !self.broken
    }

    /// Takes in so many octets of ASCII, where [`Utf8Validator::is_at_start`].
    pub fn push_ascii(&mut self, len: u64) {
        self.valid = self.valid.saturating_add(len);
    }

    /// `Ok` where all that came is text and no character is cut at the end; else the offset, in octets
    /// from the start of the text, at which the first ill-formed sequence begins.
    pub fn finish(&self) -> Result<(), u64> {
        if self.broken || self.carry_len > 0 { Err(self.valid) } else { Ok(()) }
    }

    /// Where the first ill-formed sequence begins, as soon as it is certain.
    pub fn fault(&self) -> Option<u64> {
        self.broken.then_some(self.valid)
    }

    /// Adds one octet to a begun character; `false` when that breaks it.
    fn push_carried(&mut self, octet: u8) -> bool {
        if let Some(place) = self.carry.get_mut(usize::from(self.carry_len)) {
            *place = octet;
            self.carry_len = self.carry_len.saturating_add(1);
        }
        let begun = self.carry.get(..usize::from(self.carry_len)).unwrap_or_default();
        match std::str::from_utf8(begun) {
            Ok(_) => {
                self.valid = self.valid.saturating_add(u64::from(self.carry_len));
                self.carry_len = 0;
                true
            }
            Err(fault) if fault.error_len().is_none() => true,
            Err(_) => {
                self.broken = true;
                false
            }
        }
    }

    fn push_to_fault(&mut self, part: &[u8]) {
        let Err(fault) = std::str::from_utf8(part) else { return };
        self.valid = self.valid.saturating_add(fault.valid_up_to() as u64);
        if fault.error_len().is_some() {
            self.broken = true;
            return;
        }
        let begun = part.get(fault.valid_up_to()..).unwrap_or_default();
        for (place, octet) in self.carry.iter_mut().zip(begun) {
            *place = *octet;
        }
        self.carry_len = u8::try_from(begun.len()).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    fn verdict(parts: &[&[u8]]) -> Result<(), u64> {
        let mut validator = Utf8Validator::default();
        for part in parts {
            validator.push(part);
        }
        validator.finish()
    }

    #[test]
    fn text_and_not_text() {
        let rows: [(&[u8], Result<(), u64>); 9] = [
            (b"", Ok(())),
            (b"plain", Ok(())),
            ("κόσμε 💻".as_bytes(), Ok(())),
            (&hex!("48 ff"), Err(1)),
            (&hex!("ceba e1bdb9 cf83 cebc ceb5 eda080 656469746564"), Err(11)),
            (&hex!("41 c3"), Err(1)),
            (&hex!("c0 80"), Err(0)),
            (&hex!("f4908080"), Err(0)),
            (&hex!("f0 9f 92"), Err(0)),
        ];
        for (octets, expected) in rows {
            assert_eq!(verdict(&[octets]), expected, "{octets:02x?}");
        }
    }

    #[test]
    fn a_character_cut_at_every_octet_is_still_one() {
        let octets = "a💻é".as_bytes();
        for cut in 0..=octets.len() {
            assert_eq!(verdict(&[&octets[..cut], &octets[cut..]]), Ok(()), "cut at {cut}");
        }
    }

    #[test]
    fn a_fault_is_known_before_the_end() {
        let mut validator = Utf8Validator::default();
        validator.push(b"ok\xe2\x28");
        assert_eq!(validator.fault(), Some(2));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_verdict_of_the_whole(
            text in "\\PC{0,12}", noise: Vec<u8>, cuts: Vec<prop::sample::Index>,
        ) {
            let mut octets = text.into_bytes();
            octets.extend(noise.iter().take(3));
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|w| &octets[w[0]..w[1]]).collect();
            let whole = std::str::from_utf8(&octets).map(|_| ()).map_err(|e| e.valid_up_to() as u64);
            prop_assert_eq!(verdict(&parts), whole);
        }
    }
}
