//! How far a load point is: two moving rows on a terminal, a plain line now and then elsewhere.
//!
//! Three threads meet here. Decoding counts and, at most four times a second, leaves its numbers on a board; a thread of
//! this module reads the board and the load's counters as often and draws. Neither the I/O threads nor the pacer know of
//! it, and decoding never waits for a terminal.

mod tally;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use benchhost_model::{Nanos, Phase, Record};
use benchhost_tui::{Current, Figures, Finished, Goal, line};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::full::Stage;
use super::{Line, Place, Printer, lock, plural};
use tally::{Tally, Totals};

/// Between two drawings, and between two times that decoding touches the board.
const TICK: Duration = Duration::from_millis(250);
/// Between two plain lines, where nothing can move.
const PLAIN: Duration = Duration::from_secs(10);
/// Columns that are always there.
const WIDTH: usize = 80;

/// Where it is shown.
pub(super) enum Surface {
    /// Nowhere.
    Nothing,
    /// A plain line now and then.
    Lines,
    /// Two moving rows, above which other lines are printed.
    Bar(Arc<Mutex<Place>>),
    /// The whole screen.
    Stage(Arc<Stage>),
}

/// What the load itself tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// Requests begun and not ended.
    pub(crate) in_flight: u64,
    /// The furthest phase that the load has reached.
    pub(crate) phase: Phase,
}

/// What decoding leaves for drawing.
#[derive(Debug, Clone, Copy, Default)]
struct Board {
    done: u64,
    failed: u64,
    figures: Figures,
}

/// How far one load point is. Told by the decoding thread.
#[derive(Debug)]
pub(crate) struct Progress {
    title: String,
    begun: Instant,
    done: u64,
    failed: u64,
    tally: Tally,
    board: Arc<Mutex<Board>>,
    published: Instant,
    shown: Shown,
    printer: Printer,
}

/// Who shows it.
#[derive(Debug)]
enum Shown {
    Nobody,
    Thread(Drawing),
    Stage(Arc<Stage>),
}

/// The drawing thread; it ends when the sender is dropped.
#[derive(Debug)]
struct Drawing {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// What drawing needs of a load point.
pub(super) struct Pen {
    title: String,
    goal: Goal,
    board: Arc<Mutex<Board>>,
    now: Box<dyn Fn() -> Now + Send>,
    measuring_since: Option<Instant>,
}

impl Progress {
    /// Begins to show; `now` is asked at most four times a second.
    pub(super) fn new(
        title: String,
        goal: Goal,
        surface: Surface,
        printer: Printer,
        now: Box<dyn Fn() -> Now + Send>,
    ) -> Self {
        let board = Arc::new(Mutex::new(Board::default()));
        let pen = Pen { title: title.clone(), goal, board: Arc::clone(&board), now, measuring_since: None };
        let shown = match surface {
            Surface::Nothing => Shown::Nobody,
            Surface::Lines => Drawing::begin(pen, None),
            Surface::Bar(place) => Drawing::begin(pen, Some(place)),
            Surface::Stage(stage) => {
                stage.begin(pen);
                Shown::Stage(stage)
            }
        };
        let begun = Instant::now();
        let tally = Tally::new();
        Self { title, begun, done: 0, failed: 0, tally, board, published: begun, shown, printer }
    }

    /// One more item is over.
    pub(crate) fn step(&mut self, completed: bool) {
        self.done += 1;
        self.failed += u64::from(!completed);
    }

    /// A measured row, and by how much the kernel was ahead of this program at each of its events.
    pub(crate) fn saw(&mut self, row: &Record, lags: &[Option<Nanos>]) {
        if !matches!(self.shown, Shown::Nobody) {
            self.tally.take(self.begun.elapsed(), row, lags);
        }
    }

    /// To be called often; leaves the numbers on the board at most four times a second.
    pub(crate) fn tick(&mut self) {
        if matches!(self.shown, Shown::Nobody) || self.published.elapsed() < TICK {
            return;
        }
        self.published = Instant::now();
        let figures = self.tally.figures(self.begun.elapsed());
        // Never wait for whoever draws, who may be of lower priority; the next tick is near.
        if let Ok(mut board) = self.board.try_lock() {
            *board = Board { done: self.done, failed: self.failed, figures };
        }
    }

    fn finished(&mut self) -> Finished {
        let Totals { requests_s, tokens_s, ttft_p50_ns, ttft_p90_ns, tpot_p50_ns } = self.tally.totals();
        Finished {
            title: self.title.clone(),
            requests: self.done,
            failed: self.failed,
            stopped: false,
            requests_s,
            tokens_s,
            ttft_p50_ns,
            ttft_p90_ns,
            tpot_p50_ns,
            lag: self.tally.lag(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.shown, Shown::Nobody) {
            Shown::Nobody => {}
            Shown::Thread(Drawing { stop, thread }) => {
                drop(stop);
                // A panic of that thread has been printed, and there is nothing else to undo.
                let _drawn = thread.join();
            }
            Shown::Stage(stage) => stage.finish(self.finished()),
        }
        let failed = if self.failed > 0 { format!(", {} not completed", self.failed) } else { String::new() };
        let seconds = self.begun.elapsed().as_secs_f64();
        let requests = plural(self.done, "request");
        self.printer.status(&format!("{}: {requests}{failed} in {seconds:.1} s", self.title));
    }
}

impl Drawing {
    /// On the moving rows of `place`, or in plain lines. Where no thread can be had, the point is measured unseen.
    fn begin(pen: Pen, place: Option<Arc<Mutex<Place>>>) -> Shown {
        let (stop, stopped) = sync_channel(0);
        let drawing = std::thread::Builder::new().name("progress".into()).spawn(move || match place {
            Some(place) => pen.rows(&place, &stopped),
            None => pen.lines(&stopped),
        });
        drawing.map_or(Shown::Nobody, |thread| Shown::Thread(Self { stop, thread }))
    }
}

impl Pen {
    fn rows(mut self, place: &Mutex<Place>, stopped: &Receiver<()>) {
        let bar = ProgressBar::new_spinner();
        // Every drawing is asked for below, each `TICK`.
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        *lock(place) = Place::Bar(bar.clone());
        while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            bar.set_message(line::rows(&self.look(), WIDTH));
        }
        *lock(place) = Place::Plain;
        bar.finish_and_clear();
    }

    fn lines(mut self, stopped: &Receiver<()>) {
        let mut told = Instant::now();
        while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            // Looking notes when the measuring began.
            let current = self.look();
            if told.elapsed() >= PLAIN {
                told = Instant::now();
                Line::plain(line::plain(&current)).print(false);
            }
        }
    }

    /// The load point as it is now.
    pub(super) fn look(&mut self) -> Current {
        let Now { in_flight, phase } = (self.now)();
        if phase != Phase::Warmup && self.measuring_since.is_none() {
            self.measuring_since = Some(Instant::now());
        }
        let Board { done, failed, figures } = *lock(&self.board);
        let measured_for = self.measuring_since.map_or(Duration::ZERO, |since| since.elapsed());
        let title = self.title.clone();
        Current { title, goal: self.goal, phase, measured_for, done, in_flight, failed, figures }
    }
}
