//! Ctrl-C, or `q` on the full screen: the first stops sending and drains, the second hangs up at once.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use benchhost_load::Control;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::ui::{End, Printer};

/// Listens for the rest of the process's life.
#[derive(Clone)]
pub(crate) struct Interrupt {
    state: Arc<State>,
    printer: Printer,
}

struct State {
    presses: AtomicU8,
    current: Mutex<Option<Control>>,
}

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn listen(printer: &Printer) -> CliResult<Self> {
        let state = Arc::new(State { presses: AtomicU8::new(0), current: Mutex::new(None) });
        let mut signals = Signals::new([SIGINT, SIGTERM])
            .map_err(|e| CliError::internal("cannot listen for Ctrl-C").because(e))?;
        let (seen, says, printer) = (Arc::clone(&state), printer.clone(), printer.clone());
        std::thread::Builder::new()
            .name("interrupt".into())
            .spawn(move || {
                for _ in signals.forever() {
                    seen.press(&says);
                }
            })
            .map_err(|e| CliError::internal("cannot start a thread").because(e))?;
        Ok(Self { state, printer })
    }

    /// As if Ctrl-C were pressed.
    fn press(&self) {
        self.state.press(&self.printer);
    }

    /// For whoever reads keys instead of the terminal.
    pub(crate) fn end(&self) -> End {
        let (pressed, seen) = (self.clone(), self.clone());
        End { ask: Box::new(move || pressed.press()), asked: Box::new(move || seen.requested()) }
    }

    /// The load that a press stops; `None` between loads.
    pub(crate) fn watch(&self, control: Option<Control>) {
        let mut current = self.state.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = control;
        // A press that came before the load was known stops it now.
        if let (true, Some(control)) = (self.requested(), &*current) {
            control.stop();
        }
    }

    /// Ctrl-C was pressed.
    pub(crate) fn requested(&self) -> bool {
        self.state.presses.load(Ordering::Acquire) > 0
    }
}

impl State {
    fn press(&self, printer: &Printer) {
        let presses = self.presses.fetch_add(1, Ordering::AcqRel) + 1;
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*current, presses) {
            (Some(control), 1) => {
                printer.status(
                    "stopping: nothing more is sent, requests in flight may end; Ctrl-C again cuts them",
                );
                control.stop();
            }
            (Some(control), 2) => control.cut(),
            (None, 1) => printer.status("stopping; Ctrl-C again ends at once"),
            // Whole rows are in the files already; only the summary is missing.
            _ => {
                printer.leave_screen();
                end_now();
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "the user insists, and the main thread may be stuck"
)]
fn end_now() {
    std::process::exit(i32::from(Exit::Interrupted.code()));
}
