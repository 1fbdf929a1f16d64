//! Every pane with sample data in a window, to look at: `cargo run -p framescope-gui --example gallery`.
//!
//! `gallery PANE [light]` opens one pane in one theme; the panes are those of [`Pane::ALL`].

mod handshakes;
mod sample;

use eframe::egui;
use framescope_core::index::ConnectionSummary;
use framescope_gui::detail::{DetailPane, Selected};
use framescope_gui::handshake_tab::HandshakeTab;
use framescope_gui::theme;
use framescope_gui::widgets::segmented;
use jiff::tz::TimeZone;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pane {
    Text,
    Binary,
    Fragment,
    Close,
    Prose,
    Accepted,
    Wrong,
    Refused,
    Polling,
    Unreachable,
    AnsweredByProxy,
    Gapped,
    Midway,
    Silent,
}

enum Content {
    Frame(Box<Selected>),
    Connection(Box<ConnectionSummary>),
}

impl Pane {
    const ALL: [(Self, &str); 14] = [
        (Self::Text, "text"),
        (Self::Binary, "binary"),
        (Self::Fragment, "fragment"),
        (Self::Close, "close"),
        (Self::Prose, "prose"),
        (Self::Accepted, "accepted"),
        (Self::Wrong, "wrong"),
        (Self::Refused, "refused"),
        (Self::Polling, "polling"),
        (Self::Unreachable, "unreachable"),
        (Self::AnsweredByProxy, "answered by the proxy"),
        (Self::Gapped, "gapped"),
        (Self::Midway, "midway"),
        (Self::Silent, "silent"),
    ];

    fn content(self) -> Content {
        let frame = |selected| Content::Frame(Box::new(selected));
        let connection = |summary| Content::Connection(Box::new(summary));
        match self {
            Self::Text => frame(sample::masked_text()),
            Self::Binary => frame(sample::binary()),
            Self::Fragment => frame(sample::compressed_fragment()),
            Self::Close => frame(sample::close()),
            Self::Prose => frame(sample::prose()),
            Self::Accepted => connection(handshakes::accepted()),
            Self::Wrong => connection(handshakes::wrong()),
            Self::Refused => connection(handshakes::refused()),
            Self::Polling => connection(handshakes::polling()),
            Self::Unreachable => connection(handshakes::unreachable()),
            Self::AnsweredByProxy => connection(handshakes::answered_by_proxy()),
            Self::Gapped => connection(handshakes::gapped()),
            Self::Midway => connection(handshakes::midway()),
            Self::Silent => connection(handshakes::silent()),
        }
    }
}

struct Gallery {
    pane: Pane,
    content: Content,
    detail: DetailPane,
    handshake: HandshakeTab,
}

impl Gallery {
    fn new(pane: Pane) -> Self {
        Self {
            pane,
            content: pane.content(),
            detail: DetailPane::new(TimeZone::UTC),
            handshake: HandshakeTab::default(),
        }
    }
}

impl eframe::App for Gallery {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let palette = theme::palette(ui);
        let bar = egui::Frame::new().fill(palette.panel).inner_margin(8);
        egui::Panel::top("gallery").frame(bar).show(ui, |ui| {
            let mut pane = self.pane;
            egui::ScrollArea::horizontal().show(ui, |ui| segmented(ui, &mut pane, &Pane::ALL));
            if pane != self.pane {
                *self = Self::new(pane);
            }
        });
        let frame = egui::Frame::new().fill(palette.background);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| match &self.content {
            Content::Frame(selected) => {
                self.detail.ui(ui, selected);
            }
            Content::Connection(connection) => {
                self.handshake.ui(ui, Some(connection), None);
            }
        });
    }
}

fn main() -> eframe::Result {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let pane = Pane::ALL.into_iter().find(|(_, name)| wanted.iter().any(|word| word == name));
    let light = wanted.iter().any(|word| word == "light");
    let size = wanted.iter().filter_map(|word| word.parse().ok()).collect::<Vec<f32>>();
    let size = if let [width, height] = size[..] { [width, height] } else { [560.0, 860.0] };
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size(size),
        persist_window: false,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "Framescope gallery",
        options,
        Box::new(move |cc| {
            theme::install(&cc.egui_ctx);
            cc.egui_ctx.set_theme(if light { egui::Theme::Light } else { egui::Theme::Dark });
            Ok(Box::new(Gallery::new(pane.map_or(Pane::Text, |(pane, _)| pane))))
        }),
    )
}
