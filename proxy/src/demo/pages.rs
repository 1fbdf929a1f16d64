//! The pages of the demo, embedded: plain responses of fixed octets.

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;

/// A response whose body is whole.
pub(super) type Page = Response<Full<Bytes>>;

/// Nothing is loaded from elsewhere, and the page may open WebSockets to where it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Asset {
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
}

const ASSETS: [Asset; 6] = [
    Asset {
        path: "/",
        content_type: "text/html; charset=utf-8",
        body: include_str!("page/index.html"),
    },
    Asset {
        path: "/style.css",
        content_type: "text/css; charset=utf-8",
        body: include_str!("page/style.css"),
    },
    Asset {
        path: "/app.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("page/app.js"),
    },
    Asset {
        path: "/transports.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("page/transports.js"),
    },
    Asset {
        path: "/favicon.svg",
        content_type: "image/svg+xml",
        body: include_str!("page/favicon.svg"),
    },
    Asset { path: "/healthz", content_type: "text/plain; charset=utf-8", body: "ok\n" },
];

impl Asset {
    /// Its octets, hashed (FNV-1a): a new build with another page is fetched anew.
    fn etag(&self) -> String {
        let step = |hash: u64, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3);
        format!("\"{:016x}\"", self.body.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// What a plain request to `path` is answered.
pub(super) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Page {
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) else {
        return text(StatusCode::NOT_FOUND, "There is no such page. The chat is at /.\n");
    };
    if method != Method::GET && method != Method::HEAD {
        let mut page =
            text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
        page.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return page;
    }
    let etag = asset.etag();
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == etag.as_str());
    // hyper leaves the body of an answer to HEAD away and keeps its Content-Length.
    let (status, body) =
        if known { (StatusCode::NOT_MODIFIED, "") } else { (StatusCode::OK, asset.body) };
    let mut page = plain(status, body, asset.content_type);
    page.headers_mut().insert(
        header::ETAG,
        HeaderValue::from_str(&etag).expect("hexadecimal digits in quotes are a header value"),
    );
    page
}

/// A status with one line that says what is wrong and how to mend it.
pub(super) fn text(status: StatusCode, line: &'static str) -> Page {
    plain(status, line, "text/plain; charset=utf-8")
}

fn plain(status: StatusCode, body: &'static str, content_type: &'static str) -> Page {
    let mut page = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *page.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        for asset in &ASSETS {
            for foreign in ["http://", "https://", "@import", "url("] {
                let found = asset.body.replace("http://www.w3.org/2000/svg", "").contains(foreign);
                assert!(!found, "{} names {foreign}", asset.path);
            }
        }
    }

    #[test]
    fn every_file_that_the_page_names_is_served() {
        let index = ASSETS[0].body;
        let named: Vec<&str> = ["href=\"", "src=\""]
            .iter()
            .flat_map(|attribute| index.split(attribute).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(named.len() >= 3, "{named:?}");
        for name in named {
            assert!(ASSETS.iter().any(|asset| &asset.path[1..] == name), "{name} is not served");
        }
    }

    #[test]
    fn a_known_page_is_not_sent_again() {
        let mut headers = HeaderMap::new();
        let first = answer(&Method::GET, "/", &headers);
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer(&Method::GET, "/", &headers).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(&Method::POST, "/", &headers).status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer(&Method::GET, "/nothing", &headers).status(), StatusCode::NOT_FOUND);
    }
}
