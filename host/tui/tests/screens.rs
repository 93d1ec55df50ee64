//! The screen at the sizes that people have, with and without load points, failures and colours.

use std::time::Duration;

use benchhost_model::Phase;
use benchhost_tui::{
    Current, Figures, Finished, Goal, Kind, LEAST, Lag, Points, Recent, Said, Snapshot, View,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

const MS: u64 = 1_000_000;

fn point(load: u32, failed: u64) -> Finished {
    let factor = f64::from(load);
    Finished {
        title: format!("vllm/fp8 · mixed · concurrency={load}"),
        requests: u64::from(40 * load),
        failed,
        stopped: false,
        requests_s: Some(0.8 * factor),
        tokens_s: Some(103.4 * factor),
        ttft_p50_ns: Some(u64::from(40 + load) * MS),
        ttft_p90_ns: Some(u64::from(90 + 2 * load) * MS),
        tpot_p50_ns: Some(9 * MS + u64::from(load) * MS / 10),
        lag: Some(Lag::Receiving(60_000)),
    }
}

fn current(failed: u64) -> Current {
    Current {
        title: "vllm/fp8 · mixed · concurrency=16".into(),
        goal: Goal::Count(640),
        phase: Phase::Measured,
        measured_for: Duration::from_secs(37),
        done: 237,
        in_flight: 16,
        failed,
        figures: Figures {
            ttft_p50_ns: Some(56 * MS),
            lag: Some(Lag::Receiving(120_000)),
            recent: Recent {
                tokens_s: Some(1654.4),
                requests_s: Some(12.8),
                ttft_p50_ns: Some(57 * MS),
                itl_p50_ns: Some(11 * MS),
            },
        },
    }
}

fn said(kind: Kind, text: &str) -> Said {
    Said { kind, text: text.into() }
}

fn busy(failed: u64) -> Snapshot {
    Snapshot {
        at: Duration::from_secs(150),
        simulated: true,
        points: Points { begun: 5, total: Some(12) },
        current: Some(current(failed)),
        finished: [1, 2, 4, 8].map(|load| point(load, if load == 8 { failed } else { 0 })).to_vec(),
        said: vec![
            said(Kind::Status, "vllm: waiting for http://127.0.0.1:8000"),
            said(Kind::Status, "selfcheck: time to first token is told within 85 µs (p99)"),
            said(
                Kind::Warning,
                "warning: the server counts fewer prompt tokens than the workload made: its tokenizer is another one",
            ),
        ],
        stopping: false,
    }
}

/// A view that watched a server for two and a half minutes: a ramp, then a pause, then a level.
fn watched(colour: bool) -> View {
    let mut view = View::new(colour);
    for second in 0..150_u32 {
        let mut snapshot = Snapshot { at: Duration::from_secs(u64::from(second)), ..busy(0) };
        if (60..70).contains(&second) {
            snapshot.current = None;
        } else if let Some(current) = &mut snapshot.current {
            let level = f64::from(second.min(90));
            current.figures.recent.tokens_s = Some(18.4 * level);
            current.figures.recent.ttft_p50_ns = Some(u64::from(40 + second % 30) * MS);
        }
        view.see(&snapshot);
    }
    view
}

fn screen(view: &View, snapshot: &Snapshot, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view.draw(frame, snapshot)).unwrap();
    terminal.backend().clone()
}

#[test]
fn a_terminal_of_80_by_24_shows_everything() {
    insta::assert_snapshot!(screen(&watched(true), &busy(0), 80, 24));
}

#[test]
fn more_room_is_more_figures_and_charts() {
    insta::assert_snapshot!(screen(&watched(true), &busy(0), 120, 40));
}

#[test]
fn with_little_room_the_load_point_and_the_results_stay() {
    insta::assert_snapshot!(screen(&watched(true), &busy(0), 40, 10));
}

#[test]
fn before_the_first_load_point_there_is_the_log() {
    let snapshot = Snapshot { said: busy(0).said[..1].to_vec(), ..Snapshot::default() };
    insta::assert_snapshot!(screen(&View::new(true), &snapshot, 80, 24));
}

#[test]
fn failures_are_marked_by_more_than_a_colour() {
    let backend = screen(&watched(true), &busy(7), 80, 24);
    insta::assert_snapshot!(backend);
    let text = backend.to_string();
    assert!(text.contains("7 errors") && text.contains("! 7"), "{text}");
}

#[test]
fn without_colours_the_same_is_said() {
    let (bare, tinted) =
        (screen(&watched(false), &busy(7), 80, 24), screen(&watched(true), &busy(7), 80, 24));
    assert_eq!(bare.to_string(), tinted.to_string());
    let colours = |backend: &TestBackend| {
        backend
            .buffer()
            .content()
            .iter()
            .filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
            .count()
    };
    assert_eq!(colours(&bare), 0);
    assert!(colours(&tinted) > 100);
}

#[test]
fn the_help_and_other_charts_are_a_key_away() {
    let mut view = watched(true);
    view.toggle_help();
    insta::assert_snapshot!(screen(&view, &busy(0), 80, 24));
    view.toggle_help();
    view.next_chart();
    view.next_chart();
    let text = screen(&view, &busy(0), 80, 24).to_string();
    assert!(text.contains("ITL p50 11 ms") && text.contains("req/s 12.8"), "{text}");
    // Around once.
    for _ in 0..4 {
        view.next_chart();
    }
    assert_eq!(screen(&view, &busy(0), 80, 24), screen(&watched(true), &busy(0), 80, 24));
}

#[test]
fn phases_and_the_end_are_words() {
    for (phase, word) in
        [(Phase::Warmup, "[warm-up]"), (Phase::Measured, "[measured]"), (Phase::Drain, "[drain]")]
    {
        let current = Current { phase, ..current(0) };
        let text =
            screen(&watched(true), &Snapshot { current: Some(current), ..busy(0) }, 80, 24).to_string();
        assert!(text.contains(word), "{text}");
    }
    let stopping = Snapshot { stopping: true, ..busy(0) };
    assert!(screen(&watched(true), &stopping, 80, 24).to_string().contains("q  end at once"));
    let pause = Snapshot { current: None, ..busy(0) };
    assert!(screen(&watched(true), &pause, 80, 24).to_string().contains("between load points"));
}

#[test]
fn a_screen_too_small_says_so_and_the_smallest_one_is_used() {
    let view = watched(true);
    let text = screen(&view, &busy(0), LEAST.0 - 1, LEAST.1).to_string();
    assert!(text.contains("too small"), "{text}");
    let text = screen(&view, &busy(0), LEAST.0, LEAST.1).to_string();
    assert!(text.contains("TTFT p50 56 ms") && !text.contains("too small"), "{text}");
}

#[test]
fn no_size_and_no_content_stops_it() {
    let hostile = "\x1b[2J\u{202e}漢字 very long \n\t".repeat(40);
    let mut full = busy(u64::MAX);
    full.points = Points { begun: u32::MAX, total: Some(0) };
    full.at = Duration::MAX;
    full.said = vec![said(Kind::Error, &hostile); 100];
    full.finished = vec![
        Finished {
            title: hostile.clone(),
            requests_s: Some(f64::INFINITY),
            tokens_s: Some(f64::NAN),
            ..point(1, 1)
        };
        500
    ];
    if let Some(current) = &mut full.current {
        current.title = hostile;
        (current.goal, current.in_flight) = (Goal::Count(0), u64::MAX);
        current.figures.recent.tokens_s = Some(f64::NAN);
    }
    let mut view = View::new(true);
    view.see(&full);
    let mut terminal = Terminal::new(TestBackend::new(0, 0)).unwrap();
    for help in [false, true] {
        if help {
            view.toggle_help();
        }
        for (width, height) in (0..60).flat_map(|w| [(w * 3, w), (w, w / 2), (w, 50), (200, w)]) {
            for snapshot in [&full, &Snapshot::default()] {
                // The same terminal, as when its window is resized.
                terminal.backend_mut().resize(width, height);
                terminal.draw(|frame| view.draw(frame, snapshot)).unwrap();
            }
        }
    }
    assert!(!terminal.backend().to_string().contains('\x1b'));
}
