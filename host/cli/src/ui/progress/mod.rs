//! How far a load point is: two moving rows on a terminal, a plain line now and then elsewhere.
//!
//! Three threads meet here. Decoding counts and, at most four times a second, leaves its numbers on a board; a thread of
//! this module reads the board and the load's counters as often and draws. Neither the I/O threads nor the pacer know of
//! it, and decoding never waits for a terminal.

mod line;
mod tally;

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use benchhost_model::{Nanos, Phase, Record};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) use line::Goal;
use line::Shown;
use tally::{Figures, Tally};

/// Between two drawings, and between two times that decoding touches the board.
const TICK: Duration = Duration::from_millis(250);
/// Between two plain lines, where nothing can move.
const PLAIN: Duration = Duration::from_secs(10);
/// Columns that are always there.
const WIDTH: usize = 80;

/// The bar that is on the screen, so that other lines are printed above it.
pub(super) type Screen = Arc<Mutex<Option<ProgressBar>>>;

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
    drawing: Option<Drawing>,
    quiet: bool,
}

/// The drawing thread; it ends when the sender is dropped.
#[derive(Debug)]
struct Drawing {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// What the drawing thread needs.
struct Pen<W> {
    title: String,
    goal: Goal,
    board: Arc<Mutex<Board>>,
    now: W,
    screen: Option<Screen>,
    measuring_since: Option<Instant>,
}

impl Progress {
    /// Begins to show; `now` is asked at most four times a second. Without `screen` lines are plain; `quiet`: nothing.
    pub(super) fn new(
        title: String,
        goal: Goal,
        screen: Option<Screen>,
        quiet: bool,
        now: impl Fn() -> Now + Send + 'static,
    ) -> Self {
        let board = Arc::new(Mutex::new(Board::default()));
        let pen =
            Pen { title: title.clone(), goal, board: Arc::clone(&board), now, screen, measuring_since: None };
        let begun = Instant::now();
        Self {
            title,
            begun,
            done: 0,
            failed: 0,
            tally: Tally::new(),
            board,
            published: begun,
            drawing: (!quiet).then(|| Drawing::begin(pen)).flatten(),
            quiet,
        }
    }

    /// One more item is over.
    pub(crate) fn step(&mut self, completed: bool) {
        self.done += 1;
        self.failed += u64::from(!completed);
    }

    /// A measured row, and by how much the kernel was ahead of this program at each of its events.
    pub(crate) fn saw(&mut self, row: &Record, lags: &[Option<Nanos>]) {
        if self.drawing.is_some() {
            self.tally.take(self.begun.elapsed(), row, lags);
        }
    }

    /// To be called often; leaves the numbers on the board at most four times a second.
    pub(crate) fn tick(&mut self) {
        if self.drawing.is_none() || self.published.elapsed() < TICK {
            return;
        }
        self.published = Instant::now();
        let figures = self.tally.figures(self.begun.elapsed());
        *lock(&self.board) = Board { done: self.done, failed: self.failed, figures };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(Drawing { stop, thread }) = self.drawing.take() {
            drop(stop);
            // A panic of that thread has been printed, and there is nothing else to undo.
            let _drawn = thread.join();
        }
        if self.quiet {
            return;
        }
        let failed = if self.failed > 0 { format!(", {} not completed", self.failed) } else { String::new() };
        let seconds = self.begun.elapsed().as_secs_f64();
        let _nobody = writeln!(
            std::io::stderr().lock(),
            "{}: {}{failed} in {seconds:.1} s",
            self.title,
            super::plural(self.done, "request")
        );
    }
}

impl Drawing {
    /// `None`: no thread can be had, and the point is measured unseen.
    fn begin<W: Fn() -> Now + Send + 'static>(pen: Pen<W>) -> Option<Self> {
        let (stop, stopped) = sync_channel(0);
        let thread =
            std::thread::Builder::new().name("progress".into()).spawn(move || pen.run(&stopped)).ok()?;
        Some(Self { stop, thread })
    }
}

impl<W: Fn() -> Now> Pen<W> {
    fn run(mut self, stopped: &Receiver<()>) {
        let bar = self.screen.as_ref().map(|screen| {
            let bar = ProgressBar::new_spinner();
            // Every drawing is asked for below, each `TICK`.
            bar.set_draw_target(ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            *lock(screen) = Some(bar.clone());
            bar
        });
        let mut told = Instant::now();
        while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let shown = self.look();
            if let Some(bar) = &bar {
                bar.set_message(line::rows(&shown, WIDTH));
            } else if told.elapsed() >= PLAIN {
                told = Instant::now();
                let _nobody = writeln!(std::io::stderr().lock(), "{}", line::plain(&shown));
            }
        }
        if let (Some(bar), Some(screen)) = (bar, &self.screen) {
            *lock(screen) = None;
            bar.finish_and_clear();
        }
    }

    fn look(&mut self) -> Shown<'_> {
        let Now { in_flight, phase } = (self.now)();
        if phase != Phase::Warmup && self.measuring_since.is_none() {
            self.measuring_since = Some(Instant::now());
        }
        let Board { done, failed, figures } = *lock(&self.board);
        let measured_for = self.measuring_since.map_or(Duration::ZERO, |since| since.elapsed());
        Shown { title: &self.title, goal: self.goal, phase, measured_for, done, in_flight, failed, figures }
    }
}

/// A panic elsewhere leaves nothing half-written behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
