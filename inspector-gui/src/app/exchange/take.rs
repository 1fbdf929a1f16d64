//! What is copied and saved of the selected exchange, event or piece of a stream.

mod curl;

use egui::Context;
use framescope_core::payload::{Lens, Limits};
use framescope_core::present::{Secrets, counted};
use framescope_core::{ConnectionId, Direction, Head};

use crate::App;
use crate::app::Tab;
use crate::app::copy::{MASKED, copied_part, is_path_or_url, server_of_request, url_of_request};
use crate::command::ExchangeCommand;
use crate::detail::hints_of_body;
use crate::handshake_tab::head::ShownLines;
use crate::store::exchanges::{Content, Exchange, Row};
use crate::store::saving::Payload;

/// What is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Where the request went.
    Url,
    /// The request as a command line.
    Curl,
    /// The head of a request, or of its answer.
    Head(Direction),
    /// The body of the answer, or what an event or piece holds.
    Content,
}

/// A row of exchanges, and where it stands.
struct Chosen {
    connection: ConnectionId,
    number: usize,
    row: Row,
    /// The exchange that it is, or belongs to; its number.
    exchange: Option<(usize, Box<Exchange>)>,
}

impl Chosen {
    /// What is in it: the body of a request, or what came from the server.
    fn content(&self, direction: Direction) -> Option<Content> {
        self.row.content(direction)
    }
}

impl App {
    /// Does what was asked for with the selected row of exchanges.
    pub(crate) fn run_on_exchange(&mut self, ctx: &Context, command: ExchangeCommand) {
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        match command {
            ExchangeCommand::CopyUrl => self.copy_exchange(ctx, Part::Url),
            ExchangeCommand::CopyAsCurl => self.copy_exchange(ctx, Part::Curl),
            ExchangeCommand::CopyRequestHead => self.copy_exchange(ctx, Part::Head(up)),
            ExchangeCommand::CopyResponseHead => self.copy_exchange(ctx, Part::Head(down)),
            ExchangeCommand::CopyResponseBody | ExchangeCommand::CopyContent => {
                self.copy_exchange(ctx, Part::Content);
            }
            ExchangeCommand::SaveRequestBody => self.save_exchange(ctx, up),
            ExchangeCommand::SaveResponseBody | ExchangeCommand::SaveContent => {
                self.save_exchange(ctx, down);
            }
            ExchangeCommand::SelectRequest => {
                let exchange = self.chosen_exchange().and_then(|chosen| chosen.exchange);
                if let Some((number, _)) = exchange {
                    self.view.exchanges.select(number);
                }
            }
            ExchangeCommand::ShowHeads => self.show_exchange_heads(),
            ExchangeCommand::ListAlike => self.list_connections_alike(),
        }
    }

    /// The selected row of the exchanges that are shown.
    fn chosen_exchange(&self) -> Option<Chosen> {
        let number = self.view.exchanges.selected.filter(|_| self.view.tab == Tab::Messages)?;
        let read = self.view.exchanges.read.as_ref()?;
        let rows = read.rows();
        let row = rows.get(number)?.clone();
        let of = match &row {
            Row::Exchange(_) => number,
            Row::Event(event) => event.exchange,
            Row::Piece(piece) => piece.exchange,
        };
        let exchange = match rows.get(of) {
            Some(Row::Exchange(exchange)) => Some((of, exchange.clone())),
            _ => None,
        };
        Some(Chosen { connection: read.connection(), number, row, exchange })
    }

    /// Copies a part of the selected row.
    fn copy_exchange(&mut self, ctx: &Context, part: Part) {
        let Some(chosen) = self.chosen_exchange() else { return };
        if let Some((text, told)) = self.exchange_part(&chosen, part) {
            ctx.copy_text(text);
            self.notice = told;
        }
    }

    /// The text of a part, and what is to be told of it.
    fn exchange_part(&self, chosen: &Chosen, part: Part) -> Option<(String, Option<String>)> {
        if part == Part::Content {
            let content = chosen.content(Direction::ServerToClient)?;
            let (kept, whole) = (content.octets.len() as u64, content.len);
            let told = copied_part(kept, whole);
            let coding = match &chosen.row {
                Row::Exchange(exchange) => {
                    exchange.response.as_ref().and_then(|head| head.value("Content-Encoding"))
                }
                Row::Event(_) | Row::Piece(_) => None,
            };
            return Some((as_text(&content, coding.as_deref()), told));
        }
        let (number, exchange) = chosen.exchange.as_ref()?;
        let at = (chosen.connection, *number);
        let masked = |is_masked: bool| is_masked.then(|| MASKED.to_owned());
        let (text, is_masked) = match part {
            Part::Head(direction) => {
                let head = match direction {
                    Direction::ClientToServer => &exchange.request,
                    Direction::ServerToClient => exchange.response.as_ref()?,
                };
                ShownLines(&|line| self.exchange.shows(at, direction, line)).text(head)
            }
            Part::Url => self.exchange_url(at, &exchange.request)?,
            Part::Curl => {
                let (command, told) = self.curl(at, exchange)?;
                return Some((command, (!told.is_empty()).then(|| told.join("; "))));
            }
            Part::Content => return None,
        };
        Some((text, masked(is_masked)))
    }

    /// Where a request went, and whether a credential is masked in it.
    fn exchange_url(&self, at: (ConnectionId, usize), request: &Head) -> Option<(String, bool)> {
        let index = self.store.index();
        let connection = index.connection(at.0)?;
        let is_shown = |line| self.exchange.shows(at, Direction::ClientToServer, line);
        let target = request.target()?;
        let told = ShownLines(&is_shown).target(target);
        let is_masked = told != target;
        Some((url_of_request(connection, Some(request), &told), is_masked))
    }

    /// The request as a command line, and what is to be told of it.
    fn curl(
        &self,
        at: (ConnectionId, usize),
        exchange: &Exchange,
    ) -> Option<(String, Vec<String>)> {
        let request = &*exchange.request;
        let is_shown = |line| self.exchange.shows(at, Direction::ClientToServer, line);
        let shown = ShownLines(&is_shown);
        let (mut url, mut is_masked) = self.exchange_url(at, request)?;
        let target = request.target().filter(|target| !is_path_or_url(target));
        let target = target.map(|target| shown.target(target));
        if target.is_some() {
            let index = self.store.index();
            url = server_of_request(index.connection(at.0)?, Some(request));
        }
        let is_as_sent = !url.contains(['\0', char::REPLACEMENT_CHARACTER]);
        let url = url.replace('\0', "%00");
        let (mut fields, mut left_out) = (Vec::new(), 0);
        for (place, header) in request.headers.iter().enumerate() {
            if !curl::can_say(&header.name, &header.value) {
                left_out += 1;
                continue;
            }
            let value = shown.value(place, header);
            is_masked |= value != header.value_text();
            fields.push((header.name.as_str(), value));
        }
        let content = exchange.bodies[Direction::ClientToServer.index()].clone();
        let has_ended = content.is_some();
        let content = content.unwrap_or_else(|| Content { len: 1, ..Content::default() });
        let name = || file_name(Some(request), Some(request), "request");
        let body = curl::Body::of(&content.octets, content.len, name);
        let mut told = Vec::new();
        match &body {
            curl::Body::File(name) if has_ended => {
                told.push(format!("the command takes the body from {name}: save it there"));
            }
            curl::Body::File(name) => {
                told.push(format!("the body has not ended yet: the command takes it from {name}"));
            }
            curl::Body::Nothing | curl::Body::Text(_) => {}
        }
        told.extend(is_masked.then(|| MASKED.to_owned()));
        if left_out > 0 {
            let fields = counted(left_out, "field", "fields");
            told.push(format!("left out {fields} that no command line can hold"));
        }
        told.extend((!is_as_sent).then(|| "the URL is not as it was sent".to_owned()));
        let method = request.method()?;
        let target = target.as_deref();
        let request = curl::Request { method, url: &url, target, fields, body };
        Some((curl::command(&request), told))
    }

    /// Asks where to save the body of the selected exchange's request or answer, or what the selected
    /// event or piece holds.
    pub(crate) fn save_exchange(&mut self, ctx: &Context, direction: Direction) {
        let Some(chosen) = self.chosen_exchange() else { return };
        let Some(content) = chosen.content(direction) else { return };
        let payload = if content.is_whole() {
            Payload::Kept(content.octets)
        } else {
            let (connection, row) = (chosen.connection, chosen.number);
            Payload::Content { connection, row, direction }
        };
        let exchange = chosen.exchange.as_ref().map(|(_, exchange)| &**exchange);
        let request = exchange.map(|exchange| &*exchange.request);
        let name = match (&chosen.row, direction) {
            (Row::Exchange(_), Direction::ClientToServer) => file_name(request, request, "request"),
            (Row::Exchange(exchange), Direction::ServerToClient) => {
                file_name(request, exchange.response.as_deref(), "")
            }
            (Row::Event(_) | Row::Piece(_), _) => {
                file_name(request, None, &format!("row-{}", chosen.number + 1))
            }
        };
        let found = self.store.find_payload(payload);
        self.exchange.save(ctx, found, name);
    }

    /// Shows the heads of the selected row's exchange in the handshake tab.
    fn show_exchange_heads(&mut self) {
        let Some(Chosen { connection, exchange: Some((row, _)), .. }) = self.chosen_exchange()
        else {
            return;
        };
        let is_listed = {
            let index = self.store.index();
            let exchanges = index.connection(connection).map(|summary| &summary.exchanges);
            exchanges.is_some_and(|exchanges| exchanges.iter().any(|one| one.row == row))
        };
        if is_listed {
            self.handshake.choose(connection, row);
            self.view.tab = Tab::Handshake;
        } else {
            let told = "the handshake tab lists the last 10,000 exchanges: this one is older";
            self.notice = Some(told.to_owned());
        }
    }

    /// Lists all connections whose path is that of the selected row's request.
    fn list_connections_alike(&mut self) {
        let chosen = self.chosen_exchange().and_then(|chosen| chosen.exchange);
        let Some((_, exchange)) = chosen else { return };
        // As it is listed.
        let target = Secrets::Masked.target(exchange.request.target().unwrap_or_default());
        let path = target.split(['?', '#']).next().unwrap_or_default();
        path.clone_into(&mut self.view.connection_words);
        self.view.transport = None;
        self.view.connection = None;
    }
}

/// As it is where it is text, else as the pane shows it: decoded, where its format or coding is known.
fn as_text(content: &Content, coding: Option<&str>) -> String {
    let hints = hints_of_body(coding, !content.is_whole());
    if let Ok(text) = std::str::from_utf8(&content.octets)
        && hints.names.is_empty()
    {
        return text.to_owned();
    }
    let seen = Lens::default().see(&content.octets, &hints, &Limits::VIEW);
    seen.view.text(&content.octets)
}

/// `rooms.json`: the last part of the path, what it is, and its ending by `head`, which describes it.
fn file_name(request: Option<&Head>, head: Option<&Head>, what: &str) -> String {
    let target = request.and_then(Head::target).unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let last: String = last.chars().filter(is_plain).take(60).collect();
    let last = last.trim_start_matches('.');
    let (stem, own) = match last.rsplit_once('.') {
        Some((stem, ending)) if what.is_empty() && !stem.is_empty() => (stem, Some(ending)),
        _ => (last, None),
    };
    let value = |name| head.and_then(|head| head.value(name)).unwrap_or_default();
    let kind = value("Content-Type").to_ascii_lowercase();
    let ending = own.unwrap_or_else(|| ending(kind.split(';').next().unwrap_or_default().trim()));
    let coding = match value("Content-Encoding").to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => ".gz",
        "br" => ".br",
        "zstd" => ".zst",
        "deflate" => ".zz",
        _ => "",
    };
    let parts: Vec<&str> = [stem, what].into_iter().filter(|part| !part.is_empty()).collect();
    let stem = if parts.is_empty() { "body".to_owned() } else { parts.join("-") };
    format!("{stem}.{ending}{coding}")
}

fn ending(kind: &str) -> &'static str {
    match kind {
        "text/html" => "html",
        "text/css" => "css",
        "text/javascript" | "application/javascript" => "js",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/svg+xml" => "svg",
        "application/pdf" => "pdf",
        json if json.ends_with("json") => "json",
        xml if xml.ends_with("xml") => "xml",
        text if text.starts_with("text/") => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_body_is_copied_as_text_or_decoded_by_its_coding() {
        let plain: Vec<u8> = (1..30_u8).map(|n| n.wrapping_mul(83)).collect();
        // As Node's brotli packs so many octets of anything; by itself it looks like nothing.
        let brotli = [&[0x0b, 0x0e, 0x80], &plain[..], &[0x03]].concat();
        let text = |octets: &[u8], coding| {
            let octets = Bytes::copy_from_slice(octets);
            let len = octets.len() as u64;
            as_text(&Content { octets, len }, coding)
        };
        assert_eq!(text(b"hello", None), "hello");
        assert_eq!(text(&brotli, Some("br")), text(&plain, None));
        assert_eq!(text(&brotli, Some(" BR ")), text(&plain, None));
        assert_ne!(text(&brotli, None), text(&plain, None));
    }

    #[test]
    fn a_file_is_named_after_the_path_and_what_the_head_says() {
        let request = |target: &str| {
            Head::parse_request(format!("GET {target} HTTP/1.1\r\n\r\n").into(), 0).expect("a head")
        };
        let response = |fields: &str| {
            let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
            Head::parse_response(head.into(), 0).expect("a head")
        };
        let json = "Content-Type: application/json; charset=utf-8\r\n";
        let rows = [
            ("/rooms?token=abc", json, "", "rooms.json"),
            ("/rooms/", json, "request", "rooms-request.json"),
            ("/", "", "", "body.bin"),
            ("/app.js", "Content-Encoding: gzip\r\n", "", "app.js.gz"),
            ("/../..\\%2f.bashrc", "Content-Type: text/plain\r\n", "", "2f.bashrc"),
            ("/events", "", "row-4", "events-row-4.bin"),
        ];
        for (target, fields, what, expected) in rows {
            let (request, response) = (request(target), response(fields));
            assert_eq!(file_name(Some(&request), Some(&response), what), expected, "{target}");
        }
        assert_eq!(file_name(None, None, ""), "body.bin");
    }
}
