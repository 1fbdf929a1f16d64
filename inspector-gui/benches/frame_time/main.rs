//! What one picture of the window costs the CPU, at a million rows: laid out and tessellated, without a
//! display and without a GPU.
//!
//! ```text
//! cargo bench -p framescope-gui --bench frame_time
//! ```
//!
//! - *still*: nothing changes;
//! - *scrolling*: the wheel turns in each picture, near the end of the list;
//! - *growing*: the capture grows by 100,000 frames a second, and the list follows its end;
//! - *searching*: a search through all payloads begins, and the rows that hold it come in.
//!
//! A thread of its own reads the capture meanwhile, as in the app: what it takes is not counted, how long
//! the window waits for it is.

#![expect(clippy::cast_precision_loss, reason = "figures for the eye")]
#![expect(clippy::disallowed_methods, reason = "pictures are made at a steady pace")]

mod traffic;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::App as _;
use egui::{Event, Key, Modifiers, MouseWheelUnit, RawInput, TouchPhase, pos2, vec2};
use framescope_gui::App;
use framescope_gui::settings::Settings;
use framescope_gui::source::Source;

use traffic::Traffic;

/// Rows before anything is measured.
const ROWS: usize = 1_000_000;
const FRAMES_PER_SECOND: usize = 100_000;
const PICTURES_PER_SECOND: usize = 60;
/// What the traffic says once in a thousand frames.
const NEEDLE: &str = "\"n\":999,";

fn main() {
    // `cargo test` starts benches too, to see whether they still run: a small round then.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (rows, pictures) = if is_bench { (ROWS, 600) } else { (2_000, 10) };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("rows.pcapng");
    let mut traffic = Traffic::new(&path);
    traffic.say(rows);

    let mut window = Window::onto(&path);
    let listed = |window: &Window| window.app.full_extent().messages;
    window.until(|window| listed(window) == rows && window.app.store().caught_up());
    println!("{rows} rows, 1440 × 900 points; CPU time of a picture, layout and tessellation:");
    println!("{:<12} {:>10} {:>10} {:>10} {:>10}", "", "p50", "p99", "max", "pictures");

    let mut still = Figures::default();
    (0..pictures).for_each(|_| still.add(window.picture(Vec::new())));
    still.tell("still");

    let mut scrolling = Figures::default();
    for picture in 0..pictures {
        let down = (picture / 100) % 2 == 1;
        scrolling.add(window.picture(vec![wheel(if down { -37.0 } else { 37.0 })]));
    }
    scrolling.tell("scrolling");

    window.picture(vec![press(Key::End, Modifiers::NONE)]);
    let mut growing = Figures::default();
    let began = Instant::now();
    for picture in 0..pictures {
        traffic.say(FRAMES_PER_SECOND / PICTURES_PER_SECOND);
        growing.add(window.picture(Vec::new()));
        let due = Duration::from_secs_f64((picture + 1) as f64 / PICTURES_PER_SECOND as f64);
        std::thread::sleep((began + due).saturating_duration_since(Instant::now()));
    }
    let grown = listed(&window) - rows;
    growing.tell("growing");
    println!("  {grown} rows came in {:.1} s", began.elapsed().as_secs_f64());
    let all = rows + pictures * (FRAMES_PER_SECOND / PICTURES_PER_SECOND);
    window.until(|window| listed(window) == all);

    let mut searching = Figures::default();
    let began = Instant::now();
    window.picture(vec![press(Key::F, Modifiers::COMMAND)]);
    searching.add(window.picture(vec![Event::Text(NEEDLE.to_owned())]));
    let is_done = |window: &Window| {
        window.app.view().running_search().is_some_and(|search| search.state().caught_up)
    };
    let mut first_row = None;
    while !is_done(&window) {
        searching.add(window.picture(Vec::new()));
        if !window.app.view().messages.rows.is_empty() {
            first_row.get_or_insert(began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = began.elapsed();
    for _ in 0..60 {
        searching.add(window.picture(Vec::new()));
    }
    searching.tell("searching");
    let found = window.app.view().messages.rows.len();
    println!(
        "  {found} of {all} rows found in {:.0} ms, the first after {:.0} ms",
        took.as_secs_f64() * 1e3,
        first_row.unwrap_or(took).as_secs_f64() * 1e3
    );
    assert_eq!(found, all / 1000, "every row that holds the text is listed");
}

/// The app without a window.
struct Window {
    ctx: egui::Context,
    app: App,
    frame: eframe::Frame,
    pictures: u32,
}

impl Window {
    fn onto(path: &Path) -> Self {
        let ctx = egui::Context::default();
        let source = Arc::new(Source::open(path).expect("the capture is there"));
        let app = App::new(&ctx, source, Settings::default());
        Self { ctx, app, frame: eframe::Frame::_new_kittest(), pictures: 0 }
    }

    /// One picture, with the pointer over the list; how long layout and tessellation took.
    fn picture(&mut self, mut events: Vec<Event>) -> Duration {
        events.insert(0, Event::PointerMoved(pos2(720.0, 500.0)));
        self.pictures += 1;
        let input = RawInput {
            screen_rect: Some(egui::Rect::from_min_size(pos2(0.0, 0.0), vec2(1440.0, 900.0))),
            time: Some(f64::from(self.pictures) / PICTURES_PER_SECOND as f64),
            focused: true,
            events,
            ..RawInput::default()
        };
        let Self { ctx, app, frame, .. } = self;
        let began = Instant::now();
        let output = ctx.run_ui(input, |ui| app.ui(ui, frame));
        let meshes = ctx.tessellate(output.shapes, output.pixels_per_point);
        let took = began.elapsed();
        assert!(!meshes.is_empty(), "something is drawn");
        took
    }

    fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(2);
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited too long");
            self.picture(Vec::new());
            std::thread::sleep(Duration::from_millis(5));
        }
        // What comes in by itself, such as previews, is there then.
        (0..30).for_each(|_| {
            self.picture(Vec::new());
        });
    }
}

fn wheel(points: f32) -> Event {
    Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, points),
        modifiers: Modifiers::NONE,
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Trackpad,
    }
}

fn press(key: Key, modifiers: Modifiers) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
}

/// How long pictures took.
#[derive(Default)]
struct Figures(Vec<Duration>);

impl Figures {
    fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    fn tell(mut self, name: &str) {
        self.0.sort_unstable();
        let last = self.0.len() - 1;
        let at =
            |percent: usize| format!("{:.3} ms", self.0[last * percent / 100].as_secs_f64() * 1e3);
        let count = self.0.len();
        println!("{name:<12} {:>10} {:>10} {:>10} {count:>10}", at(50), at(99), at(100));
    }
}
