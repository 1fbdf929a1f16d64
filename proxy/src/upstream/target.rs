//! The upstream's URL: scheme, host, port and base path.

use std::fmt;

use http::Uri;

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    tls: bool,
    /// As in a URL: IPv6 addresses in brackets.
    host: String,
    port: u16,
    /// Empty, or begins with a slash and does not end with one.
    base_path: String,
}

/// Why a URL names no upstream: one line with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No scheme, or none that is known.
    #[error("the upstream `{0}` must begin with ws://, wss://, http:// or https://")]
    Scheme(String),
    /// Not a URL.
    #[error("the upstream `{url}` is not a URL: {reason}")]
    Invalid {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Parts that a reverse proxy cannot use.
    #[error("the upstream `{url}` must have no {part}: only scheme, host, port and path")]
    Surplus {
        /// As given.
        url: String,
        /// `user name`, `query` or `fragment`.
        part: &'static str,
    },
}

impl Target {
    /// Reads a URL such as `wss://example.org:8443/base`.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        let url = url.trim();
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| TargetError::Scheme(url.to_owned()))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(TargetError::Scheme(url.to_owned())),
        };
        let surplus = |part| TargetError::Surplus { url: url.to_owned(), part };
        let invalid =
            |reason: &str| TargetError::Invalid { url: url.to_owned(), reason: reason.to_owned() };
        if rest.contains('#') {
            return Err(surplus("fragment"));
        }
        let uri: Uri = format!("http://{rest}").parse().map_err(|_| {
            invalid("write it as scheme://host:port/path, IPv6 addresses in brackets")
        })?;
        let authority = uri.authority().ok_or_else(|| invalid("the host is missing"))?;
        if authority.as_str().contains('@') {
            return Err(surplus("user name"));
        }
        if uri.query().is_some() {
            return Err(surplus("query"));
        }
        if authority.host().is_empty() {
            return Err(invalid("the host is missing"));
        }
        let port = match (authority.port(), authority.as_str().ends_with(':')) {
            (Some(port), _) if port.as_u16() != 0 => port.as_u16(),
            (None, false) if authority.as_str() == authority.host() => Self::default_port(tls),
            _ => return Err(invalid("the port must be a number from 1 to 65535")),
        };
        Ok(Self {
            tls,
            host: authority.host().to_ascii_lowercase(),
            port,
            base_path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    const fn default_port(tls: bool) -> u16 {
        if tls { 443 } else { 80 }
    }

    /// Whether TLS is spoken.
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// The host as a name or address; IPv6 addresses without brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What stands before every request target; empty, or begins with a slash and does not end with
    /// one.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The value of `Host` (RFC 9110 §7.2): the port is left out where it is the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == Self::default_port(self.tls) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The value of `Origin` of a page from there (RFC 6454 §6.2).
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

impl fmt::Display for Target {
    /// As a WebSocket URL, such as `wss://example.org:8443/base`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority(), self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_host_port_and_base_path() {
        #[rustfmt::skip]
        let rows = [
            ("ws://localhost:9001",      "ws://localhost:9001",      "localhost",   9001, "localhost:9001",   ""),
            ("http://Example.ORG/",      "ws://example.org",         "example.org", 80,   "example.org",      ""),
            ("https://example.org:443",  "wss://example.org",        "example.org", 443,  "example.org",      ""),
            ("WSS://example.org/a/b/",   "wss://example.org/a/b",    "example.org", 443,  "example.org",      "/a/b"),
            ("ws://example.org:443",     "ws://example.org:443",     "example.org", 443,  "example.org:443",  ""),
            ("wss://[::1]:8443/x",       "wss://[::1]:8443/x",       "::1",         8443, "[::1]:8443",       "/x"),
            (" ws://127.0.0.1:80 ",      "ws://127.0.0.1",           "127.0.0.1",   80,   "127.0.0.1",        ""),
        ];
        for (url, shown, host, port, authority, base_path) in rows {
            let target = Target::parse(url).unwrap();
            assert_eq!(target.to_string(), shown, "{url}");
            assert_eq!(target.host(), host, "{url}");
            assert_eq!(target.port(), port, "{url}");
            assert_eq!(target.authority(), authority, "{url}");
            assert_eq!(target.base_path(), base_path, "{url}");
        }
    }

    #[test]
    fn what_names_no_upstream_is_refused_with_the_mend() {
        let rows = [
            ("localhost:9001", "must begin with ws://"),
            ("ftp://localhost", "must begin with ws://"),
            ("ws://", "is not a URL"),
            ("ws://:9001", "is not a URL"),
            ("ws://::1", "is not a URL"),
            ("ws://host:0", "port must be"),
            ("ws://host:99999", "is not a URL"),
            ("ws://host:", "port must be"),
            ("ws://user:word@host", "no user name"),
            ("ws://host/?a=1", "no query"),
            ("ws://host/#top", "no fragment"),
            ("ws://ho st/", "is not a URL"),
        ];
        for (url, expected) in rows {
            let said = Target::parse(url).map(|t| t.to_string()).map_err(|e| e.to_string());
            assert!(said.as_ref().is_err_and(|e| e.contains(expected)), "{url}: {said:?}");
        }
    }
}
