//! One client's exchanges with one URL, one after the other: what they are together.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::rhythm::{Asking, Beat, Rhythm, Shown};
use super::target::{Parameters, Target, Wait, cut};
use super::{Evidence, ExchangeFacts, Series, SeriesId, SessionId, Totals, TransportKind};
use crate::{Head, Timestamp};

/// Who asks, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub(super) client: IpAddr,
    pub(super) host: Box<str>,
    pub(super) method: Box<str>,
    pub(super) path: Box<str>,
    /// Names of the query's parameters, sorted.
    pub(super) names: Vec<Box<str>>,
}

impl Who {
    pub(super) fn new(client: IpAddr, request: &Head, target: &Target<'_>) -> Self {
        let mut names: Vec<Box<str>> =
            target.parameters().take(16).map(|(name, _)| cut(name)).collect();
        names.sort_unstable();
        let host = request.value("Host").unwrap_or_default();
        let method = cut(request.method().unwrap_or_default());
        Self { client, host: cut(&host), method, path: cut(target.path), names }
    }
}

/// What a series was told to be.
#[derive(Debug)]
struct Told {
    id: SeriesId,
    shown: Shown,
}

/// One client that asks one thing again and again, as far as can be told.
#[derive(Debug)]
pub(super) struct Poller {
    /// Unique in a capture.
    pub(super) serial: u64,
    /// Grows with each use of any poller.
    pub(super) touched: u64,
    /// It waits for an answer.
    pub(super) is_open: bool,
    pub(super) session: Option<SessionId>,
    who: Arc<Who>,
    parameters: Parameters,
    preferred_wait: Option<Wait>,
    rhythm: Rhythm,
    totals: Totals,
    began_at: Timestamp,
    last_at: Timestamp,
    told: Option<Told>,
}

impl Poller {
    pub(super) fn new(serial: u64, who: Arc<Who>, at: Timestamp) -> Self {
        Self {
            serial,
            touched: serial,
            is_open: false,
            session: None,
            who,
            parameters: Parameters::default(),
            preferred_wait: None,
            rhythm: Rhythm::default(),
            totals: Totals::default(),
            began_at: at,
            last_at: at,
            told: None,
        }
    }

    /// Whether a request with these parameters may be its next one.
    pub(super) fn can_go_on(&self, parameters: &Parameters) -> bool {
        !self.is_open && (self.totals.exchanges == 0 || parameters.can_follow(&self.parameters))
    }

    /// Its next request came. Says whether that changed what it is taken for.
    pub(super) fn begin(
        &mut self,
        request: &Head,
        parameters: Parameters,
        at: Timestamp,
        ids: &mut u32,
    ) -> Option<Arc<Series>> {
        self.is_open = true;
        self.parameters = parameters;
        self.preferred_wait = Wait::preferred(request);
        self.rhythm.begin(at);
        self.look(ids)
    }

    /// The request that waits is over. Says whether that changed what it is taken for.
    pub(super) fn end(&mut self, facts: &ExchangeFacts, ids: &mut u32) -> Option<Arc<Series>> {
        self.is_open = false;
        self.totals.add(facts);
        self.last_at = facts.ended_at;
        let status = facts.response.as_ref().and_then(|response| response.status());
        let (Some(held), Some(status), false) = (facts.held(), status, facts.is_cut) else {
            self.rhythm.break_off();
            return None;
        };
        self.rhythm.end(Beat {
            requested_at: facts.requested_at,
            ended_at: facts.ended_at,
            held,
            request_len: facts.request_len,
            is_good: status < 400,
            pause: None,
        });
        self.look(ids)
    }

    /// A request of this time is the next one that carries `session`.
    pub(super) fn join(&mut self, session: SessionId, at: Timestamp) {
        if self.session.is_none() {
            self.began_at = at;
        }
        self.is_open = true;
        self.session = Some(session);
    }

    /// What it is, where the protocol or an answer's body says so.
    pub(super) fn tell(
        &mut self,
        kind: TransportKind,
        evidence: Evidence,
        reason: String,
        ids: &mut u32,
    ) -> Option<Arc<Series>> {
        self.take(Shown { kind, evidence, reason }, ids)
    }

    /// What its rhythm shows.
    fn look(&mut self, ids: &mut u32) -> Option<Arc<Series>> {
        // What a body shows is surer than the rhythm of requests.
        let is_settled = self.kind().is_some_and(|kind| {
            !matches!(kind, TransportKind::Polling | TransportKind::LongPolling)
        });
        if is_settled || self.session.is_some() {
            return None;
        }
        let own = self.parameters.wait();
        let wait = own.as_ref().or(self.preferred_wait.as_ref());
        let shown = self.rhythm.shows(Asking { method: &self.who.method, wait })?;
        // A long poll that is answered at once again and again for a while is none the less one.
        if self.kind() == Some(TransportKind::LongPolling) && shown.kind == TransportKind::Polling {
            return None;
        }
        self.take(shown, ids)
    }

    fn take(&mut self, shown: Shown, ids: &mut u32) -> Option<Arc<Series>> {
        let is_news = self.told.as_ref().is_none_or(|told| {
            told.shown.kind != shown.kind || told.shown.evidence < shown.evidence
        });
        if !is_news {
            return None;
        }
        let id = self.told.as_ref().map_or_else(
            || {
                *ids = ids.saturating_add(1);
                SeriesId(*ids)
            },
            |told| told.id,
        );
        self.told = Some(Told { id, shown });
        self.series()
    }

    /// What it was told to be.
    pub(super) fn kind(&self) -> Option<TransportKind> {
        self.told.as_ref().map(|told| told.shown.kind)
    }

    /// As it is now, where it was told to be anything.
    pub(super) fn series(&self) -> Option<Arc<Series>> {
        let Told { id, shown } = self.told.as_ref()?;
        let is_polling = shown.kind == TransportKind::Polling;
        let period: Option<Duration> = self.rhythm.period().filter(|_| is_polling);
        Some(Arc::new(Series {
            id: *id,
            kind: shown.kind,
            evidence: shown.evidence,
            reason: shown.reason.clone(),
            client: self.who.client,
            host: self.who.host.to_string(),
            method: self.who.method.to_string(),
            path: self.who.path.to_string(),
            session: self.session,
            began_at: self.began_at,
            last_at: self.last_at,
            totals: self.totals,
            period,
        }))
    }
}
