//! The whole screen of `run --tui`: collects what is said and measured, and has a thread of low priority draw it.
//!
//! Decoding touches the stage only when a load point begins and ends. In between it leaves its numbers on the point's
//! board, as it does for the live line.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use benchhost_tui::{Finished, Kind, Points, Said, Screen, Snapshot, Source};

use super::progress::Pen;
use super::{Head, Line, Place, Printer, Shows, lock};

/// Lines of the log that a screen can have room for.
const LATEST: usize = 60;
/// Load points that a screen can have room for.
const LATEST_POINTS: usize = 200;

/// How a user's wish for an end is passed on.
pub(crate) struct End {
    /// Passes it on.
    pub(crate) ask: Box<dyn Fn() + Send + Sync>,
    /// It was passed on before, by whatever means.
    pub(crate) asked: Box<dyn Fn() -> bool + Send + Sync>,
}

/// What the screen shows.
pub(super) struct Stage {
    shared: Mutex<Shared>,
    begun: Instant,
    simulated: bool,
    over: AtomicBool,
    end: End,
}

#[derive(Default)]
struct Shared {
    /// All of them: they are printed when the screen is left.
    lines: Vec<Line>,
    points: Points,
    watched: Option<Pen>,
    finished: Vec<Finished>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("begun", &self.begun).finish_non_exhaustive()
    }
}

impl Stage {
    pub(super) fn say(&self, line: Line) {
        lock(&self.shared).lines.push(line);
    }

    pub(super) fn take_lines(&self) -> Vec<Line> {
        std::mem::take(&mut lock(&self.shared).lines)
    }

    pub(super) fn expect_points(&self, total: Option<usize>) {
        lock(&self.shared).points.total = total.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    }

    /// A load point begins.
    pub(super) fn begin(&self, pen: Pen) {
        let mut shared = lock(&self.shared);
        shared.points.begun += 1;
        shared.watched = Some(pen);
    }

    /// The load point has ended.
    pub(super) fn finish(&self, point: Finished) {
        let mut shared = lock(&self.shared);
        shared.watched = None;
        shared.finished.push(Finished { stopped: (self.end.asked)(), ..point });
    }

    fn snapshot(&self) -> Snapshot {
        let mut shared = lock(&self.shared);
        let said = latest(&shared.lines, LATEST).iter().map(said).collect();
        Snapshot {
            at: self.begun.elapsed(),
            simulated: self.simulated,
            points: shared.points,
            current: shared.watched.as_mut().map(Pen::look),
            finished: latest(&shared.finished, LATEST_POINTS).to_vec(),
            said,
            stopping: (self.end.asked)(),
        }
    }
}

fn latest<T>(all: &[T], most: usize) -> &[T] {
    &all[all.len().saturating_sub(most)..]
}

fn said(line: &Line) -> Said {
    let kind = match line.head {
        Head::None | Head::Hint | Head::Cause => Kind::Status,
        Head::Warning => Kind::Warning,
        Head::Error => Kind::Error,
    };
    Said { kind, text: format!("{}{}", line.head.words(), line.text) }
}

struct Watcher(Arc<Stage>);

impl Source for Watcher {
    fn look(&mut self) -> Option<Snapshot> {
        (!self.0.over.load(Ordering::Acquire)).then(|| self.0.snapshot())
    }

    fn stop(&mut self) {
        (self.0.end.ask)();
    }
}

/// The screen while it is shown. Dropping it leaves it and prints what was said meanwhile.
#[must_use]
pub(crate) struct FullScreen {
    printer: Printer,
    stage: Arc<Stage>,
    thread: Option<JoinHandle<()>>,
}

impl Printer {
    /// Enters the screen, if it is wanted and there is one. `simulated`: the server is the simulator, which the screen says.
    pub(crate) fn enter_screen(&self, simulated: bool, end: End) -> Option<FullScreen> {
        if self.shows != Shows::Screen {
            return None;
        }
        let screen = match Screen::enter(self.colour) {
            Ok(screen) => screen,
            Err(error) => {
                self.warning(&format!("no full screen: {error}; lines tell how far the run is"));
                return None;
            }
        };
        let stage = Arc::new(Stage {
            shared: Mutex::default(),
            begun: Instant::now(),
            simulated,
            over: AtomicBool::new(false),
            end,
        });
        *lock(&self.place) = Place::Full(Arc::clone(&stage));
        let (watcher, printer) = (Watcher(Arc::clone(&stage)), self.clone());
        let spawned = std::thread::Builder::new().name("screen".into()).spawn(move || {
            // Where it is not permitted, it draws at the usual priority, four times a second.
            let _lowered = benchhost_os::thread::lower();
            if let Err(error) = screen.show(watcher) {
                printer.warning(&format!("the screen is left: {error}"));
            }
        });
        // Without a thread the screen was dropped with the closure, and lines are printed as they come.
        Some(FullScreen { printer: self.clone(), stage, thread: spawned.ok() })
    }

    /// Leaves the screen at once, for the end of the process.
    pub(crate) fn leave_screen(&self) {
        benchhost_tui::leave();
        let place = std::mem::take(&mut *lock(&self.place));
        if let Place::Full(stage) = place {
            stage.take_lines().iter().for_each(|line| line.print(self.colour));
        }
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        self.stage.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed, and there is nothing else to undo.
            let _drawn = thread.join();
        }
        self.printer.leave_screen();
    }
}
