//! A request as a command line of curl, for bash and zsh.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::widgets::format::is_hidden;

/// Longer bodies do not go onto a command line: Linux takes 128 KiB in one argument.
const BODY_MOST: usize = 100 << 10;

/// A request to be sent again.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub method: &'a str,
    /// Where to, scheme and host included.
    pub url: &'a str,
    /// What is asked of the server as a whole: `OPTIONS *`.
    pub asks_for_all: bool,
    /// Its fields, in order.
    pub fields: Vec<(&'a str, Cow<'a, str>)>,
    pub body: Body<'a>,
}

/// What it carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    Nothing,
    Text(&'a str),
    /// What is no text, too long, or not at hand: it is to be in this file.
    File(String),
}

impl<'a> Body<'a> {
    /// This much is kept of a body of `len` octets, which goes into the file of this name where need be.
    pub(super) fn of(octets: &'a [u8], len: u64, name: impl FnOnce() -> String) -> Self {
        if len == 0 {
            return Self::Nothing;
        }
        let is_whole = octets.len() as u64 == len && octets.len() <= BODY_MOST;
        let text = std::str::from_utf8(octets).ok().filter(|text| is_whole && !text.contains('\0'));
        text.map_or_else(|| Self::File(name()), Self::Text)
    }
}

/// The command, an option a line.
pub(super) fn command(request: &Request<'_>) -> String {
    let mut options = vec![format!("curl {}", quoted(request.url))];
    let is_empty = request.body == Body::Nothing;
    if request.method == "HEAD" && is_empty {
        options.push("--head".to_owned());
    }
    let mut option = |name: &str, value: &str| options.push(format!("{name} {}", quoted(value)));
    match (request.method, is_empty) {
        ("GET" | "HEAD", true) | ("POST", false) => {}
        (method, _) => option("-X", method),
    }
    if request.asks_for_all {
        option("--request-target", "*");
    }
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let mut is_compressed = false;
    for (name, value) in &request.fields {
        // curl says these itself.
        let by_itself = ["Host", "Content-Length", "Transfer-Encoding", "Connection"];
        if is(name, "Accept-Encoding") {
            is_compressed = true;
        } else if !is_token(name) {
            // What begins with @ would be taken for a file.
        } else if value.is_empty() {
            // With a colon it would take the field away.
            option("-H", &format!("{name};"));
        } else if !by_itself.iter().any(|other| is(name, other)) {
            option("-H", &format!("{name}: {value}"));
        }
    }
    let has_type = request.fields.iter().any(|(name, _)| is(name, "Content-Type"));
    if !is_empty && !has_type {
        // Else it claims to send a form.
        option("-H", "Content-Type:");
    }
    match &request.body {
        Body::Nothing => {}
        Body::Text(text) => option("--data-raw", text),
        Body::File(name) => option("--data-binary", &format!("@{name}")),
    }
    if is_compressed {
        options.push("--compressed".to_owned());
    }
    if request.url.contains(['[', ']', '{', '}']) {
        options.push("--globoff".to_owned());
    }
    if request.url.contains("/.") {
        options.push("--path-as-is".to_owned());
    }
    options.join(" \\\n  ")
}

/// What the name of a field may be (RFC 9110 §5.6.2).
fn is_token(name: &str) -> bool {
    let is_one = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    !name.is_empty() && name.bytes().all(is_one)
}

/// One word of a shell, whatever is in it: what moves a cursor or is not seen is spelled out.
fn quoted(text: &str) -> String {
    let is_odd = |character: char| character.is_control() || is_hidden(character);
    if !text.chars().any(is_odd) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => word.extend(['\\', character]),
            '\n' => word.push_str("\\n"),
            '\r' => word.push_str("\\r"),
            '\t' => word.push_str("\\t"),
            odd if is_odd(odd) => {
                for octet in odd.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string does not fail.
                    let _ = write!(word, "\\x{octet:02x}");
                }
            }
            plain => word.push(plain),
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(method: &'a str, url: &'a str, body: Body<'a>) -> Request<'a> {
        let field = |name, value: &'a str| (name, Cow::Borrowed(value));
        let fields = vec![
            field("Host", "a.example"),
            field("accept-encoding", "gzip"),
            field("X-Empty", ""),
            field("Cookie", "id=•••"),
            field("Content-Length", "9"),
            field("@/etc/passwd", "x"),
        ];
        Request { method, url, asks_for_all: false, fields, body }
    }

    #[test]
    fn what_curl_says_by_itself_is_left_to_it() {
        let get = command(&request("GET", "http://a.example/x?y=1", Body::Nothing));
        let lines = [
            "curl 'http://a.example/x?y=1' \\",
            "  -H 'X-Empty;' \\",
            "  -H 'Cookie: id=•••' \\",
            "  --compressed",
        ];
        assert_eq!(get, lines.join("\n"));
    }

    #[test]
    fn method_and_body_are_those_of_the_request() {
        let told = |method, body| command(&request(method, "http://a/", body));
        let rows = [
            (told("HEAD", Body::Nothing), "\n  --head \\", true),
            (told("POST", Body::Nothing), "-X 'POST'", true),
            (told("POST", Body::Text("a=1")), "-X", false),
            (told("POST", Body::Text("a=1")), "--data-raw 'a=1'", true),
            (told("POST", Body::Text("a=1")), "-H 'Content-Type:'", true),
            (told("PUT", Body::Text("a=1")), "-X 'PUT'", true),
            (told("GET", Body::File("a.bin".to_owned())), "--data-binary '@a.bin'", true),
            (told("GET", Body::File("a.bin".to_owned())), "-X 'GET'", true),
        ];
        for (told, part, expected) in rows {
            assert_eq!(told.contains(part), expected, "{part}: {told}");
        }
    }

    #[test]
    fn a_peer_cannot_write_what_the_shell_does() {
        let rows = [
            ("it's; rm -rf ~", r"'it'\''s; rm -rf ~'"),
            ("$(id)`id`\\", r"'$(id)`id`\'"),
            ("a\nb", r"$'a\nb'"),
            ("\u{1b}[2J'\\", r"$'\x1b[2J\'\\'"),
            ("\u{202e}x", r"$'\xe2\x80\xaex'"),
        ];
        for (text, word) in rows {
            assert_eq!(quoted(text), word);
        }
    }

    #[test]
    fn what_does_not_fit_a_command_line_is_named_as_a_file() {
        let name = || "x.bin".to_owned();
        let long = vec![b'a'; BODY_MOST + 1];
        assert_eq!(Body::of(b"", 0, name), Body::Nothing);
        assert_eq!(Body::of(b"{}", 2, name), Body::Text("{}"));
        for (octets, len) in [(&b"{"[..], 2), (b"\0", 1), (b"\xff", 1), (&long, long.len() as u64)]
        {
            assert_eq!(Body::of(octets, len, name), Body::File(name()), "{len}");
        }
    }
}
