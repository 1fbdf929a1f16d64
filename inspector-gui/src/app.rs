//! The app: what is shown, and what each command does to it.

mod aside;
mod copy;
mod exchange;
mod since_clear;
mod view;

use std::sync::Arc;

use egui::{CentralPanel, Frame, Margin, OpenUrl, Panel, Rangef, Ui};
use framescope_core::ConnectionId;
use framescope_core::index::{ConnectionSummary, FrameRow};
use framescope_core::payload::protobuf::MessageType;
use framescope_core::search::Marks;
use jiff::tz::TimeZone;

use crate::app::copy::As;
use crate::command::Command;
use crate::detail::session::session_of;
use crate::detail::{DetailAction, DetailPane, ExchangePane, connection_name};
use crate::find::Way;
use crate::handshake_tab::HandshakeTab;
use crate::panels::status::Rate;
use crate::panels::{
    connections, elsewhere, exchanges, export, filter_bar, findings, notice, open, schema, search,
    status, table, top,
};
use crate::settings::{Listing, Settings};
use crate::source::Source;
use crate::store::{RowKey, Selection, Store, Wake};
use crate::theme;
use crate::timing_tab::TimingTab;
use crate::widgets::keeping_width;

pub use view::{Extent, Tab, Table, View};

/// The detail pane leaves this to the table: its tabs, and the choice of messages or frames.
const TABLE_LEAST: f32 = 412.0;
/// What the detail pane has at least, and the list of connections.
const DETAIL_LEAST: f32 = 300.0;
const CONNECTIONS_LEAST: f32 = 150.0;

/// The desktop app.
pub struct App {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) view: View,
    pub(crate) zone: TimeZone,
    pub(crate) rate: Rate,
    pub(crate) clock: connections::Clock,
    pub(crate) dialog: Option<open::Dialog>,
    pub(crate) export_dialog: Option<export::Dialog>,
    pub(crate) schema_dialog: Option<schema::Dialog>,
    /// What Protobuf payloads are read as.
    pub(crate) message_type: Option<MessageType>,
    detail: DetailPane,
    exchange: ExchangePane,
    handshake: HandshakeTab,
    timing: TimingTab,
    /// What is copied as soon as it is read.
    to_copy: Option<(Selection, As)>,
    /// What is to be told of the last command, in a line: that what was copied is a part, or masked.
    pub(crate) notice: Option<String>,
    /// The proxy that goes on while a file is looked at.
    aside: Option<aside::Aside>,
    wake: Wake,
}

impl App {
    /// A window onto `source`.
    pub fn new(ctx: &egui::Context, source: Arc<Source>, settings: Settings) -> Self {
        theme::install(ctx);
        ctx.set_theme(settings.theme);
        let wake = Wake::new(ctx.clone());
        let zone = TimeZone::system();
        Self {
            message_type: schema::remembered(&settings.protobuf),
            settings,
            view: View::onto(&source),
            store: Store::open(source, wake.clone()),
            detail: DetailPane::new(zone.clone()),
            exchange: ExchangePane::default(),
            zone,
            rate: Rate::default(),
            clock: connections::Clock::default(),
            dialog: None,
            export_dialog: None,
            schema_dialog: None,
            handshake: HandshakeTab::default(),
            timing: TimingTab::default(),
            to_copy: None,
            notice: None,
            aside: None,
            wake,
        }
    }

    /// What is looked at.
    pub fn source(&self) -> &Arc<Source> {
        self.store.source()
    }

    /// What is remembered.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the user has chosen to see.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The index and what is read on demand.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How many rows may be shown: all, or those that were there when the view was paused.
    pub fn extent(&self) -> Extent {
        self.view.paused.unwrap_or_else(|| self.full_extent())
    }

    /// How many rows there are.
    pub fn full_extent(&self) -> Extent {
        let index = self.store.index();
        Extent {
            messages: index.messages().len(),
            frames: index.frames().len(),
            findings: index.findings().len(),
            connections: index.connections().len(),
        }
    }

    /// Starts, changes or ends the search, as the filter field says.
    pub(crate) fn query_changed(&mut self) {
        let (typed, options) = (self.view.query.trim(), self.settings.search);
        self.view.search = (!typed.is_empty()).then(|| self.store.search(typed, options));
        self.view.hides_others = options.hides_others;
    }

    /// Does what was asked for.
    pub fn run(&mut self, ctx: &egui::Context, command: Command) {
        self.notice = None;
        match command {
            Command::OpenInBrowser => {
                if let Some(url) = self.source().page_url() {
                    ctx.open_url(OpenUrl::new_tab(url));
                }
            }
            Command::CopyAddress => {
                if let Some(url) = self.source().websocket_url() {
                    ctx.copy_text(url);
                }
            }
            Command::CopyCapturePath => {
                ctx.copy_text(self.source().capture_path().display().to_string());
            }
            Command::CopyMessage => self.copy_selected(ctx, As::Text),
            Command::CopyMessageHex => self.copy_selected(ctx, As::Hex),
            Command::CopyConnectionUrl => {
                if let Some(connection) = self.pointed_at() {
                    self.copy_url_of(ctx, connection);
                }
            }
            Command::OfExchange(command) => self.run_on_exchange(ctx, command),
            Command::ShowOnlyConnection => {
                if let Some(connection) = self.pointed_at() {
                    self.choose(connection);
                    let table = self.view.table(self.settings.listing);
                    table.bring = table.selected;
                }
            }
            Command::FocusFilter => {
                ctx.memory_mut(|memory| memory.request_focus(search::field_id()));
            }
            Command::FindNext => self.find(Way::Next),
            Command::FindPrevious => self.find(Way::Previous),
            Command::FindExchange => self.find_exchange(Way::Next),
            Command::FindMessage => {
                (self.view.tab, self.view.connection) = (Tab::Messages, None);
                self.settings.listing = Listing::Messages;
                self.view.exchanges = exchanges::View::default();
                self.view.list_all_kinds();
            }
            Command::ResetFilters => {
                self.view.query.clear();
                self.view.list_all_kinds();
                self.query_changed();
            }
            Command::TogglePause => {
                self.view.paused = match self.view.paused {
                    Some(_) => None,
                    None => Some(self.full_extent()),
                };
            }
            Command::Clear => {
                self.view.cleared = self.extent();
                for listing in [Listing::Messages, Listing::Frames] {
                    self.view.table(listing).selected = None;
                    self.view.table(listing).list.follow = true;
                }
                self.view.findings.unchoose();
            }
            Command::ShowCleared => self.view.cleared = Extent::default(),
            Command::OpenCapture => self.dialog = Some(open::Dialog::new(self)),
            Command::Export => self.export_dialog = Some(export::Dialog::new(self)),
            Command::BackToLive => self.back_to_live(),
            Command::ToggleDemoClients => {
                if let Some(running) = self.source().demo_clients() {
                    self.source().set_demo_clients(!running);
                }
            }
            Command::FollowEnd => self.view.table(self.settings.listing).list.follow = true,
            Command::ShowMessages => self.view.tab = Tab::Messages,
            Command::ShowHandshake => self.view.tab = Tab::Handshake,
            Command::ShowFindings => self.view.tab = Tab::Findings,
            Command::ShowTiming => self.view.tab = Tab::Timing,
            Command::ShowAllConnections => self.view.connection = None,
            Command::ListMessages => self.list(Listing::Messages),
            Command::ListFrames => self.list(Listing::Frames),
            Command::Unselect if self.view.tab == Tab::Findings => self.view.findings.unchoose(),
            Command::Unselect if self.view.exchanges.rows().is_some() => {
                self.view.exchanges.selected = None;
            }
            Command::Unselect => self.view.table(self.settings.listing).selected = None,
        }
    }

    /// Switches the listing and keeps what was selected in sight.
    fn list(&mut self, listing: Listing) {
        if self.settings.listing == listing {
            return;
        }
        let carried = {
            let index = self.store.index();
            match listing {
                Listing::Frames => self.view.messages.selected.and_then(|row| {
                    index.messages().get(row).map(|message| message.first_frame as usize)
                }),
                Listing::Messages => self.view.frames.selected.map(|frame| {
                    index.messages().partition_point(|row| (row.last_frame as usize) < frame)
                }),
            }
        };
        self.settings.listing = listing;
        let table = self.view.table(listing);
        if let Some(row) = carried {
            table.select(row);
        }
    }

    /// Selects the frame a finding is about, and shows it.
    pub(crate) fn show_frame(&mut self, connection: ConnectionId, row: usize) {
        self.view.tab = Tab::Messages;
        self.choose(connection);
        self.settings.listing = Listing::Frames;
        self.view.frames.select(row);
    }

    /// Shows how a connection was opened.
    pub(crate) fn show_handshake(&mut self, connection: ConnectionId) {
        self.view.tab = Tab::Handshake;
        self.choose(connection);
    }

    /// Chooses a connection, whatever kind of them is listed.
    fn choose(&mut self, connection: ConnectionId) {
        let index = self.store.index();
        self.view.choose(&index, Some(connection));
        let kind = index.connection(connection).map(connections::Transport::of);
        if self.view.transport != kind {
            self.view.transport = None;
        }
    }

    /// The selection whose octets the detail pane shows.
    pub(crate) fn selection(&self) -> Option<Selection> {
        let (table, key): (&Table, fn(usize) -> RowKey) = match self.settings.listing {
            Listing::Messages => (&self.view.messages, RowKey::Message),
            Listing::Frames => (&self.view.frames, RowKey::Frame),
        };
        table.selected.map(|row| Selection { key: key(row), fragment: table.fragment })
    }

    fn detail_ui(&mut self, ui: &mut Ui) {
        let Some(selection) = self.selection() else { return };
        let Some(loaded) = self.store.contents().loaded() else { return };
        match &loaded.content {
            Ok(selected) => {
                self.detail.look_for(self.sought());
                self.detail.read_protobuf_as(self.message_type.clone());
                let named = self.store.index().connection(selected.connection).map(connection_name);
                self.detail.name_connection(named.unwrap_or_default());
                let key = loaded.selection.key;
                let said = self.store.dissections().said().filter(|said| said.key == key);
                self.detail.take_in(said, selected);
                let action = self.detail.ui(ui, selected);
                self.detail.begin_saving(ui.ctx(), &self.store, key, selected);
                let table = self.view.table(self.settings.listing);
                match action {
                    Some(DetailAction::NextFragment) => table.fragment += 1,
                    Some(DetailAction::PreviousFragment) => {
                        table.fragment = table.fragment.saturating_sub(1);
                    }
                    Some(DetailAction::Close) => table.selected = None,
                    Some(DetailAction::ChooseMessageType) => {
                        self.schema_dialog = Some(schema::Dialog::new(&self.settings.protobuf));
                    }
                    Some(DetailAction::ReadAs(by_user)) => {
                        self.store.dissections().read_as(selected.connection, by_user);
                    }
                    Some(DetailAction::ShowMessage(row)) => {
                        self.settings.listing = Listing::Messages;
                        self.view.messages.select(row);
                    }
                    None => {}
                }
            }
            Err(line) if loaded.selection == selection => {
                crate::panels::parts::empty_state(ui, "No octets here", line, |_| {});
            }
            Err(_) => {}
        }
    }

    /// The chosen connection, or that of the selected row.
    fn looked_at(&self) -> Option<ConnectionSummary> {
        // One after the other: a lock that is taken twice waits for ever where somebody wants to write.
        let id = self.looked_at_id()?;
        self.store.index().connection(id).cloned()
    }

    fn looked_at_id(&self) -> Option<ConnectionId> {
        let index = self.store.index();
        let of_selection = || {
            let frame = match self.selection()?.key {
                RowKey::Message(row) => index.messages().get(row)?.first_frame as usize,
                RowKey::Frame(row) => row,
            };
            index.frames().get(frame).map(FrameRow::connection)
        };
        self.view.connection.or_else(of_selection)
    }

    fn handshake_ui(&mut self, ui: &mut Ui) {
        let connection = self.looked_at();
        let session = connection.as_ref().and_then(|connection| {
            let exchange = self.handshake.chosen(connection)?;
            session_of(&self.store.index(), connection, exchange.over, &exchange.request)
        });
        let found = connection.as_ref().map_or_else(Marks::default, |connection| {
            self.view.found_exchanges(connection.id).unwrap_or_default()
        });
        self.handshake.look_for(self.sought(), found);
        let went = self.handshake.ui(ui, connection.as_ref(), session.as_deref());
        if let Some(connection) = went {
            self.choose(connection);
        }
    }

    fn timing_ui(&mut self, ui: &mut Ui) {
        let connection = self.looked_at();
        let Extent { frames, messages, .. } = self.extent();
        let until = (frames, messages);
        self.timing.ui(ui, &self.store, connection.as_ref(), until, &self.zone);
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.store.begin_picture();
        if self.view.belong_to(self.store.reading()) {
            self.exchange.start_over();
            self.handshake = HandshakeTab::default();
            self.timing = TimingTab::default();
            self.to_copy = None;
        }
        let ctx = ui.ctx().clone();
        // Before anything is drawn, so that what was typed right behind a shortcut is not lost.
        for command in Command::pressed(&ctx) {
            self.run(&ctx, command);
        }
        self.copy_what_was_read(&ctx);
        let copies = copy::copies(&ctx);
        let aside = self.aside.as_ref().map(aside::Aside::source);
        let captures: Vec<&Source> = aside.into_iter().chain([&**self.store.source()]).collect();
        self.detail.go_on_saving(&captures);
        self.exchange.go_on_saving(&captures);
        let mut commands = Vec::new();
        self.take_dropped_files(&ctx);

        let palette = theme::palette(ui);
        let area = |fill| Frame::new().fill(fill);
        Panel::top("top").exact_size(44.0).frame(area(palette.panel)).show(ui, |ui| {
            top::top_ui(self, ui, &mut commands);
        });
        notice::notices_ui(self, ui);
        Panel::bottom("status").exact_size(26.0).frame(area(palette.panel)).show(ui, |ui| {
            status::status_ui(self, ui, &mut commands);
        });
        let width = ui.available_width();
        let is_http = exchanges::are_shown(self);
        let is_selected = if is_http {
            self.view.exchanges.selected.is_some()
        } else {
            self.selection().is_some()
        };
        // In a small window the table needs the room more.
        let has_detail = self.view.tab == Tab::Messages && is_selected;
        let beside = if has_detail { TABLE_LEAST + DETAIL_LEAST } else { TABLE_LEAST };
        let most = (width - beside).min(width * 0.35).max(CONNECTIONS_LEAST);
        let default = (width * 0.175).clamp(180.0, 270.0).min(most);
        let range = Rangef::new(CONNECTIONS_LEAST, most);
        keeping_width(ui, "connections", default, range, |ui| {
            let panel = Panel::left("connections").default_size(default).size_range(range);
            let panel = panel.frame(area(palette.panel));
            panel.show(ui, |ui| connections::connections_ui(self, ui, &mut commands)).response
        });
        if has_detail {
            let default = (width * 0.37).clamp(340.0, 580.0);
            let most = (ui.available_width() - TABLE_LEAST).max(DETAIL_LEAST);
            let range = Rangef::new(DETAIL_LEAST, most);
            keeping_width(ui, "detail", default, range, |ui| {
                let panel = Panel::right("detail").default_size(default).size_range(range);
                let shown = panel.frame(area(palette.background)).show(ui, |ui| {
                    // Otherwise the panel shrinks to what it shows.
                    ui.expand_to_include_rect(ui.max_rect());
                    if is_http {
                        self.exchange_ui(ui);
                    } else {
                        self.detail_ui(ui);
                    }
                });
                shown.response
            });
        }
        CentralPanel::default().frame(area(palette.background)).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            filter_bar::tabs_ui(self, ui, &mut commands);
            elsewhere::elsewhere_ui(self, ui, &mut commands);
            match self.view.tab {
                Tab::Messages if is_http => exchanges::exchanges_ui(self, ui, &mut commands),
                Tab::Messages => {
                    filter_bar::chips_ui(self, ui, &mut commands);
                    table::table_ui(self, ui, &mut commands);
                }
                Tab::Handshake => self.handshake_ui(ui),
                Tab::Findings => findings::findings_ui(self, ui, &mut commands),
                Tab::Timing => self.timing_ui(ui),
            }
        });
        open::dialog_ui(self, &ctx);
        export::dialog_ui(self, &ctx);
        schema::dialog_ui(self, &ctx);
        open::drop_ui(&ctx);
        if copy::copies(&ctx) > copies {
            // By a button of what is shown, which tells nothing of it.
            self.notice = None;
        }
        for command in commands {
            self.run(&ctx, command);
            ctx.request_repaint();
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.settings.save(storage);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

impl App {
    fn take_dropped_files(&mut self, ctx: &egui::Context) {
        let dropped =
            ctx.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
        if let Some(path) = dropped
            && let Err(line) = self.open_capture(&path)
        {
            self.dialog = Some(open::Dialog::failed(self, &path, line));
        }
    }
}

/// Room around the content of bars.
pub(crate) const BAR_MARGIN: Margin = Margin { left: 12, right: 12, top: 0, bottom: 0 };
