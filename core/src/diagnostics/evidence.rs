//! What was seen, on one line.

/// A peer's text for one line: control characters escaped, so that they cannot move a terminal's
/// cursor; cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    let mut line = String::new();
    for character in text.chars().take(MOST) {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}
