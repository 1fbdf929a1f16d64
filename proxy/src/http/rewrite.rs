//! What a reverse proxy must edit in a request head, in place; every other octet stays.

use std::net::IpAddr;

use bytes::Bytes;
use framescope_core::connection::Alteration;
use framescope_core::http::edit::{Edit, replace};
use framescope_core::{Direction, Head};

use crate::upstream::Target;

/// The edits that requests need on their way to one upstream.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// What `Host` becomes, and `Origin` where it named the proxy; `None` leaves both as sent.
    named: Option<Named>,
    /// Stands before every request target; empty, or begins with a slash and does not end with one.
    base_path: String,
}

#[derive(Debug, Clone)]
struct Named {
    authority: String,
    origin: String,
    /// Further names of the proxy, in any case.
    own: Vec<String>,
}

impl Rewrite {
    /// For requests to `target`.
    pub fn new(target: &Target, preserve_host: bool) -> Self {
        // Who calls the proxy by the upstream's name has told the system to.
        let own = vec![target.host().to_owned()];
        let named = Named { authority: target.authority(), origin: target.origin(), own };
        Self { named: (!preserve_host).then_some(named), base_path: target.base_path().to_owned() }
    }

    /// Pages that come from the proxy by one of `names` are its own too.
    #[must_use]
    pub fn with_own_names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        if let Some(named) = &mut self.named {
            named.own.extend(names);
        }
        self
    }

    /// The head as the upstream is to get it, and what was changed.
    pub fn apply(&self, head: &Head, client_tls: bool) -> (Bytes, Vec<Alteration>) {
        let mut edits = Vec::new();
        let mut alterations = Vec::new();
        if let Some(target) = head.target()
            && target.starts_with('/')
            && !self.base_path.is_empty()
        {
            let to = format!("{}{target}", self.base_path);
            alterations.push(alteration("request-target", target, &to));
            edits.extend(Edit::target(head, to));
        }
        // A target that names its authority is meant for that one, whatever `Host` says (RFC 9112 §3.2.2).
        let is_ours = head.target().is_none_or(|target| target.starts_with('/') || target == "*");
        if let Some(named) = self.named.as_ref().filter(|_| is_ours) {
            let own_host = head.value("Host").filter(|host| named.is_own(host));
            let own_origin = own_host.map(|host| {
                let scheme = if client_tls { "https" } else { "http" };
                format!("{scheme}://{host}")
            });
            for field in &head.headers {
                let value = field.value_text();
                let (what, to) = if field.name.eq_ignore_ascii_case("Host") {
                    ("Host", &named.authority)
                } else if field.name.eq_ignore_ascii_case("Origin")
                    // A page of any other origin keeps it: the upstream is to judge by itself.
                    && own_origin.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(&value))
                {
                    ("Origin", &named.origin)
                } else {
                    continue;
                };
                if *to != *value {
                    alterations.push(alteration(what, &value, to));
                    edits.push(Edit::value(field, to.clone()));
                }
            }
        }
        match replace(&head.raw, &edits) {
            Ok(octets) => (octets, alterations),
            Err(error) => {
                tracing::error!("a head could not be edited, so it goes as it is: {error}");
                (head.raw.clone(), Vec::new())
            }
        }
    }
}

impl Named {
    /// Whether this value of `Host` is certain to name the proxy. Any other name may be that of a
    /// stranger who lets it point here: were a page of theirs taken for one of ours, the upstream would
    /// let in whom it keeps out (DNS rebinding). Behind an address stands no name to point anywhere.
    fn is_own(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        // RFC 6761 §6.3: `localhost` and all below it are this machine.
        name.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.own.iter().any(|own| own.eq_ignore_ascii_case(&name))
    }
}

fn alteration(what: &str, from: &str, to: &str) -> Alteration {
    Alteration {
        direction: Direction::ClientToServer,
        what: what.into(),
        from: from.into(),
        to: to.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(url: &str, preserve: bool, tls: bool, head: &str) -> (String, Vec<String>) {
        let rewrite = Rewrite::new(&Target::parse(url).unwrap(), preserve);
        let head = Head::parse_request(Bytes::copy_from_slice(head.as_bytes()), 0).unwrap();
        let (octets, alterations) = rewrite.apply(&head, tls);
        let told = alterations.iter().map(|a| format!("{}: {} -> {}", a.what, a.from, a.to));
        (String::from_utf8(octets.to_vec()).unwrap(), told.collect())
    }

    #[test]
    fn only_what_names_the_proxy_is_edited() {
        const UP: &str = "wss://up.example/base";
        let rows = [
            // Host, and an Origin that is the proxy's own; odd spelling and spacing stay.
            (
                UP,
                false,
                "GET /ws?a=1 HTTP/1.1\r\nhOST:  localhost:9001 \r\nORIGIN: HTTP://LocalHost:9001\r\n\r\n",
                "GET /base/ws?a=1 HTTP/1.1\r\nhOST:  up.example \r\nORIGIN: https://up.example\r\n\r\n",
            ),
            // Behind TLS the proxy's own origin is https.
            (
                UP,
                true,
                "GET / HTTP/1.1\r\nHost: [::1]:1\r\nOrigin: https://[::1]:1\r\n\r\n",
                "GET /base/ HTTP/1.1\r\nHost: up.example\r\nOrigin: https://up.example\r\n\r\n",
            ),
            // Meant for another server, and so is its Host.
            (
                UP,
                false,
                "GET http://other.example/x HTTP/1.1\r\nHost: localhost:9001\r\n\r\n",
                "GET http://other.example/x HTTP/1.1\r\nHost: localhost:9001\r\n\r\n",
            ),
            // Another page's origin is for the upstream to judge.
            (
                UP,
                false,
                "GET / HTTP/1.1\r\nHost: a:1\r\nOrigin: http://evil.example\r\n\r\n",
                "GET /base/ HTTP/1.1\r\nHost: up.example\r\nOrigin: http://evil.example\r\n\r\n",
            ),
            // Every Host is edited, and none is made up.
            (
                "ws://b:2",
                false,
                "GET / HTTP/1.1\r\nHost: a\r\nHost: c\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: b:2\r\nHost: b:2\r\n\r\n",
            ),
            ("ws://b:2", false, "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"),
            // A base path goes before paths alone.
            (UP, false, "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n"),
        ];
        for (url, tls, sent, expected) in rows {
            assert_eq!(rewritten(url, false, tls, sent).0, expected);
        }
    }

    #[test]
    fn a_name_that_a_stranger_may_point_here_makes_no_origin_our_own() {
        let rows = [
            ("127.0.0.1:9001", true),
            ("192.168.1.7", true),
            ("[::1]:9001", true),
            ("LocalHost:9001", true),
            ("app.localhost.:9001", true),
            ("up.example", true),
            ("Dev-Box:9001", true),
            ("evil.example:9001", false),
            ("127.0.0.1.evil.example:9001", false),
            ("localhost.evil.example", false),
            ("notlocalhost", false),
            ("", false),
        ];
        let target = Target::parse("ws://up.example:80").unwrap();
        let rewrite = Rewrite::new(&target, false).with_own_names(["dev-box".to_owned()]);
        for (host, own) in rows {
            let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\r\n");
            let head = Head::parse_request(head.into(), 0).unwrap();
            let (octets, _) = rewrite.apply(&head, false);
            let edited = Head::parse_request(octets, 0).unwrap();
            let origin = edited.value("Origin").unwrap().into_owned();
            let expected =
                if own { "http://up.example".to_owned() } else { format!("http://{host}") };
            assert_eq!(origin, expected, "{host}");
            assert_eq!(edited.value("Host").unwrap(), "up.example", "{host}");
        }
    }

    #[test]
    fn preserving_the_host_leaves_the_origin_too_and_still_adds_the_base_path() {
        let head = "GET /x HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n\r\n";
        let (octets, told) = rewritten("ws://b/base", true, false, head);
        assert_eq!(octets, head.replace("/x", "/base/x"));
        assert_eq!(told, ["request-target: /x -> /base/x"]);
        assert_eq!(rewritten("ws://b", true, false, head), (head.to_owned(), vec![]));
    }

    #[test]
    fn every_change_is_told_and_nothing_else() {
        let head = "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\r\n";
        let (_, told) = rewritten("ws://b", false, false, head);
        assert_eq!(told, ["Host: localhost -> b", "Origin: http://localhost -> http://b"]);
        let (_, told) = rewritten("ws://localhost", false, false, head);
        assert!(told.is_empty(), "what is right already is not changed: {told:?}");
    }
}
