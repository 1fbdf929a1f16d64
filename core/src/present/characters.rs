//! Characters that a reader would not see, or that would make others read differently.

/// The picture of a C0 control or of DEL: `␊` for a line feed.
pub fn control_picture(character: char) -> Option<char> {
    match character {
        '\0'..='\x1f' => char::from_u32(u32::from(character).saturating_add(0x2400)),
        '\x7f' => Some('␡'),
        _ => None,
    }
}

/// Whether this character hides itself or reorders what stands around it: a control, a directional
/// mark, a separator, a tag. Joiners are not among them: scripts and emoji need them.
pub const fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'            // C0, DEL, C1
        | '\u{ad}' | '\u{61c}' | '\u{180e}'          // soft hyphen, Arabic letter mark
        | '\u{200b}' | '\u{200e}' | '\u{200f}'       // zero-width space, directional marks
        | '\u{2028}'..='\u{202e}'                    // separators, embeddings, overrides
        | '\u{2060}'..='\u{206f}'                    // word joiner, isolates
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'       // byte order mark, annotations
        | '\u{e0000}'..='\u{e007f}') // tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_have_pictures() {
        assert_eq!(control_picture('\n'), Some('␊'));
        assert_eq!(control_picture('\x1b'), Some('␛'));
        assert_eq!(control_picture('\x7f'), Some('␡'));
        assert_eq!(control_picture('a'), None);
        assert_eq!(control_picture('\u{85}'), None);
    }

    #[test]
    fn every_control_is_deceptive_and_no_letter_is() {
        assert!(('\0'..=char::MAX).filter(|c| c.is_control()).all(is_deceptive));
        assert!(('\0'..=char::MAX).filter(|c| c.is_alphanumeric()).all(|c| !is_deceptive(c)));
        assert!(is_deceptive('\u{202e}') && is_deceptive('\u{2066}'));
        assert!(!is_deceptive('\u{200d}'), "a joiner");
    }
}
