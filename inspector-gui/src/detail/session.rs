//! A session of Engine.IO or SockJS: what carries it, in order, and when it moved.

use std::sync::Arc;

use egui::{Label, RichText, Ui};
use framescope_core::index::{ConnectionSummary, ExchangeOver};
use framescope_core::present::secrets::MASK;
use framescope_core::transport::{SessionMember, SessionProtocol, Target, TransportSession};
use framescope_core::{ConnectionId, Head, Index};

use crate::fonts;
use crate::theme;
use crate::widgets::{card, format};

/// Members that are listed at most.
const LISTED: usize = 12;
/// Sessions looked at for the one that a request names, the newest first.
const LOOKED_AT: usize = 1_024;

/// Whether a request names this session in its target.
pub(crate) fn is_named_by(session: &TransportSession, request: &Head) -> bool {
    let target = Target::of(request);
    match session.protocol {
        SessionProtocol::EngineIo => target.parameter("sid") == Some(&session.sid),
        SessionProtocol::SockJs => target
            .path
            .strip_prefix(&*session.path)
            .is_some_and(|rest| rest.split('/').any(|part| part == session.sid)),
    }
}

/// The session that an exchange of this connection belongs to. One that is not over is known by what its
/// request names, and so is a WebSocket.
pub(crate) fn session_of(
    index: &Index,
    connection: &ConnectionSummary,
    over: Option<ExchangeOver>,
    request: &Head,
) -> Option<Arc<TransportSession>> {
    let told = over.and_then(|over| over.session).and_then(|id| index.transport_session(id));
    let named = || {
        let own = connection.sessions.iter().rev().filter_map(|id| index.transport_session(*id));
        let all = index.transport_sessions().iter().rev();
        own.chain(all).take(LOOKED_AT).find(|session| is_named_by(session, request))
    };
    told.or_else(named).cloned()
}

/// Which session a connection carries, in a short word: `§1`, or `4 sessions`.
pub(crate) fn session_word(index: &Index, connection: &ConnectionSummary) -> Option<String> {
    let last = index.transport_session(*connection.sessions.last()?)?;
    Some(match connection.sessions.len() {
        1 => last.id.to_string(),
        count => format!("{} sessions", format::thousands(count as u64)),
    })
}

/// Draws the session as seen from this connection; the connection to go to, where one was clicked.
pub(crate) fn session_ui(
    ui: &mut Ui,
    session: &TransportSession,
    from: ConnectionId,
) -> Option<ConnectionId> {
    let palette = theme::palette(ui);
    let mut went = None;
    card(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.spacing_mut().interact_size.y = 16.0;
        let title = format!("{} session {}", session.protocol, session.id);
        ui.label(RichText::new(title).font(fonts::semibold(12.5)));
        ui.add(Label::new(RichText::new(about(session)).size(11.5).color(palette.weak)).wrap());
        for member in session.members.iter().take(LISTED) {
            if member_ui(ui, session, member, from) {
                went = Some(member.connection);
            }
        }
        let left = session.members.len().saturating_sub(LISTED) as u64;
        let left = left.saturating_add(session.more_members);
        if left > 0 {
            let more = format!("and {} more", format::thousands(left));
            ui.label(RichText::new(more).size(11.5).color(palette.weak));
        }
    });
    went
}

/// What names it stays hidden: who knows that can speak in its place.
fn about(session: &TransportSession) -> String {
    let path: String = format::cut(&session.path, 120).chars().map(format::visible).collect();
    let begun = if session.is_whole { "" } else { ", met on its way" };
    format!("sid {MASK} at {path}{begun}")
}

/// `long polling on connection 1, from its beginning`; whether it was clicked.
fn member_ui(
    ui: &mut Ui,
    session: &TransportSession,
    member: &SessionMember,
    from: ConnectionId,
) -> bool {
    let palette = theme::palette(ui);
    let mut clicked = false;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let words = |ui: &mut Ui, text: String| {
            ui.label(RichText::new(text).size(11.5).color(palette.text));
        };
        words(ui, format!("{} on", member.kind.title()));
        let name = format!("connection {}", format::thousands(member.connection.0.into()));
        if member.connection == from {
            words(ui, format!("{name}, this one"));
        } else {
            let link = RichText::new(name).size(11.5).color(palette.accent);
            clicked = ui.link(link).on_hover_text("Show that connection").clicked();
        }
        ui.label(RichText::new(when(session, member)).size(11.5).color(palette.weak));
    });
    clicked
}

/// When a member came, or the session moved to it.
fn when(session: &TransportSession, member: &SessionMember) -> String {
    let after = |at: framescope_core::Timestamp| format::duration(at.since(session.began_at));
    let is_last = session.websocket() == Some(member.connection)
        && member.kind == framescope_core::transport::TransportKind::WebSocket;
    match (session.upgraded_at, session.probed_at) {
        (Some(at), _) if is_last => format!("upgraded after {}", after(at)),
        (None, [_, Some(at)]) if is_last => format!("probed after {}", after(at)),
        _ if member.first_at <= session.began_at => "from its beginning".to_owned(),
        _ => format!("after {}", after(member.first_at)),
    }
}
