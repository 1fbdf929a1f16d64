//! Addresses to listen on, as people write them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

/// Reads `:PORT`, `PORT` and `HOST:PORT`; without a host it is this machine alone.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let port = text.strip_prefix(':').unwrap_or(text);
    if !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit()) {
        let port = port.parse().map_err(|_| format!("{port} is no port; ports go up to 65535"))?;
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if text.parse::<IpAddr>().is_ok() || text.rsplit_once(':').is_none() {
        return Err("the port is missing; write HOST:PORT, such as 127.0.0.1:9000".to_owned());
    }
    let mut addresses = text
        .to_socket_addrs()
        .map_err(|_| "not an address; write HOST:PORT, such as 127.0.0.1:9000".to_owned())?;
    addresses.next().ok_or_else(|| "this name has no address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let rows = [
            ("9000", "127.0.0.1:9000"),
            (":9000", "127.0.0.1:9000"),
            ("0", "127.0.0.1:0"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:9000", "[::1]:9000"),
        ];
        for (text, address) in rows {
            assert_eq!(parse(text).map(|a| a.to_string()).as_deref(), Ok(address), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        let rows = [
            ("70000", "up to 65535"),
            ("127.0.0.1", "port is missing"),
            ("::1", "port is missing"),
            ("localhost", "port is missing"),
            ("127.0.0.1:http", "HOST:PORT"),
            (":", "HOST:PORT"),
            ("", "port is missing"),
        ];
        for (text, told) in rows {
            let error = parse(text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }
}
