//! Ctrl-C: the first stops sending and drains, the second hangs up at once.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use benchhost_load::Control;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{CliError, CliResult};
use crate::ui::Printer;

/// Listens for the rest of the process's life.
#[derive(Clone)]
pub(crate) struct Interrupt {
    state: Arc<State>,
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
        let (seen, printer) = (Arc::clone(&state), printer.clone());
        std::thread::Builder::new()
            .name("interrupt".into())
            .spawn(move || {
                for _ in signals.forever() {
                    seen.press(&printer);
                }
            })
            .map_err(|e| CliError::internal("cannot start a thread").because(e))?;
        Ok(Self { state })
    }

    /// The load that a press stops; `None` between loads.
    pub(crate) fn watch(&self, control: Option<Control>) {
        if let Some(control) = control.as_ref().filter(|_| self.requested()) {
            control.stop();
        }
        *self.state.current.lock().unwrap_or_else(PoisonError::into_inner) = control;
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
        if presses == 1 {
            printer.status("stopping: no more requests are sent, those in flight may end; Ctrl-C again to cut them");
            if let Some(control) = &*current {
                control.stop();
            }
        } else if let Some(control) = &*current {
            control.cut();
        }
    }
}
