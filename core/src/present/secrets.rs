//! Secrets in heads: what would let whoever reads a log or a screenshot act as the user.
//!
//! Header values and parts of URLs only; payloads are what an inspector is there to show.

use std::borrow::Cow;

use crate::connection::Alteration;

/// What stands where a secret was.
pub const MASK: &str = "•••";

/// Whether credentials are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Secrets {
    /// Replaced by [`MASK`].
    #[default]
    Masked,
    /// As sent.
    Shown,
}

/// Header fields whose whole value is a credential.
const SECRET_HEADERS: [&str; 5] =
    ["X-Api-Key", "X-Auth-Token", "X-Access-Token", "X-CSRF-Token", "X-XSRF-Token"];

/// Header fields whose value is a URL, which may carry a credential.
const URL_HEADERS: [&str; 3] = ["Referer", "Location", "Origin"];

/// A parameter in a query or fragment whose name, without `-` and `_`, contains one of these carries a
/// credential.
const SECRET_WORDS: [&str; 11] = [
    "token",
    "secret",
    "passw",
    "auth",
    "apikey",
    "signature",
    "session",
    "jwt",
    "credential",
    "ticket",
    "accesskey",
];

/// Or whose name is one of these.
const SECRET_NAMES: [&str; 6] = ["key", "sig", "sid", "code", "pwd", "pass"];

impl Secrets {
    /// The value of header `name` as it may be shown: the names of cookies, the scheme of an
    /// authorisation and all of a URL but its credentials stay.
    pub fn header_value<'a>(self, name: &str, value: Cow<'a, str>) -> Cow<'a, str> {
        if self == Self::Shown || value.trim().is_empty() {
            return value;
        }
        let is = |other: &&str| name.eq_ignore_ascii_case(other);
        if is(&"Cookie") {
            return Cow::Owned(value.split(';').map(cookie).collect::<Vec<_>>().join(";"));
        }
        if is(&"Set-Cookie") {
            return Cow::Owned(match value.split_once(';') {
                Some((pair, attributes)) => format!("{};{attributes}", cookie(pair)),
                None => cookie(&value),
            });
        }
        if is(&"Authorization") || is(&"Proxy-Authorization") {
            return Cow::Owned(match value.split_once(' ') {
                Some((scheme, _)) => format!("{scheme} {MASK}"),
                None => MASK.to_owned(),
            });
        }
        if SECRET_HEADERS.iter().any(is) {
            return Cow::Borrowed(MASK);
        }
        // Browsers cannot set headers on a WebSocket, so applications smuggle credentials in here.
        if is(&"Sec-WebSocket-Protocol") {
            return self.words(value);
        }
        if URL_HEADERS.iter().any(is) {
            return Cow::Owned(self.target(&value).into_owned());
        }
        value
    }

    /// A request target or URL: masked are its user information, and in query and fragment the values of
    /// credential-like parameters.
    pub fn target(self, target: &str) -> Cow<'_, str> {
        if self == Self::Shown {
            return Cow::Borrowed(target);
        }
        let (before, fragment) = split_before(target, '#');
        let (path, query) = split_before(before, '?');
        let parts = [without_user_information(path), parameters(query), parameters(fragment)];
        if parts.iter().all(|part| matches!(part, Cow::Borrowed(_))) {
            return Cow::Borrowed(target);
        }
        Cow::Owned(parts.concat())
    }

    /// A line that may quote what a peer sent, such as a finding's evidence: words that are
    /// credentials by their looks are masked.
    pub fn words<'a>(self, line: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let line = line.into();
        let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'');
        if self == Self::Shown || !line.split(is_between).any(looks_like_credential) {
            return line;
        }
        let mut shown = String::with_capacity(line.len());
        for piece in line.split_inclusive(is_between) {
            let word = piece.trim_end_matches(is_between);
            shown.push_str(self.subprotocol(word));
            shown.push_str(piece.get(word.len()..).unwrap_or_default());
        }
        Cow::Owned(shown)
    }

    /// A change of a head as it may be shown.
    #[must_use]
    pub fn alteration(self, alteration: &Alteration) -> Alteration {
        let shown = |text: &str| match alteration.what.as_str() {
            "request-target" => self.target(text).into_owned(),
            name => self.header_value(name, text.into()).into_owned(),
        };
        Alteration {
            from: shown(&alteration.from),
            to: shown(&alteration.to),
            ..alteration.clone()
        }
    }

    /// A subprotocol as it may be shown.
    pub fn subprotocol(self, subprotocol: &str) -> &str {
        if self == Self::Masked && looks_like_credential(subprotocol) { MASK } else { subprotocol }
    }
}

/// `name=•••`: the name of a cookie is no secret.
fn cookie(pair: &str) -> String {
    match pair.split_once('=') {
        Some((_, value)) if value.trim().is_empty() => pair.to_owned(),
        Some((name, _)) => format!("{name}={MASK}"),
        None if pair.trim().is_empty() => pair.to_owned(),
        None => MASK.to_owned(),
    }
}

/// What stands before the first of these, and the rest, which begins with it.
fn split_before(text: &str, first: char) -> (&str, &str) {
    text.find(first).map_or((text, ""), |at| text.split_at(at))
}

/// `//•••@host/path`: a URL up to its query, without who asks (RFC 3986 §3.2.1).
fn without_user_information(url: &str) -> Cow<'_, str> {
    let masked = || {
        let (scheme, rest) = url.split_once("//")?;
        // Later in a path, it begins no authority.
        let begins = scheme.is_empty() || (scheme.ends_with(':') && !scheme.contains('/'));
        let (authority, path) = split_before(rest, '/');
        let (user, host) = authority.rsplit_once('@')?;
        (begins && !user.is_empty()).then(|| format!("{scheme}//{MASK}@{host}{path}"))
    };
    masked().map_or(Cow::Borrowed(url), Cow::Owned)
}

/// A query or a fragment, what begins it included, with the values of credential-like parameters masked.
/// A fragment may be a path with a query of its own: `#/rooms?token=…`.
fn parameters(text: &str) -> Cow<'_, str> {
    let is_secret = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            let name = name.rsplit(['?', '#']).next().unwrap_or_default();
            !value.is_empty() && (is_secret_parameter(name) || looks_like_credential(value))
        })
    };
    if !text.split('&').any(is_secret) {
        return Cow::Borrowed(text);
    }
    let shown: Vec<Cow<'_, str>> = text
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(pair) => Cow::Owned(format!("{name}={MASK}")),
            _ => Cow::Borrowed(pair),
        })
        .collect();
    Cow::Owned(shown.join("&"))
}

fn is_secret_parameter(name: &str) -> bool {
    let mut name = name.to_ascii_lowercase();
    name.retain(|c| !matches!(c, '-' | '_'));
    SECRET_NAMES.contains(&name.as_str()) || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A JSON Web Token, or a Kubernetes-style bearer subprotocol.
fn looks_like_credential(text: &str) -> bool {
    let is_jwt = text.starts_with("eyJ") && text.matches('.').count() == 2;
    let is_bearer = text.to_ascii_lowercase().contains("bearer.");
    is_jwt || is_bearer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_let_somebody_in_are_masked_and_names_stay() {
        let rows = [
            ("Cookie", "session=abc; theme=dark", "session=•••; theme=•••"),
            ("cookie", "a=", "a="),
            ("COOKIE", "nameless", "•••"),
            ("Set-Cookie", "id=1; Path=/; HttpOnly", "id=•••; Path=/; HttpOnly"),
            ("Authorization", "Bearer eyJ.a.b", "Bearer •••"),
            ("Proxy-Authorization", "abc", "•••"),
            ("X-API-Key", "k", "•••"),
            ("x-csrf-token", "k", "•••"),
            ("Referer", "https://a.example/?token=t#top", "https://a.example/?token=•••#top"),
            ("Referer", "https://a.example/", "https://a.example/"),
        ];
        for (name, sent, shown) in rows {
            assert_eq!(Secrets::Masked.header_value(name, sent.into()), shown, "{name}: {sent}");
            assert_eq!(Secrets::Shown.header_value(name, sent.into()), sent, "{name}: {sent}");
        }
    }

    #[test]
    fn handshake_headers_are_shown_as_sent() {
        for name in ["Sec-WebSocket-Key", "Sec-WebSocket-Accept", "Host", "User-Agent"] {
            assert_eq!(
                Secrets::Masked.header_value(name, "a?token=b".into()),
                "a?token=b",
                "{name}"
            );
        }
    }

    #[test]
    fn query_parameters_that_carry_credentials_lose_their_value_only() {
        let rows = [
            ("/ws", "/ws"),
            ("/ws?room=1&page=2", "/ws?room=1&page=2"),
            ("/ws?room=1&access_token=s3cret", "/ws?room=1&access_token=•••"),
            ("/ws?Token=a&x&sid=b", "/ws?Token=•••&x&sid=•••"),
            ("/ws?x=eyJhbGciOi.eyJzdWIi.c2ln", "/ws?x=•••"),
            ("/ws?token=&keyboard=qwerty", "/ws?token=&keyboard=qwerty"),
            ("/ws?api-key=1&Access_Key=2#token=3", "/ws?api-key=•••&Access_Key=•••#token=•••"),
            ("wss://h/p?X-Amz-Signature=00ff", "wss://h/p?X-Amz-Signature=•••"),
        ];
        for (sent, shown) in rows {
            assert_eq!(Secrets::Masked.target(sent), shown);
            assert_eq!(Secrets::Shown.target(sent), sent);
        }
        assert_eq!(Secrets::Masked.header_value("Referer", "/a?jwt=x".into()), "/a?jwt=•••");
    }

    #[test]
    fn a_fragment_is_masked_as_a_query_is() {
        let rows = [
            ("https://a/cb#access_token=x&state=1", "https://a/cb#access_token=•••&state=1"),
            ("/cb#state=1&id_token=ab?cd/ef", "/cb#state=1&id_token=•••"),
            ("/cb?a=1#x=eyJhbGciOi.eyJzdWIi.c2ln", "/cb?a=1#x=•••"),
            ("/#/rooms?token=x&page=2", "/#/rooms?token=•••&page=2"),
            ("/#/auth?page=2", "/#/auth?page=2"),
            ("/?token=ab?cd", "/?token=•••"),
            ("/a#top", "/a#top"),
        ];
        for (sent, shown) in rows {
            assert_eq!(Secrets::Masked.target(sent), shown);
            assert_eq!(Secrets::Masked.header_value("Location", sent.into()), shown);
            assert_eq!(Secrets::Shown.target(sent), sent);
        }
    }

    #[test]
    fn who_asks_is_masked_where_a_url_says_it() {
        let rows = [
            ("http://user:pw@a.example/x", "http://•••@a.example/x"),
            ("http://user@a.example", "http://•••@a.example"),
            ("wss://u:p@ss@[::1]:81/x?token=y#z", "wss://•••@[::1]:81/x?token=•••#z"),
            ("//u:p@a.example/x", "//•••@a.example/x"),
            ("http://@a.example/", "http://@a.example/"),
            ("http://a.example/b@c", "http://a.example/b@c"),
            ("http://a.example?b@c", "http://a.example?b@c"),
            ("/x//b@c", "/x//b@c"),
            ("/x/http://b@c", "/x/http://b@c"),
            ("mailto:b@c", "mailto:b@c"),
        ];
        for (sent, shown) in rows {
            assert_eq!(Secrets::Masked.target(sent), shown);
            assert_eq!(Secrets::Masked.header_value("Origin", sent.into()), shown);
            assert_eq!(Secrets::Shown.target(sent), sent);
        }
    }

    #[test]
    fn a_credential_offered_as_a_subprotocol_is_masked_and_the_others_are_not() {
        let offered = "chat.v2, base64url.bearer.authorization.k8s.io.c2VjcmV0";
        assert_eq!(
            Secrets::Masked.header_value("Sec-WebSocket-Protocol", offered.into()),
            "chat.v2, •••"
        );
        assert_eq!(Secrets::Masked.subprotocol("chat.v2"), "chat.v2");
        assert_eq!(Secrets::Masked.words("offered: chat, bearer.x"), "offered: chat, •••");
        assert_eq!(Secrets::Shown.words("offered: bearer.x"), "offered: bearer.x");
    }
}
