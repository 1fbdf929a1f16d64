//! What was agreed on, what was refused, and who talks to whom.

use egui::{Label, RichText, Ui};
use framescope_core::connection::{Alteration, TlsInfo};
use framescope_core::handshake::DeflateParams;
use framescope_core::index::{ConnectionSummary, Exchange};
use framescope_core::present::Secrets;
use framescope_core::{Direction, OpeningHandshake, Severity};

use super::heading_ui;
use crate::theme;
use crate::widgets::chip::severity_sign;
use crate::widgets::{card, format};

/// Why there is no WebSocket. `own_answer` is there where the proxy gave the answer itself.
pub fn refused_ui(ui: &mut Ui, handshake: &OpeningHandshake, own_answer: Option<&Alteration>) {
    let palette = theme::palette(ui);
    let status = handshake.response.status().unwrap_or_default();
    card(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            severity_sign(ui, Severity::Warning);
            let who = if own_answer.is_some() { "proxy" } else { "server" };
            let title = format!("The {who} answered {status}, not 101");
            ui.label(RichText::new(title).font(crate::fonts::semibold(12.5)));
        });
        let words = own_answer.map_or(refusal(status), answered_by_proxy);
        let words = RichText::new(words).size(12.0).color(palette.weak);
        ui.add(Label::new(words).wrap());
    });
    ui.add_space(14.0);
}

/// What an answer of the proxy's own stands for.
fn answered_by_proxy(answer: &Alteration) -> &'static str {
    if answer.from.is_empty() {
        "The proxy wrote this answer itself, because none could come from the server."
    } else {
        "The proxy wrote this answer itself, in place of the server's, which it did not pass on."
    }
}

/// What such a status usually means for an upgrade.
const fn refusal(status: u16) -> &'static str {
    match status {
        101 => "It switched to another protocol.",
        200..=299 => {
            "Something answered that does not speak WebSocket here: often the path is wrong, or a proxy \
             dropped the Upgrade header."
        }
        300..=399 => {
            "A browser does not follow a redirect here: connect to the new address at once."
        }
        400 => {
            "The server did not accept the request as an opening handshake; the checks below may tell why."
        }
        401 | 407 => {
            "It wants to know who asks. A browser's WebSocket can send cookies, but no Authorization header."
        }
        403 => "It knows who asks and says no: often the Origin is not on its list.",
        404 | 410 => "There is nothing under this path.",
        426 => {
            "It wants another protocol or version: see Upgrade and Sec-WebSocket-Version in its answer."
        }
        429 | 503 => "It has too much to do: come back later.",
        500..=599 => "It, or a proxy before it, failed.",
        _ => "The connection stays plain HTTP.",
    }
}

/// Subprotocol, extensions and compression as agreed on.
pub fn agreed_ui(ui: &mut Ui, handshake: &OpeningHandshake) {
    if !handshake.upgraded {
        return;
    }
    heading_ui(ui, "Agreed on");
    let subprotocol = &handshake.subprotocol;
    let chosen = subprotocol.chosen.join(", ");
    let chosen = Secrets::Masked.words(chosen);
    row(ui, "subprotocol", if chosen.is_empty() { "none" } else { &chosen });
    if !subprotocol.offered.is_empty() {
        row(ui, "of those offered", &Secrets::Masked.words(subprotocol.offered.join(", ")));
    }
    let extensions: Vec<_> = handshake.extensions.chosen.iter().map(ToString::to_string).collect();
    rows(ui, "extensions", &extensions, "none");
    if let Some(params) = handshake.deflate {
        row(ui, "↑ compression", &deflate(params, Direction::ClientToServer));
        row(ui, "↓ compression", &deflate(params, Direction::ServerToClient));
    }
    ui.add_space(18.0);
}

/// One direction's compression in words.
fn deflate(params: DeflateParams, direction: Direction) -> String {
    let (bits, forgets) = match direction {
        Direction::ClientToServer => {
            (params.client_max_window_bits, params.client_no_context_takeover)
        }
        Direction::ServerToClient => {
            (params.server_max_window_bits, params.server_no_context_takeover)
        }
    };
    let window = format::octets(1u64 << bits.min(63));
    let context =
        if forgets { "each message on its own" } else { "goes on from message to message" };
    format!("window {window}, {context}")
}

/// A plain HTTP exchange in a few rows. `own_answer` is there where the proxy gave the answer itself.
pub fn exchange_ui(ui: &mut Ui, exchange: &Exchange, own_answer: Option<&Alteration>) {
    let palette = theme::palette(ui);
    heading_ui(ui, "Plain HTTP");
    let asks = exchange.request.asks_for_websocket();
    let words = match (own_answer, &exchange.response) {
        (Some(answer), _) => answered_by_proxy(answer),
        (None, None) if asks => "A WebSocket was asked for; the answer is not there yet.",
        (None, None) => "No WebSocket was asked for; the answer is not there yet.",
        (None, Some(_)) if asks => "A WebSocket was asked for, and is not what came of it.",
        (None, Some(_)) => {
            "No WebSocket was asked for. The exchange went through unchanged but for what is marked."
        }
    };
    ui.add(Label::new(RichText::new(words).color(palette.weak)).wrap());
    ui.add_space(6.0);
    let [request, response] = exchange.content_len;
    if let Some(len) = request {
        row(ui, "request content", &format::octets(len));
    }
    match (response, &exchange.response) {
        (Some(len), _) => row(ui, "response content", &format::octets(len)),
        (None, Some(_)) => row(ui, "response content", "still coming"),
        (None, None) => {}
    }
    ui.add_space(18.0);
}

/// Addresses and TLS of both legs.
pub fn connection_ui(ui: &mut Ui, connection: &ConnectionSummary) {
    heading_ui(ui, "Connection");
    let info = &connection.info;
    row(ui, "client", &info.client.to_string());
    row(ui, "connected to", &info.server.to_string());
    match &info.tls {
        Some(tls) => tls_ui(ui, "client TLS", tls),
        None => row(ui, "client TLS", "none"),
    }
    if let Some(upstream) = &info.upstream {
        row(ui, "upstream", upstream);
    }
    let known = |find: &dyn Fn(&framescope_core::ConnectionNote) -> Option<String>| {
        connection.notes.iter().rev().find_map(|note| find(note))
    };
    if let Some(addr) = known(&|note| note.upstream_addr.map(|addr| addr.to_string())) {
        row(ui, "at", &addr);
    }
    let upstream_tls = connection.notes.iter().rev().find_map(|note| note.upstream_tls.as_ref());
    if let Some(tls) = upstream_tls {
        tls_ui(ui, "upstream TLS", tls);
    }
}

fn tls_ui(ui: &mut Ui, name: &str, tls: &TlsInfo) {
    let parts = [&tls.version, &tls.cipher, &tls.alpn];
    let parts: Vec<_> = parts.into_iter().flatten().cloned().collect();
    rows(ui, name, &parts, "yes");
    if let Some(sni) = &tls.sni {
        row(ui, "server name", sni);
    }
    if let Some(fingerprint) = &tls.certificate_sha256 {
        row(ui, "certificate", fingerprint);
    }
    if tls.unverified {
        ui.horizontal(|ui| {
            severity_sign(ui, Severity::Warning);
            ui.label("The certificate was not verified, as asked for.");
        });
    }
}

/// A name with several values beneath each other, or a word for none.
fn rows(ui: &mut Ui, name: &str, values: &[String], none: &str) {
    match values {
        [] => row(ui, name, none),
        [first, more @ ..] => {
            row(ui, name, first);
            for value in more {
                row(ui, "", value);
            }
        }
    }
}

/// A name, and beside it its value in monospace.
fn row(ui: &mut Ui, name: &str, value: &str) {
    const NAMES: f32 = 118.0;
    let palette = theme::palette(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let (rect, _) = ui.allocate_exact_size(egui::vec2(NAMES, 17.0), egui::Sense::hover());
        let font = egui::FontId::proportional(12.0);
        // In the middle of the value's first line.
        let at = egui::pos2(rect.min.x, rect.min.y + 7.5);
        ui.painter().text(at, egui::Align2::LEFT_CENTER, name, font, palette.weak);
        let value = format::cut(value, 400).into_owned();
        let mut job = egui::text::LayoutJob::simple(
            value,
            egui::FontId::monospace(11.5),
            palette.text,
            ui.available_width(),
        );
        job.wrap.break_anywhere = true;
        ui.add(Label::new(job).selectable(true));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_is_told_in_octets_and_words() {
        let params = DeflateParams {
            client_no_context_takeover: true,
            client_max_window_bits: 10,
            ..DeflateParams::default()
        };
        assert_eq!(
            deflate(params, Direction::ClientToServer),
            "window 1,024 octets, each message on its own"
        );
        assert_eq!(
            deflate(params, Direction::ServerToClient),
            "window 32,768 octets, goes on from message to message"
        );
    }

    #[test]
    fn every_refusal_has_a_sentence() {
        assert!((100..=599).all(|status| refusal(status).ends_with('.')));
    }
}
