//! The terminal itself: its alternate screen and raw mode, entered once and left exactly once, by whoever is first: the
//! drawing thread at the end, the thread that ends the process, or a panic.

use std::cell::Cell;
use std::io::{self, BufWriter, Stderr};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};

/// The alternate screen is shown.
static UP: AtomicBool = AtomicBool::new(false);
/// Held while something is drawn, so that nothing is drawn after the screen was left.
static DRAWING: Mutex<()> = Mutex::new(());
static HOOK: Once = Once::new();
/// A terminal that takes nothing must not keep a process from ending.
const PATIENCE: Duration = Duration::from_millis(500);

thread_local! {
    /// This thread is drawing, and holds the lock.
    static IS_DRAWING: Cell<bool> = const { Cell::new(false) };
}

/// True while the screen is shown, and what is printed would spoil it.
pub fn is_up() -> bool {
    UP.load(Ordering::Acquire)
}

/// Gives the terminal back as it was, if the screen is shown. From any thread, as often as one likes. Waits for a drawing
/// under way, for half a second at most.
pub fn leave() {
    let _nobody_draws = if IS_DRAWING.get() { None } else { patient_lock() };
    if UP.swap(false, Ordering::AcqRel) {
        restore();
    }
}

/// Nothing is left to be done about a failure here.
fn restore() {
    let _left = execute!(io::stderr(), LeaveAlternateScreen, Show);
    let _cooked = disable_raw_mode();
}

fn patient_lock() -> Option<MutexGuard<'static, ()>> {
    let begun = Instant::now();
    loop {
        match DRAWING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// The terminal behind standard error. Standard output is for results, and may be a file.
pub(crate) struct Canvas {
    terminal: Terminal<CrosstermBackend<BufWriter<Stderr>>>,
}

impl Canvas {
    /// Enters the alternate screen and reads keys one by one.
    pub(crate) fn enter() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                // What is said of a panic would be lost with the screen.
                leave();
                before(panic);
            }));
        });
        enable_raw_mode()?;
        UP.store(true, Ordering::Release);
        // `Terminal::clear` would ask where the cursor is, and wait two seconds for a terminal that does not say.
        let entered = execute!(io::stderr(), EnterAlternateScreen, Clear(ClearType::All))
            // One write a drawing.
            .and_then(|()| {
                Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stderr())))
            });
        match entered {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                leave();
                Err(error)
            }
        }
    }

    /// Draws. False: the screen was left meanwhile.
    pub(crate) fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
        let _mine = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_up() {
            return Ok(false);
        }
        IS_DRAWING.set(true);
        let drawn = self.terminal.draw(picture).map(|_| true);
        IS_DRAWING.set(false);
        drawn
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        leave();
    }
}
