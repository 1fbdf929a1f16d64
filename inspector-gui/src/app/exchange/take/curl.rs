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
    /// What is asked of that, where it is no path: `*`, or an authority.
    pub target: Option<&'a str>,
    /// Its fields, in order: those that [`can_say`] admits.
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
    if let Some(target) = request.target {
        option("--request-target", target);
    }
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let mut is_compressed = false;
    for (name, value) in &request.fields {
        // curl says these itself.
        let by_itself = ["Host", "Content-Length", "Transfer-Encoding", "Connection"];
        if by_itself.iter().any(|other| is(name, other)) {
            continue;
        }
        if is(name, "Accept-Encoding") && takes_compressed(value) {
            is_compressed = true;
        } else if value.is_empty() {
            // With a colon it would take the field away.
            option("-H", &format!("{name};"));
        } else {
            option("-H", &format!("{name}: {value}"));
        }
    }
    let has = |wanted: &str| request.fields.iter().any(|(name, _)| is(name, wanted));
    for name in ["User-Agent", "Accept"] {
        if !has(name) {
            // Else it says its own.
            option("-H", &format!("{name}:"));
        }
    }
    if !is_empty && !has("Content-Type") {
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

/// Whether a command line can hold this field as it was sent. What begins with `@` would be taken for a file,
/// and a word of a shell ends at a NUL.
pub(super) fn can_say(name: &str, value: &[u8]) -> bool {
    is_token(name) && std::str::from_utf8(value).is_ok_and(|value| !value.contains('\0'))
}

/// Whether one of the codings that curl undoes is asked for (RFC 9110 §12.5.3).
fn takes_compressed(accept_encoding: &str) -> bool {
    accept_encoding.split(',').any(|one| {
        let mut parts = one.split(';').map(|part| part.trim().to_ascii_lowercase());
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        let is_known = ["gzip", "br", "zstd", "deflate"].contains(&coding.as_str());
        is_known && weight.is_none_or(|weight| weight > 0.0)
    })
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
            // bash would end the word there.
            '\0' => word.push(char::REPLACEMENT_CHARACTER),
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
            field("Transfer-Encoding", ""),
        ];
        Request { method, url, target: None, fields, body }
    }

    #[test]
    fn what_curl_says_by_itself_is_left_to_it() {
        let get = command(&request("GET", "http://a.example/x?y=1", Body::Nothing));
        let lines = [
            "curl 'http://a.example/x?y=1' \\",
            "  -H 'X-Empty;' \\",
            "  -H 'Cookie: id=•••' \\",
            "  -H 'User-Agent:' \\",
            "  -H 'Accept:' \\",
            "  --compressed",
        ];
        assert_eq!(get, lines.join("\n"));
    }

    #[test]
    fn what_the_request_says_of_itself_curl_says_in_its_place() {
        let fields = [("user-agent", "a/1"), ("Accept", ""), ("Accept-Encoding", "identity")];
        let fields = fields.map(|(name, value)| (name, Cow::Borrowed(value))).to_vec();
        let body = Body::Nothing;
        let url = "http://a.example";
        let request = Request { method: "OPTIONS", url, target: Some("*"), fields, body };
        let lines = [
            "curl 'http://a.example' \\",
            "  -X 'OPTIONS' \\",
            "  --request-target '*' \\",
            "  -H 'user-agent: a/1' \\",
            "  -H 'Accept;' \\",
            "  -H 'Accept-Encoding: identity'",
        ];
        assert_eq!(command(&request), lines.join("\n"));
    }

    #[test]
    fn an_answer_is_taken_compressed_where_the_request_takes_one() {
        let rows = [
            ("gzip", true),
            ("identity, BR;q=0.5", true),
            ("zstd ; q=1", true),
            ("", false),
            ("identity", false),
            ("*;q=0", false),
            ("gzip;q=0, identity", false),
        ];
        for (value, expected) in rows {
            assert_eq!(takes_compressed(value), expected, "{value}");
        }
    }

    #[test]
    fn a_field_that_no_command_line_can_hold_is_known() {
        let rows: [(&str, &[u8], bool); 5] = [
            ("X-Name", "é".as_bytes(), true),
            ("@/etc/passwd", b"x", false),
            ("", b"x", false),
            ("X-Name", b"caf\xe9", false),
            ("X-Name", b"a\0b", false),
        ];
        for (name, value, expected) in rows {
            assert_eq!(can_say(name, value), expected, "{name}");
        }
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
            ("a\0b", "$'a\u{fffd}b'"),
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
